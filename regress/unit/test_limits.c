/* SPDX-License-Identifier: ISC */
/* Who is admitted, who waits, who has to go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/privsep/privmsg.h"
#include "daemon/limits.h"

#define HOUR (3600 * INT64_C(1000))

static struct conns cs;
static struct config conf;
static int64_t now;

static int
set_up(void **state)
{
	(void)state;
	if (sodium_init() == -1)
		return -1;
	log_set_level(LOG_LEVEL_ERROR);
	memset(&cs, 0, sizeof(cs));
	limits_init(&cs);
	conf = (struct config){ .maxstartups = { 10, 30, 100 },
		.startuprate = { 10, 40, 100 },
		.netblocks = { 24, 48 },
		.maxperkey = 64,
		.maxperaddr = 64 };
	now = HOUR;
	return 0;
}

static int
tear_down(void **state)
{
	struct limits_conn *c;

	(void)state;
	while ((c = TAILQ_FIRST(&cs.all)) != NULL) {
		limits_unlink(&cs, c);
		free(c);
	}
	assert_int_equal(cs.n, 0);
	for (int i = 0; i < POOL_COUNT; i++) {
		assert_int_equal(cs.nstartups[i], 0);
		assert_true(TAILQ_EMPTY(&cs.startups[i]));
	}
	return 0;
}

static struct origin
tcp(const char *text)
{
	struct sockaddr_storage ss = { 0 };
	struct sockaddr_in *s4 = (struct sockaddr_in *)&ss;
	struct sockaddr_in6 *s6 = (struct sockaddr_in6 *)&ss;
	struct origin o;

	if (strchr(text, ':') == NULL) {
		s4->sin_family = AF_INET;
		assert_int_equal(inet_pton(AF_INET, text, &s4->sin_addr), 1);
	} else {
		s6->sin6_family = AF_INET6;
		assert_int_equal(inet_pton(AF_INET6, text, &s6->sin6_addr), 1);
	}
	limits_tcp(&cs, &conf, &o, &ss);
	return o;
}

static struct origin
numbered(uint32_t n)
{
	char text[32];

	snprintf(text, sizeof(text), "10.%u.%u.%u", n >> 16 & 255, n >> 8 & 255,
	    n & 255);
	return tcp(text);
}

static struct origin
dmsg(unsigned key, unsigned relay, bool listed)
{
	struct key_public pk = { 0 }, server = { 0 };
	struct origin o;

	memcpy(pk.b, &key, sizeof(key));
	memcpy(server.b, &relay, sizeof(relay));
	limits_dmsg(&cs, &o, &pk, &server, listed);
	return o;
}

static const char *
objection(struct origin o)
{
	const char *why = limits_own(&cs, &conf, &o, now);

	return why != NULL ? why : limits_all(&cs, &conf, &o, now);
}

/* One that comes, if it may. */
static struct limits_conn *
come(struct origin o)
{
	struct limits_conn *c;

	if (objection(o) != NULL)
		return NULL;
	c = calloc(1, sizeof(*c));
	assert_non_null(c);
	c->origin = o;
	limits_admit(&cs, &conf, c, now);
	limits_link(&cs, c);
	assert_true(limits_turn(c, now));
	return c;
}

static void
leave(struct limits_conn *c)
{
	limits_unlink(&cs, c);
	free(c);
}

static void
log_in(struct limits_conn *c)
{
	assert_non_null(c);
	limits_authenticated(&cs, &conf, c, now);
}

/* Comes and fails at once. */
static bool
fail_once(struct origin o)
{
	struct limits_conn *c = come(o);

	if (c == NULL)
		return false;
	leave(c);
	return true;
}

static unsigned
fail_often(struct origin o, unsigned times)
{
	unsigned n = 0;

	for (unsigned i = 0; i < times; i++)
		n += fail_once(o);
	return n;
}

/* --- origins --- */

