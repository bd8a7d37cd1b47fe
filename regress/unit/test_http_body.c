/* SPDX-License-Identifier: ISC */
/* http: bodies, however they are delimited and however they arrive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/err.h"
#include "common/base/http.h"
#include "common/pty/exec_stream.h"
#include "gobvec.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ROOM	 (4U * HTTP_HEAD_MAX)
#define VECTORS	 "pty-http-exec.txt"
#define CHUNKED	 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

/* What became of a message. */
struct result {
	struct http_body body;
	struct buf data;
	struct buf trailers; /* a copy */
	size_t rest;	     /* bytes behind it */
	int r;		     /* of the last call */
};

static void
put(struct buf *b, const void *p, size_t n)
{
	assert_int_equal(buf_put(b, p, n), 0);
}

static void
assert_buf(const struct buf *b, const char *want)
{
	assert_int_equal(buf_len(b), strlen(want));
	assert_memory_equal(buf_ptr(b), want, strlen(want));
}

static void
result_free(struct result *t)
{
	buf_free(&t->data);
	buf_free(&t->trailers);
}

static int
start(struct result *t, struct buf *in, bool response)
{
	struct http_head h;
	int r;

	r = response ? http_get_response(in, &h) : http_get_request(in, &h);
	if (r == 1)
		http_body_init(&t->body, &h, response);
	return r;
}

static void
take(struct result *t, struct buf *in)
{
	struct buf piece;

	if (t->body.state == HTTP_DONE)
		return;
	while ((t->r = http_get_body(&t->body, in, &piece)) == 1) {
		assert_int_not_equal(buf_len(&piece), 0);
		put(&t->data, buf_ptr(&piece), buf_len(&piece));
	}
	if (t->body.state == HTTP_DONE && t->r == 0)
		put(&t->trailers, buf_ptr(&t->body.trailers),
		    buf_len(&t->body.trailers));
}

/* A message given step bytes at a time; result_free() it. */
static void
feed(struct result *t, const void *p, size_t n, size_t step, bool response)
{
	const uint8_t *bytes = p;
	struct buf in;
	bool body = false;
	size_t m;

	memset(t, 0, sizeof(*t));
	buf_init(&t->data, 1024 * 1024);
	buf_init(&t->trailers, ROOM);
	buf_init(&in, 1024 * 1024);
	for (size_t i = 0; t->r == 0 && i < n; i += m) {
		m = n - i < step ? n - i : step;
		put(&in, bytes + i, m);
		if (!body && start(t, &in, response) == 1)
			body = true;
		if (body)
			take(t, &in);
	}
	assert_true(body);
	t->rest = buf_len(&in);
	buf_free(&in);
}

/* The same result whichever way it arrives, which is handed back. */
static void
feed_all(struct result *t, const void *p, size_t n, bool response)
{
	static const size_t steps[] = { 1, 2, 3, 5, 64 };
	struct result other;

	feed(t, p, n, SIZE_MAX, response);
	for (size_t i = 0; i < COUNT(steps); i++) {
		feed(&other, p, n, steps[i], response);
		assert_int_equal(other.r, t->r);
		assert_int_equal(other.body.state, t->body.state);
		assert_int_equal(buf_len(&other.data), buf_len(&t->data));
		assert_memory_equal(buf_ptr(&other.data), buf_ptr(&t->data),
		    buf_len(&t->data));
		assert_int_equal(buf_len(&other.trailers),
		    buf_len(&t->trailers));
		assert_memory_equal(buf_ptr(&other.trailers),
		    buf_ptr(&t->trailers), buf_len(&t->trailers));
		if (t->r == 0)
			assert_int_equal(other.rest, t->rest);
		result_free(&other);
	}
}

/* --- the vectors --- */

static const char *const request_bodies[] = {
	("{\"name\":\"sh\",\"arg\":[\"-c\",\"echo out; echo err 1>&2; "
	 "exit 7\"]}"),
	"{\"name\":\"/nonexistent\"}",
	"{\"name\":\"sh\"}",
	"{\"name\":\"\"}",
	"",
	"{\"name\":\"sh\"}",
};

