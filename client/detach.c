/* SPDX-License-Identifier: ISC */
/* A process of ours that outlives the command it was made for. */
#include "client/detach.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/base/process.h"

#define FIRST	      (STDERR_FILENO + 1)
#define ARGUMENTS_MAX (128U * 1024) /* of which the beginning is enough */

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

/*
 * Of what the command was called with, which may be a key, all but its name: it
 * would be read for as long as we live.
 */
static void
detach_forget_arguments(void)
{
	static char seen[ARGUMENTS_MAX];
	char *name = program_invocation_name;
	size_t keep = strlen(name) + 1;
	ssize_t n;
	int fd;

	if ((fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC)) == -1)
		return;
	n = read(fd, seen, sizeof(seen));
	close(fd);
	/* The words lie one behind the other. */
	if (n > (ssize_t)keep && memcmp(name, seen, keep) == 0)
		explicit_bzero(name + keep, (size_t)n - keep);
	explicit_bzero(seen, sizeof(seen));
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
	detach_forget_arguments();
	if (chdir("/") == -1)
		_exit(1);
}
