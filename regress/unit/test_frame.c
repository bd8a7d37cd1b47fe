/* SPDX-License-Identifier: ISC */
/* frame: recorded frames, limits, counters, and everything tampered with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>

#include "common/base/err.h"
#include "common/pty/aead.h"
#include "common/pty/frame.h"
#include "vectors.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ROOM	 (1024U * 1024)
#define OVERHEAD (FRAME_COUNTER_LEN + FRAME_TAG_LEN)

static const uint8_t the_key[32] = "0123456789abcdef0123456789abcde";

static void
put_pattern(struct buf *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(buf_put_u8(b, (uint8_t)(i * 7 + i / 251)), 0);
}

static void
check_pattern(const struct buf *b, size_t n)
{
	struct buf want;

	buf_init(&want, ROOM);
	put_pattern(&want, n);
	assert_int_equal(buf_len(b), n);
	assert_memory_equal(buf_ptr(b), buf_ptr(&want), n);
	buf_free(&want);
}

/* A transport frame made with libsodium alone. */
static void
put_sealed(struct buf *wire, uint64_t counter, const void *p, size_t n)
{
	uint8_t nonce[12] = { 0 }, *out;

	for (size_t i = 0; i < 8; i++)
		nonce[4 + i] = (uint8_t)(counter >> 8 * i);
	assert_int_equal(buf_put_u16(wire, (uint16_t)(n + OVERHEAD)), 0);
	assert_int_equal(buf_put_u64(wire, counter), 0);
	assert_int_equal(buf_extend(wire, n + FRAME_TAG_LEN, &out), 0);
	crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, p, n, NULL, 0,
	    NULL, nonce, the_key);
}

/* Opens one frame made with that counter. */
static int
open_counter(struct frame_key *fk, uint64_t counter)
{
	struct buf wire, body, plain;
	int r;

	buf_init(&wire, ROOM);
	buf_init(&plain, ROOM);
	put_sealed(&wire, counter, "hello", 5);
	assert_int_equal(frame_get(&wire, &body), 1);
	if ((r = frame_open(fk, &body, &plain)) == 0) {
		assert_int_equal(buf_len(&plain), 5);
		assert_memory_equal(buf_ptr(&plain), "hello", 5);
		assert_int_equal(buf_len(&body), 0);
	} else
		assert_int_equal(buf_len(&plain), 0);
	buf_free(&wire);
	buf_free(&plain);
	return r;
}

/* --- recorded frames --- */

static void
check_open(struct frame_key *fk, struct buf *wire, const struct buf *want)
{
	struct buf body, plain;

	buf_init(&plain, ROOM);
	assert_true(frame_complete(wire));
	assert_int_equal(frame_get(wire, &body), 1);
	assert_int_equal(buf_len(wire), 0);
	assert_int_equal(frame_open(fk, &body, &plain), 0);
	assert_int_equal(buf_len(&body), 0);
	assert_int_equal(buf_len(&plain), buf_len(want));
	assert_memory_equal(buf_ptr(&plain), buf_ptr(want), buf_len(want));
	buf_free(&plain);
}

/* What we never send (nothing, or more than a full frame) is left out. */
static size_t
check_seal(struct frame_key *fk, struct buf *plain, const struct buf *want)
{
	struct buf wire;

	if (buf_len(plain) == 0 || buf_len(plain) > FRAME_PLAIN_FULL)
		return 0;
	buf_init(&wire, ROOM);
	assert_int_equal(frame_seal(fk, plain, &wire), 0);
	assert_int_equal(buf_len(plain), 0);
	assert_int_equal(buf_len(&wire), buf_len(want));
	assert_memory_equal(buf_ptr(&wire), buf_ptr(want), buf_len(want));
	buf_free(&wire);
	return 1;
}

