/* SPDX-License-Identifier: ISC */
/* The daemon's loop and its connection to the overlay. */
#ifndef DAEMON_SERVER_H
#define DAEMON_SERVER_H

#include <event2/event.h>

#include "common/buf.h"
#include "daemon/skyptyd.h"

/* The main loop's state. */
struct server {
	const struct options *opts;
	struct settings *set;
	struct keyctx *keyctx;
	struct event_base *base;
	struct listeners ls;
	struct conns conns;
	bool stopping;
	struct event *resume;
	struct event *term, *intr, *hup, *chld;
	struct conn overlay; /* pid 0: not running */
	struct buf status;   /* what it says of itself */
	struct event *again; /* to start it once more */
};

/* --- server.c --- */

/* A monitor of its own for fd, which stays the caller's.  -1: there is none. */
int server_serve(struct server *, int fd, const struct sockaddr_storage *,
    const char *peer, enum priv_carrier);
/* Ends the loop when nothing is left to wait for. */
void server_leave_if_done(struct server *);

/* --- overlay.c --- */

/* An event's callback; does nothing where dmsg is off. */
void overlay_start(evutil_socket_t, short, void *server);
/* Somebody on the control socket wants a stream. */
int overlay_dial(struct server *, struct conn *, struct privmsg *);

#endif
