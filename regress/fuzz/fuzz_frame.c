/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes the frames: a stream of bytes that comes in pieces, tampering with
 * sealed frames, and sealing into little room.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/pty/frame.h"

#define ROOM (256U * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const uint8_t the_key[32] = "0123456789abcdef0123456789abcde";

static void
require(bool ok)
{
	if (!ok)
		abort();
}

/* Opens what is complete; a direction that failed must stay dead. */
static void
drain(struct frame_key *fk, struct buf *wire, struct buf *plain, bool *dead)
{
	struct buf body;
	size_t before;
	int r;

	while ((r = frame_get(wire, &body)) == 1) {
		require(buf_len(&body) <= FRAME_BODY_MAX);
		before = buf_len(plain);
		r = frame_open(fk, &body, plain);
		require(!*dead || r != 0);
		require(r == 0 || buf_len(plain) == before);
		if (r == SKY_ERR_LIMIT)
			buf_reset(plain);
		else if (r != 0)
			*dead = true;
	}
	require(frame_complete(wire) == (r != 0));
}

/* Bytes from the network, in pieces of the given size. */
static void
feed(const uint8_t *p, size_t n, size_t piece)
{
	struct buf wire, plain;
	struct frame_key fk;
	bool dead = false;

	buf_init(&wire, ROOM);
	buf_init(&plain, 2 * FRAME_PLAIN_MAX);
	frame_key_init(&fk, the_key);
	while (n > 0) {
		if (piece > n)
			piece = n;
		if (buf_put(&wire, p, piece) != 0)
			break;
		drain(&fk, &wire, &plain, &dead);
		p += piece;
		n -= piece;
	}
	buf_free(&wire);
	buf_free(&plain);
}

/* Seals the bytes, as much as there is room for at a time, and opens them. */
static void
round_trip(const uint8_t *p, size_t n, size_t room)
{
	struct buf in, wire, out;
	struct frame_key send, recv;
	bool dead = false;

	buf_view(&in, p, n);
	buf_init(&wire, FRAME_WIRE_LEN(FRAME_PLAIN_FULL) + room);
	buf_init(&out, ROOM);
	frame_key_init(&send, the_key);
	frame_key_init(&recv, the_key);
	while (buf_len(&in) != 0) {
		require(frame_seal(&send, &in, &wire) == 0);
		drain(&recv, &wire, &out, &dead);
		require(!dead && buf_len(&wire) == 0);
	}
	require(buf_len(&out) == n);
	require(memcmp(buf_ptr(&out), p, n) == 0 || n == 0);
	buf_free(&wire);
	buf_free(&out);
}

/* One sealed frame with the bytes laid over it: open only if none changed. */
static void
tamper(const uint8_t *p, size_t n, size_t len)
{
	static const uint8_t zero[256];
	struct buf in, wire, body, out;
	struct frame_key send, recv;
	bool changed = false;
	uint8_t b;

	buf_view(&in, zero, len % sizeof(zero) + 1);
	buf_init(&wire, ROOM);
	buf_init(&out, ROOM);
	frame_key_init(&send, the_key);
	frame_key_init(&recv, the_key);
	require(frame_seal(&send, &in, &wire) == 0);
	require(buf_skip(&wire, FRAME_HEAD_LEN) == 0);
	for (size_t i = 0; i < n && i < buf_len(&wire); i++) {
		b = buf_ptr(&wire)[i] ^ p[i];
		changed = changed || p[i] != 0;
		require(buf_poke(&wire, i, &b, 1) == 0);
	}
	buf_view(&body, buf_ptr(&wire), buf_len(&wire));
	require((frame_open(&recv, &body, &out) == 0) == !changed);
	buf_free(&wire);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (n < 2 || n > ROOM / 2 || sodium_init() == -1)
		return 0;
	if (p[0] % 3 == 0)
		feed(p + 2, n - 2, (size_t)p[1] * 16 + 1);
	else if (p[0] % 3 == 1)
		round_trip(p + 2, n - 2, (size_t)p[1] * 64);
	else
		tamper(p + 2, n - 2, p[1]);
	return 0;
}
