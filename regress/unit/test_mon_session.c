/* SPDX-License-Identifier: ISC */
/*
 * session, forced: what the rights of a key make of its session, whom it may
 * be, and what runs whatever its client asks for.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "monitor/account.h"
#include "monitor/command.h"
#include "monitor/session.h"
#include "regress/unit/mon_world.h"

#define ALL   PRIV_GRANTS_KEY
#define NOPTY (PRIV_GRANTS_KEY & ~(uint32_t)PRIV_GRANT_PTY)

static char why[PRIVMSG_TEXT_MAX];

static int
set_up(void **state)
{
	(void)state;
	mw_begin(PRIV_CONTROL);
	mon.half.grants = 0;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	mw_end();
	return 0;
}

/* --- grants --- */

static void
test_grants(void **state)
{
	static const struct {
		uint32_t given;
		const char *command, *root;
		uint32_t grants;
		bool forces_files;
	} row[] = {
		{ ALL, NULL, NULL, ALL, false },
		{ 0, NULL, NULL, 0, false },
		{ NOPTY, NULL, NULL, NOPTY, false },
		/* Of what only the control socket has, no line gives any. */
		{ ~0U, NULL, NULL, ALL, false },
		/* A command of its own runs however one is asked for. */
		{ 0, "date", NULL, PRIV_GRANT_EXEC | PRIV_GRANT_SFTP, true },
		{ PRIV_GRANT_PTY, "date", NULL,
		    PRIV_GRANT_PTY | PRIV_GRANT_EXEC | PRIV_GRANT_SFTP, true },
		{ PRIV_GRANT_SFTP, "date", NULL,
		    PRIV_GRANT_EXEC | PRIV_GRANT_SFTP, false },
		{ ALL, "internal-sftp", NULL, PRIV_GRANT_SFTP, false },
		{ 0, "internal-sftp", NULL, PRIV_GRANT_SFTP, false },
		{ ALL, "internal-sftp -l DEBUG", NULL, ALL, false },
		/* Nothing runs outside of a folder. */
		{ ALL, NULL, "/srv", PRIV_GRANT_SFTP, false },
		{ NOPTY & ~(uint32_t)PRIV_GRANT_SFTP, NULL, "/srv", 0, false },
		{ ALL, "internal-sftp", "/srv", PRIV_GRANT_SFTP, false },
		{ ALL, "date", "/srv", ALL & ~(uint32_t)PRIV_GRANT_FORWARD,
		    false },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		set_up(state);
		mon.rights.grants = row[i].given;
		if (row[i].command != NULL)
			mon.rights.command = strdup(row[i].command);
		if (row[i].root != NULL)
			mon.rights.sftp_root = strdup(row[i].root);
		session_begin(&mon);
		assert_int_equal(mon.half.grants, row[i].grants);
		assert_int_equal(session_forces_files(&mon),
		    row[i].forces_files);
		assert_false(mw.died);
		tear_down(state);
	}
}

static void
test_control_grants(void **state)
{
	(void)state;
	session_begin_control(&mon);
	assert_int_equal(mon.half.grants,
	    ALL | PRIV_GRANT_WHITELIST | PRIV_GRANT_DIAL);
	assert_true(mon.rights.full);
}

static void
test_verbose(void **state)
{
	(void)state;
	session_begin(&mon);
	assert_int_equal(log_get_level(), LOG_LEVEL_ERROR);
	mon.rights.verbose = true;
	session_begin(&mon);
	assert_int_equal(log_get_level(), LOG_LEVEL_DEBUG);
}

/* --- idle time --- */

static int64_t
idle_left_ms(void)
{
	struct timeval due, now;

	assert_true(event_pending(mon.idle, EV_TIMEOUT, &due));
	evutil_gettimeofday(&now, NULL);
	return (due.tv_sec - now.tv_sec) * INT64_C(1000) +
	    (due.tv_usec - now.tv_usec) / 1000;
}

/* Whoever says that something moved begins anew; who does not, ends. */
static void
test_idle(void **state)
{
	static const uint8_t bytes[16];
	int64_t left;

	(void)state;
	mon.half.phase = MON_SESSION;
	mon.rights.idle_timeout = 1000;
	session_begin(&mon);
	assert_non_null(mon.idle);
	left = idle_left_ms();
	assert_in_range(left, 1, 1001 * 1000);
	/* As if it had come near. */
	event_add(mon.idle, &(struct timeval){ .tv_sec = 100 });
	assert_in_range(idle_left_ms(), 1, 101 * 1000);
	assert_int_equal(mw_ask(PM_ACTIVE, bytes, sizeof(bytes)), 0);
	assert_true(idle_left_ms() > 101 * 1000);
	event_add(mon.idle, &(struct timeval){ .tv_sec = 0 });
	assert_false(mw.died);
	while (!mw.died)
		assert_int_equal(event_base_loop(mon.half.base, EVLOOP_ONCE),
		    0);
	assert_int_equal(mon.half.phase, HALF_DYING);
}

