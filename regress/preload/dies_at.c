/* SPDX-License-Identifier: ISC */
/*
 * For LD_PRELOAD: a program that is killed, as by kill -9, before its N-th call
 * of those by which it touches anything but its own memory.  DIES_AT is "N",
 * the first process, or "child:N", each that it forks.
 */
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REAL(fn, name) (*(void **)&(fn) = dlsym(RTLD_NEXT, name))

static pid_t first, last;
static long calls;

__attribute__((constructor)) static void
begin(void)
{
	first = last = getpid();
}

static void
dies_at(void)
{
	const char *plan = getenv("DIES_AT");
	pid_t now = getpid();
	bool child;

	if (plan == NULL)
		return;
	if (now != last) {
		last = now;
		calls = 0;
	}
	if ((child = strncmp(plan, "child:", 6) == 0))
		plan += 6;
	if ((now != first) == child && ++calls == atol(plan))
		(void)raise(SIGKILL);
}

pid_t
fork(void)
{
	pid_t (*real)(void);

	dies_at();
	REAL(real, "fork");
	return real();
}

int
openat(int at, const char *path, int flags, ...)
{
	int (*real)(int, const char *, int, ...);
	mode_t mode = 0;
	va_list ap;

	if (flags & O_CREAT) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	dies_at();
	REAL(real, "openat");
	return real(at, path, flags, mode);
}

int
connect(int fd, const struct sockaddr *to, socklen_t len)
{
	int (*real)(int, const struct sockaddr *, socklen_t);

	dies_at();
	REAL(real, "connect");
	return real(fd, to, len);
}

ssize_t
read(int fd, void *p, size_t n)
{
	ssize_t (*real)(int, void *, size_t);

	dies_at();
	REAL(real, "read");
	return real(fd, p, n);
}

ssize_t
write(int fd, const void *p, size_t n)
{
	ssize_t (*real)(int, const void *, size_t);

	dies_at();
	REAL(real, "write");
	return real(fd, p, n);
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	ssize_t (*real)(int, const void *, size_t, off_t);

	dies_at();
	REAL(real, "pwrite");
	return real(fd, p, n, at);
}

int
fdatasync(int fd)
{
	int (*real)(int);

	dies_at();
	REAL(real, "fdatasync");
	return real(fd);
}

int
poll(struct pollfd *p, nfds_t n, int ms)
{
	int (*real)(struct pollfd *, nfds_t, int);

	dies_at();
	REAL(real, "poll");
	return real(p, n, ms);
}

int
ppoll(struct pollfd *p, nfds_t n, const struct timespec *ts,
    const sigset_t *mask)
{
	int (*real)(struct pollfd *, nfds_t, const struct timespec *,
	    const sigset_t *);

	dies_at();
	REAL(real, "ppoll");
	return real(p, n, ts, mask);
}

pid_t
waitpid(pid_t pid, int *status, int options)
{
	pid_t (*real)(pid_t, int *, int);

	dies_at();
	REAL(real, "waitpid");
	return real(pid, status, options);
}
