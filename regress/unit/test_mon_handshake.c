/* SPDX-License-Identifier: ISC */
/*
 * handshake, kk: who gets the keys of a session.  A peer of the test's own
 * makes the messages; what its child may do meanwhile is tried as well.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/dmsg/dmsg_object.h"
#include "common/pty/aead.h"
#include "common/pty/frame.h"
#include "regress/unit/mon_world.h"

#define ROOM 65536

/* --- the peer --- */

static struct {
	struct noise *n;
	struct buf msg, payload;
} peer;

static void
peer_begin(enum noise_pattern pattern)
{
	buf_init(&peer.msg, ROOM);
	buf_init(&peer.payload, ROOM);
	assert_int_equal(noise_new(&peer.n, mw.keys, pattern, NOISE_INITIATOR,
			     mw.peer, &mw.own_pk),
	    0);
}

static void
peer_end(void)
{
	noise_free(peer.n);
	buf_free(&peer.msg);
	buf_free(&peer.payload);
	mw_end();
}

/* Its next message, in peer.msg. */
static void
peer_write(void)
{
	buf_reset(&peer.msg);
	assert_int_equal(noise_write(peer.n, NULL, &peer.msg), 0);
}

/* Asks with peer.msg; the answer's first byte. */
static int
ask_message(unsigned type)
{
	struct buf *b;
	uint8_t what;

	b = mw_answered(type, buf_ptr(&peer.msg), buf_len(&peer.msg));
	assert_int_equal(buf_get_u8(b, &what), 0);
	return what;
}

/* Nothing secret is left, and nothing is to be had any more. */
static void
is_refused(void)
{
	assert_int_equal(mon.half.phase, MON_REFUSED);
	assert_int_equal(mon.half.grants, 0);
	assert_null(mon.half.start.sk);
	assert_null(mon.noise);
	assert_null(mon.kk);
	assert_int_equal(buf_len(&mw.got.body), 0);
	mw_refused(PM_HANDSHAKE, "x", 1);
	mw_refused(PM_FIRST_FRAME, "x", 1);
	mw_refused(PM_SFTP_START, NULL, 0);
}

/* With the key that seals the reason, and nothing to read by. */
static void
is_turned_away(const struct noise_keys *theirs, const char *why)
{
	uint8_t send[NOISE_KEY_LEN];
	char text[256] = "";
	struct buf *b = &mw.got.body;

	assert_int_equal(buf_get(b, send, sizeof(send)), 0);
	assert_memory_equal(send, theirs->recv, sizeof(send));
	assert_true(buf_len(b) < sizeof(text));
	assert_int_equal(buf_len(b) == 0, *why == '\0');
	assert_int_equal(buf_get(b, text, buf_len(b)), 0);
	assert_non_null(strstr(text, why));
	is_refused();
}

/* The monitor's answer to DONE: the peer, its grants and the keys. */
static void
read_session(struct noise_keys *k)
{
	struct buf *b = &mw.got.body;
	struct key_public pk;
	uint32_t grants, idle;

	assert_int_equal(buf_get(b, pk.b, sizeof(pk.b)), 0);
	assert_int_equal(buf_get_u32(b, &grants), 0);
	assert_int_equal(buf_get_u32(b, &idle), 0);
	assert_int_equal(buf_get(b, k->send, sizeof(k->send)), 0);
	assert_int_equal(buf_get(b, k->recv, sizeof(k->recv)), 0);
	assert_true(key_equal(&pk, &mw.peer_pk));
	assert_int_equal(grants, PRIV_GRANTS_KEY);
	assert_int_equal(idle, 0);
	assert_int_equal(mon.half.grants, grants);
	assert_int_equal(mon.half.phase, MON_SESSION);
	assert_null(mon.half.start.sk);
	assert_null(mon.noise);
	assert_null(mon.half.keyctx);
}

/* skyptyd's word about the peer's key, said before it is asked. */
static void
room(bool ok)
{
	uint8_t byte = ok;

	mw_parent_says(PM_AUTH + 1, &byte, 1, NULL, 0);
}

