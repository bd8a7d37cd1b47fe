/* SPDX-License-Identifier: ISC */
/* skypty host: runs skyptyd host with the same flags. */
#include "client/skypty.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Installed it has a place of its own; in the build tree it lies beside us. */
static int
daemon_path(char *path, size_t len)
{
	char self[PATH_MAX], *slash;
	ssize_t n;

	if ((n = readlink("/proc/self/exe", self, sizeof(self) - 1)) == -1)
		return -1;
	self[n] = '\0';
	if ((slash = strrchr(self, '/')) == NULL)
		return -1;
	*slash = '\0';
	n = snprintf(path, len, "%s/skyptyd",
	    strcmp(self, BINDIR) == 0 ? SBINDIR : self);
	return n < (ssize_t)len ? 0 : -1;
}

int
host_main(int argc, char **argv)
{
	char path[PATH_MAX], **args;

	if ((args = calloc((size_t)argc + 2, sizeof(*args))) == NULL ||
	    daemon_path(path, sizeof(path)) == -1)
		return EXIT_FAILED;
	args[0] = path;
	memcpy(&args[1], argv, (size_t)argc * sizeof(*argv));
	execv(path, args);
	complain("%s: %s", path, strerror(errno));
	return EXIT_FAILED;
}
