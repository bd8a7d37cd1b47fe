/* SPDX-License-Identifier: ISC */
/*
 * Go's gob encoding, as far as net/rpc of this protocol needs it: a stream of
 * length-prefixed messages that define types and carry values, driven by
 * tables that describe C structs.  PROTOCOL.pty 5.2.
 */
#ifndef COMMON_PTY_GOB_H
#define COMMON_PTY_GOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

#define GOB_DEFS_MAX	64 /* definitions a peer may send on one stream */
#define GOB_FIELDS_MAX	64 /* fields of one struct definition */
#define GOB_NESTING_MAX 32 /* of values and of types */
#define GOB_HASH_LEN	32
#define GOB_NAME_MAX	32 /* a field with a longer name is none of ours */

/*
 * What a C value is.  In brackets: the C type behind it.
 * A byte string decoded is a view into the message's bytes.
 */
enum gob_kind {
	GOB_BOOL,    /* [bool] */
	GOB_INT,     /* [int64_t] */
	GOB_UINT,    /* [uint64_t], checked against gob_field.max if not 0 */
	GOB_BYTES,   /* [struct buf] view */
	GOB_STRING,  /* [struct buf] view */
	GOB_STRINGS, /* [struct gob_list] of strings */
	GOB_OPAQUES, /* [struct gob_list] of BinaryMarshaler values (PK) */
	GOB_OPAQUE,  /* [struct buf] view: one BinaryMarshaler value; reading */
	GOB_HASH,    /* [uint8_t[GOB_HASH_LEN]] array of bytes; reading */
	GOB_STRUCT   /* inline struct described by gob_field.type; a present
		      * flag [bool] lies at gob_field.present */
};

/*
 * A slice of byte strings: count of them, each "gob uint length, bytes", in
 * raw.  Walk it with gob_list_next.  Nothing is allocated for a peer.
 */
struct gob_list {
	uint64_t count;
	struct buf raw;
};

struct gob_type;

struct gob_field {
	const char *name;
	enum gob_kind kind;
	size_t offset;		     /* in the C struct */
	size_t present;		     /* GOB_STRUCT only */
	uint64_t max;		     /* GOB_UINT only */
	const struct gob_type *type; /* GOB_STRUCT only */
};

/*
 * A type of the protocol.  A struct has fields (none: the empty struct); any
 * other kind has nfields 0, fields NULL and the kind in single.
 */
struct gob_type {
	const char *name; /* Go's type name, sent in the definition */
	bool is_struct;
	enum gob_kind single;
	const struct gob_field *fields;
	size_t nfields;
	size_t size; /* of the C struct, zeroed before decoding */
};

/* Takes the next string off the list: 1, 0 at its end, or SKY_ERR_FORMAT. */
int gob_list_next(struct gob_list *, struct buf *);
/* Builds a list: raw must be an owned buffer.  As buf_put. */
int gob_list_add(struct gob_list *, const void *, size_t);

/* One direction's stream, reading.  Bounded by GOB_DEFS_MAX definitions. */
struct gob_dec;
/* max_msg: the longest message accepted, in bytes.  NULL: no memory. */
struct gob_dec *gob_dec_new(size_t max_msg);
void gob_dec_free(struct gob_dec *);
/*
 * Takes definition messages off in, up to and with the next value message.
 * 1: value holds its payload (a view of in's memory) and *id its type; decode
 * or drop it.  0: incomplete, in untouched beyond consumed definitions.
 * SKY_ERR_LIMIT, SKY_ERR_FORMAT, SKY_ERR_...: the stream is dead.
 */
int
gob_dec_next(struct gob_dec *, struct buf *in, int64_t *id, struct buf *value);
/*
 * Decodes a value into *out by the stream's definition of id, fields matched
 * by name, unknown ones skipped.  SKY_ERR_TYPE, SKY_ERR_RANGE: this value does
 * not fit the type, the stream lives on.  Others: the stream is dead.
 */
int gob_dec_value(struct gob_dec *, int64_t id, struct buf *value,
    const struct gob_type *, void *out);

/*
 * One direction's stream, writing.  Definitions are sent when first needed,
 * with ids from 64 up: byte for byte what Go 1.26 sends.
 */
struct gob_enc;
/* NULL when memory is missing. */
struct gob_enc *gob_enc_new(void);
void gob_enc_free(struct gob_enc *);

struct gob_item {
	const struct gob_type *type;
	const void *value;
};

/*
 * Appends definitions still due and the n values, all of them or nothing:
 * SKY_ERR_LIMIT, SKY_ERR_NOMEM, SKY_ERR_RDONLY.
 */
int gob_enc_values(struct gob_enc *, struct buf *out, const struct gob_item *,
    size_t n);

#endif
