/* SPDX-License-Identifier: ISC */
/* Starting other programs: where they are, and a clean slate for signals. */
#include "process.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "err.h"

#define SELF_MAX 1024 /* a longer path is cut and nothing found there */

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

/* One place to look in; relative may be "". */
static int
try_folder(char *path, size_t len, const char *folder, const char *relative,
    const char *program)
{
	int n = snprintf(path, len, "%s/%s%s%s", folder, relative,
	    *relative != '\0' ? "/" : "", program);

	if (n < 0 || (size_t)n >= len)
		return ERR_LIMIT;
	return access(path, X_OK) == 0 ? 0 : ERR_NOTFOUND;
}

int
process_companion(char *path, size_t len, const char *program,
    const char *relative, const char *built_in)
{
	char self[SELF_MAX];
	int r;

	if ((r = own_folder(self, sizeof(self))) != 0)
		return r;
	if ((r = try_folder(path, len, self, "", program)) != ERR_NOTFOUND ||
	    (r = try_folder(path, len, self, relative, program)) !=
		ERR_NOTFOUND)
		return r;
	return try_folder(path, len, built_in, "", program);
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
