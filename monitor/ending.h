/* SPDX-License-Identifier: ISC */
/* What the log tells of the end of a connection. */
#ifndef MONITOR_ENDING_H
#define MONITOR_ENDING_H

#include <stdint.h>

#include "monitor/monitor.h"

void ending_used(struct monitor *, enum mon_use);
/* The line of the end; the phase is that of before. */
void ending_tell(const struct monitor *, int phase, const char *why);
/* "0.3 s", "2m05s", "25h00m00s". */
#define ENDING_TIME_MAX 32
void ending_time(char text[ENDING_TIME_MAX], int64_t ms);
/* "; 120 bytes in, 4711 out", in words and in fields; nothing if untold. */
#define ENDING_MOVED_MAX 64
struct log_fields;
void ending_moved(char text[ENDING_MOVED_MAX], const struct job_moved *,
    struct log_fields *);

#endif
