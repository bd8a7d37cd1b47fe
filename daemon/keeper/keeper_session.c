/* SPDX-License-Identifier: ISC */
/*
 * The keeper of one session.  It is the parent of what runs at the terminal and
 * has the master of it; clients come and go.
 */
#include "daemon/keeper/keeper_session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/hex.h"
#include "common/base/process.h"
#include "daemon/keeper/keeper.h"
#include "daemon/keeper/keeper_hand.h"
#include "daemon/keeper/keeper_start.h"

#define CHUNK	  JOB_OUTPUT_MAX
#define REST_MAX  (1024U * 1024) /* of output that is there at the end */
#define LINGER_MS 10000		 /* for guests, when it is over */
#define GRACE_MS  5000		 /* for who was told to go */
#define TELL_MS	  1000		 /* between two writings of what is told */
#define IDLE_MS	  15000
#define NAMES	  ".names" /* locked by who looks for one */
#define FDS	  (3 + GUESTS_MAX)

enum session_fd { FD_SIGNAL, FD_CALL, FD_MASTER, FD_GUESTS };

/* --- the terminal --- */

static unsigned short
session_bound(uint64_t n, unsigned max)
{
	return (unsigned short)(n < KSCREEN_MIN ? KSCREEN_MIN :
		n > max				? max :
						  n);
}

/* A client without a terminal has no size. */
void
session_resize(struct session *s, const struct rpc_winsize *size, bool nudge)
{
	struct winsize ws = { .ws_row =
				  session_bound(size->rows, KSCREEN_ROWS_MAX),
		.ws_col = session_bound(size->cols, KSCREEN_COLS_MAX),
		.ws_xpixel = (unsigned short)size->x,
		.ws_ypixel = (unsigned short)size->y };

	if (size->rows == 0 || size->cols == 0 || s->master == -1)
		return;
	if (nudge) {
		struct winsize other = ws;

		other.ws_row -= 1;
		(void)ioctl(s->master, TIOCSWINSZ, &other);
	}
	(void)ioctl(s->master, TIOCSWINSZ, &ws);
	kscreen_resize(s->screen, ws.ws_row, ws.ws_col);
	s->size = (struct rpc_winsize){ .rows = ws.ws_row,
		.cols = ws.ws_col,
		.x = ws.ws_xpixel,
		.y = ws.ws_ypixel };
	s->told = false;
}

/* Where nobody's terminal answers a program, its keeper does. */
static void
session_reply(void *arg, const char *p, size_t n)
{
	struct session *s = arg;

	for (size_t i = 0; i < GUESTS_MAX; i++)
		if (s->guest[i].attached && s->guest[i].types)
			return;
	(void)buf_put(&s->typed, p, n);
}

/* Whoever came in another screen gets the first one when that is back. */
static void
session_show(struct session *s, const uint8_t *p, size_t n)
{
	bool back;

	kscreen_watch(s->screen, p, n);
	back = kscreen_came_back(s->screen);
	for (size_t i = 0; i < GUESTS_MAX; i++) {
		struct guest *g = &s->guest[i];

		guest_put_output(g, p, n);
		if (back && g->attached && g->late)
			g->stale = true;
	}
}

/* Whether more is there.  An error is the end of all who have the slave. */
static bool
session_read(struct session *s)
{
	static uint8_t chunk[CHUNK];
	ssize_t n = read(s->master, chunk, sizeof(chunk));

	if (n > 0) {
		session_show(s, chunk, (size_t)n);
		return true;
	}
	if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		close(s->master);
		s->master = -1;
	}
	return false;
}

static void
session_type(struct session *s)
{
	ssize_t r;

	while ((r = buf_write(&s->typed, s->master)) > 0)
		;
	for (size_t i = 0; i < GUESTS_MAX; i++)
		if (s->guest[i].fd != -1)
			guest_hear(s, &s->guest[i]);
}

const char *
session_signal(struct session *s, int number)
{
	if (s->exited)
		return "it has ended";
	if (process_signal_group(s->pid, number) == -1)
		return errno == ESRCH ? "it has ended" : strerror(errno);
	if (number != SIGCONT)
		(void)process_signal_group(s->pid, SIGCONT);
	if (s->kill_ms == 0 && number != SIGCONT)
		s->kill_ms = now_ms() + GRACE_MS;
	return NULL;
}

