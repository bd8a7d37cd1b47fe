/* SPDX-License-Identifier: ISC */
/*
 * The policies of both monitors.  Each row of each table is driven: its legal
 * use, and each of its columns violated, all made from the row itself, so that
 * a new one is tested unasked.  Which rows there are to be, and what stands in
 * them, is written here once more: nothing is permitted by a slip of the pen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/base/err.h"
#include "monitor/dmsg/dmsg_monitor.h"
#include "monitor/monitor.h"
#include "regress/unit/clock.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define TYPES	  400 /* more than there are */
#define ALL	  (~0U)
#define PHASES	  16 /* bits that are tried */

/* --- the clock, the log --- */

static time_t now;
static unsigned warnings;
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
}

void
__wrap_log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(last, sizeof(last), fmt, ap);
	va_end(ap);
	warnings++;
}

/* The program's, which has its main function beside it. */
void
dmsg_monitor_forget(struct half *h)
{
	(void)h;
}

/* --- the tables, with handlers that only note that they are called --- */

static const struct table {
	const char *child;
	const struct requests *requests;
} tables[] = {
	{ "net", &monitor_requests },
	{ "dmsg", &dmsg_requests },
};

static struct request rows[REQUESTS_MAX];
static struct requests copy = { .row = rows };
static struct half_role role = { .requests = &copy };
static struct half half;
static unsigned called, alive; /* so many are said to be alive */
static int result;	       /* of the handler */

static int
note(struct half *h, struct privmsg *msg)
{
	(void)h, (void)msg;
	called++;
	return result;
}

static unsigned
count_alive(const struct half *h)
{
	(void)h;
	return alive;
}

static void
use_table(const struct table *t)
{
	copy.n = t->requests->n;
	assert_in_range(copy.n, 1, REQUESTS_MAX);
	memcpy(rows, t->requests->row, copy.n * sizeof(rows[0]));
	for (size_t i = 0; i < copy.n; i++) {
		assert_non_null(rows[i].handle);
		rows[i].handle = note;
		if (rows[i].alive.count != NULL)
			rows[i].alive.count = count_alive;
	}
	role.child = t->child;
	result = 0;
}

/* A half that has done nothing, where the row may be asked for. */
static void
begin(const struct request *r)
{
	memset(&half, 0, sizeof(half));
	half.role = &role;
	half.phase = r->phases & -r->phases;
	half.grants = r->grant;
	alive = r->alive.count != NULL ? r->alive.max - 1 : 0;
	now += A_MINUTE;
	warnings = 0;
	*last = '\0';
}

/* Whether it comes to its handler; else why it ends the child, in last. */
static bool
passes(unsigned type, size_t n)
{
	static const uint8_t zero[PRIVMSG_MAX + 1];
	struct privmsg msg = { .type = (uint16_t)type };
	int r;

	called = 0;
	buf_view(&msg.body, zero, n);
	r = half_dispatch(&half, &msg);
	assert_true(r == 0 || r == SKY_ERR_DENIED);
	if (r != 0)
		assert_int_equal(called, 0);
	return called == 1;
}

/* It ends the child, and the log says which, whose and why. */
static void
refused(const struct request *r, size_t n, const char *why)
{
	static const uint8_t zero[PRIVMSG_MAX + 1];
	struct privmsg msg = { .type = (uint16_t)r->type };
	char want[128];

	called = 0;
	buf_view(&msg.body, zero, n);
	if (half_dispatch(&half, &msg) != SKY_ERR_DENIED || called != 0)
		fail_msg("%s, %s: let pass", r->name, why);
	snprintf(want, sizeof(want), "%s: request %s refused: %s", role.child,
	    r->name, why);
	if (strncmp(last, want, strlen(want)) != 0)
		fail_msg("wanted \"%s\", not: %s", want, last);
}

/* It does not come to its handler; its child is told why, and lives on. */
static void
told_why_not(const struct request *r)
{
	static const uint8_t zero[PRIVMSG_MAX];
	struct privmsg msg = { .type = (uint16_t)r->type, .id = 9 }, m = { 0 };
	char *text;
	int sv[2];

	assert_int_equal(privmsg_pair(sv), 0);
	half.child = sv[0];
	called = 0;
	buf_view(&msg.body, zero, r->min);
	assert_int_equal(half_dispatch(&half, &msg), 0);
	assert_int_equal(called, 0);
	assert_int_equal(warnings, 0);
	assert_int_equal(privmsg_recv(sv[1], &m, true), 1);
	assert_int_equal(m.type, r->type + 1);
	assert_int_equal(m.id, 9);
	assert_int_equal(m.nfd, 0);
	assert_int_equal(buf_get_cstring(&m.body, &text, PRIVMSG_TEXT_MAX), 0);
	assert_string_equal(text, "too many at once on this connection");
	assert_int_equal(buf_len(&m.body), 0);
	free(text);
	privmsg_free(&m);
	close(sv[0]);
	close(sv[1]);
}

