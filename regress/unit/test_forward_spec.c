/* SPDX-License-Identifier: ISC */
/* forward_spec: what -L, -R, -D and -W say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/forward/forward_spec.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define PATH	 (-1)

struct want {
	const char *text;
	const char *listen;
	int listen_port; /* or PATH */
	const char *connect;
	int connect_port;
};

static void
place_is(const struct mux_place *p, const char *name, int port)
{
	assert_string_equal(p->name, name);
	assert_int_equal(p->is_path, port == PATH);
	assert_int_equal(p->port, port == PATH ? 0 : port);
}

static void
spec_is(enum forward_way way, const struct want *w, bool gateway)
{
	char text[FORWARD_TEXT_MAX];
	struct forward_spec s, again;
	const char *why = forward_spec_parse(&s, way, w->text, gateway);

	if (why != NULL)
		fail_msg("%s: %s", w->text, why);
	assert_int_equal(s.way, way);
	place_is(&s.listen, w->listen, w->listen_port);
	if (way != FORWARD_DYNAMIC)
		place_is(&s.connect, w->connect, w->connect_port);
	/* As a text it is the same again. */
	forward_spec_text(&s, text);
	assert_null(forward_spec_parse(&again, way, text, !gateway));
	assert_true(forward_spec_same(&s, &again));
	assert_memory_equal(&s, &again, sizeof(s));
}

static void
test_either(void **state)
{
	static const struct want good[] = {
		{ "8080:host:80", "localhost", 8080, "host", 80 },
		{ "1:h:65535", "localhost", 1, "h", 65535 },
		{ ":8080:host:80", "", 8080, "host", 80 },
		{ "*:8080:host:80", "", 8080, "host", 80 },
		{ "localhost:8080:host:80", "localhost", 8080, "host", 80 },
		{ "192.0.2.1:8080:host:80", "192.0.2.1", 8080, "host", 80 },
		{ "[::1]:8080:host:80", "::1", 8080, "host", 80 },
		{ "[::]:8080:[2001:db8::1]:80", "::", 8080, "2001:db8::1", 80 },
		{ "[]:8080:host:80", "", 8080, "host", 80 },
		{ "[8080]:[host]:[80]", "localhost", 8080, "host", 80 },
		{ "\\:\\:1:8080:host:80", "::1", 8080, "host", 80 },
		{ "8080:[fe80::1%eth0]:80", "localhost", 8080, "fe80::1%eth0",
		    80 },
		{ "8080:host:ssh", "localhost", 8080, "host", 22 },
		{ "8080:/run/x", "localhost", 8080, "/run/x", PATH },
		{ "*:8080:/run/x", "", 8080, "/run/x", PATH },
		{ "/tmp/s:host:80", "/tmp/s", PATH, "host", 80 },
		{ "/tmp/s:[::1]:80", "/tmp/s", PATH, "::1", 80 },
		{ "/tmp/s:/run/x", "/tmp/s", PATH, "/run/x", PATH },
		{ "./s:../x", "./s", PATH, "../x", PATH },
		{ "/tmp/a\\:b:/run/x", "/tmp/a:b", PATH, "/run/x", PATH },
		{ "[/tmp/a:b]:/run/x", "/tmp/a:b", PATH, "/run/x", PATH },
		{ "/tmp/a\\\\b:/run/x", "/tmp/a\\b", PATH, "/run/x", PATH },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		spec_is(FORWARD_LOCAL, &good[i], false);
		spec_is(FORWARD_REMOTE, &good[i], false);
	}
}

static void
test_gateway(void **state)
{
	static const struct want all = { "8080:host:80", "", 8080, "host", 80 },
				 said = { "localhost:8080:host:80", "localhost",
					 8080, "host", 80 };

	(void)state;
	spec_is(FORWARD_LOCAL, &all, true);
	spec_is(FORWARD_LOCAL, &said, true);
}

static void
test_dynamic(void **state)
{
	static const struct want good[] = {
		{ "1080", "localhost", 1080, NULL, 0 },
		{ ":1080", "", 1080, NULL, 0 },
		{ "*:1080", "", 1080, NULL, 0 },
		{ "[::1]:1080", "::1", 1080, NULL, 0 },
		{ "/tmp/socks", "/tmp/socks", PATH, NULL, 0 },
	};
	static const char *const bad[] = { "", ":", "x:", "0", "1080:h:80",
		"a:b:c:d", "65536", "1080:/x", "/x:1080", "/x:/y", "[::1]" };
	struct forward_spec s;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		spec_is(FORWARD_DYNAMIC, &good[i], false);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (forward_spec_parse(&s, FORWARD_DYNAMIC, bad[i], false) ==
		    NULL)
			fail_msg("%s is none", bad[i]);
}

