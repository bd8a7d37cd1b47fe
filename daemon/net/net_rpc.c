/* SPDX-License-Identifier: ISC */
/* Calls of a connection's RPC service, and the replies to them. */
#include "daemon/net/net.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/base/err.h"

static void
ping(struct net *n, struct rpc_call *c)
{
	rpc_reply(n, c->method, c->seq, NULL);
}

static void (*const methods[RPC_METHODS])(struct net *, struct rpc_call *) = {
	[RPC_PTY_START] = pty_start,
	[RPC_PTY_STOP] = pty_stop,
	[RPC_PTY_READ] = pty_read,
	[RPC_PTY_WRITE] = pty_write,
	[RPC_PTY_SETSIZE] = pty_set_size,
	[RPC_PTY_EXEC] = exec_call,
	[RPC_PTY_PING] = ping,
	[RPC_WL_LIST] = wl_call,
	[RPC_WL_ADD] = wl_call,
	[RPC_WL_REMOVE] = wl_call,
};

int
rpc_begin(struct net *n, unsigned service)
{
	return (n->rpc = rpc_host_new(service)) != NULL ? 0 : SKY_ERR_NOMEM;
}

void
rpc_reply(struct net *n, enum rpc_method method, uint64_t seq,
    const union rpc_value *value)
{
	if (rpc_host_reply(n->rpc, &n->link.out, method, seq, value) != 0)
		net_end(n, "a reply does not fit");
}

void
rpc_fail(struct net *n, enum rpc_method method, uint64_t seq, const char *fmt,
    ...)
{
	char text[PRIVMSG_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (rpc_host_error(n->rpc, &n->link.out, method, seq, text) != 0)
		net_end(n, "a reply does not fit");
}

void
rpc_process(struct net *n)
{
	struct rpc_call call;
	int r = 0;

	while (!net_busy(n) &&
	    (r = rpc_host_next(n->rpc, &n->link.in, &n->link.out, &call)) == 1)
		methods[call.method](n, &call);
	if (r < 0)
		net_end(n, "bad call: %s", err_text(r));
	link_flush(n);
}
