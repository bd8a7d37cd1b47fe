/* SPDX-License-Identifier: ISC */
/*
 * What a session's child may ask of its monitor: that each is granted as far
 * as it should be, and refused beyond, with every length lied about.  What is
 * run is the real thing, as who runs the test.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <cmocka.h>

#include "monitor/exec.h"
#include "monitor/pty.h"
#include "monitor/sftp.h"
#include "regress/unit/mon_world.h"

#define ROOM	 65536
#define TOO_MANY "too many at once on this connection"

static struct buf req;

static void
begin(void)
{
	mw_begin(PRIV_CONTROL);
	buf_init(&req, ROOM);
}

static void
end(void)
{
	struct monitor *m = &mon;

	buf_free(&req);
	for (size_t i = 0; i < PRIV_EXECS_MAX; i++)
		if (m->exec[i].pid != 0) {
			job_signal(&m->exec[i], SIGKILL);
			job_free(&m->exec[i]);
		}
	for (size_t i = 0; i < PRIV_PTYS_MAX; i++)
		if (m->terminal[i].shell.pid != 0) {
			job_signal(&m->terminal[i].shell, SIGKILL);
			job_free(&m->terminal[i].shell);
		}
	for (size_t i = 0; i < PRIV_SFTPS_MAX; i++)
		if (m->sftp[i].server.pid != 0) {
			job_signal(&m->sftp[i].server, SIGKILL);
			job_free(&m->sftp[i].server);
		}
	if (m->guard_pid != 0) {
		close(m->guard);
		waitpid(m->guard_pid, NULL, 0);
	}
	mw_end();
}

static struct buf *
answered(unsigned type)
{
	return mw_answered(type, buf_ptr(&req), buf_len(&req));
}

static void
refused(unsigned type)
{
	mw_refused(type, buf_ptr(&req), buf_len(&req));
}

/* --- commands --- */

/* name and arguments, divided by spaces; no environment. */
static void
put_command(const char *words)
{
	char *copy = strdup(words), *rest = copy, *word;
	uint32_t n = 0;

	for (const char *p = words; *p != '\0'; p++)
		n += *p == ' ';
	buf_reset(&req);
	while ((word = strsep(&rest, " ")) != NULL) {
		assert_int_equal(buf_put_cstring(&req, word), 0);
		if (word == copy)
			assert_int_equal(buf_put_u32(&req, n), 0);
	}
	assert_int_equal(buf_put_u32(&req, 0), 0);
	free(copy);
}

static void
put_exec(const char *words, uint32_t timeout, uint8_t flags)
{
	put_command(words);
	assert_int_equal(buf_put_u32(&req, timeout), 0);
	assert_int_equal(buf_put_u8(&req, flags), 0);
}

/* Its handle. */
static uint32_t
start(const char *words, uint32_t timeout)
{
	uint32_t handle;
	struct buf *b;

	put_exec(words, timeout, 0);
	b = answered(PM_EXEC_START);
	mw_text(b, "");
	assert_int_equal(buf_get_u32(b, &handle), 0);
	assert_int_equal(buf_len(b), 0);
	assert_int_equal(mw.got.nfd, 2);
	return handle;
}

static struct job *
job_of(uint32_t handle)
{
	for (size_t i = 0; i < PRIV_EXECS_MAX; i++)
		if (mon.exec[i].pid != 0 && mon.exec[i].handle == handle)
			return &mon.exec[i];
	return NULL;
}

/* Its end is told, when it comes. */
static void
expect_exit(uint32_t handle, enum priv_exit how, uint32_t status)
{
	uint32_t h, s;
	siginfo_t si;
	uint8_t k;

	assert_int_equal(
	    waitid(P_PID, (id_t)job_of(handle)->pid, &si, WEXITED | WNOWAIT),
	    0);
	exec_reap(&mon);
	assert_int_equal(mw_hear(), PM_EXITED);
	assert_int_equal(buf_get_u32(&mw.got.body, &h), 0);
	assert_int_equal(buf_get_u8(&mw.got.body, &k), 0);
	assert_int_equal(buf_get_u32(&mw.got.body, &s), 0);
	assert_int_equal(h, handle);
	assert_int_equal(k, how);
	assert_int_equal(s, status);
}

