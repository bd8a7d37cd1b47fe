/* SPDX-License-Identifier: ISC */
/* exec_request: the original's request as JSON, read and written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/err.h"
#include "common/pty/exec_stream.h"
#include "gobvec.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ROOM	 (8U * XS_BODY_MAX)
#define VECTORS	 "pty-http-exec.txt"

static void
put(struct buf *b, const void *p, size_t n)
{
	assert_int_equal(buf_put(b, p, n), 0);
}

static void
put_text(struct buf *b, const char *text)
{
	put(b, text, strlen(text));
}

static void
put_many(struct buf *b, char c, size_t n)
{
	uint8_t *p;

	assert_int_equal(buf_extend(b, n, &p), 0);
	memset(p, c, n);
}

static void
assert_bytes(const struct buf *b, const void *want, size_t n)
{
	assert_int_equal(buf_len(b), n);
	assert_memory_equal(buf_ptr(b), want, n);
}

/* A request's text in memory of its own, which is gone after parsing. */
static int
parse_n(const void *p, size_t n, struct xs_request *q, char *why, size_t len)
{
	struct blob b = blob_new(p, n);
	struct buf json;
	int r;

	buf_view(&json, b.p, b.n);
	r = xs_get_request(&json, q, why, len);
	assert_int_equal(buf_len(&json), n);
	free(b.p);
	return r;
}

/* Must be good; xs_request_free() it. */
static void
parse(const char *text, struct xs_request *q)
{
	char why[256];
	int r;

	if ((r = parse_n(text, strlen(text), q, why, sizeof(why))) != 0)
		fail_msg("%s: %d, %s", text, r, why);
	assert_string_equal(why, "");
}

static void
refuse_n(const void *p, size_t n, int want, const char *part)
{
	struct xs_request q;
	char why[256], tight[24];
	int r;

	r = parse_n(p, n, &q, why, sizeof(why));
	xs_request_free(&q);
	if (r != want)
		fail_msg("%.*s: %d instead of %d, %s", n > 200 ? 200 : (int)n,
		    (const char *)p, r, want, why);
	if (strncmp(why, "line ", 5) != 0 || strstr(why, part) == NULL)
		fail_msg("\"%s\", without \"%s\"", why, part);
	/* With little room for the reason. */
	for (size_t len = 1; len < sizeof(tight); len++) {
		assert_int_equal(parse_n(p, n, &q, tight, len), want);
		assert_in_range(strlen(tight), 0, len - 1);
		xs_request_free(&q);
	}
}

static void
refuse(const char *text, int want, const char *part)
{
	refuse_n(text, strlen(text), want, part);
}

/* One string behind the other, each with a bar behind it. */
static void
check_list(struct gob_list list, const char *want)
{
	struct buf all, s;

	buf_init(&all, ROOM);
	while (gob_list_next(&list, &s) == 1) {
		put(&all, buf_ptr(&s), buf_len(&s));
		put_text(&all, "|");
	}
	assert_bytes(&all, want, strlen(want));
	buf_free(&all);
}

static void
expect(const char *text, const char *name, const char *arg, const char *env,
    const char *input, int64_t timeout)
{
	struct xs_request q;

	parse(text, &q);
	assert_bytes(&q.e.name, name, strlen(name));
	check_list(q.e.arg, arg);
	check_list(q.e.env, env);
	assert_bytes(&q.e.in, input, strlen(input));
	assert_true(q.e.timeout_ms == timeout);
	xs_request_free(&q);
}

/* --- good requests --- */

static void
test_vectors(void **state)
{
	static const struct {
		const char *name, *arg;
	} want[] = { { "sh", "-c|echo out; echo err 1>&2; exit 7|" },
		{ "/nonexistent", "" }, { "sh", "" }, { "", "" }, { NULL, "" },
		{ "sh", "" } };
	struct vectors *v = vec_load(VECTORS);
	struct buf b;
	const char *body;
	size_t at = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(want); i++) {
		at = vec_find(v, at + 1, "c>s");
		assert_in_range(at, 0, v->n - 1);
		vec_buf(v, at, "c>s", &b);
		assert_int_equal(buf_put_u8(&b, 0), 0);
		body = strstr((const char *)buf_ptr(&b), "\r\n\r\n");
		assert_non_null(body);
		if (want[i].name != NULL)
			expect(body + 4, want[i].name, want[i].arg, "", "", 0);
		buf_free(&b);
	}
	vec_free(v);
}

