/* SPDX-License-Identifier: ISC */
/* Pieces of a URI.  Internal to mux. */
#ifndef COMMON_PTY_MUX_TEXT_H
#define COMMON_PTY_MUX_TEXT_H

#include <stdint.h>

#include "common/base/buf.h"
#include "common/pty/mux.h"

#define MUX_TEXT_MAX (MUX_URI_MAX + 1) /* with NUL */

/*
 * Takes what stands before the first c, or everything, off a view; c itself
 * goes, too.
 */
struct buf mux_cut(struct buf *, char c);
/*
 * The next byte with its %-escape resolved: 1, 0 at the end, SKY_ERR_FORMAT for
 * % without two hexadecimal digits behind it.
 */
int mux_unescape(struct buf *, uint8_t *);
/*
 * The value of that name in a query, escapes resolved; "" without an equals
 * sign.  Like Go it takes the first of several and passes over malformed ones.
 * SKY_ERR_NOTFOUND.
 */
int mux_setting(struct buf query, const char *name, char value[MUX_TEXT_MAX]);

#endif
