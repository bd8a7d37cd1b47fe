/* SPDX-License-Identifier: ISC */
/* Blocks of addresses. */
#include "common/base/cidr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"

#define V4_BITS 96 /* in front of an address of IPv4 in disguise */

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

/* The most bits that such an address has, 0 if it is none. */
static unsigned
cidr_address(const char *text, uint8_t addr[16])
{
	if (inet_pton(AF_INET6, text, addr) == 1)
		return 128;
	memcpy(addr, mapped, sizeof(mapped));
	return inet_pton(AF_INET, text, &addr[sizeof(mapped)]) == 1 ? 32 : 0;
}

/* Whether the first bits are alike. */
static bool
cidr_alike(const uint8_t a[16], const uint8_t b[16], unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	return memcmp(a, b, whole) == 0 &&
	    (rest == 0 || ((a[whole] ^ b[whole]) & 0xff << (8 - rest)) == 0);
}

static bool
cidr_is_clean(const struct cidr *c)
{
	uint8_t first[16] = { 0 };
	unsigned whole = c->bits / 8, rest = c->bits % 8;

	memcpy(first, c->addr, whole);
	if (rest != 0)
		first[whole] = (uint8_t)(c->addr[whole] & 0xff << (8 - rest));
	return memcmp(first, c->addr, sizeof(first)) == 0;
}

int
cidr_parse(const char *text, struct cidr *c)
{
	char addr[INET6_ADDRSTRLEN];
	size_t n = strcspn(text, "/");
	const char *digits = text + n + 1;
	unsigned most, bits;

	if (n >= sizeof(addr))
		return SKY_ERR_FORMAT;
	memcpy(addr, text, n);
	addr[n] = '\0';
	if ((most = cidr_address(addr, c->addr)) == 0)
		return SKY_ERR_FORMAT;
	bits = most;
	if (text[n] == '/') {
		if (*digits == '\0' || strlen(digits) > 3 ||
		    strspn(digits, "0123456789") != strlen(digits))
			return SKY_ERR_FORMAT;
		bits = (unsigned)strtoul(digits, NULL, 10);
	}
	if (bits > most)
		return SKY_ERR_FORMAT;
	c->bits = most == 32 ? V4_BITS + bits : bits;
	return cidr_is_clean(c) ? 0 : SKY_ERR_FORMAT;
}

void
cidr_text(const struct cidr *c, char text[CIDR_TEXT_MAX])
{
	bool v4 =
	    c->bits >= V4_BITS && memcmp(c->addr, mapped, sizeof(mapped)) == 0;
	char addr[INET6_ADDRSTRLEN];

	(void)inet_ntop(v4 ? AF_INET : AF_INET6,
	    v4 ? &c->addr[sizeof(mapped)] : c->addr, addr, sizeof(addr));
	(void)snprintf(text, CIDR_TEXT_MAX, "%s/%u", addr,
	    v4 ? c->bits - V4_BITS : c->bits);
}

bool
cidr_has(const struct cidr *c, const struct sockaddr *sa)
{
	uint8_t addr[16];

	if (sa->sa_family == AF_INET6)
		memcpy(addr,
		    &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr,
		    sizeof(addr));
	else if (sa->sa_family == AF_INET) {
		memcpy(addr, mapped, sizeof(mapped));
		memcpy(&addr[sizeof(mapped)],
		    &((const struct sockaddr_in *)(const void *)sa)->sin_addr,
		    4);
	} else
		return false;
	return cidr_alike(c->addr, addr, c->bits);
}