static void
put_signal(uint32_t handle, uint8_t number)
{
	buf_reset(&req);
	assert_int_equal(buf_put_u32(&req, handle), 0);
	assert_int_equal(buf_put_u8(&req, number), 0);
}

static int
ask(unsigned type)
{
	return mw_ask(type, buf_ptr(&req), buf_len(&req));
}

static void
put_handle(uint32_t handle)
{
	buf_reset(&req);
	assert_int_equal(buf_put_u32(&req, handle), 0);
}

static void
end_command(uint32_t handle, int want)
{
	put_handle(handle);
	assert_int_equal(ask(PM_EXEC_END), want);
	assert_int_equal(mw_hear(), 0);
}

static void
leave_command(uint32_t handle, int want)
{
	put_handle(handle);
	assert_int_equal(ask(PM_EXEC_LEAVE), want);
	assert_int_equal(mw_hear(), 0);
}

static void
test_exec(void **state)
{
	uint32_t first, second;

	(void)state;
	begin();
	first = start("sh -c exit${IFS}7", 0);
	second = start("sleep 1000", 0);
	assert_int_not_equal(first, 0);
	assert_int_not_equal(second, first);
	expect_exit(first, PRIV_EXITED, 7);
	assert_non_null(job_of(first)); /* a zombie until it is asked for */
	end_command(first, 0);
	assert_null(job_of(first));
	end_command(first, SKY_ERR_DENIED);
	put_signal(second, SIGINT);
	assert_int_equal(ask(PM_EXEC_SIGNAL), 0);
	expect_exit(second, PRIV_SIGNALED, SIGINT);
	end_command(second, 0);
	put_signal(second, SIGINT);
	refused(PM_EXEC_SIGNAL);
	/* What is to end is nobody's any more, before it has ended. */
	first = start("sleep 1000", 0);
	end_command(first, 0);
	end_command(first, SKY_ERR_DENIED);
	put_signal(first, SIGINT);
	refused(PM_EXEC_SIGNAL);
	/* Handles are not used again. */
	assert_true(start("sleep 1000", 0) > first);
	end();
}

static void
test_exec_time_limit(void **state)
{
	uint32_t handle;

	(void)state;
	begin();
	handle = start("sleep 1000", 1);
	event_base_loop(mon.half.base, EVLOOP_ONCE);
	expect_exit(handle, PRIV_TIMEDOUT, SIGKILL);
	end();
}

static void
kill_guard(void)
{
	siginfo_t si;

	assert_int_equal(kill(mon.guard_pid, SIGKILL), 0);
	assert_int_equal(
	    waitid(P_PID, (id_t)mon.guard_pid, &si, WEXITED | WNOWAIT), 0);
}

/* A limit that was the guard's to keep ends with it, when we leave. */
static void
test_guard_killed(void **state)
{
	uint32_t handle;
	struct buf *b;

	(void)state;
	begin();
	put_exec("sleep 1000", 3600000, PRIV_EXEC_KEEP);
	b = answered(PM_EXEC_START);
	mw_text(b, "");
	assert_int_equal(buf_get_u32(b, &handle), 0);
	kill_guard();
	exec_leave(&mon);
	expect_exit(handle, PRIV_SIGNALED, SIGKILL);
	end();
}

/* The next one learns of what was the last one's. */
static void
test_guard_anew(void **state)
{
	uint32_t first, second;

	(void)state;
	begin();
	first = start("sleep 1000", 0);
	kill_guard();
	second = start("sleep 1000", 0);
	/* As if we were killed. */
	close(mon.guard);
	mon.guard = -1;
	expect_exit(first, PRIV_SIGNALED, SIGHUP);
	expect_exit(second, PRIV_SIGNALED, SIGHUP);
	end();
}

