/* SPDX-License-Identifier: ISC */
/* Going on without the terminal, as -f has it. */
#include "client/background.h"
#include "client/complain.h"
#include "client/exits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/process.h"

int
background(void)
{
	pid_t pid;
	int null;

	fflush(stdout);
	switch (process_fork(&pid)) {
	case -1:
		complain("-f: %s", strerror(errno));
		return EXIT_FAILED;
	case 1:
		_exit(0);
	}
	(void)setsid();
	if ((null = open("/dev/null", O_RDWR | O_CLOEXEC)) != -1) {
		(void)dup2(null, STDIN_FILENO);
		close(null);
	}
	return 0;
}
