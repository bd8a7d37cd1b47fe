/* SPDX-License-Identifier: ISC */
/* http: heads of requests and responses, good ones and every bad one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/base/err.h"
#include "common/base/http.h"
#include "gobvec.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ROOM	 (4U * HTTP_HEAD_MAX)
#define VECTORS	 "pty-http-exec.txt"
#define GET	 "GET / HTTP/1.1\r\n"
#define OK	 "HTTP/1.1 200 OK\r\n"

typedef int get_head(struct buf *, struct http_head *);

/* Text that may have a NUL inside. */
struct text {
	const char *p;
	size_t n;
};
#define T(s)                     \
	{                        \
		s, sizeof(s) - 1 \
	}

static void
assert_buf(const struct buf *b, const char *want)
{
	assert_int_equal(buf_len(b), strlen(want));
	assert_memory_equal(buf_ptr(b), want, strlen(want));
}

static void
put(struct buf *b, const void *p, size_t n)
{
	assert_int_equal(buf_put(b, p, n), 0);
}

static void
put_text(struct buf *b, const char *text)
{
	put(b, text, strlen(text));
}

/*
 * What a reader says that is given step bytes more at a time; of much, only
 * the end.
 */
static int
feed(get_head *get, const char *p, size_t n, size_t step)
{
	struct http_head h;
	struct buf in;
	size_t m;
	int r = 0;

	buf_init(&in, ROOM);
	for (size_t i = 0; r == 0 && i < n; i += m) {
		m = n - i < step ? n - i : step;
		if (i == 0 && n > 1024 && step < 64)
			m = n - 64;
		put(&in, p + i, m);
		r = get(&in, &h);
		if (r == 0)
			assert_int_equal(buf_len(&in), i + m);
	}
	buf_free(&in);
	return r;
}

/* However it arrives. */
static void
expect(get_head *get, const char *p, size_t n, int want)
{
	static const size_t steps[] = { SIZE_MAX, 1, 2, 7 };
	int r;

	for (size_t i = 0; i < COUNT(steps); i++)
		if ((r = feed(get, p, n, steps[i])) != want)
			fail_msg("\"%.*s\" in steps of %zu: %d instead of %d",
			    n > 200 ? 200 : (int)n, p, steps[i], r, want);
}

/* --- the vectors --- */

/* A head made again of what was read. */
static void
rebuild(struct buf *out, const struct http_head *h)
{
	struct buf rest = h->fields, name, value;
	char line[64];

	if (h->status == 0) {
		put(out, buf_ptr(&h->method), buf_len(&h->method));
		put_text(out, " ");
		put(out, buf_ptr(&h->target), buf_len(&h->target));
		snprintf(line, sizeof(line), " HTTP/1.%d\r\n", h->minor);
		put_text(out, line);
	} else {
		snprintf(line, sizeof(line), "HTTP/1.%d %d ", h->minor,
		    h->status);
		put_text(out, line);
		put(out, buf_ptr(&h->reason), buf_len(&h->reason));
		put_text(out, "\r\n");
	}
	while (http_next_field(&rest, &name, &value) == 1) {
		put(out, buf_ptr(&name), buf_len(&name));
		put_text(out, ": ");
		put(out, buf_ptr(&value), buf_len(&value));
		put_text(out, "\r\n");
	}
	put_text(out, "\r\n");
}

static void
check_vector(get_head *get, const struct buf *message)
{
	size_t n = buf_len(message);
	struct blob b = blob_new(buf_ptr(message), n);
	struct http_head h;
	struct buf in, again;

	buf_view(&in, b.p, b.n);
	assert_int_equal(get(&in, &h), 1);
	buf_init(&again, ROOM);
	rebuild(&again, &h);
	assert_int_equal(buf_len(&again) + buf_len(&in), n);
	assert_memory_equal(buf_ptr(&again), b.p, buf_len(&again));
	assert_ptr_equal(buf_ptr(&in),
	    buf_len(&in) == 0 ? b.p : b.p + buf_len(&again));
	n = buf_len(&again);
	buf_free(&again);
	free(b.p);
	expect(get, (const char *)buf_ptr(message), n, 1);
	expect(get, (const char *)buf_ptr(message), n - 1, 0);
}