static void
test_networks(void **state)
{
	struct origin a = tcp("192.0.2.1"), b;

	(void)state;
	b = tcp("::ffff:192.0.2.1");
	assert_true(a.self == b.self && a.network == b.network);
	b = tcp("192.0.2.2");
	assert_true(a.self != b.self && a.network == b.network);
	b = tcp("192.0.3.1");
	assert_true(a.network != b.network && a.wide == b.wide);
	a = tcp("2001:db8:1:2::1");
	b = tcp("2001:db8:1:2:ffff::");
	assert_true(a.self == b.self);
	b = tcp("2001:db8:1:3::1");
	assert_true(a.self != b.self && a.network == b.network);
	b = tcp("2001:db8:2:2::1");
	assert_true(a.network != b.network && a.wide == b.wide);
	conf.netblocks = (struct config_blocks){ 25, 57 };
	assert_true(tcp("192.0.2.1").network == tcp("192.0.2.127").network);
	assert_true(tcp("192.0.2.1").network != tcp("192.0.2.128").network);
	assert_true(
	    tcp("2001:db8::").network == tcp("2001:db8:0:7f::").network);
	assert_true(
	    tcp("2001:db8::").network != tcp("2001:db8:0:80::").network);
}

static void
test_dmsg_origins(void **state)
{
	(void)state;
	assert_true(dmsg(1, 1, true).self != dmsg(2, 1, true).self);
	assert_true(dmsg(1, 1, true).self != dmsg(1, 2, true).self);
	assert_true(dmsg(1, 1, true).self != dmsg(1, 1, false).self);
	assert_true(dmsg(1, 1, false).self == dmsg(2, 1, false).self);
	assert_true(dmsg(1, 1, false).self != dmsg(1, 2, false).self);
	assert_true(dmsg(1, 1, false).network == dmsg(2, 1, true).network);
	assert_true(dmsg(1, 1, true).network != dmsg(1, 2, true).network);
}

/* --- rates --- */

static void
test_rate_of_one(void **state)
{
	struct origin a = numbered(1), neighbour = numbered(2),
		      other = numbered(256);
	unsigned n;

	(void)state;
	assert_int_equal(fail_often(a, 500), 100);
	assert_non_null(strstr(objection(a), "origin"));
	assert_null(objection(neighbour));
	assert_null(objection(other));
	n = 0;
	for (int s = 0; s < 10; s++) {
		now += 1000;
		n += fail_often(a, 500);
	}
	assert_in_range(n, 95, 105);
	now += HOUR;
	assert_int_equal(fail_often(a, 500), 100);
}

static void
test_rate_of_network(void **state)
{
	unsigned n = 0;

	(void)state;
	for (unsigned i = 0; i < 255; i++)
		n += fail_often(numbered(i), 10);
	assert_int_equal(n, 200);
	assert_non_null(strstr(objection(numbered(255)), "network"));
	assert_null(objection(numbered(256)));
}

static void
test_rate_of_all(void **state)
{
	unsigned n = 0;

	(void)state;
	for (unsigned i = 0; i < 5000; i++)
		n += fail_once(numbered(i * 256));
	assert_int_equal(n, 400);
	assert_non_null(strstr(objection(tcp("192.0.2.1")), "startuprate"));
	now += 1000;
	n = 0;
	for (unsigned i = 0; i < 5000; i++)
		n += fail_once(numbered(i * 256));
	assert_in_range(n, 95, 105);
	/* dmsg has a budget of its own. */
	assert_null(objection(dmsg(1, 1, false)));
}

/* Who logs in pays nothing, however many there are. */
static void
test_success_is_free(void **state)
{
	struct origin a = numbered(1);

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		struct limits_conn *c = come(a);

		log_in(c);
		leave(c);
	}
	assert_null(objection(a));
	assert_null(objection(numbered(2)));
	assert_true(limits_debt(&cs, &a, now) == 0);
}

/* An origin that is known is not kept out by strangers, its neighbours or all.
 */
