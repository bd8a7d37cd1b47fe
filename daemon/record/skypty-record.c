/* SPDX-License-Identifier: ISC */
/*
 * skypty-record: writes down what is on a session's terminal, which it stands
 * behind as script(1) does.  Started by a monitor, which has opened the file.
 * Whatever a session puts on its terminal goes by here, so that it is confined:
 * it can add to that file and move bytes between two terminals.  Nothing
 * reaches the user that is not in the file before.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/cast.h"
#include "common/base/err.h"
#include "common/base/process.h"
#include "common/privsep/recording.h"
#include "common/privsep/welcome.h"

#define CHUNK	 32768		/* bytes that are gathered for one event */
#define FLOOD	 2048		/* bytes behind which there may be more */
#define REST_MAX (1024L * 1024) /* what an ended session may have left */
#define MEMORY	 (16U * 1024 * 1024)
#define NOFILE	 (RECORDING_FD_COUNT + 2)
#define SYNC_US	 1000000
#define ROOM_GO	 (1024 * 1024) /* bytes behind which room is looked for */

static struct record {
	struct buf out, in; /* to the user, to the session's terminal */
	struct buf line;    /* of the file */
	struct cast_text shown, typed;
	bool inputs; /* they are recorded as well */
	bool ended;  /* nothing comes from the session any more */
	long rest;   /* of what may still come; -1: the session runs */
	struct timespec begun;
	int64_t synced;	 /* when, in microseconds; -1: nothing is new */
	size_t unlooked; /* bytes since room was looked for */
} record;

static volatile sig_atomic_t record_resized, record_left;

static int64_t
record_now(const struct record *r)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)(ts.tv_sec - r->begun.tv_sec) * 1000000 +
	    (ts.tv_nsec - r->begun.tv_nsec) / 1000;
}

/* --- the end --- */

/*
 * A leader that ends takes what its terminal holds along.  So this one gives
 * its terminal up before.
 */
__attribute__((noreturn)) static void
record_end(int status)
{
	(void)ioctl(RECORDING_FD_USER, TIOCNOTTY);
	_exit(status);
}

/* What cannot be recorded does not go on; the user is told why it ends. */
__attribute__((noreturn)) static void
record_fail(int error)
{
	char text[256];

	(void)snprintf(text, sizeof(text),
	    "\r\nskyptyd: this session is recorded, which cannot go on: %s\r\n",
	    error == ENOSPC ? "its file system is full" : strerror(error));
	(void)!write(RECORDING_FD_USER, text, strlen(text));
	record_end(error);
}

/* --- the file --- */

static void
record_write(struct record *r)
{
	ssize_t n;

	r->unlooked += buf_len(&r->line);
	if (r->synced == -1 && buf_len(&r->line) > 0)
		r->synced = record_now(r);
	while (buf_len(&r->line) > 0)
		if ((n = buf_write(&r->line, RECORDING_FD_FILE)) < 0 &&
		    n != SKY_ERR_AGAIN)
			record_fail(errno);
	if (r->unlooked < ROOM_GO)
		return;
	r->unlooked = 0;
	if (!recording_has_room(RECORDING_FD_FILE))
		record_fail(ENOSPC);
}

/* Once a second, while there is anything new. */
static void
record_sync(struct record *r)
{
	if (r->synced == -1 || record_now(r) - r->synced < SYNC_US)
		return;
	r->synced = -1;
	if (fdatasync(RECORDING_FD_FILE) == -1 && errno != EINVAL)
		record_fail(errno);
	if (!recording_has_room(RECORDING_FD_FILE))
		record_fail(ENOSPC);
}

static void
record_event(struct record *r, enum cast_code code, struct cast_text *t,
    const void *bytes, size_t n)
{
	if (cast_put_event(&r->line, record_now(r), code, t, bytes, n) != 0)
		record_fail(ENOMEM);
	record_write(r);
}

__attribute__((noreturn)) static void
record_finish(struct record *r)
{
	int64_t now = record_now(r);

	if (cast_put_end(&r->line, now, CAST_OUTPUT, &r->shown) != 0 ||
	    cast_put_end(&r->line, now, CAST_INPUT, &r->typed) != 0)
		record_fail(ENOMEM);
	record_write(r);
	if (fdatasync(RECORDING_FD_FILE) == -1 && errno != EINVAL)
		record_end(errno);
	record_end(0);
}

