/* SPDX-License-Identifier: ISC */
/* dmsg_entry, dmsg_disc: lies, limits and what must not be taken for true. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/err.h"
#include "common/dmsg/dmsg_disc.h"
#include "common/dmsg/dmsg_entry.h"
#include "gobvec.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define PK_A \
	"024769014d733735239f757ac2f250b07fae105bc2f7cd20ba3f73fa07ceb61695"
#define STATIC_A "\"static\":\"" PK_A "\""
#define SERVER_A "{" STATIC_A ",\"server\":{\"address\":\"192.0.2.1:1\"}}"

static int
get(const char *json, struct dmsg_entry *e)
{
	struct blob copy = blob_new(json, strlen(json));
	struct buf b;
	int r;

	buf_view(&b, copy.p, copy.n);
	memset(e, 0xff, sizeof(*e));
	r = dmsg_get_entry(&b, e);
	free(copy.p);
	return r;
}

/* --- numbers --- */

static void
test_numbers(void **state)
{
	static const struct {
		const char *sequence, *timestamp;
		int r;
	} t[] = {
		{ "0", "0", 0 },
		{ "null", "null", 0 },
		{ "18446744073709551615", "9223372036854775807", 0 },
		{ "0", "-9223372036854775808", 0 },
		{ "18446744073709551616", "0", SKY_ERR_RANGE },
		{ "99999999999999999999999", "0", SKY_ERR_RANGE },
		{ "-1", "0", SKY_ERR_RANGE },
		{ "1.0", "0", SKY_ERR_RANGE },
		{ "1e3", "0", SKY_ERR_RANGE },
		{ "\"1\"", "0", SKY_ERR_FORMAT },
		{ "[1]", "0", SKY_ERR_FORMAT },
		{ "true", "0", SKY_ERR_FORMAT },
		{ "0", "9223372036854775808", SKY_ERR_RANGE },
		{ "0", "-9223372036854775809", SKY_ERR_RANGE },
		{ "0", "0.5", SKY_ERR_RANGE },
		{ "0", "1E2", SKY_ERR_RANGE },
		{ "0", "{}", SKY_ERR_FORMAT },
	};
	struct dmsg_entry e, zero = { 0 };
	char text[512];

	(void)state;
	for (size_t i = 0; i < COUNT(t); i++) {
		snprintf(text, sizeof(text),
		    "{" STATIC_A ",\"sequence\":%s,\"timestamp\":%s}",
		    t[i].sequence, t[i].timestamp);
		if (get(text, &e) != t[i].r)
			fail_msg("%s", text);
		if (t[i].r != 0)
			assert_memory_equal(&e, &zero, sizeof(e));
	}
	assert_int_equal(get("{" STATIC_A ",\"sequence\":"
			     "18446744073709551615,\"timestamp\":"
			     "-9223372036854775808}",
			     &e),
	    0);
	assert_int_equal(e.sequence, UINT64_MAX);
	assert_true(e.timestamp == INT64_MIN);
}

static void
test_available(void **state)
{
	static const struct {
		const char *text;
		int64_t n;
	} t[] = { { "2047", 2047 }, { "0", 0 }, { "null", 0 }, { "-1", 0 },
		{ "9223372036854775807", INT64_MAX },
		{ "9223372036854775808", 0 }, { "1.5", 0 }, { "\"9\"", 0 },
		{ "[9]", 0 }, { "{\"availableSessions\":9}", 0 } };
	struct dmsg_entry e;
	char text[512];

	(void)state;
	for (size_t i = 0; i < COUNT(t); i++) {
		snprintf(text, sizeof(text),
		    "{" STATIC_A ",\"server\":{\"availableSessions\":%s}}",
		    t[i].text);
		assert_int_equal(get(text, &e), 0);
		assert_true(e.is_server);
		assert_int_equal(e.available, t[i].n);
	}
}

/* --- addresses --- */

