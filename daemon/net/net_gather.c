/* SPDX-License-Identifier: ISC */
/* pty.Exec: a command on pipes, its output gathered into one reply. */
#include "daemon/net/net_gather.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "daemon/net/net_mon.h"
#include "daemon/net/net_pipe.h"

#define NET_STDIN_MAX	(1024U * 1024)
#define TIMEOUT_DEFAULT 30000 /* milliseconds; PROTOCOL.pty 7.1 */
#define TIMEOUT_MAX	300000
#define GRACE_S		1 /* for pipes that outlive a killed command */

struct gathered {
	enum { EXEC_FREE, EXEC_STARTING, EXEC_RUNNING, EXEC_OVER } state;
	struct net_gather *all;
	uint64_t seq;
	uint64_t turn; /* of those that are to be started */
	uint32_t handle;
	char *name; /* for the text of a failed start */
	int64_t begun_ms;
	struct net_pipe in, out, err;
	bool exited;
	enum priv_exit how;
	uint32_t status;
	struct job_bytes bytes;
	struct event *grace; /* for who holds the pipes of a killed command */
};

struct net_gather {
	struct net_rpc *rpc;
	struct gathered exec[PRIV_EXECS_MAX];
	size_t captured; /* bytes held in exec[] */
	uint64_t turns;
};

static void net_gather_on_output(evutil_socket_t, short, void *);
static void net_gather_on_stdin(evutil_socket_t, short, void *);
static void net_gather_on_grace(evutil_socket_t, short, void *);

static void
net_gather_free_pipe(struct net_gather *g, struct net_pipe *p)
{
	net_pipe_close(p);
	g->captured -= buf_len(&p->data);
	buf_free(&p->data);
	p->cut = false;
}

static void
net_gather_forget(struct gathered *e)
{
	net_gather_free_pipe(e->all, &e->in);
	net_gather_free_pipe(e->all, &e->out);
	net_gather_free_pipe(e->all, &e->err);
	if (e->grace != NULL)
		event_free(e->grace);
	free(e->name);
	memset(e, 0, sizeof(*e));
}

struct net_gather *
net_gather_new(struct net_rpc *rpc)
{
	struct net_gather *g;

	if ((g = calloc(1, sizeof(*g))) != NULL)
		g->rpc = rpc;
	return g;
}

void
net_gather_free(struct net_gather *g)
{
	if (g == NULL)
		return;
	for (size_t i = 0; i < PRIV_EXECS_MAX; i++) {
		struct gathered *e = &g->exec[i];

		if (e->state == EXEC_RUNNING)
			channel_tell_job(g->rpc->ch, e->handle, &e->bytes);
		if (e->state == EXEC_RUNNING && channel_leaves(g->rpc->ch))
			mon_exec_leave(g->rpc->ch->mon, e->handle);
		if (e->state != EXEC_FREE)
			net_gather_forget(e);
	}
	free(g);
}

size_t
net_gather_held(const struct net_gather *g)
{
	return g->captured;
}

/* --- call and start --- */

static uint32_t
net_gather_timeout(const struct rpc_exec *x)
{
	if (x->timeout_ms <= 0)
		return TIMEOUT_DEFAULT;
	return x->timeout_ms > TIMEOUT_MAX ? TIMEOUT_MAX :
					     (uint32_t)x->timeout_ms;
}

/* What is wrong with a call before anything is started, into text. */
static bool
net_gather_acceptable(struct net_gather *g, const struct rpc_exec *x,
    char *text, size_t len)
{
	const char *why = channel_denied(g->rpc->ch, PRIV_GRANT_EXEC);

	if (why != NULL)
		snprintf(text, len, "%s", why);
	else if (buf_len(&x->name) == 0)
		snprintf(text, len, "dmsgpty: Exec: empty command name");
	else if (buf_len(&x->in) > NET_STDIN_MAX)
		snprintf(text, len, "dmsgpty: Exec: stdin %zu > max %u",
		    buf_len(&x->in), NET_STDIN_MAX);
	else if (g->captured + buf_len(&x->in) > NET_CAPTURE_MAX)
		snprintf(text, len,
		    "dmsgpty: Exec: the connection's commands "
		    "hold too much already");
	else
		return true;
	return false;
}

static struct gathered *
net_gather_free_slot(struct net_gather *g)
{
	for (size_t i = 0; i < PRIV_EXECS_MAX; i++)
		if (g->exec[i].state == EXEC_FREE)
			return &g->exec[i];
	return NULL;
}

