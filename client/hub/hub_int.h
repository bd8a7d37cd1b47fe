/* SPDX-License-Identifier: ISC */
/* What the files of a hub share. */
#ifndef CLIENT_HUB_HUB_INT_H
#define CLIENT_HUB_HUB_INT_H

#include <sys/epoll.h>
#include <sys/queue.h>

#include "client/conn.h"
#include "client/hub/hub.h"
#include "common/base/buf.h"
#include "common/pty/yamux.h"

#define HUB_EVENTS 64 /* of one round */

enum peer_state {
	PEER_ASKING,   /* a caller's request is read */
	PEER_ORDER,    /* it is one of the hub's own, and not answered */
	PEER_KEPT,     /* answered, and stays */
	PEER_OPENING,  /* the host has not answered to hub_open() */
	PEER_RELAY,    /* bytes */
	PEER_ARRIVING, /* the host has opened it: its request is read */
	PEER_ARRIVED,  /* and not answered */
	PEER_OVER
};

/* A descriptor and a channel; either may be missing. */
struct hub_peer {
	struct hub_watch watch; /* its fd is -1 without one */
	struct hub *hub;
	enum peer_state state;
	struct yamux_stream *st;
	struct buf in; /* for the channel, before there is one */
	int64_t begun; /* asking */
	bool is_ready; /* it has its turn */
	bool waits;    /* for the host to acknowledge other channels */
	bool readable; /* as far as we know */
	bool writable;
	bool fd_eof;  /* nothing more comes */
	bool fd_gone; /* nobody reads any more */
	bool fd_end;  /* we have said that nothing more comes */
	bool st_end;  /* the same to the host */
	bool st_reset;
	hub_told *told;
	void *told_arg;
	void (*gone)(void *); /* of one that is kept, or NULL */
	void *gone_arg;
	TAILQ_ENTRY(hub_peer) all, ready, waiting, asking;
};

TAILQ_HEAD(hub_peers, hub_peer);

struct hub {
	struct conn *conn;
	struct hub_watch link;	   /* the connection */
	struct hub_watch listener; /* its fd is -1 when no more are taken */
	uint32_t link_events;
	struct hub_way way;
	const struct hub_tables *tables;
	void *arg;
	int epoll;
	struct epoll_event events[HUB_EVENTS];
	int nevents; /* not looked at yet are among them */
	struct yamux *yamux;
	/* Each in the order in which they came; dead are freed at the end. */
	struct hub_peers all, ready, waiting, asking, dead;
	size_t count;
	size_t arriving; /* opened by the host, and not answered */
	bool is_full;	 /* nobody is taken in from the listener */
	bool lost;	 /* the connection is over */
	bool over;
	int64_t idle_since; /* or 0 */
	int64_t lost_since; /* and without progress */
	int64_t heard;	    /* when the host was there for sure */
	int64_t pinged, aged, seen;
	uint64_t frames; /* sent, when that was looked at */
	int unsent;	 /* and how many bytes its machine had not got then */
};

/* --- hub_peer.c --- */

/* A peer for a descriptor or -1, or NULL: too many. */
struct hub_peer *peer_new(struct hub *, enum peer_state, int fd);
/* Gives it one, which does not block then.  0, SKY_ERR_SYS: it has none. */
int peer_attach(struct hub_peer *, int fd);
/* It has its turn in this round. */
void peer_wake(struct hub_peer *);
/* As far as it goes now. */
void peer_turn(struct hub_peer *);
/* Closes both; freed at the end of the round. */
void peer_end(struct hub_peer *);
/* Opens its channel, where the host lets us, and writes what it has for it. */
void peer_open(struct hub_peer *);

/* --- hub_caller.c --- */

void caller_on_listener(struct hub *, struct hub_watch *, uint32_t events);
/* Of one who asks. */
void caller_turn(struct hub_peer *);
/* There is no channel for it: says so, and ends it. */
void caller_refuse(struct hub_peer *, const char *why);
/* Those who have asked for nothing for too long go. */
void caller_age(struct hub *, int64_t now);

/* --- hub_arrive.c --- */

/* The host has opened a channel. */
void arrive_new(struct hub *, struct yamux_stream *);
/* Of one whose request is being read. */
void arrive_turn(struct hub_peer *);

#endif
