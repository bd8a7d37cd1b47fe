/* SPDX-License-Identifier: ISC */
/* yamux: one stream's windows and ends, and many streams beside each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "yamux_util.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Takes data frames of one stream off what is sent; returns their bytes. */
static size_t
data_sent(struct yamux *y, uint32_t id)
{
	struct frame f;
	struct buf out;
	size_t n = 0;

	collect(y, &out);
	while (buf_len(&out) != 0) {
		get_frame(&out, &f);
		assert_int_equal(f.type, DATA);
		assert_int_equal(f.flags, 0);
		assert_int_equal(f.id, id);
		assert_in_range(f.length, 1, YAMUX_FRAME_MAX);
		assert_int_equal(buf_skip(&out, f.length), 0);
		n += f.length;
	}
	buf_free(&out);
	return n;
}

/* What is sent begins with data of the stream; the rest is left in out. */
static void
skip_data(struct buf *out, uint32_t id, uint32_t n)
{
	assert_next(out, DATA, 0, id, n);
	assert_int_equal(buf_skip(out, n), 0);
}

static size_t
write_zeros(struct yamux_stream *st, size_t n)
{
	uint8_t *p = calloc(1, n);
	ssize_t r;

	assert_non_null(p);
	r = yamux_write(st, p, n);
	free(p);
	assert_true(r >= 0);
	return (size_t)r;
}

/* Has the session send as much as the peer's first window takes. */
static void
use_window(struct yamux *y, struct yamux_stream *st)
{
	for (size_t n = 0; n < YAMUX_WINDOW; n += YAMUX_OUT_MAX) {
		assert_int_equal(write_zeros(st, YAMUX_OUT_MAX), YAMUX_OUT_MAX);
		assert_int_equal(data_sent(y, st->id), YAMUX_OUT_MAX);
	}
}

/* --- windows ------------------------------------------------------------ */

/* The peer may use the window up, and not by a byte more. */
static void
test_receive_window(void **state)
{
	(void)state;
	for (uint32_t over = 0; over < 2; over++) {
		struct yamux *y = session(false);
		struct yamux_stream *st = accepted(y, 1);

		assert_int_equal(feed_data(y, 0, 1, 'a', YAMUX_WINDOW - 1), 0);
		assert_int_equal(feed_data(y, 0, 1, 'b', 1 + over),
		    over ? SKY_ERR_LIMIT : 0);
		assert_int_equal(buf_len(yamux_in(st)), YAMUX_WINDOW - over);
		if (!over) {
			assert_silent(y);
			assert_int_equal(feed_data(y, 0, 1, 'c', 0), 0);
			assert_int_equal(feed_data(y, 0, 1, 'c', 1),
			    SKY_ERR_LIMIT);
		}
		yamux_free(y);
	}
}

/* One frame as long as the window is the most there is. */
static void
test_longest_frame(void **state)
{
	struct yamux *y = session(false);
	struct yamux_stream *st = accepted(y, 1);

	(void)state;
	assert_int_equal(feed_data(y, 0, 1, 'a', YAMUX_WINDOW), 0);
	assert_int_equal(buf_len(yamux_in(st)), YAMUX_WINDOW);
	assert_int_equal(yamux_consume(st, YAMUX_WINDOW), 0);
	assert_sends(y, WINDOW, 0, 1, YAMUX_WINDOW);
	assert_int_equal(feed_data(y, 0, 1, 'b', YAMUX_WINDOW), 0);
	assert_int_equal(feed_data(y, 0, 1, 'b', 1), SKY_ERR_LIMIT);
	yamux_free(y);
}

/* Takes at most n bytes; SKY_ERR_EOF or SKY_ERR_AGAIN without any. */
static ssize_t
take_bytes(struct yamux_stream *st, void *p, size_t n)
{
	const struct buf *in = yamux_in(st);

	if (n > buf_len(in))
		n = buf_len(in);
	if (n == 0)
		return yamux_eof(st) ? SKY_ERR_EOF : SKY_ERR_AGAIN;
	memcpy(p, buf_ptr(in), n);
	assert_int_equal(yamux_consume(st, n), 0);
	return (ssize_t)n;
}

