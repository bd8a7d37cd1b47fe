/* SPDX-License-Identifier: ISC */
/*
 * The handshake of a stream that came over dmsg.  Its request is answered at
 * once, as dmsg wants it, but the child gets no key and the whitelist is
 * not asked before a first frame has decrypted: a recorded request can be
 * replayed by any relay, the frame behind it cannot be made by one.
 */
#include <malloc.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/dmsg/dmsg_object.h"
#include "common/dmsg/dmsg_sign.h"
#include "common/pty/aead.h"
#include "common/pty/frame.h"
#include "monitor/handshake.h"
#include "monitor/kk.h"
#include "monitor/monitor.h"

int
kk_begin(struct monitor *m)
{
	m->half.phase = MON_KK;
	half_timer(&m->half, m->half.start.handshake_timeout);
	m->kk = sodium_malloc(sizeof(*m->kk));
	return m->kk != NULL ? 0 : SKY_ERR_NOMEM;
}

static void
kk_forget_keys(struct monitor *m)
{
	sodium_free(m->kk);
	m->kk = NULL;
}

/* A response is made from its parts: no other text is ever signed here. */
static int
kk_put_response(struct monitor *m, const uint8_t *hash, const struct buf *noise,
    struct buf *out)
{
	struct dmsg_response resp = { .accepted = true, .noise = *noise };

	memcpy(resp.req_hash, hash, sizeof(resp.req_hash));
	return dmsg_sign_response(m->half.keyctx, m->half.start.sk, &resp, out);
}

/* Both messages of KK. */
static int
kk_exchange(struct monitor *m, struct buf *first, struct buf *second)
{
	int r;

	if ((r = noise_new(&m->noise, m->half.keyctx, NOISE_KK, NOISE_RESPONDER,
		 m->half.start.sk, &m->peer)) == 0 &&
	    (r = noise_read(m->noise, first, NULL)) == 0 &&
	    (r = noise_write(m->noise, NULL, second)) == 0)
		r = noise_split(m->noise, m->kk);
	m->hybrid = r == 0 && m->kk->hybrid;
	return r;
}

static int
kk_answer_request(struct monitor *m, struct privmsg *msg, const uint8_t *hash)
{
	struct buf noise, b;
	int r;

	buf_init(&noise, NOISE_MSG_MAX);
	buf_init(&b, 1 + DMSG_SIG_LEN + NOISE_MSG_MAX);
	if ((r = kk_exchange(m, &msg->body, &noise)) == 0 &&
	    (r = buf_put_u8(&b, PRIV_FRAME)) == 0 &&
	    (r = kk_put_response(m, hash, &noise, &b)) == 0) {
		m->half.phase = MON_FIRST;
		half_answer(&m->half, msg, &b);
		handshake_turn(m);
	}
	buf_free(&noise);
	buf_free(&b);
	return r;
}

int
kk_request(struct half *h, struct privmsg *msg)
{
	struct monitor *m = monitor_of(h);
	uint8_t hash[DMSG_HASH_LEN];
	char text[KEY_PUBLIC_HEX];
	int r;

	if ((r = buf_get(&msg->body, m->peer.b, KEY_PUBLIC_LEN)) != 0 ||
	    (r = buf_get(&msg->body, hash, sizeof(hash))) != 0)
		return r;
	if ((r = kk_answer_request(m, msg, hash)) == 0)
		return 0;
	key_text(&m->peer, text);
	m->failure = PENALTY_HANDSHAKE;
	log_event(LOG_LEVEL_INFO, LOG_EVENT("handshake-failed"),
	    "Stream that claims %s: handshake failed: %s", text, err_text(r));
	kk_forget_keys(m);
	return handshake_refuse(m, msg);
}

/* --- the first frame --- */

/* counter u64, ciphertext, tag; the plaintext to out. */
static int
kk_open_frame(struct monitor *m, struct buf *body, uint64_t *counter,
    struct buf *out)
{
	uint8_t *p;
	size_t n;
	int r;

	if ((r = buf_get_u64(body, counter)) != 0)
		return r;
	if (*counter == 0 || buf_len(body) < FRAME_TAG_LEN)
		return SKY_ERR_FORMAT;
	n = buf_len(body) - FRAME_TAG_LEN;
	if ((r = buf_extend(out, n, &p)) != 0)
		return r;
	return aead_open(m->kk->recv, *counter, NULL, buf_ptr(body),
	    buf_len(body), p);
}

static int
kk_let_in(struct monitor *m, struct privmsg *msg, uint64_t counter,
    const struct buf *plain)
{
	struct buf b;
	int r;

	handshake_session(m);
	buf_init(&b, NOISE_MSG_MAX + 256);
	if ((r = handshake_put_keys(&b, m, PRIV_DONE_KK, m->kk)) == 0 &&
	    (r = buf_put_u64(&b, counter)) == 0 &&
	    (r = buf_put(&b, buf_ptr(plain), buf_len(plain))) == 0)
		half_answer(&m->half, msg, &b);
	buf_free(&b);
	kk_forget_keys(m);
	return r;
}

int
kk_first_frame(struct half *h, struct privmsg *msg)
{
	struct monitor *m = monitor_of(h);
	struct buf plain;
	uint64_t counter;
	const char *why;
	int r;

	buf_init(&plain, FRAME_BODY_MAX);
	if ((r = kk_open_frame(m, &msg->body, &counter, &plain)) != 0) {
		m->failure = PENALTY_HANDSHAKE;
		log_event(LOG_LEVEL_INFO, LOG_EVENT("handshake-failed"),
		    "The stream's first frame is not its caller's: %s",
		    err_text(r));
		kk_forget_keys(m);
		r = handshake_refuse(m, msg);
	} else if (handshake_allowed(m, &why))
		r = kk_let_in(m, msg, counter, &plain);
	else {
		/* Sealed; also to a stranger the mux's answer is due here. */
		r = handshake_turn_away(m, msg, m->kk->send, why);
		kk_forget_keys(m);
	}
	buf_free(&plain);
	return r;
}
