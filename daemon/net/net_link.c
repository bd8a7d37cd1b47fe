/* SPDX-License-Identifier: ISC */
/* The network side of the confined child: frames in, frames out. */
#include "daemon/net/net.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/err.h"
#include "common/base/tcp.h"

#define WIRE_IN_MAX  (NET_CHUNK + FRAME_HEAD_LEN + FRAME_BODY_MAX)
#define WIRE_OUT_MAX (NET_CHUNK + FRAME_WIRE_LEN(FRAME_PLAIN_MAX))
#define IN_MAX	     (RPC_HOST_MSG_MAX + NET_CHUNK)
/* The largest answer and what may wait before it. */
#define OUT_MAX (2 * NET_STREAM_MAX + NET_OUT_HIGH + 4 * NET_CHUNK)

size_t
link_backlog(const struct link *l)
{
	return buf_len(&l->out) + buf_len(&l->wire_out);
}

void
link_keys(struct link *l, const uint8_t *send, const uint8_t *recv)
{
	frame_key_init(&l->tx, send);
	frame_key_init(&l->rx, recv);
	l->sealed = true;
}

int
link_handshake_body(struct link *l, struct buf *body)
{
	return frame_get(&l->wire_in, body);
}

int
link_put_handshake(struct link *l, struct buf *body)
{
	return frame_put(&l->wire_out, buf_ptr(body), buf_len(body));
}

/* Opens what has arrived as far as there is room for its content. */
static int
open_frames(struct link *l)
{
	struct buf body;
	int r;

	if (l->plain)
		return 0;
	while (l->sealed && buf_room(&l->in) >= FRAME_PLAIN_MAX) {
		if ((r = frame_get(&l->wire_in, &body)) <= 0)
			return r;
		if ((r = frame_open(&l->rx, &body, &l->in)) != 0)
			return r;
	}
	return 0;
}

void
link_open(struct net *n)
{
	int r;

	if ((r = open_frames(&n->link)) != 0)
		net_end(n, "bad frame: %s", err_text(r));
}

bool
link_has_more(const struct link *l)
{
	return l->sealed && buf_len(&l->wire_in) != 0 &&
	    buf_room(&l->in) >= FRAME_PLAIN_MAX && frame_complete(&l->wire_in);
}

/* By reading or writing; errno is that of SKY_ERR_SYS. */
__attribute__((noreturn)) static void
lost(struct net *n, int r)
{
	if (r != SKY_ERR_SYS)
		net_end(n, "%s", err_text(r));
	if (errno == ECONNRESET || errno == EPIPE)
		net_leave(n, PRIV_END_RESET);
	mon_log(n, LOG_LEVEL_INFO, "%s", err_text(r));
	net_leave(n, PRIV_END_LOST);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct net *n = arg;
	struct link *l = &n->link;
	ssize_t r;

	(void)what;
	r = buf_read(l->plain ? &l->in : &l->wire_in, fd, NET_CHUNK);
	if (r == SKY_ERR_AGAIN)
		return;
	if (r == SKY_ERR_EOF)
		net_leave(n, PRIV_END_LEFT);
	if (r < 0)
		lost(n, (int)r);
	net_process(n);
}

/*
 * The peer has closed its side.  While we read on, reading finds out by
 * itself, behind the last bytes; otherwise nobody else would notice.
 */
static void
on_hangup(evutil_socket_t fd, short what, void *arg)
{
	struct net *n = arg;

	(void)fd, (void)what;
	if (!n->link.reading)
		net_leave(n, PRIV_END_LEFT);
}

static int
seal_some(struct link *l)
{
	struct buf view;
	int r;

	if (!l->plain)
		return frame_seal(&l->tx, &l->out, &l->wire_out);
	if ((r = buf_get_view(&l->out,
		 buf_len(&l->out) < NET_CHUNK ? buf_len(&l->out) : NET_CHUNK,
		 &view)) != 0)
		return r;
	return buf_put(&l->wire_out, buf_ptr(&view), buf_len(&view));
}

/* One round: fill the wire buffer, write it. */
static ssize_t
send_some(struct net *n)
{
	struct link *l = &n->link;
	int r;

	if (buf_len(&l->wire_out) == 0 && buf_len(&l->out) != 0 &&
	    (l->sealed || l->plain) && (r = seal_some(l)) != 0)
		return r;
	return buf_write(&l->wire_out, l->fd);
}

/* A large answer leaves its memory behind; idle connections stay small. */
static void
release(struct link *l)
{
	if (l->out.cap > 4 * NET_CHUNK)
		buf_free(&l->out);
	if (buf_len(&l->in) == 0 && l->in.cap > 4 * NET_CHUNK)
		buf_free(&l->in);
}

static void
look_after(struct link *l)
{
	struct timeval tv = { .tv_sec = l->seconds };

	if (l->seconds != 0 && !event_pending(l->watch, EV_TIMEOUT, NULL))
		event_add(l->watch, &tv);
}

/* A peer may take its time to read, as long as its machine answers. */
static void
on_watch(evutil_socket_t fd, short what, void *arg)
{
	struct net *n = arg;
	struct link *l = &n->link;

	(void)fd, (void)what;
	switch (tcp_ask_peer(l->fd, l->seconds)) {
	case TCP_PEER_DEAD:
		mon_log(n, LOG_LEVEL_INFO, "the peer does not answer any more");
		net_leave(n, PRIV_END_LOST);
	case TCP_PEER_OWES:
		look_after(l);
		break;
	case TCP_PEER_IDLE:
		break;
	}
}

void
link_flush(struct net *n)
{
	struct link *l = &n->link;
	ssize_t r = 0;

	while (link_backlog(l) != 0 && (r = send_some(n)) > 0)
		look_after(l);
	if (r == SKY_ERR_AGAIN) {
		event_add(l->wr, NULL);
		return;
	}
	if (r < 0)
		lost(n, (int)r);
	release(l);
	if (n->state == NET_FINISHING) {
		shutdown(l->fd, SHUT_WR);
		link_finish(n);
	}
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct net *n = arg;

	(void)fd, (void)what;
	/* Only here: whoever waits for room is told, whoever made it. */
	event_del(n->link.wr);
	link_flush(n);
	if (n->state == NET_SERVICE && link_backlog(&n->link) < NET_OUT_HIGH)
		net_pump(n);
	net_process(n);
}

void
link_read_on(struct net *n, bool on)
{
	struct link *l = &n->link;

	if (on && buf_room(&l->in) < FRAME_PLAIN_MAX)
		on = false;
	if (on && !l->reading) {
		event_add(l->rd, NULL);
	} else if (!on && l->reading)
		event_del(l->rd);
	l->reading = on;
}

int
link_init(struct net *n, int fd)
{
	struct link *l = &n->link;

	l->fd = fd;
	buf_init(&l->wire_in, WIRE_IN_MAX);
	buf_init(&l->in, IN_MAX);
	buf_init(&l->out, OUT_MAX);
	buf_init(&l->wire_out, WIRE_OUT_MAX);
	l->rd = event_new(n->base, fd, EV_READ | EV_PERSIST, on_readable, n);
	l->wr = event_new(n->base, fd, EV_WRITE | EV_PERSIST, on_writable, n);
	l->hup = event_new(n->base, fd, EV_CLOSED | EV_PERSIST, on_hangup, n);
	l->watch = evtimer_new(n->base, on_watch, n);
	if (l->rd == NULL || l->wr == NULL || l->hup == NULL ||
	    l->watch == NULL)
		return -1;
	l->seconds = tcp_keep_alive_seconds(fd);
	return event_add(l->hup, NULL);
}