/* Only what a user could send from a terminal; to what runs here alone. */
static void
test_exec_signals(void **state)
{
	static const uint8_t good[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM,
		SIGKILL, SIGUSR1, SIGUSR2, SIGCONT };
	uint32_t handle;

	(void)state;
	begin();
	handle = start("sleep 1000", 0);
	for (unsigned n = 0; n < 256; n++) {
		put_signal(handle, (uint8_t)n);
		if (memchr(good, (int)n, sizeof(good)) == NULL)
			refused(PM_EXEC_SIGNAL);
		put_signal(handle + 1, (uint8_t)n);
		refused(PM_EXEC_SIGNAL);
		put_signal(0, (uint8_t)n);
		refused(PM_EXEC_SIGNAL);
	}
	assert_int_equal(kill(job_of(handle)->pid, 0), 0);
	for (size_t i = 0; i < sizeof(good); i++) {
		put_signal(handle, good[i]);
		assert_int_equal(ask(PM_EXEC_SIGNAL), 0);
	}
	end();
}

static void
test_exec_not_started(void **state)
{
	(void)state;
	begin();
	put_exec("no-such-program-here", 0, 0);
	mw_text_part(answered(PM_EXEC_START), "not found in $PATH");
	put_exec("/dev/null", 0, 0);
	mw_text_part(answered(PM_EXEC_START), "permission denied");
	put_exec("", 0, 0);
	mw_text_part(answered(PM_EXEC_START), "not found");
	for (size_t i = 0; i < PRIV_EXECS_MAX; i++)
		assert_int_equal(mon.exec[i].pid, 0);
	end();
}

static void
test_exec_bad(void **state)
{
	size_t n;

	(void)state;
	begin();
	put_exec("sleep 1000", 5, 0);
	n = buf_len(&req);
	for (size_t i = 0; i < n; i++)
		mw_refused(PM_EXEC_START, buf_ptr(&req), i);
	assert_int_equal(buf_put_u8(&req, 0), 0);
	refused(PM_EXEC_START);
	for (unsigned flags = 1; flags < 256; flags <<= 1)
		if ((flags & ~PRIV_EXEC_FLAGS) != 0) {
			put_exec("sleep 1000", 5, (uint8_t)flags);
			refused(PM_EXEC_START);
		}
	/* More words than there are bytes. */
	put_command("sleep");
	assert_int_equal(buf_put(&req, "\0\0\0\0\0", 5), 0);
	assert_int_equal(buf_poke(&req, 9, "\0\1\0\0", 4), 0);
	refused(PM_EXEC_START);
	for (size_t i = 0; i < PRIV_EXECS_MAX; i++)
		assert_int_equal(mon.exec[i].pid, 0);
	end();
}

static void
test_exec_number(void **state)
{
	(void)state;
	begin();
	for (size_t i = 0; i < PRIV_EXECS_MAX; i++)
		(void)start("sleep 1000", 0);
	put_exec("sleep 1000", 0, 0);
	mw_text(answered(PM_EXEC_START), TOO_MANY);
	end();
}

/* Whoever had asked for them is gone: one is hung up, one need not be. */
static void
test_exec_leave(void **state)
{
	uint32_t hung, kept;
	siginfo_t si;
	struct buf *b;

	(void)state;
	begin();
	hung = start("sleep 1000", 0);
	put_exec("sleep 1000", 0, PRIV_EXEC_KEEP);
	mw_text(b = answered(PM_EXEC_START), "");
	assert_int_equal(buf_get_u32(b, &kept), 0);
	leave_command(hung, 0);
	leave_command(kept, 0);
	assert_int_equal(
	    waitid(P_PID, (id_t)job_of(hung)->pid, &si, WEXITED | WNOWAIT), 0);
	assert_int_equal(si.si_status, SIGHUP);
	assert_int_equal(kill(job_of(kept)->pid, 0), 0);
	/* Nothing more is to be had of either, and nobody hears of its end. */
	for (size_t i = 0; i < 2; i++) {
		leave_command(i == 0 ? hung : kept, SKY_ERR_DENIED);
		end_command(i == 0 ? hung : kept, SKY_ERR_DENIED);
		put_signal(i == 0 ? hung : kept, SIGINT);
		refused(PM_EXEC_SIGNAL);
	}
	exec_reap(&mon);
	assert_null(job_of(hung));
	assert_int_equal(exec_running(&mon.half), 1);
	job_signal(job_of(kept), SIGKILL);
	assert_int_equal(
	    waitid(P_PID, (id_t)job_of(kept)->pid, &si, WEXITED | WNOWAIT), 0);
	exec_reap(&mon);
	assert_int_equal(exec_running(&mon.half), 0);
	assert_int_equal(mw_hear(), 0);
	/* One that has ended already. */
	hung = start("true", 0);
	expect_exit(hung, PRIV_EXITED, 0);
	leave_command(hung, 0);
	assert_null(job_of(hung));
	end();
}

