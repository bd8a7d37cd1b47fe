/* SPDX-License-Identifier: ISC */
/*
 * yamux, version 0: many streams on one connection, each with its own window.
 * Both roles.  No I/O, no clock, no randomness: the caller feeds what arrived,
 * looks for new streams and events, and sends what comes out:
 *
 *	r = yamux_input(y, &in);
 *	while ((st = yamux_accept(y)) != NULL) ...
 *	while (yamux_event(y, &ev)) ...
 *	yamux_output(y, &out);
 *
 * A window is given back as the caller consumes, never as bytes arrive, so a
 * reader that is slow stalls its own stream only.  The connection itself must
 * always be read on.  PROTOCOL.dmsg 3.
 *
 * Memory.  A stream: 300 bytes; with unread input 4 KiB and at most four times
 * those bytes, no more than its window; with output at most twice
 * YAMUX_OUT_MAX, all of it the caller's own.  A session: 9 KiB, 8 to 16 bytes
 * per stream for the table, and limits.streams of the former; unread input of
 * all streams is at most limits.buffered.  The peer can bring about no more.
 */
#ifndef COMMON_PTY_YAMUX_H
#define COMMON_PTY_YAMUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/buf.h"

#define YAMUX_HEAD_LEN	 12
#define YAMUX_WINDOW	 262144		    /* every stream starts with it */
#define YAMUX_WINDOW_MAX (16 * 1024 * 1024) /* most of limits.window */
#define YAMUX_OUT_MAX	 65536		    /* unsent bytes of a stream */
#define YAMUX_FRAME_MAX	 16384		    /* data in one frame of ours */
#define YAMUX_ANSWERS	 1024 /* refusals or ping answers not sent yet */

/* Reasons of a go-away. */
#define YAMUX_NORMAL	     0
#define YAMUX_PROTOCOL_ERROR 1
#define YAMUX_INTERNAL_ERROR 2

struct yamux;
struct yamux_stream;

struct yamux_limits {
	uint32_t streams;  /* at a time, of both sides */
	uint32_t backlog;  /* of the peer's, not accepted yet */
	uint32_t inflight; /* of ours, not acknowledged yet */
	uint32_t window;   /* to receive, YAMUX_WINDOW to YAMUX_WINDOW_MAX */
	size_t buffered;   /* received bytes not consumed yet, all streams */
	uint64_t seed;	   /* of the table: nothing a peer could guess */
};

/* What happened to a stream; several at once are or'ed together. */
enum yamux_what {
	YAMUX_OPENED = 1, /* the peer acknowledged a stream of ours */
	YAMUX_READ = 2,	  /* bytes arrived */
	YAMUX_EOF = 4,	  /* no further bytes will arrive */
	YAMUX_WRITE = 8,  /* there is room again, after a write fell short */
	YAMUX_RESET = 16, /* it is over; what was not read is gone */
	/* What happened to the session: stream is NULL. */
	YAMUX_PONG = 32,  /* the peer answered our ping */
	YAMUX_GOAWAY = 64 /* the peer takes no further streams */
};

struct yamux_event {
	struct yamux_stream *stream;
	unsigned int what;
	uint32_t code; /* reason of YAMUX_GOAWAY */
};

/*
 * 2048 streams, backlog 512 and inflight 256 (a peer of 2024 refuses from 257
 * on, a later one sends up to 512), YAMUX_WINDOW, 32 MiB, seed 0.
 */
struct yamux_limits yamux_default_limits(void);

/*
 * A session; client is who dialed the connection.  limits NULL means the
 * default ones.  NULL for limits out of range or without memory.
 */
struct yamux *yamux_new(bool client, const struct yamux_limits *);
/* Frees the session and all of its streams, also those the caller holds. */
void yamux_free(struct yamux *);

/*
 * Takes all of in, in pieces of any size.  An error ends the session: it is
 * returned by every later call too, and a go-away may wait for yamux_output.
 * SKY_ERR_FORMAT (version), SKY_ERR_TYPE (type of frame), SKY_ERR_LIMIT (data
 * over the window, too many refused streams), SKY_ERR_RANGE (stream id of our
 * own kind, window over 2^32), SKY_ERR_EXISTS (stream id in use), SKY_ERR_STATE
 * (second FIN), SKY_ERR_EOF (the peer went away with an error).  Frames for
 * streams that are unknown or over already, data behind a FIN and needless
 * flags are ignored: Go's peers let them happen.
 */
