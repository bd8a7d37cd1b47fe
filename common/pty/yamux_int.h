/* SPDX-License-Identifier: ISC */
/* What the files of the yamux layer share, and nobody else includes. */
#ifndef COMMON_PTY_YAMUX_INT_H
#define COMMON_PTY_YAMUX_INT_H

#include <sys/queue.h>

#include "common/pty/yamux.h"

enum { TYPE_DATA, TYPE_WINDOW, TYPE_PING, TYPE_GOAWAY };

#define FLAG_SYN 1U
#define FLAG_ACK 2U
#define FLAG_FIN 4U
#define FLAG_RST 8U
/* Not a flag of the wire: credit alone is a reason for a window update. */
#define CONTROL_CREDIT 0x10000U

struct yamux_stream {
	struct yamux *y;
	void *arg;
	uint32_t id;
	uint32_t recv_window; /* what the peer may still send */
	uint32_t send_window; /* what we may still send */
	uint32_t credit;      /* consumed, the peer not told yet */
	unsigned int events;  /* yamux_what not fetched yet */
	unsigned int control; /* flags to be sent */
	unsigned int age;     /* calls of yamux_age since it moved */
	bool listed;	      /* in the table: frames of its id are its own */
	bool waits;	      /* in the backlog */
	bool held;	      /* by the caller */
	bool inflight;	      /* ours, not acknowledged */
	bool sending;	      /* in the queue of those with data to send */
	bool want_write;
	bool kept; /* others are shed first */
	bool fin_want, fin_sent, fin_got, reset;
	struct buf in, out;
	struct yamux_stream *next; /* in its bucket */
	TAILQ_ENTRY(yamux_stream) all, event, ctl, send;
	TAILQ_ENTRY(yamux_stream) wait; /* backlog, or closed here */
};

TAILQ_HEAD(yamux_list, yamux_stream);

/* Numbers that wait to be sent, first in, first out. */
struct yamux_ring {
	uint32_t v[YAMUX_ANSWERS];
	size_t first, n;
};

struct yamux {
	struct yamux_limits max;
	bool client;
	int error; /* the session ended with it, or 0 */
	uint32_t next_id;

	struct yamux_stream **bucket;
	size_t nbucket, nlisted;
	struct yamux_list all, events, control, sending, backlog, closed;
	size_t count, nbacklog, ninflight;
	size_t buffered; /* bytes in the streams' in */

	uint8_t head[YAMUX_HEAD_LEN]; /* of a frame that is not complete */
	size_t nhead;
	uint32_t left;		  /* payload to come */
	struct yamux_stream *cur; /* whose it is; NULL: dropped */
	bool cur_fin;		  /* with a FIN behind it */

	struct yamux_ring refused; /* ids to be reset */
	struct yamux_ring pings;   /* to be answered */
	uint32_t ping;		   /* value of our last one */
	bool ping_send, ping_wait;
	bool away_send, away_sent, away_got;
	uint32_t away_code, away_got_code;
	unsigned int session_events;
};

/* yamux.c */
bool yamux_ring_put(struct yamux_ring *, uint32_t);
bool yamux_ring_get(struct yamux_ring *, uint32_t *);
struct yamux_stream *yamux_find(const struct yamux *, uint32_t id);
/* A listed stream, with its window's excess over the initial one as credit. */
struct yamux_stream *yamux_stream_new(struct yamux *, uint32_t id);
/* Out of the table; then as yamux_release. */
void yamux_unlist(struct yamux_stream *);
/* Frees the stream if it is neither listed nor held. */
void yamux_release(struct yamux_stream *);

/* yamux_stream.c */
void yamux_raise(struct yamux_stream *, unsigned int what);
/* Has a control frame sent with these flags. */
void yamux_want(struct yamux_stream *, unsigned int flags);
/* n bytes are consumed. */
void yamux_credit(struct yamux_stream *, size_t n);
/* Queues the stream if there is something that it may send. */
void yamux_kick(struct yamux_stream *);
/* Drops its bytes and takes it off every queue but that of events. */
void yamux_silence(struct yamux_stream *);

#endif
