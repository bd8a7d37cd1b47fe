/* SPDX-License-Identifier: ISC */
/* Time that only goes forward. */
#ifndef COMMON_BASE_CLOCK_H
#define COMMON_BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds of the monotonic clock. */
int64_t now_ms(void);

#endif