static void
test_vectors(void **state)
{
	struct vectors *v = vec_load(VECTORS);
	struct buf b;
	size_t seen[2] = { 0, 0 };
	bool request;

	(void)state;
	for (size_t i = 0; i < v->n; i++) {
		if (*v->line[i].name == '#')
			continue;
		request = strcmp(v->line[i].name, "c>s") == 0;
		vec_buf(v, i, v->line[i].name, &b);
		check_vector(request ? http_get_request : http_get_response,
		    &b);
		seen[request]++;
		buf_free(&b);
	}
	assert_int_equal(seen[0], 6);
	assert_int_equal(seen[1], 6);
	vec_free(v);
}

/* Memory as long as the piece of the head: nothing is read behind it. */
static void
check_truncated(get_head *get, const struct buf *message)
{
	struct http_head h;
	struct blob b;
	struct buf in;
	size_t n, end;

	in = *message;
	assert_int_equal(get(&in, &h), 1);
	end = buf_len(message) - buf_len(&in);
	for (n = 0; n < end; n++) {
		b = blob_new(buf_ptr(message), n);
		buf_view(&in, b.p, b.n);
		assert_int_equal(get(&in, &h), 0);
		assert_int_equal(buf_len(&in), n);
		free(b.p);
	}
}

static void
test_truncated(void **state)
{
	struct vectors *v = vec_load(VECTORS);
	struct buf b;

	(void)state;
	for (size_t i = 0; i < v->n; i++) {
		if (*v->line[i].name == '#')
			continue;
		vec_buf(v, i, v->line[i].name, &b);
		check_truncated(*v->line[i].name == 'c' ? http_get_request :
							  http_get_response,
		    &b);
		buf_free(&b);
	}
	vec_free(v);
}

/* --- good heads --- */

static void
take(get_head *get, const char *text, struct http_head *h)
{
	struct buf in;

	expect(get, text, strlen(text), 1);
	buf_view(&in, text, strlen(text));
	assert_int_equal(get(&in, h), 1);
	assert_int_equal(buf_len(&in), 0);
}

static void
test_request(void **state)
{
	struct http_head h;

	(void)state;
	take(http_get_request, GET "\r\n", &h);
	assert_buf(&h.method, "GET");
	assert_buf(&h.target, "/");
	assert_int_equal(h.minor, 1);
	assert_int_equal(h.status, 0);
	assert_int_equal(buf_len(&h.fields), 0);
	assert_int_equal(h.length, HTTP_NO_LENGTH);
	assert_false(h.chunked);
	take(http_get_request,
	    "!#$%&'*+-.^_`|~09azAZ http://h:1/a?b=c HTTP/1.0\r\n"
	    "CONTENT-length:  12\t \r\n\r\n",
	    &h);
	assert_buf(&h.method, "!#$%&'*+-.^_`|~09azAZ");
	assert_buf(&h.target, "http://h:1/a?b=c");
	assert_int_equal(h.minor, 0);
	assert_int_equal(h.length, 12);
	take(http_get_request, GET "transfer-ENCODING: Chunked\r\n\r\n", &h);
	assert_true(h.chunked);
	assert_int_equal(h.length, HTTP_NO_LENGTH);
	take(http_get_request, GET "Content-Length: 999999999999999999\r\n\r\n",
	    &h);
	assert_true(h.length == 999999999999999999);
	take(http_get_request, GET "Content-Length: 000\r\n\r\n", &h);
	assert_int_equal(h.length, 0);
}

