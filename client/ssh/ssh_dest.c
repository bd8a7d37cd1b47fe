/* SPDX-License-Identifier: ISC */
/*
 * Where ssh's command line leads, and as whom.  ssh has a login name and a host
 * there, we need the host's public key, too: it stands in the place of the
 * login name or behind it, is the host itself, or comes out of the file of
 * names.
 */
#include "client/ssh/ssh_dest.h"
#include "client/complain.h"
#include "client/dest.h"
#include "client/exits.h"
#include "client/hosts.h"
#include "client/options.h"
#include "client/ssh/ssh_opts.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/addr.h"

/* --- the word --- */

/* "%40" in a URI is '@'; in place. */
static bool
ssh_decode(char *text)
{
	char digits[3] = "", *out = text, *end;
	long byte;

	for (; *text != '\0'; text++) {
		if (*text != '%') {
			*out++ = *text;
			continue;
		}
		strlcpy(digits, text + 1, sizeof(digits));
		byte = strtol(digits, &end, 16);
		if (end != digits + 2 || byte <= 0)
			return false;
		*out++ = (char)byte;
		text += 2;
	}
	*out = '\0';
	return true;
}

/* What stands before the '@'. */
static int
ssh_word_user(struct ssh_opts *o, char *user, bool uri)
{
	const char *at = strrchr(user, '@'), *key, *said;

	if (uri) {
		user[strcspn(user, ";")] = '\0'; /* as ssh does */
		if (!ssh_decode(user)) {
			complain("'%s': a bad %% in it", user);
			return EXIT_FAILED;
		}
		at = strrchr(user, '@');
	}
	if (*user == '\0') {
		complain("there is nothing before the '@'");
		return EXIT_FAILED;
	}
	key = at != NULL && ssh_is_key(at + 1) ? at + 1 :
	    ssh_is_key(user)		       ? user :
						 NULL;
	said = ssh_opts_text(o, SSH_KEY);
	if (key != NULL && said != NULL && strcasecmp(key, said) != 0) {
		complain("%s and '%s' name two hosts: a host has one key",
		    o->said[SSH_KEY].from, key);
		return EXIT_FAILED;
	}
	return ssh_opts_first(o, SSH_USER, user, "the destination");
}

/* As addr_split, with an empty port where there is none. */
static int
ssh_split_address(const char *text, char host[ADDR_HOST_MAX],
    char port[ADDR_PORT_MAX])
{
	char other[ADDR_PORT_MAX];
	int r;

	if ((r = addr_split(text, "1", host, other)) == 0)
		r = addr_split(text, "0", host, port);
	if (r == 0 && strcmp(port, other) != 0)
		*port = '\0';
	return r;
}

/* Takes the port off "host:port" and "[v6]:port", and brackets as well. */
static int
ssh_word_port(struct ssh_dest *d, struct ssh_opts *o, const char *text)
{
	char host[ADDR_HOST_MAX], port[ADDR_PORT_MAX], line[ADDR_PORT_MAX + 8];
	int r = 0;

	if (ssh_split_address(text, host, port) != 0) {
		complain("'%s' is not an address: host, host:port or "
			 "[v6]:port",
		    text);
		return EXIT_FAILED;
	}
	if (*port != '\0') {
		snprintf(line, sizeof(line), "Port %s", port);
		r = ssh_opts_line(o, line, d->word);
	}
	if (r == 0 && (d->host = strdup(host)) == NULL)
		r = EXIT_FAILED;
	return r != 0 ? r : ssh_check_host(d->host);
}

static int
ssh_split_word(struct ssh_dest *d, struct ssh_opts *o, char *text, bool uri)
{
	char *at, *slash;
	int r = 0;

	if ((at = strrchr(text, '@')) != NULL)
		*at = '\0';
	if (at != NULL && (r = ssh_word_user(o, text, uri)) != 0)
		return r;
	text = at != NULL ? at + 1 : text;
	if (uri && (slash = strchr(text, '/')) != NULL) {
		if (slash[1] != '\0') {
			complain("'%s': a path has no meaning here", d->word);
			return EXIT_FAILED;
		}
		*slash = '\0';
	}
	return ssh_word_port(d, o, text);
}

