/* SPDX-License-Identifier: ISC */
/*
 * What stands around the one process of skyptyd-net, for tests that have all
 * of it in theirs: a peer that says what it is told to say, and a monitor that
 * does what it is asked, or not.  Keys are zero, so that what comes is opened
 * and what goes can be made here.
 */
#ifndef REGRESS_UNIT_NET_WORLD_H
#define REGRESS_UNIT_NET_WORLD_H

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/pty/exec_stream.h"
#include "common/pty/mux.h"
#include "common/pty/rpc.h"
#include "daemon/net/net.h"
#include "daemon/net/net_service.h"

#define NW_ROOM (4U * 1024 * 1024)
#define NW_ENDS 512
#define NW_KEY                                                          \
	"022e607e0914d6e7ccda7587f95790c09e126bbd506cc476a1eda852325aa" \
	"dd1aa"

/* What the monitor does with a request. */
#define NW_TYPES 100 /* more than what a child asks for */

enum nw_how {
	NW_DO,	   /* as asked */
	NW_REFUSE, /* says why not */
	NW_FORGET, /* the descriptors */
	NW_CUT,	   /* the answer is cut short */
	NW_SILENT
};

struct net_world {
	struct net *n;
	int peer, monitor; /* their ends, -1 */
	int end[NW_ENDS];  /* of what was handed down, -1: closed */
	size_t nends;
	bool far; /* the last end is somebody's over dmsg */
	struct frame_key tx, rx, far_tx; /* the peer's; the far one's */
	struct buf wire;		 /* what the process has sent */
	struct buf heard;		 /* the same, opened */
	unsigned greetings;	  /* frames that are not sealed, to come */
	bool deaf;		  /* the peer reads nothing */
	unsigned asked[NW_TYPES]; /* how often, by type */
	uint32_t handle;	  /* the last one given */
	enum nw_how (*how)(struct net_world *, unsigned type, uint16_t id);
};

/* What runs now is the process, and not what stands around it. */
static bool nw_inside;

static inline void
nw_require(bool ok)
{
	if (!ok)
		abort();
}

static inline bool
nw_begin(struct net_world *w, enum priv_carrier carrier)
{
	int conn[2], mon[2];

	memset(w, 0, sizeof(*w));
	buf_init(&w->wire, NW_ROOM);
	buf_init(&w->heard, NW_ROOM);
	nw_require(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, conn) == 0);
	nw_require(privmsg_pair(mon) == 0);
	nw_require(fcntl(mon[0], F_SETFL, O_NONBLOCK) == 0);
	w->peer = conn[1];
	w->monitor = mon[1];
	nw_inside = true;
	w->n = net_new(conn[0], mon[0]);
	nw_inside = false;
	if (w->n == NULL) {
		close(conn[0]);
		close(mon[0]);
		return false;
	}
	/* As a welcome would have it, without the confinement. */
	net_carried(w->n, carrier);
	return true;
}

/* --- the loop and the peer --- */

/* What is sealed must open, in its order. */
static inline void
nw_open(struct net_world *w)
{
	struct buf body;
	int r;

	if (w->n->link.link.plain) {
		nw_require(buf_put(&w->heard, buf_ptr(&w->wire),
			       buf_len(&w->wire)) == 0);
		buf_reset(&w->wire);
	}
	while ((r = frame_get(&w->wire, &body)) != 0) {
		nw_require(r == 1);
		if (w->greetings > 0)
			w->greetings--;
		else
			nw_require(frame_open(&w->rx, &body, &w->heard) == 0);
	}
}

/* Reads what there is, a little at a time; what nobody takes is dropped. */
static inline void
nw_hear(struct net_world *w)
{
	if (w->peer == -1 || w->deaf)
		return;
	while (buf_read(&w->wire, w->peer, 65536) > 0) {
		if (buf_room(&w->heard) < NW_ROOM / 2)
			buf_reset(&w->heard);
		nw_open(w);
	}
}

