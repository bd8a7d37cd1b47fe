/* SPDX-License-Identifier: ISC */
/*
 * The two objects at the beginning of every dmsg stream: the dialer's request
 * and the listener's response, signed and, for each server on the way, sealed.
 * PROTOCOL.dmsg 2.6, 4.  Needs no libsecp256k1: whether a key is a point of the
 * curve and whether a signature is right is for others to say.
 */
#ifndef COMMON_DMSG_DMSG_OBJECT_H
#define COMMON_DMSG_DMSG_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/pty/keys.h"

#define DMSG_SIG_LEN	KEY_SIGNATURE_LEN
#define DMSG_HASH_LEN	32
#define DMSG_OBJECT_MAX (UINT16_MAX - 24) /* signed, before it is sealed */

struct dmsg_addr {
	struct key_public pk;
	uint16_t port; /* never 0 */
};

struct dmsg_request {
	int64_t timestamp; /* nanoseconds, positive */
	struct dmsg_addr src, dst;
	struct buf noise; /* view: message 1 of KK */
};

struct dmsg_response {
	uint8_t req_hash[DMSG_HASH_LEN];
	bool accepted;
	uint16_t code;	  /* why not */
	struct buf noise; /* view: message 2 of KK */
};

/* Appends the gob bytes that are to be signed. */
int dmsg_put_request(struct buf *, const struct dmsg_request *);
int dmsg_put_response(struct buf *, const struct dmsg_response *);
/*
 * Reads any sender's gob; what follows the value is left in it.  Keys are 33
 * bytes that begin with 2 or 3.  SKY_ERR_FORMAT, SKY_ERR_TYPE, SKY_ERR_RANGE
 * (port, timestamp), SKY_ERR_KEY, SKY_ERR_LIMIT, SKY_ERR_NOMEM.
 */
int dmsg_get_request(struct buf *, struct dmsg_request *);
int dmsg_get_response(struct buf *, struct dmsg_response *);

/* signature, gob: as views.  SKY_ERR_SHORT. */
int
dmsg_split_signed(const struct buf *object, struct buf *sig, struct buf *gob);
/* SHA-256 of a signed object. */
void dmsg_hash(const void *, size_t, uint8_t hash[DMSG_HASH_LEN]);
/* What a code of ErrCode means. */
const char *dmsg_code_text(unsigned);

/* A session's keys and counters for objects. */
struct dmsg_seal {
	uint8_t send[32], recv[32];
	uint64_t counter;    /* last one sent */
	uint64_t top;	     /* highest one received */
	uint64_t window[17]; /* which of the 1024 up to it have been */
};

/* From the keys of Split, 32 bytes each; wipe it at the end. */
void
dmsg_seal_init(struct dmsg_seal *, const uint8_t *send, const uint8_t *recv);
void dmsg_seal_wipe(struct dmsg_seal *);
/* Appends u16 length, u64 counter, ciphertext.  SKY_ERR_LIMIT. */
int dmsg_put_sealed(struct dmsg_seal *, const struct buf *object, struct buf *);
/*
 * Takes one off in and appends the object: 1, or 0 when it is not complete.
 * SKY_ERR_FORMAT, SKY_ERR_NONCE (a counter that has been, or is too old),
 * SKY_ERR_AUTH.
 */
int dmsg_get_sealed(struct dmsg_seal *, struct buf *in, struct buf *object);

#endif