static const struct {
	const char *data;
	size_t n;
	const char *trailers;
} responses[] = {
	{ "\1\0\0\0\4out\n\0\0\0\0\0\2\0\0\0\4err\n", 23,
	    "X-Exec-Duration-Ms: 12\r\nX-Exec-Exit-Code: 7\r\n"
	    "X-Exec-Timed-Out: false\r\n" },
	{ "", 0,
	    "X-Exec-Duration-Ms: 12\r\nX-Exec-Error: fork/exec "
	    "/nonexistent: no such file or directory\r\n"
	    "X-Exec-Exit-Code: -1\r\nX-Exec-Timed-Out: false\r\n" },
	{ "out\nerr\n", 8,
	    "X-Exec-Duration-Ms: 12\r\nX-Exec-Exit-Code: 7\r\n"
	    "X-Exec-Timed-Out: false\r\n" },
	{ "exec-stream: empty command name\n", 32, "" },
	{ "exec-stream: POST /exec only\n", 29, "" },
	{ "exec-stream: unknown path /x\n", 29, "" },
};

/* The i-th message of one direction. */
static struct buf
vector(const struct vectors *v, const char *name, size_t i)
{
	size_t at = vec_find(v, 0, name);
	struct buf b;

	while (i-- > 0)
		at = vec_find(v, at + 1, name);
	vec_buf(v, at, name, &b);
	return b;
}

static void
test_vector_requests(void **state)
{
	struct vectors *v = vec_load(VECTORS);
	struct result t;
	struct buf b;

	(void)state;
	for (size_t i = 0; i < COUNT(request_bodies); i++) {
		b = vector(v, "c>s", i);
		feed_all(&t, buf_ptr(&b), buf_len(&b), false);
		assert_int_equal(t.r, 0);
		assert_int_equal(t.body.state, HTTP_DONE);
		assert_int_equal(t.rest, 0);
		assert_buf(&t.data, request_bodies[i]);
		result_free(&t);
		buf_free(&b);
	}
	vec_free(v);
}

static void
test_vector_responses(void **state)
{
	struct vectors *v = vec_load(VECTORS);
	struct result t;
	struct buf b;

	(void)state;
	for (size_t i = 0; i < COUNT(responses); i++) {
		b = vector(v, "s>c", i);
		feed_all(&t, buf_ptr(&b), buf_len(&b), true);
		assert_int_equal(t.r, 0);
		assert_int_equal(t.body.state, HTTP_DONE);
		assert_int_equal(t.rest, 0);
		assert_int_equal(buf_len(&t.data), responses[i].n);
		assert_memory_equal(buf_ptr(&t.data), responses[i].data,
		    responses[i].n);
		assert_buf(&t.trailers, responses[i].trailers);
		result_free(&t);
		buf_free(&b);
	}
	vec_free(v);
}

/* The first response's frames and what its trailers say. */
static void
test_vector_frames(void **state)
{
	static const struct {
		uint8_t tag;
		const char *payload;
	} want[] = { { XS_STDOUT, "out\n" }, { XS_KEEPALIVE, "" },
		{ XS_STDERR, "err\n" } };
	struct vectors *v = vec_load(VECTORS);
	struct buf b = vector(v, "s>c", 0), payload, value;
	struct result t;
	uint8_t tag;

	(void)state;
	feed(&t, buf_ptr(&b), buf_len(&b), SIZE_MAX, true);
	for (size_t i = 0; i < COUNT(want); i++) {
		assert_int_equal(
		    xs_get_frame(&t.data, XS_FRAME_MAX, &tag, &payload), 1);
		assert_int_equal(tag, want[i].tag);
		assert_buf(&payload, want[i].payload);
	}
	assert_int_equal(buf_len(&t.data), 0);
	assert_int_equal(http_field(&t.trailers, XS_TRAILER_EXIT, &value), 1);
	assert_buf(&value, "7");
	assert_int_equal(http_field(&t.trailers, XS_TRAILER_TIMEDOUT, &value),
	    1);
	assert_buf(&value, "false");
	assert_int_equal(http_field(&t.trailers, XS_TRAILER_DURATION, &value),
	    1);
	assert_buf(&value, "12");
	assert_int_equal(http_field(&t.trailers, XS_TRAILER_ERROR, &value), 0);
	result_free(&t);
	buf_free(&b);
	vec_free(v);
}

