/* SPDX-License-Identifier: ISC */
/*
 * For LD_PRELOAD: lets fork(2) fail where a test says so, and stands between a
 * program and signals that would reach more than one process it started.
 * FORK_FAILS is "PROGRAM:N", the N-th fork of each process of that name, or
 * "PROGRAM:N+", all from the N-th on.  What would have gone to pid 1, 0 or
 * below, but for a group, is written to the file KILL_LOG names and not done.
 */
#include <sys/types.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static unsigned forks;

static bool
is_to_fail(void)
{
	const char *plan = getenv("FORK_FAILS"), *colon;
	unsigned nth;
	char *end;
	size_t len;

	if (plan == NULL || (colon = strchr(plan, ':')) == NULL)
		return false;
	len = (size_t)(colon - plan);
	if (strlen(program_invocation_short_name) != len ||
	    memcmp(program_invocation_short_name, plan, len) != 0)
		return false;
	nth = (unsigned)strtoul(colon + 1, &end, 10);
	return *end == '+' ? forks >= nth : forks == nth;
}

pid_t
fork(void)
{
	pid_t (*real)(void);

	forks++;
	if (is_to_fail()) {
		errno = EAGAIN;
		return -1;
	}
	*(void **)&real = dlsym(RTLD_NEXT, "fork");
	return real();
}

int
kill(pid_t pid, int sig)
{
	const char *file = getenv("KILL_LOG");
	int (*real)(pid_t, int), fd;

	*(void **)&real = dlsym(RTLD_NEXT, "kill");
	if (pid > 1 || pid < -1)
		return real(pid, sig);
	if (file != NULL &&
	    (fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC,
		 0666)) != -1) {
		dprintf(fd, "%s: kill(%ld, %d)\n",
		    program_invocation_short_name, (long)pid, sig);
		close(fd);
	}
	errno = ESRCH;
	return -1;
}