static void
test_known(void **state)
{
	struct origin friend = numbered(1);
	struct limits_conn *c = come(friend);

	(void)state;
	assert_false(limits_known(&cs, &friend, now));
	log_in(c);
	leave(c);
	assert_true(limits_known(&cs, &friend, now));
	for (unsigned i = 2; i < 255; i++)
		fail_often(numbered(i), 10);
	for (unsigned i = 1; i < 2000; i++)
		fail_once(numbered(i * 256));
	for (unsigned i = 0; i < 100; i++) {
		c = come(friend);
		log_in(c);
		leave(c);
	}
	/* It is not without a limit. */
	assert_int_equal(fail_often(friend, 5000), 400);
	now += INT64_C(1000) * LIMITS_KNOWN_S + 1;
	assert_false(limits_known(&cs, &friend, now));
}

/* As strangers are counted with it, those that fail later go behind. */
static void
test_debt_orders(void **state)
{
	struct origin a = tcp("10.1.0.1"), b = tcp("10.1.9.9"),
		      c = tcp("10.2.0.1");

	(void)state;
	assert_true(fail_once(a));
	now += 5000;
	assert_true(limits_debt(&cs, &b, now) > limits_debt(&cs, &c, now));
	now += 5000;
	assert_true(limits_debt(&cs, &b, now) == 0);
}

/* Whatever comes, the table stays as it is, and holds who fails most. */
static void
test_table(void **state)
{
	struct origin a = numbered(1);

	(void)state;
	conf.startuprate = (struct config_rates){ 1, 1000000, 1000000 };
	conf.maxstartups = (struct config_startups){ 1000000, 100, 1000000 };
	fail_often(a, 2000);
	conf.maxstartups = (struct config_startups){ 1000, 100, 1000 };
	assert_non_null(objection(a));
	for (unsigned i = 0; i < 100000; i++)
		fail_once(numbered(i * 256 + 7));
	assert_non_null(objection(a));
}

/* --- how many at once --- */

static void
test_startups(void **state)
{
	struct limits_conn *c[100], *more;
	unsigned dropped = 0;

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		assert_non_null(c[i] = come(numbered(i * 256)));
	/* They are young, and each is alone. */
	assert_non_null(strstr(objection(tcp("192.0.2.1")), "maxstartups"));
	for (unsigned i = 0; i < 100; i++)
		assert_false(c[i]->dropped);
	now += LIMITS_LIFE_MS;
	assert_non_null(more = come(tcp("192.0.2.1")));
	assert_true(c[0]->dropped);
	for (unsigned i = 0; i < 100; i++)
		dropped += c[i]->dropped;
	assert_int_equal(dropped, 1);
	assert_int_equal(cs.nstartups[POOL_TCP], 100);
}

/* The time that we need ourselves is not the peer's. */
static void
test_our_own_time(void **state)
{
	struct limits_conn *slow, *quick;

	(void)state;
	conf.maxstartups = (struct config_startups){ 2, 100, 2 };
	assert_non_null(slow = come(numbered(256)));
	slow->turns = 0;
	slow->due_ms = now + LIMITS_OURS_MS;
	assert_non_null(quick = come(numbered(512)));
	now += LIMITS_LIFE_MS;
	assert_non_null(come(numbered(768)));
	assert_true(quick->dropped);
	assert_false(slow->dropped);
	/* Each turn of the handshake has its time, and there are so many. */
	for (int i = 0; i < PRIV_TURNS_MAX; i++) {
		now += LIMITS_LIFE_MS;
		assert_true(limits_turn(slow, now));
	}
	assert_false(limits_turn(slow, now));
	assert_int_equal(slow->due_ms, now + LIMITS_LIFE_MS);
	now += LIMITS_LIFE_MS;
	assert_non_null(come(numbered(1024)));
	assert_false(slow->dropped);
	log_in(slow);
	assert_false(limits_turn(slow, now));
}

/* A crowd of one address gives way at once to others. */
static void
test_crowd_gives_way(void **state)
{
	struct limits_conn *c[100], *other;

	(void)state;
	conf.maxperaddr = 1000;
	conf.maxstartups = (struct config_startups){ 100, 100, 100 };
	for (unsigned i = 0; i < 100; i++)
		assert_non_null(c[i] = come(numbered(1)));
	assert_non_null(other = come(numbered(256)));
	assert_true(c[0]->dropped);
	assert_false(c[1]->dropped);
	assert_false(other->dropped);
}

