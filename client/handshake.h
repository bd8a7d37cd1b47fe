/* SPDX-License-Identifier: ISC */
/*
 * A handshake that we begin: with the key that we have, or by the agent that
 * has it.
 */
#ifndef CLIENT_HANDSHAKE_H
#define CLIENT_HANDSHAKE_H

#include <stdint.h>

#include "common/base/buf.h"
#include "common/pty/noise.h"

struct identity;

/* Zero-initialised there is none. */
struct handshake {
	struct noise *noise;
	int agent; /* its socket, or 0 */
};

/*
 * Each is 0, SKY_ERR_*, or EXIT_FAILED: told, as an agent's refusal is.
 *
 * XK with a host or a server: appends message 1.
 */
int handshake_start(struct handshake *, struct keyctx *,
    const struct identity *, const struct key_public *peer, struct buf *msg);
/* KK, for a stream of dmsg: appends the signed request. */
int handshake_dial(struct handshake *, struct keyctx *, const struct identity *,
    const struct key_public *peer, uint16_t from, uint16_t to,
    struct buf *object);
/* Takes message 2 and appends message 3, which KK has none of. */
int handshake_finish(struct handshake *, struct buf *msg2, struct buf *msg3,
    struct noise_keys *);
void handshake_free(struct handshake *);

#endif
