/* SPDX-License-Identifier: ISC */
/* The types a peer has defined on its stream.  Internal to gob. */
#ifndef COMMON_PTY_GOB_DEF_H
#define COMMON_PTY_GOB_DEF_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/pty/gob.h"
#include "common/pty/gob_wire.h"

struct gob_def_field {
	char name[GOB_NAME_MAX];
	size_t len; /* of name; 0 if it was longer than counts */
	int64_t id; /* of its type */
};

struct gob_def {
	int64_t id;
	enum gob_def_kind kind;
	int64_t elem;		      /* array, slice, map: type of values */
	int64_t key;		      /* map: type of keys */
	int64_t len;		      /* array: number of elements */
	struct gob_def_field *fields; /* struct: nfields of them */
	size_t nfields;
};

/* Zero-initialise. */
struct gob_defs {
	struct gob_def def[GOB_DEFS_MAX]; /* the first n, in order of id */
	size_t n;
};

/* Frees what the definitions own. */
void gob_defs_free(struct gob_defs *);
/*
 * Takes a definition: the bytes behind the id.  SKY_ERR_FORMAT (also for an id
 * that is taken or reserved), SKY_ERR_SHORT, SKY_ERR_TRAILING, SKY_ERR_LIMIT,
 * SKY_ERR_NOMEM.
 */
int gob_defs_add(struct gob_defs *, int64_t id, struct buf *);
/* NULL for an id that was never defined. */
const struct gob_def *gob_defs_find(const struct gob_defs *, int64_t id);

/*
 * Skips a value of any type but an interface.  depth: how deep it lies.
 * SKY_ERR_TYPE for an undefined type, SKY_ERR_LIMIT for nesting over
 * GOB_NESTING_MAX, SKY_ERR_SHORT, SKY_ERR_FORMAT (also for an interface).
 */
int gob_skip(const struct gob_defs *, int64_t id, struct buf *, unsigned depth);
/*
 * Decodes a value as gob_dec_value does, except that SKY_ERR_SHORT and
 * SKY_ERR_TRAILING tell what is wrong with its length.
 */
int gob_value(const struct gob_defs *, int64_t id, struct buf *,
    const struct gob_type *, void *out);

#endif
