/* SPDX-License-Identifier: ISC */
/* Signals that a command of the client takes into its own hands. */
#include "client/signals.h"

#include <stddef.h>

#include "common/base/process.h"

void
signals_catch(const int *sigs, void (*handler)(int), sigset_t *open)
{
	struct sigaction sa = { .sa_handler = handler };
	sigset_t blocked;

	sigemptyset(&sa.sa_mask);
	sigemptyset(&blocked);
	if (open != NULL)
		sigprocmask(SIG_SETMASK, NULL, open);
	for (; *sigs != 0; sigs++) {
		if (open != NULL)
			sigdelset(open, *sigs);
		if (*sigs != SIGINT && process_ignores(*sigs))
			continue;
		sigaction(*sigs, &sa, NULL);
		sigaddset(&blocked, *sigs);
	}
	if (open != NULL)
		sigprocmask(SIG_BLOCK, &blocked, NULL);
}

void
signals_die(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	signal(sig, SIG_DFL);
	raise(sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}
