/* SPDX-License-Identifier: ISC */
/* Frames of sessions that are kept: as written, cut, and out of range. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>

#include "common/base/err.h"
#include "common/pty/sessmsg.h"

static struct sess_entry
an_entry(void)
{
	struct sess_entry e = { .flags = SESS_MADE,
		.attached = 3,
		.rows = 24,
		.cols = 80,
		.begun = 1700000000,
		.pid = 4711 };

	memset(e.id, 0xa5, sizeof(e.id));
	memset(e.pk.b, 2, sizeof(e.pk.b));
	buf_view(&e.name, "work", 4);
	buf_view(&e.title, "a title", 7);
	buf_view(&e.command, "/bin/sh -c x", 12);
	return e;
}

static void
test_entry(void **state)
{
	struct sess_entry e = an_entry(), got;
	struct buf b, v;

	(void)state;
	buf_init(&b, SESS_ENTRY_MAX);
	assert_int_equal(sessmsg_put_entry(&b, &e), 0);
	v = b;
	assert_int_equal(sessmsg_get_entry(&v, &got), 0);
	assert_memory_equal(got.id, e.id, sizeof(e.id));
	assert_memory_equal(got.pk.b, e.pk.b, sizeof(e.pk.b));
	assert_int_equal(got.flags, SESS_MADE);
	assert_int_equal(got.attached, 3);
	assert_int_equal(got.rows, 24);
	assert_int_equal(got.cols, 80);
	assert_int_equal(got.begun, 1700000000);
	assert_int_equal(got.pid, 4711);
	assert_memory_equal(buf_ptr(&got.name), "work", 4);
	assert_memory_equal(buf_ptr(&got.title), "a title", 7);
	assert_int_equal(buf_len(&got.command), 12);
	for (size_t n = 0; n < buf_len(&b); n++) {
		buf_view(&v, buf_ptr(&b), n);
		assert_int_equal(sessmsg_get_entry(&v, &got), SKY_ERR_FORMAT);
	}
	assert_int_equal(buf_put_u8(&b, 0), 0);
	assert_int_equal(sessmsg_get_entry(&b, &got), SKY_ERR_FORMAT);
	buf_free(&b);
}

static void
test_entry_out_of_range(void **state)
{
	static uint8_t much[SESS_TITLE_MAX + JOB_COMMAND_MAX];
	struct sess_entry e, got;
	struct buf b;

	(void)state;
	for (int i = 0; i < 4; i++) {
		e = an_entry();
		if (i == 0)
			e.flags = 2;
		else if (i == 1)
			buf_view(&e.name, much, SESS_WHICH_MAX + 1);
		else if (i == 2)
			buf_view(&e.title, much, SESS_TITLE_MAX + 1);
		else
			buf_view(&e.command, much, JOB_COMMAND_MAX + 1);
		buf_init(&b, 3 * sizeof(much));
		assert_int_equal(sessmsg_put_entry(&b, &e), 0);
		assert_int_equal(sessmsg_get_entry(&b, &got), SKY_ERR_RANGE);
		buf_free(&b);
	}
}

static void
test_join(void **state)
{
	struct sess_join j = { .which = "work",
		.flags = SESS_VIEW,
		.size = { .rows = 1, .cols = 2, .x = 3, .y = 4 } };
	struct sess_join got;
	struct buf b, v;

	(void)state;
	buf_init(&b, JOB_ASK_MAX);
	assert_int_equal(sessmsg_put_join(&b, &j), 0);
	v = b;
	assert_int_equal(sessmsg_get_join(&v, &got), 0);
	assert_string_equal(got.which, "work");
	assert_int_equal(got.flags, SESS_VIEW);
	assert_int_equal(got.size.rows, 1);
	assert_int_equal(got.size.cols, 2);
	assert_int_equal(got.size.x, 3);
	assert_int_equal(got.size.y, 4);
	for (size_t n = 0; n < buf_len(&b); n++) {
		buf_view(&v, buf_ptr(&b), n);
		assert_int_equal(sessmsg_get_join(&v, &got), SKY_ERR_FORMAT);
	}
	buf_reset(&b);
	j.flags = SESS_VIEW | SESS_SHARE;
	assert_int_equal(sessmsg_put_join(&b, &j), 0);
	assert_int_equal(sessmsg_get_join(&b, &got), SKY_ERR_RANGE);
	buf_reset(&b);
	j.flags = 4;
	assert_int_equal(sessmsg_put_join(&b, &j), 0);
	assert_int_equal(sessmsg_get_join(&b, &got), SKY_ERR_RANGE);
	buf_free(&b);
}

/* What is none is no name of a file either. */
static const char *const bad[] = { ".", "..", "-x", "a/b", "a b", "a\nb",
	"\303\244", "123456789012345678901234567890123" };

static void
test_which(void **state)
{
	char which[SESS_WHICH_MAX + 1];
	struct sess_join got;
	struct buf b;
	int number;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(mux_is_session_name(bad[i]));
		buf_init(&b, 2 * JOB_ASK_MAX);
		assert_int_equal(buf_put_cstring(&b, bad[i]), 0);
		assert_int_equal(buf_put_u8(&b, 0), 0);
		assert_int_equal(buf_put_u64(&b, 0), 0);
		assert_int_equal(sessmsg_get_join(&b, &got), SKY_ERR_FORMAT);
		buf_reset(&b);
		assert_int_equal(sessmsg_put_kill(&b, bad[i], "HUP"), 0);
		assert_int_equal(sessmsg_get_kill(&b, which, &number),
		    SKY_ERR_FORMAT);
		buf_free(&b);
	}
	buf_init(&b, JOB_ASK_MAX);
	assert_int_equal(sessmsg_put_kill(&b, "", "HUP"), 0);
	assert_int_equal(sessmsg_get_kill(&b, which, &number), 0);
	assert_int_equal(number, SIGHUP);
	assert_int_equal(sessmsg_put_kill(&b, "a", "STOP"), 0);
	assert_int_equal(sessmsg_get_kill(&b, which, &number), SKY_ERR_RANGE);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entry),
		cmocka_unit_test(test_entry_out_of_range),
		cmocka_unit_test(test_join),
		cmocka_unit_test(test_which),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
