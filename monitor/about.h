/* SPDX-License-Identifier: ISC */
/* What skyptyd is told of a connection, for skyptyd status. */
#ifndef MONITOR_ABOUT_H
#define MONITOR_ABOUT_H

#include "common/base/buf.h"

struct monitor;

/* Whose it is and what runs, whenever that has changed. */
void about_tell(const struct monitor *);
/*
 * Takes how many bytes its child says that there were, as in PM_ACTIVE, and
 * passes it on.  What buf_get_u64() returns.
 */
int about_moved(struct monitor *, struct buf *);

#endif