/* --- a column each --- */

static void
drive_legal(const struct request *r)
{
	for (int i = 0; i < PHASES; i++) {
		if (!(r->phases & 1 << i))
			continue;
		begin(r);
		half.phase = 1 << i;
		assert_true(passes(r->type, r->min));
		begin(r);
		half.phase = 1 << i;
		assert_true(passes(r->type, r->max));
	}
}

static void
drive_phases(const struct request *r)
{
	assert_int_not_equal(r->phases, 0);
	assert_int_equal(r->phases & HALF_DYING, 0);
	assert_true(r->phases < 1 << PHASES);
	for (int i = -1; i < PHASES; i++) {
		int phase = i == -1 ? 0 : 1 << i;

		if (r->phases & phase)
			continue;
		begin(r);
		half.phase = phase;
		half.grants = ALL;
		refused(r, r->min, "not in this phase");
	}
}

static void
drive_grants(const struct request *r)
{
	for (uint32_t bit = 1; bit != 0; bit <<= 1) {
		begin(r);
		half.grants = ALL & ~bit;
		if (r->grant & bit)
			refused(r, r->min, "not granted");
		else
			assert_true(passes(r->type, r->min));
	}
}

static void
drive_sizes(const struct request *r)
{
	assert_true(r->min <= r->max);
	assert_true(r->max <= PRIVMSG_MAX - PRIVMSG_HEAD_LEN);
	begin(r);
	if (r->min > 0)
		refused(r, r->min - 1, "too short");
	begin(r);
	refused(r, r->max + 1, "too long");
}

static void
drive_times(const struct request *r)
{
	unsigned n = r->times != 0 ? r->times : 1000;

	if (r->rate.max != 0 && r->times == 0)
		return;
	begin(r);
	for (unsigned i = 0; i < n; i++)
		assert_true(passes(r->type, r->min));
	if (r->times == 0)
		return;
	refused(r, r->min, "too often");
	/* For good; and what was refused otherwise does not count. */
	now += A_MINUTE;
	refused(r, r->min, "too often");
	begin(r);
	for (unsigned i = 0; i < 2 * n; i++)
		refused(r, r->max + 1, "too long");
	assert_true(passes(r->type, r->min));
}

static void
drive_alive(const struct request *r)
{
	if (r->alive.count == NULL)
		return;
	assert_int_not_equal(r->alive.max, 0);
	for (unsigned more = 0; more < 2; more++) {
		begin(r);
		alive = r->alive.max + more;
		if (r->alive.above == ABOVE_ANSWERS)
			told_why_not(r);
		else
			refused(r, r->min, "too many at once");
	}
	alive = r->alive.max - 1;
	assert_true(passes(r->type, r->min));
}

static void
drive_rate(const struct request *r)
{
	static const uint8_t zero[PRIVMSG_MAX];
	struct privmsg msg = { .type = (uint16_t)r->type };

	if (r->rate.max == 0)
		return;
	assert_int_not_equal(r->rate.seconds, 0);
	begin(r);
	for (int span = 0; span < 3; span++) {
		now = (now / r->rate.seconds + 1) * r->rate.seconds;
		warnings = 0;
		for (unsigned i = 0; i < r->rate.max; i++)
			assert_true(passes(r->type, r->min));
		now += r->rate.seconds - 1;
		assert_int_equal(warnings, 0);
		for (int i = 0; i < 100; i++) {
			if (r->rate.above == ABOVE_ENDS) {
				refused(r, r->min, "more than ");
				continue;
			}
			called = 0;
			buf_view(&msg.body, zero, r->min);
			assert_int_equal(half_dispatch(&half, &msg), 0);
			assert_int_equal(called, 0);
			assert_int_equal(warnings,
			    r->rate.above == ABOVE_TELLS);
		}
	}
}

