/* SPDX-License-Identifier: ISC */
/*
 * buf: getters on too little, putters on too much, views, growth, wiping.
 * The module is compiled in here so that its memory can be watched and denied.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static struct {
	bool deny;	/* the next allocations fail */
	size_t live;	/* blocks that are not freed yet */
	size_t last;	/* size of the last block allocated */
	size_t frees;	/* blocks freed */
	size_t unwiped; /* bytes that were not zero when they were freed */
} heap;

/* The size stands before the block, with room that keeps it aligned. */
#define HEAD 16

static void *
watched_malloc(size_t n)
{
	uint8_t *p;

	if (heap.deny || (p = calloc(1, HEAD + n)) == NULL)
		return NULL;
	memcpy(p, &n, sizeof(n));
	heap.live++;
	heap.last = n;
	return p + HEAD;
}

static void
watched_free(void *block)
{
	uint8_t *p = block;
	size_t n;

	if (p == NULL)
		return;
	memcpy(&n, p - HEAD, sizeof(n));
	for (size_t i = 0; i < n; i++)
		heap.unwiped += p[i] != 0;
	heap.live--;
	heap.frees++;
	free(p - HEAD);
}

#define malloc(n) watched_malloc(n)
#define free(p)	  watched_free(p)
#include "common/base/buf.c"
#undef malloc
#undef free

static const uint8_t bytes[] = { 0x01, 0x02, 0x03, 0x04, 0x85, 0x86, 0x87, 0x88,
	0x99 };

static int
start(void **state)
{
	(void)state;
	memset(&heap, 0, sizeof(heap));
	return 0;
}

/* Whatever a test did, all is freed and was wiped before. */
static int
stop(void **state)
{
	(void)state;
	return heap.live == 0 && heap.unwiped == 0 ? 0 : -1;
}

static void
put_pattern(struct buf *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(buf_put_u8(b, (uint8_t)(i % 255 + 1)), 0);
}

static void
check_pattern(const struct buf *b, size_t from, size_t n)
{
	assert_int_equal(buf_len(b), n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(buf_ptr(b)[i], (from + i) % 255 + 1);
}

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

/* --- views --- */

/* Nothing writes to a view, empty or not, nor allocates for it. */
static void
check_read_only(struct buf *b)
{
	size_t n = buf_len(b);
	uint8_t *p;

	assert_int_equal(buf_room(b), 0);
	assert_int_equal(buf_put(b, "x", 1), SKY_ERR_RDONLY);
	assert_int_equal(buf_put(b, "", 0), SKY_ERR_RDONLY);
	assert_int_equal(buf_put_u8(b, 1), SKY_ERR_RDONLY);
	assert_int_equal(buf_put_u16(b, 1), SKY_ERR_RDONLY);
	assert_int_equal(buf_put_u32(b, 1), SKY_ERR_RDONLY);
	assert_int_equal(buf_put_u64(b, 1), SKY_ERR_RDONLY);
	assert_int_equal(buf_put_string(b, "x", 1), SKY_ERR_RDONLY);
	assert_int_equal(buf_put_cstring(b, "x"), SKY_ERR_RDONLY);
	assert_int_equal(buf_extend(b, 1, &p), SKY_ERR_RDONLY);
	assert_int_equal(buf_poke(b, 0, "x", 1), SKY_ERR_RDONLY);
	assert_int_equal(buf_len(b), n);
	assert_int_equal(heap.live, 0);
}

static void
test_views_are_read_only(void **state)
{
	struct buf b = { 0 };

	(void)state;
	check_read_only(&b);
	buf_view(&b, bytes, sizeof(bytes));
	check_read_only(&b);
	assert_int_equal(buf_skip(&b, 1), 0);
	check_read_only(&b);
	assert_int_equal(buf_skip(&b, sizeof(bytes) - 1), 0);
	check_read_only(&b);
	buf_view(&b, bytes, 0);
	check_read_only(&b);
	buf_view(&b, NULL, 0);
	check_read_only(&b);
	assert_int_equal(bytes[0], 1);
}

static void
test_freeing_a_view(void **state)
{
	uint8_t mine[4] = { 1, 2, 3, 4 };
	struct buf b;

	(void)state;
	buf_view(&b, mine, sizeof(mine));
	buf_reset(&b);
	assert_int_equal(buf_len(&b), 0);
	buf_view(&b, mine, sizeof(mine));
	assert_int_equal(buf_trim(&b, 1), 0);
	assert_int_equal(buf_len(&b), 3);
	buf_free(&b);
	assert_int_equal(buf_len(&b), 0);
	assert_memory_equal(mine, "\1\2\3\4", 4);
	assert_int_equal(heap.frees, 0);
}

/* --- wiping --- */

/* stop() looks at every block that was freed on the way. */
static void
test_wiped_when_freed(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100000);
	put_pattern(&b, 70000);
	assert_int_equal(buf_skip(&b, 10), 0);
	buf_free(&b);
	assert_true(heap.frees > 5);
	assert_int_equal(heap.unwiped, 0);
}