int
ssh_dest_word(struct ssh_dest *d, struct ssh_opts *o, const char *word)
{
	static const char *const schemes[] = { "tcp://", "dmsg://",
		"skynet://" };
	bool uri = strncmp(word, "ssh://", 6) == 0;
	const char *text = uri ? word + 6 : word;
	char *copy;
	size_t n;
	int r;

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		n = strlen(schemes[i]);
		if (strncmp(word, schemes[i], n) != 0)
			continue;
		if ((d->scheme = strdup(schemes[i])) == NULL)
			return EXIT_FAILED;
		text = word + n;
		uri = true;
	}
	if ((d->word = strdup(word)) == NULL || (copy = strdup(text)) == NULL)
		return EXIT_FAILED;
	r = ssh_split_word(d, o, copy, uri);
	free(copy);
	return r;
}

void
ssh_dest_free(struct ssh_dest *d)
{
	free(d->word);
	free(d->host);
	free(d->scheme);
	*d = (struct ssh_dest){ .word = NULL };
}

/* --- the file of names --- */

/* What the file says in our own words, behind what the arguments say. */
static int
ssh_take_host(struct ssh_opts *o, const struct host *h)
{
	static const struct {
		enum ssh_name name;
		size_t offset;
		const char *keyword;
	} same[] = {
		{ SSH_PORT, offsetof(struct host, port), "Port" },
		{ SSH_ESCAPE, offsetof(struct host, escape), "EscapeChar" },
		{ SSH_OBSCURE, offsetof(struct host, obscure),
		    "ObscureKeystrokeTiming" },
		{ SSH_DISCOVERY, offsetof(struct host, discovery),
		    "Discovery" },
		{ SSH_DMSG_SERVERS, offsetof(struct host, dmsg_servers),
		    "DmsgServers" },
		{ SSH_IDENTITIES_ONLY, offsetof(struct host, identities_only),
		    "IdentitiesOnly" },
		{ SSH_VISOR_KEY, offsetof(struct host, visor_key), "VisorKey" },
		{ SSH_REQUIRE_PQ, offsetof(struct host, require_pq),
		    "RequirePQ" },
	};
	char host[ADDR_HOST_MAX], port[ADDR_PORT_MAX], *line, *word;
	const char *text;
	int r = 0;

	/* An address with a port counts more than Port. */
	if (h->address != NULL &&
	    ssh_split_address(h->address, host, port) == 0 && *port != '\0')
		r = ssh_opts_first(o, SSH_PORT, port, "Address");
	for (size_t i = 0; r == 0 && i < sizeof(same) / sizeof(same[0]); i++) {
		text = *(char *const *)(const void *)((const char *)h +
		    same[i].offset);
		if (text == NULL)
			continue;
		line = NULL;
		if ((word = ssh_quoted(text)) == NULL ||
		    asprintf(&line, "%s %s", same[i].keyword, word) == -1)
			r = EXIT_FAILED;
		else
			r = ssh_opts_line(o, line, "the file of names");
		free(word);
		free(line);
	}
	return r;
}

static int
ssh_read_names(const struct ssh_dest *d, struct ssh_opts *o,
    struct client_options *to)
{
	bool found;

	if (o->config != NULL && strcasecmp(o->config, "none") == 0)
		return 0;
	to->hosts = o->config;
	if (hosts_find_ssh(&to->alias, to->hosts, d->host, o, &found) != 0)
		return EXIT_FAILED;
	return ssh_take_host(o, &to->alias);
}

/* --- where to --- */

static int
ssh_no_key(const struct ssh_dest *d, const struct ssh_opts *o)
{
	complain("'%s': the host's public key is not known; write "
		 "[user@]<pk>@host, or give the name a Key in %s",
	    d->word, o->config != NULL ? o->config : "~/.config/skypty/config");
	return EXIT_FAILED;
}

/* The address: what HostName says, or the file, or the word; NULL for none. */
static int
ssh_address(const struct ssh_dest *d, const struct ssh_opts *o,
    const struct host *h, char **address)
{
	const char *key = ssh_opts_text(o, SSH_KEY);
	const char *said = ssh_opts_text(o, SSH_HOSTNAME);
	const char *text = h->address != NULL ? h->address : d->host;
	struct ssh_tokens t = { .host = d->host, .hostname = d->host };

	*address = NULL;
	if (said == NULL && h->address == NULL && ssh_opts_proxy(o) == NULL &&
	    ssh_opts_jump(o) == NULL &&
	    (strcasecmp(d->host, key) == 0 ||
		(h->key != NULL && strcmp(h->key, key) == 0 &&
		    strcmp(o->said[SSH_KEY].from, "Key") == 0)))
		return 0;
	/* In the word itself and in the file a % is that of a link's name. */
	*address = said != NULL ? ssh_expand(said, "%h", &t, "HostName") :
				  strdup(text);
	if (*address == NULL)
		return EXIT_FAILED;
	return ssh_check_host(*address);
}

