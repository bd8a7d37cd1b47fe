/* SPDX-License-Identifier: ISC */
/* What all channels of a connection have in common. */
#include "daemon/net/net_peer.h"

#include "common/base/err.h"
#include "common/privsep/privmsg.h"
#include "daemon/net/net_mon.h"

#define TELL_MS	    600 /* more than 1/PRIV_ACTIVES_PER_S */
#define TELL_SUM_MS 5000

static void
net_peer_tell_moved(struct net_peer *p)
{
	if (p->moved)
		mon_active(p->mon, p->link->bytes_in, p->link->bytes_out);
	p->moved = false;
}

void
net_peer_tell_all(struct net_peer *p)
{
	if (p->session)
		mon_bytes(p->mon, PRIV_CONN_HANDLE, p->link->bytes_in,
		    p->link->bytes_out);
}

/* Where idle time counts it is told at once, else when there is a sum. */
static void
net_peer_wait_tell(struct net_peer *p)
{
	long ms = p->idle != 0 ? TELL_MS : TELL_SUM_MS;
	struct timeval tv = { .tv_sec = ms / 1000,
		.tv_usec = ms % 1000 * 1000 };

	event_add(p->telling, &tv);
}

static void
net_peer_on_told(evutil_socket_t fd, short what, void *arg)
{
	struct net_peer *p = arg;

	if (!p->moved)
		return;
	net_peer_tell_moved(p);
	net_peer_wait_tell(p);
}

void
net_peer_moved(struct net_peer *p)
{
	p->moved = true;
	if (event_pending(p->telling, EV_TIMEOUT, NULL))
		return;
	if (p->idle != 0)
		net_peer_tell_moved(p);
	net_peer_wait_tell(p);
}

int
net_peer_init(struct net_peer *p, struct event_base *base, struct net_link *l,
    int mon)
{
	p->base = base;
	p->link = l;
	p->mon = mon;
	p->telling = evtimer_new(base, net_peer_on_told, p);
	return p->telling != NULL ? 0 : SKY_ERR_NOMEM;
}

void
net_peer_free(struct net_peer *p)
{
	if (p->telling != NULL)
		event_free(p->telling);
	p->telling = NULL;
}
