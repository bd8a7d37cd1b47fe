/* SPDX-License-Identifier: ISC */
/* yamux: the session against frames made by hand, then against itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "yamux_util.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* --- opening ------------------------------------------------------------ */

/* Frames of a recorded dmsg session (dmsg-session.txt), payload shortened. */
static void
test_recorded(void **state)
{
	static const uint8_t syn[] = { 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0 };
	static const uint8_t ack[] = { 0, 1, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0 };
	static const uint8_t data[] = { 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 5, 'h',
		'e', 'l', 'l', 'o' };
	static const uint8_t fin[] = { 0, 1, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0 };
	struct yamux *c = session(true), *s = session(false);
	struct yamux_stream *a, *b;
	struct buf out, in;

	(void)state;
	assert_int_equal(yamux_open(c, &a), 0);
	assert_int_equal(yamux_write(a, "hello", 5), 5);
	assert_int_equal(yamux_shutdown(a), 0);
	collect(c, &out);
	assert_int_equal(buf_len(&out), sizeof(syn) + sizeof(data) + 12);
	assert_memory_equal(buf_ptr(&out), syn, sizeof(syn));
	assert_memory_equal(buf_ptr(&out) + 12, data, sizeof(data));
	assert_memory_equal(buf_ptr(&out) + 29, fin, sizeof(fin));
	assert_int_equal(yamux_input(s, &out), 0);
	buf_free(&out);
	assert_non_null(b = yamux_accept(s));
	assert_event(s, b, YAMUX_READ | YAMUX_EOF);
	collect(s, &out);
	assert_int_equal(buf_len(&out), sizeof(ack));
	assert_memory_equal(buf_ptr(&out), ack, sizeof(ack));
	buf_free(&out);
	buf_view(&in, ack, sizeof(ack));
	assert_int_equal(yamux_input(c, &in), 0);
	assert_event(c, a, YAMUX_OPENED);
	yamux_free(c);
	yamux_free(s);
}

/* Client ids are odd, server ids even; both count up. */
static void
test_ids(void **state)
{
	struct yamux_stream *st;

	(void)state;
	for (uint32_t first = 1; first <= 2; first++) {
		struct yamux *y = session(first == 1);

		for (uint32_t i = 0; i < 5; i++) {
			assert_int_equal(yamux_open(y, &st), 0);
			assert_int_equal(st->id, first + 2 * i);
			assert_sends(y, WINDOW, SYN, first + 2 * i, 0);
		}
		assert_int_equal(yamux_count(y), 5);
		yamux_free(y);
	}
}

static void
test_ids_end(void **state)
{
	static const uint32_t last[] = { UINT32_MAX - 3, UINT32_MAX - 2 };
	struct yamux_stream *st;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct yamux *y = session(last[i] % 2 == 1);

		y->next_id = last[i];
		assert_int_equal(yamux_open(y, &st), 0);
		assert_int_equal(st->id, last[i]);
		assert_int_equal(yamux_open(y, &st), SKY_ERR_LIMIT);
		assert_int_equal(yamux_open(y, &st), SKY_ERR_LIMIT);
		yamux_free(y);
	}
}

struct opening {
	uint8_t type;
	uint16_t flags;
	uint32_t length;
};

/* SYN comes on either frame, with or without content or FIN. */
static void
test_open_forms(void **state)
{
	static const struct opening forms[] = { { WINDOW, SYN, 0 },
		{ WINDOW, SYN, 1000 }, { DATA, SYN, 0 }, { DATA, SYN, 3 },
		{ DATA, SYN | FIN, 3 }, { WINDOW, SYN | FIN, 0 },
		{ DATA, SYN | FIN, 0 }, { WINDOW, SYN | ACK, 0 } };
	struct yamux_stream *st;
	unsigned int what;

	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++) {
		const struct opening *f = &forms[i];
		struct yamux *y = session(false);

		assert_int_equal(feed_payload(y,
				     (struct frame){ .type = f->type,
					 .flags = f->flags,
					 .id = 7,
					 .length = f->length },
				     "abc", f->type == DATA ? f->length : 0),
		    0);
		assert_no_event(y);
		assert_silent(y);
		assert_non_null(st = yamux_accept(y));
		assert_null(yamux_accept(y));
		assert_sends(y, WINDOW, ACK, 7, 0);
		what = (f->type == DATA && f->length != 0 ? YAMUX_READ : 0) |
		    (f->flags & FIN ? YAMUX_EOF : 0);
		if (what != 0)
			assert_event(y, st, what);
		else
			assert_no_event(y);
		yamux_free(y);
	}
}

