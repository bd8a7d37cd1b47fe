/* SPDX-License-Identifier: ISC */
/* origin: where a session comes from, of sockets of all kinds and of keys. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "monitor/origin.h"

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static uint16_t
port_of(int fd)
{
	union address a;
	socklen_t len = sizeof(a);

	assert_int_equal(getsockname(fd, &a.sa, &len), 0);
	return ntohs(a.in.sin_port); /* sin6_port lies in the same place */
}

/* Both ends of a connection to a listener at that address, or no such. */
static bool
connected(const union address *at, socklen_t len, const union address *to,
    socklen_t tolen, int fd[2])
{
	int l = socket(at->sa.sa_family, SOCK_STREAM, 0), off = 0;
	union address dest = *to;

	if (l == -1)
		return false;
	if (at->sa.sa_family == AF_INET6)
		(void)setsockopt(l, IPPROTO_IPV6, IPV6_V6ONLY, &off,
		    sizeof(off));
	if (bind(l, &at->sa, len) == -1 || listen(l, 1) == -1) {
		close(l);
		return false;
	}
	dest.in.sin_port = htons(port_of(l));
	fd[0] = socket(dest.sa.sa_family, SOCK_STREAM, 0);
	assert_int_not_equal(fd[0], -1);
	assert_int_equal(connect(fd[0], &dest.sa, tolen), 0);
	fd[1] = accept(l, NULL, NULL);
	assert_int_not_equal(fd[1], -1);
	close(l);
	return true;
}

static void
is_told(const int fd[2], const char *address)
{
	struct session_origin o = { .client = "" };
	char want[ORIGIN_MAX];

	origin_of_socket(&o, fd[1]);
	snprintf(want, sizeof(want), "%s %u %u", address, port_of(fd[0]),
	    port_of(fd[1]));
	assert_string_equal(o.client, want);
	snprintf(want, sizeof(want), "%s %u %s %u", address, port_of(fd[0]),
	    address, port_of(fd[1]));
	assert_string_equal(o.connection, want);
	close(fd[0]);
	close(fd[1]);
}

static const union address v4 = { .in = { .sin_family = AF_INET,
				      .sin_addr.s_addr = 0x0100007f } };

static void
test_ipv4(void **state)
{
	union address a = v4;
	int fd[2];

	(void)state;
	a.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(connected(&a, sizeof(a.in), &a, sizeof(a.in), fd));
	is_told(fd, "127.0.0.1");
}

static void
test_ipv6(void **state)
{
	union address a = { .in6 = { .sin6_family = AF_INET6,
				.sin6_addr = IN6ADDR_LOOPBACK_INIT } };
	int fd[2];

	(void)state;
	if (!connected(&a, sizeof(a.in6), &a, sizeof(a.in6), fd))
		skip();
	is_told(fd, "::1");
}

/* One that a socket of both kinds has wrapped is told as what it is. */
static void
test_mapped(void **state)
{
	union address any = { .in6 = { .sin6_family = AF_INET6 } }, a = v4;
	int fd[2];

	(void)state;
	a.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (!connected(&any, sizeof(any.in6), &a, sizeof(a.in), fd))
		skip();
	is_told(fd, "127.0.0.1");
}

/* Without an address there is nothing to tell. */
static void
test_no_address(void **state)
{
	struct session_origin o = { .client = "" };
	int fd[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	origin_of_socket(&o, fd[0]);
	assert_string_equal(o.client, "");
	assert_string_equal(o.connection, "");
	close(fd[0]);
	close(fd[1]);
	origin_of_socket(&o, -1);
	assert_string_equal(o.client, "");
}

/* The key's beginning behind the prefix of packets that are discarded. */
static void
test_keys(void **state)
{
	static const struct key_public peer = { .b = { 2, 0xaa, 0xbb, 0xcc,
						    0xdd, 1, 2, 3, 4, 9 } };
	static const struct key_public own = { .b = { 3, 0x10, 0x20, 0x30, 0x40,
						   5, 6, 7, 8, 9 } };
	struct session_origin o;

	(void)state;
	origin_of_keys(&o, &peer, &own);
	assert_string_equal(o.client, "100::aabb:ccdd:102:304 65535 65535");
	assert_string_equal(o.connection,
	    "100::aabb:ccdd:102:304 65535 100::1020:3040:506:708 65535");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipv4),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_mapped),
		cmocka_unit_test(test_no_address),
		cmocka_unit_test(test_keys),
	};

	return cmocka_run_group_tests_name("mon_origin", tests, NULL, NULL);
}
