/* SPDX-License-Identifier: ISC */
/* mux: requests, Go's rules for URIs, the proxy's query. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/err.h"
#include "common/pty/keys.h"
#include "common/pty/mux.h"
#include "gobvec.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define KEY	 "034f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa"
#define KEY_UPPER \
	"034F355BDCB7CC0AF728EF3CCEB9615D90684BB5B2CA5F859AB0F0B704075871AA"
#define KEY_OTHER \
	"02466d7fcae563e5cb09a0d1870bb580344804617879a14949cf22285f1bae3f27"

enum service {
	MUX_NONE,
	MUX_PTY,
	MUX_WHITELIST,
	MUX_PROXY,
	MUX_SFTP,
	MUX_EXEC_STREAM,
	MUX_EXEC
};

static enum service
named(struct buf *uri, struct buf *query)
{
	static const struct {
		const char *uri;
		enum service service;
	} known[] = {
		{ MUX_URI_PTY, MUX_PTY },
		{ MUX_URI_WHITELIST, MUX_WHITELIST },
		{ MUX_URI_PROXY, MUX_PROXY },
		{ MUX_URI_SFTP, MUX_SFTP },
		{ MUX_URI_EXEC_STREAM, MUX_EXEC_STREAM },
		{ MUX_URI_EXEC_STREAM2, MUX_EXEC_STREAM },
		{ MUX_URI_EXEC, MUX_EXEC },
	};
	enum service found = MUX_NONE;

	for (size_t i = 0; i < COUNT(known); i++)
		if (mux_match(uri, known[i].uri, query)) {
			assert_int_equal(found, MUX_NONE);
			found = known[i].service;
			query = NULL;
		}
	return found;
}

static enum service
match(const char *uri, size_t n, struct buf *query)
{
	struct blob b = blob_new(uri, n);
	enum service service;
	struct buf v;

	buf_view(&v, b.p, b.n);
	service = named(&v, query);
	assert_int_equal(buf_len(&v), n);
	free(b.p);
	return service;
}

static void
test_vector(void **state)
{
	static const enum service want[] = { MUX_PTY, MUX_PTY, MUX_SFTP,
		MUX_WHITELIST, MUX_PROXY, MUX_NONE, MUX_NONE };
	struct blob up = blob_vector("pty-mux.txt", "c>s");
	struct blob down = blob_vector("pty-mux.txt", "s>c");
	enum service service;
	struct buf in, uri;

	(void)state;
	assert_int_equal(down.n, COUNT(want));
	buf_view(&in, up.p, up.n);
	for (size_t i = 0; i < COUNT(want); i++) {
		assert_int_equal(mux_get_request(&in, &uri), 1);
		service = named(&uri, NULL);
		assert_int_equal(service, want[i]);
		assert_int_equal(service == MUX_NONE ? MUX_REJECT : MUX_ACCEPT,
		    down.p[i]);
	}
	assert_int_equal(buf_len(&in), 0);
	assert_int_equal(mux_get_request(&in, &uri), 0);
	free(up.p);
	free(down.p);
}

/* The vector's requests, made here. */
static void
test_put(void **state)
{
	static const char *const uris[] = { MUX_URI_PTY, "/" MUX_URI_PTY,
		MUX_URI_SFTP, MUX_URI_WHITELIST,
		MUX_URI_PROXY "?pk=" KEY "&port=22", "x", "" };
	struct blob up = blob_vector("pty-mux.txt", "c>s");
	struct buf out;

	(void)state;
	buf_init(&out, 1024);
	for (size_t i = 0; i < COUNT(uris); i++)
		assert_int_equal(mux_put_request(&out, uris[i]), 0);
	assert_int_equal(buf_len(&out), up.n);
	assert_memory_equal(buf_ptr(&out), up.p, up.n);
	buf_free(&out);
	free(up.p);
}

static void
test_put_limits(void **state)
{
	char uri[MUX_URI_MAX + 2];
	struct buf out, got;

	(void)state;
	memset(uri, 'a', sizeof(uri));
	uri[MUX_URI_MAX + 1] = '\0';
	buf_init(&out, 2 * MUX_URI_MAX);
	assert_int_equal(mux_put_request(&out, uri), SKY_ERR_LIMIT);
	uri[MUX_URI_MAX] = '\0';
	assert_int_equal(mux_put_request(&out, uri), 0);
	assert_int_equal(mux_put_request(&out, uri), SKY_ERR_LIMIT);
	assert_int_equal(buf_len(&out), MUX_URI_MAX + 1);
	assert_int_equal(mux_get_request(&out, &got), 1);
	assert_int_equal(buf_len(&got), MUX_URI_MAX);
	assert_memory_equal(buf_ptr(&got), uri, MUX_URI_MAX);
	buf_free(&out);
}