/* Opened and given up before it is accepted: nobody hears of it. */
static void
test_open_reset(void **state)
{
	struct yamux *y = session(false);
	struct yamux_stream *st;

	(void)state;
	assert_int_equal(feed(y, WINDOW, SYN | RST, 1, 0), 0);
	assert_int_equal(feed_data(y, SYN | RST, 3, 'x', 10), 0);
	assert_int_equal(feed_data(y, SYN, 5, 'x', 10), 0);
	assert_int_equal(feed(y, WINDOW, RST, 5, 0), 0);
	assert_null(yamux_accept(y));
	assert_no_event(y);
	assert_silent(y);
	assert_int_equal(yamux_count(y), 0);
	/* The other way round: nothing of it was sent. */
	assert_int_equal(yamux_open(y, &st), 0);
	assert_int_equal(yamux_write(st, "x", 1), 1);
	yamux_kill(st);
	assert_silent(y);
	yamux_close(st);
	assert_silent(y);
	assert_int_equal(yamux_count(y), 0);
	assert_int_equal(yamux_open(y, &st), 0);
	yamux_close(st);
	assert_sends(y, WINDOW, SYN | FIN, 4, 0);
	yamux_free(y);
}

/* What violates the protocol ends the session, and says so to the peer. */
struct violation {
	bool client;
	struct frame f;
	int want;
};

static void
test_violations(void **state)
{
	static const struct violation cases[] = {
		{ true, { 1, WINDOW, 0, 0, 0 }, SKY_ERR_FORMAT },
		{ true, { 255, PING, SYN, 0, 0 }, SKY_ERR_FORMAT },
		{ true, { 0, 4, 0, 0, 0 }, SKY_ERR_TYPE },
		{ true, { 0, 255, 0, 0, 0 }, SKY_ERR_TYPE },
		{ true, { 0, WINDOW, SYN, 1, 0 }, SKY_ERR_RANGE },
		{ true, { 0, WINDOW, SYN, UINT32_MAX, 0 }, SKY_ERR_RANGE },
		{ true, { 0, WINDOW, SYN, 0, 0 }, SKY_ERR_RANGE },
		{ false, { 0, WINDOW, SYN, 0, 0 }, SKY_ERR_RANGE },
		{ false, { 0, WINDOW, SYN, 2, 0 }, SKY_ERR_RANGE },
		{ false, { 0, DATA, SYN, 2, 1 }, SKY_ERR_RANGE },
		{ false, { 0, DATA, 0, 9, YAMUX_WINDOW + 1 }, SKY_ERR_LIMIT },
		{ false, { 0, DATA, SYN, 9, UINT32_MAX }, SKY_ERR_LIMIT },
		/* On stream 3 or 4, which is there. */
		{ false, { 0, WINDOW, SYN, 3, 0 }, SKY_ERR_EXISTS },
		{ true, { 0, DATA, SYN, 4, 0 }, SKY_ERR_EXISTS },
		{ false, { 0, WINDOW, 0, 3, UINT32_MAX - 262143 },
		    SKY_ERR_RANGE },
		{ false, { 0, DATA, FIN, 3, YAMUX_WINDOW + 1 }, SKY_ERR_LIMIT },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct violation *v = &cases[i];
		struct yamux *y = session(v->client);
		struct yamux_stream *st = accepted(y, v->client ? 4 : 3);
		struct buf out;

		if (feed_payload(y, v->f, NULL, 0) != v->want)
			fail_msg("case %zu", i);
		assert_int_equal(feed(y, PING, SYN, 0, 1), v->want);
		assert_int_equal(yamux_write(st, "x", 1), v->want);
		assert_int_equal(yamux_shutdown(st), v->want);
		assert_int_equal(yamux_open(y, &st), v->want);
		assert_int_equal(yamux_ping(y), v->want);
		assert_null(yamux_accept(y));
		assert_true(yamux_pending(y));
		collect(y, &out);
		assert_next(&out, GOAWAY, 0, 0, YAMUX_PROTOCOL_ERROR);
		assert_int_equal(buf_len(&out), 0);
		buf_free(&out);
		assert_silent(y);
		yamux_free(y);
	}
}

