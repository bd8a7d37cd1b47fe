/* SPDX-License-Identifier: ISC */
/* gob: primitives, definitions, values both ways, and everything malformed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/err.h"
#include "common/pty/gob.h"
#include "common/pty/gob_wire.h"
#include "gobvec.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* --- types to decode into --- */

struct inner {
	uint64_t rows;
	uint64_t cols;
};

struct outer {
	bool yes;
	int64_t num;
	uint64_t count;
	struct buf data;
	struct buf name;
	struct gob_list arg;
	struct gob_list keys;
	struct inner size;
	bool has_size;
};

static const struct gob_field inner_fields[] = {
	{ "Rows", GOB_UINT, offsetof(struct inner, rows), 0, 65535, NULL },
	{ "Cols", GOB_UINT, offsetof(struct inner, cols), 0, 0, NULL },
};

static const struct gob_type inner_type = { "Inner", true, GOB_STRUCT,
	inner_fields, COUNT(inner_fields), sizeof(struct inner) };

static const struct gob_field outer_fields[] = {
	{ "Yes", GOB_BOOL, offsetof(struct outer, yes), 0, 0, NULL },
	{ "Num", GOB_INT, offsetof(struct outer, num), 0, 0, NULL },
	{ "Count", GOB_UINT, offsetof(struct outer, count), 0, 0, NULL },
	{ "Data", GOB_BYTES, offsetof(struct outer, data), 0, 0, NULL },
	{ "Name", GOB_STRING, offsetof(struct outer, name), 0, 0, NULL },
	{ "Arg", GOB_STRINGS, offsetof(struct outer, arg), 0, 0, NULL },
	{ "Keys", GOB_OPAQUES, offsetof(struct outer, keys), 0, 0, NULL },
	{ "Size", GOB_STRUCT, offsetof(struct outer, size),
	    offsetof(struct outer, has_size), 0, &inner_type },
};

static const struct gob_type outer_type = { "Outer", true, GOB_STRUCT,
	outer_fields, COUNT(outer_fields), sizeof(struct outer) };
static const struct gob_type empty_type = { "", true, GOB_STRUCT, NULL, 0, 0 };

/* One type of each kind that stands alone, by the kind's number. */
static const struct gob_type singles[] = {
	{ "", false, GOB_BOOL, NULL, 0, sizeof(bool) },
	{ "", false, GOB_INT, NULL, 0, sizeof(int64_t) },
	{ "", false, GOB_UINT, NULL, 0, sizeof(uint64_t) },
	{ "", false, GOB_BYTES, NULL, 0, sizeof(struct buf) },
	{ "", false, GOB_STRING, NULL, 0, sizeof(struct buf) },
	{ "", false, GOB_STRINGS, NULL, 0, sizeof(struct gob_list) },
	{ "", false, GOB_OPAQUES, NULL, 0, sizeof(struct gob_list) },
};

/* Room for any of them. */
union any {
	struct outer outer;
	struct inner inner;
	bool yes;
	int64_t num;
	uint64_t count;
	struct buf buf;
	struct gob_list list;
};

static void
assert_view(const struct buf *b, const char *text)
{
	assert_int_equal(buf_len(b), strlen(text));
	assert_memory_equal(buf_ptr(b), text, strlen(text));
}

static void
assert_item(struct gob_list *list, const char *text)
{
	struct buf item;

	assert_int_equal(gob_list_next(list, &item), 1);
	assert_view(&item, text);
}

static void
assert_list_end(struct gob_list *list)
{
	struct buf item;

	assert_int_equal(gob_list_next(list, &item), 0);
	assert_int_equal(buf_len(&list->raw), 0);
}

/* --- streams --- */

/* A decoder and what it is fed. */
struct stream {
	struct gob_dec *dec;
	struct buf in;
};

static struct stream
stream_new(void)
{
	struct stream s = { .dec = gob_dec_new(4096) };

	assert_non_null(s.dec);
	buf_init(&s.in, 1024 * 1024);
	return s;
}

static void
stream_free(struct stream *s)
{
	gob_dec_free(s->dec);
	buf_free(&s->in);
}

/* Bytes as they are. */
static void
add_raw(struct stream *s, const char *hex)
{
	struct blob b = blob_hex(hex);

	assert_int_equal(buf_put(&s->in, b.p, b.n), 0);
	free(b.p);
}

/* A message: the bytes with their length before them. */
static void
add(struct stream *s, const char *hex)
{
	struct blob b = blob_hex(hex);
	struct gob_sink sink = { .out = &s->in };

	gob_put_bytes(&sink, b.p, b.n);
	assert_int_equal(sink.err, 0);
	free(b.p);
}

/*
 * Decodes the next value: SKY_ERR_AGAIN when it is not complete, what
 * gob_dec_next said when that failed, else what gob_dec_value said.
 */
