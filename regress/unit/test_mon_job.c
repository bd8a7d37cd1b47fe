/* SPDX-License-Identifier: ISC */
/*
 * job, guard: processes of a session from their start until they are reaped,
 * and who ends them when the monitor is gone.
 */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/process.h"
#include "monitor/guard.h"
#include "monitor/job.h"
#include "regress/unit/clock.h"
#include "regress/unit/log_told.h"
#include "regress/unit/mon_world.h"

static int ready[2];

static bool still; /* the clock stands */

int
wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
	if (!still)
		return real_clock_gettime(id, ts);
	*ts = (struct timespec){ .tv_sec = 1000 };
	return 0;
}

static int
begin(void **state)
{
	(void)state;
	still = false;
	mw_begin(PRIV_CONTROL);
	return pipe(ready);
}

static int
end(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIV_EXECS_MAX; i++)
		if (mon.exec[i].pid != 0) {
			job_signal(&mon.exec[i], SIGKILL);
			job_free(&mon.exec[i]);
		}
	if (mon.guard_pid != 0) {
		close(mon.guard);
		waitpid(mon.guard_pid, NULL, 0);
	}
	close(ready[0]);
	close(ready[1]);
	mw_end();
	return 0;
}

/* A leader of a session that waits for signals, once it is ready. */
static struct job *
start(size_t slot, int status)
{
	struct job *j = &mon.exec[slot];
	char byte = 0;

	if (process_fork(&j->pid) == 0) {
		setsid();
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (mon.guard_pid != 0)
			close(mon.guard); /* as every program does */
		if (write(ready[1], &byte, 1) != 1 || status != -1)
			_exit(status);
		for (;;)
			pause();
	}
	j->mon = &mon;
	assert_int_equal(read(ready[0], &byte, 1), 1);
	return j;
}

static void
wait_for_end(const struct job *j)
{
	siginfo_t si;

	assert_int_equal(waitid(P_PID, (id_t)j->pid, &si, WEXITED | WNOWAIT),
	    0);
}

static void
ended_by(struct job *j, enum priv_exit how, uint32_t status)
{
	enum priv_exit h;
	uint32_t s;

	wait_for_end(j);
	assert_true(job_exited(j, &h, &s));
	assert_int_equal(h, how);
	assert_int_equal(s, status);
}

static void
test_exit(void **state)
{
	struct job *j = start(0, 7);
	pid_t pid = j->pid;

	(void)state;
	ended_by(j, PRIV_EXITED, 7);
	ended_by(j, PRIV_EXITED, 7); /* it stays a zombie */
	job_free(j);
	assert_int_equal(j->pid, 0);
	assert_null(j->mon);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
}

static void
test_signal(void **state)
{
	struct job *j = start(0, -1);
	enum priv_exit how;
	uint32_t status;

	(void)state;
	assert_false(job_exited(j, &how, &status));
	job_signal(j, SIGUSR1);
	ended_by(j, PRIV_SIGNALED, SIGUSR1);
}

/* Also one that is stopped hears it. */
static void
test_hang_up(void **state)
{
	struct job *j = start(0, -1);
	siginfo_t si;

	(void)state;
	job_signal(j, SIGSTOP);
	assert_int_equal(waitid(P_PID, (id_t)j->pid, &si, WSTOPPED | WNOWAIT),
	    0);
	job_hang_up(j);
	ended_by(j, PRIV_SIGNALED, SIGHUP);
}

/* A free slot is nobody, least of all our own process group. */
static void
test_nobody(void **state)
{
	struct job *other = start(0, -1);
	enum priv_exit how;
	uint32_t status;

	(void)state;
	for (int sig = SIGHUP; sig <= SIGTERM; sig++)
		job_signal(&mon.exec[1], sig);
	job_hang_up(&mon.exec[1]);
	assert_false(job_exited(other, &how, &status));
}

static void
test_name_is_cut(void **state)
{
	struct job j = { 0 };
	char name[3 * JOB_NAME_MAX];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	job_begin(&j, "Command", name);
	assert_int_equal(strlen(j.name), JOB_NAME_MAX - 1);
	job_tell_left(&j, "hung up");
	assert_null(strstr(info, name));
	assert_non_null(strstr(info, j.name));
}

