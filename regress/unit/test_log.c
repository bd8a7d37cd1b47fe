/* SPDX-License-Identifier: ISC */
/* log: what reaches standard error, and that nothing unprintable does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/log.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Standard error goes into a pipe between begin() and end(). */
static struct {
	int saved, pipe[2];
	char text[8192];
} err;

static void
begin(void)
{
	assert_int_equal(pipe2(err.pipe, O_NONBLOCK | O_CLOEXEC), 0);
	assert_int_not_equal(err.saved = dup(STDERR_FILENO), -1);
	assert_int_not_equal(dup2(err.pipe[1], STDERR_FILENO), -1);
}

/* What was written. */
static const char *
end(void)
{
	ssize_t n;

	dup2(err.saved, STDERR_FILENO);
	close(err.saved);
	close(err.pipe[1]);
	n = read(err.pipe[0], err.text, sizeof(err.text) - 1);
	close(err.pipe[0]);
	err.text[n > 0 ? n : 0] = '\0';
	return err.text;
}

/* Exactly that line, behind our name and number; "" is none at all. */
static void
expect(const char *want)
{
	char line[8192];

	if (*want == '\0')
		*line = '\0';
	else
		snprintf(line, sizeof(line), "unit[%ld]: %s\n", (long)getpid(),
		    want);
	assert_string_equal(end(), line);
}

static int
reset(void **state)
{
	(void)state;
	log_init("unit", LOG_LEVEL_INFO, false);
	log_set_prefix("");
	return 0;
}

/* --- levels ----------------------------------------------------------- */

static void
test_levels(void **state)
{
	static void (*const all[])(const char *, ...) = { log_error, log_warn,
		log_info, log_debug };

	(void)state;
	for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
		log_set_level((enum log_level)level);
		assert_int_equal(log_get_level(), level);
		for (int i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_DEBUG; i++) {
			begin();
			all[i]("level %s", "text");
			expect(i <= level ? "level text" : "");
			begin();
			log_at((enum log_level)i, "%d", i);
			expect(i > level ? "" :
				i == 0	 ? "0" :
				i == 1	 ? "1" :
				i == 2	 ? "2" :
					   "3");
		}
	}
}

static void
test_init(void **state)
{
	(void)state;
	log_init("other", LOG_LEVEL_WARN, false);
	assert_int_equal(log_get_level(), LOG_LEVEL_WARN);
	begin();
	log_info("unseen");
	log_warn("seen");
	assert_non_null(strstr(end(), "]: seen\n"));
	assert_ptr_equal(strstr(err.text, "other["), err.text);
	assert_null(strstr(err.text, "unseen"));
}

/* How many of the four kinds of line that name lets through, worst first. */
static int
lines_at(const char *name)
{
	static void (*const all[])(const char *, ...) = { log_error, log_warn,
		log_info, log_debug };
	enum log_level level;
	int seen = 0;

	if (log_parse_level(name, &level) != 0)
		return 0;
	log_set_level(level);
	for (int i = 0; i < 4; i++) {
		begin();
		all[i]("x");
		if (*end() == '\0')
			continue;
		assert_int_equal(seen, i); /* what is worse is seen, too */
		seen++;
	}
	return seen;
}

/* The original's words, of which some are one here. */
static void
test_parse_level(void **state)
{
	static const char *const bad[] = { "", "INFO", "info ", " info", "inf",
		"infos", "2", "verbose" };
	enum log_level level;

	(void)state;
	assert_int_equal(lines_at("panic"), 1);
	assert_int_equal(lines_at("fatal"), lines_at("panic"));
	assert_int_equal(lines_at("error"), 1);
	assert_int_equal(lines_at("warn"), 2);
	assert_int_equal(lines_at("warning"), lines_at("warn"));
	assert_int_equal(lines_at("info"), 3);
	assert_int_equal(lines_at("debug"), 4);
	assert_int_equal(lines_at("trace"), lines_at("debug"));
	for (size_t i = 0; i < COUNT(bad); i++)
		for (level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG;
		     level++) {
			enum log_level was = level;

			assert_int_equal(log_parse_level(bad[i], &level),
			    SKY_ERR_FORMAT);
			assert_int_equal(level, was);
		}
}

/* --- what a line is made of ------------------------------------------- */