static void
test_response(void **state)
{
	struct http_head h;

	(void)state;
	take(http_get_response, "HTTP/1.1 404 Not  Found \r\n\r\n", &h);
	assert_int_equal(h.status, 404);
	assert_buf(&h.reason, "Not  Found");
	assert_int_equal(h.minor, 1);
	assert_int_equal(h.length, HTTP_NO_LENGTH);
	assert_int_equal(buf_len(&h.method), 0);
	assert_int_equal(buf_len(&h.target), 0);
	take(http_get_response, "HTTP/1.0 100 \r\n\r\n", &h);
	assert_int_equal(h.status, 100);
	assert_int_equal(h.minor, 0);
	assert_int_equal(buf_len(&h.reason), 0);
	take(http_get_response, "HTTP/1.1 999\r\n\r\n", &h);
	assert_int_equal(h.status, 999);
	assert_int_equal(buf_len(&h.reason), 0);
	take(http_get_response, "HTTP/1.1 200 a\tb\xff\r\n\r\n", &h);
	assert_buf(&h.reason, "a\tb\xff");
}

/* Two behind each other: the second is left where it is. */
static void
test_pipelined(void **state)
{
	static const char two[] = GET "\r\nPUT /x HTTP/1.0\r\n\r\n";
	struct http_head h;
	struct buf in;

	(void)state;
	buf_view(&in, two, strlen(two));
	assert_int_equal(http_get_request(&in, &h), 1);
	assert_buf(&h.method, "GET");
	assert_int_equal(http_get_request(&in, &h), 1);
	assert_buf(&h.method, "PUT");
	assert_int_equal(http_get_request(&in, &h), 0);
}

/* --- fields --- */

static void
test_fields(void **state)
{
	static const char head[] = GET "a:1\r\nA: 2\r\nb:\r\nC : \r\n";
	static const char good[] =
	    GET "a:1\r\nA: two words \r\nempty:\r\nblank: \t\r\nx: "
		":=\"\xff\r\n\r\n";
	static const struct {
		const char *name, *value;
	} want[] = { { "a", "1" }, { "A", "two words" }, { "empty", "" },
		{ "blank", "" }, { "x", ":=\"\xff" } };
	struct buf rest, name, value;
	struct http_head h;

	(void)state;
	take(http_get_request, good, &h);
	rest = h.fields;
	for (size_t i = 0; i < COUNT(want); i++) {
		assert_int_equal(http_next_field(&rest, &name, &value), 1);
		assert_buf(&name, want[i].name);
		assert_buf(&value, want[i].value);
	}
	assert_int_equal(http_next_field(&rest, &name, &value), 0);
	/* A section that was not checked before. */
	buf_view(&rest, head + strlen(GET), strlen(head) - strlen(GET));
	for (int i = 0; i < 3; i++)
		assert_int_equal(http_next_field(&rest, &name, &value), 1);
	assert_int_equal(http_next_field(&rest, &name, &value), SKY_ERR_FORMAT);
	buf_view(&rest, "a: b", 4);
	assert_int_equal(http_next_field(&rest, &name, &value), SKY_ERR_FORMAT);
}

static void
test_field(void **state)
{
	static const char good[] =
	    GET "Host: one\r\nhOST: two\r\nX-Empty:\r\nHosts: three\r\n\r\n";
	static const char *const host[] = { "host", "Host", "HOST", "hOsT" };
	static const char *const none[] = { "hos", "ost", "", "host:", "x",
		"Host: one" };
	struct http_head h;
	struct buf value;

	(void)state;
	take(http_get_request, good, &h);
	for (size_t i = 0; i < COUNT(host); i++) {
		assert_int_equal(http_field(&h.fields, host[i], &value), 1);
		assert_buf(&value, "one");
	}
	for (size_t i = 0; i < COUNT(none); i++)
		assert_int_equal(http_field(&h.fields, none[i], &value), 0);
	assert_int_equal(http_field(&h.fields, "x-empty", &value), 1);
	assert_int_equal(buf_len(&value), 0);
	assert_int_equal(http_field(&h.fields, "hosts", &value), 1);
	assert_buf(&value, "three");
}

