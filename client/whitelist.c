/* SPDX-License-Identifier: ISC */
/* skypty whitelist, whitelist-add, whitelist-remove. */
#include "client/skypty.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/mux.h"

#define KEYS_BYTES (4U * 1024 * 1024)

static int
read_keys(struct keyctx *ctx, char **words, struct gob_list *keys)
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
		if ((r = gob_list_add(keys, pk.b, sizeof(pk.b))) != 0)
			return EXIT_FAILED;
	}
	return 0;
}

static void
print_keys(struct gob_list *keys)
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

static int
call(struct conn *c, enum rpc_method method, const union rpc_value *arg)
{
	struct rpc_client *rpc;
	struct rpc_reply reply;
	int r;

	if ((rpc = rpc_client_new()) == NULL)
		return EXIT_FAILED;
	if (rpc_client_call(rpc, &c->out, method, arg, NULL) != 0)
		r = EXIT_FAILED;
	else
		r = call_await(c, rpc, -1, &reply);
	if (r == 0 && reply.failed) {
		complain("%s", printable(&reply.error));
		r = 1;
	} else if (r == 0 && method == RPC_WL_LIST)
		print_keys(&reply.value.keys);
	rpc_client_free(rpc);
	return r;
}

static enum rpc_method
method_of(const char *name)
{
	if (strcmp(name, "whitelist-add") == 0)
		return RPC_WL_ADD;
	return strcmp(name, "whitelist-remove") == 0 ? RPC_WL_REMOVE :
						       RPC_WL_LIST;
}

static int
run(struct keyctx *ctx, struct options *o, enum rpc_method method)
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
	if ((r = read_keys(ctx, o->command, &v.keys)) == 0) {
		if ((r = conn_open(&c, ctx, o, MUX_URI_WHITELIST)) == 0)
			r = call(&c, method, method == RPC_WL_LIST ? NULL : &v);
		conn_close(&c);
	}
	buf_free(&v.keys.raw);
	return r;
}

int
whitelist_main(int argc, char **argv)
{
	struct options o;
	struct keyctx *ctx;
	int r;

	if ((ctx = keyctx_new()) == NULL)
		return EXIT_FAILED;
	if ((r = options_parse(&o, ctx, STYLE_NONE, argc, argv)) == 0)
		r = run(ctx, &o, method_of(argv[0]));
	keyctx_free(ctx);
	return r;
}
