/* SPDX-License-Identifier: ISC */
/* A descriptor that the monitor has handed down. */
#include "daemon/net/net_pipe.h"

#include <unistd.h>

#include "common/base/err.h"

int
net_pipe_open(struct net_pipe *p, struct event_base *base, int fd, short what,
    event_callback_fn cb, void *arg)
{
	if ((p->fd = fd) == -1)
		return SKY_ERR_FORMAT;
	p->ev = event_new(base, p->fd, what | EV_PERSIST, cb, arg);
	if (p->ev == NULL || event_add(p->ev, NULL) == -1)
		return SKY_ERR_NOMEM;
	return 0;
}

void
net_pipe_close(struct net_pipe *p)
{
	if (p->ev != NULL)
		event_free(p->ev);
	p->ev = NULL;
	if (p->fd != -1)
		close(p->fd);
	p->fd = -1;
}
