/* SPDX-License-Identifier: ISC */
/*
 * sftp: how the SFTP server is started, in a folder of its own or not, and how
 * it ends.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "monitor/job.h"
#include "monitor/session.h"
#include "monitor/sftp.h"
#include "regress/unit/mon_world.h"

static char server[] = "/tmp/test_mon_sftp.XXXXXX";
static char said[4096];

/* In the server's place. */
static void
put_server(const char *script)
{
	int fd = open(server, O_WRONLY | O_TRUNC);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, script, strlen(script)), strlen(script));
	close(fd);
}

static int
set_up(void **state)
{
	(void)state;
	mw_begin(PRIV_CONTROL);
	mon.half.start.sftp_server = server;
	mon.rights.grants = PRIV_GRANTS_KEY;
	put_server("#!/bin/sh\necho \"$*\"\n");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	if (mon.sftp[0].server.pid != 0) {
		job_signal(&mon.sftp[0].server, SIGKILL);
		job_free(&mon.sftp[0].server);
	}
	sftp_log_close(&mon.sftp[0].log);
	mw_end();
	return 0;
}

static void
wait_for_end(siginfo_t *si)
{
	assert_int_not_equal(mon.sftp[0].server.pid, 0);
	assert_int_equal(
	    waitid(P_PID, (id_t)mon.sftp[0].server.pid, si, WEXITED | WNOWAIT),
	    0);
}

/* It is started, says something and ends. */
static void
hear(void)
{
	size_t n = 0;
	siginfo_t si;
	ssize_t r;

	mw_text(mw_answered(PM_SFTP_START, NULL, 0), "");
	assert_int_equal(buf_len(&mw.got.body), 4); /* its handle */
	assert_int_equal(mw.got.nfd, 1);
	assert_true(fcntl(mw.got.fd[0], F_GETFL) & O_NONBLOCK);
	(void)fcntl(mw.got.fd[0], F_SETFL, 0);
	while ((r = read(mw.got.fd[0], said + n, sizeof(said) - 1 - n)) > 0)
		n += (size_t)r;
	said[n] = '\0';
	wait_for_end(&si);
	sftp_reap(&mon);
	assert_int_equal(mon.sftp[0].server.pid, 0);
}

static void
test_arguments(void **state)
{
	static const struct {
		bool conf, key; /* read-only, by which of them */
		enum sftp_logs log;
		const char *want;
	} row[] = {
		{ false, false, SFTP_LOG_OFF, "\n" },
		{ true, false, SFTP_LOG_OFF, "-R\n" },
		{ false, true, SFTP_LOG_OFF, "-R\n" },
		{ true, true, SFTP_LOG_OFF, "-R\n" },
		{ false, false, SFTP_LOG_INFO, "-e -l INFO\n" },
		{ false, false, SFTP_LOG_VERBOSE, "-e -l VERBOSE\n" },
		{ false, true, SFTP_LOG_DEBUG, "-R -e -l DEBUG\n" },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		set_up(state);
		mon.half.start.sftp_readonly = row[i].conf;
		mon.rights.sftp_readonly = row[i].key;
		mon.half.start.sftp_log = row[i].log;
		hear();
		assert_string_equal(said, row[i].want);
		tear_down(state);
	}
}

/* A command in place of any is in place of the server, too. */
static void
test_forced(void **state)
{
	(void)state;
	mon.rights.command = strdup("echo forced");
	mon.rights.grants = PRIV_GRANT_EXEC;
	mon.rights.sftp_readonly = true;
	mon.half.start.sftp_log = SFTP_LOG_DEBUG;
	mon.rights.sftp_root = strdup("/nowhere");
	hear();
	assert_string_equal(said, "forced\n");
}

/* Where the line says sftp as well it is not. */
static void
test_not_forced(void **state)
{
	(void)state;
	mon.rights.command = strdup("echo forced");
	mon.rights.grants = PRIV_GRANT_EXEC | PRIV_GRANT_SFTP;
	hear();
	assert_string_equal(said, "\n");
}

