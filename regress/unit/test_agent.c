/* SPDX-License-Identifier: ISC */
/*
 * What an agent does with packets: handshakes with a real responder, signed
 * requests, limits of time and number, the lock; and packets cut at each byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <string.h>

#include "client/agent/agent.h"
#include "common/base/err.h"
#include "common/dmsg/dmsg_object.h"
#include "common/pty/mlkem.h"
#include "common/pty/noise.h"

#define NOW 1000000

static struct {
	struct keyctx *kc;
	struct agent *agent;
	size_t conn;
	uint8_t sk[KEY_SECRET_LEN], peer_sk[KEY_SECRET_LEN];
	struct key_public pk, peer;
	struct buf out;
	struct agent_question ask;
	enum agent_then then;
} t;

static int
start(void **state)
{
	(void)state;
	t.kc = keyctx_new();
	t.agent = agent_new(t.kc, 0);
	if (t.kc == NULL || t.agent == NULL ||
	    !agent_join(t.agent, NOW, &t.conn))
		return -1;
	buf_init(&t.out, AGENT_MSG_MAX);
	(void)key_generate(t.kc, t.sk);
	(void)key_generate(t.kc, t.peer_sk);
	(void)key_public(t.kc, t.sk, &t.pk);
	return key_public(t.kc, t.peer_sk, &t.peer);
}

static int
stop(void **state)
{
	(void)state;
	agent_free(t.agent);
	keyctx_free(t.kc);
	buf_free(&t.out);
	return 0;
}

/* --- asking --- */

static struct agent_list list;

/* Its answer, borrowed from t.out. */
static struct agent_answer
send_bytes(size_t conn, const void *p, size_t n, int64_t now)
{
	struct agent_answer a = { .list = &list };
	struct buf view;

	memcpy(agent_packet(t.agent), p, n);
	t.then = agent_take(t.agent, conn, n, now, &t.out, &t.ask);
	assert_true(sodium_is_zero(agent_packet(t.agent), n));
	buf_view(&view, buf_ptr(&t.out), buf_len(&t.out));
	assert_int_equal(agent_get_answer(&view, &a), 0);
	return a;
}

static struct agent_answer
ask_at(const struct agent_request *q, int64_t now)
{
	struct agent_answer a;
	struct buf b;

	buf_init(&b, AGENT_MSG_MAX);
	assert_int_equal(agent_put_request(&b, q), 0);
	a = send_bytes(t.conn, buf_ptr(&b), buf_len(&b), now);
	buf_free(&b);
	return a;
}

static struct agent_answer
ask(const struct agent_request *q)
{
	return ask_at(q, NOW);
}

static struct agent_answer
ask_type(uint8_t type)
{
	return ask(&(struct agent_request){ .type = type });
}

static void
says(struct agent_answer a, int why)
{
	assert_int_equal(a.type, why == 0 ? AGENT_OK : AGENT_FAIL);
	assert_int_equal(a.why, why);
}

static void
add(const uint8_t *sk, uint8_t flags, uint32_t life, int why)
{
	says(ask(&(struct agent_request){ .type = AGENT_ADD,
		 .secret = sk,
		 .add = { .flags = flags, .life = life, .comment = "a key" } }),
	    why);
}

static struct agent_answer
begin(uint8_t way)
{
	return ask(&(struct agent_request){ .type = AGENT_BEGIN,
	    .way = way,
	    .pk = t.pk,
	    .peer = t.peer,
	    .from = 50000,
	    .to = 22 });
}

/* --- handshakes --- */

/* The responder's message 2 for message 1. */
static void
respond(struct noise *n, struct buf *msg1, struct buf *msg2)
{
	struct buf payload;

	buf_init(&payload, NOISE_MSG_MAX);
	buf_init(msg2, NOISE_MSG_MAX);
	assert_int_equal(noise_read(n, msg1, &payload), 0);
	assert_int_equal(buf_len(&payload), MLKEM_PUBLIC_LEN);
	assert_int_equal(noise_write(n, NULL, msg2), 0);
	buf_free(&payload);
}

