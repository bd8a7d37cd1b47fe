/* SPDX-License-Identifier: ISC */
/*
 * skypty ssh, also under the name skypty-ssh: ssh's command line, as rsync,
 * git, scp, sftp, sshfs and ansible write it.  What has no meaning here and
 * does no harm is accepted; what would be missed is refused.
 */
#include "client/skypty.h"

#include <fnmatch.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/mux.h"

#define OPTIONS                                                               \
	"+1246ab:c:e:fgi:kl:m:no:p:qstvxAB:CD:E:F:GI:J:KL:MNO:P:Q:R:S:TVw:W:" \
	"XYy"
#define PATTERNS_MAX 32
#define VALUES_MAX   128

extern char **environ;

static struct ssh {
	struct options o;
	const char *login;
	int tty; /* 0: as needed, 1 and 2: -t, -tt, -1: -T */
	bool subsystem, print;
	const char *send_env[PATTERNS_MAX];
	size_t nsend_env;
	char *values[VALUES_MAX]; /* of -o, that others point into */
	size_t nvalues;
} s;

static int
refuse(const char *what, const char *why)
{
	complain("%s: %s", what, why);
	return EXIT_FAILED;
}

/* --- -o Name=value --- */

static int
set_port(const char *value)
{
	s.o.port = value;
	return 0;
}

static int
set_login(const char *value)
{
	s.login = value;
	return 0;
}

static int
set_identity(const char *value)
{
	s.o.identity = value;
	return 0;
}

static int
set_env(const char *entry)
{
	if (strchr(entry, '=') == NULL || *entry == '=')
		return refuse(entry, "SetEnv needs NAME=VALUE");
	if (s.o.nenv == ENV_MAX)
		return refuse(entry, "too many variables");
	s.o.env[s.o.nenv++] = entry;
	return 0;
}

static int
send_env(const char *pattern)
{
	if (s.nsend_env == PATTERNS_MAX)
		return refuse("SendEnv", "too many patterns");
	s.send_env[s.nsend_env++] = pattern;
	return 0;
}

static int
request_tty(const char *value)
{
	s.tty = strcasecmp(value, "force") == 0 ? 2 :
	    strcasecmp(value, "yes") == 0	? 1 :
	    strcasecmp(value, "no") == 0	? -1 :
						  0;
	return 0;
}

/* Ours, for skypty sftp. */
static int
set_visor_key(const char *value)
{
	s.o.visor_key = strcasecmp(value, "yes") == 0;
	s.o.visor_key_given = true;
	return 0;
}

static int
set_discovery(const char *value)
{
	s.o.dmsgdisc = value;
	return 0;
}

static int
set_servers(const char *value)
{
	s.o.dmsg_servers = value;
	return 0;
}

static int
set_socket(const char *value)
{
	s.o.cliaddr = value;
	return 0;
}

static int
set_rpc(const char *value)
{
	s.o.rpc = value;
	return 0;
}

static int
set_standalone(const char *value)
{
	s.o.standalone = strcasecmp(value, "yes") == 0;
	return 0;
}

static bool
is_none(const char *value)
{
	return strcasecmp(value, "none") == 0 || *value == '\0';
}

static int
refuse_proxy(const char *value)
{
	if (is_none(value))
		return 0;
	return refuse("ProxyJump, ProxyCommand",
	    "there is no proxy here; give the address of the host itself");
}

/* All others have no meaning here and are passed over. */
static const struct keyword {
	const char *name;
	int (*take)(const char *value);
	bool list;
} keywords[] = {
	{ "Port", set_port, false },
	{ "User", set_login, false },
	{ "IdentityFile", set_identity, false },
	{ "VisorKey", set_visor_key, false },
	{ "Discovery", set_discovery, false },
	{ "DmsgServers", set_servers, false },
	{ "ControlSocket", set_socket, false },
	{ "VisorRpc", set_rpc, false },
	{ "Standalone", set_standalone, false },
	{ "RequestTTY", request_tty, false },
	{ "SetEnv", set_env, true },
	{ "SendEnv", send_env, true },
	{ "ProxyJump", refuse_proxy, false },
	{ "ProxyCommand", refuse_proxy, false },
};

/* The value of an option of that name, or NULL. */
static const char *
value_of(const char *text, const char *name)
{
	size_t n = strlen(name);

	if (strncasecmp(text, name, n) != 0 || text[n] == '\0' ||
	    strchr("= \t", text[n]) == NULL)
		return NULL;
	return text + n + strspn(text + n, "= \t");
}

