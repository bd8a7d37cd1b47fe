/* SPDX-License-Identifier: ISC */
/*
 * dmsgpty/pty, the original's service: net/rpc with the calls of a terminal
 * and of commands whose output is gathered.  PROTOCOL.pty 6, 7.1.
 */
#include <stdlib.h>

#include "common/base/err.h"
#include "daemon/net/net_gather.h"
#include "daemon/net/net_mon.h"
#include "daemon/net/net_rpc.h"
#include "daemon/net/net_service.h"
#include "daemon/net/net_term.h"

struct net_pty {
	struct net_rpc rpc;
	struct net_term *term;
	struct net_gather *commands;
	struct mux_session wishes;
};

static int
net_pty_begin(struct channel *ch, struct buf *query)
{
	struct net_pty *p;
	int r;

	if ((ch->state = p = calloc(1, sizeof(*p))) == NULL)
		return SKY_ERR_NOMEM;
	if ((r = mux_session_query(query, &p->wishes)) != 0 ||
	    (r = net_rpc_init(&p->rpc, ch, RPC_SERVICE_PTY)) != 0)
		return r;
	channel_limit(ch, &p->wishes);
	if ((p->term = net_term_new(&p->rpc)) == NULL ||
	    (p->commands = net_gather_new(&p->rpc)) == NULL)
		return SKY_ERR_NOMEM;
	channel_accept(ch);
	return 0;
}

static size_t
net_pty_held(const struct channel *ch)
{
	const struct net_pty *p = ch->state;

	if (p->term == NULL || p->commands == NULL)
		return 0;
	return net_term_held(p->term) + net_gather_held(p->commands);
}

static void
net_pty_end(struct channel *ch)
{
	struct net_pty *p = ch->state;

	net_term_free(p->term);
	net_gather_free(p->commands);
	net_rpc_free(&p->rpc);
	free(p);
}

static void
net_pty_call(struct net_pty *p, struct rpc_call *c)
{
	switch (c->method) {
	case RPC_PTY_START:
		net_term_start(p->term, c, &p->wishes);
		break;
	case RPC_PTY_STOP:
		net_term_stop(p->term, c);
		break;
	case RPC_PTY_READ:
		net_term_read(p->term, c);
		break;
	case RPC_PTY_WRITE:
		net_term_write(p->term, c);
		break;
	case RPC_PTY_SETSIZE:
		net_term_set_size(p->term, c);
		break;
	case RPC_PTY_EXEC:
		net_gather_call(p->commands, c, &p->wishes);
		break;
	default: /* Ping: RPC_SERVICE_PTY has no other */
		net_rpc_reply(&p->rpc, c->method, c->seq, NULL);
	}
}

static void
net_pty_input(struct channel *ch)
{
	struct net_pty *p = ch->state;
	struct rpc_call c;

	while (net_rpc_next(&p->rpc, &c))
		net_pty_call(p, &c);
}

static void
net_pty_room(struct channel *ch)
{
	struct net_pty *p = ch->state;

	net_term_room(p->term);
	net_gather_room(p->commands);
}

static int
net_pty_exited(struct net_pty *p, struct buf *b)
{
	struct mon_exited e;
	int r;

	if ((r = mon_get_exited(b, &e)) != 0)
		return r;
	net_term_exited(p->term, e.handle);
	net_gather_exited(p->commands, e.handle, e.how, e.status);
	return 0;
}

static int
net_pty_told(struct channel *ch, struct privmsg *m)
{
	struct net_pty *p = ch->state;

	switch (m->type) {
	case PM_PTY_START + 1:
		return net_term_started(p->term, m);
	case PM_PTY_STOP + 1:
		return net_term_stopped(p->term);
	case PM_EXEC_START + 1:
		return net_gather_started(p->commands, m);
	case PM_EXITED:
		return net_pty_exited(p, &m->body);
	}
	return SKY_ERR_STATE;
}

const struct service_ops net_pty_ops = {
	.begin = net_pty_begin,
	.input = net_pty_input,
	.room = net_pty_room,
	.told = net_pty_told,
	.held = net_pty_held,
	.end = net_pty_end,
};
