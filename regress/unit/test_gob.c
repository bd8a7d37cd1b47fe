/* SPDX-License-Identifier: ISC */
/* gob: primitives, messages and definitions, and everything malformed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "regress/unit/gob_world.h"

/* --- primitives --- */

struct number {
	uint64_t v;
	const char *hex;
};

static const struct number uints[] = {
	{ 0, "00" },
	{ 1, "01" },
	{ 127, "7f" },
	{ 128, "ff80" },
	{ 200, "ffc8" },
	{ 255, "ffff" },
	{ 256, "fe0100" },
	{ 32768, "fe8000" },
	{ 65536, "fd010000" },
	{ UINT32_MAX, "fcffffffff" },
	{ 1ULL << 56, "f80100000000000000" },
	{ UINT64_MAX, "f8ffffffffffffffff" },
};

static const struct number ints[] = {
	{ 0, "00" },
	{ 3, "06" },
	{ (uint64_t)-1, "01" },
	{ (uint64_t)-64, "7f" },
	{ 64, "ff80" },
	{ (uint64_t)-65, "ff81" },
	{ 32768, "fd010000" },
	{ INT64_MAX, "f8fffffffffffffffe" },
	{ (uint64_t)INT64_MIN, "f8ffffffffffffffff" },
};

static void
test_uint(void **state)
{
	struct buf b;
	struct gob_sink sink;
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < COUNT(uints); i++) {
		buf_init(&b, 16);
		sink = (struct gob_sink){ .out = &b };
		gob_put_uint(&sink, uints[i].v);
		assert_put(&sink, uints[i].hex);
		assert_int_equal(gob_get_uint(&b, &v), 0);
		assert_int_equal(v, uints[i].v);
		assert_int_equal(buf_len(&b), 0);
		buf_free(&b);
	}
}

static void
test_int(void **state)
{
	struct buf b;
	struct gob_sink sink;
	int64_t v;

	(void)state;
	for (size_t i = 0; i < COUNT(ints); i++) {
		buf_init(&b, 16);
		sink = (struct gob_sink){ .out = &b };
		gob_put_int(&sink, (int64_t)ints[i].v);
		assert_put(&sink, ints[i].hex);
		assert_int_equal(gob_get_int(&b, &v), 0);
		assert_int_equal(v, (int64_t)ints[i].v);
		buf_free(&b);
	}
}

static int
get_uint_hex(const char *hex, uint64_t *v)
{
	struct blob raw = blob_hex(hex);
	struct buf b;
	int r;

	buf_view(&b, raw.p, raw.n);
	r = gob_get_uint(&b, v);
	free(raw.p);
	return r;
}

/* As Go: longer than need be is fine, more than eight bytes is not. */
static void
test_uint_odd(void **state)
{
	uint64_t v;

	(void)state;
	assert_int_equal(get_uint_hex("ff05", &v), 0);
	assert_int_equal(v, 5);
	assert_int_equal(get_uint_hex("f80000000000000000", &v), 0);
	assert_int_equal(v, 0);
	assert_int_equal(get_uint_hex("f7000000000000000000", &v),
	    SKY_ERR_FORMAT);
	assert_int_equal(get_uint_hex("80", &v), SKY_ERR_FORMAT);
	assert_int_equal(get_uint_hex("", &v), SKY_ERR_SHORT);
	assert_int_equal(get_uint_hex("ff", &v), SKY_ERR_SHORT);
	assert_int_equal(get_uint_hex("f800000000000000", &v), SKY_ERR_SHORT);
}

static void
test_bytes(void **state)
{
	struct blob raw = blob_hex("03616263 02 78");
	struct buf b, v;

	(void)state;
	buf_view(&b, raw.p, raw.n);
	assert_int_equal(gob_get_bytes(&b, &v), 0);
	assert_view(&v, "abc");
	assert_int_equal(gob_get_bytes(&b, &v), SKY_ERR_SHORT);
	free(raw.p);
}

