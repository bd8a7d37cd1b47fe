/* SPDX-License-Identifier: ISC */
/* noise: recorded handshakes from both sides, and everything tampered with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>

#include "common/base/err.h"
#include "common/pty/aead.h"
#include "common/pty/frame.h"
#include "common/pty/mlkem.h"
#include "common/pty/noise.h"
#include "regress/unit/keyctx_util.h"
#include "vectors.h"

#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))
#define ROOM	   (1024U * 1024)
#define MSG_OFFER  1233 /* the same with an ML-KEM key */
#define MSG_ANSWER 1137 /* with a ciphertext */
#define MSG_EMPTY  49	/* e and a tag: messages 1 and 2 without payload */

struct side {
	uint8_t sk[KEY_SECRET_LEN];
	uint8_t eph[KEY_SECRET_LEN];
	uint8_t kem[MLKEM_SEED_LEN];
	struct key_public pk;
	struct noise *ns;
};

/* Two sides and, once recorded, what went between them. */
struct pair {
	struct keyctx *kc;
	enum noise_pattern pattern;
	size_t nmsg;
	const char *payload; /* of every message; NULL: a hybrid's */
	struct side side[2]; /* by role */
	struct buf msg[3];
};

/* --- both sides --- */

static void
pair_init(struct pair *p, struct keyctx *kc, enum noise_pattern pattern)
{
	memset(p, 0, sizeof(*p));
	p->kc = kc;
	p->pattern = pattern;
	p->nmsg = pattern == NOISE_XK ? 3 : 2;
	for (uint8_t i = 0; i < 2; i++) {
		memset(p->side[i].sk, 0x11 + 0x22 * i, KEY_SECRET_LEN);
		memset(p->side[i].eph, 0x22 + 0x22 * i, KEY_SECRET_LEN);
		memset(p->side[i].kem, 0x55 + 0x11 * i, MLKEM_SEED_LEN);
		assert_int_equal(key_public(kc, p->side[i].sk, &p->side[i].pk),
		    0);
	}
}

/* (Re)starts one side. */
static struct noise *
open_side(struct pair *p, enum noise_role role)
{
	struct side *s = &p->side[role];
	const struct key_public *peer = &p->side[!role].pk;

	if (p->pattern == NOISE_XK && role == NOISE_RESPONDER)
		peer = NULL;
	noise_free(s->ns);
	assert_int_equal(
	    noise_new(&s->ns, p->kc, p->pattern, role, s->sk, peer), 0);
	assert_int_equal(noise_set_ephemeral(s->ns, s->eph, s->kem), 0);
	return s->ns;
}

static void
pair_free(struct pair *p)
{
	for (size_t i = 0; i < 2; i++)
		noise_free(p->side[i].ns);
	for (size_t i = 0; i < 3; i++)
		buf_free(&p->msg[i]);
}

static enum noise_role
writer(size_t i)
{
	return i % 2 == 0 ? NOISE_INITIATOR : NOISE_RESPONDER;
}

static int
read_bytes(struct noise *ns, const void *bytes, size_t n, struct buf *payload)
{
	struct buf msg;

	buf_view(&msg, bytes, n);
	return noise_read(ns, &msg, payload);
}

/* Reads a message with whose payload nothing is to be done. */
static int
read_msg(struct noise *ns, const struct buf *msg)
{
	struct buf payload;
	int r;

	buf_init(&payload, NOISE_MSG_MAX);
	r = read_bytes(ns, buf_ptr(msg), buf_len(msg), &payload);
	if (r != 0)
		assert_int_equal(buf_len(&payload), 0);
	buf_free(&payload);
	return r;
}

static void
write_next(const struct pair *p, struct noise *ns, struct buf *msg)
{
	struct buf view;

	if (p->payload == NULL) {
		assert_int_equal(noise_write(ns, NULL, msg), 0);
		return;
	}
	buf_view(&view, p->payload, strlen(p->payload));
	assert_int_equal(noise_write(ns, &view, msg), 0);
	assert_int_equal(buf_len(&view), 0);
}

/* Runs an honest handshake of which every message carries the payload. */
static void
pair_record(struct pair *p, const char *payload)
{
	p->payload = payload;
	open_side(p, NOISE_INITIATOR);
	open_side(p, NOISE_RESPONDER);
	for (size_t i = 0; i < p->nmsg; i++) {
		buf_init(&p->msg[i], NOISE_MSG_MAX);
		write_next(p, p->side[writer(i)].ns, &p->msg[i]);
		assert_int_equal(read_msg(p->side[!writer(i)].ns, &p->msg[i]),
		    0);
	}
}

/* The reader of message i, brought to where that message is due. */
static struct noise *
reader_at(struct pair *p, size_t i)
{
	enum noise_role role = (enum noise_role) !writer(i);
	struct noise *ns = open_side(p, role);
	struct buf own;

	for (size_t j = 0; j < i; j++) {
		if (writer(j) == role) {
			buf_init(&own, NOISE_MSG_MAX);
			write_next(p, ns, &own);
			buf_free(&own);
		} else
			assert_int_equal(read_msg(ns, &p->msg[j]), 0);
	}
	return ns;
}

static void
check_dead(struct noise *ns)
{
	struct noise_keys keys;
	struct buf msg;

	buf_init(&msg, NOISE_MSG_MAX);
	assert_false(noise_done(ns));
	assert_int_equal(noise_write(ns, NULL, &msg), SKY_ERR_STATE);
	assert_int_equal(buf_len(&msg), 0);
	assert_int_equal(read_msg(ns, &msg), SKY_ERR_STATE);
	assert_int_equal(noise_split(ns, &keys), SKY_ERR_STATE);
	buf_free(&msg);
}

