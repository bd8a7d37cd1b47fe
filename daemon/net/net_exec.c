/* SPDX-License-Identifier: ISC */
/* pty.Exec: a command on pipes, its output gathered into one reply. */
#include "daemon/net/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/err.h"

#define TIMEOUT_DEFAULT 30000 /* milliseconds; PROTOCOL.pty 7.1 */
#define TIMEOUT_MAX	300000
#define GRACE_MS	1000 /* for pipes that outlive a killed command */

static void on_stream(evutil_socket_t, short, void *);
static void on_stdin(evutil_socket_t, short, void *);
static void on_grace(evutil_socket_t, short, void *);

int64_t
elapsed_ms(const struct timespec *since)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)(now.tv_sec - since->tv_sec) * 1000 +
	    (now.tv_nsec - since->tv_nsec) / 1000000;
}

void
stream_close(struct stream *s)
{
	if (s->ev != NULL)
		event_free(s->ev);
	if (s->room != NULL)
		event_free(s->room);
	s->ev = s->room = NULL;
	if (s->fd != -1)
		close(s->fd);
	s->fd = -1;
}

static void
free_stream(struct net *n, struct stream *s)
{
	stream_close(s);
	n->captured -= buf_len(&s->data);
	buf_free(&s->data);
	s->cut = false;
}

static void
free_exec(struct exec *e)
{
	free_stream(e->net, &e->in);
	free_stream(e->net, &e->out);
	free_stream(e->net, &e->err);
	if (e->grace != NULL)
		event_free(e->grace);
	free(e->name);
	memset(e, 0, sizeof(*e));
}

/* --- call and start --- */

static uint32_t
timeout_of(const struct rpc_exec *x)
{
	if (x->timeout_ms <= 0)
		return TIMEOUT_DEFAULT;
	return x->timeout_ms > TIMEOUT_MAX ? TIMEOUT_MAX :
					     (uint32_t)x->timeout_ms;
}

/* What is wrong with a call before anything is started, into text. */
static bool
acceptable(struct net *n, const struct rpc_exec *x, char *text, size_t len)
{
	if (!(n->grants & PRIV_GRANT_EXEC))
		snprintf(text, len, "commands are not permitted for this key");
	else if (buf_len(&x->name) == 0)
		snprintf(text, len, "dmsgpty: Exec: empty command name");
	else if (buf_len(&x->in) > NET_STDIN_MAX)
		snprintf(text, len, "dmsgpty: Exec: stdin %zu > max %u",
		    buf_len(&x->in), NET_STDIN_MAX);
	else if (n->captured + buf_len(&x->in) > NET_CAPTURE_MAX)
		snprintf(text, len,
		    "dmsgpty: Exec: the connection's commands "
		    "hold too much already");
	else
		return true;
	return false;
}

static struct exec *
free_slot(struct net *n)
{
	for (size_t i = 0; i < PRIV_EXECS_MAX; i++)
		if (n->exec[i].state == EXEC_FREE)
			return &n->exec[i];
	return NULL;
}

static int
prepare(struct net *n, struct exec *e, struct rpc_call *c)
{
	struct rpc_exec *x = &c->arg.exec;

	e->net = n;
	e->seq = c->seq;
	e->in.fd = e->out.fd = e->err.fd = -1;
	buf_init(&e->in.data, NET_STDIN_MAX);
	buf_init(&e->out.data, NET_STREAM_MAX);
	buf_init(&e->err.data, NET_STREAM_MAX);
	clock_gettime(CLOCK_MONOTONIC, &e->begun);
	e->name = strndup((const char *)buf_ptr(&x->name), buf_len(&x->name));
	e->state = EXEC_STARTING;
	n->captured += buf_len(&x->in);
	return e->name == NULL ?
	    SKY_ERR_NOMEM :
	    buf_put(&e->in.data, buf_ptr(&x->in), buf_len(&x->in));
}

void
exec_call(struct net *n, struct rpc_call *c)
{
	struct exec *e;
	char text[128];

	if (!acceptable(n, &c->arg.exec, text, sizeof(text))) {
		rpc_fail(n, c->method, c->seq, "%s", text);
		return;
	}
	if ((e = free_slot(n)) == NULL) {
		rpc_fail(n, c->method, c->seq,
		    "dmsgpty: Exec: more than %d commands at once",
		    PRIV_EXECS_MAX);
		return;
	}
	if (prepare(n, e, c) != 0)
		net_end(n, "out of memory");
	if (mon_exec_start(n, (uint16_t)(e - n->exec), &c->arg.exec,
		timeout_of(&c->arg.exec), buf_len(&c->arg.exec.in) != 0) != 0) {
		rpc_fail(n, c->method, c->seq,
		    "fork/exec %s: argument list too long", e->name);
		free_exec(e);
	}
}

int
stream_open(struct net *n, struct stream *s, int fd, event_callback_fn cb,
    short what, void *arg)
{
	if ((s->fd = fd) == -1)
		return SKY_ERR_FORMAT;
	s->ev = event_new(n->base, s->fd, what | EV_PERSIST, cb, arg);
	if (s->ev == NULL || event_add(s->ev, NULL) == -1)
		return SKY_ERR_NOMEM;
	return 0;
}

