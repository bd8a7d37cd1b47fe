/* SPDX-License-Identifier: ISC */
/* The connection's terminals and the shells behind them. */
#include <event2/event.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/pty/modes.h"
#include "monitor/about.h"
#include "monitor/command.h"
#include "monitor/ending.h"
#include "monitor/job.h"
#include "monitor/monitor.h"
#include "monitor/pty.h"
#include "monitor/recorder.h"
#include "monitor/session.h"
#include "monitor/spawn.h"

int
pty_read_looks(struct buf *b, struct pty_looks *l)
{
	struct winsize *ws = &l->ws;
	int r;

	if ((r = buf_get_u8(b, &l->flags)) != 0 ||
	    (r = buf_get_u16(b, &ws->ws_row)) != 0 ||
	    (r = buf_get_u16(b, &ws->ws_col)) != 0 ||
	    (r = buf_get_u16(b, &ws->ws_xpixel)) != 0 ||
	    (r = buf_get_u16(b, &ws->ws_ypixel)) != 0)
		return r;
	if ((l->flags & ~PRIV_PTY_FLAGS) != 0)
		return SKY_ERR_RANGE;
	if ((l->flags & PRIV_PTY_MODES) &&
	    (r = buf_get(b, l->modes, sizeof(l->modes))) != 0)
		return r;
	return 0;
}

/*
 * Erasing of characters of several bytes works in a UTF-8 terminal, which is
 * what a client has that says nothing.
 */
static void
pty_set_modes(int fd, const struct pty_looks *l)
{
	struct termios t;

	if (tcgetattr(fd, &t) == -1)
		return;
	if (l->flags & PRIV_PTY_MODES)
		modes_set(&t, l->modes);
	else
		t.c_iflag |= IUTF8;
	(void)tcsetattr(fd, TCSANOW, &t);
}

/* Bytes pass as they are, and nobody who has the terminal waits for it. */
static int
pty_set_raw(int fd)
{
	struct termios t;

	if (tcgetattr(fd, &t) == -1)
		return -1;
	cfmakeraw(&t);
	return tcsetattr(fd, TCSANOW, &t) == -1 ||
		fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) == -1 ?
	    -1 :
	    0;
}

int
pty_open(int *master, int *slave, uid_t owner, const struct pty_looks *l,
    char name[PTY_NAME_MAX])
{
	*slave = -1;
	*master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (*master == -1)
		return SKY_ERR_SYS;
	if (grantpt(*master) == 0 && unlockpt(*master) == 0 &&
	    ptsname_r(*master, name, PTY_NAME_MAX) == 0)
		*slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*slave != -1 && fchown(*slave, owner, (gid_t)-1) == -1) {
		close(*slave);
		*slave = -1;
	}
	if (*slave == -1) {
		close(*master);
		return SKY_ERR_SYS;
	}
	pty_set_modes(*slave, l);
	if (l->flags & PRIV_PTY_SIZE)
		(void)ioctl(*master, TIOCSWINSZ, &l->ws);
	return 0;
}

/*
 * A recorder comes between the terminal and the child, which gets the master of
 * another one: it looks at nothing and changes nothing.
 */
static int
pty_record(struct monitor *m, struct mon_terminal *t, int *master,
    const struct pty_looks *l, struct recorded *what, char *why, size_t len)
{
	struct pty_looks plain = *l;
	char name[PTY_NAME_MAX];
	int outer, user, r;

	plain.flags &= ~(unsigned)PRIV_PTY_MODES;
	if (pty_open(&outer, &user, geteuid(), &plain, name) != 0) {
		(void)snprintf(why, len, "%s", err_text(SKY_ERR_SYS));
		return -1;
	}
	r = -1;
	what->user = user;
	what->term = *master;
	if (pty_set_raw(user) != 0)
		(void)snprintf(why, len, "%s", err_text(SKY_ERR_SYS));
	else
		r = recorder_start(m, &t->recorder, what, why, len);
	close(user);
	if (r != 0) {
		close(outer);
		return -1;
	}
	close(*master);
	*master = outer;
	return 0;
}

enum session_asked
pty_asked(const struct pty_looks *l)
{
	return l->flags & PRIV_PTY_LOGIN ? SESSION_LOGIN :
	    l->flags & PRIV_PTY_LINE	 ? SESSION_LINE :
					   SESSION_WORDS;
}

/* Whether the shell runs, and is recorded where it is to be. */
static bool
pty_begin(struct monitor *m, struct mon_terminal *t, const struct spawn *s,
    int *master, const struct pty_looks *l, char *why, size_t len)
{
	struct recorded what = { .command = s->cmd,
		.size = &l->ws,
		.login = s->login };

	if (recorder_wanted(m) &&
	    pty_record(m, t, master, l, &what, why, len) != 0)
		return false;
	if (spawn(m, s, &t->shell.pid, why, len))
		return true;
	recorder_drop(&t->recorder);
	return false;
}

static int
pty_run(struct monitor *m, struct privmsg *msg, struct mon_terminal *t,
    struct command *c, const struct pty_looks *l)
{
	char why[PRIVMSG_TEXT_MAX], name[PTY_NAME_MAX];
	struct spawn s = { .cmd = c, .tty = name };
	struct job *j = &t->shell;
	int master, slave, r;
	bool ok;

