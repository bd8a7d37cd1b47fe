/* SPDX-License-Identifier: ISC */
/* A process of ours that outlives the command it was made for. */
#include "client/detach.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/base/process.h"

#define FIRST (STDERR_FILENO + 1)

static void
detach_keep(int **kept, int n)
{
	/* Out of the way of the fixed numbers first. */
	for (int i = 0; i < n; i++)
		if (*kept[i] != -1 &&
		    (*kept[i] = fcntl(*kept[i], F_DUPFD_CLOEXEC, FIRST + n)) ==
			-1)
			_exit(1);
	for (int i = 0; i < n; i++)
		if (*kept[i] == -1)
			close(FIRST + i); /* whatever it was */
		else if ((*kept[i] = dup3(*kept[i], FIRST + i, O_CLOEXEC)) ==
		    -1)
			_exit(1);
	closefrom(FIRST + n);
}

void
detach(int **kept, int n, const char *name)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	process_reset_signals();
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_NAME, name, 0, 0, 0);
	for (int fd = 0; fd < FIRST; fd++)
		if (null == -1 || dup2(null, fd) == -1)
			_exit(1);
	detach_keep(kept, n);
	if (chdir("/") == -1)
		_exit(1);
}
