/* SPDX-License-Identifier: ISC */
/* dmsg_disc: addresses of discoveries, questions and recorded answers. */
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
#define VECTORS	 "dmsg-disc-http.txt"
#define ROOM	 (64U * 1024)
#define PK_A \
	"024769014d733735239f757ac2f250b07fae105bc2f7cd20ba3f73fa07ceb61695"
#define HOST "127.0.0.1:19091"

/* --- addresses --- */

static void
test_urls(void **state)
{
	static const struct {
		const char *text;
		int scheme;
		const char *host;
		uint16_t port;
		const char *authority, *base;
	} t[] = {
		{ "http://h", DMSG_URL_HTTP, "h", 80, "h", "" },
		{ "http://h/", DMSG_URL_HTTP, "h", 80, "h", "" },
		{ "http://h:9090", DMSG_URL_HTTP, "h", 9090, "h:9090", "" },
		{ "http://192.0.2.1:65535/a/b", DMSG_URL_HTTP, "192.0.2.1",
		    65535, "192.0.2.1:65535", "/a/b" },
		{ "http://[2001:db8::1]:9090/x/", DMSG_URL_HTTP, "2001:db8::1",
		    9090, "[2001:db8::1]:9090", "/x" },
		{ "http://[::1]", DMSG_URL_HTTP, "::1", 80, "[::1]", "" },
		{ "https://example.org", DMSG_URL_HTTPS, "example.org", 443,
		    "example.org", "" },
		{ "https://h:8443/y", DMSG_URL_HTTPS, "h", 8443, "h:8443",
		    "/y" },
	};
	struct dmsg_url u;

	(void)state;
	for (size_t i = 0; i < COUNT(t); i++) {
		assert_int_equal(dmsg_disc_url(t[i].text, &u), 0);
		assert_int_equal(u.scheme, t[i].scheme);
		assert_string_equal(u.host, t[i].host);
		assert_int_equal(u.port, t[i].port);
		assert_string_equal(u.authority, t[i].authority);
		assert_string_equal(u.base, t[i].base);
	}
}

static void
test_dmsg_urls(void **state)
{
	static const struct {
		const char *text;
		uint16_t port;
	} t[] = { { "dmsg://" PK_A, 80 }, { "dmsg://" PK_A ":80", 80 },
		{ "dmsg://" PK_A ":1/", 1 } };
	struct key_public pk;
	struct dmsg_url u;

	(void)state;
	assert_int_equal(hex_decode(PK_A, pk.b, sizeof(pk.b)), 0);
	for (size_t i = 0; i < COUNT(t); i++) {
		assert_int_equal(dmsg_disc_url(t[i].text, &u), 0);
		assert_int_equal(u.scheme, DMSG_URL_DMSG);
		assert_int_equal(u.port, t[i].port);
		assert_memory_equal(u.pk.b, pk.b, sizeof(pk.b));
		assert_string_equal(u.base, "");
	}
}

static void
test_bad_urls(void **state)
{
	static const char *const bad[] = { "", "h", "http:", "http://",
		"http:///x", "//h", "ftp://h", "http://h:", "http://h:0",
		"http://h:65536", "http://h:x", "http://h:-1", "http://h:80 ",
		"http://h /", "http://h/a b", "http://h/\r\nx: y",
		"http://h\r\n", "http://h/\x7f", "http://[::1", "http://[]",
		"http://[::1]x", "dmsg://", "dmsg://h", "dmsg://" PK_A "0",
		"dmsg://" PK_A "00", "dmsg://" PK_A ":", "dmsg://" PK_A ":0",
		"dmsg://" PK_A ":65536", "dmsg://" PK_A ":8x", "dmsg:" PK_A };
	char text[2048];
	struct dmsg_url u;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (dmsg_disc_url(bad[i], &u) >= 0)
			fail_msg("taken: %s", bad[i]);
	for (int n = 1; n < (int)strlen("dmsg://" PK_A); n++) {
		snprintf(text, sizeof(text), "%.*s", n, "dmsg://" PK_A);
		assert_int_equal(dmsg_disc_url(text, &u), SKY_ERR_FORMAT);
	}
}

