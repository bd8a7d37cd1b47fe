/* SPDX-License-Identifier: ISC */
/* yamux: the session, its table of streams, pings and going away. */
#include "common/pty/yamux.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/pty/yamux_int.h"

#define BUCKETS_MIN 64
/* Ids of 2^32 - 2 and above are not opened.  PROTOCOL.dmsg 3.2. */
#define ID_END (UINT32_MAX - 1)

struct yamux_limits
yamux_default_limits(void)
{
	return (struct yamux_limits){
		.streams = 2048,
		.backlog = 512,
		.inflight = 256,
		.window = YAMUX_WINDOW,
		.buffered = 32 * 1024 * 1024,
	};
}

bool
yamux_ring_put(struct yamux_ring *q, uint32_t v)
{
	if (q->n == YAMUX_ANSWERS)
		return false;
	q->v[(q->first + q->n++) % YAMUX_ANSWERS] = v;
	return true;
}

bool
yamux_ring_get(struct yamux_ring *q, uint32_t *v)
{
	if (q->n == 0)
		return false;
	*v = q->v[q->first];
	q->first = (q->first + 1) % YAMUX_ANSWERS;
	q->n--;
	return true;
}

/* --- the table ---------------------------------------------------------- */

/*
 * The peer chooses ids: without the seed it could put all of its streams into
 * one bucket.
 */
static struct yamux_stream **
bucket_of(const struct yamux *y, uint32_t id)
{
	uint64_t h = y->max.seed + id * UINT64_C(0x9e3779b97f4a7c15);

	h = (h ^ h >> 31) * UINT64_C(0xd6e8feb86659fd93);
	h = (h ^ h >> 32) * UINT64_C(0xd6e8feb86659fd93);
	return &y->bucket[(h ^ h >> 32) & (y->nbucket - 1)];
}

struct yamux_stream *
yamux_find(const struct yamux *y, uint32_t id)
{
	struct yamux_stream *st = *bucket_of(y, id);

	while (st != NULL && st->id != id)
		st = st->next;
	return st;
}

static void
yamux_insert(struct yamux *y, struct yamux_stream *st)
{
	struct yamux_stream **b = bucket_of(y, st->id);

	st->next = *b;
	*b = st;
}

/* Twice the buckets.  Without memory for them chains just get longer. */
static void
yamux_grow(struct yamux *y)
{
	struct yamux_stream *st, **bucket;

	if ((bucket = calloc(y->nbucket * 2, sizeof(*bucket))) == NULL)
		return;
	free(y->bucket);
	y->bucket = bucket;
	y->nbucket *= 2;
	for (st = TAILQ_FIRST(&y->all); st != NULL; st = TAILQ_NEXT(st, all))
		if (st->listed)
			yamux_insert(y, st);
}

struct yamux_stream *
yamux_stream_new(struct yamux *y, uint32_t id)
{
	struct yamux_stream *st;

	if ((st = calloc(1, sizeof(*st))) == NULL)
		return NULL;
	st->y = y;
	st->id = id;
	st->recv_window = st->send_window = YAMUX_WINDOW;
	st->credit = y->max.window - YAMUX_WINDOW;
	buf_init(&st->in, y->max.window);
	buf_init(&st->out, YAMUX_OUT_MAX);
	TAILQ_INSERT_TAIL(&y->all, st, all);
	y->count++;
	if (y->nlisted >= y->nbucket)
		yamux_grow(y);
	st->listed = true;
	yamux_insert(y, st);
	y->nlisted++;
	return st;
}

static void
yamux_destroy(struct yamux_stream *st)
{
	struct yamux *y = st->y;

	TAILQ_REMOVE(&y->all, st, all);
	y->count--;
	buf_free(&st->in);
	buf_free(&st->out);
	free(st);
}

void
yamux_release(struct yamux_stream *st)
{
	if (st->held || st->listed)
		return;
	yamux_silence(st);
	if (st->waits) {
		TAILQ_REMOVE(&st->y->backlog, st, wait);
		st->y->nbacklog--;
	} else
		TAILQ_REMOVE(&st->y->closed, st, wait);
	yamux_destroy(st);
}

void
yamux_unlist(struct yamux_stream *st)
{
	struct yamux *y = st->y;
	struct yamux_stream **p = bucket_of(y, st->id);

	while (*p != st)
		p = &(*p)->next;
	*p = st->next;
	st->listed = false;
	y->nlisted--;
	if (st->inflight)
		y->ninflight--;
	st->inflight = false;
	/* Credit for a stream that is over would only puzzle the peer. */
	if (st->control != 0)
		TAILQ_REMOVE(&y->control, st, ctl);
	st->control = 0;
	yamux_release(st);
}

