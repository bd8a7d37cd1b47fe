/* SPDX-License-Identifier: ISC */
/* The requests of forwarded connections.  See PROTOCOL, "Forwarding". */
#ifndef COMMON_PTY_MUX_FORWARD_H
#define COMMON_PTY_MUX_FORWARD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/pty/mux.h"

/* Client to host: connect there; listen there, on a channel only. */
#define MUX_URI_FORWARD "skypty/1/forward"
#define MUX_URI_LISTEN	"skypty/1/listen"
/* Host to client, a channel for each connection that is accepted there. */
#define MUX_URI_ACCEPTED "skypty/1/accepted"

/* Where to connect or to listen. */
struct mux_place {
	bool is_path;		    /* of a Unix socket */
	char name[MUX_URI_MAX + 1]; /* host, address or path */
	uint16_t port;		    /* not of a path; to listen 0 is any */
};

/* What was accepted, and for whom. */
struct mux_accepted {
	uint32_t id; /* of the listener, as the client has said it */
	char from[MUX_URI_MAX + 1];
	uint16_t port; /* of the one who called; a path has none: 0 */
};

/* All that write return 0, or SKY_ERR_LIMIT for what no request can hold. */
int mux_forward_uri(char uri[MUX_URI_MAX + 1], const struct mux_place *);
int mux_listen_uri(char uri[MUX_URI_MAX + 1], uint32_t id,
    const struct mux_place *);
int mux_accepted_uri(char uri[MUX_URI_MAX + 1], const struct mux_accepted *);
/*
 * All that read return 0 or SKY_ERR_FORMAT.  A place to connect to has a name
 * that is not empty, and a port.
 */
int mux_forward_query(struct buf *query, struct mux_place *);
int mux_listen_query(struct buf *query, uint32_t *id, struct mux_place *);
int mux_accepted_query(struct buf *query, struct mux_accepted *);

#endif