static int
net_gather_prepare(struct net_gather *g, struct gathered *e, struct rpc_call *c)
{
	struct rpc_exec *x = &c->arg.exec;

	e->all = g;
	e->seq = c->seq;
	e->turn = g->turns++;
	e->in.fd = e->out.fd = e->err.fd = -1;
	buf_init(&e->in.data, NET_STDIN_MAX);
	buf_init(&e->out.data, NET_GATHER_MAX);
	buf_init(&e->err.data, NET_GATHER_MAX);
	e->begun_ms = now_ms();
	e->name = strndup((const char *)buf_ptr(&x->name), buf_len(&x->name));
	e->state = EXEC_STARTING;
	g->captured += buf_len(&x->in);
	return e->name == NULL ?
	    SKY_ERR_NOMEM :
	    buf_put(&e->in.data, buf_ptr(&x->in), buf_len(&x->in));
}

void
net_gather_call(struct net_gather *g, struct rpc_call *c,
    const struct mux_session *wishes)
{
	struct gathered *e;
	char text[128];

	if (!net_gather_acceptable(g, &c->arg.exec, text, sizeof(text))) {
		net_rpc_fail(g->rpc, c->method, c->seq, "%s", text);
		return;
	}
	if ((e = net_gather_free_slot(g)) == NULL) {
		net_rpc_fail(g->rpc, c->method, c->seq,
		    "dmsgpty: Exec: more than %d commands at once",
		    PRIV_EXECS_MAX);
		return;
	}
	if (net_gather_prepare(g, e, c) != 0)
		channel_fatal(g->rpc->ch, "out of memory");
	if (mon_exec_start(g->rpc->ch, &c->arg.exec,
		net_gather_timeout(&c->arg.exec), buf_len(&c->arg.exec.in) != 0,
		wishes) != 0) {
		net_rpc_fail(g->rpc, c->method, c->seq,
		    "fork/exec %s: argument list too long", e->name);
		net_gather_forget(e);
	}
}

static int
net_gather_open(struct gathered *e, struct privmsg *m)
{
	struct event_base *base = e->all->rpc->ch->base;
	int r;

	if ((r = buf_get_u32(&m->body, &e->handle)) != 0)
		return r;
	e->state = EXEC_RUNNING;
	if ((r = net_pipe_open(&e->out, base, privmsg_take_fd(m, 0), EV_READ,
		 net_gather_on_output, e)) != 0 ||
	    (r = net_pipe_open(&e->err, base, privmsg_take_fd(m, 1), EV_READ,
		 net_gather_on_output, e)) != 0)
		return r;
	if (buf_len(&e->in.data) == 0)
		return 0;
	return net_pipe_open(&e->in, base, privmsg_take_fd(m, 2), EV_WRITE,
	    net_gather_on_stdin, e);
}

/* A command that could not be started is a result, not an error. */
static int
net_gather_not_started(struct gathered *e, const char *why)
{
	char text[PRIVMSG_TEXT_MAX];

	snprintf(text, sizeof(text), "dmsgpty: exec %s: %s\n", e->name, why);
	e->how = PRIV_SIGNALED;
	e->state = EXEC_OVER;
	e->all->captured += strlen(text);
	return buf_put(&e->err.data, text, strlen(text));
}

/* Whose answer comes next; NULL: none is awaited. */
static struct gathered *
net_gather_first(struct net_gather *g)
{
	struct gathered *first = NULL;

	for (size_t i = 0; i < PRIV_EXECS_MAX; i++)
		if (g->exec[i].state == EXEC_STARTING &&
		    (first == NULL || g->exec[i].turn < first->turn))
			first = &g->exec[i];
	return first;
}

int
net_gather_started(struct net_gather *g, struct privmsg *m)
{
	struct gathered *e;
	char *text = NULL;
	int r;

	if ((e = net_gather_first(g)) == NULL)
		return SKY_ERR_STATE;
	if ((r = buf_get_cstring(&m->body, &text, PRIVMSG_TEXT_MAX)) != 0)
		return r;
	r = *text != '\0' ? net_gather_not_started(e, text) :
			    net_gather_open(e, m);
	free(text);
	return r;
}

/* --- data --- */