	if (!session_ready(m, why, sizeof(why))) {
		job_refuse(m, msg, "Terminal", why);
		return 0;
	}
	if ((r = session_command(m, c, pty_asked(l), &s.login)) != 0)
		return r;
	if (pty_open(&master, &slave, m->account.pw_uid, l, name) != 0) {
		job_refuse(m, msg, "Terminal", err_text(SKY_ERR_SYS));
		return 0;
	}
	s.in = s.out = s.err = slave;
	ok = pty_begin(m, t, &s, &master, l, why, sizeof(why));
	close(slave);
	if (!ok) {
		close(master);
		job_refuse(m, msg, "Terminal", why);
		return 0;
	}
	j->handle = job_next_handle(m);
	job_begin(j, "Terminal", s.login ? "login shell" : c->name);
	command_tell(c, "Terminal", s.login, j->pid, m->account.pw_name);
	ending_used(m, USE_TERMINAL);
	job_hand_down(m, msg, j, &master, 1);
	malloc_trim(0); /* a shell may stay for days */
	return 0;
}

/* --- which there are --- */

static bool
pty_is_free(const struct mon_terminal *t)
{
	return t->shell.pid == 0 && t->recorder.pid == 0;
}

unsigned
pty_running(const struct half *h)
{
	const struct monitor *m = monitor_of_const(h);
	unsigned n = 0;

	for (size_t i = 0; i < PRIV_PTYS_MAX; i++)
		n += !pty_is_free(&m->terminal[i]);
	return n;
}

bool
pty_recording(const struct monitor *m)
{
	for (size_t i = 0; i < PRIV_PTYS_MAX; i++)
		if (m->terminal[i].recorder.pid != 0)
			return true;
	return false;
}

struct mon_terminal *
pty_find(struct monitor *m, uint32_t handle)
{
	for (size_t i = 0; i < PRIV_PTYS_MAX; i++)
		if (m->terminal[i].shell.pid != 0 &&
		    m->terminal[i].shell.handle == handle)
			return &m->terminal[i];
	return NULL;
}

static struct mon_terminal *
pty_free_slot(struct monitor *m)
{
	for (size_t i = 0; i < PRIV_PTYS_MAX; i++)
		if (pty_is_free(&m->terminal[i]))
			return &m->terminal[i];
	return NULL;
}

int
pty_start(struct half *h, struct privmsg *msg)
{
	struct monitor *m = monitor_of(h);
	struct mon_terminal *t = pty_free_slot(m);
	struct command c;
	struct pty_looks l;
	int r;

	if (t == NULL || !job_has_handle(m))
		return SKY_ERR_LIMIT;
	if ((r = command_read(&msg->body, &c)) != 0)
		return r;
	if ((r = pty_read_looks(&msg->body, &l)) == 0 &&
	    (r = buf_at_end(&msg->body)) == 0)
		r = pty_run(m, msg, t, &c, &l);
	command_free(&c);
	return r;
}

/* --- the end --- */

static void
pty_answer_stop(struct monitor *m, uint16_t id)
{
	struct privmsg req = { .type = PM_PTY_STOP, .id = id };

	half_answer(&m->half, &req, NULL);
}

static void
pty_kill(evutil_socket_t fd, short what, void *arg)
{
	job_signal(arg, SIGKILL);
}

/*
 * The child has closed its master already, which hangs up: a shell saves its
 * history then.  Who does not go by that is killed.
 */
static void
pty_end_soon(const struct monitor *m, struct job *shell)
{
	struct timeval tv = { .tv_sec = HALF_GRACE };

	job_hang_up(shell);
	if (shell->timer != NULL)
		return;
	shell->timer = evtimer_new(m->half.base, pty_kill, shell);
	if (shell->timer == NULL || event_add(shell->timer, &tv) == -1)
		job_signal(shell, SIGKILL);
}

/* Of one that has ended the child may not have heard yet. */
int
pty_stop(struct half *h, struct privmsg *msg)
{
	struct monitor *m = monitor_of(h);
	struct mon_terminal *t;
	uint32_t handle;
	int r;

	if ((r = buf_get_u32(&msg->body, &handle)) != 0)
		return r;
	if (handle == 0 || handle > m->last_handle)
		return SKY_ERR_NOTFOUND;
	if ((t = pty_find(m, handle)) == NULL) {
		pty_answer_stop(m, msg->id);
		return 0;
	}
	if (t->stopping)
		return SKY_ERR_STATE;
	t->stopping = true;
	t->stop_id = msg->id;
	pty_end_soon(m, &t->shell);
	pty_reap(m);
	return 0;
}

/*
 * The end of a shell is told when all of its output has come by the recorder:
 * the child takes what its master holds then for all that there is.
 */
static void
pty_reap_one(struct monitor *m, struct mon_terminal *t)
{
	struct job *j = &t->shell;
	uint32_t status, handle = j->handle;
	enum priv_exit how;

	if (recorder_reap(m, &t->recorder) && j->pid != 0 && !t->stopping)
		pty_end_soon(m, j);
	if (j->pid == 0 || !job_exited(j, &how, &status))
		return;
	if (t->recorder.pid != 0 && m->half.phase != HALF_DYING) {
		recorder_leave(&t->recorder);
		return;
	}
	job_tell(m, j, LOG_LEVEL_INFO, how, status);
	job_free(j);
	about_tell(m);
	if (t->stopping)
		pty_answer_stop(m, t->stop_id);
	else
		job_tell_child(m, handle, how, status);
	t->stopping = false;
}

void
pty_reap(struct monitor *m)
{
	for (size_t i = 0; i < PRIV_PTYS_MAX; i++)
		pty_reap_one(m, &m->terminal[i]);
}

void
pty_leave(struct monitor *m)
{
	for (size_t i = 0; i < PRIV_PTYS_MAX; i++)
		if (m->terminal[i].shell.pid != 0)
			job_tell_left(&m->terminal[i].shell, "hung up");
}
