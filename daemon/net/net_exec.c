/* SPDX-License-Identifier: ISC */
/*
 * skypty/1/exec: frames both ways, so that standard input has no end, signals
 * have names, and a terminal's command has an exit status.  See PROTOCOL.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/pty/exec_stream.h"
#include "daemon/net/net_flow.h"
#include "daemon/net/net_service.h"

#define START_S	    30		    /* seconds for the first frame */
#define WINDOW_STEP (XS_WINDOW / 8) /* taken input that is worth a frame */

struct net_exec {
	struct channel *ch;
	struct xs_reader reader;
	bool started;
	uint32_t window; /* input that the peer may still send */
	struct mux_session wishes;
	struct net_flow flow;
	struct event *answer; /* pending: KEYS are to be answered */
};

static int
net_exec_begin(struct channel *ch, struct buf *query)
{
	struct net_exec *x;
	int r;

	/* What is asked for says which of the two it takes. */
	if (!(ch->peer->grants & (PRIV_GRANT_PTY | PRIV_GRANT_EXEC))) {
		channel_reject(ch, channel_denied(ch, PRIV_GRANT_EXEC));
		return 0;
	}
	if ((ch->state = x = calloc(1, sizeof(*x))) == NULL)
		return SKY_ERR_NOMEM;
	x->ch = ch;
	x->window = XS_WINDOW;
	net_flow_init(&x->flow, ch);
	x->flow.format = FLOW_FRAMES;
	if ((r = mux_session_query(query, &x->wishes)) != 0)
		return r;
	channel_limit(ch, &x->wishes);
	/* Which right it takes, START tells. */
	channel_accept(ch);
	return 0;
}

static size_t
net_exec_held(const struct channel *ch)
{
	const struct net_exec *x = ch->state;

	return buf_len(&x->flow.in.data);
}

static void
net_exec_end(struct channel *ch)
{
	struct net_exec *x = ch->state;

	net_flow_free(&x->flow);
	if (x->answer != NULL)
		event_free(x->answer);
	free(x);
}

/* --- what it is told --- */

static void
net_exec_put(struct net_exec *x, enum xs_tag tag, const void *p, size_t len)
{
	if (xs_put_frame(x->ch->out, tag, p, len) != 0)
		channel_fatal(x->ch, "out of memory");
}

/* How much input the command has taken, and the peer may send once more. */
static void
net_exec_put_taken(struct net_exec *x)
{
	uint32_t taken = (uint32_t)x->flow.taken;
	struct buf b;

	buf_init(&b, 4);
	if (buf_put_u32(&b, taken) != 0)
		channel_fatal(x->ch, "out of memory");
	net_exec_put(x, XS_WINDOW_ADD, buf_ptr(&b), buf_len(&b));
	buf_free(&b);
	x->window += taken;
	x->flow.taken = 0;
}

static void
net_exec_put_exit(struct net_exec *x)
{
	struct net_flow *f = &x->flow;
	const struct xs_exit e = { .how = (enum xs_how)f->how,
		.status = f->status,
		.duration_ms = (uint64_t)(now_ms() - f->begun_ms) };
	struct buf b;

	if (f->failure != NULL) {
		net_exec_put(x, XS_FAILED, f->failure, strlen(f->failure));
		return;
	}
	buf_init(&b, 16);
	if (xs_put_exit(&b, &e) != 0)
		channel_fatal(x->ch, "out of memory");
	net_exec_put(x, XS_EXIT, buf_ptr(&b), buf_len(&b));
	buf_free(&b);
}

static void
net_exec_room(struct channel *ch)
{
	struct net_exec *x = ch->state;

	net_flow_room(&x->flow);
	if (x->flow.taken >= WINDOW_STEP)
		net_exec_put_taken(x);
	if (x->flow.state == FLOW_OVER) {
		net_exec_put_exit(x);
		channel_end(ch);
	}
}

static bool
net_exec_takes_keys(const struct net_exec *x)
{
	return x->wishes.keys && x->flow.terminal;
}

static int
net_exec_told(struct channel *ch, struct privmsg *m)
{
	static const uint8_t takes_keys = XS_TAKES_KEYS;
	struct net_exec *x = ch->state;
	int r;

	r = net_flow_told(&x->flow, m);
	if (r == 0 && m->type != PM_EXITED && x->flow.state == FLOW_RUNNING)
		net_exec_put(x, XS_STARTED, &takes_keys,
		    net_exec_takes_keys(x) ? 1 : 0);
	return r;
}

/* --- what the client says --- */

/*
 * Why it may not be started, or NULL.  On a terminal of a key that may run no
 * command the monitor has the account's shell run, whatever is named: who means
 * another command is told.
 */
static const char *
net_exec_denied(const struct net_exec *x, const struct xs_start *s)
{
	const struct mux_session *w = &x->wishes;

	if (!(s->flags & XS_TERMINAL))
		return channel_denied(x->ch, PRIV_GRANT_EXEC);
	return channel_denied(x->ch,
	    w->shell || w->login ? PRIV_GRANT_PTY :
				   PRIV_GRANT_PTY | PRIV_GRANT_EXEC);
}

static int
net_exec_run(struct net_exec *x, struct xs_start *s)
{
	struct rpc_exec e = { .name = s->name, .arg = s->arg, .env = s->env };
	struct rpc_command c = { .name = s->name,
		.arg = s->arg,
		.env = s->env,
		.has_size = true,
		.size = s->size };

	x->flow.has_stdin = s->flags & XS_HAS_STDIN;
	if (!(s->flags & XS_TERMINAL))
		return net_flow_start(&x->flow, &e, s->timeout_ms, &x->wishes);
	return net_flow_start_terminal(&x->flow, &c, &x->wishes);
}

