/* SPDX-License-Identifier: ISC */
/* config: types, unknown keys and the text as a whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <sodium.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf_util.h"

/* --- types, unknown keys, duplicates --- */

/* Each key with its type: the first letter of a value's. */
static const struct {
	const char *name;
	char type;
} keys[] = {
	{ "sk", 's' },
	{ "pk", 's' },
	{ "wl", 'a' },
	{ "dmsgdisc", 's' },
	{ "dmsgsessions", 'n' },
	{ "dmsgport", 'n' },
	{ "clinet", 's' },
	{ "cliaddr", 's' },
	{ "ssh_listen", 's' },
	{ "cligroup", 's' },
	{ "sandbox", 's' },
	{ "maxperrelay", 'n' },
	{ "startup_memory", 'n' },
	{ "penalties", 's' },
	{ "penalty_blocks", 's' },
	{ "penalty_exempt", 'a' },
	{ "privsep_user", 's' },
	{ "maxstartups", 's' },
	{ "startuprate", 's' },
	{ "netblocks", 's' },
	{ "maxperkey", 'n' },
	{ "maxperaddr", 'n' },
	{ "handshake_timeout", 'n' },
	{ "tcp_keepalive", 'n' },
	{ "dmsg_servers", 'a' },
	{ "sftp_server", 's' },
	{ "authorized_pks", 's' },
	{ "revoked_pks", 's' },
	{ "record", 's' },
};

static const struct {
	char type;
	const char *text;
} values[] = {
	{ 's', "\"7\"" },
	{ 'n', "7" },
	{ 'a', "[]" },
	{ 'o', "{}" },
	{ 'o', "{\"wl\":[\"x\"],\"sk\":7}" },
	{ 'b', "true" },
	{ 'b', "false" },
	{ '0', "null" },
};

static void
test_wrong_types(void **state)
{
	char text[128], why[128];

	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		snprintf(why, sizeof(why), "conf.json: %s: not a",
		    keys[i].name);
		for (size_t j = 0; j < COUNT(values); j++) {
			if (values[j].type == keys[i].type ||
			    (values[j].type == '0' && keys[i].type == 'a'))
				continue;
			snprintf(text, sizeof(text), "{\"%s\":%s}",
			    keys[i].name, values[j].text);
			refuse_text(text, why);
		}
	}
}

/* Keys of parts that are still to come are let pass. */
static void
test_kept_keys(void **state)
{
	struct config c;

	(void)state;
	accept_text(&c,
	    "{\"dmsg_servers\":[{\"static\":\"" PK1
	    "\",\"server\":{\"address\":\"a:1\",\"wl\":[1]}}]}");
	assert_int_equal(c.given, CONFIG_SERVERS);
	assert_string_equal(c.dmsg_servers, PK1 "@a:1");
	assert_int_equal(c.nwl, 0);
	config_free(&c);
	accept_text(&c, "{\"dmsg_servers\":null}");
	assert_string_equal(c.dmsg_servers, "");
	config_free(&c);
}

static void
test_unknown_keys(void **state)
{
	struct config c;
	struct said s;

	(void)state;
	assert_int_equal(parse_text(&c, &s,
			     "{\"x\":1,\"WL\":[\"a\"],\"y\":{\"sk\":1,"
			     "\"z\":[[]]},\"maxperkey\":3}"),
	    0);
	said_expect(&s,
	    "W conf.json: x: unknown key, ignored\n"
	    "W conf.json: WL: unknown key, ignored\n"
	    "W conf.json: y: unknown key, ignored\n");
	assert_int_equal(c.maxperkey, 3);
	assert_int_equal(c.given, CONFIG_MAXPERKEY);
	config_free(&c);
	/* One line, whatever a key is called. */
	assert_int_equal(parse_text(&c, &s, "{\"a\\nb\\u001b\x7f\":1}"), 0);
	said_expect(&s, "W conf.json: a?b??: unknown key, ignored\n");
	config_free(&c);
	assert_int_equal(parse_text(&c, &s, "{\"\\n\":1,\"\\n\":2}"),
	    SKY_ERR_FORMAT);
	said_expect(&s,
	    "W conf.json: ?: unknown key, ignored\n"
	    "E conf.json: line 1: duplicate key \"?\"\n");
	config_free(&c);
	/* Without anybody to listen. */
	defaults(&c);
	assert_int_equal(
	    config_parse(&c, test.keyctx, "{\"x\":1}", 7, "", NULL), 0);
	assert_int_equal(config_parse(&c, test.keyctx, "{\"wl\":1}", 8, "",
			     &(struct config_report){ 0 }),
	    SKY_ERR_FORMAT);
	config_free(&c);
}

static void
test_duplicate_keys(void **state)
{
	char text[128], why[64];

	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		snprintf(text, sizeof(text), "{\"%s\":%s,\n\"%s\":null}",
		    keys[i].name, keys[i].type == 'a' ? "[]" : "null",
		    keys[i].name);
		snprintf(why, sizeof(why), "line 2: duplicate key \"%s\"",
		    keys[i].name);
		refuse_text(text, keys[i].type == 'a' ? why : NULL);
	}
	refuse_text("{\"x\":1,\"x\":1}", NULL);
	refuse_text("{\"x\":{\"a\":1,\"a\":1}}", NULL);
}

