/* SPDX-License-Identifier: ISC */
/* Jobs, which outlive their connection: their keeper, the door to them. */
#ifndef MONITOR_KEEP_H
#define MONITOR_KEEP_H

#include "monitor/half/request.h"

struct monitor;

request_handler keep_run, keep_door;
void keep_reap(struct monitor *);
/* The connection ends, and the keeper does not. */
void keep_leave(struct monitor *);

#endif