/* --- recorded handshakes --- */

/* The last h that the trace shows before a line. */
static void
traced_hash(const struct vectors *v, size_t before, uint8_t *h)
{
	const char *s = NULL;

	while (before-- > 0 && s == NULL)
		if (strcmp(v->line[before].name, "#") == 0)
			s = strstr(v->line[before].value, " h=");
	assert_non_null(s);
	assert_int_equal(hex_decode(s + 3, h, NOISE_HASH_LEN), 0);
}

static void
check_hash(const struct vectors *v, size_t before, struct pair *p)
{
	uint8_t h[NOISE_HASH_LEN];

	traced_hash(v, before, h);
	for (size_t i = 0; i < 2; i++)
		assert_memory_equal(noise_hash(p->side[i].ns), h, sizeof(h));
}

/* Both sides with the keys of a file; prefix is e.g. "init.static". */
static void
load_side(const struct vectors *v, size_t from, struct side *s,
    const char *prefix, const char *eph, char dot)
{
	char name[64];

	snprintf(name, sizeof(name), "%s%csk", prefix, dot);
	vec_bytes(v, from, name, s->sk, sizeof(s->sk));
	snprintf(name, sizeof(name), "%s%cpk", prefix, dot);
	vec_bytes(v, from, name, s->pk.b, sizeof(s->pk.b));
	snprintf(name, sizeof(name), "%s%csk", eph, dot);
	vec_bytes(v, from, name, s->eph, sizeof(s->eph));
}

static void
check_peers(struct pair *p)
{
	const struct key_public *pk;

	for (size_t i = 0; i < 2; i++) {
		assert_true(noise_done(p->side[i].ns));
		assert_non_null(pk = noise_peer(p->side[i].ns));
		assert_true(key_equal(pk, &p->side[!i].pk));
	}
}

/*
 * Message i is what was recorded, and what was recorded is read; a hybrid makes
 * the payload itself.
 */
static void
check_message(struct pair *p, size_t i, const struct vectors *v, size_t from,
    const char *msg_name, const char *payload_name, bool hybrid)
{
	struct buf msg, want, payload, got;

	vec_buf(v, from, msg_name, &want);
	vec_buf(v, from, payload_name, &payload);
	buf_init(&msg, NOISE_MSG_MAX);
	assert_int_equal(
	    noise_write(p->side[writer(i)].ns, hybrid ? NULL : &payload, &msg),
	    0);
	assert_int_equal(buf_len(&msg), buf_len(&want));
	assert_memory_equal(buf_ptr(&msg), buf_ptr(&want), buf_len(&want));
	buf_free(&msg);
	buf_free(&payload);

	vec_buf(v, from, payload_name, &payload);
	buf_init(&got, NOISE_MSG_MAX);
	assert_int_equal(noise_read(p->side[!writer(i)].ns, &want, &got), 0);
	assert_int_equal(buf_len(&want), 0);
	assert_int_equal(buf_len(&got), buf_len(&payload));
	assert_memory_equal(buf_ptr(&got), buf_ptr(&payload),
	    buf_len(&payload));
	buf_free(&got);
	buf_free(&want);
	buf_free(&payload);
}

static void
split_both(struct pair *p, struct noise_keys keys[2])
{
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(noise_split(p->side[i].ns, &keys[i]), 0);
	assert_memory_equal(keys[0].send, keys[1].recv, NOISE_KEY_LEN);
	assert_memory_equal(keys[1].send, keys[0].recv, NOISE_KEY_LEN);
}

/* Recorded frames under the keys of the handshake just made. */
static void
check_frames(const struct vectors *v, const struct noise_keys *from,
    const struct noise_keys *to, const char *pt, const char *tx)
{
	struct frame_key send, recv;
	struct buf plain, got, wire, body, want;

	frame_key_init(&send, from->send);
	frame_key_init(&recv, to->recv);
	for (size_t i = vec_find(v, 0, pt); i < v->n;
	     i = vec_find(v, i + 1, pt)) {
		vec_buf(v, i, pt, &plain);
		vec_buf(v, i, tx, &want);
		buf_init(&wire, ROOM);
		buf_init(&got, ROOM);
		if (buf_len(&plain) != 0 &&
		    buf_len(&plain) <= FRAME_PLAIN_FULL) {
			assert_int_equal(frame_seal(&send, &plain, &wire), 0);
			assert_int_equal(buf_len(&wire), buf_len(&want));
			assert_memory_equal(buf_ptr(&wire), buf_ptr(&want),
			    buf_len(&want));
		}
		buf_free(&plain);
		vec_buf(v, i, pt, &plain);
		assert_int_equal(frame_get(&want, &body), 1);
		assert_int_equal(frame_open(&recv, &body, &got), 0);
		assert_int_equal(buf_len(&got), buf_len(&plain));
		assert_memory_equal(buf_ptr(&got), buf_ptr(&plain),
		    buf_len(&plain));
		buf_free(&plain);
		buf_free(&wire);
		buf_free(&got);
		buf_free(&want);
	}
}

static void
check_result(struct pair *p, const struct vectors *v, bool hybrid)
{
	uint8_t h[NOISE_HASH_LEN], i2r[NOISE_KEY_LEN], r2i[NOISE_KEY_LEN];
	struct noise_keys keys[2];

	vec_bytes(v, 0, "handshake.hash", h, sizeof(h));
	vec_bytes(v, 0, "key.i2r", i2r, sizeof(i2r));
	vec_bytes(v, 0, "key.r2i", r2i, sizeof(r2i));
	check_peers(p);
	split_both(p, keys);
	assert_memory_equal(noise_hash(p->side[0].ns), h, sizeof(h));
	assert_memory_equal(noise_hash(p->side[1].ns), h, sizeof(h));
	assert_memory_equal(keys[0].send, i2r, sizeof(i2r));
	assert_memory_equal(keys[0].recv, r2i, sizeof(r2i));
	assert_int_equal(keys[0].hybrid, hybrid);
	assert_int_equal(keys[1].hybrid, hybrid);
	check_frames(v, &keys[0], &keys[1], "pt i>r", "tx i>r");
	check_frames(v, &keys[1], &keys[0], "pt r>i", "tx r>i");
}