/* --- terminals --- */

static void
put_pty(const char *words, uint8_t flags)
{
	put_command(words);
	assert_int_equal(buf_put_u8(&req, flags), 0);
	assert_int_equal(buf_put(&req, "\0\30\0\120\0\0\0\0", 8), 0);
}

/* Its handle; the master is in mw.got. */
static uint32_t
start_pty(const char *words)
{
	uint32_t handle;
	struct buf *b;

	put_pty(words, PRIV_PTY_SIZE);
	mw_text(b = answered(PM_PTY_START), "");
	assert_int_equal(buf_get_u32(b, &handle), 0);
	assert_int_equal(buf_len(b), 0);
	assert_int_equal(mw.got.nfd, 1);
	return handle;
}

static void
test_pty(void **state)
{
	struct winsize ws;
	uint32_t handle;

	(void)state;
	begin();
	handle = start_pty("sleep 1000");
	assert_int_equal(handle, 1);
	assert_int_equal(ioctl(mw.got.fd[0], TIOCGWINSZ, &ws), 0);
	assert_int_equal(ws.ws_row, 24);
	assert_int_equal(ws.ws_col, 80);
	/* Not a second time, while it has not ended. */
	put_handle(handle);
	pty_find(&mon, handle)->stopping = true;
	refused(PM_PTY_STOP);
	pty_find(&mon, handle)->stopping = false;
	/* It is stopped, whatever it does, and that is told once it is. */
	put_handle(handle);
	assert_int_equal(ask(PM_PTY_STOP), 0);
	while (pty_find(&mon, handle) != NULL)
		pty_reap(&mon);
	assert_int_equal(mw_hear(), PM_PTY_STOP + 1);
	assert_int_equal(mw.got.id, 7);
	assert_int_equal(mw_hear(), 0);
	/* What has ended is stopped at once; what never was is not. */
	(void)answered(PM_PTY_STOP);
	put_handle(0);
	refused(PM_PTY_STOP);
	put_handle(handle + 1);
	refused(PM_PTY_STOP);
	put_pty("no-such-program-here", 0);
	mw_text_part(answered(PM_PTY_START), "not found in $PATH");
	assert_int_equal(start_pty("sleep 1000"), handle + 1);
	end();
}

static void
expect_pty_exit(uint32_t handle, enum priv_exit how, uint32_t status)
{
	uint32_t h, s;
	siginfo_t si;
	uint8_t k;

	assert_int_equal(waitid(P_PID, (id_t)pty_find(&mon, handle)->shell.pid,
			     &si, WEXITED | WNOWAIT),
	    0);
	pty_reap(&mon);
	assert_int_equal(mw_hear(), PM_EXITED);
	assert_int_equal(buf_get_u32(&mw.got.body, &h), 0);
	assert_int_equal(buf_get_u8(&mw.got.body, &k), 0);
	assert_int_equal(buf_get_u32(&mw.got.body, &s), 0);
	assert_int_equal(h, handle);
	assert_int_equal(k, how);
	assert_int_equal(s, status);
	assert_int_equal(mw_hear(), 0);
}

