/* SPDX-License-Identifier: ISC */
/* The daemon's loop and its connection to the overlay. */
#ifndef DAEMON_SERVER_H
#define DAEMON_SERVER_H

#include <event2/event.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include "common/buf.h"
#include "daemon/limits.h"
#include "daemon/skyptyd.h"

/* TCP connections without a monitor, the oldest first. */
struct lobby {
	TAILQ_HEAD(guest_list, guest) guests;
	size_t n;
	struct event *tick;
};

/* The whitelist of the configuration's file, as it was read last. */
struct listed {
	struct stat file;
	struct key_public *wl;
	size_t nwl;
};

/* The main loop's state. */
struct server {
	const struct options *opts;
	struct settings *set;
	struct keyctx *keyctx;
	struct event_base *base;
	struct listeners ls;
	struct conns conns;
	struct lobby lobby;
	struct listed listed;
	size_t room; /* connections, until descriptors are short */
	bool stopping;
	struct event *resume;
	struct event *term, *intr, *hup, *chld;
	struct conn overlay; /* pid 0: not running */
	struct buf status;   /* what it says of itself */
	struct event *again; /* to start it once more */
	struct event *rest;  /* to tell of what was not logged */
};

/* --- server.c --- */

/*
 * A monitor of its own for fd, which stays the caller's, and whose origin (NULL
 * on the control socket) the limits let pass.  -1: there is none.
 */
int server_serve(struct server *, int fd, const struct origin *,
    const char *peer, enum priv_carrier);
/* Whether there are descriptors for one more, which are not control's. */
bool server_has_room(struct server *);
/* There was one more stranger that the log does not tell of. */
void server_untold(struct server *);
/* Ends the loop when nothing is left to wait for. */
void server_leave_if_done(struct server *);

/* --- lobby.c: before there is a monitor --- */

int lobby_init(struct server *);
/* Takes fd. */
void lobby_enter(struct server *, int fd, const struct sockaddr_storage *,
    socklen_t);
/* Whose turn it is may have changed. */
void lobby_pump(struct server *);
/* Turns one away; false: there is none that may be. */
bool lobby_make_room(struct server *);
void lobby_empty(struct server *);

/* --- listed.c --- */

bool
listed_has(struct listed *, const struct server *, const struct key_public *);

/* --- overlay.c --- */

/* An event's callback; does nothing where dmsg is off. */
void overlay_start(evutil_socket_t, short, void *server);
/* Somebody on the control socket wants a stream. */
int overlay_dial(struct server *, struct conn *, struct privmsg *);

#endif
