/* SPDX-License-Identifier: ISC */
/* exec_stream: frames, our own request, signals by name. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/err.h"
#include "common/pty/exec_stream.h"
#include "gobvec.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ROOM	 (4U * XS_FRAME_MAX)

static void
put(struct buf *b, const void *p, size_t n)
{
	assert_int_equal(buf_put(b, p, n), 0);
}

static void
assert_bytes(const struct buf *b, const void *want, size_t n)
{
	assert_int_equal(buf_len(b), n);
	assert_memory_equal(buf_ptr(b), want, n);
}

/* --- frames --- */

static void
test_put_frame(void **state)
{
	struct buf b;
	uint8_t head[XS_HEAD_LEN];

	(void)state;
	buf_init(&b, 64);
	assert_int_equal(xs_put_frame(&b, XS_STDERR, "err\n", 4), 0);
	assert_int_equal(xs_put_frame(&b, XS_KEEPALIVE, NULL, 0), 0);
	assert_bytes(&b, "\2\0\0\0\4err\n\0\0\0\0\0", 14);
	buf_free(&b);
	xs_head(head, XS_RESIZE, 0x12345678);
	assert_memory_equal(head, "\x14\x12\x34\x56\x78", sizeof(head));
}

/* What does not fit leaves no half of a frame. */
static void
test_put_limits(void **state)
{
	uint8_t *p = calloc(1, XS_FRAME_MAX + 1);
	struct buf b;

	(void)state;
	assert_non_null(p);
	buf_init(&b, ROOM);
	assert_int_equal(xs_put_frame(&b, XS_STDOUT, p, XS_FRAME_MAX), 0);
	assert_int_equal(buf_len(&b), XS_HEAD_LEN + XS_FRAME_MAX);
	assert_int_equal(xs_put_frame(&b, XS_STDOUT, p, XS_FRAME_MAX + 1),
	    SKY_ERR_LIMIT);
	assert_int_equal(xs_put_frame(&b, XS_STDOUT, p, SIZE_MAX),
	    SKY_ERR_LIMIT);
	assert_int_equal(buf_len(&b), XS_HEAD_LEN + XS_FRAME_MAX);
	buf_free(&b);
	for (size_t room = 1; room < XS_HEAD_LEN + 3; room++) {
		buf_init(&b, room);
		assert_int_equal(xs_put_frame(&b, XS_STDOUT, "abc", 3),
		    SKY_ERR_LIMIT);
		assert_int_equal(buf_len(&b), 0);
		buf_free(&b);
	}
	buf_init(&b, XS_HEAD_LEN + 3);
	assert_int_equal(xs_put_frame(&b, XS_STDOUT, "abc", 3), 0);
	buf_free(&b);
	free(p);
}

struct frame {
	uint8_t tag;
	const char *payload;
};

static const struct frame frames[] = { { XS_STDOUT, "out\n" },
	{ XS_KEEPALIVE, "" }, { XS_STDERR, "some more of it" },
	{ XS_STDOUT, "" }, { 255, "x" } };

static void
put_frames(struct buf *b)
{
	buf_init(b, ROOM);
	for (size_t i = 0; i < COUNT(frames); i++)
		assert_int_equal(xs_put_frame(b, frames[i].tag,
				     frames[i].payload,
				     strlen(frames[i].payload)),
		    0);
}

/* Frames come when they are there as a whole, and nothing is taken before. */
static void
test_get_frame(void **state)
{
	struct buf all, in, payload;
	size_t got = 0, before;
	uint8_t tag, c;

	(void)state;
	put_frames(&all);
	buf_init(&in, ROOM);
	while (buf_get_u8(&all, &c) == 0) {
		put(&in, &c, 1);
		before = buf_len(&in);
		if (xs_get_frame(&in, XS_FRAME_MAX, &tag, &payload) == 0) {
			assert_int_equal(buf_len(&in), before);
			continue;
		}
		assert_in_range(got, 0, COUNT(frames) - 1);
		assert_int_equal(tag, frames[got].tag);
		assert_bytes(&payload, frames[got].payload,
		    strlen(frames[got].payload));
		assert_int_equal(buf_len(&in), 0);
		got++;
	}
	assert_int_equal(got, COUNT(frames));
	buf_free(&in);
	buf_free(&all);
}