/* Window comes back for what was consumed, from half a window on. */
static void
test_credit(void **state)
{
	struct yamux *y = session(false);
	struct yamux_stream *st = accepted(y, 1);
	uint8_t b[10];

	(void)state;
	assert_int_equal(feed_data(y, 0, 1, 'a', YAMUX_WINDOW), 0);
	assert_silent(y);
	assert_int_equal(yamux_consume(st, YAMUX_WINDOW / 2 - 1), 0);
	assert_silent(y);
	assert_int_equal(yamux_consume(st, YAMUX_WINDOW), SKY_ERR_SHORT);
	assert_silent(y);
	assert_int_equal(take_bytes(st, b, 1), 1);
	assert_int_equal(b[0], 'a');
	assert_int_equal(take_bytes(st, b, 10), 10);
	assert_sends(y, WINDOW, 0, 1, YAMUX_WINDOW / 2 + 10);
	assert_silent(y);
	assert_int_equal(feed_data(y, 0, 1, 'b', YAMUX_WINDOW / 2 + 10), 0);
	assert_int_equal(feed_data(y, 0, 1, 'b', 1), SKY_ERR_LIMIT);
	yamux_free(y);
}

/* Little that is left unread does not hold on to a large buffer. */
static void
test_memory(void **state)
{
	struct yamux *y = session(false);
	struct yamux_stream *st = accepted(y, 1);
	size_t left = YAMUX_WINDOW;
	struct buf out;

	(void)state;
	assert_null(st->in.mem);
	assert_int_equal(feed_data(y, 0, 1, 'a', YAMUX_WINDOW - 1), 0);
	assert_int_equal(feed_data(y, 0, 1, 'b', 1), 0);
	while (left > 1) {
		assert_int_equal(yamux_consume(st, left / 3 + 1), 0);
		left -= left / 3 + 1;
		assert_int_equal(buf_len(yamux_in(st)), left);
		assert_true(st->in.cap <= 4096 || st->in.cap <= 4 * left);
	}
	assert_int_equal(*buf_ptr(yamux_in(st)), 'b');
	assert_int_equal(yamux_consume(st, 1), 0);
	assert_null(st->in.mem);
	assert_null(st->out.mem);
	assert_int_equal(write_zeros(st, YAMUX_OUT_MAX), YAMUX_OUT_MAX);
	collect(y, &out);
	buf_free(&out);
	assert_null(st->out.mem);
	yamux_free(y);
}

/* A larger window is told with the first frame, and comes in pieces. */
static void
test_large_window(void **state)
{
	struct yamux_limits limits = yamux_default_limits();
	struct frame f = { .type = DATA, .id = 1, .length = YAMUX_WINDOW_MAX };
	static const uint8_t piece[4096];
	struct yamux_stream *st;
	struct yamux *y;
	struct buf in;

	(void)state;
	limits.window = YAMUX_WINDOW_MAX;
	assert_non_null(y = yamux_new(false, &limits));
	assert_int_equal(yamux_open(y, &st), 0);
	assert_sends(y, WINDOW, SYN, 2, YAMUX_WINDOW_MAX - YAMUX_WINDOW);
	assert_int_equal(feed(y, WINDOW, SYN, 1, 0), 0);
	assert_non_null(st = yamux_accept(y));
	assert_sends(y, WINDOW, ACK, 1, YAMUX_WINDOW_MAX - YAMUX_WINDOW);
	assert_int_equal(feed_payload(y, f, NULL, 0), 0);
	for (size_t n = 0; n < f.length; n += sizeof(piece)) {
		buf_view(&in, piece, sizeof(piece));
		assert_int_equal(yamux_input(y, &in), 0);
		assert_event(y, st, YAMUX_READ);
		assert_int_equal(buf_len(yamux_in(st)), sizeof(piece));
		assert_int_equal(yamux_consume(st, sizeof(piece)), 0);
		if (n == f.length / 2 - sizeof(piece))
			assert_sends(y, WINDOW, 0, 1, f.length / 2);
	}
	assert_sends(y, WINDOW, 0, 1, f.length / 2);
	f.length++;
	assert_int_equal(feed_payload(y, f, NULL, 0), SKY_ERR_LIMIT);
	yamux_free(y);
}

