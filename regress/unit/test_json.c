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

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/json.h"

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

static void add(struct trace *t, const char *fmt, ...)
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
	if (t->spans &&
	    (e->type == JSON_NULL || e->type == JSON_OBJECT ||
		e->type == JSON_ARRAY))
		add(t, " `%.*s`", (int)(e->end - e->start), t->text + e->start);
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

	assert_int_equal(parse_n(&t, text, strlen(text), why, sizeof(why)), 0);
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
	refuse_n(text, strlen(text), SKY_ERR_FORMAT, part);
}

/* --- what is told --- */

static void
test_scalars(void **state)
{
	(void)state;
	expect("null", true, "00  `null` rest ``\n");
	expect("true", true, "b0  true rest ``\n");
	expect(" false ", true, "b0  false rest ` `\n");
	expect("\"\"", true, "s0  <> rest ``\n");
	expect("-12.5e+3", true, "n0  <-12.5e+3> rest ``\n");
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

/* --- what is refused --- */

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
		refuse_n(copy, sizeof(text), SKY_ERR_FORMAT, "NUL byte");
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
	refuse("{\"%s%n%s%s\":1,\"%s%n%s%s\":1}", "duplicate key \"%s%n%s%s\"");
	/* The same key of another object is another. */
	expect("[{\"a\":1},{\"a\":{\"a\":1}}]", false,
	    "[0 \n{1 [0] index 0\nn2 [0].a key a <1>\n.1 [0] index 0\n"
	    "{1 [1] index 1\n{2 [1].a key a\nn3 [1].a.a key a <1>\n"
	    ".2 [1].a key a\n.1 [1] index 1\n.0 \n");
}

/* --- limits --- */

#define SAMPLE_EVENTS 12

static const char sample[] = "{\n"
			     "  \"a\": [true, null, -1.5e3, \"\\u20ac\"],\n"
			     "  \"\xc3\xa9\": {\"b\": {}}\n"
			     "}";

static void
test_truncated(void **state)
{
	struct trace t = { 0 };
	size_t n = strlen(sample);

	(void)state;
	assert_int_equal(parse_n(&t, sample, n, NULL, 0), 0);
	assert_int_equal(t.events, SAMPLE_EVENTS);
	buf_free(&t.log);
	for (size_t i = 0; i < n; i++)
		refuse_n(sample, i, SKY_ERR_FORMAT, "");
	/* The place is where the text ends. */
	refuse_n(sample, n - 1, SKY_ERR_FORMAT, "line 4: ");
	refuse_n(sample, n - 2, SKY_ERR_FORMAT, "line 3: ");
}

static void
test_lines(void **state)
{
	(void)state;
	refuse("x", "line 1: ");
	refuse("{\n\n\"a\":x}", "line 3: ");
	refuse("{\"a\":1}\n\n\nx", "line 4: ");
	refuse("{\"a\":\n1 \"b\"\n:2}", "line 2: ");
}

/* n open containers, of both kinds in turn, and closed again. */
static char *
nested(size_t n)
{
	char *text = calloc(n + 1, 8), *p = text;

	assert_non_null(text);
	for (size_t i = 0; i < n; i++)
		p = stpcpy(p, i % 2 == 0 ? "[" : "{\"a\":");
	if (n % 2 == 0)
		*p++ = '1';
	for (size_t i = n; i > 0; i--)
		*p++ = i % 2 == 1 ? ']' : '}';
	return text;
}

static void
test_depth(void **state)
{
	struct trace t = { 0 };
	char *text;

	(void)state;
	for (size_t n = 1; n <= 1000; n += n > 20 ? 100 : 1) {
		text = nested(n);
		if (n > JSON_DEPTH_MAX)
			refuse_n(text, strlen(text), SKY_ERR_LIMIT,
			    "nested too deeply");
		else {
			assert_int_equal(
			    parse_n(&t, text, strlen(text), NULL, 0), 0);
			assert_int_equal(t.events, 2 * n + (n % 2 == 0));
			buf_free(&t.log);
		}
		free(text);
	}
	/* Beside each other they may be as many as they like. */
	expect("[[],[],[]]", false,
	    "[0 \n[1 [0] index 0\n.1 [0] index 0\n[1 [1] index 1\n"
	    ".1 [1] index 1\n[1 [2] index 2\n.1 [2] index 2\n.0 \n");
}

static void
test_many_keys(void **state)
{
	struct trace t = { 0 };
	struct buf b;
	char member[64];

	(void)state;
	for (size_t n = 1023; n <= 1025; n++) {
		buf_init(&b, ROOM);
		for (size_t i = 0; i < n; i++) {
			snprintf(member, sizeof(member), "%c\"%zu\":%zu",
			    i == 0 ? '{' : ',', i, i);
			assert_int_equal(buf_put(&b, member, strlen(member)),
			    0);
		}
		assert_int_equal(buf_put(&b, "}", 2), 0);
		if (n <= 1024) {
			assert_int_equal(parse_n(&t, (const char *)buf_ptr(&b),
					     buf_len(&b) - 1, NULL, 0),
			    0);
			assert_int_equal(t.events, n + 2);
			buf_free(&t.log);
		} else
			refuse_n((const char *)buf_ptr(&b), buf_len(&b) - 1,
			    SKY_ERR_LIMIT, "too many keys");
		buf_free(&b);
	}
}