static void
check_direction(const struct vectors *v, const char *key, const char *pt,
    const char *tx)
{
	struct frame_key send, recv;
	struct buf plain, wire;
	size_t opened = 0, sealed = 0;
	uint8_t k[32];

	vec_bytes(v, 0, key, k, sizeof(k));
	frame_key_init(&send, k);
	frame_key_init(&recv, k);
	for (size_t i = vec_find(v, 0, pt); i < v->n;
	     i = vec_find(v, i + 1, pt), opened++) {
		vec_buf(v, i, pt, &plain);
		vec_buf(v, i, tx, &wire);
		sealed += check_seal(&send, &plain, &wire);
		buf_free(&plain);
		vec_buf(v, i, pt, &plain);
		check_open(&recv, &wire, &plain);
		buf_free(&plain);
		buf_free(&wire);
	}
	assert_int_equal(opened, 3);
	assert_int_equal(sealed, 2);
}

static void
test_pty_vectors(void **state)
{
	const char *const files[] = { "pty-noise-xk.txt", "pty-noise-kk.txt",
		"pty-noise-xk-pq.txt", "pty-noise-kk-pq.txt",
		"pty-noise-xk-pq-declined.txt" };

	(void)state;
	for (size_t i = 0; i < COUNT(files); i++) {
		struct vectors *v = vec_load(files[i]);

		check_direction(v, "key.i2r", "pt i>r", "tx i>r");
		check_direction(v, "key.r2i", "pt r>i", "tx r>i");
		vec_free(v);
	}
}

/* Ciphertexts of one key with nonces 1 and 2: what two frames carry. */
static void
check_dmsg_key(const struct vectors *v, size_t from, int key)
{
	struct frame_key fk;
	struct buf plain, wire, body, ct;
	uint64_t counter;
	uint8_t k[32];
	char name[64];

	snprintf(name, sizeof(name), "split_key%d", key);
	vec_bytes(v, from, name, k, sizeof(k));
	frame_key_init(&fk, k);
	buf_init(&wire, ROOM);
	for (int nonce = 1; nonce <= 2; nonce++) {
		snprintf(name, sizeof(name), "split_key%d_nonce%d_ct", key,
		    nonce);
		vec_buf(v, from, name, &ct);
		vec_buf(v, from, "transport_plaintext", &plain);
		assert_int_equal(frame_seal(&fk, &plain, &wire), 0);
		assert_int_equal(frame_get(&wire, &body), 1);
		assert_int_equal(buf_get_u64(&body, &counter), 0);
		assert_int_equal(counter, nonce);
		assert_int_equal(buf_len(&body), buf_len(&ct));
		assert_memory_equal(buf_ptr(&body), buf_ptr(&ct), buf_len(&ct));
		buf_free(&ct);
		buf_free(&plain);
	}
	buf_free(&wire);
}

static void
test_dmsg_vectors(void **state)
{
	struct vectors *v = vec_load("dmsg-noise.txt");
	size_t cases = 0;

	(void)state;
	for (size_t i = vec_find(v, 0, "case"); i < v->n;
	     i = vec_find(v, i + 1, "case"), cases++) {
		check_dmsg_key(v, i, 1);
		check_dmsg_key(v, i, 2);
	}
	assert_int_equal(cases, 4);
	vec_free(v);
}

/* --- the outer frame --- */

static void
check_put_and_get(size_t n)
{
	struct buf content, wire, body;

	buf_init(&content, ROOM);
	buf_init(&wire, ROOM);
	put_pattern(&content, n);
	assert_int_equal(frame_put(&wire, buf_ptr(&content), n), 0);
	assert_int_equal(buf_len(&wire), FRAME_HEAD_LEN + n);
	assert_int_equal(buf_ptr(&wire)[0], n >> 8);
	assert_int_equal(buf_ptr(&wire)[1], n & 0xff);
	assert_int_equal(frame_get(&wire, &body), 1);
	check_pattern(&body, n);
	assert_int_equal(buf_len(&wire), 0);
	buf_free(&content);
	buf_free(&wire);
}

static void
test_body_limits(void **state)
{
	static const uint8_t zero[FRAME_BODY_MAX + 1];
	struct buf wire;

	(void)state;
	check_put_and_get(0);
	check_put_and_get(1);
	check_put_and_get(255);
	check_put_and_get(256);
	check_put_and_get(FRAME_BODY_MAX - 1);
	check_put_and_get(FRAME_BODY_MAX);
	buf_init(&wire, ROOM);
	assert_int_equal(frame_put(&wire, zero, sizeof(zero)), SKY_ERR_LIMIT);
	assert_int_equal(buf_len(&wire), 0);
	assert_int_equal(frame_put(&wire, NULL, 0), 0);
	assert_int_equal(buf_len(&wire), FRAME_HEAD_LEN);
	buf_free(&wire);
}

