/* SPDX-License-Identifier: ISC */
/* buf: getters on too little, putters on too much, strings, growth. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "regress/unit/watched_buf.h"

/* --- getters --- */

static int
get_u8(struct buf *b)
{
	uint8_t v = 0x5a;
	int r = buf_get_u8(b, &v);

	assert_int_equal(v, r == 0 ? 0x01 : 0x5a);
	return r;
}

static int
get_u16(struct buf *b)
{
	uint16_t v = 0x5a5a;
	int r = buf_get_u16(b, &v);

	assert_int_equal(v, r == 0 ? 0x0102 : 0x5a5a);
	return r;
}

static int
get_u32(struct buf *b)
{
	uint32_t v = 0x5a5a5a5a;
	int r = buf_get_u32(b, &v);

	assert_int_equal(v, r == 0 ? 0x01020304 : 0x5a5a5a5a);
	return r;
}

static int
get_u64(struct buf *b)
{
	uint64_t v = 0x5a5a5a5a5a5a5a5a;
	int r = buf_get_u64(b, &v);

	assert_true(v == (r == 0 ? 0x0102030485868788 : 0x5a5a5a5a5a5a5a5a));
	return r;
}

static int
get_five(struct buf *b)
{
	uint8_t v[6] = { 9, 9, 9, 9, 9, 9 };
	int r = buf_get(b, v, 5);

	assert_memory_equal(v,
	    r == 0 ? "\x01\x02\x03\x04\x85\x09" : "\x09\x09\x09\x09\x09\x09",
	    6);
	return r;
}

static int
skip_three(struct buf *b)
{
	return buf_skip(b, 3);
}

static int
view_six(struct buf *b)
{
	struct buf v;
	int r = buf_get_view(b, 6, &v);

	if (r == 0) {
		assert_int_equal(buf_len(&v), 6);
		assert_memory_equal(buf_ptr(&v), bytes, 6);
	}
	return r;
}

static const struct {
	int (*get)(struct buf *);
	size_t n;
} getters[] = {
	{ get_u8, 1 },
	{ get_u16, 2 },
	{ get_u32, 4 },
	{ get_u64, 8 },
	{ get_five, 5 },
	{ skip_three, 3 },
	{ view_six, 6 },
};

/* One byte too few gives nothing and takes nothing. */
static void
check_getter(int (*get)(struct buf *), size_t need, struct buf *b, size_t have)
{
	assert_int_equal(get(b), have < need ? SKY_ERR_SHORT : 0);
	assert_int_equal(buf_len(b), have < need ? have : have - need);
	assert_int_equal(buf_at_end(b),
	    have == need || have == 0 ? 0 : SKY_ERR_TRAILING);
	if (have > need)
		assert_int_equal(buf_ptr(b)[0], bytes[need]);
	else if (have != 0 && have < need)
		assert_int_equal(buf_ptr(b)[0], bytes[0]);
}

static void
test_getters(void **state)
{
	struct buf b;

	(void)state;
	for (size_t i = 0; i < sizeof(getters) / sizeof(getters[0]); i++) {
		for (size_t have = 0; have <= sizeof(bytes); have++) {
			buf_view(&b, bytes, have);
			check_getter(getters[i].get, getters[i].n, &b, have);
			buf_init(&b, 64);
			assert_int_equal(buf_put(&b, bytes, have), 0);
			check_getter(getters[i].get, getters[i].n, &b, have);
			buf_free(&b);
		}
	}
}

static void
test_get_nothing(void **state)
{
	struct buf b = { 0 }, v;

	(void)state;
	assert_int_equal(buf_get(&b, NULL, 0), 0);
	assert_int_equal(buf_skip(&b, 0), 0);
	assert_int_equal(buf_get_view(&b, 0, &v), 0);
	assert_int_equal(buf_len(&v), 0);
	assert_int_equal(buf_at_end(&b), 0);
	assert_non_null(buf_ptr(&b));
	assert_int_equal(buf_skip(&b, SIZE_MAX), SKY_ERR_SHORT);
	assert_int_equal(buf_get_view(&b, SIZE_MAX, &v), SKY_ERR_SHORT);
}

