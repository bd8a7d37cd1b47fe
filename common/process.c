/* SPDX-License-Identifier: ISC */
/* Starting other programs: where they are, and a clean slate for signals. */
#include "process.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "err.h"

/* The folder of the running program, without a slash at its end. */
static int
own_folder(char *folder, size_t len)
{
	char *slash;
	ssize_t n;

	if ((n = readlink("/proc/self/exe", folder, len - 1)) == -1)
		return ERR_SYS;
	folder[n] = '\0';
	if ((slash = strrchr(folder, '/')) == NULL)
		return ERR_FORMAT;
	*slash = '\0';
	return 0;
}

int
process_companion(char *path, size_t len, const char *program,
    const char *relative, const char *built_in)
{
	char self[PATH_MAX], below[2 * PATH_MAX];
	const char *folders[] = { self, below, built_in };
	int n, r;

	if ((r = own_folder(self, sizeof(self))) != 0)
		return r;
	snprintf(below, sizeof(below), "%s/%s", self, relative);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		n = snprintf(path, len, "%s/%s", folders[i], program);
		if (n < 0 || (size_t)n >= len)
			return ERR_LIMIT;
		if (access(path, X_OK) == 0)
			return 0;
	}
	return ERR_NOTFOUND;
}

void
process_reset_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}
