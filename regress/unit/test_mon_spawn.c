/* SPDX-License-Identifier: ISC */
/*
 * spawn: what becomes a session's process, with which descriptors, signals,
 * limits and variables, and what is said of what cannot.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "monitor/command.h"
#include "monitor/session.h"
#include "monitor/spawn.h"
#include "regress/unit/mon_world.h"

static char dir[] = "/tmp/test_mon_spawn.XXXXXX";
static char why[1024], said[8192];

static int
set_up(void **state)
{
	char text[256];

	(void)state;
	mw_begin(PRIV_CONTROL);
	assert_true(session_ready(&mon, text, sizeof(text)));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	/* Of what could not be started there may be something left. */
	while (waitpid(-1, NULL, 0) > 0)
		;
	mw_end();
	return 0;
}

static const char *
file(const char *name, const char *text, mode_t mode)
{
	static char path[256];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	return path;
}

/* What it says on its output, which is also its error, until it ends. */
static int
run_with(struct spawn *s, const char *name, char **argv, char **env)
{
	struct command c = { .argv = argv, .env = env };
	char copy[PATH_MAX];
	size_t n = 0;
	ssize_t r;
	pid_t pid;
	int p[2], status;

	strlcpy(copy, name, sizeof(copy));
	c.name = copy;
	s->cmd = &c;
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	s->out = s->err = p[1];
	*said = *why = '\0';
	if (!spawn(&mon, s, &pid, why, sizeof(why))) {
		assert_int_equal(pid, 0);
		close(p[0]);
		close(p[1]);
		return -1;
	}
	assert_int_not_equal(getpgid(pid), getpgrp());
	close(p[1]);
	while ((r = read(p[0], said + n, sizeof(said) - 1 - n)) > 0)
		n += (size_t)r;
	said[n] = '\0';
	close(p[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
run(const char *name, const char *arg, char **env)
{
	char *none[] = { NULL };
	char first[] = "zero", script[4096];
	char *argv[] = { first, arg != NULL ? script : NULL, NULL };
	struct spawn s = { .in = -1 };

	if (arg != NULL)
		strlcpy(script, arg, sizeof(script));
	return run_with(&s, name, argv, env != NULL ? env : none);
}

/* By a shell, as its script. */
static int
shell(const char *script, char **env)
{
	return run("/bin/sh", file("script", script, 0600), env);
}

static void
refused(const char *name, const char *want)
{
	assert_int_equal(run(name, NULL, NULL), -1);
	assert_string_equal(why, want);
}

/* --- which program --- */

static void
test_by_path(void **state)
{
	(void)state;
	assert_int_equal(run("/bin/echo", "word", NULL), 0);
	assert_string_equal(said, "word\n");
	assert_int_equal(shell("echo \"$0\"; exit 7\n", NULL), 7);
}

static void
test_by_name(void **state)
{
	(void)state;
	assert_int_equal(run("echo", "word", NULL), 0);
	assert_string_equal(said, "word\n");
	refused("no-such-program",
	    "exec: \"no-such-program\": executable file not found in $PATH");
	refused("", "exec: \"\": executable file not found in $PATH");
	refused(".", "exec: \".\": executable file not found in $PATH");
	refused("..", "exec: \"..\": executable file not found in $PATH");
}

static void
test_not_executed(void **state)
{
	char want[512];
	siginfo_t si;

	(void)state;
	refused("/nowhere/x",
	    "fork/exec /nowhere/x: no such file or directory");
	refused("/etc", "fork/exec /etc: permission denied");
	(void)snprintf(want, sizeof(want),
	    "fork/exec %s/plain: "
	    "permission denied",
	    dir);
	refused(file("plain", "#!/bin/sh\n", 0600), want);
	(void)snprintf(want, sizeof(want),
	    "fork/exec %s/text: "
	    "exec format error",
	    dir);
	refused(file("text", "no program\n", 0700), want);
	(void)snprintf(want, sizeof(want),
	    "fork/exec %s/lost: "
	    "no such file or directory",
	    dir);
	refused(file("lost", "#!/nowhere/sh\n", 0700), want);
	/* There is nobody left of them, once they have ended. */
	for (size_t i = 0; i < MON_ABANDONED_MAX; i++)
		while (mon.abandoned[i] != 0) {
			(void)waitid(P_PID, (id_t)mon.abandoned[i], &si,
			    WEXITED | WNOWAIT);
			spawn_reap(&mon);
		}
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* A folder in PATH, and a file of that name without the right to run it. */
static void
test_path(void **state)
{
	char path[256];

	(void)state;
	file("here", "#!/bin/sh\necho found\n", 0600);
	(void)snprintf(path, sizeof(path), "%s/here", dir);
	refused("here", "exec: \"here\": executable file not found in $PATH");
	assert_int_equal(chmod(path, 0700), 0);
	/* PATH is the account's, whatever the command's own variables say. */
	(void)snprintf(path, sizeof(path), "PATH=%s", dir);
	assert_int_equal(run("here", NULL, (char *[]){ path, NULL }), -1);
}

static void
test_login_shell(void **state)
{
	char *argv[] = { NULL }, *env[] = { NULL, NULL }, text[256];
	struct spawn s = { .in = -1, .login = true };

	(void)state;
	(void)snprintf(text, sizeof(text), "SHELL=%s",
	    file("shell", "#!/bin/sh\necho \"$SHELL\"\n", 0700));
	env[0] = text;
	assert_int_equal(run_with(&s, "ignored", argv, env), 0);
	(void)snprintf(text, sizeof(text), "%s/shell\n", dir);
	assert_string_equal(said, text);
}

/* Named as login(1) names it. */
static void
test_login_name(void **state)
{
	char *argv[] = { NULL }, text[] = "SHELL=/bin/sh";
	char *env[] = { text, NULL };
	struct spawn s = { .login = true };
	int p[2];

	(void)state;
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(write(p[1], "echo $0\n", 8), 8);
	close(p[1]);
	s.in = p[0];
	assert_int_equal(run_with(&s, "ignored", argv, env), 0);
	close(p[0]);
	assert_non_null(strstr(said, "-sh\n"));
}

/* --- what it has --- */

static void
test_descriptors(void **state)
{
	int mine = open("/dev/null", O_RDWR); /* without O_CLOEXEC */

	(void)state;
	assert_int_not_equal(mine, -1);
	assert_int_equal(shell("for f in 0 1 2 3 4 5 6 7 8 9 20 100 1000; do\n"
			       "\t[ -e /proc/self/fd/$f ] && echo $f\ndone\n"
			       "readlink /proc/self/fd/0\n",
			     NULL),
	    0);
	close(mine);
	/* The shell's script is its own, at 10 or higher. */
	assert_string_equal(said, "0\n1\n2\n/dev/null\n");
}

static void
test_signals(void **state)
{
	/* Some belong to the C library, which lets nobody change them. */
	const unsigned long long its =
	    ((1ULL << (SIGRTMIN - 1)) - 1) & ~0ULL << 31;
	struct sigaction old, ignore = { .sa_handler = SIG_IGN };
	unsigned long long blocked = 1, ignored = 1;
	sigset_t mask, was;

	(void)state;
	sigfillset(&mask);
	sigdelset(&mask, SIGABRT);
	assert_int_equal(sigaction(SIGHUP, &ignore, &old), 0);
	assert_int_equal(sigprocmask(SIG_BLOCK, &mask, &was), 0);
	assert_int_equal(
	    shell("grep -E '^Sig(Blk|Ign)' /proc/self/status\n", NULL), 0);
	assert_int_equal(sigprocmask(SIG_SETMASK, &was, NULL), 0);
	assert_int_equal(sigaction(SIGHUP, &old, NULL), 0);
	assert_int_equal(
	    sscanf(said, "SigBlk: %llx SigIgn: %llx", &blocked, &ignored), 2);
	assert_int_equal(blocked & ~its, 0);
	assert_int_equal(ignored & ~its, 0);
}

static void
test_limits(void **state)
{
	struct rlimit was, more;
	mode_t mask = umask(077);
	char want[64];

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	more = was;
	more.rlim_cur = more.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &more), 0);
	mon.half.start.oom_score = 77;
	assert_int_equal(shell("umask; ulimit -Sn; cat /proc/self/oom_score_adj"
			       "\n[ \"$(ps -o sid= -p $$ | tr -d ' ')\" = $$ ]"
			       " && echo leads\n",
			     NULL),
	    0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	umask(mask);
	(void)snprintf(want, sizeof(want), "0022\n%d\n77\nleads\n",
	    more.rlim_max > 1024 ? 1024 : (int)more.rlim_max);
	assert_string_equal(said, want);
}

static void
test_variables(void **state)
{
	char one[] = "ONE=1", shown[] = "LOGNAME=somebody";

	(void)state;
	setenv("OURS", "secret", 1);
	assert_int_equal(run("/usr/bin/env", NULL, (char *[]){ one, NULL }), 0);
	unsetenv("OURS");
	assert_non_null(strstr(said, "ONE=1\n"));
	assert_non_null(strstr(said, "HOME="));
	assert_non_null(strstr(said, "PATH="));
	assert_null(strstr(said, "OURS"));
	assert_null(strstr(said, "LISTEN_"));
	/* What the session gives counts. */
	assert_int_equal(run("/usr/bin/env", NULL, (char *[]){ shown, NULL }),
	    0);
	assert_non_null(strstr(said, "LOGNAME=somebody\n"));
}

static void
test_input(void **state)
{
	char cat[] = "cat", *argv[] = { cat, NULL }, *env[] = { NULL };
	struct spawn s = { 0 };
	int p[2];

	(void)state;
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(write(p[1], "bytes", 5), 5);
	close(p[1]);
	s.in = p[0];
	assert_int_equal(run_with(&s, "cat", argv, env), 0);
	close(p[0]);
	assert_string_equal(said, "bytes");
}

/* --- who cannot be started now --- */

static void
test_no_descriptor(void **state)
{
	char echo[] = "echo", *argv[] = { echo, NULL }, *env[] = { NULL };
	struct command c = { .name = echo, .argv = argv, .env = env };
	struct spawn s = { .cmd = &c, .in = -1, .out = -1, .err = -1 };
	struct rlimit was, few;
	pid_t pid;
	int next = dup(0);

	(void)state;
	assert_int_not_equal(next, -1);
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	few = was;
	few.rlim_cur = (rlim_t)next;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(spawn(&mon, &s, &pid, why, sizeof(why)), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_string_equal(why, "fork/exec echo: too many open files");
	assert_int_equal(pid, 0);
}

static int
make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) != NULL ? 0 : -1;
}

static int
remove_dir(void **state)
{
	static const char *const names[] = { "script", "plain", "text", "lost",
		"here", "shell" };
	char path[256];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		(void)unlink(path);
	}
	return rmdir(dir);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_by_path),
		TEST(test_by_name),
		TEST(test_not_executed),
		TEST(test_path),
		TEST(test_login_shell),
		TEST(test_login_name),
		TEST(test_descriptors),
		TEST(test_signals),
		TEST(test_limits),
		TEST(test_variables),
		TEST(test_input),
		TEST(test_no_descriptor),
	};

	return cmocka_run_group_tests_name("mon_spawn", tests, make_dir,
	    remove_dir);
}
