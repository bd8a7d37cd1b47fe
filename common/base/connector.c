/* SPDX-License-Identifier: ISC */
/* How a monitor's new process becomes skyptyd-connect. */
#include "common/base/connector.h"

#include <fcntl.h>
#include <grp.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/base/process.h"

#define PROGRAM_FD (CONNECTOR_FD + 1)
#define NUMBER_MAX 12

int
connector_become(const struct connector_user *u)
{
	const struct rlimit none = { 0, 0 };

	if (u->drop &&
	    (setgroups(0, NULL) == -1 ||
		setresgid(u->gid, u->gid, u->gid) == -1 ||
		setresuid(u->uid, u->uid, u->uid) == -1))
		return -1;
	if (setrlimit(RLIMIT_CORE, &none) == -1)
		return -1;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* The program is opened before: it may lie where nobody cannot go. */
void
connector_execute(const char *path, int sock, const char *host,
    const char *port, enum reach reach, bool best_effort,
    const struct connector_user *u)
{
	char number[NUMBER_MAX];
	const char *argv[] = { CONNECTOR_PROGRAM, host, port, number,
		best_effort ? CONNECTOR_BEST_EFFORT : NULL, NULL };
	char *envp[] = { NULL };
	int program, null;

	snprintf(number, sizeof(number), "%d", reach);
	/* Out of the way of the fixed numbers first. */
	if ((sock = fcntl(sock, F_DUPFD, PROGRAM_FD + 1)) == -1 ||
	    (program = open(path, O_PATH)) == -1 ||
	    (program = fcntl(program, F_DUPFD, PROGRAM_FD + 1)) == -1 ||
	    (null = open("/dev/null", O_RDWR)) == -1 || dup2(null, 0) == -1 ||
	    dup2(null, 1) == -1 || (!SKYPTY_SANITIZE && dup2(null, 2) == -1) ||
	    dup2(sock, CONNECTOR_FD) == -1 ||
	    dup3(program, PROGRAM_FD, O_CLOEXEC) == -1 ||
	    connector_become(u) == -1)
		_exit(126);
	closefrom(PROGRAM_FD + 1);
	process_reset_signals();
	alarm(CONNECTOR_S);
	fexecve(PROGRAM_FD, (char **)(uintptr_t)argv, envp);
	_exit(127);
}
