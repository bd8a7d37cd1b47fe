/* SPDX-License-Identifier: ISC */
/* Texts as ssh reads them, and what Match makes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/complain.h"
#include "client/hosts_match.h"
#include "client/ssh/ssh_opts.h"
#include "client/ssh/ssh_table.h"

static char told[256];

void
complain(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(told, sizeof(told), format, ap);
	va_end(ap);
}

/* --- lists of patterns --- */

static void
test_lists(void **state)
{
	static const struct {
		const char *patterns, *text;
		bool as_it_is, small;
	} cases[] = {
		{ "a", "a", true, true },
		{ "A", "a", false, true },
		{ "b,a", "a", true, true },
		{ "a*,!ab", "ab", false, false },
		{ "!ab,a*", "ac", true, true },
		{ "!b", "a", false, false },
		{ "", "a", false, false },
		{ "", "", true, true },
		{ "*", "", true, true },
		{ "?", "", false, false },
		{ ",,a,", "a", true, true },
		{ "**a**", "bab", true, true },
		{ "[ab]", "a", false, false },
		{ "!", "", false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
		    ssh_match_list(cases[i].patterns, cases[i].text, false),
		    cases[i].as_it_is);
		assert_int_equal(
		    ssh_match_list(cases[i].patterns, cases[i].text, true),
		    cases[i].small);
	}
}

/* --- tokens --- */

static const struct ssh_tokens tokens = { .host = "name",
	.hostname = "host",
	.key_alias = "alias",
	.port = "22",
	.login = "who" };

static void
expands(const char *text, const char *allowed, const struct ssh_tokens *t,
    const char *wanted)
{
	char *got = ssh_expand(text, allowed, t, "what");

	if (wanted == NULL)
		assert_null(got);
	else
		assert_string_equal(got, wanted);
	free(got);
}

static void
test_tokens(void **state)
{
	struct ssh_tokens none = { .host = "name" };

	(void)state;
	expands("", "%" SSH_TOKENS, &tokens, "");
	expands("%%%n-%h-%k-%p-%r-%j.", "%" SSH_TOKENS, &tokens,
	    "%name-host-alias-22-who-.");
	expands("%%h", "%h", &tokens, "%h");
	/* What is not allowed there, not known, or says nothing. */
	expands("%r", "%h", &tokens, NULL);
	expands("%%", "h", &tokens, NULL);
	expands("%z", "%" SSH_TOKENS, &tokens, NULL);
	expands("%r", "%" SSH_TOKENS, &none, NULL);
	expands("%", "%" SSH_TOKENS, &tokens, NULL);
	assert_non_null(strstr(told, "a % at the end"));
	expands("a%h%", "%" SSH_TOKENS, &tokens, NULL);
}

/* A name for a connection is another one for another connection. */
static void
test_hash(void **state)
{
	struct ssh_tokens t[6];
	char *hash[6];

	(void)state;
	for (size_t i = 0; i < 6; i++)
		t[i] = tokens;
	t[1].hostname = "host2";
	t[2].port = "222";
	t[3].login = NULL;
	/* Put together they read the same. */
	t[4].hostname = "hos";
	t[4].port = "t22";
	t[5].host = "not a part of it";
	for (size_t i = 0; i < 6; i++) {
		hash[i] = ssh_expand("%C", "C", &t[i], "what");
		assert_non_null(hash[i]);
		assert_int_equal(strspn(hash[i], "0123456789abcdef"), 40);
		assert_int_equal(strlen(hash[i]), 40);
	}
	for (size_t i = 1; i < 5; i++)
		assert_string_not_equal(hash[0], hash[i]);
	assert_string_equal(hash[0], hash[5]);
	for (size_t i = 0; i < 6; i++)
		free(hash[i]);
}

/* --- Match --- */

static char *
word(const char *text)
{
	return (char *)(uintptr_t)text;
}

