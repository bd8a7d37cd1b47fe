/* SPDX-License-Identifier: ISC */
/* Files of keys: reading, and the question for the passphrase. */
#include "client/identity_file.h"
#include "client/complain.h"
#include "client/exits.h"
#include "client/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/err.h"

#define ATTEMPTS 3 /* as ssh */

/* A command may connect more than once: its user is asked once. */
static struct {
	uint8_t *sk; /* NULL: none */
	struct key_public pk;
} opened;

static const char *
identity_file_why(int r)
{
	switch (r) {
	case SKY_ERR_SHORT:
		return "the key is cut short; put back a copy of the file";
	case SKY_ERR_STATE:
		return "the key is in the form of another version of skypty";
	case SKY_ERR_RANGE:
		return "the key asks for more memory or time than any that "
		       "skypty makes: the file is damaged or not yours";
	case SKY_ERR_TRAILING:
		return "something follows the key";
	default:
		return "holds no secret key (64 hexadecimal digits)";
	}
}

static ssize_t
identity_file_slurp(int fd, char *text)
{
	size_t n = 0;
	ssize_t r;

	while (n < KEY_FILE_MAX) {
		r = read(fd, text + n, KEY_FILE_MAX - n);
		if (r == -1 && errno == EINTR)
			continue;
		if (r <= 0)
			return r == 0 ? (ssize_t)n : -1;
		n += (size_t)r;
	}
	return (ssize_t)n;
}

/* The secret in a plain file, or what is wrong with it. */
static int
identity_file_plain(const struct identity_file *f, struct keyctx *ctx,
    uint8_t *sk)
{
	char *digits = sodium_malloc(KEY_SECRET_HEX);
	int r = SKY_ERR_FORMAT;

	if (digits == NULL)
		return SKY_ERR_NOMEM;
	if (f->n >= KEY_SECRET_HEX - 1) {
		memcpy(digits, f->text, KEY_SECRET_HEX - 1);
		digits[KEY_SECRET_HEX - 1] = '\0';
		r = key_parse_secret(ctx, digits, sk);
	}
	sodium_free(digits);
	return r;
}

static int
identity_file_parse(struct identity_file *f, struct keyctx *ctx)
{
	uint8_t *sk;
	int r;

	if ((r = key_file_parse(&f->key, ctx, f->text, f->n)) != 0 ||
	    f->key.kind != KEY_FILE_PLAIN)
		return r;
	if ((sk = sodium_malloc(KEY_SECRET_LEN)) == NULL)
		return SKY_ERR_NOMEM;
	if ((r = identity_file_plain(f, ctx, sk)) == 0)
		r = key_public(ctx, sk, &f->key.pk);
	sodium_free(sk);
	return r;
}

static int
identity_file_take(struct identity_file *f, struct keyctx *ctx, int fd)
{
	struct stat st;
	ssize_t n;
	int r;

	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		complain("%s: not a regular file", f->path);
		return EXIT_FAILED;
	}
	if ((n = identity_file_slurp(fd, f->text)) == -1) {
		complain("%s: %s", f->path, strerror(errno));
		return EXIT_FAILED;
	}
	f->n = (size_t)n;
	r = identity_file_parse(f, ctx);
	if ((st.st_mode & 077) != 0 &&
	    (r != 0 || f->key.kind != KEY_FILE_PUBLIC)) {
		complain("%s: others may read it (mode %04o); run: chmod 600 "
			 "%s",
		    f->path, (unsigned)(st.st_mode & 07777), f->path);
		return EXIT_FAILED;
	}
	if (r == 0)
		return 0;
	complain("%s: %s", f->path, identity_file_why(r));
	return EXIT_FAILED;
}

