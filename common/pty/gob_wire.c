/* SPDX-License-Identifier: ISC */
/* gob's primitives: integers, byte strings, field numbers. */
#include "common/pty/gob_wire.h"

#include "common/base/err.h"
#include "common/pty/gob.h"

int
gob_get_uint(struct buf *b, uint64_t *v)
{
	uint8_t first, raw[8];
	size_t n;
	int r;

	if ((r = buf_get_u8(b, &first)) != 0)
		return r;
	*v = first;
	if (first < 0x80)
		return 0;
	if ((n = 256 - (size_t)first) > sizeof(raw))
		return SKY_ERR_FORMAT;
	if ((r = buf_get(b, raw, n)) != 0)
		return r;
	*v = 0;
	for (size_t i = 0; i < n; i++)
		*v = *v << 8 | raw[i];
	return 0;
}

/* The sign is the lowest bit; negative numbers have the others flipped. */
int
gob_get_int(struct buf *b, int64_t *v)
{
	uint64_t u;
	int r;

	if ((r = gob_get_uint(b, &u)) != 0)
		return r;
	*v = (int64_t)(u >> 1);
	if (u & 1)
		*v = ~*v;
	return 0;
}

int
gob_get_bytes(struct buf *b, struct buf *view)
{
	uint64_t n;
	int r;

	if ((r = gob_get_uint(b, &n)) != 0)
		return r;
	if (n > buf_len(b))
		return SKY_ERR_SHORT;
	return buf_get_view(b, (size_t)n, view);
}

int
gob_next_field(struct buf *b, uint64_t *field)
{
	uint64_t delta;
	int r;

	if ((r = gob_get_uint(b, &delta)) != 0)
		return r;
	if (delta == 0)
		return 0;
	if (delta > GOB_FIELDS_MAX)
		return SKY_ERR_FORMAT;
	*field += delta;
	return 1;
}

void
gob_put_raw(struct gob_sink *s, const void *p, size_t n)
{
	s->n += n;
	if (s->out != NULL && s->err == 0)
		s->err = buf_put(s->out, p, n);
}

void
gob_put_uint(struct gob_sink *s, uint64_t v)
{
	uint8_t raw[9];
	size_t at = sizeof(raw);

	if (v < 0x80) {
		raw[0] = (uint8_t)v;
		gob_put_raw(s, raw, 1);
		return;
	}
	for (; v != 0; v >>= 8)
		raw[--at] = (uint8_t)v;
	at--;
	raw[at] = (uint8_t)(256 - (sizeof(raw) - 1 - at));
	gob_put_raw(s, raw + at, sizeof(raw) - at);
}

void
gob_put_int(struct gob_sink *s, int64_t v)
{
	uint64_t u = (uint64_t)v << 1;

	gob_put_uint(s, v < 0 ? ~u : u);
}

void
gob_put_bytes(struct gob_sink *s, const void *p, size_t n)
{
	gob_put_uint(s, n);
	gob_put_raw(s, p, n);
}

void
gob_put_message(struct gob_sink *s,
    void (*body)(struct gob_sink *, const void *), const void *arg)
{
	struct gob_sink count = { 0 };

	body(&count, arg);
	gob_put_uint(s, count.n);
	body(s, arg);
}