/* "pk@[host]:port", or "pk:port" for a key that is found by itself. */
static int
ssh_compose(const struct ssh_dest *d, const struct ssh_opts *o,
    const char *address, char **text)
{
	char host[ADDR_HOST_MAX], port[ADDR_PORT_MAX];
	const char *key = ssh_opts_text(o, SSH_KEY);
	const char *said = ssh_opts_text(o, SSH_PORT);
	const char *scheme = d->scheme != NULL ? d->scheme : "";
	int n;

	if (address == NULL)
		n = asprintf(text, "%s%s%s%s", scheme, key,
		    said != NULL ? ":" : "", said != NULL ? said : "");
	else if (addr_split(address, DEFAULT_PORT, host, port) != 0 ||
	    *host == '\0') {
		complain("'%s' is not an address: host, host:port or "
			 "[v6]:port",
		    address);
		return EXIT_FAILED;
	} else
		n = asprintf(text, "%s%s@%s%s%s:%s", scheme, key,
		    strchr(host, ':') != NULL ? "[" : "", host,
		    strchr(host, ':') != NULL ? "]" : "",
		    said != NULL ? said : port);
	return n == -1 ? EXIT_FAILED : 0;
}

/* Via is a whole destination, of which port and address may be said anew. */
static int
ssh_via(struct ssh_opts *o, struct client_options *to, struct keyctx *ctx)
{
	const char *port = ssh_opts_text(o, SSH_PORT);
	const char *hostname = ssh_opts_text(o, SSH_HOSTNAME);

	if (dest_parse(&to->dest, ctx, to->alias.via, port) != 0)
		return EXIT_FAILED;
	if (to->dest.kind == DEST_TCP && port != NULL)
		strlcpy(to->dest.port, port, sizeof(to->dest.port));
	if (to->dest.kind == DEST_DMSG && ssh_opts_proxy(o) != NULL) {
		complain("ProxyCommand: the name has a Via in the file, which "
			 "leads there by dmsg");
		return EXIT_FAILED;
	}
	if (hostname == NULL)
		return 0;
	complain("HostName: the name has a Via in the file, which is a whole "
		 "destination");
	return EXIT_FAILED;
}

int
ssh_dest_find(struct ssh_dest *d, struct ssh_opts *o, struct client_options *to,
    struct keyctx *ctx)
{
	char *address = NULL, *text = NULL;
	int r;

	if ((r = ssh_read_names(d, o, to)) != 0)
		return r;
	if (ssh_is_key(d->host))
		r = ssh_opts_first(o, SSH_KEY, d->host, "the destination");
	if (r == 0 && ssh_opts_text(o, SSH_USER) != NULL)
		r = ssh_check_login(ssh_opts_text(o, SSH_USER));
	if (r != 0)
		return r;
	if (ssh_opts_text(o, SSH_KEY) == NULL && to->alias.via != NULL)
		return ssh_via(o, to, ctx);
	if (to->alias.key != NULL)
		r = ssh_opts_first(o, SSH_KEY, to->alias.key, "Key");
	if (r == 0 && ssh_opts_text(o, SSH_KEY) == NULL)
		return ssh_no_key(d, o);
	if (r == 0 && (r = ssh_address(d, o, &to->alias, &address)) == 0 &&
	    (r = ssh_compose(d, o, address, &text)) == 0)
		r = dest_parse(&to->dest, ctx, text, NULL) == 0 ? 0 :
								  EXIT_FAILED;
	free(address);
	free(text);
	return r;
}

void
ssh_dest_tokens(const struct ssh_dest *d, const struct ssh_opts *o,
    const struct client_options *to, struct ssh_tokens *t)
{
	const char *login = ssh_opts_text(o, SSH_USER);
	const char *alias = ssh_opts_text(o, SSH_HOST_KEY_ALIAS);

	*t = (struct ssh_tokens){ .host = d->host,
		.hostname = to->dest.kind == DEST_TCP ? to->dest.host : d->host,
		.port = to->dest.kind == DEST_TCP ? to->dest.port : DMSG_PORT,
		.key_alias = alias != NULL ? alias : d->host,
		.login = login };
}
