/* SPDX-License-Identifier: ISC */
/*
 * One command whose output flows to the peer as it comes, over HTTP or as
 * skypty/1/exec.  Output that the peer does not take stays in the pipe, and
 * the command blocks.
 */
#include "daemon/net/net.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/tcp.h"

#define CHUNK_LINE 7 /* "10005\r\n": a chunk's size in five digits */
#define GRACE_S	   1 /* for pipes that outlive a killed command */

static void on_output(evutil_socket_t, short, void *);
static void on_room(evutil_socket_t, short, void *);

int
flow_init(struct net *n)
{
	struct flow *f = &n->flow;

	f->in.fd = f->out.fd = f->err.fd = -1;
	buf_init(&f->in.data,
	    XS_WINDOW > XS_BODY_MAX ? XS_WINDOW : XS_BODY_MAX);
	return 0;
}

/* --- start --- */

static void
begin(struct net *n)
{
	n->flow.state = FLOW_STARTING;
	clock_gettime(CLOCK_MONOTONIC, &n->flow.begun);
}

int
flow_start(struct net *n, struct rpc_exec *e, uint32_t timeout_ms)
{
	begin(n);
	return mon_exec_start(n, 0, e, timeout_ms, n->flow.has_stdin);
}

int
flow_start_terminal(struct net *n, struct rpc_command *c)
{
	n->flow.terminal = true;
	tcp_bound_unsent(n->link.fd, NET_TTY_UNSENT);
	begin(n);
	return mon_pty_start(n, c);
}

/* A quiet command's connection is not to look dead. */
static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	static const char chunk[] = "5\r\n\0\0\0\0\0\r\n";
	struct net *n = arg;
	struct buf *out = &n->link.out;
	int r = 0;

	(void)fd, (void)what;
	if (n->flow.state != FLOW_RUNNING || n->flow.paused)
		return;
	if (n->flow.format == FLOW_HTTP)
		r = buf_put(out, chunk, sizeof(chunk) - 1);
	else if (n->flow.format == FLOW_FRAMES)
		r = xs_put_frame(out, XS_KEEPALIVE, NULL, 0);
	if (r != 0)
		net_end(n, "out of memory");
	link_flush(n);
}

static int
start_ticking(struct net *n)
{
	struct timeval tv = { .tv_sec = XS_KEEPALIVE_S };

	n->flow.tick = event_new(n->base, -1, EV_PERSIST, on_tick, n);
	if (n->flow.tick == NULL || event_add(n->flow.tick, &tv) == -1)
		return SKY_ERR_NOMEM;
	return 0;
}

static int
open_streams(struct net *n, struct privmsg *m)
{
	struct flow *f = &n->flow;
	int r;

	if (!f->terminal && (r = buf_get_u32(&m->body, &f->handle)) != 0)
		return r;
	if ((r = stream_open(n, &f->out, privmsg_take_fd(m, 0), on_output,
		 EV_READ, n)) != 0)
		return r;
	if (!f->terminal &&
	    (r = stream_open(n, &f->err, privmsg_take_fd(m, 1), on_output,
		 EV_READ, n)) != 0)
		return r;
	if (f->terminal || f->has_stdin)
		r = stream_open(n, &f->in,
		    f->terminal ? f->out.fd : privmsg_take_fd(m, 2), on_room,
		    EV_WRITE, n);
	return r;
}

static int
running(struct net *n, struct privmsg *m)
{
	struct flow *f = &n->flow;
	int r;

	if ((r = open_streams(n, m)) != 0 || (r = start_ticking(n)) != 0)
		return r;
	f->state = FLOW_RUNNING;
	if (n->service == MUX_EXEC)
		stream_started(n);
	if (f->early_signal != 0)
		flow_signal(n, f->early_signal);
	flow_pump(n);
	return 0;
}

static void
finish(struct net *n)
{
	n->flow.state = FLOW_OVER;
	if (n->service == MUX_EXEC)
		stream_ended(n);
	else
		http_ended(n);
	net_finish(n);
}

