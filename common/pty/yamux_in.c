/* SPDX-License-Identifier: ISC */
/*
 * yamux: what arrives.  A header is
 *	u8 version 0, u8 type, u16 flags, u32 stream id, u32 length
 * and DATA has length bytes behind it.  PROTOCOL.dmsg 3.1.
 */
#include "common/base/err.h"
#include "common/pty/yamux.h"
#include "common/pty/yamux_int.h"

struct head {
	uint8_t version, type;
	uint16_t flags;
	uint32_t id, length;
};

/* SYN: a new stream, or a refusal. */
static int
yamux_incoming(struct yamux *y, uint32_t id)
{
	struct yamux_stream *st;

	if (id == 0 || (id % 2 == 1) == y->client)
		return SKY_ERR_RANGE;
	if (yamux_find(y, id) != NULL)
		return SKY_ERR_EXISTS;
	if (y->away_sent || y->nbacklog >= y->max.backlog ||
	    y->count >= y->max.streams ||
	    (st = yamux_stream_new(y, id)) == NULL)
		return yamux_ring_put(&y->refused, id) ? 0 : SKY_ERR_LIMIT;
	st->waits = true;
	TAILQ_INSERT_TAIL(&y->backlog, st, wait);
	y->nbacklog++;
	return 0;
}

/* May free the stream. */
static void
got_fin(struct yamux_stream *st)
{
	st->fin_got = true;
	yamux_raise(st, YAMUX_EOF);
	if (st->fin_sent)
		yamux_unlist(st);
}

/*
 * The flags that come before the frame's content; FIN comes behind it and is
 * only checked.  1 when the stream takes the content.
 */
static int
flags_first(struct yamux_stream *st, unsigned int flags)
{
	if ((flags & FLAG_ACK) && st->inflight) {
		st->inflight = false;
		st->y->ninflight--;
		yamux_raise(st, YAMUX_OPENED);
	}
	if (flags & FLAG_RST) {
		yamux_silence(st);
		st->reset = true;
		yamux_raise(st, YAMUX_RESET);
		yamux_unlist(st);
		return 0;
	}
	return (flags & FLAG_FIN) && st->fin_got ? SKY_ERR_STATE : 1;
}

static int
window_frame(struct yamux_stream *st, const struct head *h)
{
	int r;

	if (st == NULL || (r = flags_first(st, h->flags)) == 0)
		return 0;
	if (r < 0)
		return r;
	if (h->length > UINT32_MAX - st->send_window)
		return SKY_ERR_RANGE;
	st->send_window += h->length;
	st->age = 0;
	yamux_kick(st);
	if (h->flags & FLAG_FIN)
		got_fin(st);
	return 0;
}

static int
data_frame(struct yamux *y, struct yamux_stream *st, const struct head *h)
{
	int r;

	y->left = h->length;
	y->cur = NULL;
	if (st == NULL)
		return 0;
	if (h->length > st->recv_window)
		return SKY_ERR_LIMIT;
	if ((r = flags_first(st, h->flags)) <= 0)
		return r;
	st->recv_window -= h->length;
	y->cur = st;
	y->cur_fin = (h->flags & FLAG_FIN) != 0;
	return 0;
}

static int
stream_frame(struct yamux *y, const struct head *h)
{
	struct yamux_stream *st;
	int r;

	/* Nobody was ever given more than this. */
	if (h->type == TYPE_DATA && h->length > y->max.window)
		return SKY_ERR_LIMIT;
	if ((h->flags & FLAG_SYN) && (r = yamux_incoming(y, h->id)) != 0)
		return r;
	st = yamux_find(y, h->id);
	/* One that was reset here, or is not known there yet. */
	if (st != NULL && (st->reset || (st->control & FLAG_SYN)))
		st = NULL;
	if (h->type == TYPE_DATA)
		return data_frame(y, st, h);
	return window_frame(st, h);
}

