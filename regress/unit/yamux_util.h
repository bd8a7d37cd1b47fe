/* SPDX-License-Identifier: ISC */
/*
 * Frames of yamux made and read by hand, so that a test does not rest on what
 * it tests.  Include behind cmocka.h.
 */
#ifndef REGRESS_UNIT_YAMUX_UTIL_H
#define REGRESS_UNIT_YAMUX_UTIL_H

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/pty/yamux.h"
#include "common/pty/yamux_int.h"

#define ROOM (64U * 1024 * 1024)

enum { DATA, WINDOW, PING, GOAWAY };
enum { SYN = 1, ACK = 2, FIN = 4, RST = 8 };

struct frame {
	uint8_t version, type;
	uint16_t flags;
	uint32_t id, length;
};

/* The header alone; the length is taken at its word. */
static inline void
put_frame(struct buf *b, const struct frame *f)
{
	assert_int_equal(buf_put_u8(b, f->version), 0);
	assert_int_equal(buf_put_u8(b, f->type), 0);
	assert_int_equal(buf_put_u16(b, f->flags), 0);
	assert_int_equal(buf_put_u32(b, f->id), 0);
	assert_int_equal(buf_put_u32(b, f->length), 0);
}

/* Gives the session a frame with n bytes behind it. */
static inline int
feed_payload(struct yamux *y, struct frame f, const void *p, size_t n)
{
	struct buf b;
	int r;

	buf_init(&b, ROOM);
	put_frame(&b, &f);
	assert_int_equal(buf_put(&b, p, n), 0);
	r = yamux_input(y, &b);
	assert_true(r != 0 || buf_len(&b) == 0);
	buf_free(&b);
	return r;
}

static inline int
feed(struct yamux *y, uint8_t type, uint16_t flags, uint32_t id, uint32_t n)
{
	return feed_payload(y,
	    (struct frame){ .type = type,
		.flags = flags,
		.id = id,
		.length = n },
	    NULL, 0);
}

/* A whole data frame, of n times the byte c. */
static inline int
feed_data(struct yamux *y, uint16_t flags, uint32_t id, int c, uint32_t n)
{
	struct frame f = { .type = DATA,
		.flags = flags,
		.id = id,
		.length = n };
	uint8_t *p = malloc(n + 1);
	int r;

	assert_non_null(p);
	memset(p, c, n);
	r = feed_payload(y, f, p, n);
	free(p);
	return r;
}

static inline void
get_frame(struct buf *b, struct frame *f)
{
	assert_int_equal(buf_get_u8(b, &f->version), 0);
	assert_int_equal(f->version, 0);
	assert_int_equal(buf_get_u8(b, &f->type), 0);
	assert_int_equal(buf_get_u16(b, &f->flags), 0);
	assert_int_equal(buf_get_u32(b, &f->id), 0);
	assert_int_equal(buf_get_u32(b, &f->length), 0);
}

/* All that the session sends. */
static inline void
collect(struct yamux *y, struct buf *out)
{
	buf_init(out, ROOM);
	assert_int_equal(yamux_output(y, out), 0);
	assert_false(yamux_pending(y));
}

/* The session sends nothing. */
static inline void
assert_silent(struct yamux *y)
{
	struct buf out;

	assert_false(yamux_pending(y));
	collect(y, &out);
	assert_int_equal(buf_len(&out), 0);
	buf_free(&out);
}

static inline void
assert_next(struct buf *out, uint8_t type, uint16_t flags, uint32_t id,
    uint32_t length)
{
	struct frame f;

	get_frame(out, &f);
	if (f.type != type || f.flags != flags || f.id != id ||
	    f.length != length)
		fail_msg("sent %u %u %u %u, want %u %u %u %u", f.type, f.flags,
		    f.id, f.length, type, flags, id, length);
}

/* The session sends this frame, and nothing else. */
static inline void
assert_sends(struct yamux *y, uint8_t type, uint16_t flags, uint32_t id,
    uint32_t length)
{
	struct buf out;

	collect(y, &out);
	assert_next(&out, type, flags, id, length);
	assert_int_equal(buf_len(&out), 0);
	buf_free(&out);
}

/* One data frame of n times c, and nothing else. */
static inline void
assert_sends_data(struct yamux *y, uint32_t id, int c, size_t n)
{
	struct buf out;

	collect(y, &out);
	assert_next(&out, DATA, 0, id, (uint32_t)n);
	assert_int_equal(buf_len(&out), n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(buf_ptr(&out)[i], c);
	buf_free(&out);
}

/* Exactly one event, of this kind, waits. */
static inline void
assert_event(struct yamux *y, struct yamux_stream *st, unsigned int what)
{
	struct yamux_event ev;

	assert_true(yamux_event(y, &ev));
	assert_ptr_equal(ev.stream, st);
	assert_int_equal(ev.what, what);
	assert_false(yamux_event(y, &ev));
}

static inline void
assert_no_event(struct yamux *y)
{
	struct yamux_event ev;

	assert_false(yamux_event(y, &ev));
}

/* A stream that the peer opened and that was accepted. */
static inline struct yamux_stream *
accepted(struct yamux *y, uint32_t id)
{
	struct yamux_stream *st;

	assert_int_equal(feed(y, WINDOW, SYN, id, 0), 0);
	assert_non_null(st = yamux_accept(y));
	assert_int_equal(st->id, id);
	assert_sends(y, WINDOW, ACK, id, 0);
	return st;
}

/* A stream of ours that the peer acknowledged. */
static inline struct yamux_stream *
opened(struct yamux *y)
{
	struct yamux_stream *st;

	assert_int_equal(yamux_open(y, &st), 0);
	assert_sends(y, WINDOW, SYN, st->id, 0);
	assert_int_equal(feed(y, WINDOW, ACK, st->id, 0), 0);
	assert_event(y, st, YAMUX_OPENED);
	return st;
}

static inline struct yamux *
session(bool client)
{
	struct yamux *y = yamux_new(client, NULL);

	assert_non_null(y);
	return y;
}

#endif
