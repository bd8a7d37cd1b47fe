/* SPDX-License-Identifier: ISC */
/* A client's session with a dmsg server, against a recorded one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/base/err.h"
#include "common/dmsg/dmsg_object.h"
#include "common/dmsg/dmsg_session.h"
#include "regress/unit/vectors.h"

#define ROOM	(1024 * 1024)
#define VECTORS "dmsg-session.txt"

enum { SYN = 1, FIN = 4 };

/* What the session told. */
struct told {
	struct dmsg_stream *stream;
	struct buf object;
	int request, answer, reads, ends;
};

static void
take_events(struct dmsg_session *s, struct told *t)
{
	struct dmsg_event ev;

	while (dmsg_session_event(s, &ev)) {
		t->stream = ev.stream;
		t->request += ev.what == DMSG_REQUEST;
		t->answer += ev.what == DMSG_ANSWER;
		t->reads += ev.what == DMSG_READ;
		t->ends += ev.what == DMSG_END;
		if (ev.what != DMSG_REQUEST && ev.what != DMSG_ANSWER)
			continue;
		buf_reset(&t->object);
		assert_int_equal(buf_put(&t->object, buf_ptr(&ev.object),
				     buf_len(&ev.object)),
		    0);
	}
}

/* The frame of the n-th line (from 0) of that name at or behind from. */
static size_t
put_frame(const struct vectors *v, size_t from, const char *name, int n,
    struct buf *b)
{
	const char *hex;
	size_t i;

	for (i = vec_find(v, from, name); n > 0; n--)
		i = vec_find(v, i + 1, name);
	assert_true(i < v->n);
	assert_non_null(hex = strstr(v->line[i].value, "frame="));
	vec_put(b, hex + 6);
	return i;
}

static struct dmsg_session *
open_session(const struct vectors *v, const char *conn, struct told *t)
{
	uint8_t send[32], recv[32];
	char name[128];

	memset(t, 0, sizeof(*t));
	buf_init(&t->object, ROOM);
	snprintf(name, sizeof(name),
	    "%s C>S session_key_client_to_server_is_split_key2", conn);
	vec_bytes(v, 0, name, send, sizeof(send));
	snprintf(name, sizeof(name),
	    "%s C>S session_key_server_to_client_is_split_key1", conn);
	vec_bytes(v, 0, name, recv, sizeof(recv));
	return dmsg_session_new(send, recv, 1);
}

static void
put_object(const struct vectors *v, size_t i, const char *sig, const char *gob,
    struct buf *b)
{
	vec_put(b, vec_value(v, i, sig));
	vec_put(b, vec_value(v, i, gob));
}

static void
expect_output(struct dmsg_session *s, const struct buf *want)
{
	struct buf out;

	buf_init(&out, ROOM);
	assert_int_equal(dmsg_session_output(s, &out), 0);
	assert_int_equal(buf_len(&out), buf_len(want));
	assert_memory_equal(buf_ptr(&out), buf_ptr(want), buf_len(want));
	assert_false(dmsg_session_pending(s));
	buf_free(&out);
}

/* One frame: the stream's acknowledgement, and so much of window. */
static void
expect_window(struct dmsg_session *s, uint32_t window)
{
	struct buf out;
	const uint8_t *p;

	buf_init(&out, ROOM);
	assert_int_equal(dmsg_session_output(s, &out), 0);
	assert_int_equal(buf_len(&out), 12);
	p = buf_ptr(&out);
	assert_memory_equal(p, "\0\1\0\2\0\0\0\2", 8);
	assert_int_equal((uint32_t)p[10] << 8 | p[11], window);
	buf_free(&out);
}

