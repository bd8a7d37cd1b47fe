/* SPDX-License-Identifier: ISC */
/*
 * Who may still come: see limits.h.  As in sshd, unauthenticated connections
 * are dropped early and at random once there are many.  Unlike there it is not
 * the newcomer who goes, but the one that has waited longest, of the origin
 * that has most: whoever means to log in is done within milliseconds, whoever
 * only occupies a place is not.
 */
#include "daemon/limits.h"

#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/process.h"
#include "common/base/rate.h"
#include "common/privsep/privmsg.h"

#define US_PER_S INT64_C(1000000)
/* Who failed in a wide network goes behind others for so long each. */
#define WIDE_COST (10 * US_PER_S)
#define EBB_MS	  2000	/* without a line left out: the flood is over */
#define REST_MS	  10000 /* or that many are logged while it goes on */

/* --- what is remembered --- */

/* A tag has only so many places, and the one that is over first is taken. */
static const struct cell *
cell_find(const struct cell *table, size_t n, uint64_t tag)
{
	const struct cell *set = &table[tag % (n / LIMITS_WAYS) * LIMITS_WAYS];

	for (size_t i = 0; i < LIMITS_WAYS; i++)
		if (set[i].tag == tag)
			return &set[i];
	return NULL;
}

static struct cell *
cell_take(struct cell *table, size_t n, uint64_t tag)
{
	struct cell *set = &table[tag % (n / LIMITS_WAYS) * LIMITS_WAYS],
		    *first = set;

	for (size_t i = 0; i < LIMITS_WAYS; i++) {
		if (set[i].tag == tag)
			return &set[i];
		if (set[i].until < first->until)
			first = &set[i];
	}
	*first = (struct cell){ .tag = tag };
	return first;
}

/* --- buckets --- */

/* What a connection owes for each bucket: see common/base/rate.h. */
struct price {
	int64_t each;	/* microseconds */
	int64_t credit; /* so much debt may there be */
};

/* Wider buckets hold more, so that a narrow one is empty before. */
static struct price
limits_price(const struct config *conf, unsigned rate, unsigned depth)
{
	struct price p = { .each = US_PER_S / rate };

	p.credit = p.each * (conf->maxstartups.full * depth - 1);
	return p;
}

static struct price
price_self(const struct config *conf)
{
	return limits_price(conf, conf->startuprate.origin, 1);
}

static struct price
price_network(const struct config *conf)
{
	return limits_price(conf, conf->startuprate.network, 2);
}

static struct price
price_all(const struct config *conf)
{
	return limits_price(conf, conf->startuprate.all, 4);
}

static int64_t
limits_owed(const struct conns *cs, uint64_t tag, int64_t now_ms)
{
	const struct cell *c = cell_find(cs->bucket, LIMITS_BUCKETS, tag);

	return c != NULL ? rate_owed(c->until, now_ms * 1000) : 0;
}

static void
limits_pay(struct conns *cs, uint64_t tag, int64_t now_ms, int64_t each)
{
	rate_owe(&cell_take(cs->bucket, LIMITS_BUCKETS, tag)->until,
	    now_ms * 1000, each);
}

static void
give_back(struct conns *cs, uint64_t tag, int64_t each)
{
	if (cell_find(cs->bucket, LIMITS_BUCKETS, tag) != NULL)
		cell_take(cs->bucket, LIMITS_BUCKETS, tag)->until -= each;
}

/*
 * A known origin is held to the rate of all, alone: neither its neighbours nor
 * a crowd of strangers can use that up.
 */
static uint64_t
own_tag(const struct origin *o, bool known)
{
	return known ? ~o->self : o->self;
}

/* --- where somebody comes from --- */

void
limits_init(struct conns *cs)
{
	TAILQ_INIT(&cs->all);
	for (int i = 0; i < POOL_COUNT; i++)
		TAILQ_INIT(&cs->startups[i]);
	randombytes_buf(cs->secret, sizeof(cs->secret));
}

