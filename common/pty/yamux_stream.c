/* SPDX-License-Identifier: ISC */
/* yamux: what can be done with one stream. */
#include <string.h>

#include "common/base/err.h"
#include "common/pty/yamux.h"
#include "common/pty/yamux_int.h"

/* Buffers up to this size stay until they are empty. */
#define SHRINK_MIN 4096

/* --- for the other files of this layer ---------------------------------- */

void
yamux_raise(struct yamux_stream *st, unsigned int what)
{
	if (!st->held)
		return;
	if (st->events == 0)
		TAILQ_INSERT_TAIL(&st->y->events, st, event);
	st->events |= what;
}

void
yamux_want(struct yamux_stream *st, unsigned int flags)
{
	if (st->control == 0)
		TAILQ_INSERT_TAIL(&st->y->control, st, ctl);
	st->control |= flags;
}

void
yamux_credit(struct yamux_stream *st, size_t n)
{
	if (!st->listed || st->reset || st->fin_got)
		return;
	st->credit += (uint32_t)n;
	if (st->credit >= st->y->max.window / 2)
		yamux_want(st, CONTROL_CREDIT);
}

void
yamux_kick(struct yamux_stream *st)
{
	if (st->sending || st->send_window == 0 || buf_len(&st->out) == 0)
		return;
	TAILQ_INSERT_TAIL(&st->y->sending, st, send);
	st->sending = true;
}

void
yamux_silence(struct yamux_stream *st)
{
	struct yamux *y = st->y;

	if (y->cur == st)
		y->cur = NULL;
	if (st->control != 0)
		TAILQ_REMOVE(&y->control, st, ctl);
	if (st->sending)
		TAILQ_REMOVE(&y->sending, st, send);
	st->control = 0;
	st->sending = st->want_write = false;
	y->buffered -= buf_len(&st->in);
	buf_free(&st->in);
	buf_free(&st->out);
}

void
yamux_kill(struct yamux_stream *st)
{
	struct yamux *y = st->y;
	/* The peer has not heard of it. */
	bool unborn = (st->control & FLAG_SYN) != 0;

	if (st->reset)
		return;
	yamux_silence(st);
	st->reset = true;
	if (st->waits) {
		TAILQ_REMOVE(&y->backlog, st, wait);
		y->nbacklog--;
		st->waits = false;
		TAILQ_INSERT_TAIL(&y->closed, st, wait);
	}
	if (!st->listed)
		return;
	if (unborn)
		yamux_unlist(st);
	else
		yamux_want(st, FLAG_RST);
}

/* --- for everybody ------------------------------------------------------ */

void
yamux_set_arg(struct yamux_stream *st, void *arg)
{
	st->arg = arg;
}

void *
yamux_arg(const struct yamux_stream *st)
{
	return st->arg;
}

const struct buf *
yamux_in(const struct yamux_stream *st)
{
	return &st->in;
}

/*
 * Memory follows what is unread, or a peer could leave the beginning of a
 * message in each of its streams, all in the largest of buffers.
 */
static void
yamux_shrink(struct buf *b)
{
	struct buf small;

	if (buf_len(b) == 0) {
		buf_free(b);
		return;
	}
	if (b->cap <= SHRINK_MIN || buf_len(b) >= b->cap / 4)
		return;
	buf_init(&small, b->max);
	if (buf_put(&small, buf_ptr(b), buf_len(b)) != 0)
		return;
	buf_free(b);
	*b = small;
}

int
yamux_consume(struct yamux_stream *st, size_t n)
{
	int r;

	if ((r = buf_skip(&st->in, n)) != 0)
		return r;
	st->y->buffered -= n;
	yamux_shrink(&st->in);
	yamux_credit(st, n);
	return 0;
}

bool
yamux_eof(const struct yamux_stream *st)
{
	return st->fin_got && buf_len(&st->in) == 0;
}

bool
yamux_is_whole(const struct yamux_stream *st)
{
	return st->fin_got;
}

void
yamux_keep(struct yamux_stream *st)
{
	st->kept = true;
}

size_t
yamux_room(const struct yamux_stream *st)
{
	if (st->y->error != 0 || st->reset || st->fin_want)
		return 0;
	return buf_room(&st->out);
}

size_t
yamux_queued(const struct yamux_stream *st)
{
	return buf_len(&st->out);
}

ssize_t
yamux_write(struct yamux_stream *st, const void *p, size_t n)
{
	size_t room = buf_room(&st->out);
	int r;

	if (st->y->error != 0)
		return st->y->error;
	if (st->reset || st->fin_want)
		return SKY_ERR_STATE;
	if (n == 0)
		return 0;
	if (n > room) {
		st->want_write = true;
		n = room;
		if (n == 0)
			return SKY_ERR_AGAIN;
	}
	if ((r = buf_put(&st->out, p, n)) != 0)
		return r;
	yamux_kick(st);
	return (ssize_t)n;
}

int
yamux_shutdown(struct yamux_stream *st)
{
	if (st->y->error != 0)
		return st->y->error;
	if (st->reset || st->fin_want)
		return SKY_ERR_STATE;
	st->fin_want = true;
	st->want_write = false;
	if (buf_len(&st->out) == 0)
		yamux_want(st, FLAG_FIN);
	return 0;
}

void
yamux_close(struct yamux_stream *st)
{
	struct yamux *y = st->y;
	size_t n = buf_len(&st->in);

	if (st->events != 0)
		TAILQ_REMOVE(&y->events, st, event);
	st->events = 0;
	st->held = false;
	TAILQ_INSERT_TAIL(&y->closed, st, wait);
	if (!st->listed) {
		yamux_release(st);
		return;
	}
	/*
	 * The peer may be in the middle of writing and look for our last
	 * bytes only behind that: it gets window for what nobody will read.
	 */
	yamux_consume(st, n);
	yamux_shutdown(st);
}
