/* SPDX-License-Identifier: ISC */
/* Who goes when the lobby is full, and who comes in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/listener.h"

static int64_t clock_ms = 1000000;

static int64_t
try_now_ms(void)
{
	return clock_ms;
}

#define now_ms try_now_ms
#include "daemon/lobby.c"
#undef now_ms

/* Nobody is admitted here. */
int
listener_serve(struct listener *s, int fd, const struct origin *from,
    const char *peer, enum priv_carrier carrier)
{
	(void)s, (void)fd, (void)from, (void)peer, (void)carrier;
	fail();
	return -1;
}

void
listener_untold(struct listener *s)
{
	(void)s;
}

void
monitor_prepare(const struct config *conf, int fd)
{
	(void)conf, (void)fd;
}

static struct settings set;

static int
begin(void **state)
{
	struct listener *s = calloc(1, sizeof(*s));

	set.conf.maxstartups = (struct config_startups){ 10, 30, 100 };
	set.conf.startuprate = (struct config_rates){ 10, 40, 100 };
	set.conf.netblocks = (struct config_blocks){ 24, 48 };
	set.conf.maxperaddr = 64;
	set.conf.handshake_timeout = 10;
	s->set = &set;
	s->base = event_base_new();
	limits_init(&s->conns);
	/* Nobody who could be ended for somebody else. */
	s->conns.nstartups[POOL_TCP] = set.conf.maxstartups.full;
	*state = s;
	return lobby_init(s);
}

static int
end(void **state)
{
	struct listener *s = *state;

	lobby_empty(s);
	event_free(s->lobby.tick);
	event_base_free(s->base);
	free(s);
	return 0;
}

/* The peer's end. */
static int
come(struct listener *s, const char *address, const char *said)
{
	union {
		struct sockaddr_storage ss;
		struct sockaddr_in v4;
	} a = { .v4 = { .sin_family = AF_INET } };
	struct origin from;
	int sv[2];

	assert_int_equal(inet_pton(AF_INET, address, &a.v4.sin_addr), 1);
	assert_int_equal(socketpair(AF_UNIX,
			     SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sv),
	    0);
	limits_tcp(&s->conns, &set.conf, &from, &a.ss);
	lobby_enter(s, sv[1], &a.ss, sizeof(a.v4), &from);
	assert_int_equal(write(sv[0], said, strlen(said)),
	    (ssize_t)strlen(said));
	if (*said != '\0')
		assert_int_equal(event_base_loop(s->base, EVLOOP_NONBLOCK), 0);
	return sv[0];
}

