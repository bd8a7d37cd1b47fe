/* SPDX-License-Identifier: ISC */
/*
 * The confined child of one connection: it reads what the network says, asks
 * the monitor for whatever needs a right, and moves bytes between the network
 * and the descriptors that the monitor hands down.  Services know nothing of
 * this, but their channel.
 *
 * Memory of one connection is bounded by the limits of its parts.  One with a
 * service of its own: 13 MiB for parsing and queues, one answer of at most 33
 * MiB, plus NET_CAPTURE_MAX for output of commands, held only while commands
 * run: 210 MiB at the very worst, with buffers half full.
 *
 * One with channels: 0.4 MiB for the connection; for each channel 1 KiB, and
 * while it is used what its service holds: a shell 2.5 MiB (XS_WINDOW of what
 * was typed and not read, a window and NET_STREAM_HIGH twice), a socket 0.4
 * MiB.  All of them together hold NET_CHANNELS_HELD, twice that with buffers
 * half full: who holds most is reset.
 */
#ifndef DAEMON_NET_NET_H
#define DAEMON_NET_NET_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/privsep/privmsg.h"
#include "common/pty/mux.h"
#include "daemon/net/net_channel.h"
#include "daemon/net/net_link.h"

struct net {
	enum {
		NET_HANDSHAKE,
		NET_MUX, /* a service is asked for, and answers */
		NET_SERVICE,
		NET_FINISHING, /* our last bytes leave, then the end */
		NET_LINGERING  /* waiting for the peer's end */
	} state;
	struct event_base *base;
	struct net_link link;
	int monitor;
	struct privmsg msg;
	struct event *monitor_ev, *timer;
	enum priv_carrier carrier;
	bool requested; /* KK: the first of its two questions is put */
	bool asked;	/* the monitor's word about the peer is awaited */
	uint8_t rest[MUX_URI_MAX]; /* of the URI, behind the user */
	size_t nrest;
	bool ended; /* the service has heard of the peer's end */
	struct net_peer peer;
	struct channel channel; /* the connection's own */
};

/*
 * A connection that is not read from yet.  NULL without memory: then the
 * process is of no use any more, and nothing is freed.
 */
struct net *net_new(int conn, int monitor);
void net_free(struct net *);
/* Waits for the monitor's first message and confines the process. */
void net_welcome(struct net *);
/* What carries it: the monitor's word about the peer differs. */
void net_carried(struct net *, enum priv_carrier);
/*
 * One round: waits for what happens, unless flags of event_base_loop say not
 * to, and turns the wheel.  -1: nothing can happen any more.
 */
int net_round(struct net *, int flags);

/* --- for net_auth.c --- */

/* The one timer of the state; 0 seconds stops it. */
void net_timer(struct net *, int seconds);
/* Logs an error and ends the process. */
__attribute__((noreturn)) void net_end(struct net *, const char *reason, ...)
    __attribute__((format(printf, 2, 3)));

/* --- net_auth.c: who the peer is --- */

/* Takes a message of the handshake to the monitor, if one has come. */
void net_auth_input(struct net *);
/* What the monitor says of it.  0 or SKY_ERR_*. */
int net_auth_told(struct net *, struct privmsg *);
/* The control socket's caller is allowed. */
int net_auth_control(struct net *, struct privmsg *);

#endif