static void
test_is(void **state)
{
	struct buf b;

	(void)state;
	buf_view(&b, "Close", 5);
	assert_true(http_is(&b, "Close"));
	assert_false(http_is(&b, "close"));
	assert_false(http_is(&b, "Clos"));
	assert_false(http_is(&b, "Closed"));
	assert_true(http_is_nocase(&b, "cLOSE"));
	assert_false(http_is_nocase(&b, "clos"));
	assert_false(http_is_nocase(&b, "closed"));
	assert_false(http_is_nocase(&b, ""));
	buf_view(&b, "a\0b", 3);
	assert_false(http_is(&b, "a"));
	assert_false(http_is_nocase(&b, "A"));
	buf_view(&b, NULL, 0);
	assert_true(http_is(&b, ""));
	assert_true(http_is_nocase(&b, ""));
	assert_false(http_is(&b, "a"));
}

/* --- refusals --- */

static const struct text bad_requests[] = {
	/* No line, or not its three parts. */
	T("\r\n\r\n"),
	T("\r\n" GET "\r\n"),
	T("GET\r\n\r\n"),
	T("GET /\r\n\r\n"),
	T("GET  HTTP/1.1\r\n\r\n"),
	T("GET  / HTTP/1.1\r\n\r\n"),
	T("GET /  HTTP/1.1\r\n\r\n"),
	T("GET / HTTP/1.1 \r\n\r\n"),
	T(" GET / HTTP/1.1\r\n\r\n"),
	T(" / HTTP/1.1\r\n\r\n"),
	T("GET\t/ HTTP/1.1\r\n\r\n"),
	T("GET / a HTTP/1.1\r\n\r\n"),
	T("G\"T / HTTP/1.1\r\n\r\n"),
	T("G:T / HTTP/1.1\r\n\r\n"),
	T("G\0T / HTTP/1.1\r\n\r\n"),
	T("G\xc3\xa9T / HTTP/1.1\r\n\r\n"),
	T("GET /\0 HTTP/1.1\r\n\r\n"),
	T("GET /\t HTTP/1.1\r\n\r\n"),
	T("GET /\x1b HTTP/1.1\r\n\r\n"),
	T("GET /\x7f HTTP/1.1\r\n\r\n"),
	/* A response is no request. */
	T(OK "\r\n"),
	/* Versions. */
	T("GET / HTTP/0.9\r\n\r\n"),
	T("GET / HTTP/1.2\r\n\r\n"),
	T("GET / HTTP/2.0\r\n\r\n"),
	T("PRI * HTTP/2.0\r\n\r\n"),
	T("GET / HTTP/1\r\n\r\n"),
	T("GET / HTTP/1.\r\n\r\n"),
	T("GET / HTTP/1.10\r\n\r\n"),
	T("GET / HTTP/01.1\r\n\r\n"),
	T("GET / HTTP/1.1\0\r\n\r\n"),
	T("GET / http/1.1\r\n\r\n"),
	T("GET / HTTPS/1.1\r\n\r\n"),
	T("GET / \r\n\r\n"),
};

