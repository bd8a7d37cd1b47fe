/* SPDX-License-Identifier: ISC */
/*
 * How far in an address lies.  The ranges are those of IANA's registries of
 * special-purpose addresses (RFC 6890 and what came after), less the anycast
 * services that are meant for everybody.
 */
#include "common/base/reach.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* The first that fits counts. */
static const struct {
	uint32_t net;
	unsigned bits;
	enum reach reach;
} v4_ranges[] = {
	{ 0x00000000, 8, REACH_LOCAL },	   /* this network */
	{ 0x0a000000, 8, REACH_PRIVATE },  /* 10 */
	{ 0x64400000, 10, REACH_PRIVATE }, /* 100.64, carriers' NAT */
	{ 0x7f000000, 8, REACH_LOCAL },	   /* 127 */
	{ 0xa9fe0000, 16, REACH_LOCAL },   /* 169.254 */
	{ 0xac100000, 12, REACH_PRIVATE }, /* 172.16 */
	{ 0xc0000000, 24, REACH_PRIVATE }, /* 192.0.0, protocols' own */
	{ 0xc0000200, 24, REACH_PRIVATE }, /* 192.0.2, documentation */
	{ 0xc0586300, 24, REACH_PRIVATE }, /* 192.88.99, relays of 6to4 */
	{ 0xc0a80000, 16, REACH_PRIVATE }, /* 192.168 */
	{ 0xc6120000, 15, REACH_PRIVATE }, /* 198.18, benchmarks */
	{ 0xc6336400, 24, REACH_PRIVATE }, /* 198.51.100, documentation */
	{ 0xcb007100, 24, REACH_PRIVATE }, /* 203.0.113, documentation */
	{ 0xe0000000, 3, REACH_LOCAL },	   /* multicast, reserved, broadcast */
	{ 0x00000000, 0, REACH_PUBLIC },
};

#define V4_NONE -1

/*
 * The first that fits counts.  Where an address stands for another of IPv4, in
 * the byte v4, that one is judged.  Only 2000::/3 is the internet's.
 */
static const struct {
	uint8_t net[16];
	unsigned bits;
	enum reach reach;
	int v4;
} v6_ranges[] = {
	{ { [10] = 0xff, [11] = 0xff }, 96, REACH_LOCAL, 12 }, /* ::ffff:0:0 */
	{ { 0, 0x64, 0xff, 0x9b }, 96, REACH_LOCAL, 12 },      /* NAT64 */
	/* Unspecified, loopback; also 64:ff9b:1::/48, where it is not known
	 * for which one it stands. */
	{ { 0 }, 8, REACH_LOCAL, V4_NONE },
	/* Teredo: by way of an address and a port of anybody's choice. */
	{ { 0x20, 0x01 }, 32, REACH_LOCAL, V4_NONE },
	{ { 0x20, 0x01 }, 23, REACH_PRIVATE, V4_NONE }, /* protocols' own */
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32, REACH_PRIVATE, V4_NONE },
	{ { 0x20, 0x02 }, 16, REACH_LOCAL, 2 },		/* 6to4 */
	{ { 0x3f, 0xff }, 20, REACH_PRIVATE, V4_NONE }, /* documentation */
	{ { 0x20 }, 3, REACH_PUBLIC, V4_NONE },
	{ { 0xfe, 0x80 }, 10, REACH_LOCAL, V4_NONE }, /* the link's */
	{ { 0xff }, 8, REACH_LOCAL, V4_NONE },	      /* multicast */
	/* fc00::/7, fec0::/10, 100::/64, 5f00::/16, and what is not given out.
	 */
	{ { 0 }, 0, REACH_PRIVATE, V4_NONE },
};

static enum reach
reach_v4(uint32_t a)
{
	uint32_t mask;
	size_t i = 0;

	for (;; i++) {
		mask = v4_ranges[i].bits == 0 ?
		    0 :
		    UINT32_MAX << (32 - v4_ranges[i].bits);
		if ((a & mask) == v4_ranges[i].net)
			return v4_ranges[i].reach;
	}
}

static bool
reach_v6_fits(const uint8_t *a, const uint8_t *net, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	return memcmp(a, net, whole) == 0 &&
	    (rest == 0 || (a[whole] ^ net[whole]) >> (8 - rest) == 0);
}

static enum reach
reach_v6(const uint8_t a[16])
{
	uint32_t v4;
	size_t i = 0;

	while (!reach_v6_fits(a, v6_ranges[i].net, v6_ranges[i].bits))
		i++;
	if (v6_ranges[i].v4 == V4_NONE)
		return v6_ranges[i].reach;
	memcpy(&v4, a + v6_ranges[i].v4, sizeof(v4));
	return reach_v4(ntohl(v4));
}