/* --- the terminals --- */

/* The user's window is the session's. */
static void
record_resize(struct record *r)
{
	struct cast_text none = { .left = 0 };
	struct winsize ws;
	char text[32];

	record_resized = 0;
	if (ioctl(RECORDING_FD_USER, TIOCGWINSZ, &ws) == -1)
		return;
	(void)snprintf(text, sizeof(text), "%ux%u", ws.ws_col, ws.ws_row);
	record_event(r, CAST_RESIZE, &none, text, strlen(text));
	(void)ioctl(RECORDING_FD_TERM, TIOCSWINSZ, &ws);
}

/* A full terminal is waited for; what one does not take that has gone is lost.
 */
static void
record_give(struct buf *b, int fd)
{
	ssize_t n;

	while ((n = buf_write(b, fd)) > 0)
		;
	if (n < 0 && n != SKY_ERR_AGAIN)
		buf_reset(b);
}

/*
 * The kernel gives a terminal's output in pieces of 4 KiB; what has arrived
 * meanwhile makes one event.  Of an ended session there is no more than it can
 * have left.
 */
static void
record_take_output(struct record *r)
{
	size_t want = CHUNK;
	ssize_t n = 0;

	do {
		if (r->rest != -1 && (long)want > r->rest)
			want = (size_t)r->rest;
		if (want == 0)
			break;
		if ((n = buf_read(&r->out, RECORDING_FD_TERM, want)) <= 0)
			break;
		want -= (size_t)n;
		if (r->rest != -1)
			r->rest -= n;
	} while (n >= FLOOD);
	/* EIO is how a terminal says that nobody has it any more. */
	if (r->rest == 0 || (n < 0 && n != SKY_ERR_AGAIN) ||
	    (n == SKY_ERR_AGAIN && r->rest != -1))
		r->ended = true;
	if (buf_len(&r->out) == 0)
		return;
	record_event(r, CAST_OUTPUT, &r->shown, buf_ptr(&r->out),
	    buf_len(&r->out));
	record_give(&r->out, RECORDING_FD_USER);
}

static void
record_take_input(struct record *r)
{
	ssize_t n = buf_read(&r->in, RECORDING_FD_USER, CHUNK);

	if (n == SKY_ERR_AGAIN)
		return;
	if (n <= 0)
		record_finish(r); /* nobody is there any more */
	if (r->inputs)
		record_event(r, CAST_INPUT, &r->typed, buf_ptr(&r->in),
		    buf_len(&r->in));
	record_give(&r->in, RECORDING_FD_TERM);
}

/* --- the loop --- */

static void
record_on_signal(int sig)
{
	if (sig == SIGWINCH)
		record_resized = 1;
	else
		record_left = 1;
}

/*
 * Who has nothing to be waited for is left out: a terminal that has been hung
 * up would say so again and again.
 */
static void
record_await(const struct record *r, struct pollfd p[2])
{
	const bool hurry = r->rest != -1 && buf_len(&r->out) == 0;
	struct timespec limit = { .tv_nsec = 0 };
	sigset_t none;
	int64_t us;

	p[0] = (struct pollfd){ .fd = RECORDING_FD_USER };
	p[1] = (struct pollfd){ .fd = RECORDING_FD_TERM };
	p[0].events = (short)((buf_len(&r->in) == 0 ? POLLIN : 0) |
	    (buf_len(&r->out) > 0 ? POLLOUT : 0));
	p[1].events = (short)((buf_len(&r->out) == 0 ? POLLIN : 0) |
	    (buf_len(&r->in) > 0 ? POLLOUT : 0));
	if (p[1].events == 0 || r->ended)
		p[1].fd = -1;
	if (!hurry && r->synced != -1 &&
	    (us = r->synced + SYNC_US - record_now(r)) > 0) {
		limit.tv_sec = us / 1000000;
		limit.tv_nsec = us % 1000000 * 1000;
	}
	sigemptyset(&none);
	if (ppoll(p, 2, hurry || r->synced != -1 ? &limit : NULL, &none) == -1)
		p[0].revents = p[1].revents = 0;
}

