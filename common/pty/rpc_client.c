/* SPDX-License-Identifier: ISC */
/* net/rpc's client side: writes calls, reads replies.  PROTOCOL.pty 5.1. */
#include "common/pty/rpc.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/pty/rpc_types.h"

struct pending {
	uint64_t seq;
	enum rpc_method method;
};

struct rpc_client {
	struct gob_dec *dec;
	struct gob_enc *enc;
	uint64_t next_seq;
	struct pending pending[RPC_PENDING_MAX]; /* the first npending */
	size_t npending;
	bool has_header; /* of a reply whose value was not read */
	uint64_t seq;
	struct buf error; /* from that header, cut at RPC_ERROR_MAX */
};

struct rpc_client *
rpc_client_new(void)
{
	struct rpc_client *c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	buf_init(&c->error, RPC_ERROR_MAX);
	c->dec = gob_dec_new(RPC_CLIENT_MSG_MAX);
	c->enc = gob_enc_new();
	if (c->dec == NULL || c->enc == NULL) {
		rpc_client_free(c);
		return NULL;
	}
	return c;
}

void
rpc_client_free(struct rpc_client *c)
{
	if (c == NULL)
		return;
	gob_dec_free(c->dec);
	gob_enc_free(c->enc);
	buf_free(&c->error);
	free(c);
}

size_t
rpc_client_pending(const struct rpc_client *c)
{
	return c->npending;
}

int
rpc_client_call(struct rpc_client *c, struct buf *out, enum rpc_method method,
    const union rpc_value *arg, uint64_t *seq)
{
	const struct rpc_method_def *def = rpc_method_def(method);
	struct rpc_header header = { .seq = c->next_seq };
	int r;

	if (c->npending == RPC_PENDING_MAX)
		return SKY_ERR_LIMIT;
	buf_view(&header.name, def->name, strlen(def->name));
	r = rpc_put(c->enc, out, rpc_type_request(), &header, def->arg, arg);
	if (r != 0)
		return r;
	c->pending[c->npending++] =
	    (struct pending){ .seq = header.seq, .method = method };
	if (seq != NULL)
		*seq = header.seq;
	c->next_seq++;
	return 0;
}

/* Ends the wait for seq: RPC_METHODS if nobody does. */
static enum rpc_method
take_pending(struct rpc_client *c, uint64_t seq)
{
	enum rpc_method method;

	for (size_t i = 0; i < c->npending; i++) {
		if (c->pending[i].seq != seq)
			continue;
		method = c->pending[i].method;
		c->pending[i] = c->pending[--c->npending];
		return method;
	}
	return RPC_METHODS;
}

/* The text is copied: the value behind it may be long in coming. */
static int
rpc_client_read_header(struct rpc_client *c, int64_t id, struct buf *value)
{
	struct rpc_header header;
	size_t n;

	if (gob_dec_value(c->dec, id, value, rpc_type_response(), &header) != 0)
		return SKY_ERR_FORMAT;
	c->seq = header.seq;
	buf_reset(&c->error);
	n = buf_len(&header.error);
	return buf_put(&c->error, buf_ptr(&header.error),
	    n < RPC_ERROR_MAX ? n : RPC_ERROR_MAX);
}

static int
rpc_client_fail(struct rpc_reply *reply, const void *text, size_t n)
{
	reply->failed = true;
	buf_view(&reply->error, text, n);
	return 1;
}

/* 1: a reply.  0: nobody waits for it.  Or an error. */
static int
read_value(struct rpc_client *c, int64_t id, struct buf *value,
    struct rpc_reply *reply)
{
	static const char mismatch[] = "gob: reply of the wrong type";
	int r;

	*reply = (struct rpc_reply){ .seq = c->seq };
	if ((reply->method = take_pending(c, c->seq)) == RPC_METHODS)
		return 0;
	if (buf_len(&c->error) != 0)
		return rpc_client_fail(reply, buf_ptr(&c->error),
		    buf_len(&c->error));
	r = gob_dec_value(c->dec, id, value,
	    rpc_method_def(reply->method)->reply, &reply->value);
	if (r == SKY_ERR_TYPE || r == SKY_ERR_RANGE)
		return rpc_client_fail(reply, mismatch, sizeof(mismatch) - 1);
	return r == 0 ? 1 : r;
}

int
rpc_client_next(struct rpc_client *c, struct buf *in, struct rpc_reply *reply)
{
	struct buf value;
	int64_t id;
	int r;

	while ((r = gob_dec_next(c->dec, in, &id, &value)) == 1) {
		if (c->has_header)
			r = read_value(c, id, &value, reply);
		else
			r = rpc_client_read_header(c, id, &value);
		c->has_header = !c->has_header;
		if (r != 0)
			return r;
	}
	return r;
}
