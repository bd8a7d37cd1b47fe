/* SPDX-License-Identifier: ISC */
/*
 * A command by skypty/1/exec: standard input without an end, signals, a
 * terminal if one is wanted, and the true exit status.  See PROTOCOL.
 */
#include "client/complain.h"
#include "client/conn.h"
#include "client/exec.h"
#include "client/exits.h"
#include "client/frames.h"
#include "client/obscure.h"
#include "client/options.h"
#include "client/patience.h"
#include "client/sink.h"
#include "client/term.h"
#include "client/term_loop.h"
#include "client/wishes.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
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
#define KEEP_MS	   45000	 /* our own keepalive, for who is in between */
#define ANSWER_MS  3		 /* of a frame without an echo, at most */
#define PING_MS	   30000	 /* between questions, to who answers */
#define DEAD_MS	   90000	 /* without an answer */
#define INTERRUPTS 2		 /* the second one ends us */

#define EXIT_INTERRUPTED 130 /* from the keyboard */

struct exec_frames {
	const struct client_options *opts;
	struct term_loop loop;
	struct conn conn;
	struct sink sink;
	bool input;	/* standard input goes along */
	bool input_end; /* and has ended */
	bool started;
	bool over;
	int status;
	uint32_t window; /* input that may still be sent */
	int64_t last_sent;
	bool takes_keys; /* the host does, and answers them */
	struct obscure obscure;
	int64_t next_ping;
	struct limit limit;
	int interrupts; /* passed on */
};

static int
exec_frames_put_frame(struct exec_frames *s, enum xs_tag tag, const void *p,
    size_t n)
{
	s->last_sent = now_ms();
	return frames_put(&s->conn, tag, p, n);
}

/*
 * Typed or not, in a frame of its own on the wire.  When it is answered without
 * an echo is chance.
 */
static int
exec_frames_put_keys(struct exec_frames *s, const struct buf *keys)
{
	struct xs_keys k = { .bytes = *keys };
	int r;

	if ((r = conn_flush(&s->conn)) != 0)
		return r;
	k.answer_ms = (uint8_t)randombytes_uniform(ANSWER_MS + 1);
	if (xs_put_keys(&s->conn.out, &k) != 0) {
		complain("out of memory");
		return EXIT_FAILED;
	}
	s->last_sent = now_ms();
	s->next_ping = s->last_sent + PING_MS;
	return conn_flush(&s->conn);
}

/* --- start --- */

static int
exec_frames_put_start(struct exec_frames *s)
{
	struct rpc_winsize size = { 0 };
	uint8_t flags = s->input ? XS_HAS_STDIN : 0;

	if (s->opts->terminal) {
		flags |= XS_TERMINAL;
		(void)term_size(&size);
	}
	s->last_sent = now_ms();
	return frames_put_start(&s->conn, s->opts, flags, &size) == 0 ?
	    0 :
	    EXIT_FAILED;
}

/* --- frames of the host's --- */

static int
exec_frames_take_exit(struct exec_frames *s, struct buf *b)
{
	struct xs_exit e;
	int r;

	if ((r = xs_get_exit(b, &e)) != 0)
		return conn_bad(&s->conn, r);
	if (e.how != XS_EXITED)
		term_lost();
	term_restore();
	s->over = true;
	if (s->interrupts != 0 && e.how == XS_SIGNALED && e.status == SIGINT)
		s->status = EXIT_INTERRUPTED;
	else
		s->status = exec_ended(s->opts, e.how, e.status,
		    (int64_t)e.duration_ms);
	return 0;
}

