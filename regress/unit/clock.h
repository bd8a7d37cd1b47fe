/* SPDX-License-Identifier: ISC */
/*
 * For tests that are linked with $(WRAP_CLOCK): the C library's clock and ours
 * in its place.  Where time has 64 bits and a long 32 it goes by another name.
 */
#ifndef REGRESS_UNIT_CLOCK_H
#define REGRESS_UNIT_CLOCK_H

#include <time.h>

#if defined(__TIMESIZE) && __TIMESIZE == 32 && defined(__USE_TIME_BITS64)
#define CLOCK_SYMBOL "__clock_gettime64"
#else
#define CLOCK_SYMBOL "clock_gettime"
#endif

int real_clock_gettime(clockid_t, struct timespec *) __asm__(
    "__real_" CLOCK_SYMBOL);
int wrap_clock_gettime(clockid_t, struct timespec *) __asm__(
    "__wrap_" CLOCK_SYMBOL);

#endif
