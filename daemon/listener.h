/* SPDX-License-Identifier: ISC */
/* The daemon's loop and its connection to the dmsg. */
#ifndef DAEMON_LISTENER_H
#define DAEMON_LISTENER_H

#include <event2/event.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include "common/base/buf.h"
#include "common/privsep/pks.h"
#include "common/privsep/sockets.h"
#include "daemon/limits.h"
#include "daemon/metrics.h"
#include "daemon/skyptyd.h"

#define LOBBY_MAX   2048
#define LOBBY_LISTS 512

/* TCP connections without a monitor. */
struct lobby {
	TAILQ_HEAD(guest_list, lobby_guest) guests; /* the oldest first */
	struct guest_list alike[LOBBY_LISTS];	    /* the same, by address */
	struct lobby_guest *all[LOBBY_MAX];	    /* n of them */
	size_t n;
	struct event *tick;
};

/* Keys of a file or a table, in order, as it was read last. */
struct listed_file {
	uint8_t stamp[PKS_STAMP_LEN];
	struct key_public *pk;
	size_t n, room;
};

#define KILLS_KEPT 64

/* Keys whose connections were ended, the last ones. */
struct kills {
	unsigned long n; /* that there have been */
	struct key_public pk[KILLS_KEPT];
};

struct listed {
	struct listed_file wl, authorized, revoked;
};

/* The main loop's state. */
struct listener {
	const struct skyptyd_options *opts;
	struct settings *set;
	struct keyctx *keyctx;
	struct event_base *base;
	struct sockets ls;
	struct conns conns;
	struct lobby lobby;
	struct listed listed;
	struct kills kills;
	uint64_t numbers;	     /* that were given to connections */
	uint64_t count[PRIV_COUNTS]; /* but for those of now */
	size_t room; /* connections, until descriptors are short */
	struct metrics metrics;
	bool stopping;
	struct event *resume;
	struct event *term, *intr, *hup, *chld;
	struct limits_conn dmsg; /* pid 0: not running */
	struct buf status;	 /* what it says of itself */
	struct event *again;	 /* to start it once more */
	struct event *rest;	 /* to count what was not logged */
};

/* --- listener.c --- */

/*
 * A monitor of its own for fd, which stays the caller's, and whose origin (NULL
 * on the control socket) the limits let pass.  -1: there is none.
 */
int listener_serve(struct listener *, int fd, const struct origin *,
    const char *peer, enum priv_carrier);
/* Whether there are descriptors for one more, which are not control's. */
bool listener_has_room(struct listener *);
/* There was one more stranger that is not logged. */
void listener_untold(struct listener *);
/* Ends the loop when nothing is left to wait for. */
void listener_leave_if_done(struct listener *);

/* --- lobby.c: before there is a monitor --- */

/* -1: no memory. */
int lobby_init(struct listener *);
/* Why somebody of that origin is not even let wait, or NULL. */
const char *lobby_refuses(struct listener *, const struct origin *);
/* Takes fd. */
void lobby_enter(struct listener *, int fd, const struct sockaddr_storage *,
    socklen_t, const struct origin *);
/* Whose turn it is may have changed. */
void lobby_pump(struct listener *);
/* Turns one away; false: there is none that may be. */
bool lobby_make_room(struct listener *);
void lobby_empty(struct listener *);

/* --- conns.c: for who asks on the control socket --- */

/* Ends connections, as PM_END_CONNS says, and answers how many. */
int conns_kill(struct listener *, struct limits_conn *, struct privmsg *);
/* Whether it is of a key whose connections were ended since it has come. */
bool conns_is_killed(const struct listener *, const struct limits_conn *);

/* A new one, which is served. */
void conns_begin(struct listener *, struct limits_conn *, enum priv_carrier);
void conns_free_about(struct limits_conn *);
/* What a monitor tells of its connection, who runs what, and how many bytes. */
int conns_about(struct listener *, struct limits_conn *, struct privmsg *);
int conns_moved(struct listener *, struct limits_conn *, struct privmsg *);
/* Its key has been let in. */
void conns_authenticated(struct listener *, const struct limits_conn *);
/* The counters, and what there is now. */
void conns_counts(const struct listener *, uint64_t n[PRIV_COUNTS]);
/* A part of the list, and the counters. */
int conns_list(struct listener *, struct limits_conn *, struct privmsg *);
int conns_count(struct listener *, struct limits_conn *, struct privmsg *);

/* --- listed.c --- */

/* Whether the key is on the whitelist, which is read anew when it changed. */
bool
listed_has(struct listed *, const struct listener *, const struct key_public *);

/* --- dmsg.c --- */

/* An event's callback; does nothing where dmsg is off. */
void dmsg_monitor_start(evutil_socket_t, short, void *server);
/* Somebody on the control socket wants a stream. */
int
dmsg_monitor_dial(struct listener *, struct limits_conn *, struct privmsg *);

#endif
