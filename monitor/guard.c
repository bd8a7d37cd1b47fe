/* SPDX-License-Identifier: ISC */
/*
 * What is left of a connection when its monitor has gone: a process beside the
 * monitor that learns of each command and its time limit, and of the monitor's
 * end by that of their pipe.  It hangs up in place of a monitor that was
 * killed, and stays for as long as commands run that have a limit.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/process.h"
#include "monitor/guard.h"
#include "monitor/job.h"
#include "monitor/monitor.h"

/* An end that the kernel told nobody of, as was seen, is found so. */
#define GUARD_NAP_MS 10000

enum { GUARD_BEGIN, GUARD_END, GUARD_LEAVE };

/* What the monitor tells; every word is of this length. */
struct guard_word {
	int what; /* below */
	pid_t pid;
	bool keep;
	int64_t deadline; /* of now_ms, 0 for none */
};

/* In the guard: a command that has not been waited for yet. */
struct guarded {
	pid_t pid; /* 0 is a free slot */
	int pidfd; /* readable once it has ended */
	bool keep;
	int64_t deadline;
};

static void
guard_forget(struct guarded *g)
{
	close(g->pidfd);
	g->pid = 0;
}

/*
 * A leader that runs keeps its number to its group. One that has ended may be
 * gone, and its number somebody else's.
 */
static bool
guard_runs(const struct guarded *g)
{
	struct pollfd p = { .fd = g->pidfd, .events = POLLIN };

	return g->pid != 0 && poll(&p, 1, 0) == 0;
}

static void
guard_learn(struct guarded *all, const struct guard_word *w)
{
	bool ended = w->what == GUARD_END;

	for (size_t i = 0; i < PRIV_EXECS_MAX; i++) {
		struct guarded *g = &all[i];

		/* The word of its end may have been lost. */
		if (!ended && g->pid != 0 && !guard_runs(g))
			guard_forget(g);
		if (g->pid != (ended ? w->pid : 0))
			continue;
		if (ended) {
			guard_forget(g);
		} else if ((g->pidfd = process_pidfd(w->pid)) != -1) {
			g->pid = w->pid;
			g->keep = w->keep;
			g->deadline = w->deadline;
		}
		return;
	}
}

static void
guard_signal(const struct guarded *g, int sig)
{
	if (guard_runs(g))
		(void)process_signal_orphans(g->pid, sig);
}

static void
guard_hang_up(const struct guarded *all)
{
	for (size_t i = 0; i < PRIV_EXECS_MAX; i++)
		if (!all[i].keep) {
			guard_signal(&all[i], SIGHUP);
			guard_signal(&all[i], SIGCONT);
		}
}

/* Ends whose time has come; when the next one's comes, 0 if there is none. */
static int64_t
guard_expire(struct guarded *all)
{
	int64_t next = 0;

	for (size_t i = 0; i < PRIV_EXECS_MAX; i++) {
		struct guarded *g = &all[i];

		if (!guard_runs(g) || g->deadline == 0)
			continue;
		if (g->deadline > now_ms()) {
			if (next == 0 || g->deadline < next)
				next = g->deadline;
			continue;
		}
		guard_signal(g, SIGKILL);
		guard_forget(g);
	}
	return next;
}

/* Until an end or that time. */
static void
guard_wait(const struct guarded *all, int64_t until)
{
	struct pollfd p[PRIV_EXECS_MAX];
	int64_t left = until - now_ms();
	nfds_t n = 0;

	for (size_t i = 0; i < PRIV_EXECS_MAX; i++)
		if (guard_runs(&all[i]) && all[i].deadline != 0)
			p[n++] = (struct pollfd){ .fd = all[i].pidfd,
				.events = POLLIN };
	left = left < 0 ? 0 : left;
	(void)poll(p, n, left > GUARD_NAP_MS ? GUARD_NAP_MS : (int)left);
}

__attribute__((noreturn)) static void
guard_main(int pipe_end)
{
	struct guarded all[PRIV_EXECS_MAX] = { 0 };
	struct guard_word w;
	bool left = false;
	int64_t next;
	ssize_t n;

	process_reset_signals();
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	if (dup2(pipe_end, STDIN_FILENO) == -1)
		_exit(1);
	closefrom(STDIN_FILENO + 1);
	setproctitle("-skyptyd: guard");
	while ((n = read(STDIN_FILENO, &w, sizeof(w))) == sizeof(w) ||
	    (n == -1 && errno == EINTR)) {
		if (n == sizeof(w) && w.what == GUARD_LEAVE)
			left = true;
		else if (n == sizeof(w))
			guard_learn(all, &w);
	}
	if (!left)
		guard_hang_up(all);
	while ((next = guard_expire(all)) != 0)
		guard_wait(all, next);
	_exit(0);
}

static int
guard_start(struct monitor *m)
{
	int p[2], r;

	if (pipe2(p, O_CLOEXEC) == -1)
		return SKY_ERR_SYS;
	if ((r = process_fork(&m->guard_pid)) == 0)
		guard_main(p[0]);
	close(p[0]);
	if (r == -1) {
		close(p[1]);
		return SKY_ERR_SYS;
	}
	(void)fcntl(p[1], F_SETFL, O_NONBLOCK);
	m->guard = p[1];
	return 0;
}

/* It may have been killed like everybody else. */
static bool
guard_lives(struct monitor *m)
{
	if (m->guard_pid == 0)
		return false;
	if (waitpid(m->guard_pid, NULL, WNOHANG) == 0)
		return true;
	close(m->guard);
	m->guard_pid = 0;
	return false;
}

static bool
guard_tell(const struct monitor *m, int what, const struct job *j)
{
	struct guard_word w;

	memset(&w, 0, sizeof(w));
	w.what = what;
	if (j != NULL) {
		w.pid = j->pid;
		w.keep = j->keep;
		w.deadline = j->deadline;
	}
	return write(m->guard, &w, sizeof(w)) == sizeof(w);
}

static bool
guard_is_for(const struct job *j)
{
	return j->pid != 0 && (!j->keep || j->deadline != 0);
}

void
guard_begin(struct monitor *m, struct job *j, uint32_t limit_ms)
{
	j->deadline = limit_ms == 0 ? 0 : now_ms() + limit_ms;
	if (!guard_is_for(j))
		return; /* there is nothing to be done about it */
	if (guard_lives(m)) {
		(void)guard_tell(m, GUARD_BEGIN, j);
		return;
	}
	if (guard_start(m) != 0) {
		log_warn("no process guards the command: %s", strerror(errno));
		return;
	}
	for (size_t i = 0; i < PRIV_EXECS_MAX; i++)
		if (guard_is_for(&m->exec[i]))
			(void)guard_tell(m, GUARD_BEGIN, &m->exec[i]);
}

void
guard_end(const struct monitor *m, const struct job *j)
{
	if (m->guard_pid != 0)
		(void)guard_tell(m, GUARD_END, j);
}

bool
guard_leave(struct monitor *m)
{
	return guard_lives(m) && guard_tell(m, GUARD_LEAVE, NULL);
}
