/* SPDX-License-Identifier: ISC */
/*
 * link: what one end seals the other opens, by pieces of any size, by a
 * descriptor, and not a byte of what was cut, forged or said twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/err.h"
#include "common/pty/link.h"

#define ROOM (4U * 1024 * 1024)
#define LONG (300U * 1024) /* several chunks, and bulk */

static const uint8_t key_a[32] = "what A seals with, and B opens.",
		     key_b[32] = "and this is the other way roun.";

/* Two ends of a carrier. */
struct ends {
	struct link a, b;
	struct buf out, in; /* A's plaintext, B's */
};

static void
begin(struct ends *e, bool keys)
{
	link_init(&e->a);
	link_init(&e->b);
	buf_init(&e->out, ROOM);
	buf_init(&e->in, ROOM);
	if (!keys)
		return;
	link_keys(&e->a, key_a, key_b);
	link_keys(&e->b, key_b, key_a);
}

static void
end(struct ends *e)
{
	link_free(&e->a);
	link_free(&e->b);
	buf_free(&e->out);
	buf_free(&e->in);
}

static uint8_t
pattern(size_t i)
{
	return (uint8_t)(i * 7 + i / 251);
}

static void
put_pattern(struct buf *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(buf_put_u8(b, pattern(i)), 0);
}

