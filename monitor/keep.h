/* SPDX-License-Identifier: ISC */
/*
 * Jobs and sessions, which outlive their connection: their keepers, the doors
 * to them.
 */
#ifndef MONITOR_KEEP_H
#define MONITOR_KEEP_H

#include "monitor/half/request.h"

struct half;
struct monitor;

request_handler keep_run, keep_door, keep_session_run, keep_session_door;
/* For the table: how many have not been reaped, doors among them. */
unsigned keep_running(const struct half *);
void keep_reap(struct monitor *);
/* The connection ends, and its keepers do not. */
void keep_leave(struct monitor *);

#endif
