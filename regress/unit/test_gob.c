/* SPDX-License-Identifier: ISC */
/* gob: primitives, definitions, values both ways, and everything malformed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/err.h"
#include "common/gob.h"
#include "common/gob_wire.h"
#include "gobvec.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* --- types to decode into -------------------------------------------- */

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

/* --- streams ---------------------------------------------------------- */

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
 * Decodes the next value: ERR_AGAIN when it is not complete, what
 * gob_dec_next said when that failed, else what gob_dec_value said.
 */
static int
next(struct stream *s, const struct gob_type *type, void *out)
{
	struct buf value;
	int64_t id;
	int r;

	if ((r = gob_dec_next(s->dec, &s->in, &id, &value)) != 1)
		return r == 0 ? ERR_AGAIN : r;
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
#define COMMON64 "01 02ff80 00"
#define DEF64_STRUCT(fields) "7f 03" COMMON64 fields "00 00"
#define DEF64_SLICE(elem) "7f 02" COMMON64 "01" elem "00 00"
#define DEF64_INNER \
	DEF64_STRUCT("01 02 01 04526f7773 01 06 00 01 04436f6c73 01 06 00")
/* struct { X of the type; Name string } as id 64, for skipping X. */
#define DEF64_SKIP(type) \
	DEF64_STRUCT("01 02 01 0158 01" type "00 01 044e616d65 01 0c 00")
/* Its value with X and Name "sh". */
#define VALUE64_SKIP(x) "ff80 01" x "04 027368 00"

/* --- primitives ------------------------------------------------------- */

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
	assert_int_equal(get_uint_hex("f7000000000000000000", &v), ERR_FORMAT);
	assert_int_equal(get_uint_hex("80", &v), ERR_FORMAT);
	assert_int_equal(get_uint_hex("", &v), ERR_SHORT);
	assert_int_equal(get_uint_hex("ff", &v), ERR_SHORT);
	assert_int_equal(get_uint_hex("f800000000000000", &v), ERR_SHORT);
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
	assert_int_equal(gob_get_bytes(&b, &v), ERR_SHORT);
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
	assert_int_equal(gob_list_add(&list, "c", 1), ERR_LIMIT);
	assert_int_equal(list.count, 2);
	assert_int_equal(buf_len(&list.raw), 4);
	assert_item(&list, "");
	assert_item(&list, "ab");
	assert_list_end(&list);
	assert_int_equal(buf_put(&list.raw, "\x02x", 2), 0);
	list.count = 1;
	assert_int_equal(gob_list_next(&list, &item), ERR_FORMAT);
	buf_free(&list.raw);
}

/* --- messages --------------------------------------------------------- */

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
	assert_limit(66, 66, ERR_AGAIN);
	assert_limit(65, 67, ERR_LIMIT);
	assert_limit(65, 1, ERR_LIMIT);
}

/* A length over the limit is refused before a byte of the message came. */
static void
test_message_length(void **state)
{
	const struct gob_type *t = &singles[GOB_INT];

	(void)state;
	assert_int_equal(verdict_raw("fc40000000", t), ERR_LIMIT);
	assert_int_equal(verdict_raw("f8ffffffffffffffff", t), ERR_LIMIT);
	assert_int_equal(verdict_raw("fe1001", t), ERR_LIMIT);
	assert_int_equal(verdict_raw("fe1000", t), ERR_AGAIN);
	assert_int_equal(verdict_raw("fe10", t), ERR_AGAIN);
	assert_int_equal(verdict_raw("", t), ERR_AGAIN);
	assert_int_equal(verdict_raw("f7000000000000000000", t), ERR_FORMAT);
	assert_int_equal(verdict_raw("00", t), ERR_FORMAT);
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
	assert_int_equal(verdict(NULL, NULL, "04 01 02", num), ERR_FORMAT);
	assert_int_equal(verdict(NULL, NULL, "04 00 02 00", num), ERR_FORMAT);
	assert_int_equal(verdict(NULL, NULL, "04 00", num), ERR_FORMAT);
	assert_int_equal(verdict(NULL, NULL, "04", num), ERR_FORMAT);
	assert_int_equal(verdict(NULL, NULL, "04 00 ff", num), ERR_FORMAT);
	assert_int_equal(verdict(NULL, NULL, "04 00 80", num), ERR_FORMAT);
	assert_int_equal(verdict(NULL, NULL, "fe 00", num), ERR_FORMAT);
	assert_int_equal(verdict(NULL, NULL, "0a 00 0161", data), 0);
	assert_int_equal(verdict(NULL, NULL, "0a 00 0261", data), ERR_FORMAT);
	assert_int_equal(verdict(NULL, NULL, "0a 00 f8ffffffffffffffff 61",
			     data),
	    ERR_FORMAT);
}

