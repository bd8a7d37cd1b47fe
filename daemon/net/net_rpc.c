/* SPDX-License-Identifier: ISC */
/* Calls of a channel that carries net/rpc, and the replies to them. */
#include "daemon/net/net_rpc.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/base/err.h"
#include "common/privsep/privmsg.h"

int
net_rpc_init(struct net_rpc *rpc, struct channel *ch, unsigned methods)
{
	rpc->ch = ch;
	return (rpc->host = rpc_host_new(methods)) != NULL ? 0 : SKY_ERR_NOMEM;
}

void
net_rpc_free(struct net_rpc *rpc)
{
	rpc_host_free(rpc->host);
	rpc->host = NULL;
}

bool
net_rpc_next(struct net_rpc *rpc, struct rpc_call *call)
{
	struct channel *ch = rpc->ch;
	int r;

	if (!channel_ready(ch))
		return false;
	if ((r = rpc_host_next(rpc->host, ch->in, ch->out, call)) < 0)
		channel_fault(ch, "bad call: %s", err_text(r));
	return r == 1;
}

void
net_rpc_reply(struct net_rpc *rpc, enum rpc_method method, uint64_t seq,
    const union rpc_value *value)
{
	if (rpc_host_reply(rpc->host, rpc->ch->out, method, seq, value) != 0)
		channel_fatal(rpc->ch, "a reply does not fit");
}

void
net_rpc_fail(struct net_rpc *rpc, enum rpc_method method, uint64_t seq,
    const char *fmt, ...)
{
	char text[PRIVMSG_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (rpc_host_error(rpc->host, rpc->ch->out, method, seq, text) != 0)
		channel_fatal(rpc->ch, "a reply does not fit");
}
