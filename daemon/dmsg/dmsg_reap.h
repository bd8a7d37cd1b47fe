/* SPDX-License-Identifier: ISC */
/* Where everything ends. */
#ifndef DAEMON_DMSG_DMSG_REAP_H
#define DAEMON_DMSG_DMSG_REAP_H

struct dmsg;

/* -1: no memory. */
int dmsg_reap_init(struct dmsg *);
/* Something has ended, or waits to be tried again. */
void dmsg_reap_soon(struct dmsg *);

#endif
