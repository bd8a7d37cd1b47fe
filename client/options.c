/* SPDX-License-Identifier: ISC */
/* Flags of the commands that connect.  PROTOCOL.pty 11.4, 11.5, 11.7. */
#include "client/options.h"
#include "client/obscure.h"
#include "client/complain.h"
#include "client/dest.h"
#include "client/duration.h"
#include "client/exits.h"
#include "client/flags.h"
#include "client/hosts.h"
#include "client/identity.h"
#include "client/proxy.h"
#include "client/ssh/ssh_opts.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/privsep/config.h"
#include "common/pty/mux.h"

static int
options_bad(const char *flag, const char *value, const char *why)
{
	complain("%s %s: %s", flag, value, why);
	return EXIT_USAGE;
}

int
options_env(struct client_options *o, const char *flag, const char *entry)
{
	if (strchr(entry, '=') == NULL || *entry == '=')
		return options_bad(flag, entry, "write NAME=VALUE");
	if (o->nenv == ENV_MAX)
		return options_bad(flag, entry, "too many of them");
	o->env[o->nenv++] = entry;
	return 0;
}

int
options_timeout(struct client_options *o, const char *flag, const char *text)
{
	o->timeout_given = true;
	if ((o->timeout_ms = duration_ms(text)) >= 0)
		return 0;
	return options_bad(flag, text,
	    "write a time like 30s, 5m or 1m30s; 0 is none");
}

int
options_connect_timeout(struct client_options *o, const char *flag,
    const char *text)
{
	if ((o->how.timeout_ms = duration_ms(text)) > 0)
		return 0;
	return options_bad(flag, text, "write a time like 10s or 1m30s");
}

int
options_transport(struct client_options *o, const char *flag, const char *text)
{
	if (strcmp(text, "auto") == 0 || *text == '\0')
		o->transport = TRANSPORT_AUTO;
	else if (strcmp(text, "tcp") == 0)
		o->transport = TRANSPORT_TCP;
	else if (strcmp(text, "dmsg") == 0)
		o->transport = TRANSPORT_DMSG;
	else if (strcmp(text, "skynet") == 0)
		o->transport = TRANSPORT_SKYNET;
	else
		return options_bad(flag, text,
		    "there are auto, tcp, dmsg and skynet");
	return 0;
}

int
options_visor_key(struct client_options *o, const char *flag, const char *value)
{
	o->visor_key = o->visor_key_given = true;
	if (value == NULL || strcmp(value, "true") == 0)
		return 0;
	o->visor_key = false;
	if (strcmp(value, "false") == 0)
		return 0;
	return options_bad(flag, value, "true or false");
}

int
options_require_pq(struct client_options *o, const char *flag,
    const char *value)
{
	o->require_pq_given = true;
	o->require_pq = value == NULL || strcasecmp(value, "yes") == 0;
	return o->require_pq || strcasecmp(value, "no") == 0 ?
	    0 :
	    options_bad(flag, value, "yes or no");
}

int
options_escape(struct client_options *o, const char *flag, const char *text)
{
	o->escape_given = true;
	if (strcmp(text, "none") == 0)
		o->escape = -1;
	else if (strlen(text) == 1)
		o->escape = (unsigned char)*text;
	else if (text[0] == '^' && text[1] >= '?' && text[2] == '\0')
		o->escape =
		    (unsigned char)(text[1] == '?' ? 127 : text[1] & 31);
	else
		return options_bad(flag, text,
		    "one character, ^ and a letter for a control one, or none");
	return 0;
}

int
options_obscure(struct client_options *o, const char *flag, const char *text)
{
	o->obscure_given = true;
	if (obscure_parse(text, &o->obscure_ms))
		return 0;
	return options_bad(flag, text, "yes, no, or interval:20");
}

int
options_no_visor_key(struct client_options *o, const char *flag,
    const char *value)
{
	(void)flag, (void)value;
	o->visor_key_given = true;
	o->visor_key = false;
	return 0;
}