static void
test_rows(void **state)
{
	static void (*const drive[])(const struct request *) = { drive_legal,
		drive_phases, drive_grants, drive_sizes, drive_times,
		drive_alive, drive_rate };

	(void)state;
	for (size_t t = 0; t < LENGTH(tables); t++) {
		use_table(&tables[t]);
		for (size_t i = 0; i < copy.n; i++)
			for (size_t d = 0; d < LENGTH(drive); d++)
				drive[d](&rows[i]);
	}
}

/* What one has been asked for is not counted of another. */
static void
test_rows_are_counted_apart(void **state)
{
	(void)state;
	for (size_t t = 0; t < LENGTH(tables); t++) {
		use_table(&tables[t]);
		begin(&rows[0]);
		for (size_t i = 0; i < copy.n; i++) {
			half.phase = rows[i].phases & -rows[i].phases;
			half.grants = rows[i].grant;
			alive = 0;
			assert_true(passes(rows[i].type, rows[i].min));
		}
	}
}

/* A type is in a table once; what is in none is refused, whatever it is. */
static void
test_unknown(void **state)
{
	(void)state;
	for (size_t t = 0; t < LENGTH(tables); t++) {
		use_table(&tables[t]);
		for (unsigned type = 0; type <= UINT16_MAX; type++) {
			size_t n = 0;

			for (size_t i = 0; i < copy.n; i++)
				n += rows[i].type == type;
			assert_in_range(n, 0, 1);
			if (n == 1)
				continue;
			begin(&rows[0]);
			half.phase = INT32_MAX & ~HALF_DYING;
			half.grants = ALL;
			assert_false(passes(type, 0));
			assert_non_null(strstr(last, "refused: unknown"));
		}
	}
}

/* --- the policy, once more --- */

#define SOMETIME \
	(MON_HANDSHAKE | MON_KK | MON_FIRST | MON_SESSION | MON_REFUSED)
#define BODY (PRIVMSG_MAX - PRIVMSG_HEAD_LEN)