/* We send as much as the window takes, and go on when it grows. */
static void
test_send_window(void **state)
{
	static const uint32_t steps[] = { 1, 2, 16383, 16384, 16385 };
	struct yamux *y = session(false);
	struct yamux_stream *st = accepted(y, 1);
	uint32_t sum = 0;

	(void)state;
	use_window(y, st);
	assert_int_equal(write_zeros(st, YAMUX_OUT_MAX), YAMUX_OUT_MAX);
	assert_silent(y);
	for (size_t i = 0; i < COUNT(steps); i++) {
		assert_int_equal(feed(y, WINDOW, 0, 1, steps[i]), 0);
		assert_int_equal(data_sent(y, 1), steps[i]);
		assert_silent(y);
		sum += steps[i];
	}
	sum = YAMUX_OUT_MAX - sum;
	assert_int_equal(feed(y, WINDOW, 0, 1, sum + 10), 0);
	assert_int_equal(data_sent(y, 1), sum);
	assert_int_equal(write_zeros(st, YAMUX_OUT_MAX), YAMUX_OUT_MAX);
	assert_int_equal(data_sent(y, 1), 10);
	yamux_free(y);
}

/* The window that the peer gives along with its SYN or ACK counts. */
static void
test_window_of_opening(void **state)
{
	struct yamux *y = session(true);
	struct yamux_stream *st;

	(void)state;
	assert_int_equal(yamux_open(y, &st), 0);
	assert_sends(y, WINDOW, SYN, 1, 0);
	use_window(y, st);
	assert_int_equal(write_zeros(st, 100), 100);
	assert_int_equal(feed(y, WINDOW, ACK, 1, 7), 0);
	assert_int_equal(data_sent(y, 1), 7);
	assert_int_equal(feed(y, WINDOW, SYN, 2, 5), 0);
	assert_non_null(st = yamux_accept(y));
	assert_sends(y, WINDOW, ACK, 2, 0);
	use_window(y, st);
	assert_int_equal(write_zeros(st, 100), 100);
	assert_int_equal(data_sent(y, 2), 5);
	yamux_free(y);
}

/* Writing falls short when the queue is full, and is told when to go on. */
static void
test_write_room(void **state)
{
	struct yamux *y = session(false);
	struct yamux_stream *st = accepted(y, 1);

	(void)state;
	assert_int_equal(yamux_room(st), YAMUX_OUT_MAX);
	assert_int_equal(yamux_write(st, "", 0), 0);
	assert_int_equal(write_zeros(st, YAMUX_OUT_MAX - 1), YAMUX_OUT_MAX - 1);
	assert_int_equal(yamux_room(st), 1);
	assert_int_equal(yamux_write(st, "ab", 2), 1);
	assert_int_equal(yamux_room(st), 0);
	assert_int_equal(yamux_write(st, "ab", 2), SKY_ERR_AGAIN);
	assert_no_event(y);
	assert_int_equal(data_sent(y, 1), YAMUX_OUT_MAX);
	assert_event(y, st, YAMUX_WRITE);
	assert_int_equal(yamux_room(st), YAMUX_OUT_MAX);
	for (size_t n = YAMUX_OUT_MAX; n < YAMUX_WINDOW; n += YAMUX_OUT_MAX) {
		assert_int_equal(write_zeros(st, YAMUX_OUT_MAX), YAMUX_OUT_MAX);
		assert_int_equal(data_sent(y, 1), YAMUX_OUT_MAX);
	}
	/* Half of it must be free. */
	assert_int_equal(write_zeros(st, YAMUX_OUT_MAX + 1), YAMUX_OUT_MAX);
	assert_int_equal(feed(y, WINDOW, 0, 1, YAMUX_OUT_MAX / 2 - 1), 0);
	assert_int_equal(data_sent(y, 1), YAMUX_OUT_MAX / 2 - 1);
	assert_no_event(y);
	assert_int_equal(feed(y, WINDOW, 0, 1, 1), 0);
	assert_int_equal(data_sent(y, 1), 1);
	assert_event(y, st, YAMUX_WRITE);
	/* Nobody who was not turned away is told. */
	assert_int_equal(feed(y, WINDOW, 0, 1, YAMUX_WINDOW), 0);
	assert_int_equal(data_sent(y, 1), YAMUX_OUT_MAX / 2);
	assert_no_event(y);
	yamux_free(y);
}

/* --- ends --------------------------------------------------------------- */

