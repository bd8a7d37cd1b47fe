/* SPDX-License-Identifier: ISC */
/*
 * The frames below everything: u16 length and body.  Handshake bodies go
 * through as they are; transport bodies are counter, ciphertext and tag.
 * PROTOCOL.pty 2.5.
 */
#ifndef COMMON_PTY_FRAME_H
#define COMMON_PTY_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

#define FRAME_HEAD_LEN	  2
#define FRAME_BODY_MAX	  4094
#define FRAME_COUNTER_LEN 8
#define FRAME_TAG_LEN	  16
#define FRAME_PLAIN_MAX	  4070
/*
 * Plaintext bytes that we put into a full frame: a multiple of the cipher's
 * 256-byte stride seals faster than the longest frame would, and the limit of
 * the wire is kept.
 */
#define FRAME_PLAIN_FULL 3840
/* Bytes on the wire of a frame with n bytes of plaintext. */
#define FRAME_WIRE_LEN(n) \
	(FRAME_HEAD_LEN + FRAME_COUNTER_LEN + (n) + FRAME_TAG_LEN)

/* Full frames after which a direction is bulk and its cipher a faster one. */
#define FRAME_BULK 32

struct aead_bulk;

/* One direction. */
struct frame_key {
	uint8_t key[32];
	uint64_t counter; /* last one used or seen; 0 at first */
	unsigned full;	  /* frames, up to FRAME_BULK */
	struct aead_bulk *bulk;
};

/* Copies 32 bytes of key; the counter begins at 0. */
void frame_key_init(struct frame_key *, const uint8_t *key);
/* Wipes it; also one that is all zero. */
void frame_key_wipe(struct frame_key *);

/* Appends a handshake frame.  SKY_ERR_LIMIT for a body over FRAME_BODY_MAX. */
int frame_put(struct buf *wire, const void *body, size_t n);
/*
 * Takes one frame off wire and gives its body as a view of wire's memory.
 * 1 with a frame, 0 when it is not complete yet, SKY_ERR_LIMIT as soon as a
 * length over FRAME_BODY_MAX shows.
 */
int frame_get(struct buf *wire, struct buf *body);
/* Whether frame_get would give a frame or an error now. */
bool frame_complete(const struct buf *wire);

/*
 * Seals all of plain into as many frames as it takes, appended to wire; plain
 * is consumed.  Stops early, leaving the rest in plain, when wire's room does
 * not hold a further frame.  Returns 0, SKY_ERR_NOMEM, or SKY_ERR_NONCE when
 * the counter is used up.
 */
int frame_seal(struct frame_key *, struct buf *plain, struct buf *wire);
/* A frame with nothing in it, which whoever opens it passes over. */
int frame_seal_nothing(struct frame_key *, struct buf *wire);
/*
 * Opens one transport body, appending to plain; no bytes is legal.
 * SKY_ERR_SHORT, SKY_ERR_FORMAT (over FRAME_BODY_MAX), SKY_ERR_NONCE,
 * SKY_ERR_AUTH: the direction is dead and takes no further frame. SKY_ERR_LIMIT
 * (plain has no room), SKY_ERR_NOMEM: nothing has happened.
 */
int frame_open(struct frame_key *, struct buf *body, struct buf *plain);

#endif
