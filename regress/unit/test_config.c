/* SPDX-License-Identifier: ISC */
/* config: every key, right and wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <sodium.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/privsep/control.h"
#include "conf_util.h"

/* --- every key --- */

static void
test_defaults(void **state)
{
	char control[CONTROL_PATH_MAX];
	struct config c;

	(void)state;
	accept_text(&c, "{}");
	assert_int_equal(c.given, 0);
	assert_null(c.sk);
	assert_true(sodium_is_zero(c.pk.b, KEY_PUBLIC_LEN));
	assert_int_equal(c.nwl, 0);
	assert_string_equal(c.dmsgdisc, CONFIG_DISCOVERY);
	assert_int_equal(c.dmsgsessions, 1);
	assert_int_equal(c.dmsgport, 22);
	assert_string_equal(c.clinet, "unix");
	control_default(control);
	assert_string_equal(c.cliaddr, control);
	assert_string_equal(c.ssh_listen, "");
	assert_string_equal(c.cligroup, "");
	assert_false(c.best_effort);
	assert_string_equal(c.privsep_user, "_skypty");
	assert_int_equal(c.maxstartups.begin, 10);
	assert_int_equal(c.maxstartups.rate, 30);
	assert_int_equal(c.maxstartups.full, 100);
	assert_int_equal(c.maxperkey, 64);
	assert_int_equal(c.maxperaddr, 64);
	assert_int_equal(c.startuprate.origin, 10);
	assert_int_equal(c.startuprate.network, 40);
	assert_int_equal(c.startuprate.all, 100);
	assert_int_equal(c.netblocks.v4, 24);
	assert_int_equal(c.netblocks.v6, 48);
	assert_int_equal(c.handshake_timeout, 10);
	assert_int_equal(c.tcp_keepalive, 15);
	config_free(&c);
	/* Freed, it is as zero-initialised. */
	config_free(&c);
}

static const struct {
	const char *name;
	uint64_t bit;
	size_t offset;
} texts[] = {
	{ "dmsgdisc", CONFIG_DMSGDISC, offsetof(struct config, dmsgdisc) },
	{ "clinet", CONFIG_CLINET, offsetof(struct config, clinet) },
	{ "cliaddr", CONFIG_CLIADDR, offsetof(struct config, cliaddr) },
	{ "ssh_listen", CONFIG_SSH_LISTEN,
	    offsetof(struct config, ssh_listen) },
	{ "cligroup", CONFIG_CLIGROUP, offsetof(struct config, cligroup) },
	{ "privsep_user", CONFIG_PRIVSEP_USER,
	    offsetof(struct config, privsep_user) },
};

static void
test_texts(void **state)
{
	static const char *const values[] = { "", "x", "a b/c:d,e",
		"\xc3\xa9" };
	struct config c;
	char text[128];

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		for (size_t j = 0; j < COUNT(values); j++) {
			snprintf(text, sizeof(text), "{\"%s\": \"%s\"}",
			    texts[i].name, values[j]);
			accept_text(&c, text);
			assert_int_equal(c.given, texts[i].bit);
			assert_string_equal(
			    *(char **)(void *)((char *)&c + texts[i].offset),
			    values[j]);
			config_free(&c);
		}
}

static const struct {
	const char *name;
	uint64_t bit;
	size_t offset;
	unsigned min, max;
} numbers[] = {
	{ "dmsgsessions", CONFIG_DMSGSESSIONS,
	    offsetof(struct config, dmsgsessions), 0, 1000000 },
	{ "maxperkey", CONFIG_MAXPERKEY, offsetof(struct config, maxperkey), 1,
	    1000000 },
	{ "maxperrelay", CONFIG_MAXPERRELAY,
	    offsetof(struct config, maxperrelay), 0, 1000000 },
	{ "startup_memory", CONFIG_STARTUPMEMORY,
	    offsetof(struct config, startup_memory), 0, 1000000 },
	{ "maxperaddr", CONFIG_MAXPERADDR, offsetof(struct config, maxperaddr),
	    1, 1000000 },
	{ "handshake_timeout", CONFIG_HANDSHAKE,
	    offsetof(struct config, handshake_timeout), 1, 600 },
	{ "tcp_keepalive", CONFIG_KEEPALIVE,
	    offsetof(struct config, tcp_keepalive), 1, 600 },
};

