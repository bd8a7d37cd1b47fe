/* SPDX-License-Identifier: ISC */
/*
 * Who may still come.  As in sshd, unauthenticated connections are dropped
 * early and at random once there are many.  Unlike there it is not the
 * newcomer who goes, but the one that has waited longest, of the address that
 * has most: whoever means to log in is done within milliseconds, whoever only
 * occupies a place is not.
 */
#include "daemon/skyptyd.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TOLD_PER_S 20 /* lines about those turned away */

/*
 * Whoever has one address of IPv6 has 2^64 of them; what is IPv4 in disguise
 * is told apart as such.
 */
static bool
same_network(const struct in6_addr *a, const struct in6_addr *b)
{
	bool v4 = IN6_IS_ADDR_V4MAPPED(a) || IN6_IS_ADDR_V4MAPPED(b);

	return memcmp(a, b, v4 ? sizeof(*a) : sizeof(*a) / 2) == 0;
}

static bool
same_address(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET)
		return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
		    ((const struct sockaddr_in *)b)->sin_addr.s_addr;
	if (a->ss_family == AF_INET6)
		return same_network(
		    &((const struct sockaddr_in6 *)a)->sin6_addr,
		    &((const struct sockaddr_in6 *)b)->sin6_addr);
	return true; /* all local callers are one */
}

static bool
is_startup(const struct conn *c)
{
	return !c->authenticated && !c->control && !c->dropped;
}

/* Connections of an address: all that count, or only unauthenticated ones. */
static unsigned
count_address(const struct conns *cs, const struct sockaddr_storage *addr,
    bool startups_only)
{
	unsigned n = 0;

	for (const struct conn *c = cs->first; c != NULL; c = c->next)
		if (same_address(&c->addr, addr) && !c->dropped &&
		    !c->control && (!startups_only || is_startup(c)))
			n++;
	return n;
}

static struct conn *
oldest_startup(const struct conns *cs, const struct sockaddr_storage *addr)
{
	for (struct conn *c = cs->first; c != NULL; c = c->next)
		if (is_startup(c) &&
		    (addr == NULL || same_address(&c->addr, addr)))
			return c;
	return NULL;
}

/* The oldest one of the address that has most of them. */
static struct conn *
worst_startup(const struct conns *cs)
{
	struct conn *worst = NULL;
	unsigned n, most = 0;

	for (struct conn *c = cs->first; c != NULL; c = c->next) {
		if (!is_startup(c) ||
		    (worst != NULL && same_address(&c->addr, &worst->addr)))
			continue;
		if ((n = count_address(cs, &c->addr, true)) > most) {
			most = n;
			worst = c;
		}
	}
	return worst;
}

void
conn_end(const struct conn *c)
{
	if (c->pid > 0)
		kill(c->pid, SIGTERM);
}

/* A flood of connections is no flood of lines. */
bool
limits_may_tell(void)
{
	static unsigned told;
	static time_t second;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec != second) {
		second = now.tv_sec;
		told = 0;
	}
	return told++ < TOLD_PER_S;
}

static void
drop(struct conns *cs, struct conn *c)
{
	if (limits_may_tell())
		log_info("Dropped a connection that had not authenticated "
			 "(%zu of them)",
		    cs->startups);
	c->dropped = true;
	cs->startups--;
	conn_end(c);
}

/* sshd's curve: rate percent at begin, rising to all at full. */
static bool
unlucky(const struct config_startups *s, size_t n)
{
	unsigned percent;

	if (n < s->begin)
		return false;
	if (n >= s->full || s->rate >= 100)
		return true;
	percent = s->rate +
	    (100 - s->rate) * (unsigned)(n - s->begin) / (s->full - s->begin);
	return arc4random_uniform(100) < percent;
}

bool
limits_admit(struct conns *cs, const struct config *conf,
    const struct sockaddr_storage *addr, const char **why)
{
	struct conn *victim;

	if (count_address(cs, addr, false) >= conf->maxperaddr) {
		if ((victim = oldest_startup(cs, addr)) == NULL) {
			*why = "too many connections of this address "
			       "(maxperaddr)";
			return false;
		}
		drop(cs, victim);
	}
	if (unlucky(&conf->maxstartups, cs->startups) &&
	    (victim = worst_startup(cs)) != NULL)
		drop(cs, victim);
	return true;
}

bool
limits_key(const struct conns *cs, const struct config *conf,
    const struct key_public *pk)
{
	unsigned n = 0;

	for (const struct conn *c = cs->first; c != NULL; c = c->next)
		if (c->authenticated && key_equal(&c->pk, pk))
			n++;
	return n < conf->maxperkey;
}
