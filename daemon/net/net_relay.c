/* SPDX-License-Identifier: ISC */
/* Bytes between a channel and a socket: see net_relay.h. */
#include "daemon/net/net_relay.h"

#include <string.h>
#include <sys/socket.h>

#include "common/base/err.h"
#include "common/pty/exec_stream.h"

void
net_relay_init(struct net_relay *r, struct channel *ch)
{
	memset(r, 0, sizeof(*r));
	r->ch = ch;
	r->pipe.fd = -1;
}

static void
net_relay_on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct net_relay *r = arg;

	r->ch->busy = false;
	channel_stir(r->ch);
}

/*
 * The last n bytes have moved.  Frames are not followed: who is idle sends
 * nothing but a KEEPALIVE now and then, which is a head alone, all zero.
 */
static void
net_relay_moved(struct net_relay *r, const struct buf *b, size_t n)
{
	static const uint8_t keepalive[XS_HEAD_LEN] = { XS_KEEPALIVE };

	if (r->frames && n == XS_HEAD_LEN &&
	    memcmp(buf_ptr(b) + buf_len(b) - n, keepalive, n) == 0)
		channel_stir(r->ch);
	else
		channel_moved(r->ch);
}

/* Both have said all, or one has and that is the end. */
static void
net_relay_check_end(struct net_relay *r)
{
	if (r->said && (r->ended || !r->half))
		channel_end(r->ch);
}

/* When the other side is gone, what it said before still leaves. */
static void
net_relay_on_output(evutil_socket_t fd, short what, void *arg)
{
	struct net_relay *r = arg;
	struct channel *ch = r->ch;
	ssize_t n;

	if ((n = buf_read(ch->out, fd, NET_CHUNK)) > 0) {
		r->bytes.out += (uint64_t)n;
		net_relay_moved(r, ch->out, (size_t)n);
	}
	if (n < 0 && n != SKY_ERR_AGAIN) {
		r->said = true;
		channel_finish(ch);
		net_relay_check_end(r);
	}
	/* What was cut off is not to look as if it had ended. */
	if (n == SKY_ERR_SYS && r->half) {
		ch->faulty = true;
		channel_end(ch);
	}
	if (channel_full(ch) || r->said)
		event_del(r->pipe.ev);
}

int
net_relay_open(struct net_relay *r, int fd)
{
	int e;

	if ((e = net_pipe_open(&r->pipe, r->ch->base, fd, EV_READ,
		 net_relay_on_output, r)) != 0)
		return e;
	r->writable =
	    event_new(r->ch->base, fd, EV_WRITE, net_relay_on_writable, r);
	return r->writable != NULL ? 0 : SKY_ERR_NOMEM;
}

void
net_relay_close(struct net_relay *r)
{
	if (r->writable != NULL)
		event_free(r->writable);
	r->writable = NULL;
	net_pipe_close(&r->pipe);
}

int
net_relay_input(struct net_relay *r)
{
	ssize_t n;

	/* It is called whatever has woken the channel: idle time goes on. */
	if (buf_len(r->ch->in) == 0)
		return 0;
	net_relay_moved(r, r->ch->in, buf_len(r->ch->in));
	while ((n = buf_write(r->ch->in, r->pipe.fd)) > 0)
		r->bytes.in += (uint64_t)n;
	if (n < 0 && n != SKY_ERR_AGAIN && r->half) {
		/* It may have said something that is still on its way. */
		buf_reset(r->ch->in);
		r->ended = true;
		net_relay_check_end(r);
		return 0;
	}
	if (n != SKY_ERR_AGAIN)
		return (int)n;
	r->ch->busy = true;
	event_add(r->writable, NULL);
	return 0;
}

void
net_relay_eof(struct net_relay *r)
{
	r->ended = true;
	shutdown(r->pipe.fd, SHUT_WR);
	net_relay_check_end(r);
}

void
net_relay_room(struct net_relay *r)
{
	if (!r->said)
		event_add(r->pipe.ev, NULL);
}
