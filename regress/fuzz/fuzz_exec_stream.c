/* SPDX-License-Identifier: ISC */
/*
 * exec_stream, by the first byte: the original's request, our own, frames,
 * signals.  What was read and is written again must be the same.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/pty/exec_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

static bool
same(const struct buf *a, const struct buf *b)
{
	return buf_len(a) == buf_len(b) &&
	    memcmp(buf_ptr(a), buf_ptr(b), buf_len(a)) == 0;
}

static bool
same_list(const struct gob_list *a, const struct gob_list *b)
{
	return a->count == b->count && same(&a->raw, &b->raw);
}

/* --- requests --------------------------------------------------------- */

static void
check_list(struct gob_list list)
{
	struct buf s;
	int r;

	while ((r = gob_list_next(&list, &s)) == 1)
		require(memchr(buf_ptr(&s), '\0', buf_len(&s)) == NULL);
	require(r == 0 && buf_len(&list.raw) == 0);
}

/* What JSON brings was UTF-8 as the parser has it, so it is read again. */
static void
write_request(const struct rpc_exec *e)
{
	struct xs_request q;
	struct buf out;
	char why[64];

	buf_init(&out, 16 * XS_BODY_MAX);
	require(xs_put_request(&out, e) == 0);
	require(xs_get_request(&out, &q, why, sizeof(why)) == 0);
	require(same(&q.e.name, &e->name) && same(&q.e.in, &e->in));
	require(same_list(&q.e.arg, &e->arg) && same_list(&q.e.env, &e->env));
	require(q.e.timeout_ms == e->timeout_ms);
	xs_request_free(&q);
	buf_free(&out);
}

static void
try_request(const uint8_t *p, size_t n)
{
	struct xs_request q;
	struct buf in;
	char why[64] = "?";
	int r;

	buf_view(&in, p, n);
	r = xs_get_request(&in, &q, why, sizeof(why));
	require((r == 0) == (*why == '\0'));
	if (r == 0) {
		require(memchr(buf_ptr(&q.e.name), '\0', buf_len(&q.e.name)) ==
		    NULL);
		require(buf_len(&q.e.in) <= n);
		check_list(q.e.arg);
		check_list(q.e.env);
		write_request(&q.e);
	}
	xs_request_free(&q);
}

static void
try_start(const uint8_t *p, size_t n)
{
	struct xs_start s;
	struct buf in, out;
	int r;

	buf_view(&in, p, n);
	r = xs_get_start(&in, &s);
	require(r == 0 || r == SKY_ERR_FORMAT || r == SKY_ERR_RANGE ||
	    r == SKY_ERR_TRAILING || (r == SKY_ERR_LIMIT && n > XS_START_MAX));
	if (r == 0) {
		require(s.arg.count + s.env.count <= n / 4);
		buf_init(&out, n);
		require(xs_put_start(&out, &s) == 0 && buf_len(&out) == n);
		require(memcmp(buf_ptr(&out), p, n) == 0);
		buf_free(&out);
	}
	xs_start_free(&s);
}

/* --- frames ----------------------------------------------------------- */

/* What a reader has said: of each frame its tag, and its payload. */
struct heard {
	struct buf tags, bytes;
	size_t frames;
	int r;
};

static void
heard_init(struct heard *h, size_t n)
{
	memset(h, 0, sizeof(*h));
	buf_init(&h->tags, n + 1);
	buf_init(&h->bytes, n + 1);
}

static void
heard_free(struct heard *h)
{
	buf_free(&h->tags);
	buf_free(&h->bytes);
}

