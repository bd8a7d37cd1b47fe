/* SPDX-License-Identifier: ISC */
/* What the log tells of the end of a connection. */
#ifndef MONITOR_ENDING_H
#define MONITOR_ENDING_H

#include <stdint.h>

#include "monitor/monitor.h"

void ending_used(struct monitor *, enum mon_use);
/* The line of the end; the phase is that of before. */
void ending_tell(const struct monitor *, int phase, const char *why);
/* "0.3 s", "2m05s", "25h00m00s", since that time of now_ms. */
#define ENDING_TIME_MAX 32
void ending_time(char text[ENDING_TIME_MAX], int64_t begun);

#endif
