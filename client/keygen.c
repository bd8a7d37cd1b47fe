/* SPDX-License-Identifier: ISC */
/* skypty keygen and pk: our identity. */
#include "client/commands.h"
#include "client/complain.h"
#include "client/exits.h"
#include "client/flags.h"
#include "client/identity.h"
#include "client/identity_file.h"
#include "client/options.h"
#include "client/passphrase.h"

#include <errno.h>
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/file.h"
#include "common/pty/key_file.h"
#include "common/pty/keys.h"

/* The text of the file, sealed if there is a passphrase. */
static int
keygen_text(struct keyctx *ctx, const uint8_t *sk, const char *pass,
    struct buf *text)
{
	buf_init(text, KEY_FILE_MAX);
	return *pass != '\0' ?
	    key_file_seal(ctx, sk, pass, &key_cost_default, text) :
	    key_file_plain(sk, text);
}

/* An old file is replaced or stays whole. */
static int
keygen_write(const char *path, struct buf *text, bool replace)
{
	struct file_new f;
	int r;

	file_sweep(path);
	if ((r = file_new_open(&f, path)) != 0)
		return r;
	if (buf_write(text, f.fd) > 0 && buf_len(text) == 0)
		return file_new_commit(&f, replace);
	file_new_drop(&f);
	return SKY_ERR_SYS;
}

static int
keygen_save(struct keyctx *ctx, const char *path, const uint8_t *sk,
    const char *pass, bool force)
{
	struct buf text;
	int r;

	/* Every folder on the way is for us alone. */
	if (file_make_folders(path, 0700) == -1)
		return SKY_ERR_SYS;
	if ((r = keygen_text(ctx, sk, pass, &text)) == 0)
		r = keygen_write(path, &text, force);
	buf_free(&text);
	return r;
}

static int
keygen_tell(const char *path, int r)
{
	complain("%s: %s%s", path,
	    r == SKY_ERR_DENIED	    ? "its folder belongs to somebody else" :
		r == SKY_ERR_FORMAT ? "is no name of a file" :
				      err_text(r),
	    r == SKY_ERR_SYS && errno == EEXIST ? "; --force replaces it" : "");
	return EXIT_LOCAL;
}

/* From a file, or from whoever sits there; else a new key has none. */
static int
keygen_passphrase(const char *file, bool must, char *pass)
{
	if (file != NULL)
		return passphrase_from_file(pass, file);
	if (must || (isatty(STDIN_FILENO) == 1 && passphrase_has_terminal()))
		return passphrase_ask_new(pass);
	return 0;
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

/* Before anybody is asked anything. */
static int
keygen_check(const char *path, bool force)
{
	if (file_is_stdout(path)) {
		complain("%s: is standard output as well: the shell's '>' has "
			 "made it or emptied it, and a key that was in it is "
			 "lost; leave out '>', and put back a copy or remove "
			 "the file",
		    path);
		return EXIT_LOCAL;
	}
	if (force || access(path, F_OK) == -1)
		return 0;
	errno = EEXIST;
	return keygen_tell(path, SKY_ERR_SYS);
}

static int
keygen_generate(struct keyctx *ctx, const char *path,
    const struct client_options *o, char *pass)
{
	uint8_t *sk;
	int r;

	if ((r = keygen_check(path, o->force)) != 0 ||
	    (r = keygen_passphrase(o->pass_file, false, pass)) != 0)
		return r;
	if ((sk = sodium_malloc(KEY_SECRET_LEN)) == NULL ||
	    key_generate(ctx, sk) != 0)
		return EXIT_LOCAL;
	if ((r = keygen_save(ctx, path, sk, pass, o->force)) == 0)
		r = keygen_print_public(ctx, sk);
	else
		r = keygen_tell(path, r);
	sodium_free(sk);
	return r;
}

static int
keygen_reseal(struct keyctx *ctx, const struct identity_file *f,
    const struct client_options *o, char *pass)
{
	uint8_t *sk = sodium_malloc(KEY_SECRET_LEN);
	struct buf text = { 0 };
	int r = EXIT_LOCAL;

	if (sk != NULL && identity_file_open(f, ctx, o->pass_file, sk) == 0 &&
	    keygen_passphrase(o->new_pass_file, true, pass) == 0) {
		if ((r = keygen_text(ctx, sk, pass, &text)) == 0)
			r = keygen_write(f->path, &text, true);
		if (r != 0)
			r = keygen_tell(f->path, r);
		buf_free(&text);
	}
	sodium_free(sk);
	return r;
}

/*
 * The new file takes the old one's place when it is on the disk.  A link stays
 * one: what it leads to is changed.
 */
static int
keygen_change(struct keyctx *ctx, const char *path,
    const struct client_options *o, char *pass)
{
	char *real = realpath(path, NULL);
	struct identity_file f = { 0 };
	int r = EXIT_LOCAL;

	if (real == NULL)
		complain("%s: %s", path, strerror(errno));
	else if (identity_file_read(&f, ctx, real) == 0) {
		r = keygen_reseal(ctx, &f, o, pass);
		if (r == 0)
			complain("%s has %s passphrase", path,
			    *pass != '\0' ? "its new" : "no");
	}
	identity_file_free(&f);
	free(real);
	return r;
}

static int
keygen_do(struct keyctx *ctx, const char *path, const struct client_options *o)
{
	char *pass, pk[KEY_PUBLIC_HEX];
	int r;

	if (o->public_only) {
		if (identity_public(ctx, path, pk) != 0)
			return EXIT_LOCAL;
		puts(pk);
		return 0;
	}
	if ((pass = passphrase_new()) == NULL)
		return EXIT_LOCAL;
	r = o->change ? keygen_change(ctx, path, o, pass) :
			keygen_generate(ctx, path, o, pass);
	passphrase_free(pass);
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
	if (o.change + o.public_only + o.force > 1 ||
	    (o.new_pass_file != NULL && !o.change)) {
		complain("keygen: -f, -p and -y exclude each other, and "
			 "--new-passphrase-file goes with -p");
		return EXIT_USAGE;
	}
	path = optind < argc ? strdup(argv[optind]) : user_file("identity");
	if (path == NULL || (ctx = keyctx_new()) == NULL) {
		complain("no home directory; name a file");
		return EXIT_LOCAL;
	}
	r = keygen_do(ctx, path, &o);
	keyctx_free(ctx);
	free(path);
	return r;
}

int
pk_main(int argc, char **argv)
{
	struct identity id = { 0 };
	struct client_options o;
	char text[KEY_PUBLIC_HEX];
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
	o.public_only = true;
	if (r == 0 && (r = identity_find(&id, ctx, &o)) == 0) {
		key_text(&id.pk, text);
		puts(text);
		complain("from %s", id.source);
	}
	identity_free(&id);
	keyctx_free(ctx);
	return r;
}