/* It was asked so often, about the peer's key and no other. */
static void
asked_for_room(unsigned times)
{
	struct privmsg m = { 0 };
	struct key_public pk;
	uint32_t max;
	unsigned type;

	while ((type = mw_parent_hears(&m)) != 0) {
		if (type == PM_TURN)
			continue;
		assert_int_equal(type, PM_AUTH);
		assert_int_equal(buf_get(&m.body, pk.b, sizeof(pk.b)), 0);
		assert_true(key_equal(&pk, &mw.peer_pk));
		assert_int_equal(buf_get_u32(&m.body, &max), 0);
		assert_int_equal(max, 0);
		assert_int_equal(buf_at_end(&m.body), 0);
		assert_true(times-- > 0);
	}
	assert_int_equal(times, 0);
	privmsg_free(&m);
}

/* --- XK --- */

/* Up to message 3, which is in peer.msg then. */
static void
come_to_third(void)
{
	mw_begin(PRIV_XK);
	peer_begin(NOISE_XK);
	peer_write();
	assert_int_equal(ask_message(PM_HANDSHAKE), PRIV_FRAME);
	assert_int_equal(noise_read(peer.n, &mw.got.body, &peer.payload), 0);
	peer_write();
}

static void
test_xk(void **state)
{
	struct noise_keys theirs, ours;

	(void)state;
	come_to_third();
	asked_for_room(0);
	room(true);
	assert_int_equal(ask_message(PM_HANDSHAKE), PRIV_DONE);
	read_session(&ours);
	assert_int_equal(buf_len(&mw.got.body), 0);
	assert_int_equal(noise_split(peer.n, &theirs), 0);
	assert_memory_equal(ours.send, theirs.recv, sizeof(ours.send));
	assert_memory_equal(ours.recv, theirs.send, sizeof(ours.recv));
	asked_for_room(1);
	mw_refused(PM_HANDSHAKE, "x", 1);
	peer_end();
}

static void
test_xk_unlisted(void **state)
{
	(void)state;
	come_to_third();
	mon.half.start.nwl = 0;
	room(true);
	assert_int_equal(ask_message(PM_HANDSHAKE), PRIV_REFUSED);
	is_refused();
	asked_for_room(0);
	peer_end();
}

static void
test_xk_own_key(void **state)
{
	(void)state;
	come_to_third();
	mon.half.start.nwl = 0;
	mon.half.start.pk = mw.peer_pk;
	room(true);
	assert_int_equal(ask_message(PM_HANDSHAKE), PRIV_DONE);
	peer_end();
}

static void
test_xk_no_room(void **state)
{
	struct noise_keys theirs;

	(void)state;
	come_to_third();
	room(false);
	assert_int_equal(ask_message(PM_HANDSHAKE), PRIV_TURNED_AWAY);
	assert_int_equal(noise_split(peer.n, &theirs), 0);
	is_turned_away(&theirs, "maxperkey");
	asked_for_room(1);
	peer_end();
	/* Whatever else skyptyd says is no permission. */
	come_to_third();
	mw_parent_says(PM_STREAM + 1, "\1", 1, NULL, 0);
	assert_int_equal(ask_message(PM_HANDSHAKE), PRIV_TURNED_AWAY);
	assert_int_equal(noise_split(peer.n, &theirs), 0);
	is_turned_away(&theirs, "maxperkey");
	peer_end();
}

/* A list that cannot be read lets nobody in, whatever the others say. */
static void
test_xk_unreadable_list(void **state)
{
	char path[] = "/nowhere/skypty.json";

	(void)state;
	come_to_third();
	mon.half.start.conf = path;
	room(true);
	assert_int_equal(ask_message(PM_HANDSHAKE), PRIV_REFUSED);
	is_refused();
	mon.half.start.conf = mw.none;
	peer_end();
}

