/* SPDX-License-Identifier: ISC */
/*
 * A command by skypty/1/exec: standard input without an end, signals, a
 * terminal if one is wanted, and the true exit status.  See PROTOCOL.
 */
#include "client/complain.h"
#include "client/conn.h"
#include "client/exec.h"
#include "client/exits.h"
#include "client/options.h"
#include "client/patience.h"
#include "client/sink.h"
#include "client/term.h"
#include "client/typed.h"
#include "client/wishes.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/tcp.h"
#include "common/pty/exec_stream.h"
#include "common/pty/mux.h"
#include "common/pty/rpc.h"

#define CHUNK	   (64U * 1024)
#define WINDOW	   (128 * 1024)	 /* of a terminal: what comes after ^C */
#define OUT_HIGH   (256U * 1024) /* unsent input that stops reading */
#define TYPED_MAX  4096
#define KEEP_MS	   45000 /* our own keepalive, for who is in between */
#define INTERRUPTS 2	 /* the second one ends us */

#define EXIT_INTERRUPTED 130 /* from the keyboard */

/* The state of the one command of this process. */
static struct exec_frames {
	const struct client_options *opts;
	struct conn conn;
	struct sink sink;
	bool input;	/* standard input goes along */
	bool input_end; /* and has ended */
	bool raw;	/* our terminal is in raw mode */
	bool over;
	int status;
	uint32_t window; /* input that may still be sent */
	struct typed typed;
	int64_t last_sent;
	struct limit limit;
	int interrupts; /* passed on */
	volatile sig_atomic_t interrupted, resized, continued, stopped;
} s;

static int
exec_frames_put_frame(enum xs_tag tag, const void *p, size_t n)
{
	s.last_sent = now_ms();
	if (xs_put_frame(&s.conn.out, tag, p, n) == 0)
		return 0;
	complain("out of memory");
	return EXIT_FAILED;
}

/* --- start --- */

static int
exec_frames_put_start(void)
{
	const struct client_options *o = s.opts;
	struct xs_start st = { .flags = 0 };
	struct rpc_exec e;
	struct buf b;
	int r;

	if ((r = exec_describe(&e, o)) == 0) {
		st.name = e.name;
		st.arg = e.arg;
		st.env = e.env;
		st.timeout_ms = o->timeout_ms > UINT32_MAX ?
		    UINT32_MAX :
		    (uint32_t)o->timeout_ms;
		if (s.input)
			st.flags |= XS_HAS_STDIN;
		if (o->terminal) {
			st.flags |= XS_TERMINAL;
			(void)term_size(&st.size);
		}
		buf_init(&b, XS_START_MAX);
		if ((r = xs_put_start(&b, &st)) == 0)
			r = exec_frames_put_frame(XS_START, buf_ptr(&b),
			    buf_len(&b));
		else
			complain("the command is too long");
		buf_free(&b);
	}
	exec_describe_free(&e);
	return r == 0 ? 0 : EXIT_FAILED;
}

/* --- frames of the host's --- */

static int
exec_frames_take_exit(struct buf *b)
{
	uint64_t duration;
	uint32_t status;
	uint8_t how;

	if (buf_get_u8(b, &how) != 0 || buf_get_u32(b, &status) != 0 ||
	    buf_get_u64(b, &duration) != 0 || how > XS_TIMEDOUT)
		return conn_bad(&s.conn, SKY_ERR_FORMAT);
	if (how != XS_EXITED)
		term_lost();
	term_restore();
	s.over = true;
	if (s.interrupts != 0 && how == XS_SIGNALED && status == SIGINT)
		s.status = EXIT_INTERRUPTED;
	else
		s.status = exec_ended(s.opts, (enum xs_how)how, status,
		    (int64_t)duration);
	return 0;
}

static int
exec_frames_take_failure(struct buf *why)
{
	term_restore();
	complain("cannot start the command: %s", printable(why));
	s.over = true;
	s.status = exec_not_started(why);
	return 0;
}

static int
exec_frames_take_window(struct buf *b)
{
	uint32_t more;

	if (buf_get_u32(b, &more) != 0 || more > XS_WINDOW - s.window)
		return conn_bad(&s.conn, SKY_ERR_RANGE);
	s.window += more;
	return 0;
}

static int
exec_frames_take_frame(uint8_t tag, struct buf *payload)
{
	switch (tag) {
	case XS_KEEPALIVE:
		return 0;
	case XS_STARTED:
		s.resized = 1; /* it may have changed on the way */
		if (s.opts->terminal && s.input && isatty(STDIN_FILENO))
			s.raw = term_raw() == 0;
		return s.opts->started != NULL ? s.opts->started() : 0;
	case XS_WINDOW_ADD:
		return exec_frames_take_window(payload);
	case XS_FAILED:
		return exec_frames_take_failure(payload);
	case XS_EXIT:
		return exec_frames_take_exit(payload);
	}
	complain("protocol error: unknown frame tag %u", tag);
	return EXIT_FAILED;
}

