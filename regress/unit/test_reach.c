/* SPDX-License-Identifier: ISC */
/* reach: special-purpose ranges at both of their ends, and what lies beside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "common/base/reach.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

union addr {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un un;
};

static const struct {
	const char *text;
	enum reach reach;
} addresses[] = {
	{ "0.0.0.0", REACH_LOCAL },
	{ "0.255.255.255", REACH_LOCAL },
	{ "1.0.0.0", REACH_PUBLIC },
	{ "9.255.255.255", REACH_PUBLIC },
	{ "10.0.0.0", REACH_PRIVATE },
	{ "10.255.255.255", REACH_PRIVATE },
	{ "11.0.0.0", REACH_PUBLIC },
	{ "100.63.255.255", REACH_PUBLIC },
	{ "100.64.0.0", REACH_PRIVATE },
	{ "100.127.255.255", REACH_PRIVATE },
	{ "100.128.0.0", REACH_PUBLIC },
	{ "126.255.255.255", REACH_PUBLIC },
	{ "127.0.0.0", REACH_LOCAL },
	{ "127.255.255.255", REACH_LOCAL },
	{ "128.0.0.0", REACH_PUBLIC },
	{ "169.253.255.255", REACH_PUBLIC },
	{ "169.254.0.0", REACH_LOCAL },
	{ "169.254.169.254", REACH_LOCAL },
	{ "169.254.255.255", REACH_LOCAL },
	{ "169.255.0.0", REACH_PUBLIC },
	{ "172.15.255.255", REACH_PUBLIC },
	{ "172.16.0.0", REACH_PRIVATE },
	{ "172.31.255.255", REACH_PRIVATE },
	{ "172.32.0.0", REACH_PUBLIC },
	{ "191.255.255.255", REACH_PUBLIC },
	{ "192.0.0.0", REACH_PRIVATE },
	{ "192.0.0.255", REACH_PRIVATE },
	{ "192.0.1.0", REACH_PUBLIC },
	{ "192.0.1.255", REACH_PUBLIC },
	{ "192.0.2.0", REACH_PRIVATE },
	{ "192.0.2.255", REACH_PRIVATE },
	{ "192.0.3.0", REACH_PUBLIC },
	{ "192.88.98.255", REACH_PUBLIC },
	{ "192.88.99.0", REACH_PRIVATE },
	{ "192.88.99.255", REACH_PRIVATE },
	{ "192.88.100.0", REACH_PUBLIC },
	{ "192.167.255.255", REACH_PUBLIC },
	{ "192.168.0.0", REACH_PRIVATE },
	{ "192.168.255.255", REACH_PRIVATE },
	{ "192.169.0.0", REACH_PUBLIC },
	{ "198.17.255.255", REACH_PUBLIC },
	{ "198.18.0.0", REACH_PRIVATE },
	{ "198.19.255.255", REACH_PRIVATE },
	{ "198.20.0.0", REACH_PUBLIC },
	{ "198.51.99.255", REACH_PUBLIC },
	{ "198.51.100.0", REACH_PRIVATE },
	{ "198.51.100.255", REACH_PRIVATE },
	{ "198.51.101.0", REACH_PUBLIC },
	{ "203.0.112.255", REACH_PUBLIC },
	{ "203.0.113.0", REACH_PRIVATE },
	{ "203.0.113.255", REACH_PRIVATE },
	{ "203.0.114.0", REACH_PUBLIC },
	{ "223.255.255.255", REACH_PUBLIC },
	{ "224.0.0.0", REACH_LOCAL },
	{ "239.255.255.255", REACH_LOCAL },
	{ "240.0.0.0", REACH_LOCAL },
	{ "255.255.255.255", REACH_LOCAL },

	{ "::", REACH_LOCAL },
	{ "::1", REACH_LOCAL },
	{ "::2", REACH_LOCAL },
	{ "::9.9.9.9", REACH_LOCAL },
	{ "::127.0.0.1", REACH_LOCAL },
	/* Those that stand for one of IPv4. */
	{ "::ffff:9.9.9.9", REACH_PUBLIC },
	{ "::ffff:10.0.0.1", REACH_PRIVATE },
	{ "::ffff:127.0.0.1", REACH_LOCAL },
	{ "::ffff:0.0.0.0", REACH_LOCAL },
	{ "::ffff:0:127.0.0.1", REACH_LOCAL },
	{ "::fffe:9.9.9.9", REACH_LOCAL },
	{ "64:ff9b::9.9.9.9", REACH_PUBLIC },
	{ "64:ff9b::100.64.0.1", REACH_PRIVATE },
	{ "64:ff9b::169.254.169.254", REACH_LOCAL },
	{ "64:ff9b::127.0.0.1", REACH_LOCAL },
	{ "64:ff9b::1:9.9.9.9", REACH_LOCAL },
	{ "64:ff9b:1::", REACH_LOCAL },
	{ "64:ff9b:1::9.9.9.9", REACH_LOCAL },
	{ "64:ff9b:1:7f00:0:100::", REACH_LOCAL },
	{ "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", REACH_LOCAL },
	{ "64:ff9b:2::", REACH_LOCAL },
	{ "2002::", REACH_LOCAL },
	{ "2002:0909:0909::1", REACH_PUBLIC },
	{ "2002:0a00:0001::1", REACH_PRIVATE },
	{ "2002:7f00:0001::1", REACH_LOCAL },
	{ "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", REACH_LOCAL },
	{ "2003::", REACH_PUBLIC },

	{ "ff:ffff::", REACH_LOCAL },
	{ "100::", REACH_PRIVATE },
	{ "100::ffff:ffff:ffff:ffff", REACH_PRIVATE },
	{ "100:0:0:1::", REACH_PRIVATE },
	{ "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", REACH_PRIVATE },
	{ "2000::", REACH_PUBLIC },
	{ "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", REACH_PUBLIC },
	{ "2001::", REACH_LOCAL }, /* Teredo */
	{ "2001:0:808:808::f6f6:f6f6", REACH_LOCAL },
	{ "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", REACH_LOCAL },
	{ "2001:1::1", REACH_PRIVATE },
	{ "2001:2::", REACH_PRIVATE },
	{ "2001:20::", REACH_PRIVATE },
	{ "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", REACH_PRIVATE },
	{ "2001:200::", REACH_PUBLIC },
	{ "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", REACH_PUBLIC },
	{ "2001:db8::", REACH_PRIVATE },
	{ "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", REACH_PRIVATE },
	{ "2001:db9::", REACH_PUBLIC },
	{ "2a00::1", REACH_PUBLIC },
	{ "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", REACH_PUBLIC },
	{ "3fff::", REACH_PRIVATE },
	{ "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", REACH_PRIVATE },
	{ "3fff:1000::", REACH_PUBLIC },
	{ "4000::", REACH_PRIVATE },
	{ "5f00::", REACH_PRIVATE },
	{ "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", REACH_PRIVATE },
	{ "fc00::", REACH_PRIVATE },
	{ "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", REACH_PRIVATE },
	{ "fe80::1", REACH_LOCAL },
	{ "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", REACH_LOCAL },
	{ "fec0::", REACH_PRIVATE },
	{ "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", REACH_PRIVATE },
	{ "ff00::", REACH_LOCAL },
	{ "ff02::1", REACH_LOCAL },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", REACH_LOCAL },
};