static void
check_pattern(const struct buf *b, size_t n)
{
	assert_int_equal(buf_len(b), n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(buf_ptr(b)[i], pattern(i));
}

/* n bytes of what A has sealed, as they would come. */
static void
carry(struct ends *e, size_t n)
{
	assert_int_equal(buf_put(&e->b.wire_in, buf_ptr(&e->a.wire_out), n), 0);
	assert_int_equal(buf_skip(&e->a.wire_out, n), 0);
}

static void
seal(struct ends *e, size_t n)
{
	put_pattern(&e->out, n);
	assert_int_equal(link_seal(&e->a, &e->out), 0);
}

/* --- by hand --- */

/* Whatever is missing, nothing is opened before its frame is there. */
static void
test_truncated(void **state)
{
	struct ends e;
	size_t wire;

	for (size_t n = 0; n < 2 * FRAME_WIRE_LEN(100); n++) {
		begin(&e, true);
		seal(&e, 100);
		seal(&e, 100);
		wire = buf_len(&e.a.wire_out);
		assert_int_equal(wire, 2 * FRAME_WIRE_LEN(100));
		carry(&e, n);
		assert_int_equal(link_waits(&e.b, &e.in),
		    n >= FRAME_WIRE_LEN(100));
		assert_int_equal(link_open(&e.b, &e.in), 0);
		assert_int_equal(buf_len(&e.in),
		    n < FRAME_WIRE_LEN(100) ? 0 : 100);
		carry(&e, wire - n);
		assert_int_equal(link_open(&e.b, &e.in), 0);
		assert_int_equal(buf_len(&e.in), 200);
		assert_int_equal(buf_len(&e.b.wire_in), 0);
		end(&e);
	}
}

static void
test_every_bit(void **state)
{
	size_t wire = FRAME_WIRE_LEN(20);
	struct ends e;
	uint8_t byte;
	int r;

	for (size_t bit = 0; bit < wire * 8; bit++) {
		begin(&e, true);
		seal(&e, 20);
		byte = buf_ptr(&e.a.wire_out)[bit / 8] ^ 1 << bit % 8;
		assert_int_equal(buf_poke(&e.a.wire_out, bit / 8, &byte, 1), 0);
		seal(&e, 20);
		carry(&e, buf_len(&e.a.wire_out));
		r = link_open(&e.b, &e.in);
		/* A length that is too large by a little waits for more. */
		assert_true(r < 0 || bit < FRAME_HEAD_LEN * 8);
		assert_int_equal(buf_len(&e.in), 0);
		end(&e);
	}
}

/* A link that has seen a forged frame opens none behind it. */
static void
test_dead(void **state)
{
	static const uint8_t other[32] = "of nobody";
	struct link stranger;
	struct ends e;

	begin(&e, true);
	link_init(&stranger);
	link_keys(&stranger, other, other);
	put_pattern(&e.out, 10);
	assert_int_equal(link_seal(&stranger, &e.out), 0);
	assert_int_equal(buf_put(&e.b.wire_in, buf_ptr(&stranger.wire_out),
			     buf_len(&stranger.wire_out)),
	    0);
	assert_int_equal(link_open(&e.b, &e.in), SKY_ERR_AUTH);
	seal(&e, 10);
	carry(&e, buf_len(&e.a.wire_out));
	assert_int_equal(link_open(&e.b, &e.in), SKY_ERR_NONCE);
	assert_int_equal(buf_len(&e.in), 0);
	link_free(&stranger);
	end(&e);
}

static void
test_twice(void **state)
{
	uint8_t wire[FRAME_WIRE_LEN(10)];
	struct ends e;

	begin(&e, true);
	seal(&e, 10);
	memcpy(wire, buf_ptr(&e.a.wire_out), sizeof(wire));
	carry(&e, sizeof(wire));
	assert_int_equal(buf_put(&e.b.wire_in, wire, sizeof(wire)), 0);
	assert_int_equal(link_open(&e.b, &e.in), SKY_ERR_NONCE);
	check_pattern(&e.in, 10);
	end(&e);
}

static void
test_counter_used_up(void **state)
{
	struct ends e;

	begin(&e, true);
	e.a.tx.counter = UINT64_MAX - 1;
	seal(&e, 10);
	carry(&e, FRAME_WIRE_LEN(10));
	assert_int_equal(link_open(&e.b, &e.in), 0);
	check_pattern(&e.in, 10);
	put_pattern(&e.out, 10);
	assert_int_equal(link_seal(&e.a, &e.out), SKY_ERR_NONCE);
	assert_int_equal(buf_len(&e.a.wire_out), 0);
	assert_int_equal(buf_len(&e.out), 10);
	end(&e);
}

/* The longest body there may be, and one byte more. */
static void
test_longest(void **state)
{
	static const uint8_t head[2][2] = { { FRAME_BODY_MAX >> 8,
						FRAME_BODY_MAX & 0xff },
		{ (FRAME_BODY_MAX + 1) >> 8, (FRAME_BODY_MAX + 1) & 0xff } };
	struct ends e;

	for (size_t i = 0; i < 2; i++) {
		begin(&e, true);
		assert_int_equal(
		    buf_put(&e.b.wire_in, head[i], sizeof(head[i])), 0);
		assert_int_equal(link_waits(&e.b, &e.in), i == 1);
		assert_int_equal(link_open(&e.b, &e.in),
		    i == 0 ? 0 : SKY_ERR_LIMIT);
		end(&e);
	}
}

/* A frame waits until the longest would find room. */
static void
test_no_room(void **state)
{
	struct buf small;
	struct ends e;

	begin(&e, true);
	buf_init(&small, FRAME_PLAIN_MAX);
	seal(&e, 10);
	carry(&e, FRAME_WIRE_LEN(10));
	assert_int_equal(buf_put_u8(&small, 0), 0);
	assert_false(link_waits(&e.b, &small));
	assert_int_equal(link_open(&e.b, &small), 0);
	assert_int_equal(buf_len(&small), 1);
	assert_int_equal(buf_skip(&small, 1), 0);
	assert_true(link_waits(&e.b, &small));
	assert_int_equal(link_open(&e.b, &small), 0);
	check_pattern(&small, 10);
	buf_free(&small);
	end(&e);
}

/* Nothing is sealed or opened before there are keys. */
static void
test_without_keys(void **state)
{
	struct ends e;

	begin(&e, false);
	put_pattern(&e.out, 10);
	assert_int_equal(link_seal(&e.a, &e.out), 0);
	assert_int_equal(buf_len(&e.a.wire_out), 0);
	assert_int_equal(frame_put(&e.b.wire_in, "hello", 5), 0);
	assert_false(link_waits(&e.b, &e.in));
	assert_int_equal(link_open(&e.b, &e.in), 0);
	assert_int_equal(buf_len(&e.in), 0);
	end(&e);
}

/* --- by a descriptor --- */

static void
open_pair(int fd[2])
{
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
}

/* All of it, whatever the carrier takes at once. */
static void
move(struct ends *e, const int fd[2])
{
	ssize_t sent, got;

	do {
		sent = link_write(&e->a, fd[0], &e->out);
		assert_true(sent >= 0 || sent == SKY_ERR_AGAIN);
		got = link_read(&e->b, fd[1], &e->in);
		assert_true(got > 0 || got == SKY_ERR_AGAIN);
		assert_int_equal(link_open(&e->b, &e->in), 0);
	} while (sent != 0 || got > 0);
}

static void
test_descriptor(void **state)
{
	struct ends e;
	int fd[2];

	for (int plain = 0; plain < 2; plain++) {
		begin(&e, !plain);
		e.a.plain = e.b.plain = plain;
		open_pair(fd);
		put_pattern(&e.out, LONG);
		move(&e, fd);
		check_pattern(&e.in, LONG);
		assert_int_equal(buf_len(&e.out), 0);
		close(fd[0]);
		assert_int_equal(link_read(&e.b, fd[1], &e.in), SKY_ERR_EOF);
		close(fd[1]);
		end(&e);
	}
}

/* The last of the handshake and the first sealed frame leave together. */
static void
test_behind_handshake(void **state)
{
	struct buf body;
	struct ends e;
	int fd[2];

	begin(&e, true);
	open_pair(fd);
	assert_int_equal(frame_put(&e.a.wire_out, "message", 7), 0);
	put_pattern(&e.out, 10);
	assert_int_equal(link_write(&e.a, fd[0], &e.out),
	    FRAME_HEAD_LEN + 7 + FRAME_WIRE_LEN(10));
	assert_true(link_read(&e.b, fd[1], &e.in) > 0);
	assert_int_equal(frame_get(&e.b.wire_in, &body), 1);
	assert_int_equal(buf_len(&body), 7);
	assert_int_equal(link_open(&e.b, &e.in), 0);
	check_pattern(&e.in, 10);
	close(fd[0]);
	close(fd[1]);
	end(&e);
}

/* With keys nothing leaves as it is, whatever the link was before. */
static void
test_plain_no_more(void **state)
{
	struct ends e;
	int fd[2];

	begin(&e, false);
	e.a.plain = true;
	link_keys(&e.a, key_a, key_b);
	link_keys(&e.b, key_b, key_a);
	open_pair(fd);
	put_pattern(&e.out, LONG);
	move(&e, fd);
	check_pattern(&e.in, LONG);
	close(fd[0]);
	close(fd[1]);
	end(&e);
}

/* A carrier that takes nothing: a bounded part of it is sealed. */
static void
test_full(void **state)
{
	struct ends e;
	size_t sealed;
	int fd[2];

	begin(&e, true);
	open_pair(fd);
	put_pattern(&e.out, ROOM);
	while (link_write(&e.a, fd[0], &e.out) > 0)
		;
	sealed = buf_len(&e.a.wire_out);
	assert_true(sealed > 0);
	assert_true(sealed <= LINK_CHUNK + FRAME_WIRE_LEN(FRAME_PLAIN_MAX));
	assert_int_equal(link_write(&e.a, fd[0], &e.out), SKY_ERR_AGAIN);
	assert_int_equal(buf_len(&e.a.wire_out), sealed);
	close(fd[0]);
	close(fd[1]);
	end(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_every_bit),
		cmocka_unit_test(test_dead),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_counter_used_up),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_without_keys),
		cmocka_unit_test(test_descriptor),
		cmocka_unit_test(test_behind_handshake),
		cmocka_unit_test(test_plain_no_more),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