static void
test_put_without_room(void **state)
{
	struct buf wire;

	(void)state;
	buf_init(&wire, 12);
	assert_int_equal(frame_put(&wire, "12345678901", 11), SKY_ERR_LIMIT);
	assert_int_equal(buf_len(&wire), 0);
	assert_int_equal(frame_put(&wire, "1234567890", 10), 0);
	assert_int_equal(frame_put(&wire, "", 0), SKY_ERR_LIMIT);
	assert_int_equal(buf_len(&wire), 12);
	buf_free(&wire);
	buf_view(&wire, "x", 1);
	assert_int_equal(frame_put(&wire, "", 0), SKY_ERR_RDONLY);
}

/* The length alone condemns a frame; 4094 is the last one to wait for. */
static void
test_length_prefix(void **state)
{
	struct buf wire, body;
	uint8_t head[2];

	(void)state;
	for (unsigned n = 0; n <= UINT16_MAX; n++) {
		int want = n > FRAME_BODY_MAX ? SKY_ERR_LIMIT : n == 0;

		head[0] = (uint8_t)(n >> 8);
		head[1] = (uint8_t)n;
		buf_view(&wire, head, 2);
		assert_int_equal(frame_complete(&wire), want != 0);
		assert_int_equal(frame_get(&wire, &body), want);
		assert_int_equal(buf_len(&wire), n == 0 ? 0 : 2);
		buf_view(&wire, head, 1);
		assert_false(frame_complete(&wire));
		assert_int_equal(frame_get(&wire, &body), 0);
	}
}

static void
test_incomplete(void **state)
{
	const uint8_t bytes[] = { 0, 5, 'h', 'e', 'l', 'l', 'o', 0, 1, '!' };
	struct buf wire, body;

	(void)state;
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		buf_view(&wire, bytes, n);
		assert_int_equal(frame_complete(&wire), n >= 7);
		assert_int_equal(frame_get(&wire, &body), n >= 7);
		assert_int_equal(buf_len(&wire), n >= 7 ? n - 7 : n);
		if (n < 7)
			continue;
		assert_int_equal(buf_len(&body), 5);
		assert_memory_equal(buf_ptr(&body), "hello", 5);
		assert_int_equal(frame_complete(&wire), n == 10);
		assert_int_equal(frame_get(&wire, &body), n == 10);
	}
}

/* --- sealing --- */

/* Takes all frames off wire; every one but the last is full. */
static size_t
open_all(struct buf *wire, struct buf *plain)
{
	struct frame_key fk;
	struct buf body;
	size_t n = 0;

	frame_key_init(&fk, the_key);
	while (frame_get(wire, &body) == 1) {
		if (buf_len(wire) != 0)
			assert_int_equal(buf_len(&body),
			    OVERHEAD + FRAME_PLAIN_FULL);
		assert_int_equal(frame_open(&fk, &body, plain), 0);
		assert_int_equal(fk.counter, ++n);
	}
	assert_int_equal(buf_len(wire), 0);
	frame_key_wipe(&fk);
	return n;
}

static void
test_seal_sizes(void **state)
{
	const size_t sizes[] = { 0, 1, 15, 16, 17, 63, 64, 65, 255, 256, 257,
		FRAME_PLAIN_FULL - 1, FRAME_PLAIN_FULL, FRAME_PLAIN_FULL + 1,
		FRAME_PLAIN_MAX, FRAME_PLAIN_MAX + 1, 2 * FRAME_PLAIN_FULL,
		2 * FRAME_PLAIN_FULL + 1, 65536, 200000 };
	struct buf plain, wire, back;
	struct frame_key fk;
	size_t frames;

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		buf_init(&plain, ROOM);
		buf_init(&wire, ROOM);
		buf_init(&back, ROOM);
		frame_key_init(&fk, the_key);
		put_pattern(&plain, sizes[i]);
		assert_int_equal(frame_seal(&fk, &plain, &wire), 0);
		assert_int_equal(buf_len(&plain), 0);
		frames = (sizes[i] + FRAME_PLAIN_FULL - 1) / FRAME_PLAIN_FULL;
		assert_int_equal(buf_len(&wire),
		    sizes[i] + frames * FRAME_WIRE_LEN(0));
		assert_int_equal(fk.counter, frames);
		assert_int_equal(open_all(&wire, &back), frames);
		check_pattern(&back, sizes[i]);
		frame_key_wipe(&fk);
		buf_free(&plain);
		buf_free(&wire);
		buf_free(&back);
	}
}

