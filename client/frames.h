/* SPDX-License-Identifier: ISC */
/* Frames of a command and of a job, which a client sends and takes alike. */
#ifndef CLIENT_FRAMES_H
#define CLIENT_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/pty/rpc.h"

struct client_options;
struct conn;
struct sink;

/* Each is 0 or an exit status, told. */
int frames_put(struct conn *, int tag, const void *, size_t);
/* START: the command of the options.  EXIT_USAGE for one that is too long. */
int frames_put_start(struct conn *, const struct client_options *,
    uint8_t flags, const struct rpc_winsize *);
/*
 * Writes what has come of output, and has each other frame taken, until *over.
 * What has arrived goes first: the connection reads no more while the sink is
 * blocked.
 */
int frames_take(struct conn *, struct sink *, const bool *over,
    int (*take)(void *, uint8_t tag, struct buf *payload), void *arg);

#endif