static int
exec_frames_take_frame(void *arg, uint8_t tag, struct buf *payload)
{
	struct exec_frames *s = arg;
	uint8_t flags;
	uint32_t more;
	int r;

	switch (tag) {
	case XS_KEEPALIVE:
		return 0;
	case XS_PONG:
		return 0;
	case XS_STARTED:
		s->started = true;
		s->takes_keys = buf_get_u8(payload, &flags) == 0 &&
		    (flags & XS_TAKES_KEYS) != 0;
		s->next_ping = now_ms() + PING_MS;
		if (s->opts->terminal && s->input && isatty(STDIN_FILENO))
			(void)term_loop_raw(&s->loop);
		/* The size may have changed on the way. */
		if (s->opts->terminal && (r = term_loop_sized(&s->loop)) != 0)
			return r;
		return s->opts->started != NULL ?
		    s->opts->started(s->opts->started_arg) :
		    0;
	case XS_WINDOW_ADD:
		if (buf_get_u32(payload, &more) != 0 ||
		    more > XS_WINDOW - s->window)
			return conn_bad(&s->conn, SKY_ERR_RANGE);
		s->window += more;
		return 0;
	case XS_FAILED:
		term_restore();
		complain("cannot start %s: %s",
		    s->opts->shell ? *s->opts->command : "the command",
		    complain_printable(payload));
		s->over = true;
		s->status = exec_not_started(payload);
		if (s->opts->ended != NULL)
			s->opts->ended(s->opts->watch_arg, XS_EXITED,
			    s->status);
		return 0;
	case XS_EXIT:
		return exec_frames_take_exit(s, payload);
	}
	complain("protocol error: unknown frame tag %u", tag);
	return EXIT_FAILED;
}

static int
exec_frames_take_frames(struct exec_frames *s)
{
	return s->conn.accepted ? frames_take(&s->conn, &s->sink, &s->over,
				      exec_frames_take_frame, s) :
				  0;
}

/* --- input --- */

static size_t
exec_frames_room(void *arg)
{
	struct exec_frames *s = arg;

	if (!s->input || s->input_end || !s->conn.accepted || s->window <= 1 ||
	    buf_len(&s->conn.out) >= OUT_HIGH)
		return 0;
	/* What is typed before is not for a terminal that is raw yet. */
	if (s->opts->terminal && !s->started)
		return 0;
	return s->window - 1; /* an escape character may have been held back */
}

static int
exec_frames_end_input(struct exec_frames *s)
{
	s->input_end = true;
	if (!s->opts->shell || s->loop.raw)
		return exec_frames_put_frame(s, XS_STDIN_END, NULL, 0);
	typed_end(&s->loop.typed);
	return 0;
}

/* What is too much to be typed by hand goes behind what was typed before. */
static int
exec_frames_put_waiting(struct exec_frames *s)
{
	struct buf *keys = &s->obscure.keys;
	int r = 0;

	if (buf_len(keys) != 0)
		r = exec_frames_put_frame(s, XS_STDIN, buf_ptr(keys),
		    buf_len(keys));
	buf_reset(keys);
	return r;
}

static int
exec_frames_keys(void *arg, struct buf *keys)
{
	struct exec_frames *s = arg;
	size_t n = buf_len(keys);
	int r;

	if (n == 0)
		return exec_frames_end_input(s);
	s->window -= n < s->window ? (uint32_t)n : s->window;
	if (s->takes_keys && s->loop.raw &&
	    obscure_keys(&s->obscure, now_ms(), keys))
		return 0;
	if ((r = exec_frames_put_waiting(s)) != 0)
		return r;
	return exec_frames_put_frame(s, XS_STDIN, buf_ptr(keys), n);
}

/* A shell without a terminal of ours ends by what is typed. */
static int
exec_frames_type_eof(struct exec_frames *s)
{
	struct buf keys;
	int r = 0;

	buf_init(&keys, 2);
	if (s->window >= 2)
		r = typed_eof(&s->loop.typed, now_ms(), &keys);
	if (r != 0)
		r = r < 0 ? EXIT_FAILED : exec_frames_keys(s, &keys);
	buf_free(&keys);
	return r;
}