int
flow_started(struct net *n, struct privmsg *m)
{
	struct flow *f = &n->flow;
	int r;

	if (f->state != FLOW_STARTING)
		return SKY_ERR_STATE;
	r = buf_get_cstring(&m->body, &f->failure, PRIVMSG_TEXT_MAX);
	if (r != 0)
		return r;
	if (*f->failure != '\0') {
		finish(n);
		return 0;
	}
	free(f->failure);
	f->failure = NULL;
	return running(n, m);
}

/* --- output --- */

/* What stands before a piece of output; its length is filled in later. */
static size_t
head_len(const struct flow *f)
{
	if (f->format == FLOW_TEXT)
		return CHUNK_LINE;
	return XS_HEAD_LEN + (f->format == FLOW_HTTP ? CHUNK_LINE : 0);
}

static int
put_head(struct net *n, size_t at, enum xs_tag tag, size_t len)
{
	uint8_t head[XS_HEAD_LEN];
	char line[CHUNK_LINE + 1];
	int r;

	if (n->flow.format != FLOW_TEXT) {
		xs_head(head, tag, (uint32_t)len);
		r = buf_poke(&n->link.out,
		    at + head_len(&n->flow) - XS_HEAD_LEN, head, sizeof(head));
		if (r != 0 || n->flow.format == FLOW_FRAMES)
			return r;
		len += XS_HEAD_LEN;
	}
	snprintf(line, sizeof(line), "%05x\r\n", (unsigned)len & 0xfffff);
	if ((r = buf_poke(&n->link.out, at, line, CHUNK_LINE)) != 0)
		return r;
	return buf_put(&n->link.out, "\r\n", 2);
}

/* A terminal gives its output in small pieces, a pipe all that it holds. */
static ssize_t
read_output(struct net *n, int fd)
{
	struct flow *f = &n->flow;
	size_t max = NET_CHUNK, left;
	ssize_t r;

	if (f->terminal && f->exited && max > f->rest)
		max = f->rest;
	if (max == 0)
		return SKY_ERR_EOF;
	left = max;
	while ((r = buf_read(&n->link.out, fd, left)) > 0) {
		left -= (size_t)r;
		if (!f->terminal || left == 0)
			break;
	}
	if (f->exited)
		f->rest -= max - left < f->rest ? max - left : f->rest;
	return left < max ? (ssize_t)(max - left) : r;
}

static ssize_t
relay(struct net *n, const struct stream *s)
{
	struct buf *out = &n->link.out;
	size_t at = buf_len(out), head = head_len(&n->flow);
	uint8_t *p;
	ssize_t r;

	if (buf_extend(out, head, &p) != 0)
		net_end(n, "out of memory");
	if ((r = read_output(n, s->fd)) <= 0) {
		buf_trim(out, head);
		return r;
	}
	if (put_head(n, at, s == &n->flow.err ? XS_STDERR : XS_STDOUT,
		(size_t)r) != 0)
		net_end(n, "out of memory");
	return r;
}

/*
 * The end of a terminal is that of its command, whoever else holds it.  What
 * was left is there, and nothing would say that it is not.
 */
static void
read_rest(struct flow *f)
{
	if (f->terminal && f->exited && f->out.ev != NULL && !f->paused)
		event_active(f->out.ev, EV_READ, 0);
}

static void
close_input(struct flow *f)
{
	if (f->terminal)
		f->in.fd = -1; /* out's */
	stream_close(&f->in);
	buf_free(&f->in.data);
	f->in_gone = true;
}

static void
close_output(struct flow *f, struct stream *s)
{
	if (f->terminal && !f->in_gone)
		close_input(f);
	stream_close(s);
}

static void
over(struct net *n)
{
	struct flow *f = &n->flow;

	if (f->state != FLOW_RUNNING || !f->exited || f->out.fd != -1 ||
	    f->err.fd != -1)
		return;
	if (!f->terminal)
		mon_exec_end(n, f->handle);
	finish(n);
}

