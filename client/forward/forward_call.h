/* SPDX-License-Identifier: ISC */
/* A call of a hub's, of a command or from the line of ~C. */
#ifndef CLIENT_FORWARD_FORWARD_CALL_H
#define CLIENT_FORWARD_FORWARD_CALL_H

#include <stdbool.h>

#include "client/forward/forward_spec.h"

#define FORWARD_CALL_MAX 2048

/*
 * Sends a hub the request by a socket that leads there: NULL when it has said
 * yes, with what it has said besides, up to its end or, where it keeps the
 * socket, a line.  Else why not, valid until the next call.
 */
const char *
forward_call(int fd, const char *uri, bool kept, char said[FORWARD_CALL_MAX]);
/*
 * A specification as the hub takes it: relative to our folder, and without
 * names to be looked up here.  NULL, or what is wrong.
 */
const char *forward_prepare(struct forward_spec *, enum forward_way,
    const char *text, bool gateway);

#endif
