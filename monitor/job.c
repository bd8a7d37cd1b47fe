/* SPDX-License-Identifier: ISC */
/*
 * Spawned processes.  A job's leader stays a zombie until its slot is freed,
 * so that its process group's number cannot pass to somebody else meanwhile.
 */
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/process.h"
#include "monitor/ending.h"
#include "monitor/guard.h"
#include "monitor/job.h"
#include "monitor/monitor.h"

void
job_begin(struct job *j, const char *kind, const char *name)
{
	j->kind = kind;
	j->begun = now_ms();
	(void)snprintf(j->name, sizeof(j->name), "%s", name);
}

/* With its number, as one connection may run several of one name. */
static void
job_log(const struct job *j, enum log_level level, struct log_fields *f,
    const char *how)
{
	char time[ENDING_TIME_MAX];

	ending_time(time, j->begun);
	log_put(f, "kind", j->kind);
	log_put(f, "name", j->name);
	log_put_number(f, "process", (uint64_t)j->pid);
	log_put_number(f, "duration_ms", (uint64_t)(now_ms() - j->begun));
	log_event(level, f, "%s %s: %s%spid %ld: %s after %s", j->kind,
	    f->event, j->name, *j->name != '\0' ? ", " : "", (long)j->pid, how,
	    time);
}

void
job_tell(const struct job *j, enum log_level level, enum priv_exit how,
    uint32_t status)
{
	const char *what = how == PRIV_EXITED ? "status" : "signal";
	struct log_fields f = { .event = "ended" };
	char text[32];

	(void)snprintf(text, sizeof(text), "%s %u", what, status);
	log_put_number(&f, what, status);
	if (j->timed_out)
		log_put(&f, "reason", "time limit");
	job_log(j, level, &f, j->timed_out ? "time limit" : text);
}

void
job_tell_left(const struct job *j, const char *fate)
{
	struct log_fields f = { .event = "left" };

	log_put(&f, "reason", fate);
	job_log(j, LOG_LEVEL_INFO, &f, fate);
}

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
job_tell_child(struct monitor *m, uint32_t handle, enum priv_exit how,
    uint32_t status)
{
	struct buf b;

	buf_init(&b, 16);
	if (buf_put_u32(&b, handle) == 0 && buf_put_u8(&b, (uint8_t)how) == 0 &&
	    buf_put_u32(&b, status) == 0)
		half_tell(&m->half, PM_EXITED, &b);
	buf_free(&b);
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