int
options_standalone(struct client_options *o, const char *flag,
    const char *value)
{
	(void)flag, (void)value;
	o->standalone = true;
	o->transport = TRANSPORT_DMSG;
	return 0;
}

int
options_session_name(struct client_options *o, const char *flag,
    const char *name)
{
	o->session_name = name;
	o->detach_ok = true;
	if (mux_is_session_name(name))
		return 0;
	return options_bad(flag, name,
	    "write letters, digits, '.', '_' and '-', at most 32, and none of "
	    "the last two first");
}

static int
options_ttl(int64_t *ms, const char *flag, const char *text)
{
	if ((*ms = duration_ms(text)) >= 0)
		return 0;
	return options_bad(flag, text, "write a time like 1s or 500ms");
}

int
options_life(struct client_options *o, const char *flag, const char *text)
{
	if ((o->life = duration_life(text)) != 0)
		return 0;
	return options_bad(flag, text,
	    "write seconds, or a time like 30m, 8h, 1d or 1w2d");
}

int
options_attr_ttl(struct client_options *o, const char *flag, const char *text)
{
	return options_ttl(&o->attr_ms, flag, text);
}

int
options_entry_ttl(struct client_options *o, const char *flag, const char *text)
{
	return options_ttl(&o->entry_ms, flag, text);
}

/* The original's pty-cli has a file there. */
int
options_port(struct client_options *o, const char *flag, const char *text)
{
	const char *problem, *dot = strrchr(text, '.');

	(void)strtonum(text, 1, UINT16_MAX, &problem);
	if (problem == NULL) {
		o->port = text;
		return 0;
	}
	if (strchr(text, '/') != NULL ||
	    (dot != NULL && strcmp(dot, ".json") == 0) ||
	    access(text, F_OK) == 0)
		return options_bad(flag, text,
		    "it is the port here; a host's configuration, which says "
		    "where its control socket is, is --confpath FILE");
	return options_bad(flag, text, "is no port: 1 to 65535");
}

int
options_user(struct client_options *o, const char *flag, const char *name)
{
	char uri[MUX_URI_MAX + 1];

	o->user = name;
	if (mux_put_user(uri, name, "") == 0)
		return 0;
	return options_bad(flag, name, "is no name of a user");
}

/* Whoever is to be asked each time is not asked, and shares nothing. */
int
options_master(struct client_options *o, const char *flag, const char *value)
{
	static const struct {
		const char *word;
		bool makes;
	} words[] = { { "yes", true }, { "auto", true }, { "no", false },
		{ "ask", false }, { "autoask", false } };

	o->control.master_given = true;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (value == NULL || strcasecmp(value, words[i].word) == 0) {
			o->control.master = words[i].makes ? HUB_MAKE : HUB_NO;
			return 0;
		}
	return options_bad(flag, value, "yes, auto or no");
}

int
options_persist(struct client_options *o, const char *flag, const char *value)
{
	int seconds = -1;

	o->control.persist_given = true;
	if (strcasecmp(value, "yes") == 0)
		o->control.persist_ms = HUB_FOREVER;
	else if (strcasecmp(value, "no") == 0)
		o->control.persist_ms = 0;
	else if ((seconds = ssh_time(value)) >= 0)
		o->control.persist_ms =
		    seconds == 0 ? HUB_FOREVER : (int64_t)seconds * 1000;
	else
		return options_bad(flag, value,
		    "write a time like 10m or 1h, yes or no");
	return 0;
}

/* --- destinations --- */

static void
options_say_config(void *arg, bool fatal, const char *text)
{
	(void)arg;
	if (fatal)
		complain("%s", text);
}