/* A view taken out of a buffer goes on seeing the bytes behind it. */
static void
test_view_of_the_rest(void **state)
{
	struct buf b, v;

	(void)state;
	buf_init(&b, 64);
	assert_int_equal(buf_put(&b, bytes, sizeof(bytes)), 0);
	assert_int_equal(buf_skip(&b, 2), 0);
	assert_int_equal(buf_get_view(&b, sizeof(bytes) - 2, &v), 0);
	assert_int_equal(buf_len(&b), 0);
	assert_int_equal(buf_len(&v), sizeof(bytes) - 2);
	assert_memory_equal(buf_ptr(&v), bytes + 2, sizeof(bytes) - 2);
	buf_free(&b);
}

/* --- strings --- */

static void
test_get_string(void **state)
{
	const uint8_t in[] = { 0, 0, 0, 5, 'h', 'e', 'l', 'l', 'o', '!' };
	struct buf b, v;

	(void)state;
	for (size_t n = 0; n <= sizeof(in); n++) {
		buf_view(&b, in, n);
		assert_int_equal(buf_get_string(&b, &v),
		    n < 9 ? SKY_ERR_SHORT : 0);
		assert_int_equal(buf_len(&b), n < 9 ? n : n - 9);
		if (n < 9)
			continue;
		assert_int_equal(buf_len(&v), 5);
		assert_memory_equal(buf_ptr(&v), "hello", 5);
	}
}

static void
test_string_length_lies(void **state)
{
	const uint32_t lengths[] = { 6, 7, 0x7fffffff, 0x80000000, 0xfffffffb,
		0xfffffffc, 0xffffffff };
	struct buf b, v;
	char *s;

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		buf_init(&b, 64);
		assert_int_equal(buf_put_u32(&b, lengths[i]), 0);
		assert_int_equal(buf_put(&b, "hello", 5), 0);
		assert_int_equal(buf_get_string(&b, &v), SKY_ERR_SHORT);
		assert_int_equal(buf_get_cstring(&b, &s, SIZE_MAX),
		    SKY_ERR_SHORT);
		assert_int_equal(buf_len(&b), 9);
		assert_int_equal(heap.live, 1);
		buf_free(&b);
	}
}

static void
test_empty_string(void **state)
{
	struct buf b, v;
	char *s;

	(void)state;
	buf_init(&b, 64);
	assert_int_equal(buf_put_string(&b, NULL, 0), 0);
	assert_int_equal(buf_put_cstring(&b, ""), 0);
	assert_int_equal(buf_len(&b), 8);
	assert_int_equal(buf_get_string(&b, &v), 0);
	assert_int_equal(buf_len(&v), 0);
	assert_int_equal(buf_get_cstring(&b, &s, 0), 0);
	assert_string_equal(s, "");
	memset(s, 0, 1);
	watched_free(s);
	buf_free(&b);
}

static void
test_cstring_limit(void **state)
{
	struct buf b;
	char *s;

	(void)state;
	for (size_t max = 4; max <= 6; max++) {
		buf_init(&b, 64);
		assert_int_equal(buf_put_cstring(&b, "hello"), 0);
		assert_int_equal(buf_get_cstring(&b, &s, max),
		    max < 5 ? SKY_ERR_LIMIT : 0);
		if (max >= 5) {
			assert_string_equal(s, "hello");
			memset(s, 0, 5);
			watched_free(s);
		}
		buf_free(&b);
	}
}

static void
test_cstring_with_nul(void **state)
{
	char text[] = "hello";
	struct buf b;
	char *s;

	(void)state;
	for (size_t at = 0; at < 5; at++) {
		memcpy(text, "hello", 5);
		text[at] = '\0';
		buf_init(&b, 64);
		assert_int_equal(buf_put_string(&b, text, 5), 0);
		assert_int_equal(buf_get_cstring(&b, &s, 64), SKY_ERR_FORMAT);
		assert_int_equal(heap.live, 1);
		buf_free(&b);
	}
}

static void
test_put_string_limit(void **state)
{
	struct buf b;

	(void)state;
	for (size_t max = 1; max <= 10; max++) {
		buf_init(&b, max);
		assert_int_equal(buf_put_string(&b, "hello", 5),
		    max < 9 ? SKY_ERR_LIMIT : 0);
		assert_int_equal(buf_len(&b), max < 9 ? 0 : 9);
		if (max >= 9)
			assert_memory_equal(buf_ptr(&b), "\0\0\0\5hello", 9);
		buf_free(&b);
	}
}