int
identity_file_read(struct identity_file *f, struct keyctx *ctx,
    const char *path)
{
	int fd, r;

	*f = (struct identity_file){ .path = path };
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) == -1) {
		complain("%s: %s", path, strerror(errno));
		return EXIT_FAILED;
	}
	if ((f->text = sodium_malloc(KEY_FILE_MAX)) == NULL) {
		complain("out of locked memory (ulimit -l)");
		r = EXIT_FAILED;
	} else
		r = identity_file_take(f, ctx, fd);
	close(fd);
	if (r != 0)
		identity_file_free(f);
	return r;
}

void
identity_file_free(struct identity_file *f)
{
	sodium_free(f->text);
	f->text = NULL;
}

/* --- what is open --- */

void
identity_file_forget(void)
{
	sodium_free(opened.sk);
	opened.sk = NULL;
}

static void
identity_file_keep(const struct identity_file *f, const uint8_t *sk)
{
	identity_file_forget();
	if ((opened.sk = sodium_malloc(KEY_SECRET_LEN)) == NULL)
		return;
	memcpy(opened.sk, sk, KEY_SECRET_LEN);
	opened.pk = f->key.pk;
}

/* --- the passphrase --- */

static int
identity_file_try(const struct identity_file *f, struct keyctx *ctx,
    const char *pass, uint8_t *sk)
{
	int r = key_file_open(&f->key, ctx, f->text, pass, sk);

	if (r == SKY_ERR_NOMEM)
		complain("%s: its passphrase takes %u MiB of memory to try, "
			 "and there is not that much",
		    f->path, (f->key.cost.memory + 1023) / 1024);
	else if (r != 0 && r != SKY_ERR_AUTH)
		complain("%s: %s", f->path, err_text(r));
	return r;
}

static int
identity_file_by_file(const struct identity_file *f, struct keyctx *ctx,
    char *pass, const char *from, uint8_t *sk)
{
	int r;

	if (passphrase_from_file(pass, from) != 0)
		return EXIT_FAILED;
	if ((r = identity_file_try(f, ctx, pass, sk)) == SKY_ERR_AUTH)
		complain("%s: the passphrase in %s is wrong, or the file is "
			 "damaged",
		    f->path, from);
	return r == 0 ? 0 : EXIT_FAILED;
}

static int
identity_file_by_asking(const struct identity_file *f, struct keyctx *ctx,
    char *pass, uint8_t *sk)
{
	char prompt[512];
	int r;

	snprintf(prompt, sizeof(prompt), "Passphrase for %.480s: ", f->path);
	for (int i = 1; i <= ATTEMPTS; i++) {
		/* Nothing is no passphrase, and a way out. */
		if (passphrase_ask(pass, prompt) != 0 || *pass == '\0')
			return EXIT_FAILED;
		if ((r = identity_file_try(f, ctx, pass, sk)) != SKY_ERR_AUTH)
			return r == 0 ? 0 : EXIT_FAILED;
		complain("%s: the passphrase is wrong%s", f->path,
		    i < ATTEMPTS ? "; try again" : "");
	}
	return EXIT_FAILED;
}

int
identity_file_open(const struct identity_file *f, struct keyctx *ctx,
    const char *passphrase_file, uint8_t *sk)
{
	char *pass;
	int r;

	if (f->key.kind == KEY_FILE_PLAIN)
		return identity_file_plain(f, ctx, sk) == 0 ? 0 : EXIT_FAILED;
	if (f->key.kind == KEY_FILE_PUBLIC) {
		complain("%s: is a public key, and no agent has its secret one "
			 "(skypty add FILE)",
		    f->path);
		return EXIT_FAILED;
	}
	if (opened.sk != NULL && key_equal(&opened.pk, &f->key.pk)) {
		memcpy(sk, opened.sk, KEY_SECRET_LEN);
		return 0;
	}
	if ((pass = passphrase_new()) == NULL)
		return EXIT_FAILED;
	r = passphrase_file != NULL ?
	    identity_file_by_file(f, ctx, pass, passphrase_file, sk) :
	    identity_file_by_asking(f, ctx, pass, sk);
	passphrase_free(pass);
	if (r == 0)
		identity_file_keep(f, sk);
	return r;
}