static void
test_no_idle(void **state)
{
	static const uint8_t bytes[16];

	(void)state;
	session_begin(&mon);
	assert_null(mon.idle);
	mon.half.phase = MON_SESSION;
	assert_int_equal(mw_ask(PM_ACTIVE, bytes, sizeof(bytes)), 0);
	assert_null(mon.idle);
}

/* --- whom it runs as --- */

static struct buf *
user(const char *name)
{
	static struct buf b;

	buf_free(&b);
	buf_init(&b, 256);
	assert_int_equal(buf_put_cstring(&b, name), 0);
	return mw_answered(PM_USER, buf_ptr(&b), buf_len(&b));
}

static void
give_users(const char *a, const char *b)
{
	mon.rights.user = calloc(2, sizeof(*mon.rights.user));
	assert_non_null(mon.rights.user);
	mon.rights.user[mon.rights.nuser++] = strdup(a);
	if (b != NULL)
		mon.rights.user[mon.rights.nuser++] = strdup(b);
}

static const char *
own_name(void)
{
	const struct passwd *pw = getpwuid(geteuid());

	assert_non_null(pw);
	return pw->pw_name;
}

static void
test_own_user(void **state)
{
	(void)state;
	mw_text(user(own_name()), "");
	assert_int_equal(mon.account.pw_uid, geteuid());
	assert_true(session_ready(&mon, why, sizeof(why)));
}

/* Somebody else is refused alike, whether there is such a user or not. */
static void
test_other_user(void **state)
{
	static const char *const others[] = { "nobody", "no-such-user-here",
		"../x" };
	char want[256];

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		(void)snprintf(want, sizeof(want),
		    "this key's sessions are %s's and not %s's", own_name(),
		    others[i]);
		mw_text(user(others[i]), want);
		assert_null(mon.account.pw_name);
		tear_down(state);
		set_up(state);
	}
}

static void
test_listed_users(void **state)
{
	char want[256];

	(void)state;
	give_users("no-such-user-here", own_name());
	mw_text(user(own_name()), "");
	assert_int_equal(mon.account.pw_uid, geteuid());
	/* Once alone. */
	mw_refused(PM_USER, "\0\0\0\4root", 8);
	tear_down(state);
	set_up(state);
	give_users("no-such-user-here", own_name());
	(void)snprintf(want, sizeof(want),
	    "this key's sessions are no-such-user-here's, or another's of its "
	    "user=, and not nobody's");
	mw_text(user("nobody"), want);
	tear_down(state);
	set_up(state);
	/* The first is the default, and nobody else in its place. */
	give_users("no-such-user-here", NULL);
	assert_false(session_ready(&mon, why, sizeof(why)));
	assert_string_not_equal(why, "");
	assert_null(mon.account.pw_name);
}

/* Once something was to be started, it is settled whom the session is. */
static void
test_user_too_late(void **state)
{
	(void)state;
	assert_true(session_ready(&mon, why, sizeof(why)));
	assert_int_equal(session_started(&mon.half), 1);
	assert_int_equal(mon.account.pw_uid, geteuid());
	mw_refused(PM_USER, "\0\0\0\4root", 8);
}

static void
test_user_malformed(void **state)
{
	static const char bad[] = "\0\0\0\5rootx\0\0\0\4root\1";

	mw_refused(PM_USER, bad, 8);
	tear_down(state);
	set_up(state);
	mw_refused(PM_USER, bad + 9, 9);
	tear_down(state);
	set_up(state);
	mw_refused(PM_USER, "\0\0\0\0", 4);
	assert_null(mon.account.pw_name);
}

/* --- what runs --- */

static char **
words(const char *text)
{
	char *copy = strdup(text), *rest = copy, *word;
	char **v = calloc(strlen(text) + 2, sizeof(*v));
	size_t n = 0;

	while ((word = strsep(&rest, "|")) != NULL)
		if (*word != '\0')
			v[n++] = strdup(word);
	free(copy);
	return v;
}

static void
make(struct command *c, const char *argv, const char *env)
{
	c->argv = words(argv);
	c->name = c->argv[0];
	c->env = words(env);
}

static void
expect(char *const *v, const char *text)
{
	char **want = words(text);
	size_t i;

	for (i = 0; want[i] != NULL; i++) {
		assert_non_null(v[i]);
		assert_string_equal(v[i], want[i]);
		free(want[i]);
	}
	assert_null(v[i]);
	free(want);
}

