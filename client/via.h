/* SPDX-License-Identifier: ISC */
/* The ways to a key without an address. */
#ifndef CLIENT_VIA_H
#define CLIENT_VIA_H

#include "common/pty/keys.h"

struct client_options;
struct conn;

#define DEFAULT_RPC "localhost:3435"

/* As conn_once, for DEST_DMSG. */
int via_open(struct conn *, struct keyctx *, const struct client_options *,
    const char *uri);

#endif
