/* SPDX-License-Identifier: ISC */
/* Sockets for dmsg. */
#ifndef MONITOR_DMSG_CONNECT_H
#define MONITOR_DMSG_CONNECT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/reach.h"

struct dmsg_monitor;

struct connect_to {
	const char *host;
	uint16_t port;
	enum reach reach; /* no farther in than this */
	bool tls;
};

/* Called once for a connection, with a descriptor, or with -1 and why. */
typedef void
connect_done(struct dmsg_monitor *, uint16_t id, int fd, const char *why);

/* None yet.  SKY_ERR_NOMEM. */
int connect_init(struct dmsg_monitor *);
/*
 * Resolves and connects in a process of its own, as the confined user.  What
 * goes wrong is told to done.
 */
void connect_start(struct dmsg_monitor *, uint16_t id,
    const struct connect_to *, connect_done *);
/* A process has ended that is not the child. */
void connect_reap(struct dmsg_monitor *);

#endif
