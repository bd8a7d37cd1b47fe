/* SPDX-License-Identifier: ISC */
/* Durations as Go writes them. */
#ifndef CLIENT_DURATION_H
#define CLIENT_DURATION_H

#include <stdint.h>

/* "1m30s", "1.5h"; a number alone is seconds.  -1: no duration. */
int64_t duration_ms(const char *);

/* As ssh's tools have it: "3600", "8h30m", "1w2d"; 0: none. */
uint32_t duration_life(const char *);

#endif
