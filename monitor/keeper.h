/* SPDX-License-Identifier: ISC */
/* Jobs, which outlive their connection: their keeper, the door to them. */
#ifndef MONITOR_KEEPER_H
#define MONITOR_KEEPER_H

#include "monitor/half/request.h"

struct monitor;

request_handler keeper_run, keeper_door;
void keeper_reap(struct monitor *);
/* The connection ends, and the keeper does not. */
void keeper_leave(struct monitor *);

#endif
