/* SPDX-License-Identifier: ISC */
/* permitopen and permitlisten: what they may be, and what they allow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/base/err.h"
#include "common/privsep/permits.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static struct rights_permit *list;
static size_t n;

static void
read_all(enum permits_kind kind, const char *text)
{
	permits_free(list, n);
	if (permits_read(&list, &n, kind, text) != 0)
		fail_msg("%s", text);
}

static int
end(void **state)
{
	permits_free(list, n);
	list = NULL;
	n = 0;
	return 0;
}

static void
test_read(void **state)
{
	read_all(PERMITS_OPEN,
	    "db:5432\n[::1]:22\n*:80\n127.0.0.1:*\n/run/x y\n\n/*\n");
	assert_int_equal(n, 6);
	assert_string_equal(list[0].host, "db");
	assert_int_equal(list[0].port, 5432);
	assert_string_equal(list[1].host, "::1");
	assert_int_equal(list[1].port, 22);
	assert_string_equal(list[2].host, "*");
	assert_string_equal(list[3].host, "127.0.0.1");
	assert_int_equal(list[3].port, 0);
	assert_string_equal(list[4].host, "/run/x y");
	assert_string_equal(list[5].host, "/*");
	read_all(PERMITS_LISTEN, "8080\n*\n0.0.0.0:81");
	assert_int_equal(n, 3);
	assert_string_equal(list[0].host, "*");
	assert_int_equal(list[0].port, 8080);
	assert_string_equal(list[1].host, "*");
	assert_int_equal(list[1].port, 0);
	read_all(PERMITS_LISTEN, "");
	assert_int_equal(n, 0);
}

static void
test_bad(void **state)
{
	static const char *const bad[] = { "db", ":22", "db:", "db:0", "db:-1",
		"db:+1", "db: 1", "db:65536", "db:1x", "::1:22", "[::1:22",
		"::1]:22", "[]:22", "a[b]:22", "db:http", "8080" };
	char path[PERMITS_PATH_MAX + 2], host[300], *many;

	for (size_t i = 0; i < LENGTH(bad); i++)
		if (permits_read(&list, &n, PERMITS_OPEN, bad[i]) !=
		    SKY_ERR_FORMAT)
			fail_msg("%s", bad[i]);
	assert_int_equal(permits_read(&list, &n, PERMITS_LISTEN, "x"),
	    SKY_ERR_FORMAT);
	assert_int_equal(permits_read(&list, &n, PERMITS_LISTEN, "0"),
	    SKY_ERR_FORMAT);
	/* What comes before a bad one is not there either. */
	assert_int_equal(permits_read(&list, &n, PERMITS_OPEN, "a:1\nb"),
	    SKY_ERR_FORMAT);
	assert_int_equal(n, 0);
	assert_null(list);
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[PERMITS_PATH_MAX] = '\0';
	read_all(PERMITS_OPEN, path);
	path[PERMITS_PATH_MAX] = 'x';
	path[PERMITS_PATH_MAX + 1] = '\0';
	end(state);
	assert_int_equal(permits_read(&list, &n, PERMITS_OPEN, path),
	    SKY_ERR_FORMAT);
	memset(host, 'x', sizeof(host));
	memcpy(host + 256, ":1", 3);
	assert_int_equal(permits_read(&list, &n, PERMITS_OPEN, host),
	    SKY_ERR_FORMAT);
	/* Too many, too long. */
	assert_non_null(many = calloc(1, PERMITS_TEXT_MAX + 2));
	for (size_t i = 0; i <= PERMITS_MAX; i++)
		memcpy(many + 4 * i, "a:1\n", 4);
	assert_int_equal(permits_read(&list, &n, PERMITS_OPEN, many),
	    SKY_ERR_LIMIT);
	memset(many, '\n', PERMITS_TEXT_MAX + 1);
	assert_int_equal(permits_read(&list, &n, PERMITS_OPEN, many),
	    SKY_ERR_LIMIT);
	many[PERMITS_TEXT_MAX] = '\0';
	read_all(PERMITS_OPEN, many);
	free(many);
}

static void
test_open(void **state)
{
	read_all(PERMITS_OPEN, "db:5432\n[::1]:22\n127.0.0.1:*\n*:80\n/run/x");
	assert_true(permits_open(list, n, "db", 5432));
	assert_false(permits_open(list, n, "db", 5433));
	assert_true(permits_open(list, n, "::1", 22));
	assert_true(permits_open(list, n, "127.0.0.1", 1));
	assert_true(permits_open(list, n, "127.0.0.1", 65535));
	assert_true(permits_open(list, n, "anything", 80));
	/* Word for word. */
	assert_false(permits_open(list, n, "DB", 5432));
	assert_false(permits_open(list, n, "db.", 5432));
	assert_false(permits_open(list, n, "[::1]", 22));
	assert_false(permits_open(list, n, "0:0:0:0:0:0:0:1", 22));
	assert_false(permits_open(list, n, "127.1", 1));
	assert_false(permits_open(list, n, "127.0.0.1 ", 1));
	assert_false(permits_open(list, n, "*", 5432));
	assert_false(permits_open(list, n, "", 5432));
	assert_false(permits_open(list, n, "/run/x", 1));
	/* Paths are no hosts, and the other way round. */
	assert_true(permits_path(list, n, "/run/x"));
	assert_false(permits_path(list, n, "/run/./x"));
	assert_false(permits_path(list, n, "/run/x/"));
	assert_false(permits_path(list, n, "/run"));
	assert_false(permits_path(list, n, "db"));
	assert_false(permits_path(list, n, "*"));
	read_all(PERMITS_OPEN, "*:*");
	assert_true(permits_open(list, n, "db", 1));
	assert_false(permits_path(list, n, "/run/x"));
	read_all(PERMITS_OPEN, "/*");
	assert_true(permits_path(list, n, "/run/x"));
	assert_false(permits_path(list, n, "run/x"));
	assert_false(permits_open(list, n, "db", 1));
	read_all(PERMITS_OPEN, "");
	assert_false(permits_open(list, n, "db", 1));
	assert_false(permits_path(list, n, "/run/x"));
}

