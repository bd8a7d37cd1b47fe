/* SPDX-License-Identifier: ISC */
/*
 * The Noise handshake, run here and not in the child: so it is cryptography
 * that tells the monitor who the peer is, and a child that lies gets nothing.
 */
#include <errno.h>
#include <malloc.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "monitor/about.h"
#include "monitor/handshake.h"
#include "monitor/monitor.h"
#include "monitor/session.h"
#include "monitor/whitelist.h"

int
handshake_begin(struct monitor *m)
{
	m->half.phase = MON_HANDSHAKE;
	half_timer(&m->half, m->half.start.handshake_timeout);
	return noise_new(&m->noise, m->half.keyctx, NOISE_XK, NOISE_RESPONDER,
	    m->half.start.sk, NULL);
}

void
handshake_end(struct monitor *m)
{
	noise_free(m->noise);
	m->noise = NULL;
	half_forget_keys(&m->half);
}

/* skyptyd's word; with it gone nobody counts any more. */
static bool
handshake_await_room(struct monitor *m)
{
	struct privmsg answer = { 0 };
	uint8_t ok = 0;
	int r;

	do
		r = privmsg_recv(m->half.parent, &answer, false);
	while (r == SKY_ERR_AGAIN && errno == EINTR);
	if (r == 1 && answer.type == PM_AUTH + 1)
		(void)buf_get_u8(&answer.body, &ok);
	privmsg_free(&answer);
	return ok != 0 || r == SKY_ERR_EOF;
}

/* Whether skyptyd has room for one more connection of this key. */
static bool
handshake_have_room(struct monitor *m, const struct key_public *pk)
{
	struct buf b;
	bool ok = true;
	int r;

	if (m->half.parent == -1)
		return true;
	buf_init(&b, KEY_PUBLIC_LEN + 4);
	if ((r = buf_put(&b, pk->b, KEY_PUBLIC_LEN)) == 0 &&
	    (r = buf_put_u32(&b, m->rights.max_sessions)) == 0)
		r = privmsg_send(m->half.parent, PM_AUTH, 0, &b, NULL, 0);
	if (r == 0)
		ok = handshake_await_room(m);
	else
		ok =
		    r == SKY_ERR_SYS && (errno == EPIPE || errno == ECONNRESET);
	buf_free(&b);
	return ok;
}

void
handshake_turn(const struct monitor *m)
{
	if (m->half.parent != -1)
		(void)privmsg_send(m->half.parent, PM_TURN, 0, NULL, NULL, 0);
}

int
handshake_refuse(struct monitor *m, struct privmsg *msg)
{
	struct buf b;
	int r;

	m->half.phase = MON_REFUSED;
	half_timer(&m->half, MON_LINGER);
	handshake_end(m);
	buf_init(&b, 1);
	if ((r = buf_put_u8(&b, PRIV_REFUSED)) == 0)
		half_answer(&m->half, msg, &b);
	buf_free(&b);
	return r;
}

int
handshake_turn_away(struct monitor *m, struct privmsg *msg, const uint8_t *send,
    const char *why)
{
	struct buf b;
	int r;

	m->half.phase = MON_REFUSED;
	half_timer(&m->half, MON_LINGER);
	handshake_end(m);
	buf_init(&b, PRIVMSG_TEXT_MAX);
	if ((r = buf_put_u8(&b, PRIV_TURNED_AWAY)) == 0 &&
	    (r = buf_put(&b, send, NOISE_KEY_LEN)) == 0 &&
	    (r = buf_put(&b, why, strlen(why))) == 0)
		half_answer(&m->half, msg, &b);
	buf_free(&b);
	return r;
}

int
handshake_put_keys(struct buf *b, const struct monitor *m,
    enum priv_handshake code, const struct noise_keys *k)
{
	int r;

	if ((r = buf_put_u8(b, (uint8_t)code)) != 0 ||
	    (r = buf_put(b, m->peer.b, KEY_PUBLIC_LEN)) != 0 ||
	    (r = buf_put_u32(b, m->half.grants)) != 0 ||
	    (r = buf_put_u32(b, m->rights.idle_timeout)) != 0 ||
	    (r = buf_put(b, k->send, sizeof(k->send))) != 0)
		return r;
	return buf_put(b, k->recv, sizeof(k->recv));
}

void
handshake_session(struct monitor *m)
{
	handshake_end(m);
	malloc_trim(0); /* the whitelist may have been long */
	half_timer(&m->half, 0);
	m->half.phase = MON_SESSION;
	if (*m->origin.client == '\0')
		origin_of_keys(&m->origin, &m->peer, &m->half.start.pk);
	origin_set_key(&m->origin, &m->peer);
	session_begin(m);
	about_tell(m);
}

/* The peer is proven live and allowed: the child gets the session's keys. */
static int
handshake_hand_over(struct monitor *m, struct privmsg *msg)
{
	struct noise_keys keys;
	struct buf b;
	int r;

	if ((r = noise_split(m->noise, &keys)) != 0)
		return r;
	handshake_session(m);
	buf_init(&b, NOISE_MSG_MAX);
	if ((r = handshake_put_keys(&b, m, PRIV_DONE, &keys)) == 0)
		half_answer(&m->half, msg, &b);
	buf_free(&b);
	explicit_bzero(&keys, sizeof(keys));
	return r;
}

