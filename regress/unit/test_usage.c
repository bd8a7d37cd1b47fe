/* SPDX-License-Identifier: ISC */
/* Unit tests of common/base/usage.c: what is suggested, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/usage.h"

static const char *const commands[] = { "shell", "start", "exec", "cp",
	"whitelist", "whitelist-add", "whitelist-remove", "ssh", "sftp", "fs",
	"config", "dmsg", "host", "keygen", "pk" };

static const char *
near_to(const char *word)
{
	struct usage_near near = { .word = word };

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		usage_try(&near, commands[i]);
	return near.best;
}

static void
test_near(void **state)
{
	(void)state;
	assert_string_equal(near_to("shel"), "shell");
	assert_string_equal(near_to("shelll"), "shell");
	assert_string_equal(near_to("sehll"), "shell");
	assert_string_equal(near_to("sfpt"), "sftp");
	assert_string_equal(near_to("exce"), "exec");
	assert_string_equal(near_to("whitelist-ad"), "whitelist-add");
	assert_string_equal(near_to("whitelist-remov"), "whitelist-remove");
	assert_string_equal(near_to("kegyen"), "keygen");
	assert_string_equal(near_to("pk"), "pk");
}

static void
test_far(void **state)
{
	const char *const words[] = { "", "x", "zz", "ls", "reboot",
		"frobnicate", "whitelist-del", "whitelist-rm",
		"whitelisting-everybody-here-and-there-and-everywhere" };

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		assert_null(near_to(words[i]));
}

static const struct option list[] = {
	{ "timeout", required_argument, NULL, 't' },
	{ "transport", required_argument, NULL, 'T' },
	{ "quiet", no_argument, NULL, 'q' },
	{ NULL, 0, NULL, 0 },
};

/* What is told of one argument by itself. */
static void
is_told(const char *arg, const char *want)
{
	char program[] = "x", word[64], text[USAGE_TEXT_MAX];
	char *argv[] = { program, word, NULL };
	int opt;

	strcpy(word, arg);
	optind = 0;
	opterr = 0;
	while ((opt = getopt_long(2, argv, "+:t:q", list, NULL)) == 'q')
		;
	assert_true(opt == '?' || opt == ':');
	usage_explain(text, opt, word, list);
	assert_string_equal(text, want);
}

static void
test_explain(void **state)
{
	(void)state;
	is_told("--tiemout",
	    "unknown option '--tiemout'; did you mean "
	    "'--timeout'?");
	is_told("--tiemout=5",
	    "unknown option '--tiemout'; did you mean "
	    "'--timeout'?");
	is_told("--frobnicate", "unknown option '--frobnicate'");
	is_told("--timeout", "option '--timeout' needs a value");
	is_told("--quiet=yes", "option '--quiet' takes no value");
	is_told("--t", "option '--t' may be short for several");
	is_told("-t", "option '-t' needs a value");
	is_told("-qt", "option '-t' needs a value");
	is_told("-X", "unknown option '-X'");
	is_told("-qX", "unknown option '-X'");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_near),
		cmocka_unit_test(test_far),
		cmocka_unit_test(test_explain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
