/* SPDX-License-Identifier: ISC */
/* Flags of the commands that connect.  PROTOCOL.pty 11.4, 11.5, 11.7. */
#include "client/options.h"
#include "client/complain.h"
#include "client/dest.h"
#include "client/duration.h"
#include "client/exits.h"
#include "client/hosts.h"
#include "client/proxy.h"
#include "client/ssh/ssh_opts.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/usage.h"
#include "common/privsep/config.h"

enum {
	OPT_VISOR_KEY = 256,
	OPT_NO_VISOR_KEY,
	OPT_NO_PTY,
	OPT_NO_STDIN,
	OPT_TRANSPORT,
	OPT_VIA,
	OPT_CONFPATH,
	OPT_ESCAPE,
	OPT_STANDALONE,
	OPT_ADDR,
	OPT_DMSGDISC,
	OPT_DMSG_SERVERS,
	OPT_RPC,
	OPT_IGNORED
};

/* What has a meaning for which commands; others do not know it. */
#define CONNECT (1 << STYLE_SHELL | 1 << STYLE_EXEC | 1 << STYLE_FILES)
#define COMMAND (1 << STYLE_SHELL | 1 << STYLE_EXEC)
#define KEYS	(CONNECT | 1 << STYLE_KEY)
#define SOCKET	(CONNECT | 1 << STYLE_SOCKET)
#define HOST	(COMMAND | 1 << STYLE_SOCKET)

/* clang-format off */
static const struct options_flag {
	struct option option;
	unsigned styles; /* 1 << enum command_style, or'ed */
} all_flags[] = {
	{ { "sk", required_argument, NULL, 's' }, KEYS },
	{ { "identity", required_argument, NULL, 'i' }, KEYS },
	{ { "visor-key", optional_argument, NULL, OPT_VISOR_KEY }, KEYS },
	{ { "via-visor", optional_argument, NULL, OPT_VISOR_KEY }, KEYS },
	{ { "no-visor-key", no_argument, NULL, OPT_NO_VISOR_KEY }, KEYS },
	{ { "env", required_argument, NULL, 'e' }, COMMAND },
	{ { "timeout", required_argument, NULL, 't' }, COMMAND },
	{ { "no-pty", no_argument, NULL, OPT_NO_PTY }, COMMAND },
	{ { "no-stdin", no_argument, NULL, OPT_NO_STDIN }, COMMAND },
	{ { "port", required_argument, NULL, 'p' }, CONNECT },
	{ { "transport", required_argument, NULL, OPT_TRANSPORT }, CONNECT },
	{ { "scheme", required_argument, NULL, OPT_TRANSPORT }, CONNECT },
	{ { "via", required_argument, NULL, OPT_VIA }, CONNECT },
	{ { "clinet", required_argument, NULL, 'n' }, HOST },
	{ { "cliaddr", required_argument, NULL, 'r' }, SOCKET },
	{ { "confpath", required_argument, NULL, OPT_CONFPATH }, HOST },
	{ { "cmd", required_argument, NULL, 'c' }, COMMAND },
	{ { "args", required_argument, NULL, 'a' }, COMMAND },
	{ { "addr", required_argument, NULL, OPT_ADDR }, CONNECT },
	{ { "dmsgdisc", required_argument, NULL, OPT_DMSGDISC }, CONNECT },
	{ { "dmsg-servers", required_argument, NULL, OPT_DMSG_SERVERS }, CONNECT },
	{ { "escape", required_argument, NULL, OPT_ESCAPE }, COMMAND },
	{ { "standalone", no_argument, NULL, OPT_STANDALONE }, CONNECT },
	{ { "rpc", required_argument, NULL, OPT_RPC }, CONNECT },
	{ { "config", required_argument, NULL, 'F' }, CONNECT },
	{ { "quiet", no_argument, NULL, 'q' }, KEYS },
	{ { "verbose", no_argument, NULL, 'v' }, KEYS },
};
/* clang-format on */

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define OWN_MAX	  16
#define SHORT_MAX 64

static int
options_bad(const char *flag, const char *value, const char *why)
{
	complain("%s %s: %s", flag, value, why);
	return EXIT_USAGE;
}

static int
options_add_env(struct client_options *o, const char *entry)
{
	if (strchr(entry, '=') == NULL || *entry == '=')
		return options_bad("--env", entry, "write NAME=VALUE");
	if (o->nenv == ENV_MAX)
		return options_bad("--env", entry, "too many of them");
	o->env[o->nenv++] = entry;
	return 0;
}

static int
options_set_timeout(struct client_options *o, const char *text)
{
	o->timeout_given = true;
	if ((o->timeout_ms = duration_ms(text)) >= 0)
		return 0;
	return options_bad("--timeout", text,
	    "write a time like 30s, 5m or 1m30s; 0 is none");
}

static int
options_set_transport(struct client_options *o, const char *text)
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
		return options_bad("--transport", text,
		    "there are auto, tcp, dmsg and skynet");
	return 0;
}

