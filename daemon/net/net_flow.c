/* SPDX-License-Identifier: ISC */
/*
 * One command whose output flows to the peer as it comes, over HTTP or as
 * skypty/1/exec.  Output that the peer does not take stays in the pipe, and
 * the command blocks.
 */
#include "daemon/net/net_flow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/pty/exec_stream.h"
#include "daemon/net/net_mon.h"
#include "daemon/net/net_term.h"

#define CHUNK_LINE     7 /* "10005\r\n": a chunk's size in five digits */
#define GRACE_S	       1 /* for pipes that outlive a killed command */
#define NET_TTY_HIGH   (32U * 1024) /* a terminal's: it is printed after ^C */
#define NET_TTY_UNSENT (64 * 1024)  /* and what the kernel holds of that */

static void net_flow_on_output(evutil_socket_t, short, void *);
static void net_flow_on_writable(evutil_socket_t, short, void *);
static void net_flow_look_again(struct net_flow *);

void
net_flow_init(struct net_flow *f, struct channel *ch)
{
	f->ch = ch;
	f->in.fd = f->out.fd = f->err.fd = -1;
	buf_init(&f->in.data,
	    XS_WINDOW > XS_BODY_MAX ? XS_WINDOW : XS_BODY_MAX);
}

/* That its end is told of knows how much has moved. */
static void
net_flow_tell_bytes(struct net_flow *f)
{
	channel_tell_job(f->ch, f->handle, &f->bytes);
}

/* What runs on is ended, or left to itself. */
static void
net_flow_leave(struct net_flow *f)
{
	if (f->state != FLOW_RUNNING || !channel_leaves(f->ch))
		return;
	if (!f->terminal)
		mon_exec_leave(f->ch->mon, f->handle);
	else if (!f->exited)
		mon_pty_stop(f->ch, f->handle);
}

void
net_flow_free(struct net_flow *f)
{
	if (f->state == FLOW_RUNNING)
		net_flow_tell_bytes(f);
	if (f->terminal)
		f->in.fd = -1; /* out's */
	net_pipe_close(&f->in);
	net_pipe_close(&f->out);
	net_pipe_close(&f->err);
	net_flow_leave(f);
	buf_free(&f->in.data);
	if (f->grace != NULL)
		event_free(f->grace);
	if (f->tick != NULL)
		event_free(f->tick);
	free(f->failure);
}

/* --- start --- */

static void
net_flow_begin(struct net_flow *f)
{
	f->state = FLOW_STARTING;
	f->begun_ms = now_ms();
}

int
net_flow_start(struct net_flow *f, struct rpc_exec *e, uint32_t timeout_ms,
    const struct mux_session *wishes)
{
	net_flow_begin(f);
	return mon_exec_start(f->ch, e, timeout_ms, f->has_stdin, wishes);
}

int
net_flow_start_terminal(struct net_flow *f, struct rpc_command *c,
    const struct mux_session *wishes)
{
	f->terminal = true;
	channel_bound_unsent(f->ch, NET_TTY_UNSENT);
	net_flow_begin(f);
	return mon_pty_start(f->ch, c, wishes);
}

void
net_flow_fail(struct net_flow *f, const char *why)
{
	if ((f->failure = strdup(why)) == NULL)
		channel_fatal(f->ch, "out of memory");
	f->state = FLOW_OVER;
}

/* A quiet command's connection is not to look dead. */
static void
net_flow_on_tick(evutil_socket_t fd, short what, void *arg)
{
	static const char chunk[] = "5\r\n\0\0\0\0\0\r\n";
	struct net_flow *f = arg;
	int r = 0;

	channel_stir(f->ch);
	if (f->state != FLOW_RUNNING || f->paused)
		return;
	net_flow_look_again(f);
	if (f->format == FLOW_HTTP)
		r = buf_put(f->ch->out, chunk, sizeof(chunk) - 1);
	else if (f->format == FLOW_FRAMES)
		r = xs_put_frame(f->ch->out, XS_KEEPALIVE, NULL, 0);
	if (r != 0)
		channel_fatal(f->ch, "out of memory");
}

static int
net_flow_open(struct net_flow *f, struct privmsg *m)
{
	struct event_base *base = f->ch->base;
	int r;

	if ((r = buf_get_u32(&m->body, &f->handle)) != 0)
		return r;
	if ((r = net_pipe_open(&f->out, base, privmsg_take_fd(m, 0), EV_READ,
		 net_flow_on_output, f)) != 0)
		return r;
	if (!f->terminal &&
	    (r = net_pipe_open(&f->err, base, privmsg_take_fd(m, 1), EV_READ,
		 net_flow_on_output, f)) != 0)
		return r;
	if (f->terminal || f->has_stdin)
		r = net_pipe_open(&f->in, base,
		    f->terminal ? f->out.fd : privmsg_take_fd(m, 2), EV_WRITE,
		    net_flow_on_writable, f);
	return r;
}

