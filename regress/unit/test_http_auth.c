/* SPDX-License-Identifier: ISC */
/* Tokens are good once, cookies for a while, and guesses are few. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "common/hex.h"
#include "daemon/http.h"

#define TTL 100

static struct auth a;
static char good[2 * WEB_TOKEN_LEN + 1], cookie[AUTH_COOKIE_LEN];

static void
token_of(uint8_t byte, char text[2 * WEB_TOKEN_LEN + 1], uint8_t hash[32])
{
	uint8_t raw[WEB_TOKEN_LEN];

	memset(raw, byte, sizeof(raw));
	hex_encode(raw, sizeof(raw), text);
	crypto_hash_sha256(hash, raw, sizeof(raw));
}

static int
set_up(void **state)
{
	static const uint8_t seed[32] = { 7 };
	uint8_t hash[32];

	(void)state;
	token_of(0xab, good, hash);
	auth_init(&a, hash, seed);
	memset(cookie, 0, sizeof(cookie));
	return 0;
}

static bool
take(const char *token, const char *address, int64_t now)
{
	return auth_take_token(&a, token, address, now, TTL, cookie);
}

static void
test_once(void **state)
{
	char other[AUTH_COOKIE_LEN];

	(void)state;
	assert_true(take(good, "::1", 5));
	assert_int_equal(strlen(cookie), 2 * WEB_TOKEN_LEN);
	assert_true(auth_cookie(&a, cookie, 5));
	memcpy(other, cookie, sizeof(other));
	assert_false(take(good, "::1", 6));
	assert_string_equal(cookie, other);
}

static void
test_wrong_text(void **state)
{
	char text[160];

	(void)state;
	assert_false(take("", "a", 1));
	assert_false(take("0", "b", 1));
	snprintf(text, sizeof(text), "%.63s", good);
	assert_false(take(text, "c", 1));
	snprintf(text, sizeof(text), "%s0", good);
	assert_false(take(text, "d", 1));
	snprintf(text, sizeof(text), "%s00", good);
	assert_false(take(text, "e", 1));
	snprintf(text, sizeof(text), " %s", good);
	assert_false(take(text, "f", 1));
	snprintf(text, sizeof(text), "%.63sg", good);
	assert_false(take(text, "g", 1));
	assert_true(take(good, "h", 1));
}

static void
test_cookie_text(void **state)
{
	char text[160];

	(void)state;
	assert_false(auth_cookie(&a, "", 0));
	assert_false(auth_cookie(&a, good, 0));
	/* Nobody has one whose hash is of zeros, as in a free slot. */
	assert_false(auth_cookie(&a,
	    "0000000000000000000000000000000000000000000000000000000000000000",
	    0));
	assert_true(take(good, "::1", 0));
	snprintf(text, sizeof(text), "%.63s", cookie);
	assert_false(auth_cookie(&a, text, 0));
	snprintf(text, sizeof(text), "%s00", cookie);
	assert_false(auth_cookie(&a, text, 0));
	cookie[0] = cookie[0] == '0' ? '1' : '0';
	assert_false(auth_cookie(&a, cookie, 0));
}

static void
test_expiry(void **state)
{
	(void)state;
	assert_true(take(good, "::1", 1000));
	assert_true(auth_cookie(&a, cookie, 1000 + TTL - 1));
	assert_false(auth_cookie(&a, cookie, 1000 + TTL));
}

static void
test_new_token(void **state)
{
	char text[2 * WEB_TOKEN_LEN + 1];
	uint8_t hash[32];

	(void)state;
	token_of(0x11, text, hash);
	auth_new_token(&a, hash);
	assert_false(take(good, "x", 0));
	assert_true(take(text, "y", 0));
	assert_false(take(text, "y", 0));
	auth_new_token(&a, hash);
	assert_true(take(text, "y", 0));
}

/* The oldest makes room, and no two are the same. */
static void
test_many_cookies(void **state)
{
	char text[2 * WEB_TOKEN_LEN + 1];
	char all[AUTH_COOKIES + 1][AUTH_COOKIE_LEN];
	uint8_t hash[32];

	(void)state;
	for (int i = 0; i <= AUTH_COOKIES; i++) {
		token_of((uint8_t)i, text, hash);
		auth_new_token(&a, hash);
		assert_true(take(text, "::1", i));
		memcpy(all[i], cookie, sizeof(cookie));
		for (int j = 0; j < i; j++)
			assert_string_not_equal(all[i], all[j]);
	}
	assert_false(auth_cookie(&a, all[0], AUTH_COOKIES));
	for (int i = 1; i <= AUTH_COOKIES; i++)
		assert_true(auth_cookie(&a, all[i], AUTH_COOKIES));
}

static void
test_tries_of_one(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		assert_false(take("00", "10.0.0.1", 60));
	assert_false(take(good, "10.0.0.1", 119));
	assert_true(take(good, "10.0.0.2", 119));
}

static void
test_tries_pass(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		assert_false(take("00", "10.0.0.1", 60));
	/* What is refused unseen does not make it longer. */
	assert_false(take(good, "10.0.0.1", 119));
	assert_true(take(good, "10.0.0.1", 120));
}

static void
test_tries_of_all(void **state)
{
	char address[32];

	(void)state;
	for (int i = 0; i < 30; i++) {
		snprintf(address, sizeof(address), "10.0.1.%d", i);
		assert_false(take("00", address, 70));
	}
	assert_false(take(good, "10.0.2.1", 100));
	assert_true(take(good, "10.0.2.1", 130));
}

/* More addresses than are remembered. */
static void
test_many_addresses(void **state)
{
	char address[32];

	(void)state;
	for (int i = 0; i < 3 * AUTH_PEERS; i++) {
		snprintf(address, sizeof(address), "10.0.%d.%d", i / 250,
		    i % 250);
		assert_false(take("00", address, 60 * (i + 1)));
	}
	assert_true(take(good, "::1", 60 * (3 * AUTH_PEERS + 1)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_once, set_up),
		cmocka_unit_test_setup(test_wrong_text, set_up),
		cmocka_unit_test_setup(test_cookie_text, set_up),
		cmocka_unit_test_setup(test_expiry, set_up),
		cmocka_unit_test_setup(test_new_token, set_up),
		cmocka_unit_test_setup(test_many_cookies, set_up),
		cmocka_unit_test_setup(test_tries_of_one, set_up),
		cmocka_unit_test_setup(test_tries_pass, set_up),
		cmocka_unit_test_setup(test_tries_of_all, set_up),
		cmocka_unit_test_setup(test_many_addresses, set_up),
	};

	if (sodium_init() == -1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