static void
check_transcript(struct keyctx *kc, const char *file, bool hybrid)
{
	struct vectors *v = vec_load(file);
	struct pair p;
	char msg[48], payload[48];

	pair_init(&p, kc,
	    strstr(vec_value(v, 0, "proto"), "XK") != NULL ? NOISE_XK :
							     NOISE_KK);
	load_side(v, 0, &p.side[0], "init.static", "init.eph", '.');
	load_side(v, 0, &p.side[1], "resp.static", "resp.eph", '.');
	if (hybrid) {
		vec_bytes(v, 0, "mlkem.seed(d||z)", p.side[0].kem,
		    MLKEM_SEED_LEN);
		vec_bytes(v, 0, "mlkem.m", p.side[1].kem, MLKEM_RANDOM_LEN);
	}
	open_side(&p, NOISE_INITIATOR);
	open_side(&p, NOISE_RESPONDER);
	for (size_t i = 0; i < p.nmsg; i++) {
		snprintf(msg, sizeof(msg), "msg%zu", i + 1);
		snprintf(payload, sizeof(payload), "payload%zu", i + 1);
		check_message(&p, i, v, 0, msg, payload, hybrid);
		check_hash(v, vec_find(v, 0, payload), &p);
	}
	check_result(&p, v, hybrid);
	pair_free(&p);
	vec_free(v);
}

static void
test_xk(void **state)
{
	check_transcript(*state, "pty-noise-xk.txt", false);
}

static void
test_kk(void **state)
{
	check_transcript(*state, "pty-noise-kk.txt", false);
}

static void
test_xk_declined(void **state)
{
	check_transcript(*state, "pty-noise-xk-pq-declined.txt", false);
}

static void
test_xk_hybrid(void **state)
{
	check_transcript(*state, "pty-noise-xk-pq.txt", true);
}

static void
test_kk_hybrid(void **state)
{
	check_transcript(*state, "pty-noise-kk-pq.txt", true);
}

static void
check_dmsg_case(struct keyctx *kc, const struct vectors *v, size_t from)
{
	const char *proto = vec_value(v, from, "protocol_name");
	uint8_t h[NOISE_HASH_LEN], k1[NOISE_KEY_LEN], k2[NOISE_KEY_LEN];
	bool xk = strstr(proto, "XK") != NULL;
	struct noise_keys keys[2];
	struct pair p;
	char msg[48], payload[48];

	pair_init(&p, kc, xk ? NOISE_XK : NOISE_KK);
	load_side(v, from, &p.side[0], "init_static", "init_eph", '_');
	load_side(v, from, &p.side[1], "resp_static", "resp_eph", '_');
	open_side(&p, NOISE_INITIATOR);
	open_side(&p, NOISE_RESPONDER);
	for (size_t i = 0; i < p.nmsg; i++) {
		snprintf(msg, sizeof(msg), "msg%zu", i + 1);
		snprintf(payload, sizeof(payload), "msg%zu_payload", i + 1);
		check_message(&p, i, v, from, msg, payload, false);
	}
	vec_bytes(v, from, "handshake_hash", h, sizeof(h));
	vec_bytes(v, from, "split_key1", k1, sizeof(k1));
	vec_bytes(v, from, "split_key2", k2, sizeof(k2));
	check_peers(&p);
	split_both(&p, keys);
	assert_memory_equal(noise_hash(p.side[0].ns), h, sizeof(h));
	assert_memory_equal(keys[0].send, xk ? k2 : k1, sizeof(k1));
	assert_memory_equal(keys[0].recv, xk ? k1 : k2, sizeof(k1));
	pair_free(&p);
}

static void
test_dmsg_vectors(void **state)
{
	struct vectors *v = vec_load("dmsg-noise.txt");
	size_t cases = 0;

	for (size_t i = vec_find(v, 0, "case"); i < v->n;
	     i = vec_find(v, i + 1, "case"), cases++)
		check_dmsg_case(*state, v, i);
	assert_int_equal(cases, 4);
	vec_free(v);
}

/* --- our own handshakes --- */

/* Fresh ephemerals: two runs agree with themselves and not with each other. */
static void
check_fresh(struct keyctx *kc, enum noise_pattern pattern)
{
	struct noise_keys keys[2][2];
	uint8_t e[2][KEY_PUBLIC_LEN];
	struct pair p;

	for (size_t run = 0; run < 2; run++) {
		pair_init(&p, kc, pattern);
		for (size_t i = 0; i < 2; i++) {
			assert_int_equal(key_generate(kc, p.side[i].eph), 0);
			assert_int_equal(key_generate(kc, p.side[i].sk), 0);
			assert_int_equal(
			    key_public(kc, p.side[i].sk, &p.side[i].pk), 0);
		}
		pair_record(&p, run == 0 ? "" : "some payload");
		memcpy(e[run], buf_ptr(&p.msg[0]), sizeof(e[run]));
		check_peers(&p);
		split_both(&p, keys[run]);
		pair_free(&p);
	}
	assert_memory_not_equal(keys[0][0].send, keys[0][0].recv,
	    NOISE_KEY_LEN);
	assert_memory_not_equal(keys[0][0].send, keys[1][0].send,
	    NOISE_KEY_LEN);
	assert_memory_not_equal(e[0], e[1], sizeof(e[0]));
}

