/* SPDX-License-Identifier: ISC */
/*
 * For LD_PRELOAD: lets a program's time run FAST_TIME times as fast as ours, so
 * that what takes minutes can be seen in seconds: the monotonic clock, how long
 * poll(2) waits, and the seconds that TCP is told.
 */
#include <sys/socket.h>
#include <sys/types.h>

#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#define NANO	       1000000000LL
#define MY_RTO_MAX_MS  44
#define REAL(fn, name) (*(void **)&(fn) = dlsym(RTLD_NEXT, name))

static int64_t
speed(void)
{
	const char *text = getenv("FAST_TIME");
	int64_t n = text != NULL ? atoll(text) : 1;

	return n > 0 ? n : 1;
}

static struct timespec
of_nano(int64_t n)
{
	return (struct timespec){ .tv_sec = n / NANO, .tv_nsec = n % NANO };
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	int (*real)(clockid_t, struct timespec *), r;

	REAL(real, "clock_gettime");
	r = real(id, ts);
	if (r == 0 && id == CLOCK_MONOTONIC)
		*ts = of_nano((ts->tv_sec * NANO + ts->tv_nsec) * speed());
	return r;
}

int
ppoll(struct pollfd *p, nfds_t n, const struct timespec *ts,
    const sigset_t *mask)
{
	int (*real)(struct pollfd *, nfds_t, const struct timespec *,
	    const sigset_t *);
	struct timespec less;

	REAL(real, "ppoll");
	if (ts == NULL)
		return real(p, n, NULL, mask);
	less = of_nano((ts->tv_sec * NANO + ts->tv_nsec) / speed());
	return real(p, n, &less, mask);
}

int
poll(struct pollfd *p, nfds_t n, int ms)
{
	int (*real)(struct pollfd *, nfds_t, int);

	REAL(real, "poll");
	return real(p, n, ms > 0 ? (int)((ms + speed() - 1) / speed()) : ms);
}

int
setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	int (*real)(int, int, int, const void *, socklen_t);
	int less;

	REAL(real, "setsockopt");
	if (level != IPPROTO_TCP || len != sizeof(int) ||
	    (name != TCP_KEEPIDLE && name != TCP_KEEPINTVL &&
		name != TCP_USER_TIMEOUT && name != MY_RTO_MAX_MS))
		return real(fd, level, name, value, len);
	less = (int)(*(const int *)value / speed());
	return real(fd, level, name, &less, len);
}