/* --- definitions ------------------------------------------------------ */

static void
test_def_id(void **state)
{
	static const char value[] = "ff80 01 18 01 50 00";

	(void)state;
	assert_int_equal(verdict(DEF64_INNER, NULL, value, &inner_type), 0);
	assert_int_equal(
	    verdict(DEF64_INNER, DEF64_INNER, value, &inner_type), ERR_FORMAT);
	/* 63, 1, and beyond 32 bits */
	assert_int_equal(verdict("7d 05 01 02 7c 00 00 00", NULL, value,
			     &inner_type),
	    ERR_FORMAT);
	assert_int_equal(verdict("01 05 01 02 02 00 00 00", NULL, value,
			     &inner_type),
	    ERR_FORMAT);
	assert_int_equal(verdict("fbffffffffff 05 01 00 00 00", NULL, value,
			     &inner_type),
	    ERR_FORMAT);
	assert_int_equal(verdict("f8ffffffffffffffff 05 01 00 00 00", NULL,
			     value, &inner_type),
	    ERR_FORMAT);
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
		assert_int_equal(next(&s, &inner_type, &out), ERR_TYPE);
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
			    n < b.n ? ERR_FORMAT : ERR_AGAIN);
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
		assert_int_equal(next(&s, &inner_type, &out), ERR_FORMAT);
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
		if (i == 0) /* zero fields may be sent, too */
			assert_int_equal(next(&s, &inner_type, &out), 0);
		else
			assert_int_equal(next(&s, &inner_type, &out), 0);
		assert_int_equal(out.rows, i);
	}
	add_struct(&s, 1000, 1);
	assert_int_equal(next(&s, &inner_type, &out), ERR_LIMIT);
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
	assert_int_equal(next(&s, &inner_type, &out), ERR_LIMIT);
	stream_free(&s);
	/* A count is a claim until the fields come. */
	assert_int_equal(verdict(DEF64_STRUCT("01 f8ffffffffffffffff"), NULL,
			     "ff80 00", &inner_type),
	    ERR_LIMIT);
}

/* Names of 32 bytes count, longer ones are none of ours but do no harm. */
static void
test_long_name(void **state)
{
	static const char value[] = "ff80 01 05 01 07 00";

	(void)state;
	assert_int_equal(
	    verdict(DEF64_STRUCT(
			"01 02 01 21"
			"526f7773000000000000000000000000"
			"0000000000000000000000000000000000 01 06 00"
			"01 04526f7773 01 06 00"),
		NULL, value, &inner_type),
	    0);
	assert_int_equal(
	    verdict(DEF64_STRUCT(
			"01 01 01 20"
			"526f7773000000000000000000000000"
			"00000000000000000000000000000000 01 06 00"),
		NULL, "ff80 01 05 00", &inner_type),
	    ERR_TYPE);
}

/* --- what fits what --------------------------------------------------- */

