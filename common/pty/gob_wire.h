/* SPDX-License-Identifier: ISC */
/*
 * gob's primitives: integers, byte strings, field numbers.  Internal to gob.
 * PROTOCOL.pty 5.2.
 */
#ifndef COMMON_PTY_GOB_WIRE_H
#define COMMON_PTY_GOB_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

/* Ids of the types that need no definition. */
enum {
	GOB_ID_BOOL = 1,
	GOB_ID_INT = 2,
	GOB_ID_UINT = 3,
	GOB_ID_FLOAT = 4,
	GOB_ID_BYTES = 5,
	GOB_ID_STRING = 6,
	GOB_ID_COMPLEX = 7,
	GOB_ID_INTERFACE = 8,
	GOB_ID_USER = 64 /* lowest id of a defined type */
};

/* What a definition makes of a type: numbers of wireType's fields. */
enum gob_def_kind {
	GOB_DEF_ARRAY = 1,
	GOB_DEF_SLICE = 2,
	GOB_DEF_STRUCT = 3,
	GOB_DEF_MAP = 4,
	GOB_DEF_GOBENCODER = 5,
	GOB_DEF_BINARY = 6,
	GOB_DEF_TEXT = 7
};

/*
 * Getters: 0, SKY_ERR_SHORT when bytes are missing (some may have been
 * consumed), SKY_ERR_FORMAT.  Like Go they take integers that are longer than
 * need be.
 */
int gob_get_uint(struct buf *, uint64_t *);
int gob_get_int(struct buf *, int64_t *);
/* uint length, bytes; as a view. */
int gob_get_bytes(struct buf *, struct buf *);
/*
 * Moves *field, 0 at first, on to the number of a struct's next field, counted
 * from 1.  1, 0 at the struct's end, or an error.
 */
int gob_next_field(struct buf *, uint64_t *field);

/*
 * Where an encoder writes.  Without a buffer bytes are only counted, so that
 * the length of a message is known before its first byte is written.
 */
struct gob_sink {
	struct buf *out;
	size_t n; /* bytes put so far */
	int err;  /* of the first put that failed */
};

/* Append, or count; the first error stays in err and nothing follows it. */
void gob_put_raw(struct gob_sink *, const void *, size_t);
void gob_put_uint(struct gob_sink *, uint64_t);
void gob_put_int(struct gob_sink *, int64_t);
void gob_put_bytes(struct gob_sink *, const void *, size_t);
/* A message: the length of what body puts, then that. */
void gob_put_message(struct gob_sink *,
    void (*body)(struct gob_sink *, const void *), const void *arg);

#endif
