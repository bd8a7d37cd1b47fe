/* SPDX-License-Identifier: ISC */
/* skypty keygen and pk: our identity. */
#include "client/skypty.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "common/hex.h"

static const struct option longopts[] = {
	{ "force", no_argument, NULL, 'f' },
	{ NULL, 0, NULL, 0 },
};

/* Every folder on the way to the file, for us alone. */
static int
make_folders(const char *path)
{
	char *copy = strdup(path), *slash;
	int r = 0;

	if (copy == NULL)
		return -1;
	for (slash = strchr(copy + 1, '/'); slash != NULL && r == 0;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0700) == -1 && errno != EEXIST)
			r = -1;
		*slash = '/';
	}
	free(copy);
	return r;
}

static int
write_secret(int fd, const uint8_t *sk)
{
	char *text;
	ssize_t n;

	if ((text = sodium_malloc(KEY_SECRET_HEX)) == NULL)
		return -1;
	hex_encode(sk, KEY_SECRET_LEN, text);
	text[KEY_SECRET_HEX - 1] = '\n';
	n = write(fd, text, KEY_SECRET_HEX);
	sodium_free(text);
	return n == KEY_SECRET_HEX && fsync(fd) == 0 ? 0 : -1;
}

/* Beside its place first, so that an old key is replaced or stays whole. */
static int
save(const char *path, const uint8_t *sk, bool force)
{
	char *temp;
	int fd, r;

	if (asprintf(&temp, "%s.XXXXXX", path) == -1)
		return -1;
	if ((fd = mkostemp(temp, O_CLOEXEC)) == -1) {
		free(temp);
		return -1;
	}
	r = write_secret(fd, sk);
	close(fd);
	if (r == 0)
		r = force ? rename(temp, path) : link(temp, path);
	if (r == -1 || !force)
		unlink(temp);
	free(temp);
	return r;
}

static int
print_public(struct keyctx *ctx, const uint8_t *sk)
{
	char text[KEY_PUBLIC_HEX];
	struct key_public pk;

	if (key_public(ctx, sk, &pk) != 0)
		return EXIT_FAILED;
	key_text(&pk, text);
	puts(text);
	return 0;
}

static int
generate(struct keyctx *ctx, const char *path, bool force)
{
	uint8_t *sk;
	int r;

	if ((sk = sodium_malloc(KEY_SECRET_LEN)) == NULL ||
	    key_generate(ctx, sk) != 0)
		return EXIT_FAILED;
	if (make_folders(path) == 0 && save(path, sk, force) == 0)
		r = print_public(ctx, sk);
	else {
		complain("%s: %s%s", path, strerror(errno),
		    errno == EEXIST ? "; --force replaces it" : "");
		r = EXIT_FAILED;
	}
	sodium_free(sk);
	return r;
}

int
keygen_main(int argc, char **argv)
{
	struct keyctx *ctx;
	bool force = false;
	char *path;
	int opt, r;

	while ((opt = getopt_long(argc, argv, "f", longopts, NULL)) != -1) {
		if (opt != 'f')
			return EXIT_USAGE;
		force = true;
	}
	path = optind < argc ? strdup(argv[optind]) : user_file("identity");
	if (path == NULL || (ctx = keyctx_new()) == NULL) {
		complain("no home directory; name a file");
		return EXIT_FAILED;
	}
	r = generate(ctx, path, force);
	keyctx_free(ctx);
	free(path);
	return r;
}

int
pk_main(int argc, char **argv)
{
	struct identity id = { 0 };
	struct options o;
	struct keyctx *ctx;
	int r;

	if ((ctx = keyctx_new()) == NULL)
		return EXIT_FAILED;
	if ((r = options_parse(&o, ctx, STYLE_NONE, argc, argv)) == 0 &&
	    (r = identity_find(&id, ctx, &o)) == 0) {
		r = print_public(ctx, id.sk);
		complain("from %s", id.source);
	}
	identity_free(&id);
	keyctx_free(ctx);
	return r;
}