static void
test_wiped_when_outgrown(void **state)
{
	struct buf b;
	uint8_t *p;

	(void)state;
	/* What was read or trimmed is as secret as what is still there. */
	for (int trim = 0; trim < 2; trim++) {
		buf_init(&b, 100000);
		put_pattern(&b, 200);
		if (trim)
			assert_int_equal(buf_trim(&b, 200), 0);
		else
			assert_int_equal(buf_skip(&b, 200), 0);
		assert_int_equal(buf_extend(&b, 5000, &p), 0);
		memset(p, 1, 5000);
		assert_int_equal(heap.frees, (size_t)trim * 2 + 1);
		assert_int_equal(heap.unwiped, 0);
		buf_free(&b);
	}
}

static void
test_wiped_when_reset(void **state)
{
	struct buf b;
	uint8_t *p;

	(void)state;
	for (int how = 0; how < 3; how++) {
		buf_init(&b, 1000);
		put_pattern(&b, 200);
		if (how == 1)
			assert_int_equal(buf_skip(&b, 200), 0);
		if (how == 2)
			assert_int_equal(buf_trim(&b, 150), 0);
		buf_reset(&b);
		assert_int_equal(buf_len(&b), 0);
		assert_int_equal(buf_room(&b), 1000);
		assert_int_equal(buf_extend(&b, 200, &p), 0);
		for (size_t i = 0; i < 200; i++)
			assert_int_equal(p[i], 0);
		assert_int_equal(heap.frees, how);
		buf_free(&b);
	}
}

/* --- no memory --- */

static void
test_no_memory(void **state)
{
	struct buf b;
	uint8_t *p;
	char *s;

	(void)state;
	buf_init(&b, 100000);
	heap.deny = true;
	assert_int_equal(buf_put(&b, "x", 1), SKY_ERR_NOMEM);
	assert_int_equal(buf_put_string(&b, "x", 1), SKY_ERR_NOMEM);
	assert_int_equal(buf_len(&b), 0);
	heap.deny = false;
	put_pattern(&b, 200);
	heap.deny = true;
	assert_int_equal(buf_extend(&b, 5000, &p), SKY_ERR_NOMEM);
	check_pattern(&b, 0, 200);
	heap.deny = false;
	buf_reset(&b);
	assert_int_equal(buf_put_cstring(&b, "hello"), 0);
	heap.deny = true;
	assert_int_equal(buf_get_cstring(&b, &s, 10), SKY_ERR_NOMEM);
	heap.deny = false;
	buf_free(&b);
}

/* The head of a string is taken back when there is no memory for its bytes. */
static void
test_no_memory_within_string(void **state)
{
	uint8_t big[1000] = { 0 };
	struct buf b;

	(void)state;
	buf_init(&b, 100000);
	put_pattern(&b, 200);
	heap.deny = true;
	assert_int_equal(buf_put_string(&b, big, sizeof(big)), SKY_ERR_NOMEM);
	check_pattern(&b, 0, 200);
	heap.deny = false;
	buf_free(&b);
}