static void
test_match(void **state)
{
	static const struct {
		const char *words[5];
		bool holds;
	} cases[] = {
		{ { "all" }, true },
		{ { "!all" }, false },
		{ { "canonical", "all" }, false },
		{ { "!canonical", "all" }, true },
		{ { "host", "WHERE" }, true },
		{ { "host", "lab" }, false },
		{ { "originalhost", "l*" }, true },
		{ { "!originalhost", "l*" }, false },
		{ { "HOST", "where", "!user", "root" }, true },
		{ { "host", "where", "user", "root" }, false },
		{ { "user",
		      ""
		      "*" },
		    true },
		{ { "command", "" }, true },
		{ { "tagged", "" }, true },
		{ { "tagged", "x" }, false },
		{ { "sessiontype", "shell" }, false },
	};
	static char address[] = "where:22";
	struct host host = { .address = address };
	struct hosts_known known = { .alias = "lab", .host = &host };
	const char *bad;
	char *words[5];
	size_t n;
	bool holds;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (n = 0; n < 5 && cases[i].words[n] != NULL; n++)
			words[n] = word(cases[i].words[n]);
		assert_null(hosts_match(&known, words, n, &bad, &holds));
		assert_int_equal(holds, cases[i].holds);
	}
	/* By its form alone, where nobody is asked for. */
	known = (struct hosts_known){ .alias = NULL };
	words[0] = word("user");
	assert_non_null(hosts_match(&known, words, 1, &bad, &holds));
	words[1] = word("x");
	assert_null(hosts_match(&known, words, 2, &bad, &holds));
	assert_non_null(hosts_match(&known, words, 0, &bad, &holds));
}

static void
test_refused(void **state)
{
	static const char *const cases[][3] = { { "exec", "true" }, { "final" },
		{ "!final" }, { "localnetwork", "10.0.0.0/8" }, { "host" },
		{ "host", "" }, { "user", "" }, { "all", "all" },
		{ "host", "a", "all" }, { "nonsense", "x" }, { "" }, { "!" } };
	struct host host = { .address = NULL };
	struct hosts_known known = { .alias = "lab", .host = &host };
	const char *bad;
	char *words[3];
	size_t n;
	bool holds;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (n = 0; n < 3 && cases[i][n] != NULL; n++)
			words[n] = word(cases[i][n]);
		assert_non_null(hosts_match(&known, words, n, &bad, &holds));
		known.alias = NULL;
		assert_non_null(hosts_match(&known, words, n, &bad, &holds));
		known.alias = "lab";
	}
}

/* --- which of two ways --- */

static void
test_proxy(void **state)
{
	struct ssh_opts o = { .print = false };

	(void)state;
	assert_int_equal(ssh_opts_line(&o, "ProxyCommand nc  'a' %h # b", "x"),
	    0);
	assert_int_equal(ssh_opts_line(&o, "ProxyJump gate", "x"), 0);
	assert_string_equal(ssh_opts_proxy(&o), "nc  'a' %h # b");
	assert_int_equal(ssh_opts_check(&o), 0);
	ssh_opts_free(&o);

	assert_int_equal(ssh_opts_line(&o, "ProxyCommand NONE", "x"), 0);
	assert_int_equal(ssh_opts_line(&o, "ProxyJump gate", "x"), 0);
	assert_null(ssh_opts_proxy(&o));
	assert_int_equal(ssh_opts_check(&o), 0);
	ssh_opts_free(&o);

	assert_int_equal(ssh_opts_line(&o, "ProxyJump gate", "x"), 0);
	assert_int_equal(ssh_opts_line(&o, "ProxyCommand nc", "x"), 0);
	assert_string_equal(ssh_opts_jump(&o), "gate");
	assert_null(ssh_opts_proxy(&o));
	ssh_opts_free(&o);

	/* None is no way to the host: the next one counts. */
	assert_int_equal(ssh_opts_line(&o, "ProxyJump none", "x"), 0);
	assert_int_equal(ssh_opts_line(&o, "ProxyCommand nc", "x"), 0);
	assert_null(ssh_opts_jump(&o));
	assert_string_equal(ssh_opts_proxy(&o), "nc");
	ssh_opts_free(&o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_proxy),
	};

	if (sodium_init() == -1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
