/* SPDX-License-Identifier: ISC */
/*
 * For LD_PRELOAD: the clock of the wall is OTHER_TIME seconds away from ours,
 * in one direction and then in the other with each look at it if JUMPS is set.
 */
#include <sys/time.h>

#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

#define REAL(fn, name) (*(void **)&(fn) = dlsym(RTLD_NEXT, name))

static time_t
away(void)
{
	static int sign = 1;
	const char *text = getenv("OTHER_TIME");

	if (getenv("JUMPS") != NULL)
		sign = -sign;
	return text != NULL ? sign * atol(text) : 0;
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	int (*real)(clockid_t, struct timespec *), r;

	REAL(real, "clock_gettime");
	r = real(id, ts);
	if (r == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		ts->tv_sec += away();
	return r;
}

int
gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	int (*real)(struct timeval *restrict, void *restrict), r;

	REAL(real, "gettimeofday");
	r = real(tv, zone);
	if (r == 0)
		tv->tv_sec += away();
	return r;
}

time_t
time(time_t *to)
{
	time_t (*real)(time_t *), now;

	REAL(real, "time");
	now = real(NULL) + away();
	if (to != NULL)
		*to = now;
	return now;
}
