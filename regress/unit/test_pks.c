/* SPDX-License-Identifier: ISC */
/* pks: lines of authorized_pks, their options, and values of options. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <time.h>

#include "common/privsep/pks.h"
#include "conf_util.h"

#define ALL PRIV_GRANTS_KEY

static struct pks_line line;
static char why[RIGHTS_WHY_MAX];

static int
parse(const char *text)
{
	*why = '\0';
	return pks_parse(&line, text, strlen(text), why, sizeof(why));
}

/* Options before a key. */
static struct rights *
good(const char *options)
{
	char text[8192];

	snprintf(text, sizeof(text), "%s%s" PK1 " me", options,
	    *options != '\0' ? " " : "");
	if (parse(text) != 1)
		fail_msg("%s: %s", options, why);
	assert_string_equal(line.rights.comment, "me");
	return &line.rights;
}

/* Useless, for this reason, and it is known whose line it is. */
static void
bad(const char *options, const char *reason)
{
	struct key_public pk;
	char text[8192];

	snprintf(text, sizeof(text), "%s " PK1, options);
	if (parse(text) != SKY_ERR_FORMAT || strstr(why, reason) == NULL)
		fail_msg("%s: wanted \"%s\", got \"%s\"", options, reason, why);
	parse_pk(PK1, &pk);
	assert_true(key_equal(&line.pk, &pk));
	assert_int_equal(line.rights.grants, 0);
}

static void
test_line(void **state)
{
	static const char *const nothing[] = { "", " ", "\t", "\r", "#",
		"  # " PK1, "#" PK1 "\r" };
	static const char *const with_key[] = { PK1, PK1 " ", "  " PK1 "\t",
		PK1 "\r", "pty " PK1, "pty\t \t" PK1 " \r" };
	struct key_public pk;

	(void)state;
	parse_pk(PK1, &pk);
	for (size_t i = 0; i < COUNT(nothing); i++)
		assert_int_equal(parse(nothing[i]), 0);
	for (size_t i = 0; i < COUNT(with_key); i++) {
		assert_int_equal(parse(with_key[i]), 1);
		assert_true(key_equal(&line.pk, &pk));
		assert_string_equal(line.rights.comment, "");
		pks_free(&line);
	}
	assert_int_equal(parse(PK1 " a comment, \"of words\" \r"), 1);
	assert_string_equal(line.rights.comment, "a comment, \"of words\"");
	assert_int_equal(line.rights.grants, ALL);
	assert_false(line.rights.full);
	pks_free(&line);
}

/* No key that could be made out: the line is nobody's, and tells why. */
static void
test_no_key(void **state)
{
	static const struct {
		const char *text, *reason;
	} lines[] = {
		{ "pty", "no public key" },
		{ "pty x", "not a public key" },
		{ "02abc", "no public key" },
		{ PK1 "0", "not a public key" },
		{ "pty " PK1 "0", "not a public key" },
		{ "04be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16"
		  "f8179800",
		    "not a public key" },
		{ "command=\"x " PK1, "a quote is not closed" },
		{ "command=\"x\\\" " PK1, "a quote is not closed" },
		{ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me", "not a public key" },
	};
	static const char nul[] = "pty " PK1 " a\0b";

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		assert_int_equal(parse(lines[i].text), SKY_ERR_FORMAT);
		if (strstr(why, lines[i].reason) == NULL)
			fail_msg("%s: %s", lines[i].text, why);
	}
	assert_int_equal(
	    pks_parse(&line, nul, sizeof(nul) - 1, why, sizeof(why)),
	    SKY_ERR_FORMAT);
	assert_string_equal(why, "a NUL byte");
}

static void
test_grants(void **state)
{
	static const struct {
		const char *options;
		uint32_t grants;
	} rows[] = {
		{ "", ALL },
		{ "restrict", 0 },
		{ "RESTRICT,Pty", PRIV_GRANT_PTY },
		{ "restrict,pty", PRIV_GRANT_PTY },
		{ "pty,restrict", 0 },
		{ "restrict,exec", PRIV_GRANT_EXEC },
		{ "restrict,sftp", PRIV_GRANT_SFTP },
		{ "restrict,forwarding", PRIV_GRANT_FORWARD },
		{ "restrict,port-forwarding", PRIV_GRANT_FORWARD },
		{ "restrict,detach", PRIV_GRANT_DETACH },
		{ "no-pty", ALL & ~PRIV_GRANT_PTY },
		{ "no-exec", ALL & ~PRIV_GRANT_EXEC },
		{ "no-sftp", ALL & ~PRIV_GRANT_SFTP },
		{ "no-forwarding", ALL & ~PRIV_GRANT_FORWARD },
		{ "no-port-forwarding", ALL & ~PRIV_GRANT_FORWARD },
		{ "no-detach", ALL & ~PRIV_GRANT_DETACH },
		{ "no-pty,pty", ALL },
		{ "no-agent-forwarding,no-X11-forwarding,no-user-rc", ALL },
		{ "command=\"x\"", ALL & ~PRIV_GRANT_SFTP },
		{ "restrict,command=\"x\"", PRIV_GRANT_EXEC },
		{ "command=\"x\",restrict", PRIV_GRANT_EXEC },
		{ "command=\"x\",sftp", ALL },
		{ "command=\"x\",sftp,no-sftp", ALL & ~PRIV_GRANT_SFTP },
		{ "sftp,command=\"x\",restrict", PRIV_GRANT_EXEC },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (good(rows[i].options)->grants != rows[i].grants)
			fail_msg("%s: %x", rows[i].options, line.rights.grants);
		pks_free(&line);
	}
	bad("command=\"x\",no-exec", "exclude each other");
	bad("no-exec,command=\"x\"", "exclude each other");
}

