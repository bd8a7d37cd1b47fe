/* SPDX-License-Identifier: ISC */
/* Tokens are good once, cookies for a while, and no guess keeps anybody out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "monitor/http/http_auth.h"

#define TTL 100

static struct auth a;
static uint8_t good[HTTP_TOKEN_LEN], wrong[HTTP_TOKEN_LEN];
static uint8_t cookie[HTTP_TOKEN_LEN];

static void
new_token(uint8_t byte, uint8_t token[HTTP_TOKEN_LEN])
{
	uint8_t hash[32];

	memset(token, byte, HTTP_TOKEN_LEN);
	crypto_hash_sha256(hash, token, HTTP_TOKEN_LEN);
	auth_new_token(&a, hash);
}

static int
set_up(void **state)
{
	(void)state;
	memset(&a, 0, sizeof(a));
	new_token(0xab, good);
	memset(wrong, 0xac, sizeof(wrong));
	memset(cookie, 0, sizeof(cookie));
	return 0;
}

static bool
enter(const uint8_t *token, int64_t now)
{
	return auth_enter(&a, token, now, TTL, cookie);
}

static void
test_once(void **state)
{
	uint8_t other[HTTP_TOKEN_LEN];

	(void)state;
	assert_true(enter(good, 5));
	assert_true(auth_cookie(&a, cookie, 5));
	memcpy(other, cookie, sizeof(other));
	assert_false(enter(good, 6));
	assert_memory_equal(cookie, other, sizeof(other));
}

/* Each bit of both counts. */
static void
test_wrong(void **state)
{
	uint8_t bad[HTTP_TOKEN_LEN];

	(void)state;
	for (size_t i = 0; i < 8 * sizeof(bad); i++) {
		memcpy(bad, good, sizeof(bad));
		bad[i / 8] ^= (uint8_t)(1U << i % 8);
		assert_false(enter(bad, 1));
	}
	assert_true(enter(good, 1));
	for (size_t i = 0; i < 8 * sizeof(bad); i++) {
		memcpy(bad, cookie, sizeof(bad));
		bad[i / 8] ^= (uint8_t)(1U << i % 8);
		assert_false(auth_cookie(&a, bad, 1));
	}
	assert_true(auth_cookie(&a, cookie, 1));
}

/* The token is no cookie, nor is what a free slot or a hash looks like. */
static void
test_no_cookie(void **state)
{
	uint8_t zeros[HTTP_TOKEN_LEN] = { 0 };

	(void)state;
	assert_false(auth_cookie(&a, good, 1));
	assert_false(auth_cookie(&a, zeros, 1));
	assert_false(auth_cookie(&a, a.token, 1));
	assert_true(enter(good, 1));
	assert_false(auth_cookie(&a, a.cookie[0].hash, 1));
	assert_false(auth_cookie(&a, good, 1));
}

static void
test_none_yet(void **state)
{
	uint8_t zeros[HTTP_TOKEN_LEN] = { 0 };

	(void)state;
	memset(&a, 0, sizeof(a));
	assert_false(enter(zeros, 1));
	assert_false(enter(good, 1));
}

static void
test_expiry(void **state)
{
	(void)state;
	assert_true(enter(good, 1000));
	assert_true(auth_cookie(&a, cookie, 1000 + TTL - 1));
	assert_false(auth_cookie(&a, cookie, 1000 + TTL));
}

static void
test_new_token(void **state)
{
	uint8_t token[HTTP_TOKEN_LEN];

	(void)state;
	new_token(0x11, token);
	assert_false(enter(good, 1));
	assert_true(enter(token, 1));
	assert_false(enter(token, 1));
	new_token(0x11, token);
	assert_true(enter(token, 1));
}

/* The oldest makes room, and no two are the same. */
static void
test_many_cookies(void **state)
{
	uint8_t token[HTTP_TOKEN_LEN], all[AUTH_COOKIES + 1][HTTP_TOKEN_LEN];

	(void)state;
	for (int i = 0; i <= AUTH_COOKIES; i++) {
		new_token((uint8_t)i, token);
		assert_true(enter(token, 1 + i));
		memcpy(all[i], cookie, sizeof(cookie));
		for (int j = 0; j < i; j++)
			assert_memory_not_equal(all[i], all[j], sizeof(all[i]));
	}
	assert_false(auth_cookie(&a, all[0], 1 + AUTH_COOKIES));
	for (int i = 1; i <= AUTH_COOKIES; i++)
		assert_true(auth_cookie(&a, all[i], 1 + AUTH_COOKIES));
}

/* Whoever guesses, and how often, keeps nobody out. */
static void
test_guesses(void **state)
{
	(void)state;
	for (int i = 0; i < 10000; i++) {
		memcpy(wrong, &i, sizeof(i));
		assert_false(enter(wrong, 60));
	}
	assert_true(enter(good, 60));
	for (int i = 0; i < 10000; i++)
		assert_false(enter(good, 61));
	assert_true(auth_cookie(&a, cookie, 61));
}

static void
test_forgotten(void **state)
{
	(void)state;
	assert_true(enter(good, 1));
	new_token(0x11, good);
	auth_forget(&a);
	assert_false(auth_cookie(&a, cookie, 1));
	assert_false(enter(good, 1));
}

static void
test_lines(void **state)
{
	(void)state;
	for (int minute = 1; minute < 4; minute++) {
		for (int i = 1; i < AUTH_LINES; i++)
			assert_int_equal(auth_line(&a, 60 * minute + i), 2);
		assert_int_equal(auth_line(&a, 60 * minute + 30), 1);
		for (int i = 0; i < 100; i++)
			assert_int_equal(auth_line(&a, 60 * minute + 59), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_once, set_up),
		cmocka_unit_test_setup(test_wrong, set_up),
		cmocka_unit_test_setup(test_no_cookie, set_up),
		cmocka_unit_test_setup(test_none_yet, set_up),
		cmocka_unit_test_setup(test_expiry, set_up),
		cmocka_unit_test_setup(test_new_token, set_up),
		cmocka_unit_test_setup(test_many_cookies, set_up),
		cmocka_unit_test_setup(test_guesses, set_up),
		cmocka_unit_test_setup(test_forgotten, set_up),
		cmocka_unit_test_setup(test_lines, set_up),
	};

	if (sodium_init() == -1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
