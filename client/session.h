/* SPDX-License-Identifier: ISC */
/* Terminals on a host that outlive their connection. */
#ifndef CLIENT_SESSION_H
#define CLIENT_SESSION_H

#include <stdbool.h>

struct client_options;
struct keyctx;

/*
 * A new one with the options' command, or the one of their name.  True with an
 * exit status, told; false when the host keeps none, which may not be said.
 */
bool session_run(struct keyctx *, const struct client_options *, int *status);
/* Attaches to one: by its name, the first digits of its id, or "".  The same.
 */
bool session_attach(struct keyctx *, const struct client_options *,
    const char *which, int *status);

#endif
