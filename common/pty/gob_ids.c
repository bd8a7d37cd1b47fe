/* SPDX-License-Identifier: ISC */
/*
 * Numbers and defines the types that are sent, in Go 1.26's order and with its
 * first number, so that our bytes are those of a Go process.
 */
#include "common/pty/gob_ids.h"

#include <string.h>

#include "common/base/err.h"

/* Lists are the same type wherever they stand.  Names as Go gives them. */
static const struct gob_type strings = { .name = "[]string",
	.single = GOB_STRINGS };
static const struct gob_type opaques = { .name = "", .single = GOB_OPAQUES };
static const struct gob_type opaque = { .name = "PubKey" };

/* The type that is defined for a kind, NULL for what is built in. */
static const struct gob_type *
gob_ids_defined(enum gob_kind kind, const struct gob_type *type)
{
	switch (kind) {
	case GOB_STRUCT:
		return type;
	case GOB_STRINGS:
		return &strings;
	case GOB_OPAQUES:
		return &opaques;
	default:
		return NULL;
	}
}

static int64_t
builtin_id(enum gob_kind kind)
{
	switch (kind) {
	case GOB_BOOL:
		return GOB_ID_BOOL;
	case GOB_INT:
		return GOB_ID_INT;
	case GOB_UINT:
		return GOB_ID_UINT;
	case GOB_BYTES:
		return GOB_ID_BYTES;
	default:
		return GOB_ID_STRING;
	}
}

/* Index of a type, n if it has none. */
static size_t
gob_ids_find(const struct gob_ids *ids, const struct gob_type *type)
{
	size_t i;

	for (i = 0; i < ids->n; i++)
		if (ids->type[i] == type)
			break;
	return i;
}

static int64_t
id_of(const struct gob_ids *ids, enum gob_kind kind,
    const struct gob_type *type)
{
	if ((type = gob_ids_defined(kind, type)) == NULL)
		return builtin_id(kind);
	return GOB_ID_USER + (int64_t)gob_ids_find(ids, type);
}

int64_t
gob_ids_of(const struct gob_ids *ids, const struct gob_type *type)
{
	return id_of(ids, type->is_struct ? GOB_STRUCT : type->single, type);
}

static int
gob_ids_append(struct gob_ids *ids, const struct gob_type *type)
{
	if (ids->n == GOB_IDS_MAX)
		return SKY_ERR_LIMIT;
	ids->type[ids->n] = type;
	ids->sent[ids->n++] = false;
	return 0;
}

/* A struct is numbered before its fields, a list after its elements. */
static int
gob_ids_number(struct gob_ids *ids, const struct gob_type *type)
{
	int r = 0;

	if (type == NULL || gob_ids_find(ids, type) < ids->n)
		return 0;
	if (type == &opaques && (r = gob_ids_number(ids, &opaque)) != 0)
		return r;
	r = gob_ids_append(ids, type);
	for (size_t i = 0; r == 0 && i < type->nfields; i++)
		r = gob_ids_number(ids,
		    gob_ids_defined(type->fields[i].kind,
			type->fields[i].type));
	return r;
}

struct definition {
	const struct gob_ids *ids;
	const struct gob_type *type;
	int64_t id;
};

/* CommonType as field 1 of what surrounds it: 1 name, 2 id. */
static void
put_common(struct gob_sink *s, const struct definition *d)
{
	bool named = d->type->name[0] != '\0';

	gob_put_uint(s, 1);
	if (named) {
		gob_put_uint(s, 1);
		gob_put_bytes(s, d->type->name, strlen(d->type->name));
	}
	gob_put_uint(s, named ? 1 : 2);
	gob_put_int(s, d->id);
	gob_put_uint(s, 0);
}

static void
put_fields(struct gob_sink *s, const struct definition *d)
{
	const struct gob_field *f;

	if (d->type->nfields == 0)
		return;
	gob_put_uint(s, 1);
	gob_put_uint(s, d->type->nfields);
	/* FieldType: 1 name, 2 type id. */
	for (size_t i = 0; i < d->type->nfields; i++) {
		f = &d->type->fields[i];
		gob_put_uint(s, 1);
		gob_put_bytes(s, f->name, strlen(f->name));
		gob_put_uint(s, 1);
		gob_put_int(s, id_of(d->ids, f->kind, f->type));
		gob_put_uint(s, 0);
	}
}

/* A slice's field 2, behind CommonType. */
static void
put_elem(struct gob_sink *s, const struct definition *d)
{
	gob_put_uint(s, 1);
	if (d->type == &strings)
		gob_put_int(s, GOB_ID_STRING);
	else
		gob_put_int(s,
		    GOB_ID_USER + (int64_t)gob_ids_find(d->ids, &opaque));
}

/* Body of a definition: id below zero, wireType with the kind's field set. */
static void
put_definition(struct gob_sink *s, const void *arg)
{
	const struct definition *d = arg;
	enum gob_def_kind kind = d->type->is_struct ? GOB_DEF_STRUCT :
	    d->type == &opaque			    ? GOB_DEF_BINARY :
						      GOB_DEF_SLICE;

	gob_put_int(s, -d->id);
	gob_put_uint(s, kind);
	put_common(s, d);
	if (kind == GOB_DEF_STRUCT)
		put_fields(s, d);
	else if (kind == GOB_DEF_SLICE)
		put_elem(s, d);
	gob_put_uint(s, 0);
	gob_put_uint(s, 0);
}

static void
gob_ids_put(struct gob_ids *ids, struct gob_sink *s,
    const struct gob_type *type)
{
	struct definition d = { .ids = ids, .type = type };
	size_t at;

	if (type == NULL || ids->sent[at = gob_ids_find(ids, type)])
		return;
	ids->sent[at] = true;
	d.id = GOB_ID_USER + (int64_t)at;
	gob_put_message(s, put_definition, &d);
	if (type == &opaques)
		gob_ids_put(ids, s, &opaque);
	for (size_t i = 0; i < type->nfields; i++)
		gob_ids_put(ids, s,
		    gob_ids_defined(type->fields[i].kind,
			type->fields[i].type));
}

int
gob_ids_define(struct gob_ids *ids, struct gob_sink *s,
    const struct gob_type *type)
{
	int r;

	type =
	    gob_ids_defined(type->is_struct ? GOB_STRUCT : type->single, type);
	if ((r = gob_ids_number(ids, type)) == 0)
		gob_ids_put(ids, s, type);
	return r;
}
