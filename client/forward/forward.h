/* SPDX-License-Identifier: ISC */
/*
 * What a hub forwards: orders of its user's, which add forwards and take them
 * away, and the connections that come back for them.  Nothing is connected to
 * here but what such an order has named.
 *
 * Memory: a forward at most 4 KiB, FORWARDS_MAX of them; who has not said yet
 * by SOCKS where to, 3 KiB, FORWARD_GUESTS_MAX of them; a connection to be
 * made here 1 KiB, of which the hub lets no more arrive than it has room for.
 */
#ifndef CLIENT_FORWARD_FORWARD_H
#define CLIENT_FORWARD_FORWARD_H

#include <stdbool.h>

#include "client/forward/forward_spec.h"
#include "common/pty/mux.h"

struct buf;
struct hub;
struct hub_peer;

#define FORWARDS_MAX	    256
#define FORWARD_GUESTS_MAX  256
#define FORWARD_HELPERS_MAX 32 /* processes that look up names */

/* Orders; the text of each is what forward_order_uri() makes. */
#define HUB_URI_FORWARD	 "skypty/1/hub/forward"
#define HUB_URI_CANCEL	 "skypty/1/hub/cancel"
#define HUB_URI_FORWARDS "skypty/1/hub/forwards" /* a list */

/* What an order to add one says besides. */
enum {
	FORWARD_HOLD = 1,  /* for as long as who has ordered it is there */
	FORWARD_UNLINK = 2 /* a socket that is in the way is taken away */
};

/* To add one, or to cancel one that listens there.  0 or SKY_ERR_LIMIT. */
int forward_order_uri(char uri[MUX_URI_MAX + 1], const char *order,
    const struct forward_spec *, int how);

/* --- rows of the hub's tables --- */

/*
 * Answered when it stands, by a line, with the port of one that listens there.
 * Whoever holds it is told, a line each, what goes wrong with its connections.
 */
void forward_on_add(struct hub *, struct hub_peer *, struct buf *query);
void forward_on_cancel(struct hub *, struct hub_peer *, struct buf *query);
/* A line for each: "L localhost:8080:host:80". */
void forward_on_list(struct hub *, struct hub_peer *, struct buf *query);
/* The host has accepted a connection for one. */
void forward_on_arrival(struct hub *, struct hub_peer *, struct buf *query);

/* The hub is over: they all are. */
void forward_end(struct hub *);

#endif
