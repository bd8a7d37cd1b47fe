/* SPDX-License-Identifier: ISC */
/* Files of keys: a vector of its own, cut at each byte, changed at each byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/hex.h"
#include "common/pty/key_file.h"
#include "regress/unit/keyctx_util.h"

/*
 * Made with argon2-cffi and PyCryptodome by what PROTOCOL 8 says:
 * passphrase "correct horse", 2 passes, 1 MiB.
 */
#include "regress/unit/key_file_vector.h"

static const struct key_cost cheap = { .passes = 1, .memory = KEY_MEMORY_MIN };

static void
opens_the_vector(void **state)
{
	uint8_t sk[KEY_SECRET_LEN], want[KEY_SECRET_LEN];
	struct key_file f;

	assert_int_equal(hex_decode(VECTOR_SK, want, sizeof(want)), 0);
	assert_int_equal(key_file_parse(&f, *state, VECTOR, strlen(VECTOR)), 0);
	assert_int_equal(f.kind, KEY_FILE_SEALED);
	assert_int_equal(key_file_open(&f, *state, VECTOR, "correct horse", sk),
	    0);
	assert_memory_equal(sk, want, sizeof(sk));
	assert_int_equal(key_file_open(&f, *state, VECTOR, "correct hors", sk),
	    SKY_ERR_AUTH);
	memset(want, 0, sizeof(want));
	assert_memory_equal(sk, want, sizeof(sk));
}

static void
seal(struct keyctx *kc, const char *pass, struct buf *text, uint8_t *sk)
{
	assert_int_equal(key_generate(kc, sk), 0);
	buf_init(text, KEY_FILE_MAX);
	assert_int_equal(key_file_seal(kc, sk, pass, &cheap, text), 0);
}

static void
comes_back(void **state)
{
	char longest[KEY_PASS_MAX + 2];
	uint8_t sk[KEY_SECRET_LEN], out[KEY_SECRET_LEN];
	struct key_file f;
	struct buf text;

	memset(longest, 'x', sizeof(longest) - 1);
	longest[KEY_PASS_MAX] = '\0';
	seal(*state, longest, &text, sk);
	assert_int_equal(
	    key_file_parse(&f, *state, buf_ptr(&text), buf_len(&text)), 0);
	assert_int_equal(
	    key_file_open(&f, *state, buf_ptr(&text), longest, out), 0);
	assert_memory_equal(sk, out, sizeof(sk));
	longest[KEY_PASS_MAX] = 'x';
	longest[KEY_PASS_MAX + 1] = '\0';
	assert_int_equal(
	    key_file_open(&f, *state, buf_ptr(&text), longest, out),
	    SKY_ERR_LIMIT);
	buf_free(&text);
}

static void
no_byte_may_lack(void **state)
{
	struct key_file f;

	for (size_t n = 0; n < strlen(VECTOR); n++)
		assert_int_equal(key_file_parse(&f, *state, VECTOR, n),
		    n == 0 ? SKY_ERR_FORMAT : SKY_ERR_SHORT);
}

/* Each bit of each byte: refused at once, or by the box. */
static void
no_byte_may_differ(void **state)
{
	uint8_t sk[KEY_SECRET_LEN], out[KEY_SECRET_LEN];
	struct key_file f;
	struct buf text;
	char copy[KEY_FILE_MAX];
	size_t n;

	seal(*state, "a", &text, sk);
	n = buf_len(&text);
	for (size_t i = 0; i < 8 * n; i++) {
		memcpy(copy, buf_ptr(&text), n);
		copy[i / 8] ^= (char)(1 << i % 8);
		if (key_file_parse(&f, *state, copy, n) != 0 ||
		    f.kind != KEY_FILE_SEALED)
			continue;
		/* Digits of either case are the same number. */
		if (key_file_open(&f, *state, copy, "a", out) == 0) {
			assert_int_equal(i % 8, 5);
			assert_true(i / 8 >= n - 2 * KEY_BOX_LEN - 1);
			assert_memory_equal(sk, out, sizeof(sk));
		}
	}
	buf_free(&text);
}

static int
with(void **state, const char *first, const char *cost)
{
	char text[2 * KEY_FILE_MAX];
	struct key_file f;
	const char *pk = strchr(VECTOR, '\n') + 1, *kdf = strstr(VECTOR, "arg");
	const char *rest = strchr(kdf, '\n') + 1;

	snprintf(text, sizeof(text), "%s\n%.*s%s\n%s", first, (int)(kdf - pk),
	    pk, cost, rest);
	return key_file_parse(&f, *state, text, strlen(text));
}