static uint64_t
tag_of(const struct conns *cs, char kind, const void *p, size_t n)
{
	uint8_t text[1 + 2 * KEY_PUBLIC_LEN], hash[crypto_shorthash_BYTES];
	uint64_t tag;

	_Static_assert(sizeof(hash) == sizeof(tag), "a hash is a tag");
	text[0] = (uint8_t)kind;
	memcpy(&text[1], p, n);
	crypto_shorthash(hash, text, 1 + n, cs->secret);
	memcpy(&tag, hash, sizeof(tag));
	return tag;
}

static uint64_t
tag_network(const struct conns *cs, char kind, const uint8_t *addr,
    unsigned bits)
{
	uint8_t a[1 + sizeof(struct in6_addr)] = { (uint8_t)bits };
	unsigned whole = bits / 8;

	memcpy(&a[1], addr, whole);
	if (bits % 8 != 0)
		a[1 + whole] = (uint8_t)(addr[whole] & 0xff << (8 - bits % 8));
	return tag_of(cs, kind, a, sizeof(a));
}

static bool
limits_exempt(const struct config *conf, const struct sockaddr_storage *addr)
{
	for (size_t i = 0; i < conf->npenalty_exempt; i++)
		if (cidr_has(&conf->penalty_exempt[i],
			(const struct sockaddr *)addr))
			return true;
	return false;
}

/*
 * Whoever has one address of IPv6 has 2^64 of them; what is IPv4 in disguise
 * is told apart as such.
 */
void
limits_tcp(const struct conns *cs, const struct config *conf, struct origin *o,
    const struct sockaddr_storage *addr)
{
	const struct sockaddr_in6 *s6 = (const struct sockaddr_in6 *)addr;
	const struct sockaddr_in *s4 = (const struct sockaddr_in *)addr;
	const uint8_t *p = NULL;

	memset(o, 0, sizeof(*o));
	o->pool = POOL_TCP;
	if (addr->ss_family == AF_INET)
		p = (const uint8_t *)&s4->sin_addr;
	else if (addr->ss_family != AF_INET6) {
		o->self = 1; /* all local callers are one */
		o->network = 2;
		o->wide = 3;
		return;
	} else if (IN6_IS_ADDR_V4MAPPED(&s6->sin6_addr))
		p = &s6->sin6_addr.s6_addr[12];
	if (p != NULL) {
		o->self = tag_network(cs, '4', p, 32);
		o->network = tag_network(cs, 'n', p, conf->netblocks.v4);
		o->wide = tag_network(cs, 'w', p, 16);
		o->block = tag_network(cs, 'p', p, conf->penalty_blocks.v4);
	} else {
		p = s6->sin6_addr.s6_addr;
		o->self = tag_network(cs, '6', p, 64);
		o->network = tag_network(cs, 'N', p, conf->netblocks.v6);
		o->wide = tag_network(cs, 'W', p, 32);
		o->block = tag_network(cs, 'P', p, conf->penalty_blocks.v6);
	}
	if (limits_exempt(conf, addr))
		o->block = 0;
}

/*
 * A key is claimed before it is proven, and keys cost nothing: those that are
 * not listed are one crowd.  Which relay a stream came by the confined process
 * says, and the relay itself may invent claims: what comes by one relay takes
 * nothing from what comes by another.
 */
void
limits_dmsg(const struct conns *cs, struct origin *o,
    const struct key_public *claimed, const struct key_public *relay,
    bool listed)
{
	uint8_t both[2 * KEY_PUBLIC_LEN];

	memset(o, 0, sizeof(*o));
	o->pool = POOL_DMSG;
	o->listed = listed;
	o->by = *relay;
	memcpy(both, relay->b, KEY_PUBLIC_LEN);
	memcpy(&both[KEY_PUBLIC_LEN], claimed->b, KEY_PUBLIC_LEN);
	o->network = tag_of(cs, 'r', both, KEY_PUBLIC_LEN);
	o->self = listed ? tag_of(cs, 'k', both, sizeof(both)) :
			   tag_of(cs, 's', both, KEY_PUBLIC_LEN);
	if (listed)
		return;
	o->block = tag_of(cs, 'c', claimed->b, KEY_PUBLIC_LEN);
	o->relay = o->network;
}