static struct agent_answer
finish(const struct buf *msg2)
{
	return ask(
	    &(struct agent_request){ .type = AGENT_FINISH, .message = *msg2 });
}

static void
same_keys(struct noise *n, const struct agent_answer *a)
{
	struct noise_keys keys;

	assert_int_equal(noise_split(n, &keys), 0);
	assert_true(key_equal(noise_peer(n), &t.pk));
	assert_memory_equal(keys.send, a->recv, sizeof(keys.send));
	assert_memory_equal(keys.recv, a->send, sizeof(keys.recv));
	assert_true(keys.hybrid && a->hybrid);
}

static void
does_xk(void **state)
{
	struct agent_answer a;
	struct buf msg2, payload;
	struct noise *n;

	(void)state;
	add(t.sk, 0, 0, 0);
	a = begin(AGENT_XK);
	assert_int_equal(a.type, AGENT_FIRST);
	assert_int_equal(
	    noise_new(&n, t.kc, NOISE_XK, NOISE_RESPONDER, t.peer_sk, NULL), 0);
	respond(n, &a.message, &msg2);
	a = finish(&msg2);
	assert_int_equal(a.type, AGENT_DONE);
	buf_init(&payload, NOISE_MSG_MAX);
	assert_int_equal(noise_read(n, &a.message, &payload), 0);
	same_keys(n, &a);
	/* Once. */
	says(finish(&msg2), AGENT_WHY_STATE);
	noise_free(n);
	buf_free(&payload);
	buf_free(&msg2);
}

static void
does_kk_and_signs(void **state)
{
	struct buf sig, gob, msg2;
	struct agent_answer a;
	struct dmsg_request q;
	struct noise *n;

	(void)state;
	add(t.sk, 0, 0, 0);
	a = begin(AGENT_DIAL);
	assert_int_equal(a.type, AGENT_FIRST);
	assert_int_equal(dmsg_split_signed(&a.message, &sig, &gob), 0);
	assert_int_equal(key_verify(t.kc, &t.pk, buf_ptr(&gob), buf_len(&gob),
			     buf_ptr(&sig)),
	    0);
	assert_int_equal(dmsg_get_request(&gob, &q), 0);
	assert_true(key_equal(&q.src.pk, &t.pk));
	assert_true(key_equal(&q.dst.pk, &t.peer));
	assert_int_equal(q.src.port, 50000);
	assert_int_equal(q.dst.port, 22);
	assert_int_equal(
	    noise_new(&n, t.kc, NOISE_KK, NOISE_RESPONDER, t.peer_sk, &t.pk),
	    0);
	respond(n, &q.noise, &msg2);
	a = finish(&msg2);
	assert_int_equal(a.type, AGENT_DONE);
	assert_int_equal(buf_len(&a.message), 0);
	same_keys(n, &a);
	noise_free(n);
	buf_free(&msg2);
}

/* A message 2 of somebody else, cut or changed: no keys, and the end. */
static void
proves_or_ends(void **state)
{
	struct agent_answer a;
	struct buf msg2, cut;
	struct noise *n;
	uint8_t copy[NOISE_MSG_MAX];
	size_t len;

	(void)state;
	add(t.sk, 0, 0, 0);
	for (size_t i = 0; i < 50; i++) {
		a = begin(AGENT_XK);
		assert_int_equal(noise_new(&n, t.kc, NOISE_XK, NOISE_RESPONDER,
				     t.peer_sk, NULL),
		    0);
		respond(n, &a.message, &msg2);
		len = buf_len(&msg2);
		assert_true(len <= sizeof(copy));
		memcpy(copy, buf_ptr(&msg2), len);
		if (i % 2 == 0)
			copy[i * 23 % len] ^= 1;
		buf_view(&cut, copy, i % 2 == 0 ? len : i * 23 % len);
		says(finish(&cut), AGENT_WHY_PROOF);
		says(finish(&msg2), AGENT_WHY_STATE);
		noise_free(n);
		buf_free(&msg2);
	}
	/* Bad keys of a peer. */
	t.peer.b[0] = 4;
	says(begin(AGENT_XK), AGENT_WHY_MALFORMED);
	t.peer.b[0] = 2;
	memset(t.peer.b + 1, 0xff, 32);
	says(begin(AGENT_DIAL), AGENT_WHY_MALFORMED);
}