static int
next(struct stream *s, const struct gob_type *type, void *out)
{
	struct buf value;
	int64_t id;
	int r;

	if ((r = gob_dec_next(s->dec, &s->in, &id, &value)) != 1)
		return r == 0 ? SKY_ERR_AGAIN : r;
	return gob_dec_value(s->dec, id, &value, type, out);
}

/* What comes of these bytes at the beginning of a stream. */
static int
verdict_raw(const char *hex, const struct gob_type *type)
{
	struct stream s = stream_new();
	union any out;
	int r;

	add_raw(&s, hex);
	r = next(&s, type, &out);
	stream_free(&s);
	return r;
}

/* The same of up to two definitions and a value, without their lengths. */
static int
verdict(const char *def1, const char *def2, const char *value,
    const struct gob_type *type)
{
	struct stream s = stream_new();
	union any out;
	int r;

	if (def1 != NULL)
		add(&s, def1);
	if (def2 != NULL)
		add(&s, def2);
	add(&s, value);
	r = next(&s, type, &out);
	stream_free(&s);
	return r;
}

/* Definitions under id 64 without a name, to be used in hex texts. */
#define COMMON64	     "01 02ff80 00"
#define DEF64_STRUCT(fields) "7f 03" COMMON64 fields "00 00"
#define DEF64_SLICE(elem)    "7f 02" COMMON64 "01" elem "00 00"
#define DEF64_INNER \
	DEF64_STRUCT("01 02 01 04526f7773 01 06 00 01 04436f6c73 01 06 00")
/* struct { X of the type; Name string } as id 64, for skipping X. */
#define DEF64_SKIP(type) \
	DEF64_STRUCT("01 02 01 0158 01" type "00 01 044e616d65 01 0c 00")
/* Its value with X and Name "sh". */
#define VALUE64_SKIP(x) "ff80 01" x "01 027368 00"

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
assert_put(const struct gob_sink *sink, const char *hex)
{
	struct blob want = blob_hex(hex);

	assert_int_equal(sink->err, 0);
	assert_int_equal(sink->n, want.n);
	assert_int_equal(buf_len(sink->out), want.n);
	assert_memory_equal(buf_ptr(sink->out), want.p, want.n);
	free(want.p);
}

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

/* --- what fits what --- */

/* Values of the built-in types, by id, with the zero before them. */
static const char *const builtin[] = { NULL, "02 00 01", "04 00 01", "06 00 01",
	"08 00 01", "0a 00 0161", "0c 00 0161", "0e 00 01 01" };

/* Which id goes into which of our kinds. */
static const size_t fitting[] = { [GOB_BOOL] = 1,
	[GOB_INT] = 2,
	[GOB_UINT] = 3,
	[GOB_BYTES] = 5,
	[GOB_STRING] = 6,
	[GOB_STRINGS] = 0,
	[GOB_OPAQUES] = 0 };

static void
test_kinds_do_not_mix(void **state)
{
	(void)state;
	for (size_t kind = 0; kind < COUNT(singles); kind++)
		for (size_t id = 1; id < COUNT(builtin); id++)
			assert_int_equal(
			    verdict(NULL, NULL, builtin[id], &singles[kind]),
			    fitting[kind] == id ? 0 : SKY_ERR_TYPE);
	assert_int_equal(verdict(NULL, NULL, "10 00 00", &singles[GOB_BYTES]),
	    SKY_ERR_TYPE);
	assert_int_equal(verdict(NULL, NULL, builtin[2], &inner_type),
	    SKY_ERR_TYPE);
	assert_int_equal(verdict(NULL, NULL, builtin[2], &empty_type),
	    SKY_ERR_TYPE);
}

static void
test_lists(void **state)
{
	const struct gob_type *texts = &singles[GOB_STRINGS];
	const struct gob_type *keys = &singles[GOB_OPAQUES];
	static const char value[] = "ff80 00 02 0161 00";
	static const char binary[] = "ff81 06 01 02 ff82 00 00 00";
	static const char text[] = "ff81 07 01 02 ff82 00 00 00";

	(void)state;
	assert_int_equal(verdict(DEF64_SLICE("0c"), NULL, value, texts), 0);
	assert_int_equal(verdict(DEF64_SLICE("0a"), NULL, value, texts),
	    SKY_ERR_TYPE);
	assert_int_equal(verdict(DEF64_SLICE("ff82"), binary, value, texts),
	    SKY_ERR_TYPE);
	assert_int_equal(
	    verdict("7f 01" COMMON64 "01 0c 01 04 00 00", NULL, value, texts),
	    SKY_ERR_TYPE);
	assert_int_equal(verdict(DEF64_SLICE("ff82"), binary, value, keys), 0);
	assert_int_equal(verdict(DEF64_SLICE("ff82"), text, value, keys),
	    SKY_ERR_TYPE);
	assert_int_equal(verdict(DEF64_SLICE("ff82"), NULL, value, keys),
	    SKY_ERR_TYPE);
	assert_int_equal(verdict(DEF64_SLICE("0c"), NULL, value, keys),
	    SKY_ERR_TYPE);
}