static void
test_per_address(void **state)
{
	struct limits_conn *a, *b;

	(void)state;
	conf.maxperaddr = 2;
	assert_non_null(a = come(numbered(1)));
	assert_non_null(b = come(numbered(1)));
	assert_non_null(strstr(objection(numbered(1)), "maxperaddr"));
	assert_null(objection(numbered(2)));
	now += LIMITS_LIFE_MS;
	assert_non_null(come(numbered(1)));
	assert_true(a->dropped);
	log_in(b);
	leave(a);
	now += LIMITS_LIFE_MS;
	assert_non_null(come(numbered(1)));
	assert_false(b->dropped);
}

static void
test_per_key(void **state)
{
	struct key_public pk = { { 2, 1 } }, other = { { 3, 1 } };
	struct limits_conn *c;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_true(limits_key(&cs, &pk, 2));
		c = come(numbered(1));
		assert_non_null(c);
		c->pk = pk;
		log_in(c);
	}
	assert_false(limits_key(&cs, &pk, 2));
	assert_true(limits_key(&cs, &pk, 3));
	assert_true(limits_key(&cs, &other, 2));
}

/* --- dmsg --- */

/*
 * For five seconds 300 streams a second claim fresh keys and stay; a listed key
 * gets in whenever it comes, by the same relay and by another one, and is not
 * ended.
 */
static void
test_dmsg_flood(void **state)
{
	struct limits_conn *c;
	unsigned key = 100, n = 0;

	(void)state;
	for (int ms = 0; ms < 5000; ms += 10, now += 10) {
		for (int i = 0; i < 3; i++)
			n += come(dmsg(key++, 1, false)) != NULL;
		if (ms % 250 != 0)
			continue;
		for (unsigned relay = 1; relay <= 2; relay++) {
			assert_non_null(c = come(dmsg(1, relay, true)));
			for (int i = 0; i < 100; i++)
				n += come(dmsg(key++, 1, false)) != NULL;
			assert_false(c->dropped);
			log_in(c);
			leave(c);
		}
	}
	/* Hardly more than they may: 100, and 10 a second. */
	assert_in_range(n, 100, 160);
	/* Over TCP nothing has happened. */
	assert_int_equal(cs.nstartups[POOL_TCP], 0);
	assert_null(objection(numbered(1)));
}

/* A relay that invents claims of a listed key keeps out its own only. */
static void
test_dmsg_forged(void **state)
{
	struct limits_conn *c;

	(void)state;
	for (int ms = 0; ms < 5000; ms += 10, now += 10) {
		for (int i = 0; i < 3; i++)
			(void)come(dmsg(1, 1, true));
		if (ms % 250 != 0)
			continue;
		assert_non_null(c = come(dmsg(1, 2, true)));
		assert_false(c->dropped);
		log_in(c);
		leave(c);
	}
}

/* So many streams of a listed key at once as the configuration allows. */
static void
test_dmsg_many(void **state)
{
	struct limits_conn *c;

	(void)state;
	conf.maxstartups = (struct config_startups){ 2000, 100, 2000 };
	conf.maxperkey = 2000;
	for (int i = 0; i < 2000; i++)
		assert_non_null(come(dmsg(1, 1, true)));
	TAILQ_FOREACH (c, &cs.all, entry)
		assert_false(c->dropped);
}

/* --- the log --- */

