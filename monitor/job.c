/* SPDX-License-Identifier: ISC */
/*
 * Spawned processes.  A job's leader stays a zombie until its slot is freed,
 * so that its process group's number cannot pass to somebody else meanwhile.
 */
#include "monitor/monitor.h"

#include <event2/event.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "common/process.h"

bool
job_exited(struct job *j, enum priv_exit *how, uint32_t *status)
{
	siginfo_t si = { 0 };

	if (waitid(P_PID, (id_t)j->pid, &si, WEXITED | WNOHANG | WNOWAIT) ==
		-1 ||
	    si.si_pid == 0)
		return false;
	*how = si.si_code == CLD_EXITED ? PRIV_EXITED : PRIV_SIGNALED;
	*status = (uint32_t)si.si_status;
	return true;
}

void
job_signal(const struct job *j, int signal)
{
	(void)process_signal_group(j->pid, signal);
}

void
job_hang_up(const struct job *j)
{
	job_signal(j, SIGHUP);
	job_signal(j, SIGCONT);
}

void
job_free(struct job *j)
{
	if (j->mon != NULL)
		guard_end(j->mon, j);
	waitpid(j->pid, NULL, 0);
	if (j->timer != NULL)
		event_free(j->timer);
	memset(j, 0, sizeof(*j));
}
