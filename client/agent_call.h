/* SPDX-License-Identifier: ISC */
/* Calling the agent that SKYPTY_AUTH_SOCK names. */
#ifndef CLIENT_AGENT_CALL_H
#define CLIENT_AGENT_CALL_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/privsep/agentmsg.h"

/* Whether one is named. */
bool agent_is_named(void);
/*
 * A connection, to an agent of root's or our own user's: its word is what we
 * take for the host's proof.  -1, told.
 */
int agent_open(void);
/*
 * Asks and waits for the answer, which is borrowed from packet; a user who is
 * asked by the agent is given time.  0; or EXIT_FAILED, told: nothing came,
 * garbage, or, when no list is wanted, a refusal.  buf_free(packet) wipes it.
 */
int agent_call(int fd, const struct agent_request *, struct buf *packet,
    struct agent_answer *);
/*
 * Its keys.  False if there is no agent or none that answers, which is told
 * once.
 */
bool agent_get_keys(struct agent_list *);
/* Whether it has that one. */
bool agent_holds(const struct key_public *);

#endif