/* Ours first: we read on, and the peer's FIN is the end. */
static void
test_half_close_ours(void **state)
{
	struct yamux *y = session(false);
	struct yamux_stream *st = accepted(y, 1);
	struct buf out;
	uint8_t b[4];

	(void)state;
	assert_int_equal(yamux_write(st, "x", 1), 1);
	assert_int_equal(yamux_shutdown(st), 0);
	assert_int_equal(yamux_shutdown(st), SKY_ERR_STATE);
	assert_int_equal(yamux_write(st, "x", 1), SKY_ERR_STATE);
	assert_int_equal(yamux_room(st), 0);
	collect(y, &out);
	skip_data(&out, 1, 1);
	assert_next(&out, WINDOW, FIN, 1, 0);
	assert_int_equal(buf_len(&out), 0);
	buf_free(&out);
	assert_int_equal(feed_data(y, 0, 1, 'a', 2), 0);
	assert_event(y, st, YAMUX_READ);
	assert_int_equal(take_bytes(st, b, 4), 2);
	assert_int_equal(take_bytes(st, b, 4), SKY_ERR_AGAIN);
	assert_false(yamux_eof(st));
	assert_int_equal(feed_data(y, FIN, 1, 'b', 1), 0);
	assert_event(y, st, YAMUX_READ | YAMUX_EOF);
	/* Over, but what came is kept for us. */
	assert_int_equal(feed_data(y, 0, 1, 'c', 9), 0);
	assert_int_equal(feed(y, WINDOW, FIN, 1, 0), 0);
	assert_false(yamux_eof(st));
	assert_int_equal(take_bytes(st, b, 4), 1);
	assert_true(yamux_eof(st));
	assert_int_equal(take_bytes(st, b, 4), SKY_ERR_EOF);
	assert_no_event(y);
	yamux_close(st);
	assert_silent(y);
	assert_int_equal(yamux_count(y), 0);
	yamux_free(y);
}

/* The peer's first: we write on, also past the window. */
static void
test_half_close_theirs(void **state)
{
	struct yamux *y = session(false);
	struct yamux_stream *st = accepted(y, 1);
	struct buf out;

	(void)state;
	assert_int_equal(feed(y, WINDOW, FIN, 1, 0), 0);
	assert_event(y, st, YAMUX_EOF);
	assert_true(yamux_eof(st));
	use_window(y, st);
	assert_int_equal(yamux_write(st, "x", 1), 1);
	yamux_close(st);
	assert_silent(y);
	assert_int_equal(feed(y, WINDOW, 0, 1, 1), 0);
	collect(y, &out);
	skip_data(&out, 1, 1);
	assert_next(&out, WINDOW, FIN, 1, 0);
	buf_free(&out);
	assert_int_equal(yamux_count(y), 0);
	yamux_free(y);
}

static void
test_fin_twice(void **state)
{
	(void)state;
	for (uint8_t type = DATA; type <= WINDOW; type++) {
		struct yamux *y = session(false);

		accepted(y, 1);
		assert_int_equal(feed(y, type, FIN, 1, 0), 0);
		assert_int_equal(feed(y, type, FIN, 1, 0), SKY_ERR_STATE);
		yamux_free(y);
	}
}

/* Go's writer may be overtaken by its own FIN: no error, within the window. */
static void
test_data_after_fin(void **state)
{
	struct yamux *y = session(false);
	struct yamux_stream *st = accepted(y, 1);

	(void)state;
	assert_int_equal(feed_data(y, FIN, 1, 'a', 1), 0);
	assert_event(y, st, YAMUX_READ | YAMUX_EOF);
	assert_int_equal(feed_data(y, 0, 1, 'b', YAMUX_WINDOW - 1), 0);
	assert_no_event(y);
	assert_int_equal(buf_len(yamux_in(st)), 1);
	assert_int_equal(yamux_consume(st, 1), 0);
	assert_silent(y);
	assert_int_equal(feed_data(y, 0, 1, 'b', 1), SKY_ERR_LIMIT);
	yamux_free(y);
}