/* Values of the built-in types, by id, with the zero before them. */
static const char *const builtin[] = { NULL, "02 00 01", "04 00 01",
	"06 00 01", "08 00 01", "0a 00 0161", "0c 00 0161", "0e 00 01 01" };

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
			assert_int_equal(verdict(NULL, NULL, builtin[id],
					     &singles[kind]),
			    fitting[kind] == id ? 0 : ERR_TYPE);
	assert_int_equal(
	    verdict(NULL, NULL, "10 00 00", &singles[GOB_BYTES]), ERR_TYPE);
	assert_int_equal(verdict(NULL, NULL, builtin[2], &inner_type), ERR_TYPE);
	assert_int_equal(verdict(NULL, NULL, builtin[2], &empty_type), ERR_TYPE);
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
	assert_int_equal(
	    verdict(DEF64_SLICE("0a"), NULL, value, texts), ERR_TYPE);
	assert_int_equal(
	    verdict(DEF64_SLICE("ff82"), binary, value, texts), ERR_TYPE);
	assert_int_equal(verdict("7f 01" COMMON64 "01 0c 01 04 00 00", NULL,
			     value, texts),
	    ERR_TYPE);
	assert_int_equal(verdict(DEF64_SLICE("ff82"), binary, value, keys), 0);
	assert_int_equal(
	    verdict(DEF64_SLICE("ff82"), text, value, keys), ERR_TYPE);
	assert_int_equal(
	    verdict(DEF64_SLICE("ff82"), NULL, value, keys), ERR_TYPE);
	assert_int_equal(
	    verdict(DEF64_SLICE("0c"), NULL, value, keys), ERR_TYPE);
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
		assert_int_equal(
		    verdict(DEF64_SLICE("0c"), NULL, bad[i], t), ERR_FORMAT);
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
	static const char *const bad[] = { "ff80 03 18 00", "ff80 01 18 02 18 00",
		"ff80 01 18 01 50 01 18 00", "ff80 01 18", "ff80 01", "ff80",
		"ff80 01 18 00 00", "ff80 f8ffffffffffffffff 18 00",
		"ff80 01 80 00" };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(
		    verdict(DEF64_INNER, NULL, bad[i], &inner_type), ERR_FORMAT);
}

/* As Go: nothing in common is a mistake unless one side has no fields. */
static void
test_no_common_field(void **state)
{
	static const char nope[] = DEF64_STRUCT("01 01 01 044e6f7065 01 06 00");

	(void)state;
	assert_int_equal(
	    verdict(nope, NULL, "ff80 01 05 00", &inner_type), ERR_TYPE);
	assert_int_equal(verdict(nope, NULL, "ff80 00", &inner_type), ERR_TYPE);
	assert_int_equal(verdict(nope, NULL, "ff80 01 05 00", &empty_type), 0);
	assert_int_equal(
	    verdict(DEF64_STRUCT(""), NULL, "ff80 00", &inner_type), 0);
	assert_int_equal(
	    verdict(DEF64_STRUCT(""), NULL, "ff80 00", &empty_type), 0);
	assert_int_equal(
	    verdict(DEF64_SLICE("0c"), NULL, "ff80 00 00", &empty_type),
	    ERR_TYPE);
}

/* The type of a field matters even when the value does not set it. */
static void
test_field_type(void **state)
{
	static const char def[] =
	    DEF64_STRUCT("01 02 01 04526f7773 01 04 00 01 04436f6c73 01 06 00");

	(void)state;
	assert_int_equal(
	    verdict(def, NULL, "ff80 01 30 00", &inner_type), ERR_TYPE);
	assert_int_equal(
	    verdict(def, NULL, "ff80 02 50 00", &inner_type), ERR_TYPE);
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
	assert_int_equal(next(&s, &inner_type, &out), ERR_RANGE);
	assert_int_equal(next(&s, &inner_type, &out), ERR_RANGE);
	assert_int_equal(next(&s, &inner_type, &out), 0);
	assert_int_equal(out.rows, 24);
	stream_free(&s);
}

static void
test_nested_struct(void **state)
{
	/* struct { Size #65 } and three things #65 may be. */
	static const char def[] =
	    DEF64_STRUCT("01 01 01 0453697a65 01 ff82 00");
	static const char size[] =
	    "ff81 03 01 02 ff82 00 01 01 01 04436f6c73 01 06 00 00 00";
	static const char nope[] =
	    "ff81 03 01 02 ff82 00 01 01 01 044e6f7065 01 06 00 00 00";
	static const char slice[] = "ff81 02 01 02 ff82 00 01 06 00 00";
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
	assert_int_equal(
	    verdict(def, nope, "ff80 01 01 50 00 00", &outer_type), 0);
	assert_int_equal(
	    verdict(def, slice, "ff80 01 01 50 00", &outer_type), ERR_TYPE);
	assert_int_equal(verdict(def, NULL, "ff80 00", &outer_type), ERR_TYPE);
}

/* --- skipping --------------------------------------------------------- */

static void
test_skip_builtin(void **state)
{
	const struct gob_type *t = &outer_type;

	(void)state;
	assert_int_equal(
	    verdict(DEF64_SKIP("02"), NULL, VALUE64_SKIP("01"), t), ERR_FORMAT);
}
