/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes yamux: one session against any bytes in pieces, or two against each
 * other, driven by a script, where no byte may be lost or changed.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/pty/yamux.h"
#include "common/pty/yamux_int.h"

#define ROOM	(64U * 1024)
#define STREAMS 12
#define IDS	256
#define SIDES	2

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* One end: its session, and the streams that it holds. */
struct end {
	struct yamux *y;
	struct yamux_stream *st[STREAMS];
	struct buf wire;  /* what it has sent */
	size_t sent[IDS]; /* bytes written, by stream id */
	size_t got[IDS];  /* bytes read */
	bool client, away;
};

static void
require(bool ok)
{
	if (!ok)
		abort();
}

static void
end_init(struct end *e, bool client)
{
	struct yamux_limits limits = yamux_default_limits();

	memset(e, 0, sizeof(*e));
	limits.streams = STREAMS;
	limits.backlog = 4;
	limits.inflight = 4;
	limits.buffered = YAMUX_WINDOW / 2;
	e->client = client;
	require((e->y = yamux_new(client, &limits)) != NULL);
	buf_init(&e->wire, ROOM);
}

static void
end_free(struct end *e)
{
	yamux_free(e->y);
	buf_free(&e->wire);
}

static uint8_t
pattern(bool client, uint32_t id, size_t at)
{
	return (uint8_t)(at * 31 + at / 256 + id * 7 + client);
}

/* What the session knows of itself must agree. */
static void
check_session(const struct yamux *y)
{
	size_t n = 0, listed = 0, buffered = 0, backlog = 0, inflight = 0;
	size_t kept = 0;
	const struct yamux_stream *st;

	for (st = TAILQ_FIRST(&y->all); st != NULL; st = TAILQ_NEXT(st, all)) {
		n++;
		listed += st->listed;
		buffered += buf_len(&st->in);
		kept += st->kept ? buf_len(&st->in) : 0;
		backlog += st->waits;
		inflight += st->inflight;
		require(!st->listed || yamux_find(y, st->id) == st);
		require(st->listed || st->held);
		require(st->recv_window + st->credit + buf_len(&st->in) <=
		    y->max.window);
		require(buf_len(&st->in) == 0 || !st->reset);
		require(st->sending ==
		    (!st->reset && st->send_window != 0 &&
			buf_len(&st->out) != 0));
	}
	require(n == y->count && n <= y->max.streams);
	require(listed == y->nlisted && backlog == y->nbacklog);
	require(backlog <= y->max.backlog && inflight <= y->max.inflight);
	require(inflight == y->ninflight);
	require(buffered == y->buffered && buffered <= y->max.buffered);
	require(kept + yamux_loose(y) == buffered);
}

static struct yamux_stream **
slot(struct end *e, const struct yamux_stream *st)
{
	size_t i = 0;

	while (i < STREAMS && e->st[i] != st)
		i++;
	require(i < STREAMS);
	return &e->st[i];
}

/* Takes at most n bytes; SKY_ERR_EOF or another without any. */
static ssize_t
take_bytes(struct yamux_stream *st, void *p, size_t n)
{
	const struct buf *in = yamux_in(st);

	if (st->reset)
		return SKY_ERR_STATE;
	if (n > buf_len(in))
		n = buf_len(in);
	if (n == 0)
		return yamux_eof(st) ? SKY_ERR_EOF : SKY_ERR_AGAIN;
	memcpy(p, buf_ptr(in), n);
	require(yamux_consume(st, n) == 0);
	return (ssize_t)n;
}

/* Reads at most n bytes; against a peer of ours they must be its own. */
static void
do_read(struct end *e, const struct end *peer, struct yamux_stream *st,
    size_t n)
{
	uint32_t id = st->id;
	uint8_t b[4096];
	ssize_t r;

	r = take_bytes(st, b, n < sizeof(b) ? n : sizeof(b));
	if (peer == NULL)
		return;
	for (ssize_t i = 0; i < r; i++)
		require(b[i] == pattern(peer->client, id, e->got[id % IDS]++));
	require(e->got[id % IDS] <= peer->sent[id % IDS]);
	if (r == SKY_ERR_EOF)
		require(e->got[id % IDS] == peer->sent[id % IDS]);
}

static void
do_write(struct end *e, struct yamux_stream *st, size_t n)
{
	uint32_t id = st->id;
	uint8_t b[4096];
	ssize_t r;

	if (n > sizeof(b))
		n = sizeof(b);
	for (size_t i = 0; i < n; i++)
		b[i] = pattern(e->client, id, e->sent[id % IDS] + i);
	if ((r = yamux_write(st, b, n)) > 0)
		e->sent[id % IDS] += (size_t)r;
}

static void
do_open(struct end *e)
{
	struct yamux_stream *st;

	if (e->y->next_id < IDS && yamux_open(e->y, &st) == 0)
		*slot(e, NULL) = st;
}

static void
do_accept(struct end *e)
{
	struct yamux_stream *st = yamux_accept(e->y);

	if (st != NULL)
		*slot(e, NULL) = st;
}

