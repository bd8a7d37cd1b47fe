/* SPDX-License-Identifier: ISC */
/*
 * The monitor's policy: what a confined child may ask in which phase, with
 * which grant and how long.  The lists here are the rules of design and
 * protocol, phase by phase; whatever stands in none of them is refused, and no
 * handler hears of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "common/base/err.h"
#include "monitor/monitor.h"
#include "regress/unit/clock.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define NOBODY	  UINT32_MAX
#define TYPES	  400 /* more than there are */

/* --- handlers, of which it counts only that they are called --- */

static struct {
	unsigned type; /* of the last one that was called */
	int result;
} handled;

#define HANDLER(name)                                    \
	int name(struct monitor *m, struct privmsg *msg) \
	{                                                \
		(void)m;                                 \
		handled.type = msg->type;                \
		return handled.result;                   \
	}
HANDLER(handshake_frame)
HANDLER(kk_request)
HANDLER(kk_first_frame)
HANDLER(pty_start)
HANDLER(pty_stop)
HANDLER(exec_start)
HANDLER(exec_end)
HANDLER(exec_signal)
HANDLER(sftp_start)
HANDLER(whitelist_list)
HANDLER(whitelist_add)
HANDLER(whitelist_remove)
HANDLER(status_get)
HANDLER(status_report)
HANDLER(proxy_dial)
HANDLER(overlay_connect)
HANDLER(overlay_handshake)
HANDLER(overlay_read)
HANDLER(overlay_drop)
HANDLER(overlay_entry)
HANDLER(overlay_stream)
HANDLER(dial_request)
HANDLER(dial_response)
HANDLER(dial_give_up)
HANDLER(dial_probe)

/* --- the log, which is a handler of its own --- */

static time_t now;
static unsigned lines;
static char last[PRIVMSG_TEXT_MAX + 16];

void __wrap_log_at(enum log_level, const char *, ...);
void __wrap_log_warn(const char *, ...);

int
wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
	(void)id;
	*ts = (struct timespec){ .tv_sec = now };
	return 0;
}

void
__wrap_log_at(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	(void)level;
	va_start(ap, fmt);
	vsnprintf(last, sizeof(last), fmt, ap);
	va_end(ap);
	lines++;
	handled.type = PM_LOG;
}

void
__wrap_log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(last, sizeof(last), fmt, ap);
	va_end(ap);
	lines++;
}

/* --- asking --- */

static const int phases[] = { MON_HANDSHAKE, MON_SESSION, MON_REFUSED,
	MON_DYING, MON_KK, MON_FIRST, MON_DMSG };

/* Whether it comes to its handler. */
static bool
passes(unsigned type, int phase, uint32_t grants, const void *p, size_t n)
{
	struct monitor m = { .phase = (enum mon_phase)phase, .grants = grants };
	struct privmsg msg = { .type = (uint16_t)type };
	int r;

	now++; /* lines are counted by the second */
	handled.type = NOBODY;
	buf_view(&msg.body, p, n);
	r = dispatch(&m, &msg);
	assert_true(r == 0 || r == SKY_ERR_DENIED);
	assert_true(handled.type == NOBODY || handled.type == type);
	assert_int_equal(r == 0, handled.type == type);
	return r == 0;
}

/* Some length that would do: there is none for what is never right. */
static bool
passes_somehow(unsigned type, int phase, uint32_t grants)
{
	static const uint8_t zero[PRIVMSG_MAX];
	static const size_t lengths[] = { 0, 1, 2, 4, 5, 6, 20, 21, 34, 35, 65,
		66, 100 };
	static const uint8_t line[] = { LOG_LEVEL_INFO, 0, 0, 0, 1, 'x' };

	if (type == PM_LOG)
		return passes(type, phase, grants, line, sizeof(line));
	for (size_t i = 0; i < LENGTH(lengths); i++)
		if (passes(type, phase, grants, zero, lengths[i]))
			return true;
	return false;
}

/* --- phases and grants --- */

/* A session's: each needs its grant, and no other. */
static const struct {
	unsigned type;
	uint32_t grant;
} session[] = {
	{ PM_PTY_START, PRIV_GRANT_PTY },
	{ PM_PTY_STOP, PRIV_GRANT_PTY },
	{ PM_EXEC_START, PRIV_GRANT_EXEC },
	{ PM_EXEC_END, PRIV_GRANT_EXEC },
	{ PM_EXEC_SIGNAL, PRIV_GRANT_EXEC },
	{ PM_SFTP_START, PRIV_GRANT_SFTP },
	{ PM_WL_LIST, PRIV_GRANT_WHITELIST },
	{ PM_WL_ADD, PRIV_GRANT_WHITELIST },
	{ PM_WL_REMOVE, PRIV_GRANT_WHITELIST },
	{ PM_STATUS, PRIV_GRANT_WHITELIST },
	{ PM_PROXY_DIAL, PRIV_GRANT_DIAL },
};