/* Each byte changed, and cut at each: never a session. */
static void
test_xk_bad_messages(void **state)
{
	static uint8_t bytes[NOISE_MSG_MAX];
	size_t n = 1;

	(void)state;
	for (size_t third = 0; third < 2; third++)
		for (size_t i = 0; i < 2 * n; i++) {
			if (third)
				come_to_third();
			else {
				mw_begin(PRIV_XK);
				peer_begin(NOISE_XK);
				peer_write();
			}
			n = buf_len(&peer.msg);
			memcpy(bytes, buf_ptr(&peer.msg), n);
			buf_reset(&peer.msg);
			if (i < n)
				bytes[i] ^= 0x10;
			assert_int_equal(
			    buf_put(&peer.msg, bytes, i < n ? n : i - n), 0);
			room(true);
			assert_int_equal(ask_message(PM_HANDSHAKE),
			    PRIV_REFUSED);
			is_refused();
			asked_for_room(0);
			peer_end();
		}
}

/* --- KK --- */

/* dmsg's word: key, hash of the request, and the peer's message. */
static void
put_request(const uint8_t *hash)
{
	struct buf b;

	peer_write();
	buf_init(&b, ROOM);
	assert_int_equal(buf_put(&b, mw.peer_pk.b, KEY_PUBLIC_LEN), 0);
	assert_int_equal(buf_put(&b, hash, DMSG_HASH_LEN), 0);
	assert_int_equal(buf_put(&b, buf_ptr(&peer.msg), buf_len(&peer.msg)),
	    0);
	buf_free(&peer.msg);
	peer.msg = b;
}

/* Its answer is signed by us, and holds message 2. */
static void
take_response(const uint8_t *hash)
{
	struct dmsg_response resp;
	struct buf sig, gob;

	assert_int_equal(dmsg_split_signed(&mw.got.body, &sig, &gob), 0);
	assert_int_equal(key_verify(mw.keys, &mw.own_pk, buf_ptr(&gob),
			     buf_len(&gob), buf_ptr(&sig)),
	    0);
	assert_int_equal(dmsg_get_response(&gob, &resp), 0);
	assert_true(resp.accepted);
	assert_memory_equal(resp.req_hash, hash, DMSG_HASH_LEN);
	assert_int_equal(noise_read(peer.n, &resp.noise, &peer.payload), 0);
}

static void
put_frame(const struct noise_keys *k, uint64_t counter, const char *text)
{
	size_t n = strlen(text);
	uint8_t *p;

	buf_reset(&peer.msg);
	assert_int_equal(buf_put_u64(&peer.msg, counter), 0);
	assert_int_equal(buf_extend(&peer.msg, n + FRAME_TAG_LEN, &p), 0);
	assert_int_equal(
	    aead_seal(k->send, counter, NULL, (const uint8_t *)text, n, p), 0);
}

/* Up to where the first frame is due. */
static void
come_to_frame(struct noise_keys *k)
{
	static const uint8_t hash[DMSG_HASH_LEN] = "hash of a request";

	mw_begin(PRIV_KK);
	peer_begin(NOISE_KK);
	mw_refused(PM_HANDSHAKE, "x", 1);
	put_request(hash);
	mw_refused(PM_FIRST_FRAME, buf_ptr(&peer.msg), buf_len(&peer.msg));
	assert_int_equal(ask_message(PM_KK_REQUEST), PRIV_FRAME);
	take_response(hash);
	assert_int_equal(noise_split(peer.n, k), 0);
	assert_int_equal(mon.half.phase, MON_FIRST);
	assert_int_equal(mon.half.grants, 0);
	mw_refused(PM_KK_REQUEST, buf_ptr(&peer.msg), buf_len(&peer.msg));
	mw_refused(PM_SFTP_START, NULL, 0);
	asked_for_room(0);
}

static void
test_kk(void **state)
{
	struct noise_keys theirs, ours;
	uint64_t counter;

	(void)state;
	come_to_frame(&theirs);
	put_frame(&theirs, 3, "first words");
	room(true);
	assert_int_equal(ask_message(PM_FIRST_FRAME), PRIV_DONE_KK);
	read_session(&ours);
	assert_memory_equal(ours.send, theirs.recv, sizeof(ours.send));
	assert_memory_equal(ours.recv, theirs.send, sizeof(ours.recv));
	assert_int_equal(buf_get_u64(&mw.got.body, &counter), 0);
	assert_int_equal(counter, 3);
	assert_int_equal(buf_len(&mw.got.body), 11);
	assert_memory_equal(buf_ptr(&mw.got.body), "first words", 11);
	assert_null(mon.kk);
	asked_for_room(1);
	mw_refused(PM_FIRST_FRAME, buf_ptr(&peer.msg), buf_len(&peer.msg));
	peer_end();
}