static void
test_any_port(void **state)
{
	static const struct want any = { "0:host:80", "localhost", 0, "host",
		80 };
	struct forward_spec s;

	(void)state;
	spec_is(FORWARD_REMOTE, &any, false);
	assert_non_null(forward_spec_parse(&s, FORWARD_LOCAL, any.text, false));
}

static void
test_bad(void **state)
{
	static const char *const bad[] = { "", ":", "::", ":::", "::::", "8080",
		"8080:host", "8080:host:", "8080::80", ":host:80",
		"8080:host:0", "8080:host:65536", "65536:host:80", "-1:host:80",
		"+1:host:80", " 1:host:80", "1x:host:80",
		"8080:host:80:", "a:8080:host:80:x", "8080:host:80:x",
		"[::1:8080:host:80", "[::1]x:8080:host:80", "[::1]",
		"8080:host:80\\", "\\", "host:8080:/x:80", "/a:/b:/c", "/a:b",
		"/a", "8080:/a:80", "/a:8080:host:80", "8080:host:no-such-name",
		"8080:host:/x" };
	struct forward_spec s;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (forward_spec_parse(&s, FORWARD_LOCAL, bad[i], false) ==
		    NULL)
			fail_msg("%s is none", bad[i]);
		if (forward_spec_parse(&s, FORWARD_REMOTE, bad[i], false) ==
		    NULL)
			fail_msg("%s is none", bad[i]);
	}
}

/* An address of a socket holds 107 bytes, a host's name 254. */
static void
test_long(void **state)
{
	char text[1024];
	struct forward_spec s;

	(void)state;
	for (size_t n = 106; n < 109; n++) {
		strcpy(text, "8080:/");
		memset(text + 6, 'x', n - 1);
		text[6 + n - 1] = '\0';
		assert_int_equal(
		    forward_spec_parse(&s, FORWARD_LOCAL, text, false) == NULL,
		    n <= 107);
	}
	for (size_t n = 253; n < 257; n++) {
		strcpy(text, "8080:");
		memset(text + 5, 'x', n);
		strcpy(text + 5 + n, ":80");
		assert_int_equal(
		    forward_spec_parse(&s, FORWARD_LOCAL, text, false) == NULL,
		    n <= 254);
	}
}

/* Nothing of it reads behind the end, and each is one or none. */
static void
test_truncated(void **state)
{
	static const char whole[] = "[2001:db8::1]:8080:[2001:db8::2]:443";
	struct forward_spec s;
	size_t good = 0;
	char *text;

	(void)state;
	for (size_t n = 0; n < sizeof(whole); n++) {
		assert_non_null(text = strndup(whole, n));
		good +=
		    forward_spec_parse(&s, FORWARD_LOCAL, text, false) == NULL;
		free(text);
	}
	assert_int_equal(good, 3); /* ports 4, 44 and 443 */
}

static void
test_target(void **state)
{
	static const char *const bad[] = { "", "host", "80", "host:", "host:0",
		":80", "a:b:80", "::1:80", "[::1]", "host:80:x", "/a:80",
		"host:/a", "host:65536" };
	struct mux_place p;

	(void)state;
	assert_null(forward_target_parse(&p, "host:80"));
	place_is(&p, "host", 80);
	assert_null(forward_target_parse(&p, "[::1]:22"));
	place_is(&p, "::1", 22);
	assert_null(forward_target_parse(&p, "/run/x"));
	place_is(&p, "/run/x", PATH);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (forward_target_parse(&p, bad[i]) == NULL)
			fail_msg("%s is none", bad[i]);
}

static bool
same(enum forward_way a, const char *one, enum forward_way b, const char *other)
{
	struct forward_spec s, t;

	assert_null(forward_spec_parse(&s, a, one, false));
	assert_null(forward_spec_parse(&t, b, other, false));
	return forward_spec_same(&s, &t);
}

static void
test_same(void **state)
{
	(void)state;
	assert_true(same('L', "80:a:1", 'L', "80:b:2"));
	assert_true(same('L', "80:a:1", 'D', "80"));
	assert_true(same('L', "*:80:a:1", 'L', ":80:a:1"));
	assert_true(same('L', "/a:b:1", 'L', "/a:/c"));
	assert_false(same('L', "80:a:1", 'R', "80:a:1"));
	assert_false(same('L', "80:a:1", 'L', "81:a:1"));
	assert_false(same('L', "80:a:1", 'L', "*:80:a:1"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_either),
		cmocka_unit_test(test_gateway),
		cmocka_unit_test(test_dynamic),
		cmocka_unit_test(test_any_port),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_target),
		cmocka_unit_test(test_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
