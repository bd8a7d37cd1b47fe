/* SPDX-License-Identifier: ISC */
/* command: what a child asks to run, cut off, lied about and at its limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/privsep/privmsg.h"
#include "monitor/command.h"
#include "regress/unit/log_told.h"

#define ROOM 4194304

static struct buf b;

static int
begin(void **state)
{
	(void)state;
	buf_init(&b, ROOM);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	buf_free(&b);
	return 0;
}

static void
put(const char *text)
{
	assert_int_equal(buf_put_cstring(&b, text), 0);
}

static void
put_count(uint32_t n)
{
	assert_int_equal(buf_put_u32(&b, n), 0);
}

/* What it says of what was put, or of the first n bytes; nothing is left. */
static int
result_of(size_t n)
{
	struct command c;
	struct buf v;
	int r;

	buf_view(&v, buf_ptr(&b), n);
	if ((r = command_read(&v, &c)) == 0)
		command_free(&c);
	assert_null(c.name);
	assert_null(c.argv);
	assert_null(c.env);
	return r;
}

static void
test_whole(void **state)
{
	struct command c;

	(void)state;
	put("ls");
	put_count(2);
	put("-l");
	put("");
	put_count(1);
	put("A=b c");
	put("behind");
	assert_int_equal(command_read(&b, &c), 0);
	assert_string_equal(c.name, "ls");
	assert_ptr_equal(c.argv[0], c.name);
	assert_string_equal(c.argv[1], "-l");
	assert_string_equal(c.argv[2], "");
	assert_null(c.argv[3]);
	assert_string_equal(c.env[0], "A=b c");
	assert_null(c.env[1]);
	/* What is behind is somebody else's. */
	assert_int_equal(buf_len(&b), 4 + 6);
	command_free(&c);
	command_free(&c); /* may be done twice */
}

static void
test_least(void **state)
{
	struct command c;

	(void)state;
	put("");
	put_count(0);
	put_count(0);
	assert_int_equal(buf_len(&b), 12);
	assert_int_equal(command_read(&b, &c), 0);
	assert_string_equal(c.argv[0], "");
	assert_null(c.argv[1]);
	assert_null(c.env[0]);
	command_free(&c);
}

static void
test_cut(void **state)
{
	(void)state;
	put("/bin/touch");
	put_count(2);
	put("one");
	put("two");
	put_count(1);
	put("A=b");
	for (size_t i = 0; i < buf_len(&b); i++)
		assert_int_not_equal(result_of(i), 0);
	assert_int_equal(result_of(buf_len(&b)), 0);
}

/* Nothing is allocated by such a word. */
static void
test_counts_that_lie(void **state)
{
	static const uint32_t lies[] = { 2, 3, 0x40000000, 0x40000001,
		UINT32_MAX - 1, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		buf_reset(&b);
		put("x");
		put_count(lies[i]);
		put("one");
		assert_int_not_equal(result_of(buf_len(&b)), 0);
		buf_reset(&b);
		put("x");
		put_count(0);
		put_count(lies[i]);
		put("one");
		assert_int_not_equal(result_of(buf_len(&b)), 0);
	}
}

static void
test_too_many(void **state)
{
	(void)state;
	for (uint32_t more = 0; more < 2; more++) {
		buf_reset(&b);
		put("x");
		put_count(PRIV_ARGS_MAX + more);
		for (uint32_t i = 0; i < PRIV_ARGS_MAX + more; i++)
			put_count(0);
		put_count(0);
		assert_int_equal(result_of(buf_len(&b)),
		    more == 0 ? 0 : SKY_ERR_LIMIT);
	}
}

static void
test_too_long(void **state)
{
	static char text[PRIV_ARG_MAX + 2];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	for (int where = 0; where < 3; where++)
		for (size_t more = 0; more < 2; more++) {
			char *longest = text + 1 - more;

			buf_reset(&b);
			put(where == 0 ? longest : "x");
			put_count(where == 1);
			if (where == 1)
				put(longest);
			put_count(where == 2);
			if (where == 2)
				put(longest);
			assert_int_equal(result_of(buf_len(&b)),
			    more == 0 ? 0 : SKY_ERR_LIMIT);
		}
}

static void
test_nul(void **state)
{
	(void)state;
	for (int where = 0; where < 3; where++) {
		buf_reset(&b);
		assert_int_equal(buf_put_string(&b, "a\0b", where ? 1 : 3), 0);
		put_count(where == 1);
		if (where == 1)
			assert_int_equal(buf_put_string(&b, "a\0b", 3), 0);
		put_count(where == 2);
		if (where == 2)
			assert_int_equal(buf_put_string(&b, "a\0b", 3), 0);
		assert_int_equal(result_of(buf_len(&b)), SKY_ERR_FORMAT);
	}
}

/* --- what the log is told --- */

static void
told(const struct command *c, bool login, enum log_level level)
{
	*info = *debug = '\0';
	log_set_level(level);
	command_tell(c, "Command", login, 7, "joe");
}

/* Arguments may be secrets. */
static void
test_tell(void **state)
{
	static char name[] = "curl", arg[] = "--key", secret[] = "hush";
	char *argv[] = { name, arg, secret, NULL };
	const struct command c = { .name = name, .argv = argv };

	(void)state;
	told(&c, false, LOG_LEVEL_INFO);
	assert_string_equal(info, "Command started: curl, pid 7");
	assert_string_equal(debug, "");
	told(&c, false, LOG_LEVEL_DEBUG);
	assert_string_equal(debug, "Command arguments, pid 7: --key hush");
	told(&c, true, LOG_LEVEL_DEBUG);
	assert_string_equal(info, "Command started: login shell, pid 7");
	assert_string_equal(debug, "");
}

/* More than a line holds is cut. */
static void
test_tell_long(void **state)
{
	static char name[] = "x", text[3 * LOG_LINE_MAX];
	char *argv[] = { name, text, name, name, NULL };
	const struct command c = { .name = name, .argv = argv };

	(void)state;
	for (size_t n = LOG_LINE_MAX - 5; n < LOG_LINE_MAX + 5; n++) {
		memset(text, 'y', n);
		text[n] = '\0';
		told(&c, false, LOG_LEVEL_DEBUG);
		assert_true(strlen(debug) < LOG_LINE_MAX + 40);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_whole),
		TEST(test_least),
		TEST(test_cut),
		TEST(test_counts_that_lie),
		TEST(test_too_many),
		TEST(test_too_long),
		TEST(test_nul),
		TEST(test_tell),
		TEST(test_tell_long),
	};

	return cmocka_run_group_tests_name("mon_command", tests, NULL, NULL);
}