static void
test_escapes(void **state)
{
	static const struct {
		const char *text, *want;
	} table[] = {
		{ "plain ~ text", "plain ~ text" },
		{ "a\nb", "a\\012b" },
		{ "\r\n", "\\015\\012" },
		{ "\t", "\\011" },
		{ "\033[31mred\007", "\\033[31mred\\007" },
		{ "\177", "\\177" },
		{ "\xc3\xa9", "\\303\\251" },
		{ "\xff\x80\x9b", "\\377\\200\\233" },
		{ "\\", "\\\\" },
		{ "\\033", "\\\\033" }, /* no escape of ours */
		{ "%s%n", "%s%n" },
		{ "x\nunit[1]: forged", "x\\012unit[1]: forged" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		begin();
		log_info("%s", table[i].text);
		expect(table[i].want);
	}
	/* In the format itself as well. */
	begin();
	log_info("two\nlines %d\n", 7);
	expect("two\\012lines 7\\012");
}

/* Every byte but NUL: one line of printable characters. */
static void
test_every_byte(void **state)
{
	char text[256];
	const char *line;

	(void)state;
	for (size_t i = 0; i < 255; i++)
		text[i] = (char)(i + 1);
	text[255] = '\0';
	begin();
	log_info("%s", text);
	line = end();
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	for (const char *p = line; *p != '\n'; p++)
		assert_in_range(*p, ' ', '~');
	assert_non_null(strstr(line, "\\001\\002"));
	assert_non_null(strstr(line, "\\376\\377\n"));
}

/* A line of n such bytes: cut, and never in the middle of an escape. */
static void
check_long(char c, size_t n, size_t width)
{
	char text[4096], head[32];
	const char *line;
	size_t len;

	memset(text, c, n);
	text[n] = '\0';
	begin();
	log_info("%s", text);
	line = end();
	snprintf(head, sizeof(head), "unit[%ld]: ", (long)getpid());
	assert_ptr_equal(strstr(line, head), line);
	line += strlen(head);
	len = strlen(line) - 1;
	assert_int_equal(line[len], '\n');
	assert_in_range(len, 1, LOG_LINE_MAX - 1);
	assert_int_equal(len % width, 0);
	/* Nothing is cut that need not be. */
	if (n * width + 5 <= LOG_LINE_MAX)
		assert_int_equal(len, n * width);
	else
		assert_true(len > LOG_LINE_MAX - 10);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(line[i], width == 1 ? c : "\\001"[i % 4]);
}

static void
test_long_lines(void **state)
{
	(void)state;
	for (size_t n = 240; n <= 270; n++)
		check_long('\001', n, 4);
	for (size_t n = LOG_LINE_MAX - 10; n <= LOG_LINE_MAX + 10; n++)
		check_long('a', n, 1);
	check_long('\001', 4000, 4);
	check_long('a', 4000, 1);
}

static void
test_prefix(void **state)
{
	char prefix[300];
	const char *line;

	(void)state;
	log_set_prefix("127.0.0.1 port 40000");
	begin();
	log_info("hello %d", 1);
	expect("127.0.0.1 port 40000: hello 1");
	/* It is copied, escaped, and no format. */
	strcpy(prefix, "a\nb%s");
	log_set_prefix(prefix);
	strcpy(prefix, "other");
	begin();
	log_info("x");
	expect("a\\012b%s: x");
	log_set_prefix("");
	begin();
	log_info("x");
	expect("x");
	/* A long one is cut and leaves room for the line. */
	memset(prefix, 'p', sizeof(prefix) - 1);
	prefix[sizeof(prefix) - 1] = '\0';
	log_set_prefix(prefix);
	begin();
	log_info("END");
	line = end();
	assert_string_equal(line + strlen(line) - 7, "p: END\n");
	assert_in_range(strlen(line), 100, 160);
}

/* Before the prefix, which has a limit of its own. */
static void
test_id(void **state)
{
	(void)state;
	log_set_prefix("peer");
	log_set_id(UINT64_C(0xab));
	begin();
	log_info("x");
	expect("00000000000000ab peer: x");
	log_set_id(UINT64_MAX);
	begin();
	log_info("x");
	expect("ffffffffffffffff peer: x");
	log_set_id(0);
	begin();
	log_info("x");
	expect("peer: x");
	log_set_prefix("");
}

/* Nobody who reads: nothing happens. */
static void
test_closed(void **state)
{
	int saved = dup(STDERR_FILENO);

	(void)state;
	close(STDERR_FILENO);
	log_error("into nowhere");
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	close(saved);
}

static void
test_syslog(void **state)
{
	(void)state;
	log_init("unit", LOG_LEVEL_INFO, true);
	begin();
	log_debug("not even there");
	log_info("a line of skypty's unit tests");
	expect("");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_levels, reset),
		cmocka_unit_test_setup(test_init, reset),
		cmocka_unit_test_setup(test_parse_level, reset),
		cmocka_unit_test_setup(test_escapes, reset),
		cmocka_unit_test_setup(test_every_byte, reset),
		cmocka_unit_test_setup(test_long_lines, reset),
		cmocka_unit_test_setup(test_prefix, reset),
		cmocka_unit_test_setup(test_id, reset),
		cmocka_unit_test_setup(test_closed, reset),
		cmocka_unit_test_setup(test_syslog, reset),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