/* Several, each with a master of its own; one that ends makes room. */
static void
test_pty_number(void **state)
{
	uint32_t handle[PRIV_PTYS_MAX];
	int fd[PRIV_PTYS_MAX];
	char name[2][64];

	(void)state;
	begin();
	for (size_t i = 0; i < PRIV_PTYS_MAX; i++) {
		handle[i] = start_pty("sleep 1000");
		fd[i] = privmsg_take_fd(&mw.got, 0);
		assert_int_equal(handle[i], i + 1);
		assert_int_equal(ptsname_r(fd[i], name[i % 2], sizeof(name[0])),
		    0);
		assert_string_not_equal(name[0], name[1]);
	}
	put_pty("sleep 1000", 0);
	mw_text(answered(PM_PTY_START), TOO_MANY);
	assert_int_equal(mw.got.nfd, 0);
	/* Whose terminal has gone is hung up, and nobody else. */
	close(fd[3]);
	expect_pty_exit(handle[3], PRIV_SIGNALED, SIGHUP);
	put_handle(handle[5]);
	assert_int_equal(ask(PM_PTY_STOP), 0);
	put_handle(handle[4]);
	assert_int_equal(ask(PM_PTY_STOP), 0);
	while (pty_find(&mon, handle[4]) != NULL ||
	    pty_find(&mon, handle[5]) != NULL)
		pty_reap(&mon);
	assert_int_equal(mw_hear(), PM_PTY_STOP + 1);
	assert_int_equal(mw_hear(), PM_PTY_STOP + 1);
	assert_int_equal(mw_hear(), 0);
	assert_int_equal(pty_running(&mon.half), PRIV_PTYS_MAX - 3);
	for (size_t i = 0; i < PRIV_PTYS_MAX; i++)
		assert_int_equal(pty_find(&mon, handle[i]) != NULL,
		    i < 3 || i > 5);
	/* Handles are not used again, slots are. */
	for (uint32_t n = 1; n <= 3; n++)
		assert_int_equal(start_pty("sleep 1000"), PRIV_PTYS_MAX + n);
	put_pty("sleep 1000", 0);
	mw_text(answered(PM_PTY_START), TOO_MANY);
	for (size_t i = 0; i < PRIV_PTYS_MAX; i++)
		if (i != 3)
			close(fd[i]);
	end();
}

/* A terminal is no command, and a command none. */
static void
test_handles_of_others(void **state)
{
	uint32_t terminal, command;

	(void)state;
	begin();
	command = start("sleep 1000", 0);
	terminal = start_pty("sleep 1000");
	assert_int_not_equal(command, terminal);
	end_command(terminal, SKY_ERR_DENIED);
	leave_command(terminal, SKY_ERR_DENIED);
	put_signal(terminal, SIGTERM);
	refused(PM_EXEC_SIGNAL);
	put_handle(command);
	(void)answered(PM_PTY_STOP);
	assert_int_equal(kill(job_of(command)->pid, 0), 0);
	assert_null(mon.exec[0].timer);
	end();
}

/* There is an end to them. */
static void
test_last_handle(void **state)
{
	char cat[] = "/bin/cat";

	(void)state;
	begin();
	mon.half.start.sftp_server = cat;
	mon.last_handle = PRIV_CONN_HANDLE - 2;
	assert_int_equal(start("sleep 1000", 0), PRIV_CONN_HANDLE - 1);
	put_exec("sleep 1000", 0, 0);
	refused(PM_EXEC_START);
	put_exec("sleep 1000", 0, 0);
	refused(PM_JOB_RUN);
	put_pty("sleep 1000", 0);
	refused(PM_PTY_START);
	mw_refused(PM_SFTP_START, NULL, 0);
	mw_refused(PM_JOB_DOOR, NULL, 0);
	end();
}

