/* SPDX-License-Identifier: ISC */
/* Who keeps time limits when the monitor is not there. */
#ifndef MONITOR_GUARD_H
#define MONITOR_GUARD_H

#include <stdbool.h>
#include <stdint.h>

struct job;
struct monitor;

/*
 * A command has been started with a time limit in milliseconds, 0 for none, or
 * is about to be waited for.  That a guard could not be made is told in the log
 * alone.
 */
void guard_begin(struct monitor *, struct job *, uint32_t limit_ms);
void guard_end(const struct monitor *, const struct job *);
/*
 * The monitor hangs up itself: only limits are left to be kept.  Whether there
 * is a guard that does.
 */
bool guard_leave(struct monitor *);

#endif
