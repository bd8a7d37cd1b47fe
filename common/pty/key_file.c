/* SPDX-License-Identifier: ISC */
/*
 * The file of a key.  PROTOCOL 8:
 *
 *	skypty key 1
 *	pk <66 digits>
 *	argon2id <passes> <KiB> <salt, 32 digits>
 *	xchacha20poly1305 <nonce, 48 digits>
 *	<box, 96 digits>
 */
#include "common/pty/key_file.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/hex.h"

#define MAGIC	     "skypty key "
#define KEY_LINE_MAX 160

#define LENGTH(literal) (sizeof(literal) - 1)

const struct key_cost key_cost_default = { .passes = 3, .memory = 256 * 1024 };

/* --- words of a line --- */

/* One line without its newline; a text that ends before it is cut off. */
static int
key_file_line(struct buf *b, char line[static KEY_LINE_MAX])
{
	const uint8_t *nl = memchr(buf_ptr(b), '\n', buf_len(b));
	size_t n;
	int r;

	if (nl == NULL)
		return buf_len(b) < KEY_LINE_MAX ? SKY_ERR_SHORT :
						   SKY_ERR_FORMAT;
	if ((n = (size_t)(nl - buf_ptr(b))) >= KEY_LINE_MAX)
		return SKY_ERR_FORMAT;
	if ((r = buf_get(b, line, n)) != 0)
		return r;
	line[n] = '\0';
	return strlen(line) == n ? buf_skip(b, 1) : SKY_ERR_FORMAT;
}

/* The line's name and one blank, behind which *rest stands. */
static int
key_file_named(char *line, const char *name, char **rest)
{
	size_t n = strlen(name);

	if (strncmp(line, name, n) != 0 || line[n] != ' ')
		return SKY_ERR_FORMAT;
	*rest = line + n + 1;
	return 0;
}

/* Decimal, as it is written: no sign, no leading zero, one blank behind it. */
static int
key_file_number(char **rest, uint32_t min, uint32_t max, uint32_t *value)
{
	size_t n = strspn(*rest, "0123456789");
	uint64_t v = 0;

	if (n == 0 || (*rest)[n] != ' ' || **rest == '0')
		return SKY_ERR_FORMAT;
	for (size_t i = 0; i < n; i++)
		if ((v = v * 10 + (uint64_t)((*rest)[i] - '0')) > max)
			return SKY_ERR_RANGE;
	if (v < min)
		return SKY_ERR_RANGE;
	*value = (uint32_t)v;
	*rest += n + 1;
	return 0;
}

/* --- reading --- */

static int
key_file_parse_cost(char *rest, struct key_file *f)
{
	int r;

	if ((r = key_file_number(&rest, 1, KEY_PASSES_MAX, &f->cost.passes)) !=
		0 ||
	    (r = key_file_number(&rest, KEY_MEMORY_MIN, KEY_MEMORY_MAX,
		 &f->cost.memory)) != 0)
		return r;
	return hex_decode(rest, f->salt, sizeof(f->salt));
}

static int
key_file_parse_sealed(struct key_file *f, struct keyctx *kc, struct buf *b)
{
	size_t all = buf_len(b);
	char line[KEY_LINE_MAX], *rest;
	int r;

	f->kind = KEY_FILE_SEALED;
	if ((r = key_file_line(b, line)) != 0)
		return r;
	if (strcmp(line, MAGIC "1") != 0)
		return SKY_ERR_STATE;
	if ((r = key_file_line(b, line)) != 0 ||
	    (r = key_file_named(line, "pk", &rest)) != 0 ||
	    (r = key_parse_public(kc, rest, &f->pk)) != 0 ||
	    (r = key_file_line(b, line)) != 0 ||
	    (r = key_file_named(line, "argon2id", &rest)) != 0 ||
	    (r = key_file_parse_cost(rest, f)) != 0 ||
	    (r = key_file_line(b, line)) != 0 ||
	    (r = key_file_named(line, "xchacha20poly1305", &rest)) != 0 ||
	    (r = hex_decode(rest, f->nonce, sizeof(f->nonce))) != 0)
		return r;
	f->head = all - buf_len(b);
	if ((r = key_file_line(b, line)) != 0 ||
	    (r = hex_decode(line, f->box, sizeof(f->box))) != 0)
		return r;
	return buf_at_end(b);
}

/* How many digits a text begins with, if a blank or its end follows them. */
static size_t
key_file_digits(const char *text, size_t n)
{
	size_t i = 0;

	while (i < n && strchr("0123456789abcdefABCDEF", text[i]) != NULL &&
	    text[i] != '\0')
		i++;
	return i == n || strchr(" \t\r\n", text[i]) != NULL ? i : 0;
}

