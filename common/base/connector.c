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
	const char *env[] = { NULL };
	struct process_program program = { .file =
					       open(path, O_PATH | O_CLOEXEC),
		.argv = argv,
		.env = env,
		.fd = { sock },
		.nfd = 1 };

	snprintf(number, sizeof(number), "%d", reach);
	if (program.file == -1 || connector_become(u) == -1)
		_exit(126);
	alarm(CONNECTOR_S);
	process_become(&program);
	_exit(127);
}
