/* SPDX-License-Identifier: ISC */
/* A descriptor that the monitor has handed down: a command's pipe or terminal,
 * or a socket. */
#ifndef DAEMON_NET_NET_PIPE_H
#define DAEMON_NET_NET_PIPE_H

#include <event2/event.h>
#include <stdbool.h>

#include "common/base/buf.h"

#define NET_CHUNK (64U * 1024) /* one read or write of a descriptor */

struct net_pipe {
	int fd;	  /* -1 when closed */
	bool cut; /* output was dropped */
	struct buf data;
	struct event *ev;
};

/*
 * Takes a descriptor, -1 for one that has not come: SKY_ERR_FORMAT,
 * SKY_ERR_NOMEM. what is EV_READ or EV_WRITE, and waited for from now on.
 */
int net_pipe_open(struct net_pipe *, struct event_base *, int fd, short what,
    event_callback_fn, void *arg);
/* Also one that is closed already; data stays. */
void net_pipe_close(struct net_pipe *);

#endif