static void
accept_number(size_t i, unsigned value)
{
	struct config c;
	char text[128];

	snprintf(text, sizeof(text), "{\"%s\": %u}", numbers[i].name, value);
	accept_text(&c, text);
	assert_int_equal(c.given, numbers[i].bit);
	assert_int_equal(*(unsigned *)(void *)((char *)&c + numbers[i].offset),
	    value);
	config_free(&c);
}

/* The message names the key and what may stand there. */
static void
refuse_number(size_t i, const char *value)
{
	char text[128], why[128];

	snprintf(text, sizeof(text), "{\"%s\": %s}", numbers[i].name, value);
	snprintf(why, sizeof(why),
	    "conf.json: %s: not a whole number from %u to %u", numbers[i].name,
	    numbers[i].min, numbers[i].max);
	refuse_text(text, why);
}

static void
test_numbers(void **state)
{
	static const char *const never[] = { "-1", "-0", "1.0", "1e1", "0.5",
		"4294967297", "18446744073709551617",
		"123456789012345678901234567890" };
	char text[32];

	(void)state;
	for (size_t i = 0; i < COUNT(numbers); i++) {
		accept_number(i, numbers[i].min);
		accept_number(i, numbers[i].min + 1);
		accept_number(i, numbers[i].max);
		snprintf(text, sizeof(text), "%u", numbers[i].max + 1);
		refuse_number(i, text);
		if (numbers[i].min > 0)
			refuse_number(i, "0");
		for (size_t j = 0; j < COUNT(never); j++)
			refuse_number(i, never[j]);
	}
}

static void
test_port(void **state)
{
	static const char *const bad[] = { "-1", "65536", "22.0",
		"4294967318" };
	struct config c;
	char text[64];

	(void)state;
	accept_text(&c, "{\"dmsgport\":0}");
	assert_int_equal(c.dmsgport, 0);
	config_free(&c);
	accept_text(&c, "{\"dmsgport\":65535}");
	assert_int_equal(c.dmsgport, 65535);
	assert_int_equal(c.given, CONFIG_DMSGPORT);
	config_free(&c);
	for (size_t i = 0; i < COUNT(bad); i++) {
		snprintf(text, sizeof(text), "{\"dmsgport\":%s}", bad[i]);
		refuse_text(text, "dmsgport: not a port number");
	}
}

static void
test_identity(void **state)
{
	static const char *const bad[] = { "", "0", (SECRET "0"), "5ec2e7",
		"0000000000000000000000000000000000000000000000000000000000000"
		"000",
		"fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364"
		"141", /* the group's order */
		"5ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75"
		"ecg" };
	uint8_t sk[KEY_SECRET_LEN];
	struct config c;
	char text[256];

	(void)state;
	assert_int_equal(key_parse_secret(test.keyctx, SECRET, sk), 0);
	accept_text(&c, "{\"sk\":\"" SECRET "\"}");
	assert_int_equal(c.given, CONFIG_SK);
	assert_non_null(c.sk);
	assert_memory_equal(c.sk, sk, sizeof(sk));
	config_free(&c);
	for (size_t i = 0; i < COUNT(bad); i++) {
		snprintf(text, sizeof(text), "{\"sk\":\"%s\"}", bad[i]);
		refuse_text(text, "sk: not a secret key");
	}
}

static void
test_public(void **state)
{
	static const char *const bad[] = { "", "02", (PK1 "0"), PK_BAD,
		("05" SECRET), "79be667ef9dcbbac55a06295ce870b07" };
	struct key_public pk;
	struct config c;
	char text[256];

	(void)state;
	parse_pk(PK1, &pk);
	accept_text(&c, "{\"pk\":\"" PK1 "\"}");
	assert_int_equal(c.given, CONFIG_PK);
	assert_true(key_equal(&c.pk, &pk));
	config_free(&c);
	for (size_t i = 0; i < COUNT(bad); i++) {
		snprintf(text, sizeof(text), "{\"pk\":\"%s\"}", bad[i]);
		refuse_text(text, "pk: not a public key");
	}
}