/* A host's configuration tells where its control socket is. */
static int
options_from_configuration(struct client_options *o, struct keyctx *ctx)
{
	struct config_report report = { .say = options_say_config };
	struct config c;
	int r;

	if (config_defaults(&c) != 0)
		return EXIT_FAILED;
	r = config_read_file(&c, ctx, o->confpath, &report);
	if (r == 0 && (o->clinet = strdup(c.clinet)) == NULL)
		r = SKY_ERR_NOMEM;
	/* One that names none leaves it to whoever looks for it. */
	if (r == 0 && (c.given & CONFIG_CLIADDR) &&
	    (o->cliaddr = strdup(c.cliaddr)) == NULL)
		r = SKY_ERR_NOMEM;
	config_free(&c);
	if (r == 0 && o->cliaddr != NULL && *o->cliaddr == '\0') {
		complain("%s: that host has no control socket", o->confpath);
		r = SKY_ERR_NOTFOUND;
	}
	return r == 0 ? 0 : EXIT_USAGE;
}

static int
options_local(struct client_options *o, struct keyctx *ctx)
{
	int r;

	if (o->confpath != NULL &&
	    (r = options_from_configuration(o, ctx)) != 0)
		return r;
	if (o->clinet != NULL && strcmp(o->clinet, "unix") != 0)
		return options_bad("--clinet", o->clinet,
		    "only unix is spoken");
	o->dest = (struct dest){ .kind = DEST_LOCAL, .socket = o->cliaddr };
	return 0;
}

/* Whether the destination is one that --transport allows. */
static int
options_check_transport(struct client_options *o)
{
	if (o->dest.kind != DEST_TCP && o->transport == TRANSPORT_SKYNET)
		o->dest.skynet = true;
	else if (o->dest.skynet && o->transport != TRANSPORT_AUTO) {
		complain("skynet://: --transport says otherwise");
		return EXIT_USAGE;
	}
	if (o->dest.kind == DEST_DMSG && o->transport == TRANSPORT_TCP) {
		complain("--transport tcp: a key without an address is reached "
			 "over dmsg; add the address: <pk>@host[:port]");
		return EXIT_USAGE;
	}
	if (o->dest.kind == DEST_TCP &&
	    (o->transport == TRANSPORT_DMSG ||
		o->transport == TRANSPORT_SKYNET)) {
		complain("--transport dmsg: a key is found by itself; leave "
			 "out '@' and the address");
		return EXIT_USAGE;
	}
	return 0;
}

/* What the file says, where no flag has said otherwise. */
static int
options_apply(struct client_options *o, const struct host *h)
{
	int r = 0;

	if (o->identity == NULL && o->sk == NULL)
		o->identity = h->identity;
	if (h->user != NULL && o->user == NULL)
		r = options_user(o, "User", h->user);
	if (o->dmsgdisc == NULL)
		o->dmsgdisc = h->discovery;
	if (o->dmsg_servers == NULL)
		o->dmsg_servers = h->dmsg_servers;
	if (h->visor_key != NULL && !o->visor_key_given)
		o->visor_key = strcasecmp(h->visor_key, "yes") == 0;
	if (r == 0 && h->require_pq != NULL && !o->require_pq_given)
		r = options_require_pq(o, "RequirePQ", h->require_pq);
	if (h->identities_only != NULL)
		o->identities_only =
		    strcasecmp(h->identities_only, "yes") == 0 ||
		    strcasecmp(h->identities_only, "true") == 0;
	if (r == 0 && h->timeout != NULL && !o->timeout_given)
		r = options_timeout(o, "Timeout", h->timeout);
	if (r == 0 && h->escape != NULL && !o->escape_given)
		r = options_escape(o, "Escape", h->escape);
	if (r == 0 && h->control_master != NULL && !o->control.master_given)
		r = options_master(o, "ControlMaster", h->control_master);
	if (r == 0 && h->control_persist != NULL && !o->control.persist_given)
		r = options_persist(o, "ControlPersist", h->control_persist);
	if (o->control.path == NULL)
		o->control.path = h->control_path;
	if (r == 0 && h->obscure != NULL && !o->obscure_given)
		r = options_obscure(o, "ObscureKeystrokeTiming", h->obscure);
	return r == 0 ? forward_apply(&o->forward, h) : r;
}

