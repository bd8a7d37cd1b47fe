/* SPDX-License-Identifier: ISC */
/* skypty add: gives keys to the agent, lists, removes and locks them. */
#include "client/agent_call.h"
#include "client/commands.h"
#include "client/complain.h"
#include "client/exits.h"
#include "client/flags.h"
#include "client/identity.h"
#include "client/identity_file.h"
#include "client/options.h"
#include "client/passphrase.h"

#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/visible.h"
#include "common/pty/key_file.h"
#include "common/pty/keys.h"

#define EXIT_NO_AGENT 2 /* as of ssh-add */

/* One request that is answered by yes.  0 or EXIT_LOCAL, told. */
static int
add_ask(int fd, const struct agent_request *q)
{
	struct agent_answer a = { .list = NULL };
	struct buf packet;
	int r = agent_call(fd, q, &packet, &a);

	buf_free(&packet);
	return r == 0 ? 0 : EXIT_LOCAL;
}

/* --- keys --- */

/* The end of a long path says more than its beginning. */
static void
add_comment(struct agent_key *k, const char *path)
{
	size_t n = strlen(path), skip = 0;

	if (n > AGENT_COMMENT_MAX)
		skip = n - AGENT_COMMENT_MAX;
	strlcpy(k->comment, path + skip, sizeof(k->comment));
}

static int
add_give(int fd, struct keyctx *ctx, const struct identity_file *f,
    const struct client_options *o)
{
	struct agent_request q = { .type = AGENT_ADD,
		.add = { .flags = o->confirm ? AGENT_CONFIRM : 0,
		    .life = o->life } };
	uint8_t *sk = sodium_malloc(KEY_SECRET_LEN);
	int r = EXIT_LOCAL;

	q.secret = sk;
	add_comment(&q.add, f->path);
	if (sk != NULL && identity_file_open(f, ctx, o->pass_file, sk) == 0)
		r = add_ask(fd, &q);
	sodium_free(sk);
	identity_file_forget();
	if (r == 0 && !o->quiet)
		complain("added: %s", f->path);
	return r;
}

static int
add_file(int fd, struct keyctx *ctx, const char *path,
    const struct client_options *o)
{
	struct agent_request q = { .type = AGENT_REMOVE };
	struct identity_file f;
	int r;

	if (identity_file_read(&f, ctx, path) != 0)
		return EXIT_LOCAL;
	q.pk = f.key.pk;
	r = o->delete_key ? add_ask(fd, &q) : add_give(fd, ctx, &f, o);
	if (r == 0 && o->delete_key && !o->quiet)
		complain("removed: %s", path);
	identity_file_free(&f);
	return r;
}

static int
add_files(int fd, const struct client_options *o, int n, char **paths)
{
	struct keyctx *ctx = keyctx_new();
	char *own = NULL;
	int r = 0;

	if (ctx == NULL || (n == 0 && (own = user_file("identity")) == NULL)) {
		complain("no home directory; name a file");
		r = EXIT_LOCAL;
	} else if (own != NULL)
		r = add_file(fd, ctx, own, o);
	for (int i = 0; i < n; i++)
		if (add_file(fd, ctx, paths[i], o) != 0)
			r = EXIT_LOCAL;
	free(own);
	keyctx_free(ctx);
	return r;
}

/* --- the list --- */

static void
add_print(const struct agent_key *k, bool keys_only)
{
	char pk[KEY_PUBLIC_HEX], life[48] = "";

	key_text(&k->pk, pk);
	if (!keys_only && k->life != 0)
		snprintf(life, sizeof(life), ", %u seconds left", k->life);
	visible_line(stdout, "%s %s%s%s", pk, k->comment,
	    !keys_only && (k->flags & AGENT_CONFIRM) != 0 ? ", confirmed" : "",
	    life);
}