static void
test_reset_ours(void **state)
{
	struct yamux *y = session(false);
	struct yamux_stream *st = accepted(y, 1);

	(void)state;
	assert_int_equal(feed_data(y, 0, 1, 'a', 2), 0);
	assert_event(y, st, YAMUX_READ);
	assert_int_equal(yamux_write(st, "x", 1), 1);
	assert_int_equal(yamux_shutdown(st), 0);
	yamux_kill(st);
	yamux_kill(st);
	assert_int_equal(buf_len(yamux_in(st)), 0);
	assert_int_equal(yamux_write(st, "x", 1), SKY_ERR_STATE);
	assert_int_equal(yamux_shutdown(st), SKY_ERR_STATE);
	/* What was under way is dropped, before and behind our RST. */
	assert_no_event(y);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(feed_data(y, FIN, 1, 'a', YAMUX_WINDOW), 0);
	assert_int_equal(feed(y, WINDOW, RST, 1, 0), 0);
	assert_int_equal(buf_len(yamux_in(st)), 0);
	assert_no_event(y);
	assert_int_equal(feed(y, WINDOW, SYN, 1, 0), SKY_ERR_EXISTS);
	yamux_free(y);

	y = session(false);
	st = accepted(y, 1);
	yamux_kill(st);
	yamux_close(st);
	assert_int_equal(yamux_count(y), 1);
	assert_int_equal(feed_data(y, 0, 1, 'a', 9), 0);
	assert_sends(y, WINDOW, RST, 1, 0);
	assert_int_equal(yamux_count(y), 0);
	assert_int_equal(feed_data(y, FIN, 1, 'a', 9), 0);
	assert_int_equal(feed(y, WINDOW, RST, 1, 0), 0);
	assert_no_event(y);
	assert_silent(y);
	yamux_free(y);
}

/* In the middle of a frame: the rest of it is dropped. */
static void
test_end_within_frame(void **state)
{
	struct frame f = { .type = DATA, .flags = FIN, .id = 1, .length = 8 };
	struct yamux_stream *st;
	struct buf in;

	(void)state;
	for (int how = 0; how < 3; how++) {
		struct yamux *y = session(false);

		st = accepted(y, 1);
		assert_int_equal(feed_payload(y, f, "abcd", 4), 0);
		assert_event(y, st, YAMUX_READ);
		if (how < 2)
			yamux_kill(st);
		if (how == 0)
			assert_sends(y, WINDOW, RST, 1, 0);
		if (how > 0)
			yamux_close(st);
		buf_view(&in, "efgh\0\2\0\1\0\0\0\0\0\0\0\11", 16);
		assert_int_equal(yamux_input(y, &in), 0);
		assert_no_event(y);
		if (how == 0)
			assert_sends(y, PING, ACK, 0, 9);
		yamux_free(y);
	}
}

static void
test_reset_theirs(void **state)
{
	struct yamux *y = session(false);
	struct yamux_stream *st = accepted(y, 1);

	(void)state;
	assert_int_equal(feed_data(y, 0, 1, 'a', YAMUX_WINDOW), 0);
	assert_int_equal(yamux_write(st, "x", 1), 1);
	assert_int_equal(yamux_consume(st, YAMUX_WINDOW - 1), 0);
	assert_int_equal(feed_data(y, RST, 1, 'b', 0), 0);
	assert_event(y, st, YAMUX_READ | YAMUX_RESET);
	assert_silent(y);
	assert_int_equal(buf_len(yamux_in(st)), 0);
	assert_int_equal(yamux_write(st, "x", 1), SKY_ERR_STATE);
	yamux_kill(st);
	assert_silent(y);
	/* Data behind it is for nobody. */
	assert_int_equal(feed_data(y, 0, 1, 'c', 5), 0);
	assert_no_event(y);
	yamux_close(st);
	assert_int_equal(yamux_count(y), 0);
	/* With content: that is gone too. */
	st = accepted(y, 3);
	assert_int_equal(feed_data(y, RST | FIN, 3, 'b', 70), 0);
	assert_event(y, st, YAMUX_RESET);
	assert_int_equal(buf_len(yamux_in(st)), 0);
	yamux_free(y);
}

/* Bytes of one that was closed wait for window, until it is given up. */
static void
test_unsent(void **state)
{
	struct yamux *y = session(true);
	struct yamux_stream *a = opened(y), *b = opened(y);
	uint32_t id = a->id;

	(void)state;
	assert_int_equal(yamux_unsent(y), 0);
	use_window(y, a);
	assert_int_equal(yamux_unsent(y), 0);
	assert_int_equal(write_zeros(a, 1000), 1000);
	assert_int_equal(write_zeros(b, 1), 1);
	assert_int_equal(yamux_unsent(y), 1001);
	yamux_close(a);
	assert_sends_data(y, b->id, 0, 1);
	assert_int_equal(yamux_unsent(y), 1000);
	assert_int_equal(feed(y, WINDOW, 0, id, 400), 0);
	assert_sends_data(y, id, 0, 400);
	assert_int_equal(yamux_unsent(y), 600);
	yamux_age(y);
	yamux_age(y);
	assert_int_equal(yamux_unsent(y), 0);
	yamux_free(y);
}