static const struct text bad_responses[] = {
	T("\r\n\r\n"),
	T("\r\n" OK "\r\n"),
	T(GET "\r\n"),
	T("HTTP/1.1\r\n\r\n"),
	T("HTTP/1.1 \r\n\r\n"),
	T("HTTP/1.1 2\r\n\r\n"),
	T("HTTP/1.1 20\r\n\r\n"),
	T("HTTP/1.1 2000 OK\r\n\r\n"),
	T("HTTP/1.1 099 OK\r\n\r\n"),
	T("HTTP/1.1 000 OK\r\n\r\n"),
	T("HTTP/1.1 -20 OK\r\n\r\n"),
	T("HTTP/1.1 +20 OK\r\n\r\n"),
	T("HTTP/1.1 2 0 OK\r\n\r\n"),
	T("HTTP/1.1 2x0 OK\r\n\r\n"),
	T("HTTP/1.1  200 OK\r\n\r\n"),
	T("HTTP/1.1\t200 OK\r\n\r\n"),
	T("HTTP/1.1 200\tOK\r\n\r\n"),
	T("HTTP/1.1 200-OK\r\n\r\n"),
	T("HTTP/1.1 200 O\0K\r\n\r\n"),
	T("HTTP/1.1 200 O\x1bK\r\n\r\n"),
	T("HTTP/1.1 200 O\x7fK\r\n\r\n"),
	T("HTTP/0.9 200 OK\r\n\r\n"),
	T("HTTP/1.2 200 OK\r\n\r\n"),
	T("HTTP/2.0 200 OK\r\n\r\n"),
	T("HTTP/2 200 OK\r\n\r\n"),
	T("http/1.1 200 OK\r\n\r\n"),
	T("ICY 200 OK\r\n\r\n"),
	T(" HTTP/1.1 200 OK\r\n\r\n"),
	T("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
};

/* Behind either first line. */
static const struct text bad_fields[] = {
	/* Ends of lines. */
	T("\n"),
	T("a: b\n\r\n"),
	T("a: b\n\n"),
	T("a: b\r\n\n"),
	T("a: b\n\r\n\r\n"),
	T("a: b\r\r\n\r\n"),
	T("a: b\rc: d\r\n\r\n"),
	T("a: \rb\r\n\r\n"),
	T("\ra: b\r\n\r\n"),
	T("a\r: b\r\n\r\n"),
	T("a: b\r\nc: d\nTransfer-Encoding: chunked\r\n\r\n"),
	/* Folded lines. */
	T("a: b\r\n c\r\n\r\n"),
	T("a: b\r\n\tc\r\n\r\n"),
	T("a: b\r\n c: d\r\n\r\n"),
	T(" a: b\r\n\r\n"),
	T("\ta: b\r\n\r\n"),
	T("a: b\r\n \r\n\r\n"),
	/* Names. */
	T("a : b\r\n\r\n"),
	T("a\t: b\r\n\r\n"),
	T("Content-Length : 1\r\n\r\n"),
	T("a b: c\r\n\r\n"),
	T(": b\r\n\r\n"),
	T("ab\r\n\r\n"),
	T("a\0: b\r\n\r\n"),
	T("\0: b\r\n\r\n"),
	T("a\x7f: b\r\n\r\n"),
	T("a\xe9: b\r\n\r\n"),
	T("(a): b\r\n\r\n"),
	T("a\"b\": c\r\n\r\n"),
	T("a/b: c\r\n\r\n"),
	T("a@b: c\r\n\r\n"),
	/* Values. */
	T("a: b\0\r\n\r\n"),
	T("a: b\0c\r\n\r\n"),
	T("a: \x01\r\n\r\n"),
	T("a: b\x08\r\n\r\n"),
	T("a: b\x0b c\r\n\r\n"),
	T("a: \x1b[2J\r\n\r\n"),
	T("a: b\x7f\r\n\r\n"),
	/* How long the body is. */
	T("Content-Length:\r\n\r\n"),
	T("Content-Length: \t\r\n\r\n"),
	T("Content-Length: -1\r\n\r\n"),
	T("Content-Length: +1\r\n\r\n"),
	T("Content-Length: 1 2\r\n\r\n"),
	T("Content-Length: 1, 1\r\n\r\n"),
	T("Content-Length: 1.0\r\n\r\n"),
	T("Content-Length: 0x1\r\n\r\n"),
	T("Content-Length: 1e1\r\n\r\n"),
	T("Content-Length: a\r\n\r\n"),
	T("Content-Length: 1\0\r\n\r\n"),
	T("Content-Length: 1000000000000000000\r\n\r\n"),
	T("Content-Length: 0000000000000000001\r\n\r\n"),
	T("Content-Length: 18446744073709551617\r\n\r\n"),
	T("Content-Length: 1\r\nContent-Length: 1\r\n\r\n"),
	T("Content-Length: 0\r\na: b\r\ncontent-length: 0\r\n\r\n"),
	T("Content-Length: 1\r\nContent-Length: 2\r\n\r\n"),
	T("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
	T("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n"),
	T("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
	T("Transfer-Encoding:\r\n\r\n"),
	T("Transfer-Encoding: identity\r\n\r\n"),
	T("Transfer-Encoding: gzip\r\n\r\n"),
	T("Transfer-Encoding: gzip, chunked\r\n\r\n"),
	T("Transfer-Encoding: chunked, gzip\r\n\r\n"),
	T("Transfer-Encoding: chunked, chunked\r\n\r\n"),
	T("Transfer-Encoding: chunked;a=b\r\n\r\n"),
	T("Transfer-Encoding: \"chunked\"\r\n\r\n"),
	T("Transfer-Encoding: xchunked\r\n\r\n"),
	T("Transfer-Encoding: chunked\0\r\n\r\n"),
};

static void
refuse_all(get_head *get, const char *first, const struct text *t, size_t n)
{
	struct buf b;

	for (size_t i = 0; i < n; i++) {
		buf_init(&b, ROOM);
		put_text(&b, first);
		put(&b, t[i].p, t[i].n);
		expect(get, (const char *)buf_ptr(&b), buf_len(&b),
		    SKY_ERR_FORMAT);
		buf_free(&b);
	}
}

static void
test_bad_requests(void **state)
{
	(void)state;
	refuse_all(http_get_request, "", bad_requests, COUNT(bad_requests));
	refuse_all(http_get_request, GET, bad_fields, COUNT(bad_fields));
	expect(http_get_request,
	    "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 46,
	    SKY_ERR_FORMAT);
}

static void
test_bad_responses(void **state)
{
	(void)state;
	refuse_all(http_get_response, "", bad_responses, COUNT(bad_responses));
	refuse_all(http_get_response, OK, bad_fields, COUNT(bad_fields));
}

/* A bare line feed is refused at once, not when the head is over. */
static void
test_bare_line_feed(void **state)
{
	(void)state;
	expect(http_get_request, "\n", 1, SKY_ERR_FORMAT);
	expect(http_get_request, "GET / HTTP/1.1\n", 15, SKY_ERR_FORMAT);
	expect(http_get_response, "HTTP/1.1 200 OK\r\na: b\n", 22,
	    SKY_ERR_FORMAT);
	expect(http_get_response, OK "\r", 18, 0);
}

/* --- limits --- */

/* A head of n bytes, its empty line included. */
static void
long_head(struct buf *b, const char *first, size_t n)
{
	uint8_t *p;

	buf_init(b, ROOM);
	put_text(b, first);
	put_text(b, "a: ");
	n -= buf_len(b) + 4;
	assert_int_equal(buf_extend(b, n, &p), 0);
	memset(p, 'b', n);
	put_text(b, "\r\n\r\n");
}

static void
check_limit(get_head *get, const char *first)
{
	struct buf b;

	for (size_t n = HTTP_HEAD_MAX - 1; n < HTTP_HEAD_MAX + 5; n++) {
		long_head(&b, first, n);
		expect(get, (const char *)buf_ptr(&b), n,
		    n > HTTP_HEAD_MAX ? SKY_ERR_LIMIT : 1);
		buf_free(&b);
	}
	/* Without an end. */
	long_head(&b, first, ROOM);
	expect(get, (const char *)buf_ptr(&b), HTTP_HEAD_MAX - 1, 0);
	expect(get, (const char *)buf_ptr(&b), HTTP_HEAD_MAX, SKY_ERR_LIMIT);
	expect(get, (const char *)buf_ptr(&b), ROOM - 4, SKY_ERR_LIMIT);
	buf_free(&b);
}

static void
test_limits(void **state)
{
	(void)state;
	check_limit(http_get_request, GET);
	check_limit(http_get_response, OK);
}

/* The limit is the head's: what stands behind it does not count. */
static void
test_limit_of_head_alone(void **state)
{
	struct http_head h;
	struct buf b;
	uint8_t *p;

	(void)state;
	long_head(&b, GET, HTTP_HEAD_MAX);
	assert_int_equal(buf_extend(&b, HTTP_HEAD_MAX, &p), 0);
	memset(p, '\n', HTTP_HEAD_MAX);
	assert_int_equal(http_get_request(&b, &h), 1);
	assert_int_equal(buf_len(&b), HTTP_HEAD_MAX);
	buf_free(&b);
}

/* --- numbers, dates --- */

static void
test_number(void **state)
{
	static const struct {
		const char *text;
		int64_t want;
	} good[] = { { "0", 0 }, { "7", 7 }, { "0123", 123 },
		{ "000000000000000000", 0 },
		{ "999999999999999999", 999999999999999999 } };
	static const struct text bad[] = { T(""), T("-1"), T("+1"), T(" 1"),
		T("1 "), T("1a"), T("0x1"), T("1\0"), T("/"), T(":"), T("\xb2"),
		T("1000000000000000000"), T("0000000000000000000") };
	struct buf b;
	int64_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		buf_view(&b, good[i].text, strlen(good[i].text));
		n = -1;
		assert_int_equal(http_number(&b, &n), 0);
		assert_true(n == good[i].want);
		assert_int_equal(buf_len(&b), strlen(good[i].text));
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		buf_view(&b, bad[i].p, bad[i].n);
		assert_int_equal(http_number(&b, &n), SKY_ERR_FORMAT);
	}
}

static void
test_date(void **state)
{
	static const struct {
		int64_t t;
		const char *want;
	} dates[] = {
		{ 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
		{ 784111777, "Sun, 06 Nov 1994 08:49:37 GMT" },
		{ 951782400, "Tue, 29 Feb 2000 00:00:00 GMT" },
		{ 1798761599, "Thu, 31 Dec 2026 23:59:59 GMT" },
		{ 1798761600, "Fri, 01 Jan 2027 00:00:00 GMT" },
		{ 4107542399, "Sun, 28 Feb 2100 23:59:59 GMT" },
		{ 4107542400, "Mon, 01 Mar 2100 00:00:00 GMT" },
	};
	char text[HTTP_DATE_LEN];

	(void)state;
	for (size_t i = 0; i < COUNT(dates); i++) {
		if ((time_t)dates[i].t != dates[i].t)
			continue; /* a time_t of 32 bits */
		http_date((time_t)dates[i].t, text);
		assert_string_equal(text, dates[i].want);
	}
}

/* Every day of eight centuries, as the C library has it. */
static void
test_every_date(void **state)
{
	char text[HTTP_DATE_LEN], want[64];
	struct tm tm;
	int64_t seconds = 0;
	time_t t;

	(void)state;
	for (int day = 0; day < 800 * 366; day++) {
		if ((t = (time_t)seconds) != seconds)
			break; /* 32 bits of it end in 2038 */
		seconds += 86400 - day % 3;
		http_date(t, text);
		assert_non_null(gmtime_r(&t, &tm));
		strftime(want, sizeof(want), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		if (strcmp(text, want) != 0)
			fail_msg("%lld: %s, not %s", (long long)t, text, want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_response),
		cmocka_unit_test(test_pipelined),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_field),
		cmocka_unit_test(test_is),
		cmocka_unit_test(test_bad_requests),
		cmocka_unit_test(test_bad_responses),
		cmocka_unit_test(test_bare_line_feed),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_limit_of_head_alone),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_date),
		cmocka_unit_test(test_every_date),
	};

	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
