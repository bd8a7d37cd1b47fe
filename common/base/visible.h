/* SPDX-License-Identifier: ISC */
/*
 * Text of strangers, made fit to be shown: nothing in it drives a terminal, and
 * nothing hides or changes places.
 */
#ifndef COMMON_BASE_VISIBLE_H
#define COMMON_BASE_VISIBLE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include "common/base/buf.h"

#define VISIBLE_SLASH  1 /* a backslash is doubled: none is an escape */
#define VISIBLE_GROWTH 4 /* bytes out for each byte in, at most */

/*
 * Printable ASCII and, unless the locale names another character set than
 * UTF-8, well-formed UTF-8 as it is; controls of either half, DEL, bytes that
 * are no UTF-8, and characters that have no looks or turn the direction
 * escaped as \n, \t, \r, \ooo and \uxxxx.  Writes size bytes at most, NUL
 * included, and no part of a character or an escape; returns the length.
 */
size_t
visible_text(char *dst, size_t size, const void *src, size_t n, int flags);
/* A line for people, whatever it is made of; without VISIBLE_SLASH. */
void
visible_line(FILE *, const char *, ...) __attribute__((format(printf, 2, 3)));
void visible_vline(FILE *, const char *end, const char *, va_list)
    __attribute__((format(printf, 3, 0)));
/*
 * JSON text that json_parse takes, with what is not to be seen as \uxxxx: it
 * can only stand in strings; a tab or CR can only stand between tokens, and is
 * a space.  Returns what buf_put returns.
 */
int visible_json(struct buf *, const void *src, size_t n);
/*
 * How many columns it takes, at most, of what visible_text wrote, and where to
 * cut it so that these are no more than max.
 */
int visible_columns(const char *text, int max, size_t *cut);

#endif
