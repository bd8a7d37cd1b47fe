/* SPDX-License-Identifier: ISC */
/* Who we are: the key that is used. */
#ifndef CLIENT_IDENTITY_H
#define CLIENT_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/pty/keys.h"

struct client_options;

#define VISOR_CONF "/opt/skywire/skywire.json"

struct identity {
	uint8_t *sk; /* sodium_malloc'ed; zero where nobody was asked for it */
	struct key_public pk;
	const char *source;
	bool agent;	  /* which has the secret key */
	bool fresh;	  /* made for this process */
	bool public_only; /* nobody is asked for a passphrase */
};

/* As the options say.  0, EXIT_FAILED or EXIT_USAGE, told. */
int identity_find(struct identity *, struct keyctx *,
    const struct client_options *);
/*
 * Where nothing says which key: those of the agent, the own file's first, and
 * that file, if it has another one.  No offers without an agent.  0, or
 * EXIT_FAILED, told.
 */
struct offers;
int identity_offers(struct offers *, struct keyctx *,
    const struct client_options *);
/* Wipes the secret key. */
void identity_free(struct identity *);
/* That of a file, which needs no passphrase.  0, or EXIT_FAILED, told. */
int identity_public(struct keyctx *, const char *path, char pk[KEY_PUBLIC_HEX]);
/* ~/.config/skypty/NAME, malloc'ed; NULL without a home. */
char *user_file(const char *name);

#endif
