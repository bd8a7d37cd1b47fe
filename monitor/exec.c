/* SPDX-License-Identifier: ISC */
/* Commands on pipes, each with a time limit. */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "monitor/about.h"
#include "monitor/command.h"
#include "monitor/ending.h"
#include "monitor/exec.h"
#include "monitor/guard.h"
#include "monitor/job.h"
#include "monitor/monitor.h"
#include "monitor/session.h"
#include "monitor/spawn.h"

struct exec_pipes {
	int in[2], out[2], err[2]; /* read end, write end; -1 is none */
};

static void
exec_close_pair(int p[2])
{
	for (int i = 0; i < 2; i++) {
		if (p[i] != -1)
			close(p[i]);
		p[i] = -1;
	}
}

static void
exec_close_pipes(struct exec_pipes *p)
{
	exec_close_pair(p->in);
	exec_close_pair(p->out);
	exec_close_pair(p->err);
}

/* Our ends do not block; the command's do. */
static int
exec_open_pair(int p[2], int ours)
{
	if (pipe2(p, O_CLOEXEC) == -1)
		return -1;
	return fcntl(p[ours], F_SETFL, O_NONBLOCK);
}

static int
exec_open_pipes(struct exec_pipes *p, bool has_stdin)
{
	memset(p, -1, sizeof(*p));
	if (exec_open_pair(p->out, 0) == -1 ||
	    exec_open_pair(p->err, 0) == -1 ||
	    (has_stdin && exec_open_pair(p->in, 1) == -1)) {
		exec_close_pipes(p);
		return SKY_ERR_SYS;
	}
	return 0;
}

unsigned
exec_running(const struct half *h)
{
	const struct monitor *m = monitor_of_const(h);
	unsigned n = 0;

	for (size_t i = 0; i < PRIV_EXECS_MAX; i++)
		n += m->exec[i].pid != 0;
	return n;
}

static struct job *
exec_free_slot(struct monitor *m)
{
	for (size_t i = 0; i < PRIV_EXECS_MAX; i++)
		if (m->exec[i].pid == 0)
			return &m->exec[i];
	return NULL;
}

/* The whole group, also when only its leader has ended. */
static void
exec_on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct job *j = arg;

	j->timed_out = true;
	job_signal(j, SIGKILL);
	if (j->exited)
		job_tell_child(j->mon, j->handle, PRIV_TIMEDOUT, 0);
}