static void
test_fresh_keys(void **state)
{
	check_fresh(*state, NOISE_XK);
	check_fresh(*state, NOISE_KK);
}

/* Without noise_set_ephemeral each message starts with another key. */
static void
test_ephemerals_are_random(void **state)
{
	struct buf msg[2];
	struct noise *ns;
	struct pair p;

	pair_init(&p, *state, NOISE_XK);
	for (size_t i = 0; i < 2; i++) {
		buf_init(&msg[i], NOISE_MSG_MAX);
		assert_int_equal(noise_new(&ns, *state, NOISE_XK,
				     NOISE_INITIATOR, p.side[0].sk,
				     &p.side[1].pk),
		    0);
		assert_int_equal(noise_write(ns, NULL, &msg[i]), 0);
		assert_int_equal(buf_len(&msg[i]), MSG_OFFER);
		noise_free(ns);
		assert_int_equal(
		    read_msg(open_side(&p, NOISE_RESPONDER), &msg[i]), 0);
	}
	assert_memory_not_equal(buf_ptr(&msg[0]), buf_ptr(&msg[1]),
	    KEY_PUBLIC_LEN);
	buf_free(&msg[0]);
	buf_free(&msg[1]);
	pair_free(&p);
}

/* The XK responder learns the peer's key from message 3 and not before. */
static void
test_peer_is_known_when_proven(void **state)
{
	struct noise *ns;
	struct pair p;

	pair_init(&p, *state, NOISE_XK);
	pair_record(&p, "");
	assert_null(noise_peer(open_side(&p, NOISE_RESPONDER)));
	ns = reader_at(&p, 2);
	assert_null(noise_peer(ns));
	assert_false(noise_done(ns));
	assert_int_equal(read_msg(ns, &p.msg[2]), 0);
	assert_true(noise_done(ns));
	assert_true(key_equal(noise_peer(ns), &p.side[0].pk));
	assert_true(key_equal(noise_peer(open_side(&p, NOISE_INITIATOR)),
	    &p.side[1].pk));
	pair_free(&p);
}

/* --- keys that are refused --- */

static void
check_new(struct keyctx *kc, enum noise_pattern pattern, enum noise_role role,
    const uint8_t *sk, const struct key_public *peer, int want)
{
	struct noise *ns;

	assert_int_equal(noise_new(&ns, kc, pattern, role, sk, peer), want);
	assert_int_equal(ns == NULL, want != 0);
	noise_free(ns);
}

static void
test_new_refuses_keys(void **state)
{
	const struct key_public null = { { 0 } }, bad = { { 2, [32] = 5 } };
	const uint8_t zero[KEY_SECRET_LEN] = { 0 };
	uint8_t ones[KEY_SECRET_LEN];
	struct pair p;

	memset(ones, 0xff, sizeof(ones));
	pair_init(&p, *state, NOISE_XK);
	for (int i = 0; i < 4; i++) {
		enum noise_pattern pat = i < 2 ? NOISE_XK : NOISE_KK;
		enum noise_role role =
		    i % 2 == 0 ? NOISE_INITIATOR : NOISE_RESPONDER;
		bool none = i == 1;
		const struct key_public *pk = none ? NULL : &p.side[1].pk;

		check_new(*state, pat, role, p.side[0].sk, pk, 0);
		check_new(*state, pat, role, zero, pk, SKY_ERR_KEY);
		check_new(*state, pat, role, ones, pk, SKY_ERR_KEY);
		check_new(*state, pat, role, p.side[0].sk, &null, SKY_ERR_KEY);
		check_new(*state, pat, role, p.side[0].sk, &bad, SKY_ERR_KEY);
		check_new(*state, pat, role, p.side[0].sk,
		    none ? &p.side[1].pk : NULL, SKY_ERR_KEY);
	}
	noise_free(NULL);
}

static void
test_set_ephemeral(void **state)
{
	const uint8_t zero[KEY_SECRET_LEN] = { 0 };
	struct noise *ns;
	struct pair p;

	pair_init(&p, *state, NOISE_XK);
	ns = open_side(&p, NOISE_INITIATOR);
	assert_int_equal(noise_set_ephemeral(ns, zero, p.side[0].kem),
	    SKY_ERR_KEY);
	assert_int_equal(noise_set_ephemeral(ns, p.side[0].eph, p.side[0].kem),
	    SKY_ERR_STATE);
	check_dead(ns);
	pair_free(&p);
}

/* A key that is no point where the peer's ephemeral key is due. */
static void
test_bad_ephemeral(void **state)
{
	const uint8_t first[] = { 0, 1, 4, 5, 6, 7, 0xff };
	uint8_t msg[MSG_EMPTY];
	struct noise *ns;
	struct buf out;
	struct pair p;

	for (int i = 0; i < 4; i++) {
		pair_init(&p, *state, i < 2 ? NOISE_XK : NOISE_KK);
		pair_record(&p, "");
		for (size_t j = 0; j <= sizeof(first); j++) {
			ns = reader_at(&p, (size_t)i % 2);
			memcpy(msg, buf_ptr(&p.msg[i % 2]), sizeof(msg));
			if (j < sizeof(first))
				msg[0] = first[j];
			else
				memset(msg, 0, KEY_PUBLIC_LEN);
			buf_init(&out, ROOM);
			assert_int_equal(read_bytes(ns, msg, sizeof(msg), &out),
			    SKY_ERR_KEY);
			assert_int_equal(buf_len(&out), 0);
			check_dead(ns);
		}
		pair_free(&p);
	}
}

