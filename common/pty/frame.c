/* SPDX-License-Identifier: ISC */
/* The frames below everything: u16 length and body.  PROTOCOL.pty 2.5. */
#include "common/pty/frame.h"

#include <string.h>

#include "common/base/err.h"
#include "common/pty/aead.h"

/* Counter and tag around a transport body's ciphertext. */
#define OVERHEAD (FRAME_COUNTER_LEN + FRAME_TAG_LEN)

static void
put_head(uint8_t *p, size_t n)
{
	p[0] = (uint8_t)(n >> 8);
	p[1] = (uint8_t)n;
}

static void
put_counter(uint8_t *p, uint64_t c)
{
	for (size_t i = FRAME_COUNTER_LEN; i-- > 0; c >>= 8)
		p[i] = (uint8_t)c;
}

static uint64_t
get_counter(const uint8_t *p)
{
	uint64_t c = 0;

	for (size_t i = 0; i < FRAME_COUNTER_LEN; i++)
		c = c << 8 | p[i];
	return c;
}

void
frame_key_init(struct frame_key *fk, const uint8_t *key)
{
	memset(fk, 0, sizeof(*fk));
	memcpy(fk->key, key, sizeof(fk->key));
}

void
frame_key_wipe(struct frame_key *fk)
{
	aead_bulk_free(fk->bulk);
	explicit_bzero(fk, sizeof(*fk));
}

/* Short frames come one by one and never reach the number. */
static void
count_full(struct frame_key *fk, size_t n)
{
	if (n < FRAME_PLAIN_FULL || fk->full == FRAME_BULK)
		return;
	if (++fk->full == FRAME_BULK)
		fk->bulk = aead_bulk_new(fk->key);
}

static int
seal_body(struct frame_key *fk, const uint8_t *in, size_t n, uint8_t *out)
{
	count_full(fk, n);
	if (fk->bulk != NULL)
		return aead_bulk_seal(fk->bulk, fk->counter, in, n, out);
	return aead_seal(fk->key, fk->counter, NULL, in, n, out);
}

static int
open_body(struct frame_key *fk, const uint8_t *in, size_t n, uint8_t *out)
{
	count_full(fk, n - FRAME_TAG_LEN);
	if (fk->bulk != NULL)
		return aead_bulk_open(fk->bulk, fk->counter, in, n, out);
	return aead_open(fk->key, fk->counter, NULL, in, n, out);
}

int
frame_put(struct buf *wire, const void *body, size_t n)
{
	uint8_t *p;
	int r;

	if (n > FRAME_BODY_MAX)
		return SKY_ERR_LIMIT;
	if ((r = buf_extend(wire, FRAME_HEAD_LEN + n, &p)) != 0)
		return r;
	put_head(p, n);
	if (n != 0)
		memcpy(p + FRAME_HEAD_LEN, body, n);
	return 0;
}

/* Length of the body to come: 1 when all of it is there, else 0 or error. */
static int
frame_peek(const struct buf *wire, size_t *n)
{
	const uint8_t *p = buf_ptr(wire);

	if (buf_len(wire) < FRAME_HEAD_LEN)
		return 0;
	if ((*n = (size_t)p[0] << 8 | p[1]) > FRAME_BODY_MAX)
		return SKY_ERR_LIMIT;
	return buf_len(wire) - FRAME_HEAD_LEN >= *n;
}

bool
frame_complete(const struct buf *wire)
{
	size_t n;

	return frame_peek(wire, &n) != 0;
}

int
frame_get(struct buf *wire, struct buf *body)
{
	size_t n;
	int r;

	if ((r = frame_peek(wire, &n)) <= 0)
		return r;
	if ((r = buf_skip(wire, FRAME_HEAD_LEN)) != 0 ||
	    (r = buf_get_view(wire, n, body)) != 0)
		return r;
	return 1;
}

/* One frame with the first n bytes of plain. */
static int
seal_one(struct frame_key *fk, struct buf *plain, size_t n, struct buf *wire)
{
	uint8_t *p;
	int r;

	if (fk->counter == UINT64_MAX)
		return SKY_ERR_NONCE;
	if ((r = buf_extend(wire, FRAME_WIRE_LEN(n), &p)) != 0)
		return r;
	fk->counter++;
	put_head(p, n + OVERHEAD);
	put_counter(p + FRAME_HEAD_LEN, fk->counter);
	if ((r = seal_body(fk, buf_ptr(plain), n,
		 p + FRAME_HEAD_LEN + FRAME_COUNTER_LEN)) != 0) {
		buf_trim(wire, FRAME_WIRE_LEN(n));
		return r;
	}
	return buf_skip(plain, n);
}

int
frame_seal(struct frame_key *fk, struct buf *plain, struct buf *wire)
{
	size_t n;
	int r;

	while ((n = buf_len(plain)) != 0) {
		if (n > FRAME_PLAIN_FULL)
			n = FRAME_PLAIN_FULL;
		if (buf_room(wire) < FRAME_WIRE_LEN(n))
			break;
		if ((r = seal_one(fk, plain, n, wire)) != 0)
			return r;
	}
	return 0;
}

int
frame_seal_nothing(struct frame_key *fk, struct buf *wire)
{
	struct buf none;

	buf_view(&none, NULL, 0);
	if (buf_room(wire) < FRAME_WIRE_LEN(0))
		return SKY_ERR_LIMIT;
	return seal_one(fk, &none, 0, wire);
}

/* Nothing rises above this, so no later frame will be taken. */
static int
frame_die(struct frame_key *fk, int r)
{
	fk->counter = UINT64_MAX;
	return r;
}

int
frame_open(struct frame_key *fk, struct buf *body, struct buf *plain)
{
	const uint8_t *p = buf_ptr(body);
	size_t len = buf_len(body);
	uint64_t c;
	uint8_t *out;
	int r;

	if (len < OVERHEAD)
		return frame_die(fk, SKY_ERR_SHORT);
	if (len > FRAME_BODY_MAX)
		return frame_die(fk, SKY_ERR_FORMAT);
	if ((c = get_counter(p)) <= fk->counter)
		return frame_die(fk, SKY_ERR_NONCE);
	if ((r = buf_extend(plain, len - OVERHEAD, &out)) != 0)
		return r;
	fk->counter = c;
	if ((r = open_body(fk, p + FRAME_COUNTER_LEN, len - FRAME_COUNTER_LEN,
		 out)) != 0) {
		buf_trim(plain, len - OVERHEAD);
		return frame_die(fk, r);
	}
	return buf_skip(body, len);
}
