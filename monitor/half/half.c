/* SPDX-License-Identifier: ISC */
/* A monitor's life: its child, its signals, its end. */
#include "monitor/half/half.h"

#include <event2/event.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/process.h"
#include "common/privsep/welcome.h"

#define PARENT_TIMEOUT 5  /* seconds to wait for skyptyd's word */
#define CHILD_TIMEOUT  10 /* seconds until a child must take a message */

static int
half_set_timeout(int fd, int option, int seconds)
{
	struct timeval tv = { .tv_sec = seconds };

	return setsockopt(fd, SOL_SOCKET, option, &tv, sizeof(tv));
}

void
half_timer(struct half *h, int seconds)
{
	struct timeval tv = { .tv_sec = seconds };

	if (seconds == 0)
		event_del(h->timer);
	else
		event_add(h->timer, &tv);
}

/* --- the end --- */

void
half_forget_keys(struct half *h)
{
	sodium_free(h->start.sk);
	h->start.sk = NULL;
	keyctx_free(h->keyctx);
	h->keyctx = NULL;
}

static void
half_leave_if_done(struct half *h)
{
	if (h->phase != HALF_DYING || h->child_pid != 0 ||
	    (h->role->waits != NULL && h->role->waits(h)))
		return;
	h->role->forget(h);
	exit(0);
}

void
half_die(struct half *h, const char *why)
{
	int was = h->phase;

	if (was == HALF_DYING)
		return;
	h->phase = HALF_DYING;
	(void)process_signal(h->child_pid, SIGKILL);
	event_del(h->child_ev);
	close(h->child);
	h->child = -1;
	if (h->role->leave != NULL)
		h->role->leave(h, was, why);
	half_timer(h, HALF_GRACE);
	half_leave_if_done(h);
}

static void
half_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct half *h = arg;

	if (h->phase == HALF_DYING && h->killed)
		exit(1); /* something cannot even be killed */
	if (h->phase == HALF_DYING) {
		h->killed = true;
		if (h->role->kill_left != NULL)
			h->role->kill_left(h);
		half_timer(h, HALF_GRACE);
		return;
	}
	if (!event_pending(h->child_ev, EV_READ, NULL))
		log_warn("%s: closed its end and went on", h->role->child);
	else if (h->role->late != NULL)
		h->role->late(h);
	half_die(h, "time limit");
}

/* skyptyd ends its monitors so; or whoever may, one of them. */
static void
half_on_term(evutil_socket_t fd, short what, void *arg)
{
	struct half *h = arg;
	struct signalfd_siginfo from;
	char why[96];

	if (read(fd, &from, sizeof(from)) != sizeof(from) ||
	    h->phase == HALF_DYING)
		return;
	if (h->role->term != NULL && h->role->term(h))
		return;
	if ((pid_t)from.ssi_pid == getppid())
		(void)snprintf(why, sizeof(why), "ended by skyptyd");
	else
		(void)snprintf(why, sizeof(why), "killed by pid %u of uid %u",
		    from.ssi_pid, from.ssi_uid);
	half_die(h, why);
}

/* --- the child --- */

/* Signals that somebody sends are none. */
static bool
half_is_crash(int status)
{
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGTRAP, SIGSYS, SIGFPE,
		SIGILL, SIGABRT };

	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		if (WIFSIGNALED(status) && WTERMSIG(status) == crashes[i])
			return true;
	return false;
}

static void
half_child_gone(struct half *h, int status)
{
	h->child_pid = 0;
	if (h->phase != HALF_DYING && half_is_crash(status))
		h->crashed = true;
	if (h->phase != HALF_DYING && WIFSIGNALED(status))
		log_error("confined child killed by signal %d%s",
		    WTERMSIG(status),
		    WTERMSIG(status) == SIGSYS ? " (forbidden system call)" :
						 "");
	else if (h->phase != HALF_DYING && WEXITSTATUS(status) != 0 &&
	    (WEXITSTATUS(status) < PRIV_END_SERVED ||
		WEXITSTATUS(status) > PRIV_END_FAULT))
		log_error("confined child failed with status %d",
		    WEXITSTATUS(status));
	half_die(h, half_child_end(status));
}

/* Takes one message.  1, or an error that ends the child. */
static int
half_take_request(struct half *h)
{
	int r;

	if ((r = privmsg_recv(h->child, &h->msg, false)) == 1)
		r = half_dispatch(h, &h->msg) == 0 ? 1 : SKY_ERR_DENIED;
	else if (r == SKY_ERR_FORMAT)
		log_warn("%s: message refused: %s", h->role->child,
		    err_text(r));
	privmsg_clear(&h->msg);
	return r;
}

/* Whether it has closed its end, rather than sent a packet without a byte. */
static bool
half_has_hung_up(int fd)
{
	struct pollfd p = { .fd = fd };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLHUP);
}