static const unsigned overlay[] = { PM_DMSG_CONNECT, PM_DMSG_HANDSHAKE,
	PM_DMSG_MESSAGE_2, PM_DMSG_HANDSHAKE_DROP, PM_DMSG_ENTRY,
	PM_DMSG_STREAM, PM_DMSG_DIAL_REQUEST, PM_DMSG_DIAL_RESPONSE,
	PM_DMSG_DIAL_FAILED, PM_DMSG_PROBE, PM_DMSG_STATUS };

static bool
belongs_to_session(unsigned type, uint32_t *grant)
{
	for (size_t i = 0; i < LENGTH(session); i++)
		if (session[i].type == type) {
			*grant = session[i].grant;
			return true;
		}
	return false;
}

static bool
belongs_to_overlay(unsigned type)
{
	for (size_t i = 0; i < LENGTH(overlay); i++)
		if (overlay[i] == type)
			return true;
	return false;
}

/* Whether it is ever right in that phase, with every grant there is. */
static bool
is_legal(unsigned type, int phase)
{
	uint32_t grant;

	if (type == PM_LOG)
		return phase != MON_DYING;
	switch (phase) {
	case MON_HANDSHAKE:
		return type == PM_HANDSHAKE;
	case MON_KK:
		return type == PM_KK_REQUEST;
	case MON_FIRST:
		return type == PM_FIRST_FRAME;
	case MON_SESSION:
		return belongs_to_session(type, &grant);
	case MON_DMSG:
		return belongs_to_overlay(type);
	}
	return false; /* who is refused or dying asks for nothing */
}

static void
test_every_type_in_every_phase(void **state)
{
	(void)state;
	for (unsigned type = 0; type < TYPES; type++)
		for (size_t i = 0; i < LENGTH(phases); i++)
			if (passes_somehow(type, phases[i], ~0U) !=
			    is_legal(type, phases[i]))
				fail_msg("request %u in phase %d", type,
				    phases[i]);
	assert_false(passes_somehow(UINT16_MAX, MON_SESSION, ~0U));
}

static void
test_grants(void **state)
{
	uint32_t grant;

	(void)state;
	for (size_t i = 0; i < LENGTH(session); i++) {
		grant = session[i].grant;
		assert_true(
		    passes_somehow(session[i].type, MON_SESSION, grant));
		assert_false(
		    passes_somehow(session[i].type, MON_SESSION, ~grant));
		assert_false(passes_somehow(session[i].type, MON_SESSION, 0));
	}
	/* Without any, a line for the log is all there is. */
	for (unsigned type = 0; type < TYPES; type++)
		assert_int_equal(passes_somehow(type, MON_SESSION, 0),
		    type == PM_LOG);
}

/* --- lengths --- */

static const struct {
	unsigned type;
	size_t min, max;
} lengths[] = {
	/* Exactly. */
	{ PM_PTY_STOP, 0, 0 },
	{ PM_EXEC_END, 4, 4 },
	{ PM_EXEC_SIGNAL, 5, 5 },
	{ PM_SFTP_START, 0, 0 },
	{ PM_WL_LIST, 0, 0 },
	{ PM_STATUS, 0, 0 },
	{ PM_PROXY_DIAL, 35, 35 },
	{ PM_DMSG_HANDSHAKE, 34, 34 },
	{ PM_DMSG_HANDSHAKE_DROP, 1, 1 },
	{ PM_DMSG_STREAM, 66, 66 },
	{ PM_DMSG_DIAL_REQUEST, 2, 2 },
	/* A body of Noise, or a frame's. */
	{ PM_HANDSHAKE, 0, NOISE_MSG_MAX },
	{ PM_KK_REQUEST, 65, 65 + NOISE_MSG_MAX },
	{ PM_FIRST_FRAME, 0, 4094 },
	{ PM_DMSG_MESSAGE_2, 1, 1 + NOISE_MSG_MAX },
	{ PM_DMSG_DIAL_RESPONSE, 1, NOISE_MSG_MAX },
	/* Texts and lists. */
	{ PM_PTY_START, 21, PRIVMSG_MAX - 4 },
	{ PM_EXEC_START, 17, PRIVMSG_MAX - 4 },
	{ PM_WL_ADD, 4, 4 + PRIV_WL_MAX * 33 },
	{ PM_WL_REMOVE, 4, 4 + PRIV_WL_MAX * 33 },
	{ PM_DMSG_CONNECT, 6, 262 },
	{ PM_DMSG_ENTRY, 20, 20 + PRIV_SERVERS_MAX * 33 },
	{ PM_DMSG_DIAL_FAILED, 4, 4 + PRIVMSG_TEXT_MAX },
	{ PM_DMSG_PROBE, 2, 2 },
	{ PM_DMSG_STATUS, 2, PRIV_STATUS_MAX },
};