/* One more than fits. */
static void
test_long_urls(void **state)
{
	char text[2048], name[1024];
	struct dmsg_url u;

	(void)state;
	memset(name, 'x', sizeof(name));
	for (int n = 1; n < 1000; n++) {
		snprintf(text, sizeof(text), "http://%.*s", n, name);
		assert_int_equal(dmsg_disc_url(text, &u),
		    n < ADDR_HOST_MAX ? 0 : SKY_ERR_LIMIT);
		snprintf(text, sizeof(text), "http://h/%.*s", n, name);
		assert_int_equal(dmsg_disc_url(text, &u),
		    n + 1 < DMSG_PATH_MAX ? 0 : SKY_ERR_LIMIT);
	}
}

/* --- questions --- */

static struct dmsg_url
url(const char *text)
{
	struct dmsg_url u;

	assert_int_equal(dmsg_disc_url(text, &u), 0);
	return u;
}

static void
assert_text(struct buf *b, const char *want)
{
	assert_int_equal(buf_len(b), strlen(want));
	assert_memory_equal(buf_ptr(b), want, strlen(want));
	buf_free(b);
	buf_init(b, ROOM);
}

static void
test_questions(void **state)
{
	struct dmsg_url u = url("http://h:1"), deep = url("http://h/a/");
	struct key_public pk;
	struct buf b, json;

	(void)state;
	assert_int_equal(hex_decode(PK_A, pk.b, sizeof(pk.b)), 0);
	buf_view(&json, "{}", 2);
	buf_init(&b, ROOM);
	assert_int_equal(dmsg_disc_available_servers(&b, &u), 0);
	assert_text(&b,
	    "GET /dmsg-discovery/available_servers HTTP/1.1\r\n"
	    "Host: h:1\r\nConnection: close\r\n\r\n");
	assert_int_equal(dmsg_disc_get_entry(&b, &deep, &pk), 0);
	assert_text(&b,
	    "GET /a/dmsg-discovery/entry/" PK_A " HTTP/1.1\r\n"
	    "Host: h\r\nConnection: close\r\n\r\n");
	assert_int_equal(dmsg_disc_put_entry(&b, &u, &json), 0);
	assert_text(&b,
	    "POST /dmsg-discovery/entry/ HTTP/1.1\r\nHost: h:1\r\n"
	    "Connection: close\r\nContent-Type: application/json\r\n"
	    "Content-Length: 2\r\n\r\n{}");
	assert_int_equal(dmsg_disc_delete_entry(&b, &u, &json), 0);
	assert_text(&b,
	    "DELETE /dmsg-discovery/entry HTTP/1.1\r\nHost: h:1\r\n"
	    "Connection: close\r\nContent-Type: application/json\r\n"
	    "Content-Length: 2\r\n\r\n{}");
	assert_int_equal(buf_len(&json), 2);
	buf_free(&b);
}

/* --- the vectors --- */

/* The bytes of a recorded message, whose line's end is behind a quote. */
static struct buf
unescape(const char *s, const char *end)
{
	struct buf b;
	char c;

	buf_init(&b, ROOM);
	while (s < end) {
		c = *s++;
		if (c == '\\') {
			c = *s++;
			assert_true(c == 'r' || c == 'n');
			c = c == 'r' ? '\r' : '\n';
		}
		assert_int_equal(buf_put(&b, &c, 1), 0);
	}
	return b;
}

/* Calls check with every message of one direction. */
static size_t
each(char direction, void (*check)(struct buf *))
{
	char *text = vec_slurp(VECTORS), *rest = text, *line, *s;
	struct buf b;
	size_t n = 0;

	while ((line = strsep(&rest, "\n")) != NULL) {
		if (strncmp(line, "conn", 4) != 0)
			continue;
		s = strchr(line, ' ');
		assert_non_null(s);
		assert_int_equal(s[2], ' ');
		assert_int_equal(s[3], '\'');
		if (s[1] != direction)
			continue;
		b = unescape(s + 4, line + strlen(line) - 1);
		check(&b);
		buf_free(&b);
		n++;
	}
	free(text);
	return n;
}