/* The last frame: that stream is ended; nobody was told that it ever was. */
static void
expect_end(struct dmsg_session *s, uint8_t id)
{
	struct buf out;
	const uint8_t *p;

	buf_init(&out, ROOM);
	assert_int_equal(dmsg_session_output(s, &out), 0);
	assert_true(buf_len(&out) >= 12);
	p = buf_ptr(&out) + buf_len(&out) - 12;
	assert_int_equal(p[1], 1);
	assert_int_not_equal(p[3] & 12, 0); /* FIN or RST */
	assert_int_equal(p[7], id);
	buf_free(&out);
}

/* Byte by byte, as the worst of networks would have it. */
static int
feed_slowly(struct dmsg_session *s, struct told *t, struct buf *bytes)
{
	struct buf in;
	int r = 0;

	buf_init(&in, ROOM);
	while (r == 0 && buf_len(bytes) != 0) {
		assert_int_equal(buf_put(&in, buf_ptr(bytes), 1), 0);
		buf_skip(bytes, 1);
		r = dmsg_session_input(s, &in);
		take_events(s, t);
	}
	buf_free(&in);
	return r;
}

/* A's side: what it sends when it dials, and the answer that comes. */
static void
test_dial(void **state)
{
	struct vectors *v = vec_load(VECTORS);
	struct buf object, want, in;
	struct dmsg_session *s;
	struct told t;
	size_t i;

	(void)state;
	assert_non_null(s = open_session(v, "conn1", &t));
	buf_init(&want, ROOM);
	buf_init(&object, ROOM);
	buf_init(&in, ROOM);
	put_frame(v, 0, "conn1 C>S yamux WINDOW_UPDATE flags", 0, &want);
	i = put_frame(v, 0, "conn1 C>S yamux DATA flags", 0, &want);
	put_object(v, i, "conn1 C>S signature", "conn1 C>S gob", &object);
	assert_non_null(dmsg_session_dial(s, 1, &object));
	assert_int_equal(dmsg_session_streams(s), 1);
	expect_output(s, &want);
	put_frame(v, 0, "conn1 S>C yamux WINDOW_UPDATE flags", 0, &in);
	i = put_frame(v, 0, "conn1 S>C yamux DATA flags", 0, &in);
	assert_int_equal(feed_slowly(s, &t, &in), 0);
	assert_int_equal(t.answer, 1);
	assert_int_equal(t.ends, 0);
	buf_reset(&object);
	put_object(v, i, "conn1 S>C signature", "conn1 S>C gob", &object);
	assert_int_equal(buf_len(&t.object), buf_len(&object));
	assert_memory_equal(buf_ptr(&t.object), buf_ptr(&object),
	    buf_len(&object));
	dmsg_session_free(s);
	buf_free(&want);
	buf_free(&object);
	buf_free(&in);
	buf_free(&t.object);
	vec_free(v);
}

/* B's side: the request that comes, and what it answers. */
static void
test_answer(void **state)
{
	struct vectors *v = vec_load(VECTORS);
	struct buf object, want, in;
	struct dmsg_session *s;
	struct told t;
	size_t i;

	(void)state;
	assert_non_null(s = open_session(v, "conn2", &t));
	buf_init(&want, ROOM);
	buf_init(&object, ROOM);
	buf_init(&in, ROOM);
	put_frame(v, 0, "conn2 S>C yamux WINDOW_UPDATE flags", 0, &in);
	i = put_frame(v, 0, "conn2 S>C yamux DATA flags", 0, &in);
	assert_int_equal(feed_slowly(s, &t, &in), 0);
	assert_int_equal(t.request, 1);
	put_object(v, i, "conn2 S>C signature", "conn2 S>C gob", &object);
	assert_int_equal(buf_len(&t.object), buf_len(&object));
	assert_memory_equal(buf_ptr(&t.object), buf_ptr(&object),
	    buf_len(&object));
	i = put_frame(v, 0, "conn2 C>S yamux DATA flags", 0, &want);
	buf_reset(&object);
	put_object(v, i, "conn2 C>S signature", "conn2 C>S gob", &object);
	/* The window that the request took is given back before it. */
	expect_window(s, 372);
	assert_int_equal(dmsg_stream_answer(t.stream, &object), 0);
	expect_output(s, &want);
	dmsg_session_free(s);
	buf_free(&want);
	buf_free(&object);
	buf_free(&in);
	buf_free(&t.object);
	vec_free(v);
}