/* The key that was claimed until now is proven. */
static void
handshake_tell_name(struct monitor *m, const char *key)
{
	char name[KEY_PUBLIC_HEX + 16];

	if (m->half.start.carrier != PRIV_KK)
		return;
	snprintf(name, sizeof(name), "dmsg %s", key);
	log_set_prefix(name);
	setproctitle("-skyptyd: monitor %s", name);
}

static void
handshake_tell_refused(const char *key, const char *why)
{
	struct log_fields f = { .event = "refused" };

	log_put(&f, "reason", why);
	log_event(LOG_LEVEL_INFO, &f, "Refused key %s: %s", key, why);
}

static void
handshake_tell_accepted(const struct monitor *m, const char *key)
{
	const char *comment =
	    m->rights.comment != NULL ? m->rights.comment : "";
	const char *rule = m->rights.rule != NULL ? m->rights.rule : "no rule";
	struct log_fields f = { .event = "accepted" };

	log_put(&f, "carrier",
	    m->half.start.carrier == PRIV_KK ? "dmsg" : "tcp");
	log_put(&f, "rule", rule);
	log_put(&f, "comment", comment);
	log_put(&f, "kex", m->hybrid ? "secp256k1+mlkem768" : "secp256k1");
	log_put_number(&f, "handshake_ms", (uint64_t)(now_ms() - m->begun));
	log_event(LOG_LEVEL_INFO, &f, "Accepted key %s (%s%s%s), %s", key, rule,
	    *comment != '\0' ? ", " : "", comment,
	    m->hybrid ? "post-quantum" : "not post-quantum");
}

bool
handshake_allowed(struct monitor *m, const char **why)
{
	char text[KEY_PUBLIC_HEX], reason[RIGHTS_WHY_MAX];
	int r;

	*why = "";
	key_text(&m->peer, text);
	handshake_tell_name(m, text);
	log_set_key(text);
	if ((r = whitelist_check(m, &m->peer, &m->rights, reason,
		 sizeof(reason))) != 0) {
		handshake_tell_refused(text, reason);
		m->welcome = r != SKY_ERR_DENIED; /* it is not to blame */
		m->failure = PENALTY_AUTHFAIL;
		return false;
	}
	/* No stranger any more. */
	m->welcome = true;
	log_set_level((enum log_level)m->half.start.log_level);
	if (m->half.start.require_pq && !m->hybrid) {
		*why = "this host wants a post-quantum handshake "
		       "(require_pq): a newer client is needed";
		handshake_tell_refused(text,
		    "no post-quantum handshake (require_pq)");
		return false;
	}
	if (!handshake_have_room(m, &m->peer)) {
		*why = m->rights.max_sessions != 0 ?
		    "too many connections of your key at once (max-sessions)" :
		    "too many connections of your key at once (maxperkey)";
		handshake_tell_refused(text,
		    m->rights.max_sessions != 0 ?
			"too many connections (max-sessions)" :
			"too many connections (maxperkey)");
		return false;
	}
	handshake_tell_accepted(m, text);
	return true;
}

/* A stranger is told nothing; whoever is listed, why there is no room. */
static int
handshake_decide(struct monitor *m, struct privmsg *msg)
{
	struct noise_keys keys;
	const char *why;
	int r;

	m->peer = *noise_peer(m->noise);
	m->hybrid = noise_hybrid(m->noise);
	if (handshake_allowed(m, &why))
		return handshake_hand_over(m, msg);
	if (*why == '\0' || noise_split(m->noise, &keys) != 0)
		return handshake_refuse(m, msg);
	r = handshake_turn_away(m, msg, keys.send, why);
	explicit_bzero(&keys, sizeof(keys));
	return r;
}

static int
handshake_respond(struct monitor *m, struct privmsg *msg)
{
	struct buf b;
	int r;

	buf_init(&b, 1 + NOISE_MSG_MAX);
	if ((r = buf_put_u8(&b, PRIV_FRAME)) == 0 &&
	    (r = noise_write(m->noise, NULL, &b)) == 0) {
		half_answer(&m->half, msg, &b);
		handshake_turn(m);
	}
	buf_free(&b);
	return r;
}

static void
handshake_tell_failed(const char *why)
{
	struct log_fields f = { .event = "handshake-failed" };

	log_put(&f, "reason", why);
	log_event(LOG_LEVEL_INFO, &f, "Handshake failed: %s", why);
}

/* One message of the peer's, which the child passes on unread. */
int
handshake_frame(struct half *h, struct privmsg *msg)
{
	struct monitor *m = monitor_of(h);
	int r;

	if ((r = noise_read(m->noise, &msg->body, NULL)) != 0) {
		handshake_tell_failed(err_text(r));
		m->failure = PENALTY_HANDSHAKE;
		return handshake_refuse(m, msg);
	}
	return noise_done(m->noise) ? handshake_decide(m, msg) :
				      handshake_respond(m, msg);
}