static void
record_round(struct record *r)
{
	struct pollfd p[2];

	record_await(r, p);
	if (record_resized)
		record_resize(r);
	if (record_left && r->rest == -1)
		r->rest = REST_MAX;
	if (p[0].revents & (POLLHUP | POLLERR))
		record_finish(r);
	/* What nobody is left to take would be waited for without a pause. */
	if (p[1].revents & POLLHUP)
		buf_reset(&r->in);
	if (p[0].revents & POLLOUT)
		record_give(&r->out, RECORDING_FD_USER);
	if (p[1].revents & POLLOUT)
		record_give(&r->in, RECORDING_FD_TERM);
	if ((p[0].revents & POLLIN) && buf_len(&r->in) == 0)
		record_take_input(r);
	if (((p[1].revents & (POLLIN | POLLHUP | POLLERR)) || r->rest != -1) &&
	    buf_len(&r->out) == 0 && !r->ended)
		record_take_output(r);
	if (r->ended && buf_len(&r->out) == 0)
		record_finish(r);
	record_sync(r);
}

/* --- the beginning --- */

static void
record_report(void *arg, const char *step, const char *detail, int error)
{
	char *why = arg;

	if (error != 0)
		(void)snprintf(why, PRIVMSG_TEXT_MAX, "%s (%s): %s", step,
		    detail, strerror(error));
}

static void
record_tell(const char *why)
{
	struct buf b;

	buf_init(&b, PRIVMSG_TEXT_MAX + 4);
	if (buf_put_cstring(&b, why) != 0 ||
	    privmsg_send(RECORDING_FD_MONITOR, PM_RECORDING, 0, &b, NULL, 0) !=
		0)
		_exit(1);
	buf_free(&b);
	if (*why != '\0')
		_exit(1);
}

/* Waits for its monitor's welcome, and confines itself. */
static void
record_welcome(void)
{
	char why[PRIVMSG_TEXT_MAX] = "";
	struct privmsg m = { 0 };
	struct welcome w;

	if (welcome_recv(RECORDING_FD_MONITOR, &m, &w) != 0)
		_exit(1);
	w.sandbox.program = SANDBOX_RECORD;
	w.sandbox.memory = MEMORY;
	w.sandbox.nofile = NOFILE;
	w.sandbox.files = true;
	w.sandbox.nobodys = true; /* it ends when the terminals do */
	if (sandbox_enter(&w.sandbox, record_report, why) == -1)
		record_tell(why);
	privmsg_free(&m);
	free(w.root);
	record_tell("");
	close(RECORDING_FD_MONITOR);
}

/*
 * Of what a terminal does to its processes only the change of its size is of
 * interest: it has no keys that stop or interrupt, and its end is seen.
 */
static int
record_set_signals(void)
{
	static const int heard[] = { SIGWINCH, SIGTERM };
	static const int ignored[] = { SIGHUP, SIGINT, SIGQUIT, SIGPIPE,
		SIGTSTP, SIGTTIN, SIGTTOU, SIGXFSZ };
	struct sigaction sa = { .sa_handler = record_on_signal };
	sigset_t block;

	process_reset_signals();
	sigemptyset(&block);
	for (size_t i = 0; i < sizeof(heard) / sizeof(heard[0]); i++) {
		sigaddset(&block, heard[i]);
		if (sigaction(heard[i], &sa, NULL) == -1)
			return -1;
	}
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		if (signal(ignored[i], SIG_IGN) == SIG_ERR)
			return -1;
	return sigprocmask(SIG_BLOCK, &block, NULL);
}

int
main(int argc, char **argv)
{
	struct record *r = &record;

	process_standard_fds();
	closefrom(RECORDING_FD_COUNT);
	r->inputs = argc > 1 && strcmp(argv[1], RECORDING_INPUT) == 0;
	r->synced = r->rest = -1;
	clock_gettime(CLOCK_MONOTONIC, &r->begun);
	buf_init(&r->out, CHUNK);
	buf_init(&r->in, CHUNK);
	buf_init(&r->line, CHUNK * CAST_GROWTH + 2 * CAST_EVENT);
	if (record_set_signals() == -1 || setsid() == -1 ||
	    ioctl(RECORDING_FD_USER, TIOCSCTTY, 0) == -1) {
		(void)fputs(RECORDING_PROGRAM " is run by skyptyd\n", stderr);
		return 64;
	}
	record_welcome();
	for (;;)
		record_round(r);
}