static void
test_values(void **state)
{
	struct rights *r;

	(void)state;
	r = good("user=\"al,bo.b\",command=\"a \\\"b\\\", \\c \\\\ d\",record,"
		 "environment=\"A=1,2\",environment=B_2=,verbose,"
		 "sftp-readonly,sftp-root=\"/srv/a b\",max-sessions=3,"
		 "idle-timeout=1h30m,record-input,permitopen=\"db:5432\","
		 "permitopen=\"[::1]:*\",permitlisten=\"8080\","
		 "permitlisten=localhost:81");
	assert_int_equal(r->nuser, 2);
	assert_string_equal(r->user[0], "al");
	assert_string_equal(r->user[1], "bo.b");
	/* \" alone is an escape, as with sshd. */
	assert_string_equal(r->command, "a \"b\", \\c \\\\ d");
	assert_int_equal(r->nenv, 2);
	assert_string_equal(r->env[0], "A=1,2");
	assert_string_equal(r->env[1], "B_2=");
	assert_true(r->record && r->record_input);
	assert_true(r->verbose && r->sftp_readonly);
	assert_string_equal(r->sftp_root, "/srv/a b");
	assert_int_equal(r->max_sessions, 3);
	assert_int_equal(r->idle_timeout, 5400);
	assert_int_equal(r->nopen, 2);
	assert_string_equal(r->open[0].host, "db");
	assert_int_equal(r->open[0].port, 5432);
	assert_string_equal(r->open[1].host, "::1");
	assert_int_equal(r->open[1].port, 0);
	assert_int_equal(r->nlisten, 2);
	assert_string_equal(r->listen[0].host, "*");
	assert_int_equal(r->listen[0].port, 8080);
	assert_string_equal(r->listen[1].host, "localhost");
	assert_int_equal(r->listen[1].port, 81);
	pks_free(&line);
}

