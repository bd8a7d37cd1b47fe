/* SPDX-License-Identifier: ISC */
/*
 * skypty-forward's process: the session's user, without a session of its own,
 * a shell, a terminal or an environment.
 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/paths.h"
#include "common/base/process.h"
#include "common/privsep/forwarder.h"
#include "monitor/account.h"
#include "monitor/forward.h"
#include "monitor/handshake.h"
#include "monitor/login.h"
#include "monitor/monitor.h"

#define PROGRAM_FD (FORWARDER_FD + 1)
#define FAR_AWAY   64 /* from these two */

/* --- in the new process --- */

__attribute__((noreturn)) static void
forwarder_fail(const char *what, int error)
{
	char why[LOGIN_TEXT_MAX];
	struct buf b;

	snprintf(why, sizeof(why), "%s%s%s", what, error != 0 ? ": " : "",
	    error != 0 ? strerror(error) : "");
	buf_init(&b, PRIVMSG_TEXT_MAX);
	if (buf_put_cstring(&b, why) == 0)
		(void)privmsg_send(FORWARDER_FD, PM_FORWARD_OPEN + 1, 0, &b,
		    NULL, 0);
	_exit(126);
}

/* Modules of PAM, which run before, meet no descriptor of the monitor's. */
static int
forwarder_arrange_fds(int sock, int program)
{
	if ((sock = fcntl(sock, F_DUPFD_CLOEXEC, FAR_AWAY)) == -1 ||
	    (program = fcntl(program, F_DUPFD_CLOEXEC, FAR_AWAY)) == -1 ||
	    dup3(sock, FORWARDER_FD, O_CLOEXEC) == -1 ||
	    dup3(program, PROGRAM_FD, O_CLOEXEC) == -1)
		return -1;
	closefrom(PROGRAM_FD + 1);
	return 0;
}

__attribute__((noreturn)) static void
forwarder_become(struct monitor *m, int sock, int file)
{
	const char *argv[] = { FORWARDER_PROGRAM,
		m->half.start.welcome & PRIV_BEST_EFFORT ?
		    FORWARDER_BEST_EFFORT :
		    NULL,
		NULL };
	const char *env[] = { NULL };
	const struct process_program program = { .file = PROGRAM_FD,
		.argv = argv,
		.env = env,
		.fd = { FORWARDER_FD },
		.nfd = 1 };
	const struct login l = { .pw = &m->account,
		.origin = &m->origin,
		.use_pam = m->half.start.pam };
	char why[LOGIN_TEXT_MAX] = "";

	process_reset_signals();
	handshake_end(m);
	if (setsid() == -1 || forwarder_arrange_fds(sock, file) == -1)
		_exit(126);
	alarm(LOGIN_PAM_S); /* a module that hangs ends us */
	if (login_join(&l, why, sizeof(why)) != 0)
		forwarder_fail(why, 0);
	alarm(0);
	if (account_become(&m->account) == -1 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		forwarder_fail("becoming the session's user", errno);
	process_become(&program);
	forwarder_fail(FORWARDER_PROGRAM, errno);
}

/* --- in the monitor --- */

/* The program is opened before: it may lie where the user cannot go. */
static int
forwarder_open(char *why, size_t len)
{
	char path[PROCESS_PATH_MAX];
	int fd = -1;

	if (process_companion(path, sizeof(path), FORWARDER_PROGRAM, ".",
		LIBEXECDIR) == 0)
		fd = open(path, O_PATH | O_CLOEXEC);
	if (fd == -1)
		(void)snprintf(why, len,
		    "there is no " FORWARDER_PROGRAM " here");
	return fd;
}

static bool
forwarder_watch(struct forward *f)
{
	struct event_base *base = f->mon->half.base;

	f->rd =
	    event_new(base, f->fd, EV_READ | EV_PERSIST, forward_on_answer, f);
	f->wr = event_new(base, f->fd, EV_WRITE, forward_on_room, f);
	if (f->rd != NULL && f->wr != NULL && event_add(f->rd, NULL) == 0)
		return true;
	forwarder_drop(f, true);
	return false;
}

static bool
forwarder_fork(struct forward *f, int program)
{
	int sv[2], r;

	if (privmsg_pair(sv) != 0)
		return false;
	if ((r = process_fork(&f->pid)) == 0) {
		process_set_oom_score(f->mon->half.start.oom_score);
		forwarder_become(f->mon, sv[1], program);
	}
	close(sv[1]);
	if (r == 1 && fcntl(sv[0], F_SETFL, O_NONBLOCK) == 0) {
		f->fd = sv[0];
		return forwarder_watch(f);
	}
	close(sv[0]);
	return false;
}

bool
forwarder_start(struct monitor *m, char *why, size_t len)
{
	struct forward *f = &m->forward;
	int program;
	bool ok;

	f->mon = m;
	if (f->pid != 0) {
		(void)snprintf(why, len, FORWARDER_PROGRAM " has ended");
		return false;
	}
	if ((program = forwarder_open(why, len)) == -1)
		return false;
	if (!(ok = forwarder_fork(f, program)))
		(void)snprintf(why, len, FORWARDER_PROGRAM ": %s",
		    strerror(errno));
	close(program);
	return ok;
}

void
forwarder_drop(struct forward *f, bool lies)
{
	if (lies)
		(void)process_signal(f->pid, SIGKILL);
	if (f->rd != NULL)
		event_free(f->rd);
	if (f->wr != NULL)
		event_free(f->wr);
	if (f->rd != NULL || f->wr != NULL)
		close(f->fd);
	f->rd = f->wr = NULL;
}