/* A window may reach 2^32 - 1, flags nobody knows mean nothing. */
static void
test_not_violations(void **state)
{
	struct yamux *y = session(false);
	struct yamux_stream *st = accepted(y, 3);

	(void)state;
	assert_int_equal(feed(y, WINDOW, 0, 3, UINT32_MAX - 262144), 0);
	assert_int_equal(feed(y, WINDOW, 0xfff0, 3, 0), 0);
	assert_int_equal(feed(y, WINDOW, ACK, 3, 0), 0); /* nothing to ack */
	assert_int_equal(feed(y, DATA, 0, 3, 0), 0);
	assert_int_equal(feed(y, PING, 0, 0, 77), 0); /* never asked */
	assert_no_event(y);
	assert_silent(y);
	assert_int_equal(yamux_write(st, "x", 1), 1);
	yamux_free(y);
}

/* Frames for streams that are not there are read over. */
static void
test_unknown_streams(void **state)
{
	struct yamux *y = session(false);
	struct yamux_stream *st;

	(void)state;
	assert_int_equal(feed_data(y, 0, 9, 'x', YAMUX_WINDOW), 0);
	assert_int_equal(feed_data(y, FIN, 9, 'x', 1), 0);
	assert_int_equal(feed_data(y, RST | ACK, 2, 'x', 1), 0);
	assert_int_equal(feed(y, WINDOW, FIN, 9, 5), 0);
	assert_int_equal(feed(y, WINDOW, RST, 9, 5), 0);
	assert_int_equal(feed(y, WINDOW, ACK, 0, 5), 0);
	/* An id of ours before the peer can know it. */
	assert_int_equal(yamux_open(y, &st), 0);
	assert_int_equal(feed_data(y, ACK, 2, 'x', 9), 0);
	assert_no_event(y);
	assert_sends(y, WINDOW, SYN, 2, 0);
	assert_int_equal(feed_data(y, ACK, 2, 'x', 9), 0);
	assert_event(y, st, YAMUX_OPENED | YAMUX_READ);
	assert_silent(y);
	yamux_free(y);
}

/* --- limits ------------------------------------------------------------- */

static struct yamux *
limited(bool client, struct yamux_limits limits)
{
	struct yamux *y = yamux_new(client, &limits);

	assert_non_null(y);
	return y;
}

/* One more than the backlog is refused; accepting makes room. */
static void
test_backlog(void **state)
{
	struct yamux *y = session(true);
	struct yamux_stream *st;
	uint32_t n = yamux_default_limits().backlog;

	(void)state;
	assert_int_equal(n, 512);
	for (uint32_t i = 1; i <= n; i++)
		assert_int_equal(feed(y, WINDOW, SYN, 2 * i, 0), 0);
	assert_silent(y);
	assert_int_equal(feed_data(y, SYN | FIN, 2 * n + 2, 'x', 9), 0);
	assert_sends(y, WINDOW, RST, 2 * n + 2, 0);
	assert_int_equal(feed_data(y, 0, 2 * n + 2, 'x', 9), 0);
	assert_int_equal(feed(y, WINDOW, RST, 4, 0), 0);
	assert_int_equal(feed(y, WINDOW, SYN, 2 * n + 4, 0), 0);
	assert_silent(y);
	assert_int_equal(feed(y, WINDOW, SYN, 2 * n + 6, 0), 0);
	assert_sends(y, WINDOW, RST, 2 * n + 6, 0);
	assert_non_null(st = yamux_accept(y));
	assert_int_equal(st->id, 2);
	assert_sends(y, WINDOW, ACK, 2, 0);
	assert_int_equal(feed(y, WINDOW, SYN, 2 * n + 8, 0), 0);
	assert_silent(y);
	assert_non_null(st = yamux_accept(y));
	assert_int_equal(st->id, 6);
	yamux_free(y);
}