static void
test_get_frames_at_once(void **state)
{
	struct buf in, payload;
	uint8_t tag;

	(void)state;
	put_frames(&in);
	for (size_t i = 0; i < COUNT(frames); i++) {
		assert_int_equal(
		    xs_get_frame(&in, XS_FRAME_MAX, &tag, &payload), 1);
		assert_int_equal(tag, frames[i].tag);
		assert_bytes(&payload, frames[i].payload,
		    strlen(frames[i].payload));
	}
	assert_int_equal(xs_get_frame(&in, XS_FRAME_MAX, &tag, &payload), 0);
	buf_free(&in);
}

/* A length is refused as soon as it is known. */
static void
test_get_frame_limits(void **state)
{
	static const size_t maxima[] = { 0, 1, 16, XS_FRAME_MAX };
	uint8_t *p = calloc(1, XS_HEAD_LEN + XS_FRAME_MAX), tag;
	struct buf in, payload;

	(void)state;
	assert_non_null(p);
	for (size_t i = 0; i < COUNT(maxima); i++) {
		xs_head(p, XS_STDOUT, (uint32_t)maxima[i]);
		buf_view(&in, p, XS_HEAD_LEN + maxima[i]);
		assert_int_equal(xs_get_frame(&in, maxima[i], &tag, &payload),
		    1);
		assert_int_equal(buf_len(&payload), maxima[i]);
		xs_head(p, XS_STDOUT, (uint32_t)maxima[i] + 1);
		buf_view(&in, p, XS_HEAD_LEN);
		assert_int_equal(xs_get_frame(&in, maxima[i], &tag, &payload),
		    SKY_ERR_LIMIT);
		assert_int_equal(
		    xs_get_frame(&in, maxima[i] + 1, &tag, &payload), 0);
	}
	xs_head(p, XS_STDOUT, UINT32_MAX);
	buf_view(&in, p, XS_HEAD_LEN);
	assert_int_equal(xs_get_frame(&in, XS_FRAME_MAX, &tag, &payload),
	    SKY_ERR_LIMIT);
	free(p);
}

/* --- frames, piece by piece --- */

/* Frames put together again out of what comes. */
struct joined {
	struct xs_reader x;
	struct buf payload;
	size_t got;
};

static void
join(struct joined *j, struct buf *in)
{
	struct buf piece;
	int r;

	while ((r = xs_get_piece(&j->x, in, &piece)) == 1) {
		assert_in_range(j->got, 0, COUNT(frames) - 1);
		assert_int_equal(j->x.tag, frames[j->got].tag);
		put(&j->payload, buf_ptr(&piece), buf_len(&piece));
		assert_true(j->x.inside == (j->x.left != 0));
		if (j->x.inside)
			continue;
		assert_bytes(&j->payload, frames[j->got].payload,
		    strlen(frames[j->got].payload));
		buf_reset(&j->payload);
		j->got++;
	}
	assert_int_equal(r, 0);
}

/* Split in two at every byte, and into single ones. */
static void
test_get_pieces(void **state)
{
	struct buf all, in;
	struct joined j;
	size_t n;

	(void)state;
	put_frames(&all);
	n = buf_len(&all);
	for (size_t at = 0; at <= n; at++) {
		j = (struct joined){ .got = 0 };
		buf_init(&j.payload, ROOM);
		buf_init(&in, ROOM);
		put(&in, buf_ptr(&all), at);
		join(&j, &in);
		put(&in, buf_ptr(&all) + at, n - at);
		join(&j, &in);
		assert_int_equal(j.got, COUNT(frames));
		assert_int_equal(buf_len(&in), 0);
		j = (struct joined){ .payload = j.payload };
		for (size_t i = 0; i < at; i++) {
			put(&in, buf_ptr(&all) + i, 1);
			join(&j, &in);
		}
		assert_true((j.got == COUNT(frames)) == (at == n));
		buf_free(&in);
		buf_free(&j.payload);
	}
	buf_free(&all);
}