static void
test_list_counts(void **state)
{
	static const char *const bad[] = { "ff80 00 03 0161 00",
		"ff80 00 01 0161 00", "ff80 00 02 0161 01",
		"ff80 00 f8ffffffffffffffff 0161",
		"ff80 00 f88000000000000000 0161", "ff80 00 01",
		"ff80 00 02 fcffffffff 00" };
	const struct gob_type *t = &singles[GOB_STRINGS];

	(void)state;
	assert_int_equal(verdict(DEF64_SLICE("0c"), NULL, "ff80 00 00", t), 0);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(verdict(DEF64_SLICE("0c"), NULL, bad[i], t),
		    SKY_ERR_FORMAT);
}

static void
test_fields_by_name(void **state)
{
	struct stream s = stream_new();
	struct inner out;

	(void)state;
	/* struct { Extra string; Cols uint; Rows uint } */
	add(&s,
	    DEF64_STRUCT("01 03 01 054578747261 01 0c 00"
			 "01 04436f6c73 01 06 00 01 04526f7773 01 06 00"));
	add(&s, "ff80 01 027a7a 01 50 01 18 00");
	assert_int_equal(next(&s, &inner_type, &out), 0);
	assert_int_equal(out.rows, 24);
	assert_int_equal(out.cols, 80);
	add(&s, "ff80 02 50 00");
	assert_int_equal(next(&s, &inner_type, &out), 0);
	assert_int_equal(out.rows, 0);
	assert_int_equal(out.cols, 80);
	add(&s, "ff80 00");
	assert_int_equal(next(&s, &inner_type, &out), 0);
	assert_int_equal(out.rows + out.cols, 0);
	stream_free(&s);
}

static void
test_field_numbers(void **state)
{
	static const char *const bad[] = { "ff80 03 18 00",
		"ff80 01 18 02 18 00", "ff80 01 18 01 50 01 18 00",
		"ff80 01 18", "ff80 01", "ff80", "ff80 01 18 00 00",
		"ff80 f8ffffffffffffffff 18 00", "ff80 01 80 00" };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(
		    verdict(DEF64_INNER, NULL, bad[i], &inner_type),
		    SKY_ERR_FORMAT);
}

/* As Go: nothing in common is a mistake unless one side has no fields. */
static void
test_no_common_field(void **state)
{
	static const char nope[] = DEF64_STRUCT("01 01 01 044e6f7065 01 06 00");

	(void)state;
	assert_int_equal(verdict(nope, NULL, "ff80 01 05 00", &inner_type),
	    SKY_ERR_TYPE);
	assert_int_equal(verdict(nope, NULL, "ff80 00", &inner_type),
	    SKY_ERR_TYPE);
	assert_int_equal(verdict(nope, NULL, "ff80 01 05 00", &empty_type), 0);
	assert_int_equal(
	    verdict(DEF64_STRUCT(""), NULL, "ff80 00", &inner_type), 0);
	assert_int_equal(
	    verdict(DEF64_STRUCT(""), NULL, "ff80 00", &empty_type), 0);
	assert_int_equal(
	    verdict(DEF64_SLICE("0c"), NULL, "ff80 00 00", &empty_type),
	    SKY_ERR_TYPE);
}

/* The type of a field matters even when the value does not set it. */
static void
test_field_type(void **state)
{
	static const char def[] =
	    DEF64_STRUCT("01 02 01 04526f7773 01 04 00 01 04436f6c73 01 06 00");

	(void)state;
	assert_int_equal(verdict(def, NULL, "ff80 01 30 00", &inner_type),
	    SKY_ERR_TYPE);
	assert_int_equal(verdict(def, NULL, "ff80 02 50 00", &inner_type),
	    SKY_ERR_TYPE);
}

static void
test_range(void **state)
{
	struct stream s = stream_new();
	struct inner out;

	(void)state;
	add(&s, DEF64_INNER);
	add(&s, "ff80 01 feffff 01 fd010000 00");
	add(&s, "ff80 01 fd010000 00");
	add(&s, "ff80 01 f8ffffffffffffffff 00");
	add(&s, "ff80 01 18 00");
	assert_int_equal(next(&s, &inner_type, &out), 0);
	assert_int_equal(out.rows, 65535);
	assert_int_equal(out.cols, 65536);
	assert_int_equal(next(&s, &inner_type, &out), SKY_ERR_RANGE);
	assert_int_equal(next(&s, &inner_type, &out), SKY_ERR_RANGE);
	assert_int_equal(next(&s, &inner_type, &out), 0);
	assert_int_equal(out.rows, 24);
	stream_free(&s);
}