static void
by_piece(struct heard *h, const uint8_t *p, size_t n, size_t step)
{
	struct xs_reader x = { 0 };
	struct buf in, piece;
	bool inside = false;
	size_t m;

	buf_init(&in, n + 1);
	for (size_t i = 0; h->r == 0 && i < n; i += m) {
		m = n - i < step ? n - i : step;
		require(buf_put(&in, p + i, m) == 0);
		while ((h->r = xs_get_piece(&x, &in, &piece)) == 1) {
			if (!inside)
				require(buf_put_u8(&h->tags, x.tag) == 0);
			require(x.inside == (x.left != 0));
			require(inside || buf_len(&piece) != 0 || !x.inside);
			inside = x.inside;
			h->frames += !inside;
			require(buf_put(&h->bytes, buf_ptr(&piece),
				    buf_len(&piece)) == 0);
		}
		require(h->r < 0 || buf_len(&in) < XS_HEAD_LEN);
	}
	buf_free(&in);
}

static void
by_frame(struct heard *h, const uint8_t *p, size_t n)
{
	struct buf in, payload, again;
	uint8_t tag;
	size_t at;

	buf_view(&in, p, n);
	for (at = 0;; at = n - buf_len(&in)) {
		h->r = xs_get_frame(&in, XS_FRAME_MAX, &tag, &payload);
		if (h->r != 1)
			break;
		buf_init(&again, XS_HEAD_LEN + XS_FRAME_MAX);
		require(xs_put_frame(&again, tag, buf_ptr(&payload),
			    buf_len(&payload)) == 0);
		require(memcmp(buf_ptr(&again), p + at, buf_len(&again)) == 0);
		buf_free(&again);
		require(buf_put_u8(&h->tags, tag) == 0);
		require(buf_put(&h->bytes, buf_ptr(&payload),
			    buf_len(&payload)) == 0);
		h->frames++;
	}
	require(buf_len(&in) == n - at);
}

/* The shorter is how the longer begins. */
static void
require_prefix(const struct buf *a, const struct buf *b)
{
	require(buf_len(a) <= buf_len(b));
	require(memcmp(buf_ptr(a), buf_ptr(b), buf_len(a)) == 0);
}

static void
try_frames(const uint8_t *p, size_t n)
{
	static const size_t steps[] = { SIZE_MAX, 1, 3 };
	struct heard frames, pieces;

	heard_init(&frames, n);
	by_frame(&frames, p, n);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		heard_init(&pieces, n);
		by_piece(&pieces, p, n, steps[i]);
		require(pieces.r == frames.r);
		require(pieces.frames == frames.frames);
		require_prefix(&frames.tags, &pieces.tags);
		require_prefix(&frames.bytes, &pieces.bytes);
		heard_free(&pieces);
	}
	heard_free(&frames);
}

static void
try_signal(const uint8_t *p, size_t n)
{
	struct buf name;
	int number;

	buf_view(&name, p, n);
	if ((number = xs_signal(&name)) == 0)
		return;
	require(n == strlen(xs_signal_name(number)));
	require(memcmp(p, xs_signal_name(number), n) == 0);
}

static void
try_keys(const uint8_t *p, size_t n)
{
	struct buf payload, out;
	struct xs_keys k;

	buf_view(&payload, p, n);
	if (xs_get_keys(&payload, &k) != 0)
		return;
	require(n == XS_KEYS_LEN && buf_len(&k.bytes) <= XS_KEYS_MAX);
	buf_init(&out, XS_HEAD_LEN + XS_KEYS_LEN);
	require(xs_put_keys(&out, &k) == 0);
	require(buf_len(&out) == XS_HEAD_LEN + XS_KEYS_LEN);
	require(
	    memcmp(buf_ptr(&out) + XS_HEAD_LEN, p, 2 + buf_len(&k.bytes)) == 0);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n < 1)
		return 0;
	switch (data[0] % 4) {
	case 0:
		try_request(data + 1, n - 1);
		break;
	case 1:
		try_start(data + 1, n - 1);
		break;
	case 2:
		try_frames(data + 1, n - 1);
		break;
	default:
		try_signal(data + 1, n - 1);
		try_keys(data + 1, n - 1);
	}
	return 0;
}
