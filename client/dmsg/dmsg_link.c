/* SPDX-License-Identifier: ISC */
/* A session with a dmsg server, from its address on.  PROTOCOL.dmsg 2. */
#include "client/dial.h"
#include "client/dmsg/dmsg.h"
#include "client/handshake.h"

#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/addr.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/reach.h"
#include "common/base/tcp.h"
#include "common/dmsg/dmsg_session.h"
#include "common/pty/frame.h"
#include "common/pty/keys.h"
#include "common/pty/noise.h"

#define CHUNK	     (64U * 1024)
#define BUFFER	     (256U * 1024)
#define HANDSHAKE_MS 5000
#define SILENCE_MS   100
#define END_MS	     3000 /* the server has only to read, and to close */

static bool
dmsg_link_wait(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t left = deadline - now_ms();

	return left > 0 && poll(&p, 1, (int)left) == 1;
}

static ssize_t
dmsg_link_write(struct dmsg_link *l)
{
	ssize_t n = buf_write(&l->out, l->fd);

	if (n > 0)
		l->sent += (uint64_t)n;
	return n;
}

/* --- the handshake --- */

static int
dmsg_link_send_message(struct dmsg_link *l, struct buf *msg)
{
	int r = frame_put(&l->out, buf_ptr(msg), buf_len(msg));

	while (r == 0 && buf_len(&l->out) != 0)
		if (dmsg_link_write(l) < 0)
			r = SKY_ERR_SYS;
	buf_reset(msg);
	return r;
}

static int
dmsg_link_read_message(struct dmsg_link *l, struct buf *body)
{
	int64_t deadline = now_ms() + HANDSHAKE_MS;
	int r;

	while ((r = frame_get(&l->in, body)) == 0)
		if (!dmsg_link_wait(l->fd, POLLIN, deadline) ||
		    buf_read(&l->in, l->fd, CHUNK) < 0)
			return SKY_ERR_EOF;
	return r < 0 ? r : 0;
}

static int
dmsg_link_exchange(struct dmsg_link *l, struct handshake *h, struct buf *msg,
    struct noise_keys *keys)
{
	int64_t begun = now_ms();
	struct buf body;
	int r;

	if ((r = dmsg_link_send_message(l, msg)) != 0 ||
	    (r = dmsg_link_read_message(l, &body)) != 0)
		return r;
	begun = now_ms() - begun;
	if ((r = handshake_finish(h, &body, msg, keys)) != 0 ||
	    (r = dmsg_link_send_message(l, msg)) != 0)
		return r;
	/* Servers of 2024 lose what comes right behind it. */
	(void)poll(NULL, 0,
	    2 * begun > SILENCE_MS ? (int)(2 * begun) : SILENCE_MS);
	return 0;
}

static int
dmsg_link_shake_hands(struct dmsg_link *l, struct handshake *h, struct buf *msg)
{
	struct noise_keys keys;
	uint64_t seed;
	int r;

	if ((r = dmsg_link_exchange(l, h, msg, &keys)) == 0) {
		randombytes_buf(&seed, sizeof(seed));
		l->dmsg = dmsg_session_new(keys.send, keys.recv, seed);
		r = l->dmsg != NULL ? 0 : SKY_ERR_NOMEM;
	}
	explicit_bzero(&keys, sizeof(keys));
	return r;
}

/* What goes wrong is told in words, an agent's refusal by itself, too. */
const char *
dmsg_link_open(struct dmsg_link *l, const struct dmsg_dialer *d,
    const struct key_public *server, const char *address, enum reach reach)
{
	char host[ADDR_HOST_MAX], port[ADDR_PORT_MAX];
	struct handshake h = { 0 };
	const char *why = NULL;
	struct buf msg;
	int r;

	memset(l, 0, sizeof(*l));
	l->fd = -1;
	l->server = *server;
	buf_init(&l->in, BUFFER);
	buf_init(&l->out, DMSG_UNSENT);
	if (addr_split(address, NULL, host, port) != 0)
		return "its address is malformed";
	buf_init(&msg, NOISE_MSG_MAX);
	if ((r = handshake_start(&h, d->ctx, &d->id, &l->server, &msg)) != 0)
		why = r > 0 ? "the agent does not do it" : err_text(r);
	else if ((l->fd = dial_connect(host, port, reach, NULL, &why)) != -1) {
		why = NULL;
		tcp_bound_unsent(l->fd, DMSG_UNSENT);
		if ((r = dmsg_link_shake_hands(l, &h, &msg)) != 0)
			why = r == SKY_ERR_EOF ? "no answer to the handshake" :
						 "it does not prove its key";
	}
	handshake_free(&h);
	buf_free(&msg);
	return why;
}

void
dmsg_link_close(struct dmsg_link *l)
{
	dmsg_session_free(l->dmsg);
	l->dmsg = NULL;
	if (l->fd != -1)
		close(l->fd);
	l->fd = -1;
	buf_free(&l->in);
	buf_free(&l->out);
}

/*
 * To close while anything lies here, or is about to come, would have the system
 * tell the server to forget what it has not read yet.
 */
void
dmsg_link_end(struct dmsg_link *l)
{
	int64_t deadline = now_ms() + END_MS;
	ssize_t n = 1;

	if (l->fd == -1 || shutdown(l->fd, SHUT_WR) == -1)
		return;
	while ((n > 0 || n == SKY_ERR_AGAIN) &&
	    dmsg_link_wait(l->fd, POLLIN, deadline)) {
		buf_reset(&l->in);
		n = buf_read(&l->in, l->fd, CHUNK);
	}
}

static size_t
dmsg_link_underway(const struct dmsg_link *l)
{
	int n;

	return ioctl(l->fd, TIOCOUTQ, &n) == 0 && n > 0 ? (size_t)n : 0;
}

size_t
dmsg_link_unsent(const struct dmsg_link *l)
{
	return dmsg_session_unsent(l->dmsg) + buf_len(&l->out) +
	    dmsg_link_underway(l);
}

uint64_t
dmsg_link_taken(const struct dmsg_link *l)
{
	return l->sent - dmsg_link_underway(l);
}

short
dmsg_link_events(const struct dmsg_link *l)
{
	return (short)(POLLIN |
	    (buf_len(&l->out) != 0 || dmsg_session_pending(l->dmsg) ? POLLOUT :
								      0));
}

int
dmsg_link_pump(struct dmsg_link *l, short revents)
{
	ssize_t r = 1;
	int e;

	if (revents & (POLLIN | POLLHUP | POLLERR)) {
		r = buf_read(&l->in, l->fd, CHUNK);
		if (r < 0 && r != SKY_ERR_AGAIN)
			return (int)r;
		if (r >= 0 && (e = dmsg_session_input(l->dmsg, &l->in)) != 0)
			return e;
		r = 1;
	}
	while (r > 0) {
		if (buf_len(&l->out) < DMSG_UNSENT / 2 &&
		    (e = dmsg_session_output(l->dmsg, &l->out)) != 0)
			return e;
		r = dmsg_link_write(l);
	}
	return r == 0 || r == SKY_ERR_AGAIN ? 0 : (int)r;
}
