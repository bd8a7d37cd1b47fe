/* SPDX-License-Identifier: ISC */
/* from=: where a key may come from, in sshd's manner. */
#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/err.h"
#include "common/privsep/pks.h"

#define ENTRY_MAX 128 /* bytes of one, with NUL */

static const char *const carriers[] = { "dmsg", "local" };

/* An address or a network of them: IPv4 is one of IPv6. */
struct pks_net {
	uint8_t b[16];
	unsigned bits;
};

/* --- one entry --- */

/* Takes the next one off a list; false at its end, *ok for one too long. */
static bool
pks_from_next(const char **list, char entry[ENTRY_MAX], bool *negated, bool *ok)
{
	size_t n = strcspn(*list, ",");

	if (**list == '\0')
		return false;
	*negated = **list == '!';
	*ok = n - *negated > 0 && n - *negated < ENTRY_MAX;
	if (*ok) {
		memcpy(entry, *list + *negated, n - *negated);
		entry[n - *negated] = '\0';
	}
	*list += n;
	if (**list == ',') {
		++*list;
		*ok = *ok && **list != '\0'; /* something is to follow */
	}
	return true;
}

static bool
pks_from_is_carrier(const char *entry)
{
	for (size_t i = 0; i < sizeof(carriers) / sizeof(carriers[0]); i++)
		if (strcmp(entry, carriers[i]) == 0)
			return true;
	return false;
}

static void
pks_net_map(struct pks_net *net, const void *v4)
{
	memset(net->b, 0, 10);
	memset(net->b + 10, 0xff, 2);
	memcpy(net->b + 12, v4, 4);
}

/* Whether nothing is set behind its bits. */
static bool
pks_net_is_clean(const struct pks_net *net)
{
	for (unsigned i = net->bits; i < 128; i++)
		if (net->b[i / 8] & (0x80 >> (i % 8)))
			return false;
	return true;
}

/* "192.0.2.0/24", "2001:db8::1". */
static int
pks_net_parse(const char *entry, struct pks_net *net)
{
	size_t n = strcspn(entry, "/");
	const char *bits = entry[n] == '/' ? entry + n + 1 : NULL;
	char addr[ENTRY_MAX];
	uint8_t v4[4];
	unsigned max = 128;

	memcpy(addr, entry, n);
	addr[n] = '\0';
	if (inet_pton(AF_INET, addr, v4) == 1) {
		pks_net_map(net, v4);
		max = 32;
	} else if (inet_pton(AF_INET6, addr, net->b) != 1)
		return SKY_ERR_FORMAT;
	net->bits = 128;
	if (bits == NULL)
		return 0;
	if (*bits == '\0' || strspn(bits, "0123456789") != strlen(bits) ||
	    strlen(bits) > 3 || (unsigned)atoi(bits) > max)
		return SKY_ERR_FORMAT;
	net->bits = 128 - max + (unsigned)atoi(bits);
	return pks_net_is_clean(net) ? 0 : SKY_ERR_RANGE;
}

/* Zeros in front, which no address has as it is compared. */
static bool
pks_from_has_zeros(const char *entry)
{
	for (const char *p = entry; *p != '\0'; p++)
		if (p[0] == '0' && isxdigit((unsigned char)p[1]) &&
		    (p == entry || p[-1] == '.' || p[-1] == ':'))
			return true;
	return false;
}

/*
 * A name with a wildcard in it, which an address could be.  One that never is,
 * as "::ffff:10.*" for IPv4, would let in whom it is to keep out behind a '!'.
 */
static bool
pks_from_is_pattern(const char *entry)
{
	const char *of = strchr(entry, ':') != NULL ?
	    "0123456789abcdefABCDEF:*?" :
	    "0123456789.*?";

	return strpbrk(entry, "*?") != NULL &&
	    strspn(entry, of) == strlen(entry) && !pks_from_has_zeros(entry);
}