static void
assert_same_field(const struct http_head *a, const struct http_head *b,
    const char *name)
{
	struct buf x, y;

	assert_int_equal(http_field(&a->fields, name, &x),
	    http_field(&b->fields, name, &y));
	if (http_field(&a->fields, name, &x) == 0)
		return;
	assert_int_equal(buf_len(&x), buf_len(&y));
	assert_memory_equal(buf_ptr(&x), buf_ptr(&y), buf_len(&x));
}

/* Our question of the same kind. */
static void
ask_alike(struct buf *b, const struct http_head *h, const struct buf *body)
{
	struct dmsg_url u = url("http://" HOST);
	struct key_public pk;
	struct buf target = h->target;
	char hex[KEY_PUBLIC_HEX] = "";
	int r;

	buf_init(b, ROOM);
	if (http_is(&h->method, "POST"))
		r = dmsg_disc_put_entry(b, &u, body);
	else if (http_is(&h->method, "DELETE"))
		r = dmsg_disc_delete_entry(b, &u, body);
	else if (http_is(&h->target, "/dmsg-discovery/available_servers"))
		r = dmsg_disc_available_servers(b, &u);
	else {
		assert_int_equal(buf_skip(&target, buf_len(&target) - 66), 0);
		assert_int_equal(buf_get(&target, hex, 66), 0);
		assert_int_equal(hex_decode(hex, pk.b, sizeof(pk.b)), 0);
		r = dmsg_disc_get_entry(b, &u, &pk);
	}
	assert_int_equal(r, 0);
}

static void
check_question(struct buf *b)
{
	struct http_head theirs, ours;
	struct buf question;

	assert_int_equal(http_get_request(b, &theirs), 1);
	ask_alike(&question, &theirs, b);
	assert_int_equal(http_get_request(&question, &ours), 1);
	assert_int_equal(buf_len(&ours.method), buf_len(&theirs.method));
	assert_int_equal(buf_len(&ours.target), buf_len(&theirs.target));
	assert_memory_equal(buf_ptr(&ours.method), buf_ptr(&theirs.method),
	    buf_len(&ours.method));
	assert_memory_equal(buf_ptr(&ours.target), buf_ptr(&theirs.target),
	    buf_len(&ours.target));
	assert_same_field(&ours, &theirs, "Host");
	assert_same_field(&ours, &theirs, "Content-Type");
	assert_same_field(&ours, &theirs, "Content-Length");
	assert_int_equal(buf_len(&question), buf_len(b));
	assert_memory_equal(buf_ptr(&question), buf_ptr(b), buf_len(b));
	buf_free(&question);
}

static void
test_recorded_questions(void **state)
{
	(void)state;
	assert_int_equal(each('>', check_question), 28);
}

/* A recorded client's entry is what we would have posted. */
static void
check_posted(struct buf *b)
{
	uint8_t sig[KEY_SIGNATURE_LEN];
	char hex[2 * KEY_SIGNATURE_LEN + 1];
	struct http_head h;
	struct dmsg_entry e;
	struct buf out;

	assert_int_equal(http_get_request(b, &h), 1);
	if (buf_len(b) == 0)
		return;
	assert_int_equal(dmsg_get_entry(b, &e), 0);
	assert_true(e.is_client != e.is_server);
	if (e.is_server)
		return;
	memcpy(hex, buf_ptr(b) + buf_len(b) - 132, sizeof(hex) - 1);
	hex[sizeof(hex) - 1] = '\0';
	assert_int_equal(hex_decode(hex, sig, sizeof(sig)), 0);
	buf_init(&out, ROOM);
	assert_int_equal(dmsg_put_entry(&out, &e, sig), 0);
	assert_int_equal(buf_len(&out), buf_len(b));
	assert_memory_equal(buf_ptr(&out), buf_ptr(b), buf_len(b));
	buf_free(&out);
}

static void
test_recorded_entries(void **state)
{
	(void)state;
	assert_int_not_equal(each('>', check_posted), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_dmsg_urls),
		cmocka_unit_test(test_bad_urls),
		cmocka_unit_test(test_long_urls),
		cmocka_unit_test(test_questions),
		cmocka_unit_test(test_recorded_questions),
		cmocka_unit_test(test_recorded_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