/* An object with a bit turned on the way ends its stream, not the session. */
static void
test_bent_object(void **state)
{
	struct vectors *v = vec_load(VECTORS);
	struct dmsg_session *s;
	struct told t;
	struct buf in;

	(void)state;
	assert_non_null(s = open_session(v, "conn2", &t));
	buf_init(&in, ROOM);
	put_frame(v, 0, "conn2 S>C yamux WINDOW_UPDATE flags", 0, &in);
	put_frame(v, 0, "conn2 S>C yamux DATA flags", 0, &in);
	((uint8_t *)(uintptr_t)buf_ptr(&in))[buf_len(&in) - 1] ^= 1;
	assert_int_equal(feed_slowly(s, &t, &in), 0);
	assert_int_equal(t.request, 0);
	expect_end(s, 2);
	dmsg_session_free(s);
	buf_free(&in);
	buf_free(&t.object);
	vec_free(v);
}

/* The same object once more, on another stream: a replay by the server. */
static void
test_replayed_object(void **state)
{
	struct vectors *v = vec_load(VECTORS);
	struct dmsg_session *s;
	struct told t;
	struct buf in;
	uint8_t *p;

	(void)state;
	assert_non_null(s = open_session(v, "conn2", &t));
	buf_init(&in, ROOM);
	for (uint8_t id = 2; id <= 4; id += 2) {
		size_t from = buf_len(&in), second;

		put_frame(v, 0, "conn2 S>C yamux WINDOW_UPDATE flags", 0, &in);
		second = buf_len(&in);
		put_frame(v, 0, "conn2 S>C yamux DATA flags", 0, &in);
		p = (uint8_t *)(uintptr_t)buf_ptr(&in);
		p[from + 7] = p[second + 7] = id;
	}
	assert_int_equal(feed_slowly(s, &t, &in), 0);
	assert_int_equal(t.request, 1);
	expect_end(s, 4);
	dmsg_session_free(s);
	buf_free(&in);
	buf_free(&t.object);
	vec_free(v);
}

/* Nobody answers: the stream ends by itself, as do those that say nothing. */
static void
test_time(void **state)
{
	struct vectors *v = vec_load(VECTORS);
	struct dmsg_session *s;
	struct buf object, out;
	struct told t;
	size_t i;

	(void)state;
	assert_non_null(s = open_session(v, "conn1", &t));
	buf_init(&object, ROOM);
	buf_init(&out, ROOM);
	i = vec_find(v, 0, "conn1 C>S signature");
	put_object(v, i, "conn1 C>S signature", "conn1 C>S gob", &object);
	assert_non_null(dmsg_session_dial(s, 100, &object));
	assert_int_equal(dmsg_session_tick(s, 100 + DMSG_OPEN_S - 1), 0);
	take_events(s, &t);
	assert_int_equal(t.ends, 0);
	/* The ping of that tick is still unanswered. */
	assert_int_equal(dmsg_session_output(s, &out), 0);
	assert_int_equal(dmsg_session_tick(s, 100 + 2 * DMSG_OPEN_S),
	    SKY_ERR_AGAIN);
	dmsg_session_free(s);
	buf_reset(&out);
	buf_free(&t.object);

	assert_non_null(s = open_session(v, "conn1", &t));
	assert_non_null(dmsg_session_dial(s, 100, &object));
	/* However late the tick, it may have come just before. */
	assert_int_equal(dmsg_session_tick(s, 100 + 2 * DMSG_OPEN_S), 0);
	take_events(s, &t);
	assert_int_equal(t.ends, 0);
	(void)dmsg_session_tick(s, 100 + 3 * DMSG_OPEN_S);
	take_events(s, &t);
	assert_int_equal(t.ends, 1);
	/* An end is told once. */
	(void)dmsg_session_tick(s, 100 + 5 * DMSG_OPEN_S);
	take_events(s, &t);
	assert_int_equal(t.ends, 1);
	dmsg_stream_close(t.stream);
	dmsg_session_free(s);
	buf_free(&t.object);
	buf_free(&object);
	buf_free(&out);
	vec_free(v);
}