static void
test_not_started(void **state)
{
	(void)state;
	assert_int_equal(chmod(server, 0600), 0);
	mw_text_part(mw_answered(PM_SFTP_START, NULL, 0), "permission denied");
	assert_int_equal(chmod(server, 0700), 0);
	assert_int_equal(mw.got.nfd, 0);
	assert_int_equal(mon.sftp[0].server.pid, 0);
	assert_null(mon.sftp[0].log.ev);
}

/* What is wrong with the folder is the host's matter, not the peer's. */
static void
test_no_folder(void **state)
{
	static const char *const bad[] = { "/tmp", "/nowhere", "relative",
		"/etc/passwd" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		set_up(state);
		log_set_level(LOG_LEVEL_ERROR);
		mon.half.start.sftp_log = SFTP_LOG_INFO;
		mon.rights.sftp_root = strdup(bad[i]);
		mw_text(mw_answered(PM_SFTP_START, NULL, 0),
		    "the folder of this key (sftp-root) cannot be served; the "
		    "host's log says why");
		assert_int_equal(mw.got.nfd, 0);
		assert_int_equal(mon.sftp[0].server.pid, 0);
		assert_null(mon.sftp[0].log.ev);
		tear_down(state);
	}
}

/* Nobody is served whom the account does not let in. */
static void
test_no_account(void **state)
{
	(void)state;
	mon.rights.user = calloc(1, sizeof(*mon.rights.user));
	assert_non_null(mon.rights.user);
	mon.rights.user[mon.rights.nuser++] = strdup("no-such-user-here");
	mw_text_part(mw_answered(PM_SFTP_START, NULL, 0), "no-such-user-here");
	assert_int_equal(mw.got.nfd, 0);
	assert_int_equal(mon.sftp[0].server.pid, 0);
}

/* It ends with its connection, which is not taken for a failure. */
static void
test_leave(void **state)
{
	siginfo_t si;

	(void)state;
	put_server("#!/bin/sh\nexec sleep 1000\n");
	mw_text(mw_answered(PM_SFTP_START, NULL, 0), "");
	sftp_reap(&mon);
	assert_int_not_equal(mon.sftp[0].server.pid, 0);
	sftp_leave(&mon);
	wait_for_end(&si);
	assert_int_equal(si.si_code, CLD_KILLED);
	assert_int_equal(si.si_status, SIGTERM);
	assert_true(mon.sftp[0].server.ended);
	sftp_reap(&mon);
	assert_int_equal(mon.sftp[0].server.pid, 0);
	sftp_reap(&mon);
	sftp_leave(&mon);
}

/* What it had started goes with it. */
static void
test_group(void **state)
{
	siginfo_t si;
	char byte;

	(void)state;
	put_server("#!/bin/sh\nsleep 1000 &\nexit 0\n");
	mw_text(mw_answered(PM_SFTP_START, NULL, 0), "");
	wait_for_end(&si);
	sftp_reap(&mon);
	/* Its end of the socket is closed when the last of them is gone. */
	(void)fcntl(mw.got.fd[0], F_SETFL, 0);
	assert_int_equal(read(mw.got.fd[0], &byte, 1), 0);
}

static int
make_server(void **state)
{
	int fd = mkstemp(server);

	(void)state;
	return fd != -1 && fchmod(fd, 0700) == 0 ? close(fd) : -1;
}

static int
remove_server(void **state)
{
	(void)state;
	return unlink(server);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arguments),
		TEST(test_forced),
		TEST(test_not_forced),
		TEST(test_not_started),
		cmocka_unit_test(test_no_folder),
		TEST(test_no_account),
		TEST(test_leave),
		TEST(test_group),
	};

	return cmocka_run_group_tests_name("mon_sftp", tests, make_server,
	    remove_server);
}
