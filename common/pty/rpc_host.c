/* SPDX-License-Identifier: ISC */
/* net/rpc's host side: reads calls, writes replies.  PROTOCOL.pty 5.1. */
#include "common/pty/rpc.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/pty/rpc_types.h"

#define NAME_MAX_ECHO 256 /* bytes of an unknown name that are repeated */
#define ERROR_MAX     512 /* a text of ours with such a name in it */

/* A header that was read and whose argument was not. */
struct waiting {
	uint64_t seq;
	enum rpc_method method; /* RPC_METHODS: cannot be called */
	char name[NAME_MAX_ECHO];
	size_t name_len;
	const char *refusal; /* Go's words why not; the name follows */
};

struct rpc_host {
	struct gob_dec *dec;
	struct gob_enc *enc;
	unsigned methods;
	bool has_header;
	struct waiting call;
};

struct rpc_host *
rpc_host_new(unsigned methods)
{
	struct rpc_host *h;

	if ((h = calloc(1, sizeof(*h))) == NULL)
		return NULL;
	h->methods = methods;
	h->dec = gob_dec_new(RPC_HOST_MSG_MAX);
	h->enc = gob_enc_new();
	if (h->dec == NULL || h->enc == NULL) {
		rpc_host_free(h);
		return NULL;
	}
	return h;
}

void
rpc_host_free(struct rpc_host *h)
{
	if (h == NULL)
		return;
	gob_dec_free(h->dec);
	gob_enc_free(h->enc);
	free(h);
}

/* Whether name, up to and with its last dot, starts a method that exists. */
static bool
has_service(unsigned methods, const uint8_t *name, size_t n)
{
	const char *known;

	for (unsigned i = 0; i < RPC_METHODS; i++) {
		known = rpc_method_def(i)->name;
		if ((methods & 1U << i) && n < strlen(known) &&
		    memcmp(known, name, n) == 0)
			return true;
	}
	return false;
}

static enum rpc_method
find_method(unsigned methods, const uint8_t *name, size_t n)
{
	const char *known;
	unsigned i;

	for (i = 0; i < RPC_METHODS; i++) {
		known = rpc_method_def(i)->name;
		if ((methods & 1U << i) && n == strlen(known) &&
		    memcmp(known, name, n) == 0)
			break;
	}
	return i;
}

/* Go's texts; its clients look for them.  PROTOCOL.pty 5.1. */
static const char *
rpc_host_refusal(unsigned methods, const uint8_t *name, size_t n)
{
	const uint8_t *dot;

	if ((dot = memrchr(name, '.', n)) == NULL)
		return "rpc: service/method request ill-formed: ";
	if (!has_service(methods, name, (size_t)(dot - name) + 1))
		return "rpc: can't find service ";
	return "rpc: can't find method ";
}

static int
rpc_host_read_header(struct rpc_host *h, int64_t id, struct buf *value)
{
	struct rpc_header header;
	const uint8_t *name;
	size_t n;

	if (gob_dec_value(h->dec, id, value, rpc_type_request(), &header) != 0)
		return SKY_ERR_FORMAT;
	name = buf_ptr(&header.name);
	n = buf_len(&header.name);
	h->call.seq = header.seq;
	h->call.method = find_method(h->methods, name, n);
	if (h->call.method == RPC_METHODS) {
		h->call.refusal = rpc_host_refusal(h->methods, name, n);
		h->call.name_len =
		    n < sizeof(h->call.name) ? n : sizeof(h->call.name);
		memcpy(h->call.name, name, h->call.name_len);
	}
	return 0;
}

static int
rpc_host_put_error(struct rpc_host *h, struct buf *out,
    const struct rpc_header *header)
{
	return rpc_put(h->enc, out, rpc_type_response(), header,
	    rpc_type_empty(), NULL);
}

/* Answers a call that cannot be made: why, and the name it asked for. */
static int
rpc_host_refuse(struct rpc_host *h, struct buf *out)
{
	struct rpc_header header = { .seq = h->call.seq };
	int r;

	buf_view(&header.name, h->call.name, h->call.name_len);
	buf_init(&header.error, ERROR_MAX);
	r = buf_put(&header.error, h->call.refusal, strlen(h->call.refusal));
	if (r == 0)
		r = buf_put(&header.error, h->call.name, h->call.name_len);
	if (r == 0)
		r = rpc_host_put_error(h, out, &header);
	buf_free(&header.error);
	return r;
}

/* 1: a call.  0: it was answered here.  Or an error. */
static int
read_argument(struct rpc_host *h, int64_t id, struct buf *value,
    struct buf *out, struct rpc_call *call)
{
	int r;

	if (h->call.method == RPC_METHODS)
		return rpc_host_refuse(h, out);
	*call =
	    (struct rpc_call){ .method = h->call.method, .seq = h->call.seq };
	r = gob_dec_value(h->dec, id, value, rpc_method_def(call->method)->arg,
	    &call->arg);
	if (r == SKY_ERR_TYPE)
		return rpc_host_error(h, out, call->method, call->seq,
		    "gob: argument of the wrong type");
	if (r == SKY_ERR_RANGE)
		return rpc_host_error(h, out, call->method, call->seq,
		    "gob: value in the argument out of range");
	return r == 0 ? 1 : r;
}

int
rpc_host_next(struct rpc_host *h, struct buf *in, struct buf *out,
    struct rpc_call *call)
{
	struct buf value;
	int64_t id;
	int r;

	while (buf_room(out) >= RPC_HOST_ROOM) {
		if ((r = gob_dec_next(h->dec, in, &id, &value)) != 1)
			return r;
		if (h->has_header)
			r = read_argument(h, id, &value, out, call);
		else
			r = rpc_host_read_header(h, id, &value);
		h->has_header = !h->has_header;
		if (r != 0)
			return r;
	}
	return 0;
}

int
rpc_host_reply(struct rpc_host *h, struct buf *out, enum rpc_method method,
    uint64_t seq, const union rpc_value *value)
{
	const struct rpc_method_def *def = rpc_method_def(method);
	struct rpc_header header = { .seq = seq };

	buf_view(&header.name, def->name, strlen(def->name));
	return rpc_put(h->enc, out, rpc_type_response(), &header, def->reply,
	    value);
}

int
rpc_host_error(struct rpc_host *h, struct buf *out, enum rpc_method method,
    uint64_t seq, const char *text)
{
	const char *name = rpc_method_def(method)->name;
	struct rpc_header header = { .seq = seq };

	buf_view(&header.name, name, strlen(name));
	buf_view(&header.error, text, strlen(text));
	return rpc_host_put_error(h, out, &header);
}