/* Nothing is taken until all is there, and nothing behind it. */
static void
test_get_pieces(void **state)
{
	static const char request[] = "\x0b" MUX_URI_PTY "more";
	struct buf in, uri;

	(void)state;
	buf_init(&in, 64);
	for (size_t i = 0; i < 12; i++) {
		assert_int_equal(mux_get_request(&in, &uri), 0);
		assert_int_equal(buf_len(&in), i);
		assert_int_equal(buf_put_u8(&in, (uint8_t)request[i]), 0);
	}
	assert_int_equal(buf_put(&in, "more", 4), 0);
	assert_int_equal(mux_get_request(&in, &uri), 1);
	assert_int_equal(named(&uri, NULL), MUX_PTY);
	assert_int_equal(buf_len(&in), 4);
	buf_free(&in);
}

struct reference {
	const char *uri;
	enum service service;
};

/* Checked against net/url of Go 1.26. */
static const struct reference references[] = {
	{ "dmsgpty/pty", MUX_PTY },
	{ "/dmsgpty/pty", MUX_PTY },
	{ "dmsgpty/whitelist", MUX_WHITELIST },
	{ "dmsgpty/proxy", MUX_PROXY },
	{ "dmsgpty/sftp", MUX_SFTP },
	{ "dmsgpty/exec-stream", MUX_EXEC_STREAM },
	{ "dmsgpty/exec", MUX_EXEC_STREAM },
	{ "dmsgpty/pty?x=1", MUX_PTY },
	{ "dmsgpty/pty?", MUX_PTY },
	{ "dmsgpty/pty??", MUX_PTY },
	{ "dmsgpty/pty?%zz", MUX_PTY },
	{ "dmsgpty/pty?a:b/../;", MUX_PTY },
	{ "dmsgpty/pty?\xff\x80 ", MUX_PTY },
	{ "dmsgpty/pty#", MUX_PTY },
	{ "dmsgpty/pty#frag?x", MUX_PTY },
	{ "dmsgpty/pty##", MUX_PTY },
	{ "dmsgpty/pty#%41", MUX_PTY },
	{ "dmsgpty/pty?#\x01\x7f", MUX_PTY }, /* only the rest is looked at */
	{ "dmsgpty/pty#%4", MUX_NONE },
	{ "dmsgpty/pty#%", MUX_NONE },
	{ "dmsgpty/pty#%zz", MUX_NONE },
	{ "dmsgpty/pty#%4g", MUX_NONE },
	{ "dmsgpty/pty#%g4", MUX_NONE },
	{ "dmsgpty/pty#%4/", MUX_NONE },
	{ "dmsgpty/pty#%:0", MUX_NONE },
	{ "dmsgpty/pty#%99%aF%00%fA", MUX_PTY },
	{ "dmsgpty/pty?\x01", MUX_NONE },
	{ "dmsgpty/pty?\x7f", MUX_NONE },
	{ "dmsgpty/pty\n", MUX_NONE },
	{ "\tdmsgpty/pty", MUX_NONE },
	{ " dmsgpty/pty", MUX_NONE },
	{ "dmsgpty/pty ", MUX_NONE },
	{ "dmsgpty/pty/", MUX_NONE },
	{ "dmsgpty//pty", MUX_NONE },
	{ "dmsgpty/./pty", MUX_NONE },
	{ "//dmsgpty/pty", MUX_NONE },
	{ "///dmsgpty/pty", MUX_NONE },
	{ "dmsgpty%2Fpty", MUX_NONE },
	{ "dmsgpty%2fpty", MUX_NONE },
	{ "dmsgpty/%70ty", MUX_NONE },
	{ "dmsgpty/pty%", MUX_NONE },
	{ "dmsgpty/pty%zz", MUX_NONE },
	{ "dmsgpty/pty;x", MUX_NONE },
	{ "dmsgpty/Pty", MUX_NONE },
	{ "dmsgpty/pt", MUX_NONE },
	{ "dmsgpty/ptyy", MUX_NONE },
	{ "dmsgpty", MUX_NONE },
	{ "dmsgpty:pty", MUX_NONE },
	{ "dmsgpty:/pty", MUX_NONE },
	{ ":dmsgpty/pty", MUX_NONE },
	{ "x:dmsgpty/pty", MUX_NONE },
	{ "x:/dmsgpty/pty", MUX_NONE },
	{ "http://h/dmsgpty/pty", MUX_NONE },
	{ "a:b/dmsgpty/pty", MUX_NONE },
	{ "?dmsgpty/pty", MUX_NONE },
	{ "#dmsgpty/pty", MUX_NONE },
	{ "/?", MUX_NONE },
	{ "/", MUX_NONE },
	{ "*", MUX_NONE },
	{ "", MUX_NONE },
};