/*
 * Message 3 with a static key that is no point, but well encrypted: k and h
 * of that moment are in the transcript.
 */
static void
test_bad_static(void **state)
{
	struct vectors *v = vec_load("pty-noise-xk.txt");
	const uint8_t keys[2][KEY_PUBLIC_LEN] = { { 0 }, { 2, [32] = 5 } };
	uint8_t h[NOISE_HASH_LEN], k[NOISE_KEY_LEN];
	uint8_t msg[KEY_PUBLIC_LEN + 2 * AEAD_TAG_LEN] = { 0 };
	struct aead_data ad = { h, sizeof(h) };
	size_t msg3 = vec_find(v, 0, "msg2"), i = msg3;
	struct noise *ns;
	struct buf view;
	struct pair p;

	traced_hash(v, msg3, h);
	while (strncmp(v->line[--i].value, "k =", 3) != 0)
		;
	assert_int_equal(hex_decode(v->line[i].value + 3, k, sizeof(k)), 0);
	pair_init(&p, *state, NOISE_XK);
	pair_record(&p, "");
	for (size_t j = 0; j < 2; j++) {
		assert_int_equal(
		    aead_seal(k, 1, &ad, keys[j], sizeof(keys[j]), msg), 0);
		ns = reader_at(&p, 2);
		assert_memory_equal(noise_hash(ns), h, sizeof(h));
		buf_view(&view, msg, sizeof(msg));
		assert_int_equal(read_msg(ns, &view), SKY_ERR_KEY);
		assert_null(noise_peer(ns));
		check_dead(ns);
	}
	/* The same with the right key gets past it, to the payload's tag. */
	assert_int_equal(
	    aead_seal(k, 1, &ad, p.side[0].pk.b, KEY_PUBLIC_LEN, msg), 0);
	ns = reader_at(&p, 2);
	buf_view(&view, msg, sizeof(msg));
	assert_int_equal(read_msg(ns, &view), SKY_ERR_AUTH);
	assert_null(noise_peer(ns));
	pair_free(&p);
	vec_free(v);
}

/* Whoever pinned another host, or is another client than expected, fails. */
static void
test_wrong_peer(void **state)
{
	uint8_t other[KEY_SECRET_LEN];
	struct key_public pk;
	struct noise *ns;
	struct buf msg;
	struct pair p;

	memset(other, 0x77, sizeof(other));
	assert_int_equal(key_public(*state, other, &pk), 0);
	for (int i = 0; i < 3; i++) {
		/* XK and KK with another host's key, KK as another client. */
		pair_init(&p, *state, i == 0 ? NOISE_XK : NOISE_KK);
		assert_int_equal(noise_new(&ns, *state, p.pattern,
				     NOISE_INITIATOR,
				     i == 2 ? other : p.side[0].sk,
				     i == 2 ? &p.side[1].pk : &pk),
		    0);
		buf_init(&msg, NOISE_MSG_MAX);
		assert_int_equal(noise_write(ns, NULL, &msg), 0);
		noise_free(ns);
		ns = open_side(&p, NOISE_RESPONDER);
		assert_int_equal(read_msg(ns, &msg), SKY_ERR_AUTH);
		check_dead(ns);
		buf_free(&msg);
		pair_free(&p);
	}
}

/* --- messages that are refused --- */

static void
check_truncated(struct pair *p, size_t i)
{
	struct noise *ns;
	struct buf view;
	int r;

	for (size_t n = 0; n < buf_len(&p->msg[i]); n++) {
		ns = reader_at(p, i);
		buf_view(&view, buf_ptr(&p->msg[i]), n);
		r = read_msg(ns, &view);
		assert_true(r == SKY_ERR_SHORT || r == SKY_ERR_AUTH);
		if (n < MSG_EMPTY)
			assert_int_equal(r, SKY_ERR_SHORT);
		check_dead(ns);
	}
}

static void
check_every_bit(struct pair *p, size_t i)
{
	uint8_t msg[256];
	size_t n = buf_len(&p->msg[i]);
	struct noise *ns;
	struct buf view;
	int r;

	assert_true(n <= sizeof(msg));
	for (size_t bit = 0; bit < 8 * n; bit++) {
		memcpy(msg, buf_ptr(&p->msg[i]), n);
		msg[bit / 8] ^= (uint8_t)(1U << bit % 8);
		ns = reader_at(p, i);
		buf_view(&view, msg, n);
		r = read_msg(ns, &view);
		assert_true(r == SKY_ERR_AUTH ||
		    (r == SKY_ERR_KEY && i < 2 && bit < 8 * KEY_PUBLIC_LEN));
		check_dead(ns);
	}
}

/* Zeros, and a whole copy of itself, behind a message. */
static void
check_longer(struct pair *p, size_t i)
{
	size_t n = buf_len(&p->msg[i]);
	struct noise *ns;
	uint8_t msg[2 * MSG_OFFER];
	struct buf view;

	assert_true(2 * n <= sizeof(msg));
	for (size_t more = 1; more <= n; more += n - 1) {
		memset(msg, 0, sizeof(msg));
		memcpy(msg, buf_ptr(&p->msg[i]), n);
		if (more == n)
			memcpy(msg + n, buf_ptr(&p->msg[i]), n);
		ns = reader_at(p, i);
		buf_view(&view, msg, n + more);
		assert_int_equal(read_msg(ns, &view), SKY_ERR_AUTH);
		check_dead(ns);
	}
}

