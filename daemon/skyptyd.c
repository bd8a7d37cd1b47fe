/* SPDX-License-Identifier: ISC */
/* skyptyd: the privileged daemon.  It parses no byte of the network. */
#include "daemon/web.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static const struct {
	const char *name;
	enum mode mode;
} modes[] = {
	{ "tcp", MODE_TCP },
	{ "host", MODE_HOST },
	{ "dmsg", MODE_DMSG },
	{ "check", MODE_CHECK },
};

/* Descriptors 0 to 2 are open, whatever we were started with. */
static int
open_standard(void)
{
	int fd;

	do
		if ((fd = open("/dev/null", O_RDWR)) == -1)
			return -1;
	while (fd <= 2);
	return close(fd);
}

static int
run(struct options *o, struct keyctx *ctx)
{
	struct settings set;
	int r;

	if ((r = settings_load(&set, o, ctx)) != 0) {
		settings_free(&set);
		return r;
	}
	if (o->mode == MODE_CHECK)
		r = check_main(o, &set, ctx);
	else if (o->listen_fd != -1)
		r = set.drop && settings_chroot_dir() == -1 &&
			!set.conf.best_effort ?
		    EXIT_OS :
		    session_become(&set, o, o->listen_fd);
	else
		r = server_run(o, &set, ctx);
	settings_free(&set);
	return r;
}

static int
serve_main(enum mode mode, int argc, char **argv)
{
	struct options o = { .mode = mode };
	struct keyctx *ctx;
	int r;

	if ((ctx = keyctx_new()) == NULL)
		return EXIT_OS;
	if ((r = options_parse(&o, ctx, argc, argv)) == 0) {
		o.syslog = o.syslog || o.daemonise;
		log_init("skyptyd", o.log_level,
		    o.syslog && o.mode != MODE_CHECK);
		r = run(&o, ctx);
	}
	options_free(&o);
	keyctx_free(ctx);
	return r == -1 ? 0 : r;
}

int
main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "--help";

	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	signal(SIGPIPE, SIG_IGN);
	if (open_standard() == -1)
		return EXIT_OS;
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 ||
	    strcmp(word, "help") == 0) {
		options_usage();
		return argc > 1 ? 0 : EXIT_USAGE;
	}
	if (strcmp(word, "version") == 0 || strcmp(word, "--version") == 0) {
		puts("skyptyd " SKYPTY_VERSION);
		return 0;
	}
	/* "skyptyd dmsg confgen", as the original has it. */
	if (argc > 2 && strcmp(argv[2], "confgen") == 0)
		return confgen_main(argc - 2, argv + 2);
	if (strcmp(word, "confgen") == 0)
		return confgen_main(argc - 1, argv + 1);
	if (strcmp(word, "http") == 0)
		return web_main(argc - 1, argv + 1);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(word, modes[i].name) == 0)
			return serve_main(modes[i].mode, argc - 1, argv + 1);
	fprintf(stderr,
	    "skyptyd: unknown mode '%s'; there are tcp, host, dmsg, http, "
	    "check and confgen\n",
	    word);
	return EXIT_USAGE;
}