/* --- keys --- */

static void
lists_and_forgets(void **state)
{
	struct agent_request gone = { .type = AGENT_REMOVE, .pk = t.pk };
	uint8_t zero[KEY_SECRET_LEN] = { 0 }, sk[KEY_SECRET_LEN];
	struct buf none = { 0 };

	(void)state;
	says(begin(AGENT_XK), AGENT_WHY_NO_KEY);
	add(zero, 0, 0, AGENT_WHY_MALFORMED);
	add(t.sk, AGENT_CONFIRM, 60, 0);
	assert_int_equal(ask_type(AGENT_LIST).type, AGENT_KEYS);
	assert_int_equal(list.n, 1);
	assert_int_equal(list.key[0].life, 60);
	assert_int_equal(list.key[0].flags, AGENT_CONFIRM);
	assert_string_equal(list.key[0].comment, "a key");
	/* Again: as it is said now, and not twice. */
	add(t.sk, 0, 0, 0);
	(void)ask_type(AGENT_LIST);
	assert_int_equal(list.n, 1);
	assert_int_equal(list.key[0].life, 0);
	/* What goes on with it ends with it. */
	assert_int_equal(begin(AGENT_XK).type, AGENT_FIRST);
	gone.pk = t.pk;
	says(ask(&gone), 0);
	says(ask(&gone), AGENT_WHY_NO_KEY);
	says(finish(&none), AGENT_WHY_STATE);
	for (size_t i = 0; i < AGENT_KEYS_MAX; i++) {
		(void)key_generate(t.kc, sk);
		add(sk, 0, 0, 0);
	}
	add(t.sk, 0, 0, AGENT_WHY_FULL);
	says(ask_type(AGENT_REMOVE_ALL), 0);
	(void)ask_type(AGENT_LIST);
	assert_int_equal(list.n, 0);
	says(ask_type(AGENT_QUIT), 0);
	assert_int_equal(t.then, AGENT_THEN_END);
}

static void
keeps_time(void **state)
{
	bool over[AGENT_CONNS_MAX];

	(void)state;
	add(t.sk, 0, 2, 0);
	assert_int_equal(agent_next(t.agent), NOW + 2000);
	agent_expire(t.agent, NOW + 1999, over);
	assert_int_equal(begin(AGENT_XK).type, AGENT_FIRST);
	agent_expire(t.agent, NOW + 2000, over);
	assert_false(over[t.conn]);
	says(begin(AGENT_XK), AGENT_WHY_NO_KEY);
	/* As long as a ProxyCommand may take, and much longer. */
	add(t.sk, 0, 0, 0);
	assert_int_equal(begin(AGENT_XK).type, AGENT_FIRST);
	agent_expire(t.agent, NOW + 300000, over);
	assert_false(over[t.conn]);
	agent_expire(t.agent, NOW + AGENT_SHAKE_MS, over);
	assert_true(over[t.conn]);
	says(ask_type(AGENT_REMOVE_ALL), 0);
	agent_expire(t.agent, NOW + AGENT_IDLE_MS, over);
	assert_true(over[t.conn]);
}

