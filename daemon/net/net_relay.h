/* SPDX-License-Identifier: ISC */
/*
 * Bytes between a channel and a socket that the monitor has handed down, as
 * they are.
 */
#ifndef DAEMON_NET_NET_RELAY_H
#define DAEMON_NET_NET_RELAY_H

#include "daemon/net/net_channel.h"
#include "daemon/net/net_pipe.h"

struct net_relay {
	struct channel *ch;
	/*
	 * Each direction ends by itself.  Otherwise the other side's end is the
	 * channel's.
	 */
	bool half;
	bool ended; /* the peer says nothing more */
	bool said;  /* nor does the other side */
	bool
	    frames; /* of exec: a KEEPALIVE is not counted as idle time's end */
	struct net_pipe pipe;
	struct event *writable; /* pending: it takes no more for now */
	struct job_bytes bytes;
};

/* Nothing is handed down yet; the channel is kept. */
void net_relay_init(struct net_relay *, struct channel *);
/* Takes the socket.  SKY_ERR_FORMAT for -1, SKY_ERR_NOMEM. */
int net_relay_open(struct net_relay *, int fd);
/* Also one that is not open. */
void net_relay_close(struct net_relay *);
/*
 * There may be input: what the other side takes of it.  Less than 0 if it takes
 * no more, ever; what it has said is read until its end all the same.  With
 * half such input is dropped, and 0.
 */
int net_relay_input(struct net_relay *);
/* The peer says nothing more: neither does the other side hear anything. */
void net_relay_eof(struct net_relay *);
/* Output has room. */
void net_relay_room(struct net_relay *);

#endif