static void
test_list(void **state)
{
	struct gob_list list = { 0 };
	struct buf item;

	(void)state;
	buf_init(&list.raw, 5);
	assert_int_equal(gob_list_add(&list, "", 0), 0);
	assert_int_equal(gob_list_add(&list, "ab", 2), 0);
	assert_int_equal(gob_list_add(&list, "c", 1), SKY_ERR_LIMIT);
	assert_int_equal(list.count, 2);
	assert_int_equal(buf_len(&list.raw), 4);
	assert_item(&list, "");
	assert_item(&list, "ab");
	assert_list_end(&list);
	assert_int_equal(buf_put(&list.raw, "\x02x", 2), 0);
	list.count = 1;
	assert_int_equal(gob_list_next(&list, &item), SKY_ERR_FORMAT);
	buf_free(&list.raw);
}

/* --- messages --- */

static void
assert_limit(size_t max, size_t given, int want)
{
	uint8_t msg[67] = { 66, 0x0a, 0, 63 }; /* []byte of 63 */
	struct stream s = { .dec = gob_dec_new(max) };
	struct buf out;

	buf_view(&s.in, msg, given);
	assert_int_equal(next(&s, &singles[GOB_BYTES], &out), want);
	if (want == 0)
		assert_int_equal(buf_len(&out), 63);
	gob_dec_free(s.dec);
}

static void
test_message_limit(void **state)
{
	(void)state;
	assert_limit(66, 67, 0);
	assert_limit(66, 66, SKY_ERR_AGAIN);
	assert_limit(65, 67, SKY_ERR_LIMIT);
	assert_limit(65, 1, SKY_ERR_LIMIT);
}

/* A length over the limit is refused before a byte of the message came. */
static void
test_message_length(void **state)
{
	const struct gob_type *t = &singles[GOB_INT];

	(void)state;
	assert_int_equal(verdict_raw("fc40000000", t), SKY_ERR_LIMIT);
	assert_int_equal(verdict_raw("f8ffffffffffffffff", t), SKY_ERR_LIMIT);
	assert_int_equal(verdict_raw("fe1001", t), SKY_ERR_LIMIT);
	assert_int_equal(verdict_raw("fe1000", t), SKY_ERR_AGAIN);
	assert_int_equal(verdict_raw("fe10", t), SKY_ERR_AGAIN);
	assert_int_equal(verdict_raw("", t), SKY_ERR_AGAIN);
	assert_int_equal(verdict_raw("f7000000000000000000", t),
	    SKY_ERR_FORMAT);
	assert_int_equal(verdict_raw("00", t), SKY_ERR_FORMAT);
}

static void
test_single(void **state)
{
	struct stream s = stream_new();
	union any out;

	(void)state;
	add_raw(&s, "060400fd010000 03040000 03040001");
	assert_int_equal(next(&s, &singles[GOB_INT], &out), 0);
	assert_int_equal(out.num, 32768);
	assert_int_equal(next(&s, &singles[GOB_INT], &out), 0);
	assert_int_equal(out.num, 0);
	assert_int_equal(next(&s, &singles[GOB_INT], &out), 0);
	assert_int_equal(out.num, -1);
	add_raw(&s, "060a00036c730a 030c0000 03020001 03020002");
	assert_int_equal(next(&s, &singles[GOB_BYTES], &out), 0);
	assert_view(&out.buf, "ls\n");
	assert_int_equal(next(&s, &singles[GOB_STRING], &out), 0);
	assert_view(&out.buf, "");
	assert_int_equal(next(&s, &singles[GOB_BOOL], &out), 0);
	assert_true(out.yes);
	assert_int_equal(next(&s, &singles[GOB_BOOL], &out), 0);
	assert_true(out.yes);
	stream_free(&s);
}

static void
test_single_malformed(void **state)
{
	const struct gob_type *num = &singles[GOB_INT];
	const struct gob_type *data = &singles[GOB_BYTES];

	(void)state;
	assert_int_equal(verdict(NULL, NULL, "04 00 02", num), 0);
	assert_int_equal(verdict(NULL, NULL, "04 01 02", num), SKY_ERR_FORMAT);
	assert_int_equal(verdict(NULL, NULL, "04 00 02 00", num),
	    SKY_ERR_FORMAT);
	assert_int_equal(verdict(NULL, NULL, "04 00", num), SKY_ERR_FORMAT);
	assert_int_equal(verdict(NULL, NULL, "04", num), SKY_ERR_FORMAT);
	assert_int_equal(verdict(NULL, NULL, "04 00 ff", num), SKY_ERR_FORMAT);
	assert_int_equal(verdict(NULL, NULL, "04 00 80", num), SKY_ERR_FORMAT);
	assert_int_equal(verdict(NULL, NULL, "fe 00", num), SKY_ERR_FORMAT);
	assert_int_equal(verdict(NULL, NULL, "0a 00 0161", data), 0);
	assert_int_equal(verdict(NULL, NULL, "0a 00 0261", data),
	    SKY_ERR_FORMAT);
	assert_int_equal(
	    verdict(NULL, NULL, "0a 00 f8ffffffffffffffff 61", data),
	    SKY_ERR_FORMAT);
}