static void
net_exec_start(struct net_exec *x, struct buf *payload)
{
	struct xs_start s;
	const char *why = NULL;
	int r;

	channel_timer(x->ch, 0);
	x->started = true;
	if ((r = xs_get_start(payload, &s)) != 0)
		channel_fault(x->ch, "bad request: %s", err_text(r));
	else if ((why = net_exec_denied(x, &s)) == NULL &&
	    net_exec_run(x, &s) != 0)
		why = "argument list too long";
	if (why != NULL)
		net_flow_fail(&x->flow, why);
	xs_start_free(&s);
}

static void
net_exec_resize(struct net_exec *x, struct buf *b)
{
	struct winsize ws;

	if (buf_get_u16(b, &ws.ws_row) != 0 ||
	    buf_get_u16(b, &ws.ws_col) != 0 ||
	    buf_get_u16(b, &ws.ws_xpixel) != 0 ||
	    buf_get_u16(b, &ws.ws_ypixel) != 0 || buf_at_end(b) != 0)
		channel_fault(x->ch, "bad frame: size");
	else if (x->flow.terminal && x->flow.out.fd != -1)
		(void)ioctl(x->flow.out.fd, TIOCSWINSZ, &ws);
}

static void
net_exec_stdin(struct net_exec *x, struct buf *piece)
{
	struct net_flow *f = &x->flow;

	if (!(f->has_stdin || f->terminal) || f->in_end) {
		channel_fault(x->ch,
		    "bad frame: input was not announced, or has ended");
		return;
	}
	if (buf_len(piece) > x->window) {
		channel_fault(x->ch, "bad frame: input over its window");
		return;
	}
	x->window -= (uint32_t)buf_len(piece);
	if (net_flow_input(f, piece) != 0)
		channel_fatal(x->ch, "out of memory");
}

/* --- keys --- */

/*
 * As long as an echo of one key.  Whoever does not take the answers gets none.
 */
static void
net_exec_answer(struct net_exec *x)
{
	static const uint8_t byte = 0;

	if (x->flow.state == FLOW_RUNNING && !x->flow.said && !x->flow.paused &&
	    !channel_full(x->ch))
		net_exec_put(x, XS_PONG, &byte, 1);
}

static void
net_exec_on_answer(evutil_socket_t fd, short what, void *arg)
{
	struct net_exec *x = arg;

	channel_stir(x->ch);
	net_exec_answer(x);
}

/*
 * Whether anything was typed or not, there is one answer: output that comes
 * meanwhile, or another one.
 */
static void
net_exec_keys(struct net_exec *x, struct buf *payload)
{
	struct timeval tv = { .tv_sec = 0 };
	struct xs_keys k;

	if (!net_exec_takes_keys(x) || xs_get_keys(payload, &k) != 0) {
		channel_fault(x->ch, "bad frame: keys");
		return;
	}
	if (x->answer == NULL)
		x->answer = evtimer_new(x->ch->base, net_exec_on_answer, x);
	else if (event_pending(x->answer, EV_TIMEOUT, NULL))
		net_exec_answer(x);
	x->flow.said = false;
	tv.tv_usec = k.answer_ms * 1000;
	if (x->answer == NULL || event_add(x->answer, &tv) == -1)
		channel_fatal(x->ch, "out of memory");
	else if (buf_len(&k.bytes) != 0)
		net_exec_stdin(x, &k.bytes);
}

static void
net_exec_frame(struct net_exec *x, uint8_t tag, struct buf *payload)
{
	int number;

	switch (tag) {
	case XS_KEEPALIVE:
		return;
	case XS_STDIN_END:
		net_flow_input_end(&x->flow);
		return;
	case XS_SIGNAL:
		if ((number = xs_signal(payload)) != 0)
			net_flow_signal(&x->flow, number);
		return;
	case XS_KEYS:
		net_exec_keys(x, payload);
		return;
	case XS_RESIZE:
		net_exec_resize(x, payload);
		return;
	}
	channel_fault(x->ch, "bad frame: tag %u", tag);
}

/* Input comes in pieces, anything else as a whole and is short. */
static bool
net_exec_next(struct net_exec *x)
{
	struct buf *in = x->ch->in, payload;
	uint8_t tag;
	int r;

	if (x->reader.inside ||
	    (x->started && buf_len(in) != 0 && *buf_ptr(in) == XS_STDIN)) {
		r = xs_get_piece(&x->reader, in, &payload);
		if (r == 1)
			net_exec_stdin(x, &payload);
	} else if (x->started) {
		r = xs_get_frame(in,
		    buf_len(in) != 0 && *buf_ptr(in) == XS_KEYS ? XS_KEYS_LEN :
								  XS_SIGNAL_MAX,
		    &tag, &payload);
		if (r == 1)
			net_exec_frame(x, tag, &payload);
	} else {
		r = xs_get_frame(in, XS_START_MAX, &tag, &payload);
		if (r == 1 && tag != XS_START)
			channel_fault(x->ch, "bad frame: tag %u before START",
			    tag);
		else if (r == 1)
			net_exec_start(x, &payload);
	}
	if (r < 0)
		channel_fault(x->ch, "bad frame: %s", err_text(r));
	return r == 1;
}

static void
net_exec_input(struct channel *ch)
{
	struct net_exec *x = ch->state;

	/* What follows a command's end is nobody's. */
	while (
	    channel_ready(ch) && x->flow.state != FLOW_OVER && net_exec_next(x))
		;
}

const struct service_ops net_exec_ops = {
	.begin = net_exec_begin,
	.input = net_exec_input,
	.room = net_exec_room,
	.told = net_exec_told,
	.held = net_exec_held,
	.end = net_exec_end,
	.request_s = START_S,
	.duplex = true,
};
