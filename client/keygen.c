/* SPDX-License-Identifier: ISC */
/* skypty keygen and pk: our identity. */
#include "client/commands.h"
#include "client/complain.h"
#include "client/exits.h"
#include "client/flags.h"
#include "client/identity.h"
#include "client/options.h"

#include <errno.h>
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/file.h"
#include "common/base/hex.h"
#include "common/pty/keys.h"

/* An old key is replaced or stays whole. */
static int
keygen_save(const char *path, const uint8_t *sk, bool force)
{
	struct file_new f;
	char *text;
	ssize_t n;
	int r;

	/* Every folder on the way is for us alone. */
	if (file_make_folders(path, 0700) == -1)
		return SKY_ERR_SYS;
	file_sweep(path);
	if ((text = sodium_malloc(KEY_SECRET_HEX)) == NULL)
		return SKY_ERR_NOMEM;
	if ((r = file_new_open(&f, path)) == 0) {
		hex_encode(sk, KEY_SECRET_LEN, text);
		text[KEY_SECRET_HEX - 1] = '\n';
		n = write(f.fd, text, KEY_SECRET_HEX);
		if (n == KEY_SECRET_HEX)
			r = file_new_commit(&f, force);
		else {
			r = SKY_ERR_SYS;
			file_new_drop(&f);
		}
	}
	sodium_free(text);
	return r;
}

static int
keygen_print_public(struct keyctx *ctx, const uint8_t *sk)
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
keygen_generate(struct keyctx *ctx, const char *path, bool force)
{
	uint8_t *sk;
	int r;

	if ((sk = sodium_malloc(KEY_SECRET_LEN)) == NULL ||
	    key_generate(ctx, sk) != 0)
		return EXIT_LOCAL;
	if (file_is_stdout(path)) {
		complain("%s: is standard output as well: the shell's '>' has "
			 "made it or emptied it, and a key that was in it is "
			 "lost; leave out '>', and put back a copy or remove "
			 "the file",
		    path);
		r = EXIT_LOCAL;
	} else if ((r = keygen_save(path, sk, force)) == 0)
		r = keygen_print_public(ctx, sk);
	else {
		complain("%s: %s%s", path,
		    r == SKY_ERR_DENIED ?
			"its folder belongs to somebody else" :
			r == SKY_ERR_FORMAT ? "is no name of a file" :
					      err_text(r),
		    r == SKY_ERR_SYS && errno == EEXIST ?
			"; --force replaces it" :
			"");
		r = EXIT_LOCAL;
	}
	sodium_free(sk);
	return r;
}

int
keygen_main(int argc, char **argv)
{
	struct client_options o;
	struct keyctx *ctx;
	char *path;
	int r;

	options_init(&o);
	if ((r = flags_take(&o, STYLE_KEYGEN, argv[0], argc, argv, NULL)) != 0)
		return r;
	if (argc - optind > 1) {
		complain("keygen makes one file, and these are %d",
		    argc - optind);
		return EXIT_USAGE;
	}
	path = optind < argc ? strdup(argv[optind]) : user_file("identity");
	if (path == NULL || (ctx = keyctx_new()) == NULL) {
		complain("no home directory; name a file");
		return EXIT_LOCAL;
	}
	r = keygen_generate(ctx, path, o.force);
	keyctx_free(ctx);
	free(path);
	return r;
}

int
pk_main(int argc, char **argv)
{
	struct identity id = { 0 };
	struct client_options o;
	struct keyctx *ctx;
	int r;

	if ((ctx = keyctx_new()) == NULL)
		return EXIT_FAILED;
	if ((r = options_parse(&o, ctx, STYLE_KEY, argv[0], argc, argv)) == 0 &&
	    *o.command != NULL) {
		complain("pk takes no words, and there is '%s'; a file is "
			 "-i FILE",
		    *o.command);
		r = EXIT_USAGE;
	}
	if (r == 0 && (r = identity_find(&id, ctx, &o)) == 0) {
		r = keygen_print_public(ctx, id.sk);
		complain("from %s", id.source);
	}
	identity_free(&id);
	keyctx_free(ctx);
	return r;
}
