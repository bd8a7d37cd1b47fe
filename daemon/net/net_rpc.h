/* SPDX-License-Identifier: ISC */
/* Calls of a channel that carries net/rpc, and the replies to them. */
#ifndef DAEMON_NET_NET_RPC_H
#define DAEMON_NET_NET_RPC_H

#include <stdbool.h>
#include <stdint.h>

#include "common/pty/rpc.h"
#include "daemon/net/net_channel.h"

struct net_rpc {
	struct channel *ch;
	struct rpc_host *host;
};

/* With the methods of an RPC_SERVICE_*.  0 or SKY_ERR_NOMEM. */
int net_rpc_init(struct net_rpc *, struct channel *, unsigned methods);
void net_rpc_free(struct net_rpc *);
/* The next call that is to be carried out now; false when there is none. */
bool net_rpc_next(struct net_rpc *, struct rpc_call *);
void net_rpc_reply(struct net_rpc *, enum rpc_method, uint64_t seq,
    const union rpc_value *);
void net_rpc_fail(struct net_rpc *, enum rpc_method, uint64_t seq, const char *,
    ...) __attribute__((format(printf, 4, 5)));

#endif
