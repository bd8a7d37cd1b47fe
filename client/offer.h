/* SPDX-License-Identifier: ISC */
/* Keys of ours, one after the other. */
#ifndef CLIENT_OFFER_H
#define CLIENT_OFFER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/pty/keys.h"

struct client_options;
struct conn;

#define OFFER_MAX 10 /* each that is refused costs the host a handshake */

struct offers {
	struct offer_key {
		char *file; /* NULL: it is the agent's */
		struct key_public agent;
		char pk[KEY_PUBLIC_HEX];
	} key[OFFER_MAX];
	size_t n, now;
	size_t unreached; /* of those tried now, on dmsg */
	size_t left_out;  /* beyond OFFER_MAX */
	bool taken;	  /* by the host: that one it is from now on */
};

/* One that is there already is passed over.  0, or EXIT_FAILED, told. */
int offer_add(struct offers *, struct keyctx *, const char *file);
/* A key of the agent's. */
void offer_add_agent(struct offers *, const struct key_public *);
/*
 * As conn_once, with each key in its order until the host takes one; for two
 * and more its answer has been heard.
 */
int offer_open(struct conn *, struct keyctx *, const struct client_options *,
    const char *uri, bool optional);
void offer_free(struct offers *);

#endif
