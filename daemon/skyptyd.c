/* SPDX-License-Identifier: ISC */
/* skyptyd: the privileged daemon.  It parses no byte of the network. */
#include "daemon/tables.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/base/paths.h"
#include "common/base/process.h"
#include "common/base/usage.h"
#include "common/base/visible.h"
#include "daemon/ask.h"

#define HTTP_PROGRAM "skyptyd-http-monitor"

static const struct {
	const char *name;
	enum mode mode;
} modes[] = {
	{ "tcp", MODE_TCP },
	{ "host", MODE_HOST },
	{ "dmsg", MODE_DMSG },
};

#define MODES (sizeof(modes) / sizeof(modes[0]))

static int
skyptyd_run(struct skyptyd_options *o, struct keyctx *ctx)
{
	struct settings set;
	int r;

	if ((r = settings_load(&set, o, ctx)) != 0) {
		settings_free(&set);
		return r;
	}
	if (o->check)
		r = check_main(o, &set, ctx);
	else if (o->listen_fd != -1)
		r = check_chroot(&set) == -1 ?
		    EXIT_OS :
		    monitor_become(&set, o, o->listen_fd);
	else
		r = listener_run(o, &set, ctx);
	settings_free(&set);
	return r;
}

static int
serve_main(enum mode mode, bool check, int argc, char **argv)
{
	struct skyptyd_options o = { .mode = mode, .check = check };
	struct keyctx *ctx;
	int r;

	if (getrlimit(RLIMIT_NOFILE, &o.nofile) == -1)
		return EXIT_OS;
	o.oom_score = process_oom_score();
	if ((ctx = keyctx_new()) == NULL)
		return EXIT_OS;
	if ((r = skyptyd_options_parse(&o, ctx, argc, argv)) == 0) {
		o.syslog = o.syslog || o.daemonise;
		log_init("skyptyd", o.log_level, o.syslog && !o.check);
		log_set_watched(o.daemonise);
		r = skyptyd_run(&o, ctx);
	}
	options_free(&o);
	keyctx_free(ctx);
	return r == -1 ? 0 : r;
}

/* MODE_ANY if the word is none of them. */
static enum mode
skyptyd_mode_of(const char *word)
{
	for (size_t i = 0; i < MODES; i++)
		if (strcmp(word, modes[i].name) == 0)
			return modes[i].mode;
	return MODE_ANY;
}

/* "skyptyd check dmsg ..." is for those who will say "skyptyd dmsg ...". */
static int
skyptyd_check(int argc, char **argv)
{
	enum mode mode = argc > 1 ? skyptyd_mode_of(argv[1]) : MODE_ANY;

	return mode == MODE_ANY ? serve_main(mode, true, argc, argv) :
				  serve_main(mode, true, argc - 1, argv + 1);
}

/* What others call it, and what is the client's. */
static const struct {
	const char *word, *instead;
} elsewhere[] = {
	{ "-t", "'skyptyd check'" },
	{ "-T", "'skyptyd check -T'" },
	{ "test", "'skyptyd check'" },
	{ "listen", "'skyptyd tcp'" },
	{ "serve", "'skyptyd tcp'" },
	{ "authorise", "'skyptyd authorize'" },
	{ "allow", "'skyptyd authorize'" },
	{ "keygen",
	    "'skyptyd confgen' for a host, 'skypty keygen' for a "
	    "client" },
	{ "shell", "'skypty shell'" },
	{ "exec", "'skypty exec'" },
	{ "cp", "'skypty cp'" },
	{ "whitelist", "'skypty whitelist'" },
	{ "whitelist-add", "'skypty whitelist-add'" },
	{ "whitelist-remove", "'skypty whitelist-remove'" },
	{ "start", "your service manager's, as 'systemctl start skyptyd'" },
	{ "stop", "your service manager's, or SIGTERM" },
	{ "restart", "your service manager's" },
	{ "reload", "your service manager's, or SIGHUP" },
};

static int
skyptyd_unknown(const char *word)
{
	static const char *const others[] = { "http", "check", "confgen",
		"authorize", "revoke", "keys", "kill", "status", "version",
		"help" };
	struct usage_near near = { .word = word };

	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
		if (strcmp(word, elsewhere[i].word) == 0) {
			fprintf(stderr, "skyptyd: there is no mode '%s'; %s\n",
			    word, elsewhere[i].instead);
			return EXIT_USAGE;
		}
	if (*word == '-') {
		visible_line(stderr,
		    "skyptyd: unknown option '%s': a mode comes first, as in "
		    "'skyptyd tcp'; 'skyptyd --help' tells more",
		    word);
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < MODES; i++)
		usage_try(&near, modes[i].name);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		usage_try(&near, others[i]);
	if (near.best != NULL)
		visible_line(stderr,
		    "skyptyd: unknown mode '%s'; did you mean '%s'?", word,
		    near.best);
	else
		visible_line(stderr,
		    "skyptyd: unknown mode '%s'; there are tcp, host, dmsg, "
		    "http, check, confgen, kill and status, and 'skyptyd "
		    "--help' tells "
		    "more",
		    word);
	return EXIT_USAGE;
}

static int
skyptyd_surplus(const char *after, const char *word)
{
	visible_line(stderr, "skyptyd: %s: '%s' is not expected behind it",
	    after, word);
	return EXIT_USAGE;
}

/* Another program: nothing of it is in the process that accepts for hosts. */
static int
http_main(char **argv)
{
	char path[PROCESS_PATH_MAX];

	if (process_companion(path, sizeof(path), HTTP_PROGRAM,
		"../libexec/skypty", LIBEXECDIR) != 0) {
		fputs("skyptyd: the program " HTTP_PROGRAM " is not here: it "
		      "is built where libwebsockets is\n",
		    stderr);
		return EXIT_OS;
	}
	execv(path, argv);
	visible_line(stderr, "skyptyd: %s: cannot be started", path);
	return EXIT_OS;
}

int
main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";
	enum mode mode;

	process_standard_fds();
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		options_usage(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 ||
	    strcmp(word, "help") == 0) {
		options_usage(stdout);
		return 0;
	}
	if (strcmp(word, "version") == 0 || strcmp(word, "--version") == 0 ||
	    strcmp(word, "-V") == 0) {
		if (argc > 2)
			return skyptyd_surplus("version", argv[2]);
		puts("skyptyd " SKYPTY_VERSION);
		return 0;
	}
	/* "skyptyd dmsg confgen", as the original has it. */
	if (argc > 2 && strcmp(argv[2], "confgen") == 0)
		return confgen_main(argc - 2, argv + 2);
	if (strcmp(word, "confgen") == 0)
		return confgen_main(argc - 1, argv + 1);
	if (strcmp(word, "http") == 0)
		return http_main(argv);
	if (strcmp(word, "kill") == 0)
		return kill_main(argc - 1, argv + 1);
	if (strcmp(word, "authorize") == 0)
		return authorize_main(argc - 1, argv + 1);
	if (strcmp(word, "revoke") == 0)
		return revoke_main(argc - 1, argv + 1);
	if (strcmp(word, "keys") == 0)
		return keys_main(argc - 1, argv + 1);
	if (strcmp(word, "status") == 0)
		return status_main(argc - 1, argv + 1);
	if (strcmp(word, "check") == 0)
		return skyptyd_check(argc - 1, argv + 1);
	mode = skyptyd_mode_of(word);
	return mode == MODE_ANY ? skyptyd_unknown(word) :
				  serve_main(mode, false, argc - 1, argv + 1);
}