/* Whether it has been turned away; the end is closed if so. */
static bool
has_left(int fd)
{
	char c;

	if (recv(fd, &c, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN)
		return false;
	close(fd);
	return true;
}

/* Whoever has just come has not had the time to say something. */
static void
test_fresh_stays(void **state)
{
	struct listener *s = *state;
	int loud = come(s, "198.51.100.1", "x");
	int fresh = come(s, "203.0.113.1", "");

	clock_ms += GUEST_SAY_MS - 1;
	assert_true(lobby_make_room(s));
	assert_true(has_left(loud));
	assert_false(has_left(fresh));
	close(fresh);
}

static void
test_silent_goes(void **state)
{
	struct listener *s = *state;
	int silent = come(s, "203.0.113.1", "");
	int loud = come(s, "198.51.100.1", "x");

	clock_ms += GUEST_SAY_MS;
	assert_true(lobby_make_room(s));
	assert_true(has_left(silent));
	assert_false(has_left(loud));
	close(loud);
}

/* Of those alike the one that came first. */
static void
test_first_goes(void **state)
{
	struct listener *s = *state;
	int first = come(s, "203.0.113.1", "");
	int second = come(s, "203.0.113.2", "");

	assert_true(lobby_make_room(s));
	assert_true(has_left(first));
	assert_false(has_left(second));
	clock_ms += GUEST_SAY_MS;
	first = come(s, "203.0.113.3", "");
	clock_ms += GUEST_SAY_MS;
	assert_true(lobby_make_room(s));
	assert_true(has_left(second));
	assert_true(lobby_make_room(s));
	assert_true(has_left(first));
	assert_false(lobby_make_room(s));
}

/* Nobody's time of coming is better than another's. */
static void
test_lots(void **state)
{
	enum { GUESTS = 8, DRAWS = 400 };
	struct listener *s = *state;
	int fd[GUESTS], drawn[GUESTS] = { 0 };
	char address[32];

	for (int i = 0; i < GUESTS; i++) {
		snprintf(address, sizeof(address), "203.%d.113.1", i);
		fd[i] = come(s, address, "x");
	}
	for (int i = 0; i < DRAWS; i++) {
		const struct lobby_guest *g = next_guest(s, false, clock_ms),
					 *other;
		int at = 0;

		assert_non_null(g);
		TAILQ_FOREACH (other, &s->lobby.guests, entry) {
			if (other == g)
				break;
			at++;
		}
		drawn[at]++;
	}
	/* One of 10^22 runs has somebody who was never drawn. */
	for (int i = 0; i < GUESTS; i++) {
		assert_true(drawn[i] > 0);
		close(fd[i]);
	}
}

/* Of so many that only a part is looked at. */
static void
test_crowd(void **state)
{
	struct listener *s = *state;
	struct origin from = { .self = 7, .network = 8, .wide = 9 };
	char address[32];
	int known, fd[200];

	known = come(s, "192.0.2.1", "x");
	limits_tcp(&s->conns, &set.conf, &from, &s->lobby.all[0]->addr);
	limits_authenticated(&s->conns, &set.conf,
	    &(struct limits_conn){ .origin = from, .control = true }, clock_ms);
	for (int i = 0; i < 200; i++) {
		snprintf(address, sizeof(address), "203.0.%d.1", i);
		fd[i] = come(s, address, i % 2 ? "x" : "");
	}
	assert_int_equal(s->lobby.n, 201);
	clock_ms += GUEST_SAY_MS;
	for (int i = 0; i < 200; i++)
		assert_true(lobby_make_room(s));
	assert_int_equal(s->lobby.n, 1);
	assert_false(has_left(known));
	for (int i = 0; i < 200; i++)
		assert_true(has_left(fd[i]));
	assert_true(lobby_make_room(s));
	assert_true(has_left(known));
	for (size_t i = 0; i < LOBBY_LISTS; i++)
		assert_true(TAILQ_EMPTY(&s->lobby.alike[i]));
}

/* A crowded lobby lets nobody wait who has used up what is his. */
static void
test_refuses(void **state)
{
	struct listener *s = *state;
	struct limits_conn c = { 0 };
	union {
		struct sockaddr_storage ss;
		struct sockaddr_in v4;
	} a = { .v4 = { .sin_family = AF_INET } };
	int fd[CROWDED];
	char address[32];

	a.v4.sin_addr.s_addr = htonl(0xc6336401);
	limits_tcp(&s->conns, &set.conf, &c.origin, &a.ss);
	for (int i = 0; i < 101; i++)
		limits_admit(&s->conns, &set.conf, &c, clock_ms);
	assert_null(lobby_refuses(s, &c.origin));
	for (int i = 0; i < CROWDED; i++) {
		snprintf(address, sizeof(address), "203.%d.%d.1", i / 200,
		    i % 200);
		fd[i] = come(s, address, "");
	}
	assert_non_null(lobby_refuses(s, &c.origin));
	a.v4.sin_addr.s_addr = htonl(0xcb007101);
	limits_tcp(&s->conns, &set.conf, &c.origin, &a.ss);
	assert_null(lobby_refuses(s, &c.origin));
	for (int i = 0; i < CROWDED; i++)
		close(fd[i]);
	/* Nor one of which so many wait already. */
	lobby_empty(s);
	a.v4.sin_addr.s_addr = htonl(0xc6336401);
	limits_tcp(&s->conns, &set.conf, &c.origin, &a.ss);
	for (int i = 0; i < ALIKE_MAX; i++) {
		assert_null(lobby_refuses(s, &c.origin));
		fd[i] = come(s, "198.51.100.1", "x");
	}
	assert_non_null(lobby_refuses(s, &c.origin));
	for (int i = 0; i < ALIKE_MAX; i++)
		close(fd[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fresh_stays, begin, end),
		cmocka_unit_test_setup_teardown(test_silent_goes, begin, end),
		cmocka_unit_test_setup_teardown(test_first_goes, begin, end),
		cmocka_unit_test_setup_teardown(test_lots, begin, end),
		cmocka_unit_test_setup_teardown(test_crowd, begin, end),
		cmocka_unit_test_setup_teardown(test_refuses, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