static int
add_list(int fd, bool keys_only)
{
	const struct agent_request q = { .type = AGENT_LIST };
	struct agent_list list;
	struct agent_answer a = { .list = &list };
	struct buf packet;
	int r = agent_call(fd, &q, &packet, &a);

	buf_free(&packet);
	if (r != 0)
		return EXIT_LOCAL;
	for (size_t i = 0; i < list.n; i++)
		add_print(&list.key[i], keys_only);
	if (list.n == 0)
		complain("the agent %s",
		    list.locked ? "is locked" : "has no keys");
	return list.n != 0 ? 0 : EXIT_LOCAL;
}

/* --- the lock --- */

/* The agent never hears the passphrase, and trying one costs what a file's
 * does. */
static int
add_derive(const char *pass, const uint8_t *salt, uint8_t *hash)
{
	if (crypto_pwhash(hash, AGENT_HASH_LEN, pass, strlen(pass), salt,
		key_cost_default.passes, (size_t)key_cost_default.memory * 1024,
		crypto_pwhash_ALG_ARGON2ID13) == 0)
		return 0;
	complain("out of memory");
	return EXIT_LOCAL;
}

static int
add_lock_with(int fd, const struct client_options *o, char *pass, uint8_t *hash)
{
	const struct agent_request ask = { .type = AGENT_SALT };
	struct agent_request q = { .type = o->lock ? AGENT_LOCK : AGENT_UNLOCK,
		.secret = hash };
	struct agent_answer a = { .list = NULL };
	struct buf packet;
	int r;

	if (o->pass_file != NULL)
		r = passphrase_from_file(pass, o->pass_file);
	else
		r = o->lock ? passphrase_ask_new(pass) :
			      passphrase_ask(pass, "Passphrase: ");
	if (r == 0 && *pass == '\0') {
		complain("nothing is locked without a passphrase");
		r = EXIT_LOCAL;
	}
	if (r != 0)
		return r;
	if ((r = agent_call(fd, &ask, &packet, &a)) == 0)
		r = add_derive(pass, a.salt, hash);
	buf_free(&packet);
	if (r == 0 && (r = add_ask(fd, &q)) == 0 && !o->quiet)
		complain("the agent is %s", o->lock ? "locked" : "unlocked");
	return r != 0 ? EXIT_LOCAL : 0;
}

static int
add_lock(int fd, const struct client_options *o)
{
	char *pass = passphrase_new();
	uint8_t *hash = sodium_malloc(AGENT_HASH_LEN);
	int r = EXIT_LOCAL;

	if (pass != NULL && hash != NULL)
		r = add_lock_with(fd, o, pass, hash);
	passphrase_free(pass);
	sodium_free(hash);
	return r;
}

static int
add_do(int fd, const struct client_options *o, int n, char **paths)
{
	const struct agent_request all = { .type = AGENT_REMOVE_ALL };
	int r;

	if (o->list || o->list_keys)
		return add_list(fd, o->list_keys);
	if (o->lock || o->unlock)
		return add_lock(fd, o);
	if (!o->delete_all)
		return add_files(fd, o, n, paths);
	if ((r = add_ask(fd, &all)) == 0 && !o->quiet)
		complain("all keys are removed");
	return r;
}

int
add_main(int argc, char **argv)
{
	struct client_options o;
	int fd, r, acts;

	options_init(&o);
	if ((r = flags_take(&o, STYLE_ADD, argv[0], argc, argv, NULL)) != 0)
		return r;
	acts = o.list + o.list_keys + o.lock + o.unlock + o.delete_all;
	if (acts + o.delete_key > 1 || (acts != 0 && optind < argc) ||
	    (acts + o.delete_key != 0 && (o.confirm || o.life != 0))) {
		complain("add: -d, -D, -l, -L, -x and -X exclude each other; "
			 "-c and -t are of keys that are added, and files are "
			 "added or, with -d, removed");
		return EXIT_USAGE;
	}
	if ((fd = agent_open()) == -1)
		return EXIT_NO_AGENT;
	r = add_do(fd, &o, argc - optind, argv + optind);
	close(fd);
	return r;
}
