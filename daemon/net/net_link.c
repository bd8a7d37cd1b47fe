/* SPDX-License-Identifier: ISC */
/* The network side of the confined child: frames in, frames out. */
#include "daemon/net/net_link.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/tcp.h"
#include "common/pty/rpc.h"
#include "common/pty/yamux.h"
#include "daemon/net/net_gather.h"

#define IN_MAX (RPC_HOST_MSG_MAX + LINK_CHUNK)
/* The largest answer and what may wait before it. */
#define OUT_MAX (2 * NET_GATHER_MAX + NET_OUT_HIGH + 4 * LINK_CHUNK)

/* Of a shared one: three frames of yamux, of which each may be another's. */
#define SHARED_OUT_MAX (3 * (YAMUX_FRAME_MAX + YAMUX_HEAD_LEN))
#define SHARED_HIGH    YAMUX_FRAME_MAX
#define SHARED_UNSENT  (128 * 1024) /* in the kernel */

size_t
net_link_backlog(const struct net_link *l)
{
	return buf_len(&l->out) + buf_len(&l->link.wire_out);
}

int
net_link_open(struct net_link *l)
{
	return link_open(&l->link, &l->in);
}

bool
net_link_waits(const struct net_link *l)
{
	return link_waits(&l->link, &l->in);
}

static void
net_link_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct net_link *l = arg;
	ssize_t r;

	r = link_read(&l->link, fd, &l->in);
	if (r > 0)
		l->bytes_in += (uint64_t)r;
	if (r >= 0 || r == SKY_ERR_AGAIN)
		return;
	l->lost = (int)r;
	l->error = errno;
}

/*
 * The peer has closed its side.  While we read on, reading finds out by
 * itself, behind the last bytes; otherwise nobody else would notice.
 */
static void
net_link_on_hangup(evutil_socket_t fd, short what, void *arg)
{
	struct net_link *l = arg;

	if (!l->reading && !l->half)
		l->lost = SKY_ERR_EOF;
	if (l->half)
		event_del(l->hup);
}

/* Its being called is all: what waits is sent when the wheel is turned. */
static void
net_link_on_writable(evutil_socket_t fd, short what, void *arg)
{
}

/* A large answer leaves its memory behind; idle connections stay small. */
static void
net_link_release(struct net_link *l)
{
	if (l->out.cap > 4 * LINK_CHUNK)
		buf_free(&l->out);
	if (buf_len(&l->in) == 0 && l->in.cap > 4 * LINK_CHUNK)
		buf_free(&l->in);
}

static void
net_link_look_after(struct net_link *l)
{
	struct timeval tv = { .tv_sec = l->seconds };

	if (l->seconds != 0 && !event_pending(l->watch, EV_TIMEOUT, NULL))
		event_add(l->watch, &tv);
}

/* A peer may take its time to read, as long as its machine answers. */
static void
net_link_on_watch(evutil_socket_t fd, short what, void *arg)
{
	struct net_link *l = arg;

	switch (tcp_ask_peer(l->fd, l->seconds)) {
	case TCP_PEER_DEAD:
		l->dead = true;
		break;
	case TCP_PEER_OWES:
		net_link_look_after(l);
		break;
	case TCP_PEER_IDLE:
		break;
	}
}

int
net_link_flush(struct net_link *l)
{
	ssize_t r = 1;

	while (net_link_backlog(l) != 0 && r > 0)
		if ((r = link_write(&l->link, l->fd, &l->out)) > 0) {
			l->bytes_out += (uint64_t)r;
			net_link_look_after(l);
		}
	if (r == SKY_ERR_AGAIN) {
		event_add(l->wr, NULL);
		return 0;
	}
	if (r < 0)
		return (int)r;
	net_link_release(l);
	return 0;
}

void
net_link_read_on(struct net_link *l, bool on)
{
	if (l->lost != 0 || buf_room(&l->in) < FRAME_PLAIN_MAX)
		on = false;
	if (on && !l->reading) {
		event_add(l->rd, NULL);
	} else if (!on && l->reading)
		event_del(l->rd);
	l->reading = on;
}

void
net_link_wake(struct net_link *l)
{
	event_active(l->wr, EV_WRITE, 0);
}

void
net_link_shut(struct net_link *l)
{
	if (!l->shut)
		shutdown(l->fd, SHUT_WR);
	l->shut = true;
}

void
net_link_buffers(struct buf *in, struct buf *out)
{
	buf_init(in, IN_MAX);
	buf_init(out, OUT_MAX);
}

void
net_link_share(struct net_link *l)
{
	buf_free(&l->out);
	buf_init(&l->out, SHARED_OUT_MAX);
	l->high = SHARED_HIGH;
	tcp_bound_unsent(l->fd, SHARED_UNSENT);
}

int
net_link_init(struct net_link *l, struct event_base *base, int fd)
{
	l->fd = fd;
	l->high = NET_OUT_HIGH;
	link_init(&l->link);
	net_link_buffers(&l->in, &l->out);
	l->rd =
	    event_new(base, fd, EV_READ | EV_PERSIST, net_link_on_readable, l);
	l->wr = event_new(base, fd, EV_WRITE, net_link_on_writable, l);
	l->hup =
	    event_new(base, fd, EV_CLOSED | EV_PERSIST, net_link_on_hangup, l);
	l->watch = evtimer_new(base, net_link_on_watch, l);
	if (l->rd == NULL || l->wr == NULL || l->hup == NULL ||
	    l->watch == NULL)
		return -1;
	l->seconds = tcp_keep_alive_seconds(fd);
	return event_add(l->hup, NULL);
}

void
net_link_free(struct net_link *l)
{
	struct event *events[] = { l->rd, l->wr, l->hup, l->watch };

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (events[i] != NULL)
			event_free(events[i]);
	link_free(&l->link);
	buf_free(&l->in);
	buf_free(&l->out);
	close(l->fd);
}
