/* SPDX-License-Identifier: ISC */
/* Blocks of addresses: what is one, and who lies in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "common/base/cidr.h"
#include "common/base/err.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool
lies_in(const char *block, const char *address)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} a = { 0 };
	struct cidr c;

	assert_int_equal(cidr_parse(block, &c), 0);
	if (inet_pton(AF_INET, address, &a.v4.sin_addr) == 1) {
		a.sa.sa_family = AF_INET;
	} else {
		assert_int_equal(inet_pton(AF_INET6, address, &a.v6.sin6_addr),
		    1);
		a.sa.sa_family = AF_INET6;
	}
	return cidr_has(&c, &a.sa);
}

static void
test_lies_in(void **state)
{
	static const char *const in[][2] = { { "192.0.2.0/24", "192.0.2.255" },
		{ "192.0.2.0/24", "::ffff:192.0.2.1" },
		{ "192.0.2.7", "192.0.2.7" }, { "0.0.0.0/0", "255.1.2.3" },
		{ "127.0.0.0/8", "127.9.9.9" },
		{ "192.0.2.128/25", "192.0.2.128" }, { "::/0", "2001:db8::1" },
		{ "::/0", "192.0.2.1" },
		{ "2001:db8::/33", "2001:db8:7fff::1" }, { "::1", "::1" },
		{ "::1/128", "::1" }, { "192.0.2.6/31", "192.0.2.7" } };
	static const char *const out[][2] = { { "192.0.2.0/24", "192.0.3.0" },
		{ "192.0.2.7", "192.0.2.6" }, { "0.0.0.0/0", "2001:db8::1" },
		{ "192.0.2.128/25", "192.0.2.127" },
		{ "2001:db8::/33", "2001:db8:8000::1" }, { "::1", "::2" },
		{ "::1", "0.0.0.1" }, { "192.0.2.6/31", "192.0.2.8" } };

	(void)state;
	for (size_t i = 0; i < COUNT(in); i++)
		if (!lies_in(in[i][0], in[i][1]))
			fail_msg("%s is not in %s", in[i][1], in[i][0]);
	for (size_t i = 0; i < COUNT(out); i++)
		if (lies_in(out[i][0], out[i][1]))
			fail_msg("%s is in %s", out[i][1], out[i][0]);
}

static void
test_no_ip(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct cidr c;

	(void)state;
	assert_int_equal(cidr_parse("::/0", &c), 0);
	assert_false(cidr_has(&c, (struct sockaddr *)&un));
}

static void
test_refused(void **state)
{
	static const char *const bad[] = { "", "/", "/8", "x", "192.0.2.0/",
		"192.0.2.0/33", "192.0.2.0/24x", "192.0.2.0/ 24",
		"192.0.2.0/+24", "192.0.2.0/-1", "192.0.2.0/4294967320",
		"192.0.2.1/24", "192.0.2.255/31", "192.0.2", "192.0.2.0/24/24",
		" 192.0.2.0/24", "192.0.2.0/24 ", "::/129", "::1/127",
		"2001:db8::/0", "[::1]", "fe80::1%lo", "localhost",
		"1111:2222:3333:4444:5555:6666:7777:"
		"8888:9999:aaaa/128",
		"192.0.2.0/0024" };
	struct cidr c;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (cidr_parse(bad[i], &c) != SKY_ERR_FORMAT)
			fail_msg("\"%s\" is taken", bad[i]);
}

static void
test_text(void **state)
{
	static const char *const same[] = { "192.0.2.0/24", "0.0.0.0/0",
		"192.0.2.7/32", "::/0", "2001:db8::/33", "::1/128", "::/95" };
	char text[CIDR_TEXT_MAX];
	struct cidr c;

	(void)state;
	for (size_t i = 0; i < COUNT(same); i++) {
		assert_int_equal(cidr_parse(same[i], &c), 0);
		cidr_text(&c, text);
		assert_string_equal(text, same[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lies_in),
		cmocka_unit_test(test_no_ip),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
