/* SPDX-License-Identifier: ISC */
/* Names by which a browser may come, and the many that only look like them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/http/http_origin.h"

static char empty[] = "", cert[] = "/cert";
static char h1[] = "127.0.0.1:8080", h2[] = "localhost:8080", h3[] = "[::1]:80",
	    h4[] = "[::1]";
static char o1[] = "https://admin.example.org", o2[] = "http://other:81";

static struct http_conf
conf(void)
{
	return (struct http_conf){ .cert = empty,
		.hosts = { .word = { h1, h2, h3, h4 }, .n = 4 },
		.origins = { .word = { o1, o2 }, .n = 2 } };
}

static void
test_hosts(void **state)
{
	static const char *const ours[] = { "127.0.0.1:8080", "localhost:8080",
		"LocalHost:8080", "[::1]:80", "[::1]", "admin.example.org",
		"ADMIN.example.org", "other:81" };
	static const char *const others[] = { "", ":", ":8080", "127.0.0.1",
		"127.0.0.1:", "127.0.0.1:80800", "127.0.0.1:808",
		"127.0.0.1:8080.", "127.0.0.1:8080.evil.test",
		" 127.0.0.1:8080", "127.0.0.1:8080 ", "evil.test",
		"evil.test:8080", "localhost.evil.test:8080", "xlocalhost:8080",
		"localhost", "user@127.0.0.1:8080", "127.0.0.1:8080@evil.test",
		"127.1:8080", "2130706433:8080", "0x7f.0.0.1:8080",
		"[::ffff:127.0.0.1]:8080", "::1", "[::1]:81",
		"https://admin.example.org", "admin.example.org:443",
		"admin.example.org.", "other", "other:810", "10.0.0.1:8080" };
	struct http_conf c = conf();

	(void)state;
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		assert_true(origin_host_ok(&c, ours[i]));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(origin_host_ok(&c, others[i]));
}

/* Listening everywhere any address is ours, and still no name. */
static void
test_any_address(void **state)
{
	static const char *const ours[] = { "10.0.0.1:8080", "[2001:db8::1]:80",
		"255.255.255.255:8080" };
	static const char *const others[] = { "10.0.0.1", "10.0.0.1:81",
		"evil.test:8080", "10.0.0.1.evil.test:8080", "10.0.0:8080",
		"[10.0.0.1]:8080", "2001:db8::1:80", "[]:80", "[:80", "]:80",
		"[2001:db8::1:80", "[fe80::1%eth0]:80", ":8080", "",
		"[2001:db8:0000:0000:0000:0000:0000:0001:0000:0000:0001]:80",
		"000000000000000000000000000000000000000000000010.0.0.1:8080" };
	struct http_conf c = conf();

	(void)state;
	c.any_literal = true;
	c.hosts.n = 3;
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		assert_true(origin_host_ok(&c, ours[i]));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(origin_host_ok(&c, others[i]));
	/* With a port that is the scheme's own. */
	c.hosts.n = 4;
	assert_true(origin_host_ok(&c, "10.0.0.1"));
	assert_true(origin_host_ok(&c, "[2001:db8::1]"));
	assert_false(origin_host_ok(&c, "2001:db8::1"));
	assert_false(origin_host_ok(&c, "10.0.0.1:"));
	assert_false(origin_host_ok(&c, "evil.test"));
}

static void
test_origins(void **state)
{
	static const char *const others[] = { "", "null", "http://", "https://",
		"127.0.0.1:8080", "https://127.0.0.1:8080",
		"http://127.0.0.1:8081", "http://127.0.0.1",
		"http://127.0.0.1:8080.evil.test", "http://127.0.0.1:8080/",
		"http://localhost:8080", "http://evil.test",
		"http://admin.example.org", "https://admin.example.org:444",
		"https://xadmin.example.org", "https://admin.example.org.",
		"file://127.0.0.1:8080", "ws://127.0.0.1:8080",
		"http://evil.test/http://127.0.0.1:8080",
		" http://127.0.0.1:8080" };
	struct http_conf c = conf();

	(void)state;
	assert_true(origin_ok(&c, NULL, h1));
	assert_true(origin_ok(&c, "http://127.0.0.1:8080", h1));
	assert_true(origin_ok(&c, "http://LOCALHOST:8080", h2));
	assert_true(origin_ok(&c, "https://admin.example.org", h1));
	assert_true(origin_ok(&c, "http://other:81", h1));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(origin_ok(&c, others[i], h1));
	c.cert = cert;
	assert_true(origin_ok(&c, "https://127.0.0.1:8080", h1));
	assert_false(origin_ok(&c, "http://127.0.0.1:8080", h1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_any_address),
		cmocka_unit_test(test_origins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
