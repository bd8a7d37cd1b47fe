/* SPDX-License-Identifier: ISC */
/* What a page says in text, and what is typed instead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/http/http_text.h"

static bool
says(const char *text, struct http_said *said)
{
	return text_read(text, strlen(text), said);
}

static void
test_sizes(void **state)
{
	static const char *const wrong[] = {
		"{\"type\":\"resize\"}",
		"{\"type\":\"resize\",\"cols\":80}",
		"{\"type\":\"resize\",\"cols\":0,\"rows\":24}",
		"{\"type\":\"resize\",\"cols\":-1,\"rows\":24}",
		"{\"type\":\"resize\",\"cols\":65536,\"rows\":24}",
		"{\"type\":\"resize\",\"cols\":80.5,\"rows\":24}",
		"{\"type\":\"resize\",\"cols\":1e300,\"rows\":24}",
		"{\"type\":\"resize\",\"cols\":\"80\",\"rows\":24}",
		"{\"type\":\"resize\",\"cols\":[80],\"rows\":24}",
		"{\"type\":\"resize\",\"x\":{\"cols\":80,\"rows\":24}}",
	};
	struct http_said said;

	(void)state;
	assert_true(
	    says("{\"type\":\"resize\",\"cols\":80,\"rows\":24}", &said));
	assert_int_equal(said.what, SAID_RESIZE);
	assert_int_equal(said.cols, 80);
	assert_int_equal(said.rows, 24);
	assert_true(says("{ \"rows\" : 65535 , \"more\":[{}], \"cols\":1, "
			 "\"type\":\"resize\" }",
	    &said));
	assert_int_equal(said.what, SAID_RESIZE);
	assert_int_equal(said.cols, 1);
	assert_int_equal(said.rows, 65535);
	/* Nothing to go by, and never typed into a shell. */
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_true(says(wrong[i], &said));
		assert_int_equal(said.what, SAID_NOTHING);
	}
}

static void
test_acks(void **state)
{
	static const char *const wrong[] = {
		"{\"type\":\"ack\"}",
		"{\"type\":\"ack\",\"bytes\":-1}",
		"{\"type\":\"ack\",\"bytes\":1e16}",
		"{\"type\":\"ack\",\"bytes\":\"5\"}",
	};
	struct http_said said;

	(void)state;
	assert_true(says("{\"type\":\"ack\",\"bytes\":4294967296}", &said));
	assert_int_equal(said.what, SAID_ACK);
	assert_true(said.bytes == 4294967296);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_true(says(wrong[i], &said));
		assert_false(said.what == SAID_ACK && said.bytes != 0);
	}
}

static void
test_pings(void **state)
{
	static const char *const wrong[] = {
		"{\"type\":\"ping\"}",
		"{\"type\":\"ping\",\"id\":-1}",
		"{\"type\":\"ping\",\"id\":1e16}",
		"{\"type\":\"ping\",\"id\":\"5\"}",
	};
	struct http_said said;

	(void)state;
	assert_true(says("{\"type\":\"ping\",\"id\":0}", &said));
	assert_int_equal(said.what, SAID_PING);
	assert_true(says("{\"id\":4294967296,\"type\":\"ping\"}", &said));
	assert_int_equal(said.what, SAID_PING);
	assert_true(said.id == 4294967296);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_true(says(wrong[i], &said));
		assert_int_equal(said.what, SAID_NOTHING);
	}
}

static void
test_typed(void **state)
{
	static const char *const typed[] = { "", "ls\r", "{", "{}", "[]",
		"{\"type\":\"other\"}", "{\"type\":5}", "{\"type\":\"resize\"",
		"{\"type\":\"resize\",\"cols\":NaN,\"rows\":1}", "\"resize\"",
		" {\"type\":\"resize\"}", "{\"type\":\"resize\"} x",
		"{\"Type\":\"resize\"}", "{\"type\":\"resizeresizeresize\"}" };
	char deep[4096];
	struct http_said said;

	(void)state;
	for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++)
		assert_false(says(typed[i], &said));
	memset(deep, '[', sizeof(deep));
	memcpy(deep, "{\"a\":", 5);
	assert_false(text_read(deep, sizeof(deep), &said));
	assert_false(text_read("{\"type\":\"re\0size\"}", 18, &said));
}

static void
test_commands(void **state)
{
	static char one[] = "one=ls -l", two[] = "two=a=b", empty[] = "none=";
	const struct http_list l = { .word = { one, two, empty }, .n = 3 };
	static const char *const wrong[] = { "on", "onee", "one,three", "ONE",
		"one;two", "one two", "ls", ",one", "one,,two", "one=" };
	struct buf b;

	(void)state;
	buf_init(&b, 64);
	assert_true(text_commands(&l, "one", &b));
	assert_int_equal(buf_len(&b), 6);
	assert_memory_equal(buf_ptr(&b), "ls -l\n", 6);
	buf_reset(&b);
	assert_true(text_commands(&l, "two,one", &b));
	assert_memory_equal(buf_ptr(&b), "a=b && ls -l\n", 13);
	buf_reset(&b);
	assert_true(text_commands(&l, "", &b));
	assert_int_equal(buf_len(&b), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_false(text_commands(&l, wrong[i], &b));
		buf_reset(&b);
	}
	/* More than there is room for. */
	assert_false(text_commands(&l,
	    "one,one,one,one,one,one,one,one,one,one,one,one,one,one", &b));
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_acks),
		cmocka_unit_test(test_pings),
		cmocka_unit_test(test_typed),
		cmocka_unit_test(test_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
