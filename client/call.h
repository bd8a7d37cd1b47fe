/* SPDX-License-Identifier: ISC */
/* One call and its reply. */
#ifndef CLIENT_CALL_H
#define CLIENT_CALL_H

#include "common/pty/rpc.h"

struct conn;
struct limit;

/*
 * Sends what has been put and waits for the next reply, of a command with that
 * time limit, or NULL.  0, EXIT_FAILED or EXIT_TIMEOUT, told.
 */
int call_await(struct conn *, struct rpc_client *, struct limit *,
    struct rpc_reply *);

#endif