/* Of sk and pk each may come first, and from another text. */
static void
test_pair(void **state)
{
	static const char ours[] = "{\"sk\":\"" SECRET "\"}";
	struct key_public pk;
	struct config c;
	struct said s;
	char hex[KEY_PUBLIC_HEX], text[512];

	(void)state;
	accept_text(&c, ours);
	assert_int_equal(key_public(test.keyctx, c.sk, &pk), 0);
	key_text(&pk, hex);
	snprintf(text, sizeof(text), "{\"pk\":\"%s\"}", hex);
	assert_int_equal(parse_over(&c, &s, text), 0);
	said_expect(&s, "");
	assert_int_equal(parse_over(&c, &s, "{\"pk\":\"" PK1 "\"}"),
	    SKY_ERR_FORMAT);
	said_expect(&s, "E conf.json: pk: is not the public key of sk\n");
	config_free(&c);
	snprintf(text, sizeof(text), "{\"pk\":\"%s\",\"sk\":\"%s\"}", hex,
	    SECRET);
	accept_text(&c, text);
	config_free(&c);
	refuse_text("{\"pk\":\"" PK1 "\",\"sk\":\"" SECRET "\"}",
	    "pk: is not the public key of sk");
	refuse_text("{\"sk\":\"" SECRET "\",\"pk\":\"" PK1 "\"}",
	    "pk: is not the public key of sk");
}

static void
test_whitelist(void **state)
{
	struct key_public pk[2];
	struct config c;

	(void)state;
	parse_pk(PK1, &pk[0]);
	parse_pk(PK2, &pk[1]);
	accept_text(&c, "{\"wl\":[\"" PK1 "\", \"" PK2 "\"]}");
	assert_int_equal(c.given, CONFIG_WL);
	assert_int_equal(c.nwl, 2);
	assert_memory_equal(c.wl, pk, sizeof(pk));
	config_free(&c);
	accept_text(&c, "{\"wl\":[]}");
	assert_int_equal(c.given, CONFIG_WL);
	assert_int_equal(c.nwl, 0);
	config_free(&c);
	accept_text(&c, "{\"wl\":null}");
	assert_int_equal(c.given, CONFIG_WL);
	assert_int_equal(c.nwl, 0);
	config_free(&c);
	refuse_text("{\"wl\":[\"" PK1 "\",\"" PK_BAD "\"]}",
	    "conf.json: wl[1]: not a public key");
	refuse_text("{\"wl\":[\"\"]}", "wl[0]: not a public key");
	refuse_text("{\"wl\":[\"" PK1 "\",1]}", "wl[1]: not a string");
	refuse_text("{\"wl\":[null]}", "wl[0]: not a string");
	refuse_text("{\"wl\":[[\"" PK1 "\"]]}", "wl[0]: not a string");
	refuse_text("{\"wl\":[{\"a\":\"" PK1 "\"}]}", "wl[0]: not a string");
	refuse_text("{\"wl\":{\"a\":\"" PK1 "\"}}", "wl: not an array");
}

/* "wl" with n keys; malloc'ed. */
static char *
long_list(size_t n)
{
	char *text = malloc(n * 72 + 32), *p = text;

	assert_non_null(text);
	p = stpcpy(p, "{\"wl\":[");
	for (size_t i = 0; i < n; i++)
		p = stpcpy(p, i == 0 ? "\"" PK1 "\"" : ",\"" PK1 "\"");
	stpcpy(p, "]}");
	return text;
}

static void
test_whitelist_limit(void **state)
{
	struct config c;
	char *text, why[64];

	(void)state;
	text = long_list(CONFIG_WL_MAX);
	accept_text(&c, text);
	assert_int_equal(c.nwl, CONFIG_WL_MAX);
	config_free(&c);
	free(text);
	text = long_list(CONFIG_WL_MAX + 1);
	snprintf(why, sizeof(why), "wl[%d]: too many keys", CONFIG_WL_MAX);
	refuse_text(text, why);
	free(text);
}

static void
test_sandbox(void **state)
{
	static const char *const bad[] = { "", "Strict", "best effort", "no",
		"strict " };
	struct config c;
	char text[64];

	(void)state;
	accept_text(&c, "{\"sandbox\":\"strict\"}");
	assert_int_equal(c.given, CONFIG_SANDBOX);
	assert_false(c.best_effort);
	config_free(&c);
	accept_text(&c, "{\"sandbox\":\"best-effort\"}");
	assert_true(c.best_effort);
	config_free(&c);
	for (size_t i = 0; i < COUNT(bad); i++) {
		snprintf(text, sizeof(text), "{\"sandbox\":\"%s\"}", bad[i]);
		refuse_text(text,
		    "sandbox: neither \"strict\" nor \"best-effort\"");
	}
}