/* A path that does not fit is cut, the key and the depth are not. */
static void
test_long_path(void **state)
{
	struct trace t = { 0 };
	char key[400], text[1024];

	(void)state;
	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	snprintf(text, sizeof(text), "{\"%s\":[{\"%.200s\":[1]}]}", key, key);
	assert_int_equal(parse_n(&t, text, strlen(text), NULL, 0), 0);
	assert_int_equal(t.events, 9);
	buf_free(&t.log);
	snprintf(text, sizeof(text), "{\"%s\":1,\"%s\":1}", key, key);
	refuse(text, "duplicate key \"kkkk");
}

/* --- the handler --- */

static void
test_handler_stops(void **state)
{
	struct trace t = { .with = SKY_ERR_DENIED };
	char why[64];

	(void)state;
	for (size_t i = 1; i <= SAMPLE_EVENTS; i++) {
		t.stop_at = i;
		assert_int_equal(
		    parse_n(&t, sample, strlen(sample), why, sizeof(why)),
		    SKY_ERR_DENIED);
		assert_int_equal(t.events, i);
		buf_free(&t.log);
	}
	/* A number at the outermost place ends with the text. */
	t.stop_at = 1;
	assert_int_equal(parse_n(&t, "17", 2, why, sizeof(why)),
	    SKY_ERR_DENIED);
	buf_free(&t.log);
	/* Of two mistakes the first counts. */
	assert_int_equal(parse_n(&t, "[}", 2, why, sizeof(why)),
	    SKY_ERR_DENIED);
	buf_free(&t.log);
}

static void
test_short_why(void **state)
{
	struct trace t = { 0 };
	char why[8] = "1234567";

	(void)state;
	assert_int_equal(parse_n(&t, "x", 1, why, 5), SKY_ERR_FORMAT);
	assert_string_equal(why, "line");
	assert_memory_equal(why + 5, "67", 3);
	buf_free(&t.log);
}

/* --- writing --- */

static void
put(const char *s, size_t n, const char *want)
{
	struct buf b;

	buf_init(&b, ROOM);
	assert_int_equal(json_put_string(&b, s, n), 0);
	assert_int_equal(buf_len(&b), strlen(want));
	assert_memory_equal(buf_ptr(&b), want, strlen(want));
	buf_free(&b);
}

static void
test_put_string(void **state)
{
	(void)state;
	put("", 0, "\"\"");
	put("abc", 3, "\"abc\"");
	put("abc", 2, "\"ab\"");
	put("\"\\/", 3, "\"\\\"\\\\/\"");
	put("\n\t\x1f\x7f", 4, "\"\\u000a\\u0009\\u001f\x7f\"");
	put("a\0b", 3, "\"a\\u0000b\"");
	put("\xc3\xa9", 2, "\"\xc3\xa9\"");
}

static int
keep_text(void *arg, const struct json_event *e)
{
	snprintf(arg, 256, "%s", e->text);
	return 0;
}

static void
test_put_and_parse(void **state)
{
	char all[256], got[256];
	struct buf b;

	(void)state;
	for (size_t i = 0; i < 0x7f; i++)
		all[i] = (char)(i + 1);
	memcpy(all + 0x7f, "\xc3\xa9\xe2\x82\xac", 6);
	buf_init(&b, ROOM);
	assert_int_equal(json_put_string(&b, all, strlen(all)), 0);
	assert_int_equal(json_parse((const char *)buf_ptr(&b), buf_len(&b),
			     keep_text, got, NULL, 0),
	    0);
	assert_string_equal(got, all);
	buf_free(&b);
}

static void
test_put_without_room(void **state)
{
	struct buf b;

	(void)state;
	for (size_t room = 1; room <= 10; room++) {
		buf_init(&b, room);
		assert_int_equal(json_put_string(&b, "a\nb", 3),
		    room < 10 ? SKY_ERR_LIMIT : 0);
		buf_free(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scalars),
		cmocka_unit_test(test_containers),
		cmocka_unit_test(test_spans),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_trailing_garbage),
		cmocka_unit_test(test_comments),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_many_keys),
		cmocka_unit_test(test_long_path),
		cmocka_unit_test(test_handler_stops),
		cmocka_unit_test(test_short_why),
		cmocka_unit_test(test_put_string),
		cmocka_unit_test(test_put_and_parse),
		cmocka_unit_test(test_put_without_room),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