static void
test_nested_struct(void **state)
{
	/* struct { Size #65 } and what #65 may be. */
	static const char def[] =
	    DEF64_STRUCT("01 01 01 0453697a65 01 ff82 00");
	static const char size[] =
	    "ff81 03 01 02 ff82 00 01 01 01 04436f6c73 01 06 00 00 00";
	static const char nope[] =
	    "ff81 03 01 02 ff82 00 01 01 01 044e6f7065 01 06 00 00 00";
	static const char slice[] = "ff81 02 01 02 ff82 00 01 06 00 00";
	static const char wrong[] =
	    "ff81 03 01 02 ff82 00 01 01 01 04436f6c73 01 04 00 00 00";
	struct stream s = stream_new();
	struct outer out;

	(void)state;
	add(&s, def);
	add(&s, size);
	add(&s, "ff80 01 01 50 00 00");
	add(&s, "ff80 01 00 00");
	add(&s, "ff80 00");
	assert_int_equal(next(&s, &outer_type, &out), 0);
	assert_true(out.has_size);
	assert_int_equal(out.size.cols, 80);
	assert_int_equal(next(&s, &outer_type, &out), 0);
	assert_true(out.has_size);
	assert_int_equal(out.size.cols, 0);
	assert_int_equal(next(&s, &outer_type, &out), 0);
	assert_false(out.has_size);
	stream_free(&s);
	assert_int_equal(verdict(def, nope, "ff80 01 01 50 00 00", &outer_type),
	    0);
	assert_int_equal(verdict(def, slice, "ff80 01 01 50 00", &outer_type),
	    SKY_ERR_TYPE);
	assert_int_equal(verdict(def, wrong, "ff80 01 00 00", &outer_type),
	    SKY_ERR_TYPE);
	assert_int_equal(verdict(def, NULL, "ff80 00", &outer_type),
	    SKY_ERR_TYPE);
}

/* --- skipping --- */

struct skipped {
	const char *type;  /* id, as hex */
	const char *def;   /* of id 65, or NULL */
	const char *value; /* as hex */
	int want;
};

#define COMMON65 "01 02ff82 00"

static const struct skipped skipped[] = {
	{ "02", NULL, "01", 0 },		/* bool */
	{ "04", NULL, "fe0100", 0 },		/* int */
	{ "06", NULL, "ffc8", 0 },		/* uint */
	{ "08", NULL, "fef03f", 0 },		/* float */
	{ "0a", NULL, "0161", 0 },		/* []byte */
	{ "0c", NULL, "00", 0 },		/* string */
	{ "0e", NULL, "fef03f 40", 0 },		/* complex */
	{ "10", NULL, "00", SKY_ERR_FORMAT },	/* interface, nil */
	{ "08", NULL, "80", SKY_ERR_FORMAT },	/* no float */
	{ "0c", NULL, "2061", SKY_ERR_FORMAT }, /* too short */
	{ "ff82", NULL, "00", SKY_ERR_TYPE },	/* never defined */
	{ "00", NULL, "00", SKY_ERR_TYPE },
	{ "01", NULL, "00", SKY_ERR_TYPE }, /* id below zero */
	{ "2e", NULL, "00", SKY_ERR_TYPE }, /* wireType's mapType */
	/* [2]int */
	{ "ff82", "ff81 01" COMMON65 "01 04 01 04 00 00", "02 02 04", 0 },
	{ "ff82", "ff81 01" COMMON65 "01 04 01 04 00 00", "01 02",
	    SKY_ERR_FORMAT },
	/* [-1]int, and a count to go with it */
	{ "ff82", "ff81 01" COMMON65 "01 04 01 01 00 00", "f8ffffffffffffffff",
	    SKY_ERR_FORMAT },
	/* []float64 */
	{ "ff82", "ff81 02" COMMON65 "01 08 00 00", "02 00 fef03f", 0 },
	{ "ff82", "ff81 02" COMMON65 "01 08 00 00", "00", 0 },
	{ "ff82", "ff81 02" COMMON65 "01 08 00 00", "20 00 00",
	    SKY_ERR_FORMAT },
	{ "ff82", "ff81 02" COMMON65 "01 08 00 00", "f8ffffffffffffffff 00",
	    SKY_ERR_FORMAT },
	/* [] of something undefined, with and without an element */
	{ "ff82", "ff81 02" COMMON65 "01 ff84 00 00", "00", 0 },
	{ "ff82", "ff81 02" COMMON65 "01 ff84 00 00", "01 00", SKY_ERR_TYPE },
	/* map[string]bool */
	{ "ff82", "ff81 04" COMMON65 "01 0c 01 02 00 00", "02 0161 01 0162 00",
	    0 },
	{ "ff82", "ff81 04" COMMON65 "01 0c 01 02 00 00", "7f 0161 01",
	    SKY_ERR_FORMAT },
	{ "ff82", "ff81 04" COMMON65 "01 0c 01 02 00 00",
	    "f88000000000000000 0161 01", SKY_ERR_FORMAT },
	/* struct { A int } */
	{ "ff82", "ff81 03" COMMON65 "01 01 01 0141 01 04 00 00 00", "01 06 00",
	    0 },
	{ "ff82", "ff81 03" COMMON65 "01 01 01 0141 01 04 00 00 00", "00", 0 },
	{ "ff82", "ff81 03" COMMON65 "01 01 01 0141 01 04 00 00 00", "02 06 00",
	    SKY_ERR_FORMAT },
	{ "ff82", "ff81 03" COMMON65 "01 01 01 0141 01 04 00 00 00",
	    "01 06 01 06 00", SKY_ERR_FORMAT },
	/* GobEncoder, BinaryMarshaler, TextMarshaler */
	{ "ff82", "ff81 05" COMMON65 "00 00", "03 616263", 0 },
	{ "ff82", "ff81 06" COMMON65 "00 00", "03 616263", 0 },
	{ "ff82", "ff81 07" COMMON65 "00 00", "03 616263", 0 },
	{ "ff82", "ff81 07" COMMON65 "00 00", "20 616263", SKY_ERR_FORMAT },
};

