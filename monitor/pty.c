/* SPDX-License-Identifier: ISC */
/* The connection's terminal and the shell behind it. */
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

#define NAME_MAX_LEN 64

/* What kind of terminal is wanted. */
struct pty_looks {
	uint8_t flags; /* enum priv_pty */
	struct winsize ws;
	uint8_t modes[MODES_LEN];
};

static int
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
	return buf_at_end(b);
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

/*
 * A master for the child to read and write, and a slave for the shell, whose
 * user can open it by its name as well, and say who may write to it.
 */
static int
pty_open(int *master, int *slave, uid_t owner, const struct pty_looks *l,
    char name[NAME_MAX_LEN])
{
	*slave = -1;
	*master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (*master == -1)
		return SKY_ERR_SYS;
	if (grantpt(*master) == 0 && unlockpt(*master) == 0 &&
	    ptsname_r(*master, name, NAME_MAX_LEN) == 0)
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
pty_record(struct monitor *m, int *master, const struct command *c,
    const struct pty_looks *l, bool login, char *why, size_t len)
{
	struct pty_looks plain = *l;
	char name[NAME_MAX_LEN];
	int outer, user, r;

	plain.flags &= ~(unsigned)PRIV_PTY_MODES;
	if (pty_open(&outer, &user, geteuid(), &plain, name) != 0) {
		(void)snprintf(why, len, "%s", err_text(SKY_ERR_SYS));
		return -1;
	}
	r = -1;
	if (pty_set_raw(user) != 0)
		(void)snprintf(why, len, "%s", err_text(SKY_ERR_SYS));
	else
		r = recorder_start(m, user, *master, c, &l->ws, login, why,
		    len);
	close(user);
	if (r != 0) {
		close(outer);
		return -1;
	}
	close(*master);
	*master = outer;
	return 0;
}

static enum session_asked
pty_asked(const struct pty_looks *l)
{
	return l->flags & PRIV_PTY_LOGIN ? SESSION_LOGIN :
	    l->flags & PRIV_PTY_LINE	 ? SESSION_LINE :
					   SESSION_WORDS;
}

static int
pty_run(struct monitor *m, struct privmsg *msg, struct command *c,
    const struct pty_looks *l)
{
	char why[PRIVMSG_TEXT_MAX], name[NAME_MAX_LEN];
	struct spawn s = { .cmd = c, .tty = name };
	int master, slave, ok, r;

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
	ok = !recorder_wanted(m) ||
	    pty_record(m, &master, c, l, s.login, why, sizeof(why)) == 0;
	if (ok && !spawn(m, &s, &m->pty.pid, why, sizeof(why))) {
		recorder_drop(m);
		ok = false;
	}
	close(slave);
	if (!ok) {
		close(master);
		job_refuse(m, msg, "Terminal", why);
		return 0;
	}
	job_begin(&m->pty, "Terminal", s.login ? "login shell" : c->name);
	command_tell(c, "Terminal", s.login, m->pty.pid, m->account.pw_name);
	ending_used(m, USE_TERMINAL);
	half_answer_ok(&m->half, msg, NULL, &master, 1);
	malloc_trim(0); /* a shell may stay for days */
	return 0;
}

unsigned
pty_running(const struct half *h)
{
	return monitor_of_const(h)->pty.pid != 0;
}

unsigned
pty_stopping(const struct half *h)
{
	return monitor_of_const(h)->pty_stopping;
}

int
pty_start(struct half *h, struct privmsg *msg)
{
	struct monitor *m = monitor_of(h);
	struct command c;
	struct pty_looks l;
	int r;

	if ((r = command_read(&msg->body, &c)) != 0)
		return r;
	if ((r = pty_read_looks(&msg->body, &l)) == 0)
		r = pty_run(m, msg, &c, &l);
	command_free(&c);
	return r;
}

static void
pty_answer_stop(struct monitor *m)
{
	struct privmsg req = { .type = PM_PTY_STOP, .id = m->pty_stop_id };

	m->pty_stopping = false;
	half_answer(&m->half, &req, NULL);
}

static void
pty_kill(evutil_socket_t fd, short what, void *arg)
{
	struct monitor *m = arg;

	job_signal(&m->pty, SIGKILL);
}

/*
 * The child has closed its master already, which hangs up: a shell saves its
 * history then.  Who does not go by that is killed.
 */
static int
pty_end_soon(struct monitor *m)
{
	struct timeval tv = { .tv_sec = HALF_GRACE };
	struct job *j = &m->pty;

	job_hang_up(j);
	if (j->timer != NULL)
		return 0;
	j->timer = evtimer_new(m->half.base, pty_kill, m);
	return j->timer != NULL && event_add(j->timer, &tv) == 0 ? 0 : -1;
}

int
pty_stop(struct half *h, struct privmsg *msg)
{
	struct monitor *m = monitor_of(h);
	m->pty_stopping = true;
	m->pty_stop_id = msg->id;
	if (m->pty.pid == 0) {
		pty_answer_stop(m);
		return 0;
	}
	if (pty_end_soon(m) == -1)
		job_signal(&m->pty, SIGKILL);
	pty_reap(m);
	return 0;
}

void
pty_unrecorded(struct monitor *m)
{
	if (m->pty.pid != 0 && !m->pty_stopping && pty_end_soon(m) == -1)
		job_signal(&m->pty, SIGKILL);
}

/*
 * The end of a shell is told when all of its output has come by the recorder:
 * the child takes what its master holds then for all that there is.
 */
void
pty_reap(struct monitor *m)
{
	enum priv_exit how;
	uint32_t status;

	if (m->pty.pid == 0 || !job_exited(&m->pty, &how, &status))
		return;
	if (m->recorder.pid != 0 && m->half.phase != HALF_DYING) {
		recorder_leave(m);
		return;
	}
	job_tell(m, &m->pty, LOG_LEVEL_INFO, how, status);
	job_free(&m->pty);
	about_tell(m);
	if (m->pty_stopping)
		pty_answer_stop(m);
	else
		job_tell_child(m, PRIV_PTY_HANDLE, how, status);
}
