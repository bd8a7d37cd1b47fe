/* SPDX-License-Identifier: ISC */
/* visible: every byte and every character, alone and cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/visible.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *text, *shown;
} texts[] = {
	{ "", "" },
	{ "plain ~!", "plain ~!" },
	{ "a\\b", "a\\\\b" },
	{ "\n\t\r\a\b\v\f", "\\n\\t\\r\\a\\b\\v\\f" },
	{ "\033[2J\177", "\\033[2J\\177" },
	{ "gr\xc3\xbcn \xe6\xbc\xa2 \xf0\x9f\x99\x82 e\xcc\x81",
	    "gr\xc3\xbcn \xe6\xbc\xa2 \xf0\x9f\x99\x82 e\xcc\x81" },
	{ "\xc2\x80\xc2\x9b\xc2\x9f", "\\u0080\\u009b\\u009f" },
	{ "\xc2\xa0\xc2\xad\xc2\xa1", "\\u00a0\\u00ad\xc2\xa1" },
	{ "\xe2\x80\xae\xe2\x80\x8b\xe2\x81\xa6\xe2\x80\xa8\xef\xbb\xbf",
	    "\\u202e\\u200b\\u2066\\u2028\\ufeff" },
	{ "\xd8\x9c\xe3\x85\xa4\xef\xb8\x8f\xee\x80\x80\xef\xbf\xbd",
	    "\\u061c\\u3164\\ufe0f\\ue000\\ufffd" },
	{ "\xf3\xa0\x80\x81\xf4\x8f\xbf\xbd", "\\U000e0001\\U0010fffd" },
	/* Bytes that are no UTF-8. */
	{ "\x80\x9b\xff", "\\200\\233\\377" },
	{ "\xc0\x80\xc1\xbf", "\\300\\200\\301\\277" },
	{ "\xe0\x9f\xbf\xf0\x8f\xbf\xbf",
	    "\\340\\237\\277\\360\\217\\277\\277" },
	{ "\xed\xa0\x80\xed\xbf\xbf", "\\355\\240\\200\\355\\277\\277" },
	{ "\xf4\x90\x80\x80\xf5\x80", "\\364\\220\\200\\200\\365\\200" },
	{ "\xc3\x28\xe6\xbc\x1b", "\\303(\\346\\274\\033" },
	{ "\xe6\xbc", "\\346\\274" },
	{ "\xf0\x9f\x99", "\\360\\237\\231" },
};

static void
test_texts(void **state)
{
	char out[256];
	size_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		n = visible_text(out, sizeof(out), texts[i].text,
		    strlen(texts[i].text), VISIBLE_SLASH);
		assert_string_equal(out, texts[i].shown);
		assert_int_equal(n, strlen(out));
		/* Shown again it is the same, but for slashes. */
		if (strchr(texts[i].text, '\\') != NULL)
			continue;
		visible_text(out, sizeof(out), texts[i].shown,
		    strlen(texts[i].shown), 0);
		assert_string_equal(out, texts[i].shown);
	}
	visible_text(out, sizeof(out), "a\0b\\", 4, 0);
	assert_string_equal(out, "a\\000b\\");
}

/* Nothing is cut in two, and nothing grows more than is said. */
static void
test_sizes(void **state)
{
	char out[256], whole[256];
	size_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		n = strlen(texts[i].text);
		visible_text(whole, sizeof(whole), texts[i].text, n,
		    VISIBLE_SLASH);
		assert_true(strlen(whole) <= VISIBLE_GROWTH * n);
		for (size_t size = 1; size <= strlen(whole) + 1; size++) {
			memset(out, 'x', sizeof(out));
			n = visible_text(out, size, texts[i].text,
			    strlen(texts[i].text), VISIBLE_SLASH);
			assert_true(n < size);
			assert_int_equal(out[n], '\0');
			assert_int_equal(out[size], 'x');
			assert_memory_equal(out, whole, n);
			assert_false((out[n - (n > 0)] & 0xc0) == 0xc0);
		}
		assert_string_equal(out, whole);
	}
	assert_int_equal(visible_text(out, 0, "a", 1, 0), 0);
}

static size_t
encode(uint32_t code, char out[5])
{
	size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

	for (size_t i = n; i-- > 1; code >>= 6)
		out[i] = (char)(0x80 | (code & 0x3f));
	out[0] = (char)(n == 1 ? code : (0xf00U >> n & 0xff) | code);
	out[n] = '\0';
	return n;
}

/* Every character is either shown as it is or as ASCII. */
static void
test_all(void **state)
{
	char in[5], out[32];
	size_t n, hidden = 0;

	(void)state;
	for (uint32_t code = 1; code <= 0x10ffff; code++) {
		n = encode(code, in);
		visible_text(out, sizeof(out), in, n, 0);
		if (strcmp(in, out) == 0)
			continue;
		hidden++;
		for (const char *s = out; *s != '\0'; s++)
			assert_true(*s > ' ' && *s <= '~');
		assert_int_equal(out[0], '\\');
	}
	/* Mostly those that are nobody's. */
	assert_true(hidden > 137468 && hidden < 210000);
	setenv("LC_ALL", "C", 1);
	for (uint32_t code = 1; code <= 0x10ffff; code++) {
		n = encode(code, in);
		visible_text(out, sizeof(out), in, n, 0);
		for (const char *s = out; *s != '\0'; s++)
			assert_true(*s >= ' ' && *s <= '~');
	}
	setenv("LC_ALL", "de_DE.utf8", 1);
	visible_text(out, sizeof(out), "\xc3\xbc", 2, 0);
	assert_string_equal(out, "\xc3\xbc");
	setenv("LC_ALL", "", 1);
	setenv("LANG", "de_DE", 1);
	visible_text(out, sizeof(out), "\xc3\xbc", 2, 0);
	assert_string_equal(out, "\\303\\274");
	unsetenv("LANG");
}

static void
test_json(void **state)
{
	static const char text[] = "{\"a\":\"\177\xc2\x9b\xe2\x80\xae\xc3\xbc"
				   "\xf3\xa0\x80\x81\xff\\u001b\"}\r\n\t";
	static const char shown[] = "{\"a\":\"\\u007f\\u009b\\u202e\xc3\xbc"
				    "\\udb40\\udc01\\ufffd\\u001b\"} \n ";
	struct buf b;

	(void)state;
	buf_init(&b, 256);
	assert_int_equal(visible_json(&b, text, sizeof(text) - 1), 0);
	assert_int_equal(buf_len(&b), sizeof(shown) - 1);
	assert_memory_equal(buf_ptr(&b), shown, sizeof(shown) - 1);
	buf_free(&b);
	buf_init(&b, 4);
	assert_true(visible_json(&b, text, sizeof(text) - 1) != 0);
	buf_free(&b);
}

static void
test_columns(void **state)
{
	size_t cut;

	(void)state;
	assert_int_equal(visible_columns("abc", 10, &cut), 3);
	assert_int_equal(cut, 3);
	assert_int_equal(visible_columns("abc", 2, &cut), 2);
	assert_int_equal(cut, 2);
	assert_int_equal(visible_columns("\xc3\xbc\xe6\xbc\xa2x", 2, &cut), 1);
	assert_int_equal(cut, 2);
	assert_int_equal(visible_columns("\xc3\xbc\xe6\xbc\xa2x", 3, &cut), 3);
	assert_int_equal(cut, 5);
	assert_int_equal(visible_columns("", 3, &cut), 0);
	assert_int_equal(cut, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_columns),
	};

	unsetenv("LC_ALL");
	unsetenv("LC_CTYPE");
	unsetenv("LANG");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