/* struct { X of some type; Name string } with Name "sh". */
static void
add_skipped(struct stream *s, const struct skipped *k)
{
	char hex[512];

	snprintf(hex, sizeof(hex), DEF64_SKIP("%s"), k->type);
	add(s, hex);
	if (k->def != NULL)
		add(s, k->def);
	snprintf(hex, sizeof(hex), VALUE64_SKIP("%s"), k->value);
	add(s, hex);
}

static void
test_skip(void **state)
{
	struct outer out;
	struct stream s;

	(void)state;
	for (size_t i = 0; i < COUNT(skipped); i++) {
		s = stream_new();
		add_skipped(&s, &skipped[i]);
		assert_int_equal(next(&s, &outer_type, &out), skipped[i].want);
		if (skipped[i].want == 0)
			assert_view(&out.name, "sh");
		stream_free(&s);
	}
}

/* X of a recursive type, n values deep, the outer struct not counted. */
static int
nested_verdict(const char *def, size_t n, bool closed)
{
	char hex[2048] = "";
	const struct skipped k = { "ff82", def, hex, 0 };
	struct stream s = stream_new();
	struct outer out;
	int r;

	for (size_t i = 1; i < n; i++)
		strcat(hex, "01");
	for (size_t i = closed ? 0 : n - 1; i < n; i++)
		strcat(hex, "00");
	add_skipped(&s, &k);
	r = next(&s, &outer_type, &out);
	stream_free(&s);
	return r;
}

static void
test_recursive(void **state)
{
	/* type T []T; type T struct { A *T }; type T map[...]T */
	static const char slice[] = "ff81 02" COMMON65 "01 ff82 00 00";
	static const char self[] =
	    "ff81 03" COMMON65 "01 01 01 0141 01 ff82 00 00 00";

	(void)state;
	assert_int_equal(nested_verdict(slice, 3, false), 0);
	assert_int_equal(nested_verdict(slice, GOB_NESTING_MAX - 1, false), 0);
	assert_int_equal(nested_verdict(slice, GOB_NESTING_MAX, false),
	    SKY_ERR_LIMIT);
	assert_int_equal(nested_verdict(slice, 500, false), SKY_ERR_LIMIT);
	assert_int_equal(nested_verdict(self, GOB_NESTING_MAX - 1, true), 0);
	assert_int_equal(nested_verdict(self, GOB_NESTING_MAX, true),
	    SKY_ERR_LIMIT);
}

/* A struct whose field "Size" is that struct again. */
static void
test_recursive_known(void **state)
{
	static const char def[] =
	    DEF64_STRUCT("01 01 01 0453697a65 01 ff80 00");
	static const char list[] = DEF64_SLICE("ff80");

	(void)state;
	assert_int_equal(
	    verdict(def, NULL, "ff80 01 01 01 00 00 00 00", &outer_type), 0);
	assert_int_equal(
	    verdict(list, NULL, "ff80 00 01 00", &singles[GOB_STRINGS]),
	    SKY_ERR_TYPE);
	assert_int_equal(
	    verdict(list, NULL, "ff80 00 01 00", &singles[GOB_OPAQUES]),
	    SKY_ERR_TYPE);
}

/* --- Go's own bytes --- */

/*
 * encoding/gob of Go 1.26: a CommandReq of bool, int8, uint64, float32,
 * complex128, []byte, string, [3]int16, [2]string, map[string]int,
 * map[int][]map[string]struct, struct, *struct, recursive struct, time.Time,
 * netip.Addr, *big.Int, [][]uint, []int and, of ours, Name and Arg.
 */