static void
test_references(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(references); i++)
		if (match(references[i].uri, strlen(references[i].uri), NULL) !=
		    references[i].service)
			fail_msg("%s", references[i].uri);
	assert_int_equal(match("dmsgpty/pty\0", 12, NULL), MUX_NONE);
	assert_int_equal(match("dmsgpty/pty?\0", 13, NULL), MUX_NONE);
	assert_int_equal(match("dmsgpty/pty#\0", 13, NULL), MUX_PTY);
}

static void
test_longest(void **state)
{
	char uri[MUX_URI_MAX];

	(void)state;
	memset(uri, 'a', sizeof(uri));
	assert_int_equal(match(uri, sizeof(uri), NULL), MUX_NONE);
	memcpy(uri, "dmsgpty/pty?", 12);
	assert_int_equal(match(uri, sizeof(uri), NULL), MUX_PTY);
	uri[MUX_URI_MAX - 1] = '\x1f';
	assert_int_equal(match(uri, sizeof(uri), NULL), MUX_NONE);
}

static void
assert_query(const char *uri, const char *want)
{
	struct buf v, query;

	buf_view(&v, uri, strlen(uri));
	assert_int_equal(named(&v, &query), MUX_PROXY);
	assert_int_equal(buf_len(&query), strlen(want));
	assert_memory_equal(buf_ptr(&query), want, strlen(want));
}

static void
test_query(void **state)
{
	(void)state;
	assert_query("dmsgpty/proxy", "");
	assert_query("dmsgpty/proxy?", "");
	assert_query("dmsgpty/proxy?pk=1&port=2", "pk=1&port=2");
	assert_query("/dmsgpty/proxy?a?b#c", "a?b");
}

struct proxy {
	const char *query;
	int want;
	uint16_t port;
};

static const struct proxy proxies[] = {
	{ "pk=" KEY "&port=22", 0, 22 }, { "port=65535&pk=" KEY, 0, 65535 },
	{ "pk=" KEY_UPPER "&port=0", 0, 0 }, { "pk=" KEY, 0, 22 },
	{ "x=y&&;pk=1&pk=" KEY "&pk=" KEY_OTHER "&port=7&port=8", 0, 7 },
	{ "p%6B=%30" /* 03... */ "34f355bdcb7cc0af728ef3cceb9615d9"
	  "0684bb5b2ca5f859ab0f0b704075871aa&p%6frt=%32%32",
	    0, 22 },
	{ "%zz=1&pk=%&pk=" KEY, 0, 22 }, { "", SKY_ERR_FORMAT, 0 },
	{ "port=22", SKY_ERR_FORMAT, 0 }, { "PK=" KEY, SKY_ERR_FORMAT, 0 },
	{ "pk", SKY_ERR_FORMAT, 0 }, { "pk=", SKY_ERR_FORMAT, 0 },
	{ "pk=zz", SKY_ERR_FORMAT, 0 }, { "pk=" KEY "00", SKY_ERR_FORMAT, 0 },
	{ "pk=" KEY "%00", SKY_ERR_FORMAT, 0 },
	{ "pk=" KEY ";port=22", SKY_ERR_FORMAT, 0 },
	{ "pk=" KEY "&pk=0", 0, 22 }, { "pk=0&pk=" KEY, SKY_ERR_FORMAT, 0 },
	{ "pk=" KEY "&port=", SKY_ERR_FORMAT, 0 },
	{ "pk=" KEY "&port=65536", SKY_ERR_FORMAT, 0 },
	{ "pk=" KEY "&port=99999999999999999999999", SKY_ERR_FORMAT, 0 },
	{ "pk=" KEY "&port=-1", SKY_ERR_FORMAT, 0 },
	{ "pk=" KEY "&port=%2B1", SKY_ERR_FORMAT, 0 },
	{ "pk=" KEY "&port=1x", SKY_ERR_FORMAT, 0 },
	{ "pk=" KEY "&port=1%00", 0, 22 }, /* malformed, passed over */
};