static void
test_startups(void **state)
{
	static const struct {
		const char *text;
		unsigned begin, rate, full;
	} good[] = {
		{ "10:30:100", 10, 30, 100 },
		{ "1:1:1", 1, 1, 1 },
		{ "1:100:1000000", 1, 100, 1000000 },
		{ "1000000:50:1000000", 1000000, 50, 1000000 },
		{ "1", 1, 100, 1 },
		{ "1000000", 1000000, 100, 1000000 },
	};
	static const char *const bad[] = { "", ":", "::", "x", "10:30",
		"10:30:", ":30:100", "10::100", "10:30:100:", "10:30:100x",
		"10:30:100 ", " 10:30:100", "10: 30:100", "+10:30:100",
		"-1:30:100", "10:-1:100", "10:30:-1", "0:30:100", "10:0:100",
		"10:101:100", "10:30:9", "10:30:1000001", "0", "1000001", "-1",
		"1.5", "1:1:4294967297", "4294967297:30:100",
		"10:4294967326:100", "18446744073709551617" };
	struct config c;
	char text[128];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		snprintf(text, sizeof(text), "{\"maxstartups\":\"%s\"}",
		    good[i].text);
		accept_text(&c, text);
		assert_int_equal(c.given, CONFIG_MAXSTARTUPS);
		assert_int_equal(c.maxstartups.begin, good[i].begin);
		assert_int_equal(c.maxstartups.rate, good[i].rate);
		assert_int_equal(c.maxstartups.full, good[i].full);
		config_free(&c);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		snprintf(text, sizeof(text), "{\"maxstartups\":\"%s\"}",
		    bad[i]);
		refuse_text(text, "maxstartups: not of the form");
	}
}

static void
test_rates(void **state)
{
	static const char *const bad[] = { "", "1", "1:2", "1:2:", ":1:2",
		"1:2:3:", "1:2:3x", " 1:2:3", "0:1:2", "2:1:3", "1:3:2",
		"1:1:1000001", "-1:1:1", "1.5:2:3", "4294967297:4294967298:1" };
	struct config c;
	char text[128];

	(void)state;
	accept_text(&c, "{\"startuprate\":\"1:2:1000000\"}");
	assert_int_equal(c.given, CONFIG_STARTUPRATE);
	assert_int_equal(c.startuprate.origin, 1);
	assert_int_equal(c.startuprate.network, 2);
	assert_int_equal(c.startuprate.all, 1000000);
	config_free(&c);
	for (size_t i = 0; i < COUNT(bad); i++) {
		snprintf(text, sizeof(text), "{\"startuprate\":\"%s\"}",
		    bad[i]);
		refuse_text(text, "startuprate: not of the form");
	}
}

static void
test_netblocks(void **state)
{
	static const char *const good[] = { "8:16", "32:64", "24:48", "25:57" };
	static const char *const bad[] = { "", "24", "24:", ":48", "7:48",
		"33:48", "24:15", "24:65", "24:48:", "24:48x", "24: 48",
		"-24:48", "4294967320:48" };
	struct config c;
	char text[128];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		snprintf(text, sizeof(text), "{\"netblocks\":\"%s\"}", good[i]);
		accept_text(&c, text);
		assert_int_equal(c.given, CONFIG_NETBLOCKS);
		snprintf(text, sizeof(text), "%u:%u", c.netblocks.v4,
		    c.netblocks.v6);
		assert_string_equal(text, good[i]);
		config_free(&c);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		snprintf(text, sizeof(text), "{\"netblocks\":\"%s\"}", bad[i]);
		refuse_text(text, "netblocks: not of the form");
	}
}

