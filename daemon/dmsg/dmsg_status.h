/* SPDX-License-Identifier: ISC */
/* What "skypty dmsg status" is told. */
#ifndef DAEMON_DMSG_DMSG_STATUS_H
#define DAEMON_DMSG_DMSG_STATUS_H

struct dmsg;

/* Tells skyptyd what goes on, for "skypty dmsg status". */
void status_tell(struct dmsg *);

#endif
