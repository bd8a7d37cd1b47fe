/* SPDX-License-Identifier: ISC */
/* Decodes values into C structs as tables and definitions tell. */
#include <string.h>

#include "common/base/err.h"
#include "common/pty/gob_def.h"

/* For each field of a sender's struct which of ours it is, or -1. */
struct binding {
	int ours[GOB_FIELDS_MAX];
	size_t matched;
};

static bool
is_kind(const struct gob_defs *defs, int64_t id, enum gob_def_kind kind)
{
	const struct gob_def *def = gob_defs_find(defs, id);

	return def != NULL && def->kind == kind;
}

static bool
is_list(const struct gob_defs *defs, int64_t id, enum gob_kind kind)
{
	const struct gob_def *def = gob_defs_find(defs, id);

	if (def == NULL || def->kind != GOB_DEF_SLICE)
		return false;
	if (kind == GOB_STRINGS)
		return def->elem == GOB_ID_STRING;
	return is_kind(defs, def->elem, GOB_DEF_BINARY);
}

static bool
is_hash(const struct gob_defs *defs, int64_t id)
{
	const struct gob_def *def = gob_defs_find(defs, id);

	return def != NULL && def->kind == GOB_DEF_ARRAY &&
	    def->elem == GOB_ID_UINT && def->len == GOB_HASH_LEN;
}

/* Go's rules: no conversion between any of these. */
static bool
gob_compatible(const struct gob_defs *defs, enum gob_kind kind, int64_t id)
{
	switch (kind) {
	case GOB_BOOL:
		return id == GOB_ID_BOOL;
	case GOB_INT:
		return id == GOB_ID_INT;
	case GOB_UINT:
		return id == GOB_ID_UINT;
	case GOB_BYTES:
		return id == GOB_ID_BYTES;
	case GOB_STRING:
		return id == GOB_ID_STRING;
	case GOB_STRINGS:
	case GOB_OPAQUES:
		return is_list(defs, id, kind);
	case GOB_OPAQUE:
		return is_kind(defs, id, GOB_DEF_BINARY);
	case GOB_HASH:
		return is_hash(defs, id);
	case GOB_STRUCT:
		return is_kind(defs, id, GOB_DEF_STRUCT);
	}
	return false;
}

static int
find_field(const struct gob_type *type, const struct gob_def_field *f)
{
	for (size_t i = 0; i < type->nfields; i++)
		if (strlen(type->fields[i].name) == f->len &&
		    memcmp(type->fields[i].name, f->name, f->len) == 0)
			return (int)i;
	return -1;
}

/* Like Go it refuses wrong types of fields that the value may not even set. */
static int
bind_fields(const struct gob_defs *defs, const struct gob_def *def,
    const struct gob_type *type, struct binding *bound)
{
	int ours;

	bound->matched = 0;
	for (size_t i = 0; i < def->nfields; i++) {
		ours = find_field(type, &def->fields[i]);
		bound->ours[i] = ours;
		if (ours == -1)
			continue;
		if (!gob_compatible(defs, type->fields[ours].kind,
			def->fields[i].id))
			return SKY_ERR_TYPE;
		bound->matched++;
	}
	return 0;
}

static int
read_bool(struct buf *b, bool *v)
{
	uint64_t u;
	int r;

	if ((r = gob_get_uint(b, &u)) == 0)
		*v = u != 0;
	return r;
}

static int
read_uint(struct buf *b, uint64_t max, uint64_t *v)
{
	int r;

	if ((r = gob_get_uint(b, v)) != 0)
		return r;
	return max != 0 && *v > max ? SKY_ERR_RANGE : 0;
}

/* Walks a list once to learn where it ends. */
static int
read_list(struct buf *b, struct gob_list *list)
{
	struct buf start, item;
	int r;

	if ((r = gob_get_uint(b, &list->count)) != 0)
		return r;
	if (list->count > buf_len(b))
		return SKY_ERR_SHORT;
	start = *b;
	for (uint64_t i = 0; i < list->count; i++)
		if ((r = gob_get_bytes(b, &item)) != 0)
			return r;
	return buf_get_view(&start, buf_len(&start) - buf_len(b), &list->raw);
}

