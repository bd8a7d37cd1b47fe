/* SPDX-License-Identifier: ISC */
/*
 * The privileged half of a confined process in a test's own process: its child
 * and skyptyd are the other ends of sockets, and what is asked goes through the
 * table as in the program.  Include behind cmocka.h; link with HALF_WRAPS.
 */
#ifndef REGRESS_UNIT_HALF_WORLD_H
#define REGRESS_UNIT_HALF_WORLD_H

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
#include "monitor/half/half.h"

static struct half_world {
	struct half *half;   /* the program's */
	struct keyctx *keys; /* the test's */
	uint8_t own[KEY_SECRET_LEN], peer[KEY_SECRET_LEN];
	struct key_public own_pk, peer_pk, list[4];
	int child, parent;  /* their ends */
	struct privmsg got; /* the child's */
	bool died;
	char none[1];
} mw;

void __wrap_half_die(struct half *, const char *);
void __wrap_half_timer(struct half *, int);

/* There is no child to be killed, and the test goes on. */
void
__wrap_half_die(struct half *h, const char *why)
{
	(void)why;
	h->phase = HALF_DYING;
	mw.died = true;
}

void
__wrap_half_timer(struct half *h, int seconds)
{
	(void)h, (void)seconds;
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

/* A half that has heard skyptyd's word; phase and grants are still to come. */
static inline void
mw_begin_half(struct half *h, const struct half_role *role,
    enum priv_carrier carrier)
{
	memset(&mw, 0, sizeof(mw));
	log_init("unit", LOG_LEVEL_ERROR, false);
	log_set_level(LOG_LEVEL_ERROR);
	assert_int_not_equal(sodium_init(), -1);
	assert_non_null(mw.keys = keyctx_new());
	mw_secret(mw.own, &mw.own_pk);
	mw_secret(mw.peer, &mw.peer_pk);
	mw.list[0] = mw.peer_pk;
	mw.half = h;
	memset(h, 0, sizeof(*h));
	h->role = role;
	assert_non_null(h->base = event_base_new());
	h->child = mw_pair(&mw.child);
	h->parent = mw_pair(&mw.parent);
	h->start.carrier = carrier;
	h->start.peer = h->start.conf = h->start.chroot_dir = mw.none;
	h->start.sftp_server = h->start.record = mw.none;
	h->start.authorized = h->start.revoked = mw.none;
	h->start.uid = getuid();
	h->start.gid = getgid();
	h->start.pk = mw.own_pk;
	h->start.wl = mw.list;
	h->start.nwl = 1;
	if (carrier == PRIV_CONTROL)
		return;
	assert_non_null(h->keyctx = keyctx_new());
	assert_non_null(h->start.sk = sodium_malloc(KEY_SECRET_LEN));
	memcpy(h->start.sk, mw.own, KEY_SECRET_LEN);
}

static inline void
mw_end_half(void)
{
	struct half *h = mw.half;

	half_forget_keys(h);
	privmsg_free(&mw.got);
	close(mw.child);
	close(mw.parent);
	close(h->child);
	if (h->parent != -1)
		close(h->parent);
	event_base_free(h->base);
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
	return half_dispatch(mw.half, &msg);
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

/* It ends the child, and nothing is answered. */
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
	int r;

	/* What it says for skyptyd status is another matter. */
	while (
	    (r = privmsg_recv(mw.parent, m, true)) == 1 && m->type == PM_ABOUT)
		privmsg_clear(m);
	return r == 1 ? m->type : 0;
}

#endif
