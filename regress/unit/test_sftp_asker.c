/* SPDX-License-Identifier: ISC */
/* Unit tests of client/sftp/sftp_asker.c: the program sees nothing of the
 * question.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client/conn.h"
#include "client/dest.h"
#include "client/sftp/sftp_asker.h"

static const struct dest dmsg = { .kind = DEST_DMSG };

static void
begin(struct sftp_asker *a)
{
	struct conn c = { .is_sftp = true, .dest = &dmsg };

	sftp_asker_init(a, &c);
	assert_true(a->on);
}

/* What the host says, piece bytes at a time, and what of it comes through. */
static void
through(struct sftp_asker *a, const void *said, size_t n, size_t piece,
    const void *wanted, size_t nwanted)
{
	const uint8_t *p = said;
	struct buf in, out;
	size_t some;

	buf_init(&in, 1 << 20);
	buf_init(&out, 1 << 20);
	for (size_t i = 0; i < n; i += piece) {
		some = n - i < piece ? n - i : piece;
		assert_int_equal(buf_put(&in, p + i, some), 0);
		while ((some = sftp_asker_filter(a, &in, false)) != 0) {
			/* No more than that is taken at once. */
			some = some > 3 ? 3 : some;
			assert_int_equal(buf_put(&out, buf_ptr(&in), some), 0);
			assert_int_equal(buf_skip(&in, some), 0);
			sftp_asker_passed(a, some);
		}
	}
	assert_int_equal(buf_len(&in), 0);
	assert_int_equal(buf_len(&out), nwanted);
	assert_memory_equal(buf_ptr(&out), wanted, nwanted);
	buf_free(&in);
	buf_free(&out);
}

#define VERSION	 "\0\0\0\5\2\0\0\0\3"
#define STATUS	 "\0\0\0\x11\x65\0\0\0\7\0\0\0\0\0\0\0\0\0\0\0\0"
#define ANSWER	 "\0\0\0\x0d\x69\xff\xff\xff\xff\0\0\0\0\0\0\0\0"
#define BYTES(s) (s), sizeof(s) - 1

static void
test_answer(void **state)
{
	struct sftp_asker a;
	struct buf out;

	(void)state;
	for (size_t piece = 1; piece < 60; piece++) {
		begin(&a);
		buf_init(&out, 1024);
		/* Not before the host has said its version. */
		a.at = 0;
		assert_int_equal(sftp_asker_ask(&a, &out), 0);
		assert_int_equal(buf_len(&out), 0);
		through(&a, BYTES(VERSION), piece, BYTES(VERSION));
		a.at = 0;
		assert_int_equal(sftp_asker_wait(&a, -1), 0);
		assert_int_equal(sftp_asker_ask(&a, &out), 0);
		assert_int_equal(buf_len(&out), 14);
		assert_memory_equal(buf_ptr(&out),
		    "\0\0\0\x0a\x11\xff\xff\xff\xff\0\0\0\1.", 14);
		/* One at a time. */
		a.at = 0;
		assert_int_equal(sftp_asker_wait(&a, -1), -1);
		assert_int_equal(sftp_asker_ask(&a, &out), 0);
		assert_int_equal(buf_len(&out), 14);
		/* The answer goes between others, that before it as well. */
		through(&a, BYTES(STATUS ANSWER STATUS STATUS), piece,
		    BYTES(STATUS STATUS STATUS));
		assert_false(a.asked);
		/* Whose question it was counts, not the number. */
		through(&a, BYTES(ANSWER STATUS), piece, BYTES(ANSWER STATUS));
		buf_free(&out);
	}
}

/* The question goes between packets of the program's only. */
static void
test_between(void **state)
{
	static const uint8_t said[] = STATUS "\0\0\0\0" STATUS;
	const size_t n = sizeof(said) - 1, one = sizeof(STATUS) - 1;
	struct sftp_asker a;

	(void)state;
	begin(&a);
	through(&a, BYTES(VERSION), 9, BYTES(VERSION));
	for (size_t i = 0; i <= n; i++) {
		bool between = i == 0 || i == one || i == one + 4 || i == n;

		a.at = 0;
		assert_int_equal(sftp_asker_wait(&a, 7), between ? 0 : 7);
		if (i < n)
			sftp_asker_sent(&a, said + i, 1);
	}
	sftp_asker_sent(&a, said, n);
	assert_in_range(sftp_asker_wait(&a, -1), 1, 60000);
	assert_int_equal(sftp_asker_wait(&a, 0), 0);
}

/* What is no packet passes at the end, and by TCP all does. */
static void
test_end(void **state)
{
	static const struct dest tcp = { .kind = DEST_TCP };
	struct conn c = { .is_sftp = true, .dest = &tcp };
	struct sftp_asker a;
	struct buf in;

	(void)state;
	buf_init(&in, 1024);
	begin(&a);
	assert_int_equal(buf_put(&in, "abc", 3), 0);
	assert_int_equal(sftp_asker_filter(&a, &in, false), 0);
	assert_int_equal(sftp_asker_filter(&a, &in, true), 3);
	sftp_asker_init(&a, &c);
	assert_int_equal(sftp_asker_filter(&a, &in, false), 3);
	a.at = 0;
	assert_int_equal(sftp_asker_wait(&a, -1), -1);
	buf_free(&in);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_between),
		cmocka_unit_test(test_end),
	};

	return cmocka_run_group_tests_name("sftp_asker", tests, NULL, NULL);
}
