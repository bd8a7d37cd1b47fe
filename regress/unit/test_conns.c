/* SPDX-License-Identifier: ISC */
/* Which connections end by somebody's word on the control socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/listener.h"

static const struct limits_conn *ended[8];
static size_t nended;

static void
try_limits_end(struct conns *cs, struct limits_conn *c)
{
	assert_non_null(cs);
	assert_in_range(nended, 0, 7);
	ended[nended++] = c;
}

#define limits_end try_limits_end
#include "daemon/conns.c"
#undef limits_end

static struct limits_conn *asks;
static int monitor; /* its end */

static int
set_up(void **state)
{
	struct listener *s = calloc(1, sizeof(*s));
	int sv[2];

	log_set_level(LOG_LEVEL_ERROR);
	if (s == NULL || sodium_init() == -1 || privmsg_pair(sv) != 0)
		return -1;
	limits_init(&s->conns);
	asks = calloc(1, sizeof(*asks));
	assert_non_null(asks);
	asks->control = true;
	asks->id = 99;
	asks->sock = sv[0];
	monitor = sv[1];
	limits_link(&s->conns, asks);
	*state = s;
	return 0;
}

static int
tear_down(void **state)
{
	struct listener *s = *state;
	struct limits_conn *c;

	close(asks->sock);
	close(monitor);
	while ((c = TAILQ_FIRST(&s->conns.all)) != NULL) {
		limits_unlink(&s->conns, c);
		free(c);
	}
	free(s);
	return 0;
}

static struct limits_conn *
come(struct listener *s, uint64_t id, uint8_t key)
{
	struct limits_conn *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	c->id = id;
	c->kills = s->kills.n;
	c->pk.b[0] = key; /* that its monitor has told, or is about to */
	limits_link(&s->conns, c);
	return c;
}

static struct limits_conn *
logged_in(struct listener *s, uint64_t id, uint8_t key)
{
	struct limits_conn *c = come(s, id, key);
	static const struct config conf = { .maxstartups = { 10, 30, 100 },
		.startuprate = { 10, 40, 100 },
		.netblocks = { 24, 48 } };

	limits_authenticated(&s->conns, &conf, c, 1000);
	return c;
}

/* What is asked for, up to len bytes of it.  SKY_ERR_* or how many. */
static int
end_those(struct listener *s, uint8_t what, const void *which, size_t len)
{
	struct privmsg m = { .type = PM_END_CONNS, .id = 5 }, answer = { 0 };
	uint8_t body[64] = { what };
	uint32_t n = UINT32_MAX;
	int r;

	memcpy(&body[1], which, len);
	buf_view(&m.body, body, 1 + len);
	nended = 0;
	if ((r = conns_kill(s, asks, &m)) != 0)
		return r;
	assert_int_equal(privmsg_recv(monitor, &answer, false), 1);
	assert_int_equal(answer.type, PM_END_CONNS + 1);
	assert_int_equal(answer.id, 5);
	assert_int_equal(buf_get_u32(&answer.body, &n), 0);
	assert_int_equal(n, nended);
	privmsg_free(&answer);
	return (int)n;
}

static int
end_key(struct listener *s, uint8_t key)
{
	uint8_t pk[KEY_PUBLIC_LEN] = { key };

	return end_those(s, PRIV_KILL_KEY, pk, sizeof(pk));
}

static int
end_id(struct listener *s, uint8_t id)
{
	uint8_t be[8] = { [7] = id };

	return end_those(s, PRIV_KILL_ID, be, sizeof(be));
}

static void
test_by_id(void **state)
{
	struct listener *s = *state;
	struct limits_conn *a = logged_in(s, 1, 2), *b = come(s, 2, 2);

	(void)logged_in(s, 3, 2);
	assert_int_equal(end_id(s, 4), 0);
	assert_int_equal(end_id(s, 0), 0);
	assert_int_equal(end_id(s, 1), 1);
	assert_ptr_equal(ended[0], a);
	/* Also one that nobody knows yet. */
	assert_int_equal(end_id(s, 2), 1);
	assert_ptr_equal(ended[0], b);
}

static void
test_by_key(void **state)
{
	struct listener *s = *state;
	struct limits_conn *a = logged_in(s, 1, 2), *c = logged_in(s, 3, 2);

	(void)logged_in(s, 2, 3);
	assert_int_equal(end_key(s, 4), 0);
	/* Nobody has proven that it is his. */
	(void)come(s, 5, 2);
	assert_int_equal(end_key(s, 2), 2);
	assert_ptr_equal(ended[0], a);
	assert_ptr_equal(ended[1], c);
	/* The control socket's have none. */
	assert_int_equal(end_key(s, 0), 0);
}

static void
test_malformed(void **state)
{
	static const uint8_t bytes[63] = { 2 };
	struct listener *s = *state;

	(void)logged_in(s, 1, 2);
	for (size_t n = 0; n < sizeof(bytes); n++) {
		if (n != 8)
			assert_true(end_those(s, PRIV_KILL_ID, bytes, n) < 0);
		if (n != KEY_PUBLIC_LEN)
			assert_true(end_those(s, PRIV_KILL_KEY, bytes, n) < 0);
		assert_true(end_those(s, 2, bytes, n) < 0);
		assert_int_equal(nended, 0);
	}
}

/*
 * One that was let in by a list that was read before its key was taken off
 * does not slip through; one that comes later is the new list's business.
 */
static void
test_about_to_authenticate(void **state)
{
	struct listener *s = *state;
	struct limits_conn *old = come(s, 1, 2), *other = come(s, 2, 3), *fresh;

	assert_false(conns_is_killed(s, old));
	assert_int_equal(end_key(s, 2), 0);
	assert_true(conns_is_killed(s, old));
	assert_false(conns_is_killed(s, other));
	fresh = come(s, 3, 2);
	assert_false(conns_is_killed(s, fresh));
	/* As many as are remembered, and one more. */
	for (unsigned i = 1; i < KILLS_KEPT; i++)
		assert_int_equal(end_key(s, 9), 0);
	assert_true(conns_is_killed(s, old));
	assert_false(conns_is_killed(s, other));
	assert_int_equal(end_key(s, 9), 0);
	assert_true(conns_is_killed(s, other));
	assert_false(conns_is_killed(s, fresh));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_by_id, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_by_key, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_malformed, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_about_to_authenticate,
		    set_up, tear_down),
	};

	return cmocka_run_group_tests_name("conns", tests, NULL, NULL);
}