static void
read_addr(const char *text, union addr *a)
{
	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET, text, &a->v4.sin_addr) == 1)
		a->sa.sa_family = AF_INET;
	else {
		assert_int_equal(inet_pton(AF_INET6, text, &a->v6.sin6_addr),
		    1);
		a->sa.sa_family = AF_INET6;
	}
}

static void
test_addresses(void **state)
{
	union addr a;

	(void)state;
	for (size_t i = 0; i < COUNT(addresses); i++) {
		read_addr(addresses[i].text, &a);
		if (reach_of(&a.sa) != addresses[i].reach ||
		    reach_host(addresses[i].text) != addresses[i].reach)
			fail_msg("%s: %d, %d instead of %d", addresses[i].text,
			    reach_of(&a.sa), reach_host(addresses[i].text),
			    addresses[i].reach);
	}
	memset(&a, 0, sizeof(a));
	a.sa.sa_family = AF_UNIX;
	assert_int_equal(reach_of(&a.sa), REACH_LOCAL);
}

/* What connects to the same in another spelling, and names. */
static void
test_hosts(void **state)
{
	(void)state;
	assert_int_equal(reach_host("127.1"), REACH_LOCAL);
	assert_int_equal(reach_host("2130706433"), REACH_LOCAL);
	assert_int_equal(reach_host("0x7f.1"), REACH_LOCAL);
	assert_int_equal(reach_host("0"), REACH_LOCAL);
	assert_int_equal(reach_host("10.1"), REACH_PRIVATE);
	assert_int_equal(reach_host("9.9"), REACH_PUBLIC);
	assert_int_equal(reach_host("fe80::1%lo"), REACH_LOCAL);
	assert_int_equal(reach_host("localhost"), REACH_LOCAL);
	assert_int_equal(reach_host("LocalHost."), REACH_LOCAL);
	assert_int_equal(reach_host("a.localhost"), REACH_LOCAL);
	assert_int_equal(reach_host("a.localhost."), REACH_LOCAL);
	assert_int_equal(reach_host("notlocalhost"), REACH_PUBLIC);
	assert_int_equal(reach_host("localhost.example.org"), REACH_PUBLIC);
	assert_int_equal(reach_host("example.org"), REACH_PUBLIC);
	assert_int_equal(reach_host(""), REACH_PUBLIC);
	assert_int_equal(reach_host("."), REACH_PUBLIC);
}

static bool
allows(enum reach reach, const char *text)
{
	union addr a;

	read_addr(text, &a);
	return reach_allows(reach, &a.sa);
}

static void
test_allows(void **state)
{
	(void)state;
	assert_true(allows(REACH_LOCAL, "127.0.0.1"));
	assert_true(allows(REACH_LOCAL, "9.9.9.9"));
	assert_false(allows(REACH_PRIVATE, "127.0.0.1"));
	assert_false(allows(REACH_PRIVATE, "::ffff:127.0.0.1"));
	assert_true(allows(REACH_PRIVATE, "10.255.255.254"));
	assert_true(allows(REACH_PRIVATE, "9.9.9.9"));
	assert_false(allows(REACH_PUBLIC, "10.255.255.254"));
	assert_false(allows(REACH_PUBLIC, "::1"));
	assert_true(allows(REACH_PUBLIC, "9.9.9.9"));
	assert_true(allows(REACH_PUBLIC, "2a00::1"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_allows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
