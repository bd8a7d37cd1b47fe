/* SPDX-License-Identifier: ISC */
/*
 * A channel: one service on a connection, and all that the service knows of it.
 * A connection of the original is one channel, its own; behind
 * skypty/1/channels it carries many (net_channels.c).
 *
 * What a service does to its channel is noted there.  Whoever turns the wheel
 * (net.c, net_channels.c) sends what has been put into out, asks the service
 * for more when there is room, and ends it: never from within one of its
 * functions.
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
#include "daemon/net/net_peer.h"

struct service;
struct yamux_stream;

/* What has moved to a job and from it. */
struct job_bytes {
	uint64_t in, out;
	bool told;
};

struct channel {
	struct net_peer *peer;
	const struct service *service; /* NULL: none is asked for yet */
	void *state;		       /* the service's own */
	enum {
		CHANNEL_ASKED, /* the service has not answered yet */
		CHANNEL_OPEN,
		CHANNEL_ENDED /* its last bytes are in out */
	} stage;
	bool busy;     /* the service wants no input for now */
	bool refused;  /* ended by channel_reject */
	bool faulty;   /* ended by channel_fault */
	bool finished; /* nothing follows what is in out, but input may come */
	uint16_t number; /* in messages to the monitor; 0: the connection's */
	unsigned owed;	 /* answers of the monitor */
	int mon;	 /* for net_mon.h */
	struct buf *in;	 /* what the peer has said */
	struct buf *out; /* what it is told */
	struct event_base *base;
	struct yamux_stream *stream; /* NULL: the connection itself, or gone */
	struct event *timer;
	int seconds;  /* that it was set to */
	bool late;    /* it has run out */
	bool stirred; /* its wheel is to be turned */
};

/* Without a service yet; in and out are kept.  0, or SKY_ERR_NOMEM. */
int channel_init(struct channel *, struct net_peer *, struct buf *in,
    struct buf *out);
/* Ends the service. */
void channel_free(struct channel *);
/* The service of an open channel: what it can go on with, and for room. */
void channel_turn(struct channel *);

/*
 * Something has happened to the service that is no input, room or message of
 * the monitor's: it is to be asked.  What does not stir costs nothing.
 */
void channel_stir(struct channel *);
/* The service's answer to the request for it. */
void channel_accept(struct channel *);
/* why may be NULL; nobody hears it but our own clients. */
void channel_reject(struct channel *, const char *why);
/* Why what needs that grant is refused; NULL when the peer has it. */
const char *channel_denied(const struct channel *, uint32_t grant);
/* Without what it takes to outlive the connection it does not. */
void channel_limit(const struct channel *, struct mux_session *);
/* A byte of the session has moved, either way: the channel stirs. */
void channel_moved(struct channel *);
/* What has moved of a job, once: nothing more will. */
void channel_tell_job(struct channel *, uint32_t handle, struct job_bytes *);
/* Whether it ends while its connection goes on, which would end the rest. */
bool channel_leaves(const struct channel *);
/* Nothing follows what is in out. */
void channel_end(struct channel *);
/* The same, but what the peer says is still heard: see service_ops.eof. */
void channel_finish(struct channel *);
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
/*
 * The peer's mistake: logs it and ends the connection, or, on a channel of
 * several, that one alone: then it returns, and the channel has ended.
 */
void channel_fault(struct channel *, const char *, ...)
    __attribute__((format(printf, 2, 3)));
/* Logs it and ends the connection, whatever else it carries: no memory. */
__attribute__((noreturn)) void channel_fatal(struct channel *, const char *,
    ...) __attribute__((format(printf, 2, 3)));

#endif