static void
test_where(void **state)
{
	static const struct {
		const char *address;
		enum permits_where where;
	} all[] = {
		{ "", PERMITS_EVERYWHERE },
		{ "*", PERMITS_EVERYWHERE },
		{ "::", PERMITS_EVERYWHERE },
		{ "0:0::0", PERMITS_EVERYWHERE },
		{ "localhost", PERMITS_LOOPBACK },
		{ "LocalHost", PERMITS_LOOPBACK },
		{ "127.0.0.1", PERMITS_LOOPBACK },
		{ "127.255.0.9", PERMITS_LOOPBACK },
		{ "::1", PERMITS_LOOPBACK },
		{ "0.0.0.0", PERMITS_BEYOND },
		{ "192.0.2.1", PERMITS_BEYOND },
		{ "128.0.0.1", PERMITS_BEYOND },
		{ "2001:db8::1", PERMITS_BEYOND },
		{ "::ffff:0.0.0.0", PERMITS_BEYOND },
		{ "::ffff:127.0.0.1", PERMITS_BEYOND },
		{ "fe80::1%lo", PERMITS_NOWHERE },
		{ "[::1]", PERMITS_NOWHERE },
		{ "127.1", PERMITS_NOWHERE },
		{ "localhost.", PERMITS_NOWHERE },
		{ "db", PERMITS_NOWHERE },
		{ " ", PERMITS_NOWHERE },
		{ "/run/x", PERMITS_NOWHERE },
	};

	for (size_t i = 0; i < LENGTH(all); i++)
		if (permits_where(all[i].address) != all[i].where)
			fail_msg("%s", all[i].address);
}

static void
test_listen(void **state)
{
	/* A port alone, and "*", are loopback's. */
	read_all(PERMITS_LISTEN, "8080\n*:8081");
	for (uint16_t port = 8080; port <= 8081; port++) {
		assert_true(permits_listen(list, n, "localhost", port));
		assert_true(permits_listen(list, n, "127.0.0.1", port));
		assert_true(permits_listen(list, n, "127.9.9.9", port));
		assert_true(permits_listen(list, n, "::1", port));
		assert_false(permits_listen(list, n, "", port));
		assert_false(permits_listen(list, n, "*", port));
		assert_false(permits_listen(list, n, "::", port));
		assert_false(permits_listen(list, n, "0.0.0.0", port));
		assert_false(permits_listen(list, n, "192.0.2.1", port));
		assert_false(permits_listen(list, n, "db", port));
	}
	assert_false(permits_listen(list, n, "localhost", 0));
	assert_false(permits_listen(list, n, "localhost", 8082));
	/* Beyond it what is named, and no more. */
	read_all(PERMITS_LISTEN, "0.0.0.0:1\n[::]:2\n192.0.2.1:*\nlocalhost:3");
	assert_true(permits_listen(list, n, "0.0.0.0", 1));
	assert_false(permits_listen(list, n, "", 1));
	assert_false(permits_listen(list, n, "::", 1));
	assert_false(permits_listen(list, n, "127.0.0.1", 1));
	assert_true(permits_listen(list, n, "", 2));
	assert_true(permits_listen(list, n, "*", 2));
	assert_true(permits_listen(list, n, "0::0", 2));
	assert_false(permits_listen(list, n, "0.0.0.0", 2));
	assert_true(permits_listen(list, n, "192.0.2.1", 7));
	assert_true(permits_listen(list, n, "192.0.2.1", 0));
	assert_false(permits_listen(list, n, "192.0.2.2", 7));
	assert_true(permits_listen(list, n, "LOCALHOST", 3));
	assert_false(permits_listen(list, n, "127.0.0.1", 3));
	read_all(PERMITS_LISTEN, "*");
	assert_true(permits_listen(list, n, "localhost", 0));
	assert_true(permits_listen(list, n, "localhost", 9));
	assert_false(permits_listen(list, n, "0.0.0.0", 9));
	read_all(PERMITS_LISTEN, "/run/x");
	assert_false(permits_listen(list, n, "localhost", 9));
	assert_true(permits_path(list, n, "/run/x"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_read, end),
		cmocka_unit_test_teardown(test_bad, end),
		cmocka_unit_test_teardown(test_open, end),
		cmocka_unit_test(test_where),
		cmocka_unit_test_teardown(test_listen, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
