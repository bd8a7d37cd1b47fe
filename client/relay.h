/* SPDX-License-Identifier: ISC */
/* Bytes as they are. */
#ifndef CLIENT_RELAY_H
#define CLIENT_RELAY_H

struct client_options;
struct conn;
struct keyctx;

/* The host's files, for such a relay.  0, or EXIT_FAILED, told. */
int
relay_open_sftp(struct conn *, struct keyctx *, const struct client_options *);
/*
 * Until either side ends: 0 when the local side did, else EXIT_FAILED, told;
 * 0 with c->rejected for a service that a host lacks.
 */
int relay_run(struct conn *, int in, int out);
/*
 * The same on a socket that carries them as they are: the end of either side is
 * passed on, and the other direction goes on.  0 at the end of the host's.
 */
int relay_halves(struct conn *, int in, int out);
/* How long to wait (-1: for ever), or RELAY_STOP. */
#define RELAY_STOP (-2)
typedef int relay_watcher(void *);
/* As relay_run, asking a watcher now and then. */
int relay_watch(struct conn *, int in, int out, relay_watcher *, void *arg);

#endif