/* --- what is told of it --- */

void
session_describe(const struct session *s, struct sess_entry *e)
{
	const char *title = kscreen_title(s->screen);

	memset(e, 0, sizeof(*e));
	memcpy(e->id, s->store.entry.id, sizeof(e->id));
	e->pk = s->store.entry.pk;
	for (size_t i = 0; i < GUESTS_MAX; i++)
		e->attached += s->guest[i].attached;
	e->rows = (uint16_t)s->size.rows;
	e->cols = (uint16_t)s->size.cols;
	e->begun = s->store.entry.begun;
	e->pid = (uint32_t)s->pid;
	buf_view(&e->name, s->name, strlen(s->name));
	buf_view(&e->title, title, strlen(title));
	buf_view(&e->command, s->store.command, strlen(s->store.command));
}

static int
session_write_down(struct session *s)
{
	struct sess_entry e;

	session_describe(s, &e);
	s->told = true;
	s->told_ms = now_ms();
	return store_write_session(&s->store, &e);
}

/* --- its begin --- */

static int
session_fork(struct session *s, const struct keeper_orders *o, int slave,
    int *start)
{
	int sv[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1)
		return -1;
	if ((r = process_fork(&s->pid)) == 0) {
		close(sv[0]);
		start_become(o, sv[1], (int[]){ slave, slave, slave }, true);
	}
	close(sv[1]);
	*start = sv[0];
	return r == -1 ? -1 : 0;
}

static int
session_catch(struct session *s)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signals;
}

static bool
session_make_screen(struct session *s)
{
	struct winsize ws = { .ws_row = 0 };

	if (ioctl(s->master, TIOCGWINSZ, &ws) == -1 || ws.ws_row == 0 ||
	    ws.ws_col == 0)
		ws = (struct winsize){ .ws_row = 24, .ws_col = 80 };
	s->size = (struct rpc_winsize){ .rows = ws.ws_row,
		.cols = ws.ws_col,
		.x = ws.ws_xpixel,
		.y = ws.ws_ypixel };
	s->screen = kscreen_new(ws.ws_row, ws.ws_col, session_reply, s);
	if (s->screen != NULL)
		session_resize(s, &s->size, false);
	return s->screen != NULL;
}

/* What is noted of it is on the disk before anything runs. */
static bool
session_begin(struct session *s, const struct keeper_orders *o, int slave,
    char why[STORE_TEXT])
{
	int start = -1;

	if (!session_make_screen(s) || session_catch(s) == -1 ||
	    session_fork(s, o, slave, &start) == -1) {
		(void)snprintf(why, STORE_TEXT, "%s", strerror(errno));
		return false;
	}
	start_describe(&s->store, o, s->pid);
	/* From here on we are in its folder; what runs there is not. */
	if (fchdir(s->store.dir) == -1 || (s->call = hand_listen()) == -1 ||
	    session_write_down(s) == -1 || store_show(&s->store) == -1) {
		(void)snprintf(why, STORE_TEXT, "folder of the session: %s",
		    strerror(errno));
		close(start);
		return false;
	}
	return start_let_go(start, o, why);
}

/* --- its end --- */

/* It stays a zombie as long as its group's number is needed. */
static void
session_reap(struct session *s)
{
	struct job_entry *e = &s->store.entry;
	siginfo_t si = { 0 };
	time_t now = time(NULL);

	if (s->exited ||
	    waitid(P_PID, (id_t)s->pid, &si, WEXITED | WNOHANG | WNOWAIT) ==
		-1 ||
	    si.si_pid == 0)
		return;
	s->exited = true;
	e->state = JOB_ENDED;
	e->how = si.si_code == CLD_EXITED ? XS_EXITED : XS_SIGNALED;
	e->status = (uint32_t)si.si_status;
	e->duration_ms =
	    ((uint64_t)now > e->begun ? (uint64_t)now - e->begun : 0) * 1000;
	for (size_t n = 0; s->master != -1 && n < REST_MAX; n += CHUNK)
		if (!session_read(s))
			break;
	/* Who is at it still is hung up. */
	if (s->master != -1)
		close(s->master);
	s->master = -1;
}

