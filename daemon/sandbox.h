/* SPDX-License-Identifier: ISC */
/*
 * Confinement of a process that meets the network.  In order: an empty root
 * directory, limits, another user, no dump, no new privileges, Landlock, and
 * an allow-list of system calls with KILL_PROCESS for everything else.
 */
#ifndef DAEMON_SANDBOX_H
#define DAEMON_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

struct sandbox {
	bool drop;	  /* change root and user: only root can, and must */
	bool best_effort; /* report a step that fails and go on */
	const char *root; /* empty directory, root's, closed to others */
	uid_t uid;
	gid_t gid;
	size_t memory;	 /* bytes, 0 is no limit */
	unsigned nofile; /* descriptors that may be open */
	const int *also; /* enum sandbox_call, nalso of them */
	size_t nalso;
};

/* System calls that one program or another needs beside the common ones. */
enum sandbox_call {
	SANDBOX_POLL,
	SANDBOX_GETRANDOM,
	SANDBOX_GETPID,
	SANDBOX_ACCEPT4,
	SANDBOX_RECVFROM,
	SANDBOX_SENDTO,
	SANDBOX_FCNTL,
	SANDBOX_SETSOCKOPT,
	SANDBOX_GETSOCKOPT,
	SANDBOX_GETPEERNAME,
	SANDBOX_GETSOCKNAME,
	SANDBOX_CALLS /* how many */
};

/*
 * Called once for each step in order, whether it worked or not.  error is 0,
 * or the errno of the failure; detail adds to the step's name ("ABI 7").
 */
typedef void
sandbox_report(void *arg, const char *step, const char *detail, int error);

/*
 * Confines the calling process for good.  0, or -1 when a step failed and
 * best_effort is off: the process is then to exit.  report may be NULL.
 */
int sandbox_enter(const struct sandbox *, sandbox_report *, void *arg);

#endif
