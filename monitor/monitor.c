/* SPDX-License-Identifier: ISC */
/* skyptyd-monitor, the privileged half of one connection: its life. */
#include "monitor/monitor.h"

#include <event2/event.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/process.h"

#define PARENT_TIMEOUT 5  /* seconds to wait for skyptyd's word */
#define CHILD_TIMEOUT  10 /* seconds until a child must take a message */

static int
set_timeout(int fd, int option, int seconds)
{
	struct timeval tv = { .tv_sec = seconds };

	return setsockopt(fd, SOL_SOCKET, option, &tv, sizeof(tv));
}

void
mon_timer(struct monitor *m, int seconds)
{
	struct timeval tv = { .tv_sec = seconds };

	if (seconds == 0)
		event_del(m->timer);
	else
		event_add(m->timer, &tv);
}

/* --- the end --- */

static void
leave_if_done(struct monitor *m)
{
	if (m->phase != MON_DYING || m->child_pid != 0 || m->sftp.pid != 0)
		return;
	handshake_end(m);
	exit(0);
}

/*
 * A terminal is hung up by the kernel: the child held the only master.  Whoever
 * is left, because it asked to, is nobody's then, as with sshd.
 */
void
mon_die(struct monitor *m, const char *why)
{
	enum mon_phase was = m->phase;

	if (was == MON_DYING)
		return;
	sftp_reap(m);
	m->phase = MON_DYING;
	(void)process_signal(m->child_pid, SIGKILL);
	event_del(m->child_ev);
	close(m->child);
	m->child = -1;
	pty_reap(m);
	exec_reap(m);
	exec_leave(m);
	if (m->pty.pid != 0)
		job_tell_left(&m->pty, "hung up");
	if (m->sftp.pid != 0)
		job_tell_left(&m->sftp, "ended");
	ending_tell(m, was, why);
	job_signal(&m->sftp, SIGTERM);
	mon_timer(m, MON_HANGUP_GRACE);
	leave_if_done(m);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct monitor *m = arg;

	(void)fd, (void)what;
	if (m->phase == MON_DYING && m->killed)
		exit(1); /* something cannot even be killed */
	if (m->phase == MON_DYING) {
		m->killed = true;
		job_signal(&m->sftp, SIGKILL);
		mon_timer(m, MON_HANGUP_GRACE);
		return;
	}
	if (!event_pending(m->child_ev, EV_READ, NULL))
		log_warn("child: closed its end and went on");
	else if (m->phase & (MON_HANDSHAKE | MON_KK | MON_FIRST))
		log_info("Handshake not finished within %d seconds",
		    m->start.handshake_timeout);
	mon_die(m, "time limit");
}

/* skyptyd ends its connections so; or whoever may, one of them. */
static void
on_term(evutil_socket_t fd, short what, void *arg)
{
	struct monitor *m = arg;
	struct signalfd_siginfo from;
	char why[96];

	(void)what;
	if (read(fd, &from, sizeof(from)) != sizeof(from))
		return;
	if (m->phase == MON_DMSG && !m->stopping &&
	    child_tell(m, PM_DMSG_STOP, NULL) == 0) {
		m->stopping = true;
		mon_timer(m, MON_LEAVE);
		return;
	}
	if (m->phase == MON_DMSG)
		log_info("dmsg ended by signal");
	if ((pid_t)from.ssi_pid == getppid())
		(void)snprintf(why, sizeof(why), "ended by skyptyd");
	else
		(void)snprintf(why, sizeof(why), "killed by pid %u of uid %u",
		    from.ssi_pid, from.ssi_uid);
	mon_die(m, why);
}

/* --- the child --- */

static void
child_gone(struct monitor *m, int status)
{
	m->child_pid = 0;
	if (m->phase != MON_DYING && WIFSIGNALED(status))
		log_error("confined child killed by signal %d%s",
		    WTERMSIG(status),
		    WTERMSIG(status) == SIGSYS ? " (forbidden system call)" :
						 "");
	else if (m->phase != MON_DYING && WEXITSTATUS(status) != 0 &&
	    (WEXITSTATUS(status) < PRIV_END_SERVED ||
		WEXITSTATUS(status) > PRIV_END_FAULT))
		log_error("confined child failed with status %d",
		    WEXITSTATUS(status));
	mon_die(m, ending_of_child(status));
}

/* Takes one message.  1, or an error that ends the connection. */
static int
take_request(struct monitor *m)
{
	int r;

	if ((r = privmsg_recv(m->child, &m->msg, false)) == 1)
		r = dispatch(m, &m->msg) == 0 ? 1 : SKY_ERR_DENIED;
	else if (r == SKY_ERR_FORMAT)
		log_warn("child: message refused: %s", err_text(r));
	privmsg_clear(&m->msg);
	return r;
}

/* Whether it has closed its end, rather than sent a packet without a byte. */
static bool
has_hung_up(int fd)
{
	struct pollfd p = { .fd = fd };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLHUP);
}

/*
 * SIGCHLD is about to follow the end of its socket, and what it died of is
 * worth a line.  One that lives on without a socket is not waited for long.
 */