/* clang-format off */
static const struct rule {
	unsigned type;
	int phases;
	uint32_t grant;
	unsigned times, alive;
	bool told; /* who asks for more is, and lives on */
	unsigned rate, seconds;
	size_t min, max;
} net_rules[] = {
	{ PM_HANDSHAKE,			MON_HANDSHAKE,	0,			2,	0,	false,	0,	0,	0,	NOISE_MSG_MAX },
	{ PM_KK_REQUEST,		MON_KK,		0,			1,	0,	false,	0,	0,	65,	65 + NOISE_MSG_MAX },
	{ PM_FIRST_FRAME,		MON_FIRST,	0,			1,	0,	false,	0,	0,	0,	4094 },
	{ PM_USER,			MON_SESSION,	0,			1,	1,	false,	0,	0,	5,	4 + 256 },
	{ PM_PTY_START,			MON_SESSION,	PRIV_GRANT_PTY,		0,	16,	true,	0,	0,	21,	BODY },
	{ PM_PTY_STOP,			MON_SESSION,	PRIV_GRANT_PTY,		0,	0,	false,	0,	0,	4,	4 },
	{ PM_EXEC_START,		MON_SESSION,	PRIV_GRANT_EXEC,	0,	64,	true,	0,	0,	17,	BODY },
	{ PM_EXEC_END,			MON_SESSION,	PRIV_GRANT_EXEC,	0,	0,	false,	0,	0,	4,	4 },
	{ PM_EXEC_LEAVE,		MON_SESSION,	PRIV_GRANT_EXEC,	0,	0,	false,	0,	0,	4,	4 },
	{ PM_EXEC_SIGNAL,		MON_SESSION,	PRIV_GRANT_EXEC,	0,	0,	false,	0,	0,	5,	5 },
	{ PM_SFTP_START,		MON_SESSION,	PRIV_GRANT_SFTP,	0,	16,	true,	0,	0,	0,	0 },
	{ PM_JOB_RUN,			MON_SESSION,	PRIV_GRANT_EXEC | PRIV_GRANT_DETACH,	0,	16,	true,	0,	0,	17,	BODY },
	{ PM_JOB_DOOR,			MON_SESSION,	PRIV_GRANT_EXEC | PRIV_GRANT_DETACH,	0,	16,	true,	0,	0,	0,	0 },
	{ PM_SESSION_RUN,		MON_SESSION,	PRIV_GRANT_PTY | PRIV_GRANT_DETACH,	0,	16,	true,	0,	0,	25,	BODY },
	{ PM_SESSION_DOOR,		MON_SESSION,	PRIV_GRANT_PTY | PRIV_GRANT_DETACH,	0,	16,	true,	0,	0,	0,	0 },
	{ PM_FORWARD_OPEN,		MON_SESSION,	PRIV_GRANT_FORWARD,	0,	1024,	true,	0,	0,	7,	7 + 255 },
	{ PM_FORWARD_LISTEN,		MON_SESSION,	PRIV_GRANT_FORWARD,	0,	1024,	true,	0,	0,	8,	8 + 255 },
	{ PM_ACTIVE,			MON_SESSION,	0,			0,	0,	false,	2,	1,	16,	16 },
	{ PM_BYTES,			MON_SESSION,	0,			0,	0,	false,	0,	0,	20,	20 },
	{ PM_WL_LIST,			MON_SESSION,	PRIV_GRANT_WHITELIST,	0,	0,	false,	0,	0,	0,	0 },
	{ PM_WL_ADD,			MON_SESSION,	PRIV_GRANT_WHITELIST,	0,	0,	false,	0,	0,	4,	4 + 5000 * 33 },
	{ PM_WL_REMOVE,			MON_SESSION,	PRIV_GRANT_WHITELIST,	0,	0,	false,	0,	0,	4,	4 + 5000 * 33 },
	{ PM_STATUS,			MON_SESSION,	PRIV_GRANT_WHITELIST,	0,	0,	false,	0,	0,	0,	0 },
	{ PM_KILL,			MON_SESSION,	PRIV_GRANT_WHITELIST,	0,	0,	false,	0,	0,	9,	34 },
	{ PM_CONNS,			MON_SESSION,	PRIV_GRANT_WHITELIST,	0,	0,	false,	0,	0,	8,	8 },
	{ PM_COUNTS,			MON_SESSION,	PRIV_GRANT_WHITELIST,	0,	0,	false,	0,	0,	0,	0 },
	{ PM_PROXY_DIAL,		MON_SESSION,	PRIV_GRANT_DIAL,	1,	0,	false,	0,	0,	35,	35 },
	{ PM_LOG,			SOMETIME,	0,			0,	0,	false,	20,	1,	5,	5 + 4096 },
}, dmsg_rules[] = {
	{ PM_DMSG_CONNECT,		DMSG_SERVING,	0,			0,	0,	false,	0,	0,	6,	262 },
	{ PM_DMSG_HANDSHAKE,		DMSG_SERVING,	0,			0,	0,	false,	0,	0,	34,	34 },
	{ PM_DMSG_MESSAGE_2,		DMSG_SERVING,	0,			0,	0,	false,	0,	0,	1,	1 + NOISE_MSG_MAX },
	{ PM_DMSG_HANDSHAKE_DROP,	DMSG_SERVING,	0,			0,	0,	false,	0,	0,	1,	1 },
	{ PM_DMSG_ENTRY,		DMSG_SERVING,	0,			0,	0,	false,	30,	60,	20,	20 + 64 * 33 },
	{ PM_DMSG_STREAM,		DMSG_SERVING,	0,			0,	0,	false,	0,	0,	66,	66 },
	{ PM_DMSG_DIAL_REQUEST,		DMSG_SERVING,	0,			0,	0,	false,	0,	0,	2,	2 },
	{ PM_DMSG_DIAL_RESPONSE,	DMSG_SERVING,	0,			0,	0,	false,	0,	0,	1,	NOISE_MSG_MAX },
	{ PM_DMSG_DIAL_FAILED,		DMSG_SERVING,	0,			0,	0,	false,	0,	0,	4,	4 + 4096 },
	{ PM_DMSG_PROBE,		DMSG_SERVING,	0,			0,	0,	false,	90,	60,	2,	2 },
	{ PM_DMSG_STATUS,		DMSG_SERVING,	0,			0,	0,	false,	1,	1,	2,	16384 },
	{ PM_LOG,			DMSG_SERVING,	0,			0,	0,	false,	20,	1,	5,	5 + 4096 },
};
/* clang-format on */

