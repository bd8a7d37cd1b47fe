/* SPDX-License-Identifier: ISC */
/*
 * A terminal on a host that outlives its connection, by skypty/1/session: begun
 * or attached to.  See PROTOCOL.
 */
#include "client/session.h"
#include "client/complain.h"
#include "client/conn.h"
#include "client/exec.h"
#include "client/exits.h"
#include "client/frames.h"
#include "client/options.h"
#include "client/patience.h"
#include "client/signals.h"
#include "client/sink.h"
#include "client/term.h"
#include "client/term_loop.h"
#include "client/wishes.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/hex.h"
#include "common/base/tcp.h"
#include "common/pty/sessmsg.h"

#define PIECE	 4096
#define OUT_HIGH (64U * 1024) /* unsent input that stops reading */
#define WINDOW	 (128 * 1024) /* what comes after ^C */
#define KEEP_MS	 45000
#define SHOWN_ID 12

struct session {
	const struct client_options *opts;
	struct term_loop loop;
	struct conn conn;
	struct sink sink;
	bool view;
	bool there;	/* attached */
	bool input_end; /* and nobody's terminal it was */
	bool over;
	bool left; /* it goes on */
	int killed;
	int status;
	int64_t last_sent;
	char called[SESS_WHICH_MAX + 1]; /* its name, or its id */
};

static int
session_put(struct session *s, int tag, const void *p, size_t n)
{
	s->last_sent = now_ms();
	return frames_put(&s->conn, tag, p, n);
}

/* --- what is told --- */

/* With the words that were used for the host. */
static void
session_tell_way_back(const struct session *s)
{
	const char *word = s->opts->word;

	if (s->there && !s->opts->quiet)
		complain("the session goes on: skypty attach %s %s",
		    word != NULL ? word : "--", s->called);
}

static void
session_leave_screen(void)
{
	term_lost();
	term_restore();
}

/* --- frames of the host's --- */

static int
session_take_entry(struct session *s, struct buf *b)
{
	struct sess_entry e;
	char id[JOB_ID_HEX];
	int r;

	if ((r = sessmsg_get_entry(b, &e)) != 0 || s->there)
		return conn_bad(&s->conn, r != 0 ? r : SKY_ERR_STATE);
	hex_encode(e.id, JOB_ID_LEN, id);
	id[SHOWN_ID] = '\0';
	(void)snprintf(s->called, sizeof(s->called), "%s",
	    buf_len(&e.name) != 0 ? complain_printable(&e.name) : id);
	if (s->opts->session_name != NULL && !(e.flags & SESS_MADE) &&
	    !s->opts->quiet)
		complain("attached to session %s, which was there", s->called);
	s->there = true;
	if (isatty(STDIN_FILENO))
		(void)term_loop_raw(&s->loop);
	/* The size may have changed on the way. */
	return s->view ? 0 : term_loop_sized(&s->loop);
}

static int
session_take_exit(struct session *s, struct buf *b)
{
	struct xs_exit e;
	int r;

	if ((r = xs_get_exit(b, &e)) != 0)
		return conn_bad(&s->conn, r);
	session_leave_screen();
	s->over = true;
	s->status =
	    exec_ended(s->opts, e.how, e.status, (int64_t)e.duration_ms);
	return 0;
}

static int
session_take_failure(struct session *s, struct buf *b)
{
	session_leave_screen();
	complain("%s", complain_printable(b));
	s->over = true;
	s->status = s->there ? EXIT_FAILED : exec_not_started(b);
	return 0;
}

static int
session_take_frame(void *arg, uint8_t tag, struct buf *payload)
{
	struct session *s = arg;

	switch (tag) {
	case XS_KEEPALIVE:
		return 0;
	case SESS_ENTRY:
		return session_take_entry(s, payload);
	case SESS_LEFT:
		(void)session_take_failure(s, payload);
		session_tell_way_back(s);
		return 0;
	case XS_FAILED:
		return session_take_failure(s, payload);
	case XS_EXIT:
		return session_take_exit(s, payload);
	}
	complain("protocol error: unknown frame tag %u", tag);
	return EXIT_FAILED;
}

/* --- input --- */

static size_t
session_room(void *arg)
{
	struct session *s = arg;

	return s->there && !s->input_end && buf_len(&s->conn.out) < OUT_HIGH ?
	    PIECE :
	    0;
}

/* A terminal's is a hang-up; who has none goes, and the session stays. */
static int
session_end_input(struct session *s)
{
	s->input_end = true;
	if (!s->view) {
		s->over = s->left = true;
		session_leave_screen();
		session_tell_way_back(s);
	}
	return 0;
}

static int
session_keys(void *arg, struct buf *keys)
{
	struct session *s = arg;

	if (buf_len(keys) == 0)
		return session_end_input(s);
	return s->view ? 0 :
			 session_put(s, XS_STDIN, buf_ptr(keys), buf_len(keys));
}

static int
session_read(void *arg)
{
	struct session *s = arg;
	uint8_t piece[PIECE];
	ssize_t n = read(STDIN_FILENO, piece, sizeof(piece));

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return session_end_input(s);
	return s->view ? 0 : session_put(s, XS_STDIN, piece, (size_t)n);
}

