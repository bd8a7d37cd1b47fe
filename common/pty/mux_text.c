/* SPDX-License-Identifier: ISC */
/* Takes a URI apart. */
#include "common/pty/mux_text.h"

#include <string.h>

#include "common/base/err.h"

struct buf
mux_cut(struct buf *b, char c)
{
	const uint8_t *p = buf_ptr(b), *at = memchr(p, c, buf_len(b));
	struct buf head;

	buf_get_view(b, at == NULL ? buf_len(b) : (size_t)(at - p), &head);
	if (at != NULL)
		buf_skip(b, 1);
	return head;
}

static int
hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int
mux_unescape(struct buf *b, uint8_t *c)
{
	uint8_t hex[2];
	int hi, lo;

	if (buf_get_u8(b, c) != 0)
		return 0;
	if (*c != '%')
		return 1;
	if (buf_get(b, hex, sizeof(hex)) != 0)
		return SKY_ERR_FORMAT;
	hi = hex_digit(hex[0]);
	lo = hex_digit(hex[1]);
	if (hi == -1 || lo == -1)
		return SKY_ERR_FORMAT;
	*c = (uint8_t)(hi << 4 | lo);
	return 1;
}
