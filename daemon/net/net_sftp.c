/* SPDX-License-Identifier: ISC */
/*
 * The SFTP subsystem: bytes between the peer and the server that the monitor
 * started.  Nothing of them is looked at.  PROTOCOL.pty 8.
 */
#include <stdlib.h>

#include "common/base/err.h"
#include "daemon/net/net_mon.h"
#include "daemon/net/net_pipe.h"
#include "daemon/net/net_service.h"

struct net_sftp {
	struct net_pipe server;
	struct job_bytes bytes;
	struct event *writable; /* pending: it takes no more for now */
};

/* Accepted when there is a server. */
static int
net_sftp_begin(struct channel *ch, struct buf *query)
{
	struct net_sftp *s;

	if ((ch->state = s = calloc(1, sizeof(*s))) == NULL)
		return SKY_ERR_NOMEM;
	s->server.fd = -1;
	ch->busy = true;
	mon_sftp_start(ch->mon);
	return 0;
}

static void
net_sftp_end(struct channel *ch)
{
	struct net_sftp *s = ch->state;

	if (s->writable != NULL) {
		channel_tell_job(ch, PRIV_SFTP_HANDLE, &s->bytes);
		event_free(s->writable);
	}
	net_pipe_close(&s->server);
	free(s);
}

static void
net_sftp_input(struct channel *ch)
{
	struct net_sftp *s = ch->state;
	ssize_t r;

	channel_moved(ch);
	while ((r = buf_write(ch->in, s->server.fd)) > 0)
		s->bytes.in += (uint64_t)r;
	if (r == SKY_ERR_AGAIN) {
		ch->busy = true;
		event_add(s->writable, NULL);
	} else if (r < 0)
		channel_end(ch);
}

static void
net_sftp_on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct channel *ch = arg;

	ch->busy = false;
}

/* When the server is gone, what it said before still leaves. */
static void
net_sftp_on_output(evutil_socket_t fd, short what, void *arg)
{
	struct channel *ch = arg;
	struct net_sftp *s = ch->state;
	ssize_t r;

	if ((r = buf_read(ch->out, fd, NET_CHUNK)) > 0) {
		s->bytes.out += (uint64_t)r;
		channel_moved(ch);
	}
	if (r < 0 && r != SKY_ERR_AGAIN)
		channel_end(ch);
	if (channel_full(ch) || ch->stage == CHANNEL_ENDED)
		event_del(s->server.ev);
}

static void
net_sftp_room(struct channel *ch)
{
	struct net_sftp *s = ch->state;

	event_add(s->server.ev, NULL);
}

static int
net_sftp_open(struct channel *ch, int fd)
{
	struct net_sftp *s = ch->state;
	int r;

	if ((r = net_pipe_open(&s->server, ch->base, fd, EV_READ,
		 net_sftp_on_output, ch)) != 0)
		return r;
	s->writable =
	    event_new(ch->base, fd, EV_WRITE, net_sftp_on_writable, ch);
	return s->writable != NULL ? 0 : SKY_ERR_NOMEM;
}

static int
net_sftp_told(struct channel *ch, struct privmsg *m)
{
	char *why = NULL;
	int r;

	if (m->type != PM_SFTP_START + 1 || ch->stage != CHANNEL_ASKED)
		return SKY_ERR_STATE;
	if ((r = buf_get_cstring(&m->body, &why, PRIVMSG_TEXT_MAX)) != 0)
		return r;
	ch->busy = false;
	if (*why != '\0')
		channel_reject(ch, why);
	else if ((r = net_sftp_open(ch, privmsg_take_fd(m, 0))) == 0)
		channel_accept(ch);
	free(why);
	return r;
}

const struct service_ops net_sftp_ops = {
	.begin = net_sftp_begin,
	.input = net_sftp_input,
	.room = net_sftp_room,
	.told = net_sftp_told,
	.end = net_sftp_end,
};
