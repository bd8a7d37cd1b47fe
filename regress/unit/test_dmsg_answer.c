/* SPDX-License-Identifier: ISC */
/* dmsg_disc: answers, recorded ones and others, however they arrive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/err.h"
#include "common/dmsg/dmsg_disc.h"
#include "common/dmsg/dmsg_entry.h"
#include "gobvec.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define VECTORS	 "dmsg-disc-http.txt"
#define CHUNKED	 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

/*
 * Reads an answer given step bytes at a time, the end of the stream behind the
 * last one; dmsg_answer_free() it.
 */
static int
feed(struct dmsg_answer *a, const void *p, size_t n, size_t step, bool eof)
{
	const uint8_t *bytes = p;
	struct buf in;
	size_t m;
	int r = 0;

	dmsg_answer_init(a);
	buf_init(&in, 4U * DMSG_BODY_MAX);
	for (size_t i = 0; r == 0 && i < n; i += m) {
		m = n - i < step ? n - i : step;
		assert_int_equal(buf_put(&in, bytes + i, m), 0);
		r = dmsg_answer_read(a, &in, eof && i + m == n);
	}
	buf_free(&in);
	return r;
}

/* The same whichever way it arrives. */
static void
expect_n(const void *p, size_t n, bool eof, int status, const void *body,
    size_t len)
{
	static const size_t steps[] = { SIZE_MAX, 1, 2, 3, 7, 64 };
	struct dmsg_answer a;

	for (size_t i = 0; i < COUNT(steps); i++) {
		assert_int_equal(feed(&a, p, n, steps[i], eof), 1);
		assert_int_equal(a.status, status);
		assert_int_equal(buf_len(&a.body), len);
		assert_memory_equal(buf_ptr(&a.body), body, len);
		dmsg_answer_free(&a);
	}
}

static void
expect(const char *text, bool eof, int status, const char *body)
{
	expect_n(text, strlen(text), eof, status, body, strlen(body));
}

static void
refuse(const char *text, int error)
{
	static const size_t steps[] = { SIZE_MAX, 1, 5 };
	struct dmsg_answer a;

	for (size_t i = 0; i < COUNT(steps); i++) {
		assert_int_equal(feed(&a, text, strlen(text), steps[i], false),
		    error);
		dmsg_answer_free(&a);
	}
}

/* --- recorded answers --- */

static void
unescape(char *s)
{
	char *to = s;

	for (; *s != '\0'; s++, to++) {
		*to = *s;
		if (*s != '\\')
			continue;
		s++;
		assert_true(*s == 'r' || *s == 'n');
		*to = *s == 'r' ? '\r' : '\n';
	}
	*to = '\0';
}

static int
count(void *arg, const struct dmsg_entry *e)
{
	size_t *n = arg;

	assert_string_equal(e->address, "127.0.0.1:34149");
	++*n;
	return 0;
}

/* What the body of a recorded answer is. */
static void
check_body(int status, const char *body)
{
	struct dmsg_entry e;
	size_t n = 0;
	struct buf b;

	buf_view(&b, body, strlen(body));
	if (status == 404)
		assert_int_equal(dmsg_get_error(&b, NULL, 0),
		    DMSG_ERROR_NOT_FOUND);
	else if (*body == '[') {
		assert_int_equal(dmsg_get_servers(&b, count, &n), 0);
		assert_int_equal(n, 1);
	} else if (strncmp(body, "{\"version\"", 10) == 0) {
		assert_int_equal(dmsg_get_entry(&b, &e), 0);
		assert_true(e.is_client || e.is_server);
	} else
		assert_int_equal(dmsg_get_error(&b, NULL, 0), DMSG_ERROR_OTHER);
}

static void
test_recorded(void **state)
{
	char *text = vec_slurp(VECTORS), *rest = text, *line, *body;
	struct dmsg_answer a;
	size_t n = 0;
	int status;

	(void)state;
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (strncmp(line, "conn", 4) != 0 ||
		    (line = strstr(line, " < '")) == NULL)
			continue;
		line += 4;
		line[strlen(line) - 1] = '\0';
		unescape(line);
		body = strstr(line, "\r\n\r\n") + 4;
		status = atoi(line + strlen("HTTP/1.1 "));
		expect(line, false, status, body);
		check_body(status, body);
		/* Cut short it is never whole. */
		for (size_t i = 1; i < strlen(line); i++) {
			assert_int_equal(feed(&a, line, i, SIZE_MAX, false), 0);
			dmsg_answer_free(&a);
			assert_int_not_equal(feed(&a, line, i, SIZE_MAX, true),
			    1);
			dmsg_answer_free(&a);
		}
		n++;
	}
	assert_int_equal(n, 28);
	free(text);
}

