/* SPDX-License-Identifier: ISC */
/* modes: there and back, RFC 4254's order, and what a host leaves alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/pty/modes.h"

#define IN_AT  18
#define LO_AT  20
#define OUT_AT 22

static void
test_order(void **state)
{
	struct termios t = { .c_iflag = ICRNL | IXON | IUTF8,
		.c_lflag = ISIG | ECHO,
		.c_oflag = OPOST | ONLCR };
	uint8_t modes[MODES_LEN];

	(void)state;
	t.c_cc[VINTR] = 0x03;
	t.c_cc[VERASE] = 0x08;
	t.c_cc[VSUSP] = 0x1a;
	modes_get(&t, modes);
	assert_int_equal(modes[0], 0x03); /* 1: VINTR */
	assert_int_equal(modes[1], 255);  /* 2: VQUIT, none */
	assert_int_equal(modes[2], 0x08); /* 3: VERASE */
	assert_int_equal(modes[9], 0x1a); /* 10: VSUSP */
	assert_int_equal(modes[10], 255); /* 11: VDSUSP */
	/* 36: ICRNL, 38: IXON, 42: IUTF8 */
	assert_int_equal(modes[IN_AT] << 8 | modes[IN_AT + 1],
	    1 << 6 | 1 << 8 | 1 << 12);
	/* 50: ISIG, 53: ECHO */
	assert_int_equal(modes[LO_AT] << 8 | modes[LO_AT + 1], 1 | 1 << 3);
	/* 70: OPOST, 72: ONLCR */
	assert_int_equal(modes[OUT_AT], 1 | 1 << 2);
}

static void
test_round(void **state)
{
	struct termios t = { 0 };
	uint8_t modes[MODES_LEN], again[MODES_LEN];

	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		memset(modes, (int)i, sizeof(modes));
		modes_set(&t, modes);
		modes_get(&t, again);
		modes_set(&t, again);
		modes_get(&t, modes);
		assert_memory_equal(modes, again, sizeof(modes));
		/* Zero is no character here, and none is 255 there. */
		assert_int_equal(again[0], i == 0 ? 255 : i);
		assert_int_equal(again[OUT_AT], i & 0x3f);
	}
}

static void
test_left_alone(void **state)
{
	static const uint8_t modes[MODES_LEN];
	struct termios t;

	(void)state;
	memset(&t, 0xff, sizeof(t));
	modes_set(&t, modes);
	assert_int_equal(t.c_cflag, (tcflag_t)-1);
	assert_int_equal(t.c_cc[VMIN], 0xff);
	assert_int_equal(t.c_cc[VTIME], 0xff);
	assert_int_equal(t.c_cc[VINTR], _POSIX_VDISABLE);
	assert_int_equal(t.c_iflag & (IGNBRK | BRKINT), IGNBRK | BRKINT);
	assert_int_equal(t.c_iflag & IUTF8, 0);
	assert_int_equal(t.c_lflag & (ISIG | ICANON | ECHO), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
