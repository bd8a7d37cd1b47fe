/* SPDX-License-Identifier: ISC */
/* accept_env: which of a client's variables pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "common/privsep/accept_env.h"

static const char usual[] = ACCEPT_ENV_DEFAULT;

static void
test_usual(void **state)
{
	(void)state;
	assert_true(accept_env_is_list(usual));
	assert_true(accept_env(usual, "LANG=de_DE.UTF-8"));
	assert_true(accept_env(usual, "LC_TIME=en_DK.UTF-8@x"));
	assert_true(accept_env(usual, "TERM=xterm-256color"));
	assert_true(accept_env(usual, "TZ=Europe/Berlin"));
	assert_true(accept_env(usual, "TZ=CET-1CEST"));
	assert_true(accept_env(usual, "NO_COLOR=1"));
	assert_true(accept_env(usual, "LANG="));
	assert_false(accept_env(usual, "GREETING=hello"));
	assert_false(accept_env(usual, "LANGS=de"));
	assert_false(accept_env(usual, "XLANG=de"));
	assert_false(accept_env(usual, "LC=de"));
	assert_false(accept_env("", "LANG=de"));
	assert_false(accept_env("  ", "LANG=de"));
	assert_true(accept_env(" A  LANG ", "LANG=de"));
	assert_true(accept_env("GREET?NG", "GREETING=hello"));
}

/* What is no variable, whatever its name. */
static void
test_not_one(void **state)
{
	char longest[4096];

	(void)state;
	assert_false(accept_env("*", ""));
	assert_false(accept_env("*", "="));
	assert_false(accept_env("*", "=x"));
	assert_false(accept_env("*", "NAME"));
	assert_false(accept_env("*", "1NAME=x"));
	assert_false(accept_env("*", "NA-ME=x"));
	assert_false(accept_env("*", "BASH_FUNC_ls%%=() { id; }"));
	assert_false(accept_env("*", "X=() { id; }"));
	assert_false(accept_env("*", "X=a\nb"));
	assert_false(accept_env("*", "X=a\033b"));
	memset(longest, 'A', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_false(accept_env("*", longest));
	longest[1] = '=';
	assert_false(accept_env("*", longest));
	longest[1000] = '\0';
	assert_true(accept_env("*", longest));
	longest[1] = 'A';
	longest[500] = '=';
	assert_false(accept_env("*", longest));
}

/* A value that names a file. */
static void
test_files(void **state)
{
	(void)state;
	assert_false(accept_env(usual, "LANG=/tmp/x"));
	assert_false(accept_env(usual, "LC_ALL=../../tmp/x"));
	assert_false(accept_env(usual, "LANGUAGE=%s"));
	assert_false(accept_env(usual, "TERM=../x"));
	assert_false(accept_env(usual, "TZ=/dev/zero"));
	assert_false(accept_env(usual, "TZ=:/dev/zero"));
	assert_false(accept_env(usual, "TZ=Europe/../../../dev/zero"));
}

/* Not by name, and not by a pattern. */
static void
test_never(void **state)
{
	static const char *const names[] = { "LD_PRELOAD", "LD_LIBRARY_PATH",
		"LD_AUDIT", "PATH", "HOME", "SHELL", "USER", "LOGNAME",
		"BASH_ENV", "ENV", "IFS", "PYTHONPATH", "PYTHONSTARTUP",
		"PERL5LIB", "PERL5OPT", "GCONV_PATH", "SHELLOPTS", "BASHOPTS",
		"PS4", "PS1", "PROMPT_COMMAND", "ZDOTDIR", "RUBYOPT",
		"NODE_OPTIONS", "JAVA_TOOL_OPTIONS", "GIT_SSH_COMMAND",
		"GIT_EXTERNAL_DIFF", "EDITOR", "PAGER", "LESSOPEN", "TMPDIR",
		"GLIBC_TUNABLES", "MALLOC_CHECK_", "LOCPATH", "NLSPATH",
		"TERMINFO", "TERMCAP", "SSH_ORIGINAL_COMMAND",
		"SKYPTY_ORIGINAL_COMMAND", "SKYPTY_PK", "SSH_AUTH_SOCK",
		"KRB5_CONFIG", "OPENSSL_CONF", "http_proxy", "XDG_CONFIG_HOME",
		"HISTFILE", "TZDIR" };
	char entry[64];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(entry, sizeof(entry), "%s=x", names[i]);
		assert_true(accept_env_never(names[i], strlen(names[i])));
		assert_false(accept_env(names[i], entry));
		assert_false(accept_env("*", entry));
	}
	assert_false(accept_env_never("LANG", 4));
	assert_false(accept_env_never("LC_ALL", 6));
	assert_false(accept_env_never("TERM", 4));
	assert_true(accept_env("*", "GREETING=x"));
}

static void
test_lists(void **state)
{
	(void)state;
	assert_true(accept_env_is_list(""));
	assert_true(accept_env_is_list("LANG LC_* X?"));
	assert_false(accept_env_is_list("LANG,LC_*"));
	assert_false(accept_env_is_list("[A-Z]*"));
	assert_false(accept_env_is_list("!LANG"));
	assert_false(accept_env_is_list("A=b"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_usual),
		cmocka_unit_test(test_not_one),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_never),
		cmocka_unit_test(test_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