static void
net_gather_on_stdin(evutil_socket_t fd, short what, void *arg)
{
	struct gathered *e = arg;
	ssize_t r;

	channel_stir(e->all->rpc->ch);
	r = buf_write(&e->in.data, fd);
	if (r > 0) {
		e->all->captured -= (size_t)r;
		e->bytes.in += (uint64_t)r;
	}
	if (r == SKY_ERR_AGAIN || (r > 0 && buf_len(&e->in.data) != 0))
		return;
	net_gather_free_pipe(e->all, &e->in);
}

/* Output over a limit is read and dropped, so that the command goes on. */
static ssize_t
net_gather_discard(int fd)
{
	struct buf scratch;
	ssize_t r;

	buf_init(&scratch, NET_CHUNK);
	r = buf_read(&scratch, fd, NET_CHUNK);
	buf_free(&scratch);
	return r;
}

static ssize_t
net_gather_read(struct net_gather *g, struct net_pipe *s)
{
	size_t want = NET_CHUNK;
	ssize_t r;

	if (g->captured >= NET_CAPTURE_MAX)
		want = 0;
	else if (want > NET_CAPTURE_MAX - g->captured)
		want = NET_CAPTURE_MAX - g->captured;
	if (want == 0 || buf_room(&s->data) == 0) {
		if ((r = net_gather_discard(s->fd)) > 0)
			s->cut = true;
		return r;
	}
	if ((r = buf_read(&s->data, s->fd, want)) > 0)
		g->captured += (size_t)r;
	return r;
}

static void
net_gather_over(struct gathered *e)
{
	if (e->state != EXEC_RUNNING || !e->exited || e->out.fd != -1 ||
	    e->err.fd != -1)
		return;
	channel_tell_job(e->all->rpc->ch, e->handle, &e->bytes);
	mon_exec_end(e->all->rpc->ch->mon, e->handle);
	e->state = EXEC_OVER;
}

static void
net_gather_on_output(evutil_socket_t fd, short what, void *arg)
{
	struct gathered *e = arg;
	struct net_pipe *s = fd == e->out.fd ? &e->out : &e->err;
	ssize_t r;

	channel_moved(e->all->rpc->ch);
	if ((r = net_gather_read(e->all, s)) > 0)
		e->bytes.out += (uint64_t)r;
	if (r > 0 || r == SKY_ERR_AGAIN)
		return;
	net_pipe_close(s);
	net_gather_over(e);
}

/* --- the end --- */

static void
net_gather_on_grace(evutil_socket_t fd, short what, void *arg)
{
	struct gathered *e = arg;

	channel_stir(e->all->rpc->ch);
	net_pipe_close(&e->out);
	net_pipe_close(&e->err);
	net_gather_over(e);
}

static struct gathered *
net_gather_by_handle(struct net_gather *g, uint32_t handle)
{
	for (size_t i = 0; i < PRIV_EXECS_MAX; i++)
		if (g->exec[i].state == EXEC_RUNNING &&
		    g->exec[i].handle == handle)
			return &g->exec[i];
	return NULL;
}

void
net_gather_exited(struct net_gather *g, uint32_t handle, enum priv_exit how,
    uint32_t status)
{
	struct timeval tv = { .tv_sec = GRACE_S };
	struct gathered *e;

	if ((e = net_gather_by_handle(g, handle)) == NULL)
		return;
	e->how = how;
	e->status = status;
	if (how == PRIV_TIMEDOUT && e->grace == NULL) {
		e->grace =
		    evtimer_new(g->rpc->ch->base, net_gather_on_grace, e);
		if (e->grace == NULL || event_add(e->grace, &tv) == -1)
			channel_fatal(g->rpc->ch, "out of memory");
	}
	e->exited = true;
	net_gather_over(e);
}

static void
net_gather_send(struct gathered *e)
{
	union rpc_value v = { .result = { .out = e->out.data,
				  .err = e->err.data,
				  .out_cut = e->out.cut,
				  .err_cut = e->err.cut,
				  .exit_code = e->how == PRIV_EXITED ?
				      (int64_t)e->status :
				      -1,
				  .timed_out = e->how == PRIV_TIMEDOUT,
				  .duration_ms = now_ms() - e->begun_ms } };

	net_rpc_reply(e->all->rpc, RPC_PTY_EXEC, e->seq, &v);
	net_gather_forget(e);
}

void
net_gather_room(struct net_gather *g)
{
	for (size_t i = 0; i < PRIV_EXECS_MAX; i++)
		if (g->exec[i].state == EXEC_OVER && !channel_full(g->rpc->ch))
			net_gather_send(&g->exec[i]);
}