static void
asks_first(void **state)
{
	struct agent_answer a = { .list = NULL };
	struct buf view;
	size_t conn;

	(void)state;
	add(t.sk, AGENT_CONFIRM, 0, 0);
	assert_int_equal(begin(AGENT_XK).type, AGENT_ASKING);
	assert_int_equal(t.then, AGENT_THEN_ASK);
	assert_int_equal(agent_asks(t.agent, t.conn), t.ask.number);
	assert_true(key_equal(&t.ask.peer, &t.peer));
	assert_string_equal(t.ask.comment, "a key");
	assert_false(
	    agent_decide(t.agent, t.ask.number + 1, true, NOW, &conn, &t.out));
	assert_true(
	    agent_decide(t.agent, t.ask.number, true, NOW, &conn, &t.out));
	assert_int_equal(conn, t.conn);
	buf_view(&view, buf_ptr(&t.out), buf_len(&t.out));
	assert_int_equal(agent_get_answer(&view, &a), 0);
	assert_int_equal(a.type, AGENT_FIRST);
	assert_int_equal(agent_asks(t.agent, t.conn), 0);
	/* An answer counts once. */
	assert_false(
	    agent_decide(t.agent, t.ask.number, true, NOW, &conn, &t.out));
	assert_int_equal(begin(AGENT_XK).type, AGENT_ASKING);
	assert_true(
	    agent_decide(t.agent, t.ask.number, false, NOW, &conn, &t.out));
	buf_view(&view, buf_ptr(&t.out), buf_len(&t.out));
	assert_int_equal(agent_get_answer(&view, &a), 0);
	says(a, AGENT_WHY_REFUSED);
	/* Who speaks meanwhile gets nothing any more. */
	assert_int_equal(begin(AGENT_XK).type, AGENT_ASKING);
	says(ask_type(AGENT_LIST), AGENT_WHY_MALFORMED);
	assert_false(
	    agent_decide(t.agent, t.ask.number, true, NOW, &conn, &t.out));
	/* A yes for a key that is gone. */
	assert_int_equal(begin(AGENT_XK).type, AGENT_ASKING);
	assert_true(agent_join(t.agent, NOW, &conn));
	says(send_bytes(conn, "\x08", 1, NOW), 0);
	assert_int_equal(agent_asks(t.agent, t.conn), 0);
	assert_true(
	    agent_decide(t.agent, t.ask.number, true, NOW, &conn, &t.out));
	buf_view(&view, buf_ptr(&t.out), buf_len(&t.out));
	assert_int_equal(agent_get_answer(&view, &a), 0);
	says(a, AGENT_WHY_NO_KEY);
}

static struct agent_answer
unlock(uint8_t with, int64_t now)
{
	uint8_t hash[AGENT_HASH_LEN];

	memset(hash, with, sizeof(hash));
	return ask_at(
	    &(struct agent_request){ .type = AGENT_UNLOCK, .secret = hash },
	    now);
}

static void
locks(void **state)
{
	uint8_t hash[AGENT_HASH_LEN] = { 0 }, salt[AGENT_SALT_LEN];
	struct agent_request lock = { .type = AGENT_LOCK, .secret = hash };
	bool over[AGENT_CONNS_MAX];
	struct buf none = { 0 };
	int64_t now = NOW;

	(void)state;
	says(unlock(0, NOW), AGENT_WHY_STATE);
	add(t.sk, 0, 0, 0);
	assert_int_equal(begin(AGENT_XK).type, AGENT_FIRST);
	memcpy(salt, ask_type(AGENT_SALT).salt, sizeof(salt));
	says(ask(&lock), 0);
	says(ask(&lock), AGENT_WHY_LOCKED);
	says(begin(AGENT_XK), AGENT_WHY_LOCKED);
	says(finish(&none), AGENT_WHY_LOCKED);
	says(ask_type(AGENT_REMOVE_ALL), AGENT_WHY_LOCKED);
	add(t.sk, 0, 0, AGENT_WHY_LOCKED);
	assert_int_equal(ask_type(AGENT_LIST).type, AGENT_KEYS);
	assert_true(list.locked && list.n == 0);
	assert_memory_equal(ask_type(AGENT_SALT).salt, salt, sizeof(salt));
	/* Each wrong one costs more time, up to a limit. */
	for (int i = 0; i < 10; i++) {
		says(unlock(1, now), AGENT_WHY_PASS);
		says(unlock(0, now + 249), AGENT_WHY_SOON);
		now += 16000;
	}
	says(unlock(0, now), 0);
	assert_memory_not_equal(ask_type(AGENT_SALT).salt, salt, sizeof(salt));
	says(finish(&none), AGENT_WHY_STATE);
	assert_int_equal(begin(AGENT_XK).type, AGENT_FIRST);
	/* A key whose time is over while it is sealed. */
	add(t.sk, 0, 5, 0);
	says(ask(&lock), 0);
	agent_expire(t.agent, NOW + 5000, over);
	says(unlock(0, now), 0);
	says(begin(AGENT_XK), AGENT_WHY_NO_KEY);
}

