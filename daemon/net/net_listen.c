/* SPDX-License-Identifier: ISC */
/*
 * skypty/1/listen: the monitor has somebody listen, as the session's user, and
 * whoever connects there becomes a channel to the peer.  It is listened until
 * the peer ends the channel that it was asked for on.  See PROTOCOL.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/pty/mux_forward.h"
#include "daemon/net/net_channels.h"
#include "daemon/net/net_mon.h"
#include "daemon/net/net_pipe.h"
#include "daemon/net/net_service.h"

#define LISTEN_SOCKETS 2  /* loopback is two addresses */
#define ACCEPTS	       16 /* before others have their turn */
#define PAUSE_S	       1  /* when there is no descriptor for one more */

struct net_listen {
	struct channel *ch;
	uint32_t id; /* as the peer has said it */
	bool open;
	struct net_pipe socket[LISTEN_SOCKETS];
	struct event *pause; /* pending: nobody is accepted */
};

static int
net_listen_begin(struct channel *ch, struct buf *query)
{
	struct mux_place place;
	struct net_listen *l;

	if ((ch->state = l = calloc(1, sizeof(*l))) == NULL)
		return SKY_ERR_NOMEM;
	l->ch = ch;
	for (size_t i = 0; i < LISTEN_SOCKETS; i++)
		l->socket[i].fd = -1;
	if (mux_listen_query(query, &l->id, &place) != 0) {
		channel_reject(ch, "that is no address and port, and no path");
		return 0;
	}
	ch->busy = true;
	mon_forward_listen(ch, &place);
	return 0;
}

static void
net_listen_end(struct channel *ch)
{
	struct net_listen *l = ch->state;

	for (size_t i = 0; i < LISTEN_SOCKETS; i++)
		net_pipe_close(&l->socket[i]);
	if (l->pause != NULL)
		event_free(l->pause);
	free(l);
}

/* --- who connects there --- */

static void
net_listen_on_pause(evutil_socket_t fd, short what, void *arg)
{
	struct net_listen *l = arg;

	for (size_t i = 0; i < LISTEN_SOCKETS; i++)
		if (l->socket[i].ev != NULL)
			event_add(l->socket[i].ev, NULL);
}

static void
net_listen_pause(struct net_listen *l)
{
	const struct timeval tv = { .tv_sec = PAUSE_S };

	for (size_t i = 0; i < LISTEN_SOCKETS; i++)
		if (l->socket[i].ev != NULL)
			event_del(l->socket[i].ev);
	event_add(l->pause, &tv);
}

/* Nobody has an address who comes by a Unix socket. */
static void
net_listen_describe(struct mux_accepted *a, const struct sockaddr_storage *sa)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)sa;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)sa;
	const void *addr = &v4->sin_addr;

	if (sa->ss_family != AF_INET && sa->ss_family != AF_INET6)
		return;
	a->port = ntohs(v4->sin_port);
	if (sa->ss_family == AF_INET6) {
		a->port = ntohs(v6->sin6_port);
		addr = &v6->sin6_addr;
		if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
			addr = &v6->sin6_addr.s6_addr[12];
	}
	(void)inet_ntop(addr == &v6->sin6_addr ? AF_INET6 : AF_INET, addr,
	    a->from, sizeof(a->from));
}

/* Whoever finds no room is closed, as one would whom nobody serves. */
static void
net_listen_pass_on(struct net_listen *l, int fd,
    const struct sockaddr_storage *from)
{
	struct mux_accepted a = { .id = l->id };
	char uri[MUX_URI_MAX + 1];
	int r;

	net_listen_describe(&a, from);
	if (mux_accepted_uri(uri, &a) != 0)
		close(fd);
	else if ((r = net_channels_open(l->ch, uri, fd)) != 0)
		channel_log(l->ch, LOG_LEVEL_DEBUG,
		    "a forwarded connection is closed: %s", err_text(r));
}

static void
net_listen_on_caller(evutil_socket_t fd, short what, void *arg)
{
	struct net_listen *l = arg;
	struct sockaddr_storage from;
	socklen_t len;
	int conn;

	for (int i = 0; i < ACCEPTS; i++) {
		memset(&from, 0, sizeof(from));
		len = sizeof(from);
		conn = accept4(fd, (struct sockaddr *)&from, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (conn != -1)
			net_listen_pass_on(l, conn, &from);
		else if (errno == EMFILE || errno == ENFILE ||
		    errno == ENOBUFS || errno == ENOMEM) {
			net_listen_pause(l);
			return;
		} else if (errno != EINTR && errno != ECONNABORTED)
			return;
	}
}

/* --- that there is somebody --- */

static int
net_listen_open(struct net_listen *l, struct privmsg *m)
{
	int r = SKY_ERR_FORMAT;

	if ((l->pause = evtimer_new(l->ch->base, net_listen_on_pause, l)) ==
	    NULL)
		return SKY_ERR_NOMEM;
	for (size_t i = 0; i < m->nfd && i < LISTEN_SOCKETS; i++)
		if ((r = net_pipe_open(&l->socket[i], l->ch->base,
			 privmsg_take_fd(m, i), EV_READ, net_listen_on_caller,
			 l)) != 0)
			return r;
	return r;
}

/* Its port, which the peer may not have chosen. */
static void
net_listen_accept(struct net_listen *l, uint16_t port)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%u\n", port);

	l->open = true;
	l->ch->busy = false;
	channel_accept(l->ch);
	channel_put(l->ch, text, (size_t)n);
}

static int
net_listen_told(struct channel *ch, struct privmsg *m)
{
	struct net_listen *l = ch->state;
	uint16_t port;
	char *why;
	int r;

	if (m->type == PM_EXITED)
		return 0;
	if (m->type != PM_FORWARD_LISTEN + 1 || l->open)
		return SKY_ERR_STATE;
	if ((r = buf_get_cstring(&m->body, &why, PRIVMSG_TEXT_MAX)) != 0)
		return r;
	if (*why != '\0')
		channel_reject(ch, why);
	else if ((r = buf_get_u16(&m->body, &port)) == 0 &&
	    (r = net_listen_open(l, m)) == 0)
		net_listen_accept(l, port);
	free(why);
	return r;
}

/* The peer has nothing to say here. */
static void
net_listen_input(struct channel *ch)
{
	buf_reset(ch->in);
}

const struct service_ops net_listen_ops = {
	.begin = net_listen_begin,
	.input = net_listen_input,
	.told = net_listen_told,
	.end = net_listen_end,
};