/* The command that is the way there knows what the name leads to. */
static int
options_parse_proxy(struct client_options *o, const char *word)
{
	struct host *h = &o->alias;
	struct ssh_tokens t = { .host = word,
		.key_alias = word,
		.hostname = o->dest.host,
		.port = o->dest.port };
	char *command;

	if (h->proxy == NULL)
		return 0;
	if (o->dest.kind != DEST_TCP) {
		complain("%s: it has a ProxyCommand, and a Via that leads "
			 "there by dmsg",
		    word);
		return EXIT_USAGE;
	}
	if ((command = proxy_command(h->proxy, &t)) == NULL)
		return EXIT_USAGE;
	free(h->proxy);
	o->how.proxy = h->proxy = command;
	return 0;
}

/* The hosts to go by, or NULL. */
static const char *
options_jumps(const struct client_options *o)
{
	const char *list = o->forward.jump;

	if (list == NULL && o->how.proxy == NULL)
		list = o->alias.jump;
	return list == NULL || strcasecmp(list, JUMP_NONE) == 0 ? NULL : list;
}

static int
options_jump(struct client_options *o)
{
	struct host *h = &o->alias;
	const char *list = options_jumps(o);
	char *command;

	if (list == NULL)
		return 0;
	if (o->dest.kind != DEST_TCP) {
		complain(
		    "-J %s: the host at its end needs an address, as those "
		    "before it see it",
		    list);
		return EXIT_USAGE;
	}
	command = forward_jump(o, "shell", list, o->dest.host, o->dest.port);
	if (command == NULL)
		return EXIT_USAGE;
	free(h->proxy);
	o->how.proxy = h->proxy = command;
	return 0;
}

/*
 * "pk@address" out of the two, or the key alone, for dmsg to find.  For a
 * command the name itself is an address.
 */
static int
options_parse_alias(struct client_options *o, struct keyctx *ctx,
    const char *word)
{
	const struct host *h = &o->alias;
	const char *port = o->port != NULL ? o->port : h->port;
	const char *address = h->address;
	char *text;
	int r;

	if (h->via != NULL)
		r = dest_parse(&o->dest, ctx, h->via, port);
	else {
		if (address == NULL &&
		    (h->proxy != NULL || options_jumps(o) != NULL))
			address = word;
		if (asprintf(&text, "%s%s%s", h->key,
			address != NULL ? "@" : "",
			address != NULL ? address : "") == -1)
			return EXIT_FAILED;
		r = dest_parse(&o->dest, ctx, text, port);
		free(text);
	}
	return r == 0 ? options_parse_proxy(o, word) : r;
}

/* "user@" in front of a destination or a name of the file: 0, or EXIT_FAILED */
static int
options_word_user(struct client_options *o, const char **word)
{
	const char *at = strchr(*word, '@');
	struct host h;
	bool found = false;
	size_t n;
	int r;

	if (at == NULL || at == *word || strstr(*word, "://") != NULL)
		return 0;
	if (!dest_like(at + 1)) {
		if ((r = hosts_find(&h, o->hosts, at + 1, &found)) != 0)
			return r;
		hosts_free(&h);
		if (!found)
			return 0;
	}
	if ((n = (size_t)(at - *word)) >= sizeof(o->word_user))
		return options_bad("user@", *word, "is too long a name");
	memcpy(o->word_user, *word, n);
	o->word_user[n] = '\0';
	*word = at + 1;
	return o->user == NULL ? options_user(o, "user@", o->word_user) : 0;
}

int
options_find_dest(struct client_options *o, struct keyctx *ctx,
    const char *word, bool *found)
{
	int r;

	*found = true;
	if ((r = options_word_user(o, &word)) != 0)
		return r;
	hosts_free(&o->alias);
	if (dest_like(word)) {
		r = dest_parse(&o->dest, ctx, word, o->port);
		return r == 0 ? options_jump(o) : r;
	}
	if ((r = hosts_find(&o->alias, o->hosts, word, found)) != 0 || !*found)
		return r;
	if ((r = options_apply(o, &o->alias)) != 0 ||
	    (r = options_parse_alias(o, ctx, word)) != 0)
		return r;
	return options_jump(o);
}

