/* SPDX-License-Identifier: ISC */
/*
 * dmsg_object, dmsg_seal: a request, a response or sealed objects, as the first
 * byte has it.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/dmsg/dmsg_object.h"

#define ROOM (1024U * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

static void
try_request(struct buf *in)
{
	struct dmsg_request q, back;
	struct buf gob;

	if (dmsg_get_request(in, &q) != 0)
		return;
	require(q.timestamp > 0 && q.src.port != 0 && q.dst.port != 0);
	require((q.src.pk.b[0] | 1) == 3 && (q.dst.pk.b[0] | 1) == 3);
	buf_init(&gob, ROOM);
	require(dmsg_put_request(&gob, &q) == 0);
	require(dmsg_get_request(&gob, &back) == 0);
	require(memcmp(&back.src.pk, &q.src.pk, sizeof(q.src.pk)) == 0);
	require(back.dst.port == q.dst.port);
	require(buf_len(&back.noise) == buf_len(&q.noise));
	buf_free(&gob);
}

static void
try_response(struct buf *in)
{
	struct dmsg_response resp, back;
	struct buf gob;

	if (dmsg_get_response(in, &resp) != 0)
		return;
	buf_init(&gob, ROOM);
	require(dmsg_put_response(&gob, &resp) == 0);
	require(dmsg_get_response(&gob, &back) == 0);
	require(memcmp(back.req_hash, resp.req_hash, DMSG_HASH_LEN) == 0);
	require(back.accepted == resp.accepted);
	require(resp.accepted || back.code == resp.code);
	buf_free(&gob);
}

static void
try_sealed(struct buf *in)
{
	struct dmsg_seal s;
	uint8_t key[32] = { 0 };
	struct buf copy, object;

	dmsg_seal_init(&s, key, key);
	buf_init(&copy, ROOM);
	buf_init(&object, ROOM);
	require(buf_put(&copy, buf_ptr(in), buf_len(in)) == 0);
	while (dmsg_get_sealed(&s, &copy, &object) == 1)
		;
	require(buf_len(&object) <= buf_len(in));
	buf_free(&copy);
	buf_free(&object);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf in;

	if (n == 0)
		return 0;
	buf_view(&in, data + 1, n - 1);
	switch (*data % 3) {
	case 0:
		try_request(&in);
		break;
	case 1:
		try_response(&in);
		break;
	default:
		try_sealed(&in);
	}
	return 0;
}