static int
exec_set_limit(struct job *j, uint32_t ms)
{
	struct timeval tv = { .tv_sec = ms / 1000,
		.tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	if (ms == 0)
		return 0;
	j->timer = evtimer_new(j->mon->half.base, exec_on_timeout, j);
	return j->timer != NULL && event_add(j->timer, &tv) == 0 ?
	    0 :
	    SKY_ERR_NOMEM;
}

static void
exec_hand_down(struct monitor *m, struct privmsg *msg, const struct job *j,
    struct exec_pipes *p)
{
	int fds[3] = { p->out[0], p->err[0], p->in[1] };

	job_hand_down(m, msg, j, fds, p->in[1] != -1 ? 3 : 2);
	p->out[0] = p->err[0] = p->in[1] = -1;
}

static enum session_asked
exec_asked(uint8_t flags)
{
	return flags & PRIV_EXEC_LOGIN ? SESSION_LOGIN :
	    flags & PRIV_EXEC_LINE     ? SESSION_LINE :
					 SESSION_WORDS;
}

static int
exec_run(struct monitor *m, struct privmsg *msg, struct command *c,
    uint32_t timeout, uint8_t flags)
{
	char why[PRIVMSG_TEXT_MAX];
	struct job *j = exec_free_slot(m);
	struct exec_pipes p;
	struct spawn s = { .cmd = c };
	int r;

	if (!session_ready(m, why, sizeof(why))) {
		job_refuse(m, msg, "Command", why);
		return 0;
	}
	if ((r = session_command(m, c, exec_asked(flags), &s.login)) != 0)
		return r;
	if (exec_open_pipes(&p, flags & PRIV_EXEC_STDIN) != 0) {
		job_refuse(m, msg, "Command", strerror(errno));
		return 0;
	}
	s.in = p.in[0];
	s.out = p.out[1];
	s.err = p.err[1];
	if (!spawn(m, &s, &j->pid, why, sizeof(why))) {
		exec_close_pipes(&p);
		job_refuse(m, msg, "Command", why);
		return 0;
	}
	j->mon = m;
	j->handle = job_next_handle(m);
	j->keep = flags & PRIV_EXEC_KEEP;
	job_begin(j, "Command", s.login ? "login shell" : c->name);
	command_tell(c, "Command", s.login, j->pid, m->account.pw_name);
	ending_used(m, USE_COMMAND);
	if ((r = exec_set_limit(j, timeout)) == 0)
		exec_hand_down(m, msg, j, &p);
	exec_close_pipes(&p);
	guard_begin(m, j, timeout);
	return r;
}

/* A command may outlive its connection by a grant of its own. */
static int
exec_check_flags(const struct half *h, uint8_t flags)
{
	if ((flags & ~PRIV_EXEC_FLAGS) != 0)
		return SKY_ERR_RANGE;
	return (flags & PRIV_EXEC_KEEP) && !(h->grants & PRIV_GRANT_DETACH) ?
	    SKY_ERR_DENIED :
	    0;
}

int
exec_start(struct half *h, struct privmsg *msg)
{
	struct monitor *m = monitor_of(h);
	struct command c;
	uint32_t timeout;
	uint8_t flags;
	int r;

	if (exec_free_slot(m) == NULL || !job_has_handle(m))
		return SKY_ERR_LIMIT;
	if ((r = command_read(&msg->body, &c)) != 0)
		return r;
	if ((r = buf_get_u32(&msg->body, &timeout)) == 0 &&
	    (r = buf_get_u8(&msg->body, &flags)) == 0 &&
	    (r = buf_at_end(&msg->body)) == 0 &&
	    (r = exec_check_flags(h, flags)) == 0)
		r = exec_run(m, msg, &c, timeout, flags);
	command_free(&c);
	return r;
}

static struct job *
exec_find(struct monitor *m, uint32_t handle)
{
	for (size_t i = 0; i < PRIV_EXECS_MAX; i++)
		if (m->exec[i].pid != 0 && m->exec[i].handle == handle &&
		    !m->exec[i].ended)
			return &m->exec[i];
	return NULL;
}

/* The one that is to be forgotten; NULL: it was a zombie, and is. */
static int
exec_forget(struct half *h, struct privmsg *msg, struct job **left)
{
	struct monitor *m = monitor_of(h);
	struct job *j;
	uint32_t handle;
	int r;

	*left = NULL;
	if ((r = buf_get_u32(&msg->body, &handle)) != 0)
		return r;
	if ((j = exec_find(m, handle)) == NULL)
		return SKY_ERR_NOTFOUND;
	j->ended = true;
	if (j->exited)
		job_free(j);
	else
		*left = j;
	return 0;
}

int
exec_end(struct half *h, struct privmsg *msg)
{
	struct job *j;
	int r;

	if ((r = exec_forget(h, msg, &j)) == 0 && j != NULL)
		job_signal(j, SIGKILL);
	return r;
}

int
exec_give_up(struct half *h, struct privmsg *msg)
{
	struct job *j;
	int r;

	if ((r = exec_forget(h, msg, &j)) == 0 && j != NULL && !j->keep)
		job_hang_up(j);
	return r;
}

/* What a user at a terminal could type, or give to the kill command. */
static bool
exec_may_send(uint8_t number)
{
	static const uint8_t sendable[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM,
		SIGKILL, SIGUSR1, SIGUSR2, SIGCONT };

	return memchr(sendable, number, sizeof(sendable)) != NULL;
}

int
exec_signal(struct half *h, struct privmsg *msg)
{
	struct monitor *m = monitor_of(h);
	struct job *j;
	uint32_t handle;
	uint8_t number;
	int r;

	if ((r = buf_get_u32(&msg->body, &handle)) != 0 ||
	    (r = buf_get_u8(&msg->body, &number)) != 0)
		return r;
	if (!exec_may_send(number))
		return SKY_ERR_RANGE;
	if ((j = exec_find(m, handle)) == NULL)
		return SKY_ERR_NOTFOUND;
	job_signal(j, number);
	return 0;
}

static void
exec_reap_one(struct monitor *m, struct job *j)
{
	enum priv_exit how;
	uint32_t status;

	if (!j->exited && job_exited(j, &how, &status)) {
		j->exited = true;
		job_tell(m, j, LOG_LEVEL_INFO, how, status);
		about_tell(m);
		if (!j->ended)
			job_tell_child(m, j->handle,
			    j->timed_out ? PRIV_TIMEDOUT : how, status);
	}
	if (j->exited && j->ended)
		job_free(j);
}

void
exec_reap(struct monitor *m)
{
	for (size_t i = 0; i < PRIV_EXECS_MAX; i++)
		if (m->exec[i].pid != 0)
			exec_reap_one(m, &m->exec[i]);
}

/* A limit that nobody will be there to keep ends now. */
void
exec_leave(struct monitor *m)
{
	bool guarded = guard_leave(m);

	for (size_t i = 0; i < PRIV_EXECS_MAX; i++) {
		struct job *j = &m->exec[i];

		if (j->pid == 0)
			continue;
		if (!j->exited)
			job_tell_left(j,
			    j->timer != NULL && !guarded ? "killed" :
				j->keep			 ? "goes on" :
							   "hung up");
		if (j->timer != NULL && !guarded)
			job_signal(j, SIGKILL);
		else if (!j->keep)
			job_hang_up(j);
	}
}