int
key_file_parse(struct key_file *f, struct keyctx *kc, const void *text,
    size_t n)
{
	char digits[KEY_PUBLIC_HEX];
	size_t same = n < LENGTH(MAGIC) ? n : LENGTH(MAGIC);
	struct buf b;

	memset(f, 0, sizeof(*f));
	if (n > KEY_FILE_MAX)
		return SKY_ERR_FORMAT;
	buf_view(&b, text, n);
	if (n != 0 && memcmp(text, MAGIC, same) == 0)
		return same < LENGTH(MAGIC) ? SKY_ERR_SHORT :
					      key_file_parse_sealed(f, kc, &b);
	switch (key_file_digits(text, n)) {
	case KEY_SECRET_HEX - 1:
		f->kind = KEY_FILE_PLAIN;
		return 0;
	case KEY_PUBLIC_HEX - 1:
		f->kind = KEY_FILE_PUBLIC;
		memcpy(digits, text, sizeof(digits) - 1);
		digits[sizeof(digits) - 1] = '\0';
		return key_parse_public(kc, digits, &f->pk);
	default:
		return SKY_ERR_FORMAT;
	}
}

/* --- the box --- */

static int
key_file_derive(const char *pass, const struct key_cost *cost,
    const uint8_t *salt, uint8_t *key)
{
	uint64_t memory = (uint64_t)cost->memory * 1024;

	if (strlen(pass) > KEY_PASS_MAX)
		return SKY_ERR_LIMIT;
	if (memory > SIZE_MAX ||
	    crypto_pwhash(key, crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
		pass, strlen(pass), salt, cost->passes, (size_t)memory,
		crypto_pwhash_ALG_ARGON2ID13) != 0)
		return SKY_ERR_NOMEM;
	return 0;
}

/* What stands before the box is bound to it: nobody changes pk or costs. */
int
key_file_open(const struct key_file *f, struct keyctx *kc, const void *text,
    const char *pass, uint8_t *sk)
{
	struct key_public pk;
	uint8_t *key;
	int r;

	key = sodium_malloc(crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
	if (key == NULL)
		return SKY_ERR_NOMEM;
	r = key_file_derive(pass, &f->cost, f->salt, key);
	if (r == 0 &&
	    crypto_aead_xchacha20poly1305_ietf_decrypt(sk, NULL, NULL, f->box,
		sizeof(f->box), text, f->head, f->nonce, key) != 0)
		r = SKY_ERR_AUTH;
	sodium_free(key);
	if (r == 0 && (key_public(kc, sk, &pk) != 0 || !key_equal(&pk, &f->pk)))
		r = SKY_ERR_KEY;
	if (r != 0)
		sodium_memzero(sk, KEY_SECRET_LEN);
	return r;
}

static int
key_file_put_hex(struct buf *text, const uint8_t *p, size_t n, char end)
{
	char hex[2 * KEY_BOX_LEN + 1];

	hex_encode(p, n, hex);
	hex[2 * n] = end;
	return buf_put(text, hex, 2 * n + 1);
}

static int
key_file_put_head(struct buf *text, const struct key_public *pk,
    const struct key_cost *cost, const uint8_t *salt, const uint8_t *nonce)
{
	char line[KEY_LINE_MAX], hex[KEY_PUBLIC_HEX];
	int r;

	key_text(pk, hex);
	snprintf(line, sizeof(line), MAGIC "1\npk %s\nargon2id %u %u ", hex,
	    cost->passes, cost->memory);
	if ((r = buf_put(text, line, strlen(line))) != 0 ||
	    (r = key_file_put_hex(text, salt, KEY_SALT_LEN, '\n')) != 0 ||
	    (r = buf_put(text, "xchacha20poly1305 ",
		 LENGTH("xchacha20poly1305 "))) != 0)
		return r;
	return key_file_put_hex(text, nonce, KEY_NONCE_LEN, '\n');
}

int
key_file_seal(struct keyctx *kc, const uint8_t *sk, const char *pass,
    const struct key_cost *cost, struct buf *text)
{
	uint8_t salt[KEY_SALT_LEN], nonce[KEY_NONCE_LEN], box[KEY_BOX_LEN];
	struct key_public pk;
	size_t start = buf_len(text);
	uint8_t *key;
	int r;

	key = sodium_malloc(crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
	if (key == NULL)
		return SKY_ERR_NOMEM;
	randombytes_buf(salt, sizeof(salt));
	randombytes_buf(nonce, sizeof(nonce));
	if ((r = key_public(kc, sk, &pk)) == 0 &&
	    (r = key_file_derive(pass, cost, salt, key)) == 0 &&
	    (r = key_file_put_head(text, &pk, cost, salt, nonce)) == 0) {
		crypto_aead_xchacha20poly1305_ietf_encrypt(box, NULL, sk,
		    KEY_SECRET_LEN, buf_ptr(text) + start,
		    buf_len(text) - start, NULL, nonce, key);
		r = key_file_put_hex(text, box, sizeof(box), '\n');
	}
	sodium_free(key);
	return r;
}

int
key_file_plain(const uint8_t *sk, struct buf *text)
{
	uint8_t *hex;
	int r;

	if ((r = buf_extend(text, KEY_SECRET_HEX, &hex)) != 0)
		return r;
	hex_encode(sk, KEY_SECRET_LEN, (char *)hex);
	hex[KEY_SECRET_HEX - 1] = '\n';
	return 0;
}
