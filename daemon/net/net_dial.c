/* SPDX-License-Identifier: ISC */
/*
 * The control socket's way to others: what comes is sealed and goes to a stream
 * over dmsg, and the other way round.  PROTOCOL.pty 9; PROTOCOL.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/pty/link.h"
#include "common/pty/mux.h"
#include "daemon/net/net_mon.h"
#include "daemon/net/net_service.h"

struct net_dial {
	bool proxy;    /* the original's: it opens a service over there */
	bool awaiting; /* and this is the answer's turn */
	bool eof;      /* the other side has said all */
	int fd;	       /* -1 before there is one */
	struct link link;
	struct event *rd, *wr;
};

/* The original says nothing at all when it fails; ours says why. */
static void
net_dial_fail(struct channel *ch, const char *why)
{
	struct net_dial *d = ch->state;

	if (d->proxy)
		channel_fatal(ch, "proxy: %s", why);
	channel_log(ch, LOG_LEVEL_INFO, "Dialing: %s", why);
	channel_reject(ch, why);
}

/* Accepted when there is a stream. */
static int
net_dial_begin_as(struct channel *ch, struct buf *query, bool proxy)
{
	struct key_public pk;
	struct net_dial *d;
	uint16_t port;

	if ((ch->state = d = calloc(1, sizeof(*d))) == NULL)
		return SKY_ERR_NOMEM;
	d->fd = -1;
	d->proxy = proxy;
	link_init(&d->link);
	ch->busy = true;
	if (mux_proxy_query(query, &pk, &port) != 0 || port == 0)
		net_dial_fail(ch, "that is no key, or no port");
	else
		mon_dial(ch, &pk, port);
	return 0;
}

static int
net_dial_begin(struct channel *ch, struct buf *query)
{
	return net_dial_begin_as(ch, query, false);
}

static int
net_proxy_begin(struct channel *ch, struct buf *query)
{
	return net_dial_begin_as(ch, query, true);
}

static void
net_dial_end(struct channel *ch)
{
	struct net_dial *d = ch->state;

	if (d->rd != NULL)
		event_free(d->rd);
	if (d->wr != NULL)
		event_free(d->wr);
	if (d->fd != -1)
		close(d->fd);
	link_free(&d->link);
	free(d);
}

/* To the other side, as much as it takes now. */
static void
net_dial_write(struct channel *ch, struct buf *from)
{
	struct net_dial *d = ch->state;
	ssize_t r;

	while ((r = link_write(&d->link, d->fd, from)) > 0)
		;
	ch->busy = r == SKY_ERR_AGAIN || d->awaiting;
	if (r == SKY_ERR_AGAIN)
		event_add(d->wr, NULL);
	else if (r == SKY_ERR_SYS)
		channel_end(ch);
	else if (r < 0)
		channel_fatal(ch, "%s", err_text((int)r));
}

static void
net_dial_input(struct channel *ch)
{
	net_dial_write(ch, ch->in);
}

static void
net_dial_on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct channel *ch = arg;
	struct buf none;

	buf_view(&none, NULL, 0);
	net_dial_write(ch, &none);
}

/*
 * The first byte over there is the answer to what we asked for; our own is the
 * same byte.
 */
static int
net_dial_take_answer(struct channel *ch)
{
	struct net_dial *d = ch->state;

	if (!d->awaiting || buf_len(ch->out) == 0)
		return 0;
	if (*buf_ptr(ch->out) != MUX_ACCEPT)
		return SKY_ERR_DENIED;
	d->awaiting = ch->busy = false;
	ch->stage = CHANNEL_OPEN;
	return 0;
}

/* What the other side has said before its end still leaves. */
static void
net_dial_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct channel *ch = arg;
	struct net_dial *d = ch->state;
	ssize_t r;

	r = link_read(&d->link, fd, NULL);
	d->eof = r < 0 && r != SKY_ERR_AGAIN;
	if ((r = link_open(&d->link, ch->out)) != 0 ||
	    (r = net_dial_take_answer(ch)) != 0)
		channel_fatal(ch, "the far side: %s", err_text((int)r));
	if (d->eof && d->awaiting)
		channel_fatal(ch, "the far side has closed the stream");
	if (d->eof)
		channel_end(ch);
	if (d->eof || channel_full(ch))
		event_del(d->rd);
}

static void
net_dial_room(struct channel *ch)
{
	struct net_dial *d = ch->state;

	event_add(d->rd, NULL);
}

static int
net_dial_open(struct channel *ch, int fd, struct buf *keys)
{
	struct net_dial *d = ch->state;
	uint8_t send[32], recv[32];
	int r;

	if ((d->fd = fd) == -1)
		return SKY_ERR_STATE;
	if ((r = buf_get(keys, send, sizeof(send))) != 0 ||
	    (r = buf_get(keys, recv, sizeof(recv))) != 0)
		return r;
	link_keys(&d->link, send, recv);
	explicit_bzero(send, sizeof(send));
	explicit_bzero(recv, sizeof(recv));
	d->rd = event_new(ch->base, fd, EV_READ | EV_PERSIST,
	    net_dial_on_readable, ch);
	d->wr = event_new(ch->base, fd, EV_WRITE, net_dial_on_writable, ch);
	if (d->rd == NULL || d->wr == NULL || event_add(d->rd, NULL) == -1)
		return SKY_ERR_NOMEM;
	return 0;
}

/* The original's proxy has the terminal's service opened over there. */
static int
net_dial_ask_for_pty(struct channel *ch)
{
	struct net_dial *d = ch->state;
	struct buf request;
	int r;

	d->awaiting = true;
	buf_init(&request, MUX_URI_MAX + 1);
	if ((r = mux_put_request(&request, MUX_URI_PTY)) == 0)
		net_dial_write(ch, &request);
	buf_free(&request);
	return r;
}

static int
net_dial_told(struct channel *ch, struct privmsg *m)
{
	struct net_dial *d = ch->state;
	char *why = NULL;
	int r;

	if (m->type != PM_PROXY_DIAL + 1 || d->fd != -1)
		return SKY_ERR_STATE;
	if ((r = buf_get_cstring(&m->body, &why, PRIVMSG_TEXT_MAX)) != 0)
		return r;
	if (*why != '\0') {
		net_dial_fail(ch, why);
	} else if ((r = net_dial_open(ch, privmsg_take_fd(m, 0), &m->body)) ==
	    0) {
		if (d->proxy)
			r = net_dial_ask_for_pty(ch); /* that is our answer */
		else {
			ch->busy = false;
			channel_accept(ch);
		}
	}
	free(why);
	return r;
}

const struct service_ops net_dial_ops = {
	.begin = net_dial_begin,
	.input = net_dial_input,
	.room = net_dial_room,
	.told = net_dial_told,
	.end = net_dial_end,
};

const struct service_ops net_proxy_ops = {
	.begin = net_proxy_begin,
	.input = net_dial_input,
	.room = net_dial_room,
	.told = net_dial_told,
	.end = net_dial_end,
};
