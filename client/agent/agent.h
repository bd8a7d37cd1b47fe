/* SPDX-License-Identifier: ISC */
/*
 * The keys of an agent and what may be done with them: a handshake, and no
 * more.  No descriptors here: packets go in and come out.
 */
#ifndef CLIENT_AGENT_AGENT_H
#define CLIENT_AGENT_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/privsep/agentmsg.h"
#include "common/pty/keys.h"

#define AGENT_CONNS_MAX 64
/* From BEGIN to FINISH: a ProxyCommand may have to ask somebody something. */
#define AGENT_SHAKE_MS 600000
#define AGENT_ASK_MS   120000 /* for the user to say yes */
#define AGENT_IDLE_MS  60000  /* without a request */

struct agent;

/* What is to be done behind a packet. */
enum agent_then {
	AGENT_THEN_ANSWER, /* send what is in out */
	AGENT_THEN_ASK,	   /* the same, and ask the user */
	AGENT_THEN_END	   /* the same, and end the process */
};

/* A question to the user. */
struct agent_question {
	uint32_t number;
	struct key_public pk, peer;
	uint8_t way;
	char comment[AGENT_COMMENT_MAX + 1];
};

/*
 * Keys are kept for life seconds where nobody says otherwise, 0 is for ever.
 * NULL where memory cannot be locked.
 */
struct agent *agent_new(struct keyctx *, uint32_t life);
/* Wipes it. */
void agent_free(struct agent *);

/* Where a packet is to be read to: AGENT_MSG_MAX + 1 bytes of locked memory. */
uint8_t *agent_packet(struct agent *);

/* A caller is numbered from 0; false if there are too many. */
bool agent_join(struct agent *, int64_t now, size_t *conn);
void agent_leave(struct agent *, size_t conn);

/*
 * A packet of n bytes, which is wiped, from a caller.  out gets the answer; the
 * time is of a clock that goes on while the machine sleeps, in milliseconds.
 */
enum agent_then agent_take(struct agent *, size_t conn, size_t n, int64_t now,
    struct buf *out, struct agent_question *);
/* The question that the caller waits for the answer to, or 0. */
uint32_t agent_asks(struct agent *, size_t conn);
/*
 * The user's answer to that question: whose it is and what he gets; false if
 * nobody waits for it any more.
 */
bool agent_decide(struct agent *, uint32_t number, bool yes, int64_t now,
    size_t *conn, struct buf *out);

/* Forgets what is over; callers[i]: that one has been silent for too long. */
void agent_expire(struct agent *, int64_t now, bool callers[AGENT_CONNS_MAX]);
/* When that is to be called next at the latest, or -1. */
int64_t agent_next(const struct agent *);

#endif