static void
follows(const struct request *r, const struct rule *rule)
{
	assert_int_equal(r->type, rule->type);
	assert_int_equal(r->phases, rule->phases);
	assert_int_equal(r->grant, rule->grant);
	assert_int_equal(r->times, rule->times);
	assert_int_equal(r->alive.max, rule->alive);
	assert_int_equal(r->alive.count != NULL, rule->alive != 0);
	assert_int_equal(r->alive.above,
	    rule->told ? ABOVE_ANSWERS : ABOVE_ENDS);
	assert_int_equal(r->rate.max, rule->rate);
	assert_int_not_equal(r->rate.above, ABOVE_ANSWERS);
	assert_int_equal(r->rate.seconds, rule->seconds);
	assert_int_equal(r->min, rule->min);
	assert_int_equal(r->max, rule->max);
}

static void
test_rules(void **state)
{
	(void)state;
	assert_int_equal(monitor_requests.n, LENGTH(net_rules));
	for (size_t i = 0; i < LENGTH(net_rules); i++)
		follows(&monitor_requests.row[i], &net_rules[i]);
	assert_int_equal(dmsg_requests.n, LENGTH(dmsg_rules));
	for (size_t i = 0; i < LENGTH(dmsg_rules); i++)
		follows(&dmsg_requests.row[i], &dmsg_rules[i]);
}

/* --- what a handler says --- */

static void
test_errors_are_refusals(void **state)
{
	static const int errors[] = { SKY_ERR_FORMAT, SKY_ERR_STATE,
		SKY_ERR_SYS, SKY_ERR_AGAIN };
	struct privmsg msg = { .type = PM_STATUS };
	const struct request *r = rows;

	(void)state;
	use_table(&tables[0]);
	while (r->type != PM_STATUS)
		r++;
	begin(r);
	buf_view(&msg.body, NULL, 0);
	for (size_t i = 0; i < LENGTH(errors); i++) {
		result = errors[i];
		assert_int_equal(half_dispatch(&half, &msg), SKY_ERR_DENIED);
		assert_non_null(strstr(last, "net: request STATUS refused"));
		assert_non_null(strstr(last, err_text(errors[i])));
	}
	result = 0;
	assert_int_equal(half_dispatch(&half, &msg), 0);
}

/* --- lines of a child --- */

static int
say(uint8_t level, const void *text, size_t n, const char *behind)
{
	struct privmsg msg = { .type = PM_LOG };
	struct buf b;
	int r;

	buf_init(&b, PRIVMSG_MAX);
	assert_int_equal(buf_put_u8(&b, level), 0);
	assert_int_equal(buf_put_string(&b, text, n), 0);
	assert_int_equal(buf_put(&b, behind, strlen(behind)), 0);
	buf_view(&msg.body, buf_ptr(&b), buf_len(&b));
	r = half_dispatch(&half, &msg);
	buf_free(&b);
	return r;
}

static void
test_lines(void **state)
{
	static char text[PRIVMSG_TEXT_MAX + 1];
	static const char *const want[] = { "net: its word", "dmsg: its word" };

	(void)state;
	memset(text, 'x', sizeof(text));
	for (size_t t = 0; t < LENGTH(tables); t++) {
		use_table(&tables[t]);
		copy.row = tables[t].requests->row;
		begin(&copy.row[copy.n - 1]);
		assert_int_equal(say(LOG_LEVEL_INFO, "its word", 8, ""), 0);
		assert_string_equal(last, want[t]);
		assert_int_equal(say(LOG_LEVEL_DEBUG, "x", 1, ""), 0);
		assert_int_equal(say(LOG_LEVEL_DEBUG + 1, "x", 1, ""),
		    SKY_ERR_DENIED);
		assert_int_equal(say(255, "x", 1, ""), SKY_ERR_DENIED);
		assert_int_equal(say(LOG_LEVEL_INFO, "a\0b", 3, ""),
		    SKY_ERR_DENIED);
		assert_int_equal(say(LOG_LEVEL_INFO, "x", 1, "y"),
		    SKY_ERR_DENIED);
		assert_int_equal(
		    say(LOG_LEVEL_INFO, text, PRIVMSG_TEXT_MAX, ""), 0);
		assert_int_equal(
		    say(LOG_LEVEL_INFO, text, PRIVMSG_TEXT_MAX + 1, ""),
		    SKY_ERR_DENIED);
		copy.row = rows;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_rows_are_counted_apart),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_errors_are_refusals),
		cmocka_unit_test(test_lines),
	};

	return cmocka_run_group_tests_name("dispatch", tests, NULL, NULL);
}