/* A message cut short is never over, never wrong, and a piece of the whole. */
static void
check_truncated(const struct buf *b, bool response)
{
	struct http_head h;
	struct result all, t;
	struct buf in = *b;
	struct blob copy;
	size_t head;

	assert_int_equal(response ? http_get_response(&in, &h) :
				    http_get_request(&in, &h),
	    1);
	head = buf_len(b) - buf_len(&in);
	feed(&all, buf_ptr(b), buf_len(b), SIZE_MAX, response);
	for (size_t n = head; n < buf_len(b); n++) {
		copy = blob_new(buf_ptr(b), n);
		feed(&t, copy.p, n, SIZE_MAX, response);
		free(copy.p);
		assert_int_equal(t.r, 0);
		assert_int_not_equal(t.body.state, HTTP_DONE);
		assert_in_range(buf_len(&t.data), 0, buf_len(&all.data));
		assert_memory_equal(buf_ptr(&t.data), buf_ptr(&all.data),
		    buf_len(&t.data));
		result_free(&t);
	}
	result_free(&all);
}

static void
test_truncated(void **state)
{
	struct vectors *v = vec_load(VECTORS);
	struct buf b;

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		b = vector(v, "c>s", i);
		check_truncated(&b, false);
		buf_free(&b);
		b = vector(v, "s>c", i);
		check_truncated(&b, true);
		buf_free(&b);
	}
	vec_free(v);
}

/* --- how a body is delimited --- */

static void
expect(const char *text, bool response, const char *data, int state,
    size_t rest)
{
	struct result t;

	feed_all(&t, text, strlen(text), response);
	if (t.r != 0)
		fail_msg("%s: %d", text, t.r);
	assert_int_equal(t.body.state, state);
	assert_buf(&t.data, data);
	assert_int_equal(t.rest, rest);
	result_free(&t);
}

static void
test_length(void **state)
{
	(void)state;
	expect("PUT / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcdef", false,
	    "abc", HTTP_DONE, 3);
	expect("PUT / HTTP/1.1\r\nContent-Length: 4\r\n\r\nabc", false, "abc",
	    HTTP_LENGTH, 0);
	expect("PUT / HTTP/1.1\r\nContent-Length: 0\r\n\r\nabc", false, "",
	    HTTP_DONE, 3);
	expect("PUT / HTTP/1.1\r\n\r\nabc", false, "", HTTP_DONE, 3);
	expect("PUT / HTTP/1.0\r\nContent-Length: 1\r\n\r\nabc", false, "a",
	    HTTP_DONE, 2);
	expect("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc", true, "a",
	    HTTP_DONE, 2);
	expect("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\nabc", true, "",
	    HTTP_DONE, 3);
	/* The longest that can be said. */
	expect("PUT / HTTP/1.1\r\nContent-Length: 999999999999999999\r\n\r\na",
	    false, "a", HTTP_LENGTH, 0);
}

static void
test_until_eof(void **state)
{
	(void)state;
	expect("HTTP/1.1 200 OK\r\n\r\nall\r\n\r\nof it", true,
	    "all\r\n\r\nof it", HTTP_UNTIL_EOF, 0);
	expect("HTTP/1.0 404 No\r\n\r\n", true, "", HTTP_UNTIL_EOF, 0);
}

/* These have none, whatever they say. */
static void
test_bodiless(void **state)
{
	static const char *const status[] = { "100", "101", "199", "204",
		"304" };
	static const char *const others[] = { "200", "205", "203", "303",
		"400" };
	char text[128];

	(void)state;
	for (size_t i = 0; i < COUNT(status); i++) {
		snprintf(text, sizeof(text), "HTTP/1.1 %s\r\n\r\n3\r\n",
		    status[i]);
		expect(text, true, "", HTTP_DONE, 3);
		snprintf(text, sizeof(text),
		    "HTTP/1.1 %s\r\nContent-Length: 3\r\n\r\n3\r\n", status[i]);
		expect(text, true, "", HTTP_DONE, 3);
		snprintf(text, sizeof(text),
		    "HTTP/1.1 %s\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n",
		    status[i]);
		expect(text, true, "", HTTP_DONE, 3);
	}
	for (size_t i = 0; i < COUNT(others); i++) {
		snprintf(text, sizeof(text), "HTTP/1.1 %s\r\n\r\n3\r\n",
		    others[i]);
		expect(text, true, "3\r\n", HTTP_UNTIL_EOF, 0);
	}
}

