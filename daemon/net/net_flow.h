/* SPDX-License-Identifier: ISC */
/*
 * One command whose output flows to the peer as it comes, for the services
 * that are one command each.  What it has come to stands in it, for the service
 * to look at when it is asked for more.
 */
#ifndef DAEMON_NET_NET_FLOW_H
#define DAEMON_NET_NET_FLOW_H

#include "common/privsep/privmsg.h"
#include "common/pty/mux.h"
#include "common/pty/rpc.h"
#include "daemon/net/net_channel.h"
#include "daemon/net/net_pipe.h"

struct net_flow {
	struct channel *ch;
	enum {
		FLOW_NONE,
		FLOW_STARTING,
		FLOW_RUNNING,
		FLOW_OVER, /* to be told to the peer: the service's turn */
	} state;
	enum flow_format {
		FLOW_FRAMES, /* skypty/1/exec */
		FLOW_HTTP,   /* frames in chunks */
		FLOW_TEXT    /* chunks */
	} format;
	bool terminal; /* out is a pty's master, for input too */
	bool has_stdin;
	uint32_t handle;
	struct job_bytes bytes;
	int64_t begun_ms;
	struct net_pipe in, out, err; /* data: input that waits */
	bool in_end;		      /* nothing follows what is in in.data */
	bool in_gone;		      /* the command reads no more */
	size_t taken;		      /* by it, for the service to tell */
	bool paused;		      /* the peer takes no output now */
	bool said;		      /* output has come, since it was reset */
	int early_signal;	      /* asked for before it ran, 0 is none */
	bool exited;
	size_t rest; /* of a terminal whose command has ended */
	enum priv_exit how;
	uint32_t status;
	char *failure; /* why it could not be started */
	struct event *grace, *tick;
};

/* Nothing runs yet; the channel is kept. */
void net_flow_init(struct net_flow *, struct channel *);
/* Closes what is open; the monitor ends what still runs. */
void net_flow_free(struct net_flow *);
/* Asks the monitor for it.  SKY_ERR_LIMIT for a command that is too long. */
int net_flow_start(struct net_flow *, struct rpc_exec *, uint32_t timeout_ms,
    const struct mux_session *);
int net_flow_start_terminal(struct net_flow *, struct rpc_command *,
    const struct mux_session *);
/* It is over before it has begun. */
void net_flow_fail(struct net_flow *, const char *why);
/* The monitor's answer, or the command's end.  0 or SKY_ERR_*. */
int net_flow_told(struct net_flow *, struct privmsg *);
/* More standard input.  0, SKY_ERR_LIMIT or SKY_ERR_NOMEM. */
int net_flow_input(struct net_flow *, struct buf *);
void net_flow_input_end(struct net_flow *);
void net_flow_signal(struct net_flow *, int number);
/* Reads on, once the channel has room. */
void net_flow_room(struct net_flow *);

#endif
