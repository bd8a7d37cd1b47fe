/* SPDX-License-Identifier: ISC */
/* Connections by a hub: when, where it is, and how one begins. */
#ifndef CLIENT_HUB_HUB_CONN_H
#define CLIENT_HUB_HUB_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "client/hub/hub.h"
#include "client/place.h"

struct client_options;
struct conn;
struct keyctx;

/* What the options say. */
struct hub_flags {
	/* Only one that is there, or one is made where there is none. */
	enum { HUB_NO, HUB_MAKE } master;
	/* Of its socket; NULL: the usual one; HUB_NONE. */
	const char *path;
	bool path_whole;    /* no tokens are in it any more */
	int64_t persist_ms; /* without anybody; HUB_FOREVER */
	const char *order;  /* -O, or NULL */
	bool master_given, persist_given;
};

#define HUB_NONE "none"

/*
 * Opens the service by a hub, if there is one to be used or to be made for
 * that: true, and *status is as conn_open or, optional, conn_try have it.
 * False: a connection of its own is to be made, as without hubs.
 */
bool hub_connect(struct conn *, struct keyctx *, const struct client_options *,
    const char *uri, bool optional, int *status);
/*
 * A socket that leads to the hub, which is made if the options say so and there
 * is none: 0, with *fd, or EXIT_FAILED, told.
 */
int hub_fetch(struct keyctx *, const struct client_options *, int *fd);
/* Whether the options lead to hubs at all. */
bool hub_is_wanted(const struct client_options *);

/* --- hub_place.c --- */

struct hub_place {
	struct place place;
	uint8_t id[HUB_ID_LEN];
};

/*
 * Where the hub for the destination of the options is, whom it connects as
 * among what makes it one.  0, SKY_ERR_LIMIT (no address holds the path),
 * SKY_ERR_DENIED (no folder that can be trusted), or a positive exit status,
 * told.
 */
int hub_find_place(struct hub_place *, struct keyctx *,
    const struct client_options *);

/* How a call of a hub went. */
enum hub_call {
	HUB_CALLED, /* *fd is the socket */
	HUB_ABSENT,
	HUB_OTHERS /* it is there, and not for us */
};
/* Whether a hub is there that is for this destination. */
enum hub_call hub_call(const struct hub_place *, int *fd);

/* --- hub_cmd.c --- */

/* Whether there is such an order. */
bool hub_is_order(const char *);
/* Carries it out, as -O has it: 0, EXIT_USAGE, EXIT_FAILED, told. */
int hub_order(struct keyctx *, const struct client_options *, bool as_ssh);
/*
 * An order by a socket of hub_call(): 0 with the text that is answered, or
 * EXIT_FAILED, told.
 */
int hub_ask(int fd, const char *uri, struct buf *answer);

#endif
