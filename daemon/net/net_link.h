/* SPDX-License-Identifier: ISC */
/*
 * The connection's link with its events.  They only note what has happened:
 * whoever turns the wheel asks.
 */
#ifndef DAEMON_NET_NET_LINK_H
#define DAEMON_NET_NET_LINK_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"
#include "common/pty/link.h"

#define NET_OUT_HIGH	(256U * 1024) /* unsent output that stops new answers */
#define NET_STREAM_HIGH (64U * 1024)  /* the same of one of many channels */

struct net_link {
	int fd;
	struct link link;
	struct buf in;		      /* plaintext, to be parsed */
	struct buf out;		      /* plaintext, to be sent */
	uint64_t bytes_in, bytes_out; /* that went over the wire */
	size_t high;		      /* unsent bytes that stop new answers */
	bool reading;
	bool half;   /* the peer's end alone is not that of the connection */
	bool shut;   /* our own end has been sent */
	int lost;    /* why it has ended: an error of reading; 0 */
	int error;   /* errno, for SKY_ERR_SYS */
	bool dead;   /* the peer does not answer any more */
	int seconds; /* of silence until TCP asks the peer; 0: none */
	struct event *rd, *wr, *hup;
	struct event *watch; /* pending: something waits to be sent */
};

/* A link that is not read from yet.  0, or -1 without memory. */
int net_link_init(struct net_link *, struct event_base *, int fd);
void net_link_free(struct net_link *);
/* Buffers for what one service says and hears, with what may wait before it. */
void net_link_buffers(struct buf *in, struct buf *out);
/*
 * What is put into out is many channels' from now on: little of it waits here
 * or in the kernel, where none could overtake another.  Nothing may be in out.
 */
void net_link_share(struct net_link *);
/* Opens what has arrived as far as in has room.  As link_open. */
int net_link_open(struct net_link *);
/* A whole frame waits that net_link_open could open. */
bool net_link_waits(const struct net_link *);
/*
 * Sends what can be sent now; the rest wakes the loop when it can.  0 or an
 * error of link_write, but for SKY_ERR_AGAIN.
 */
int net_link_flush(struct net_link *);
/* Another round is worth it, whatever happens. */
void net_link_wake(struct net_link *);
/* Nothing will be sent any more. */
void net_link_shut(struct net_link *);
/* Bytes that still wait to leave. */
size_t net_link_backlog(const struct net_link *);
/* Whether to read on; while not, only the peer's end is noticed. */
void net_link_read_on(struct net_link *, bool);

#endif