static void
exec_frames_leave(void *arg)
{
	struct exec_frames *s = arg;

	s->over = true;
}

/* Straight into the buffer that is sealed from, behind the frame's head. */
static int
exec_frames_read(void *arg)
{
	struct exec_frames *s = arg;
	struct buf *out = &s->conn.out;
	uint8_t head[XS_HEAD_LEN], *p;
	size_t at = buf_len(out), want = s->window < CHUNK ? s->window : CHUNK;
	ssize_t n;

	if (buf_extend(out, sizeof(head), &p) != 0)
		return EXIT_FAILED;
	if ((n = buf_read(out, STDIN_FILENO, want)) > 0) {
		xs_head(head, XS_STDIN, (uint32_t)n);
		typed_read(&s->loop.typed, buf_ptr(out)[buf_len(out) - 1]);
		s->window -= (uint32_t)n;
		s->last_sent = now_ms();
		return buf_poke(out, at, head, sizeof(head)) == 0 ? 0 :
								    EXIT_FAILED;
	}
	buf_trim(out, sizeof(head));
	if (n == SKY_ERR_AGAIN)
		return 0;
	if (n != SKY_ERR_EOF)
		complain("standard input: %s", strerror(errno));
	return exec_frames_end_input(s);
}

/* --- signals --- */

static int
exec_frames_resize(void *arg, const struct rpc_winsize *ws)
{
	struct exec_frames *s = arg;
	struct buf b;
	int r = EXIT_FAILED;

	buf_init(&b, 8);
	if (buf_put_u16(&b, (uint16_t)ws->rows) == 0 &&
	    buf_put_u16(&b, (uint16_t)ws->cols) == 0 &&
	    buf_put_u16(&b, (uint16_t)ws->x) == 0 &&
	    buf_put_u16(&b, (uint16_t)ws->y) == 0)
		r = exec_frames_put_frame(s, XS_RESIZE, buf_ptr(&b),
		    buf_len(&b));
	buf_free(&b);
	return r;
}

/* The first interrupt is the command's, the next one ours. */
static int
exec_frames_signal(void *arg, int sig)
{
	struct exec_frames *s = arg;

	(void)sig;
	if (++s->interrupts >= INTERRUPTS || !s->conn.accepted) {
		term_restore();
		s->over = true;
		s->status = EXIT_INTERRUPTED;
		return 0;
	}
	return exec_frames_put_frame(s, XS_SIGNAL, "INT", 3);
}

/* --- the loop --- */

/* What was typed, or nothing, when a frame is due; and the next one's time. */
static int
exec_frames_beat(struct exec_frames *s)
{
	int64_t now = now_ms();
	struct buf keys;
	int r = 0;

	buf_view(&keys, NULL, 0);
	if (obscure_due(&s->obscure, now)) {
		obscure_take(&s->obscure, now, &keys);
		r = exec_frames_put_keys(s, &keys);
	} else if (s->takes_keys && now >= s->next_ping)
		r = exec_frames_put_keys(s, &keys);
	s->loop.wait_ms =
	    s->loop.typed.ended ? TYPED_EOF_MS : obscure_wait(&s->obscure, now);
	return r;
}

static int
exec_frames_keep_alive(struct exec_frames *s)
{
	int r;

	if ((r = conn_check_silence(&s->conn,
		 s->takes_keys ? DEAD_MS : QUIET_MS)) != 0)
		return r;
	if (limit_passed(&s->limit, &s->conn))
		return limit_tell();
	if (s->conn.accepted && now_ms() - s->last_sent >= KEEP_MS)
		return exec_frames_put_frame(s, XS_KEEPALIVE, NULL, 0);
	return 0;
}

static struct pollfd
exec_frames_output(void *arg)
{
	struct exec_frames *s = arg;

	return sink_poll(&s->sink);
}