static int
phase_of(unsigned type)
{
	for (size_t i = 0; i < LENGTH(phases); i++)
		if (is_legal(type, phases[i]))
			return phases[i];
	return 0;
}

static void
test_lengths(void **state)
{
	static const uint8_t zero[PRIVMSG_MAX + 1];

	(void)state;
	assert_int_equal(LENGTH(lengths),
	    LENGTH(session) + LENGTH(overlay) + 3);
	for (size_t i = 0; i < LENGTH(lengths); i++) {
		unsigned t = lengths[i].type;
		size_t min = lengths[i].min, max = lengths[i].max;
		int phase = phase_of(t);

		assert_true(passes(t, phase, ~0U, zero, min));
		assert_true(passes(t, phase, ~0U, zero, max));
		assert_false(passes(t, phase, ~0U, zero, max + 1));
		if (min > 0)
			assert_false(passes(t, phase, ~0U, zero, min - 1));
	}
}

/* --- what a handler says --- */

static void
test_errors_are_refusals(void **state)
{
	static const int errors[] = { SKY_ERR_FORMAT, SKY_ERR_STATE,
		SKY_ERR_SYS, SKY_ERR_AGAIN };
	struct monitor m = { .phase = MON_SESSION, .grants = ~0U };
	struct privmsg msg = { .type = PM_STATUS };

	(void)state;
	buf_view(&msg.body, NULL, 0);
	for (size_t i = 0; i < LENGTH(errors); i++) {
		handled.result = errors[i];
		assert_int_equal(dispatch(&m, &msg), SKY_ERR_DENIED);
		assert_non_null(strstr(last, "STATUS refused"));
		assert_non_null(strstr(last, err_text(errors[i])));
	}
	handled.result = 0;
	assert_int_equal(dispatch(&m, &msg), 0);
}

/* --- lines of a child --- */

static int
say(struct monitor *m, uint8_t level, const void *text, size_t n,
    const char *behind)
{
	struct privmsg msg = { .type = PM_LOG };
	struct buf b;
	int r;

	buf_init(&b, PRIVMSG_MAX);
	assert_int_equal(buf_put_u8(&b, level), 0);
	assert_int_equal(buf_put_string(&b, text, n), 0);
	assert_int_equal(buf_put(&b, behind, strlen(behind)), 0);
	buf_view(&msg.body, buf_ptr(&b), buf_len(&b));
	r = dispatch(m, &msg);
	buf_free(&b);
	return r;
}

static void
test_lines(void **state)
{
	static char text[PRIVMSG_TEXT_MAX + 1];
	struct monitor m = { .phase = MON_HANDSHAKE };

	(void)state;
	now++;
	assert_int_equal(say(&m, LOG_LEVEL_INFO, "its word", 8, ""), 0);
	assert_string_equal(last, "net: its word");
	assert_int_equal(say(&m, LOG_LEVEL_DEBUG, "x", 1, ""), 0);
	assert_int_equal(say(&m, LOG_LEVEL_DEBUG + 1, "x", 1, ""),
	    SKY_ERR_DENIED);
	assert_int_equal(say(&m, 255, "x", 1, ""), SKY_ERR_DENIED);
	assert_int_equal(say(&m, LOG_LEVEL_INFO, "a\0b", 3, ""),
	    SKY_ERR_DENIED);
	assert_int_equal(say(&m, LOG_LEVEL_INFO, "x", 1, "y"), SKY_ERR_DENIED);
	memset(text, 'x', sizeof(text));
	assert_int_equal(say(&m, LOG_LEVEL_INFO, text, PRIVMSG_TEXT_MAX, ""),
	    0);
	assert_int_equal(
	    say(&m, LOG_LEVEL_INFO, text, PRIVMSG_TEXT_MAX + 1, ""),
	    SKY_ERR_DENIED);
}

/* One more says that there are more; the next second has its own. */
static void
test_lines_of_a_second(void **state)
{
	struct monitor m = { .phase = MON_SESSION };

	(void)state;
	for (int second = 0; second < 3; second++) {
		now++;
		lines = 0;
		for (int i = 0; i < 10 * PRIV_LOGS_PER_S; i++)
			assert_int_equal(say(&m, LOG_LEVEL_INFO, "x", 1, ""),
			    0);
		assert_int_equal(lines, PRIV_LOGS_PER_S + 1);
		assert_non_null(strstr(last, "too many lines"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_type_in_every_phase),
		cmocka_unit_test(test_grants),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_errors_are_refusals),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_lines_of_a_second),
	};

	return cmocka_run_group_tests_name("dispatch", tests, NULL, NULL);
}