static void
test_chunks(void **state)
{
	(void)state;
	expect(CHUNKED "3\r\nabc\r\n0\r\n\r\nHTTP", true, "abc", HTTP_DONE, 4);
	expect(CHUNKED "0\r\n\r\n", true, "", HTTP_DONE, 0);
	expect(CHUNKED "a\r\n0123456789\r\nA\r\n\r\n\r\n\r\n\r\n\r\n\r\n"
		       "000000000000000\r\n\r\n",
	    true, "0123456789\r\n\r\n\r\n\r\n\r\n", HTTP_DONE, 0);
	expect(CHUNKED "000000000000001\r\na\r\n1\r\nb\r\n00\r\n\r\n", true,
	    "ab", HTTP_DONE, 0);
	expect(CHUNKED "1;x\r\na\r\n1;x=y\r\nb\r\n1 ;x=\"y;z\"\r\nc\r\n"
		       "1 \t\r\nd\r\n0;last\r\n\r\n",
	    true, "abcd", HTTP_DONE, 0);
	/* On the way. */
	expect(CHUNKED "fffffffffffffff\r\nab", true, "ab", HTTP_CHUNK, 0);
	expect(CHUNKED "2\r\nab\r", true, "ab", HTTP_CRLF, 1);
	expect(CHUNKED "2\r\nab\r\n", true, "ab", HTTP_SIZE, 0);
	expect(CHUNKED "2\r\nab\r\n0\r\n\r", true, "ab", HTTP_TRAILERS, 1);
	/* A request's as well. */
	expect("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
	       "1\r\na\r\n0\r\nx: y\r\n\r\nz",
	    false, "a", HTTP_DONE, 1);
}

static void
test_chunk_size(void **state)
{
	static const char text[] = CHUNKED "FEDcba987654321\r\n";
	struct result t;

	(void)state;
	feed_all(&t, text, strlen(text), true);
	assert_int_equal(t.r, 0);
	assert_int_equal(t.body.state, HTTP_CHUNK);
	assert_true(t.body.left == 0xfedcba987654321);
	result_free(&t);
}

/* Nothing more is said of a body that is over. */
static void
test_over(void **state)
{
	struct http_body body = { .state = HTTP_DONE };
	struct buf in, piece;

	(void)state;
	buf_view(&in, "more", 4);
	assert_int_equal(http_get_body(&body, &in, &piece), 0);
	assert_int_equal(buf_len(&in), 4);
}

/* --- refusals --- */

static void
refuse(const char *body, size_t n, int want)
{
	struct result t;
	struct buf b;

	buf_init(&b, ROOM + 128);
	put(&b, CHUNKED, strlen(CHUNKED));
	put(&b, body, n);
	feed_all(&t, buf_ptr(&b), buf_len(&b), true);
	if (t.r != want)
		fail_msg("%.*s: %d instead of %d", n > 200 ? 200 : (int)n, body,
		    t.r, want);
	assert_int_not_equal(t.body.state, HTTP_DONE);
	result_free(&t);
	buf_free(&b);
}

