/* SPDX-License-Identifier: ISC */
/*
 * What a service is: a row of net_request.c's table, and the functions that its
 * own file defines.  Each gets its channel, and returns to where the wheel is
 * turned.
 */
#ifndef DAEMON_NET_NET_SERVICE_H
#define DAEMON_NET_NET_SERVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/buf.h"
#include "common/privsep/privmsg.h"
#include "daemon/net/net_channel.h"

/*
 * begin returns 0 or SKY_ERR_*, which is the peer's fault: see channel_fault;
 * told as well, where it ends the connection.  All but begin and told may be
 * NULL: there is nothing to do.
 */
struct service_ops {
	/*
	 * Asked for, with the query of its URI.  Makes the channel's state; it
	 * accepts or rejects now or, busy until then, when it can.
	 */
	int (*begin)(struct channel *, struct buf *query);
	/* There may be input that it can go on with: see channel_ready. */
	void (*input)(struct channel *);
	/* Output has room: for what waits, if something does. */
	void (*room)(struct channel *);
	/* The monitor's answer, or that a command has ended, maybe another's.
	 */
	int (*told)(struct channel *, struct privmsg *);
	/*
	 * The peer says nothing more, and input has been called for all that it
	 * has said.  NULL: then it has left, and the channel ends.
	 */
	void (*eof)(struct channel *);
	/* Bytes that wait in buffers of its own.  NULL: none do. */
	size_t (*held)(const struct channel *);
	/* The channel has ended: frees the state. */
	void (*end)(struct channel *);
	int request_s; /* seconds for the first request to be there; 0: any */
	/*
	 * Its input goes on while its output waits: there may be a signal in
	 * it, and what it may hold is bounded otherwise.
	 */
	bool duplex;
};

/* One row: what it is called, whom and where it is offered to, what it does. */
struct service {
	const char *uri;
	uint32_t grant; /* of enum priv_grant that is needed; 0: none */
	bool remote;	/* offered to peers over TCP and dmsg */
	bool control;	/* offered on the control socket */
	bool channel;	/* offered on one of many channels */
	const struct service_ops *ops;
};

extern const struct service_ops net_pty_ops;  /* net_pty.c */
extern const struct service_ops net_http_ops; /* net_http.c */
extern const struct service_ops net_exec_ops; /* net_exec.c */
extern const struct service_ops net_sftp_ops; /* net_sftp.c */
extern const struct service_ops net_job_ops;  /* net_job.c */
extern const struct service_ops net_session_ops;
extern const struct service_ops net_forward_ops;  /* net_forward.c */
extern const struct service_ops net_listen_ops;	  /* net_listen.c */
extern const struct service_ops net_channels_ops; /* net_channels.c */
extern const struct service_ops net_wl_ops;	  /* net_wl.c */
extern const struct service_ops net_status_ops;	  /* net_status.c */
extern const struct service_ops net_conns_ops;	  /* net_conns.c */
extern const struct service_ops net_metrics_ops;
extern const struct service_ops net_kill_ops;
extern const struct service_ops net_proxy_ops; /* net_dial.c */
extern const struct service_ops net_dial_ops;

/* The rows, of which the last has no uri. */
extern const struct service net_services[];

#endif
