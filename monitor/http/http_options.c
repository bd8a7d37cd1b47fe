/* SPDX-License-Identifier: ISC */
/* The command line of skyptyd http. */
#include "monitor/http/http_monitor.h"

#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/base/addr.h"
#include "common/base/visible.h"

#define SESSION_S (12 * 3600)
#define SHELL	  "/bin/bash" /* the original's */
#define CLIENTS	  16
#define TITLE_MAX 256 /* bytes */
#define WORD_MAX  32  /* of a command, or of a header field */

enum {
	OPT_ADDR = 256,
	OPT_UNIX,
	OPT_UNIX_GROUP,
	OPT_HNET,
	OPT_HADDR,
	OPT_CMD,
	OPT_ARG,
	OPT_COMMANDS,
	OPT_ORIGIN,
	OPT_NO_AUTH,
	OPT_I_KNOW,
	OPT_TLS_CERT,
	OPT_TLS_KEY,
	OPT_AUTH_HEADER,
	OPT_READONLY,
	OPT_MAX_CLIENTS,
	OPT_ONCE,
	OPT_IDLE,
	OPT_SESSION_TTL,
	OPT_BASE,
	OPT_TITLE,
	OPT_TOKEN_FILE,
	OPT_USER,
	OPT_BEST_EFFORT
};

