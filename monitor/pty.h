/* SPDX-License-Identifier: ISC */
/* The connection's terminal and the shell behind it. */
#ifndef MONITOR_PTY_H
#define MONITOR_PTY_H

#include "monitor/half/request.h"

struct half;
struct monitor;

request_handler pty_start, pty_stop;
/* For the table: 1 while a shell runs, and while one is being stopped. */
unsigned pty_running(const struct half *);
unsigned pty_stopping(const struct half *);
/* Its recorder has ended: what is not recorded any more does not go on. */
void pty_unrecorded(struct monitor *);
/* A zombie may be there; tells the child. */
void pty_reap(struct monitor *);

#endif