/* --- putters --- */

static void
test_put_integers(void **state)
{
	const uint8_t want[] = { 0xfe, 0x01, 0x82, 0x01, 0x02, 0x03, 0x84, 0x81,
		0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08 };
	struct buf b;
	uint64_t u64 = 0;
	uint32_t u32 = 0;
	uint16_t u16 = 0;
	uint8_t u8 = 0;

	(void)state;
	buf_init(&b, sizeof(want));
	assert_int_equal(buf_put_u8(&b, 0xfe), 0);
	assert_int_equal(buf_put_u16(&b, 0x0182), 0);
	assert_int_equal(buf_put_u32(&b, 0x01020384), 0);
	assert_int_equal(buf_put_u64(&b, 0x8102030405060708), 0);
	assert_int_equal(buf_len(&b), sizeof(want));
	assert_memory_equal(buf_ptr(&b), want, sizeof(want));
	assert_int_equal(buf_get_u8(&b, &u8), 0);
	assert_int_equal(buf_get_u16(&b, &u16), 0);
	assert_int_equal(buf_get_u32(&b, &u32), 0);
	assert_int_equal(buf_get_u64(&b, &u64), 0);
	assert_int_equal(u8, 0xfe);
	assert_int_equal(u16, 0x0182);
	assert_int_equal(u32, 0x01020384);
	assert_true(u64 == 0x8102030405060708);
	assert_int_equal(buf_at_end(&b), 0);
	buf_free(&b);
}

/* Max counts what is unread: full at max, and again when some was read. */
static void
test_max(void **state)
{
	const size_t maxes[] = { 1, 2, 255, 256, 257, 1000, 65536 };
	struct buf b;
	uint8_t *p;

	(void)state;
	for (size_t i = 0; i < sizeof(maxes) / sizeof(maxes[0]); i++) {
		size_t max = maxes[i];

		buf_init(&b, max);
		assert_int_equal(buf_room(&b), max);
		assert_int_equal(buf_extend(&b, max + 1, &p), SKY_ERR_LIMIT);
		assert_int_equal(buf_extend(&b, SIZE_MAX, &p), SKY_ERR_LIMIT);
		put_pattern(&b, max);
		assert_int_equal(buf_room(&b), 0);
		assert_int_equal(buf_put_u8(&b, 1), SKY_ERR_LIMIT);
		assert_int_equal(buf_put(&b, NULL, 0), 0);
		check_pattern(&b, 0, max);
		if (max > 1) {
			assert_int_equal(buf_skip(&b, 2), 0);
			assert_int_equal(buf_room(&b), 2);
			assert_int_equal(buf_put_u32(&b, 1), SKY_ERR_LIMIT);
			assert_int_equal(buf_put(&b, "abc", 3), SKY_ERR_LIMIT);
			assert_int_equal(buf_put(&b, "ab", 2), 0);
			assert_int_equal(buf_room(&b), 0);
		}
		buf_free(&b);
		assert_int_equal(buf_room(&b), max);
	}
}

static void
test_allocates_late(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1024U * 1024);
	assert_int_equal(heap.live, 0);
	assert_int_equal(buf_len(&b), 0);
	buf_reset(&b);
	buf_free(&b);
	assert_int_equal(buf_put(&b, "x", 1), 0);
	assert_int_equal(heap.live, 1);
	assert_true(heap.last < 4096);
	buf_free(&b);
}

static void
test_growth_keeps_content(void **state)
{
	struct buf b;
	size_t off = 0;

	(void)state;
	buf_init(&b, 100000);
	put_pattern(&b, 100);
	assert_int_equal(buf_skip(&b, 7), 0);
	off = 7;
	for (size_t n = 100; n < 50000; n += 1) {
		assert_int_equal(buf_put_u8(&b, (uint8_t)(n % 255 + 1)), 0);
		if (n % 3 == 0) {
			assert_int_equal(buf_skip(&b, 1), 0);
			off++;
		}
	}
	check_pattern(&b, off, 50000 - off);
	assert_true(heap.last <= 2 * 65536);
	buf_free(&b);
}