static void
test_pty_bad(void **state)
{
	size_t n;

	(void)state;
	begin();
	put_pty("sleep 1000", 0);
	n = buf_len(&req);
	for (size_t i = 0; i < n; i++)
		mw_refused(PM_PTY_START, buf_ptr(&req), i);
	assert_int_equal(buf_put_u8(&req, 0), 0);
	refused(PM_PTY_START);
	put_pty("sleep 1000", PRIV_PTY_MODES); /* and none follow */
	refused(PM_PTY_START);
	for (unsigned flags = 1; flags < 256; flags <<= 1)
		if ((flags & ~PRIV_PTY_FLAGS) != 0) {
			put_pty("sleep 1000", (uint8_t)flags);
			refused(PM_PTY_START);
		}
	assert_int_equal(pty_running(&mon.half), 0);
	end();
}

/* --- files --- */

static void
test_sftp(void **state)
{
	char cat[] = "/bin/cat", none[] = "/nowhere/sftp-server", byte;
	uint32_t handle;

	(void)state;
	begin();
	mw_text(mw_answered(PM_SFTP_START, NULL, 0),
	    "files are not served here");
	end();
	begin();
	mon.half.start.sftp_server = none;
	mw_text_part(mw_answered(PM_SFTP_START, NULL, 0), none);
	assert_int_equal(sftp_running(&mon.half), 0);
	end();
	begin();
	mon.half.start.sftp_server = cat;
	mw_text(mw_answered(PM_SFTP_START, NULL, 0), "");
	assert_int_equal(buf_get_u32(&mw.got.body, &handle), 0);
	assert_int_equal(buf_len(&mw.got.body), 0);
	assert_int_equal(mw.got.nfd, 1);
	/* Both ways, and it ends with its socket. */
	assert_int_equal(write(mw.got.fd[0], "x", 1), 1);
	(void)fcntl(mw.got.fd[0], F_SETFL, 0);
	assert_int_equal(read(mw.got.fd[0], &byte, 1), 1);
	assert_int_equal(byte, 'x');
	assert_non_null(sftp_find(&mon, handle));
	privmsg_clear(&mw.got);
	while (sftp_find(&mon, handle) != NULL)
		sftp_reap(&mon);
	end();
}

/* Several, each with a socket of its own; one that ends makes room. */
static void
test_sftp_number(void **state)
{
	int fd[PRIV_SFTPS_MAX];
	char cat[] = "/bin/cat", byte;
	uint32_t handle;

	(void)state;
	begin();
	mon.half.start.sftp_server = cat;
	for (size_t i = 0; i < PRIV_SFTPS_MAX; i++) {
		mw_text(mw_answered(PM_SFTP_START, NULL, 0), "");
		assert_int_equal(buf_get_u32(&mw.got.body, &handle), 0);
		assert_int_equal(handle, i + 1);
		fd[i] = privmsg_take_fd(&mw.got, 0);
		(void)fcntl(fd[i], F_SETFL, 0);
	}
	mw_text(mw_answered(PM_SFTP_START, NULL, 0), TOO_MANY);
	close(fd[0]);
	while (sftp_running(&mon.half) == PRIV_SFTPS_MAX)
		sftp_reap(&mon);
	assert_null(sftp_find(&mon, 1));
	assert_non_null(sftp_find(&mon, 2));
	for (size_t i = 1; i < PRIV_SFTPS_MAX; i++) {
		byte = (char)i;
		assert_int_equal(write(fd[i], &byte, 1), 1);
	}
	for (size_t i = 1; i < PRIV_SFTPS_MAX; i++) {
		assert_int_equal(read(fd[i], &byte, 1), 1);
		assert_int_equal(byte, i);
		close(fd[i]);
	}
	mw_text(mw_answered(PM_SFTP_START, NULL, 0), "");
	end();
}

/* --- what skyptyd knows --- */

