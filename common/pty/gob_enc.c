/* SPDX-License-Identifier: ISC */
/* Writes a gob stream: values, and definitions where they are due. */
#include <stdlib.h>

#include "common/base/err.h"
#include "common/pty/gob_ids.h"

struct gob_enc {
	struct gob_ids ids;
};

struct message {
	int64_t id;
	const struct gob_type *type;
	const void *value;
};

struct gob_enc *
gob_enc_new(void)
{
	return calloc(1, sizeof(struct gob_enc));
}

void
gob_enc_free(struct gob_enc *enc)
{
	free(enc);
}

static void
put_struct(struct gob_sink *, const struct gob_type *, const void *);

static void
put_single(struct gob_sink *s, enum gob_kind kind, const struct gob_type *type,
    const void *v)
{
	const struct gob_list *list;
	const struct buf *bytes;

	switch (kind) {
	case GOB_BOOL:
		gob_put_uint(s, *(const bool *)v);
		break;
	case GOB_INT:
		gob_put_int(s, *(const int64_t *)v);
		break;
	case GOB_UINT:
		gob_put_uint(s, *(const uint64_t *)v);
		break;
	case GOB_BYTES:
	case GOB_STRING:
		bytes = v;
		gob_put_bytes(s, buf_ptr(bytes), buf_len(bytes));
		break;
	case GOB_STRINGS:
	case GOB_OPAQUES:
		list = v;
		gob_put_uint(s, list->count);
		gob_put_raw(s, buf_ptr(&list->raw), buf_len(&list->raw));
		break;
	case GOB_STRUCT:
		put_struct(s, type, v);
		break;
	case GOB_OPAQUE:
	case GOB_HASH:
		break; /* read only */
	}
}

/* Fields that are zero do not travel. */
static bool
is_zero(const struct gob_field *f, const void *base)
{
	const void *v = (const char *)base + f->offset;

	switch (f->kind) {
	case GOB_BOOL:
		return !*(const bool *)v;
	case GOB_INT:
	case GOB_UINT:
		return *(const uint64_t *)v == 0;
	case GOB_BYTES:
	case GOB_STRING:
		return buf_len(v) == 0;
	case GOB_STRINGS:
	case GOB_OPAQUES:
		return ((const struct gob_list *)v)->count == 0;
	case GOB_STRUCT:
		v = (const char *)base + f->present;
		return !*(const bool *)v;
	case GOB_OPAQUE:
	case GOB_HASH:
		break; /* read only */
	}
	return true;
}

static void
put_struct(struct gob_sink *s, const struct gob_type *type, const void *v)
{
	const struct gob_field *f = type->fields;
	size_t last = 0;

	for (size_t i = 0; i < type->nfields; i++) {
		if (is_zero(&f[i], v))
			continue;
		gob_put_uint(s, i + 1 - last);
		last = i + 1;
		put_single(s, f[i].kind, f[i].type,
		    (const char *)v + f[i].offset);
	}
	gob_put_uint(s, 0);
}

/* Body of a value: type id; what is no struct stands behind a zero. */
static void
put_value(struct gob_sink *s, const void *arg)
{
	const struct message *m = arg;

	gob_put_int(s, m->id);
	if (m->type->is_struct) {
		put_struct(s, m->type, m->value);
	} else {
		gob_put_uint(s, 0);
		put_single(s, m->type->single, NULL, m->value);
	}
}

static int
put_messages(struct gob_ids *ids, struct gob_sink *s,
    const struct gob_type *type, const void *v)
{
	struct message m = { .type = type, .value = v };
	int r;

	if ((r = gob_ids_define(ids, s, type)) != 0)
		return r;
	m.id = gob_ids_of(ids, type);
	gob_put_message(s, put_value, &m);
	return s->err;
}

static int
gob_put_all(struct gob_ids *ids, struct gob_sink *s,
    const struct gob_item *items, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = put_messages(ids, s, items[i].type, items[i].value);
	return r;
}

int
gob_enc_values(struct gob_enc *enc, struct buf *out,
    const struct gob_item *items, size_t n)
{
	struct gob_ids tried = enc->ids;
	struct gob_sink sink = { 0 };
	uint8_t *room;
	int r;

	/* Counted first, so that writing cannot fail half-way. */
	if ((r = gob_put_all(&tried, &sink, items, n)) != 0 ||
	    (r = buf_extend(out, sink.n, &room)) != 0 ||
	    (r = buf_trim(out, sink.n)) != 0)
		return r;
	sink = (struct gob_sink){ .out = out };
	return gob_put_all(&enc->ids, &sink, items, n);
}
