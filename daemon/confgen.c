/* SPDX-License-Identifier: ISC */
/* skyptyd confgen: a complete configuration with a fresh key. */
#include "daemon/skyptyd.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct option longopts[] = {
	{ "unsafe", no_argument, NULL, 'u' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int
print_fresh(FILE *f)
{
	struct keyctx *ctx;
	uint8_t *sk;
	int r = -1;

	if ((ctx = keyctx_new()) == NULL ||
	    (sk = sodium_malloc(KEY_SECRET_LEN)) == NULL)
		return -1;
	if (key_generate(ctx, sk) == 0)
		r = config_print(f, ctx, sk);
	sodium_free(sk);
	keyctx_free(ctx);
	return r == 0 && fflush(f) == 0 ? 0 : -1;
}

/* With force what is there is overwritten, but never through a link. */
static int
write_file(const char *path, bool force)
{
	FILE *f;
	int fd, r;

	fd = open(path,
	    O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
		(force ? O_TRUNC : O_EXCL),
	    0600);
	if (fd == -1 && errno == EEXIST) {
		fprintf(stderr,
		    "skyptyd: %s is there already; --unsafe overwrites it\n",
		    path);
		return EXIT_CONFIG;
	}
	if (fd == -1 || fchmod(fd, 0600) == -1 ||
	    (f = fdopen(fd, "w")) == NULL) {
		fprintf(stderr, "skyptyd: %s: %s\n", path, strerror(errno));
		return EXIT_OS;
	}
	r = print_fresh(f);
	if (fclose(f) != 0 || r != 0) {
		fprintf(stderr, "skyptyd: %s: %s\n", path, strerror(errno));
		return EXIT_OS;
	}
	return 0;
}

int
confgen_main(int argc, char **argv)
{
	bool force = false;
	int opt;

	while ((opt = getopt_long(argc, argv, "h", longopts, NULL)) != -1) {
		if (opt == 'h') {
			options_usage();
			return 0;
		}
		if (opt != 'u')
			return EXIT_USAGE;
		force = true;
	}
	if (argc - optind > 1) {
		fputs("skyptyd: confgen takes one file\n", stderr);
		return EXIT_USAGE;
	}
	if (optind < argc)
		return write_file(argv[optind], force);
	return print_fresh(stdout) == 0 ? 0 : EXIT_OS;
}