/* Closed here: what still comes is dropped, and paid for with window. */
static void
test_close_discards(void **state)
{
	struct yamux *y = session(false);
	struct yamux_stream *st = accepted(y, 1);
	struct buf out;

	(void)state;
	assert_int_equal(feed_data(y, 0, 1, 'a', YAMUX_WINDOW), 0);
	assert_int_equal(yamux_write(st, "x", 1), 1);
	yamux_close(st);
	assert_no_event(y);
	collect(y, &out);
	assert_next(&out, WINDOW, 0, 1, YAMUX_WINDOW);
	skip_data(&out, 1, 1);
	assert_next(&out, WINDOW, FIN, 1, 0);
	assert_int_equal(buf_len(&out), 0);
	buf_free(&out);
	assert_int_equal(feed_data(y, 0, 1, 'a', YAMUX_WINDOW), 0);
	assert_sends(y, WINDOW, 0, 1, YAMUX_WINDOW);
	assert_int_equal(yamux_count(y), 1);
	assert_int_equal(feed_data(y, FIN, 1, 'a', YAMUX_WINDOW), 0);
	assert_silent(y);
	assert_no_event(y);
	assert_int_equal(yamux_count(y), 0);
	yamux_free(y);
}

/* A peer that never closes its side, or never reads, is waited for so long. */
static void
test_age(void **state)
{
	struct yamux *y = session(false);
	struct yamux_stream *a = accepted(y, 1), *b = accepted(y, 3);

	(void)state;
	yamux_age(y);
	yamux_age(y);
	yamux_age(y);
	assert_silent(y); /* those in use do not age */
	use_window(y, b);
	assert_int_equal(yamux_write(b, "ab", 2), 2);
	yamux_close(a);
	yamux_close(b);
	assert_sends(y, WINDOW, FIN, 1, 0);
	yamux_age(y);
	assert_silent(y);
	assert_int_equal(feed(y, WINDOW, 0, 3, 1), 0);
	assert_int_equal(data_sent(y, 3), 1);
	yamux_age(y);
	assert_sends(y, WINDOW, RST, 1, 0);
	assert_int_equal(yamux_count(y), 1);
	yamux_age(y);
	assert_sends(y, WINDOW, RST, 3, 0);
	assert_int_equal(yamux_count(y), 0);
	yamux_age(y);
	yamux_free(y);
}

/* What moves is not old: data that goes, or window that comes. */
static void
test_age_moves(void **state)
{
	struct yamux *y = session(false);
	struct yamux_stream *a = accepted(y, 1), *b = accepted(y, 3);
	struct buf out;

	(void)state;
	assert_int_equal(yamux_write(a, "a", 1), 1);
	yamux_close(a);
	yamux_age(y);
	collect(y, &out);
	skip_data(&out, 1, 1);
	assert_next(&out, WINDOW, FIN, 1, 0);
	buf_free(&out);
	yamux_close(b);
	yamux_age(y);
	assert_sends(y, WINDOW, FIN, 3, 0);
	assert_int_equal(feed(y, WINDOW, 0, 1, 5), 0);
	assert_int_equal(feed(y, DATA, 0, 3, 0), 0);
	yamux_age(y);
	assert_sends(y, WINDOW, RST, 3, 0);
	yamux_age(y);
	assert_sends(y, WINDOW, RST, 1, 0);
	yamux_free(y);
}

/* Window is no use to who sends no more, nor to a stream that is over. */
static void
test_no_late_credit(void **state)
{
	struct yamux *y = session(false);
	struct yamux_stream *st = accepted(y, 1);

	(void)state;
	assert_int_equal(feed_data(y, FIN, 1, 'a', YAMUX_WINDOW), 0);
	assert_int_equal(yamux_consume(st, YAMUX_WINDOW), 0);
	assert_silent(y);
	st = accepted(y, 3);
	assert_int_equal(yamux_shutdown(st), 0);
	assert_sends(y, WINDOW, FIN, 3, 0);
	assert_int_equal(feed_data(y, 0, 3, 'a', YAMUX_WINDOW), 0);
	assert_int_equal(yamux_consume(st, YAMUX_WINDOW), 0);
	assert_true(yamux_pending(y));
	assert_int_equal(feed(y, WINDOW, FIN, 3, 0), 0);
	assert_silent(y);
	yamux_free(y);
}

