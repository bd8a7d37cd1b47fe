/* SPDX-License-Identifier: ISC */
/* screen: what output makes of a terminal, and what takes it back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "common/base/screen.h"

static void
watch(struct screen *s, const char *text)
{
	screen_watch(s, (const uint8_t *)text, strlen(text));
}

static const char *
undo(const struct screen *s)
{
	static char text[SCREEN_UNDO_MAX + 1];

	text[screen_undo(s, text)] = '\0';
	return text;
}

static const struct {
	const char *output, *undo;
} cases[] = {
	{ "", "" },
	{ "plain \xc3\xa4\n\r\t\b\a", "" },
	/* Set, and set back by the program itself. */
	{ "\033[?1049h", "\033[?1049l" },
	{ "\033[?1049hvi\033[?1049l", "" },
	{ "\033[?47h\033[?1047h", "\033[?47l\033[?1047l" },
	{ "\033[?1000h\033[?1002;1003;1006h",
	    "\033[?1000l\033[?1002l\033[?1003l\033[?1006l" },
	{ "\033[?1000h\033[?1000l\033[?1006h", "\033[?1006l" },
	{ "\033[?2004h", "\033[?2004l" },
	{ "\033[?1004h\033[?2026h", "\033[?2026l\033[?1004l" },
	{ "\033[?25l", "\033[?25h" },
	{ "\033[?25l\033[?25h", "" },
	{ "\033[?7l", "\033[?7h" },
	{ "\033[?1h\033=", "\033>\033[?1l" },
	{ "\033[?1h\033=\033[?1l\033>", "" },
	{ "\033[4h", "\033[4l" },
	{ "\033[2;20r", "\0337\033[r\0338" },
	{ "\033[2;20r\033[r", "" },
	{ "\033[1;31m", "\033[m" },
	{ "\033[1;31m\033[0m", "" },
	{ "\033[38;5;0m", "\033[m" },
	{ "\033[38:2::1:2:3m\033[m", "" },
	{ "\033(0qqq", "\017\033(B" },
	{ "\033(0qqq\033(B", "" },
	{ "\016\017", "" },
	{ "\033[5 q", "\033[0 q" },
	{ "\033[5 q\033[0 q", "" },
	{ "\033[>4;2m", "\033[>4m" },
	{ "\033[>4;2m\033[>4m", "" },
	{ "\033[>1u\033[>3u", "\033[<2u" },
	{ "\033[>1u\033[>3u\033[<u\033[<9u", "" },
	{ "\033[=1u", "\033[=0u" },
	/* What only looks like it. */
	{ "[?1049h ?25l", "" },
	{ "\033[1049h\033[25l", "" },
	{ "\033[?1048h\033[?12h\033[?99999999999h\033[?34h", "" },
	{ "\033]0;\033", "\030" },
	{ "\033]0;[?1049h\a", "" },
	{ "\033]0;[?1049h\033\\", "" },
	{ "\033P[?1049h\033\\", "" },
	{ "\033[?1049\030h", "" },
	{ "\033[?1049$p\033[?25$p\033[!x\033[c\033[>c\033[6n", "" },
	{ "\033[s\033[u\033[10;10H\033[2J\033[K", "" },
	{ "\033[1;2;3;4;5;6;7;8;9;10;11;12m\033[m", "" },
	/* Cut off in the middle. */
	{ "\033[?10", "\030" },
	{ "\033", "\030" },
	{ "\033]0;title", "\033\\" },
	{ "\033[?25l\033[?104", "\030\033[?25h" },
	/* All at once. */
	{ "\033[?1049h\033[?25l\033[1m\033=\033c", "" },
	{ "\033[?1049h\033[?25l\033[1m\033=\033[4h\033[!p", "\033[?1049l" },
};

static void
test_undo(void **state)
{
	struct screen s;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&s, 0, sizeof(s));
		watch(&s, cases[i].output);
		assert_string_equal(undo(&s), cases[i].undo);
		/* It is what it says. */
		watch(&s, cases[i].undo);
		assert_string_equal(undo(&s), "");
	}
}

/* Output comes cut anywhere. */
static void
test_pieces(void **state)
{
	struct screen s;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&s, 0, sizeof(s));
		for (const char *p = cases[i].output; *p != '\0'; p++)
			screen_watch(&s, (const uint8_t *)p, 1);
		assert_string_equal(undo(&s), cases[i].undo);
	}
}

/* Whatever there is, it fits, and what is taken back stays so. */
static void
test_noise(void **state)
{
	static const char letters[] =
	    "\033\033\033[[[?><?=!  ;;::001124456779hhllmmrruuqqpc()0B\016\017"
	    "\030\a]P\\x";
	struct screen s = { .state = SCREEN_GROUND };
	char text[SCREEN_UNDO_MAX];
	uint8_t c;
	size_t n;

	(void)state;
	srandom(1);
	for (int i = 0; i < 2000000; i++) {
		c = (uint8_t)letters[(size_t)random() % (sizeof(letters) - 1)];
		screen_watch(&s, &c, 1);
		if (i % 1000 != 0)
			continue;
		n = screen_undo(&s, text);
		assert_true(n < SCREEN_UNDO_MAX - 32);
		screen_watch(&s, (const uint8_t *)text, n);
		assert_int_equal(screen_undo(&s, text), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_undo),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
