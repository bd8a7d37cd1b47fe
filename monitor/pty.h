/* SPDX-License-Identifier: ISC */
/* The connection's terminals and the shells behind them. */
#ifndef MONITOR_PTY_H
#define MONITOR_PTY_H

#include <stdbool.h>
#include <stdint.h>

#include "monitor/half/request.h"
#include "monitor/job.h"
#include "monitor/recorder.h"

struct half;
struct monitor;

struct mon_terminal {
	struct job shell; /* without pid, as the recorder: a free slot */
	struct recorder recorder;
	bool stopping; /* PTY_STOP waits for the shell to be reaped */
	uint16_t stop_id;
};

request_handler pty_start, pty_stop;
/* For the table: how many there are, with those whose recorder is left. */
unsigned pty_running(const struct half *);
/* One whose shell has not been reaped, or NULL. */
struct mon_terminal *pty_find(struct monitor *, uint32_t handle);
/* Whether one has a recorder that is not done yet. */
bool pty_recording(const struct monitor *);
/*
 * Zombies may be there; tells the child.  A terminal that was recorded does not
 * go on without that.
 */
void pty_reap(struct monitor *);
/* The connection ends, which is told in the log. */
void pty_leave(struct monitor *);

#endif
