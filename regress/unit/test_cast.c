/* SPDX-License-Identifier: ISC */
/* Asciicast: text of any bytes as that of JSON, and the lines around it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cast.h"
#include "common/base/err.h"

#define BAD "\xef\xbf\xbd"
#define MAX 4096

/* What there is in the buffer, as a string. */
static const char *
cast_said(struct buf *b)
{
	assert_int_equal(buf_put_u8(b, 0), 0);
	return (const char *)buf_ptr(b);
}

/* The bytes, cut after the first n, in one text with its end. */
static void
cast_try_cut(const char *bytes, size_t len, size_t n, char said[MAX])
{
	struct cast_text t = { .left = 0 };
	struct buf b;
	const char *line;
	char *out = said;

	buf_init(&b, MAX);
	assert_int_equal(cast_put_event(&b, 0, CAST_OUTPUT, &t, bytes, n), 0);
	assert_int_equal(
	    cast_put_event(&b, 0, CAST_OUTPUT, &t, bytes + n, len - n), 0);
	assert_int_equal(cast_put_end(&b, 0, CAST_OUTPUT, &t), 0);
	line = cast_said(&b);
	while (*line != '\0') {
		const char *end = strstr(line, "\"]\n");

		assert_non_null(end);
		assert_memory_equal(line, "[0.000000, \"o\", \"", 17);
		line += 17;
		memcpy(out, line, (size_t)(end - line));
		out += end - line;
		line = end + 3;
	}
	*out = '\0';
	buf_free(&b);
}

