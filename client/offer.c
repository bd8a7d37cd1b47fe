/* SPDX-License-Identifier: ISC */
/*
 * Several keys of ours.  A connection proves one, so that each has its own, in
 * the order in which they are given, until the host takes one.  Only a refusal
 * leads to the next: a host that is slow would get another key than the one
 * that it takes first.
 */
#include "client/offer.h"
#include "client/complain.h"
#include "client/conn.h"
#include "client/dest.h"
#include "client/dmsg/dmsg.h"
#include "client/exits.h"
#include "client/identity.h"
#include "client/options.h"

#include <stdlib.h>
#include <string.h>

#include "common/pty/keys.h"

/* A new row, or NULL: it is there already, or one too many. */
static struct offer_key *
offer_row(struct offers *f, const char pk[KEY_PUBLIC_HEX])
{
	struct offer_key *k = &f->key[f->n];

	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->key[i].pk, pk) == 0)
			return NULL;
	if (f->n == OFFER_MAX) {
		f->left_out++;
		return NULL;
	}
	*k = (struct offer_key){ .file = NULL };
	memcpy(k->pk, pk, sizeof(k->pk));
	return k;
}

void
offer_add_agent(struct offers *f, const struct key_public *agent)
{
	char pk[KEY_PUBLIC_HEX];
	struct offer_key *k;

	key_text(agent, pk);
	if ((k = offer_row(f, pk)) == NULL)
		return;
	k->agent = *agent;
	f->n++;
}

static const char *
offer_name(const struct offer_key *k)
{
	return k->file != NULL ? k->file : "the agent";
}

int
offer_add(struct offers *f, struct keyctx *ctx, const char *file)
{
	char pk[KEY_PUBLIC_HEX];
	struct offer_key *k;
	int r;

	if ((r = identity_public(ctx, file, pk)) != 0)
		return r;
	if ((k = offer_row(f, pk)) == NULL)
		return 0;
	if ((k->file = strdup(file)) == NULL)
		return EXIT_FAILED;
	f->n++;
	return 0;
}

void
offer_free(struct offers *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->key[i].file);
	*f = (struct offers){ .n = 0 };
}

static int
offer_refused(const struct offers *f, const struct client_options *o)
{
	bool tcp = o->dest.kind == DEST_TCP;

	if (f->unreached == f->n) {
		complain("dmsg port %u of the host: %s", o->dest.dmsg_port,
		    dmsg_unreached);
		return EXIT_FAILED;
	}
	for (size_t i = 0; i < f->n; i++)
		complain(tcp ?
			"%s: your key %s is not on the host's whitelist" :
			"%s: request rejected by remote dmsgpty-host: "
			"is your key %s on its whitelist?",
		    offer_name(&f->key[i]), f->key[i].pk);
	if (f->left_out != 0)
		complain("%zu more keys were not tried: no more than %d are",
		    f->left_out, OFFER_MAX);
	return EXIT_FAILED;
}

/*
 * A host on dmsg that has heard too much of strangers by that server turns them
 * away unheard, for a while, and with them a key of ours that it does not know:
 * that another one is known to it would not be found out.
 */
static bool
offer_unreached(struct offers *f, struct conn *c)
{
	if (!c->unreached)
		return false;
	f->unreached++;
	if (f->now + 1 < f->n)
		conn_close(c);
	return true;
}

/*
 * Whether the host has taken the key.  By TCP it ends the connection of another
 * and says a word only to one that it knows; by dmsg it says no to both a key
 * and a service.
 */
static int
offer_heard(struct conn *c, const struct client_options *o, bool *taken)
{
	int r;

	if ((r = conn_hear(c)) != 0)
		return r;
	*taken = c->accepted || (c->rejected && o->dest.kind == DEST_TCP);
	return 0;
}

int
offer_open(struct conn *c, struct keyctx *ctx, const struct client_options *o,
    const char *uri, bool optional)
{
	struct offers *f = o->offer;
	int r;

	if (f == NULL || f->taken)
		return conn_once(c, ctx, o, uri, optional);
	f->unreached = 0;
	for (f->now = 0; f->now < f->n; f->now++) {
		r = conn_once(c, ctx, o, uri, optional);
		if (offer_unreached(f, c))
			continue;
		if (r != 0 || (r = offer_heard(c, o, &f->taken)) != 0)
			return r;
		if (f->taken && c->rejected && !optional)
			return conn_rejected(c);
		if (f->taken)
			return 0;
		if (o->verbose)
			complain("%s: the host refuses it",
			    offer_name(&f->key[f->now]));
		if (f->now + 1 < f->n)
			conn_close(c);
	}
	f->now = 0;
	/* It may as well be the service: the caller knows another one. */
	return c->rejected && optional ? 0 : offer_refused(f, o);
}