static void
test_arg(void **state)
{
	struct yamux *y = session(false);
	struct yamux_stream *st = accepted(y, 1);

	(void)state;
	assert_null(yamux_arg(st));
	yamux_set_arg(st, &y);
	assert_ptr_equal(yamux_arg(st), &y);
	yamux_free(y);
}

/* --- many streams ------------------------------------------------------- */

/* Streams take turns of a frame each; one without window is passed over. */
static void
test_turns(void **state)
{
	struct yamux *y = session(false);
	struct yamux_stream *st[4];
	struct buf out;

	(void)state;
	for (uint32_t i = 0; i < 4; i++)
		st[i] = accepted(y, 2 * i + 1);
	use_window(y, st[1]);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(write_zeros(st[i], 3 * YAMUX_FRAME_MAX),
		    3 * YAMUX_FRAME_MAX);
	assert_int_equal(feed(y, PING, SYN, 0, 5), 0);
	collect(y, &out);
	assert_next(&out, PING, ACK, 0, 5);
	for (size_t i = 0; i < 3; i++) {
		skip_data(&out, 1, YAMUX_FRAME_MAX);
		skip_data(&out, 5, YAMUX_FRAME_MAX);
		skip_data(&out, 7, YAMUX_FRAME_MAX);
	}
	assert_int_equal(buf_len(&out), 0);
	buf_free(&out);
	yamux_free(y);
}

/* Little room makes frames small, and goes on where it stopped. */
static void
test_little_room(void **state)
{
	struct yamux *y = session(false);
	struct yamux_stream *st = accepted(y, 1);
	struct buf out;
	size_t sum = 0;

	(void)state;
	assert_int_equal(feed(y, PING, SYN, 0, 6), 0);
	assert_int_equal(feed(y, PING, SYN, 0, 7), 0);
	yamux_goaway(y, 0);
	assert_int_equal(write_zeros(st, 100), 100);
	assert_int_equal(yamux_shutdown(st), 0);
	buf_init(&out, YAMUX_HEAD_LEN - 1);
	assert_int_equal(yamux_output(y, &out), 0);
	assert_int_equal(buf_len(&out), 0);
	buf_init(&out, YAMUX_HEAD_LEN + 7);
	for (uint32_t i = 6; i <= 7; i++) {
		assert_int_equal(yamux_output(y, &out), 0);
		assert_next(&out, PING, ACK, 0, i);
		assert_int_equal(buf_len(&out), 0);
	}
	assert_int_equal(yamux_output(y, &out), 0);
	assert_next(&out, GOAWAY, 0, 0, 0);
	while (sum < 98) {
		assert_int_equal(yamux_output(y, &out), 0);
		skip_data(&out, 1, 7);
		assert_int_equal(buf_len(&out), 0);
		sum += 7;
	}
	assert_int_equal(yamux_output(y, &out), 0);
	skip_data(&out, 1, 2);
	assert_true(yamux_pending(y));
	assert_int_equal(buf_len(&out), 0);
	assert_int_equal(yamux_output(y, &out), 0);
	assert_next(&out, WINDOW, FIN, 1, 0);
	assert_false(yamux_pending(y));
	buf_free(&out);
	yamux_free(y);
}

/* Carries what both have to say, in portions of n bytes, until all is said. */
static void
carry(struct yamux *a, struct yamux *b, size_t n)
{
	struct buf wire;

	buf_init(&wire, n);
	while (yamux_pending(a) || yamux_pending(b)) {
		assert_int_equal(yamux_output(a, &wire), 0);
		assert_int_equal(yamux_input(b, &wire), 0);
		assert_int_equal(yamux_output(b, &wire), 0);
		assert_int_equal(yamux_input(a, &wire), 0);
	}
	buf_free(&wire);
}

/* Who does not read stalls nobody but its writer. */
static void
test_slow_reader(void **state)
{
	struct yamux *c = session(true), *s = session(false);
	struct yamux_stream *slow, *fast, *in_slow, *in_fast;
	size_t sum = 0;

	(void)state;
	assert_int_equal(yamux_open(c, &slow), 0);
	assert_int_equal(yamux_open(c, &fast), 0);
	carry(c, s, 1000);
	assert_non_null(in_slow = yamux_accept(s));
	assert_non_null(in_fast = yamux_accept(s));
	while (sum < 4 * 1024 * 1024) {
		if (yamux_room(slow) != 0)
			write_zeros(slow, yamux_room(slow));
		if (yamux_room(fast) != 0)
			write_zeros(fast, yamux_room(fast));
		carry(c, s, 65536);
		assert_int_not_equal(buf_len(yamux_in(in_fast)), 0);
		sum += buf_len(yamux_in(in_fast));
		assert_int_equal(
		    yamux_consume(in_fast, buf_len(yamux_in(in_fast))), 0);
		carry(c, s, 65536);
	}
	assert_int_equal(buf_len(yamux_in(in_slow)), YAMUX_WINDOW);
	assert_int_equal(yamux_room(slow), 0);
	yamux_free(c);
	yamux_free(s);
}