static void
test_good(void **state)
{
	(void)state;
	expect("{}", "", "", "", "", 0);
	expect("{\"name\":\"sh\",\"arg\":[\"-c\",\"\",\"x y\"],\"env\":[\"A=b\""
	       "],\"stdin\":\"aGVsbG8K\",\"timeout_ms\":1500}",
	    "sh", "-c||x y|", "A=b|", "hello\n", 1500);
	expect(" {\t\"timeout_ms\" : -1 ,\r\n\"stdin\":\"\",\"env\":[ ],"
	       "\"arg\":[],\"name\":\"\\u0041\\\"\\\\\\/\\n\\u00e9\"} \n",
	    "A\"\\/\n\xc3\xa9", "", "", "", -1);
	expect("{\"arg\":[\"a\"],\"name\":\"n\",\"env\":[\"e\",\"f\"]}", "n",
	    "a|", "e|f|", "", 0);
}

static void
test_unknown(void **state)
{
	static const char deep[] =
	    "{\"x\":{\"name\":\"no\",\"arg\":[\"no\"],\"env\":{\"a\":1},"
	    "\"stdin\":7,\"timeout_ms\":\"no\"},\"name\":\"sh\","
	    "\"y\":[[\"arg\",{\"arg\":[1]}],null],\"arg\":[\"a\"],"
	    "\"z\":[\"no\"],\"env\":[\"e\"],\"w\":[\"no\"]}";

	(void)state;
	expect(deep, "sh", "a|", "e|", "", 0);
	expect("{\"a\":1,\"b\":true,\"c\":null,\"d\":\"s\",\"e\":1.5e300,"
	       "\"\":0,\"nam\":\"x\",\"namee\":\"x\",\"name\":\"sh\"}",
	    "sh", "", "", "", 0);
}

/* As Go has it: null leaves a member as it is. */
static void
test_null(void **state)
{
	(void)state;
	expect("{\"name\":null,\"arg\":null,\"env\":null,\"stdin\":null,"
	       "\"timeout_ms\":null}",
	    "", "", "", "", 0);
	expect("{\"arg\":null,\"name\":\"sh\",\"env\":[\"e\"],\"x\":null}",
	    "sh", "", "e|", "", 0);
}

static void
test_stdin(void **state)
{
	static const struct {
		const char *text, *want;
		size_t n;
	} good[] = { { "", "", 0 }, { "AA==", "\0", 1 }, { "AAE=", "\0\1", 2 },
		{ "AAEC", "\0\1\2", 3 }, { "+/+/", "\xfb\xff\xbf", 3 },
		{ "AA\\r\\nEC\\n", "\0\1\2", 3 } };
	struct xs_request q;
	char text[64];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		snprintf(text, sizeof(text), "{\"stdin\":\"%s\"}",
		    good[i].text);
		parse(text, &q);
		assert_bytes(&q.e.in, good[i].want, good[i].n);
		xs_request_free(&q);
	}
}

static void
test_timeouts(void **state)
{
	static const int64_t good[] = { 0, 1, -1, XS_TIMEOUT_MAX_MS,
		XS_TIMEOUT_MAX_MS + 1, UINT32_MAX, INT64_MAX, INT64_MIN };
	static const char *const types[] = { "1.5", "1.0", "1e3", "1E3",
		"-0.0" };
	static const char *const range[] = { "9223372036854775808",
		"-9223372036854775809", "99999999999999999999999999" };
	char text[64];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		snprintf(text, sizeof(text), "{\"timeout_ms\":%lld}",
		    (long long)good[i]);
		expect(text, "", "", "", "", good[i]);
	}
	for (size_t i = 0; i < COUNT(types); i++) {
		snprintf(text, sizeof(text), "{\"timeout_ms\":%s}", types[i]);
		refuse(text, SKY_ERR_TYPE, err_text(SKY_ERR_TYPE));
	}
	for (size_t i = 0; i < COUNT(range); i++) {
		snprintf(text, sizeof(text), "{\"timeout_ms\":%s}", range[i]);
		refuse(text, SKY_ERR_RANGE, err_text(SKY_ERR_RANGE));
	}
}

/* --- refusals --- */

