/* SPDX-License-Identifier: ISC */
/*
 * skypty/1/exec: frames both ways, so that standard input has no end, signals
 * have names, and a terminal's command has an exit status.  See PROTOCOL.
 */
#include "daemon/net/net.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "common/base/err.h"

#define WINDOW_STEP (XS_WINDOW / 8) /* taken input that is worth a frame */

void
stream_begin(struct net *n)
{
	n->stream.window = XS_WINDOW;
	n->flow.format = FLOW_FRAMES;
	net_timer(n, NET_MUX_TIMEOUT);
}

static void
put(struct net *n, enum xs_tag tag, const void *p, size_t len)
{
	if (xs_put_frame(&n->link.out, tag, p, len) != 0)
		net_end(n, "out of memory");
}

void
stream_started(struct net *n)
{
	put(n, XS_STARTED, NULL, 0);
}

void
stream_taken(struct net *n, size_t len)
{
	struct wire_stream *s = &n->stream;
	struct buf b;

	s->taken += (uint32_t)len;
	if (s->taken < WINDOW_STEP)
		return;
	buf_init(&b, 4);
	if (buf_put_u32(&b, s->taken) != 0)
		net_end(n, "out of memory");
	put(n, XS_WINDOW_ADD, buf_ptr(&b), buf_len(&b));
	buf_free(&b);
	s->window += s->taken;
	s->taken = 0;
	link_flush(n);
}

void
stream_ended(struct net *n)
{
	struct flow *f = &n->flow;
	struct buf b;

	if (f->failure != NULL) {
		put(n, XS_FAILED, f->failure, strlen(f->failure));
		return;
	}
	buf_init(&b, 16);
	if (buf_put_u8(&b, (uint8_t)f->how) != 0 ||
	    buf_put_u32(&b, f->status) != 0 ||
	    buf_put_u64(&b, (uint64_t)elapsed_ms(&f->begun)) != 0)
		net_end(n, "out of memory");
	put(n, XS_EXIT, buf_ptr(&b), buf_len(&b));
	buf_free(&b);
}

/* --- what the client says --- */

static int
run(struct net *n, struct xs_start *s)
{
	struct rpc_exec e = { .name = s->name, .arg = s->arg, .env = s->env };
	struct rpc_command c = { .name = s->name,
		.arg = s->arg,
		.env = s->env,
		.has_size = true,
		.size = s->size };

	n->flow.has_stdin = s->flags & XS_HAS_STDIN;
	if (!(s->flags & XS_TERMINAL))
		return flow_start(n, &e, s->timeout_ms);
	if (!(n->grants & PRIV_GRANT_PTY))
		return SKY_ERR_DENIED;
	return flow_start_terminal(n, &c);
}

static void
start(struct net *n, struct buf *payload)
{
	struct xs_start s;
	int r;

	net_timer(n, 0);
	n->stream.started = true;
	if ((r = xs_get_start(payload, &s)) != 0)
		net_end(n, "bad request: %s", err_text(r));
	if ((r = run(n, &s)) != 0) {
		n->flow.state = FLOW_OVER;
		n->flow.failure = strdup(r == SKY_ERR_DENIED ?
			"a terminal is not permitted for this key" :
			"argument list too long");
		stream_ended(n);
		net_finish(n);
	}
	xs_start_free(&s);
}

static void
resize(struct net *n, struct buf *b)
{
	struct winsize ws;

	if (buf_get_u16(b, &ws.ws_row) != 0 ||
	    buf_get_u16(b, &ws.ws_col) != 0 ||
	    buf_get_u16(b, &ws.ws_xpixel) != 0 ||
	    buf_get_u16(b, &ws.ws_ypixel) != 0 || buf_at_end(b) != 0)
		net_end(n, "bad frame: size");
	if (n->flow.terminal && n->flow.out.fd != -1)
		(void)ioctl(n->flow.out.fd, TIOCSWINSZ, &ws);
}

static void
input(struct net *n, struct buf *piece)
{
	struct wire_stream *s = &n->stream;
	struct flow *f = &n->flow;

	if (!(f->has_stdin || f->terminal) || f->in_end)
		net_end(n, "bad frame: input was not announced, or has ended");
	if (buf_len(piece) > s->window)
		net_end(n, "bad frame: input over its window");
	s->window -= (uint32_t)buf_len(piece);
	if (flow_input(n, piece) != 0)
		net_end(n, "out of memory");
}

static void
take_frame(struct net *n, uint8_t tag, struct buf *payload)
{
	int number;

	switch (tag) {
	case XS_KEEPALIVE:
		return;
	case XS_STDIN_END:
		flow_input_end(n);
		return;
	case XS_SIGNAL:
		if ((number = xs_signal(payload)) != 0)
			flow_signal(n, number);
		return;
	case XS_RESIZE:
		resize(n, payload);
		return;
	}
	net_end(n, "bad frame: tag %u", tag);
}

/* Input comes in pieces, anything else as a whole and is short. */
static bool
next(struct net *n)
{
	struct wire_stream *s = &n->stream;
	struct buf *in = &n->link.in, payload;
	uint8_t tag;
	int r;

	if (s->reader.inside ||
	    (s->started && buf_len(in) != 0 && *buf_ptr(in) == XS_STDIN)) {
		r = xs_get_piece(&s->reader, in, &payload);
		if (r == 1)
			input(n, &payload);
	} else if (s->started) {
		r = xs_get_frame(in, XS_SIGNAL_MAX, &tag, &payload);
		if (r == 1)
			take_frame(n, tag, &payload);
	} else {
		r = xs_get_frame(in, XS_START_MAX, &tag, &payload);
		if (r == 1 && tag != XS_START)
			net_end(n, "bad frame: tag %u before START", tag);
		if (r == 1)
			start(n, &payload);
	}
	if (r < 0)
		net_end(n, "bad frame: %s", err_text(r));
	return r == 1;
}

void
stream_process(struct net *n)
{
	while (n->state == NET_SERVICE && next(n))
		;
	link_flush(n);
}
