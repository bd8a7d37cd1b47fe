/* SPDX-License-Identifier: ISC */
/*
 * A monitor in a test's own process: its child and skyptyd are the other ends
 * of sockets, and what is asked goes through the table as in the program.
 * Include behind cmocka.h.
 */
#ifndef REGRESS_UNIT_MON_WORLD_H
#define REGRESS_UNIT_MON_WORLD_H

#include <event2/event.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "monitor/monitor.h"

static struct mon_world {
	struct monitor m;
	struct keyctx *keys; /* the test's */
	uint8_t own[KEY_SECRET_LEN], peer[KEY_SECRET_LEN];
	struct key_public own_pk, peer_pk, list[4];
	int child, parent;  /* their ends */
	struct privmsg got; /* the child's */
	bool died;
	char none[1];
} mw;

/* monitor.c has the program's main function. */
void
mon_die(struct monitor *m, const char *why)
{
	(void)why;
	m->phase = MON_DYING;
	mw.died = true;
}

void
mon_timer(struct monitor *m, int seconds)
{
	(void)m, (void)seconds;
}

static inline void
mw_secret(uint8_t *sk, struct key_public *pk)
{
	assert_int_equal(key_generate(mw.keys, sk), 0);
	assert_int_equal(key_public(mw.keys, sk, pk), 0);
}

static inline int
mw_pair(int *other)
{
	int sv[2];

	assert_int_equal(privmsg_pair(sv), 0);
	*other = sv[1];
	assert_int_equal(fcntl(sv[1], F_SETFL, O_NONBLOCK), 0);
	return sv[0];
}

/* On the control socket where the carrier says so, else before a handshake. */
static inline void
mw_begin(enum priv_carrier carrier)
{
	struct monitor *m = &mw.m;
	uint8_t *sk;

	memset(&mw, 0, sizeof(mw));
	log_init("unit", LOG_LEVEL_ERROR, false);
	log_set_level(LOG_LEVEL_ERROR);
	assert_int_not_equal(sodium_init(), -1);
	assert_non_null(mw.keys = keyctx_new());
	mw_secret(mw.own, &mw.own_pk);
	mw_secret(mw.peer, &mw.peer_pk);
	mw.list[0] = mw.peer_pk;
	assert_non_null(m->base = event_base_new());
	m->child = mw_pair(&mw.child);
	m->parent = mw_pair(&mw.parent);
	m->proxy.stream = m->proxy.result = -1;
	m->start.carrier = carrier;
	m->start.peer = m->start.conf = m->start.chroot_dir = mw.none;
	m->start.sftp_server = mw.none;
	m->start.uid = getuid();
	m->start.gid = getgid();
	m->start.pk = mw.own_pk;
	m->start.wl = mw.list;
	m->start.nwl = 1;
	if (carrier == PRIV_CONTROL) {
		m->phase = MON_SESSION;
		m->grants = ~0U;
		return;
	}
	assert_non_null(m->keyctx = keyctx_new());
	assert_non_null(sk = sodium_malloc(KEY_SECRET_LEN));
	memcpy(sk, mw.own, KEY_SECRET_LEN);
	m->start.sk = sk;
	assert_int_equal(carrier == PRIV_KK ? kk_begin(m) : handshake_begin(m),
	    0);
}

static inline void
mw_end(void)
{
	struct monitor *m = &mw.m;

	handshake_end(m);
	sodium_free(m->kk);
	privmsg_free(&mw.got);
	close(mw.child);
	close(mw.parent);
	close(m->child);
	if (m->parent != -1)
		close(m->parent);
	if (m->proxy.ev != NULL)
		event_free(m->proxy.ev);
	if (m->proxy.stream != -1)
		close(m->proxy.stream);
	if (m->proxy.result != -1)
		close(m->proxy.result);
	event_base_free(m->base);
	keyctx_free(mw.keys);
}

/* --- the child --- */

/* The next message to it; with none, no type. */
static inline unsigned
mw_hear(void)
{
	return privmsg_recv(mw.child, &mw.got, true) == 1 ? mw.got.type : 0;
}

static inline int
mw_ask_as(unsigned type, uint16_t id, const void *p, size_t n)
{
	struct privmsg msg = { .type = (uint16_t)type, .id = id };

	buf_view(&msg.body, p, n);
	return dispatch(&mw.m, &msg);
}

static inline int
mw_ask(unsigned type, const void *p, size_t n)
{
	return mw_ask_as(type, 7, p, n);
}

/* It is answered, at once; the answer's body. */
static inline struct buf *
mw_answered(unsigned type, const void *p, size_t n)
{
	assert_int_equal(mw_ask(type, p, n), 0);
	assert_int_equal(mw_hear(), type + 1);
	assert_int_equal(mw.got.id, 7);
	return &mw.got.body;
}

/* It ends the connection, and nothing is answered. */
static inline void
mw_refused(unsigned type, const void *p, size_t n)
{
	assert_int_equal(mw_ask(type, p, n), SKY_ERR_DENIED);
	assert_int_equal(mw_hear(), 0);
}

/* The answer begins with a text: exactly that, or a part of it. */
static inline void
mw_text(struct buf *b, const char *want)
{
	char *text = NULL;

	assert_int_equal(buf_get_cstring(b, &text, PRIVMSG_TEXT_MAX), 0);
	assert_string_equal(text, want);
	free(text);
}

static inline void
mw_text_part(struct buf *b, const char *part)
{
	char *text = NULL;

	assert_int_equal(buf_get_cstring(b, &text, PRIVMSG_TEXT_MAX), 0);
	if (strstr(text, part) == NULL)
		fail_msg("wanted \"%s\" in: %s", part, text);
	free(text);
}

/* --- skyptyd --- */

static inline void
mw_parent_says(unsigned type, const void *p, size_t n, const int *fd,
    size_t nfd)
{
	struct buf b;

	buf_view(&b, p, n);
	assert_int_equal(privmsg_send(mw.parent, type, 0, &b, fd, nfd), 0);
}

/* What it was asked, in the test's hands; type 0 for nothing more. */
static inline unsigned
mw_parent_hears(struct privmsg *m)
{
	return privmsg_recv(mw.parent, m, true) == 1 ? m->type : 0;
}

#endif