static void
test_types(void **state)
{
	static const char *const bad[] = { "null", "true", "1", "\"name\"",
		"[]", "[{\"name\":\"sh\"}]", "{\"name\":1}", "{\"name\":true}",
		"{\"name\":[\"sh\"]}", "{\"name\":{\"name\":\"sh\"}}",
		"{\"arg\":\"a\"}", "{\"arg\":1}", "{\"arg\":false}",
		"{\"arg\":{}}", "{\"arg\":{\"a\":\"b\"}}", "{\"arg\":[1]}",
		"{\"arg\":[null]}", "{\"arg\":[true]}", "{\"arg\":[\"a\",2]}",
		"{\"arg\":[[]]}", "{\"arg\":[[\"a\"]]}",
		"{\"arg\":[\"a\",{\"b\":\"c\"}]}", "{\"env\":\"A=b\"}",
		"{\"env\":{\"A\":\"b\"}}", "{\"env\":[0]}", "{\"env\":[[]]}",
		"{\"stdin\":1}", "{\"stdin\":true}", "{\"stdin\":[1,2]}",
		"{\"stdin\":{}}", "{\"timeout_ms\":\"1\"}",
		"{\"timeout_ms\":true}", "{\"timeout_ms\":[1]}",
		"{\"timeout_ms\":{}}" };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		refuse(bad[i], SKY_ERR_TYPE, err_text(SKY_ERR_TYPE));
}

static void
test_bad_base64(void **state)
{
	static const char *const bad[] = { "A", "AA", "AAA", "AA=", "A===", "=",
		"====", "AA==AA==", "AAEC=", "AA=A", "A A=", " AAEC", "AAEC ",
		"AA-_", "AA*=", "\\tAAEC", "AAEC\\u00e9" };
	char text[64];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		snprintf(text, sizeof(text), "{\"stdin\":\"%s\"}", bad[i]);
		refuse(text, SKY_ERR_FORMAT, err_text(SKY_ERR_FORMAT));
	}
}

static void
test_bad_json(void **state)
{
	static const char *const bad[] = { "", " ", "{", "}", "{\"name\"}",
		"{\"name\":}", "{\"name\":\"sh\"", "{\"name\":\"sh\",}",
		"{name:\"sh\"}", "{'name':'sh'}", "{\"arg\":[\"a\",]}",
		"{\"arg\":[\"a\"}", "{\"name\":\"sh\"}x", "{}{}", "{},",
		"{\"name\":\"a\nb\"}", "{\"name\":\"\xff\"}",
		"{\"name\":\"\\x\"}", "{\"timeout_ms\":01}",
		"{\"timeout_ms\":+1}", "{/**/}" };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		refuse(bad[i], SKY_ERR_FORMAT, "");
	refuse("{\"name\":\"a\",\n\"name\":\"b\"}", SKY_ERR_FORMAT,
	    "line 2: duplicate key \"name\"");
	refuse("{\"arg\":[],\"arg\":[]}", SKY_ERR_FORMAT, "duplicate key");
	refuse("{\"x\":1,\"x\":2}", SKY_ERR_FORMAT, "duplicate key");
	refuse("{\"n\\u0061me\":\"a\",\"name\":\"b\"}", SKY_ERR_FORMAT,
	    "duplicate key");
}

static void
test_nul(void **state)
{
	(void)state;
	refuse("{\"name\":\"a\\u0000b\"}", SKY_ERR_FORMAT, "NUL");
	refuse("{\"name\\u0000\":\"a\"}", SKY_ERR_FORMAT, "NUL");
	refuse("{\"arg\":[\"\\u0000\"]}", SKY_ERR_FORMAT, "NUL");
	refuse("{\"env\":[\"A=\\u0000\"]}", SKY_ERR_FORMAT, "NUL");
	refuse("{\"stdin\":\"AA==\\u0000\"}", SKY_ERR_FORMAT, "NUL");
	refuse_n("{\"name\":\"a\0b\"}", 14, SKY_ERR_FORMAT, "NUL");
	refuse_n("{}\0", 3, SKY_ERR_FORMAT, "NUL");
	refuse_n("\0{}", 3, SKY_ERR_FORMAT, "NUL");
}

static void
test_truncated(void **state)
{
	static const char text[] =
	    "{\"name\":\"sh\",\"arg\":[\"-c\",\"\\u00e9\"],\"env\":[\"A=b\"],"
	    "\"stdin\":\"aGVsbG8K\",\"timeout_ms\":1500,\"x\":{\"y\":null}}";

	(void)state;
	expect(text, "sh", "-c|\xc3\xa9|", "A=b|", "hello\n", 1500);
	for (size_t n = 0; n < strlen(text); n++)
		refuse_n(text, n, SKY_ERR_FORMAT, "");
}

