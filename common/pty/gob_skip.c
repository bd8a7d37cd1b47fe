/* SPDX-License-Identifier: ISC */
/* Skips values that nobody here wants, by their sender's definitions. */
#include "common/base/err.h"
#include "common/pty/gob_def.h"

/*
 * Every value takes a byte at least, so a count is bounded by what is left,
 * and so is the time spent here.
 */
static int
get_count(struct buf *b, uint64_t *n)
{
	int r;

	if ((r = gob_get_uint(b, n)) != 0)
		return r;
	return *n > buf_len(b) ? SKY_ERR_SHORT : 0;
}

static int
skip_uints(struct buf *b, unsigned n)
{
	uint64_t v;
	int r = 0;

	while (n-- > 0 && r == 0)
		r = gob_get_uint(b, &v);
	return r;
}

static int
skip_bytes(struct buf *b)
{
	struct buf v;

	return gob_get_bytes(b, &v);
}

static int
skip_list(const struct gob_defs *defs, const struct gob_def *def, struct buf *b,
    unsigned depth)
{
	uint64_t n;
	int r;

	if ((r = get_count(b, &n)) != 0)
		return r;
	if (def->kind == GOB_DEF_ARRAY && (int64_t)n != def->len)
		return SKY_ERR_FORMAT;
	while (n-- > 0 && r == 0)
		r = gob_skip(defs, def->elem, b, depth);
	return r;
}

static int
skip_map(const struct gob_defs *defs, const struct gob_def *def, struct buf *b,
    unsigned depth)
{
	uint64_t n;
	int r;

	if ((r = get_count(b, &n)) != 0)
		return r;
	while (n-- > 0 && r == 0)
		if ((r = gob_skip(defs, def->key, b, depth)) == 0)
			r = gob_skip(defs, def->elem, b, depth);
	return r;
}

static int
skip_struct(const struct gob_defs *defs, const struct gob_def *def,
    struct buf *b, unsigned depth)
{
	uint64_t field = 0;
	int r;

	while ((r = gob_next_field(b, &field)) == 1) {
		if (field > def->nfields)
			return SKY_ERR_FORMAT;
		r = gob_skip(defs, def->fields[field - 1].id, b, depth);
		if (r != 0)
			return r;
	}
	return r;
}

static int
skip_defined(const struct gob_defs *defs, int64_t id, struct buf *b,
    unsigned depth)
{
	const struct gob_def *def;

	if ((def = gob_defs_find(defs, id)) == NULL)
		return SKY_ERR_TYPE;
	if (depth >= GOB_NESTING_MAX)
		return SKY_ERR_LIMIT;
	switch (def->kind) {
	case GOB_DEF_ARRAY:
	case GOB_DEF_SLICE:
		return skip_list(defs, def, b, depth + 1);
	case GOB_DEF_STRUCT:
		return skip_struct(defs, def, b, depth + 1);
	case GOB_DEF_MAP:
		return skip_map(defs, def, b, depth + 1);
	default:
		return skip_bytes(b);
	}
}

int
gob_skip(const struct gob_defs *defs, int64_t id, struct buf *b, unsigned depth)
{
	switch (id) {
	case GOB_ID_BOOL:
	case GOB_ID_INT:
	case GOB_ID_UINT:
	case GOB_ID_FLOAT:
		return skip_uints(b, 1);
	case GOB_ID_COMPLEX:
		return skip_uints(b, 2);
	case GOB_ID_BYTES:
	case GOB_ID_STRING:
		return skip_bytes(b);
	case GOB_ID_INTERFACE:
		/* May go on in further messages: the stream is lost. */
		return SKY_ERR_FORMAT;
	default:
		return skip_defined(defs, id, b, depth);
	}
}