int yamux_input(struct yamux *, struct buf *in);
/*
 * Appends frames to out as far as its room goes, at least YAMUX_HEAD_LEN + 1
 * bytes: first answers, then the streams' data in turn.  0 or SKY_ERR_NOMEM
 * (try again).  After an error of yamux_input it gives the go-away alone.
 */
int yamux_output(struct yamux *, struct buf *out);
/* Whether yamux_output has anything to give. */
bool yamux_pending(const struct yamux *);

/*
 * Takes the next event; false without one.  A stream has no more than one
 * waiting.  Events of a stream tell of changes: look at its state.
 */
bool yamux_event(struct yamux *, struct yamux_event *);

/*
 * Sends a ping.  SKY_ERR_AGAIN while the one before is not answered: a caller
 * who pings by a timer takes the connection for dead then.
 */
int yamux_ping(struct yamux *);
/*
 * Tells the peer to open no more streams; those it opens all the same are
 * refused.  Streams that exist go on; for other reasons than YAMUX_NORMAL the
 * peer ends the session.
 */
void yamux_goaway(struct yamux *, uint32_t reason);
/*
 * For a timer, say each 30 s: streams that were closed here before the call
 * before, have not moved since and still wait for the peer are reset.
 */
void yamux_age(struct yamux *);
/* Received bytes of all streams that are not consumed yet. */
size_t yamux_buffered(const struct yamux *);
/* Of these, what lies in streams that are not kept. */
size_t yamux_loose(const struct yamux *);
/*
 * Resets the stream with most of them, one that is kept only if no other has
 * any; false if there are none.  What is over limits.buffered goes in that way.
 */
bool yamux_shed(struct yamux *);
/* From now on others are shed before this one. */
void yamux_keep(struct yamux_stream *);
/* Bytes that were written, to streams closed since as well, and not output. */
size_t yamux_unsent(const struct yamux *);
/* Streams alive, with those that were closed here and wait for the peer. */
size_t yamux_count(const struct yamux *);

/*
 * Opens a stream; it can be written to at once.  The caller holds it until
 * yamux_close.  SKY_ERR_AGAIN (limits.inflight), SKY_ERR_DENIED (the peer went
 * away), SKY_ERR_LIMIT (limits.streams, or ids are used up: open a new
 * session), SKY_ERR_NOMEM, or the session's error.
 */
int yamux_open(struct yamux *, struct yamux_stream **);
/*
 * The next stream that the peer opened, acknowledged herewith; NULL without
 * one.  The caller holds it until yamux_close.  Peers end the session when that
 * takes long (20 s and more).
 */
struct yamux_stream *yamux_accept(struct yamux *);

/* Whatever the caller has for the stream; NULL at first. */
void yamux_set_arg(struct yamux_stream *, void *);
void *yamux_arg(const struct yamux_stream *);

/* What arrived, borrowed until any other call with this session. */
const struct buf *yamux_in(const struct yamux_stream *);
/* Takes n bytes off it and gives the peer window for them.  SKY_ERR_SHORT. */
int yamux_consume(struct yamux_stream *, size_t);
/* Whether the peer sends no more and all has been consumed. */
bool yamux_eof(const struct yamux_stream *);
/* Whether the peer sends no more, consumed or not. */
bool yamux_is_whole(const struct yamux_stream *);

/* How many bytes yamux_write would take. */
size_t yamux_room(const struct yamux_stream *);
/* Bytes that were written and not output. */
size_t yamux_queued(const struct yamux_stream *);
/*
 * Queues at most n bytes.  Returns the count (> 0 for n > 0), SKY_ERR_AGAIN
 * without room (YAMUX_WRITE follows, also for less than n), SKY_ERR_STATE after
 * a shutdown or reset, SKY_ERR_NOMEM, or the session's error.
 */
ssize_t yamux_write(struct yamux_stream *, const void *, size_t n);
/*
 * No more will be written: FIN behind what is queued.  Reading goes on.
 * SKY_ERR_STATE when said before, or after a reset.
 */
int yamux_shutdown(struct yamux_stream *);
/* Ends it both ways at once: what is queued or unread is dropped. */
void yamux_kill(struct yamux_stream *);
/*
 * Gives the stream back; it must not be used any more.  What is queued is still
 * sent, then FIN; what arrives is dropped.  See yamux_age.
 */
void yamux_close(struct yamux_stream *);

#endif