/* --- limits --- */

static void
test_nesting(void **state)
{
	struct buf b;

	(void)state;
	for (size_t n = 14; n < 18; n++) {
		buf_init(&b, 128);
		put_text(&b, "{\"x\":");
		put_many(&b, '[', n);
		put_many(&b, ']', n);
		put(&b, "}", 2);
		if (n < 16)
			expect((const char *)buf_ptr(&b), "", "", "", "", 0);
		else
			refuse((const char *)buf_ptr(&b), SKY_ERR_LIMIT,
			    "nested too deeply");
		buf_free(&b);
	}
}

/* A member of one string of n bytes. */
static int
parse_long(const char *before, char c, size_t n, const char *after,
    struct xs_request *q)
{
	char why[256];
	struct buf b;
	int r;

	buf_init(&b, ROOM);
	put_text(&b, before);
	put_many(&b, c, n);
	put_text(&b, after);
	r = xs_get_request(&b, q, why, sizeof(why));
	assert_true((r == 0) == (*why == '\0'));
	buf_free(&b);
	return r;
}

static void
test_huge(void **state)
{
	struct xs_request q;

	(void)state;
	assert_int_equal(
	    parse_long("{\"name\":\"", 'n', XS_BODY_MAX, "\"}", &q), 0);
	assert_int_equal(buf_len(&q.e.name), XS_BODY_MAX);
	xs_request_free(&q);
	assert_int_equal(
	    parse_long("{\"name\":\"", 'n', XS_BODY_MAX + 1, "\"}", &q),
	    SKY_ERR_LIMIT);
	xs_request_free(&q);
	/* The most of standard input that a body may bring. */
	assert_int_equal(
	    parse_long("{\"stdin\":\"", 'A', XS_BODY_MAX - 16, "\"}", &q), 0);
	assert_int_equal(buf_len(&q.e.in), (XS_BODY_MAX - 16) / 4 * 3);
	xs_request_free(&q);
	assert_int_equal(parse_long("{\"stdin\":\"", 'A',
			     XS_BODY_MAX / 3 * 4 + 8, "\"}", &q),
	    SKY_ERR_LIMIT);
	xs_request_free(&q);
	assert_int_equal(
	    parse_long("{\"arg\":[\"", 'a', XS_BODY_MAX, "\"]}", &q), 0);
	assert_int_equal(q.e.arg.count, 1);
	xs_request_free(&q);
	assert_int_equal(
	    parse_long("{\"env\":[\"", 'a', 2 * XS_BODY_MAX, "\"]}", &q),
	    SKY_ERR_LIMIT);
	xs_request_free(&q);
}

/* As many arguments as a body holds; more keys than an object may have. */
static void
test_many(void **state)
{
	size_t n = (XS_BODY_MAX - 16) / 3;
	struct xs_request q;
	char why[256], key[32];
	struct buf b;

	(void)state;
	buf_init(&b, ROOM);
	put_text(&b, "{\"arg\":[\"\"");
	for (size_t i = 1; i < n; i++)
		put_text(&b, ",\"\"");
	put_text(&b, "]}");
	assert_in_range(buf_len(&b), XS_BODY_MAX - 16, XS_BODY_MAX);
	assert_int_equal(xs_get_request(&b, &q, why, sizeof(why)), 0);
	assert_int_equal(q.e.arg.count, n);
	xs_request_free(&q);
	buf_reset(&b);
	put_text(&b, "{\"k\":0");
	for (int i = 0; i < 2000; i++) {
		snprintf(key, sizeof(key), ",\"%d\":0", i);
		put_text(&b, key);
	}
	put_text(&b, "}");
	assert_int_equal(xs_get_request(&b, &q, why, sizeof(why)),
	    SKY_ERR_LIMIT);
	assert_non_null(strstr(why, "too many keys"));
	xs_request_free(&q);
	buf_free(&b);
}

/* --- writing --- */

static void
add(struct gob_list *list, const char *text)
{
	assert_int_equal(gob_list_add(list, text, strlen(text)), 0);
}

static void
command(struct rpc_exec *e, const char *name, const char *input, int64_t ms)
{
	*e = (struct rpc_exec){ .timeout_ms = ms };
	buf_view(&e->name, name, strlen(name));
	buf_view(&e->in, input, strlen(input));
	buf_init(&e->arg.raw, ROOM);
	buf_init(&e->env.raw, ROOM);
}