enum reach
reach_of(const struct sockaddr *sa)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	switch (sa->sa_family) {
	case AF_INET:
		memcpy(&v4, sa, sizeof(v4));
		return reach_v4(ntohl(v4.sin_addr.s_addr));
	case AF_INET6:
		memcpy(&v6, sa, sizeof(v6));
		return reach_v6(v6.sin6_addr.s6_addr);
	default:
		return REACH_LOCAL;
	}
}

/* "localhost", "x.localhost", with a dot behind them or without: RFC 6761. */
static bool
reach_is_localhost(const char *host)
{
	static const char name[] = "localhost";
	size_t len = strlen(host), n = sizeof(name) - 1;

	if (len > 0 && host[len - 1] == '.')
		len--;
	return len >= n && strncasecmp(host + len - n, name, n) == 0 &&
	    (len == n || host[len - n - 1] == '.');
}

enum reach
reach_host(const char *host)
{
	/* Also "127.1" and "fe80::1%eth0", which connect as well. */
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST };
	struct addrinfo *list;
	enum reach reach;

	if (getaddrinfo(host, NULL, &hints, &list) != 0)
		return reach_is_localhost(host) ? REACH_LOCAL : REACH_PUBLIC;
	reach = reach_of(list->ai_addr);
	freeaddrinfo(list);
	return reach;
}

/* --- addresses of this machine --- */

union reach_addr {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static bool
reach_is_same(const struct sockaddr *a, const struct sockaddr *b)
{
	union reach_addr x = { 0 }, y = { 0 };

	if (a->sa_family != b->sa_family)
		return false;
	if (a->sa_family == AF_INET) {
		memcpy(&x.v4, a, sizeof(x.v4));
		memcpy(&y.v4, b, sizeof(y.v4));
		return x.v4.sin_addr.s_addr == y.v4.sin_addr.s_addr;
	}
	if (a->sa_family != AF_INET6)
		return false;
	memcpy(&x.v6, a, sizeof(x.v6));
	memcpy(&y.v6, b, sizeof(y.v6));
	return IN6_ARE_ADDR_EQUAL(&x.v6.sin6_addr, &y.v6.sin6_addr);
}

/* ::ffff:a.b.c.d is a.b.c.d. */
static void
reach_unmap(union reach_addr *to, const struct sockaddr *sa)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };

	memset(to, 0, sizeof(*to));
	if (sa->sa_family == AF_INET)
		memcpy(&to->v4, sa, sizeof(to->v4));
	else if (sa->sa_family == AF_INET6)
		memcpy(&to->v6, sa, sizeof(to->v6));
	if (sa->sa_family != AF_INET6 ||
	    !IN6_IS_ADDR_V4MAPPED(&to->v6.sin6_addr))
		return;
	memcpy(&v4.sin_addr, to->v6.sin6_addr.s6_addr + 12, 4);
	to->v4 = v4;
}

static bool
reach_is_listed(const struct sockaddr *sa)
{
	struct ifaddrs *list, *i;

	if (getifaddrs(&list) == -1)
		return false;
	for (i = list; i != NULL; i = i->ifa_next)
		if (i->ifa_addr != NULL && reach_is_same(i->ifa_addr, sa))
			break;
	freeifaddrs(list);
	return i != NULL;
}

/* It would be left from the same address.  Nothing is sent. */
static bool
reach_is_routed_back(const struct sockaddr *sa)
{
	union reach_addr here = { 0 };
	socklen_t len = sizeof(here);
	bool same;
	int fd;

	fd = socket(sa->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return true;
	same = connect(fd, sa,
		   sa->sa_family == AF_INET ? sizeof(here.v4) :
					      sizeof(here.v6)) == 0 &&
	    getsockname(fd, &here.sa, &len) == 0 && reach_is_same(&here.sa, sa);
	close(fd);
	return same;
}

/*
 * A second address of an interface is left from its first, and routing may
 * keep what no interface has.
 */
static bool
reach_is_own(const struct sockaddr *sa)
{
	union reach_addr there;

	reach_unmap(&there, sa);
	return reach_is_listed(&there.sa) || reach_is_routed_back(&there.sa);
}

bool
reach_allows(enum reach reach, const struct sockaddr *sa)
{
	return reach_of(sa) <= reach &&
	    (reach == REACH_LOCAL || !reach_is_own(sa));
}
