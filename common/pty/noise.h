/* SPDX-License-Identifier: ISC */
/*
 * Noise handshakes XK and KK over secp256k1, ChaCha20-Poly1305 and SHA-256,
 * with ML-KEM-768 beside them where both sides have it.  PROTOCOL.pty 2.1-2.4.
 * Payloads of the peer's messages are accepted at any legal size; what is no
 * part of the hybrid is left alone.
 */
#ifndef COMMON_PTY_NOISE_H
#define COMMON_PTY_NOISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/pty/keys.h"

#define NOISE_KEY_LEN  32
#define NOISE_HASH_LEN 32
#define NOISE_MSG_MAX  4094 /* largest handshake message */

enum noise_pattern { NOISE_XK, NOISE_KK };
enum noise_role { NOISE_INITIATOR, NOISE_RESPONDER };

/*
 * Transport keys by direction as this side uses them, i.e. already swapped as
 * PROTOCOL.pty 2.3 tells.
 */
struct noise_keys {
	uint8_t send[NOISE_KEY_LEN];
	uint8_t recv[NOISE_KEY_LEN];
	bool hybrid; /* with a part of ML-KEM */
};

/* State of one handshake, in locked memory, with a copy of the secret key. */
struct noise;

/*
 * peer is the responder's key for an XK initiator, the other side's for KK,
 * and NULL for an XK responder.  The keyctx must outlive the state.
 * SKY_ERR_KEY for an invalid key or a peer that is missing or out of place,
 * SKY_ERR_NOMEM.  Every later failure, of whatever call, ends the handshake:
 * its secrets are wiped and further calls are SKY_ERR_STATE.
 */
int noise_new(struct noise **, struct keyctx *, enum noise_pattern,
    enum noise_role, const uint8_t *sk, const struct key_public *peer);
/*
 * noise_new() locks its memory where the limit allows; this says whether it
 * does.  0 or SKY_ERR_NOMEM.
 */
int noise_lock(struct noise *);
/* Wipes and frees; NULL is fine. */
void noise_free(struct noise *);

/*
 * For tests only: the ephemeral secret to use instead, and MLKEM_SEED_LEN bytes
 * for the KEM (a responder's m is the first of them).
 */
int
noise_set_ephemeral(struct noise *, const uint8_t *sk, const uint8_t *random);
/* For tests only: a side that knows of no hybrid. */
void noise_set_classical(struct noise *);

/*
 * Appends this side's next message.  Its payload is the hybrid's part; tests
 * give another, which is consumed.  SKY_ERR_STATE when it is not this side's
 * turn; SKY_ERR_LIMIT over NOISE_MSG_MAX.
 */
int noise_write(struct noise *, struct buf *payload, struct buf *msg);
/*
 * Reads the peer's next message, all of msg; what it carries is appended to
 * payload, unless that is NULL.  SKY_ERR_SHORT, SKY_ERR_LIMIT, SKY_ERR_KEY,
 * SKY_ERR_AUTH, SKY_ERR_STATE.
 */
int noise_read(struct noise *, struct buf *msg, struct buf *payload);
/* All messages exchanged. */
bool noise_done(const struct noise *);
/* The peer's static key, NULL as long as it is not proven or given. */
const struct key_public *noise_peer(const struct noise *);
/*
 * Whether the keys have a part of ML-KEM: known once the second message is
 * written or read, and until the end.
 */
bool noise_hybrid(const struct noise *);
/* SKY_ERR_STATE unless done.  May be called once; wipes the chaining key. */
int noise_split(struct noise *, struct noise_keys *);
/*
 * For known-answer tests only: the handshake hash h, NOISE_HASH_LEN bytes,
 * borrowed.
 */
const uint8_t *noise_hash(const struct noise *);

#endif