bool
limits_known(const struct conns *cs, const struct origin *o, int64_t now_ms)
{
	const struct cell *c = cell_find(cs->known, LIMITS_KNOWN, o->self);

	return c != NULL && c->until > now_ms * 1000;
}

int64_t
limits_debt(const struct conns *cs, const struct origin *o, int64_t now_ms)
{
	return limits_owed(cs, o->wide, now_ms);
}

/* --- how many there are --- */

/* Unauthenticated ones of an origin, or by its relay. */
static size_t
count_startups(const struct conns *cs, const struct origin *o, bool by_relay)
{
	const struct limits_conn *c;
	size_t n = 0;

	TAILQ_FOREACH (c, &cs->startups[o->pool], startup)
		if (by_relay ? c->origin.network == o->network :
			       c->origin.self == o->self)
			n++;
	return n;
}

/* Who has been given most time. */
static struct limits_conn *
oldest_startup(const struct conns *cs, const struct origin *o)
{
	struct limits_conn *c, *oldest = NULL;

	TAILQ_FOREACH (c, &cs->startups[o->pool], startup)
		if (c->origin.self == o->self &&
		    (oldest == NULL || c->due_ms < oldest->due_ms))
			oldest = c;
	return oldest;
}

/*
 * The oldest one of the origin that has most of them, or of those alike; by one
 * relay, or all.
 */
static struct limits_conn *
worst_startup(const struct conns *cs, enum pool pool, const uint64_t *relay)
{
	struct limits_conn *c, *worst = NULL;
	size_t n, most = 0;

	TAILQ_FOREACH (c, &cs->startups[pool], startup) {
		if (relay != NULL && c->origin.network != *relay)
			continue;
		if (worst != NULL && c->origin.self == worst->origin.self)
			continue;
		n = count_startups(cs, &c->origin, false);
		if (n > most || (n == most && c->due_ms < worst->due_ms)) {
			most = n;
			worst = c;
		}
	}
	return worst != NULL ? oldest_startup(cs, &worst->origin) : NULL;
}

static bool
is_preferred(const struct conns *cs, const struct origin *o, int64_t now_ms)
{
	return o->listed || limits_known(cs, o, now_ms);
}

/* A handshake needs a round trip or two: nobody is ended before for another
 * one that has no better claim. */
static bool
may_end(const struct conns *cs, const struct limits_conn *victim,
    const struct origin *o, int64_t now_ms)
{
	if (victim == NULL)
		return false;
	if (now_ms >= victim->due_ms)
		return true;
	if (victim->origin.self == o->self)
		return false;
	if (is_preferred(cs, o, now_ms) != victim->preferred)
		return !victim->preferred;
	/* One relay is not to have all places: it may make up claims. */
	if (o->pool == POOL_DMSG && victim->origin.network != o->network)
		return count_startups(cs, &victim->origin, true) >
		    count_startups(cs, o, true) + 1;
	return count_startups(cs, &victim->origin, false) >
	    count_startups(cs, o, false) + 1;
}

/* --- the decision --- */

/*
 * Connections of an address, authenticated ones, too.  Over dmsg it is
 * maxperkey that counts: a relay is nobody's address.
 */
static bool
address_full(const struct conns *cs, const struct config *conf,
    const struct origin *o)
{
	const struct limits_conn *c;
	size_t n = 0;

	if (o->pool != POOL_TCP)
		return false;
	TAILQ_FOREACH (c, &cs->all, entry)
		if (!c->control && !c->dropped && c->origin.pool == POOL_TCP &&
		    c->origin.self == o->self)
			n++;
	return n >= conf->maxperaddr;
}

unsigned
limits_full(const struct config *conf)
{
	unsigned full = conf->maxstartups.full;
	uint64_t room = conf->startup_memory * UINT64_C(1024) /
	    LIMITS_STARTUP_KIB / POOL_COUNT;

	if (conf->startup_memory == 0 || room >= full)
		return full;
	return room > 0 ? (unsigned)room : 1;
}