static void
test_ration(void **state)
{
	(void)state;
	for (int i = 0; i < LIMITS_TOLD; i++)
		assert_true(limits_may_tell(&cs, now));
	assert_false(limits_may_tell(&cs, now));
	limits_untold(&cs, now);
	limits_tell_rest(&cs, now + 500, false);
	assert_int_equal(cs.untold, 1);
	limits_tell_rest(&cs, now + 2500, false);
	assert_int_equal(cs.untold, 0);
	assert_true(limits_may_tell(&cs, now + LIMITS_TOLD_MS));
	assert_false(limits_may_tell(&cs, now + LIMITS_TOLD_MS));
	/* While it goes on, every ten seconds. */
	for (int i = 0; i < 10; i++) {
		limits_untold(&cs, now + i * 1000);
		limits_tell_rest(&cs, now + i * 1000, false);
		assert_int_equal(cs.untold, i + 1);
	}
	limits_untold(&cs, now + 10000);
	limits_tell_rest(&cs, now + 10000, false);
	assert_int_equal(cs.untold, 0);
	limits_untold(&cs, now + 11000);
	limits_tell_rest(&cs, now + 11000, true);
	assert_int_equal(cs.untold, 0);
}

/* --- a relay's, and memory's --- */

/* Who comes by another relay has his place, whatever claims the one makes up.
 */
static void
test_per_relay(void **state)
{
	unsigned n = 0;

	(void)state;
	conf.startuprate = (struct config_rates){ 1000000, 1000000, 1000000 };
	for (unsigned i = 0; i < 200; i++)
		n += come(dmsg(i, 1, true)) != NULL;
	assert_int_equal(n, 100);
	assert_non_null(objection(dmsg(200, 1, true)));
	n = 0;
	for (unsigned i = 0; i < 100; i++)
		n += come(dmsg(i, 2, true)) != NULL;
	assert_in_range(n, 45, 50);
	assert_int_equal(cs.nstartups[POOL_DMSG], 100);
	/* But nobody listed for a stranger. */
	assert_null(come(dmsg(1, 3, false)));
	assert_non_null(come(dmsg(1, 3, true)));
}

static void
test_most_per_relay(void **state)
{
	unsigned n = 0;

	(void)state;
	conf.maxperrelay = 20;
	for (unsigned i = 0; i < 50; i++)
		n += come(dmsg(i, 1, true)) != NULL;
	assert_int_equal(n, 20);
	assert_string_equal(objection(dmsg(200, 1, true)),
	    "too many by this dmsg server have not authenticated "
	    "(maxperrelay)");
	assert_non_null(come(dmsg(1, 2, true)));
	for (unsigned i = 0; i < 60; i++)
		assert_non_null(come(numbered(i << 8)));
	/* Those that have had their time make room, by their relay. */
	now += LIMITS_LIFE_MS;
	assert_non_null(come(dmsg(200, 1, true)));
	assert_in_range(cs.nstartups[POOL_DMSG], 20, 21);
}

static void
test_startup_memory(void **state)
{
	unsigned n = 0;

	(void)state;
	conf.startuprate = (struct config_rates){ 1000000, 1000000, 1000000 };
	assert_int_equal(limits_full(&conf), 100);
	conf.startup_memory = 1000000;
	assert_int_equal(limits_full(&conf), 100);
	conf.startup_memory = 1;
	assert_int_equal(limits_full(&conf), 1);
	conf.startup_memory = 2 * 4 * LIMITS_STARTUP_KIB / 1024;
	assert_int_equal(limits_full(&conf), 4);
	for (unsigned i = 0; i < 50; i++)
		n += come(numbered(i)) != NULL;
	assert_int_equal(n, 4);
	assert_string_equal(objection(numbered(50)),
	    "too many have not authenticated (startup_memory)");
	/* dmsg has as many for itself. */
	for (unsigned i = 0; i < 4; i++)
		assert_non_null(come(dmsg(i, i, true)));
	assert_null(come(dmsg(5, 5, true)));
	now += LIMITS_LIFE_MS;
	assert_non_null(come(numbered(50)));
	assert_int_equal(cs.nstartups[POOL_TCP], 4);
}

/* --- penalties --- */

static void
with_penalties(void)
{
	config_default_penalties(&conf.penalties);
	conf.penalty_blocks = (struct config_blocks){ 32, 64 };
}

static void
penalise(struct origin o, enum penalty what)
{
	limits_penalise(&cs, &conf, &o, what, "peer", now);
}

static bool
is_refused(struct origin o)
{
	return limits_penalty(&cs, &conf, &o, now) != NULL;
}