/* Pieces are handed on without waiting for the rest. */
static void
test_piece_at_once(void **state)
{
	struct xs_reader x = { 0 };
	struct buf in, piece;

	(void)state;
	buf_view(&in, "\1\0\0\0\3a", 6);
	assert_int_equal(xs_get_piece(&x, &in, &piece), 1);
	assert_bytes(&piece, "a", 1);
	assert_int_equal(x.left, 2);
	assert_true(x.inside);
	assert_int_equal(xs_get_piece(&x, &in, &piece), 0);
	buf_view(&in, "bc\2\0\0\0\1", 7);
	assert_int_equal(xs_get_piece(&x, &in, &piece), 1);
	assert_bytes(&piece, "bc", 2);
	assert_false(x.inside);
	assert_int_equal(x.tag, XS_STDOUT);
	assert_int_equal(xs_get_piece(&x, &in, &piece), 0);
	assert_int_equal(x.tag, XS_STDERR);
	assert_true(x.inside);
}

static void
test_piece_limits(void **state)
{
	static const uint32_t bad[] = { XS_FRAME_MAX + 1, 0x80000000,
		UINT32_MAX };
	struct xs_reader x = { 0 };
	uint8_t head[XS_HEAD_LEN];
	struct buf in, piece;

	(void)state;
	xs_head(head, XS_STDOUT, XS_FRAME_MAX);
	buf_view(&in, head, sizeof(head));
	assert_int_equal(xs_get_piece(&x, &in, &piece), 0);
	assert_int_equal(x.left, XS_FRAME_MAX);
	for (size_t i = 0; i < COUNT(bad); i++) {
		x = (struct xs_reader){ 0 };
		xs_head(head, XS_STDOUT, bad[i]);
		buf_view(&in, head, sizeof(head));
		assert_int_equal(xs_get_piece(&x, &in, &piece), SKY_ERR_LIMIT);
	}
}

/* --- our own request --- */

/* flags, timeout_ms, rows cols x y, name, 2 arguments, 1 variable. */
static const uint8_t wire[] = "\3\0\1\2\3\0\x18\0\x50\1\2\3\4\0\0\0\2sh"
			      "\0\0\0\2\0\0\0\2-c\0\0\0\0"
			      "\0\0\0\1\0\0\0\3A=b";
#define WIRE_LEN  (sizeof(wire) - 1)
#define ARG_COUNT 19 /* where the arguments' count is */
#define ENV_COUNT 33

static void
check_list(struct gob_list list, const char *const *want, size_t n)
{
	struct buf s;

	assert_int_equal(list.count, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(gob_list_next(&list, &s), 1);
		assert_bytes(&s, want[i], strlen(want[i]));
	}
	assert_int_equal(gob_list_next(&list, &s), 0);
}

static void
check_start(const struct xs_start *s)
{
	static const char *const arg[] = { "-c", "" };
	static const char *const env[] = { "A=b" };

	assert_int_equal(s->flags, XS_HAS_STDIN | XS_TERMINAL);
	assert_int_equal(s->timeout_ms, 0x010203);
	assert_int_equal(s->size.rows, 24);
	assert_int_equal(s->size.cols, 80);
	assert_int_equal(s->size.x, 0x0102);
	assert_int_equal(s->size.y, 0x0304);
	assert_bytes(&s->name, "sh", 2);
	check_list(s->arg, arg, COUNT(arg));
	check_list(s->env, env, COUNT(env));
}

static void
test_start(void **state)
{
	struct blob b = blob_new(wire, WIRE_LEN);
	struct xs_start s;
	struct buf in, out;

	(void)state;
	buf_view(&in, b.p, b.n);
	assert_int_equal(xs_get_start(&in, &s), 0);
	check_start(&s);
	buf_init(&out, ROOM);
	assert_int_equal(xs_put_start(&out, &s), 0);
	assert_bytes(&out, wire, WIRE_LEN);
	buf_free(&out);
	xs_start_free(&s);
	free(b.p);
}

static void
test_start_empty(void **state)
{
	static const uint8_t none[] = "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
				      "\0\0\0\0\0\0\0";
	struct xs_start s = { 0 };
	struct buf out;

	(void)state;
	buf_init(&out, ROOM);
	assert_int_equal(xs_put_start(&out, &s), 0);
	assert_bytes(&out, none, sizeof(none));
	assert_int_equal(xs_get_start(&out, &s), 0);
	assert_int_equal(buf_len(&s.name), 0);
	check_list(s.arg, NULL, 0);
	check_list(s.env, NULL, 0);
	xs_start_free(&s);
	buf_free(&out);
}