static void
command_free(struct rpc_exec *e)
{
	buf_free(&e->arg.raw);
	buf_free(&e->env.raw);
}

static void
test_put(void **state)
{
	static const char small[] = "{\"name\":\"sh\",\"timeout_ms\":0}";
	static const char large[] =
	    "{\"name\":\"sh\",\"arg\":[\"-c\",\"\"],\"env\":[\"A=b\"],"
	    "\"stdin\":\"aGVsbG8K\",\"timeout_ms\":1500}";
	struct rpc_exec e;
	struct buf b;

	(void)state;
	buf_init(&b, 256);
	command(&e, "sh", "", 0);
	assert_int_equal(xs_put_request(&b, &e), 0);
	assert_bytes(&b, small, strlen(small));
	command_free(&e);
	buf_reset(&b);
	command(&e, "sh", "hello\n", 1500);
	add(&e.arg, "-c");
	add(&e.arg, "");
	add(&e.env, "A=b");
	assert_int_equal(xs_put_request(&b, &e), 0);
	assert_bytes(&b, large, strlen(large));
	buf_free(&b);
	for (size_t room = 1; room < strlen(large); room++) {
		buf_init(&b, room);
		assert_int_equal(xs_put_request(&b, &e), SKY_ERR_LIMIT);
		buf_free(&b);
	}
	command_free(&e);
}

static void
round_trip(const struct rpc_exec *e, const char *arg, const char *env)
{
	struct xs_request q;
	char why[256];
	struct buf b;

	buf_init(&b, ROOM);
	assert_int_equal(xs_put_request(&b, e), 0);
	assert_int_equal(xs_get_request(&b, &q, why, sizeof(why)), 0);
	assert_bytes(&q.e.name, buf_ptr(&e->name), buf_len(&e->name));
	check_list(q.e.arg, arg);
	check_list(q.e.env, env);
	assert_bytes(&q.e.in, buf_ptr(&e->in), buf_len(&e->in));
	assert_true(q.e.timeout_ms == e->timeout_ms);
	xs_request_free(&q);
	buf_free(&b);
}

/* Every character but NUL, which no argument can have. */
static void
test_round_trip(void **state)
{
	static const int64_t timeouts[] = { 0, 1, -1, INT64_MAX, INT64_MIN };
	char all[144], env[160], arg[160];
	struct rpc_exec e;

	(void)state;
	for (int i = 0; i < 127; i++)
		all[i] = (char)(i + 1);
	strcpy(all + 127, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
	for (size_t i = 0; i < COUNT(timeouts); i++) {
		command(&e, all, "in", timeouts[i]);
		add(&e.arg, all);
		add(&e.arg, "\"");
		add(&e.arg, "\\\"\\u0041");
		add(&e.env, all);
		snprintf(arg, sizeof(arg), "%.143s|\"|\\\"\\u0041|", all);
		snprintf(env, sizeof(env), "%.143s|", all);
		round_trip(&e, arg, env);
		command_free(&e);
	}
}

static void
test_round_trip_stdin(void **state)
{
	static uint8_t bytes[XS_STDIN_MAX];
	static const size_t sizes[] = { 0, 1, 2, 3, 4, 5, 255, 256, 257,
		XS_STDIN_MAX - 1, XS_STDIN_MAX };
	struct rpc_exec e;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	command(&e, "cat", "", 0);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		buf_view(&e.in, bytes, sizes[i]);
		round_trip(&e, "", "");
	}
	command_free(&e);
}

/* It is not lost on the way: the host says no. */
static void
test_put_nul(void **state)
{
	struct rpc_exec e;
	struct xs_request q;
	char why[256];
	struct buf b;

	(void)state;
	command(&e, "sh", "", 0);
	assert_int_equal(gob_list_add(&e.arg, "a\0b", 3), 0);
	buf_init(&b, 256);
	assert_int_equal(xs_put_request(&b, &e), 0);
	assert_int_equal(xs_get_request(&b, &q, why, sizeof(why)),
	    SKY_ERR_FORMAT);
	xs_request_free(&q);
	buf_free(&b);
	command_free(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_null),
		cmocka_unit_test(test_stdin),
		cmocka_unit_test(test_timeouts),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_bad_base64),
		cmocka_unit_test(test_bad_json),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_nesting),
		cmocka_unit_test(test_huge),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_put),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_round_trip_stdin),
		cmocka_unit_test(test_put_nul),
	};

	return cmocka_run_group_tests_name("exec_request", tests, NULL, NULL);
}
