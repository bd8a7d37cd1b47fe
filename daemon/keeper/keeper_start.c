/* SPDX-License-Identifier: ISC */
/* How a keeper begins what it keeps. */
#include "daemon/keeper/keeper_start.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "common/base/process.h"

#define START_FD 3 /* in the new process: closes when the command runs */
#define GO	 'g'

void
start_become(const struct keeper_orders *o, int start, const int fd[3],
    bool terminal)
{
	char go;
	int error;

	(void)setsid();
	if (terminal && ioctl(fd[0], TIOCSCTTY, 0) == -1)
		_exit(126);
	if (read(start, &go, 1) != 1)
		_exit(126);
	for (int i = 0; i < 3; i++)
		if (dup2(fd[i], i) == -1)
			_exit(126);
	if (start != START_FD && dup3(start, START_FD, O_CLOEXEC) == -1)
		_exit(126);
	closefrom(START_FD + 1);
	process_reset_signals();
	execv(o->program, o->argv);
	error = errno;
	(void)!write(START_FD, &error, sizeof(error));
	_exit(127);
}

bool
start_let_go(int start, const struct keeper_orders *o, char why[STORE_TEXT])
{
	const char go = GO;
	char text[64];
	int error;
	ssize_t n;

	n = write(start, &go, 1) == 1 ? read(start, &error, sizeof(error)) : -1;
	close(start);
	if (n == 0)
		return true;
	if (n != (ssize_t)sizeof(error))
		error = EIO;
	/* As of a command that is none: see monitor/spawn.c. */
	(void)snprintf(text, sizeof(text), "%s", strerror(error));
	text[0] = (char)tolower((unsigned char)text[0]);
	(void)snprintf(why, STORE_TEXT, "fork/exec %s: %s", o->program, text);
	return false;
}

void
start_describe(struct store *s, const struct keeper_orders *o, pid_t pid)
{
	struct job_entry *e = &s->entry;
	size_t n = 0, room = sizeof(s->command);
	char *asked[] = { getenv("SKYPTY_ORIGINAL_COMMAND"), NULL };

	for (char **w = o->forced ? asked : o->argv; *w != NULL && n < room - 1;
	     w++)
		n += (size_t)snprintf(s->command + n, room - n, "%s%s",
		    n != 0 ? " " : "", *w);
	e->pk = o->pk;
	e->pid = (uint32_t)pid;
	e->begun = (uint64_t)time(NULL);
}