static int
exec_frames_take_frames(void)
{
	struct buf payload;
	uint8_t tag;
	int r;

	if (!s.conn.accepted)
		return 0;
	while (!s.over &&
	    (r = sink_next(&s.sink, &s.conn.in, &tag, &payload)) == SINK_FRAME)
		if ((r = exec_frames_take_frame(tag, &payload)) != 0)
			return r;
	if (s.over)
		return 0;
	return r == SINK_BAD ? conn_bad(&s.conn, SKY_ERR_LIMIT) :
	    r == EXIT_FAILED ? r :
			       0;
}

/* --- input --- */

static bool
exec_frames_wants_input(void)
{
	return s.input && !s.input_end && s.conn.accepted && s.window > 1 &&
	    buf_len(&s.conn.out) < OUT_HIGH;
}

static int
exec_frames_end_input(void)
{
	s.input_end = true;
	return exec_frames_put_frame(XS_STDIN_END, NULL, 0);
}

static int
exec_frames_suspend(void)
{
	term_suspend();
	s.resized = 1;
	return 0;
}

static int
exec_frames_read_keys(void)
{
	uint8_t keys[TYPED_MAX];
	struct buf b;
	ssize_t n;
	int r = 0;

	/* An escape character may have been held back. */
	n = read(STDIN_FILENO, keys,
	    s.window - 1 < sizeof(keys) ? s.window - 1 : sizeof(keys));
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return exec_frames_end_input();
	buf_init(&b, 2 * sizeof(keys));
	for (ssize_t i = 0; r == 0 && i < n; i++)
		if ((r = typed_key(&s.typed, keys[i], &b)) == TYPED_SUSPEND)
			r = exec_frames_suspend();
	if (r == TYPED_END) {
		term_lost();
		s.over = true;
		s.status = EXIT_FAILED;
		r = 0;
	}
	if (r == 0 && buf_len(&b) != 0) {
		s.window -=
		    buf_len(&b) < s.window ? (uint32_t)buf_len(&b) : s.window;
		r = exec_frames_put_frame(XS_STDIN, buf_ptr(&b), buf_len(&b));
	}
	buf_free(&b);
	return r;
}

/* Straight into the buffer that is sealed from, behind the frame's head. */
static int
exec_frames_read_bytes(void)
{
	struct buf *out = &s.conn.out;
	uint8_t head[XS_HEAD_LEN], *p;
	size_t at = buf_len(out), want = s.window < CHUNK ? s.window : CHUNK;
	ssize_t n;

	if (buf_extend(out, sizeof(head), &p) != 0)
		return EXIT_FAILED;
	if ((n = buf_read(out, STDIN_FILENO, want)) > 0) {
		xs_head(head, XS_STDIN, (uint32_t)n);
		s.window -= (uint32_t)n;
		s.last_sent = now_ms();
		return buf_poke(out, at, head, sizeof(head)) == 0 ? 0 :
								    EXIT_FAILED;
	}
	buf_trim(out, sizeof(head));
	if (n == SKY_ERR_AGAIN)
		return 0;
	if (n != SKY_ERR_EOF)
		complain("standard input: %s", strerror(errno));
	return exec_frames_end_input();
}

/* --- signals --- */

static void
exec_frames_on_signal(int sig)
{
	if (sig == SIGINT)
		s.interrupted = 1;
	else if (sig == SIGWINCH)
		s.resized = 1;
	else if (sig == SIGCONT)
		s.continued = 1;
	else
		s.stopped = 1;
}

static int
exec_frames_send_size(void)
{
	struct rpc_winsize ws;
	struct buf b;
	int r;

	s.resized = 0;
	if (!s.opts->terminal || !s.conn.accepted || !term_size(&ws))
		return 0;
	buf_init(&b, 8);
	if (buf_put_u16(&b, (uint16_t)ws.rows) != 0 ||
	    buf_put_u16(&b, (uint16_t)ws.cols) != 0 ||
	    buf_put_u16(&b, (uint16_t)ws.x) != 0 ||
	    buf_put_u16(&b, (uint16_t)ws.y) != 0)
		return EXIT_FAILED;
	r = exec_frames_put_frame(XS_RESIZE, buf_ptr(&b), buf_len(&b));
	buf_free(&b);
	return r;
}

/* The first interrupt is the command's, the next one ours. */
static int
exec_frames_interrupt(void)
{
	s.interrupted = 0;
	if (++s.interrupts >= INTERRUPTS || !s.conn.accepted) {
		term_restore();
		s.over = true;
		s.status = EXIT_INTERRUPTED;
		return 0;
	}
	return exec_frames_put_frame(XS_SIGNAL, "INT", 3);
}

static int
exec_frames_take_signals(void)
{
	int r = 0;

	if (s.interrupted && (r = exec_frames_interrupt()) != 0)
		return r;
	if (s.stopped) {
		s.stopped = 0;
		(void)exec_frames_suspend();
	}
	if (s.continued) {
		s.continued = 0;
		s.resized = 1;
		if (s.raw)
			(void)term_raw();
	}
	return s.resized ? exec_frames_send_size() : 0;
}