static void
for_each_message(struct keyctx *kc, const char *payload,
    void (*check)(struct pair *, size_t))
{
	const enum noise_pattern patterns[] = { NOISE_XK, NOISE_KK };
	struct pair p;

	for (size_t i = 0; i < 2; i++) {
		pair_init(&p, kc, patterns[i]);
		pair_record(&p, payload);
		for (size_t j = 0; j < p.nmsg; j++)
			check(&p, j);
		pair_free(&p);
	}
}

static void
test_truncated(void **state)
{
	for_each_message(*state, "", check_truncated);
}

static void
test_every_bit(void **state)
{
	for_each_message(*state, "", check_every_bit);
}

static void
test_longer(void **state)
{
	for_each_message(*state, "", check_longer);
}

/* With a payload in message 1 the reader needs nothing of the others. */
static void
test_payload_tampered(void **state)
{
	struct pair p;

	pair_init(&p, *state, NOISE_XK);
	pair_record(&p, "a payload");
	check_truncated(&p, 0);
	check_every_bit(&p, 0);
	check_longer(&p, 0);
	pair_free(&p);
}

/* A message of one handshake in another, or at another place. */
static void
test_out_of_place(void **state)
{
	struct pair p, q;

	for (int i = 0; i < 2; i++) {
		enum noise_pattern pattern = i == 0 ? NOISE_XK : NOISE_KK;

		pair_init(&p, *state, pattern);
		pair_record(&p, "");
		pair_init(&q, *state, pattern);
		memset(q.side[0].eph, 0x66, KEY_SECRET_LEN);
		pair_record(&q, "");
		/* Another handshake's answer; one's own message 1. */
		assert_int_equal(read_msg(reader_at(&p, 1), &q.msg[1]),
		    SKY_ERR_AUTH);
		assert_int_equal(read_msg(reader_at(&p, 1), &p.msg[0]),
		    SKY_ERR_AUTH);
		/* Message 2 where 1 is due; 1 where 3 is due. */
		assert_int_equal(read_msg(reader_at(&p, 0), &p.msg[1]),
		    SKY_ERR_AUTH);
		if (pattern == NOISE_XK) {
			assert_int_equal(read_msg(reader_at(&p, 2), &q.msg[2]),
			    SKY_ERR_AUTH);
			assert_int_equal(read_msg(reader_at(&p, 2), &p.msg[0]),
			    SKY_ERR_AUTH);
		}
		pair_free(&p);
		pair_free(&q);
	}
}

static void
test_other_pattern(void **state)
{
	struct pair p, q;

	pair_init(&p, *state, NOISE_XK);
	pair_record(&p, "");
	pair_init(&q, *state, NOISE_KK);
	pair_record(&q, "");
	assert_int_equal(read_msg(reader_at(&p, 0), &q.msg[0]), SKY_ERR_AUTH);
	assert_int_equal(read_msg(reader_at(&q, 0), &p.msg[0]), SKY_ERR_AUTH);
	pair_free(&p);
	pair_free(&q);
}

/* --- the hybrid --- */

/* Whichever side knows of none, both end as classical ones, with one key. */
static void
test_hybrid_and_classical(void **state)
{
	const enum noise_pattern patterns[] = { NOISE_XK, NOISE_KK };
	struct noise_keys keys[2];
	struct pair p;

	for (size_t i = 0; i < 8; i++) {
		bool hybrid = i % 4 == 0;

		pair_init(&p, *state, patterns[i / 4]);
		for (size_t j = 0; j < 2; j++)
			if (i & (size_t)1 << j)
				noise_set_classical(
				    open_side(&p, (enum noise_role)j));
			else
				open_side(&p, (enum noise_role)j);
		for (size_t j = 0; j < p.nmsg; j++) {
			buf_init(&p.msg[j], NOISE_MSG_MAX);
			write_next(&p, p.side[writer(j)].ns, &p.msg[j]);
			assert_int_equal(
			    read_msg(p.side[!writer(j)].ns, &p.msg[j]), 0);
		}
		assert_int_equal(buf_len(&p.msg[0]),
		    i & 1 ? MSG_EMPTY : MSG_OFFER);
		assert_int_equal(buf_len(&p.msg[1]),
		    hybrid ? MSG_ANSWER : MSG_EMPTY);
		assert_int_equal(noise_hybrid(p.side[0].ns), hybrid);
		assert_int_equal(noise_hybrid(p.side[1].ns), hybrid);
		split_both(&p, keys);
		assert_int_equal(keys[0].hybrid, hybrid);
		pair_free(&p);
	}
}

/* What is no offer, or no answer to one, is not held against the peer. */
static void
test_hybrid_other_payloads(void **state)
{
	const size_t sizes[] = { 0, 1, 1087, 1088, 1089, 1183, 1184, 1185,
		NOISE_MSG_MAX - MSG_EMPTY };
	uint8_t bytes[NOISE_MSG_MAX];
	struct buf view, msg[3];
	struct noise_keys keys[2];
	struct pair p;

	memset(bytes, 0xff, sizeof(bytes)); /* no coefficient is below q */
	for (size_t i = 0; i < 2 * COUNT(sizes); i++) {
		size_t n = sizes[i / 2], strange = i % 2;

		pair_init(&p, *state, NOISE_KK);
		open_side(&p, NOISE_INITIATOR);
		open_side(&p, NOISE_RESPONDER);
		for (size_t j = 0; j < 2; j++) {
			buf_init(&msg[j], NOISE_MSG_MAX);
			buf_view(&view, bytes, n);
			assert_int_equal(noise_write(p.side[j].ns,
					     j == strange ? &view : NULL,
					     &msg[j]),
			    0);
			assert_int_equal(read_msg(p.side[!j].ns, &msg[j]), 0);
			buf_free(&msg[j]);
		}
		/* Alone what looks like a ciphertext is one; of nobody's. */
		assert_int_equal(noise_hybrid(p.side[0].ns),
		    strange == 1 && n == MLKEM_CIPHER_LEN);
		assert_false(noise_hybrid(p.side[1].ns));
		assert_int_equal(noise_split(p.side[0].ns, &keys[0]), 0);
		assert_int_equal(noise_split(p.side[1].ns, &keys[1]), 0);
		assert_int_equal(
		    memcmp(keys[0].send, keys[1].recv, NOISE_KEY_LEN) == 0,
		    !keys[0].hybrid);
		pair_free(&p);
	}
}

