/* SPDX-License-Identifier: ISC */
/* Locks that another process takes. */
#ifndef REGRESS_LOCK_UTIL_H
#define REGRESS_LOCK_UTIL_H

#include <poll.h>
#include <stdbool.h>
#include <unistd.h>

/*
 * A process that takes a lock by the function, says so on *told and ends; ours
 * is a lock of the caller's, which it does not keep.
 */
static pid_t
lock_in_child(int (*take)(const char *), const char *path, int ours, int *told)
{
	int fd[2];
	pid_t pid;

	assert_int_equal(pipe(fd), 0);
	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		alarm(60);
		close(ours);
		_exit(take(path) < 0 || write(fd[1], "!", 1) != 1);
	}
	close(fd[1]);
	*told = fd[0];
	return pid;
}

static bool
has_told(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char c;

	return poll(&p, 1, timeout_ms) == 1 && read(fd, &c, 1) == 1;
}

#endif