static const struct option longopts[] = {
	{ "addr", required_argument, NULL, OPT_ADDR },
	{ "unix", required_argument, NULL, OPT_UNIX },
	{ "unix-group", required_argument, NULL, OPT_UNIX_GROUP },
	{ "hnet", required_argument, NULL, OPT_HNET },
	{ "haddr", required_argument, NULL, OPT_HADDR },
	{ "cmd", required_argument, NULL, OPT_CMD },
	{ "arg", required_argument, NULL, OPT_ARG },
	{ "commands", required_argument, NULL, OPT_COMMANDS },
	{ "origin", required_argument, NULL, OPT_ORIGIN },
	{ "no-auth", no_argument, NULL, OPT_NO_AUTH },
	{ "i-know", no_argument, NULL, OPT_I_KNOW },
	{ "tls-cert", required_argument, NULL, OPT_TLS_CERT },
	{ "tls-key", required_argument, NULL, OPT_TLS_KEY },
	{ "auth-header", required_argument, NULL, OPT_AUTH_HEADER },
	{ "readonly", no_argument, NULL, OPT_READONLY },
	{ "max-clients", required_argument, NULL, OPT_MAX_CLIENTS },
	{ "once", no_argument, NULL, OPT_ONCE },
	{ "idle-timeout", required_argument, NULL, OPT_IDLE },
	{ "session-ttl", required_argument, NULL, OPT_SESSION_TTL },
	{ "base-path", required_argument, NULL, OPT_BASE },
	{ "title", required_argument, NULL, OPT_TITLE },
	{ "token-file", required_argument, NULL, OPT_TOKEN_FILE },
	{ "user", required_argument, NULL, OPT_USER },
	{ "sandbox-best-effort", no_argument, NULL, OPT_BEST_EFFORT },
	{ "verbose", no_argument, NULL, 'v' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static const char usage[] =
    "usage: skyptyd http [--addr ADDR | --unix PATH] [--haddr PATH] [options]\n"
    "\n"
    "A terminal in the browser, on a host's control socket.\n"
    "  --addr ADDR            where to listen (127.0.0.1:8080)\n"
    "  --unix PATH            a socket of mode 0600, for a proxy\n"
    "  --unix-group GROUP     of mode 0660, for this group\n"
    "  --hnet unix|tcp, --haddr ADDR\n"
    "                         the host (its control socket)\n"
    "  --cmd SHELL, --arg WORD\n"
    "                         what to start (/bin/bash); --arg repeatable\n"
    "  --commands NAME=TEXT   what ?commands=NAME types; repeatable\n"
    "  --tls-cert FILE, --tls-key FILE\n"
    "                         https\n"
    "  --origin URL           another name that it goes by; repeatable\n"
    "  --auth-header NAME     who it is says the proxy in front of it\n"
    "  --no-auth              nobody is asked for anything\n"
    "  --i-know               not refused where others can reach it\n"
    "  --readonly             look, type nothing\n"
    "  --max-clients N        at once (16)\n"
    "  --once                 serve one terminal and end\n"
    "  --idle-timeout TIME    end terminals that nobody types in (never)\n"
    "  --session-ttl TIME     how long a browser stays let in (12h)\n"
    "  --base-path PATH       in front of all addresses (/)\n"
    "  --title TEXT           of the page (the host's name)\n"
    "  --token-file FILE      write the link there, mode 0600, not to\n"
    "                         standard output\n"
    "  --user NAME            what the confined process runs as (_skypty)\n"
    "  --sandbox-best-effort  go on when it cannot be confined in full\n"
    "  -v, --verbose, -q, --quiet\n"
    "\n"
    "SIGUSR1 makes it print a new link.  skyptyd-http(8) tells more.\n";

static int
http_options_bad(const char *flag, const char *value, const char *why)
{
	visible_line(stderr, "skyptyd: %s %s: %s", flag, value, why);
	return EXIT_USAGE;
}

static int
http_options_set_text(char **text, const char *value)
{
	free(*text);
	return (*text = strdup(value)) != NULL ? 0 : EXIT_OS;
}

static int
http_options_add_word(struct http_list *l, const char *flag, const char *word)
{
	if (http_list_add(l, word) == 0)
		return 0;
	return http_options_bad(flag, word, "too many of them, or too long");
}

/* 90, 90s, 15m, 12h. */
static int
set_time(uint32_t *seconds, const char *flag, const char *text)
{
	const char *problem;
	char number[16];
	size_t n = strcspn(text, "smh");
	unsigned unit = text[n] == 'h' ? 3600 : text[n] == 'm' ? 60 : 1;
	long long v;

	if (n >= sizeof(number) || (text[n] != '\0' && text[n + 1] != '\0'))
		return http_options_bad(flag, text,
		    "write a time like 90s, 15m or 12h");
	memcpy(number, text, n);
	number[n] = '\0';
	v = strtonum(number, 0, 366 * 24, &problem);
	if (problem != NULL && unit == 1)
		v = strtonum(number, 0, INT32_MAX, &problem);
	if (problem != NULL)
		return http_options_bad(flag, text,
		    "write a time like 90s, 15m or 12h");
	*seconds = (uint32_t)(v * unit);
	return 0;
}

/* "/", or with a slash at both ends. */
static int
set_base(struct http_conf *c, const char *path)
{
	char base[256];
	size_t n;

	while (*path == '/')
		path++;
	n = (size_t)snprintf(base, sizeof(base), "/%s", path);
	if (n >= sizeof(base) - 1 ||
	    strspn(base,
		"/-._~0123456789abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ") != n)
		return http_options_bad("--base-path", path,
		    "letters, digits and / - . _ ~");
	while (n > 1 && base[n - 1] == '/')
		base[--n] = '\0';
	if (n > 1)
		strlcat(base, "/", sizeof(base));
	return http_options_set_text(&c->base, base);
}

static void
cut_default_port(char *origin)
{
	const char *own = strncmp(origin, "https", 5) == 0 ? ":443" : ":80";
	size_t n = strlen(origin), m = strlen(own);

	if (n > m && strcmp(origin + n - m, own) == 0)
		origin[n - m] = '\0';
}

static int
set_title(struct http_conf *c, const char *text)
{
	if (strlen(text) > TITLE_MAX)
		return http_options_bad("--title", text, "too long");
	return http_options_set_text(&c->title, text);
}

/* Names stand in an address, in a list with commas. */
static int
add_command(struct http_conf *c, const char *text)
{
	size_t n = strcspn(text, "=");

	if (text[n] == '\0' || n == 0 || n > WORD_MAX ||
	    strspn(text,
		"-._0123456789abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ") != n)
		return http_options_bad("--commands", text,
		    "write NAME=TEXT, the name of letters, digits, - . _");
	return http_options_add_word(&c->commands, "--commands", text);
}

/* As a browser says it: no path, no default port. */
static int
add_origin(struct http_conf *c, const char *text)
{
	const char *host = strstr(text, "://");
	char origin[512];

	if ((strncmp(text, "http://", 7) != 0 &&
		strncmp(text, "https://", 8) != 0) ||
	    host == NULL || host[3] == '\0' ||
	    strlcpy(origin, text, sizeof(origin)) >= sizeof(origin))
		return http_options_bad("--origin", text,
		    "write https://name[:port]");
	origin[(size_t)(host - text) + 3 + strcspn(host + 3, "/")] = '\0';
	cut_default_port(origin);
	return http_options_add_word(&c->origins, "--origin", origin);
}

/*
 * A field that browsers send themselves, or that says nothing of who somebody
 * is, would let everybody in or nobody.
 */
static bool
names_nobody(const char *name)
{
	static const char *const common[] = { "accept", "authorization",
		"connection", "content-length", "content-type", "cookie",
		"date", "forwarded", "from", "host", "origin",
		"proxy-authorization", "referer", "te", "transfer-encoding",
		"upgrade", "user-agent", "via", "x-auth-token",
		"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
		"x-real-ip" };

	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		if (strcasecmp(name, common[i]) == 0)
			return true;
	return strncasecmp(name, "accept-", 7) == 0 ||
	    strncasecmp(name, "if-", 3) == 0 ||
	    strncasecmp(name, "sec-", 4) == 0;
}

static int
set_header(struct http_conf *c, const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n > WORD_MAX ||
	    strspn(name,
		"-0123456789abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ") != n)
		return http_options_bad("--auth-header", name,
		    "the name of a header field, like X-User");
	if (names_nobody(name))
		return http_options_bad("--auth-header", name,
		    "a field that the proxy makes for this and takes out of "
		    "what comes from others, like X-Forwarded-User");
	return http_options_set_text(&c->auth_header, name);
}

static int
set_group(struct http_options *o, const char *name)
{
	const struct group *gr = getgrnam(name);

	if (gr == NULL)
		return http_options_bad("--unix-group", name,
		    "there is no such group");
	o->group = gr->gr_gid;
	return 0;
}

static int
http_options_take_text(struct http_options *o, int opt)
{
	struct http_conf *c = &o->conf;

	switch (opt) {
	case OPT_ADDR:
		o->addr = optarg;
		return 0;
	case OPT_UNIX:
		o->path = optarg;
		return 0;
	case OPT_UNIX_GROUP:
		return set_group(o, optarg);
	case OPT_HNET:
		o->hnet = optarg;
		return 0;
	case OPT_HADDR:
		o->haddr = optarg;
		return 0;
	case OPT_TOKEN_FILE:
		o->token_file = optarg;
		return 0;
	case OPT_USER:
		o->user = optarg;
		return 0;
	case OPT_CMD:
		return http_options_set_text(&c->cmd, optarg);
	case OPT_TLS_CERT:
		return http_options_set_text(&c->cert, optarg);
	case OPT_TLS_KEY:
		return http_options_set_text(&c->key, optarg);
	case OPT_AUTH_HEADER:
		return set_header(c, optarg);
	case OPT_TITLE:
		return set_title(c, optarg);
	case OPT_BASE:
		return set_base(c, optarg);
	}
	return EXIT_USAGE;
}

static int
http_options_take_number(struct http_options *o, int opt)
{
	struct http_conf *c = &o->conf;
	const char *problem;

	switch (opt) {
	case OPT_IDLE:
		return set_time(&c->idle_s, "--idle-timeout", optarg);
	case OPT_SESSION_TTL:
		return set_time(&c->session_s, "--session-ttl", optarg);
	case OPT_MAX_CLIENTS:
		c->max_clients =
		    (uint32_t)strtonum(optarg, 1, HTTP_CLIENTS_MAX, &problem);
		return problem == NULL ?
		    0 :
		    http_options_bad("--max-clients", optarg, problem);
	}
	return http_options_take_text(o, opt);
}

static int
http_options_take(struct http_options *o, int opt)
{
	struct http_conf *c = &o->conf;

	switch (opt) {
	case OPT_NO_AUTH:
		c->no_auth = true;
		return 0;
	case OPT_I_KNOW:
		o->i_know = true;
		return 0;
	case OPT_READONLY:
		c->readonly = true;
		return 0;
	case OPT_ONCE:
		c->once = true;
		return 0;
	case OPT_BEST_EFFORT:
		c->best_effort = true;
		return 0;
	case 'v':
		o->verbose = true;
		return 0;
	case 'q':
		o->quiet = true;
		return 0;
	case OPT_ARG:
		return http_options_add_word(&c->arg, "--arg", optarg);
	case OPT_ORIGIN:
		return add_origin(c, optarg);
	case OPT_COMMANDS:
		return add_command(c, optarg);
	}
	return http_options_take_number(o, opt);
}

/* What waiting would not cure fails at once. */
static int
check_addresses(const struct http_options *o)
{
	char host[ADDR_HOST_MAX], port[ADDR_PORT_MAX];
	char *copy, *rest, *addr;
	const char *problem;
	int r = 0;

	if (strcmp(o->hnet, "tcp") == 0 &&
	    addr_split(o->haddr, NULL, host, port) != 0)
		return http_options_bad("--haddr", o->haddr,
		    "write HOST:PORT or [V6]:PORT");
	if (o->addr == NULL)
		return 0;
	if ((copy = rest = strdup(o->addr)) == NULL)
		return EXIT_OS;
	while (r == 0 && (addr = strsep(&rest, ", ")) != NULL)
		if (*addr != '\0' && (problem = sockets_problem(addr)) != NULL)
			r = http_options_bad("--addr", addr, problem);
	free(copy);
	return r;
}

static int
check_files(const struct http_conf *c)
{
	if (*c->cert == '\0')
		return 0;
	if (access(c->cert, R_OK) == -1)
		return http_options_bad("--tls-cert", c->cert, strerror(errno));
	if (access(c->key, R_OK) == -1)
		return http_options_bad("--tls-key", c->key, strerror(errno));
	return 0;
}

/* What does not go together. */
static int
http_options_check(struct http_options *o)
{
	struct http_conf *c = &o->conf;
	int r;

	if (o->addr != NULL && o->path != NULL)
		return http_options_bad("--unix", o->path, "not beside --addr");
	if (strcmp(o->hnet, "unix") != 0 && strcmp(o->hnet, "tcp") != 0)
		return http_options_bad("--hnet", o->hnet, "unix or tcp");
	if (strcmp(o->hnet, "tcp") == 0 && o->haddr == NULL)
		return http_options_bad("--hnet", "tcp",
		    "--haddr is to say where");
	if (o->path == NULL && o->group != (gid_t)-1)
		return http_options_bad("--unix-group", "", "only with --unix");
	if ((*c->cert != '\0') != (*c->key != '\0'))
		return http_options_bad("--tls-cert, --tls-key", "",
		    "both or neither");
	if (o->path != NULL && c->origins.n == 0)
		return http_options_bad("--unix", o->path,
		    "say by --origin what the proxy in front of it is called");
	if (c->session_s == 0)
		return http_options_bad("--session-ttl", "0",
		    "nobody would be let in");
	return (r = check_addresses(o)) != 0 ? r : check_files(c);
}

static int
set_defaults(struct http_options *o)
{
	struct http_conf *c = &o->conf;
	char *const *const texts[] = { &c->root, &c->title, &c->cert, &c->key,
		&c->auth_header, &c->cmd };

	*o = (struct http_options){ .hnet = "unix",
		.user = "_skypty",
		.group = (gid_t)-1 };
	c->session_s = SESSION_S;
	c->max_clients = CLIENTS;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (http_options_set_text((char **)(uintptr_t)texts[i], "") !=
		    0)
			return EXIT_OS;
	return http_options_set_text(&c->cmd, SHELL) != 0 ?
	    EXIT_OS :
	    http_options_set_text(&c->base, "/");
}

int
http_options_parse(struct http_options *o, int argc, char **argv)
{
	int opt, r;

	if ((r = set_defaults(o)) != 0)
		return r;
	while ((opt = getopt_long(argc, argv, "vqh", longopts, NULL)) != -1) {
		if (opt == 'h') {
			fputs(usage, stdout);
			return -1;
		}
		if (opt == '?') {
			fputs("skyptyd: 'skyptyd http --help' lists the "
			      "options\n",
			    stderr);
			return EXIT_USAGE;
		}
		if ((r = http_options_take(o, opt)) != 0)
			return r;
	}
	if (optind < argc)
		return http_options_bad("http", argv[optind],
		    "no words are expected");
	return http_options_check(o);
}
