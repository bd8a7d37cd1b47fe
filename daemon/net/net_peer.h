/* SPDX-License-Identifier: ISC */
/* Whom a connection leads to: what all of its channels have in common. */
#ifndef DAEMON_NET_NET_PEER_H
#define DAEMON_NET_NET_PEER_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/net/net_link.h"

struct net_channels;

struct net_peer {
	struct event_base *base;
	struct net_link *link;
	int mon;      /* for net_mon.h */
	bool control; /* the caller of the control socket */
	bool session; /* it is let in */
	uint32_t grants;
	uint32_t idle;	       /* seconds until the monitor ends it; 0: never */
	bool moved;	       /* not told to it yet */
	struct event *telling; /* pending: it has been told just now */
	uint64_t seed;	       /* nothing that the peer could guess */
	struct net_channels *channels; /* NULL: the connection is the only one
					*/
};

/* Not let in yet.  0, or SKY_ERR_NOMEM. */
int net_peer_init(struct net_peer *, struct event_base *, struct net_link *,
    int mon);
void net_peer_free(struct net_peer *);
/* A byte of the session has moved, either way. */
void net_peer_moved(struct net_peer *);
/* What has moved in all: nothing else is told behind it. */
void net_peer_tell_all(struct net_peer *);

#endif