static void
do_close(struct end *e, struct yamux_stream *st)
{
	*slot(e, st) = NULL;
	yamux_close(st);
}

/* One action: what it is and how much, on which stream. */
static void
act(struct end *e, const struct end *peer, uint8_t what, uint8_t much)
{
	struct yamux_stream *st = e->st[(what >> 4) % STREAMS];
	struct yamux_event ev;
	size_t n = (size_t)much * much;

	switch (what % 16) {
	case 0:
		do_open(e);
		break;
	case 1:
		do_accept(e);
		break;
	case 2:
		if (yamux_event(e->y, &ev) && ev.stream != NULL)
			do_read(e, peer, *slot(e, ev.stream), n);
		break;
	case 3:
		if (much % 2 != 0 && st != NULL)
			yamux_keep(st);
		else
			(void)yamux_ping(e->y);
		break;
	case 4:
		if (much > 250)
			yamux_goaway(e->y, 0);
		else
			yamux_age(e->y);
		break;
	default:
		if (st == NULL)
			break;
		if (what % 16 < 9)
			do_write(e, st, n);
		else if (what % 16 < 13)
			do_read(e, peer, st, n);
		else if (what % 16 == 13)
			(void)yamux_shutdown(st);
		else if (what % 16 == 14)
			do_close(e, st);
		else if (much > 128)
			yamux_kill(st);
	}
}

/* Frames that leave the session are whole and well formed. */
static void
check_output(struct buf *wire)
{
	uint32_t id, length;
	uint16_t flags;
	uint8_t b;

	while (buf_len(wire) != 0) {
		require(buf_get_u8(wire, &b) == 0 && b == 0);
		require(buf_get_u8(wire, &b) == 0 && b <= TYPE_GOAWAY);
		require(buf_get_u16(wire, &flags) == 0 && flags < 16);
		require(buf_get_u32(wire, &id) == 0);
		require(buf_get_u32(wire, &length) == 0);
		require((id == 0) == (b == TYPE_PING || b == TYPE_GOAWAY) ||
		    (flags == FLAG_RST));
		if (b == TYPE_DATA) {
			require(flags == 0 && length != 0);
			require(buf_skip(wire, length) == 0);
		}
	}
}

/* Any bytes, in pieces; the session is used a little between them. */
static void
alone(const uint8_t *p, size_t n, bool client, size_t piece)
{
	struct buf all, in;
	struct end e;
	int error = 0;

	end_init(&e, client);
	buf_view(&all, p, n);
	for (uint8_t i = 0; buf_len(&all) != 0; i++) {
		if (piece > buf_len(&all))
			piece = buf_len(&all);
		require(buf_get_view(&all, piece, &in) == 0);
		if (error == 0)
			error = yamux_input(e.y, &in);
		else
			require(yamux_input(e.y, &in) == error);
		require(error != 0 || buf_len(&in) == 0);
		check_session(e.y);
		act(&e, NULL, i * 7, (uint8_t)(p[0] + i));
		act(&e, NULL, 1, 0);
		check_session(e.y);
		if (i % 4 == 0)
			require(yamux_output(e.y, &e.wire) == 0);
		check_output(&e.wire);
	}
	end_free(&e);
}

/* Moves at most n bytes of what one has sent to the other. */
static void
carry(struct end *from, struct end *to, size_t n)
{
	struct buf in;

	require(yamux_output(from->y, &from->wire) == 0);
	if (n > buf_len(&from->wire))
		n = buf_len(&from->wire);
	require(buf_get_view(&from->wire, n, &in) == 0);
	require(yamux_input(to->y, &in) == 0);
	require(buf_len(&in) == 0);
}

/* Two sessions; each pair of bytes is one action of either. */
static void
pair(const uint8_t *p, size_t n)
{
	struct end e[SIDES];

	end_init(&e[0], true);
	end_init(&e[1], false);
	for (size_t i = 0; i + 3 <= n; i += 3) {
		struct end *a = &e[p[i] % 2], *b = &e[1 - p[i] % 2];

		if (p[i] % 4 < 2)
			act(a, b, p[i + 1], p[i + 2]);
		else
			carry(a, b, p[i + 1] * (size_t)256 + p[i + 2]);
		check_session(a->y);
		check_session(b->y);
	}
	while (yamux_pending(e[0].y) || yamux_pending(e[1].y) ||
	    buf_len(&e[0].wire) != 0 || buf_len(&e[1].wire) != 0) {
		carry(&e[0], &e[1], ROOM);
		carry(&e[1], &e[0], ROOM);
	}
	check_session(e[0].y);
	check_session(e[1].y);
	end_free(&e[0]);
	end_free(&e[1]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (n < 3)
		return 0;
	if (p[0] % 4 < 2)
		alone(p + 2, n - 2, p[0] % 2 == 0, (size_t)p[1] * 8 + 1);
	else
		pair(p + 2, n - 2);
	return 0;
}
