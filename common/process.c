/* SPDX-License-Identifier: ISC */
/* Starting other programs: where they are, and a clean slate for signals. */
#include "process.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "err.h"

int
process_companion(char *path, size_t len, const char *program, const char *from,
    const char *to)
{
	char self[PATH_MAX], *slash;
	const char *folder = self;
	ssize_t n;

	if ((n = readlink("/proc/self/exe", self, sizeof(self) - 1)) == -1)
		return ERR_SYS;
	self[n] = '\0';
	if ((slash = strrchr(self, '/')) == NULL)
		return ERR_FORMAT;
	*slash = '\0';
	if (from != NULL && strcmp(self, from) == 0)
		folder = to;
	n = snprintf(path, len, "%s/%s", folder, program);
	return n >= 0 && (size_t)n < len ? 0 : ERR_LIMIT;
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