/* By table 3-8 of Unicode, and as Python's decoder does it. */
static const struct {
	const char *bytes;
	const char *text;
} texts[] = {
	{ "plain text", "plain text" },
	{ "a\"b\\c/d", "a\\\"b\\\\c/d" },
	{ "\r\n", "\\r\\n" },
	{ "\x1b[31m\t\x07\x7f", "\\u001b[31m\\u0009\\u0007\x7f" },
	{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
	    "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
	{ "\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf",
	    "\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf" },
	{ "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
	    "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf" },
	{ "\xed\x9f\xbf\xee\x80\x80", "\xed\x9f\xbf\xee\x80\x80" },
	/* A byte alone. */
	{ "\x80", BAD },
	{ "\xbf\x41", BAD "A" },
	{ "\xff\xfe", BAD BAD },
	{ "\xc3(", BAD "(" },
	/* Beginnings that do not go on: one for each. */
	{ "\xe2\x82"
	  "A",
	    BAD "A" },
	{ "\xe2\x82", BAD },
	{ "\xf0\x9f\x98", BAD },
	{ "\xf0\x9f\x98\xc3\xa4", BAD "\xc3\xa4" },
	{ "\xe2\xe2\x82\xac", BAD "\xe2\x82\xac" },
	{ "\xf1\x80\x80\xe1\x80\xc2\x41", BAD BAD BAD "A" },
	/* Overlong, surrogates, behind the last one: each byte by itself. */
	{ "\xc0\xaf", BAD BAD },
	{ "\xc1\xbf", BAD BAD },
	{ "\xe0\x80\xaf", BAD BAD BAD },
	{ "\xe0\x9f\xbf", BAD BAD BAD },
	{ "\xed\xa0\x80", BAD BAD BAD },
	{ "\xf0\x8f\xbf\xbf", BAD BAD BAD BAD },
	{ "\xf4\x90\x80\x80", BAD BAD BAD BAD },
	{ "\xf5\x80\x80\x80", BAD BAD BAD BAD },
};

/* Wherever the kernel cuts it. */
static void
test_text(void **state)
{
	char said[MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t len = strlen(texts[i].bytes);

		for (size_t n = 0; n <= len; n++) {
			cast_try_cut(texts[i].bytes, len, n, said);
			assert_string_equal(said, texts[i].text);
		}
	}
}

static void
test_nul(void **state)
{
	struct cast_text t = { .left = 0 };
	struct buf b;

	(void)state;
	buf_init(&b, MAX);
	assert_int_equal(
	    cast_put_event(&b, 61000001, CAST_INPUT, &t, "a\0b", 3), 0);
	assert_string_equal(cast_said(&b),
	    "[61.000001, \"i\", \"a\\u0000b\"]\n");
	buf_free(&b);
}

/* A line has a text; what is only begun makes none. */
static void
test_begun(void **state)
{
	struct cast_text t = { .left = 0 };
	struct buf b;

	(void)state;
	buf_init(&b, MAX);
	assert_int_equal(cast_put_event(&b, 1, CAST_OUTPUT, &t, "\xe2", 1), 0);
	assert_int_equal(cast_put_event(&b, 2, CAST_OUTPUT, &t, "\x82", 1), 0);
	assert_int_equal(cast_put_event(&b, 3, CAST_OUTPUT, &t, "", 0), 0);
	assert_int_equal(buf_len(&b), 0);
	assert_int_equal(cast_put_event(&b, 4, CAST_OUTPUT, &t, "\xac", 1), 0);
	assert_int_equal(cast_put_end(&b, 5, CAST_OUTPUT, &t), 0);
	assert_string_equal(cast_said(&b),
	    "[0.000004, \"o\", \"\xe2\x82\xac\"]\n");
	buf_free(&b);
}

/* As much as there can be at most fits into what is said to be needed. */
static void
test_growth(void **state)
{
	uint8_t bytes[256];
	struct cast_text t = { .left = 0 };
	struct buf b;

	(void)state;
	for (int c = 0; c < 256; c++) {
		memset(bytes, c, sizeof(bytes));
		buf_init(&b, sizeof(bytes) * CAST_GROWTH + CAST_EVENT);
		t.left = 0;
		assert_int_equal(cast_put_event(&b, INT64_MAX, CAST_OUTPUT, &t,
				     bytes, sizeof(bytes)),
		    0);
		buf_free(&b);
	}
	buf_init(&b, 20);
	assert_int_equal(cast_put_event(&b, 0, CAST_OUTPUT, &t, bytes, 256),
	    SKY_ERR_LIMIT);
	buf_free(&b);
}

static void
test_head(void **state)
{
	const struct cast_head all = { .columns = 80,
		.rows = 24,
		.time = 1700000000,
		.term = "xt\"erm",
		.shell = "/bin/sh",
		.command = "a\xff"
			   "b\xe2\x82",
		.title = "\x1b]0;x" };
	const struct cast_head none = { .columns = 1, .rows = 2, .time = 3 };
	const struct cast_head shell = { .columns = 1,
		.rows = 2,
		.time = 3,
		.shell = "/bin/sh" };
	struct buf b;

	(void)state;
	buf_init(&b, MAX);
	assert_int_equal(cast_put_head(&b, &all), 0);
	assert_string_equal(cast_said(&b),
	    "{\"version\": 2, \"width\": 80, \"height\": 24, "
	    "\"timestamp\": 1700000000, \"title\": \"\\u001b]0;x\", "
	    "\"command\": \"a" BAD "b" BAD "\", "
	    "\"env\": {\"TERM\": \"xt\\\"erm\", \"SHELL\": \"/bin/sh\"}}\n");
	buf_reset(&b);
	assert_int_equal(cast_put_head(&b, &none), 0);
	assert_string_equal(cast_said(&b),
	    "{\"version\": 2, \"width\": 1, \"height\": 2, \"timestamp\": 3, "
	    "\"env\": {}}\n");
	buf_reset(&b);
	assert_int_equal(cast_put_head(&b, &shell), 0);
	assert_string_equal(cast_said(&b),
	    "{\"version\": 2, \"width\": 1, \"height\": 2, \"timestamp\": 3, "
	    "\"env\": {\"SHELL\": \"/bin/sh\"}}\n");
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_begun),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
