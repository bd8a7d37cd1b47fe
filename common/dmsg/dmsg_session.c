/* SPDX-License-Identifier: ISC */
/* A client's session with a dmsg server. */
#include "common/dmsg/dmsg_session.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/base/err.h"
#include "common/dmsg/dmsg_object.h"
#include "common/pty/yamux.h"

#define OBJECT_MAX  (2 + UINT16_MAX)
#define REQUEST_MAX 4096 /* a true one has under 2000; many come at once */

struct dmsg_stream {
	LIST_ENTRY(dmsg_stream) entry;
	struct dmsg_session *session;
	struct yamux_stream *y;
	enum {
		HEAD_REQUEST, /* a peer's request is coming */
		HEAD_ANSWER,  /* our dial's answer is */
		DECIDING,     /* the request has been told */
		OPEN,
		ENDED /* and told so */
	} state;
	int64_t born;
	void *arg;
};

struct dmsg_session {
	struct yamux *y;
	struct dmsg_seal seal;
	int64_t now;
	bool answered, away;
	struct buf object; /* of the event that was told last */
	LIST_HEAD(, dmsg_stream) streams;
	LIST_HEAD(, dmsg_stream) stale; /* whose end is not told yet */
};

struct dmsg_session *
dmsg_session_new(const uint8_t *send, const uint8_t *recv, uint64_t seed)
{
	struct yamux_limits limits = yamux_default_limits();
	struct dmsg_session *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	limits.seed = seed;
	/* Each is accepted at once; how many came in one read says nothing. */
	limits.backlog = limits.streams;
	LIST_INIT(&s->streams);
	LIST_INIT(&s->stale);
	dmsg_seal_init(&s->seal, send, recv);
	if ((s->y = yamux_new(true, &limits)) != NULL)
		return s;
	dmsg_session_free(s);
	return NULL;
}

void
dmsg_session_free(struct dmsg_session *s)
{
	struct dmsg_stream *st;

	if (s == NULL)
		return;
	while ((st = LIST_FIRST(&s->streams)) != NULL ||
	    (st = LIST_FIRST(&s->stale)) != NULL)
		dmsg_stream_close(st);
	yamux_free(s->y);
	buf_free(&s->object);
	dmsg_seal_wipe(&s->seal);
	free(s);
}

static struct dmsg_stream *
add_stream(struct dmsg_session *s, struct yamux_stream *y, int state)
{
	struct dmsg_stream *st = calloc(1, sizeof(*st));

	if (st == NULL) {
		yamux_close(y);
		return NULL;
	}
	st->session = s;
	st->y = y;
	st->state = state;
	yamux_set_arg(y, st);
	LIST_INSERT_HEAD(&s->streams, st, entry);
	return st;
}

void
dmsg_stream_close(struct dmsg_stream *st)
{
	LIST_REMOVE(st, entry);
	yamux_set_arg(st->y, NULL);
	yamux_close(st->y);
	free(st);
}

/* --- objects --- */

static bool
is_too_long(const struct dmsg_stream *st, const struct buf *in)
{
	const uint8_t *p = buf_ptr(in);

	return st->state == HEAD_REQUEST && buf_len(in) >= 2 &&
	    ((size_t)p[0] << 8 | p[1]) > REQUEST_MAX;
}

/*
 * Until it is whole it stays with what is unread, where it counts: the first
 * window has room for it.  1 with the object, 0 when more must come.
 */
static int
get_object(struct dmsg_stream *st, struct buf *object)
{
	const struct buf *in = yamux_in(st->y);
	struct buf rest;
	int r, e;

	if (is_too_long(st, in))
		return SKY_ERR_LIMIT;
	buf_view(&rest, buf_ptr(in), buf_len(in));
	if ((r = dmsg_get_sealed(&st->session->seal, &rest, object)) != 1)
		return r == 0 && yamux_is_whole(st->y) ? SKY_ERR_EOF : r;
	e = yamux_consume(st->y, buf_len(in) - buf_len(&rest));
	return e != 0 ? e : 1;
}

/* An end is told once, and only to those who have heard of the stream. */
static bool
dmsg_session_ended(struct dmsg_stream *st, struct dmsg_event *ev)
{
	if (st->state == HEAD_REQUEST)
		dmsg_stream_close(st);
	else if (st->state != ENDED) {
		st->state = ENDED;
		*ev = (struct dmsg_event){ .stream = st, .what = DMSG_END };
		return true;
	}
	return false;
}

static void
dmsg_session_open_stream(struct dmsg_stream *st)
{
	st->state = OPEN;
	yamux_keep(st->y);
}

/* A bad object ends its stream and nothing else. */
static bool
take_object(struct dmsg_stream *st, struct dmsg_event *ev)
{
	struct dmsg_session *s = st->session;
	bool request = st->state == HEAD_REQUEST;
	int r;

	buf_free(&s->object);
	buf_init(&s->object, OBJECT_MAX);
	if ((r = get_object(st, &s->object)) < 0)
		return dmsg_session_ended(st, ev);
	if (r == 0)
		return false;
	if (request)
		st->state = DECIDING;
	else
		dmsg_session_open_stream(st);
	*ev = (struct dmsg_event){ .stream = st,
		.what = request ? DMSG_REQUEST : DMSG_ANSWER,
		.object = s->object };
	return true;
}

