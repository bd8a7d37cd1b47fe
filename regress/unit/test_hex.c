/* SPDX-License-Identifier: ISC */
/* hex: both ways, either case, and every kind of bad text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/err.h"
#include "common/base/hex.h"

static void
test_encode(void **state)
{
	const uint8_t in[] = { 0x00, 0x01, 0x9a, 0xbc, 0xde, 0xff };
	char text[2 * sizeof(in) + 2];

	(void)state;
	memset(text, 'x', sizeof(text));
	hex_encode(in, sizeof(in), text);
	assert_string_equal(text, "00019abcdeff");
	assert_int_equal(text[sizeof(text) - 1], 'x');
	hex_encode(in, 0, text);
	assert_string_equal(text, "");
}

static void
test_decode(void **state)
{
	const uint8_t want[] = { 0x01, 0x9a, 0xbc, 0xde, 0xf0, 0x55 };
	uint8_t got[sizeof(want)];

	(void)state;
	assert_int_equal(hex_decode("019abcdef0", got, 5), 0);
	assert_memory_equal(got, want, 5);
	got[5] = 0x55;
	assert_int_equal(hex_decode("019ABCDEF0", got, 5), 0);
	assert_memory_equal(got, want, 6);
	assert_int_equal(hex_decode("019aBcDeF0", got, 5), 0);
	assert_memory_equal(got, want, 6);
	assert_int_equal(hex_decode("", got, 0), 0);
	assert_memory_equal(got, want, 6);
}

static void
test_every_byte(void **state)
{
	const char digits[] = "0123456789abcdef";
	uint8_t in, out;
	char text[3];

	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		in = (uint8_t)i;
		hex_encode(&in, 1, text);
		assert_int_equal(text[0], digits[i / 16]);
		assert_int_equal(text[1], digits[i % 16]);
		assert_int_equal(hex_decode(text, &out, 1), 0);
		assert_int_equal(out, i);
	}
}

static void
test_length(void **state)
{
	const char text[] = "00112233445566778899";
	uint8_t out[11];

	(void)state;
	for (size_t n = 0; n <= 11; n++)
		assert_int_equal(hex_decode(text, out, n),
		    n == 10 ? 0 : SKY_ERR_FORMAT);
	assert_int_equal(hex_decode("0", out, 0), SKY_ERR_FORMAT);
	assert_int_equal(hex_decode("0", out, 1), SKY_ERR_FORMAT);
	assert_int_equal(hex_decode("000", out, 1), SKY_ERR_FORMAT);
	assert_int_equal(hex_decode("", out, 1), SKY_ERR_FORMAT);
}

/* Every character that is no digit, at every place. */
static void
test_bad_digits(void **state)
{
	char text[9];
	uint8_t out[5];

	(void)state;
	for (int c = 1; c < 256; c++) {
		if (strchr("0123456789abcdefABCDEF", c) != NULL)
			continue;
		for (size_t at = 0; at < 8; at++) {
			memcpy(text, "12345678", sizeof(text));
			memset(out, 0xaa, sizeof(out));
			text[at] = (char)c;
			assert_int_equal(hex_decode(text, out, 4),
			    SKY_ERR_FORMAT);
			assert_memory_equal(out, "\0\0\0\0\xaa", 5);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encode),
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_bad_digits),
	};

	return cmocka_run_group_tests_name("hex", tests, NULL, NULL);
}