static const char go_kinds[] =
    "ffdd7f0301010a436f6d6d616e6452657101ff800001150104426f6f6c010200"
    "0103496e74010400010455696e740106000105466c6f6174010800010443706c"
    "78010e0001054279746573010a000103537472010c00010341727201ff820001"
    "0641727253747201ff840001034d617001ff860001044465657001ff90000102"
    "496e01ff8800010350747201ff880001044e6f646501ff920001045768656e01"
    "ff960001044164647201ff9800010342696701ff9a0001044772696401ff9e00"
    "0105456d70747901ffa00001044e616d65010c00010341726701ff8a00000018"
    "ff81010101085b335d696e74313601ff820001040106000019ff83010101095b"
    "325d737472696e6701ff8400010c010400001eff850401010e6d61705b737472"
    "696e675d696e7401ff8600010c0104000030ff8f0401011f6d61705b696e745d"
    "5b5d6d61705b737472696e675d6d61696e2e496e6e657201ff9000010401ff8e"
    "00000dff8d020102ff8e0001ff8c00000fff8b040102ff8c00010c01ff880000"
    "1fff87030102ff8800010301014201020001014601080001015301ff8a000000"
    "16ff89020101085b5d737472696e6701ff8a00010c00002eff91030101044e6f"
    "646501ff92000103010356616c01040001044e65787401ff920001044b696473"
    "01ff940000001aff930201010b5b5d6d61696e2e4e6f646501ff940001ff9200"
    "0010ff950501010454696d6501ff9600000010ff97060101044164647201ff98"
    "0000000aff99050102ffa200000017ff9d020101085b5d5b5d75696e7401ff9e"
    "0001ff9c00000cff9b020102ff9c000106000013ff9f020101055b5d696e7401"
    "ffa00001040000ff99ff800101010901f8800000000000000001fe044001fef0"
    "3fffc00102627901037374720103020005010200017a0101016b0e0101010201"
    "0171010101fef83f0102016100000001010101fef83f01020161000001000101"
    "020101040001020106000000010f010000000edce5e80000000005ffff0104c0"
    "000201010603174876e7ff01030201020001fe012c020273680102022d630269"
    "6400";

/* struct { R Rec; Name string } with type Rec []Rec. */
static const char go_recursive[] =
    "27ffa503010109526563486f6c64657201ffa600010201015201ffa80001044e"
    "616d65010c00000012ffa70201010352656301ffa80001ffa800000cffa60102"
    "0001000102736800";

/* struct { Any any; Name string }: with a struct, and with nil. */
static const char go_interface[] =
    "26ffa30301010757697468416e7901ffa40001020103416e7901100001044e61"
    "6d65010c0000002dffa4010a6d61696e2e496e6e6572ff87030102ff88000103"
    "01014201020001014601080001015301ff8a00000016ff89020101085b5d7374"
    "72696e6701ff8a00010c000014ff880c010101fef83f01020161000001027368"
    "00";
static const char go_nil_interface[] =
    "26ffa30301010757697468416e7901ffa40001020103416e7901100001044e61"
    "6d65010c00000007ffa40202736800";

static void
assert_go_kinds(struct stream *s)
{
	struct outer out;

	assert_int_equal(next(s, &outer_type, &out), 0);
	assert_view(&out.name, "sh");
	assert_int_equal(out.arg.count, 2);
	assert_item(&out.arg, "-c");
	assert_item(&out.arg, "id");
	assert_list_end(&out.arg);
	assert_int_equal(buf_len(&s->in), 0);
}

static void
test_go_values(void **state)
{
	struct stream s = stream_new();
	struct outer out;

	(void)state;
	add_raw(&s, go_kinds);
	assert_go_kinds(&s);
	stream_free(&s);
	s = stream_new();
	add_raw(&s, go_recursive);
	assert_int_equal(next(&s, &outer_type, &out), 0);
	assert_view(&out.name, "sh");
	stream_free(&s);
	assert_int_equal(verdict_raw(go_interface, &outer_type),
	    SKY_ERR_FORMAT);
	assert_int_equal(verdict_raw(go_nil_interface, &outer_type), 0);
}

static void
test_go_in_pieces(void **state)
{
	struct blob b = blob_hex(go_kinds);
	struct outer out;
	struct stream s;

	(void)state;
	for (size_t piece = 1; piece < b.n; piece++) {
		s = stream_new();
		for (size_t at = 0; at + piece < b.n; at += piece) {
			assert_int_equal(buf_put(&s.in, b.p + at, piece), 0);
			if (at + piece < b.n)
				assert_int_equal(next(&s, &outer_type, &out),
				    SKY_ERR_AGAIN);
		}
		assert_int_equal(buf_put(&s.in, b.p + (b.n - 1) / piece * piece,
				     b.n - (b.n - 1) / piece * piece),
		    0);
		assert_go_kinds(&s);
		stream_free(&s);
	}
	free(b.p);
}

/* Cut anywhere: incomplete, and nothing is read behind the end. */
static void
test_go_truncated(void **state)
{
	struct blob b = blob_hex(go_kinds), cut;
	struct outer out;
	struct stream s;

	(void)state;
	for (size_t n = 0; n < b.n; n++) {
		s = (struct stream){ .dec = gob_dec_new(4096) };
		cut = blob_new(b.p, n);
		buf_view(&s.in, cut.p, cut.n);
		assert_int_equal(next(&s, &outer_type, &out), SKY_ERR_AGAIN);
		gob_dec_free(s.dec);
		free(cut.p);
	}
	free(b.p);
}