static int
net_flow_started(struct net_flow *f, struct privmsg *m)
{
	struct timeval tv = { .tv_sec = XS_KEEPALIVE_S };
	char *why = NULL;
	int r;

	if (f->state != FLOW_STARTING)
		return SKY_ERR_STATE;
	if ((r = buf_get_cstring(&m->body, &why, PRIVMSG_TEXT_MAX)) != 0)
		return r;
	if (*why != '\0') {
		f->failure = why;
		f->state = FLOW_OVER;
		return 0;
	}
	free(why);
	if ((r = net_flow_open(f, m)) != 0)
		return r;
	f->tick = event_new(f->ch->base, -1, EV_PERSIST, net_flow_on_tick, f);
	if (f->tick == NULL || event_add(f->tick, &tv) == -1)
		return SKY_ERR_NOMEM;
	f->state = FLOW_RUNNING;
	if (f->early_signal != 0)
		net_flow_signal(f, f->early_signal);
	return 0;
}

/* --- output --- */

/* What stands before a piece of output; its length is filled in later. */
static size_t
net_flow_head_len(const struct net_flow *f)
{
	if (f->format == FLOW_TEXT)
		return CHUNK_LINE;
	return XS_HEAD_LEN + (f->format == FLOW_HTTP ? CHUNK_LINE : 0);
}

static int
net_flow_put_head(struct net_flow *f, size_t at, enum xs_tag tag, size_t len)
{
	uint8_t head[XS_HEAD_LEN];
	char line[CHUNK_LINE + 1];
	int r;

	if (f->format != FLOW_TEXT) {
		xs_head(head, tag, (uint32_t)len);
		r = buf_poke(f->ch->out,
		    at + net_flow_head_len(f) - XS_HEAD_LEN, head,
		    sizeof(head));
		if (r != 0 || f->format == FLOW_FRAMES)
			return r;
		len += XS_HEAD_LEN;
	}
	snprintf(line, sizeof(line), "%05x\r\n", (unsigned)len & 0xfffff);
	if ((r = buf_poke(f->ch->out, at, line, CHUNK_LINE)) != 0)
		return r;
	return buf_put(f->ch->out, "\r\n", 2);
}

/* A terminal gives its output in small pieces, a pipe all that it holds. */
static ssize_t
net_flow_read(struct net_flow *f, int fd)
{
	size_t max = NET_CHUNK, left;
	ssize_t r;

	if (f->terminal && f->exited && max > f->rest)
		max = f->rest;
	if (max == 0)
		return SKY_ERR_EOF;
	left = max;
	while ((r = buf_read(f->ch->out, fd, left)) > 0) {
		left -= (size_t)r;
		if (!f->terminal || left == 0)
			break;
	}
	if (f->exited)
		f->rest -= max - left < f->rest ? max - left : f->rest;
	return left < max ? (ssize_t)(max - left) : r;
}

static ssize_t
net_flow_relay(struct net_flow *f, const struct net_pipe *s)
{
	struct buf *out = f->ch->out;
	size_t at = buf_len(out), head = net_flow_head_len(f);
	uint8_t *p;
	ssize_t r;

	if (buf_extend(out, head, &p) != 0)
		channel_fatal(f->ch, "out of memory");
	if ((r = net_flow_read(f, s->fd)) <= 0) {
		buf_trim(out, head);
		return r;
	}
	if (net_flow_put_head(f, at, s == &f->err ? XS_STDERR : XS_STDOUT,
		(size_t)r) != 0)
		channel_fatal(f->ch, "out of memory");
	return r;
}

/*
 * The end of a terminal is that of its command, whoever else holds it.  What
 * was left is there, and nothing would say that it is not.
 */
static void
net_flow_read_rest(struct net_flow *f)
{
	if (f->terminal && f->exited && f->out.ev != NULL && !f->paused)
		event_active(f->out.ev, EV_READ, 0);
}

static void
net_flow_close_input(struct net_flow *f)
{
	if (f->terminal)
		f->in.fd = -1; /* out's */
	net_pipe_close(&f->in);
	buf_free(&f->in.data);
	f->in_gone = true;
}

static void
net_flow_close_output(struct net_flow *f, struct net_pipe *s)
{
	if (f->terminal && !f->in_gone)
		net_flow_close_input(f);
	net_pipe_close(s);
}

static void
net_flow_over(struct net_flow *f)
{
	if (f->state != FLOW_RUNNING || !f->exited || f->out.fd != -1 ||
	    f->err.fd != -1)
		return;
	net_flow_tell_bytes(f);
	if (!f->terminal)
		mon_exec_end(f->ch->mon, f->handle);
	f->state = FLOW_OVER;
}

static void
net_flow_pause(struct net_flow *f, bool on)
{
	struct net_pipe *both[] = { &f->out, &f->err };

	f->paused = on;
	for (size_t i = 0; i < 2; i++)
		if (both[i]->ev != NULL && on)
			event_del(both[i]->ev);
		else if (both[i]->ev != NULL)
			event_add(both[i]->ev, NULL);
	if (!on)
		net_flow_read_rest(f);
}