/* --- definitions --- */

static void
test_def_id(void **state)
{
	static const char value[] = "ff80 01 18 01 50 00";

	(void)state;
	assert_int_equal(verdict(DEF64_INNER, NULL, value, &inner_type), 0);
	assert_int_equal(verdict(DEF64_INNER, DEF64_INNER, value, &inner_type),
	    SKY_ERR_FORMAT);
	/* 63, 1, and beyond 32 bits */
	assert_int_equal(
	    verdict("7d 05 01 02 7c 00 00 00", NULL, value, &inner_type),
	    SKY_ERR_FORMAT);
	assert_int_equal(
	    verdict("01 05 01 02 02 00 00 00", NULL, value, &inner_type),
	    SKY_ERR_FORMAT);
	assert_int_equal(
	    verdict("fbffffffffff 05 01 00 00 00", NULL, value, &inner_type),
	    SKY_ERR_FORMAT);
	assert_int_equal(verdict("f8ffffffffffffffff 05 01 00 00 00", NULL,
			     value, &inner_type),
	    SKY_ERR_FORMAT);
}

/* An id that was never defined spoils its value only. */
static void
test_undefined(void **state)
{
	struct stream s = stream_new();
	struct inner out;

	(void)state;
	add(&s, "ff80 00");
	add(&s, "00 00");
	add(&s, "20 00"); /* wireType itself */
	add(&s, DEF64_INNER);
	add(&s, "ff80 01 18 01 50 00");
	for (int i = 0; i < 3; i++)
		assert_int_equal(next(&s, &inner_type, &out), SKY_ERR_TYPE);
	assert_int_equal(next(&s, &inner_type, &out), 0);
	assert_int_equal(out.rows, 24);
	assert_int_equal(out.cols, 80);
	stream_free(&s);
}

/* Every kind, cut at every byte with its length corrected. */
static void
test_def_truncated(void **state)
{
	static const char *const defs[] = {
		"7f 01" COMMON64 "01 04 01 06 00 00", /* array */
		DEF64_SLICE("0c"),
		DEF64_INNER,
		"7f 04" COMMON64 "01 0c 01 04 00 00", /* map */
		"7f 05 01 01 0158 01 ff80 00 00 00",
		"7f 06" COMMON64 "00 00",
		"7f 07" COMMON64 "00 00",
	};
	struct stream s;
	struct blob b;
	union any out;

	(void)state;
	for (size_t i = 0; i < COUNT(defs); i++) {
		b = blob_hex(defs[i]);
		for (size_t n = 1; n <= b.n; n++) {
			s = stream_new();
			assert_int_equal(buf_put_u8(&s.in, (uint8_t)n), 0);
			assert_int_equal(buf_put(&s.in, b.p, n), 0);
			assert_int_equal(next(&s, &inner_type, &out),
			    n < b.n ? SKY_ERR_FORMAT : SKY_ERR_AGAIN);
			stream_free(&s);
		}
		free(b.p);
	}
}

static void
test_def_malformed(void **state)
{
	static const char *const bad[] = {
		"7f 00",				   /* no kind */
		"7f 08" COMMON64 "00 00",		   /* unknown kind */
		"7f f8ffffffffffffffff 00",		   /* huge delta */
		"7f 05" COMMON64 "00 01" COMMON64 "00 00", /* two kinds */
		"7f 05" COMMON64 "01 04 00 00",		   /* too much of it */
		"7f 02" COMMON64 "01 04 01 04 00 00",
		"7f 03" COMMON64 "02 00 00 00",
		"7f 06" COMMON64 "00 00 00", /* a byte behind */
		"7f 03 01 03 00 00 00 00",   /* common has two fields */
		DEF64_STRUCT("01 01 03 00"), /* so has a field */
		DEF64_STRUCT("01 02 01 0158 01 06 00"),
		DEF64_STRUCT("01 01 01 f8ffffffffffffffff 58 01 06 00"),
	};
	union any out;
	struct stream s;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		s = stream_new();
		add(&s, bad[i]);
		assert_int_equal(next(&s, &inner_type, &out), SKY_ERR_FORMAT);
		stream_free(&s);
	}
}