/* --- how much has moved --- */

static void
ask_bytes(uint32_t handle, uint64_t in, uint64_t out, int want)
{
	struct buf b;

	buf_init(&b, 20);
	assert_int_equal(buf_put_u32(&b, handle), 0);
	assert_int_equal(buf_put_u64(&b, in), 0);
	assert_int_equal(buf_put_u64(&b, out), 0);
	assert_int_equal(mw_ask(PM_BYTES, buf_ptr(&b), buf_len(&b)), want);
	buf_free(&b);
}

static struct job *
end_of(size_t slot, uint32_t handle)
{
	struct job *j = start(slot, 7);

	*info = '\0';
	j->handle = handle;
	job_begin(j, "Command", "sh");
	ended_by(j, PRIV_EXITED, 7);
	return j;
}

/* The child's word comes before its end, behind it, or not at all. */
static void
test_bytes(void **state)
{
	struct timeval at_once = { 0 };
	struct job *j;

	(void)state;
	still = true;
	mon.half.phase = MON_SESSION;
	j = end_of(0, 1);
	ask_bytes(1, 5, UINT64_MAX, 0);
	assert_string_equal(info, "");
	job_tell(&mon, j, LOG_LEVEL_INFO, PRIV_EXITED, 7);
	assert_non_null(strstr(info,
	    ": status 7 after 0.0 s; 5 bytes in, 18446744073709551615 out"));
	assert_non_null(strstr(event, " bytes_out=18446744073709551615"));
	job_free(j);

	j = end_of(0, 2);
	job_tell(&mon, j, LOG_LEVEL_INFO, PRIV_EXITED, 7);
	job_free(j);
	assert_string_equal(info, "");
	ask_bytes(1, 1, 1, 0); /* nobody's any more */
	assert_string_equal(info, "");
	ask_bytes(2, 3, 4, 0);
	assert_non_null(strstr(info, "; 3 bytes in, 4 out"));
	*info = '\0';
	ask_bytes(2, 5, 6, 0);
	assert_string_equal(info, "");

	/* Nobody is waited for. */
	j = end_of(0, 3);
	job_tell(&mon, j, LOG_LEVEL_INFO, PRIV_EXITED, 7);
	job_free(j);
	assert_string_equal(info, "");
	assert_int_equal(event_add(mon.telling, &at_once), 0);
	assert_int_equal(event_base_loop(mon.half.base, EVLOOP_ONCE), 0);
	assert_non_null(strstr(info, ": status 7 after 0.0 s"));
	assert_null(strstr(info, "bytes"));
	assert_int_equal(mon.nends, 0);
}

/* What waits is bounded, and is told when there is nothing to wait for. */
static void
test_bytes_bounded(void **state)
{
	struct job j = { .pid = 1, .handle = 9 };

	(void)state;
	mon.half.phase = MON_SESSION;
	job_begin(&j, "Command", "sh");
	for (int i = 0; i < JOB_ENDS_MAX; i++)
		job_tell(&mon, &j, LOG_LEVEL_INFO, PRIV_EXITED, 7);
	assert_int_equal(mon.nends, JOB_ENDS_MAX);
	*info = '\0';
	job_tell(&mon, &j, LOG_LEVEL_INFO, PRIV_SIGNALED, 9);
	assert_non_null(strstr(info, "signal 9"));
	assert_int_equal(mon.nends, JOB_ENDS_MAX);
	job_tell_all(&mon);
	assert_int_equal(mon.nends, 0);
	assert_non_null(strstr(info, "status 7"));
	mon.half.phase = HALF_DYING;
	*info = '\0';
	job_tell(&mon, &j, LOG_LEVEL_INFO, PRIV_EXITED, 8);
	assert_non_null(strstr(info, "status 8"));
}