/* Refusals that are not taken away end the session. */
static void
test_refusals(void **state)
{
	struct yamux_limits limits = yamux_default_limits();
	struct yamux *y;
	struct buf out;

	(void)state;
	limits.backlog = 0;
	y = limited(false, limits);
	for (uint32_t i = 0; i < YAMUX_ANSWERS; i++)
		assert_int_equal(feed(y, WINDOW, SYN, 2 * i + 1, 0), 0);
	collect(y, &out);
	for (uint32_t i = 0; i < YAMUX_ANSWERS; i++)
		assert_next(&out, WINDOW, RST, 2 * i + 1, 0);
	assert_int_equal(buf_len(&out), 0);
	buf_free(&out);
	for (uint32_t i = 0; i < YAMUX_ANSWERS; i++)
		assert_int_equal(feed(y, WINDOW, SYN, 2 * i + 1, 0), 0);
	assert_int_equal(feed(y, WINDOW, SYN, 99, 0), SKY_ERR_LIMIT);
	yamux_free(y);
}

static void
test_streams_limit(void **state)
{
	struct yamux_limits limits = yamux_default_limits();
	struct yamux_stream *a, *b, *c;
	struct yamux *y;

	(void)state;
	limits.streams = 2;
	y = limited(false, limits);
	a = accepted(y, 1);
	b = opened(y);
	assert_int_equal(yamux_open(y, &c), SKY_ERR_LIMIT);
	assert_int_equal(feed(y, WINDOW, SYN, 3, 0), 0);
	assert_sends(y, WINDOW, RST, 3, 0);
	/* One that was closed counts until the peer has done so too. */
	yamux_close(b);
	assert_sends(y, WINDOW, FIN, 2, 0);
	assert_int_equal(yamux_open(y, &c), SKY_ERR_LIMIT);
	assert_int_equal(yamux_count(y), 2);
	assert_int_equal(feed(y, WINDOW, FIN, 2, 0), 0);
	assert_int_equal(yamux_count(y), 1);
	assert_int_equal(yamux_open(y, &c), 0);
	/* One that is over counts until it is closed. */
	assert_int_equal(feed(y, WINDOW, RST, 1, 0), 0);
	assert_int_equal(yamux_open(y, &b), SKY_ERR_LIMIT);
	yamux_close(a);
	assert_int_equal(yamux_open(y, &b), 0);
	yamux_free(y);
}

/* So many may be unacknowledged; ACK, RST and FIN settle one. */
static void
test_inflight(void **state)
{
	struct yamux *y = session(true);
	struct yamux_stream *st[257], *more;
	struct yamux_event ev;
	struct buf out;

	(void)state;
	for (size_t i = 0; i < 256; i++)
		assert_int_equal(yamux_open(y, &st[i]), 0);
	assert_int_equal(yamux_open(y, &more), SKY_ERR_AGAIN);
	collect(y, &out);
	buf_free(&out);
	assert_int_equal(yamux_open(y, &more), SKY_ERR_AGAIN);
	assert_int_equal(feed(y, WINDOW, ACK, 1, 0), 0);
	assert_event(y, st[0], YAMUX_OPENED);
	assert_int_equal(yamux_open(y, &st[256]), 0);
	assert_int_equal(yamux_open(y, &more), SKY_ERR_AGAIN);
	assert_int_equal(feed(y, WINDOW, ACK, 1, 0), 0); /* again */
	assert_int_equal(yamux_open(y, &more), SKY_ERR_AGAIN);
	assert_int_equal(feed(y, WINDOW, RST, 3, 0), 0);
	assert_event(y, st[1], YAMUX_RESET);
	assert_int_equal(yamux_open(y, &more), 0);
	yamux_kill(more); /* before its SYN went */
	assert_int_equal(yamux_open(y, &more), 0);
	assert_int_equal(yamux_open(y, &more), SKY_ERR_AGAIN);
	yamux_close(st[2]);
	collect(y, &out);
	buf_free(&out);
	assert_int_equal(feed(y, DATA, FIN, 5, 0), 0);
	assert_false(yamux_event(y, &ev));
	assert_int_equal(yamux_open(y, &more), 0);
	yamux_free(y);
}

static void
test_windows_allowed(void **state)
{
	struct yamux_limits limits = yamux_default_limits();

	(void)state;
	limits.window = YAMUX_WINDOW - 1;
	assert_null(yamux_new(true, &limits));
	limits.window = YAMUX_WINDOW_MAX + 1;
	assert_null(yamux_new(true, &limits));
	limits.window = YAMUX_WINDOW_MAX;
	yamux_free(limited(true, limits));
	yamux_free(NULL);
}

/* Of which no more than 1000 bytes may lie unread. */
static struct yamux *
three_streams(struct yamux_stream **a, struct yamux_stream **b,
    struct yamux_stream **c)
{
	struct yamux_limits limits = yamux_default_limits();
	struct yamux *y;

