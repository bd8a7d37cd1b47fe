/* SPDX-License-Identifier: ISC */
/*
 * A client's session with a dmsg server, behind its handshake: streams of
 * yamux, each with one sealed object at its beginning each way, and then bytes
 * that are nobody's business here.  No I/O: bytes go in and come out in
 * buffers.  No callbacks either: what has happened is asked for, as with yamux,
 * so that nothing is ever freed while it is in the middle of something:
 *
 *	r = dmsg_session_input(s, &in);
 *	while (dmsg_session_event(s, &ev)) ...
 *
 * Whoever handles an event may close any stream.  PROTOCOL.dmsg 3, 4.
 *
 * Memory: yamux's (yamux.h), where objects lie until they are whole, and the
 * object that was told last.
 */
#ifndef COMMON_DMSG_DMSG_SESSION_H
#define COMMON_DMSG_DMSG_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/buf.h"

#define DMSG_OPEN_S 20 /* seconds for a stream to get past its objects */
/*
 * Servers end a session 10 seconds after a ping that is not answered: no more
 * bytes than so many should wait for the network in front of the answer, in
 * the caller's buffer and once more in the system.
 */
#define DMSG_UNSENT (32 * 1024)

struct dmsg_session;
struct dmsg_stream;

enum dmsg_what {
	DMSG_REQUEST, /* a peer's: signed object; answer it or close */
	DMSG_ANSWER,  /* to our dial: signed object */
	DMSG_READ,    /* bytes or the end have come */
	DMSG_WRITE,   /* there is room again */
	DMSG_END      /* reset, refused or timed out: close it, no more comes */
};

struct dmsg_event {
	struct dmsg_stream *stream;
	enum dmsg_what what;
	struct buf object; /* a view, until the next event is asked for */
};

/* seed: unpredictable.  NULL without memory. */
struct dmsg_session *
dmsg_session_new(const uint8_t *send, const uint8_t *recv, uint64_t seed);
/* Frees all of its streams, too. */
void dmsg_session_free(struct dmsg_session *);
/* Takes all of in.  SKY_ERR_*: the session is over. */
int dmsg_session_input(struct dmsg_session *, struct buf *in);
/* Appends what is to be sent, as far as out has room. */
int dmsg_session_output(struct dmsg_session *, struct buf *out);
/* What has happened next; to be asked behind input, output and tick. */
bool dmsg_session_event(struct dmsg_session *, struct dmsg_event *);
bool dmsg_session_pending(const struct dmsg_session *);
/*
 * Every 30 seconds, with the time in seconds: pings, and ends streams that
 * stand still.  SKY_ERR_AGAIN when the last ping has not been answered.
 */
int dmsg_session_tick(struct dmsg_session *, int64_t now);
/* Whether a ping has been answered since the last question. */
bool dmsg_session_answered(struct dmsg_session *);
/* Whether the server takes no more streams. */
bool dmsg_session_away(const struct dmsg_session *);
/*
 * Bytes that streams hold unread, those of them in streams that are not open,
 * and giving up the stream with most, an open one only if no other has any: for
 * who bounds the sum of several sessions.  Behind it events are to be asked
 * for.
 */
size_t dmsg_session_buffered(const struct dmsg_session *);
size_t dmsg_session_unopened(const struct dmsg_session *);
bool dmsg_session_shed(struct dmsg_session *);
size_t dmsg_session_streams(const struct dmsg_session *);
/* Bytes of streams, of closed ones too, that have not been output. */
size_t dmsg_session_unsent(const struct dmsg_session *);

/* Opens a stream with a signed request.  NULL: no room, or going away. */
struct dmsg_stream *
dmsg_session_dial(struct dmsg_session *, int64_t now, const struct buf *object);
/* Accepts a request with a signed response; bytes may follow. */
int dmsg_stream_answer(struct dmsg_stream *, const struct buf *object);

/* Whatever the caller has for the stream; NULL at first. */
void dmsg_stream_set_arg(struct dmsg_stream *, void *);
void *dmsg_stream_arg(const struct dmsg_stream *);
/* What has come, borrowed until the next call; dmsg_stream_consume takes it. */
const struct buf *dmsg_stream_in(const struct dmsg_stream *);
int dmsg_stream_consume(struct dmsg_stream *, size_t);
/* The peer has ended and everything is consumed. */
bool dmsg_stream_eof(const struct dmsg_stream *);
size_t dmsg_stream_room(const struct dmsg_stream *);
/* As yamux_write. */
ssize_t dmsg_stream_write(struct dmsg_stream *, const void *, size_t);
/* Gives it back: what is queued still leaves.  It tells nothing more. */
void dmsg_stream_close(struct dmsg_stream *);

#endif
