/* SPDX-License-Identifier: ISC */
/* What the http monitor answers, and what it ends its child for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "common/base/err.h"
#include "monitor/http/http_gate.h"

#define CLIENTS 3

static struct http_options o;
static struct gate g;
static struct privmsg answer;
static uint8_t token[HTTP_TOKEN_LEN], zeros[HTTP_TOKEN_LEN];
static char empty[] = "", header[] = "X-User";
static int child = -1;
static unsigned dialed;

int
http_dial(struct http_dials *all, const struct http_options *opt, uint16_t id,
    http_dialed *done, void *arg, char why[HTTP_TEXT])
{
	int sv[2];

	(void)all, (void)opt, (void)id, (void)done, (void)arg;
	dialed++;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == -1) {
		strlcpy(why, "socketpair", HTTP_TEXT);
		return -1;
	}
	close(sv[1]);
	return sv[0];
}

static void
new_token(uint8_t byte)
{
	uint8_t hash[32];

	memset(token, byte, sizeof(token));
	crypto_hash_sha256(hash, token, sizeof(token));
	auth_new_token(&g.auth, hash);
}

static int
begin(bool no_auth, char *auth_header, bool once, bool readonly)
{
	int sv[2];

	o = (struct http_options){ .conf = { .no_auth = no_auth,
				       .once = once,
				       .readonly = readonly,
				       .auth_header = auth_header,
				       .max_clients = CLIENTS,
				       .session_s = 100 } };
	gate_init(&g, &o, NULL);
	assert_int_equal(privmsg_pair(sv), 0);
	gate_child(&g, sv[0]);
	child = sv[1];
	dialed = 0;
	new_token(0x5a);
	return 0;
}

static int
set_up(void **state)
{
	(void)state;
	return begin(false, empty, false, false);
}

static int
tear_down(void **state)
{
	(void)state;
	privmsg_free(&answer);
	close(g.sock);
	close(child);
	return 0;
}

/* As it comes from the child. */
static int
say(unsigned type, const void *body, size_t n)
{
	struct privmsg m = { 0 };
	struct buf b;
	int r;

	buf_init(&b, PRIVMSG_MAX);
	assert_int_equal(buf_put(&b, body, n), 0);
	assert_int_equal(privmsg_send(child, type, 9, &b, NULL, 0), 0);
	buf_free(&b);
	assert_int_equal(privmsg_recv(g.sock, &m, false), 1);
	r = gate_request(&g, &m);
	privmsg_free(&m);
	return r;
}