/* Nobody between the two changes the offer or the answer, or takes it away. */
static void
test_hybrid_stripped(void **state)
{
	const enum noise_pattern patterns[] = { NOISE_XK, NOISE_KK };
	uint8_t msg[MSG_OFFER];
	struct buf view;
	struct pair p, q;

	for (size_t i = 0; i < 2; i++) {
		pair_init(&p, *state, patterns[i]);
		pair_record(&p, NULL);
		pair_init(&q, *state, patterns[i]);
		pair_record(&q, "");
		for (size_t j = 0; j < 2; j++) {
			size_t n = buf_len(&p.msg[j]);

			check_longer(&p, j);
			for (size_t at = 0; at < n; at += 7) {
				memcpy(msg, buf_ptr(&p.msg[j]), n);
				msg[at] ^= (uint8_t)(1U << at % 8);
				buf_view(&view, msg, n);
				assert_int_not_equal(
				    read_msg(reader_at(&p, j), &view), 0);
				buf_view(&view, buf_ptr(&p.msg[j]), at);
				assert_int_not_equal(
				    read_msg(reader_at(&p, j), &view), 0);
			}
			/* Cut down to what an empty payload would be. */
			memcpy(msg, buf_ptr(&p.msg[j]), MSG_EMPTY);
			memcpy(msg + KEY_PUBLIC_LEN,
			    buf_ptr(&p.msg[j]) + n - AEAD_TAG_LEN,
			    AEAD_TAG_LEN);
			buf_view(&view, msg, MSG_EMPTY);
			assert_int_equal(read_msg(reader_at(&p, j), &view),
			    SKY_ERR_AUTH);
		}
		/* The classical one's answer, with the very same keys. */
		assert_int_equal(read_msg(reader_at(&p, 1), &q.msg[1]),
		    SKY_ERR_AUTH);
		assert_int_equal(read_msg(reader_at(&q, 1), &p.msg[1]),
		    SKY_ERR_AUTH);
		pair_free(&p);
		pair_free(&q);
	}
}

/* --- turns --- */

static void
check_turn(struct pair *p, size_t i)
{
	struct noise *ns = reader_at(p, i);
	struct noise_keys keys;
	struct buf msg;

	/* Writing where reading is due. */
	buf_init(&msg, NOISE_MSG_MAX);
	assert_int_equal(noise_write(ns, NULL, &msg), SKY_ERR_STATE);
	check_dead(ns);
	/* Splitting too early. */
	ns = reader_at(p, i);
	assert_int_equal(noise_split(ns, &keys), SKY_ERR_STATE);
	check_dead(ns);
	/* Reading the same message twice. */
	ns = reader_at(p, i);
	assert_int_equal(read_msg(ns, &p->msg[i]), 0);
	assert_int_equal(read_msg(ns, &p->msg[i]), SKY_ERR_STATE);
	assert_int_equal(noise_split(ns, &keys), SKY_ERR_STATE);
	buf_free(&msg);
}

static void
test_turns(void **state)
{
	struct noise *ns;
	struct pair p;
	struct buf msg;

	for_each_message(*state, "", check_turn);
	pair_init(&p, *state, NOISE_XK);
	ns = open_side(&p, NOISE_INITIATOR);
	buf_init(&msg, NOISE_MSG_MAX);
	assert_int_equal(noise_write(ns, NULL, &msg), 0);
	assert_int_equal(noise_write(ns, NULL, &msg), SKY_ERR_STATE);
	assert_int_equal(buf_len(&msg), MSG_OFFER);
	buf_reset(&msg);
	assert_int_equal(read_msg(ns, &msg), SKY_ERR_STATE);
	assert_int_equal(read_msg(open_side(&p, NOISE_INITIATOR), &msg),
	    SKY_ERR_STATE);
	buf_free(&msg);
	pair_free(&p);
}

static void
test_after_the_end(void **state)
{
	const enum noise_pattern patterns[] = { NOISE_XK, NOISE_KK };
	struct noise_keys keys;
	struct buf msg;
	struct pair p;

	for (size_t i = 0; i < 4; i++) {
		pair_init(&p, *state, patterns[i / 2]);
		pair_record(&p, "");
		buf_init(&msg, NOISE_MSG_MAX);
		assert_int_equal(noise_split(p.side[i % 2].ns, &keys), 0);
		assert_int_equal(noise_split(p.side[i % 2].ns, &keys),
		    SKY_ERR_STATE);
		assert_true(noise_done(p.side[i % 2].ns));
		assert_true(key_equal(noise_peer(p.side[i % 2].ns),
		    &p.side[1 - i % 2].pk));
		assert_int_equal(noise_write(p.side[i % 2].ns, NULL, &msg),
		    SKY_ERR_STATE);
		assert_int_equal(noise_write(p.side[1 - i % 2].ns, NULL, &msg),
		    SKY_ERR_STATE);
		assert_int_equal(noise_split(p.side[1 - i % 2].ns, &keys),
		    SKY_ERR_STATE);
		buf_free(&msg);
		pair_free(&p);
	}
}