static void
check_address(const char *address, bool good)
{
	struct dmsg_entry e;
	char text[2048];

	snprintf(text, sizeof(text),
	    "{" STATIC_A ",\"server\":{\"address_v6\":\"%s\","
	    "\"address\":\"%s\"}}",
	    address, address);
	assert_int_equal(get(text, &e), 0);
	if (strcmp(e.address, good ? address : "") != 0)
		fail_msg("%s: %s", address, e.address);
	assert_string_equal(e.address_v6, e.address);
}

static void
test_addresses(void **state)
{
	static const char *const good[] = { "192.0.2.1:1", "[2001:db8::1]:8080",
		"a.example.org:65535" };
	static const char *const bad[] = { "", "h", ":1", "h:", "h:0",
		"h:65536", "h:ssh", "h:-1", "h:1 ", " h:1", "h h:1", "::1:80",
		"[::1]", "[]:1", "h:1\\n", "h\\u001b[2J:1", "h\\u007f:1",
		"h\xc3\xa9:1", "h:1/x" };
	char text[1024];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		check_address(good[i], true);
	for (size_t i = 0; i < COUNT(bad); i++)
		check_address(bad[i], false);
	/* As long as may be, and longer. */
	for (int n = 200; n < 400; n++) {
		memset(text, 'x', sizeof(text));
		snprintf(text + n, sizeof(text) - (size_t)n, ":1");
		check_address(text, n < ADDR_HOST_MAX);
	}
}

/* --- lists --- */

static int
take(void *arg, const struct dmsg_entry *e)
{
	size_t *n = arg;

	assert_string_equal(e->address, "192.0.2.1:1");
	++*n;
	return 0;
}

static void
expect_list(const char *json, int r, size_t want)
{
	struct blob copy = blob_new(json, strlen(json));
	struct buf b;
	size_t n = 0;

	buf_view(&b, copy.p, copy.n);
	if (dmsg_get_servers(&b, take, &n) != r || n != want)
		fail_msg("%s: %zu", json, n);
	free(copy.p);
}

static void
test_list_shapes(void **state)
{
	(void)state;
	expect_list("null", 0, 0);
	expect_list("[]", 0, 0);
	expect_list("{\"dmsg_servers\":null}", 0, 0);
	expect_list("{\"dmsg_servers\":[]}", 0, 0);
	expect_list("{\"x\":[" SERVER_A "],\"dmsg_servers\":[" SERVER_A
		    "],\"dmsg_discovery\":\"http://h\",\"y\":[" SERVER_A "]}",
	    0, 1);
	/* No list, or not where it should be. */
	expect_list("{}", SKY_ERR_FORMAT, 0);
	expect_list("7", SKY_ERR_FORMAT, 0);
	expect_list(SERVER_A, SKY_ERR_FORMAT, 0);
	expect_list("{\"dmsg_servers\":" SERVER_A "}", SKY_ERR_FORMAT, 0);
	expect_list("{\"x\":{\"dmsg_servers\":[" SERVER_A "]}}", SKY_ERR_FORMAT,
	    0);
	expect_list("{\"message\":\"x\",\"code\":200}", SKY_ERR_FORMAT, 0);
	expect_list("[[" SERVER_A "]]", 0, 0);
	expect_list("[{\"dmsg_servers\":[" SERVER_A "]}]", 0, 0);
	/* Nothing is left of one for what comes next. */
	expect_list("[" SERVER_A ",[],[1],null,{},[{}]]", 0, 1);
	expect_list("[{" STATIC_A ",\"sequence\":-1,\"server\":{\"address\":"
		    "\"192.0.2.1:1\"}}," SERVER_A "]",
	    0, 1);
}

