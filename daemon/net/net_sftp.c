/* SPDX-License-Identifier: ISC */
/*
 * The SFTP subsystem: bytes between the peer and the server that the monitor
 * started.  Nothing of them is looked at.  PROTOCOL.pty 8.
 */
#include "daemon/net/net.h"

#include <stdlib.h>

#include "common/base/err.h"

static void on_output(evutil_socket_t, short, void *);
static void on_room(evutil_socket_t, short, void *);

void
sftp_begin(struct net *n)
{
	n->asked = true;
	mon_sftp_start(n);
}

static int
open_server(struct net *n, int fd)
{
	struct stream *s = &n->sftp;
	int r;

	if ((r = stream_open(n, s, fd, on_output, EV_READ, n)) != 0)
		return r;
	s->room = event_new(n->base, fd, EV_WRITE, on_room, n);
	return s->room != NULL ? 0 : SKY_ERR_NOMEM;
}

int
sftp_started(struct net *n, struct privmsg *m)
{
	char *why = NULL;
	int r;

	if (n->service != MUX_SFTP || !n->asked)
		return SKY_ERR_STATE;
	if ((r = buf_get_cstring(&m->body, &why, PRIVMSG_TEXT_MAX)) != 0)
		return r;
	n->asked = false;
	if (*why != '\0')
		net_reject(n);
	else if ((r = open_server(n, privmsg_take_fd(m, 0))) == 0)
		net_accept(n);
	free(why);
	if (r == 0)
		net_process(n);
	return r;
}

bool
sftp_busy(const struct net *n)
{
	return n->sftp.room != NULL &&
	    event_pending(n->sftp.room, EV_WRITE, NULL);
}

/* The server is gone: what it said before still leaves. */
static void
server_gone(struct net *n)
{
	stream_close(&n->sftp);
	if (n->state == NET_SERVICE)
		net_finish(n);
}

void
sftp_process(struct net *n)
{
	ssize_t r;

	if (sftp_busy(n) || n->sftp.fd == -1)
		return;
	while ((r = buf_write(&n->link.in, n->sftp.fd)) > 0)
		;
	if (r == SKY_ERR_AGAIN)
		event_add(n->sftp.room, NULL);
	else if (r < 0)
		server_gone(n);
}

static void
on_room(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	net_process(arg);
}

static void
on_output(evutil_socket_t fd, short what, void *arg)
{
	struct net *n = arg;
	ssize_t r;

	(void)what;
	r = buf_read(&n->link.out, fd, NET_CHUNK);
	if (r < 0 && r != SKY_ERR_AGAIN) {
		server_gone(n);
		return;
	}
	link_flush(n);
	if (link_backlog(&n->link) >= NET_OUT_HIGH)
		event_del(n->sftp.ev);
}

void
sftp_pump(struct net *n)
{
	if (n->sftp.ev != NULL)
		event_add(n->sftp.ev, NULL);
}
