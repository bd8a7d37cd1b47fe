/* SPDX-License-Identifier: ISC */
/* obscure: when what is typed leaves, by a clock of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "client/obscure.h"

#define BEATS_MAX 1000

static void
test_parse(void **state)
{
	static const char *const bad[] = { "", "Yes", "yes ", "maybe",
		"interval", "interval:", "interval:0", "interval:1001",
		"interval:-1", "interval:2x" };
	int64_t ms;

	(void)state;
	assert_true(obscure_parse("yes", &ms) && ms == OBSCURE_MS);
	assert_true(obscure_parse("no", &ms) && ms == 0);
	assert_true(obscure_parse("interval:1", &ms) && ms == 1);
	assert_true(obscure_parse("interval:1000", &ms) && ms == 1000);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(obscure_parse(bad[i], &ms));
}

/* One who types text, a key at each of the times. */
struct typist {
	const char *text;
	const int64_t *at;
};

struct beats {
	int64_t at[BEATS_MAX];
	size_t n;
	char got[256];
	size_t len;
};

static void
play(const struct typist *who, int64_t until, struct beats *b)
{
	struct obscure o;
	struct buf key;
	size_t i = 0;

	memset(b, 0, sizeof(*b));
	obscure_init(&o, OBSCURE_MS);
	for (int64_t now = 0; now < until; now++) {
		for (; who->text[i] != '\0' && who->at[i] == now; i++) {
			buf_view(&key, who->text + i, 1);
			assert_true(obscure_keys(&o, now, &key));
		}
		if (!obscure_due(&o, now)) {
			assert_int_not_equal(obscure_wait(&o, now), 0);
			continue;
		}
		assert_int_equal(obscure_wait(&o, now), 0);
		obscure_take(&o, now, &key);
		assert_in_range(buf_len(&key), 0, XS_KEYS_MAX);
		memcpy(b->got + b->len, buf_ptr(&key), buf_len(&key));
		b->len += buf_len(&key);
		assert_true(b->n < BEATS_MAX);
		b->at[b->n++] = now;
	}
	assert_false(o.active);
	obscure_free(&o);
}

/* Two texts as long as each other, typed in ways of their own. */
static void
test_alike(void **state)
{
	static const int64_t even[] = { 7, 107, 207, 307, 407, 507 };
	static const int64_t odd[] = { 7, 8, 9, 11, 400, 407, 501, 502, 507 };
	static const struct typist one = { "abcdef", even };
	static const struct typist other = { "rm -rf /\r", odd };
	struct beats a, b;
	size_t both;

	(void)state;
	play(&one, 4000, &a);
	play(&other, 4000, &b);
	assert_int_equal(a.len, 6);
	assert_memory_equal(a.got, one.text, 6);
	assert_int_equal(b.len, 9);
	assert_memory_equal(b.got, other.text, 9);
	/* The first one at once, and then a beat whatever comes. */
	both = a.n < b.n ? a.n : b.n;
	for (size_t i = 0; i < both; i++) {
		assert_int_equal(a.at[i], 7 + (int64_t)i * OBSCURE_MS);
		assert_int_equal(b.at[i], a.at[i]);
	}
	/* How long it goes on behind the last key is chance. */
	assert_in_range(a.at[a.n - 1], 507 + 1000 - OBSCURE_MS, 507 + 2000);
	assert_in_range(b.at[b.n - 1], 507 + 1000 - OBSCURE_MS, 507 + 2000);
}

static void
test_end_is_chance(void **state)
{
	static const int64_t at[] = { 0 };
	static const struct typist who = { "x", at };
	struct beats b;
	size_t first = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		play(&who, 3000, &b);
		if (first == 0)
			first = b.n;
		else if (b.n != first)
			return;
	}
	fail_msg("a hundred times the same end");
}

/* More than fits goes with the next beats, in its order; a paste does not. */
static void
test_much(void **state)
{
	char text[XS_KEYS_MAX + 1];
	struct obscure o;
	struct buf keys;

	(void)state;
	memset(text, 'a', sizeof(text));
	obscure_init(&o, OBSCURE_MS);
	buf_view(&keys, text, XS_KEYS_MAX + 1);
	assert_false(obscure_keys(&o, 0, &keys));
	assert_int_equal(obscure_wait(&o, 0), -1);
	for (int i = 0; i < 4; i++) {
		buf_view(&keys, text, XS_KEYS_MAX);
		assert_true(obscure_keys(&o, 0, &keys));
	}
	buf_view(&keys, text, 1);
	assert_false(obscure_keys(&o, 0, &keys));
	for (int i = 0; i < 4; i++) {
		assert_true(obscure_due(&o, i * OBSCURE_MS));
		obscure_take(&o, i * OBSCURE_MS, &keys);
		assert_int_equal(buf_len(&keys), XS_KEYS_MAX);
		assert_false(obscure_due(&o, i * OBSCURE_MS));
	}
	obscure_free(&o);
	obscure_init(&o, 0);
	buf_view(&keys, text, 1);
	assert_false(obscure_keys(&o, 0, &keys));
	obscure_free(&o);
}

/* Who was stopped makes nothing good, and goes on with the beat. */
static void
test_stopped(void **state)
{
	struct obscure o;
	struct buf keys;

	(void)state;
	obscure_init(&o, OBSCURE_MS);
	buf_view(&keys, "x", 1);
	assert_true(obscure_keys(&o, 0, &keys));
	obscure_take(&o, 0, &keys);
	assert_true(obscure_due(&o, 900));
	obscure_take(&o, 900, &keys);
	assert_int_equal(buf_len(&keys), 0);
	assert_false(obscure_due(&o, 919));
	assert_true(obscure_due(&o, 920));
	obscure_take(&o, 10000, &keys);
	assert_false(o.active);
	obscure_free(&o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_alike),
		cmocka_unit_test(test_end_is_chance),
		cmocka_unit_test(test_much),
		cmocka_unit_test(test_stopped),
	};

	return cmocka_run_group_tests_name("obscure", tests, NULL, NULL);
}