/*
 * SIGCHLD is about to follow the end of its socket, and what it died of is
 * worth a line.  One that lives on without a socket is not waited for long.
 */
static void
half_on_child(evutil_socket_t fd, short what, void *arg)
{
	struct half *h = arg;
	int r;

	if ((r = half_take_request(h)) == 1 || r == SKY_ERR_AGAIN)
		return;
	if ((r == SKY_ERR_EOF || r == SKY_ERR_SYS) &&
	    half_has_hung_up(h->child)) {
		event_del(h->child_ev);
		half_timer(h, CHILD_TIMEOUT);
		return;
	}
	if (r == SKY_ERR_EOF)
		log_warn("%s: message refused: empty", h->role->child);
	h->crashed = true;
	half_die(h, "its confined process was refused a request");
}

/* What was said before death is still heard: log lines above all. */
static void
half_drain(struct half *h)
{
	while (h->child != -1 && half_take_request(h) == 1)
		;
}

static void
half_on_chld(evutil_socket_t fd, short what, void *arg)
{
	struct half *h = arg;
	int status;

	if (h->child_pid != 0 &&
	    waitpid(h->child_pid, &status, WNOHANG) == h->child_pid) {
		half_drain(h);
		half_child_gone(h, status);
	}
	h->role->reap(h);
	half_leave_if_done(h);
}

/* --- the beginning --- */

void
half_leave_behind(char **argv, char **envp)
{
	process_standard_fds();
	closefrom(PRIV_FD_COUNT);
	setproctitle_init(1, argv, envp);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	process_ignore_signals();
}

static int
half_set_up_events(struct half *h)
{
	sigset_t term;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	if ((h->base = event_base_new()) == NULL ||
	    sigprocmask(SIG_BLOCK, &term, NULL) == -1 ||
	    (h->term_fd = signalfd(-1, &term, SFD_NONBLOCK | SFD_CLOEXEC)) ==
		-1 ||
	    (h->term_ev = event_new(h->base, h->term_fd, EV_READ | EV_PERSIST,
		 half_on_term, h)) == NULL ||
	    event_add(h->term_ev, NULL) == -1 ||
	    (h->timer = evtimer_new(h->base, half_on_timer, h)) == NULL ||
	    (h->chld_ev = evsignal_new(h->base, SIGCHLD, half_on_chld, h)) ==
		NULL ||
	    event_add(h->chld_ev, NULL) == -1)
		return -1;
	return 0;
}

int
half_begin(struct half *h, const struct half_role *role)
{
	int r;

	h->role = role;
	h->child = -1;
	h->parent = PRIV_FD_PEER;
	half_set_timeout(h->parent, SO_RCVTIMEO, PARENT_TIMEOUT);
	if ((r = start_recv(h->parent, &h->start)) != 0) {
		log_error("no start message, or one of another version: %s",
		    err_text(r));
		return -1;
	}
	log_init("skyptyd",
	    h->start.quiet ? LOG_LEVEL_WARN :
			     (enum log_level)h->start.log_level,
	    h->start.use_syslog);
	log_set_format((enum log_format)h->start.log_format);
	log_set_id(h->start.id);
	log_set_prefix(h->start.peer);
	setproctitle("-skyptyd: %s%s", role->title, h->start.peer);
	if (half_set_up_events(h) == 0)
		return 0;
	log_error("cannot set up the event loop");
	return -1;
}

int
half_welcome(const struct half *h, int sock)
{
	const struct start *s = &h->start;
	const struct welcome w = { .carrier = s->carrier,
		.sandbox = { .drop = s->welcome & PRIV_DROP,
		    .best_effort = s->welcome & PRIV_BEST_EFFORT,
		    .root = s->chroot_dir,
		    .uid = s->uid,
		    .gid = s->gid } };

	return welcome_send(sock, &w);
}

int
half_start_child(struct half *h, bool with_conn)
{
	int r;

	if ((r = half_spawn(h, with_conn ? PRIV_FD_CONN : -1)) == 0) {
		if (with_conn)
			close(PRIV_FD_CONN);
		half_set_timeout(h->child, SO_SNDTIMEO, CHILD_TIMEOUT);
		/* Somebody else may hold its end open, and never say a word. */
		half_set_timeout(h->child, SO_RCVTIMEO, 1);
		h->child_ev = event_new(h->base, h->child, EV_READ | EV_PERSIST,
		    half_on_child, h);
		r = h->child_ev != NULL && event_add(h->child_ev, NULL) == 0 ?
		    half_welcome(h, h->child) :
		    SKY_ERR_NOMEM;
	}
	if (r == 0)
		return 0;
	log_error("confined child cannot be started: %s", err_text(r));
	return -1;
}