/* --- sizes --- */

/* Writes message 1 with a payload of n bytes; the other side reads it. */
static void
check_payload(struct pair *p, size_t n, size_t room, int want)
{
	struct noise *ns = open_side(p, NOISE_INITIATOR);
	struct buf payload, msg, got;
	uint8_t *bytes;

	buf_init(&payload, ROOM);
	buf_init(&msg, room);
	buf_init(&got, ROOM);
	assert_int_equal(buf_extend(&payload, n, &bytes), 0);
	memset(bytes, 0x5a, n);
	assert_int_equal(buf_put(&msg, "xyz", 3), 0);
	assert_int_equal(noise_write(ns, &payload, &msg), want);
	if (want == 0) {
		assert_int_equal(buf_len(&msg), 3 + MSG_EMPTY + n);
		assert_int_equal(buf_skip(&msg, 3), 0);
		assert_int_equal(
		    noise_read(open_side(p, NOISE_RESPONDER), &msg, &got), 0);
		assert_int_equal(buf_len(&got), n);
	} else {
		assert_int_equal(buf_len(&msg), 3);
		check_dead(ns);
	}
	buf_free(&payload);
	buf_free(&msg);
	buf_free(&got);
}

static void
test_write_limits(void **state)
{
	const size_t most = NOISE_MSG_MAX - MSG_EMPTY;
	struct pair p;

	pair_init(&p, *state, NOISE_XK);
	check_payload(&p, 0, ROOM, 0);
	check_payload(&p, most, ROOM, 0);
	check_payload(&p, most + 1, ROOM, SKY_ERR_LIMIT);
	check_payload(&p, NOISE_MSG_MAX, ROOM, SKY_ERR_LIMIT);
	check_payload(&p, NOISE_MSG_MAX + 1, ROOM, SKY_ERR_LIMIT);
	check_payload(&p, 10, 3 + MSG_EMPTY + 10, 0);
	check_payload(&p, 10, 3 + MSG_EMPTY + 9, SKY_ERR_LIMIT);
	check_payload(&p, 10, 3 + KEY_PUBLIC_LEN, SKY_ERR_LIMIT);
	check_payload(&p, 10, 3 + KEY_PUBLIC_LEN - 1, SKY_ERR_LIMIT);
	check_payload(&p, 10, 3, SKY_ERR_LIMIT);
	pair_free(&p);
}

static void
test_write_into_view(void **state)
{
	struct noise *ns;
	struct pair p;
	struct buf msg;

	pair_init(&p, *state, NOISE_XK);
	ns = open_side(&p, NOISE_INITIATOR);
	buf_view(&msg, "x", 1);
	assert_int_equal(noise_write(ns, NULL, &msg), SKY_ERR_RDONLY);
	assert_int_equal(buf_len(&msg), 1);
	check_dead(ns);
	pair_free(&p);
}

static void
test_read_limits(void **state)
{
	static uint8_t msg[NOISE_MSG_MAX + 1];
	struct noise *ns;
	struct buf view, got;
	struct pair p;

	pair_init(&p, *state, NOISE_XK);
	pair_record(&p, "");
	memcpy(msg, buf_ptr(&p.msg[0]), MSG_EMPTY);
	for (size_t n = NOISE_MSG_MAX; n <= sizeof(msg); n++) {
		ns = reader_at(&p, 0);
		buf_view(&view, msg, n);
		assert_int_equal(read_msg(ns, &view),
		    n > NOISE_MSG_MAX ? SKY_ERR_LIMIT : SKY_ERR_AUTH);
		check_dead(ns);
	}
	pair_free(&p);
	/* A payload for which the reader has no room. */
	pair_init(&p, *state, NOISE_XK);
	pair_record(&p, "ten bytes.");
	for (size_t room = 9; room <= 10; room++) {
		ns = reader_at(&p, 0);
		buf_init(&got, room);
		assert_int_equal(read_bytes(ns, buf_ptr(&p.msg[0]),
				     buf_len(&p.msg[0]), &got),
		    room == 10 ? 0 : SKY_ERR_LIMIT);
		assert_int_equal(buf_len(&got), room == 10 ? 10 : 0);
		if (room == 9)
			check_dead(ns);
		buf_free(&got);
	}
	pair_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_xk),
		cmocka_unit_test(test_kk),
		cmocka_unit_test(test_xk_declined),
		cmocka_unit_test(test_xk_hybrid),
		cmocka_unit_test(test_kk_hybrid),
		cmocka_unit_test(test_dmsg_vectors),
		cmocka_unit_test(test_fresh_keys),
		cmocka_unit_test(test_ephemerals_are_random),
		cmocka_unit_test(test_peer_is_known_when_proven),
		cmocka_unit_test(test_new_refuses_keys),
		cmocka_unit_test(test_set_ephemeral),
		cmocka_unit_test(test_bad_ephemeral),
		cmocka_unit_test(test_bad_static),
		cmocka_unit_test(test_wrong_peer),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_every_bit),
		cmocka_unit_test(test_longer),
		cmocka_unit_test(test_payload_tampered),
		cmocka_unit_test(test_out_of_place),
		cmocka_unit_test(test_other_pattern),
		cmocka_unit_test(test_hybrid_and_classical),
		cmocka_unit_test(test_hybrid_other_payloads),
		cmocka_unit_test(test_hybrid_stripped),
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_after_the_end),
		cmocka_unit_test(test_write_limits),
		cmocka_unit_test(test_write_into_view),
		cmocka_unit_test(test_read_limits),
	};

	return cmocka_run_group_tests_name("noise", tests, keyctx_start,
	    keyctx_stop);
}
