/* SPDX-License-Identifier: ISC */
/* socks: requests of versions 4, 4a and 5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/forward/socks.h"
#include "common/base/err.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define BYTES(s) (s), sizeof(s) - 1

/*
 * Reads as much as is asked for at a time: the last answer of socks_take(), and
 * how much of the text was taken.
 */
static int
feed(struct socks *s, const char *text, size_t n, size_t *used, struct buf *out)
{
	struct buf in;
	int r;

	memset(s, 0, sizeof(*s));
	buf_init(&in, SOCKS_MAX);
	*used = 0;
	while ((r = socks_take(s, &in, out)) > 0) {
		if ((size_t)r > n - *used)
			break;
		assert_int_equal(buf_put(&in, text + *used, (size_t)r), 0);
		*used += (size_t)r;
	}
	if (r == 0)
		assert_int_equal(buf_len(&in), 0);
	buf_free(&in);
	return r;
}

/* Whole, with something behind it; and each beginning is not enough. */
static void
asks_for(const char *text, size_t n, const char *host, uint16_t port,
    const char *said, size_t nsaid)
{
	char more[SOCKS_MAX];
	struct buf out, in;
	struct socks s;
	size_t used;

	buf_init(&out, SOCKS_ANSWER_MAX);
	memcpy(more, text, n);
	memset(more + n, 'x', 16);
	assert_int_equal(feed(&s, more, n + 16, &used, &out), 0);
	assert_int_equal(used, n);
	assert_string_equal(s.to.name, host);
	assert_int_equal(s.to.port, port);
	assert_false(s.to.is_path);
	assert_int_equal(buf_len(&out), nsaid);
	assert_memory_equal(buf_ptr(&out), said, nsaid);

	for (size_t i = 0; i < n; i++) {
		buf_reset(&out);
		assert_true(feed(&s, text, i, &used, &out) > 0);
	}
	/* All at once is the same, where nothing has to be said first. */
	memset(&s, 0, sizeof(s));
	buf_reset(&out);
	buf_view(&in, text, n);
	assert_int_equal(socks_take(&s, &in, &out), 0);
	assert_string_equal(s.to.name, host);
	buf_free(&out);
}

static void
test_4(void **state)
{
	(void)state;
	asks_for(BYTES("\4\1\0\120\300\0\2\1\0"), "192.0.2.1", 80, "", 0);
	asks_for(BYTES("\4\1\377\377\177\0\0\1root\0"), "127.0.0.1", 65535, "",
	    0);
	asks_for(BYTES("\4\1\0\120\0\0\0\1\0a.example\0"), "a.example", 80, "",
	    0);
	asks_for(BYTES("\4\1\0\120\0\0\0\377me\0b\0"), "b", 80, "", 0);
	/* That is an address, if an odd one. */
	asks_for(BYTES("\4\1\0\120\0\0\0\0me\0"), "0.0.0.0", 80, "", 0);
}

static void
test_5(void **state)
{
	(void)state;
	asks_for(BYTES("\5\1\0\5\1\0\1\300\0\2\1\0\120"), "192.0.2.1", 80,
	    BYTES("\5\0"));
	asks_for(BYTES("\5\3\2\1\0\5\1\0\3\11a.example\0\120"), "a.example", 80,
	    BYTES("\5\0"));
	asks_for(BYTES("\5\1\0\5\1\0\4\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1\1"
		       "\273"),
	    "2001:db8::1", 443, BYTES("\5\0"));
}

static void
refused(const char *text, size_t n, const char *said, size_t nsaid)
{
	struct buf out;
	struct socks s;
	size_t used;

	buf_init(&out, SOCKS_ANSWER_MAX);
	assert_true(feed(&s, text, n, &used, &out) < 0);
	assert_true(buf_len(&out) >= nsaid);
	assert_memory_equal(buf_ptr(&out) + buf_len(&out) - nsaid, said, nsaid);
	buf_free(&out);
}

