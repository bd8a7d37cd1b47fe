/* SPDX-License-Identifier: ISC */
/* Commands on pipes, each with a time limit. */
#ifndef MONITOR_EXEC_H
#define MONITOR_EXEC_H

#include "monitor/half/request.h"

struct half;
struct monitor;

request_handler exec_start, exec_end, exec_give_up, exec_signal;
/* For the table: how many have not been reaped. */
unsigned exec_running(const struct half *);
void exec_reap(struct monitor *);
/* The connection ends. */
void exec_leave(struct monitor *);

#endif