/* A room one byte short of a frame takes none of it. */
static void
check_seal_room(size_t n, size_t room, size_t left)
{
	struct buf plain, wire;
	struct frame_key fk;

	buf_init(&plain, ROOM);
	buf_init(&wire, room);
	frame_key_init(&fk, the_key);
	put_pattern(&plain, n);
	assert_int_equal(frame_seal(&fk, &plain, &wire), 0);
	assert_int_equal(buf_len(&plain), left);
	assert_int_equal(fk.counter,
	    (n - left + FRAME_PLAIN_FULL - 1) / FRAME_PLAIN_FULL);
	buf_free(&plain);
	buf_free(&wire);
}

static void
test_seal_stops_early(void **state)
{
	const size_t full = FRAME_WIRE_LEN(FRAME_PLAIN_FULL);

	(void)state;
	check_seal_room(10, 0, 10);
	check_seal_room(10, FRAME_WIRE_LEN(10) - 1, 10);
	check_seal_room(10, FRAME_WIRE_LEN(10), 0);
	check_seal_room(10000, full - 1, 10000);
	check_seal_room(10000, full, 10000 - FRAME_PLAIN_FULL);
	check_seal_room(10000, 2 * full - 1, 10000 - FRAME_PLAIN_FULL);
	check_seal_room(10000, 2 * full, 10000 - 2 * FRAME_PLAIN_FULL);
	check_seal_room(10000, 2 * full + FRAME_WIRE_LEN(2320) - 1, 2320);
	check_seal_room(10000, 2 * full + FRAME_WIRE_LEN(2320), 0);
}

/* What was left goes on where it stopped once there is room again. */
static void
test_seal_resumes(void **state)
{
	struct buf plain, wire, all, back;
	struct frame_key fk;

	(void)state;
	buf_init(&plain, ROOM);
	buf_init(&wire, 5000);
	buf_init(&all, ROOM);
	buf_init(&back, ROOM);
	frame_key_init(&fk, the_key);
	put_pattern(&plain, 50000);
	while (buf_len(&plain) != 0) {
		assert_int_equal(frame_seal(&fk, &plain, &wire), 0);
		assert_true(buf_len(&wire) != 0);
		assert_int_equal(buf_put(&all, buf_ptr(&wire), buf_len(&wire)),
		    0);
		buf_reset(&wire);
	}
	assert_int_equal(open_all(&all, &back), 14);
	check_pattern(&back, 50000);
	buf_free(&plain);
	buf_free(&wire);
	buf_free(&all);
	buf_free(&back);
}

static void
test_seal_counter_used_up(void **state)
{
	struct buf plain, wire, body;
	struct frame_key fk;
	uint64_t c;

	(void)state;
	buf_init(&plain, ROOM);
	buf_init(&wire, ROOM);
	frame_key_init(&fk, the_key);
	fk.counter = UINT64_MAX - 1;
	put_pattern(&plain, FRAME_PLAIN_FULL + 1);
	assert_int_equal(frame_seal(&fk, &plain, &wire), SKY_ERR_NONCE);
	assert_int_equal(buf_len(&plain), 1);
	assert_int_equal(buf_len(&wire), FRAME_WIRE_LEN(FRAME_PLAIN_FULL));
	assert_int_equal(frame_seal(&fk, &plain, &wire), SKY_ERR_NONCE);
	assert_int_equal(buf_len(&wire), FRAME_WIRE_LEN(FRAME_PLAIN_FULL));
	assert_int_equal(frame_get(&wire, &body), 1);
	assert_int_equal(buf_get_u64(&body, &c), 0);
	assert_true(c == UINT64_MAX);
	buf_free(&plain);
	buf_free(&wire);
}