/* Not only the first mistake is told. */
static void
test_every_problem(void **state)
{
	struct config c;
	struct said s;

	(void)state;
	assert_int_equal(parse_text(&c, &s,
			     "{\"dmsgport\":-1,\"wl\":[\"a\",2],\"x\":0,"
			     "\"sk\":\"" SECRET_PART "\"}"),
	    SKY_ERR_FORMAT);
	said_expect(&s,
	    "E conf.json: dmsgport: not a port number\n"
	    "E conf.json: wl[0]: not a public key (66 hexadecimal digits)\n"
	    "E conf.json: wl[1]: not a string\n"
	    "W conf.json: x: unknown key, ignored\n"
	    "E conf.json: sk: not a secret key (64 hexadecimal digits)\n");
	config_free(&c);
}

/* A name as long as paths may be leaves room for the key and the reason. */
static void
test_long_name(void **state)
{
	struct config c;
	struct said s;
	struct config_report report;
	char name[4096], want[512];

	(void)state;
	for (size_t n = 199; n < sizeof(name); n += n == 202 ? 3000 : 1) {
		memset(name, 'd', n);
		name[n] = '\0';
		memcpy(name + n - 7, "/c.json", 7);
		report = said_report(&s);
		defaults(&c);
		assert_int_equal(config_parse(&c, test.keyctx,
				     "{\"dmsgport\":-1}", 15, name, &report),
		    SKY_ERR_FORMAT);
		snprintf(want, sizeof(want),
		    "E %s%.200s: dmsgport: not a port number\n",
		    n > 200 ? "..." : "", n > 200 ? name + n - 200 : name);
		said_expect(&s, want);
		config_free(&c);
	}
}

/* --- the text as a whole --- */

static void
test_not_an_object(void **state)
{
	static const char *const bad[] = { "[]", "[1]", "[\"" PK1 "\"]",
		"[{\"wl\":[]}]", "1", "\"x\"", "null", "true" };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		refuse_text(bad[i], "conf.json: not a JSON object");
}

static void
test_malformed(void **state)
{
	(void)state;
	refuse_text("", "conf.json: line 1: ");
	refuse_text("{} x", "conf.json: line 1: ");
	refuse_text("{}\n{}", "conf.json: line 2: ");
	refuse_text("{\n/* wl */\n}", "conf.json: line 2: ");
	refuse_text("{\"cliaddr\":\"\xff\"}", "UTF8");
	refuse_text("{\"cliaddr\":\"a\\u0000b\"}", "NUL");
	refuse_text("{\"wl\":[],}", "conf.json: line 1: ");
}

/* said_take() looks for the secret key in every message. */
static void
test_truncated(void **state)
{
	struct config c;
	char text[sizeof(conf_full)];

	(void)state;
	accept_text(&c, conf_full);
	config_free(&c);
	for (size_t i = 0; i < strlen(conf_full); i++) {
		memcpy(text, conf_full, i);
		text[i] = '\0';
		refuse_text(text, "conf.json: line ");
	}
}

/* Each byte of it made another: no crash, and the key is never told. */
static void
test_every_byte(void **state)
{
	static const char other[] = "\"{}[]:,\\x0 \x01\xff";
	struct config c;
	struct said s;
	char text[sizeof(conf_full)];

	(void)state;
	for (size_t i = 0; i < strlen(conf_full); i++)
		for (size_t j = 0; j < strlen(other); j++) {
			memcpy(text, conf_full, sizeof(text));
			text[i] = other[j];
			if (parse_text(&c, &s, text) != 0)
				assert_int_not_equal(s.fatal, 0);
			config_free(&c);
		}
}

static void
test_depth(void **state)
{
	struct config c;
	struct said s;

	(void)state;
	assert_int_equal(
	    parse_text(&c, &s, "{\"x\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}"), 0);
	config_free(&c);
	assert_int_equal(
	    parse_text(&c, &s, "{\"x\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}"),
	    SKY_ERR_FORMAT);
	said_expect(&s,
	    "W conf.json: x: unknown key, ignored\n"
	    "E conf.json: line 1: nested too deeply\n");
	config_free(&c);
}

/* What is absent stays, a list is replaced. */
static void
test_over_another(void **state)
{
	struct config c;
	struct said s;

	(void)state;
	accept_text(&c, conf_full);
	assert_int_equal(
	    parse_over(&c, &s, "{\"wl\":[\"" PK3 "\"],\"cliaddr\":\"/b\"}"), 0);
	assert_int_equal(c.nwl, 1);
	assert_string_equal(c.cliaddr, "/b");
	assert_int_equal(c.dmsgport, 23);
	assert_int_equal(c.maxstartups.full, 3);
	assert_non_null(c.sk);
	assert_int_equal(parse_over(&c, &s, "{}"), 0);
	assert_int_equal(c.nwl, 1);
	assert_int_equal(c.given,
	    CONFIG_SK | CONFIG_WL | CONFIG_DMSGPORT | CONFIG_CLIADDR |
		CONFIG_MAXSTARTUPS | CONFIG_SERVERS);
	assert_int_equal(parse_over(&c, &s, "{\"wl\":null}"), 0);
	assert_int_equal(c.nwl, 0);
	config_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong_types),
		cmocka_unit_test(test_kept_keys),
		cmocka_unit_test(test_unknown_keys),
		cmocka_unit_test(test_duplicate_keys),
		cmocka_unit_test(test_every_problem),
		cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_not_an_object),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_over_another),
	};

	return cmocka_run_group_tests_name("config_text", tests, set_up,
	    tear_down);
}