static void
test_penalties(void **state)
{
	static const char *const bad[] = { "", " ", "off on", "OFF", "crash",
		"crash:", "crash:x", "crash:-1", "crash:1d", "crash:1mm",
		"crash:1 s", "crash :1", "crash:1,noauth:1", "bang:1", ":1",
		"crash:1 crash:2", "crash:604801", "crash:169h",
		"crash:1000000", "min:601", "min:20 max:19", "off crash:1" };
	struct config c;
	char text[128];

	(void)state;
	accept_text(&c, "{}");
	assert_false(c.penalties.off);
	assert_int_equal(c.penalties.each[PENALTY_NOAUTH], 1);
	assert_int_equal(c.penalties.each[PENALTY_HANDSHAKE], 5);
	assert_int_equal(c.penalties.each[PENALTY_AUTHFAIL], 2);
	assert_int_equal(c.penalties.each[PENALTY_GRACE], 20);
	assert_int_equal(c.penalties.each[PENALTY_CRASH], 90);
	assert_int_equal(c.penalties.min, 15);
	assert_int_equal(c.penalties.max, 600);
	config_free(&c);
	accept_text(&c,
	    "{\"penalties\":\"crash:2m authfail:3  grace-exceeded:4s "
	    "noauth:0\\thandshake:6 max:168h min:7m\"}");
	assert_int_equal(c.given, CONFIG_PENALTIES);
	assert_false(c.penalties.off);
	assert_int_equal(c.penalties.each[PENALTY_NOAUTH], 0);
	assert_int_equal(c.penalties.each[PENALTY_HANDSHAKE], 6);
	assert_int_equal(c.penalties.each[PENALTY_AUTHFAIL], 3);
	assert_int_equal(c.penalties.each[PENALTY_GRACE], 4);
	assert_int_equal(c.penalties.each[PENALTY_CRASH], 120);
	assert_int_equal(c.penalties.min, 420);
	assert_int_equal(c.penalties.max, CONFIG_PENALTY_MAX);
	config_free(&c);
	/* What is not named is as by default. */
	accept_text(&c, "{\"penalties\":\"crash:7\"}");
	assert_int_equal(c.penalties.each[PENALTY_CRASH], 7);
	assert_int_equal(c.penalties.each[PENALTY_HANDSHAKE], 5);
	config_free(&c);
	accept_text(&c, "{\"penalties\":\"off\"}");
	assert_true(c.penalties.off);
	config_free(&c);
	accept_text(&c, "{\"penalties\":\"on\"}");
	assert_false(c.penalties.off);
	config_free(&c);
	for (size_t i = 0; i < COUNT(bad); i++) {
		snprintf(text, sizeof(text), "{\"penalties\":\"%s\"}", bad[i]);
		refuse_text(text, "penalties: neither \"off\"");
	}
}

static void
test_penalty_exempt(void **state)
{
	struct config c;
	struct said s;

	(void)state;
	accept_text(&c, "{}");
	assert_int_equal(c.npenalty_exempt, 2);
	assert_int_equal(c.penalty_exempt[0].bits, 96 + 8);
	assert_int_equal(c.penalty_exempt[1].bits, 128);
	assert_int_equal(c.penalty_blocks.v4, 32);
	assert_int_equal(c.penalty_blocks.v6, 64);
	assert_int_equal(
	    parse_over(&c, &s, "{\"penalty_exempt\":[\"192.0.2.0/24\"]}"), 0);
	assert_int_equal(c.given, CONFIG_PENALTY_EXEMPT);
	assert_int_equal(c.npenalty_exempt, 1);
	assert_int_equal(c.penalty_exempt[0].bits, 96 + 24);
	assert_int_equal(parse_over(&c, &s, "{\"penalty_exempt\":[]}"), 0);
	assert_int_equal(c.npenalty_exempt, 0);
	assert_int_equal(parse_over(&c, &s, "{\"penalty_blocks\":\"24:56\"}"),
	    0);
	assert_int_equal(c.penalty_blocks.v4, 24);
	assert_int_equal(c.penalty_blocks.v6, 56);
	config_free(&c);
	refuse_text("{\"penalty_exempt\":[\"192.0.2.1/24\"]}",
	    "penalty_exempt[0]: not of the form");
	refuse_text("{\"penalty_exempt\":[7]}",
	    "penalty_exempt[0]: not of the form");
	refuse_text("{\"penalty_blocks\":\"7:64\"}",
	    "penalty_blocks: not of the form");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_port),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_public),
		cmocka_unit_test(test_pair),
		cmocka_unit_test(test_whitelist),
		cmocka_unit_test(test_whitelist_limit),
		cmocka_unit_test(test_sandbox),
		cmocka_unit_test(test_startups),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_netblocks),
		cmocka_unit_test(test_penalties),
		cmocka_unit_test(test_penalty_exempt),
	};

	return cmocka_run_group_tests_name("config", tests, set_up, tear_down);
}