static void
costs_are_bounded(void **state)
{
#define SALT " 00112233445566778899aabbccddeeff"
	static const struct {
		const char *cost;
		int r;
	} rows[] = {
		{ "argon2id 1 8" SALT, 0 },
		{ "argon2id 16 1048576" SALT, 0 },
		{ "argon2id 17 1048576" SALT, SKY_ERR_RANGE },
		{ "argon2id 16 1048577" SALT, SKY_ERR_RANGE },
		{ "argon2id 1 7" SALT, SKY_ERR_RANGE },
		{ "argon2id 3 67108864" SALT, SKY_ERR_RANGE },
		{ "argon2id 18446744073709551617 8" SALT, SKY_ERR_RANGE },
		{ "argon2id 0 8" SALT, SKY_ERR_FORMAT },
		{ "argon2id 01 8" SALT, SKY_ERR_FORMAT },
		{ "argon2id -1 8" SALT, SKY_ERR_FORMAT },
		{ "argon2id +1 8" SALT, SKY_ERR_FORMAT },
		{ "argon2id 1  8" SALT, SKY_ERR_FORMAT },
		{ "argon2id 1" SALT, SKY_ERR_FORMAT },
		{ "argon2i 1 8" SALT, SKY_ERR_FORMAT },
		{ "argon2id 1 8" SALT "00", SKY_ERR_FORMAT },
		{ "argon2id 1 8" SALT " ", SKY_ERR_FORMAT },
		{ "argon2id 1 8" SALT "\r", SKY_ERR_FORMAT },
		{ "argon2id 1 8 0011", SKY_ERR_FORMAT },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(with(state, "skypty key 1", rows[i].cost),
		    rows[i].r);
	assert_int_equal(with(state, "skypty key 2", rows[0].cost),
	    SKY_ERR_STATE);
	assert_int_equal(with(state, "skypty key 11", rows[0].cost),
	    SKY_ERR_STATE);
	assert_int_equal(with(state, "skypty key ", rows[0].cost),
	    SKY_ERR_STATE);
}

static void
other_texts(void **state)
{
	char text[2 * KEY_FILE_MAX];
	struct key_file f;
	const char *pk = strstr(VECTOR, "pk ") + 3;

	snprintf(text, sizeof(text), "%s\n", VECTOR);
	assert_int_equal(key_file_parse(&f, *state, text, strlen(text)),
	    SKY_ERR_TRAILING);
	snprintf(text, sizeof(text), VECTOR_SK "\r\n");
	assert_int_equal(key_file_parse(&f, *state, text, strlen(text)), 0);
	assert_int_equal(f.kind, KEY_FILE_PLAIN);
	snprintf(text, sizeof(text), "%.66s my laptop\n", pk);
	assert_int_equal(key_file_parse(&f, *state, text, strlen(text)), 0);
	assert_int_equal(f.kind, KEY_FILE_PUBLIC);
	text[0] = '1';
	assert_int_equal(key_file_parse(&f, *state, text, strlen(text)),
	    SKY_ERR_KEY);
	snprintf(text, sizeof(text), VECTOR_SK "zz\n");
	assert_int_equal(key_file_parse(&f, *state, text, strlen(text)),
	    SKY_ERR_FORMAT);
	memset(text, 'a', sizeof(text));
	assert_int_equal(key_file_parse(&f, *state, text, sizeof(text)),
	    SKY_ERR_FORMAT);
	assert_int_equal(key_file_parse(&f, *state, "", 0), SKY_ERR_FORMAT);
	memset(text, 0, sizeof(text));
	assert_int_equal(key_file_parse(&f, *state, text, 64), SKY_ERR_FORMAT);
	assert_int_equal(
	    key_file_parse(&f, *state, "-----BEGIN OPENSSH PRIVATE KEY", 30),
	    SKY_ERR_FORMAT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_the_vector),
		cmocka_unit_test(comes_back),
		cmocka_unit_test(no_byte_may_lack),
		cmocka_unit_test(no_byte_may_differ),
		cmocka_unit_test(costs_are_bounded),
		cmocka_unit_test(other_texts),
	};

	return cmocka_run_group_tests(tests, keyctx_start, keyctx_stop);
}