	limits.buffered = 1000;
	y = limited(false, limits);
	*a = accepted(y, 1);
	*b = accepted(y, 3);
	*c = accepted(y, 5);
	return y;
}

/* Of all that lies unread, who holds most goes. */
static void
test_buffered(void **state)
{
	struct yamux_stream *a, *b, *c;
	struct yamux *y = three_streams(&a, &b, &c);

	(void)state;
	assert_int_equal(feed_data(y, 0, 1, 'a', 100), 0);
	assert_int_equal(feed_data(y, 0, 3, 'b', 800), 0);
	assert_int_equal(feed_data(y, 0, 5, 'c', 100), 0);
	assert_silent(y);
	assert_int_equal(feed_data(y, 0, 5, 'c', 1), 0);
	assert_sends(y, WINDOW, RST, 3, 0);
	assert_int_equal(buf_len(yamux_in(a)), 100);
	assert_int_equal(buf_len(yamux_in(b)), 0);
	assert_int_equal(buf_len(yamux_in(c)), 101);
	assert_int_equal(yamux_write(b, "x", 1), SKY_ERR_STATE);
	/* One that was not even accepted. */
	assert_int_equal(feed_data(y, SYN, 7, 'd', 799), 0);
	assert_silent(y);
	assert_int_equal(feed_data(y, 0, 7, 'd', 1), 0);
	assert_sends(y, WINDOW, RST, 7, 0);
	assert_null(yamux_accept(y));
	assert_int_equal(yamux_count(y), 3);
	yamux_close(b);
	assert_int_equal(yamux_count(y), 2);
	/* What is consumed does not count. */
	assert_int_equal(yamux_consume(a, 100), 0);
	assert_int_equal(yamux_consume(c, 101), 0);
	assert_int_equal(feed_data(y, 0, 1, 'a', 1000), 0);
	assert_silent(y);
	/* In the middle of a frame. */
	assert_int_equal(feed_data(y, 0, 5, 'c', 5000), 0);
	assert_sends(y, WINDOW, RST, 5, 0);
	assert_int_equal(buf_len(yamux_in(a)), 1000);
	yamux_free(y);
}

/* What is kept goes last, however much it holds. */
static void
test_keep(void **state)
{
	struct yamux_stream *a, *b, *c;
	struct yamux *y = three_streams(&a, &b, &c);

	(void)state;
	yamux_keep(a);
	yamux_keep(b);
	assert_int_equal(feed_data(y, 0, 1, 'a', 600), 0);
	assert_int_equal(feed_data(y, 0, 3, 'b', 300), 0);
	assert_int_equal(feed_data(y, 0, 5, 'c', 60), 0);
	assert_int_equal(feed_data(y, SYN, 7, 'd', 40), 0);
	assert_int_equal(yamux_loose(y), 100);
	assert_silent(y);
	assert_int_equal(feed_data(y, 0, 1, 'a', 41), 0);
	assert_sends(y, WINDOW, RST, 5, 0);
	assert_int_equal(buf_len(yamux_in(a)), 641);
	assert_int_equal(buf_len(yamux_in(c)), 0);
	assert_int_equal(feed_data(y, 0, 3, 'b', 20), 0);
	assert_sends(y, WINDOW, RST, 7, 0);
	assert_int_equal(yamux_loose(y), 0);
	/* There are no others. */
	assert_int_equal(feed_data(y, 0, 3, 'b', 40), 0);
	assert_sends(y, WINDOW, RST, 1, 0);
	assert_int_equal(yamux_buffered(y), 360);
	assert_true(yamux_shed(y));
	assert_false(yamux_shed(y));
	yamux_free(y);
}

/* --- pings and going away ----------------------------------------------- */

static void
test_ping_answer(void **state)
{
	struct yamux *y = session(false);
	struct buf out;

	(void)state;
	assert_int_equal(feed(y, PING, SYN, 0, 0xdeadbeef), 0);
	assert_sends(y, PING, ACK, 0, 0xdeadbeef);
	/* More than anybody needs are left out, the session goes on. */
	for (uint32_t i = 0; i < YAMUX_ANSWERS + 5; i++)
		assert_int_equal(feed(y, PING, SYN, 0, i), 0);
	collect(y, &out);
	for (uint32_t i = 0; i < YAMUX_ANSWERS; i++)
		assert_next(&out, PING, ACK, 0, i);
	assert_int_equal(buf_len(&out), 0);
	buf_free(&out);
	assert_int_equal(feed(y, PING, SYN, 0, 5), 0);
	assert_sends(y, PING, ACK, 0, 5);
	assert_no_event(y);
	yamux_free(y);
}