static void
test_status(void **state)
{
	struct privmsg m = { 0 };

	(void)state;
	begin();
	mw_parent_says(PM_GET_STATUS + 1, "{\"a\":1}", 7, NULL, 0);
	(void)mw_answered(PM_STATUS, NULL, 0);
	assert_int_equal(buf_len(&mw.got.body), 7);
	assert_memory_equal(buf_ptr(&mw.got.body), "{\"a\":1}", 7);
	assert_int_equal(mw_parent_hears(&m), PM_GET_STATUS);
	/* Another answer is none. */
	mw_parent_says(PM_DIAL + 1, "{\"a\":1}", 7, NULL, 0);
	(void)mw_answered(PM_STATUS, NULL, 0);
	assert_int_equal(buf_len(&mw.got.body), 0);
	close(mon.half.parent);
	mon.half.parent = -1;
	mw_refused(PM_STATUS, NULL, 0);
	privmsg_free(&m);
	end();
}

/* What, and which: 0 an id, 1 a key. */
static const uint8_t kill_id[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
static const uint8_t kill_key[1 + KEY_PUBLIC_LEN + 1] = { 1, 2 };

static void
test_kill(void **state)
{
	static const struct {
		const uint8_t *body;
		size_t len;
	} asked[] = { { kill_id, 9 }, { kill_key, 34 } };
	struct privmsg m = { 0 };
	uint8_t other[9] = { 2 };
	uint32_t n;

	(void)state;
	begin();
	for (size_t i = 0; i < 2; i++) {
		mw_parent_says(PM_END_CONNS + 1, "\0\0\0\3", 4, NULL, 0);
		mw_text(mw_answered(PM_KILL, asked[i].body, asked[i].len), "");
		assert_int_equal(buf_get_u32(&mw.got.body, &n), 0);
		assert_int_equal(n, 3);
		/* As it was asked for. */
		assert_int_equal(mw_parent_hears(&m), PM_END_CONNS);
		assert_int_equal(buf_len(&m.body), asked[i].len);
		assert_memory_equal(buf_ptr(&m.body), asked[i].body,
		    asked[i].len);
		privmsg_clear(&m);
		/* Another answer is none. */
		mw_parent_says(PM_DIAL + 1, "\0\0\0\3", 4, NULL, 0);
		mw_text(mw_answered(PM_KILL, asked[i].body, asked[i].len),
		    "skyptyd does not answer");
		assert_int_equal(mw_parent_hears(&m), PM_END_CONNS);
		privmsg_clear(&m);
	}
	/* Nothing of these goes on to skyptyd. */
	mw_refused(PM_KILL, other, sizeof(other));
	mw_refused(PM_KILL, kill_id, 8);
	mw_refused(PM_KILL, kill_id, 10);
	mw_refused(PM_KILL, kill_key, 33);
	mw_refused(PM_KILL, kill_key, 35);
	mon.half.grants &= ~(uint32_t)PRIV_GRANT_WHITELIST;
	mw_refused(PM_KILL, kill_id, 9);
	privmsg_free(&m);
	end();
}

/* --- a stream over dmsg --- */

static const uint8_t query[KEY_PUBLIC_LEN + 2] = { 2 };

/* skyptyd hands over both sockets; the result's other end is returned. */
static int
dial(void)
{
	int stream[2], result;
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, stream), 0);
	fd[0] = stream[0];
	fd[1] = mw_pair(&result);
	mw_parent_says(PM_DIAL + 1, "\0\0\0\0", 4, fd, 2);
	assert_int_equal(mw_ask(PM_PROXY_DIAL, query, sizeof(query)), 0);
	close(stream[0]);
	close(stream[1]);
	close(fd[1]);
	assert_int_equal(mw_hear(), 0);
	/* Once, also while it is under way. */
	mw_refused(PM_PROXY_DIAL, query, sizeof(query));
	return result;
}

static void
result_is(int fd, unsigned type, const void *p, size_t n, const char *want)
{
	struct buf b;

	buf_view(&b, p, n);
	if (type != 0)
		assert_int_equal(privmsg_send(fd, type, 0, &b, NULL, 0), 0);
	close(fd);
	event_base_loop(mon.half.base, EVLOOP_ONCE);
	assert_int_equal(mw_hear(), PM_PROXY_DIAL + 1);
	assert_int_equal(mw.got.id, 7);
	mw_text(&mw.got.body, want);
	assert_int_equal(mw.got.nfd, *want == '\0');
	assert_int_equal(buf_len(&mw.got.body), *want == '\0' ? 64 : 0);
	mw_refused(PM_PROXY_DIAL, query, sizeof(query));
}

