/* SPDX-License-Identifier: ISC */
/*
 * A channel: one service on a link, and all that the service knows of it.  A
 * connection of the original is a link with exactly one.
 *
 * What a service does to its channel is noted there.  Whoever turns the wheel
 * (net.c) sends what has been put into out, asks the service for more when
 * there is room, and ends it: never from within one of its functions.
 */
#ifndef DAEMON_NET_NET_CHANNEL_H
#define DAEMON_NET_NET_CHANNEL_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/pty/mux.h"
#include "daemon/net/net_link.h"

struct service;

/* What has moved to a job and from it. */
struct job_bytes {
	uint64_t in, out;
	bool told;
};

struct channel {
	const struct service *service; /* NULL: none is asked for yet */
	void *state;		       /* the service's own */
	enum {
		CHANNEL_ASKED, /* the service has not answered yet */
		CHANNEL_OPEN,
		CHANNEL_ENDED /* its last bytes are in out */
	} stage;
	bool busy;    /* the service wants no input for now */
	bool refused; /* ended by channel_reject */
	bool session; /* the peer is let in */
	uint32_t grants;
	uint32_t idle;	       /* seconds until the monitor ends it; 0: never */
	bool moved;	       /* not told to it yet */
	struct event *telling; /* pending: it has been told just now */
	int mon;	       /* for net_mon.h, */
	uint16_t number;       /* and so is this, in its answers */
	struct buf *in;	       /* what the peer has said */
	struct buf *out;       /* what it is told */
	struct event_base *base;
	struct net_link *link;
	struct event *timer;
	int seconds; /* that it was set to */
	bool late;   /* it has run out */
};

/* Without a service yet.  0, or SKY_ERR_NOMEM. */
int
channel_init(struct channel *, struct event_base *, struct net_link *, int mon);
void channel_free(struct channel *);

/* The service's answer to the request for it. */
void channel_accept(struct channel *);
/* why may be NULL; nobody hears it but our own clients. */
void channel_reject(struct channel *, const char *why);
/* Why what needs that grant is refused; NULL when the peer has it. */
const char *channel_denied(const struct channel *, uint32_t grant);
/* Without what it takes to outlive the connection it does not. */
void channel_limit(const struct channel *, struct mux_session *);
/* A byte of the session has moved, either way. */
void channel_moved(struct channel *);
/* What has moved of a job, once: nothing more will. */
void channel_tell_job(struct channel *, uint32_t handle, struct job_bytes *);
/* What has moved in all: nothing else is told behind it. */
void channel_tell_all(struct channel *);
/* Nothing follows what is in out. */
void channel_end(struct channel *);
/* Whether the service is to go on with its input. */
bool channel_ready(const struct channel *);
/* Bytes that wait to leave, and whether they are too many for more. */
size_t channel_backlog(const struct channel *);
bool channel_full(const struct channel *);
/* Puts into out, or ends the connection for want of memory. */
void channel_put(struct channel *, const void *, size_t);
/* Seconds for the request to be all there; 0: it is. */
void channel_timer(struct channel *, int seconds);
/* What is put is for a terminal, which prints after ^C what is under way. */
void channel_bound_unsent(struct channel *, int bytes);
void channel_log(struct channel *, enum log_level, const char *, ...)
    __attribute__((format(printf, 3, 4)));
/* Logs it and ends the connection: the peer's mistake, or memory is missing. */
__attribute__((noreturn)) void channel_fault(struct channel *, const char *,
    ...) __attribute__((format(printf, 2, 3)));

#endif
