/* SPDX-License-Identifier: ISC */
/* The types and the streams of the tests of gob.  Include behind cmocka.h. */
#ifndef REGRESS_UNIT_GOB_WORLD_H
#define REGRESS_UNIT_GOB_WORLD_H

#include <stdlib.h>
#include <string.h>

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

static inline void
assert_view(const struct buf *b, const char *text)
{
	assert_int_equal(buf_len(b), strlen(text));
	assert_memory_equal(buf_ptr(b), text, strlen(text));
}

static inline void
assert_item(struct gob_list *list, const char *text)
{
	struct buf item;

	assert_int_equal(gob_list_next(list, &item), 1);
	assert_view(&item, text);
}

static inline void
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

static inline struct stream
stream_new(void)
{
	struct stream s = { .dec = gob_dec_new(4096) };

	assert_non_null(s.dec);
	buf_init(&s.in, 1024 * 1024);
	return s;
}

static inline void
stream_free(struct stream *s)
{
	gob_dec_free(s->dec);
	buf_free(&s->in);
}

/* Bytes as they are. */
static inline void
add_raw(struct stream *s, const char *hex)
{
	struct blob b = blob_hex(hex);

	assert_int_equal(buf_put(&s->in, b.p, b.n), 0);
	free(b.p);
}

/* A message: the bytes with their length before them. */
static inline void
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
static inline int
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
static inline int
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
static inline int
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

static inline void
assert_put(const struct gob_sink *sink, const char *hex)
{
	struct blob want = blob_hex(hex);

	assert_int_equal(sink->err, 0);
	assert_int_equal(sink->n, want.n);
	assert_int_equal(buf_len(sink->out), want.n);
	assert_memory_equal(buf_ptr(sink->out), want.p, want.n);
	free(want.p);
}

#endif