static void
session_hear_signals(struct session *s)
{
	struct signalfd_siginfo si;

	while (read(s->signals, &si, sizeof(si)) == sizeof(si))
		/* The machine goes down: whoever is there shall know. */
		if (si.ssi_signo == SIGTERM)
			(void)session_signal(s, SIGHUP);
	session_reap(s);
}

/* --- the loop --- */

static void
session_answer_call(struct session *s)
{
	struct guest *g = NULL, more;
	struct buf asked;
	int fd;

	for (size_t i = 0; g == NULL && i < GUESTS_MAX; i++)
		if (s->guest[i].fd == -1)
			g = &s->guest[i];
	buf_init(&asked, HAND_MAX);
	if ((fd = hand_take(s->call, &asked)) != -1) {
		guest_init(g != NULL ? g : &more, fd);
		if (g == NULL) {
			guest_fail(&more, "too many are attached already");
			(void)guest_write(&more, now_ms());
			guest_close(&more);
		} else if (buf_put(&g->in, buf_ptr(&asked), buf_len(&asked)) ==
		    0)
			guest_hear(s, g);
		else
			guest_close(g);
	}
	buf_free(&asked);
}

/* A terminal that nobody waits for is read always. */
static bool
session_may_read(struct session *s, int64_t now)
{
	bool held = false;

	for (size_t i = 0; i < GUESTS_MAX; i++)
		held = guest_holds_back(&s->guest[i], now) || held;
	return !held;
}

static void
session_poll(struct session *s, struct pollfd *fds)
{
	int64_t now = now_ms(), ms = IDLE_MS;
	short events = session_may_read(s, now) ? POLLIN : 0;

	if (buf_len(&s->typed) != 0)
		events |= POLLOUT;
	fds[FD_SIGNAL] = (struct pollfd){ s->signals, POLLIN, 0 };
	fds[FD_CALL] = (struct pollfd){ s->call, POLLIN, 0 };
	fds[FD_MASTER] =
	    (struct pollfd){ events != 0 ? s->master : -1, events, 0 };
	for (size_t i = 0; i < GUESTS_MAX; i++)
		fds[FD_GUESTS + i] = (struct pollfd){ s->guest[i].fd,
			s->guest[i].fd != -1 ? guest_events(s, &s->guest[i]) :
					       0,
			0 };
	if (!(events & POLLIN) || !s->told || s->kill_ms != 0)
		ms = TELL_MS;
	if (poll(fds, FDS, (int)ms) == -1)
		for (size_t i = 0; i < FDS; i++)
			fds[i].revents = 0;
}

/* Whether there is any left. */
static bool
session_serve_guests(struct session *s, const struct pollfd *fds)
{
	int64_t now = now_ms();
	bool any = false;

	for (size_t i = 0; i < GUESTS_MAX; i++) {
		struct guest *g = &s->guest[i];
		bool there = true;

		if (g->fd == -1)
			continue;
		if (g->fd == fds[FD_GUESTS + i].fd &&
		    (fds[FD_GUESTS + i].revents & (POLLIN | POLLHUP | POLLERR)))
			there = guest_read(s, g);
		if (there)
			guest_tell(s, g, now);
		if (!there || !guest_write(g, now)) {
			guest_close(g);
			s->told = false;
		}
		any = any || g->fd != -1;
	}
	return any;
}

static void
session_keep_time(struct session *s)
{
	int64_t now = now_ms();

	if (s->kill_ms != 0 && now >= s->kill_ms && !s->exited) {
		s->kill_ms = now + GRACE_MS;
		(void)process_signal_group(s->pid, SIGKILL);
	}
	if (!s->told && now - s->told_ms >= TELL_MS)
		(void)session_write_down(s);
}

/* Until it has ended. */
static void
session_loop(struct session *s)
{
	struct pollfd fds[FDS];
	char title[KSCREEN_TITLE] = "";

	while (!s->exited) {
		session_poll(s, fds);
		if (fds[FD_CALL].revents != 0)
			session_answer_call(s);
		if (s->master != -1 &&
		    (fds[FD_MASTER].revents & (POLLIN | POLLHUP | POLLERR)))
			(void)session_read(s);
		if (s->master != -1 && buf_len(&s->typed) != 0)
			session_type(s);
		if (fds[FD_SIGNAL].revents != 0)
			session_hear_signals(s);
		if (strcmp(title, kscreen_title(s->screen)) != 0) {
			(void)strlcpy(title, kscreen_title(s->screen),
			    sizeof(title));
			s->told = false;
		}
		(void)session_serve_guests(s, fds);
		session_keep_time(s);
	}
}