/* --- descriptors --- */

static void
make_pipe(int fd[2])
{
	assert_int_equal(pipe2(fd, O_CLOEXEC | O_NONBLOCK), 0);
}

static void
test_read(void **state)
{
	struct buf b;
	int fd[2];

	(void)state;
	make_pipe(fd);
	buf_init(&b, 8);
	assert_int_equal(buf_read(&b, fd[0], 4), SKY_ERR_AGAIN);
	assert_int_equal(buf_len(&b), 0);
	assert_int_equal(write(fd[1], "0123456789", 10), 10);
	assert_int_equal(buf_read(&b, fd[0], 3), 3);
	assert_int_equal(buf_read(&b, fd[0], 100), 5);
	assert_memory_equal(buf_ptr(&b), "01234567", 8);
	assert_int_equal(buf_read(&b, fd[0], 100), SKY_ERR_LIMIT);
	assert_int_equal(buf_skip(&b, 6), 0);
	assert_int_equal(buf_read(&b, fd[0], 0), SKY_ERR_LIMIT);
	assert_int_equal(buf_read(&b, fd[0], 100), 2);
	assert_int_equal(buf_len(&b), 4);
	assert_memory_equal(buf_ptr(&b), "6789", 4);
	close(fd[1]);
	assert_int_equal(buf_read(&b, fd[0], 100), SKY_ERR_EOF);
	close(fd[0]);
	assert_int_equal(buf_read(&b, -1, 100), SKY_ERR_SYS);
	assert_int_equal(errno, EBADF);
	assert_int_equal(buf_len(&b), 4);
	buf_free(&b);
}

static void
test_write(void **state)
{
	char got[8];
	struct buf b;
	int fd[2];

	(void)state;
	make_pipe(fd);
	buf_init(&b, 1024U * 1024);
	assert_int_equal(buf_write(&b, fd[1]), 0);
	assert_int_equal(buf_write(&b, -1), 0);
	assert_int_equal(buf_put(&b, "xhello", 6), 0);
	assert_int_equal(buf_skip(&b, 1), 0);
	assert_int_equal(buf_write(&b, fd[1]), 5);
	assert_int_equal(buf_len(&b), 0);
	assert_int_equal(read(fd[0], got, sizeof(got)), 5);
	assert_memory_equal(got, "hello", 5);
	assert_int_equal(buf_put(&b, "again", 5), 0);
	assert_int_equal(buf_write(&b, -1), SKY_ERR_SYS);
	assert_int_equal(buf_len(&b), 5);
	close(fd[0]);
	close(fd[1]);
	buf_free(&b);
}

/* A full pipe takes a part, then nothing; the rest stays in order. */
static void
test_write_partly(void **state)
{
	uint8_t got[4096];
	struct buf b;
	ssize_t n;
	int fd[2];

	(void)state;
	make_pipe(fd);
	buf_init(&b, 1024U * 1024);
	put_pattern(&b, 300000);
	n = buf_write(&b, fd[1]);
	assert_true(n > 0 && n < 300000);
	check_pattern(&b, (size_t)n, 300000 - (size_t)n);
	assert_int_equal(buf_write(&b, fd[1]), SKY_ERR_AGAIN);
	assert_int_equal(buf_len(&b), 300000 - n);
	assert_int_equal(read(fd[0], got, sizeof(got)), sizeof(got));
	assert_int_equal(buf_write(&b, fd[1]), sizeof(got));
	close(fd[0]);
	close(fd[1]);
	buf_free(&b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

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
		TEST(test_views_are_read_only),
		TEST(test_freeing_a_view),
		TEST(test_wiped_when_freed),
		TEST(test_wiped_when_outgrown),
		TEST(test_wiped_when_reset),
		TEST(test_no_memory),
		TEST(test_no_memory_within_string),
		TEST(test_read),
		TEST(test_write),
		TEST(test_write_partly),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
