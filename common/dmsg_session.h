/* SPDX-License-Identifier: ISC */
/*
 * A client's session with a dmsg server, behind its handshake: streams of
 * yamux, each with one sealed object at its beginning each way, and then bytes
 * that are nobody's business here.  No I/O: bytes go in and come out in
 * buffers.  spec: dmsg.md 3, 4.
 *
 * Memory: yamux's (yamux.h) and up to 8 KiB for each stream whose request is
 * under way, 64 KiB for each whose answer is.
 */
#ifndef COMMON_DMSG_SESSION_H
#define COMMON_DMSG_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "buf.h"

#define DMSG_OPEN_S 20 /* seconds for a stream to get past its objects */

struct dmsg_session;
struct dmsg_stream;

enum dmsg_event {
	DMSG_REQUEST, /* a peer's: signed object; answer it or close */
	DMSG_ANSWER,  /* to our dial: signed object */
	DMSG_READ,    /* bytes or the end have come */
	DMSG_WRITE,   /* there is room again */
	DMSG_END      /* reset, refused or timed out: close it */
};

/* object is a view that is valid during the call. */
typedef void dmsg_handler(void *arg, struct dmsg_stream *, enum dmsg_event,
    struct buf *object);

/* seed: unpredictable.  NULL without memory. */
struct dmsg_session *dmsg_session_new(const uint8_t *send, const uint8_t *recv,
    uint64_t seed, dmsg_handler *, void *arg);
/* Frees all streams, too, without further events. */
void dmsg_session_free(struct dmsg_session *);
/* Takes all of in; events are told meanwhile.  ERR_*: the session is over. */
int dmsg_session_input(struct dmsg_session *, struct buf *in);
/* Appends what is to be sent, as far as out has room. */
int dmsg_session_output(struct dmsg_session *, struct buf *out);
bool dmsg_session_pending(const struct dmsg_session *);
/*
 * Every 30 seconds, with the time in seconds: pings, and ends streams that
 * stand still.  ERR_AGAIN when the last ping has not been answered.
 */
int dmsg_session_tick(struct dmsg_session *, int64_t now);
/* Whether a ping has been answered since the last question. */
bool dmsg_session_answered(struct dmsg_session *);
size_t dmsg_session_streams(const struct dmsg_session *);

/* Opens a stream with a signed request.  NULL: no room, or going away. */
struct dmsg_stream *
dmsg_session_dial(struct dmsg_session *, int64_t now, const struct buf *object);
/* Accepts a request with a signed response; bytes may follow. */
int dmsg_stream_answer(struct dmsg_stream *, const struct buf *object);

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
/* Gives it back: what is queued still leaves.  No further events. */
void dmsg_stream_close(struct dmsg_stream *);

#endif
