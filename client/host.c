/* SPDX-License-Identifier: ISC */
/* skypty host: runs skyptyd host with the same flags. */
#include "client/commands.h"
#include "client/complain.h"
#include "client/exits.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/paths.h"
#include "common/base/process.h"

int
host_main(int argc, char **argv)
{
	char path[PATH_MAX], **args;

	if ((args = calloc((size_t)argc + 2, sizeof(*args))) == NULL)
		return EXIT_FAILED;
	if (process_companion(path, sizeof(path), "skyptyd", "../sbin",
		SBINDIR) != 0) {
		complain("skyptyd is neither beside this program nor in %s",
		    SBINDIR);
		free(args);
		return EXIT_FAILED;
	}
	args[0] = path;
	memcpy(&args[1], argv, (size_t)argc * sizeof(*argv));
	execv(path, args);
	complain("%s: %s", path, strerror(errno));
	free(args);
	return EXIT_FAILED;
}
