/* SPDX-License-Identifier: ISC */
/* Hexadecimal text, for keys and test vectors. */
#ifndef COMMON_BASE_HEX_H
#define COMMON_BASE_HEX_H

#include <stddef.h>
#include <stdint.h>

/* Writes 2n lower-case digits and a NUL to text, which has room for them. */
void hex_encode(const uint8_t *, size_t n, char *text);
/*
 * Reads exactly n bytes from exactly 2n digits of either case and the end of
 * the string: SKY_ERR_FORMAT otherwise.  No table look-up by secret digits.
 */
int hex_decode(const char *text, uint8_t *, size_t n);

#endif
