/* SPDX-License-Identifier: ISC */
/* The terminal of the pty service: Start, Stop, Read, Write, SetPtySize. */
#ifndef DAEMON_NET_NET_TERM_H
#define DAEMON_NET_NET_TERM_H

#include "common/privsep/privmsg.h"
#include "common/pty/mux.h"
#include "daemon/net/net_rpc.h"

/*
 * More than a terminal holds (Linux: 640 KiB at most).  Whoever goes on writing
 * when the shell has ended is not listened to any longer.
 */
#define NET_REST_MAX (1024U * 1024)

struct net_term;
/* NULL without memory. */
struct net_term *net_term_new(struct net_rpc *);
void net_term_free(struct net_term *);
void net_term_start(struct net_term *, struct rpc_call *,
    const struct mux_session *);
void net_term_stop(struct net_term *, struct rpc_call *);
void net_term_read(struct net_term *, struct rpc_call *);
void net_term_write(struct net_term *, struct rpc_call *);
void net_term_set_size(struct net_term *, struct rpc_call *);
/* The monitor's answers.  0 or SKY_ERR_*. */
int net_term_started(struct net_term *, struct privmsg *);
int net_term_stopped(struct net_term *);
/* That shell has ended, whoever else holds the terminal. */
void net_term_exited(struct net_term *, uint32_t handle);
/* Bytes that wait here, either way. */
size_t net_term_held(const struct net_term *);
/* Answers waiting Reads as far as output and the channel allow. */
void net_term_room(struct net_term *);

#endif
