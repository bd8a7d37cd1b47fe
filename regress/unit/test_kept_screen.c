/* SPDX-License-Identifier: ISC */
/*
 * The screen of a session: what is drawn at a terminal that has seen nothing,
 * whatever has been printed and wherever it was cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "daemon/keeper/keeper_screen.h"

#define DRAW_MAX (2 * KSCREEN_DRAW_MAX)

static char replied[256];

static void
reply(void *arg, const char *p, size_t n)
{
	size_t len = strlen(replied);

	(void)arg;
	assert_true(len + n < sizeof(replied));
	memcpy(replied + len, p, n);
	replied[len + n] = '\0';
}

static struct kscreen *new (unsigned rows, unsigned cols)
{
	struct kscreen *k = kscreen_new(rows, cols, reply, NULL);

	assert_non_null(k);
	replied[0] = '\0';
	return k;
}

static void
watch(struct kscreen *k, const char *text)
{
	kscreen_watch(k, (const uint8_t *)text, strlen(text));
}

/* To be freed. */
static char *
draw(const struct kscreen *k)
{
	struct buf b;
	char *text;

	buf_init(&b, DRAW_MAX);
	assert_int_equal(kscreen_draw(k, &b), 0);
	text = strndup((const char *)buf_ptr(&b), buf_len(&b));
	assert_non_null(text);
	assert_int_equal(strlen(text), buf_len(&b));
	buf_free(&b);
	return text;
}

static void
assert_draws(const struct kscreen *k, const char *what)
{
	char *text = draw(k);

	if (strstr(text, what) == NULL)
		fail_msg("no '%s' in '%s'", what + 1, text + 1);
	free(text);
}

/* --- wherever it was cut --- */

static const char whole[] =
    "plain\r\n\033[1;31mred\033[m \033[38;5;200mx\033[48;2;1;2;3my\033[0m\r\n"
    "\303\244\342\202\254\344\275\240 \033(0lqk\033(B\r\n"
    "\033]0;a title\007\033[?1h\033=\033[?2004h\033[5 q"
    "\033]2;other\033\\\033[4;20r\033[10;5Hthere\033[s"
    "\033[?1049h\033[2J\033[3;3H\033[7mother screen\033[27m\033[?25l"
    "\033[?1000;1006h\033[12;1H--\033[9b";

static void
test_cut(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof(whole); n++) {
		struct kscreen *first = new (24, 80), *second = new (24, 80);
		char *drawn, *one, *two;

		kscreen_watch(first, (const uint8_t *)whole, n);
		drawn = draw(first);
		watch(second, drawn);
		free(drawn);
		watch(first, whole + n);
		watch(second, whole + n);
		one = draw(first);
		two = draw(second);
		if (kscreen_is_whole())
			assert_string_equal(one, two);
		free(one);
		free(two);
		kscreen_free(first);
		kscreen_free(second);
	}
}

/* --- modes, which are read in any case --- */

static const struct {
	const char *printed, *drawn;
} cases[] = {
	{ "\033[?1049h", "\033[?1049h" },
	{ "\033[?1h", "\033[?1h" },
	{ "\033=", "\033=" },
	{ "\033[?25l", "\033[?25l" },
	{ "\033[?7l", "\033[?7l" },
	{ "\033[?2004h\033[?1004h", "\033[?1004h\033[?2004h" },
	{ "\033[?1002;1006h", "\033[?1002h\033[?1006h" },
	{ "\033[3;9r", "\033[3;9r" },
	{ "\033[3r", "\033[3;r" },
	{ "\033[5 q", "\033[5 q" },
	{ "\033[4h", "\033[4h" },
	{ "\033(0", "\033(0" },
	{ "\033)0\016", "\033)0\016" },
	{ "\033[>4;2m", "\033[>4;2m" },
	{ "\033[>5u", "\033[>5u" },
	/* In the midst of one, and of a character. */
	{ "\033[1;3", "\033[1;3" },
	{ "\342\202", "\342\202" },
	{ "\033]52;c;0123456789012345678901234567890123456789012345678901234"
	  "567890123456789",
	    "\033]99999;" },
};

static void
test_modes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kscreen *k = new (24, 80);

		watch(k, cases[i].printed);
		assert_draws(k, cases[i].drawn);
		kscreen_free(k);
	}
}