/* Less than the least is remembered, and refuses nobody. */
static void
test_penalty_min(void **state)
{
	struct origin o = tcp("192.0.2.1");

	(void)state;
	with_penalties();
	for (int i = 0; i < 3; i++)
		penalise(o, PENALTY_HANDSHAKE);
	assert_false(is_refused(o));
	penalise(o, PENALTY_NOAUTH);
	assert_true(is_refused(o));
	assert_false(is_refused(tcp("192.0.2.2")));
	now += 15999;
	assert_true(is_refused(o));
	now += 1;
	assert_false(is_refused(o));
	/* It was refused, and has paid: the next one is the first. */
	penalise(o, PENALTY_HANDSHAKE);
	assert_false(is_refused(o));
	/* What is old has run off. */
	o = tcp("192.0.2.3");
	for (int i = 0; i < 100; i++) {
		penalise(o, PENALTY_HANDSHAKE);
		assert_false(is_refused(o));
		now += 5000;
	}
}

static void
test_penalty_max(void **state)
{
	struct origin o = tcp("192.0.2.1");

	(void)state;
	with_penalties();
	for (int i = 0; i < 1000; i++)
		penalise(o, PENALTY_CRASH);
	now += 599999;
	assert_true(is_refused(o));
	now++;
	assert_false(is_refused(o));
}

static void
test_penalty_kinds(void **state)
{
	static const unsigned seconds[PENALTY_COUNT] = { 31, 32, 33, 34, 35 };
	struct origin o;

	(void)state;
	with_penalties();
	memcpy(conf.penalties.each, seconds, sizeof(seconds));
	for (unsigned i = 0; i < PENALTY_COUNT; i++) {
		int64_t begin = now;

		o = numbered(i);
		penalise(o, (enum penalty)i);
		now += seconds[i] * 1000 - 1;
		assert_true(is_refused(o));
		now++;
		assert_false(is_refused(o));
		now = begin;
		o = numbered(100 + i);
		conf.penalties.each[i] = 0;
		penalise(o, (enum penalty)i);
		assert_false(is_refused(o));
	}
}

static void
test_penalty_off(void **state)
{
	struct origin o = tcp("192.0.2.1");

	(void)state;
	with_penalties();
	conf.penalties.off = true;
	penalise(o, PENALTY_CRASH);
	conf.penalties.off = false;
	assert_false(is_refused(o));
	penalise(o, PENALTY_CRASH);
	assert_true(is_refused(o));
	conf.penalties.off = true;
	assert_false(is_refused(o));
}

static void
test_penalty_blocks(void **state)
{
	(void)state;
	with_penalties();
	conf.penalty_blocks = (struct config_blocks){ 24, 56 };
	penalise(tcp("192.0.2.1"), PENALTY_CRASH);
	assert_true(is_refused(tcp("192.0.2.255")));
	assert_true(is_refused(tcp("::ffff:192.0.2.7")));
	assert_false(is_refused(tcp("192.0.3.1")));
	penalise(tcp("2001:db8:0:100::1"), PENALTY_CRASH);
	assert_true(is_refused(tcp("2001:db8:0:1ff::1")));
	assert_false(is_refused(tcp("2001:db8:0:200::1")));
}

static void
test_penalty_exempt(void **state)
{
	struct cidr exempt[2];

	(void)state;
	with_penalties();
	assert_int_equal(cidr_parse("192.0.2.128/25", &exempt[0]), 0);
	assert_int_equal(cidr_parse("2001:db8::/32", &exempt[1]), 0);
	conf.penalty_exempt = exempt;
	conf.npenalty_exempt = 2;
	penalise(tcp("192.0.2.200"), PENALTY_CRASH);
	penalise(tcp("2001:db8:1::1"), PENALTY_CRASH);
	penalise(tcp("192.0.2.100"), PENALTY_CRASH);
	assert_false(is_refused(tcp("192.0.2.200")));
	assert_false(is_refused(tcp("2001:db8:1::1")));
	assert_true(is_refused(tcp("192.0.2.100")));
	/* Nor is it refused for what its block did before it was exempt. */
	assert_int_equal(cidr_parse("192.0.2.0/24", &exempt[0]), 0);
	assert_false(is_refused(tcp("192.0.2.100")));
}