static void
pause_output(struct flow *f, bool on)
{
	struct stream *both[] = { &f->out, &f->err };

	f->paused = on;
	for (size_t i = 0; i < 2; i++)
		if (both[i]->ev != NULL && on)
			event_del(both[i]->ev);
		else if (both[i]->ev != NULL)
			event_add(both[i]->ev, NULL);
	if (!on)
		read_rest(f);
}

static void
on_output(evutil_socket_t fd, short what, void *arg)
{
	struct net *n = arg;
	struct flow *f = &n->flow;
	struct stream *s = fd == f->out.fd ? &f->out : &f->err;
	ssize_t r;

	(void)what;
	if ((r = relay(n, s)) > 0) {
		link_flush(n);
		if (link_backlog(&n->link) >=
		    (f->terminal ? NET_TTY_HIGH : NET_OUT_HIGH))
			pause_output(f, true);
		read_rest(f);
	} else if (r != SKY_ERR_AGAIN || (f->terminal && f->exited)) {
		close_output(f, s);
		over(n);
	}
}

void
flow_pump(struct net *n)
{
	if (n->flow.paused)
		pause_output(&n->flow, false);
	link_flush(n);
}

/* --- input --- */

/* Writes what waits; how much the command took is told to the peer. */
static void
feed(struct net *n)
{
	struct flow *f = &n->flow;
	size_t before = buf_len(&f->in.data);
	ssize_t r;

	while ((r = buf_write(&f->in.data, f->in.fd)) > 0)
		;
	if (r < 0 && r != SKY_ERR_AGAIN) {
		close_input(f);
		return;
	}
	if (n->service == MUX_EXEC)
		stream_taken(n, before - buf_len(&f->in.data));
	if (r == SKY_ERR_AGAIN) {
		event_add(f->in.ev, NULL);
		return;
	}
	event_del(f->in.ev);
	if (f->in_end && !f->terminal)
		close_input(f);
}

static void
on_room(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	feed(arg);
}

int
flow_input(struct net *n, struct buf *b)
{
	struct flow *f = &n->flow;
	int r;

	if (f->in_gone)
		return 0;
	if ((r = buf_put(&f->in.data, buf_ptr(b), buf_len(b))) != 0)
		return r;
	if (f->state == FLOW_RUNNING && f->in.fd != -1)
		feed(n);
	return 0;
}

void
flow_input_end(struct net *n)
{
	struct flow *f = &n->flow;

	f->in_end = true;
	if (f->state == FLOW_RUNNING && f->in.fd != -1 && !f->in_gone)
		feed(n);
}

void
flow_signal(struct net *n, int number)
{
	struct flow *f = &n->flow;

	if (f->state == FLOW_STARTING)
		f->early_signal = number;
	else if (f->state == FLOW_RUNNING && !f->terminal)
		mon_exec_signal(n, f->handle, number);
}

/* --- the end --- */

static void
on_grace(evutil_socket_t fd, short what, void *arg)
{
	struct net *n = arg;

	(void)fd, (void)what;
	close_output(&n->flow, &n->flow.out);
	close_output(&n->flow, &n->flow.err);
	over(n);
}

void
flow_exited(struct net *n, uint32_t handle, enum priv_exit how, uint32_t status)
{
	struct timeval tv = { .tv_sec = GRACE_S };
	struct flow *f = &n->flow;

	if (f->state != FLOW_RUNNING ||
	    handle != (f->terminal ? PRIV_PTY_HANDLE : f->handle))
		return;
	f->exited = true;
	f->rest = NET_REST_MAX;
	f->how = how;
	f->status = status;
	if (how == PRIV_TIMEDOUT && f->grace == NULL) {
		f->grace = evtimer_new(n->base, on_grace, n);
		if (f->grace == NULL || event_add(f->grace, &tv) == -1)
			net_end(n, "out of memory");
	}
	read_rest(f);
	over(n);
}