static void
test_command(void **state)
{
	static const struct {
		const char *forced;
		uint32_t given;
		enum session_asked asked;
		const char *argv, *want, *original;
		bool login;
	} row[] = {
		{ NULL, ALL, SESSION_LOGIN, "sh", "sh", NULL, true },
		{ NULL, ALL, SESSION_WORDS, "ls|-l", "ls|-l", NULL, false },
		{ NULL, ALL, SESSION_LINE, "sh|-c|s|ls -l", "sh|-c|s|ls -l",
		    NULL, false },
		{ NULL, ALL, SESSION_FILES, "sftp", "sftp", NULL, false },
		/* A terminal alone: the shell, whatever is asked for. */
		{ NULL, PRIV_GRANT_PTY, SESSION_WORDS, "ls|-l", "ls|-l", NULL,
		    true },
		{ NULL, PRIV_GRANT_PTY, SESSION_LINE, "sh|-c|s|ls",
		    "sh|-c|s|ls", NULL, true },
		/* A command in place of any, which is told. */
		{ "date", ALL, SESSION_LOGIN, "sh", "*|-c|date", NULL, false },
		{ "date", 0, SESSION_WORDS, "ls|-l", "*|-c|date", "ls -l",
		    false },
		{ "date", 0, SESSION_WORDS, "ls|a b|it's|$HOME", "*|-c|date",
		    "ls 'a b' 'it'\\''s' '$HOME'", false },
		{ "date", 0, SESSION_LINE, "sh|-c|s|ls -l; id", "*|-c|date",
		    "ls -l; id", false },
		/* No such line is a command as any. */
		{ "date", 0, SESSION_LINE, "sh|-c|s", "*|-c|date", "sh -c s",
		    false },
		{ "date", 0, SESSION_FILES, "sftp|-R", "*|-c|date", "sftp -R",
		    false },
		{ "date", PRIV_GRANT_SFTP, SESSION_FILES, "sftp|-R", "sftp|-R",
		    NULL, false },
		{ "internal-sftp", 0, SESSION_FILES, "sftp", "sftp", NULL,
		    false },
	};
	char want[256], env[512];
	struct command c;
	const char *shell, *rest;
	bool login;

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		set_up(state);
		mon.rights.grants = row[i].given;
		if (row[i].forced != NULL)
			mon.rights.command = strdup(row[i].forced);
		session_begin(&mon);
		assert_true(session_ready(&mon, why, sizeof(why)));
		make(&c, row[i].argv, "");
		assert_int_equal(
		    session_command(&mon, &c, row[i].asked, &login), 0);
		assert_int_equal(login, row[i].login);
		shell = account_shell(&mon.account);
		rest = *row[i].want == '*' ? row[i].want + 1 : row[i].want;
		(void)snprintf(want, sizeof(want), "%s%s",
		    *row[i].want == '*' ? shell : "", rest);
		expect(c.argv, want);
		assert_string_equal(c.name, c.argv[0]);
		*env = '\0';
		if (row[i].original != NULL)
			(void)snprintf(env, sizeof(env),
			    "SKYPTY_ORIGINAL_COMMAND=%s|"
			    "SSH_ORIGINAL_COMMAND=%s",
			    row[i].original, row[i].original);
		expect(c.env, env);
		command_free(&c);
		tear_down(state);
	}
}

/* A client's variables by the list; the line's own behind them, and count. */
static void
test_variables(void **state)
{
	static const char sent[] = "LANG=C|LD_PRELOAD=/x|TERM=vt100|HOME=/x";
	char lang[] = "LANG LC_* TERM";
	struct command c;
	bool login;

	(void)state;
	mon.half.start.accept_env = lang;
	assert_true(session_ready(&mon, why, sizeof(why)));
	mon.rights.env = calloc(1, sizeof(*mon.rights.env));
	mon.rights.env[mon.rights.nenv++] = strdup("LANG=de");
	make(&c, "ls", sent);
	assert_int_equal(session_command(&mon, &c, SESSION_WORDS, &login), 0);
	expect(c.env, "LANG=C|TERM=vt100|LANG=de");
	command_free(&c);
	/* The original's way, for a key that has it all. */
	mon.rights.full = true;
	make(&c, "ls", sent);
	assert_int_equal(session_command(&mon, &c, SESSION_WORDS, &login), 0);
	expect(c.env, "LANG=C|LD_PRELOAD=/x|TERM=vt100|HOME=/x|LANG=de");
	command_free(&c);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grants),
		TEST(test_control_grants),
		TEST(test_verbose),
		TEST(test_idle),
		TEST(test_no_idle),
		TEST(test_own_user),
		TEST(test_other_user),
		TEST(test_listed_users),
		TEST(test_user_too_late),
		TEST(test_user_malformed),
		cmocka_unit_test(test_command),
		TEST(test_variables),
	};

	return cmocka_run_group_tests_name("mon_session", tests, NULL, NULL);
}