static int
put_object(struct dmsg_stream *st, const struct buf *object)
{
	struct buf wire;
	ssize_t n;
	int r;

	buf_init(&wire, OBJECT_MAX);
	if ((r = dmsg_put_sealed(&st->session->seal, object, &wire)) == 0) {
		n = yamux_write(st->y, buf_ptr(&wire), buf_len(&wire));
		r = n == (ssize_t)buf_len(&wire) ? 0 : SKY_ERR_LIMIT;
	}
	buf_free(&wire);
	return r;
}

struct dmsg_stream *
dmsg_session_dial(struct dmsg_session *s, int64_t now, const struct buf *object)
{
	struct dmsg_stream *st;
	struct yamux_stream *y;

	s->now = now;
	if (yamux_open(s->y, &y) != 0 ||
	    (st = add_stream(s, y, HEAD_ANSWER)) == NULL)
		return NULL;
	if (put_object(st, object) == 0)
		return st;
	dmsg_stream_close(st);
	return NULL;
}

int
dmsg_stream_answer(struct dmsg_stream *st, const struct buf *object)
{
	if (st->state != DECIDING)
		return SKY_ERR_STATE;
	dmsg_session_open_stream(st);
	return put_object(st, object);
}

/* --- events --- */

/* Whether there is anything to tell of it. */
static bool
dmsg_session_advance(struct dmsg_stream *st, unsigned what,
    struct dmsg_event *ev)
{
	bool reads = what & (YAMUX_READ | YAMUX_EOF);

	if (what & YAMUX_RESET)
		return dmsg_session_ended(st, ev);
	if (st->state == HEAD_REQUEST || st->state == HEAD_ANSWER)
		return reads && take_object(st, ev);
	if (st->state == ENDED || !(reads || (what & YAMUX_WRITE)))
		return false;
	/* Who reads looks for room as well. */
	*ev = (struct dmsg_event){ .stream = st,
		.what = reads ? DMSG_READ : DMSG_WRITE };
	return true;
}

bool
dmsg_session_event(struct dmsg_session *s, struct dmsg_event *ev)
{
	struct yamux_stream *y;
	struct yamux_event got;
	struct dmsg_stream *st;

	buf_free(&s->object);
	while ((st = LIST_FIRST(&s->stale)) != NULL) {
		LIST_REMOVE(st, entry);
		LIST_INSERT_HEAD(&s->streams, st, entry);
		if (dmsg_session_ended(st, ev))
			return true;
	}
	while ((y = yamux_accept(s->y)) != NULL)
		(void)add_stream(s, y, HEAD_REQUEST);
	while (yamux_event(s->y, &got)) {
		if (got.what & YAMUX_PONG)
			s->answered = true;
		if (got.what & YAMUX_GOAWAY)
			s->away = true;
		st = got.stream != NULL ? yamux_arg(got.stream) : NULL;
		if (st != NULL && dmsg_session_advance(st, got.what, ev))
			return true;
	}
	return false;
}

int
dmsg_session_input(struct dmsg_session *s, struct buf *in)
{
	return yamux_input(s->y, in);
}

int
dmsg_session_output(struct dmsg_session *s, struct buf *out)
{
	return yamux_output(s->y, out);
}

bool
dmsg_session_pending(const struct dmsg_session *s)
{
	return yamux_pending(s->y);
}

int
dmsg_session_tick(struct dmsg_session *s, int64_t now)
{
	struct dmsg_stream *st, *next;

	s->now = now;
	/* Streams that are not open yet and should be by now. */
	for (st = LIST_FIRST(&s->streams); st != NULL; st = next) {
		next = LIST_NEXT(st, entry);
		if (st->state == OPEN || st->state == ENDED)
			continue;
		if (st->born == 0)
			st->born = s->now; /* since the tick before */
		if (s->now - st->born < DMSG_OPEN_S)
			continue;
		LIST_REMOVE(st, entry);
		LIST_INSERT_HEAD(&s->stale, st, entry);
	}
	yamux_age(s->y);
	return yamux_ping(s->y);
}

bool
dmsg_session_answered(struct dmsg_session *s)
{
	bool answered = s->answered;

	s->answered = false;
	return answered;
}

bool
dmsg_session_away(const struct dmsg_session *s)
{
	return s->away;
}

size_t
dmsg_session_buffered(const struct dmsg_session *s)
{
	return yamux_buffered(s->y);
}

size_t
dmsg_session_unopened(const struct dmsg_session *s)
{
	return yamux_loose(s->y);
}

bool
dmsg_session_shed(struct dmsg_session *s)
{
	return yamux_shed(s->y);
}

size_t
dmsg_session_streams(const struct dmsg_session *s)
{
	return yamux_count(s->y);
}

size_t
dmsg_session_unsent(const struct dmsg_session *s)
{
	return yamux_unsent(s->y);
}

/* --- an open stream --- */

void
dmsg_stream_set_arg(struct dmsg_stream *st, void *arg)
{
	st->arg = arg;
}

void *
dmsg_stream_arg(const struct dmsg_stream *st)
{
	return st->arg;
}

const struct buf *
dmsg_stream_in(const struct dmsg_stream *st)
{
	return yamux_in(st->y);
}

int
dmsg_stream_consume(struct dmsg_stream *st, size_t n)
{
	return yamux_consume(st->y, n);
}

bool
dmsg_stream_eof(const struct dmsg_stream *st)
{
	return yamux_eof(st->y);
}

size_t
dmsg_stream_room(const struct dmsg_stream *st)
{
	return yamux_room(st->y);
}

ssize_t
dmsg_stream_write(struct dmsg_stream *st, const void *p, size_t n)
{
	return yamux_write(st->y, p, n);
}