/* Nothing is kept of it; those who are there are told. */
static void
session_leave(struct session *s)
{
	int64_t until = now_ms() + LINGER_MS;
	struct pollfd fds[FDS];
	char id[JOB_ID_HEX];

	hex_encode(s->store.entry.id, JOB_ID_LEN, id);
	(void)store_remove(s->store.all, id);
	for (size_t i = 0; i < GUESTS_MAX; i++)
		guest_end(s, &s->guest[i]);
	do
		session_poll(s, fds);
	while (session_serve_guests(s, fds) && now_ms() < until);
	store_close(&s->store);
}

/* --- one of that name --- */

/* The client goes to the session of that name, if there is one. */
static bool
session_is_there(const struct keeper_orders *o, int all, int client)
{
	struct sess_join j = { .flags = 0 };
	struct buf ask, b;
	bool there = false;

	(void)strlcpy(j.which, o->name, sizeof(j.which));
	j.size = o->size;
	buf_init(&b, JOB_ASK_MAX);
	buf_init(&ask, HAND_MAX);
	if (sessmsg_put_join(&b, &j) == 0 &&
	    xs_put_frame(&ask, (enum xs_tag)SESS_JOIN, buf_ptr(&b),
		buf_len(&b)) == 0)
		there = keeper_pass_to(o, all, o->name, client, &ask);
	buf_free(&b);
	buf_free(&ask);
	return there;
}

static int
session_refuse(struct guest *g, const char *why)
{
	guest_fail(g, why);
	while (guest_write(g, now_ms()))
		if (poll(&(struct pollfd){ g->fd, POLLOUT, 0 }, 1, LINGER_MS) !=
		    1)
			break;
	return 1;
}

/* Of two that begin one of the same name one attaches to the other's. */
static int
session_lock_names(const struct keeper_orders *o, int all)
{
	int fd;

	if (*o->name == '\0')
		return -1;
	fd =
	    openat(all, NAMES, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd != -1)
		(void)flock(fd, LOCK_EX);
	return fd;
}

static void
session_unlock_names(int fd)
{
	if (fd == -1)
		return;
	/* What runs has it, too, until it runs. */
	(void)flock(fd, LOCK_UN);
	close(fd);
}

/* False: why, or there is one of that name, which has the client. */
static bool
session_open(struct session *s, const struct keeper_orders *o, int client,
    int slave, char why[STORE_TEXT])
{
	int all = store_open_all(o->folder, true, why), names;
	bool begun = false;

	if (all == -1)
		return false;
	names = session_lock_names(o, all);
	if (*o->name != '\0' && session_is_there(o, all, client))
		_exit(0);
	if (store_new(&s->store, all, &o->limits, why) == 0) {
		s->store.session = true;
		(void)strlcpy(s->name, o->name, sizeof(s->name));
		begun = session_begin(s, o, slave, why);
		if (!begun)
			store_undo(&s->store);
	}
	session_unlock_names(names);
	return begun;
}

int
keeper_session(const struct keeper_orders *o, int client, int slave, int master)
{
	static struct session s; /* it has room for all of its guests */
	char why[STORE_TEXT] = "", id[JOB_ID_HEX];

	for (size_t i = 0; i < GUESTS_MAX; i++)
		s.guest[i].fd = -1;
	s.master = master;
	s.signals = s.call = -1;
	buf_init(&s.typed, SESSION_TYPED_MAX);
	guest_init(&s.guest[0], client);
	if (!session_open(&s, o, client, slave, why))
		return session_refuse(&s.guest[0], why);
	close(slave);
	/* What runs there has what it needs of us; we need nothing it may. */
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	hex_encode(s.store.entry.id, JOB_ID_LEN, id);
	setproctitle_init(1, o->line, environ);
	setproctitle("-skypty-keeper: session %.8s %s", id, s.name);
	guest_welcome(&s, &s.guest[0], true);
	guest_hear(&s, &s.guest[0]);
	session_loop(&s);
	session_leave(&s);
	return 0;
}