static void
on_child(evutil_socket_t fd, short what, void *arg)
{
	struct monitor *m = arg;
	int r;

	(void)fd, (void)what;
	if ((r = take_request(m)) == 1 || r == SKY_ERR_AGAIN)
		return;
	if ((r == SKY_ERR_EOF || r == SKY_ERR_SYS) && has_hung_up(m->child)) {
		event_del(m->child_ev);
		mon_timer(m, CHILD_TIMEOUT);
		return;
	}
	if (r == SKY_ERR_EOF)
		log_warn("child: message refused: empty");
	mon_die(m, "its confined process was refused a request");
}

/* What was said before death is still heard: log lines above all. */
static void
drain_child(struct monitor *m)
{
	while (m->child != -1 && take_request(m) == 1)
		;
}

static void
on_chld(evutil_socket_t fd, short what, void *arg)
{
	struct monitor *m = arg;
	int status;

	(void)fd, (void)what;
	if (m->child_pid != 0 &&
	    waitpid(m->child_pid, &status, WNOHANG) == m->child_pid) {
		drain_child(m);
		child_gone(m, status);
	}
	pty_reap(m);
	exec_reap(m);
	sftp_reap(m);
	connect_reap(m);
	spawn_reap(m);
	leave_if_done(m);
}

/* --- the beginning --- */

static struct event *
on_signal(struct monitor *m, int sig, event_callback_fn cb)
{
	struct event *ev = evsignal_new(m->base, sig, cb, m);

	if (ev != NULL && event_add(ev, NULL) == -1)
		return NULL;
	return ev;
}

static int
set_up_events(struct monitor *m)
{
	sigset_t term;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	if ((m->base = event_base_new()) == NULL ||
	    sigprocmask(SIG_BLOCK, &term, NULL) == -1 ||
	    (m->term_fd = signalfd(-1, &term, SFD_NONBLOCK | SFD_CLOEXEC)) ==
		-1 ||
	    (m->term_ev = event_new(m->base, m->term_fd, EV_READ | EV_PERSIST,
		 on_term, m)) == NULL ||
	    event_add(m->term_ev, NULL) == -1 ||
	    (m->timer = evtimer_new(m->base, on_timer, m)) == NULL ||
	    (m->chld_ev = on_signal(m, SIGCHLD, on_chld)) == NULL)
		return -1;
	return 0;
}

static int
watch_child(struct monitor *m)
{
	set_timeout(m->child, SO_SNDTIMEO, CHILD_TIMEOUT);
	/* Somebody else may hold its end open, and never say a word. */
	set_timeout(m->child, SO_RCVTIMEO, 1);
	m->child_ev =
	    event_new(m->base, m->child, EV_READ | EV_PERSIST, on_child, m);
	return m->child_ev != NULL ? event_add(m->child_ev, NULL) : -1;
}

static const char *
begin_session(struct monitor *m)
{
	if (m->start.carrier == PRIV_CONTROL) {
		m->phase = MON_SESSION;
		m->grants = PRIV_GRANT_PTY | PRIV_GRANT_EXEC | PRIV_GRANT_SFTP |
		    PRIV_GRANT_WHITELIST | PRIV_GRANT_DIAL;
		child_tell_control(m);
		return NULL;
	}
	if ((m->keyctx = keyctx_new()) == NULL)
		return "no memory for keys";
	if (m->start.carrier == PRIV_DMSG)
		return overlay_begin(m) == 0 ? NULL : "overlay";
	handshake_turn(m);
	if (m->start.carrier == PRIV_KK)
		return kk_begin(m) == 0 ? NULL : "no memory for keys";
	return handshake_begin(m) == 0 ? NULL : "handshake state";
}

/* Connect the peers; NULL or what went wrong. */
static const char *
set_up(struct monitor *m)
{
	m->begun = now_ms();
	m->parent = PRIV_FD_PEER;
	set_timeout(m->parent, SO_RCVTIMEO, PARENT_TIMEOUT);
	if (start_recv(m->parent, &m->start) != 0)
		return "no start message, or one of another version";
	log_init("skyptyd",
	    m->start.quiet ? LOG_LEVEL_WARN :
			     (enum log_level)m->start.log_level,
	    m->start.use_syslog);
	log_set_prefix(m->start.peer);
	setproctitle("-skyptyd: monitor %s", m->start.peer);
	if (m->start.carrier == PRIV_CONTROL &&
	    !whitelist_control(m, PRIV_FD_CONN))
		exit(0);
	if (m->start.carrier == PRIV_XK)
		origin_of_socket(&m->origin, PRIV_FD_CONN);
	if (set_up_events(m) == -1)
		return "event loop";
	if (child_start(m, m->start.carrier == PRIV_DMSG ? -1 : PRIV_FD_CONN) !=
	    0)
		return "confined child cannot be started";
	if (m->start.carrier != PRIV_DMSG)
		close(PRIV_FD_CONN);
	if (watch_child(m) == -1 || child_welcome(m) != 0)
		return "confined child";
	return begin_session(m);
}

int
main(int argc, char **argv, char **envp)
{
	static struct monitor m;
	const char *failed;

	(void)argc;
	process_standard_fds();
	closefrom(PRIV_FD_COUNT);
	setproctitle_init(1, argv, envp);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	process_ignore_signals();
	if ((failed = set_up(&m)) != NULL) {
		log_error("monitor: %s", failed);
		return 1;
	}
	event_base_dispatch(m.base);
	return 1;
}
