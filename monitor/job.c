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
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/process.h"
#include "monitor/about.h"
#include "monitor/ending.h"
#include "monitor/guard.h"
#include "monitor/job.h"
#include "monitor/monitor.h"
#include "monitor/pty.h"
#include "monitor/sftp.h"

/* Seconds that an end is kept for the word on how much has moved. */
#define TELL_S 2

bool
job_has_handle(const struct monitor *m)
{
	return m->last_handle < PRIV_CONN_HANDLE - 1;
}

uint32_t
job_next_handle(struct monitor *m)
{
	return ++m->last_handle;
}

void
job_begin(struct job *j, const char *kind, const char *name)
{
	j->kind = kind;
	j->begun = now_ms();
	(void)snprintf(j->name, sizeof(j->name), "%s", name);
}

/* --- what the log is told --- */

/* With its number, as one connection may run several of one name. */
static void
job_log(const struct job_end *e)
{
	struct log_fields f = { .event = e->event };
	char time[ENDING_TIME_MAX], moved[ENDING_MOVED_MAX];

	ending_time(time, e->ms);
	ending_moved(moved, &e->moved, &f);
	log_put(&f, "kind", e->kind);
	log_put(&f, "name", e->name);
	log_put_number(&f, "process", (uint64_t)e->pid);
	log_put_number(&f, "duration_ms", (uint64_t)e->ms);
	if (e->field != NULL)
		log_put_number(&f, e->field, e->status);
	if (e->field == NULL || e->timed_out)
		log_put(&f, "reason", e->how);
	log_event(e->level, &f, "%s %s: %s%spid %ld: %s after %s%s", e->kind,
	    e->event, e->name, *e->name != '\0' ? ", " : "", (long)e->pid,
	    e->how, time, moved);
}

static struct job_end
job_describe(const struct job *j, enum log_level level, const char *event)
{
	struct job_end e = { .level = level,
		.event = event,
		.kind = j->kind,
		.pid = j->pid,
		.handle = j->handle,
		.timed_out = j->timed_out,
		.ms = now_ms() - j->begun,
		.moved = j->moved };

	(void)snprintf(e.name, sizeof(e.name), "%s", j->name);
	return e;
}

static void
job_drop_end(struct monitor *m, size_t i)
{
	m->nends--;
	memmove(&m->ends[i], &m->ends[i + 1],
	    (m->nends - i) * sizeof(m->ends[0]));
}

void
job_tell_all(struct monitor *m)
{
	for (size_t i = 0; i < m->nends; i++)
		job_log(&m->ends[i]);
	m->nends = 0;
	if (m->telling != NULL)
		event_del(m->telling);
}

static void
job_on_telling(evutil_socket_t fd, short what, void *arg)
{
	job_tell_all(arg);
}

/* False: nobody would tell it later. */
static bool
job_wait_bytes(struct monitor *m, const struct job *j, const struct job_end *e)
{
	struct timeval tv = { .tv_sec = TELL_S };

	if (e->moved.told || j->uncounted || m->half.phase != MON_SESSION ||
	    m->nends == JOB_ENDS_MAX)
		return false;
	if (m->telling == NULL)
		m->telling = evtimer_new(m->half.base, job_on_telling, m);
	if (m->telling == NULL || event_add(m->telling, &tv) == -1)
		return false;
	m->ends[m->nends++] = *e;
	return true;
}

void
job_tell(struct monitor *m, const struct job *j, enum log_level level,
    enum priv_exit how, uint32_t status)
{
	struct job_end e = job_describe(j, level, "ended");

	e.field = how == PRIV_EXITED ? "status" : "signal";
	e.status = status;
	if (j->timed_out)
		(void)snprintf(e.how, sizeof(e.how), "time limit");
	else
		(void)snprintf(e.how, sizeof(e.how), "%s %u", e.field, status);
	if (!job_wait_bytes(m, j, &e))
		job_log(&e);
}

void
job_tell_left(const struct job *j, const char *fate)
{
	struct job_end e = job_describe(j, LOG_LEVEL_INFO, "left");

	(void)snprintf(e.how, sizeof(e.how), "%s", fate);
	job_log(&e);
}

void
job_refuse(struct monitor *m, const struct privmsg *msg, const char *kind,
    const char *why)
{
	struct log_fields f = { .event = "not-started" };

	log_put(&f, "kind", kind);
	log_put(&f, "reason", why);
	log_event(LOG_LEVEL_INFO, &f, "%s not started: %s", kind, why);
	half_answer_why(&m->half, msg, why);
}

/* One that is running, or waits for its end. */
static struct job *
job_find(struct monitor *m, uint32_t handle)
{
	struct mon_terminal *t;
	struct job *j;

	if ((t = pty_find(m, handle)) != NULL)
		return &t->shell;
	if ((j = sftp_find(m, handle)) != NULL)
		return j;
	for (size_t i = 0; i < PRIV_EXECS_MAX; i++)
		if (m->exec[i].pid != 0 && m->exec[i].handle == handle)
			return &m->exec[i];
	return NULL;
}

/* It may have been told without. */
static void
job_moved(struct monitor *m, uint32_t handle, const struct job_moved *moved)
{
	struct job *j;

	for (size_t i = 0; i < m->nends; i++)
		if (m->ends[i].handle == handle) {
			m->ends[i].moved = *moved;
			job_log(&m->ends[i]);
			job_drop_end(m, i);
			return;
		}
	if ((j = job_find(m, handle)) != NULL)
		j->moved = *moved;
}

int
job_bytes(struct half *h, struct privmsg *msg)
{
	struct monitor *m = monitor_of(h);
	struct job_moved moved = { .told = true };
	uint32_t handle;
	int r;

	if ((r = buf_get_u32(&msg->body, &handle)) != 0)
		return r;
	if (handle == PRIV_CONN_HANDLE) {
		if (m->last_word)
			return SKY_ERR_STATE;
		m->last_word = true;
		return about_moved(m, &msg->body);
	}
	if ((r = buf_get_u64(&msg->body, &moved.in)) == 0 &&
	    (r = buf_get_u64(&msg->body, &moved.out)) == 0)
		job_moved(m, handle, &moved);
	return r;
}

/* --- its life --- */

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
job_hand_down(struct monitor *m, const struct privmsg *msg, const struct job *j,
    int *fds, size_t nfd)
{
	const uint8_t handle[] = { (uint8_t)(j->handle >> 24),
		(uint8_t)(j->handle >> 16), (uint8_t)(j->handle >> 8),
		(uint8_t)j->handle };
	struct buf b;

	buf_view(&b, handle, sizeof(handle));
	half_answer_ok(&m->half, msg, &b, fds, nfd);
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
