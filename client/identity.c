/* SPDX-License-Identifier: ISC */
/*
 * Whose key is used: --sk, -i, DMSGPTY_SK, the local visor's, our own file, a
 * random one.  PROTOCOL.pty 11.8.
 */
#include "client/identity.h"
#include "client/agent_call.h"
#include "client/complain.h"
#include "client/exits.h"
#include "client/identity_file.h"
#include "client/offer.h"
#include "client/options.h"

#include <errno.h>
#include <pwd.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/privsep/config.h"
#include "common/pty/keys.h"

char *
user_file(const char *name)
{
	const char *home = getenv("HOME");
	const struct passwd *pw;
	char *path;

	if ((home == NULL || *home == '\0') &&
	    (pw = getpwuid(getuid())) != NULL)
		home = pw->pw_dir;
	if (home == NULL ||
	    asprintf(&path, "%s/.config/skypty/%s", home, name) == -1)
		return NULL;
	return path;
}

void
identity_free(struct identity *id)
{
	sodium_free(id->sk);
	id->sk = NULL;
}

static int
identity_from_text(struct identity *id, struct keyctx *ctx, const char *text,
    const char *source)
{
	id->source = source;
	return key_parse_secret(ctx, text, id->sk);
}

static int
identity_from_file(struct identity *id, struct keyctx *ctx, const char *path)
{
	struct identity_file f;
	int r;

	if ((r = identity_file_read(&f, ctx, path)) != 0)
		return r;
	id->source = path;
	id->pk = f.key.pk;
	/* What lies open on the disk is no safer in the agent. */
	id->agent = f.key.kind != KEY_FILE_PLAIN && agent_holds(&f.key.pk);
	r = id->public_only || id->agent ?
	    0 :
	    identity_file_open(&f, ctx, NULL, id->sk);
	identity_file_free(&f);
	return r;
}

static void
identity_say_visor(void *arg, bool fatal, const char *text)
{
	(void)arg, (void)fatal;
	complain("the visor's key is not used: %s", text);
}

/* A visor that is not there is not worth a word. */
static bool
identity_from_visor(struct identity *id, struct keyctx *ctx,
    const struct client_options *o)
{
	struct config_report report = { .say = o->quiet ? NULL :
							  identity_say_visor };
	uint8_t *sk;

	if (access(VISOR_CONF, F_OK) == -1) {
		if (o->verbose)
			complain("no visor here (%s)", VISOR_CONF);
		return false;
	}
	if (config_visor_sk(ctx, VISOR_CONF, &sk, &report) != 0)
		return false;
	sodium_free(id->sk);
	id->sk = sk;
	id->source = VISOR_CONF;
	return true;
}

/* DMSGPTY_SK with a mistake: said, and passed over. */
static bool
identity_from_environment(struct identity *id, struct keyctx *ctx)
{
	const char *text = getenv("DMSGPTY_SK");

	if (text == NULL || *text == '\0')
		return false;
	if (identity_from_text(id, ctx, text, "DMSGPTY_SK") == 0)
		return true;
	complain("DMSGPTY_SK is not a secret key and is not used");
	return false;
}

/* Its public key, which asks for nothing; no word if there is none. */
static bool
identity_own_public(struct keyctx *ctx, struct key_public *pk, char **path)
{
	struct identity_file f;

	*path = user_file("identity");
	if (*path == NULL || access(*path, F_OK) == -1 ||
	    identity_file_read(&f, ctx, *path) != 0)
		return false;
	*pk = f.key.pk;
	identity_file_free(&f);
	return true;
}

/* Whether it is among them. */
static bool
identity_prefer_own(struct keyctx *ctx, struct agent_list *list)
{
	struct agent_key first = list->key[0];
	struct key_public own;
	bool found = false;
	char *path;

	if (identity_own_public(ctx, &own, &path))
		for (size_t i = 0; i < list->n && !found; i++)
			if (key_equal(&list->key[i].pk, &own)) {
				list->key[0] = list->key[i];
				list->key[i] = first;
				found = true;
			}
	free(path);
	return found;
}

/*
 * The agent's that may be used where nothing says which key: of several the own
 * file's first, as ssh has it, or that one alone.  False if there is none.
 */
static bool
identity_agents(struct agent_list *list, struct keyctx *ctx,
    const struct client_options *o)
{
	bool own;

	if (!agent_is_named() || !agent_get_keys(list) || list->n == 0)
		return false;
	own = identity_prefer_own(ctx, list);
	if (o->identities_only)
		list->n = own ? 1 : 0;
	return list->n != 0;
}