static int
options_set_visor_key(struct client_options *o, const char *value)
{
	o->visor_key = o->visor_key_given = true;
	if (value == NULL || strcmp(value, "true") == 0)
		return 0;
	o->visor_key = false;
	if (strcmp(value, "false") == 0)
		return 0;
	return options_bad("--visor-key", value, "true or false");
}

static int
options_set_escape(struct client_options *o, const char *text)
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
		return options_bad("--escape", text,
		    "one character, ^ and a letter for a control one, or none");
	return 0;
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

/* Where an option's text is kept as it is. */
static const char **
options_text_of(struct client_options *o, int opt)
{
	switch (opt) {
	case 's':
		return &o->sk;
	case 'i':
		return &o->identity;
	case 'n':
		return &o->clinet;
	case 'r':
		return &o->cliaddr;
	case 'F':
		return &o->hosts;
	case 'c':
		return &o->cmd;
	case 'a':
		return &o->args;
	case OPT_VIA:
		return &o->via;
	case OPT_CONFPATH:
		return &o->confpath;
	case OPT_ADDR:
		return &o->addr;
	case OPT_DMSGDISC:
		return &o->dmsgdisc;
	case OPT_DMSG_SERVERS:
		return &o->dmsg_servers;
	case OPT_RPC:
		return &o->rpc;
	}
	return NULL;
}

static int
options_set_flag(struct client_options *o, int opt)
{
	switch (opt) {
	case OPT_NO_VISOR_KEY:
		o->visor_key_given = true;
		o->visor_key = false;
		return 0;
	case OPT_NO_PTY:
		o->no_pty = true;
		return 0;
	case OPT_NO_STDIN:
		o->no_stdin = true;
		return 0;
	case 'q':
		o->quiet = true;
		return 0;
	case 'v':
		o->verbose = true;
		return 0;
	case OPT_IGNORED:
		return 0;
	case OPT_STANDALONE:
		o->standalone = true;
		o->transport = TRANSPORT_DMSG;
		return 0;
	}
	return EXIT_USAGE;
}

static int
options_flag(struct client_options *o, int opt)
{
	const char **text;

	if ((text = options_text_of(o, opt)) != NULL) {
		*text = optarg;
		return 0;
	}
	switch (opt) {
	case 'p':
		return options_port(o, "-p", optarg);
	case 'e':
		return options_add_env(o, optarg);
	case 't':
		return options_set_timeout(o, optarg);
	case OPT_TRANSPORT:
		return options_set_transport(o, optarg);
	case OPT_VISOR_KEY:
		return options_set_visor_key(o, optarg);
	case OPT_ESCAPE:
		return options_set_escape(o, optarg);
	}
	return options_set_flag(o, opt);
}

int
options_unknown(const char *command, int opt, const char *word,
    const struct option *list)
{
	char text[USAGE_TEXT_MAX];

	usage_explain(text, opt, word, list);
	if (strchr(text, '?') != NULL)
		complain("%s", text);
	else
		complain("%s; 'skypty help %s' lists them", text, command);
	return EXIT_USAGE;
}

/* Those of a command, its own among them; end is the list's. */
struct options_flags {
	struct option list[LENGTH(all_flags) + OWN_MAX + 1];
	char letters[SHORT_MAX];
	const char *command; /* that help tells of */
	options_taker *own;
};

static void
options_flags_add(struct options_flags *f, size_t n,
    const struct option *option)
{
	char text[] = { (char)option->val, ':', '\0' };

	f->list[n] = *option;
	/* Of two names of one letter the second adds nothing. */
	if (option->val > UINT8_MAX || strchr(f->letters, option->val) != NULL)
		return;
	if (option->has_arg != required_argument)
		text[1] = '\0';
	(void)strlcat(f->letters, text, sizeof(f->letters));
}

static void
options_flags_init(struct options_flags *f, const char *command,
    enum command_style style)
{
	size_t n = 0;

	memset(f, 0, sizeof(*f));
	f->command = command;
	(void)strlcpy(f->letters, "+:", sizeof(f->letters));
	for (size_t i = 0; i < LENGTH(all_flags); i++)
		if (all_flags[i].styles >> style & 1)
			options_flags_add(f, n++, &all_flags[i].option);
}

static void
options_flags_own(struct options_flags *f, const struct option *own,
    options_taker *take_own)
{
	size_t n = 0;

	while (f->list[n].name != NULL)
		n++;
	f->own = take_own;
	for (size_t i = 0; own[i].name != NULL && i < OWN_MAX; i++)
		f->list[n + i] = own[i];
}