int
pks_from_check(const char *list, char *why, size_t n)
{
	char entry[ENTRY_MAX];
	struct pks_net net;
	bool negated, ok, any = false;
	int r;

	if (*list == '\0' || *list == ',') {
		strlcpy(why, "from=: an entry is missing", n);
		return SKY_ERR_FORMAT;
	}
	while (pks_from_next(&list, entry, &negated, &ok)) {
		if (!ok) {
			strlcpy(why, "from=: an entry is missing or too long",
			    n);
			return SKY_ERR_FORMAT;
		}
		any = any || !negated;
		if (pks_from_is_carrier(entry) || pks_from_is_pattern(entry))
			continue;
		if ((r = pks_net_parse(entry, &net)) == 0)
			continue;
		snprintf(why, n, "from=: \"%s\" %s", entry,
		    r == SKY_ERR_RANGE ?
			"has digits behind the network's bits" :
			"is not an address, a network, a pattern of addresses, "
			"dmsg or local (names of hosts are not looked up)");
		return SKY_ERR_FORMAT;
	}
	if (any)
		return 0;
	strlcpy(why,
	    "from= only says from where not, and lets nobody in; "
	    "add \"*\"",
	    n);
	return SKY_ERR_FORMAT;
}

/* --- whether it is the peer --- */

/* The address of a peer that has one. */
static bool
pks_from_address(const struct rights_peer *peer, struct pks_net *net)
{
	const struct sockaddr *sa = peer->addr;

	net->bits = 128;
	if (sa == NULL || peer->carrier != PRIV_XK)
		return false;
	if (sa->sa_family == AF_INET)
		pks_net_map(net,
		    &((const struct sockaddr_in *)(const void *)sa)->sin_addr);
	else if (sa->sa_family == AF_INET6)
		memcpy(net->b,
		    &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr,
		    sizeof(net->b));
	else
		return false;
	return true;
}

static bool
pks_net_is_v4(const struct pks_net *net)
{
	struct pks_net v4;

	pks_net_map(&v4, net->b + 12);
	return memcmp(v4.b, net->b, sizeof(v4.b)) == 0;
}

void
pks_from_name(const struct rights_peer *peer, char name[PKS_PEER_MAX])
{
	struct pks_net net;

	if (peer->carrier == PRIV_KK)
		strlcpy(name, carriers[0], PKS_PEER_MAX);
	else if (!pks_from_address(peer, &net))
		strlcpy(name, carriers[1], PKS_PEER_MAX);
	else if (pks_net_is_v4(&net))
		inet_ntop(AF_INET, net.b + 12, name, PKS_PEER_MAX);
	else
		inet_ntop(AF_INET6, net.b, name, PKS_PEER_MAX);
}

static bool
pks_net_has(const struct pks_net *net, const struct pks_net *addr)
{
	for (unsigned i = 0; i < net->bits; i++)
		if ((net->b[i / 8] ^ addr->b[i / 8]) & (0x80 >> (i % 8)))
			return false;
	return true;
}

/*
 * Two pointers, no recursion: a star that did not fit takes one byte more, and
 * only the last one ever has to.
 */
static bool
pks_from_glob(const char *pattern, const char *name)
{
	const char *star = NULL, *again = NULL;

	while (*name != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			again = name;
		} else if (*pattern == '?' ||
		    strncasecmp(pattern, name, 1) == 0) {
			pattern++;
			name++;
		} else if (star != NULL) {
			pattern = star;
			name = ++again;
		} else
			return false;
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

static bool
pks_from_is(const char *entry, const struct rights_peer *peer)
{
	struct pks_net net, addr;
	char name[PKS_PEER_MAX];

	pks_from_name(peer, name);
	if (pks_from_is_carrier(entry))
		return strcmp(entry, name) == 0;
	if (pks_net_parse(entry, &net) == 0)
		return pks_from_address(peer, &addr) &&
		    pks_net_has(&net, &addr);
	return pks_from_is_pattern(entry) && pks_from_glob(entry, name);
}

/* One that is negated decides, wherever it stands. */
bool
pks_from_matches(const char *list, const struct rights_peer *peer)
{
	char entry[ENTRY_MAX];
	bool negated, ok, found = false;

	while (pks_from_next(&list, entry, &negated, &ok)) {
		if (!ok)
			return false;
		if (!pks_from_is(entry, peer))
			continue;
		if (negated)
			return false;
		found = true;
	}
	return found;
}
