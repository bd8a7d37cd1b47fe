/* SPDX-License-Identifier: ISC */
/* Where everything that has ended goes.  dmsg.h says why. */
#include "daemon/dmsg/dmsg_life.h"
#include "daemon/dmsg/dmsg_out.h"
#include "daemon/dmsg/dmsg_pipe.h"
#include "daemon/dmsg/dmsg_reap.h"

static void
on_reap(evutil_socket_t fd, short what, void *arg)
{
	struct dmsg *d = arg;

	/* A session goes behind its streams, these behind who holds them. */
	sessions_reap_users(d);
	pipes_reap(d);
	outs_reap(d);
	ask_reap(d);
	sessions_reap(d);
	/* Whoever is told now may begin and end what he likes. */
	outs_reap_retry(d);
	ask_reap_tell(d);
}

int
dmsg_reap_init(struct dmsg *d)
{
	d->reap_ev = evtimer_new(d->base, on_reap, d);
	return d->reap_ev != NULL ? 0 : -1;
}

void
dmsg_reap_soon(struct dmsg *d)
{
	event_active(d->reap_ev, EV_TIMEOUT, 0);
}