static void
test_seal_into_view(void **state)
{
	struct buf plain, wire;
	struct frame_key fk;

	(void)state;
	buf_view(&plain, "hello", 5);
	buf_view(&wire, "x", 1);
	frame_key_init(&fk, the_key);
	assert_int_equal(frame_seal(&fk, &plain, &wire), 0);
	assert_int_equal(buf_len(&plain), 5);
	assert_int_equal(buf_len(&wire), 1);
}

/* --- opening --- */

/* Counters at which the order of the nonce's bytes shows. */
static void
test_wide_counters(void **state)
{
	const uint64_t counters[] = { 1, 255, 256, 65537, 0x0102030405060708,
		0x8000000000000000, UINT64_MAX };
	struct buf plain, wire, want;
	struct frame_key send, recv;

	(void)state;
	frame_key_init(&send, the_key);
	frame_key_init(&recv, the_key);
	for (size_t i = 0; i < COUNT(counters); i++) {
		assert_int_equal(open_counter(&recv, counters[i]), 0);
		buf_init(&wire, ROOM);
		buf_init(&want, ROOM);
		buf_view(&plain, "hello", 5);
		send.counter = counters[i] - 1;
		assert_int_equal(frame_seal(&send, &plain, &wire), 0);
		put_sealed(&want, counters[i], "hello", 5);
		assert_int_equal(buf_len(&wire), buf_len(&want));
		assert_memory_equal(buf_ptr(&wire), buf_ptr(&want),
		    buf_len(&want));
		buf_free(&wire);
		buf_free(&want);
	}
	assert_int_equal(open_counter(&recv, UINT64_MAX), SKY_ERR_NONCE);
}

static void
test_counter_must_rise(void **state)
{
	const struct {
		uint64_t last, next;
		int want;
	} cases[] = {
		{ 0, 0, SKY_ERR_NONCE },
		{ 0, 1, 0 },
		{ 0, 2, 0 },
		{ 7, 6, SKY_ERR_NONCE },
		{ 7, 7, SKY_ERR_NONCE },
		{ 7, 8, 0 },
		{ 7, 1000000, 0 },
		{ 7, 0, SKY_ERR_NONCE },
		{ 0x100000000, 1, SKY_ERR_NONCE },
		{ 0x8000000000000000, 0x7fffffffffffffff, SKY_ERR_NONCE },
	};
	struct frame_key fk;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		frame_key_init(&fk, the_key);
		if (cases[i].last != 0)
			assert_int_equal(open_counter(&fk, cases[i].last), 0);
		assert_int_equal(open_counter(&fk, cases[i].next),
		    cases[i].want);
		assert_int_equal(open_counter(&fk, 0x9000000000000000),
		    cases[i].want);
	}
}

static void
test_open_empty(void **state)
{
	struct buf wire, body, plain;
	struct frame_key fk;

	(void)state;
	buf_init(&wire, ROOM);
	buf_init(&plain, 1);
	frame_key_init(&fk, the_key);
	assert_int_equal(buf_put_u8(&plain, 'x'), 0);
	put_sealed(&wire, 1, "", 0);
	assert_int_equal(buf_len(&wire), FRAME_WIRE_LEN(0));
	assert_int_equal(frame_get(&wire, &body), 1);
	assert_int_equal(frame_open(&fk, &body, &plain), 0);
	assert_int_equal(buf_len(&plain), 1);
	assert_int_equal(open_counter(&fk, 1), SKY_ERR_NONCE);
	buf_free(&wire);
	buf_free(&plain);
}

/* A frame with nothing in it is one, as far as there is room for it. */
static void
test_seal_nothing(void **state)
{
	struct frame_key from, to;
	struct buf wire, body, plain;

	(void)state;
	frame_key_init(&from, the_key);
	frame_key_init(&to, the_key);
	buf_init(&plain, 64);
	buf_init(&wire, FRAME_WIRE_LEN(0) - 1);
	assert_int_equal(frame_seal_nothing(&from, &wire), SKY_ERR_LIMIT);
	assert_int_equal(from.counter, 0);
	buf_free(&wire);
	buf_init(&wire, FRAME_WIRE_LEN(0));
	assert_int_equal(frame_seal_nothing(&from, &wire), 0);
	assert_int_equal(buf_len(&wire), FRAME_WIRE_LEN(0));
	assert_int_equal(from.counter, 1);
	assert_int_equal(frame_get(&wire, &body), 1);
	assert_int_equal(frame_open(&to, &body, &plain), 0);
	assert_int_equal(buf_len(&plain), 0);
	assert_int_equal(to.counter, 1);
	buf_free(&wire);
	buf_free(&plain);
}