/* "METHOD path [body=...] -> status body" */
static void
test_recorded_refusals(void **state)
{
	char *text = vec_slurp(VECTORS), *rest = text, *line, *body;
	size_t seen[3] = { 0 };
	struct buf b;
	int status;

	(void)state;
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (*line == '#' || strncmp(line, "conn", 4) == 0 ||
		    (line = strstr(line, " -> ")) == NULL)
			continue;
		status = (int)strtol(line + 4, &body, 10);
		buf_view(&b, body + 1, strlen(body + 1));
		assert_in_range(status, 200, 500);
		switch (dmsg_get_error(&b, NULL, 0)) {
		case DMSG_ERROR_NOT_FOUND:
			assert_int_equal(status, 404);
			seen[0]++;
			break;
		case DMSG_ERROR_SEQUENCE:
			assert_int_equal(status, 422);
			seen[1]++;
			break;
		default:
			seen[2]++;
		}
	}
	assert_int_equal(seen[0], 1);
	assert_int_equal(seen[1], 1);
	assert_int_equal(seen[2], 8);
	free(text);
}

/* --- others --- */

static void
test_framings(void **state)
{
	(void)state;
	expect("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", false, 200,
	    "[]");
	expect("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]more", false, 200,
	    "[]");
	expect("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", false, 404, "");
	expect("HTTP/1.1 204 No\r\n\r\n", false, 204, "");
	expect(CHUNKED "1\r\n[\r\n1;x=y\r\n]\r\n0\r\nX: y\r\n\r\n", false, 200,
	    "[]");
	expect(CHUNKED "0\r\n\r\n", true, 200, "");
	expect("HTTP/1.0 200 OK\r\n\r\n[]", true, 200, "[]");
	expect("HTTP/1.1 500 No\r\n\r\n", true, 500, "");
}

static void
test_interim(void **state)
{
	(void)state;
	expect("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\nLink: y\r\n\r\n"
	       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
	    false, 200, "[]");
	expect("HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n"
	       "HTTP/1.1 200 OK\r\n\r\n[]",
	    true, 200, "[]");
	refuse("HTTP/1.1 100 Continue\r\n\r\n", 0);
}

static void
test_refused(void **state)
{
	(void)state;
	refuse("HTTP/2.0 200 OK\r\n\r\n", SKY_ERR_FORMAT);
	refuse("<html>\r\n\r\n", SKY_ERR_FORMAT);
	refuse("HTTP/1.1 99 x\r\n\r\n", SKY_ERR_FORMAT);
	refuse("HTTP/1.1 200 OK\nContent-Length: 0\n\n", SKY_ERR_FORMAT);
	refuse("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
	       "Content-Length: 1\r\n\r\nx",
	    SKY_ERR_FORMAT);
	refuse("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", SKY_ERR_FORMAT);
	refuse("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
	    SKY_ERR_FORMAT);
	refuse(CHUNKED "x\r\n", SKY_ERR_FORMAT);
	refuse(CHUNKED "1\r\nabc", SKY_ERR_FORMAT);
	refuse(CHUNKED "10000000000000000\r\n", SKY_ERR_LIMIT);
}

/* A body of exactly that many bytes, in each of the three ways. */
static int
feed_body(int way, size_t n, size_t *got)
{
	struct dmsg_answer a;
	struct blob b = blob_new(NULL, 0);
	char head[128], *body = calloc(1, n);
	int r;

	assert_non_null(body);
	if (way == 0)
		snprintf(head, sizeof(head),
		    "HTTP/1.1 200 OK\r\n"
		    "Content-Length: %zu\r\n\r\n",
		    n);
	else if (way == 1)
		snprintf(head, sizeof(head), CHUNKED "%zx\r\n", n);
	else
		snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\n\r\n");
	blob_add(&b, head, strlen(head));
	blob_add(&b, body, n);
	if (way == 1)
		blob_add(&b, "\r\n0\r\n\r\n", 7);
	r = feed(&a, b.p, b.n, 60000, way == 2);
	*got = buf_len(&a.body);
	dmsg_answer_free(&a);
	free(b.p);
	free(body);
	return r;
}

static void
test_body_limit(void **state)
{
	size_t n;

	(void)state;
	for (int way = 0; way < 3; way++) {
		assert_int_equal(feed_body(way, DMSG_BODY_MAX, &n), 1);
		assert_int_equal(n, DMSG_BODY_MAX);
		assert_int_equal(feed_body(way, DMSG_BODY_MAX + 1, &n),
		    SKY_ERR_LIMIT);
		assert_in_range(n, 0, DMSG_BODY_MAX);
		assert_int_equal(feed_body(way, 2U * DMSG_BODY_MAX, &n),
		    SKY_ERR_LIMIT);
	}
}

/* A head that has no end is not waited for for ever. */
static void
test_head_limit(void **state)
{
	struct blob b = blob_new("HTTP/1.1 200 OK\r\nX: ", 20);
	struct dmsg_answer a;
	char junk[1024];

	(void)state;
	memset(junk, 'x', sizeof(junk));
	while (b.n < HTTP_HEAD_MAX)
		blob_add(&b, junk, sizeof(junk));
	assert_int_equal(feed(&a, b.p, b.n, 1000, false), SKY_ERR_LIMIT);
	dmsg_answer_free(&a);
	free(b.p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded),
		cmocka_unit_test(test_recorded_refusals),
		cmocka_unit_test(test_framings),
		cmocka_unit_test(test_interim),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_body_limit),
		cmocka_unit_test(test_head_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