/* However many there are, so many are taken; the rest is still checked. */
static void
test_list_limit(void **state)
{
	static const size_t counts[] = { DMSG_SERVERS_MAX - 1, DMSG_SERVERS_MAX,
		DMSG_SERVERS_MAX + 1, 10000, 100000 };
	struct buf b;
	size_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(counts); i++) {
		buf_init(&b, 16U * DMSG_BODY_MAX);
		assert_int_equal(buf_put(&b, "[7", 2), 0);
		for (size_t j = 0; j < counts[i]; j++)
			assert_int_equal(
			    buf_put(&b, "," SERVER_A, strlen("," SERVER_A)), 0);
		assert_int_equal(buf_put(&b, "]", 1), 0);
		n = 0;
		assert_int_equal(dmsg_get_servers(&b, take, &n), 0);
		assert_int_equal(n,
		    counts[i] < DMSG_SERVERS_MAX ? counts[i] :
						   DMSG_SERVERS_MAX);
		assert_int_equal(buf_put(&b, "x", 1), 0);
		assert_int_equal(dmsg_get_servers(&b, take, &n),
		    SKY_ERR_FORMAT);
		buf_free(&b);
	}
}

/* --- refusals --- */

static void
test_refusals(void **state)
{
	static const char later[] =
	    "{\"message\":\"entry validation error: advertised entry "
	    "timestamp is not greater than previous\",\"code\":422}";
	static const char lost[] =
	    "{\"message\":\"entry of public key is not found\",\"code\":404}";
	struct buf b;

	(void)state;
	buf_view(&b, later, strlen(later));
	assert_int_equal(dmsg_get_error(&b, NULL, 0), DMSG_ERROR_TIMESTAMP);
	/* What was cut off decides nothing. */
	for (size_t n = 0; n < strlen(lost); n++) {
		buf_view(&b, lost, n);
		assert_int_equal(dmsg_get_error(&b, NULL, 0), DMSG_ERROR_OTHER);
	}
	buf_view(&b, lost, strlen(lost));
	assert_int_equal(dmsg_get_error(&b, NULL, 0), DMSG_ERROR_NOT_FOUND);
}

/* Nothing of it moves somebody's cursor. */
static void
test_refusal_printable(void **state)
{
	static const char json[] =
	    "{\"message\":\"a\\u001b[2J\\n\\u007f\xc2\x9b"
	    "b\"}";
	char message[64];
	struct buf b;

	(void)state;
	buf_view(&b, json, strlen(json));
	(void)dmsg_get_error(&b, message, sizeof(message));
	assert_string_equal(message, "a?[2J????b");
}

/* --- writing --- */

static void
test_too_many_delegated(void **state)
{
	struct dmsg_entry e = { .ndelegated = DMSG_DELEGATED_MAX + 1 };
	struct buf b;

	(void)state;
	buf_init(&b, 64 * 1024);
	assert_int_equal(dmsg_put_entry(&b, &e, NULL), SKY_ERR_LIMIT);
	buf_free(&b);
}

static void
test_urls(void **state)
{
	static const char *const bad[] = { "http://u@h/", "http://u:p@h",
		"http://:80", "http://::1", "http://::1/x", "http://h?q",
		"http://h/?q", "http://h/#f", "http://h\\x", "http://h\xff",
		"http://h/\xc3\xa9", "HTTP://h", "dmsg://u@" PK_A,
		"dmsg://0447" PK_A "4", "dmsg://" PK_A "?x" };
	struct dmsg_url u;
	char text[128];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (dmsg_disc_url(bad[i], &u) != SKY_ERR_FORMAT)
			fail_msg("taken: %s", bad[i]);
	snprintf(text, sizeof(text), "dmsg://04%s", PK_A + 2);
	assert_int_equal(dmsg_disc_url(text, &u), SKY_ERR_FORMAT);
	assert_int_equal(dmsg_disc_url("http://h/a//", &u), 0);
	assert_string_equal(u.base, "/a");
	assert_int_equal(dmsg_disc_url("dmsg://" PK_A, &u), 0);
	assert_string_equal(u.authority, PK_A ":80");
	assert_int_equal(dmsg_disc_url("dmsg://" PK_A ":081", &u), 0);
	assert_string_equal(u.authority, PK_A ":81");
}