static void
test_proxy(void **state)
{
	static const uint8_t keys[4 + 65];
	static const struct {
		unsigned type;
		size_t n;
		const char *want;
	} results[] = {
		{ PM_DIAL_RESULT, 4 + 64, "" },
		{ PM_DIAL_RESULT, 4 + 63, "the answer from dmsg is malformed" },
		{ PM_DIAL_RESULT, 4 + 65, "the answer from dmsg is malformed" },
		{ PM_DIAL_RESULT, 4, "the answer from dmsg is malformed" },
		{ PM_DIAL_RESULT, 3, "dmsg has ended" },
		{ PM_DIAL_OUT, 4 + 64, "dmsg has ended" },
		{ 0, 0, "dmsg has ended" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		begin();
		result_is(dial(), results[i].type, keys, results[i].n,
		    results[i].want);
		end();
	}
	begin();
	result_is(dial(), PM_DIAL_RESULT, "\0\0\0\5no, no", 10, "no, n");
	end();
}

static void
test_proxy_without_skyptyd(void **state)
{
	static const char gone[] =
	    "skyptyd is gone: there is no dmsg without it";

	(void)state;
	begin();
	mw_parent_says(PM_DIAL + 1, "\0\0\0\4busy", 8, NULL, 0);
	mw_text(mw_answered(PM_PROXY_DIAL, query, sizeof(query)), "busy");
	mw_refused(PM_PROXY_DIAL, query, sizeof(query));
	end();
	begin(); /* without the sockets */
	mw_parent_says(PM_DIAL + 1, "\0\0\0\0", 4, NULL, 0);
	mw_text(mw_answered(PM_PROXY_DIAL, query, sizeof(query)), gone);
	end();
	begin(); /* another answer */
	mw_parent_says(PM_AUTH + 1, "\1", 1, NULL, 0);
	mw_text(mw_answered(PM_PROXY_DIAL, query, sizeof(query)), gone);
	end();
	begin();
	close(mon.half.parent);
	mon.half.parent = -1;
	mw_text(mw_answered(PM_PROXY_DIAL, query, sizeof(query)), gone);
	end();
}

/* What goes to the child is nobody else's, also when there is no answer. */
static void
test_answer_too_long(void **state)
{
	static const uint8_t much[PRIVMSG_MAX];
	struct privmsg ask = { .type = PM_PTY_START, .id = 7 };
	struct buf rest;
	int fd;

	(void)state;
	mw_begin(PRIV_CONTROL);
	buf_view(&rest, much, sizeof(much));
	assert_int_not_equal(fd = open("/dev/null", O_RDWR | O_CLOEXEC), -1);
	half_answer_ok(&mon.half, &ask, &rest, &fd, 1);
	assert_true(mw.died);
	assert_int_equal(mw_hear(), 0);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	mw_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exec),
		cmocka_unit_test(test_exec_time_limit),
		cmocka_unit_test(test_guard_killed),
		cmocka_unit_test(test_guard_anew),
		cmocka_unit_test(test_exec_signals),
		cmocka_unit_test(test_exec_not_started),
		cmocka_unit_test(test_exec_bad),
		cmocka_unit_test(test_exec_number),
		cmocka_unit_test(test_exec_leave),
		cmocka_unit_test(test_pty),
		cmocka_unit_test(test_pty_number),
		cmocka_unit_test(test_handles_of_others),
		cmocka_unit_test(test_last_handle),
		cmocka_unit_test(test_pty_bad),
		cmocka_unit_test(test_sftp),
		cmocka_unit_test(test_sftp_number),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_kill),
		cmocka_unit_test(test_proxy),
		cmocka_unit_test(test_proxy_without_skyptyd),
		cmocka_unit_test(test_answer_too_long),
	};

	return cmocka_run_group_tests_name("mon_requests", tests, NULL, NULL);
}