static bool
relay_full(const struct conns *cs, const struct config *conf,
    const struct origin *o)
{
	return o->pool == POOL_DMSG && conf->maxperrelay != 0 &&
	    count_startups(cs, o, true) >= conf->maxperrelay;
}

const char *
limits_own(const struct conns *cs, const struct config *conf,
    const struct origin *o, int64_t now_ms)
{
	bool known = limits_known(cs, o, now_ms);
	struct price self = known ? price_all(conf) : price_self(conf);
	const char *why = limits_penalty(cs, conf, o, now_ms);

	if (why != NULL)
		return why;
	if (limits_owed(cs, own_tag(o, known), now_ms) > self.credit)
		return "too many of this origin did not authenticate "
		       "(startuprate)";
	if (!known &&
	    limits_owed(cs, o->network, now_ms) > price_network(conf).credit)
		return "too many of its network did not authenticate "
		       "(startuprate)";
	if (address_full(cs, conf, o) &&
	    !may_end(cs, oldest_startup(cs, o), o, now_ms))
		return "too many connections of this address (maxperaddr)";
	if (relay_full(cs, conf, o) &&
	    !may_end(cs, worst_startup(cs, o->pool, &o->network), o, now_ms))
		return "too many by this dmsg server have not authenticated "
		       "(maxperrelay)";
	return NULL;
}

bool
limits_spent(const struct conns *cs, const struct config *conf, enum pool pool,
    int64_t now_ms)
{
	return rate_owed(cs->all_paid[pool], now_ms * 1000) >
	    price_all(conf).credit;
}

const char *
limits_all(const struct conns *cs, const struct config *conf,
    const struct origin *o, int64_t now_ms)
{
	if (!limits_known(cs, o, now_ms) &&
	    limits_spent(cs, conf, o->pool, now_ms))
		return "too many do not authenticate (startuprate)";
	if (cs->nstartups[o->pool] >= limits_full(conf) &&
	    !may_end(cs, worst_startup(cs, o->pool, NULL), o, now_ms))
		return limits_full(conf) < conf->maxstartups.full ?
		    "too many have not authenticated (startup_memory)" :
		    "too many have not authenticated (maxstartups)";
	return NULL;
}

/* sshd's curve: rate percent at begin, rising to all at full. */
static bool
limits_unlucky(const struct config_startups *s, size_t n)
{
	unsigned percent;

	if (n < s->begin && n < s->full)
		return false;
	if (n >= s->full || s->rate >= 100)
		return true;
	percent = s->rate +
	    (100 - s->rate) * (unsigned)(n - s->begin) / (s->full - s->begin);
	return arc4random_uniform(100) < percent;
}

static void
no_startup(struct conns *cs, struct limits_conn *c)
{
	enum pool pool = c->origin.pool;

	if (c->control || c->authenticated || c->dropped)
		return;
	TAILQ_REMOVE(&cs->startups[pool], c, startup);
	cs->nstartups[pool]--;
}

void
limits_end(struct conns *cs, struct limits_conn *c)
{
	no_startup(cs, c);
	c->dropped = true;
	conn_end(c);
}

static void
limits_drop(struct conns *cs, struct limits_conn *c, int64_t now_ms)
{
	cs->dropped++;
	if (limits_may_tell(cs, now_ms))
		log_event(LOG_LEVEL_INFO, LOG_EVENT("dropped"),
		    "Dropped a connection that had not authenticated "
		    "(%zu of them)",
		    cs->nstartups[c->origin.pool]);
	limits_end(cs, c);
}

