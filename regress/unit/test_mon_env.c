/* SPDX-License-Identifier: ISC */
/* env: the environment of a login, and what a client may put on top. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "monitor/env.h"
#include "monitor/origin.h"

static char name[] = "joe", home[] = "/home/joe", shell[] = "/bin/zsh",
	    none[] = "";
static const struct session_origin here;
static const struct session_origin far = { .client = "192.0.2.1 4711 22",
	.connection = "192.0.2.1 4711 192.0.2.2 22" };

static struct passwd
account(uid_t uid, char *its_shell)
{
	return (struct passwd){ .pw_name = name,
		.pw_dir = home,
		.pw_shell = its_shell,
		.pw_uid = uid };
}

static size_t
count(char **env)
{
	size_t n = 0;

	while (env[n] != NULL)
		n++;
	return n;
}

static int
set_up(void **state)
{
	(void)state;
	/* But for how this is told. */
	const char *output = getenv("CMOCKA_MESSAGE_OUTPUT");
	char *kept = output != NULL ? strdup(output) : NULL;

	clearenv();
	if (kept != NULL)
		setenv("CMOCKA_MESSAGE_OUTPUT", kept, 1);
	free(kept);
	return 0;
}

static void
test_login(void **state)
{
	struct passwd pw = account(1000, shell);
	char *client[] = { NULL }, **env;

	(void)state;
	env = env_login(&pw, &here, "/dev/pts/1", NULL, client);
	assert_non_null(env);
	assert_string_equal(env_get(env, "HOME"), "/home/joe");
	assert_string_equal(env_get(env, "USER"), "joe");
	assert_string_equal(env_get(env, "LOGNAME"), "joe");
	assert_string_equal(env_get(env, "SHELL"), "/bin/zsh");
	assert_string_equal(env_get(env, "MAIL"), "/var/mail/joe");
	assert_string_equal(env_get(env, "PATH"), env_path(&pw));
	/* Who is on this machine has no other. */
	assert_int_equal(count(env), 6);
	env_free(env);
}

/* PAM's stand above a login's, the client's above those. */
static void
test_pam(void **state)
{
	struct passwd pw = account(1000, shell);
	char *client[] = { strdup("A=client"), NULL };
	char *pam[] = { strdup("A=pam"), strdup("B=pam"), strdup("MAIL=pam"),
		NULL };
	char **env = env_login(&pw, &here, NULL, pam, client);

	(void)state;
	assert_non_null(env);
	assert_string_equal(env_get(env, "A"), "client");
	assert_string_equal(env_get(env, "B"), "pam");
	assert_string_equal(env_get(env, "MAIL"), "pam");
	assert_int_equal(count(env), 8);
	env_free(env);
	free(client[0]);
	for (size_t i = 0; i < 3; i++)
		free(pam[i]);
}

static void
test_path(void **state)
{
	struct passwd root = account(0, shell), joe = account(1000, shell);

	(void)state;
	assert_non_null(strstr(env_path(&root), "/usr/sbin"));
	assert_null(strstr(env_path(&joe), "sbin"));
}

static void
test_without_shell(void **state)
{
	struct passwd pw = account(1000, none);
	char *client[] = { NULL }, **env;

	(void)state;
	env = env_login(&pw, &here, NULL, NULL, client);
	assert_string_equal(env_get(env, "SHELL"), "/bin/sh");
	env_free(env);
}

static void
test_origin(void **state)
{
	struct passwd pw = account(1000, shell);
	char *client[] = { NULL }, **env;

	(void)state;
	env = env_login(&pw, &far, NULL, NULL, client);
	assert_string_equal(env_get(env, "SSH_CLIENT"), far.client);
	assert_string_equal(env_get(env, "SSH_CONNECTION"), far.connection);
	assert_null(env_get(env, "SSH_TTY"));
	env_free(env);
	env = env_login(&pw, &far, "/dev/pts/1", NULL, client);
	assert_string_equal(env_get(env, "SSH_TTY"), "/dev/pts/1");
	assert_int_equal(count(env), 9);
	env_free(env);
}

/* Of the daemon's own only what says where it stands. */
static void
test_inherited(void **state)
{
	struct passwd pw = account(1000, shell);
	char *client[] = { NULL }, **env;

	(void)state;
	assert_int_equal(setenv("LANG", "C.UTF-8", 1), 0);
	assert_int_equal(setenv("LC_ALL", "C", 1), 0);
	assert_int_equal(setenv("LC_CTYPE", "C", 1), 0);
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	assert_int_equal(setenv("SKYPTY_SK", "secret", 1), 0);
	assert_int_equal(setenv("LD_PRELOAD", "/x.so", 1), 0);
	assert_int_equal(setenv("PATH", "/x", 1), 0);
	env = env_login(&pw, &far, "/dev/pts/1", NULL, client);
	assert_string_equal(env_get(env, "LANG"), "C.UTF-8");
	assert_string_equal(env_get(env, "TZ"), "UTC");
	assert_string_equal(env_get(env, "PATH"), env_path(&pw));
	assert_null(env_get(env, "SKYPTY_SK"));
	assert_null(env_get(env, "LD_PRELOAD"));
	assert_int_equal(count(env), 13);
	env_free(env);
}

/* What the client says counts, its last word most; nothing is there twice. */
static void
test_client(void **state)
{
	struct passwd pw = account(1000, shell);
	char term[] = "TERM=vt100", path[] = "PATH=/x", again[] = "PATH=/y",
	     empty[] = "TERM=", bare[] = "WORD", odd[] = "=x",
	     home2[] = "HOMER=1";
	char *client[] = { term, path, again, empty, bare, bare, odd, home2,
		NULL };
	char **env;

	(void)state;
	env = env_login(&pw, &far, "/dev/pts/1", NULL, client);
	assert_string_equal(env_get(env, "PATH"), "/y");
	assert_string_equal(env_get(env, "TERM"), "");
	assert_string_equal(env_get(env, "HOME"), "/home/joe");
	assert_string_equal(env_get(env, "HOMER"), "1");
	assert_null(env_get(env, "WORD")); /* it has no value */
	/* 9, TERM, the word without a value twice, "=x", HOMER. */
	assert_int_equal(count(env), 9 + 5);
	env_free(env);
}

static void
test_get(void **state)
{
	char one[] = "AB=1", two[] = "A=2", three[] = "A=3";
	char *env[] = { one, two, three, NULL };

	(void)state;
	assert_string_equal(env_get(env, "A"), "2");
	assert_string_equal(env_get(env, "AB"), "1");
	assert_null(env_get(env, "ABC"));
	assert_null(env_get(env, "B"));
	env_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_login, set_up),
		cmocka_unit_test(test_pam),
		cmocka_unit_test(test_path),
		cmocka_unit_test_setup(test_without_shell, set_up),
		cmocka_unit_test_setup(test_origin, set_up),
		cmocka_unit_test_setup(test_inherited, set_up),
		cmocka_unit_test_setup(test_client, set_up),
		cmocka_unit_test(test_get),
	};

	return cmocka_run_group_tests_name("mon_env", tests, NULL, NULL);
}