static void
takes_so_many(void **state)
{
	size_t conn;

	(void)state;
	for (size_t i = 1; i < AGENT_CONNS_MAX; i++)
		assert_true(agent_join(t.agent, NOW, &conn));
	assert_false(agent_join(t.agent, NOW, &conn));
	agent_leave(t.agent, 7);
	assert_true(agent_join(t.agent, NOW, &conn));
	assert_int_equal(conn, 7);
}

/* --- packets --- */

static void
is_exact(const struct agent_request *q)
{
	struct agent_request back;
	struct buf b, view;

	buf_init(&b, AGENT_MSG_MAX);
	assert_int_equal(agent_put_request(&b, q), 0);
	assert_int_equal(buf_put_u8(&b, 0), 0);
	for (size_t n = 0; n <= buf_len(&b); n++) {
		buf_view(&view, buf_ptr(&b), n);
		assert_int_equal(agent_get_request(&view, &back),
		    n + 1 == buf_len(&b) ? 0 : SKY_ERR_FORMAT);
	}
	buf_free(&b);
}

static void
packets_are_exact(void **state)
{
	struct agent_request q = { .type = AGENT_ADD,
		.secret = t.sk,
		.add = { .flags = AGENT_CONFIRM, .comment = "x" } };
	struct buf view;

	(void)state;
	is_exact(&q);
	is_exact(&(struct agent_request){ .type = AGENT_REMOVE, .pk = t.pk });
	is_exact(&(struct agent_request){ .type = AGENT_LOCK, .secret = t.sk });
	is_exact(&(struct agent_request){ .type = AGENT_LIST });
	is_exact(&(struct agent_request){ .type = AGENT_BEGIN, .pk = t.pk });
	is_exact(&(struct agent_request){ .type = AGENT_BEGIN,
	    .way = AGENT_DIAL,
	    .from = 1,
	    .to = 2 });
	q.add.flags = 2;
	says(ask(&q), AGENT_WHY_MALFORMED);
	q.add.flags = 0;
	memset(q.add.comment, 'c', AGENT_COMMENT_MAX);
	says(ask(&q), 0);
	says(ask(&(struct agent_request){ .type = AGENT_BEGIN,
		 .way = AGENT_DIAL,
		 .from = 0,
		 .to = 2 }),
	    AGENT_WHY_MALFORMED);
	says(ask(&(struct agent_request){ .type = AGENT_BEGIN, .way = 2 }),
	    AGENT_WHY_MALFORMED);
	for (unsigned type = 0; type < 256; type++)
		if (type % 2 != 0 || type > AGENT_QUIT || type == 0) {
			uint8_t byte = (uint8_t)type;

			says(send_bytes(t.conn, &byte, 1, NOW),
			    AGENT_WHY_MALFORMED);
		}
	buf_view(&view, t.sk, 0);
	assert_int_equal(agent_get_request(&view, &q), SKY_ERR_FORMAT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = { TEST(does_xk),
		TEST(does_kk_and_signs), TEST(proves_or_ends),
		TEST(lists_and_forgets), TEST(keeps_time), TEST(asks_first),
		TEST(locks), TEST(takes_so_many), TEST(packets_are_exact) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