void
limits_admit(struct conns *cs, const struct config *conf, struct limits_conn *c,
    int64_t now_ms)
{
	const struct origin *o = &c->origin;
	const struct config_startups curve = { .begin = conf->maxstartups.begin,
		.rate = conf->maxstartups.rate,
		.full = limits_full(conf) };
	bool known = limits_known(cs, o, now_ms);
	struct limits_conn *victim;

	if (address_full(cs, conf, o) &&
	    may_end(cs, victim = oldest_startup(cs, o), o, now_ms))
		limits_drop(cs, victim, now_ms);
	if (relay_full(cs, conf, o) &&
	    may_end(cs, victim = worst_startup(cs, o->pool, &o->network), o,
		now_ms))
		limits_drop(cs, victim, now_ms);
	if (limits_unlucky(&curve, cs->nstartups[o->pool]) &&
	    may_end(cs, victim = worst_startup(cs, o->pool, NULL), o, now_ms))
		limits_drop(cs, victim, now_ms);
	c->due_ms = now_ms + LIMITS_OURS_MS;
	c->known = known;
	c->preferred = o->listed || known;
	limits_pay(cs, own_tag(o, known), now_ms,
	    known ? price_all(conf).each : price_self(conf).each);
	if (known)
		return;
	limits_pay(cs, o->network, now_ms, price_network(conf).each);
	if (o->pool == POOL_TCP)
		limits_pay(cs, o->wide, now_ms, WIDE_COST);
	rate_owe(&cs->all_paid[o->pool], now_ms * 1000, price_all(conf).each);
}

bool
limits_turn(struct limits_conn *c, int64_t now_ms)
{
	if (c->authenticated || c->turns++ >= PRIV_TURNS_MAX)
		return false;
	c->due_ms = now_ms + LIMITS_LIFE_MS;
	return true;
}

void
limits_authenticated(struct conns *cs, const struct config *conf,
    struct limits_conn *c, int64_t now_ms)
{
	const struct origin *o = &c->origin;

	no_startup(cs, c);
	c->authenticated = true;
	if (!c->quiet)
		cs->told_paid -= LIMITS_TOLD_MS;
	/* What is not listed over dmsg are all strangers of a relay. */
	if (o->pool == POOL_TCP || o->listed)
		cell_take(cs->known, LIMITS_KNOWN, o->self)->until =
		    (now_ms / 1000 + LIMITS_KNOWN_S) * US_PER_S;
	if (c->known) {
		give_back(cs, own_tag(o, true), price_all(conf).each);
		return;
	}
	give_back(cs, o->self, price_self(conf).each);
	give_back(cs, o->network, price_network(conf).each);
	give_back(cs, o->wide, WIDE_COST);
	cs->all_paid[o->pool] -= price_all(conf).each;
}

bool
limits_key(const struct conns *cs, const struct key_public *pk, unsigned max)
{
	const struct limits_conn *c;
	unsigned n = 0;

	TAILQ_FOREACH (c, &cs->all, entry)
		if (c->authenticated && key_equal(&c->pk, pk))
			n++;
	return n < max;
}

void
limits_link(struct conns *cs, struct limits_conn *c)
{
	TAILQ_INSERT_TAIL(&cs->all, c, entry);
	cs->n++;
	if (c->control)
		return;
	TAILQ_INSERT_TAIL(&cs->startups[c->origin.pool], c, startup);
	cs->nstartups[c->origin.pool]++;
}

void
limits_unlink(struct conns *cs, struct limits_conn *c)
{
	no_startup(cs, c);
	TAILQ_REMOVE(&cs->all, c, entry);
	cs->n--;
}

void
conn_end(const struct limits_conn *c)
{
	(void)process_signal(c->pid, SIGTERM);
}

/* --- a flood of connections is no flood of lines --- */

bool
limits_may_tell(struct conns *cs, int64_t now_ms)
{
	if (rate_owed(cs->told_paid, now_ms) >= LIMITS_TOLD * LIMITS_TOLD_MS)
		return false;
	rate_owe(&cs->told_paid, now_ms, LIMITS_TOLD_MS);
	return true;
}

void
limits_untold(struct conns *cs, int64_t now_ms)
{
	if (cs->untold++ == 0)
		cs->untold_first = now_ms;
	cs->untold_last = now_ms;
}

void
limits_tell_rest(struct conns *cs, int64_t now_ms, bool end)
{
	if (cs->untold == 0 ||
	    (!end && now_ms - cs->untold_last < EBB_MS &&
		now_ms - cs->untold_first < REST_MS))
		return;
	log_event(LOG_LEVEL_INFO, LOG_EVENT("untold"),
	    "... and %lu more that did not authenticate", cs->untold);
	cs->untold = 0;
}
