/* SPDX-License-Identifier: ISC */
/* mux_forward: requests of forwarded connections, there and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/err.h"
#include "common/pty/mux_forward.h"

static struct buf
query_of(const char *uri, const char *service)
{
	struct buf b, query;

	buf_view(&b, uri, strlen(uri));
	assert_true(mux_match(&b, service, &query));
	return query;
}

static struct buf
view(const char *text)
{
	struct buf b;

	buf_view(&b, text, strlen(text));
	return b;
}

static struct mux_place
place(const char *name, uint16_t port)
{
	struct mux_place p = { .port = port };

	strcpy(p.name, name);
	return p;
}

static struct mux_place
path(const char *name)
{
	struct mux_place p = { .is_path = true };

	strcpy(p.name, name);
	return p;
}

/* --- written, and read back --- */

static void
forward_is(struct mux_place p, const char *want)
{
	char uri[MUX_URI_MAX + 1];
	struct mux_place got;
	struct buf query;

	assert_int_equal(mux_forward_uri(uri, &p), 0);
	assert_string_equal(uri, want);
	query = query_of(uri, MUX_URI_FORWARD);
	assert_int_equal(mux_forward_query(&query, &got), 0);
	assert_int_equal(got.is_path, p.is_path);
	assert_string_equal(got.name, p.name);
	assert_int_equal(got.port, p.port);
}

static void
test_forward(void **state)
{
	(void)state;
	forward_is(place("build.example", 443),
	    "skypty/1/forward?host=build.example&port=443");
	forward_is(place("2001:db8::1", 65535),
	    "skypty/1/forward?host=2001%3Adb8%3A%3A1&port=65535");
	forward_is(place("fe80::1%eth0", 1),
	    "skypty/1/forward?host=fe80%3A%3A1%25eth0&port=1");
	forward_is(path("/run/a b&c=d;e#f?g"),
	    "skypty/1/forward?path=%2Frun%2Fa%20b%26c%3Dd%3Be%23f%3Fg");
	forward_is(path("\xc3\xa4\x01"), "skypty/1/forward?path=%C3%A4%01");
}

static void
test_listen(void **state)
{
	struct mux_place p = place("", 0), got;
	char uri[MUX_URI_MAX + 1];
	struct buf query;
	uint32_t id;

	(void)state;
	assert_int_equal(mux_listen_uri(uri, UINT32_MAX, &p), 0);
	assert_string_equal(uri,
	    "skypty/1/listen?id=4294967295&address=&port=0");
	query = query_of(uri, MUX_URI_LISTEN);
	assert_int_equal(mux_listen_query(&query, &id, &got), 0);
	assert_true(id == UINT32_MAX);
	assert_string_equal(got.name, "");
	assert_int_equal(got.port, 0);

	p = path("/tmp/s");
	assert_int_equal(mux_listen_uri(uri, 7, &p), 0);
	assert_string_equal(uri, "skypty/1/listen?id=7&path=%2Ftmp%2Fs");
	query = query_of(uri, MUX_URI_LISTEN);
	assert_int_equal(mux_listen_query(&query, &id, &got), 0);
	assert_true(got.is_path);
	assert_string_equal(got.name, "/tmp/s");
}

static void
test_accepted(void **state)
{
	struct mux_accepted a = { .id = 3, .from = "::1", .port = 50000 }, got;
	char uri[MUX_URI_MAX + 1];
	struct buf query;

	(void)state;
	assert_int_equal(mux_accepted_uri(uri, &a), 0);
	assert_string_equal(uri,
	    "skypty/1/accepted?id=3&from=%3A%3A1&port=50000");
	query = query_of(uri, MUX_URI_ACCEPTED);
	assert_int_equal(mux_accepted_query(&query, &got), 0);
	assert_int_equal(got.id, 3);
	assert_string_equal(got.from, "::1");
	assert_int_equal(got.port, 50000);
}

/* As long as a request can be, and a byte more. */
static void
test_long(void **state)
{
	struct mux_place p = { .is_path = true }, got;
	size_t most = MUX_URI_MAX - strlen(MUX_URI_FORWARD "?path=");
	char uri[MUX_URI_MAX + 1];
	struct buf query;

	(void)state;
	memset(p.name, 'a', most);
	assert_int_equal(mux_forward_uri(uri, &p), 0);
	assert_int_equal(strlen(uri), MUX_URI_MAX);
	query = query_of(uri, MUX_URI_FORWARD);
	assert_int_equal(mux_forward_query(&query, &got), 0);
	assert_string_equal(got.name, p.name);
	p.name[most] = 'a';
	assert_int_equal(mux_forward_uri(uri, &p), SKY_ERR_LIMIT);
	p.name[most] = '\0';
	p.name[0] = '/'; /* three bytes when escaped */
	assert_int_equal(mux_forward_uri(uri, &p), SKY_ERR_LIMIT);
	p.is_path = false;
	assert_int_equal(mux_listen_uri(uri, 1, &p), SKY_ERR_LIMIT);
}

/* --- what is malformed --- */

static void
test_bad_forward(void **state)
{
	static const char *const bad[] = { "", "host=a", "port=1",
		"path=", "host=&port=1", "host=a&port=0",
		"host=a&port=", "host=a&port=65536", "host=a&port=-1",
		"host=a&port=+1", "host=a&port= 1", "host=a&port=1x",
		"host=a%&port=1", "host=a%4&port=1", "host=a%00b&port=1",
		"host=a;port=1", "host=a&port=99999999999999999999999",
		"address=a&port=1" };
	struct mux_place p;
	struct buf query;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		query = view(bad[i]);
		assert_int_equal(mux_forward_query(&query, &p), SKY_ERR_FORMAT);
	}
}

static void
test_bad_listen(void **state)
{
	static const char *const bad[] = { "", "id=1", "address=a&port=1",
		"id=&address=a&port=1", "id=4294967296&address=a&port=1",
		"id=-1&address=a&port=1", "id=1&address=a", "id=1&port=1",
		"id=1&path=", "id=1&host=a&port=1" };
	struct mux_place p;
	struct buf query;
	uint32_t id;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		query = view(bad[i]);
		assert_int_equal(mux_listen_query(&query, &id, &p),
		    SKY_ERR_FORMAT);
	}
}

static void
test_bad_accepted(void **state)
{
	static const char *const bad[] = { "", "id=1", "id=1&from=a",
		"id=1&port=1", "from=a&port=1", "id=x&from=a&port=1",
		"id=1&from=a&port=65536", "id=1&from=%zz&port=1" };
	struct mux_accepted a;
	struct buf query;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		query = view(bad[i]);
		assert_int_equal(mux_accepted_query(&query, &a),
		    SKY_ERR_FORMAT);
	}
}

/* A request that ends anywhere is one of less, or none. */
static void
test_truncated(void **state)
{
	const char *whole = "host=h&port=443";
	struct mux_place p;
	struct buf query;

	(void)state;
	for (size_t n = 0; n < strlen("host=h&port="); n++) {
		buf_view(&query, whole, n + 1);
		assert_int_equal(mux_forward_query(&query, &p), SKY_ERR_FORMAT);
	}
	buf_view(&query, whole, strlen(whole) - 2);
	assert_int_equal(mux_forward_query(&query, &p), 0);
	assert_int_equal(p.port, 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forward),
		cmocka_unit_test(test_listen),
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_bad_forward),
		cmocka_unit_test(test_bad_listen),
		cmocka_unit_test(test_bad_accepted),
		cmocka_unit_test(test_truncated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