/* The largest of everything, and any byte in a string. */
static void
test_start_extremes(void **state)
{
	static const char bytes[] = "a\0\"\n\xff\x80";
	struct xs_start s = { .flags = XS_TERMINAL,
		.timeout_ms = UINT32_MAX,
		.size = { .rows = 65535,
		    .cols = 65535,
		    .x = 65535,
		    .y = 65535 } },
			got;
	struct buf out, item;

	(void)state;
	buf_view(&s.name, bytes, sizeof(bytes));
	buf_init(&s.arg.raw, ROOM);
	buf_init(&s.env.raw, ROOM);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(gob_list_add(&s.arg, bytes, sizeof(bytes)), 0);
	buf_init(&out, ROOM);
	assert_int_equal(xs_put_start(&out, &s), 0);
	assert_int_equal(xs_get_start(&out, &got), 0);
	assert_int_equal(got.flags, XS_TERMINAL);
	assert_true(got.timeout_ms == UINT32_MAX);
	assert_memory_equal(&got.size, &s.size, sizeof(s.size));
	assert_bytes(&got.name, bytes, sizeof(bytes));
	assert_int_equal(got.arg.count, 1000);
	while (gob_list_next(&got.arg, &item) == 1)
		assert_bytes(&item, bytes, sizeof(bytes));
	assert_int_equal(got.arg.count, 0);
	xs_start_free(&got);
	xs_start_free(&s);
	buf_free(&out);
}

static int
get_start(const void *p, size_t n)
{
	struct blob b = blob_new(p, n);
	struct xs_start s;
	struct buf in;
	int r;

	buf_view(&in, b.p, b.n);
	r = xs_get_start(&in, &s);
	xs_start_free(&s);
	free(b.p);
	return r;
}

static void
test_start_truncated(void **state)
{
	(void)state;
	assert_int_equal(get_start(wire, WIRE_LEN), 0);
	for (size_t n = 0; n < WIRE_LEN; n++)
		assert_int_equal(get_start(wire, n), SKY_ERR_FORMAT);
}

static void
test_start_trailing(void **state)
{
	struct blob b = blob_new(wire, WIRE_LEN);

	(void)state;
	blob_add(&b, "", 1);
	assert_int_equal(get_start(b.p, b.n), SKY_ERR_TRAILING);
	blob_add(&b, wire, WIRE_LEN);
	assert_int_equal(get_start(b.p, b.n), SKY_ERR_TRAILING);
	free(b.p);
}

static void
test_start_flags(void **state)
{
	struct blob b = blob_new(wire, WIRE_LEN);

	(void)state;
	for (unsigned flags = 0; flags < 256; flags++) {
		b.p[0] = (uint8_t)flags;
		assert_int_equal(get_start(b.p, b.n),
		    flags < 4 ? 0 : SKY_ERR_RANGE);
	}
	free(b.p);
}

/* Counts and lengths that say more, or less, than there is. */
static void
test_start_lies(void **state)
{
	static const size_t fields[] = { 13, ARG_COUNT, ARG_COUNT + 4,
		ARG_COUNT + 10, ENV_COUNT, ENV_COUNT + 4 };
	static const uint8_t more[][4] = { { 0, 0, 0, 100 }, { 0, 0, 1, 0 },
		{ 0, 1, 0, 0 }, { 1, 0, 0, 0 }, { 0x7f, 255, 255, 255 },
		{ 0x80, 0, 0, 0 }, { 255, 255, 255, 255 } };
	struct blob b = blob_new(wire, WIRE_LEN);

	(void)state;
	for (size_t i = 0; i < COUNT(fields); i++)
		for (size_t j = 0; j < COUNT(more); j++) {
			memcpy(b.p + fields[i], more[j], 4);
			assert_int_equal(get_start(b.p, b.n), SKY_ERR_FORMAT);
			memcpy(b.p, wire, WIRE_LEN);
		}
	b.p[ENV_COUNT + 3] = 2;
	assert_int_equal(get_start(b.p, b.n), SKY_ERR_FORMAT);
	b.p[ENV_COUNT + 3] = 0;
	assert_int_equal(get_start(b.p, b.n), SKY_ERR_TRAILING);
	free(b.p);
}