static int
open_streams(struct exec *e, struct privmsg *m)
{
	struct net *n = e->net;
	int r;

	if ((r = buf_get_u32(&m->body, &e->handle)) != 0)
		return r;
	e->state = EXEC_RUNNING;
	if ((r = stream_open(n, &e->out, privmsg_take_fd(m, 0), on_stream,
		 EV_READ, e)) != 0 ||
	    (r = stream_open(n, &e->err, privmsg_take_fd(m, 1), on_stream,
		 EV_READ, e)) != 0)
		return r;
	if (buf_len(&e->in.data) == 0)
		return 0;
	return stream_open(n, &e->in, privmsg_take_fd(m, 2), on_stdin, EV_WRITE,
	    e);
}

/* A command that could not be started is a result, not an error. */
static int
not_started(struct exec *e, const char *why)
{
	char text[PRIVMSG_TEXT_MAX];

	snprintf(text, sizeof(text), "dmsgpty: exec %s: %s\n", e->name, why);
	e->how = PRIV_SIGNALED;
	e->state = EXEC_OVER;
	e->net->captured += strlen(text);
	return buf_put(&e->err.data, text, strlen(text));
}

int
exec_started(struct net *n, struct privmsg *m)
{
	struct exec *e;
	char *text = NULL;
	int r;

	if (m->id >= PRIV_EXECS_MAX || n->exec[m->id].state != EXEC_STARTING)
		return SKY_ERR_STATE;
	e = &n->exec[m->id];
	if ((r = buf_get_cstring(&m->body, &text, PRIVMSG_TEXT_MAX)) != 0)
		return r;
	r = *text != '\0' ? not_started(e, text) : open_streams(e, m);
	free(text);
	exec_pump(n);
	return r;
}

/* --- data --- */

static void
on_stdin(evutil_socket_t fd, short what, void *arg)
{
	struct exec *e = arg;
	ssize_t r;

	(void)what;
	r = buf_write(&e->in.data, fd);
	if (r > 0)
		e->net->captured -= (size_t)r;
	if (r == SKY_ERR_AGAIN || (r > 0 && buf_len(&e->in.data) != 0))
		return;
	free_stream(e->net, &e->in);
}

/* Output over a limit is read and dropped, so that the command goes on. */
static ssize_t
discard(int fd)
{
	struct buf scratch;
	ssize_t r;

	buf_init(&scratch, NET_CHUNK);
	r = buf_read(&scratch, fd, NET_CHUNK);
	buf_free(&scratch);
	return r;
}

static ssize_t
take(struct net *n, struct stream *s)
{
	size_t want = NET_CHUNK;
	ssize_t r;

	if (n->captured >= NET_CAPTURE_MAX)
		want = 0;
	else if (want > NET_CAPTURE_MAX - n->captured)
		want = NET_CAPTURE_MAX - n->captured;
	if (want == 0 || buf_room(&s->data) == 0) {
		if ((r = discard(s->fd)) > 0)
			s->cut = true;
		return r;
	}
	if ((r = buf_read(&s->data, s->fd, want)) > 0)
		n->captured += (size_t)r;
	return r;
}

static void
over(struct exec *e)
{
	if (e->state != EXEC_RUNNING || !e->exited || e->out.fd != -1 ||
	    e->err.fd != -1)
		return;
	mon_exec_end(e->net, e->handle);
	e->state = EXEC_OVER;
	exec_pump(e->net);
}

static void
on_stream(evutil_socket_t fd, short what, void *arg)
{
	struct exec *e = arg;
	struct stream *s = fd == e->out.fd ? &e->out : &e->err;
	ssize_t r;

	(void)what;
	if ((r = take(e->net, s)) > 0 || r == SKY_ERR_AGAIN)
		return;
	stream_close(s);
	over(e);
}

/* --- the end --- */

static void
on_grace(evutil_socket_t fd, short what, void *arg)
{
	struct exec *e = arg;

	(void)fd, (void)what;
	stream_close(&e->out);
	stream_close(&e->err);
	over(e);
}

static struct exec *
by_handle(struct net *n, uint32_t handle)
{
	for (size_t i = 0; i < PRIV_EXECS_MAX; i++)
		if (n->exec[i].state == EXEC_RUNNING &&
		    n->exec[i].handle == handle)
			return &n->exec[i];
	return NULL;
}

void
exec_exited(struct net *n, uint32_t handle, enum priv_exit how, uint32_t status)
{
	struct timeval tv = { .tv_usec = GRACE_MS % 1000 * 1000,
		.tv_sec = GRACE_MS / 1000 };
	struct exec *e;

	if ((e = by_handle(n, handle)) == NULL)
		return;
	e->how = how;
	e->status = status;
	if (how == PRIV_TIMEDOUT && e->grace == NULL) {
		e->grace = evtimer_new(n->base, on_grace, e);
		if (e->grace == NULL || event_add(e->grace, &tv) == -1)
			net_end(n, "out of memory");
	}
	e->exited = true;
	over(e);
}

static void
send_result(struct exec *e)
{
	union rpc_value v = { .result = { .out = e->out.data,
				  .err = e->err.data,
				  .out_cut = e->out.cut,
				  .err_cut = e->err.cut,
				  .exit_code = e->how == PRIV_EXITED ?
				      (int64_t)e->status :
				      -1,
				  .timed_out = e->how == PRIV_TIMEDOUT,
				  .duration_ms = elapsed_ms(&e->begun) } };

	rpc_reply(e->net, RPC_PTY_EXEC, e->seq, &v);
	free_exec(e);
}

void
exec_pump(struct net *n)
{
	for (size_t i = 0; i < PRIV_EXECS_MAX; i++)
		if (n->exec[i].state == EXEC_OVER &&
		    link_backlog(&n->link) < NET_OUT_HIGH)
			send_result(&n->exec[i]);
	link_flush(n);
}
