/* SPDX-License-Identifier: ISC */
/*
 * Confinement of a process that meets the network.  In order: an empty root
 * directory, limits, another user, no dump, an end with its monitor's, no new
 * privileges, Landlock, and an allow-list of system calls with KILL_PROCESS for
 * everything else.
 */
#ifndef COMMON_PRIVSEP_SANDBOX_H
#define COMMON_PRIVSEP_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Whose system calls are allowed: sandbox_filter.c. */
enum sandbox_program {
	SANDBOX_NET,
	SANDBOX_DMSG,
	SANDBOX_HTTP,
	SANDBOX_TLS,
	SANDBOX_CONNECT,
	SANDBOX_AGENT,
	SANDBOX_RECORD,
	SANDBOX_FORWARD,
	SANDBOX_NAMES,
	SANDBOX_PROGRAMS /* how many */
};

struct sandbox {
	enum sandbox_program program;
	bool drop;	  /* change root and user: only root can, and must */
	bool nobodys;	  /* its parent has ended: no monitor to end with */
	bool forks;	  /* processes like itself */
	bool sockets;	  /* made and removed in folders; TCP anywhere */
	bool files;	  /* it may write to those that it was given */
	bool best_effort; /* report a step that fails and go on */
	const char *root; /* empty directory, root's, closed to others */
	uid_t uid;
	gid_t gid;
	size_t memory;	 /* bytes, 0 is no limit */
	unsigned nofile; /* descriptors that may be open; fewer where it must */
	/* For Landlock, none else: files that may be read, up to a NULL, or
	 * NULL for none; ports of TCP that may be connected to. */
	const char *const *readable;
	const uint16_t *ports;
	size_t nports;
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