/* Whatever it says, it says it without harm, and never that all is well. */
static void
decode_damaged(const struct blob *b)
{
	struct stream s = { .dec = gob_dec_new(4096) };
	struct outer out;
	int r;

	buf_view(&s.in, b->p, b->n);
	do {
		r = next(&s, &outer_type, &out);
		assert_true(r == 0 || r == SKY_ERR_AGAIN ||
		    r == SKY_ERR_FORMAT || r == SKY_ERR_LIMIT ||
		    r == SKY_ERR_TYPE || r == SKY_ERR_RANGE);
	} while (r == 0 || r == SKY_ERR_TYPE || r == SKY_ERR_RANGE);
	gob_dec_free(s.dec);
}

static void
test_go_flipped(void **state)
{
	struct blob b = blob_hex(go_kinds);

	(void)state;
	for (size_t i = 0; i < b.n; i++)
		for (unsigned v = 1; v < 256; v++) {
			b.p[i] ^= (uint8_t)v;
			decode_damaged(&b);
			b.p[i] ^= (uint8_t)v;
		}
	free(b.p);
}

/* --- encoding --- */

static struct outer
outer_example(void)
{
	struct outer v = { .yes = true,
		.num = -300,
		.count = UINT64_MAX,
		.size = { .cols = 80 },
		.has_size = true };

	buf_view(&v.data, "\x00\xff", 2);
	buf_view(&v.name, "sh", 2);
	buf_init(&v.arg.raw, 100);
	assert_int_equal(gob_list_add(&v.arg, "", 0), 0);
	assert_int_equal(gob_list_add(&v.arg, "x y", 3), 0);
	buf_init(&v.keys.raw, 100);
	assert_int_equal(gob_list_add(&v.keys, "KEY", 3), 0);
	return v;
}

static void
outer_free(struct outer *v)
{
	buf_free(&v->arg.raw);
	buf_free(&v->keys.raw);
}

static void
assert_outer_example(struct outer *v)
{
	assert_true(v->yes);
	assert_int_equal(v->num, -300);
	assert_true(v->count == UINT64_MAX);
	assert_int_equal(buf_len(&v->data), 2);
	assert_memory_equal(buf_ptr(&v->data), "\x00\xff", 2);
	assert_view(&v->name, "sh");
	assert_item(&v->arg, "");
	assert_item(&v->arg, "x y");
	assert_list_end(&v->arg);
	assert_item(&v->keys, "KEY");
	assert_list_end(&v->keys);
	assert_true(v->has_size);
	assert_int_equal(v->size.rows, 0);
	assert_int_equal(v->size.cols, 80);
}

static int
encode_one(struct gob_enc *enc, struct buf *out, const struct gob_type *type,
    const void *v)
{
	struct gob_item item = { .type = type, .value = v };

	return gob_enc_values(enc, out, &item, 1);
}

static void
test_encode_struct(void **state)
{
	struct gob_enc *enc = gob_enc_new();
	struct stream s = stream_new();
	struct outer v = outer_example(), zero = { 0 }, out;
	size_t first;

	(void)state;
	assert_int_equal(encode_one(enc, &s.in, &outer_type, &v), 0);
	first = buf_len(&s.in);
	assert_int_equal(encode_one(enc, &s.in, &outer_type, &v), 0);
	assert_true(buf_len(&s.in) < 2 * first - 100);
	assert_int_equal(encode_one(enc, &s.in, &outer_type, &zero), 0);
	assert_int_equal(next(&s, &outer_type, &out), 0);
	assert_outer_example(&out);
	assert_int_equal(next(&s, &outer_type, &out), 0);
	assert_outer_example(&out);
	assert_int_equal(buf_len(&s.in), 4); /* 03 ff80 00 */
	assert_int_equal(next(&s, &outer_type, &out), 0);
	assert_memory_equal(&out.num, &zero.num, sizeof(out.num));
	assert_false(out.has_size);
	assert_int_equal(out.arg.count, 0);
	outer_free(&v);
	stream_free(&s);
	gob_enc_free(enc);
}

static void
assert_encoded(struct gob_enc *enc, const struct gob_type *type, const void *v,
    const char *hex)
{
	struct buf out;
	struct gob_sink sink = { .out = &out };

	buf_init(&out, 4096);
	assert_int_equal(encode_one(enc, &out, type, v), 0);
	sink.n = buf_len(&out);
	assert_put(&sink, hex);
	buf_free(&out);
}