static inline void
nw_loop(struct net_world *w)
{
	for (int i = 0; i < 16; i++) {
		nw_inside = true;
		net_round(w->n, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		nw_inside = false;
		nw_hear(w);
	}
}

/* Bytes as they are. */
static inline void
nw_raw(struct net_world *w, const void *p, size_t n)
{
	if (w->peer != -1)
		(void)!send(w->peer, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* A frame of the handshake. */
static inline void
nw_handshake(struct net_world *w, const void *p, size_t n)
{
	struct buf wire;

	buf_init(&wire, NW_ROOM);
	if (frame_put(&wire, p, n) == 0)
		nw_raw(w, buf_ptr(&wire), buf_len(&wire));
	buf_free(&wire);
}

/* What a peer says on this carrier, sealed where it is to be. */
static inline void
nw_say(struct net_world *w, const void *p, size_t n)
{
	struct buf plain, wire;

	if (w->n->link.link.plain) {
		nw_raw(w, p, n);
		return;
	}
	buf_init(&plain, NW_ROOM);
	buf_init(&wire, NW_ROOM);
	if (buf_put(&plain, p, n) == 0 &&
	    frame_seal(&w->tx, &plain, &wire) == 0)
		nw_raw(w, buf_ptr(&wire), buf_len(&wire));
	buf_free(&plain);
	buf_free(&wire);
}

static inline void
nw_hang_up(struct net_world *w)
{
	if (w->peer != -1)
		close(w->peer);
	w->peer = -1;
}

/* --- what was handed down --- */

static inline int
nw_end(struct net_world *w)
{
	int sv[2];

	nw_require(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv) == 0);
	if (w->nends < NW_ENDS)
		w->end[w->nends++] = sv[1];
	else
		close(sv[1]);
	return sv[0];
}

static inline void
nw_end_close(struct net_world *w, size_t i)
{
	if (i < w->nends && w->end[i] != -1)
		close(w->end[i]);
	if (i < w->nends)
		w->end[i] = -1;
}

static inline void
nw_end_say(struct net_world *w, size_t i, const void *p, size_t n)
{
	if (i < w->nends && w->end[i] != -1)
		(void)!send(w->end[i], p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Takes what is there, and says how much it is. */
static inline size_t
nw_end_take(struct net_world *w, size_t i)
{
	static uint8_t bytes[65536];
	size_t all = 0;
	ssize_t n;

	while (i < w->nends && w->end[i] != -1 &&
	    (n = recv(w->end[i], bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		all += (size_t)n;
	return all;
}

/* Sealed, as somebody over dmsg says it. */
static inline void
nw_far_say(struct net_world *w, const void *p, size_t n)
{
	struct buf plain, wire;

	if (!w->far || w->nends == 0)
		return;
	buf_init(&plain, NW_ROOM);
	buf_init(&wire, NW_ROOM);
	if (buf_put(&plain, p, n) == 0 &&
	    frame_seal(&w->far_tx, &plain, &wire) == 0)
		nw_end_say(w, w->nends - 1, buf_ptr(&wire), buf_len(&wire));
	buf_free(&plain);
	buf_free(&wire);
}

/* --- the monitor --- */

static inline void
nw_answer(struct net_world *w, unsigned type, uint16_t id, struct buf *b,
    size_t nfd)
{
	int fd[PRIVMSG_FDS_MAX];

	for (size_t i = 0; i < nfd; i++)
		fd[i] = nw_end(w);
	nw_require(privmsg_send(w->monitor, type, id, b, fd, nfd) == 0);
	for (size_t i = 0; i < nfd; i++)
		close(fd[i]);
}

/* Message 2; then who it is and the keys; over dmsg the same in its words. */
static inline void
nw_put_handshake(struct net_world *w, struct buf *b, unsigned type)
{
	static const uint8_t keys[64], peer[KEY_PUBLIC_LEN] = { 2 };
	static const uint8_t zero[32];
	bool kk = type == PM_FIRST_FRAME;

	if (type == PM_KK_REQUEST ||
	    (type == PM_HANDSHAKE && w->asked[type] == 1)) {
		buf_put_u8(b, PRIV_FRAME);
		buf_put_cstring(b, "message 2");
		w->greetings++;
		return;
	}
	buf_put_u8(b, kk ? PRIV_DONE_KK : PRIV_DONE);
	buf_put(b, peer, sizeof(peer));
	buf_put_u32(b, ~0U);
	buf_put_u32(b, 0);
	buf_put(b, keys, sizeof(keys));
	if (kk)
		buf_put_u64(b, 1);
	frame_key_wipe(&w->tx);
	frame_key_wipe(&w->rx);
	frame_key_init(&w->tx, zero);
	frame_key_init(&w->rx, zero);
	w->tx.counter = kk;
}

static inline size_t
nw_put_answer(struct net_world *w, struct buf *b, unsigned type)
{
	static const uint8_t zero[64], key[KEY_PUBLIC_LEN] = { 2 };

	switch (type) {
	case PM_HANDSHAKE:
	case PM_KK_REQUEST:
	case PM_FIRST_FRAME:
		nw_put_handshake(w, b, type);
		return 0;
	case PM_STATUS:
		buf_put(b, "{\"x\":1}", 7);
		return 0;
	case PM_PTY_STOP:
	case PM_CONNS:
		return 0;
	case PM_COUNTS:
		for (size_t i = 0; i < PRIV_COUNTS; i++)
			buf_put_u64(b, i);
		return 0;
	}
	buf_put_cstring(b, "");
	switch (type) {
	case PM_PTY_START:
	case PM_SFTP_START:
	case PM_JOB_RUN:
	case PM_JOB_DOOR:
	case PM_SESSION_RUN:
	case PM_SESSION_DOOR:
	case PM_EXEC_START:
		buf_put_u32(b, ++w->handle);
		return type == PM_EXEC_START ? 3 : 1;
	case PM_FORWARD_OPEN:
		return 1;
	case PM_PROXY_DIAL:
		buf_put(b, zero, sizeof(zero));
		frame_key_wipe(&w->far_tx);
		frame_key_init(&w->far_tx, zero);
		w->far = true;
		return 1;
	case PM_KILL:
		buf_put_u32(b, 7);
		return 0;
	case PM_WL_LIST:
		buf_put_u32(b, 2);
		buf_put(b, key, sizeof(key));
		buf_put(b, key, sizeof(key));
	}
	return 0;
}

static inline void
nw_put_refusal(struct buf *b, unsigned type)
{
	static const uint8_t key[32];

	if (type == PM_HANDSHAKE || type == PM_KK_REQUEST)
		buf_put_u8(b, PRIV_REFUSED);
	else if (type == PM_FIRST_FRAME) {
		buf_put_u8(b, PRIV_TURNED_AWAY);
		buf_put(b, key, sizeof(key));
		buf_put(b, "full", 4);
	} else if (type != PM_STATUS && type != PM_PTY_STOP)
		buf_put_cstring(b, "no such file\x1b[31m");
}

/* Does one request, or answers what nobody has asked. */
static inline void
nw_do(struct net_world *w, unsigned type, uint16_t id, enum nw_how how)
{
	size_t nfd = 0;
	struct buf b;

	if (type == PM_LOG || type == PM_ACTIVE || type == PM_BYTES ||
	    type == PM_EXEC_END || type == PM_EXEC_LEAVE ||
	    type == PM_EXEC_SIGNAL || how == NW_SILENT)
		return;
	buf_init(&b, PRIVMSG_MAX);
	if (how == NW_REFUSE)
		nw_put_refusal(&b, type);
	else
		nfd = nw_put_answer(w, &b, type);
	if (how == NW_FORGET)
		nfd = 0;
	if (how == NW_CUT)
		buf_trim(&b, buf_len(&b) < 3 ? buf_len(&b) : 3);
	nw_answer(w, type + 1, id, &b, nfd);
	buf_free(&b);
}

static inline void
nw_serve(struct net_world *w)
{
	static uint8_t m[PRIVMSG_MAX];
	unsigned type;
	uint16_t id;
	ssize_t n;

	nw_loop(w);
	while ((n = recv(w->monitor, m, sizeof(m), MSG_DONTWAIT)) >= 4) {
		type = (unsigned)m[0] << 8 | m[1];
		id = (uint16_t)(m[2] << 8 | m[3]);
		nw_require(type < NW_TYPES);
		w->asked[type]++;
		nw_do(w, type, id,
		    w->how == NULL ? NW_DO : w->how(w, type, id));
		nw_loop(w);
	}
}

/* A command is over. */
static inline void
nw_exited(struct net_world *w, uint32_t handle, uint8_t how, uint32_t status)
{
	struct buf b;

	buf_init(&b, 16);
	if (buf_put_u32(&b, handle) == 0 && buf_put_u8(&b, how) == 0 &&
	    buf_put_u32(&b, status) == 0)
		nw_answer(w, PM_EXITED, 0, &b, 0);
	buf_free(&b);
}

/* The caller of the control socket is allowed. */
static inline void
nw_control_ok(struct net_world *w)
{
	struct buf b;

	buf_init(&b, 4);
	if (buf_put_u32(&b, ~0U) == 0)
		nw_answer(w, PM_CONTROL_OK, 0, &b, 0);
	buf_free(&b);
	nw_loop(w);
}

/* Up to where a peer may ask for a service. */
static inline void
nw_authenticate(struct net_world *w)
{
	if (w->n->carrier == PRIV_CONTROL) {
		nw_control_ok(w);
		return;
	}
	nw_handshake(w, "message 1", 9);
	nw_serve(w);
	nw_handshake(w, "message 3", 9);
	nw_serve(w);
}

static inline void
nw_ask(struct net_world *w, const char *uri)
{
	struct buf b;

	buf_init(&b, MUX_URI_MAX + 1);
	if (mux_put_request(&b, uri) == 0)
		nw_say(w, buf_ptr(&b), buf_len(&b));
	buf_free(&b);
	nw_serve(w);
}

struct nw_timer {
	const struct event *after;
	struct event *first;
	struct timeval when, not_before;
};

static inline int
nw_look_at_timer(const struct event_base *base, const struct event *ev,
    void *arg)
{
	struct nw_timer *t = arg;
	struct timeval tv;

	if (event_get_fd(ev) != -1 || !event_pending(ev, EV_TIMEOUT, &tv) ||
	    ev == t->after ||
	    (t->after != NULL && timercmp(&tv, &t->not_before, <)))
		return 0;
	if (t->first == NULL || timercmp(&tv, &t->when, <)) {
		memcpy(&t->first, &ev, sizeof(ev));
		t->when = tv;
	}
	return 0;
}

/* The timer that is due first, or behind it the nth. */
static inline void
nw_fire(struct net_world *w, unsigned nth)
{
	struct nw_timer t = { 0 };

	do {
		t.after = t.first;
		t.not_before = t.when;
		t.first = NULL;
		event_base_foreach_event(w->n->base, nw_look_at_timer, &t);
	} while (t.first != NULL && nth-- > 0);
	if (t.first != NULL)
		event_active(t.first, EV_TIMEOUT, 0);
	nw_serve(w);
}

/* --- the end: whatever state it is in, nothing leaks --- */

static inline void
nw_over(struct net_world *w)
{
	struct net *n = w->n;

	nw_hang_up(w);
	for (size_t i = 0; i < w->nends; i++)
		nw_end_close(w, i);
	close(w->monitor);
	buf_free(&w->wire);
	buf_free(&w->heard);
	frame_key_wipe(&w->tx);
	frame_key_wipe(&w->rx);
	frame_key_wipe(&w->far_tx);
	if (n == NULL)
		return;
	net_free(n);
}

#endif