static void
test_ping(void **state)
{
	struct yamux *y = session(true);

	(void)state;
	assert_false(y->ping_wait);
	for (uint32_t i = 1; i < 4; i++) {
		assert_int_equal(yamux_ping(y), 0);
		assert_int_equal(feed(y, PING, ACK, 0, i), 0); /* too early */
		assert_true(y->ping_wait);
		assert_sends(y, PING, SYN, 0, i);
		assert_int_equal(yamux_ping(y), SKY_ERR_AGAIN);
		assert_silent(y);
		assert_int_equal(feed(y, PING, ACK, 0, i + 1), 0);
		assert_no_event(y);
		assert_true(y->ping_wait);
		assert_int_equal(feed(y, PING, ACK, 0, i), 0);
		assert_false(y->ping_wait);
		assert_event(y, NULL, YAMUX_PONG);
		assert_int_equal(feed(y, PING, ACK, 0, i), 0);
		assert_no_event(y);
	}
	yamux_free(y);
}

/* The peer takes no more; what is open goes on both ways. */
static void
test_goaway_got(void **state)
{
	struct yamux *y = session(true);
	struct yamux_stream *st = opened(y), *more;
	struct yamux_event ev;

	(void)state;
	assert_int_equal(feed(y, GOAWAY, 0, 0, YAMUX_NORMAL), 0);
	assert_true(yamux_event(y, &ev));
	assert_null(ev.stream);
	assert_int_equal(ev.what, YAMUX_GOAWAY);
	assert_int_equal(ev.code, YAMUX_NORMAL);
	assert_int_equal(yamux_open(y, &more), SKY_ERR_DENIED);
	assert_int_equal(yamux_write(st, "x", 1), 1);
	assert_sends_data(y, 1, 'x', 1);
	assert_int_equal(feed_data(y, 0, 1, 'x', 1), 0);
	assert_event(y, st, YAMUX_READ);
	accepted(y, 2);
	yamux_free(y);
}

static void
test_goaway_error(void **state)
{
	static const uint32_t codes[] = { YAMUX_PROTOCOL_ERROR,
		YAMUX_INTERNAL_ERROR, 3, UINT32_MAX };
	struct yamux_event ev;

	(void)state;
	for (size_t i = 0; i < COUNT(codes); i++) {
		struct yamux *y = session(true);

		assert_int_equal(yamux_ping(y), 0);
		assert_int_equal(feed(y, GOAWAY, 0, 0, codes[i]), SKY_ERR_EOF);
		assert_true(yamux_event(y, &ev));
		assert_int_equal(ev.what, YAMUX_GOAWAY);
		assert_int_equal(ev.code, codes[i]);
		assert_silent(y);
		assert_int_equal(feed(y, PING, SYN, 0, 1), SKY_ERR_EOF);
		yamux_free(y);
	}
}

static void
test_goaway_sent(void **state)
{
	static const uint32_t codes[] = { YAMUX_NORMAL, YAMUX_PROTOCOL_ERROR,
		YAMUX_INTERNAL_ERROR };
	struct yamux_stream *st;

	(void)state;
	for (size_t i = 0; i < COUNT(codes); i++) {
		struct yamux *y = session(true);

		st = accepted(y, 2);
		yamux_goaway(y, codes[i]);
		assert_sends(y, GOAWAY, 0, 0, codes[i]);
		assert_int_equal(feed_data(y, SYN, 4, 'x', 5), 0);
		assert_null(yamux_accept(y));
		assert_sends(y, WINDOW, RST, 4, 0);
		assert_int_equal(feed_data(y, 0, 2, 'x', 1), 0);
		assert_event(y, st, YAMUX_READ);
		assert_int_equal(yamux_open(y, &st), 0);
		yamux_free(y);
	}
}

/* --- pieces ------------------------------------------------------------- */

