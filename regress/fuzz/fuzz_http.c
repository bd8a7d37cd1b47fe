/* SPDX-License-Identifier: ISC */
/*
 * http: a message with its body, a response if the first byte is odd.  Given
 * at once, byte by byte and in pieces as the second byte has it, it must read
 * the same.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

/* --- heads ------------------------------------------------------------ */

static bool
has_control(const struct buf *b)
{
	for (size_t i = 0; i < buf_len(b); i++)
		if ((buf_ptr(b)[i] < ' ' && buf_ptr(b)[i] != '\t') ||
		    buf_ptr(b)[i] == 0x7f)
			return true;
	return false;
}

static void
check_framing(const struct http_head *h)
{
	struct buf value;
	int64_t n;
	bool has_length = http_field(&h->fields, "Content-Length", &value) == 1;

	require(has_length == (h->length != HTTP_NO_LENGTH));
	if (has_length)
		require(http_number(&value, &n) == 0 && n == h->length);
	require(h->chunked ==
	    (http_field(&h->fields, "TRANSFER-ENCODING", &value) == 1));
	if (h->chunked)
		require(!has_length && h->minor == 1 &&
		    http_is_nocase(&value, "chunked"));
}

/* Every field can be walked, and nothing in it surprises a log. */
static size_t
check_fields(const struct buf *fields)
{
	struct buf rest = *fields, name, value;
	size_t n = 0;
	int r;

	for (; (r = http_next_field(&rest, &name, &value)) == 1; n++) {
		require(buf_len(&name) != 0 && !has_control(&name));
		require(memchr(buf_ptr(&name), ' ', buf_len(&name)) == NULL);
		require(!has_control(&value));
	}
	require(r == 0 && buf_len(&rest) == 0);
	return n;
}

static void
check_head(const struct http_head *h, bool response)
{
	require(h->minor == 0 || h->minor == 1);
	if (response)
		require(h->status >= 100 && h->status <= 999 &&
		    !has_control(&h->reason));
	else
		require(buf_len(&h->method) != 0 && buf_len(&h->target) != 0 &&
		    !has_control(&h->target));
	check_fields(&h->fields);
	check_framing(h);
}

/* --- messages --------------------------------------------------------- */

struct result {
	int r;
	bool body; /* the head is over */
	struct http_body at;
	struct buf said; /* the head, the body, the trailers */
	size_t rest;
};

static void
keep(struct result *t, const struct buf *b)
{
	require(buf_put_string(&t->said, buf_ptr(b), buf_len(b)) == 0);
}

static void
take_head(struct result *t, struct buf *in, bool response)
{
	struct http_head h;

	t->r = response ? http_get_response(in, &h) : http_get_request(in, &h);
	if (t->r != 1)
		return;
	t->body = true;
	check_head(&h, response);
	http_body_init(&t->at, &h, response);
	keep(t, response ? &h.reason : &h.method);
	keep(t, &h.target);
	keep(t, &h.fields);
}

static void
take_body(struct result *t, struct buf *in)
{
	struct buf piece;

	if (t->at.state == HTTP_DONE)
		return;
	while ((t->r = http_get_body(&t->at, in, &piece)) == 1) {
		require(buf_len(&piece) != 0);
		require(
		    buf_put(&t->said, buf_ptr(&piece), buf_len(&piece)) == 0);
	}
	if (t->r == 0 && t->at.state == HTTP_DONE) {
		check_fields(&t->at.trailers);
		keep(t, &t->at.trailers);
	}
}

/* Pieces of 1 to 8 bytes out of a seed; 0 is all at once, 1 byte by byte. */
static size_t
next_size(uint32_t *seed, size_t left)
{
	size_t n;

	if (*seed == 0)
		return left;
	if (*seed == 1)
		return 1;
	*seed = *seed * 1664525 + 1013904223;
	n = (*seed >> 24) % 8 + 1;
	return n < left ? n : left;
}

static void
read_message(struct result *t, const uint8_t *p, size_t n, bool response,
    uint32_t seed)
{
	struct buf in;
	size_t m;

	memset(t, 0, sizeof(*t));
	buf_init(&t->said, 2 * n + 64);
	buf_init(&in, n + 1);
	for (size_t i = 0; t->r >= 0 && i < n; i += m) {
		m = next_size(&seed, n - i);
		require(buf_put(&in, p + i, m) == 0);
		if (!t->body)
			take_head(t, &in, response);
		if (t->body)
			take_body(t, &in);
	}
	t->rest = buf_len(&in);
	buf_free(&in);
}

static void
compare(const struct result *a, const struct result *b)
{
	require((a->r < 0) == (b->r < 0));
	require(a->body == b->body && a->at.state == b->at.state);
	require(buf_len(&a->said) == buf_len(&b->said));
	require(memcmp(buf_ptr(&a->said), buf_ptr(&b->said),
		    buf_len(&a->said)) == 0);
	require(a->r < 0 || (a->rest == b->rest && a->at.left == b->at.left));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct result whole, other;
	uint32_t seeds[] = { 1, 0 };

	if (n < 2)
		return 0;
	seeds[1] = data[1] + 2U;
	read_message(&whole, data + 2, n - 2, data[0] & 1, 0);
	for (size_t i = 0; i < 2; i++) {
		read_message(&other, data + 2, n - 2, data[0] & 1, seeds[i]);
		compare(&whole, &other);
		buf_free(&other.said);
	}
	buf_free(&whole.said);
	return 0;
}
