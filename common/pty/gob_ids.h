/* SPDX-License-Identifier: ISC */
/* The types this side has defined on its stream.  Internal to gob. */
#ifndef COMMON_PTY_GOB_IDS_H
#define COMMON_PTY_GOB_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/pty/gob.h"
#include "common/pty/gob_wire.h"

#define GOB_IDS_MAX 32 /* types that one stream of ours may need */

/* Zero-initialise. */
struct gob_ids {
	const struct gob_type *type[GOB_IDS_MAX];
	bool sent[GOB_IDS_MAX];
	size_t n;
};

/*
 * Puts the definitions a type still needs, its own first.  SKY_ERR_LIMIT when
 * GOB_IDS_MAX is too small for the program's types.
 */
int
gob_ids_define(struct gob_ids *, struct gob_sink *, const struct gob_type *);
/* The id of a type that is defined or needs no definition. */
int64_t gob_ids_of(const struct gob_ids *, const struct gob_type *);

#endif
