/* SPDX-License-Identifier: ISC */
/* A client's session with a dmsg server. */
#include "dmsg_session.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "dmsg_object.h"
#include "err.h"
#include "yamux.h"

#define OBJECT_MAX (2 + UINT16_MAX)
#define REQUEST_MAX \
	8192 /* a true one has less than 500; many may be under way */

struct dmsg_stream {
	LIST_ENTRY(dmsg_stream) entry;
	struct dmsg_session *session;
	struct yamux_stream *y;
	enum {
		HEAD_REQUEST, /* a peer's request is coming */
		HEAD_ANSWER,  /* our dial's answer is */
		DECIDING,     /* the request has been told */
		OPEN
	} state;
	int64_t born;
	struct buf head;
	void *arg;
};

struct dmsg_session {
	struct yamux *y;
	struct dmsg_seal seal;
	dmsg_handler *handle;
	void *arg;
	int64_t now;
	bool answered;
	LIST_HEAD(, dmsg_stream) streams;
};

struct dmsg_session *
dmsg_session_new(const uint8_t *send, const uint8_t *recv, uint64_t seed,
    dmsg_handler *handle, void *arg)
{
	struct yamux_limits limits = yamux_default_limits();
	struct dmsg_session *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	limits.seed = seed;
	s->handle = handle;
	s->arg = arg;
	LIST_INIT(&s->streams);
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
	while ((st = LIST_FIRST(&s->streams)) != NULL)
		dmsg_stream_close(st);
	yamux_free(s->y);
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
	buf_init(&st->head, OBJECT_MAX);
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
	buf_free(&st->head);
	free(st);
}

static void
tell(struct dmsg_stream *st, enum dmsg_event what, struct buf *object)
{
	st->session->handle(st->session->arg, st, what, object);
}

/* --- objects --- */

/* How many bytes the object still lacks; what is behind it stays where it is.
 */
static size_t
lacking(const struct dmsg_stream *st)
{
	const uint8_t *p = buf_ptr(&st->head);
	size_t have = buf_len(&st->head);

	if (have < 2)
		return 2 - have;
	return 2 + ((size_t)p[0] << 8 | p[1]) - have;
}

/* 1 when it is whole, 0 when more must come. */
static int
gather(struct dmsg_stream *st)
{
	const struct buf *in;
	size_t n, want;
	int r;

	while ((want = lacking(st)) > 0) {
		if (st->state == HEAD_REQUEST && want > REQUEST_MAX)
			return ERR_LIMIT;
		in = yamux_in(st->y);
		if ((n = buf_len(in)) == 0)
			return yamux_eof(st->y) ? ERR_EOF : 0;
		if (n > want)
			n = want;
		if ((r = buf_put(&st->head, buf_ptr(in), n)) != 0 ||
		    (r = yamux_consume(st->y, n)) != 0)
			return r;
	}
	return 1;
}

/* A bad object ends its stream and nothing else. */
static void
take_object(struct dmsg_stream *st)
{
	bool request = st->state == HEAD_REQUEST;
	struct buf object;
	int r;

	buf_init(&object, OBJECT_MAX);
	if ((r = gather(st)) == 1)
		r = dmsg_get_sealed(&st->session->seal, &st->head, &object);
	if (r == 1) {
		st->state = request ? DECIDING : OPEN;
		buf_free(&st->head);
		tell(st, request ? DMSG_REQUEST : DMSG_ANSWER, &object);
	} else if (r < 0 && request)
		dmsg_stream_close(st);
	else if (r < 0)
		tell(st, DMSG_END, NULL);
	buf_free(&object);
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
		r = n == (ssize_t)buf_len(&wire) ? 0 : ERR_LIMIT;
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
		return ERR_STATE;
	st->state = OPEN;
	return put_object(st, object);
}

/* --- events --- */

static void
advance(struct dmsg_stream *st, unsigned what)
{
	if (what & YAMUX_RESET) {
		tell(st, DMSG_END, NULL);
		return;
	}
	if (st->state == HEAD_REQUEST || st->state == HEAD_ANSWER) {
		if (what & (YAMUX_READ | YAMUX_EOF))
			take_object(st);
		return;
	}
	/* The handler may close it: one event at a time, the last one first. */
	if ((what & YAMUX_WRITE) && !(what & (YAMUX_READ | YAMUX_EOF)))
		tell(st, DMSG_WRITE, NULL);
	else if (what & (YAMUX_READ | YAMUX_EOF | YAMUX_WRITE))
		tell(st, DMSG_READ, NULL);
}

static void
take_events(struct dmsg_session *s)
{
	struct yamux_stream *y;
	struct yamux_event ev;
	struct dmsg_stream *st;
	bool more = true;

	while (more) {
		more = false;
		while ((y = yamux_accept(s->y)) != NULL) {
			(void)add_stream(s, y, HEAD_REQUEST);
			more = true;
		}
		while (yamux_event(s->y, &ev)) {
			more = true;
			if (ev.what & YAMUX_PONG)
				s->answered = true;
			st = ev.stream != NULL ? yamux_arg(ev.stream) : NULL;
			if (st != NULL)
				advance(st, ev.what);
		}
	}
}

int
dmsg_session_input(struct dmsg_session *s, struct buf *in)
{
	int r = yamux_input(s->y, in);

	take_events(s);
	return r;
}

int
dmsg_session_output(struct dmsg_session *s, struct buf *out)
{
	int r = yamux_output(s->y, out);

	take_events(s); /* room for writers */
	return r;
}

bool
dmsg_session_pending(const struct dmsg_session *s)
{
	return yamux_pending(s->y);
}

/* Streams that are not open yet and should be by now. */
static void
end_stale(struct dmsg_session *s)
{
	struct dmsg_stream *st, *next;

	for (st = LIST_FIRST(&s->streams); st != NULL; st = next) {
		next = LIST_NEXT(st, entry);
		if (st->state == OPEN)
			continue;
		if (st->born == 0)
			st->born = s->now; /* since the tick before */
		if (s->now - st->born < DMSG_OPEN_S)
			continue;
		if (st->state == HEAD_REQUEST)
			dmsg_stream_close(st);
		else
			tell(st, DMSG_END, NULL);
	}
}

int
dmsg_session_tick(struct dmsg_session *s, int64_t now)
{
	s->now = now;
	end_stale(s);
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

size_t
dmsg_session_streams(const struct dmsg_session *s)
{
	return yamux_count(s->y);
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