static void
test_proxy(void **state)
{
	struct keyctx *ctx = keyctx_new();
	struct key_public pk, want;
	struct buf query;
	struct blob b;
	uint16_t port;
	int r;

	(void)state;
	assert_non_null(ctx);
	assert_int_equal(key_parse_public(ctx, KEY, &want), 0);
	for (size_t i = 0; i < COUNT(proxies); i++) {
		b = blob_new(proxies[i].query, strlen(proxies[i].query));
		buf_view(&query, b.p, b.n);
		r = mux_proxy_query(&query, &pk, &port);
		if (r != proxies[i].want)
			fail_msg("%s: %d", proxies[i].query, r);
		if (r == 0) {
			assert_true(key_equal(&pk, &want));
			assert_int_equal(port, proxies[i].port);
		}
		free(b.p);
	}
	keyctx_free(ctx);
}

static void
test_session(void **state)
{
	static const struct mux_session wishes[] = {
		{ .keep = false },
		{ .keep = true },
		{ .login = true },
		{ .keep = true, .login = true },
		{ .has_modes = true, .modes = { 3, [22] = 0xa5 } },
		{ .keep = true, .login = true, .has_modes = true },
		{ .shell = true },
		{ .keys = true },
		{ .shell = true, .keys = true, .has_modes = true },
		{ .line = true, .shell = true, .has_modes = true },
	};
	char uri[MUX_URI_MAX + 1], longest[MUX_URI_MAX + 1];
	struct mux_session got;
	struct buf b, query;

	(void)state;
	for (size_t i = 0; i < COUNT(wishes); i++) {
		assert_int_equal(mux_session_uri(uri, MUX_URI_EXEC, &wishes[i]),
		    0);
		buf_view(&b, uri, strlen(uri));
		assert_int_equal(named(&b, &query), MUX_EXEC);
		assert_int_equal(mux_session_query(&query, &got), 0);
		assert_memory_equal(&got, &wishes[i], sizeof(got));
	}
	assert_int_equal(mux_session_uri(uri, MUX_URI_PTY, &wishes[0]), 0);
	assert_string_equal(uri, MUX_URI_PTY);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(mux_session_uri(uri, longest, &wishes[0]), 0);
	assert_int_equal(mux_session_uri(uri, longest, &wishes[1]),
	    SKY_ERR_LIMIT);
}

/* What is not known is passed over, modes that are none are not. */
static void
test_session_query(void **state)
{
	static const struct {
		const char *query;
		int want;
		bool keep, login;
	} queries[] = {
		{ "", 0, false, false },
		{ "keep=1&more=2", 0, true, false },
		{ "Keep&LOGIN", 0, false, false },
		{ "x&login&keep", 0, true, true },
		{ "keep;login", 0, false, false },
		{ "modes", SKY_ERR_FORMAT, false, false },
		{ "keep&modes=00", SKY_ERR_FORMAT, true, false },
		{ "modes=zz00000000000000000000000000000000000000000000",
		    SKY_ERR_FORMAT, false, false },
	};
	struct mux_session got;
	struct buf b;

	(void)state;
	for (size_t i = 0; i < COUNT(queries); i++) {
		buf_view(&b, queries[i].query, strlen(queries[i].query));
		assert_int_equal(mux_session_query(&b, &got), queries[i].want);
		assert_int_equal(got.keep, queries[i].keep);
		assert_int_equal(got.login, queries[i].login);
	}
	/* Modes that are cut off anywhere are none, nor are longer ones. */
	for (size_t n = 0; n <= 2 * MODES_LEN + 1; n++) {
		char text[sizeof("modes=") + 2 * MODES_LEN + 1];

		snprintf(text, sizeof(text), "modes=%0*d", (int)n, 0);
		if (n == 0)
			text[strlen("modes=")] = '\0';
		buf_view(&b, text, strlen(text));
		assert_int_equal(mux_session_query(&b, &got),
		    n == 2 * MODES_LEN ? 0 : SKY_ERR_FORMAT);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vector),
		cmocka_unit_test(test_put),
		cmocka_unit_test(test_put_limits),
		cmocka_unit_test(test_get_pieces),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_query),
		cmocka_unit_test(test_proxy),
		cmocka_unit_test(test_session),
		cmocka_unit_test(test_session_query),
	};

	return cmocka_run_group_tests_name("mux", tests, NULL, NULL);
}