/* A session's worth of frames. */
static void
put_script(struct buf *b)
{
	static const struct frame frames[] = { { 0, WINDOW, SYN, 1, 0 },
		{ 0, DATA, 0, 1, 6 }, { 0, PING, SYN, 0, 7 },
		{ 0, DATA, SYN | FIN, 3, 2 }, { 0, DATA, 0, 99, 3 },
		{ 0, WINDOW, FIN, 1, 0 }, { 0, GOAWAY, 0, 0, 0 } };

	buf_init(b, ROOM);
	for (size_t i = 0; i < COUNT(frames); i++) {
		put_frame(b, &frames[i]);
		if (frames[i].type == DATA)
			assert_int_equal(buf_put(b, "abcdef", frames[i].length),
			    0);
	}
}

/* Feeds so many bytes of it at a time, and looks at the outcome. */
static void
check_script(struct yamux *y, size_t first, size_t piece)
{
	struct yamux_stream *a, *b;
	struct buf script, in, out;
	size_t n = first;

	put_script(&script);
	while (buf_len(&script) != 0) {
		if (n > buf_len(&script))
			n = buf_len(&script);
		assert_int_equal(buf_get_view(&script, n, &in), 0);
		assert_int_equal(yamux_input(y, &in), 0);
		assert_int_equal(buf_len(&in), 0);
		n = piece;
	}
	buf_free(&script);
	assert_non_null(a = yamux_accept(y));
	assert_non_null(b = yamux_accept(y));
	assert_int_equal(a->id, 1);
	assert_int_equal(b->id, 3);
	assert_int_equal(buf_len(yamux_in(a)), 6);
	assert_memory_equal(buf_ptr(yamux_in(a)), "abcdef", 6);
	assert_int_equal(buf_len(yamux_in(b)), 2);
	assert_memory_equal(buf_ptr(yamux_in(b)), "ab", 2);
	collect(y, &out);
	assert_next(&out, PING, ACK, 0, 7);
	assert_next(&out, WINDOW, ACK, 1, 0);
	assert_next(&out, WINDOW, ACK, 3, 0);
	assert_int_equal(buf_len(&out), 0);
	buf_free(&out);
	assert_int_equal(yamux_open(y, &a), SKY_ERR_DENIED);
}

static void
test_pieces(void **state)
{
	struct buf b;
	size_t n;

	(void)state;
	put_script(&b);
	n = buf_len(&b);
	buf_free(&b);
	for (size_t i = 1; i <= n; i++) {
		struct yamux *y = session(false);

		check_script(y, i, i);
		yamux_free(y);
		y = session(false);
		check_script(y, i, n);
		yamux_free(y);
	}
}

/* Cut off anywhere it is neither an error nor more than what was there. */
static void
test_truncated(void **state)
{
	struct buf script, in;
	struct yamux_stream *st;

	(void)state;
	put_script(&script);
	for (size_t n = 0; n < buf_len(&script); n++) {
		struct yamux *y = session(false);

		buf_view(&in, buf_ptr(&script), n);
		assert_int_equal(yamux_input(y, &in), 0);
		st = yamux_accept(y);
		assert_int_equal(st != NULL, n >= 12);
		if (st != NULL) {
			assert_int_equal(buf_len(yamux_in(st)),
			    n < 24     ? 0 :
				n < 30 ? n - 24 :
					 6);
			st = yamux_accept(y);
			assert_int_equal(st != NULL, n >= 54);
		}
		/* The FIN holds behind the data only. */
		if (st != NULL)
			assert_int_equal(
			    yamux_consume(st, buf_len(yamux_in(st))), 0);
		if (st != NULL)
			assert_int_equal(yamux_eof(st), n >= 56);
		yamux_free(y);
	}
	buf_free(&script);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_ids_end),
		cmocka_unit_test(test_open_forms),
		cmocka_unit_test(test_open_reset),
		cmocka_unit_test(test_violations),
		cmocka_unit_test(test_not_violations),
		cmocka_unit_test(test_unknown_streams),
		cmocka_unit_test(test_backlog),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_streams_limit),
		cmocka_unit_test(test_inflight),
		cmocka_unit_test(test_windows_allowed),
		cmocka_unit_test(test_buffered),
		cmocka_unit_test(test_keep),
		cmocka_unit_test(test_ping_answer),
		cmocka_unit_test(test_ping),
		cmocka_unit_test(test_goaway_got),
		cmocka_unit_test(test_goaway_error),
		cmocka_unit_test(test_goaway_sent),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_truncated),
	};

	return cmocka_run_group_tests_name("yamux", tests, NULL, NULL);
}