int
options_dest(struct client_options *o, struct keyctx *ctx, const char *word)
{
	bool found;
	int r;

	if ((r = options_find_dest(o, ctx, word, &found)) != 0 || found)
		return r;
	complain("'%s' is neither a destination (<pk>@host[:port]) nor a name "
		 "in %s",
	    word, o->hosts != NULL ? o->hosts : "~/.config/skypty/config");
	return EXIT_USAGE;
}

/* The first word is the destination, unless exec finds that it is none. */
static int
options_first_word(struct client_options *o, struct keyctx *ctx,
    enum flags_style style, const char *command, int argc, char **argv,
    bool *dashes)
{
	struct host h;
	bool found;
	const char *word = argv[optind];
	bool command_follows =
	    optind + 1 < argc && strcmp(argv[optind + 1], "--") == 0;
	int r;

	if (style == STYLE_EXEC && !dest_like(word) && !command_follows) {
		/* A mistake in the file makes no word a command. */
		if ((r = hosts_find(&h, o->hosts, word, &found)) != 0)
			return r;
		hosts_free(&h);
		if (!found)
			return options_local(o, ctx);
	}
	o->word = word;
	optind++;
	/* Flags behind the destination are meant for it, too. */
	if ((r = flags_take(o, style, command, argc, argv, dashes)) != 0)
		return r;
	return options_dest(o, ctx, word);
}

/* As the original's: for all that is run there. */
static bool
options_env_requires_pq(void)
{
	const char *text = getenv("SKYWIRE_REQUIRE_PQ");

	return text != NULL && *text != '\0';
}

void
options_init(struct client_options *o)
{
	bool require_pq = options_env_requires_pq();

	*o = (struct client_options){ .timeout_ms = 30000,
		.status_fd = -1,
		.require_pq = require_pq,
		.require_pq_given = require_pq,
		.escape = '~',
		.obscure_ms = OBSCURE_MS,
		.remote_root = "/",
		.attr_ms = 1000,
		.entry_ms = 1000 };
}

int
options_parse(struct client_options *o, struct keyctx *ctx,
    enum flags_style style, const char *command, int argc, char **argv)
{
	bool dashes;
	int r;

	options_init(o);
	o->visor_key = strcmp(command, "shell") == 0 || style == STYLE_SFTP ||
	    style == STYLE_MOUNT || style == STYLE_SESSIONS ||
	    style == STYLE_ATTACH;
	if ((r = flags_take(o, style, command, argc, argv, &dashes)) != 0)
		return r;
	if (o->via != NULL && strncmp(o->via, "tcp://", 6) != 0)
		r = options_bad("--via", o->via, "write tcp://<pk>@host:port");
	else if (o->via != NULL)
		r = dest_parse(&o->dest, ctx, o->via, o->port);
	else if (o->addr != NULL)
		r = dest_parse(&o->dest, ctx, o->addr, o->port);
	else if (style == STYLE_KEY || style == STYLE_SOCKET ||
	    style == STYLE_STATUS || dashes || optind >= argc)
		r = options_local(o, ctx);
	else
		r = options_first_word(o, ctx, style, command, argc, argv,
		    &dashes);
	if (r == 0 && o->how.proxy == NULL)
		r = options_jump(o);
	o->command = argv + optind;
	if (r != 0 || (r = options_check_transport(o)) != 0)
		return r;
	if (o->dest.kind != DEST_LOCAL &&
	    (r = identity_offers(&o->agents, ctx, o)) != 0)
		return r;
	if (o->agents.n > 1)
		o->offer = &o->agents;
	if (o->no_pty && *o->command == NULL) {
		complain("--no-pty needs a command");
		return EXIT_USAGE;
	}
	return 0;
}