static void
exec_frames_catch_signals(sigset_t *open)
{
	static const int caught[] = { SIGINT, SIGWINCH, SIGCONT, SIGTSTP };
	struct sigaction sa = { .sa_handler = exec_frames_on_signal };
	size_t n = s.opts->terminal ? 4 : 1;
	sigset_t blocked;

	sigemptyset(&sa.sa_mask);
	sigemptyset(&blocked);
	sigprocmask(SIG_SETMASK, NULL, open);
	for (size_t i = 0; i < n; i++) {
		sigaction(caught[i], &sa, NULL);
		sigaddset(&blocked, caught[i]);
		sigdelset(open, caught[i]);
	}
	sigprocmask(SIG_BLOCK, &blocked, NULL);
}

/* --- the loop --- */

enum { P_CONN, P_IN, P_SINK, P_COUNT };

static void
exec_frames_prepare(struct pollfd p[P_COUNT])
{
	s.conn.hold = s.sink.blocked != NULL;
	p[P_CONN] = (struct pollfd){ .fd = s.conn.eof ? -1 : s.conn.fd,
		.events = conn_events(&s.conn) };
	p[P_IN] =
	    (struct pollfd){ .fd =
				 exec_frames_wants_input() ? STDIN_FILENO : -1,
		    .events = POLLIN };
	p[P_SINK] = sink_poll(&s.sink);
}

static int
exec_frames_keep_alive(void)
{
	int r;

	if ((r = conn_check_silence(&s.conn, QUIET_MS)) != 0)
		return r;
	if (limit_passed(&s.limit, &s.conn))
		return limit_tell();
	if (s.conn.accepted && now_ms() - s.last_sent >= KEEP_MS)
		return exec_frames_put_frame(XS_KEEPALIVE, NULL, 0);
	return 0;
}

static int
exec_frames_serve(const struct pollfd p[P_COUNT])
{
	int r;

	if (p[P_CONN].revents != 0 &&
	    (r = conn_pump(&s.conn, p[P_CONN].revents)) != 0)
		return r;
	if (s.conn.rejected)
		return TRY_NEXT;
	if (p[P_IN].revents != 0 &&
	    (r = s.raw ? exec_frames_read_keys() : exec_frames_read_bytes()) !=
		0)
		return r;
	if ((r = exec_frames_take_frames()) != 0 ||
	    (r = exec_frames_keep_alive()) != 0 || s.over)
		return r;
	if (s.conn.eof && s.sink.blocked == NULL) {
		if (s.conn.accepted)
			complain("the stream ended before the command "
				 "reported an exit code");
		return s.conn.accepted ? EXIT_FAILED : conn_ended(&s.conn);
	}
	return conn_flush(&s.conn);
}

static int
exec_frames_loop(const sigset_t *open)
{
	struct pollfd p[P_COUNT];
	int r = 0;

	while (r == 0 && !s.over) {
		exec_frames_prepare(p);
		if ((r = conn_wait(&s.conn, p, P_COUNT, -1, open)) != 0)
			break;
		if ((r = exec_frames_take_signals()) == 0 && !s.over)
			r = exec_frames_serve(p);
	}
	return r;
}

static int
exec_frames_whole(void)
{
	sigset_t open, before;
	int r;

	if (s.conn.rejected)
		return TRY_NEXT;
	/* From the command's start on an interrupt is the command's. */
	sigprocmask(SIG_SETMASK, NULL, &before);
	exec_frames_catch_signals(&open);
	if ((r = exec_frames_put_start()) == 0 &&
	    (r = conn_flush(&s.conn)) == 0) {
		/* On a terminal it has no effect. */
		limit_begin(&s.limit, &s.conn,
		    s.opts->terminal ? 0 : s.opts->timeout_ms);
		r = exec_frames_loop(&open);
	}
	term_restore();
	if (r == TRY_NEXT)
		sigprocmask(SIG_SETMASK, &before, NULL);
	return r != 0 ? r : s.status;
}

int
exec_frames_run(struct keyctx *ctx, const struct client_options *o)
{
	char uri[MUX_URI_MAX + 1];
	int r;

	memset(&s, 0, sizeof(s));
	s.opts = o;
	s.window = XS_WINDOW;
	s.typed.escape = o->escape;
	s.input = o->terminal || exec_has_input(o);
	s.last_sent = now_ms();
	sink_init(&s.sink);
	if (wishes_uri(uri, MUX_URI_EXEC, o, o->terminal) != 0)
		return EXIT_FAILED;
	r = conn_try(&s.conn, ctx, o, uri);
	if (o->terminal && s.conn.fd != -1)
		tcp_bound_window(s.conn.fd, WINDOW);
	if (r == 0)
		r = exec_frames_whole();
	conn_close(&s.conn);
	return r;
}