/* A struct definition with n fields, named "Rows", "X", "X", ... */
static void
add_struct(struct stream *s, int64_t id, size_t n)
{
	struct buf b;
	struct gob_sink body = { .out = &b }, sink = { .out = &s->in };

	buf_init(&b, 4096);
	gob_put_int(&body, -id);
	gob_put_raw(&body, "\x03\x01\x01\x01T\x00\x01", 7);
	gob_put_uint(&body, n);
	for (size_t i = 0; i < n; i++)
		if (i == 0)
			gob_put_raw(&body, "\x01\x04Rows\x01\x06\x00", 9);
		else
			gob_put_raw(&body, "\x01\x01X\x01\x06\x00", 6);
	gob_put_raw(&body, "\x00\x00", 2);
	gob_put_bytes(&sink, buf_ptr(&b), buf_len(&b));
	assert_int_equal(body.err, 0);
	assert_int_equal(sink.err, 0);
	buf_free(&b);
}

static void
test_defs_limit(void **state)
{
	struct stream s = stream_new();
	struct inner out;

	(void)state;
	/* Out of order, to see that each is found again. */
	for (int64_t i = 0; i < GOB_DEFS_MAX; i++)
		add_struct(&s, 64 + i * 37 % GOB_DEFS_MAX, 1);
	for (uint8_t i = 0; i < GOB_DEFS_MAX; i++) {
		uint8_t value[] = { 5, 0xff, (uint8_t)(128 + 2 * i), 1, i, 0 };

		assert_int_equal(buf_put(&s.in, value, sizeof(value)), 0);
		assert_int_equal(next(&s, &inner_type, &out), 0);
		assert_int_equal(out.rows, i);
	}
	add_struct(&s, 1000, 1);
	assert_int_equal(next(&s, &inner_type, &out), SKY_ERR_LIMIT);
	stream_free(&s);
}

static void
test_fields_limit(void **state)
{
	struct stream s = stream_new();
	struct inner out;

	(void)state;
	add_struct(&s, 64, GOB_FIELDS_MAX);
	add(&s, "ff80 01 07 3f 09 00");
	assert_int_equal(next(&s, &inner_type, &out), 0);
	assert_int_equal(out.rows, 7);
	add_struct(&s, 65, GOB_FIELDS_MAX + 1);
	assert_int_equal(next(&s, &inner_type, &out), SKY_ERR_LIMIT);
	stream_free(&s);
	/* A count is a claim until the fields come. */
	assert_int_equal(verdict(DEF64_STRUCT("01 f8ffffffffffffffff"), NULL,
			     "ff80 00", &inner_type),
	    SKY_ERR_LIMIT);
}

/* Names of 32 bytes count, longer ones are none of ours but do no harm. */
static void
test_long_name(void **state)
{
	static const char value[] = "ff80 01 05 01 07 00";

	(void)state;
	assert_int_equal(
	    verdict(DEF64_STRUCT("01 02 01 21"
				 "526f7773000000000000000000000000"
				 "0000000000000000000000000000000000 01 06 00"
				 "01 04526f7773 01 06 00"),
		NULL, value, &inner_type),
	    0);
	assert_int_equal(
	    verdict(DEF64_STRUCT("01 01 01 20"
				 "526f7773000000000000000000000000"
				 "00000000000000000000000000000000 01 06 00"),
		NULL, "ff80 01 05 00", &inner_type),
	    SKY_ERR_TYPE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uint),
		cmocka_unit_test(test_int),
		cmocka_unit_test(test_uint_odd),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_message_limit),
		cmocka_unit_test(test_message_length),
		cmocka_unit_test(test_single),
		cmocka_unit_test(test_single_malformed),
		cmocka_unit_test(test_def_id),
		cmocka_unit_test(test_undefined),
		cmocka_unit_test(test_def_truncated),
		cmocka_unit_test(test_def_malformed),
		cmocka_unit_test(test_defs_limit),
		cmocka_unit_test(test_fields_limit),
		cmocka_unit_test(test_long_name),
	};

	return cmocka_run_group_tests_name("gob", tests, NULL, NULL);
}