/* Whoever has logged in from there shares the address with a stranger. */
static void
test_penalty_known(void **state)
{
	struct origin o = tcp("192.0.2.1");

	(void)state;
	with_penalties();
	log_in(come(o));
	penalise(o, PENALTY_CRASH);
	assert_false(is_refused(o));
	assert_null(objection(o));
	now += LIMITS_KNOWN_S * INT64_C(1000) + 1000;
	penalise(o, PENALTY_CRASH);
	assert_true(is_refused(o));
	assert_non_null(objection(o));
}

/* Whatever strangers do, whoever claims a listed key is not refused for it. */
static void
test_penalty_dmsg(void **state)
{
	(void)state;
	with_penalties();
	penalise(dmsg(1, 1, true), PENALTY_CRASH);
	assert_false(is_refused(dmsg(1, 1, true)));
	assert_false(is_refused(dmsg(2, 1, false)));
	penalise(dmsg(2, 1, false), PENALTY_CRASH);
	assert_true(is_refused(dmsg(2, 1, false)));
	assert_true(is_refused(dmsg(3, 1, false))); /* by its relay */
	assert_true(is_refused(dmsg(2, 2, false))); /* by its key */
	assert_false(is_refused(dmsg(3, 2, false)));
	assert_false(is_refused(dmsg(1, 1, true)));
	assert_false(is_refused(dmsg(2, 1, true))); /* listed by now */
	assert_null(objection(dmsg(1, 1, true)));
	/* One who was listed meanwhile makes no stranger known. */
	now += 600 * 1000;
	log_in(come(dmsg(4, 1, false)));
	penalise(dmsg(2, 1, false), PENALTY_CRASH);
	assert_true(is_refused(dmsg(3, 1, false)));
}

/* More of them than there are places: nobody else is refused for it. */
static void
test_penalty_table(void **state)
{
	unsigned refused = 0;

	(void)state;
	with_penalties();
	for (unsigned i = 0; i < 3 * LIMITS_PENALTIES; i++)
		penalise(numbered(i), PENALTY_CRASH);
	for (unsigned i = 0; i < 3 * LIMITS_PENALTIES; i++)
		refused += is_refused(numbered(i));
	assert_in_range(refused, LIMITS_PENALTIES * 9 / 10, LIMITS_PENALTIES);
	for (unsigned i = 0; i < 1000; i++)
		assert_false(is_refused(numbered(1 << 20 | i)));
	/* Who is refused for longest stays longest. */
	now += 1000;
	penalise(tcp("192.0.2.1"), PENALTY_CRASH);
	penalise(tcp("192.0.2.1"), PENALTY_CRASH);
	for (unsigned i = 0; i < 3 * LIMITS_PENALTIES; i++)
		penalise(numbered(1 << 17 | i), PENALTY_GRACE);
	assert_true(is_refused(tcp("192.0.2.1")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_networks),
		TEST(test_dmsg_origins),
		TEST(test_rate_of_one),
		TEST(test_rate_of_network),
		TEST(test_rate_of_all),
		TEST(test_success_is_free),
		TEST(test_known),
		TEST(test_debt_orders),
		TEST(test_table),
		TEST(test_startups),
		TEST(test_our_own_time),
		TEST(test_crowd_gives_way),
		TEST(test_per_address),
		TEST(test_per_key),
		TEST(test_dmsg_flood),
		TEST(test_dmsg_forged),
		TEST(test_dmsg_many),
		TEST(test_ration),
		TEST(test_per_relay),
		TEST(test_most_per_relay),
		TEST(test_startup_memory),
		TEST(test_penalty_min),
		TEST(test_penalty_max),
		TEST(test_penalty_kinds),
		TEST(test_penalty_off),
		TEST(test_penalty_blocks),
		TEST(test_penalty_exempt),
		TEST(test_penalty_known),
		TEST(test_penalty_dmsg),
		TEST(test_penalty_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
