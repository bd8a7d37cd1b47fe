/* SPDX-License-Identifier: ISC */
/* pty.Exec: commands on pipes, the output of each gathered into one reply. */
#ifndef DAEMON_NET_NET_GATHER_H
#define DAEMON_NET_NET_GATHER_H

#include "common/privsep/privmsg.h"
#include "common/pty/mux.h"
#include "daemon/net/net_rpc.h"

#define NET_GATHER_MAX	(16U * 1024 * 1024)  /* kept of stdout, of stderr */
#define NET_CAPTURE_MAX (128U * 1024 * 1024) /* kept of all commands */

struct net_gather;
/* NULL without memory. */
struct net_gather *net_gather_new(struct net_rpc *);
void net_gather_free(struct net_gather *);
void net_gather_call(struct net_gather *, struct rpc_call *,
    const struct mux_session *);
/* The monitor's answer.  0 or SKY_ERR_*. */
int net_gather_started(struct net_gather *, struct privmsg *);
void net_gather_exited(struct net_gather *, uint32_t handle, enum priv_exit,
    uint32_t status);
/* Bytes of all of them that wait here. */
size_t net_gather_held(const struct net_gather *);
/* Sends results that waited for room. */
void net_gather_room(struct net_gather *);

#endif
