/* SPDX-License-Identifier: ISC */
/*
 * --status-fd: lines of one word and what belongs to it, "ready", "exited 3",
 * "signaled KILL", "timedout", and "skypty: ..." for all that went wrong here.
 */
#include "client/status_fd.h"
#include "client/complain.h"
#include "client/exits.h"
#include "client/options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/pty/exec_stream.h"

#define FD_MAX 1048576 /* more than a process may have open */

static struct {
	FILE *to;
	bool left;
} status_fd;

/* The same, for it is tried by another way where the host lacks one. */
static int
status_fd_leaving(void *arg)
{
	(void)arg;
	if (!status_fd.left)
		fputs("ready\n", status_fd.to);
	status_fd.left = true;
	/* A command that nobody hears of does not begin. */
	return ferror(status_fd.to) ? EXIT_FAILED : 0;
}

static void
status_fd_ended(void *arg, enum xs_how how, int64_t status)
{
	(void)arg;
	if (how == XS_EXITED)
		fprintf(status_fd.to, "exited %lld\n", (long long)status);
	else if (how == XS_SIGNALED)
		fprintf(status_fd.to, "signaled %s\n",
		    xs_signal_name((int)status));
	else
		fputs("timedout\n", status_fd.to);
}

int
status_fd_flag(struct client_options *o, const char *flag, const char *value)
{
	const char *problem;
	int fd = (int)strtonum(value, 0, FD_MAX, &problem);

	if (problem != NULL || fcntl(fd, F_GETFD) == -1) {
		complain("%s %s: write the number of an open descriptor", flag,
		    value);
		return EXIT_USAGE;
	}
	o->status_fd = fd;
	return 0;
}

int
status_fd_begin(struct client_options *o)
{
	if (o->status_fd == -1)
		return 0;
	if (*o->command == NULL) {
		complain("--status-fd needs a command");
		return EXIT_USAGE;
	}
	/* It is ours alone: no program that leads to the host has it. */
	if (fcntl(o->status_fd, F_SETFD, FD_CLOEXEC) == -1 ||
	    (status_fd.to = fdopen(o->status_fd, "w")) == NULL) {
		complain("--status-fd %d: %s", o->status_fd, strerror(errno));
		return EXIT_USAGE;
	}
	setvbuf(status_fd.to, NULL, _IOLBF, BUFSIZ);
	complain_to(COMPLAIN_FILE, status_fd.to);
	o->leaving = status_fd_leaving;
	o->ended = status_fd_ended;
	return 0;
}
