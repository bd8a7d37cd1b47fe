/* SPDX-License-Identifier: ISC */
/* The configuration of the browser terminal as a message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/err.h"
#include "common/privsep/http_conf.h"
#include "common/privsep/privmsg.h"

static void
fill(struct http_conf *c)
{
	static const char *const words[] = { "a", "",
		"name=text with = in it" };

	*c = (struct http_conf){ .uid = 1,
		.gid = UINT32_MAX - 1,
		.drop = true,
		.any_literal = true,
		.once = true,
		.max_clients = 5,
		.session_s = UINT32_MAX };
	c->root = strdup("/run/x");
	c->base = strdup("/a/");
	c->title = strdup("a \xc3\xbc title");
	c->cert = strdup("");
	c->key = strdup("");
	c->auth_header = strdup("X-User");
	c->cmd = strdup("/bin/sh");
	c->cookie = strdup("skypty1");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		assert_int_equal(http_list_add(&c->commands, words[i]), 0);
		assert_int_equal(http_list_add(&c->hosts, words[i]), 0);
	}
}

static void
test_round_trip(void **state)
{
	struct http_conf c, got;
	struct buf b;

	(void)state;
	fill(&c);
	buf_init(&b, PRIVMSG_MAX);
	assert_int_equal(http_conf_put(&b, &c), 0);
	assert_int_equal(http_conf_get(&b, &got), 0);
	assert_int_equal(got.uid, 1);
	assert_int_equal(got.gid, UINT32_MAX - 1);
	assert_true(got.drop && got.any_literal && got.once);
	assert_false(
	    got.best_effort || got.secure || got.no_auth || got.readonly);
	assert_string_equal(got.root, c.root);
	assert_string_equal(got.base, c.base);
	assert_string_equal(got.title, c.title);
	assert_string_equal(got.cert, "");
	assert_string_equal(got.auth_header, c.auth_header);
	assert_string_equal(got.cmd, c.cmd);
	assert_string_equal(got.cookie, c.cookie);
	assert_int_equal(got.arg.n, 0);
	assert_int_equal(got.commands.n, 3);
	assert_string_equal(got.commands.word[2], c.commands.word[2]);
	assert_int_equal(got.hosts.n, 3);
	assert_int_equal(got.max_clients, 5);
	assert_int_equal(got.idle_s, 0);
	assert_int_equal(got.session_s, UINT32_MAX);
	http_conf_free(&got);
	http_conf_free(&c);
	buf_free(&b);
}

/* Cut anywhere, or with more behind it, it is refused, and nothing is lost. */
static void
test_cut(void **state)
{
	struct http_conf c, got;
	struct buf b, view;

	(void)state;
	fill(&c);
	buf_init(&b, PRIVMSG_MAX);
	assert_int_equal(http_conf_put(&b, &c), 0);
	for (size_t n = 0; n < buf_len(&b); n++) {
		buf_view(&view, buf_ptr(&b), n);
		assert_int_not_equal(http_conf_get(&view, &got), 0);
		http_conf_free(&got);
	}
	assert_int_equal(buf_put_u8(&b, 0), 0);
	assert_int_not_equal(http_conf_get(&b, &got), 0);
	http_conf_free(&got);
	http_conf_free(&c);
	buf_free(&b);
}

static void
test_limits(void **state)
{
	char word[HTTP_WORD_MAX + 2];
	struct http_conf c, got;
	struct buf b;

	(void)state;
	fill(&c);
	while (c.arg.n < HTTP_LIST_MAX)
		assert_int_equal(http_list_add(&c.arg, "x"), 0);
	assert_int_equal(http_list_add(&c.arg, "x"), SKY_ERR_LIMIT);
	memset(word, 'x', sizeof(word));
	word[HTTP_WORD_MAX + 1] = '\0';
	assert_int_equal(http_list_add(&c.origins, word), SKY_ERR_LIMIT);
	word[HTTP_WORD_MAX] = '\0';
	assert_int_equal(http_list_add(&c.origins, word), 0);
	buf_init(&b, PRIVMSG_MAX);
	assert_int_equal(http_conf_put(&b, &c), 0);
	assert_int_equal(http_conf_get(&b, &got), 0);
	assert_int_equal(got.arg.n, HTTP_LIST_MAX);
	assert_int_equal(strlen(got.origins.word[0]), HTTP_WORD_MAX);
	http_conf_free(&got);
	buf_free(&b);
	buf_init(&b, 512);
	assert_int_equal(http_conf_put(&b, &c), SKY_ERR_LIMIT);
	http_conf_free(&c);
	buf_free(&b);
	/* A list of 4 milliards of words: behind the strings, the first. */
	buf_init(&b, 512);
	for (int i = 0; i < 2 + 8; i++)
		assert_int_equal(buf_put_u32(&b, 0), 0);
	assert_int_equal(buf_put_u32(&b, UINT32_MAX), 0);
	assert_int_equal(http_conf_get(&b, &got), SKY_ERR_LIMIT);
	http_conf_free(&got);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
