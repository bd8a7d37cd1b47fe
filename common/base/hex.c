/* SPDX-License-Identifier: ISC */
/* Hexadecimal text, without branches or look-ups that depend on a digit. */
#include "common/base/hex.h"

#include <sodium.h>
#include <string.h>

#include "common/base/err.h"

void
hex_encode(const uint8_t *p, size_t n, char *text)
{
	sodium_bin2hex(text, 2 * n + 1, p, n);
}

int
hex_decode(const char *text, uint8_t *p, size_t n)
{
	if (strlen(text) != 2 * n)
		return SKY_ERR_FORMAT;
	if (sodium_hex2bin(p, n, text, 2 * n, NULL, NULL, NULL) == 0)
		return 0;
	sodium_memzero(p, n);
	return SKY_ERR_FORMAT;
}