/* The next word of a value, quotes taken off as in ssh_config(5). */
static char *
next_word(char **rest)
{
	char *p = *rest + strspn(*rest, " \t"), *word = p, *out = p;
	char quote = '\0';

	if (*p == '\0')
		return NULL;
	for (; *p != '\0' && (quote != '\0' || strchr(" \t", *p) == NULL);
	     p++) {
		if (*p == quote)
			quote = '\0';
		else if (quote == '\0' && (*p == '"' || *p == '\''))
			quote = *p;
		else
			*out++ = *p;
	}
	*rest = *p != '\0' ? p + 1 : p;
	*out = '\0';
	return word;
}

/* The options point into the copy, which stays until the end. */
static int
take_value(const struct keyword *k, const char *value)
{
	char *rest, *word;
	int r = 0;

	if (s.nvalues == VALUES_MAX)
		return refuse(k->name, "too many options");
	if ((rest = strdup(value)) == NULL)
		return EXIT_FAILED;
	s.values[s.nvalues++] = rest;
	do {
		if ((word = next_word(&rest)) != NULL)
			r = k->take(word);
	} while (r == 0 && word != NULL && k->list);
	return r;
}

static int
take_o(const char *text)
{
	const char *value;

	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
		if ((value = value_of(text, keywords[i].name)) != NULL)
			return take_value(&keywords[i], value);
	return 0;
}

/* --- flags --- */

static int
take_escape(const char *text)
{
	s.o.escape_given = true;
	if (strcmp(text, "none") == 0)
		s.o.escape = -1;
	else
		s.o.escape = (unsigned char)*text;
	return 0;
}

static int
take_flag(int opt)
{
	switch (opt) {
	case 'n':
		s.o.no_stdin = true;
		return 0;
	case 'q':
		s.o.quiet = true;
		return 0;
	case 's':
		s.subsystem = true;
		return 0;
	case 't':
		s.tty = s.tty > 0 ? 2 : 1;
		return 0;
	case 'T':
		s.tty = -1;
		return 0;
	case 'v':
		s.o.verbose = true;
		return 0;
	case 'G':
		s.print = true;
		return 0;
	case 'L':
	case 'R':
	case 'D':
	case 'W':
	case 'w':
		return refuse("forwarding",
		    "this protocol carries commands, "
		    "shells and files only");
	case 'J':
		return refuse("-J",
		    "there is no proxy here; give the address "
		    "of the host itself");
	case 'N':
	case 'f':
	case 'O':
		return refuse("ssh",
		    "-N, -f and -O make sense with "
		    "forwarding or shared connections only, "
		    "which are not here");
	case '?':
		complain("ssh: an option is unknown, or lacks its value");
		return EXIT_FAILED;
	}
	return 0; /* harmless */
}

static int
take(int opt)
{
	switch (opt) {
	case 'e':
		return take_escape(optarg);
	case 'i':
		return set_identity(optarg);
	case 'l':
		return set_login(optarg);
	case 'o':
		return take_o(optarg);
	case 'p':
		return set_port(optarg);
	case 'F':
		if (!is_none(optarg))
			s.o.hosts = optarg;
		return 0;
	}
	return take_flag(opt);
}

static int
take_options(int argc, char **argv)
{
	int opt, r;

	opterr = 0;
	while ((opt = getopt(argc, argv, OPTIONS)) != -1) {
		if (opt == 'V') {
			puts("skypty " SKYPTY_VERSION);
			exit(0);
		}
		if ((r = take(opt)) != 0)
			return r;
	}
	return 0;
}

/* --- where to --- */

/* "ssh://pk@host:port" of git and sftp, as our own spelling. */
static int
set_dest(struct keyctx *ctx, const char *host)
{
	char *full;
	int r;

	if (strncmp(host, "ssh://", 6) == 0)
		host += 6;
	if (s.login == NULL || strchr(host, '@') != NULL)
		return options_dest(&s.o, ctx, host);
	if (strlen(s.login) != KEY_PUBLIC_HEX - 1) {
		complain("-l %s: it is the host that says whose session a "
			 "key gets; where ssh has a login name there is the "
			 "host's public key here",
		    s.login);
		return EXIT_FAILED;
	}
	if (asprintf(&full,
		strchr(host, ':') != NULL && *host != '[' ? "%s@[%s]" : "%s@%s",
		s.login, host) == -1)
		return EXIT_FAILED;
	r = options_dest(&s.o, ctx, full);
	free(full);
	return r;
}

static void
print_config(const char *host)
{
	char pk[KEY_PUBLIC_HEX];

	key_text(&s.o.dest.pk, pk);
	printf("host %s\nuser %s\nhostname %s\nport %s\n", host, pk,
	    s.o.dest.host, s.o.dest.port);
}