static void
test_bad_sizes(void **state)
{
	static const char *const bad[] = { "\r\n", " 1\r\n", "\t1\r\n",
		"-1\r\n", "+1\r\n", "0x1\r\n", "g\r\n", "1g\r\n", "1 2\r\n",
		"1,\r\n", ";x\r\n", "1\n", "\n", "1\r\r\n", "\r1\r\n",
		"1\rx\r\n", "1;x\ry\r\n", "1;x\n", "1;\x01\r\n", "1;x\x7f\r\n",
		"1;\x1b\r\n", "1 x;y\r\n", "\x80\r\n", "1\x80\r\n" };
	static const char *const huge[] = { "1000000000000000\r\n",
		"0000000000000000\r\n", "0000000000000001\r\n",
		"ffffffffffffffff\r\n", "10000000000000001\r\n",
		"ffffffffffffffffffffffff\r\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		refuse(bad[i], strlen(bad[i]), SKY_ERR_FORMAT);
	refuse("1\0\r\n", 4, SKY_ERR_FORMAT);
	refuse("1;\0\r\n", 5, SKY_ERR_FORMAT);
	for (size_t i = 0; i < COUNT(huge); i++)
		refuse(huge[i], strlen(huge[i]), SKY_ERR_LIMIT);
}

/* A chunk is as long as it says, or the stream is not understood. */
static void
test_lying_sizes(void **state)
{
	static const char *const bad[] = { "3\r\nabcd\r\n", "3\r\nabc\n\n",
		"3\r\nabc\r\r", "3\r\nabc\n0\r\n\r\n", "3\r\nabc0\r\n\r\n",
		"3\r\nab\r\n0\r\n\r\n", "1\r\n\r\n\r\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		refuse(bad[i], strlen(bad[i]), SKY_ERR_FORMAT);
}

static void
test_bad_trailers(void **state)
{
	static const char *const bad[] = { "a\r\n\r\n", ": b\r\n\r\n",
		"a : b\r\n\r\n", " a: b\r\n\r\n", "a: b\r\n c\r\n\r\n",
		"a: b\n", "\n", "a: b\r\n\n", "a: b\rc\r\n\r\n", "\rx\r\n\r\n",
		"a: \x01\r\n\r\n", "a: b\x7f\r\n\r\n", "a: b\r\nc\r\n\r\n" };
	char text[64];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		snprintf(text, sizeof(text), "0\r\n%s", bad[i]);
		refuse(text, strlen(text), SKY_ERR_FORMAT);
	}
	refuse("0\r\na: \0\r\n\r\n", 11, SKY_ERR_FORMAT);
}

/* --- limits --- */

/* A size line of n bytes without its end. */
static void
test_line_limit(void **state)
{
	char line[HTTP_LINE_MAX + 64];
	struct result t;
	struct buf b;

	(void)state;
	for (int n = HTTP_LINE_MAX - 3; n < HTTP_LINE_MAX + 4; n++) {
		memset(line, 'x', sizeof(line));
		memcpy(line, "0;", 2);
		if (n > HTTP_LINE_MAX) {
			refuse(line, (size_t)n + 2, SKY_ERR_LIMIT);
			memcpy(line + n, "\r\n\r\n", 4);
			refuse(line, (size_t)n + 4, SKY_ERR_LIMIT);
			continue;
		}
		memcpy(line + n, "\r\n\r\n", 4);
		buf_init(&b, ROOM);
		put(&b, CHUNKED, strlen(CHUNKED));
		put(&b, line, (size_t)n + 4);
		feed_all(&t, buf_ptr(&b), buf_len(&b), true);
		assert_int_equal(t.r, 0);
		assert_int_equal(t.body.state, HTTP_DONE);
		result_free(&t);
		buf_free(&b);
	}
}

/* Trailers of n bytes, their empty line included. */
static void
long_trailers(struct buf *b, size_t n)
{
	uint8_t *p;

	buf_init(b, ROOM);
	put(b, CHUNKED "0\r\na: ", strlen(CHUNKED) + 6);
	assert_int_equal(buf_extend(b, n - 7, &p), 0);
	memset(p, 'b', n - 7);
	put(b, "\r\n\r\n", 4);
}

static void
test_trailers_limit(void **state)
{
	struct result t;
	struct buf b;

	(void)state;
	for (size_t n = HTTP_HEAD_MAX - 1; n < HTTP_HEAD_MAX + 5; n++) {
		long_trailers(&b, n);
		feed_all(&t, buf_ptr(&b), buf_len(&b), true);
		assert_int_equal(t.r, n > HTTP_HEAD_MAX ? SKY_ERR_LIMIT : 0);
		if (n <= HTTP_HEAD_MAX)
			assert_int_equal(buf_len(&t.trailers), n - 2);
		result_free(&t);
		buf_free(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vector_requests),
		cmocka_unit_test(test_vector_responses),
		cmocka_unit_test(test_vector_frames),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_until_eof),
		cmocka_unit_test(test_bodiless),
		cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_chunk_size),
		cmocka_unit_test(test_over),
		cmocka_unit_test(test_bad_sizes),
		cmocka_unit_test(test_lying_sizes),
		cmocka_unit_test(test_bad_trailers),
		cmocka_unit_test(test_line_limit),
		cmocka_unit_test(test_trailers_limit),
	};

	return cmocka_run_group_tests_name("http_body", tests, NULL, NULL);
}