/* The last word on all is one. */
static void
test_bytes_of_all(void **state)
{
	(void)state;
	mon.half.phase = MON_SESSION;
	ask_bytes(PRIV_CONN_HANDLE, 10, 20, 0);
	assert_true(mon.moved.told);
	assert_int_equal(mon.moved.in, 10);
	assert_int_equal(mon.moved.out, 20);
	ask_bytes(PRIV_CONN_HANDLE, 11, 21, SKY_ERR_DENIED);
	assert_int_equal(mon.moved.in, 10);
}

static void
test_child_is_told(void **state)
{
	uint32_t handle, status;
	uint8_t how;

	(void)state;
	job_tell_child(&mon, 7, PRIV_SIGNALED, SIGKILL);
	assert_int_equal(mw_hear(), PM_EXITED);
	assert_int_equal(mw.got.id, 0);
	assert_int_equal(buf_get_u32(&mw.got.body, &handle), 0);
	assert_int_equal(buf_get_u8(&mw.got.body, &how), 0);
	assert_int_equal(buf_get_u32(&mw.got.body, &status), 0);
	assert_int_equal(handle, 7);
	assert_int_equal(how, PRIV_SIGNALED);
	assert_int_equal(status, SIGKILL);
	assert_int_equal(buf_len(&mw.got.body), 0);
	/* With none, there is nobody to be told. */
	close(mon.half.child);
	mon.half.child = -1;
	job_tell_child(&mon, 7, PRIV_SIGNALED, SIGKILL);
	assert_false(mw.died);
}

/* --- the guard --- */

/* As if the monitor were killed. */
static void
lose_monitor(void)
{
	close(mon.guard);
	mon.guard = -1;
	assert_int_equal(waitpid(mon.guard_pid, NULL, 0), mon.guard_pid);
	mon.guard_pid = 0;
}

/* One that is kept and has no limit needs none. */
static void
test_no_guard(void **state)
{
	struct job *j = start(0, -1);

	(void)state;
	j->keep = true;
	guard_begin(&mon, j, 0);
	assert_int_equal(mon.guard_pid, 0);
	assert_int_equal(j->deadline, 0);
	assert_false(guard_leave(&mon));
	guard_end(&mon, j); /* nobody to be told */
}

/* All are hung up but those that are kept, and those that have ended. */
static void
test_guard_hangs_up(void **state)
{
	struct job *hung, *kept, *past;
	enum priv_exit how;
	uint32_t status;

	(void)state;
	hung = start(0, -1);
	guard_begin(&mon, hung, 0);
	assert_int_not_equal(mon.guard_pid, 0);
	kept = start(1, -1);
	kept->keep = true;
	guard_begin(&mon, kept, 1);
	past = start(2, -1);
	guard_begin(&mon, past, 0);
	guard_end(&mon, past);
	lose_monitor();
	ended_by(hung, PRIV_SIGNALED, SIGHUP);
	/* Its limit is kept all the same. */
	ended_by(kept, PRIV_SIGNALED, SIGKILL);
	assert_false(job_exited(past, &how, &status));
}

/* The monitor hangs up itself: only limits are kept. */
static void
test_guard_leaves(void **state)
{
	struct job *unlimited, *limited;
	enum priv_exit how;
	uint32_t status;

	(void)state;
	unlimited = start(0, -1);
	guard_begin(&mon, unlimited, 0);
	limited = start(1, -1);
	guard_begin(&mon, limited, 1);
	assert_true(limited->deadline != 0);
	assert_true(guard_leave(&mon));
	lose_monitor();
	ended_by(limited, PRIV_SIGNALED, SIGKILL);
	assert_false(job_exited(unlimited, &how, &status));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_exit),
		TEST(test_signal),
		TEST(test_hang_up),
		TEST(test_nobody),
		TEST(test_name_is_cut),
		TEST(test_bytes),
		TEST(test_bytes_bounded),
		TEST(test_bytes_of_all),
		TEST(test_child_is_told),
		TEST(test_no_guard),
		TEST(test_guard_hangs_up),
		TEST(test_guard_leaves),
	};

	return cmocka_run_group_tests_name("mon_job", tests, NULL, NULL);
}