/* --- the session -------------------------------------------------------- */

struct yamux *
yamux_new(bool client, const struct yamux_limits *limits)
{
	struct yamux *y;

	if (limits != NULL &&
	    (limits->window < YAMUX_WINDOW ||
		limits->window > YAMUX_WINDOW_MAX))
		return NULL;
	if ((y = calloc(1, sizeof(*y))) == NULL)
		return NULL;
	y->max = limits != NULL ? *limits : yamux_default_limits();
	y->client = client;
	y->next_id = client ? 1 : 2;
	y->nbucket = BUCKETS_MIN;
	if ((y->bucket = calloc(y->nbucket, sizeof(*y->bucket))) == NULL) {
		free(y);
		return NULL;
	}
	TAILQ_INIT(&y->all);
	TAILQ_INIT(&y->events);
	TAILQ_INIT(&y->control);
	TAILQ_INIT(&y->sending);
	TAILQ_INIT(&y->backlog);
	TAILQ_INIT(&y->closed);
	return y;
}

void
yamux_free(struct yamux *y)
{
	struct yamux_stream *st;

	if (y == NULL)
		return;
	while ((st = TAILQ_FIRST(&y->all)) != NULL)
		yamux_destroy(st);
	free(y->bucket);
	free(y);
}

size_t
yamux_buffered(const struct yamux *y)
{
	return y->buffered;
}

size_t
yamux_loose(const struct yamux *y)
{
	const struct yamux_stream *st;
	size_t n = 0;

	for (st = TAILQ_FIRST(&y->all); st != NULL; st = TAILQ_NEXT(st, all))
		if (!st->kept)
			n += buf_len(&st->in);
	return n;
}

size_t
yamux_unsent(const struct yamux *y)
{
	const struct yamux_stream *st;
	size_t n = 0;

	for (st = TAILQ_FIRST(&y->all); st != NULL; st = TAILQ_NEXT(st, all))
		n += buf_len(&st->out);
	return n;
}

size_t
yamux_count(const struct yamux *y)
{
	return y->count;
}

int
yamux_open(struct yamux *y, struct yamux_stream **stp)
{
	struct yamux_stream *st;

	if (y->error != 0)
		return y->error;
	if (y->away_got)
		return SKY_ERR_DENIED;
	if (y->next_id >= ID_END || y->count >= y->max.streams)
		return SKY_ERR_LIMIT;
	if (y->ninflight >= y->max.inflight)
		return SKY_ERR_AGAIN;
	if ((st = yamux_stream_new(y, y->next_id)) == NULL)
		return SKY_ERR_NOMEM;
	y->next_id += 2;
	st->held = st->inflight = true;
	y->ninflight++;
	yamux_want(st, FLAG_SYN);
	*stp = st;
	return 0;
}

struct yamux_stream *
yamux_accept(struct yamux *y)
{
	struct yamux_stream *st;

	if (y->error != 0 || (st = TAILQ_FIRST(&y->backlog)) == NULL)
		return NULL;
	TAILQ_REMOVE(&y->backlog, st, wait);
	y->nbacklog--;
	st->waits = false;
	st->held = true;
	yamux_want(st, FLAG_ACK);
	if (buf_len(&st->in) != 0)
		yamux_raise(st, YAMUX_READ);
	if (st->fin_got)
		yamux_raise(st, YAMUX_EOF);
	return st;
}

bool
yamux_event(struct yamux *y, struct yamux_event *ev)
{
	struct yamux_stream *st;

	*ev = (struct yamux_event){ .what = y->session_events };
	if (ev->what != 0) {
		ev->code = y->away_got_code;
		y->session_events = 0;
		return true;
	}
	if ((st = TAILQ_FIRST(&y->events)) == NULL)
		return false;
	TAILQ_REMOVE(&y->events, st, event);
	ev->stream = st;
	ev->what = st->events;
	st->events = 0;
	return true;
}

int
yamux_ping(struct yamux *y)
{
	if (y->error != 0)
		return y->error;
	if (y->ping_wait)
		return SKY_ERR_AGAIN;
	y->ping++;
	y->ping_send = y->ping_wait = true;
	return 0;
}

void
yamux_goaway(struct yamux *y, uint32_t reason)
{
	if (y->error != 0)
		return;
	y->away_code = reason;
	y->away_send = y->away_sent = true;
}

void
yamux_age(struct yamux *y)
{
	struct yamux_stream *st, *next;

	for (st = TAILQ_FIRST(&y->closed); st != NULL; st = next) {
		next = TAILQ_NEXT(st, wait);
		if (++st->age > 1)
			yamux_kill(st);
	}
}