static int
identity_from_own_file(struct identity *id, struct keyctx *ctx, bool *found)
{
	char *path = user_file("identity");
	int r = 0;

	*found = path != NULL && access(path, F_OK) == 0;
	if (*found && (r = identity_from_file(id, ctx, path)) == 0)
		id->source = "~/.config/skypty/identity";
	free(path);
	return r;
}

static void
identity_use_agent(struct identity *id, const struct key_public *pk)
{
	id->agent = true;
	id->pk = *pk;
	id->source = "the agent";
}

static bool
identity_from_agent(struct identity *id, struct keyctx *ctx,
    const struct client_options *o)
{
	struct agent_list list;

	if (!identity_agents(&list, ctx, o))
		return false;
	identity_use_agent(id, &list.key[0].pk);
	return true;
}

static int
identity_choose(struct identity *id, struct keyctx *ctx,
    const struct client_options *o)
{
	bool found;
	int r;

	if (o->sk != NULL && *o->sk != '\0') {
		if (identity_from_text(id, ctx, o->sk, "--sk") == 0)
			return 0;
		complain("--sk: not a secret key (64 hexadecimal digits)");
		return EXIT_USAGE;
	}
	if (o->offer != NULL) {
		const struct offer_key *k = &o->offer->key[o->offer->now];

		/* ssh has one status for all that is its own fault. */
		if (k->file != NULL)
			return identity_from_file(id, ctx, k->file);
		identity_use_agent(id, &k->agent);
		return 0;
	}
	if (o->identity != NULL)
		return identity_from_file(id, ctx, o->identity) == 0 ? 0 :
		    o->duplex ? EXIT_FAILED :
				EXIT_USAGE;
	if (identity_from_environment(id, ctx))
		return 0;
	if (identity_from_agent(id, ctx, o))
		return 0;
	if (o->visor_key && identity_from_visor(id, ctx, o))
		return 0;
	if ((r = identity_from_own_file(id, ctx, &found)) != 0)
		return o->duplex ? EXIT_FAILED : EXIT_USAGE;
	if (found)
		return 0;
	id->source = "random; 'skypty keygen' makes one that stays";
	id->fresh = true;
	return key_generate(ctx, id->sk) == 0 ? 0 : EXIT_FAILED;
}

int
identity_find(struct identity *id, struct keyctx *ctx,
    const struct client_options *o)
{
	bool locked;
	int r;

	id->public_only = o->public_only;
	if ((id->sk = sodium_malloc(KEY_SECRET_LEN)) == NULL)
		return EXIT_FAILED;
	memset(id->sk, 0, KEY_SECRET_LEN);
	r = identity_choose(id, ctx, o);
	locked = sodium_is_zero(id->sk, KEY_SECRET_LEN);
	if (r == 0 && !locked && key_public(ctx, id->sk, &id->pk) != 0)
		r = EXIT_FAILED;
	if (r != 0)
		identity_free(id);
	return r;
}

int
identity_public(struct keyctx *ctx, const char *path, char pk[KEY_PUBLIC_HEX])
{
	struct identity_file f;

	if (identity_file_read(&f, ctx, path) != 0)
		return EXIT_FAILED;
	key_text(&f.key.pk, pk);
	identity_file_free(&f);
	return 0;
}

/* Whether nothing says which key. */
static bool
identity_is_open(const struct client_options *o)
{
	const char *text = getenv("DMSGPTY_SK");

	return o->offer == NULL && o->identity == NULL &&
	    (o->sk == NULL || *o->sk == '\0') &&
	    (text == NULL || *text == '\0');
}

int
identity_offers(struct offers *f, struct keyctx *ctx,
    const struct client_options *o)
{
	struct agent_list list;
	struct key_public own;
	bool held = false;
	char *path;
	int r = 0;

	if (!identity_is_open(o) || !identity_agents(&list, ctx, o))
		return 0;
	for (size_t i = 0; i < list.n; i++)
		offer_add_agent(f, &list.key[i].pk);
	if (identity_own_public(ctx, &own, &path)) {
		for (size_t i = 0; i < list.n; i++)
			held = held || key_equal(&list.key[i].pk, &own);
		if (!held)
			r = offer_add(f, ctx, path);
	}
	free(path);
	return r;
}
