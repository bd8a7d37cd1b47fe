/* SPDX-License-Identifier: ISC */
/* json: every event of good texts, and every kind of bad text refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/json.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ROOM	 (1024U * 1024)

/* What a handler has seen, as text. */
struct trace {
	struct buf log;
	const char *text; /* what is parsed, to show spans of */
	bool spans;
	size_t events;
	size_t stop_at; /* the event to fail at, from 1 */
	int with;	/* what with */
};

static void
add(struct trace *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
add(struct trace *t, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	assert_int_equal(buf_put(&t->log, text, strlen(text)), 0);
}

static void
check_event(const struct json_event *e)
{
	assert_in_range(e->type, JSON_NULL, JSON_END);
	assert_in_range(e->depth, 0, JSON_DEPTH_MAX);
	assert_non_null(e->path);
	if (e->type == JSON_STRING || e->type == JSON_NUMBER) {
		assert_non_null(e->text);
		assert_int_equal(strlen(e->text), e->len);
	} else
		assert_null(e->text);
}

static int
on_event(void *arg, const struct json_event *e)
{
	static const char names[] = "0bns{[.";
	struct trace *t = arg;

	check_event(e);
	add(t, "%c%d %s", names[e->type], e->depth, e->path);
	if (e->key != NULL)
		add(t, " key %s", e->key);
	else if (e->depth > 0)
		add(t, " index %zu", e->index);
	if (e->text != NULL)
		add(t, " <%s>", e->text);
	if (e->type == JSON_BOOL)
		add(t, " %s", e->truth ? "true" : "false");
	if (t->spans && (e->type == JSON_NULL || e->type == JSON_OBJECT ||
		e->type == JSON_ARRAY))
		add(t, " `%.*s`", (int)(e->end - e->start),
		    t->text + e->start);
	if (t->spans)
		add(t, " rest `%s`", t->text + e->end);
	add(t, "\n");
	return ++t->events == t->stop_at ? t->with : 0;
}

static int
parse_n(struct trace *t, const char *text, size_t n, char *why, size_t len)
{
	char *copy = malloc(n > 0 ? n : 1);
	int r;

	/* Exactly as long as it is said to be, for the sanitizer. */
	assert_non_null(copy);
	memcpy(copy, text, n);
	buf_init(&t->log, ROOM);
	t->text = text;
	t->events = 0;
	if (why != NULL)
		snprintf(why, len, "untouched");
	r = json_parse(copy, n, on_event, t, why, len);
	free(copy);
	return r;
}

/* Parses text, which must be good, and compares what was told. */
static void
expect(const char *text, bool spans, const char *want)
{
	struct trace t = { .spans = spans };
	char why[256];

	assert_int_equal(
	    parse_n(&t, text, strlen(text), why, sizeof(why)), 0);
	assert_string_equal(why, "untouched");
	assert_int_equal(buf_put_u8(&t.log, 0), 0);
	assert_string_equal((const char *)buf_ptr(&t.log), want);
	buf_free(&t.log);
}

static void
refuse_n(const char *text, size_t n, int error, const char *part)
{
	struct trace t = { 0 };
	char why[256];

	assert_int_equal(parse_n(&t, text, n, why, sizeof(why)), error);
	buf_free(&t.log);
	if (strncmp(why, "line ", 5) != 0 || strstr(why, part) == NULL)
		fail_msg("\"%s\": %s, without \"%s\"", text, why, part);
	/* And without anywhere to tell it. */
	assert_int_equal(parse_n(&t, text, n, NULL, 0), error);
	buf_free(&t.log);
}

static void
refuse(const char *text, const char *part)
{
	refuse_n(text, strlen(text), ERR_FORMAT, part);
}

/* --- what is told ---------------------------------------------------------- */

static void
test_scalars(void **state)
{
	(void)state;
	expect("null", true, "00  `null` rest ``\n");
	expect("true", true, "b0  true rest ``\n");
	expect(" false ", true, "b0  false rest ` `\n");
	expect("\"\"", true, "s0  <> rest ``\n");
	expect("-12.5e+3", false, "n0  <-12.5e+3>\n");
	expect("12345678901234567890123", false,
	    "n0  <12345678901234567890123>\n");
}

static void
test_containers(void **state)
{
	(void)state;
	expect("{}", true, "{0  `{` rest `}`\n.0  rest ``\n");
	expect("[]\n", true, "[0  `[` rest `]\n`\n.0  rest `\n`\n");
	expect("{\"a\":[1,[],{\"b\":null}],\"c\":{}}", false,
	    "{0 \n"
	    "[1 a key a\n"
	    "n2 a[0] index 0 <1>\n"
	    "[2 a[1] index 1\n"
	    ".2 a[1] index 1\n"
	    "{2 a[2] index 2\n"
	    "03 a[2].b key b\n"
	    ".2 a[2] index 2\n"
	    ".1 a key a\n"
	    "{1 c key c\n"
	    ".1 c key c\n"
	    ".0 \n");
	expect("[[\"x\"],true]", false,
	    "[0 \n"
	    "[1 [0] index 0\n"
	    "s2 [0][0] index 0 <x>\n"
	    ".1 [0] index 0\n"
	    "b1 [1] index 1 true\n"
	    ".0 \n");
}

/* Where values begin and end, whatever stands between them. */
static void
test_spans(void **state)
{
	(void)state;
	expect("\t{ \"a\" :\n null , \"b\":\"x\",\"c\":12 }\r\n", true,
	    "{0  `{` rest ` \"a\" :\n null , \"b\":\"x\",\"c\":12 }\r\n`\n"
	    "01 a key a `null` rest ` , \"b\":\"x\",\"c\":12 }\r\n`\n"
	    "s1 b key b <x> rest `,\"c\":12 }\r\n`\n"
	    "n1 c key c <12> rest ` }\r\n`\n"
	    ".0  rest `\r\n`\n");
	expect("{\"\xc3\xa9\":[ 1 ],\"b\":0}", true,
	    "{0  `{` rest `\"\xc3\xa9\":[ 1 ],\"b\":0}`\n"
	    "[1 \xc3\xa9 key \xc3\xa9 `[` rest ` 1 ],\"b\":0}`\n"
	    "n2 \xc3\xa9[0] index 0 <1> rest ` ],\"b\":0}`\n"
	    ".1 \xc3\xa9 key \xc3\xa9 rest `,\"b\":0}`\n"
	    "n1 b key b <0> rest `}`\n"
	    ".0  rest ``\n");
}

static void
test_escapes(void **state)
{
	(void)state;
	expect("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20ac"
	       "\\ud83d\\ude00\"",
	    false,
	    "s0  <\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80>\n");
	expect("{\"\\u0061\":1}", false, "{0 \nn1 a key a <1>\n.0 \n");
	refuse("\"\\x41\"", "");
	refuse("\"\\u12g4\"", "");
	refuse("\"\\u12\"", "");
	refuse("\"\\", "");
}

/* --- what is refused ------------------------------------------------------ */

static void
test_malformed(void **state)
{
	static const char *const texts[] = { "", " ", "\n", "{", "}", "[", "]",
		"{]", "[}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "[1,]",
		"[,1]", "[1 2]", "{\"a\" 1}", "{a:1}", "{1:1}", "{'a':1}",
		"{null:1}", "nul", "nulll", "True", "NaN", "Infinity", "01",
		"+1", ".5", "5.", "1e", "1e+", "-", "0x10", "\"", "\"a",
		"\"a\nb\"", "\"a\tb\"", "\"\x01\"", "\xef\xbb\xbf{}", "()",
		"=1" };

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		refuse(texts[i], "");
}

static void
test_trailing_garbage(void **state)
{
	static const char *const texts[] = { "{}{}", "{} {}", "{}x", "{},",
		"{}]", "[][]", "1 1", "null null", "\"a\"\"b\"", "{}\n\n#" };

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		refuse(texts[i], "");
}

static void
test_comments(void **state)
{
	(void)state;
	refuse("/* c */{}", "");
	refuse("{/* c */}", "");
	refuse("{} // c\n", "");
	refuse("{\n// c\n}", "line 2");
	refuse("# c\n{}", "");
}

static void
test_utf8(void **state)
{
	static const char *const bad[] = { "\x80", "\xc3", "\xc3(", "\xa9\xc3",
		"\xff", "\xfe", "\xe2\x82", "\xe2\x28\xa1", "\xf0\x9f\x98",
		"\xf0\x28\x8c\xbc" };
	char text[32];

	(void)state;
	expect("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"", false,
	    "s0  <\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80>\n");
	for (size_t i = 0; i < COUNT(bad); i++) {
		snprintf(text, sizeof(text), "\"%s\"", bad[i]);
		refuse(text, "UTF8");
		snprintf(text, sizeof(text), "{\"%s\":1}", bad[i]);
		refuse(text, "UTF8");
	}
	refuse("\xc3\xa9", "");
}

static void
test_nul(void **state)
{
	static const char text[] = "{\"a\":1}";
	char copy[sizeof(text)];

	(void)state;
	refuse("\"a\\u0000b\"", "NUL in a string");
	refuse("{\"\\u0000\":1}", "NUL in a key");
	/* The byte itself, in each place and behind. */
	for (size_t i = 0; i < sizeof(text); i++) {
		memcpy(copy, text, sizeof(text));
		copy[i] = '\0';
		refuse_n(copy, sizeof(text), ERR_FORMAT, "NUL byte");
	}
}

static void
test_duplicates(void **state)
{
	(void)state;
	refuse("{\"a\":1,\"a\":1}", "line 1: duplicate key \"a\"");
	refuse("{\"a\":1,\n\"b\":2,\n\"\\u0061\":3}",
	    "line 3: duplicate key \"a\"");
	refuse("{\"\":1,\"\":2}", "duplicate key \"\"");
	refuse("[{\"x\":{},\"y\":1,\"x\":{}}]", "duplicate key \"x\"");
	/* A key is no format. */
	refuse("{\"%s%n%s%s\":1,\"%s%n%s%s\":1}",
	    "duplicate key \"%s%n%s%s\"");
	/* The same key of another object is another. */
	expect("[{\"a\":1},{\"a\":{\"a\":1}}]", false,
	    "[0 \n{1 [0] index 0\nn2 [0].a key a <1>\n.1 [0] index 0\n"
	    "{1 [1] index 1\n{2 [1].a key a\nn3 [1].a.a key a <1>\n"
	    ".2 [1].a key a\n.1 [1] index 1\n.0 \n");
}