/* As many strings as a frame holds, all empty. */
static void
test_start_many(void **state)
{
	const uint32_t n = (XS_START_MAX - 25) / 4;
	const uint8_t count[4] = { (uint8_t)(n >> 24), (uint8_t)(n >> 16),
		(uint8_t)(n >> 8), (uint8_t)n };
	uint8_t *p = calloc(n, 4);
	struct xs_start s;
	struct buf b;

	(void)state;
	assert_non_null(p);
	buf_init(&b, ROOM);
	put(&b, wire, 13);
	put(&b, "\0\0\0", 4);
	put(&b, count, sizeof(count));
	put(&b, p, 4 * (size_t)n);
	put(&b, "\0\0\0", 4);
	assert_int_equal(xs_get_start(&b, &s), 0);
	assert_int_equal(s.arg.count, n);
	xs_start_free(&s);
	buf_free(&b);
	free(p);
}

static void
test_put_start_limits(void **state)
{
	struct buf in, out;
	struct xs_start s;

	(void)state;
	buf_view(&in, wire, WIRE_LEN);
	assert_int_equal(xs_get_start(&in, &s), 0);
	for (size_t room = 1; room < WIRE_LEN; room++) {
		buf_init(&out, room);
		assert_int_equal(xs_put_start(&out, &s), SKY_ERR_LIMIT);
		buf_free(&out);
	}
	buf_init(&out, WIRE_LEN);
	assert_int_equal(xs_put_start(&out, &s), 0);
	buf_free(&out);
	xs_start_free(&s);
}

/* --- signals --- */

static int
number(const char *name, size_t n)
{
	struct blob b = blob_new(name, n);
	struct buf v;
	int r;

	buf_view(&v, b.p, b.n);
	r = xs_signal(&v);
	assert_int_equal(buf_len(&v), n);
	free(b.p);
	return r;
}

static void
test_signals(void **state)
{
	static const struct {
		const char *name;
		int number;
	} want[] = { { "HUP", SIGHUP }, { "INT", SIGINT }, { "QUIT", SIGQUIT },
		{ "TERM", SIGTERM }, { "KILL", SIGKILL }, { "USR1", SIGUSR1 },
		{ "USR2", SIGUSR2 }, { "CONT", SIGCONT } };
	static const char *const none[] = { "", "H", "HU", "HUPP", "hup",
		"SIGHUP", "1", "15", "?", "STOP", "TSTP", "SEGV", "ABRT",
		"CHLD", "WINCH", "HUP ", " HUP" };

	(void)state;
	for (size_t i = 0; i < COUNT(want); i++) {
		assert_int_equal(number(want[i].name, strlen(want[i].name)),
		    want[i].number);
		assert_string_equal(xs_signal_name(want[i].number),
		    want[i].name);
	}
	for (size_t i = 0; i < COUNT(none); i++)
		assert_int_equal(number(none[i], strlen(none[i])), 0);
	assert_int_equal(number("HUP\0", 4), 0);
	assert_int_equal(number("\0HUP", 4), 0);
}

/* Those that only end a command, too; every name fits into its frame. */
static void
test_signal_names(void **state)
{
	static const struct {
		int number;
		const char *name;
	} named[] = { { SIGABRT, "ABRT" }, { SIGALRM, "ALRM" },
		{ SIGBUS, "BUS" }, { SIGFPE, "FPE" }, { SIGILL, "ILL" },
		{ SIGPIPE, "PIPE" }, { SIGSEGV, "SEGV" }, { SIGSYS, "SYS" },
		{ SIGTRAP, "TRAP" }, { SIGXCPU, "XCPU" }, { SIGXFSZ, "XFSZ" } };
	static const int none[] = { 0, -1, SIGCHLD, SIGWINCH, 64, 65, 1000,
		INT32_MAX, INT32_MIN };

	(void)state;
	for (size_t i = 0; i < COUNT(named); i++)
		assert_string_equal(xs_signal_name(named[i].number),
		    named[i].name);
	for (size_t i = 0; i < COUNT(none); i++)
		assert_string_equal(xs_signal_name(none[i]), "?");
	for (int i = 0; i < 128; i++)
		assert_in_range(strlen(xs_signal_name(i)), 1, XS_SIGNAL_MAX);
}