static void
test_open_longest(void **state)
{
	struct buf content, wire, body, plain;
	struct frame_key fk;

	(void)state;
	for (size_t n = FRAME_PLAIN_MAX; n <= FRAME_PLAIN_MAX + 1; n++) {
		bool ok = n == FRAME_PLAIN_MAX;

		buf_init(&content, ROOM);
		buf_init(&wire, ROOM);
		buf_init(&plain, ROOM);
		frame_key_init(&fk, the_key);
		put_pattern(&content, n);
		put_sealed(&wire, 1, buf_ptr(&content), n);
		buf_view(&body, buf_ptr(&wire) + 2, buf_len(&wire) - 2);
		assert_int_equal(frame_get(&wire, &(struct buf){ 0 }),
		    ok ? 1 : SKY_ERR_LIMIT);
		assert_int_equal(frame_open(&fk, &body, &plain),
		    ok ? 0 : SKY_ERR_FORMAT);
		check_pattern(&plain, ok ? n : 0);
		assert_int_equal(open_counter(&fk, 2), ok ? 0 : SKY_ERR_NONCE);
		buf_free(&content);
		buf_free(&wire);
		buf_free(&plain);
	}
}

/* A body that must be refused, for good, without a trace in plain. */
static void
check_refused(const uint8_t *p, size_t n, int want)
{
	struct frame_key fk;
	struct buf body, plain;

	frame_key_init(&fk, the_key);
	assert_int_equal(open_counter(&fk, 5), 0);
	buf_init(&plain, ROOM);
	assert_int_equal(buf_put_u8(&plain, 'x'), 0);
	buf_view(&body, p, n);
	assert_int_equal(frame_open(&fk, &body, &plain), want);
	assert_int_equal(buf_len(&plain), 1);
	assert_int_equal(buf_ptr(&plain)[0], 'x');
	buf_free(&plain);
	assert_int_equal(open_counter(&fk, 1000), SKY_ERR_NONCE);
}

static void
test_truncated(void **state)
{
	struct buf wire;

	(void)state;
	buf_init(&wire, ROOM);
	put_sealed(&wire, 6, "hello, world", 12);
	assert_int_equal(buf_skip(&wire, FRAME_HEAD_LEN), 0);
	for (size_t n = 0; n < OVERHEAD + 12; n++)
		check_refused(buf_ptr(&wire), n,
		    n < OVERHEAD ? SKY_ERR_SHORT : SKY_ERR_AUTH);
	buf_free(&wire);
}

static void
test_every_bit(void **state)
{
	uint8_t body[OVERHEAD + 12];
	struct buf wire;
	uint64_t c;

	(void)state;
	buf_init(&wire, ROOM);
	put_sealed(&wire, 6, "hello, world", 12);
	for (size_t bit = 0; bit < 8 * sizeof(body); bit++) {
		memcpy(body, buf_ptr(&wire) + FRAME_HEAD_LEN, sizeof(body));
		body[bit / 8] ^= (uint8_t)(1U << bit % 8);
		c = body[7];
		check_refused(body, sizeof(body),
		    bit < 64 && c <= 5 ? SKY_ERR_NONCE : SKY_ERR_AUTH);
	}
	buf_free(&wire);
}

static void
test_longer_than_sealed(void **state)
{
	struct buf wire;

	(void)state;
	buf_init(&wire, ROOM);
	put_sealed(&wire, 6, "hello, world", 12);
	assert_int_equal(buf_put_u8(&wire, 0), 0);
	check_refused(buf_ptr(&wire) + 2, OVERHEAD + 13, SKY_ERR_AUTH);
	buf_free(&wire);
}