/* Nothing is drawn that a terminal answers, rings for or writes down. */
static void
test_harmless(void **state)
{
	static const char *const asked[] = { "\033[c", "\033[6n", "\033[>c",
		"\033[x", "\033[18t", "\033]10;?\007", "\033]52;c;eA==\007",
		"\033P$qm\033\\", "\033[?2026h", "\005", "\007" };
	struct kscreen *k = new (24, 80);
	char *text;

	(void)state;
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		watch(k, asked[i]);
	watch(k, "seen");
	text = draw(k);
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		assert_null(strstr(text, asked[i]));
	assert_non_null(strstr(text, "seen"));
	free(text);
	kscreen_free(k);
}

static void
test_title(void **state)
{
	struct kscreen *k = new (24, 80);
	char many[1000] = "\033]2;";

	(void)state;
	assert_string_equal(kscreen_title(k), "");
	watch(k, "\033]1;icon\007");
	assert_string_equal(kscreen_title(k), "");
	watch(k, "\033]0;one\007\033]2;tw");
	assert_string_equal(kscreen_title(k), "one");
	watch(k, "o\033\\");
	assert_string_equal(kscreen_title(k), "two");
	/* No control gets through, of either half. */
	watch(k, "\033]2;a\001\302\234b\tc\007");
	for (const char *p = kscreen_title(k); *p != '\0'; p++)
		assert_in_range(*p, ' ', '~');
	memset(many + 4, 'x', sizeof(many) - 6);
	many[sizeof(many) - 2] = '\007';
	watch(k, many);
	assert_in_range(strlen(kscreen_title(k)), 100, KSCREEN_TITLE - 1);
	kscreen_free(k);
}

/* What would have libvterm work for ever, or for long. */
static void
test_counts(void **state)
{
	static const char *const texts[] = { "\033[5b", "\033[999999999b",
		"x\033[999999999b", "\033[999999999S", "\033[999999999I",
		"\033[2147483647P", "\r\314\201\033[5b", "\033\202[5b",
		"\033%@\233"
		"5b" };
	struct kscreen *k = new (24, 80);
	char *text;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		watch(k, texts[i]);
		for (const char *p = texts[i]; *p != '\0'; p++)
			kscreen_watch(k, (const uint8_t *)p, 1);
	}
	text = draw(k);
	free(text);
	kscreen_free(k);
}

/* --- with libvterm --- */

static void
test_drawn(void **state)
{
	struct kscreen *k;

	(void)state;
	if (!kscreen_is_whole())
		skip();
	k = new (5, 20);
	watch(k, "one\r\ntwo\033[4;7Hthere\033[1;44m!\033[m\033[2;2H");
	assert_draws(k, "\033[1;1Hone");
	assert_draws(k, "\033[2;1Htwo");
	assert_draws(k, "\033[4;1H      there\033[0;1;44m!");
	assert_draws(k, "\033[2;2H");
	/* What has scrolled away is gone. */
	watch(k, "\033[5;1H\n\n");
	assert_draws(k, "\033[2;1H      there");
	assert_string_equal(replied, "");
	watch(k, "\033[6n");
	assert_string_equal(replied, "\033[5;1R");
	replied[0] = '\0';
	kscreen_free(k);
}

static void
test_other_screen(void **state)
{
	struct kscreen *k;

	(void)state;
	if (!kscreen_is_whole())
		skip();
	k = new (5, 20);
	watch(k, "first");
	assert_false(kscreen_is_other(k));
	watch(k, "\033[?1049h\033[Hsecond");
	assert_true(kscreen_is_other(k));
	assert_false(kscreen_came_back(k));
	assert_draws(k, "\033[1;1Hsecond");
	watch(k, "\033[?1049l");
	assert_false(kscreen_is_other(k));
	assert_true(kscreen_came_back(k));
	assert_false(kscreen_came_back(k));
	assert_draws(k, "\033[1;1Hfirst");
	kscreen_free(k);
}

static void
test_size(void **state)
{
	static const unsigned sizes[][2] = { { 0, 0 }, { 1, 1 }, { 300, 500 },
		{ 65535, 65535 }, { 2, 500 }, { 300, 2 } };
	struct kscreen *k = new (24, 80);
	char *text;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		kscreen_resize(k, sizes[i][0], sizes[i][1]);
		for (int n = 0; n < 400; n++)
			watch(k, "\033[1;38;2;9;8;7mmuch of it\r\n");
		watch(k, "\033[999;999Hx\344\275\240\033[?1049h\033[?1049l");
		text = draw(k);
		assert_true(strlen(text) < DRAW_MAX);
		free(text);
	}
	kscreen_free(k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_harmless),
		cmocka_unit_test(test_title),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_drawn),
		cmocka_unit_test(test_other_screen),
		cmocka_unit_test(test_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
