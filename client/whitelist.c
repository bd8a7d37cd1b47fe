/* SPDX-License-Identifier: ISC */
/* skypty whitelist, whitelist-add, whitelist-remove. */
#include "client/call.h"
#include "client/commands.h"
#include "client/complain.h"
#include "client/conn.h"
#include "client/dest.h"
#include "client/exits.h"
#include "client/options.h"

#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/pty/gob.h"
#include "common/pty/keys.h"
#include "common/pty/mux.h"
#include "common/pty/rpc.h"

#define KEYS_BYTES (4U * 1024 * 1024)

static bool
whitelist_contains(const struct gob_list *keys, const struct key_public *pk)
{
	struct gob_list rest = *keys;
	struct key_public have;
	struct buf b;

	while (gob_list_next(&rest, &b) == 1)
		if (buf_get(&b, have.b, sizeof(have.b)) == 0 &&
		    key_equal(&have, pk))
			return true;
	return false;
}

/* What is given twice is meant once. */
static int
whitelist_parse_keys(struct keyctx *ctx, char **words, struct gob_list *keys)
{
	struct key_public pk;
	int r;

	buf_init(&keys->raw, KEYS_BYTES);
	for (; *words != NULL; words++) {
		if (key_parse_public(ctx, *words, &pk) != 0) {
			complain("'%s' is not a public key (66 hexadecimal "
				 "digits)",
			    *words);
			return EXIT_USAGE;
		}
		if (whitelist_contains(keys, &pk))
			continue;
		if ((r = gob_list_add(keys, pk.b, sizeof(pk.b))) != 0)
			return EXIT_FAILED;
	}
	return 0;
}

static void
whitelist_print_keys(struct gob_list *keys)
{
	char text[KEY_PUBLIC_HEX];
	struct key_public pk;
	struct buf b;

	if (keys->count == 0)
		complain("the whitelist is empty");
	while (gob_list_next(keys, &b) == 1)
		if (buf_get(&b, pk.b, sizeof(pk.b)) == 0) {
			key_text(&pk, text);
			puts(text);
		}
}

/* 0, EXIT_LOCAL for an answer that is an error, told, or EXIT_FAILED. */
static int
whitelist_call(struct conn *c, struct rpc_client *rpc, enum rpc_method method,
    const union rpc_value *arg, struct rpc_reply *reply)
{
	int r;

	if (rpc_client_call(rpc, &c->out, method, arg, NULL) != 0)
		return EXIT_FAILED;
	r = call_await(c, rpc, NULL, reply);
	if (r == 0 && reply->failed) {
		complain("%s", complain_printable(&reply->error));
		r = EXIT_LOCAL;
	}
	return r;
}

/*
 * Hosts take a key that they do not have for removed; whoever mistyped one is
 * told.  What is needed of a reply is copied: the next one overwrites it.
 */
static int
whitelist_call_remove(struct conn *c, struct rpc_client *rpc,
    const union rpc_value *keys)
{
	struct gob_list absent = { 0 }, rest = keys->keys;
	char text[KEY_PUBLIC_HEX];
	struct rpc_reply reply;
	struct key_public pk;
	struct buf b;
	int r;

	buf_init(&absent.raw, KEYS_BYTES);
	r = whitelist_call(c, rpc, RPC_WL_LIST, NULL, &reply);
	while (r == 0 && gob_list_next(&rest, &b) == 1)
		if (buf_get(&b, pk.b, sizeof(pk.b)) != 0 ||
		    (!whitelist_contains(&reply.value.keys, &pk) &&
			gob_list_add(&absent, pk.b, sizeof(pk.b)) != 0))
			r = EXIT_FAILED;
	/* A list that cannot be had is no reason to let anybody in. */
	if (r == 0 || r == EXIT_LOCAL)
		r = whitelist_call(c, rpc, RPC_WL_REMOVE, keys, &reply);
	while ((r == 0 || r == EXIT_LOCAL) && gob_list_next(&absent, &b) == 1) {
		if (buf_get(&b, pk.b, sizeof(pk.b)) != 0)
			continue;
		key_text(&pk, text);
		complain("%s is not on the whitelist", text);
		r = EXIT_LOCAL;
	}
	buf_free(&absent.raw);
	return r;
}

static int
whitelist_make_call(struct conn *c, enum rpc_method method,
    const union rpc_value *keys)
{
	struct rpc_client *rpc;
	struct rpc_reply reply;
	int r;

	if ((rpc = rpc_client_new()) == NULL)
		return EXIT_FAILED;
	if (method == RPC_WL_REMOVE)
		r = whitelist_call_remove(c, rpc, keys);
	else
		r = whitelist_call(c, rpc, method,
		    method == RPC_WL_LIST ? NULL : keys, &reply);
	if (r == 0 && method == RPC_WL_LIST)
		whitelist_print_keys(&reply.value.keys);
	rpc_client_free(rpc);
	return r;
}

static int
whitelist_serve_command(struct keyctx *ctx, struct client_options *o,
    enum rpc_method method)
{
	union rpc_value v = { .keys = { 0 } };
	struct conn c;
	int r;

	if (o->dest.kind != DEST_LOCAL) {
		complain("the whitelist is served on the host's own control "
			 "socket only; run this there");
		return EXIT_USAGE;
	}
	if ((method == RPC_WL_LIST) != (*o->command == NULL)) {
		complain(method == RPC_WL_LIST ?
			"whitelist takes no keys; there are "
			"whitelist-add and whitelist-remove" :
			"which keys?");
		return EXIT_USAGE;
	}
	if ((r = whitelist_parse_keys(ctx, o->command, &v.keys)) == 0) {
		if ((r = conn_open(&c, ctx, o, MUX_URI_WHITELIST)) == 0)
			r = whitelist_make_call(&c, method, &v);
		conn_close(&c);
	}
	buf_free(&v.keys.raw);
	return r;
}

int
whitelist_main(int argc, char **argv)
{
	struct client_options o;
	struct keyctx *ctx;
	int r;

	if ((ctx = keyctx_new()) == NULL)
		return EXIT_FAILED;
	if ((r = options_parse(&o, ctx, STYLE_SOCKET, argv[0], argc, argv)) ==
	    0)
		r = whitelist_serve_command(ctx, &o,

		    strcmp(argv[0], "whitelist-add") == 0 ? RPC_WL_ADD :
			strcmp(argv[0], "whitelist-remove") == 0 ?
							    RPC_WL_REMOVE :
							    RPC_WL_LIST);
	keyctx_free(ctx);
	return r;
}