static void
test_other_key(void **state)
{
	struct buf wire, body, plain;
	struct frame_key fk;
	uint8_t k[32];

	(void)state;
	for (size_t i = 0; i < sizeof(k); i++) {
		memcpy(k, the_key, sizeof(k));
		k[i] ^= 1;
		frame_key_init(&fk, k);
		buf_init(&wire, ROOM);
		buf_init(&plain, ROOM);
		put_sealed(&wire, 1, "hello", 5);
		assert_int_equal(frame_get(&wire, &body), 1);
		assert_int_equal(frame_open(&fk, &body, &plain), SKY_ERR_AUTH);
		assert_int_equal(buf_len(&plain), 0);
		buf_free(&wire);
		buf_free(&plain);
	}
}

/* Without room nothing happens, so the same frame opens later. */
static void
test_open_without_room(void **state)
{
	struct buf wire, body, plain;
	struct frame_key fk;

	(void)state;
	buf_init(&wire, ROOM);
	buf_init(&plain, 6);
	frame_key_init(&fk, the_key);
	assert_int_equal(buf_put(&plain, "xy", 2), 0);
	put_sealed(&wire, 1, "hello", 5);
	assert_int_equal(frame_get(&wire, &body), 1);
	assert_int_equal(frame_open(&fk, &body, &plain), SKY_ERR_LIMIT);
	assert_int_equal(buf_len(&body), OVERHEAD + 5);
	assert_int_equal(buf_len(&plain), 2);
	assert_int_equal(buf_skip(&plain, 1), 0);
	assert_int_equal(frame_open(&fk, &body, &plain), 0);
	assert_memory_equal(buf_ptr(&plain), "yhello", 6);
	buf_free(&wire);
	buf_free(&plain);
}

/* --- the cipher's interface --- */

static void
test_aead_data(void **state)
{
	const struct aead_data ad = { (const uint8_t *)"head", 4 };
	const struct aead_data other = { (const uint8_t *)"heap", 4 };
	uint8_t ct[5 + AEAD_TAG_LEN], out[5];

	(void)state;
	memcpy(ct, "hello", 5);
	assert_int_equal(aead_seal(the_key, 9, &ad, ct, 5, ct), 0);
	assert_int_equal(aead_open(the_key, 9, &ad, ct, sizeof(ct), out), 0);
	assert_memory_equal(out, "hello", 5);
	assert_int_equal(aead_open(the_key, 9, NULL, ct, sizeof(ct), out),
	    SKY_ERR_AUTH);
	assert_memory_equal(out, "\0\0\0\0\0", 5);
	memcpy(out, "hello", 5);
	assert_int_equal(aead_open(the_key, 9, &other, ct, sizeof(ct), out),
	    SKY_ERR_AUTH);
	assert_memory_equal(out, "\0\0\0\0\0", 5);
	assert_int_equal(aead_open(the_key, 8, &ad, ct, sizeof(ct), out),
	    SKY_ERR_AUTH);
	for (size_t n = 0; n < sizeof(ct); n++)
		assert_int_equal(aead_open(the_key, 9, &ad, ct, n, out),
		    n < AEAD_TAG_LEN ? SKY_ERR_SHORT : SKY_ERR_AUTH);
}

static int
start(void **state)
{
	(void)state;
	return sodium_init() == -1 ? -1 : 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pty_vectors),
		cmocka_unit_test(test_dmsg_vectors),
		cmocka_unit_test(test_body_limits),
		cmocka_unit_test(test_put_without_room),
		cmocka_unit_test(test_length_prefix),
		cmocka_unit_test(test_incomplete),
		cmocka_unit_test(test_seal_sizes),
		cmocka_unit_test(test_seal_stops_early),
		cmocka_unit_test(test_seal_resumes),
		cmocka_unit_test(test_seal_counter_used_up),
		cmocka_unit_test(test_seal_into_view),
		cmocka_unit_test(test_wide_counters),
		cmocka_unit_test(test_counter_must_rise),
		cmocka_unit_test(test_open_empty),
		cmocka_unit_test(test_seal_nothing),
		cmocka_unit_test(test_open_longest),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_every_bit),
		cmocka_unit_test(test_longer_than_sealed),
		cmocka_unit_test(test_other_key),
		cmocka_unit_test(test_open_without_room),
		cmocka_unit_test(test_aead_data),
	};

	return cmocka_run_group_tests_name("frame", tests, start, NULL);
}