static void
test_refused(void **state)
{
	(void)state;
	refused(BYTES("G"), "", 0);
	refused(BYTES("\0"), "", 0);
	refused(BYTES("\6\1\0"), "", 0);
	/* BIND, and a port of 0. */
	refused(BYTES("\4\2\0\120\300\0\2\1\0"), "", 0);
	refused(BYTES("\4\1\0\0\300\0\2\1\0"), "", 0);
	refused(BYTES("\4\1\0\120\0\0\0\1\0\0"), "", 0);
	/* No way without a password; none at all. */
	refused(BYTES("\5\1\2"), BYTES("\5\377"));
	refused(BYTES("\5\0"), BYTES("\5\377"));
	/* BIND, UDP, another version, no such type, names of 0 and with NUL. */
	refused(BYTES("\5\1\0\5\2\0\1\300\0\2\1\0\120"),
	    BYTES("\5\7\0\1"
		  "\0\0\0\0\0\0"));
	refused(BYTES("\5\1\0\5\3\0\1\300\0\2\1\0\120"),
	    BYTES("\5\7\0\1"
		  "\0\0\0\0\0\0"));
	refused(BYTES("\5\1\0\4\1\0\1\300\0\2\1\0\120"), BYTES("\5\0"));
	refused(BYTES("\5\1\0\5\1\0\2\300\0\2\1\0\120"),
	    BYTES("\5\10\0\1"
		  "\0\0\0\0\0\0"));
	refused(BYTES("\5\1\0\5\1\0\3\0\0\120"), BYTES("\5\0"));
	refused(BYTES("\5\1\0\5\1\0\3\3a\0b\0\120"), BYTES("\5\0"));
	refused(BYTES("\5\1\0\5\1\0\1\300\0\2\1\0\0"), BYTES("\5\0"));
}

/* Who he is, and the name of a host, may be so long and no longer. */
static void
test_long(void **state)
{
	char text[SOCKS_MAX] = "\4\1\0\120\0\0\0\1";
	struct buf out;
	struct socks s;
	size_t used;

	(void)state;
	memcpy(text, "\4\1\0\120\0\0\0\1", 8);
	buf_init(&out, SOCKS_ANSWER_MAX);
	for (size_t n = 254; n < 257; n++) {
		memset(text + 8, 'u', n);
		memcpy(text + 8 + n, "\0a", 3);
		assert_int_equal(feed(&s, text, n + 11, &used, &out),
		    n <= 255 ? 0 : SKY_ERR_LIMIT);
	}
	for (size_t n = 253; n < 257; n++) {
		memcpy(text + 8, "u", 2);
		memset(text + 10, 'h', n);
		text[10 + n] = '\0';
		assert_int_equal(feed(&s, text, n + 11, &used, &out),
		    n <= 254 ? 0 : SKY_ERR_LIMIT);
	}
	for (size_t n = 253; n < 256; n++) {
		memcpy(text, "\5\1\0\5\1\0\3", 7);
		text[7] = (char)n;
		memset(text + 8, 'h', n);
		memcpy(text + 8 + n, "\0\120", 2);
		assert_int_equal(feed(&s, text, n + 10, &used, &out),
		    n <= 254 ? 0 : SKY_ERR_FORMAT);
	}
	buf_free(&out);
}

static void
answer_is(int version, bool connected, const char *want, size_t n)
{
	struct socks s = { .version = version };
	struct buf out;

	buf_init(&out, SOCKS_ANSWER_MAX);
	assert_int_equal(socks_answer(&s, connected, &out), 0);
	assert_int_equal(buf_len(&out), n);
	assert_memory_equal(buf_ptr(&out), want, n);
	buf_free(&out);
}

static void
test_answers(void **state)
{
	(void)state;
	answer_is(4, true, BYTES("\0\132\0\0\0\0\0\0"));
	answer_is(4, false, BYTES("\0\133\0\0\0\0\0\0"));
	answer_is(5, true, BYTES("\5\0\0\1\0\0\0\0\0\0"));
	answer_is(5, false, BYTES("\5\1\0\1\0\0\0\0\0\0"));
	answer_is(0, false, "", 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_4),
		cmocka_unit_test(test_5),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
