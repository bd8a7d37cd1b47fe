/* SPDX-License-Identifier: ISC */
/* Pieces of a URI.  Internal to mux. */
#ifndef COMMON_MUX_TEXT_H
#define COMMON_MUX_TEXT_H

#include <stdint.h>

#include "buf.h"

/*
 * Takes what stands before the first c, or everything, off a view; c itself
 * goes, too.
 */
struct buf mux_cut(struct buf *, char c);
/*
 * The next byte with its %-escape resolved: 1, 0 at the end, ERR_FORMAT for %
 * without two hexadecimal digits behind it.
 */
int mux_unescape(struct buf *, uint8_t *);

#endif