static int
ping_frame(struct yamux *y, const struct head *h)
{
	/* Answers without end are owed to nobody: those beyond are left out. */
	if (h->flags & FLAG_SYN)
		yamux_ring_put(&y->pings, h->length);
	else if (y->ping_wait && !y->ping_send && h->length == y->ping) {
		y->ping_wait = false;
		y->session_events |= YAMUX_PONG;
	}
	return 0;
}

static int
goaway_frame(struct yamux *y, const struct head *h)
{
	y->away_got = true;
	y->away_got_code = h->length;
	y->session_events |= YAMUX_GOAWAY;
	return h->length == YAMUX_NORMAL ? 0 : SKY_ERR_EOF;
}

static int
yamux_take_head(struct yamux *y, struct buf *in)
{
	size_t n = sizeof(y->head) - y->nhead;
	struct head h = { 0 };
	struct buf b;

	if (n > buf_len(in))
		n = buf_len(in);
	buf_get(in, y->head + y->nhead, n);
	y->nhead += n;
	if (y->nhead < sizeof(y->head))
		return 0;
	y->nhead = 0;
	buf_view(&b, y->head, sizeof(y->head));
	buf_get_u8(&b, &h.version);
	buf_get_u8(&b, &h.type);
	buf_get_u16(&b, &h.flags);
	buf_get_u32(&b, &h.id);
	buf_get_u32(&b, &h.length);
	if (h.version != 0)
		return SKY_ERR_FORMAT;
	switch (h.type) {
	case TYPE_DATA:
	case TYPE_WINDOW:
		return stream_frame(y, &h);
	case TYPE_PING:
		return ping_frame(y, &h);
	case TYPE_GOAWAY:
		return goaway_frame(y, &h);
	}
	return SKY_ERR_TYPE;
}

static bool
goes_before(const struct yamux_stream *a, const struct yamux_stream *b)
{
	if (a->kept != b->kept)
		return !a->kept;
	return buf_len(&a->in) > buf_len(&b->in);
}

/*
 * Too much lies here unread: the stream that holds most goes.  To refuse what
 * comes next instead would make others pay for it.
 */
bool
yamux_shed(struct yamux *y)
{
	struct yamux_stream *st, *worst = NULL;

	for (st = TAILQ_FIRST(&y->all); st != NULL; st = TAILQ_NEXT(st, all))
		if (buf_len(&st->in) != 0 &&
		    (worst == NULL || goes_before(st, worst)))
			worst = st;
	if (worst == NULL)
		return false;
	yamux_raise(worst, YAMUX_RESET);
	yamux_kill(worst);
	return true;
}

static void
yamux_deliver(struct yamux *y, struct yamux_stream *st, const void *p, size_t n)
{
	if (!st->held && !st->waits) {
		yamux_credit(st, n);
		return;
	}
	/* Go's writer may be overtaken by its own FIN. */
	if (st->fin_got)
		return;
	if (buf_put(&st->in, p, n) != 0) {
		yamux_raise(st, YAMUX_RESET);
		yamux_kill(st);
		return;
	}
	y->buffered += n;
	yamux_raise(st, YAMUX_READ);
	while (y->buffered > y->max.buffered)
		(void)yamux_shed(y);
}

int
yamux_input(struct yamux *y, struct buf *in)
{
	struct yamux_stream *st;
	struct buf part;
	size_t n;
	int r;

	while (y->error == 0 && buf_len(in) != 0) {
		if (y->left != 0) {
			n = buf_len(in) < y->left ? buf_len(in) : y->left;
			buf_get_view(in, n, &part);
			y->left -= (uint32_t)n;
			if (y->cur != NULL)
				yamux_deliver(y, y->cur, buf_ptr(&part), n);
		} else if ((r = yamux_take_head(y, in)) != 0) {
			/* Who went away wants no answer. */
			if (r != SKY_ERR_EOF)
				yamux_goaway(y, YAMUX_PROTOCOL_ERROR);
			y->error = r;
		}
		if (y->left == 0 && (st = y->cur) != NULL) {
			y->cur = NULL;
			if (y->cur_fin)
				got_fin(st);
		}
	}
	return y->error;
}
