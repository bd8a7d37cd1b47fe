/* SPDX-License-Identifier: ISC */
/*
 * gob: decodes any stream into a struct with every kind of field.  What could
 * be decoded must survive being encoded and decoded again.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/pty/gob.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MSG_MAX	 65536

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct inner {
	uint64_t rows;
	uint64_t cols;
};

struct outer {
	struct buf name;
	struct gob_list arg;
	struct inner size;
	bool has_size;
	struct gob_list env;
	struct buf in;
	int64_t timeout;
	bool cut;
	uint64_t seq;
	struct gob_list keys;
};

static const struct gob_field inner_fields[] = {
	{ "Rows", GOB_UINT, offsetof(struct inner, rows), 0, 65535, NULL },
	{ "Cols", GOB_UINT, offsetof(struct inner, cols), 0, 65535, NULL },
};
static const struct gob_type inner_type = { "WinSize", true, GOB_STRUCT,
	inner_fields, COUNT(inner_fields), sizeof(struct inner) };

static const struct gob_field outer_fields[] = {
	{ "Name", GOB_STRING, offsetof(struct outer, name), 0, 0, NULL },
	{ "Arg", GOB_STRINGS, offsetof(struct outer, arg), 0, 0, NULL },
	{ "Size", GOB_STRUCT, offsetof(struct outer, size),
	    offsetof(struct outer, has_size), 0, &inner_type },
	{ "Env", GOB_STRINGS, offsetof(struct outer, env), 0, 0, NULL },
	{ "Stdin", GOB_BYTES, offsetof(struct outer, in), 0, 0, NULL },
	{ "TimeoutMS", GOB_INT, offsetof(struct outer, timeout), 0, 0, NULL },
	{ "StdoutTruncated", GOB_BOOL, offsetof(struct outer, cut), 0, 0,
	    NULL },
	{ "Seq", GOB_UINT, offsetof(struct outer, seq), 0, 0, NULL },
	{ "Keys", GOB_OPAQUES, offsetof(struct outer, keys), 0, 0, NULL },
};

static const struct gob_type types[] = {
	{ "Outer", true, GOB_STRUCT, outer_fields, COUNT(outer_fields),
	    sizeof(struct outer) },
	{ "", true, GOB_STRUCT, NULL, 0, 0 },
	{ "", false, GOB_BOOL, NULL, 0, sizeof(bool) },
	{ "", false, GOB_INT, NULL, 0, sizeof(int64_t) },
	{ "", false, GOB_UINT, NULL, 0, sizeof(uint64_t) },
	{ "", false, GOB_BYTES, NULL, 0, sizeof(struct buf) },
	{ "", false, GOB_STRING, NULL, 0, sizeof(struct buf) },
	{ "", false, GOB_STRINGS, NULL, 0, sizeof(struct gob_list) },
	{ "", false, GOB_OPAQUES, NULL, 0, sizeof(struct gob_list) },
};

union any {
	struct outer outer;
	int64_t number;
	bool yes;
	struct buf buf;
	struct gob_list list;
};

static void
check(bool ok)
{
	if (!ok)
		abort();
}

static void
encode(const struct gob_type *type, const union any *v, struct buf *out)
{
	struct gob_item item = { .type = type, .value = v };
	struct gob_enc *enc = gob_enc_new();

	buf_init(out, 4 * MSG_MAX);
	check(gob_enc_values(enc, out, &item, 1) == 0);
	gob_enc_free(enc);
}

static void
check_again(const struct gob_type *type, const union any *v)
{
	struct gob_dec *dec = gob_dec_new(4 * MSG_MAX);
	struct buf first, second, in, value;
	union any again;
	int64_t id;

	encode(type, v, &first);
	in = first;
	check(gob_dec_next(dec, &in, &id, &value) == 1);
	check(gob_dec_value(dec, id, &value, type, &again) == 0);
	check(buf_len(&in) == 0);
	encode(type, &again, &second);
	check(buf_len(&first) == buf_len(&second));
	check(memcmp(buf_ptr(&first), buf_ptr(&second), buf_len(&first)) == 0);
	buf_free(&first);
	buf_free(&second);
	gob_dec_free(dec);
}

/* Every value of the stream as every type. */
static void
decode(struct gob_dec *dec, int64_t id, const struct buf *value)
{
	struct buf v;
	union any out;

	for (size_t i = 0; i < COUNT(types); i++) {
		v = *value;
		if (gob_dec_value(dec, id, &v, &types[i], &out) == 0)
			check_again(&types[i], &out);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct gob_dec *dec = gob_dec_new(MSG_MAX);
	struct buf in, value;
	int64_t id;

	buf_view(&in, data, n);
	while (gob_dec_next(dec, &in, &id, &value) == 1)
		decode(dec, id, &value);
	gob_dec_free(dec);
	return 0;
}