/* The host has ended the connection, and not the command. */
static int
exec_frames_cut(const struct exec_frames *s)
{
	if (!s->conn.accepted || s->opts->shell)
		return conn_ended(&s->conn);
	complain("the stream ended before the command reported an exit code");
	return EXIT_FAILED;
}

static int
exec_frames_work(void *arg, bool writable)
{
	struct exec_frames *s = arg;
	int r;

	(void)writable; /* the sink finds out */
	if (s->conn.rejected) {
		s->over = true;
		return 0;
	}
	if ((r = exec_frames_take_frames(s)) != 0 ||
	    (r = exec_frames_keep_alive(s)) != 0 || s->over ||
	    (r = exec_frames_type_eof(s)) != 0 ||
	    (r = exec_frames_beat(s)) != 0)
		return r;
	if (s->conn.eof && s->sink.blocked == NULL)
		return exec_frames_cut(s);
	return conn_flush(&s->conn);
}

static bool
exec_frames_is_over(void *arg)
{
	struct exec_frames *s = arg;

	return s->over;
}

static int
exec_frames_serve(struct exec_frames *s)
{
	static const int interrupt[] = { SIGINT, 0 };
	static const int of_terminal[] = { SIGINT, SIGWINCH, SIGCONT, SIGTSTP,
		0 };
	const int *caught = !s->opts->terminal ? interrupt :
	    s->opts->shell		       ? of_terminal + 1 :
						 of_terminal;
	sigset_t before;
	int r;

	/* From the command's start on an interrupt is the command's; that of a
	 * shell is typed. */
	sigprocmask(SIG_SETMASK, NULL, &before);
	term_loop_catch(caught);
	if ((r = exec_frames_put_start(s)) == 0 &&
	    (r = conn_flush(&s->conn)) == 0) {
		/* On a terminal it has no effect. */
		limit_begin(&s->limit, &s->conn,
		    s->opts->terminal ? 0 : s->opts->timeout_ms);
		r = term_loop_run(&s->loop);
	}
	term_restore();
	if (s->conn.rejected)
		sigprocmask(SIG_SETMASK, &before, NULL);
	return r != 0 ? r : s->status;
}

/* Who watches wants to know first whether the host has taken us. */
static int
exec_frames_leave_by(struct exec_frames *s)
{
	int r;

	if (s->opts->leaving == NULL)
		return 0;
	if ((r = conn_await(&s->conn)) != 0 || s->conn.rejected)
		return r;
	return s->opts->leaving(s->opts->watch_arg);
}

bool
exec_frames_run(struct keyctx *ctx, const struct client_options *o, int *status)
{
	static const struct term_loop_ops ops = { .room = exec_frames_room,
		.read = exec_frames_read,
		.keys = exec_frames_keys,
		.leave = exec_frames_leave,
		.resize = exec_frames_resize,
		.signal = exec_frames_signal,
		.output = exec_frames_output,
		.work = exec_frames_work,
		.is_over = exec_frames_is_over };
	struct exec_frames s = { .opts = o,
		.window = XS_WINDOW,
		.input = o->terminal || exec_has_input(o),
		.last_sent = now_ms() };
	char uri[MUX_URI_MAX + 1];

	*status = EXIT_FAILED;
	if (wishes_uri(uri, MUX_URI_EXEC, o, o->terminal) != 0)
		return true;
	term_loop_init(&s.loop, &ops, &s, &s.conn, o->escape);
	sink_init(&s.sink);
	obscure_init(&s.obscure, o->obscure_ms);
	*status = conn_try(&s.conn, ctx, o, uri);
	if (o->terminal && s.conn.fd != -1)
		tcp_bound_window(s.conn.fd, WINDOW);
	if (*status == 0 && !s.conn.rejected)
		*status = exec_frames_leave_by(&s);
	if (*status == 0 && !s.conn.rejected)
		*status = exec_frames_serve(&s);
	conn_close(&s.conn);
	obscure_free(&s.obscure);
	return !s.conn.rejected;
}
