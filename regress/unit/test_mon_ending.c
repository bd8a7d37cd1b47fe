/* SPDX-License-Identifier: ISC */
/* ending: the line of the end of a connection, and what a child ended with. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <cmocka.h>

#include "common/base/log.h"
#include "monitor/ending.h"
#include "regress/unit/clock.h"
#include "regress/unit/log_told.h"

static int64_t now; /* milliseconds */

int
wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
	(void)id;
	*ts = (struct timespec){ .tv_sec = (time_t)(now / 1000),
		.tv_nsec = (long)(now % 1000) * 1000000 };
	return 0;
}

static void
test_time(void **state)
{
	static const struct {
		int64_t ms;
		const char *want;
	} times[] = {
		{ 0, "0.0 s" },
		{ 99, "0.0 s" },
		{ 100, "0.1 s" },
		{ 59999, "59.9 s" },
		{ 60000, "1m00s" },
		{ 3599999, "59m59s" },
		{ 3600000, "1h00m00s" },
		{ 90061000, "25h01m01s" },
		/* As long as there are milliseconds. */
		{ INT64_MAX / 2, "1281023894007h36m27s" },
	};
	char text[ENDING_TIME_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		ending_time(text, times[i].ms);
		assert_string_equal(text, times[i].want);
	}
}

static struct monitor m;

static void
begin(enum priv_carrier carrier)
{
	memset(&m, 0, sizeof(m));
	m.half.start.carrier = carrier;
	m.begun = 1000;
	now = 3500;
	m.caller = 4000000000;
	m.peer.b[0] = 2;
	*info = *debug = '\0';
}

#define KEY                                                                \
	"0200000000000000000000000000000000000000000000000000000000000000" \
	"00"

static void
test_session(void **state)
{
	(void)state;
	begin(PRIV_XK);
	ending_tell(&m, MON_SESSION, "client left");
	assert_string_equal(info,
	    "Connection closed: client left after 2.5 s; "
	    "key " KEY "; nothing was asked for");
	ending_used(&m, USE_TERMINAL);
	ending_used(&m, USE_FILES);
	ending_used(&m, USE_FILES);
	ending_tell(&m, MON_SESSION, "served");
	assert_non_null(strstr(info, "; terminal, files"));
	ending_used(&m, USE_TERMINAL);
	ending_used(&m, USE_COMMAND);
	ending_tell(&m, MON_SESSION, "served");
	assert_non_null(strstr(info, "; 2 terminals, command, files"));
	begin(PRIV_CONTROL);
	ending_used(&m, USE_WHITELIST);
	ending_tell(&m, MON_SESSION, "served");
	assert_non_null(strstr(info, "; uid 4000000000; whitelist"));
	assert_string_equal(debug, "");
}

/* All of it, as often as can be, has room in the line. */
static void
test_uses_fit(void **state)
{
	static const char end[] = ", dmsg status, connections, kill, "
				  "stream over dmsg, "
				  "4294967295 forwarded connections, "
				  "4294967295 listeners";

	(void)state;
	begin(PRIV_XK);
	for (int i = 0; i < USE_COUNT; i++)
		m.used[i] = UINT_MAX;
	ending_tell(&m, MON_SESSION, "served");
	assert_string_equal(info + strlen(info) - strlen(end), end);
}

/* Strangers have no line of their own at the usual level. */
static void
test_nobody(void **state)
{
	static const int phases[] = { MON_HANDSHAKE, MON_KK, MON_FIRST,
		MON_REFUSED };

	(void)state;
	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
		begin(PRIV_XK);
		ending_tell(&m, phases[i], "time limit");
		assert_string_equal(info, "");
		assert_non_null(strstr(debug, "nobody was let in"));
		assert_int_equal(strstr(debug, "refused") != NULL,
		    phases[i] == MON_REFUSED);
	}
}

/* A child chooses among so many words, and no other status has one. */
static void
test_child(void **state)
{
	static const char failed[] = "its confined process failed";

	(void)state;
	for (int code = 0; code < 256; code++) {
		const char *said = half_child_end(W_EXITCODE(code, 0));
		bool word = code == PRIV_END_LEFT ||
		    (code >= PRIV_END_SERVED && code <= PRIV_END_FAULT);

		assert_int_equal(strcmp(said, failed) != 0, word);
	}
	for (int sig = 1; sig < 65; sig++)
		assert_string_equal(half_child_end(W_EXITCODE(0, sig)), failed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_session),
		cmocka_unit_test(test_uses_fit),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_child),
	};

	return cmocka_run_group_tests_name("mon_ending", tests, NULL, NULL);
}
