/* SPDX-License-Identifier: ISC */
/*
 * rpc: a host (first byte even) or a client (odd) reads any stream, once whole
 * and once byte by byte, which must come to the same.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/pty/rpc.h"

#define EVERYTHING ((1U << RPC_METHODS) - 1)
#define ROOM	   (256U * 1024)
/* Calls that a client waits for: replies to others are dropped unread. */
#define CALLS (2 * RPC_METHODS)

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* What came of a stream. */
struct result {
	int end;
	uint64_t values;
	uint64_t sum; /* over what was decoded */
};

static void
check(bool ok)
{
	if (!ok)
		abort();
}

static void
add_bytes(struct result *res, struct buf b)
{
	uint8_t c;

	res->sum = res->sum * 31 + buf_len(&b);
	while (buf_get_u8(&b, &c) == 0)
		res->sum = res->sum * 31 + c;
}

static void
add_list(struct result *res, struct gob_list list)
{
	struct buf item;
	int r;

	while ((r = gob_list_next(&list, &item)) == 1)
		add_bytes(res, item);
	check(r == 0);
}

static void
add_argument(struct result *res, const struct rpc_call *call)
{
	res->values++;
	res->sum += call->method + call->seq;
	if (call->method == RPC_PTY_START) {
		add_bytes(res, call->arg.command.name);
		add_list(res, call->arg.command.arg);
		add_list(res, call->arg.command.env);
		check(call->arg.command.size.rows <= UINT16_MAX);
	} else if (call->method == RPC_PTY_EXEC) {
		add_bytes(res, call->arg.exec.in);
		add_list(res, call->arg.exec.arg);
	} else if (call->method == RPC_PTY_WRITE) {
		add_bytes(res, call->arg.bytes);
	} else if (call->method == RPC_WL_ADD) {
		add_list(res, call->arg.keys);
	}
}

static void
add_reply(struct result *res, const struct rpc_reply *reply)
{
	res->values++;
	res->sum += reply->method + reply->seq;
	if (reply->failed)
		add_bytes(res, reply->error);
	else if (reply->method == RPC_PTY_READ)
		add_bytes(res, reply->value.bytes);
	else if (reply->method == RPC_PTY_EXEC)
		add_bytes(res, reply->value.result.err);
	else if (reply->method == RPC_WL_LIST)
		add_list(res, reply->value.keys);
}

static struct result
run_host(const uint8_t *data, size_t n, size_t piece)
{
	struct rpc_host *h = rpc_host_new(EVERYTHING);
	struct result res = { 0 };
	struct rpc_call call;
	struct buf in, out;

	buf_init(&in, RPC_HOST_MSG_MAX + 9);
	buf_init(&out, ROOM);
	for (; n != 0 && res.end == 0; data += piece, n -= piece) {
		piece = piece < n ? piece : n;
		check(buf_put(&in, data, piece) == 0);
		while ((res.end = rpc_host_next(h, &in, &out, &call)) == 1)
			add_argument(&res, &call);
	}
	add_bytes(&res, out);
	buf_free(&in);
	buf_free(&out);
	rpc_host_free(h);
	return res;
}

static struct result
run_client(const uint8_t *data, size_t n, size_t piece)
{
	struct rpc_client *c = rpc_client_new();
	static const union rpc_value zero;
	struct result res = { 0 };
	struct rpc_reply reply;
	struct buf in, out;

	buf_init(&in, RPC_CLIENT_MSG_MAX + 9);
	buf_init(&out, ROOM);
	for (unsigned i = 0; i < CALLS; i++)
		check(rpc_client_call(c, &out, i % RPC_METHODS, &zero, NULL) ==
		    0);
	for (; n != 0 && res.end == 0; data += piece, n -= piece) {
		piece = piece < n ? piece : n;
		check(buf_put(&in, data, piece) == 0);
		while ((res.end = rpc_client_next(c, &in, &reply)) == 1)
			add_reply(&res, &reply);
	}
	check(res.end != 0 || rpc_client_pending(c) == CALLS - res.values);
	buf_free(&in);
	buf_free(&out);
	rpc_client_free(c);
	return res;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct result (*run)(const uint8_t *, size_t, size_t);
	struct result whole, pieces;

	if (n < 2)
		return 0;
	run = data[0] & 1 ? run_client : run_host;
	whole = run(data + 1, n - 1, n);
	pieces = run(data + 1, n - 1, 1);
	check(whole.end == pieces.end);
	check(whole.values == pieces.values);
	check(whole.sum == pieces.sum);
	return 0;
}