/* Flags up to the next word that is none.  *dashes: "--" came first. */
static int
options_take_flags(struct client_options *o, const struct options_flags *f,
    int argc, char **argv, bool *dashes)
{
	int before, word, opt, r;

	*dashes = false;
	opterr = 0;
	word = before = optind;
	for (;; word = optind) {
		opt = getopt_long(argc, argv, f->letters, f->list, NULL);
		if (opt == -1)
			break;
		if (opt == '?' || opt == ':')
			return options_unknown(f->command, opt, argv[word],
			    f->list);
		if (f->own == NULL || f->own(opt, &r) == 0)
			r = options_flag(o, opt);
		if (r != 0)
			return r;
	}
	*dashes = optind > before && strcmp(argv[optind - 1], "--") == 0;
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

static int
options_via(struct client_options *o, struct keyctx *ctx)
{
	if (strncmp(o->via, "tcp://", 6) != 0)
		return options_bad("--via", o->via,
		    "write tcp://<pk>@host:port");
	return dest_parse(&o->dest, ctx, o->via, o->port);
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
	if (o->dmsgdisc == NULL)
		o->dmsgdisc = h->discovery;
	if (o->dmsg_servers == NULL)
		o->dmsg_servers = h->dmsg_servers;
	if (h->visor_key != NULL && !o->visor_key_given)
		o->visor_key = strcasecmp(h->visor_key, "yes") == 0;
	if (h->timeout != NULL && !o->timeout_given)
		r = options_set_timeout(o, h->timeout);
	if (r == 0 && h->escape != NULL && !o->escape_given)
		r = options_set_escape(o, h->escape);
	return r;
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
		if (address == NULL && h->proxy != NULL)
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

int
options_dest(struct client_options *o, struct keyctx *ctx, const char *word)
{
	int r;

	if (dest_like(word))
		return dest_parse(&o->dest, ctx, word, o->port);
	hosts_free(&o->alias);
	if ((r = hosts_find(&o->alias, o->hosts, word)) == 0) {
		complain("'%s' is neither a destination (<pk>@host[:port]) "
			 "nor a name in %s",
		    word,
		    o->hosts != NULL ? o->hosts : "~/.config/skypty/config");
		return EXIT_USAGE;
	}
	if (r != 1 || (r = options_apply(o, &o->alias)) != 0)
		return r;
	return options_parse_alias(o, ctx, word);
}

/* 1, 0, or EXIT_USAGE: a mistake in the file makes no word a command. */
static int
options_is_alias(const struct client_options *o, const char *word)
{
	struct host h;
	int r = hosts_find(&h, o->hosts, word);

	hosts_free(&h);
	return r;
}

/* The first word is the destination, unless exec finds that it is none. */
static int
options_first_word(struct client_options *o, struct keyctx *ctx,
    const struct options_flags *f, enum command_style style, int argc,
    char **argv, bool *dashes)
{
	const char *word = argv[optind];
	bool command_follows =
	    optind + 1 < argc && strcmp(argv[optind + 1], "--") == 0;
	int r;

	if (style == STYLE_EXEC && !dest_like(word) && !command_follows) {
		if ((r = options_is_alias(o, word)) == 0)
			return options_local(o, ctx);
		if (r != 1)
			return r;
	}
	optind++;
	/* Flags behind the destination are meant for it, too. */
	if ((r = options_take_flags(o, f, argc, argv, dashes)) != 0)
		return r;
	return options_dest(o, ctx, word);
}

void
options_init(struct client_options *o)
{
	*o = (struct client_options){ .timeout_ms = 30000, .escape = '~' };
}

static int
options_read(struct client_options *o, struct keyctx *ctx,
    const struct options_flags *f, enum command_style style, int argc,
    char **argv)
{
	bool dashes;
	int r;

	options_init(o);
	o->visor_key = strcmp(argv[0], "shell") == 0 || style == STYLE_FILES;
	if ((r = options_take_flags(o, f, argc, argv, &dashes)) != 0)
		return r;
	if (o->via != NULL)
		r = options_via(o, ctx);
	else if (o->addr != NULL)
		r = dest_parse(&o->dest, ctx, o->addr, o->port);
	else if (style == STYLE_KEY || style == STYLE_SOCKET || dashes ||
	    optind >= argc)
		r = options_local(o, ctx);
	else
		r = options_first_word(o, ctx, f, style, argc, argv, &dashes);
	o->command = argv + optind;
	if (r != 0 || (r = options_check_transport(o)) != 0)
		return r;
	if (o->no_pty && *o->command == NULL) {
		complain("--no-pty needs a command");
		return EXIT_USAGE;
	}
	return 0;
}

int
options_parse(struct client_options *o, struct keyctx *ctx,
    enum command_style style, int argc, char **argv)
{
	struct options_flags f;

	options_flags_init(&f, argv[0], style);
	return options_read(o, ctx, &f, style, argc, argv);
}

int
options_parse_more(struct client_options *o, struct keyctx *ctx,
    const struct options_command *of, int argc, char **argv)
{
	struct options_flags f;

	options_flags_init(&f, of->name, of->style);
	options_flags_own(&f, of->flags, of->take);
	return options_read(o, ctx, &f, of->style, argc, argv);
}
