/* SPDX-License-Identifier: ISC */
/*
 * dmsg_object, dmsg_session: a request, a response, a sealed object, or a whole
 * session with a server, as the first byte has it.
 */
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/dmsg_object.h"
#include "common/dmsg_session.h"
#include "common/err.h"

#define ROOM	    (1024U * 1024)
#define STREAMS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

/* --- objects --- */

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

/* --- a session: what comes decides what is done --- */

struct user {
	struct dmsg_stream *st[STREAMS_MAX];
	size_t n;
};

static void
forget(struct user *u, struct dmsg_stream *st)
{
	for (size_t i = 0; i < u->n; i++)
		if (u->st[i] == st)
			u->st[i] = u->st[--u->n];
	dmsg_stream_close(st);
}

static void
handle(void *arg, struct dmsg_stream *st, enum dmsg_event what,
    struct buf *object)
{
	struct user *u = arg;
	struct buf answer;

	switch (what) {
	case DMSG_REQUEST:
		if (u->n == STREAMS_MAX) {
			dmsg_stream_close(st);
			return;
		}
		u->st[u->n++] = st;
		if (buf_len(object) % 3 == 0) {
			buf_view(&answer, "answer", 6);
			(void)dmsg_stream_answer(st, &answer);
		}
		return;
	case DMSG_READ:
		(void)dmsg_stream_consume(st, buf_len(dmsg_stream_in(st)) / 2);
		(void)dmsg_stream_write(st, "echo", 4);
		if (dmsg_stream_eof(st))
			forget(u, st);
		return;
	case DMSG_ANSWER:
	case DMSG_WRITE:
		return;
	case DMSG_END:
		forget(u, st);
	}
}

static void
try_session(struct buf *in)
{
	struct user u = { .n = 0 };
	uint8_t key[32] = { 0 };
	struct dmsg_session *s;
	struct dmsg_stream *st;
	struct buf bytes, out, object;

	require((s = dmsg_session_new(key, key, 1, handle, &u)) != NULL);
	buf_view(&object, "object", 6);
	if ((st = dmsg_session_dial(s, 1, &object)) != NULL)
		u.st[u.n++] = st;
	buf_init(&bytes, ROOM);
	buf_init(&out, ROOM);
	while (buf_len(in) != 0) {
		size_t n = *buf_ptr(in);

		n = n < buf_len(in) ? n : buf_len(in);
		require(buf_put(&bytes, buf_ptr(in), n) == 0);
		buf_skip(in, n > 0 ? n : 1);
		if (dmsg_session_input(s, &bytes) != 0)
			break;
		buf_reset(&out);
		require(dmsg_session_output(s, &out) == 0);
		if (n == 7)
			(void)dmsg_session_tick(s, (int64_t)buf_len(in));
	}
	dmsg_session_free(s);
	buf_free(&bytes);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf in;

	if (n == 0)
		return 0;
	buf_view(&in, data + 1, n - 1);
	switch (*data % 4) {
	case 0:
		try_request(&in);
		break;
	case 1:
		try_response(&in);
		break;
	case 2:
		try_sealed(&in);
		break;
	default:
		try_session(&in);
	}
	return 0;
}