/* Bytes from PROTOCOL.pty 5.2 and the vectors. */
static void
test_encode_known(void **state)
{
	struct gob_enc *enc = gob_enc_new();
	struct inner in = { .rows = 40, .cols = 132 };
	int64_t num = 32768, zero = 0;
	struct buf b;

	(void)state;
	assert_encoded(enc, &singles[GOB_INT], &num, "060400fd010000");
	assert_encoded(enc, &singles[GOB_INT], &zero, "03040000");
	buf_view(&b, "ls\n", 3);
	assert_encoded(enc, &singles[GOB_BYTES], &b, "060a00036c730a");
	buf_view(&b, "", 0);
	assert_encoded(enc, &singles[GOB_BYTES], &b, "030a0000");
	assert_encoded(enc, &singles[GOB_STRING], &b, "030c0000");
	assert_encoded(enc, &inner_type, &in,
	    "24 7f 03 01 01 05496e6e6572 01 ff80 00"
	    "01 02 01 04526f7773 01 06 00 01 04436f6c73 01 06 00 00 00"
	    "08 ff80 01 28 01 ff84 00");
	assert_encoded(enc, &empty_type, NULL,
	    "0a ff81 03 01 02 ff82 00 00 00  03 ff82 00");
	assert_encoded(enc, &empty_type, NULL, "03 ff82 00");
	gob_enc_free(enc);
}

static void
test_encode_lists(void **state)
{
	struct gob_enc *enc = gob_enc_new();
	struct gob_list list = { 0 };

	(void)state;
	assert_encoded(enc, &singles[GOB_STRINGS], &list,
	    "15 7f 02 01 01 085b5d737472696e67 01 ff80 00 01 0c 00 00"
	    "04 ff80 00 00");
	buf_init(&list.raw, 100);
	assert_int_equal(gob_list_add(&list, "K", 1), 0);
	assert_encoded(enc, &singles[GOB_OPAQUES], &list,
	    "0d ff83 02 01 02 ff84 00 01 ff82 00 00"
	    "12 ff81 06 01 01 065075624b6579 01 ff82 00 00 00"
	    "06 ff84 00 01 01 4b");
	buf_free(&list.raw);
	gob_enc_free(enc);
}

/* Without room nothing is appended and no definition counts as sent. */
static void
test_encode_no_room(void **state)
{
	struct gob_enc *enc = gob_enc_new();
	struct outer v = outer_example(), out;
	struct stream s = stream_new();
	size_t need;

	(void)state;
	assert_int_equal(encode_one(enc, &s.in, &outer_type, &v), 0);
	need = buf_len(&s.in);
	gob_enc_free(enc);
	enc = gob_enc_new();
	for (size_t room = 1; room <= need; room++) {
		buf_free(&s.in);
		buf_init(&s.in, room);
		assert_int_equal(encode_one(enc, &s.in, &outer_type, &v),
		    room < need ? SKY_ERR_LIMIT : 0);
		assert_int_equal(buf_len(&s.in), room < need ? 0 : need);
	}
	assert_int_equal(next(&s, &outer_type, &out), 0);
	assert_outer_example(&out);
	outer_free(&v);
	stream_free(&s);
	gob_enc_free(enc);
}

static void
test_encode_together(void **state)
{
	struct gob_enc *enc = gob_enc_new();
	struct inner in = { .rows = 1 }, out;
	int64_t num = 5;
	struct gob_item items[] = { { &inner_type, &in },
		{ &singles[GOB_INT], &num } };
	struct stream s = stream_new();

	(void)state;
	buf_init(&s.in, 40);
	assert_int_equal(gob_enc_values(enc, &s.in, items, 2), SKY_ERR_LIMIT);
	assert_int_equal(buf_len(&s.in), 0);
	buf_init(&s.in, 100);
	assert_int_equal(gob_enc_values(enc, &s.in, items, 2), 0);
	assert_int_equal(next(&s, &inner_type, &out), 0);
	assert_int_equal(out.rows, 1);
	assert_int_equal(next(&s, &singles[GOB_INT], &num), 0);
	assert_int_equal(num, 5);
	stream_free(&s);
	gob_enc_free(enc);
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
		cmocka_unit_test(test_kinds_do_not_mix),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_list_counts),
		cmocka_unit_test(test_fields_by_name),
		cmocka_unit_test(test_field_numbers),
		cmocka_unit_test(test_no_common_field),
		cmocka_unit_test(test_field_type),
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_nested_struct),
		cmocka_unit_test(test_skip),
		cmocka_unit_test(test_recursive),
		cmocka_unit_test(test_recursive_known),
		cmocka_unit_test(test_go_values),
		cmocka_unit_test(test_go_in_pieces),
		cmocka_unit_test(test_go_truncated),
		cmocka_unit_test(test_go_flipped),
		cmocka_unit_test(test_encode_struct),
		cmocka_unit_test(test_encode_known),
		cmocka_unit_test(test_encode_lists),
		cmocka_unit_test(test_encode_no_room),
		cmocka_unit_test(test_encode_together),
	};

	return cmocka_run_group_tests_name("gob", tests, NULL, NULL);
}