static size_t
net_flow_high(const struct net_flow *f)
{
	return f->terminal ? NET_TTY_HIGH : NET_OUT_HIGH;
}

/*
 * Nobody may have a terminal open for the moment: a command that closes it just
 * before it ends is not to be hung up.  Somebody may open it again.
 */
static void
net_flow_wait_slave(struct net_flow *f, ssize_t r)
{
	if (r != SKY_ERR_AGAIN)
		event_del(f->out.ev);
}

static void
net_flow_look_again(struct net_flow *f)
{
	if (f->terminal && !f->paused && f->out.ev != NULL)
		event_add(f->out.ev, NULL);
}

static void
net_flow_on_output(evutil_socket_t fd, short what, void *arg)
{
	struct net_flow *f = arg;
	struct net_pipe *s = fd == f->out.fd ? &f->out : &f->err;
	ssize_t r;

	channel_stir(f->ch);
	if (channel_backlog(f->ch) >= net_flow_high(f)) {
		net_flow_pause(f, true);
		return;
	}
	if ((r = net_flow_relay(f, s)) > 0) {
		f->bytes.out += (uint64_t)r;
		f->said = true;
		channel_moved(f->ch);
		net_flow_read_rest(f);
	} else if (f->terminal && !f->exited) {
		net_flow_wait_slave(f, r);
	} else if (r != SKY_ERR_AGAIN || f->terminal) {
		net_flow_close_output(f, s);
		net_flow_over(f);
	}
}

void
net_flow_room(struct net_flow *f)
{
	if (f->paused && channel_backlog(f->ch) < net_flow_high(f))
		net_flow_pause(f, false);
}

/* --- input --- */

/* Writes what waits; how much the command took is told to the peer. */
static void
net_flow_feed(struct net_flow *f)
{
	size_t before = buf_len(&f->in.data);
	ssize_t r;

	while ((r = buf_write(&f->in.data, f->in.fd)) > 0)
		;
	f->bytes.in += before - buf_len(&f->in.data);
	if (r < 0 && r != SKY_ERR_AGAIN) {
		net_flow_close_input(f);
		return;
	}
	f->taken += before - buf_len(&f->in.data);
	if (before != buf_len(&f->in.data)) {
		channel_moved(f->ch);
		net_flow_look_again(f);
	}
	if (r == SKY_ERR_AGAIN) {
		event_add(f->in.ev, NULL);
		return;
	}
	event_del(f->in.ev);
	if (f->in_end && !f->terminal)
		net_flow_close_input(f);
}

static void
net_flow_on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct net_flow *f = arg;

	channel_stir(f->ch);
	net_flow_feed(f);
}

int
net_flow_input(struct net_flow *f, struct buf *b)
{
	int r;

	if (f->in_gone)
		return 0;
	if ((r = buf_put(&f->in.data, buf_ptr(b), buf_len(b))) != 0)
		return r;
	if (f->state == FLOW_RUNNING && f->in.fd != -1)
		net_flow_feed(f);
	return 0;
}

void
net_flow_input_end(struct net_flow *f)
{
	f->in_end = true;
	if (f->state == FLOW_RUNNING && f->in.fd != -1 && !f->in_gone)
		net_flow_feed(f);
}

void
net_flow_signal(struct net_flow *f, int number)
{
	if (f->state == FLOW_STARTING)
		f->early_signal = number;
	else if (f->state == FLOW_RUNNING && !f->terminal)
		mon_exec_signal(f->ch->mon, f->handle, number);
}

/* --- the end --- */

static void
net_flow_on_grace(evutil_socket_t fd, short what, void *arg)
{
	struct net_flow *f = arg;

	channel_stir(f->ch);
	net_flow_close_output(f, &f->out);
	net_flow_close_output(f, &f->err);
	net_flow_over(f);
}

static void
net_flow_exited(struct net_flow *f, uint32_t handle, enum priv_exit how,
    uint32_t status)
{
	struct timeval tv = { .tv_sec = GRACE_S };

	if (f->state != FLOW_RUNNING || handle != f->handle)
		return;
	f->exited = true;
	f->rest = NET_REST_MAX;
	f->how = how;
	f->status = status;
	if (how == PRIV_TIMEDOUT && f->grace == NULL) {
		f->grace = evtimer_new(f->ch->base, net_flow_on_grace, f);
		if (f->grace == NULL || event_add(f->grace, &tv) == -1)
			channel_fatal(f->ch, "out of memory");
	}
	net_flow_read_rest(f);
	net_flow_over(f);
}

int
net_flow_told(struct net_flow *f, struct privmsg *m)
{
	struct mon_exited e;
	int r;

	if (m->type == PM_EXITED) {
		if ((r = mon_get_exited(&m->body, &e)) == 0)
			net_flow_exited(f, e.handle, e.how, e.status);
		return r;
	}
	if (m->type != (f->terminal ? PM_PTY_START : PM_EXEC_START) + 1)
		return SKY_ERR_STATE;
	return net_flow_started(f, m);
}
