/* SPDX-License-Identifier: ISC */
/* The connection's terminal and the shell behind it. */
#include "monitor/monitor.h"

#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"

#define NAME_MAX_LEN 64

static int
read_size(struct buf *b, bool *given, struct winsize *ws)
{
	uint8_t has;
	int r;

	if ((r = buf_get_u8(b, &has)) != 0 ||
	    (r = buf_get_u16(b, &ws->ws_row)) != 0 ||
	    (r = buf_get_u16(b, &ws->ws_col)) != 0 ||
	    (r = buf_get_u16(b, &ws->ws_xpixel)) != 0 ||
	    (r = buf_get_u16(b, &ws->ws_ypixel)) != 0)
		return r;
	*given = has != 0;
	return buf_at_end(b);
}

/* Erasing of characters of several bytes works in a UTF-8 terminal. */
static void
set_utf8(int fd)
{
	struct termios t;

	if (tcgetattr(fd, &t) == 0) {
		t.c_iflag |= IUTF8;
		(void)tcsetattr(fd, TCSANOW, &t);
	}
}

/* A master for the child to read and write, and a slave for the shell. */
static int
open_pair(int *master, int *slave, const struct winsize *ws)
{
	char name[NAME_MAX_LEN];

	*slave = -1;
	*master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (*master == -1)
		return ERR_SYS;
	if (grantpt(*master) == 0 && unlockpt(*master) == 0 &&
	    ptsname_r(*master, name, sizeof(name)) == 0)
		*slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*slave == -1) {
		close(*master);
		return ERR_SYS;
	}
	set_utf8(*slave);
	if (ws != NULL)
		(void)ioctl(*master, TIOCSWINSZ, ws);
	return 0;
}

static void
run_shell(struct monitor *m, struct privmsg *msg, const struct command *c,
    const struct winsize *ws)
{
	char why[PRIVMSG_TEXT_MAX];
	struct spawn s = { .cmd = c, .tty = true };
	struct buf b;
	int master, slave, ok;

	if (open_pair(&master, &slave, ws) != 0) {
		child_answer_text(m, msg, err_text(ERR_SYS));
		return;
	}
	s.in = s.out = s.err = slave;
	ok = spawn(&s, &m->pty.pid, why, sizeof(why));
	close(slave);
	if (!ok) {
		m->pty.pid = 0;
		close(master);
		child_answer_text(m, msg, why);
		return;
	}
	log_info("Terminal started: %s", c->name);
	buf_init(&b, 4);
	(void)buf_put_u32(&b, 0);
	child_answer_fds(m, msg, &b, &master, 1);
	buf_free(&b);
	malloc_trim(0); /* a shell may stay for days */
}

int
pty_start(struct monitor *m, struct privmsg *msg)
{
	struct command c;
	struct winsize ws;
	bool has_size;
	int r;

	if (m->pty.pid != 0)
		return ERR_STATE;
	if ((r = command_read(&msg->body, &c)) != 0)
		return r;
	if ((r = read_size(&msg->body, &has_size, &ws)) == 0)
		run_shell(m, msg, &c, has_size ? &ws : NULL);
	command_free(&c);
	return r;
}

static void
answer_stop(struct monitor *m)
{
	struct privmsg req = { .type = PM_PTY_STOP, .id = m->stop_id };

	m->stopping = false;
	child_answer(m, &req, NULL);
}

/* The child has closed its master already; what ignores that is killed. */
int
pty_stop(struct monitor *m, struct privmsg *msg)
{
	if (m->stopping)
		return ERR_STATE;
	m->stopping = true;
	m->stop_id = msg->id;
	if (m->pty.pid == 0) {
		answer_stop(m);
		return 0;
	}
	job_signal(&m->pty, SIGKILL);
	pty_reap(m);
	return 0;
}

void
pty_reap(struct monitor *m)
{
	enum priv_exit how;
	uint32_t status;

	if (m->pty.pid == 0 || !job_exited(&m->pty, &how, &status))
		return;
	job_signal(&m->pty, SIGKILL);
	job_free(&m->pty);
	if (m->stopping)
		answer_stop(m);
	else
		child_tell_exit(m, PRIV_PTY_HANDLE, how, status);
}