static void
test_bad_options(void **state)
{
	static const struct {
		const char *options, *reason;
	} rows[] = {
		{ "restrit",
		    "unknown option \"restrit\"; did you mean "
		    "\"restrict\"?" },
		{ "agent-forwarding", "unknown option" },
		{ "cert-authority", "unknown option" },
		{ "user=al,bob",
		    "unknown option \"bob\" (a list as a value "
		    "is put in quotes)" },
		{ "pty,", "an option is missing" },
		{ ",pty", "an option is missing" },
		{ "pty,,exec", "an option is missing" },
		{ "=x", "an option is missing" },
		{ "\"pty\"", "a quote where an option's name is due" },
		{ "pty=yes", "pty takes no value" },
		{ "command", "command= has no value" },
		{ "command=", "command= has no value" },
		{ "command=\"\"", "command= has no value" },
		{ "command=\"a\"b", "a quote is not where it may be" },
		{ "command=a\"b\"", "a quote is not where it may be" },
		{ "command=a,command=b", "command= is there twice" },
		{ "from=\"*\",pty,FROM=\"*\"", "from= is there twice" },
		{ "user=root,user=root", "user= is there twice" },
		{ "user=\"root,\"", "is no account's name" },
		{ "user=-x", "is no account's name" },
		{ "user=\"a b\"", "is no account's name" },
		{ "user=a/b", "is no account's name" },
		{ "environment=x", "not NAME=value" },
		{ "environment==x", "not NAME=value" },
		{ "environment=1=x", "not NAME=value" },
		{ "environment=\"A B=x\"", "not NAME=value" },
		{ "sftp-root=srv", "not an absolute path" },
		{ "max-sessions=0", "not a number from 1" },
		{ "max-sessions=+1", "not a number from 1" },
		{ "max-sessions=1000001", "not a number from 1" },
		{ "max-sessions=99999999999999999999", "not a number from 1" },
		{ "idle-timeout=0", "not a time such as" },
		{ "idle-timeout=5x", "not a time such as" },
		{ "idle-timeout=99999w", "not a time such as" },
		{ "permitopen=db", "not host:port" },
		{ "permitopen=:22", "not host:port" },
		{ "permitopen=db:0", "not host:port" },
		{ "permitopen=db:65536", "not host:port" },
		{ "permitopen=::1:22", "not host:port" },
		{ "permitopen=[::1:22", "not host:port" },
		{ "permitlisten=x", "not host:port" },
		{ "not-before=2027", "not a time" },
		{ "expiry-time=20270230", "not a time" },
		{ "expiry-time=20270101,expiry-time=20270101", "twice" },
		{ "from=", "from= has no value" },
		{ "from=\"10.0.0.0/8,\"", "an entry is missing" },
		{ "from=\",*\"", "an entry is missing" },
		{ "from=\"!\"", "an entry is missing" },
		{ "from=10.0.0.1/8", "digits behind the network's bits" },
		{ "from=10.0.0.0/33", "is not an address" },
		{ "from=10.0.0.0/", "is not an address" },
		{ "from=host.example", "names of hosts are not looked up" },
		{ "from=\"*.example\"", "is not an address" },
		{ "from=\"!10.0.0.1\"", "lets nobody in" },
		/* Of no address: what is behind the '!' would come in. */
		{ "from=\"*,!::ffff:10.*\"", "is not an address" },
		{ "from=\"*,!2001:0db8:*\"", "is not an address" },
		{ "from=\"*,!10.01.*\"", "is not an address" },
		{ "from=\"*,!010.1.*\"", "is not an address" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		bad(rows[i].options, rows[i].reason);
}

/* Lists have their limit. */
static void
test_many(void **state)
{
	static char text[PKS_LIST_MAX * 20];

	(void)state;
	strlcpy(text, "environment=A=1", sizeof(text));
	for (int i = 1; i < PKS_LIST_MAX; i++)
		strlcat(text, ",environment=A=1", sizeof(text));
	assert_int_equal(good(text)->nenv, PKS_LIST_MAX);
	pks_free(&line);
	strlcat(text, ",environment=A=1", sizeof(text));
	bad(text, "more than 256 values");
}

static struct sockaddr *
address(const char *text)
{
	static struct sockaddr_in in;
	static struct sockaddr_in6 in6;

	memset(&in, 0, sizeof(in));
	memset(&in6, 0, sizeof(in6));
	in.sin_family = AF_INET;
	in6.sin6_family = AF_INET6;
	if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
		return (struct sockaddr *)&in;
	assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
	return (struct sockaddr *)&in6;
}

static bool
from(const char *list, const char *who)
{
	struct rights_peer peer = { .carrier = PRIV_XK };

	if (pks_from_check(list, why, sizeof(why)) != 0)
		fail_msg("%s: %s", list, why);
	if (strcmp(who, "dmsg") == 0)
		peer.carrier = PRIV_KK;
	else if (strcmp(who, "local") != 0)
		peer.addr = address(who);
	return pks_from_matches(list, &peer);
}

static void
test_from(void **state)
{
	static const struct {
		const char *list, *who;
		bool in;
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "192.0.2.2", false },
		{ "192.0.2.0/24", "192.0.2.255", true },
		{ "192.0.2.0/24", "192.0.3.0", false },
		{ "192.0.2.0/24", "::ffff:192.0.2.9", true },
		{ "192.0.2.0/24", "::192.0.2.9", false },
		{ "192.0.2.0/31", "192.0.2.1", true },
		{ "192.0.2.0/31", "192.0.2.2", false },
		{ "0.0.0.0/0", "203.0.113.9", true },
		{ "0.0.0.0/0", "2001:db8::1", false },
		{ "::/0", "2001:db8::1", true },
		{ "2001:db8::/33", "2001:db8:7fff::1", true },
		{ "2001:db8::/33", "2001:db8:8000::1", false },
		{ "2001:DB8::1", "2001:db8::1", true },
		{ "192.0.2.*", "192.0.2.77", true },
		{ "192.0.2.*", "192.0.20.7", false },
		{ "192.0.2.?", "192.0.2.7", true },
		{ "192.0.2.?", "192.0.2.77", false },
		{ "*.2.*", "192.0.2.77", true },
		{ "2001:DB8:*", "2001:db8::7", true },
		{ "*", "192.0.2.1", true },
		{ "*", "dmsg", true },
		{ "*", "local", true },
		{ "dmsg", "dmsg", true },
		{ "dmsg", "local", false },
		{ "dmsg", "192.0.2.1", false },
		{ "local", "local", true },
		{ "local", "127.0.0.1", false },
		{ "local", "dmsg", false },
		{ "10.0.0.0/8,dmsg", "10.1.2.3", true },
		{ "10.0.0.0/8,dmsg", "dmsg", true },
		{ "10.0.0.0/8,dmsg", "11.1.2.3", false },
		{ "*,!dmsg", "10.1.2.3", true },
		{ "*,!dmsg", "dmsg", false },
		{ "!10.1.0.0/16,10.0.0.0/8", "10.2.0.1", true },
		{ "!10.1.0.0/16,10.0.0.0/8", "10.1.0.1", false },
		{ "10.0.0.0/8,!10.1.0.0/16", "10.1.0.1", false },
		{ "10.0.0.0/8,!10.1.0.*", "10.1.0.1", false },
		{ "*,!::ffff:10.1.0.1", "10.1.0.1", false },
		{ "*,!10.0.*", "10.0.100.1", false },
		{ "*,!10.0.*", "::ffff:10.0.100.1", false },
		{ "*,!2001:db8:0:*", "2001:db8:0:100::1", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (from(rows[i].list, rows[i].who) != rows[i].in)
			fail_msg("from %s: %s", rows[i].list, rows[i].who);
}

/* A long pattern of stars costs no more than a short one. */
static void
test_from_stars(void **state)
{
	(void)state;
	assert_false(from("*1*1*1*1*1*1*1*1*1*1*1*1*1*1*1*1*1*1*1*2",
	    "111.111.111.111"));
	assert_true(from("*1*1*1*1*1*1*1*1*1*1*1*1*", "111.111.111.111"));
}

static void
test_times(void **state)
{
	static const struct {
		const char *text;
		int64_t utc;
	} good_ones[] = {
		{ "19700101Z", 0 },
		{ "20270101Z", 1798761600 },
		{ "202701010030Z", 1798763400 },
		{ "20270101003015z", 1798763415 },
		{ "20280229Z", 1835395200 },
		{ "20270101", 1798761600 - 3600 },
		{ "20270701", 1814400000 - 7200 },
		{ "202707011200", 1814400000 + 36000 },
	};
	static const char *const wrong[] = { "", "Z", "2027", "2027010",
		"202701011", "20271301", "20270001", "20270100", "20270132",
		"20270229", "202701012400", "202701010060", "20270101000060",
		"20270101ZZ", "20270101 ", " 20270101", "-2027010",
		"20270101UTC", "19000101Z", "2027010100301" };
	char text[PKS_TIME_MAX];
	int64_t t;

	(void)state;
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	for (size_t i = 0; i < COUNT(good_ones); i++) {
		assert_int_equal(pks_time(good_ones[i].text, &t), 0);
		assert_int_equal(t, good_ones[i].utc);
	}
	for (size_t i = 0; i < COUNT(wrong); i++)
		if (pks_time(wrong[i], &t) != SKY_ERR_FORMAT)
			fail_msg("%s", wrong[i]);
	pks_time_text(0, text);
	assert_string_equal(text, "1970-01-01 01:00:00");
}

static bool
holds_at(const char *options, int64_t now)
{
	struct rights_peer peer = { .carrier = PRIV_KK, .now = now };
	bool holds;

	(void)good(options);
	holds = pks_holds(&line, &peer, why, sizeof(why));
	pks_free(&line);
	return holds;
}

static void
test_holds(void **state)
{
	const char *both = "not-before=20270101Z,expiry-time=20270102Z";

	(void)state;
	assert_true(holds_at("", 0));
	assert_false(holds_at(both, 1798761599));
	assert_non_null(strstr(why, "not valid before 2027-01-01"));
	assert_true(holds_at(both, 1798761600));
	assert_true(holds_at(both, 1798847999));
	assert_false(holds_at(both, 1798848000));
	assert_non_null(strstr(why, "expired at 2027-01-02"));
	assert_false(holds_at("from=local", 0));
	assert_string_equal(why, "its from= does not let in from dmsg");
	assert_true(holds_at("from=dmsg", 0));
}

static void
test_intervals(void **state)
{
	static const char *const wrong[] = { "", "x", "1x", "m", "-1", "1 m",
		"1m ", "1.5h", "9999999999", "3551w" };
	unsigned n;

	(void)state;
	assert_int_equal(pks_interval("90", &n), 0);
	assert_int_equal(n, 90);
	assert_int_equal(pks_interval("1w2d3h4m5s", &n), 0);
	assert_int_equal(n, 788645);
	assert_int_equal(pks_interval("1M", &n), 0);
	assert_int_equal(n, 60);
	for (size_t i = 0; i < COUNT(wrong); i++)
		if (pks_interval(wrong[i], &n) != SKY_ERR_FORMAT)
			fail_msg("%s", wrong[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_no_key),
		cmocka_unit_test(test_grants),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_bad_options),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_from),
		cmocka_unit_test(test_from_stars),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_holds),
		cmocka_unit_test(test_intervals),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