#define MANY 5000

/* The stream's id and how often: what a stream of test_many carries. */
static size_t
pattern(uint32_t id, uint8_t *p)
{
	size_t n = 1 + id % 97;

	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(id * 31 + i);
	return n;
}

/* Sends back what came; returns how many streams were new. */
static size_t
serve(struct yamux *s)
{
	struct yamux_stream *st;
	struct yamux_event ev;
	size_t n = 0;

	while ((st = yamux_accept(s)) != NULL)
		n++;
	while (yamux_event(s, &ev)) {
		st = ev.stream;
		size_t len = buf_len(yamux_in(st));

		if (len != 0) {
			assert_int_equal(
			    yamux_write(st, buf_ptr(yamux_in(st)), len), len);
			assert_int_equal(yamux_consume(st, len), 0);
		}
		if (yamux_eof(st))
			yamux_close(st);
	}
	return n;
}

static void
check_echo(struct yamux_stream *st)
{
	uint8_t want[128], got[128];
	size_t n = pattern(st->id, want);

	assert_true(st->id % 2 == 1);
	assert_int_equal(take_bytes(st, got, sizeof(got)), n);
	assert_memory_equal(got, want, n);
	assert_true(yamux_eof(st));
	yamux_close(st);
}

/* Five thousand at once, then five thousand more; in the end none is left. */
static void
test_many(void **state)
{
	struct yamux_limits limits = yamux_default_limits();
	struct yamux *c, *s;
	struct yamux_stream *st;
	struct yamux_event ev;
	uint8_t p[128];
	size_t ended;

	(void)state;
	limits.streams = limits.backlog = limits.inflight = MANY;
	limits.seed = 12345;
	assert_non_null(c = yamux_new(true, &limits));
	assert_non_null(s = yamux_new(false, &limits));
	for (size_t round = 0; round < 2; round++) {
		for (size_t i = 0; i < MANY; i++) {
			assert_int_equal(yamux_open(c, &st), 0);
			assert_true(yamux_write(st, p, pattern(st->id, p)) > 0);
			assert_int_equal(yamux_shutdown(st), 0);
		}
		assert_int_equal(yamux_open(c, &st), SKY_ERR_LIMIT);
		carry(c, s, 65536);
		assert_int_equal(yamux_count(s), MANY);
		assert_true(s->nbucket >= MANY / 2);
		assert_int_equal(serve(s), MANY);
		carry(c, s, 4096);
		ended = 0;
		while (yamux_event(c, &ev)) {
			assert_true(ev.what & YAMUX_EOF);
			check_echo(ev.stream);
			ended++;
		}
		assert_int_equal(ended, MANY);
		assert_int_equal(yamux_count(c), 0);
		assert_int_equal(yamux_count(s), 0);
	}
	yamux_free(c);
	yamux_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_receive_window),
		cmocka_unit_test(test_longest_frame),
		cmocka_unit_test(test_credit),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_large_window),
		cmocka_unit_test(test_send_window),
		cmocka_unit_test(test_window_of_opening),
		cmocka_unit_test(test_write_room),
		cmocka_unit_test(test_half_close_ours),
		cmocka_unit_test(test_half_close_theirs),
		cmocka_unit_test(test_fin_twice),
		cmocka_unit_test(test_data_after_fin),
		cmocka_unit_test(test_reset_ours),
		cmocka_unit_test(test_end_within_frame),
		cmocka_unit_test(test_reset_theirs),
		cmocka_unit_test(test_unsent),
		cmocka_unit_test(test_close_discards),
		cmocka_unit_test(test_age),
		cmocka_unit_test(test_age_moves),
		cmocka_unit_test(test_no_late_credit),
		cmocka_unit_test(test_arg),
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_little_room),
		cmocka_unit_test(test_slow_reader),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests_name("yamux_stream", tests, NULL, NULL);
}