/* ~. and ~d: the session goes on either way. */
static void
session_leave(void *arg)
{
	struct session *s = arg;

	s->over = s->left = true;
	session_leave_screen();
	session_tell_way_back(s);
}

static int
session_resize(void *arg, const struct rpc_winsize *ws)
{
	struct session *s = arg;
	struct buf b;
	int r = EXIT_FAILED;

	buf_init(&b, 8);
	if (buf_put_u16(&b, (uint16_t)ws->rows) == 0 &&
	    buf_put_u16(&b, (uint16_t)ws->cols) == 0 &&
	    buf_put_u16(&b, (uint16_t)ws->x) == 0 &&
	    buf_put_u16(&b, (uint16_t)ws->y) == 0)
		r = session_put(s, XS_RESIZE, buf_ptr(&b), buf_len(&b));
	buf_free(&b);
	return r;
}

static int
session_signal(void *arg, int sig)
{
	struct session *s = arg;

	s->killed = sig;
	return EXIT_FAILED;
}

/* --- the loop --- */

static struct pollfd
session_output(void *arg)
{
	struct session *s = arg;

	return sink_poll(&s->sink);
}

static int
session_work(void *arg, bool writable)
{
	struct session *s = arg;
	int r;

	(void)writable; /* the sink finds out */
	if (s->conn.rejected) {
		s->over = true;
		return 0;
	}
	if (s->conn.accepted &&
	    (r = frames_take(&s->conn, &s->sink, &s->over, session_take_frame,
		 s)) != 0)
		return r;
	if ((r = conn_check_silence(&s->conn, QUIET_MS)) != 0 || s->over)
		return r;
	if (s->conn.eof && s->sink.blocked == NULL)
		return conn_ended(&s->conn);
	if (s->conn.accepted && now_ms() - s->last_sent >= KEEP_MS &&
	    (r = session_put(s, XS_KEEPALIVE, NULL, 0)) != 0)
		return r;
	return conn_flush(&s->conn);
}

static bool
session_is_over(void *arg)
{
	struct session *s = arg;

	return s->over;
}

static int
session_put_join(struct session *s, const char *which)
{
	const struct client_options *o = s->opts;
	struct sess_join j = { .flags = o->share ? SESS_SHARE :
		    o->view			 ? SESS_VIEW :
						   0 };
	struct buf b;
	int r;

	(void)strlcpy(j.which, which, sizeof(j.which));
	(void)term_size(&j.size);
	buf_init(&b, JOB_ASK_MAX);
	if ((r = sessmsg_put_join(&b, &j)) == 0)
		r = session_put(s, SESS_JOIN, buf_ptr(&b), buf_len(&b));
	buf_free(&b);
	return r;
}

static int
session_put_start(struct session *s)
{
	struct rpc_winsize size = { 0 };

	(void)term_size(&size);
	s->last_sent = now_ms();
	return frames_put_start(&s->conn, s->opts, XS_TERMINAL | XS_HAS_STDIN,
	    &size);
}

static int
session_talk(struct session *s)
{
	static const int caught[] = { SIGWINCH, SIGCONT, SIGTSTP, SIGTERM,
		SIGHUP, 0 };
	int r;

	term_loop_catch(caught);
	if ((r = conn_flush(&s->conn)) == 0)
		r = term_loop_run(&s->loop);
	if (r != 0 && !s->left) {
		session_leave_screen();
		session_tell_way_back(s);
	}
	term_restore();
	if (s->killed != 0)
		signals_die(s->killed);
	return s->left ? 0 : r != 0 ? r : s->status;
}

/* which: NULL for a new one. */
static bool
session_serve(struct keyctx *ctx, const struct client_options *o,
    const char *which, int *status)
{
	static const struct term_loop_ops ops = { .room = session_room,
		.read = session_read,
		.keys = session_keys,
		.leave = session_leave,
		.resize = session_resize,
		.signal = session_signal,
		.output = session_output,
		.work = session_work,
		.is_over = session_is_over };
	struct session s = { .opts = o, .view = o->view };
	char uri[MUX_URI_MAX + 1];
	bool rejected;

	*status = EXIT_FAILED;
	if (wishes_uri(uri, MUX_URI_SESSION, o, which == NULL) != 0)
		return true;
	term_loop_init(&s.loop, &ops, &s, &s.conn, o->escape);
	s.loop.typed.detaches = true;
	sink_init(&s.sink);
	*status = conn_try(&s.conn, ctx, o, uri);
	if (s.conn.fd != -1)
		tcp_bound_window(s.conn.fd, WINDOW);
	if (*status == 0 && !s.conn.rejected)
		*status = which != NULL ? session_put_join(&s, which) :
					  session_put_start(&s);
	if (*status == 0 && !s.conn.rejected)
		*status = session_talk(&s);
	rejected = s.conn.rejected;
	conn_close(&s.conn);
	return !rejected;
}

bool
session_run(struct keyctx *ctx, const struct client_options *o, int *status)
{
	return session_serve(ctx, o, NULL, status);
}

bool
session_attach(struct keyctx *ctx, const struct client_options *o,
    const char *which, int *status)
{
	return session_serve(ctx, o, which, status);
}