/* Each byte is a number of its own. */
static int
read_hash(struct buf *b, uint8_t *out)
{
	uint64_t v;
	int r;

	if ((r = gob_get_uint(b, &v)) != 0)
		return r;
	if (v != GOB_HASH_LEN)
		return SKY_ERR_FORMAT;
	for (size_t i = 0; i < GOB_HASH_LEN; i++) {
		if ((r = gob_get_uint(b, &v)) != 0)
			return r;
		if (v > UINT8_MAX)
			return SKY_ERR_RANGE;
		out[i] = (uint8_t)v;
	}
	return 0;
}

static int
read_single(enum gob_kind kind, uint64_t max, struct buf *b, void *out)
{
	switch (kind) {
	case GOB_BOOL:
		return read_bool(b, out);
	case GOB_INT:
		return gob_get_int(b, out);
	case GOB_UINT:
		return read_uint(b, max, out);
	case GOB_BYTES:
	case GOB_STRING:
	case GOB_OPAQUE:
		return gob_get_bytes(b, out);
	case GOB_HASH:
		return read_hash(b, out);
	case GOB_STRINGS:
	case GOB_OPAQUES:
		return read_list(b, out);
	case GOB_STRUCT:
		break;
	}
	return SKY_ERR_TYPE;
}

static int read_nested(const struct gob_defs *, int64_t,
    const struct gob_field *, struct buf *, void *);

static int
gob_value_read_field(const struct gob_defs *defs,
    const struct gob_def_field *theirs, const struct gob_field *ours,
    struct buf *b, void *out)
{
	if (ours == NULL)
		return gob_skip(defs, theirs->id, b, 1);
	if (ours->kind == GOB_STRUCT)
		return read_nested(defs, theirs->id, ours, b, out);
	return read_single(ours->kind, ours->max, b,
	    (char *)out + ours->offset);
}

static int
gob_value_read_fields(const struct gob_defs *defs, const struct gob_def *def,
    const struct gob_type *type, const struct binding *bound, struct buf *b,
    void *out)
{
	const struct gob_field *ours;
	uint64_t n = 0;
	int r, at;

	while ((r = gob_next_field(b, &n)) == 1) {
		if (n > def->nfields)
			return SKY_ERR_FORMAT;
		at = bound->ours[n - 1];
		ours = at == -1 ? NULL : &type->fields[at];
		r = gob_value_read_field(defs, &def->fields[n - 1], ours, b,
		    out);
		if (r != 0)
			return r;
	}
	return r;
}

/* Our types are as deep as their tables, so this recursion ends. */
static int
read_nested(const struct gob_defs *defs, int64_t id, const struct gob_field *f,
    struct buf *b, void *out)
{
	const struct gob_def *def = gob_defs_find(defs, id);
	struct binding bound;
	int r;

	if (def == NULL)
		return SKY_ERR_TYPE;
	if ((r = bind_fields(defs, def, f->type, &bound)) != 0)
		return r;
	*(bool *)(void *)((char *)out + f->present) = true;
	return gob_value_read_fields(defs, def, f->type, &bound, b,
	    (char *)out + f->offset);
}

/* Go refuses structs that have nothing in common, the empty one excepted. */
static int
read_struct(const struct gob_defs *defs, int64_t id, struct buf *b,
    const struct gob_type *type, void *out)
{
	const struct gob_def *def = gob_defs_find(defs, id);
	struct binding bound;
	int r;

	if (def == NULL || def->kind != GOB_DEF_STRUCT)
		return SKY_ERR_TYPE;
	if ((r = bind_fields(defs, def, type, &bound)) != 0)
		return r;
	if (bound.matched == 0 && type->nfields != 0 && def->nfields != 0)
		return SKY_ERR_TYPE;
	return gob_value_read_fields(defs, def, type, &bound, b, out);
}

/* A value that is no struct stands behind a zero. */
static int
read_top(const struct gob_defs *defs, int64_t id, struct buf *b,
    const struct gob_type *type, void *out)
{
	uint64_t zero;
	int r;

	if (!gob_compatible(defs, type->single, id))
		return SKY_ERR_TYPE;
	if ((r = gob_get_uint(b, &zero)) != 0)
		return r;
	if (zero != 0)
		return SKY_ERR_FORMAT;
	return read_single(type->single, 0, b, out);
}

int
gob_value(const struct gob_defs *defs, int64_t id, struct buf *b,
    const struct gob_type *type, void *out)
{
	int r;

	if (type->size != 0)
		memset(out, 0, type->size);
	if (type->is_struct)
		r = read_struct(defs, id, b, type, out);
	else
		r = read_top(defs, id, b, type, out);
	return r == 0 ? buf_at_end(b) : r;
}