static void
test_questions(void **state)
{
	static const char want[] =
	    "GET /dmsg-discovery/available_servers HTTP/1.1\r\nHost: h\r\n"
	    "Connection: close\r\n\r\n";
	struct dmsg_url u;
	struct buf b, json;
	char base[1024];

	(void)state;
	assert_int_equal(dmsg_disc_url("http://h", &u), 0);
	buf_init(&b, 1024);
	assert_int_equal(dmsg_disc_available_servers(&b, &u), 0);
	assert_int_equal(buf_len(&b), strlen(want));
	assert_memory_equal(buf_ptr(&b), want, strlen(want));
	buf_free(&b);
	/* The head fits and the body does not: nothing of it stays. */
	buf_init(&b, 200);
	buf_view(&json, base, 100);
	assert_int_equal(dmsg_disc_put_entry(&b, &u, &json), SKY_ERR_LIMIT);
	assert_int_equal(buf_len(&b), 0);
	buf_free(&b);
	/* As long as it can be. */
	snprintf(base, sizeof(base), "http://%0*d/%0*d", ADDR_HOST_MAX - 1, 1,
	    DMSG_PATH_MAX - 2, 1);
	assert_int_equal(dmsg_disc_url(base, &u), 0);
	buf_init(&b, DMSG_REQUEST_HEAD_MAX);
	buf_view(&json, base, 0);
	assert_int_equal(dmsg_disc_delete_entry(&b, &u, &json), 0);
	assert_memory_equal(buf_ptr(&b) + buf_len(&b) - 4, "\r\n\r\n", 4);
	buf_free(&b);
}

/* --- answers --- */

static int
read_all(struct dmsg_answer *a, const char *text, bool eof)
{
	struct buf in;
	int r;

	buf_init(&in, 4U * HTTP_HEAD_MAX);
	assert_int_equal(buf_put(&in, text, strlen(text)), 0);
	dmsg_answer_init(a);
	r = dmsg_answer_read(a, &in, eof);
	/* An error stays, whatever comes. */
	assert_int_equal(dmsg_answer_read(a, &in, r < 0 ? false : eof), r);
	buf_free(&in);
	return r;
}

static void
expect(const char *text, bool eof, int want)
{
	struct dmsg_answer a;

	if (read_all(&a, text, eof) != want)
		fail_msg("%s", text);
	dmsg_answer_free(&a);
}

static void
test_answers(void **state)
{
	(void)state;
	expect("", true, SKY_ERR_SHORT);
	expect("HTTP/1.1 200 OK\r\n", true, SKY_ERR_SHORT);
	expect("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[", true,
	    SKY_ERR_SHORT);
	expect("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[", false, 0);
	expect("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
	    true, SKY_ERR_SHORT);
	expect("HTTP/1.1 100 Continue\r\n\r\n", true, SKY_ERR_SHORT);
	expect("HTTP/1.1 101 x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", true,
	    SKY_ERR_FORMAT);
	/* Known to be too long before it has come. */
	expect("HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n", false,
	    SKY_ERR_LIMIT);
	expect("HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n", false, 0);
}

static void
test_interim_limit(void **state)
{
	char text[1024] = "";

	(void)state;
	for (size_t i = 0; i < DMSG_INTERIM_MAX; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "HTTP/1.1 100 Continue\r\n\r\n");
	expect(text, false, 0);
	snprintf(text + strlen(text), sizeof(text) - strlen(text),
	    "HTTP/1.1 102 x\r\n\r\n");
	expect(text, false, SKY_ERR_LIMIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_available),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_list_shapes),
		cmocka_unit_test(test_list_limit),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_refusal_printable),
		cmocka_unit_test(test_too_many_delegated),
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_questions),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_interim_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
