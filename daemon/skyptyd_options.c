/* SPDX-License-Identifier: ISC */
/* The command line of skyptyd's serving modes. */
#include "daemon/skyptyd.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/usage.h"
#include "common/base/visible.h"

enum {
	OPT_CONFSTDIN = 256,
	OPT_ALLOW,
	OPT_SK_FROM_VISOR,
	OPT_DMSGDISC,
	OPT_DMSGSESSIONS,
	OPT_DMSGPORT,
	OPT_CLINET,
	OPT_CLIADDR,
	OPT_NO_DMSG,
	OPT_LISTEN_FD,
	OPT_ENVPREFIX,
	OPT_LOG_LEVEL,
	OPT_DAEMON,
	OPT_SYSLOG,
	OPT_PEER,
	OPT_KEY,
	OPT_FROM,
	OPT_USER,
	OPT_SFTP_READONLY,
	OPT_IGNORED
};

static const struct option longopts[] = {
	{ "conf", required_argument, NULL, 'c' },
	{ "confpath", required_argument, NULL, 'c' },
	{ "confstdin", no_argument, NULL, OPT_CONFSTDIN },
	{ "listen", required_argument, NULL, 'l' },
	{ "addr", required_argument, NULL, 'l' },
	{ "tcplisten", required_argument, NULL, 'l' },
	{ "tcp-listen", required_argument, NULL, 'l' },
	{ "allow", required_argument, NULL, OPT_ALLOW },
	{ "wl", required_argument, NULL, OPT_ALLOW },
	{ "sk-from-visor", required_argument, NULL, OPT_SK_FROM_VISOR },
	{ "dmsgdisc", required_argument, NULL, OPT_DMSGDISC },
	{ "dmsgsessions", required_argument, NULL, OPT_DMSGSESSIONS },
	{ "dmsgport", required_argument, NULL, OPT_DMSGPORT },
	{ "clinet", required_argument, NULL, OPT_CLINET },
	{ "cliaddr", required_argument, NULL, OPT_CLIADDR },
	{ "no-dmsg", no_argument, NULL, OPT_NO_DMSG },
	{ "listen-fd", required_argument, NULL, OPT_LISTEN_FD },
	{ "envprefix", required_argument, NULL, OPT_ENVPREFIX },
	{ "log-level", required_argument, NULL, OPT_LOG_LEVEL },
	{ "daemon", no_argument, NULL, OPT_DAEMON },
	{ "syslog", no_argument, NULL, OPT_SYSLOG },
	{ "sftp-readonly", no_argument, NULL, OPT_SFTP_READONLY },
	{ "peer", required_argument, NULL, OPT_PEER },
	{ "key", required_argument, NULL, OPT_KEY },
	{ "from", required_argument, NULL, OPT_FROM },
	{ "user", required_argument, NULL, OPT_USER },
	{ "pprofmode", required_argument, NULL, OPT_IGNORED },
	{ "pprofaddr", required_argument, NULL, OPT_IGNORED },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static const char usage_text[] =
    "usage: skyptyd tcp  --addr ADDR[,ADDR] [-c FILE] [options]\n"
    "       skyptyd host [-l ADDR[,ADDR]] --allow PK[,PK] [-c FILE] [options]\n"
    "       skyptyd dmsg [-c FILE] [--tcplisten ADDR] [options]\n"
    "       skyptyd http [--addr ADDR | --unix PATH] [options]\n"
    "       skyptyd check [tcp | host | dmsg] [-T | --peer PK | --key PK]\n"
    "                     [options of these]\n"
    "       skyptyd authorize [-c FILE] [--also] [OPTIONS] PK [COMMENT]\n"
    "       skyptyd revoke [-c FILE] [--now] PK [COMMENT]\n"
    "       skyptyd keys [-c FILE] [--json]\n"
    "       skyptyd confgen [--unsafe] [--seeds] [FILE]\n"
    "       skyptyd kill ID... | --key PK [--cliaddr PATH]\n"
    "       skyptyd status [--json | --metrics] [--cliaddr PATH]\n"
    "       skyptyd version\n"
    "\n"
    "  -c, --conf FILE        configuration (also --confpath)\n"
    "      --confstdin        read a configuration from standard input\n"
    "  -l, --listen ADDR      TCP address, e.g. :2022 (also --addr,\n"
    "                         --tcplisten, --tcp-listen); repeatable\n"
    "      --allow PK[,PK]    let these keys in, too (also --wl); repeatable\n"
    "      --sk-from-visor F  use the secret key of a visor's configuration\n"
    "      --listen-fd N      serve the connection inherited as descriptor N\n"
    "      --cliaddr PATH     control socket; empty for none\n"
    "      --clinet unix      its network\n"
    "      --dmsgdisc URL     discovery of dmsg: http://... or dmsg://<pk>\n"
    "      --dmsgsessions N, --dmsgport N, --no-dmsg\n"
    "      --sftp-readonly    files may be read over SFTP, not changed\n"
    "      --envprefix P      prefix of environment variables: DMSGPTY\n"
    "      --log-level L      error, warn, info (default) or debug\n"
    "      --daemon           go to the background, log to syslog\n"
    "      --syslog           log to syslog\n"
    "  -T                     check: print the whole configuration in force\n"
    "      --peer PK          check: would this key be let in?\n"
    "      --key PK           check: by which rule, and with which rights?\n"
    "      --from FROM        check: of --key, from an address, dmsg or local\n"
    "      --user NAME        check: of --key, as this account\n"
    "\n"
    "skyptyd(8) tells more.\n";

void
options_usage(FILE *f)
{
	fputs(usage_text, f);
}

static int
usage_error(const char *what, const char *value, const char *why)
{
	visible_line(stderr, "skyptyd: %s %s: %s", what, value, why);
	return EXIT_USAGE;
}

/* One list of keys, divided by commas. */
static int
add_allow(struct skyptyd_options *o, struct keyctx *ctx, const char *list)
{
	char *copy, *key, *rest;
	struct key_public *grown;
	int r = 0;

	if ((copy = rest = strdup(list)) == NULL)
		return EXIT_OS;
	while (r == 0 && (key = strsep(&rest, ", ")) != NULL) {
		if (*key == '\0')
			continue;
		grown =
		    reallocarray(o->allow, o->nallow + 1, sizeof(*o->allow));
		if (grown == NULL) {
			r = EXIT_OS;
			break;
		}
		o->allow = grown;
		if (key_parse_public(ctx, key, &o->allow[o->nallow++]) != 0)
			r = usage_error("--allow", key, KEY_WANTED);
	}
	free(copy);
	return r;
}

/* Several --listen add up. */
static int
add_listen(struct skyptyd_options *o, const char *addr)
{
	char *joined;

	if (asprintf(&joined, "%s%s%s", o->listen != NULL ? o->listen : "",
		o->listen != NULL ? "," : "", addr) == -1)
		return EXIT_OS;
	free(o->listen);
	o->listen = joined;
	return 0;
}

static int
set_listen_fd(struct skyptyd_options *o, const char *value)
{
	const char *problem;

	o->listen_fd = (int)strtonum(value, 0, INT_MAX, &problem);
	return problem == NULL ?
	    0 :
	    usage_error("--listen-fd", value, "not a descriptor's number");
}

static int
set_log_level(struct skyptyd_options *o, const char *value)
{
	if (log_parse_level(value, &o->log_level) == 0)
		return 0;
	return usage_error("--log-level", value,
	    "use error, warn, info or debug");
}

static int
skyptyd_options_set_flag(struct skyptyd_options *o, int opt)
{
	switch (opt) {
	case OPT_CONFSTDIN:
		o->conf_stdin = true;
		return 0;
	case OPT_NO_DMSG:
		o->no_dmsg = true;
		return 0;
	case OPT_DAEMON:
		o->daemonise = true;
		return 0;
	case OPT_SYSLOG:
		o->syslog = true;
		return 0;
	case OPT_SFTP_READONLY:
		o->sftp_readonly = true;
		return 0;
	case 'T':
		o->check_print = true;
		return 0;
	case OPT_IGNORED:
		fputs("skyptyd: profiling flags have no effect here\n", stderr);
		return 0;
	case 'h':
		options_usage(stdout);
		return -1;
	}
	return EXIT_USAGE;
}

/* Where an option's text is kept as it is. */
static const char **
skyptyd_options_text_of(struct skyptyd_options *o, int opt)
{
	switch (opt) {
	case 'c':
		return &o->conf;
	case OPT_SK_FROM_VISOR:
		return &o->sk_from_visor;
	case OPT_DMSGDISC:
		return &o->dmsgdisc;
	case OPT_DMSGSESSIONS:
		return &o->dmsgsessions;
	case OPT_DMSGPORT:
		return &o->dmsgport;
	case OPT_CLINET:
		return &o->clinet;
	case OPT_CLIADDR:
		return &o->cliaddr;
	case OPT_ENVPREFIX:
		return &o->envprefix;
	case OPT_PEER:
		return &o->check_peer;
	case OPT_KEY:
		return &o->check_key;
	case OPT_FROM:
		return &o->check_from;
	case OPT_USER:
		return &o->check_user;
	}
	return NULL;
}

static int
options_take(struct skyptyd_options *o, struct keyctx *ctx, int opt)
{
	const char **text;

	if ((text = skyptyd_options_text_of(o, opt)) != NULL) {
		*text = optarg;
		return 0;
	}
	switch (opt) {
	case 'l':
		return add_listen(o, optarg);
	case OPT_ALLOW:
		return add_allow(o, ctx, optarg);
	case OPT_LISTEN_FD:
		return set_listen_fd(o, optarg);
	case OPT_LOG_LEVEL:
		return set_log_level(o, optarg);
	}
	return skyptyd_options_set_flag(o, opt);
}

static int
options_contradictions(const struct skyptyd_options *o)
{
	if (o->sk_from_visor != NULL && o->mode == MODE_DMSG && !o->no_dmsg)
		return usage_error("--sk-from-visor", o->sk_from_visor,
		    "needs --no-dmsg: the visor's key cannot serve two dmsg "
		    "clients, discovery holds one entry a key");
	if (o->check_peer != NULL && !o->check)
		return usage_error("--peer", o->check_peer,
		    "is for 'skyptyd check', which tells and serves nobody");
	if (o->check_key != NULL && !o->check)
		return usage_error("--key", o->check_key,
		    "is for 'skyptyd check', which tells and serves nobody");
	if (o->check_print && !o->check)
		return usage_error("-T", "",
		    "is for 'skyptyd check', which tells and serves nobody");
	if (o->check_key == NULL &&
	    (o->check_from != NULL || o->check_user != NULL))
		return usage_error(o->check_from != NULL ? "--from" : "--user",
		    o->check_from != NULL ? o->check_from : o->check_user,
		    "belongs to 'skyptyd check --key PK'");
	return 0;
}

int
skyptyd_options_unknown(int opt, const char *word, const struct option *list,
    const char *mode)
{
	char text[USAGE_TEXT_MAX];

	usage_explain(text, opt, word, list);
	if (strchr(text, '?') != NULL)
		visible_line(stderr, "skyptyd: %s", text);
	else
		visible_line(stderr,
		    "skyptyd: %s; 'skyptyd %s--help' lists them", text, mode);
	return EXIT_USAGE;
}

int
skyptyd_options_parse(struct skyptyd_options *o, struct keyctx *ctx, int argc,
    char **argv)
{
	int opt, r, before = 1;

	o->listen_fd = -1;
	o->envprefix = "DMSGPTY";
	o->log_level = LOG_LEVEL_INFO;
	opterr = 0;
	while (
	    (opt = getopt_long(argc, argv, ":c:l:hT", longopts, NULL)) != -1) {
		if (opt == '?' || opt == ':')
			return skyptyd_options_unknown(opt, argv[before],
			    longopts, "");
		if ((r = options_take(o, ctx, opt)) != 0)
			return r;
		before = optind;
	}
	if (optind < argc)
		return usage_error("argument", argv[optind],
		    "not expected here; what to listen on and whom to let in "
		    "is said by --addr and --allow");
	return options_contradictions(o);
}

void
options_free(struct skyptyd_options *o)
{
	free(o->listen);
	free(o->allow);
}
