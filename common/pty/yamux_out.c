/* SPDX-License-Identifier: ISC */
/* yamux: what is sent.  PROTOCOL.dmsg 3. */
#include <string.h>

#include "common/base/err.h"
#include "common/pty/yamux.h"
#include "common/pty/yamux_int.h"

/* A frame is not cut down to less than this if the next call sends more. */
#define PIECE_MIN 512

static void
write_u32(uint8_t *p, uint32_t v)
{
	for (size_t i = 4; i-- > 0; v >>= 8)
		p[i] = (uint8_t)v;
}

/* A header and room for n bytes behind it, to which p points then. */
static int
yamux_put_head(struct buf *out, uint8_t type, unsigned int flags, uint32_t id,
    uint32_t length, size_t n, uint8_t **p)
{
	uint8_t *h;
	int r;

	if ((r = buf_extend(out, YAMUX_HEAD_LEN + n, &h)) != 0)
		return r;
	h[0] = 0;
	h[1] = type;
	h[2] = 0;
	h[3] = (uint8_t)flags;
	write_u32(h + 4, id);
	write_u32(h + 8, length);
	*p = h + YAMUX_HEAD_LEN;
	return 0;
}

static int
yamux_put_frame(struct buf *out, uint8_t type, unsigned int flags, uint32_t id,
    uint32_t length)
{
	uint8_t *p;

	return yamux_put_head(out, type, flags, id, length, 0, &p);
}

/* The rings' numbers are looked at first: no room must not lose one. */
static int
put_answers(struct yamux *y, struct buf *out)
{
	struct yamux_ring *q = &y->pings;
	uint32_t v;
	int r = 0;

	while (q->n != 0 && r == 0)
		if ((r = yamux_put_frame(out, TYPE_PING, FLAG_ACK, 0,
			 q->v[q->first])) == 0)
			yamux_ring_get(q, &v);
	q = &y->refused;
	while (q->n != 0 && r == 0)
		if ((r = yamux_put_frame(out, TYPE_WINDOW, FLAG_RST,
			 q->v[q->first], 0)) == 0)
			yamux_ring_get(q, &v);
	return r;
}

static int
put_goaway(struct yamux *y, struct buf *out)
{
	int r;

	if (!y->away_send)
		return 0;
	if ((r = yamux_put_frame(out, TYPE_GOAWAY, 0, 0, y->away_code)) == 0)
		y->away_send = false;
	return r;
}

static int
put_ping(struct yamux *y, struct buf *out)
{
	int r;

	if (!y->ping_send)
		return 0;
	if ((r = yamux_put_frame(out, TYPE_PING, FLAG_SYN, 0, y->ping)) == 0)
		y->ping_send = false;
	return r;
}

/* All that a stream has to tell beside data goes into one window update. */
static int
put_control(struct yamux_stream *st, struct buf *out)
{
	unsigned int flags = st->control;
	int r;

	if (flags & FLAG_RST)
		return yamux_put_frame(out, TYPE_WINDOW, FLAG_RST, st->id, 0);
	if ((r = yamux_put_frame(out, TYPE_WINDOW, flags, st->id,
		 st->credit)) != 0)
		return r;
	st->recv_window += st->credit;
	st->credit = 0;
	return 0;
}

static int
put_controls(struct yamux *y, struct buf *out)
{
	struct yamux_stream *st;
	unsigned int flags;
	int r;

	while ((st = TAILQ_FIRST(&y->control)) != NULL) {
		if ((r = put_control(st, out)) != 0)
			return r;
		flags = st->control;
		TAILQ_REMOVE(&y->control, st, ctl);
		st->control = 0;
		if (flags & FLAG_FIN)
			st->fin_sent = true;
		if ((flags & FLAG_RST) || (st->fin_sent && st->fin_got))
			yamux_unlist(st);
	}
	return 0;
}

/* What has to be looked at when data of a stream has gone. */
static void
data_gone(struct yamux_stream *st)
{
	if (buf_len(&st->out) == 0) {
		buf_free(&st->out);
		/*
		 * Not on the data frame: Go would take the FIN first, and a
		 * reader of its could see the end in front of the data.
		 */
		if (st->fin_want)
			yamux_want(st, FLAG_FIN);
	}
	if (st->want_write && buf_len(&st->out) <= YAMUX_OUT_MAX / 2) {
		st->want_write = false;
		yamux_raise(st, YAMUX_WRITE);
	}
}

/* One frame of the stream whose turn it is; it queues up again behind. */
static int
put_data(struct yamux *y, struct buf *out)
{
	struct yamux_stream *st = TAILQ_FIRST(&y->sending);
	size_t n = buf_len(&st->out), room = buf_room(out);
	uint8_t *p;
	int r;

	if (n > st->send_window)
		n = st->send_window;
	if (n > YAMUX_FRAME_MAX)
		n = YAMUX_FRAME_MAX;
	if (room <= YAMUX_HEAD_LEN)
		return SKY_ERR_LIMIT;
	room -= YAMUX_HEAD_LEN;
	if (n > room && room < PIECE_MIN && buf_len(out) != 0)
		return SKY_ERR_LIMIT;
	if (n > room)
		n = room;
	if ((r = yamux_put_head(out, TYPE_DATA, 0, st->id, (uint32_t)n, n,
		 &p)) != 0)
		return r;
	memcpy(p, buf_ptr(&st->out), n);
	buf_skip(&st->out, n);
	st->send_window -= (uint32_t)n;
	st->age = 0;
	TAILQ_REMOVE(&y->sending, st, send);
	st->sending = false;
	yamux_kick(st);
	data_gone(st);
	return 0;
}

/* SKY_ERR_LIMIT when out has no room left. */
static int
yamux_put_all(struct yamux *y, struct buf *out)
{
	int r;

	if (y->error != 0)
		return put_goaway(y, out);
	if ((r = put_answers(y, out)) != 0 || (r = put_goaway(y, out)) != 0 ||
	    (r = put_ping(y, out)) != 0)
		return r;
	/* A stream's SYN goes in front of its data, its FIN behind. */
	while ((r = put_controls(y, out)) == 0 && !TAILQ_EMPTY(&y->sending))
		if ((r = put_data(y, out)) != 0)
			return r;
	return r;
}

int
yamux_output(struct yamux *y, struct buf *out)
{
	int r = yamux_put_all(y, out);

	return r == SKY_ERR_LIMIT ? 0 : r;
}

bool
yamux_pending(const struct yamux *y)
{
	if (y->away_send || y->error != 0)
		return y->away_send;
	return y->pings.n != 0 || y->refused.n != 0 || y->ping_send ||
	    !TAILQ_EMPTY(&y->control) || !TAILQ_EMPTY(&y->sending);
}
