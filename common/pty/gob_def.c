/* SPDX-License-Identifier: ISC */
/* Reads type definitions and keeps them.  PROTOCOL.pty 5.2, wireType. */
#include "common/pty/gob_def.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"

void
gob_defs_free(struct gob_defs *defs)
{
	for (size_t i = 0; i < defs->n; i++)
		free(defs->def[i].fields);
	defs->n = 0;
}

/* Where id stands or would have to. */
static size_t
gob_def_position(const struct gob_defs *defs, int64_t id)
{
	size_t lo = 0, hi = defs->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (defs->def[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct gob_def *
gob_defs_find(const struct gob_defs *defs, int64_t id)
{
	size_t at = gob_def_position(defs, id);

	return at < defs->n && defs->def[at].id == id ? &defs->def[at] : NULL;
}

/* CommonType: 1 name, 2 id.  Neither matters. */
static int
read_common(struct buf *b)
{
	uint64_t field = 0;
	struct buf name;
	int64_t id;
	int r;

	while ((r = gob_next_field(b, &field)) == 1) {
		if (field == 1)
			r = gob_get_bytes(b, &name);
		else
			r = field == 2 ? gob_get_int(b, &id) : SKY_ERR_FORMAT;
		if (r != 0)
			return r;
	}
	return r;
}

static int
read_name(struct gob_def_field *f, struct buf *b)
{
	struct buf name;
	int r;

	if ((r = gob_get_bytes(b, &name)) != 0)
		return r;
	if (buf_len(&name) > sizeof(f->name))
		return 0;
	f->len = buf_len(&name);
	return buf_get(&name, f->name, f->len);
}

/* FieldType: 1 name, 2 type id. */
static int
gob_def_read_field(struct gob_def_field *f, struct buf *b)
{
	uint64_t field = 0;
	int r;

	while ((r = gob_next_field(b, &field)) == 1) {
		if (field == 1)
			r = read_name(f, b);
		else
			r = field == 2 ? gob_get_int(b, &f->id) :
					 SKY_ERR_FORMAT;
		if (r != 0)
			return r;
	}
	return r;
}

static int
gob_def_read_fields(struct gob_def *def, struct buf *b)
{
	uint64_t n;
	int r;

	if ((r = gob_get_uint(b, &n)) != 0)
		return r;
	if (n > GOB_FIELDS_MAX)
		return SKY_ERR_LIMIT;
	if (n == 0)
		return 0;
	if ((def->fields = calloc((size_t)n, sizeof(*def->fields))) == NULL)
		return SKY_ERR_NOMEM;
	for (; def->nfields < n; def->nfields++)
		if ((r = gob_def_read_field(&def->fields[def->nfields], b)) !=
		    0)
			return r;
	return 0;
}

/* What differs between the kinds: fields 2 and 3 of their definition. */
static int
read_detail(struct gob_def *def, uint64_t field, struct buf *b)
{
	if (def->kind == GOB_DEF_STRUCT && field == 2)
		return gob_def_read_fields(def, b);
	if (def->kind == GOB_DEF_MAP && field == 2)
		return gob_get_int(b, &def->key);
	if (def->kind == GOB_DEF_MAP && field == 3)
		return gob_get_int(b, &def->elem);
	if (def->kind == GOB_DEF_ARRAY && field == 3)
		return gob_get_int(b, &def->len);
	if ((def->kind == GOB_DEF_ARRAY || def->kind == GOB_DEF_SLICE) &&
	    field == 2)
		return gob_get_int(b, &def->elem);
	return SKY_ERR_FORMAT;
}

/* wireType: a struct of which exactly one field is set, the kind's. */
static int
read_def(struct gob_def *def, struct buf *b)
{
	uint64_t kind = 0, field = 0;
	int r;

	if ((r = gob_next_field(b, &kind)) != 1)
		return r == 0 ? SKY_ERR_FORMAT : r;
	if (kind > GOB_DEF_TEXT)
		return SKY_ERR_FORMAT;
	def->kind = (enum gob_def_kind)kind;
	while ((r = gob_next_field(b, &field)) == 1) {
		r = field == 1 ? read_common(b) : read_detail(def, field, b);
		if (r != 0)
			return r;
	}
	if (r == 0 && (r = gob_next_field(b, &kind)) == 1)
		return SKY_ERR_FORMAT;
	return r == 0 ? buf_at_end(b) : r;
}

static void
gob_def_insert(struct gob_defs *defs, const struct gob_def *def)
{
	size_t at = gob_def_position(defs, def->id);

	memmove(&defs->def[at + 1], &defs->def[at],
	    (defs->n - at) * sizeof(*def));
	defs->def[at] = *def;
	defs->n++;
}

int
gob_defs_add(struct gob_defs *defs, int64_t id, struct buf *b)
{
	struct gob_def def = { .id = id };
	int r;

	if (id < GOB_ID_USER || gob_defs_find(defs, id) != NULL)
		return SKY_ERR_FORMAT;
	if (defs->n == GOB_DEFS_MAX)
		return SKY_ERR_LIMIT;
	if ((r = read_def(&def, b)) != 0)
		free(def.fields);
	else
		gob_def_insert(defs, &def);
	return r;
}