/* A long-lived buffer that is read as fast as it is written stays small. */
static void
test_does_not_creep(void **state)
{
	struct buf b;
	uint8_t v;

	(void)state;
	buf_init(&b, 1024U * 1024);
	put_pattern(&b, 10);
	for (size_t n = 10; n < 10000; n++) {
		assert_int_equal(buf_put_u8(&b, (uint8_t)(n % 255 + 1)), 0);
		assert_int_equal(buf_get_u8(&b, &v), 0);
		assert_int_equal(v, (n - 10) % 255 + 1);
	}
	check_pattern(&b, 10000 - 10, 10);
	assert_int_equal(heap.frees, 0);
	buf_free(&b);
}

/* One that is emptied starts at the beginning of its memory again. */
static void
test_emptied_starts_again(void **state)
{
	struct buf b;
	uint8_t *p;

	(void)state;
	buf_init(&b, 1024U * 1024);
	for (size_t i = 0; i < 100; i++) {
		assert_int_equal(buf_extend(&b, 200, &p), 0);
		assert_int_equal(buf_skip(&b, 200), 0);
	}
	assert_int_equal(heap.frees, 0);
	buf_free(&b);
}

static void
test_extend_and_trim(void **state)
{
	struct buf b;
	uint8_t *p;

	(void)state;
	buf_init(&b, 16);
	assert_int_equal(buf_put(&b, "abc", 3), 0);
	assert_int_equal(buf_extend(&b, 5, &p), 0);
	memcpy(p, "defgh", 5);
	assert_int_equal(buf_len(&b), 8);
	assert_memory_equal(buf_ptr(&b), "abcdefgh", 8);
	assert_int_equal(buf_trim(&b, 9), SKY_ERR_SHORT);
	assert_int_equal(buf_trim(&b, 6), 0);
	assert_int_equal(buf_trim(&b, 0), 0);
	assert_int_equal(buf_put(&b, "X", 1), 0);
	assert_int_equal(buf_len(&b), 3);
	assert_memory_equal(buf_ptr(&b), "abX", 3);
	assert_int_equal(buf_skip(&b, 2), 0);
	assert_int_equal(buf_trim(&b, 2), SKY_ERR_SHORT);
	assert_int_equal(buf_trim(&b, 1), 0);
	assert_int_equal(buf_len(&b), 0);
	buf_free(&b);
}

static void
test_poke(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 16);
	assert_int_equal(buf_put(&b, "xxabcdef", 8), 0);
	assert_int_equal(buf_skip(&b, 2), 0);
	assert_int_equal(buf_poke(&b, 0, "AB", 2), 0);
	assert_int_equal(buf_poke(&b, 5, "F", 1), 0);
	assert_memory_equal(buf_ptr(&b), "ABcdeF", 6);
	assert_int_equal(buf_poke(&b, 6, "", 0), 0);
	assert_int_equal(buf_poke(&b, 5, "12", 2), SKY_ERR_SHORT);
	assert_int_equal(buf_poke(&b, 6, "1", 1), SKY_ERR_SHORT);
	assert_int_equal(buf_poke(&b, 7, "", 0), SKY_ERR_SHORT);
	assert_int_equal(buf_poke(&b, 1, "1", SIZE_MAX), SKY_ERR_SHORT);
	assert_int_equal(buf_poke(&b, SIZE_MAX, "1", 1), SKY_ERR_SHORT);
	assert_memory_equal(buf_ptr(&b), "ABcdeF", 6);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_getters),
		TEST(test_get_nothing),
		TEST(test_view_of_the_rest),
		TEST(test_get_string),
		TEST(test_string_length_lies),
		TEST(test_empty_string),
		TEST(test_cstring_limit),
		TEST(test_cstring_with_nul),
		TEST(test_put_string_limit),
		TEST(test_put_integers),
		TEST(test_max),
		TEST(test_allocates_late),
		TEST(test_growth_keeps_content),
		TEST(test_does_not_creep),
		TEST(test_emptied_starts_again),
		TEST(test_extend_and_trim),
		TEST(test_poke),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