static void
test_garbage(void **state)
{
	struct vectors *v = vec_load(VECTORS);
	struct dmsg_session *s;
	struct told t;
	struct buf in;

	(void)state;
	assert_non_null(s = open_session(v, "conn1", &t));
	buf_init(&in, ROOM);
	assert_int_equal(buf_put(&in, "GET / HTTP/1.1\r\n\r\n", 18), 0);
	assert_true(dmsg_session_input(s, &in) < 0);
	dmsg_session_free(s);
	buf_free(&in);
	buf_free(&t.object);
	vec_free(v);
}

/* As many streams in one read as a session may have: none is refused. */
static void
test_many_at_once(void **state)
{
	struct vectors *v = vec_load(VECTORS);
	struct dmsg_session *s;
	struct told t;
	struct buf in, out;
	uint8_t syn[12] = { 0, 1, 0, 1 };

	(void)state;
	assert_non_null(s = open_session(v, "conn1", &t));
	buf_init(&in, ROOM);
	buf_init(&out, ROOM);
	for (uint32_t id = 2; id <= 4096; id += 2) {
		syn[6] = (uint8_t)(id >> 8);
		syn[7] = (uint8_t)id;
		assert_int_equal(buf_put(&in, syn, sizeof(syn)), 0);
	}
	assert_int_equal(dmsg_session_input(s, &in), 0);
	assert_int_equal(dmsg_session_streams(s), 2048);
	assert_int_equal(dmsg_session_output(s, &out), 0);
	for (const uint8_t *p = buf_ptr(&out);
	     p < buf_ptr(&out) + buf_len(&out); p += 12)
		assert_int_equal(p[3] & 8, 0); /* RST */
	buf_free(&in);
	buf_free(&out);
	buf_free(&t.object);
	dmsg_session_free(s);
	vec_free(v);
}

/* --- what streams hold that are not open yet --- */

#define REQUEST "a signed request"

static void
put_u32(struct buf *b, uint32_t v)
{
	assert_int_equal(buf_put_u32(b, v), 0);
}

/* DATA with these flags, the first n bytes of what is given. */
static void
put_data(struct buf *b, uint16_t flags, uint32_t id, const void *p, size_t n)
{
	assert_int_equal(buf_put_u16(b, 0), 0);
	assert_int_equal(buf_put_u16(b, flags), 0);
	put_u32(b, id);
	put_u32(b, (uint32_t)n);
	assert_int_equal(buf_put(b, p, n), 0);
}

static struct dmsg_session *
begin_zero(struct told *t, struct dmsg_seal *server)
{
	static const uint8_t key[32];

	memset(t, 0, sizeof(*t));
	buf_init(&t->object, ROOM);
	dmsg_seal_init(server, key, key);
	return dmsg_session_new(key, key, 1);
}

static void
feed(struct dmsg_session *s, struct told *t, struct buf *in)
{
	assert_int_equal(dmsg_session_input(s, in), 0);
	take_events(s, t);
}

static void
seal_request(struct dmsg_seal *server, struct buf *wire)
{
	struct buf object;

	buf_view(&object, REQUEST, sizeof(REQUEST));
	buf_reset(wire);
	assert_int_equal(dmsg_put_sealed(server, &object, wire), 0);
}