static bool
has_answer(unsigned type)
{
	uint8_t byte;

	if (recv(child, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 1)
		return false;
	assert_int_equal(privmsg_recv(child, &answer, true), 1);
	assert_int_equal(answer.type, type + 1);
	assert_int_equal(answer.id, 9);
	return true;
}

static size_t
enter_body(uint8_t *p, const uint8_t *tok, const uint8_t *cookie)
{
	static const uint8_t address[] = { 0, 0, 0, 3, ':', ':', '1' };
	size_t n = HTTP_TOKEN_LEN;

	memcpy(p, tok, n);
	p[n++] = cookie != NULL;
	if (cookie != NULL) {
		memcpy(p + n, cookie, HTTP_TOKEN_LEN);
		n += HTTP_TOKEN_LEN;
	}
	memcpy(p + n, address, sizeof(address));
	return n + sizeof(address);
}

static uint8_t
enter(const uint8_t *tok, const uint8_t *cookie, uint8_t fresh[HTTP_TOKEN_LEN])
{
	uint8_t body[128], entry;

	assert_int_equal(say(HTTP_ENTER, body, enter_body(body, tok, cookie)),
	    0);
	assert_true(has_answer(HTTP_ENTER));
	assert_int_equal(buf_get_u8(&answer.body, &entry), 0);
	if (entry == HTTP_ENTERED)
		assert_int_equal(buf_get(&answer.body, fresh, HTTP_TOKEN_LEN),
		    0);
	assert_int_equal(buf_at_end(&answer.body), 0);
	return entry;
}

static bool
check(const uint8_t *cookie)
{
	uint8_t good;

	assert_int_equal(say(HTTP_CHECK, cookie, HTTP_TOKEN_LEN), 0);
	assert_true(has_answer(HTTP_CHECK));
	assert_int_equal(buf_get_u8(&answer.body, &good), 0);
	assert_int_equal(buf_at_end(&answer.body), 0);
	return good;
}

static uint8_t
admit(enum http_kind kind, const uint8_t *cookie, uint32_t *ticket)
{
	uint8_t body[1 + HTTP_TOKEN_LEN] = { (uint8_t)kind }, admission;

	if (cookie != NULL)
		memcpy(body + 1, cookie, HTTP_TOKEN_LEN);
	assert_int_equal(
	    say(HTTP_ADMIT, body, cookie != NULL ? sizeof(body) : 1), 0);
	assert_true(has_answer(HTTP_ADMIT));
	assert_int_equal(buf_get_u8(&answer.body, &admission), 0);
	assert_int_equal(buf_get_u32(&answer.body, ticket), 0);
	assert_int_equal(buf_at_end(&answer.body), 0);
	assert_int_equal(*ticket != 0, admission == HTTP_ADMITTED);
	return admission;
}

static int
with_ticket(unsigned type, uint32_t ticket)
{
	uint8_t body[4] = { (uint8_t)(ticket >> 24), (uint8_t)(ticket >> 16),
		(uint8_t)(ticket >> 8), (uint8_t)ticket };

	return say(type, body, sizeof(body));
}

/* Whether it gives a connection. */
static bool
connects(uint32_t ticket)
{
	int fd;

	assert_int_equal(with_ticket(HTTP_CONNECT, ticket), 0);
	assert_true(has_answer(HTTP_CONNECT));
	if ((fd = privmsg_take_fd(&answer, 0)) != -1)
		close(fd);
	return fd != -1;
}

/* --- */

/* Nothing that a child can say gives it a connection without a login. */
static void
test_stranger(void **state)
{
	uint8_t wrong[HTTP_TOKEN_LEN], fresh[HTTP_TOKEN_LEN];
	uint32_t ticket;

	(void)state;
	memset(wrong, 1, sizeof(wrong));
	assert_int_equal(enter(wrong, NULL, fresh), HTTP_REFUSED);
	assert_int_equal(enter(zeros, zeros, fresh), HTTP_REFUSED);
	assert_false(check(token));
	assert_false(check(zeros));
	assert_int_equal(admit(HTTP_TERMINAL, token, &ticket), HTTP_DENIED);
	assert_int_equal(admit(HTTP_FILES, zeros, &ticket), HTTP_DENIED);
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(with_ticket(HTTP_CONNECT, i), SKY_ERR_DENIED);
	assert_int_equal(with_ticket(HTTP_CONNECT, UINT32_MAX), SKY_ERR_DENIED);
	assert_false(has_answer(HTTP_CONNECT));
	assert_int_equal(dialed, 0);
}

static void
test_login(void **state)
{
	uint8_t cookie[HTTP_TOKEN_LEN], other[HTTP_TOKEN_LEN];
	uint32_t ticket, files;

	(void)state;
	assert_int_equal(enter(token, NULL, cookie), HTTP_ENTERED);
	assert_int_equal(enter(token, NULL, other), HTTP_REFUSED);
	assert_int_equal(enter(token, cookie, other), HTTP_KNOWN);
	assert_true(check(cookie));
	assert_int_equal(admit(HTTP_TERMINAL, cookie, &ticket), HTTP_ADMITTED);
	assert_int_equal(admit(HTTP_FILES, cookie, &files), HTTP_ADMITTED);
	assert_int_not_equal(ticket, files);
	for (int i = 0; i < HTTP_DIALS_MAX; i++)
		assert_true(connects(ticket));
	assert_int_equal(with_ticket(HTTP_CONNECT, ticket), SKY_ERR_DENIED);
	assert_true(connects(files));
	assert_int_equal(with_ticket(HTTP_LEAVE, files), 0);
	assert_int_equal(with_ticket(HTTP_LEAVE, files), SKY_ERR_DENIED);
	assert_int_equal(with_ticket(HTTP_CONNECT, files), SKY_ERR_DENIED);
	assert_int_equal(dialed, HTTP_DIALS_MAX + 1);
	/* A link that is good is taken from whoever is in, too. */
	new_token(0x77);
	assert_int_equal(enter(token, cookie, other), HTTP_ENTERED);
	assert_true(check(cookie) && check(other));
	assert_memory_not_equal(cookie, other, sizeof(other));
	/* All is void for another child; only cookies are not. */
	gate_child(&g, g.sock);
	assert_int_equal(with_ticket(HTTP_CONNECT, ticket), SKY_ERR_DENIED);
}

static void
test_room(void **state)
{
	uint32_t ticket[CLIENTS + 1];
	uint8_t cookie[HTTP_TOKEN_LEN];

	(void)state;
	assert_int_equal(enter(token, NULL, cookie), HTTP_ENTERED);
	for (int i = 0; i < CLIENTS; i++)
		assert_int_equal(admit(HTTP_TERMINAL, cookie, &ticket[i]),
		    HTTP_ADMITTED);
	assert_int_equal(admit(HTTP_TERMINAL, cookie, &ticket[CLIENTS]),
	    HTTP_FULL);
	assert_int_equal(admit(HTTP_FILES, cookie, &ticket[CLIENTS]),
	    HTTP_ADMITTED);
	assert_int_equal(with_ticket(HTTP_LEAVE, ticket[1]), 0);
	assert_int_equal(admit(HTTP_TERMINAL, cookie, &ticket[1]),
	    HTTP_ADMITTED);
}

/* As many as there is room for, but not all in one second. */
static void
test_rate(void **state)
{
	unsigned admitted = 0, full = 0;
	uint8_t cookie[HTTP_TOKEN_LEN];
	uint32_t ticket;

	(void)state;
	assert_int_equal(enter(token, NULL, cookie), HTTP_ENTERED);
	for (int i = 0; i < 2000; i++) {
		if (admit(HTTP_TERMINAL, cookie, &ticket) == HTTP_FULL) {
			full++;
			continue;
		}
		admitted++;
		assert_int_equal(with_ticket(HTTP_LEAVE, ticket), 0);
	}
	assert_int_equal(admitted + full, 2000);
	assert_true(admitted >= HTTP_ADMITS_PER_S && full > 0);
}

static void
test_once(void **state)
{
	uint8_t cookie[HTTP_TOKEN_LEN];
	uint32_t ticket, files, other;

	tear_down(state);
	begin(false, empty, true, false);
	assert_int_equal(enter(token, NULL, cookie), HTTP_ENTERED);
	assert_int_equal(admit(HTTP_FILES, cookie, &files), HTTP_FULL);
	assert_int_equal(admit(HTTP_TERMINAL, cookie, &ticket), HTTP_ADMITTED);
	assert_int_equal(admit(HTTP_TERMINAL, cookie, &other), HTTP_FULL);
	assert_int_equal(admit(HTTP_FILES, cookie, &files), HTTP_ADMITTED);
	/* One that came to nothing does not count. */
	assert_int_equal(with_ticket(HTTP_LEAVE, ticket), 0);
	assert_int_equal(admit(HTTP_TERMINAL, cookie, &ticket), HTTP_ADMITTED);
	assert_true(connects(ticket));
	assert_int_equal(with_ticket(HTTP_LEAVE, ticket), 0);
	assert_int_equal(admit(HTTP_TERMINAL, cookie, &ticket), HTTP_FULL);
	assert_false(g.ended);
	assert_int_equal(say(HTTP_ENDED, "", 0), 0);
	assert_true(g.ended);
}

static void
test_readonly(void **state)
{
	uint8_t cookie[HTTP_TOKEN_LEN];
	uint32_t ticket;

	tear_down(state);
	begin(false, empty, false, true);
	assert_int_equal(enter(token, NULL, cookie), HTTP_ENTERED);
	assert_int_equal(admit(HTTP_FILES, cookie, &ticket), HTTP_DENIED);
	assert_int_equal(admit(HTTP_TERMINAL, cookie, &ticket), HTTP_ADMITTED);
}

/* Nothing to check: room and rate are what is left. */
static void
test_open(void **state)
{
	uint8_t body[128], admit_body[1 + HTTP_TOKEN_LEN] = { HTTP_TERMINAL };
	uint32_t ticket;

	for (int i = 0; i < 2; i++) {
		tear_down(state);
		begin(i == 0, i == 0 ? empty : header, false, false);
		assert_int_equal(admit(HTTP_TERMINAL, NULL, &ticket),
		    HTTP_ADMITTED);
		assert_true(connects(ticket));
		assert_int_equal(with_ticket(HTTP_CONNECT, ticket + 1),
		    SKY_ERR_DENIED);
		assert_int_equal(
		    say(HTTP_ENTER, body, enter_body(body, token, NULL)),
		    SKY_ERR_DENIED);
		assert_int_equal(say(HTTP_CHECK, zeros, HTTP_TOKEN_LEN),
		    SKY_ERR_DENIED);
		assert_int_equal(
		    say(HTTP_ADMIT, admit_body, sizeof(admit_body)),
		    SKY_ERR_DENIED);
	}
}

/* Cut anywhere, or with more behind it, each request ends the child. */
static void
test_cut(void **state)
{
	uint8_t cookie[HTTP_TOKEN_LEN], body[256], fresh[HTTP_TOKEN_LEN];
	uint32_t ticket;
	size_t n;

	(void)state;
	memset(body, 0, sizeof(body));
	n = enter_body(body, token, zeros);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(say(HTTP_ENTER, body, i), SKY_ERR_DENIED);
	assert_int_equal(say(HTTP_ENTER, body, n + 1), SKY_ERR_DENIED);
	body[HTTP_TOKEN_LEN] = 2;
	assert_int_equal(say(HTTP_ENTER, body, n), SKY_ERR_DENIED);
	body[HTTP_TOKEN_LEN] = 0;
	assert_int_equal(say(HTTP_ENTER, body, n), SKY_ERR_DENIED);
	/* An address with a length that is not its, or is too long. */
	n = enter_body(body, token, NULL);
	body[n - 4] = 4;
	assert_int_equal(say(HTTP_ENTER, body, n), SKY_ERR_DENIED);
	body[n - 7] = 0xff;
	assert_int_equal(say(HTTP_ENTER, body, n), SKY_ERR_DENIED);
	assert_false(has_answer(HTTP_ENTER));
	/* None of these has used it up. */
	assert_int_equal(enter(token, NULL, cookie), HTTP_ENTERED);
	for (size_t i = 0; i < HTTP_TOKEN_LEN; i++)
		assert_int_equal(say(HTTP_CHECK, cookie, i), SKY_ERR_DENIED);
	memcpy(body, cookie, sizeof(cookie));
	assert_int_equal(say(HTTP_CHECK, body, HTTP_TOKEN_LEN + 1),
	    SKY_ERR_DENIED);
	body[0] = HTTP_TERMINAL;
	memcpy(body + 1, cookie, sizeof(cookie));
	for (size_t i = 0; i <= HTTP_TOKEN_LEN; i++)
		assert_int_equal(say(HTTP_ADMIT, body, i), SKY_ERR_DENIED);
	assert_int_equal(say(HTTP_ADMIT, body, HTTP_TOKEN_LEN + 2),
	    SKY_ERR_DENIED);
	for (int kind = 2; kind < 256; kind++) {
		body[0] = (uint8_t)kind;
		assert_int_equal(say(HTTP_ADMIT, body, HTTP_TOKEN_LEN + 1),
		    SKY_ERR_DENIED);
	}
	memset(g.count, 0, sizeof(g.count)); /* they were many */
	assert_int_equal(admit(HTTP_TERMINAL, cookie, &ticket), HTTP_ADMITTED);
	for (size_t i = 0; i < 8; i++) {
		if (i == 4)
			continue;
		assert_int_equal(say(HTTP_CONNECT, body, i), SKY_ERR_DENIED);
		assert_int_equal(say(HTTP_LEAVE, body, i), SKY_ERR_DENIED);
	}
	assert_int_equal(say(HTTP_ENDED, "", 0),
	    SKY_ERR_DENIED); /* no --once */
	assert_int_equal(dialed, 0);
	assert_true(connects(ticket));
	assert_int_equal(enter(token, NULL, fresh), HTTP_REFUSED);
}

/* Nothing else is known, whatever its length. */
static void
test_unknown(void **state)
{
	static const unsigned known[] = { HTTP_ENTER, HTTP_CHECK, HTTP_ADMIT,
		HTTP_CONNECT, HTTP_LEAVE, HTTP_ENDED, PM_LOG };
	static const uint8_t body[PRIVMSG_MAX - PRIVMSG_HEAD_LEN];
	bool skip;

	(void)state;
	for (unsigned type = 0; type <= 1024; type++) {
		skip = false;
		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			skip |= type == known[i];
		assert_int_equal(say(type, body, sizeof(body)), SKY_ERR_DENIED);
		if (!skip)
			assert_int_equal(say(type, body, type % 64),
			    SKY_ERR_DENIED);
	}
	assert_int_equal(say(UINT16_MAX, body, 0), SKY_ERR_DENIED);
	assert_int_equal(dialed, 0);
}

/* Behind its end only lines of the log and --once are heard. */
static void
test_last_words(void **state)
{
	uint8_t cookie[HTTP_TOKEN_LEN], body[1 + HTTP_TOKEN_LEN];
	struct privmsg m = { 0 };
	struct buf b;

	tear_down(state);
	begin(false, empty, true, false);
	assert_int_equal(enter(token, NULL, cookie), HTTP_ENTERED);
	body[0] = HTTP_TERMINAL;
	memcpy(body + 1, cookie, sizeof(cookie));
	buf_view(&b, body, sizeof(body));
	assert_int_equal(privmsg_send(child, HTTP_ADMIT, 9, &b, NULL, 0), 0);
	assert_int_equal(privmsg_send(child, HTTP_ENDED, 9, NULL, NULL, 0), 0);
	while (!g.ended) {
		assert_int_equal(privmsg_recv(g.sock, &m, false), 1);
		gate_last_words(&g, &m);
	}
	privmsg_free(&m);
	assert_false(has_answer(HTTP_ADMIT));
	assert_int_equal(g.ticket[0].id, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_stranger, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_login, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_room, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rate, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_readonly, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_open, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unknown, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_last_words, set_up,
		    tear_down),
	};

	if (sodium_init() == -1)
		return 1;
	log_init("test", LOG_LEVEL_ERROR, true);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