/* --- what to run --- */

static char *
join(char **words)
{
	size_t n = 1;
	char *text;

	for (char **w = words; *w != NULL; w++)
		n += strlen(*w) + 1;
	if ((text = calloc(1, n)) == NULL)
		return NULL;
	for (char **w = words; *w != NULL; w++) {
		if (w != words)
			strlcat(text, " ", n);
		strlcat(text, *w, n);
	}
	return text;
}

/*
 * The account's shell runs the command, as with sshd.  What it is called is
 * known over there, to the environment of the session.
 */
static int
set_command(char **words)
{
	static char sh[] = "/bin/sh", c[] = "-c";
	static char run[] = "exec \"${SHELL:-/bin/sh}\" -c \"$0\"";
	static char login[] = "exec \"${SHELL:-/bin/sh}\" -l";
	static char *argv[5];

	argv[0] = sh;
	argv[1] = c;
	argv[2] = *words != NULL ? run : login;
	argv[3] = *words != NULL ? join(words) : NULL;
	s.o.command = argv;
	return *words == NULL || argv[3] != NULL ? 0 : EXIT_FAILED;
}

static bool
wanted(const char *entry)
{
	char name[128];
	size_t n = strcspn(entry, "=");

	if (n >= sizeof(name))
		return false;
	memcpy(name, entry, n);
	name[n] = '\0';
	if (s.o.terminal &&
	    (strcmp(name, "TERM") == 0 || strcmp(name, "COLORTERM") == 0))
		return true;
	for (size_t i = 0; i < s.nsend_env; i++)
		if (fnmatch(s.send_env[i], name, 0) == 0)
			return true;
	return false;
}

static void
forward_env(void)
{
	for (char **e = environ; *e != NULL && s.o.nenv < ENV_MAX; e++)
		if (wanted(*e))
			s.o.env[s.o.nenv++] = *e;
}

static int
run_subsystem(struct keyctx *ctx, const char *name)
{
	struct conn c;
	int r;

	if (name == NULL || strcmp(name, "sftp") != 0) {
		complain("subsystem %s: there is sftp only",
		    name != NULL ? name : "");
		return EXIT_FAILED;
	}
	if ((r = conn_try(&c, ctx, &s.o, MUX_URI_SFTP)) == 0)
		r = relay_run(&c, STDIN_FILENO, STDOUT_FILENO);
	if (r == 0 && c.rejected) {
		complain("remote rejected sftp subsystem: the host serves no "
			 "files");
		r = EXIT_FAILED;
	}
	conn_close(&c);
	return r;
}

static int
run_command(struct keyctx *ctx, char **words)
{
	bool tty = isatty(STDIN_FILENO) == 1;
	int r;

	s.o.terminal = s.tty == 2 || (s.tty == 1 && tty) ||
	    (s.tty == 0 && *words == NULL && tty);
	s.o.duplex = true;
	s.o.timeout_ms = 0;
	forward_env();
	if ((r = set_command(words)) != 0)
		return r;
	if ((r = stream_run(ctx, &s.o)) != TRY_NEXT)
		return r;
	if (s.o.terminal && *words == NULL)
		return session_run(ctx, &s.o);
	return exec_older(ctx, &s.o);
}

static int
run(struct keyctx *ctx, int argc, char **argv)
{
	const char *host;
	int r;

	options_init(&s.o);
	s.o.visor_key = true;
	if ((r = take_options(argc, argv)) != 0)
		return r;
	if (optind >= argc) {
		fputs("usage: skypty ssh [options of ssh] pk@host [command]\n",
		    stderr);
		return EXIT_FAILED;
	}
	/* ssh takes options behind the host, too. */
	host = argv[optind];
	argc -= optind;
	argv += optind;
	optind = 1;
	if ((r = take_options(argc, argv)) != 0 ||
	    (r = set_dest(ctx, host)) != 0)
		return r == EXIT_USAGE ? EXIT_FAILED : r;
	argv += optind;
	if (s.print)
		print_config(host);
	else if (s.subsystem)
		r = run_subsystem(ctx, *argv);
	else
		r = run_command(ctx, argv);
	return r;
}

int
ssh_main(int argc, char **argv)
{
	struct keyctx *ctx;
	int r;

	if ((ctx = keyctx_new()) == NULL)
		return EXIT_FAILED;
	r = run(ctx, argc, argv);
	for (size_t i = 0; i < s.nvalues; i++)
		free(s.values[i]);
	hosts_free(&s.o.alias);
	keyctx_free(ctx);
	return r;
}
