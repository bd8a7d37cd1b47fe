/* SPDX-License-Identifier: ISC */
/* The loop of a session, with or without a terminal of ours. */
#include "client/term_loop.h"
#include "client/complain.h"
#include "client/conn.h"
#include "client/exits.h"
#include "client/forward/forward_cmd.h"
#include "client/patience.h"
#include "client/signals.h"
#include "client/term.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define KEYS_MAX 4096

/* Signal handlers need it where they can find it. */
static struct {
	volatile sig_atomic_t resized, continued, stopped, other;
	sigset_t open; /* what is let in while the loop waits */
} caught;

void
term_loop_init(struct term_loop *t, const struct term_loop_ops *ops, void *arg,
    struct conn *c, int escape)
{
	*t = (struct term_loop){ .ops = ops,
		.arg = arg,
		.conn = c,
		.typed = { .escape = escape },
		.wait_ms = -1 };
}

int
term_loop_raw(struct term_loop *t)
{
	int r = term_raw();

	t->raw = r == 0;
	return r;
}

/* --- signals --- */

static void
term_loop_on_signal(int sig)
{
	if (sig == SIGWINCH)
		caught.resized = 1;
	else if (sig == SIGCONT)
		caught.continued = 1;
	else if (sig == SIGTSTP)
		caught.stopped = 1;
	else
		caught.other = sig;
}

void
term_loop_catch(const int *sigs)
{
	caught.resized = caught.continued = caught.stopped = caught.other = 0;
	signals_catch(sigs, term_loop_on_signal, &caught.open);
}

static int
term_loop_resize(struct term_loop *t)
{
	struct rpc_winsize size;
	int r;

	t->resized = false;
	if (!t->sized || !term_size(&size))
		return 0;
	r = t->ops->resize(t->arg, &size);
	return r != 0 ? r : conn_flush(t->conn);
}

int
term_loop_sized(struct term_loop *t)
{
	t->sized = true;
	return term_loop_resize(t);
}

static int
term_loop_signals(struct term_loop *t)
{
	int sig = caught.other, r;

	caught.other = 0;
	if (sig != 0 && (r = t->ops->signal(t->arg, sig)) != 0)
		return r;
	if (caught.stopped) {
		caught.stopped = 0;
		term_suspend();
		t->resized = true;
	}
	if (caught.continued && t->raw)
		(void)term_raw();
	if (caught.resized || caught.continued) {
		caught.resized = caught.continued = 0;
		t->resized = true;
	}
	return t->resized ? term_loop_resize(t) : 0;
}

/* --- what is typed --- */

/* Where the connection has channels, there can be others beside the session. */
static void
term_loop_forwards(struct term_loop *t, bool line)
{
	struct conn *c = t->conn;

	if (c->way != WAY_SHARED || c->held == NULL)
		complain("nothing can be forwarded beside this session: begin "
			 "one with -M");
	else if (line)
		forward_line(c->held);
	else
		(void)forward_list(c->held);
}

static int
term_loop_key(struct term_loop *t, uint8_t c, struct buf *keys)
{
	enum typed_what what = typed_key(&t->typed, c, keys);

	switch (what) {
	case TYPED_KEY:
		break;
	case TYPED_SUSPEND:
		term_suspend();
		return term_loop_resize(t);
	case TYPED_LINE:
	case TYPED_LIST:
		term_loop_forwards(t, what == TYPED_LINE);
		return term_loop_resize(t);
	case TYPED_DETACH:
	case TYPED_END:
		term_lost();
		t->ops->leave(t->arg);
		return EXIT_FAILED;
	case TYPED_FULL:
		return EXIT_FAILED;
	}
	return 0;
}

static int
term_loop_keys(struct term_loop *t, size_t room)
{
	uint8_t chunk[KEYS_MAX];
	struct buf keys;
	ssize_t n;
	int r = 0, gone = 0;

	n = read(STDIN_FILENO, chunk,
	    room < sizeof(chunk) ? room : sizeof(chunk));
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	/* An escape character may have been held back. */
	buf_init(&keys, 2 * sizeof(chunk));
	for (ssize_t i = 0; gone == 0 && i < n; i++)
		gone = term_loop_key(t, chunk[i], &keys);
	if (n <= 0 || buf_len(&keys) != 0)
		r = t->ops->keys(t->arg, &keys);
	buf_free(&keys);
	return gone != 0 ? gone : r;
}

/* --- the loop --- */

enum { P_CONN, P_IN, P_OUT, P_COUNT };

static int
term_loop_turn(struct term_loop *t)
{
	size_t room = t->ops->room(t->arg);
	struct pollfd p[P_COUNT] = {
		[P_CONN] = { .fd = t->conn->eof ? -1 : t->conn->fd,
		    .events = conn_events(t->conn) },
		[P_IN] = { .fd = room != 0 ? STDIN_FILENO : -1,
		    .events = POLLIN },
		[P_OUT] = t->ops->output(t->arg),
	};
	int r;

	if ((r = conn_wait(t->conn, p, P_COUNT, t->wait_ms, &caught.open)) !=
		0 ||
	    (r = term_loop_signals(t)) != 0 || t->ops->is_over(t->arg))
		return r;
	if (p[P_CONN].revents != 0 &&
	    (r = conn_pump(t->conn, p[P_CONN].revents)) != 0)
		return r;
	if (p[P_IN].revents != 0 &&
	    (r = t->raw ? term_loop_keys(t, room) : t->ops->read(t->arg)) != 0)
		return r;
	return t->ops->work(t->arg, p[P_OUT].revents != 0);
}

int
term_loop_run(struct term_loop *t)
{
	int r = 0;

	while (r == 0 && !t->ops->is_over(t->arg))
		r = term_loop_turn(t);
	return r;
}
