/* SPDX-License-Identifier: ISC */
/*
 * The control socket's way to others: what comes is sealed and goes to a stream
 * over dmsg, and the other way round.  PROTOCOL.pty 9; PROTOCOL.
 */
#include "daemon/net/net.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"

#define WIRE_MAX (NET_CHUNK + FRAME_WIRE_LEN(FRAME_PLAIN_MAX))

static void on_readable(evutil_socket_t, short, void *);
static void on_writable(evutil_socket_t, short, void *);

/* The original says nothing at all when it fails; ours says why. */
static void
fail(struct net *n, const char *why)
{
	if (n->service == MUX_PROXY)
		net_end(n, "proxy: %s", why);
	mon_log(n, LOG_LEVEL_INFO, "Dialing: %s", why);
	buf_put_u8(&n->link.out, MUX_REJECT);
	buf_put(&n->link.out, why, strlen(why));
	net_finish(n);
	net_process(n);
}

void
proxy_begin(struct net *n, struct buf *query)
{
	struct key_public pk;
	uint16_t port;

	if (mux_proxy_query(query, &pk, &port) != 0 || port == 0) {
		fail(n, "that is no key, or no port");
		return;
	}
	n->asked = true;
	mon_proxy_dial(n, &pk, port);
}

static int
open_far(struct net *n, int fd, struct buf *keys)
{
	struct far *f = &n->far;
	uint8_t send[32], recv[32];
	int r;

	if (fd == -1)
		return SKY_ERR_STATE;
	f->fd = fd;
	if ((r = buf_get(keys, send, sizeof(send))) != 0 ||
	    (r = buf_get(keys, recv, sizeof(recv))) != 0)
		return r;
	frame_key_init(&f->tx, send);
	frame_key_init(&f->rx, recv);
	explicit_bzero(send, sizeof(send));
	explicit_bzero(recv, sizeof(recv));
	buf_init(&f->wire_in, WIRE_MAX);
	buf_init(&f->wire_out, WIRE_MAX);
	f->rd = event_new(n->base, fd, EV_READ | EV_PERSIST, on_readable, n);
	f->wr = event_new(n->base, fd, EV_WRITE, on_writable, n);
	if (f->rd == NULL || f->wr == NULL || event_add(f->rd, NULL) == -1)
		return SKY_ERR_NOMEM;
	return 0;
}

/* The original's proxy has the terminal's service opened over there. */
static int
ask_for_pty(struct net *n)
{
	struct buf request;
	int r;

	buf_init(&request, MUX_URI_MAX + 1);
	if ((r = mux_put_request(&request, MUX_URI_PTY)) == 0)
		r = frame_seal(&n->far.tx, &request, &n->far.wire_out);
	buf_free(&request);
	if (r == 0)
		event_add(n->far.wr, NULL);
	return r;
}

int
proxy_dialed(struct net *n, struct privmsg *m)
{
	char *why = NULL;
	int r;

	if ((n->service != MUX_PROXY && n->service != MUX_DIAL) || !n->asked ||
	    n->far.rd != NULL)
		return SKY_ERR_STATE;
	if ((r = buf_get_cstring(&m->body, &why, PRIVMSG_TEXT_MAX)) != 0)
		return r;
	if (*why != '\0') {
		n->asked = false;
		fail(n, why);
	} else if ((r = open_far(n, privmsg_take_fd(m, 0), &m->body)) == 0) {
		if (n->service == MUX_PROXY)
			r = ask_for_pty(n); /* its answer is awaited */
		else {
			n->asked = false;
			net_accept(n);
			net_process(n);
		}
	}
	free(why);
	return r;
}

bool
proxy_busy(const struct net *n)
{
	return n->far.wr != NULL && event_pending(n->far.wr, EV_WRITE, NULL);
}

/* To the far side, as much as it takes now. */
void
proxy_process(struct net *n)
{
	struct far *f = &n->far;
	ssize_t r = 1;
	int e;

	while (r > 0) {
		if (buf_len(&f->wire_out) == 0 && n->state == NET_SERVICE &&
		    (e = frame_seal(&f->tx, &n->link.in, &f->wire_out)) != 0)
			net_end(n, "%s", err_text(e));
		r = buf_write(&f->wire_out, f->fd);
	}
	if (r == SKY_ERR_AGAIN)
		event_add(f->wr, NULL);
	else if (r < 0)
		net_finish(n);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct net *n = arg;

	(void)fd, (void)what;
	proxy_process(n);
	net_process(n);
}

/* The first byte over there is the answer to what we asked for. */
static int
take_answer(struct net *n)
{
	uint8_t answer;

	if (!n->asked || buf_get_u8(&n->link.out, &answer) != 0)
		return 0;
	if (answer != MUX_ACCEPT)
		return SKY_ERR_DENIED;
	n->asked = false;
	n->state = NET_SERVICE;
	/* Our own answer is the same byte, in front of what followed it. */
	return buf_len(&n->link.out) == 0 ?
	    buf_put_u8(&n->link.out, MUX_ACCEPT) :
	    SKY_ERR_FORMAT;
}

static int
open_frames(struct net *n)
{
	struct far *f = &n->far;
	struct buf body;
	int r;

	while (link_backlog(&n->link) < NET_OUT_HIGH) {
		if ((r = frame_get(&f->wire_in, &body)) <= 0)
			return r;
		if ((r = frame_open(&f->rx, &body, &n->link.out)) != 0 ||
		    (r = take_answer(n)) != 0)
			return r;
	}
	return 0;
}

/* What the far side has said before its end still leaves. */
static void
take_frames(struct net *n)
{
	struct far *f = &n->far;
	bool full;
	int r;

	do {
		if ((r = open_frames(n)) != 0)
			net_end(n, "the far side: %s", err_text(r));
		full = link_backlog(&n->link) >= NET_OUT_HIGH;
		if (!n->asked)
			link_flush(n);
	} while (full && link_backlog(&n->link) < NET_OUT_HIGH);
	if (full) {
		event_del(f->rd); /* proxy_pump goes on */
	} else if (!f->eof) {
		event_add(f->rd, NULL);
	} else if (n->asked) {
		net_end(n, "the far side has closed the stream");
	} else
		net_finish(n);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct net *n = arg;
	ssize_t r;

	(void)what;
	r = buf_read(&n->far.wire_in, fd, NET_CHUNK);
	if (r < 0 && r != SKY_ERR_AGAIN) {
		n->far.eof = true;
		event_del(n->far.rd);
	}
	take_frames(n);
	net_process(n);
}

void
proxy_pump(struct net *n)
{
	take_frames(n);
}