/* Who is not listed gets the key that seals one byte, and nothing to read by.
 */
static void
test_kk_unlisted(void **state)
{
	struct noise_keys theirs;

	(void)state;
	come_to_frame(&theirs);
	mon.half.start.nwl = 0;
	put_frame(&theirs, 1, "x");
	room(true);
	assert_int_equal(ask_message(PM_FIRST_FRAME), PRIV_TURNED_AWAY);
	is_turned_away(&theirs, "");
	asked_for_room(0);
	peer_end();
	/* One that is, but has no room, is told so. */
	come_to_frame(&theirs);
	put_frame(&theirs, 1, "x");
	room(false);
	assert_int_equal(ask_message(PM_FIRST_FRAME), PRIV_TURNED_AWAY);
	is_turned_away(&theirs, "maxperkey");
	asked_for_room(1);
	peer_end();
}

/* A relay that replays a request cannot make the frame behind it. */
static void
test_kk_bad_frames(void **state)
{
	static uint8_t bytes[FRAME_BODY_MAX];
	struct noise_keys theirs;
	size_t n = 1;

	(void)state;
	for (size_t i = 0; i < 2 * n + 1; i++) {
		come_to_frame(&theirs);
		put_frame(&theirs, i == 2 * n ? 0 : 1, "x");
		n = buf_len(&peer.msg);
		memcpy(bytes, buf_ptr(&peer.msg), n);
		if (i < n)
			bytes[i] ^= 1;
		if (i < 2 * n) {
			buf_reset(&peer.msg);
			assert_int_equal(
			    buf_put(&peer.msg, bytes, i < n ? n : i - n), 0);
		}
		room(true);
		assert_int_equal(ask_message(PM_FIRST_FRAME), PRIV_REFUSED);
		is_refused();
		asked_for_room(0);
		peer_end();
	}
}

/* dmsg claims another key than the caller's: there is no answer. */
static void
test_kk_bad_requests(void **state)
{
	static const uint8_t hash[DMSG_HASH_LEN] = { 1 };
	static uint8_t bytes[NOISE_MSG_MAX];
	struct key_public pk;
	uint8_t sk[KEY_SECRET_LEN];
	size_t n = 1;

	(void)state;
	for (size_t i = 0; i <= n; i++) {
		mw_begin(PRIV_KK);
		peer_begin(NOISE_KK);
		put_request(hash);
		n = buf_len(&peer.msg);
		memcpy(bytes, buf_ptr(&peer.msg), n);
		mw_secret(sk, &pk);
		if (i == n)
			memcpy(bytes, pk.b, sizeof(pk.b));
		else if (i < KEY_PUBLIC_LEN ||
		    i >= KEY_PUBLIC_LEN + DMSG_HASH_LEN)
			bytes[i] ^= 4;
		buf_reset(&peer.msg);
		assert_int_equal(buf_put(&peer.msg, bytes, n), 0);
		if (i >= KEY_PUBLIC_LEN && i < KEY_PUBLIC_LEN + DMSG_HASH_LEN)
			assert_int_equal(ask_message(PM_KK_REQUEST),
			    PRIV_FRAME);
		else {
			assert_int_equal(ask_message(PM_KK_REQUEST),
			    PRIV_REFUSED);
			is_refused();
		}
		peer_end();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_xk),
		cmocka_unit_test(test_xk_unlisted),
		cmocka_unit_test(test_xk_own_key),
		cmocka_unit_test(test_xk_no_room),
		cmocka_unit_test(test_xk_unreadable_list),
		cmocka_unit_test(test_xk_bad_messages),
		cmocka_unit_test(test_kk),
		cmocka_unit_test(test_kk_unlisted),
		cmocka_unit_test(test_kk_bad_frames),
		cmocka_unit_test(test_kk_bad_requests),
	};

	return cmocka_run_group_tests_name("mon_handshake", tests, NULL, NULL);
}
