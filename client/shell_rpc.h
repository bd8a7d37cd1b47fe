/* SPDX-License-Identifier: ISC */
/* An interactive session by the calls of pty. */
#ifndef CLIENT_SHELL_RPC_H
#define CLIENT_SHELL_RPC_H

#include "common/pty/keys.h"

struct client_options;

/* A shell by its words, shell_words_set().  An exit status. */
int shell_rpc_run(struct keyctx *, const struct client_options *);

#endif