/* Half an object lies there like anything else, until the rest comes. */
static void
test_half_an_object(void **state)
{
	struct dmsg_seal server;
	struct dmsg_session *s;
	struct buf in, wire;
	struct told t;
	size_t half;

	(void)state;
	assert_non_null(s = begin_zero(&t, &server));
	buf_init(&in, ROOM);
	buf_init(&wire, ROOM);
	seal_request(&server, &wire);
	half = buf_len(&wire) / 2;
	put_data(&in, SYN, 2, buf_ptr(&wire), half);
	feed(s, &t, &in);
	assert_int_equal(dmsg_session_buffered(s), half);
	buf_skip(&wire, half);
	put_data(&in, 0, 2, buf_ptr(&wire), buf_len(&wire));
	feed(s, &t, &in);
	assert_int_equal(t.request, 1);
	assert_int_equal(dmsg_session_buffered(s), 0);
	/* Nothing more comes of this one. */
	seal_request(&server, &wire);
	put_data(&in, SYN | FIN, 4, buf_ptr(&wire), half);
	feed(s, &t, &in);
	expect_end(s, 4);
	assert_int_equal(dmsg_session_buffered(s), 0);
	/* Longer than a request is: known by its length. */
	put_data(&in, SYN, 6, "\x10\0", 2);
	feed(s, &t, &in);
	assert_int_equal(dmsg_session_buffered(s), 2);
	put_data(&in, SYN, 8, "\x10\1", 2);
	feed(s, &t, &in);
	expect_end(s, 8);
	assert_int_equal(dmsg_session_buffered(s), 2);
	dmsg_session_free(s);
	dmsg_seal_wipe(&server);
	buf_free(&in);
	buf_free(&wire);
	buf_free(&t.object);
}

/* Who has not got in yet goes before those who have. */
static void
test_shed(void **state)
{
	static const uint8_t bytes[1000];
	struct dmsg_stream *open, *asked;
	struct dmsg_seal server;
	struct dmsg_session *s;
	struct buf in, wire, answer;
	struct told t;

	(void)state;
	assert_non_null(s = begin_zero(&t, &server));
	buf_init(&in, ROOM);
	buf_init(&wire, ROOM);
	buf_view(&answer, "yes", 3);
	seal_request(&server, &wire);
	put_data(&in, SYN, 2, buf_ptr(&wire), buf_len(&wire));
	feed(s, &t, &in);
	open = t.stream;
	assert_int_equal(dmsg_stream_answer(open, &answer), 0);
	put_data(&in, 0, 2, bytes, sizeof(bytes));
	seal_request(&server, &wire);
	put_data(&in, SYN, 4, buf_ptr(&wire), buf_len(&wire));
	put_data(&in, 0, 4, bytes, 10);
	feed(s, &t, &in);
	asked = t.stream;
	assert_int_equal(t.request, 2);
	put_data(&in, SYN, 6, "\0\x80half", 6);
	feed(s, &t, &in);
	assert_int_equal(dmsg_session_buffered(s), 1016);
	assert_int_equal(dmsg_session_output(s, &wire), 0);
	assert_true(dmsg_session_shed(s));
	take_events(s, &t);
	assert_int_equal(t.ends, 1);
	assert_ptr_equal(t.stream, asked);
	dmsg_stream_close(asked);
	assert_int_equal(dmsg_session_buffered(s), 1006);
	assert_true(dmsg_session_shed(s));
	take_events(s, &t);
	assert_int_equal(t.ends, 1); /* nobody had heard of that one */
	assert_int_equal(dmsg_session_buffered(s), 1000);
	expect_end(s, 6);
	assert_true(dmsg_session_shed(s));
	take_events(s, &t);
	assert_int_equal(t.ends, 2);
	assert_ptr_equal(t.stream, open);
	assert_false(dmsg_session_shed(s));
	dmsg_stream_close(open);
	dmsg_session_free(s);
	dmsg_seal_wipe(&server);
	buf_free(&in);
	buf_free(&wire);
	buf_free(&t.object);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dial),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_bent_object),
		cmocka_unit_test(test_replayed_object),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_many_at_once),
		cmocka_unit_test(test_half_an_object),
		cmocka_unit_test(test_shed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
