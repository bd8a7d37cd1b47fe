/* SPDX-License-Identifier: ISC */
/* Where everything that has ended goes.  dmsg.h says why. */
#include "daemon/dmsg/dmsg.h"

static void
on_reap(evutil_socket_t fd, short what, void *arg)
{
	struct ov *o = arg;

	(void)fd, (void)what;
	/* A session goes behind its streams, these behind who holds them. */
	sessions_reap_users(o);
	pipes_reap(o);
	outs_reap(o);
	ask_reap(o);
	sessions_reap(o);
	/* Whoever is told now may begin and end what he likes. */
	outs_reap_retry(o);
	ask_reap_tell(o);
}

int
ov_reap_init(struct ov *o)
{
	o->reap_ev = evtimer_new(o->base, on_reap, o);
	return o->reap_ev != NULL ? 0 : -1;
}

void
ov_reap_soon(struct ov *o)
{
	event_active(o->reap_ev, EV_TIMEOUT, 0);
}