static void
test_exit(void **state)
{
	const struct xs_exit e = { XS_SIGNALED, 9, 1ULL << 40 };
	struct xs_exit got;
	struct buf b, view;

	(void)state;
	buf_init(&b, 16);
	assert_int_equal(xs_put_exit(&b, &e), 0);
	for (size_t n = 0; n < buf_len(&b); n++) {
		buf_view(&view, buf_ptr(&b), n);
		assert_int_equal(xs_get_exit(&view, &got), SKY_ERR_FORMAT);
	}
	buf_view(&view, buf_ptr(&b), buf_len(&b));
	assert_int_equal(xs_get_exit(&view, &got), 0);
	assert_true(got.how == e.how && got.status == e.status &&
	    got.duration_ms == e.duration_ms);
	assert_int_equal(buf_poke(&b, 0, &(uint8_t){ XS_TIMEDOUT + 1 }, 1), 0);
	assert_int_equal(xs_get_exit(&b, &got), SKY_ERR_FORMAT);
	buf_free(&b);
}

static void
test_keys(void **state)
{
	struct xs_keys k = { .answer_ms = XS_ANSWER_MAX }, got;
	uint8_t text[XS_KEYS_MAX + 1] = { 'a', 0, 'b' }, tag;
	struct buf b, payload, part;
	size_t len = 0;

	(void)state;
	buf_init(&b, 256);
	for (size_t n = 0; n <= XS_KEYS_MAX; n++) {
		buf_view(&k.bytes, text, n);
		assert_int_equal(xs_put_keys(&b, &k), 0);
		assert_true(n == 0 || buf_len(&b) == len);
		len = buf_len(&b);
		assert_int_equal(xs_get_frame(&b, XS_KEYS_LEN, &tag, &payload),
		    1);
		assert_int_equal(tag, XS_KEYS);
		for (size_t cut = 0; cut < XS_KEYS_LEN; cut++) {
			buf_view(&part, buf_ptr(&payload), cut);
			assert_int_equal(xs_get_keys(&part, &got),
			    SKY_ERR_FORMAT);
		}
		assert_int_equal(xs_get_keys(&payload, &got), 0);
		assert_int_equal(got.answer_ms, XS_ANSWER_MAX);
		assert_int_equal(buf_len(&got.bytes), n);
		assert_true(
		    n == 0 || memcmp(buf_ptr(&got.bytes), text, n) == 0);
	}
	buf_view(&k.bytes, text, XS_KEYS_MAX + 1);
	assert_int_equal(xs_put_keys(&b, &k), SKY_ERR_LIMIT);
	buf_free(&b);
}

/* Longer than it is, or answered later. */
static void
test_keys_lies(void **state)
{
	uint8_t payload[XS_KEYS_LEN + 1] = { 0, XS_KEYS_MAX };
	struct xs_keys got;
	struct buf b;

	(void)state;
	buf_view(&b, payload, XS_KEYS_LEN);
	assert_int_equal(xs_get_keys(&b, &got), 0);
	buf_view(&b, payload, XS_KEYS_LEN + 1);
	assert_int_equal(xs_get_keys(&b, &got), SKY_ERR_FORMAT);
	payload[1]++;
	buf_view(&b, payload, XS_KEYS_LEN);
	assert_int_equal(xs_get_keys(&b, &got), SKY_ERR_FORMAT);
	payload[0] = XS_ANSWER_MAX + 1;
	payload[1] = 0;
	buf_view(&b, payload, XS_KEYS_LEN);
	assert_int_equal(xs_get_keys(&b, &got), SKY_ERR_FORMAT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put_frame),
		cmocka_unit_test(test_put_limits),
		cmocka_unit_test(test_get_frame),
		cmocka_unit_test(test_get_frames_at_once),
		cmocka_unit_test(test_get_frame_limits),
		cmocka_unit_test(test_get_pieces),
		cmocka_unit_test(test_piece_at_once),
		cmocka_unit_test(test_piece_limits),
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_start_empty),
		cmocka_unit_test(test_start_extremes),
		cmocka_unit_test(test_start_truncated),
		cmocka_unit_test(test_start_trailing),
		cmocka_unit_test(test_start_flags),
		cmocka_unit_test(test_start_lies),
		cmocka_unit_test(test_start_many),
		cmocka_unit_test(test_put_start_limits),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_signal_names),
		cmocka_unit_test(test_exit),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_keys_lies),
	};

	return cmocka_run_group_tests_name("exec_stream", tests, NULL, NULL);
}
