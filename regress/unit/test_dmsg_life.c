/* SPDX-License-Identifier: ISC */
/*
 * The whole process of skyptyd-dmsg against servers that end things in the
 * middle of them, and with memory that is refused once, at each place in turn.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "common/pty/yamux.h"
#include "regress/unit/dmsg_world.h"

#if SKYPTY_SANITIZE
#include <sanitizer/lsan_interface.h>

/* Status 1 is how the process itself gives up. */
const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
	return "abort_on_error=1";
}
#endif

#define SLOT	 0
#define PEER	 0x77 /* who dials, or is dialed */
#define MANY	 (DMSG_SESSIONS_MAX + 1)
#define ANSWER	 "\0\6answer"
#define LAST_MAX 5000 /* allocations of a life, more than there are */

/* --- memory that is refused once --- */

static unsigned long allocations, refused_at;

static bool
is_refused(void)
{
	return ++allocations == refused_at;
}

#include "refused_memory.h"

/* --- steps --- */

static struct server_session *
session(struct world *w, size_t slot)
{
	return &w->d->sessions[slot];
}

/* Sessions with the servers 1 to n, made for a stream of somebody's. */
static void
bring_up(struct world *w, uint8_t n)
{
	struct key_public pk;
	const char *why;

	for (uint8_t i = 1; i <= n; i++) {
		pk = world_key(i);
		(void)server_session(w->d, &pk, &why);
		world_come_up(w);
	}
}

/* The discovery, on the stream of that id, is who it claims to be. */
static void
accept_question(struct world *w, size_t slot, uint32_t id)
{
	world_response(w, slot, W_ACK, id, w->d->ask.hash, true);
	world_loop(w);
	world_serve(w);
}

static struct out *
first_out(struct world *w)
{
	return LIST_FIRST(&w->d->outs);
}

/* Everything once, whatever fails on the way. */
static void
live(struct world *w)
{
	uint8_t on[] = { 0x55, 1 };
	struct buf text;
	char json[2048];
	int fd;

	buf_view(&text, "some bytes", 10);
	server_connect_more(w->d);
	world_come_up(w);
	/* Our entry is looked for, and published. */
	world_fire(w->d->publish_ev);
	world_serve(w);
	accept_question(w, SLOT, 1);
	world_http(w, SLOT, W_FIN, 1, 404,
	    "{\"code\":404,\"message\":\"entry of public key is not found\"}");
	world_serve(w);
	accept_question(w, SLOT, 3);
	world_http(w, SLOT, W_FIN, 3, 200, "{}");
	world_serve(w);
	/* Somebody comes. */
	world_frame(w, SLOT, W_WINDOW, W_SYN, 2, 0, NULL, 0);
	world_request(w, SLOT, 0, 2, 22);
	world_request(w, SLOT, W_SYN, 4, 23);
	world_serve(w);
	if (w->nothers != 0)
		(void)!write(w->other[0], ANSWER, sizeof(ANSWER) - 1);
	world_serve(w);
	world_data(w, SLOT, 0, 2, &text);
	if (w->nothers != 0)
		(void)!write(w->other[0], "back", 4);
	world_serve(w);
	/* Somebody goes. */
	fd = world_out(w, 1, world_key(PEER));
	world_serve(w);
	accept_question(w, SLOT, 5);
	world_entry(json, sizeof(json), world_key(PEER), on, sizeof(on));
	world_http(w, SLOT, W_FIN, 5, 200, json);
	world_serve(w);
	if (first_out(w) != NULL)
		world_response(w, SLOT, W_ACK, 7, first_out(w)->hash, true);
	world_serve(w);
	world_data(w, SLOT, 0, 7, &text);
	(void)!write(fd, "forth", 5);
	world_serve(w);
	/* Time passes, and all ends. */
	world_fire(session(w, SLOT)->timer);
	world_fire(w->d->servers_ev);
	world_fire(w->d->connect_ev);
	world_serve(w);
	world_frame(w, SLOT, W_WINDOW, W_RST, 2, 0, NULL, 0);
	world_serve(w);
	world_frame(w, SLOT, W_GOAWAY, 0, 0, 1, NULL, 0);
	world_serve(w);
	close(fd);
}

static bool
refuses_connect(struct world *w, unsigned type, uint16_t id)
{
	(void)w, (void)id;
	return type == PM_DMSG_CONNECT;
}

/* --- what servers can bring about together --- */

#define FULL  20 /* streams of each */
#define PIECE (32U * 1024)

static size_t
count_unread(struct world *w)
{
	size_t n = 0;

	for (size_t i = 0; i < DMSG_SESSIONS_MAX; i++)
		n += dmsg_session_buffered(session(w, i)->dmsg);
	return n;
}

/* Windows full of bytes behind requests that nobody answers, on each session.
 */
static void
test_unread_of_all_sessions(void **state)
{
	static const uint8_t bytes[PIECE];
	struct world w;
	struct buf b;
	size_t most = 0;

	(void)state;
	assert_true(world_begin(&w, WORLD_URL, DMSG_SESSIONS_MAX));
	bring_up(&w, DMSG_SESSIONS_MAX);
	for (size_t i = 0; i < DMSG_SESSIONS_MAX; i++)
		for (uint32_t id = 2; id <= 2 * FULL; id += 2) {
			world_request(&w, i, W_SYN, id, 22);
			world_serve(&w);
			for (size_t n = 0; n + PIECE < YAMUX_WINDOW;
			     n += PIECE) {
				buf_view(&b, bytes, sizeof(bytes));
				world_data(&w, i, 0, id, &b);
				world_loop(&w);
				if (count_unread(&w) > most)
					most = count_unread(&w);
			}
		}
	assert_true(most <= DMSG_UNREAD);
	assert_true(most > DMSG_UNREAD - PIECE);
	for (size_t i = 0; i < DMSG_SESSIONS_MAX; i++) {
		assert_int_equal(session(&w, i)->state, SESSION_UP);
		/* None was driven out by the others. */
		assert_true(dmsg_session_buffered(session(&w, i)->dmsg) >
		    DMSG_UNREAD / DMSG_SESSIONS_MAX / 2);
	}
	world_end(&w);
}

/* As much as a stream may hold, or nearly. */
static void
fill_stream(struct world *w, size_t slot, uint32_t id)
{
	static const uint8_t bytes[PIECE];
	struct buf b;

	for (size_t n = 0; n + PIECE < YAMUX_WINDOW; n += PIECE) {
		buf_view(&b, bytes, sizeof(bytes));
		world_data(w, slot, 0, id, &b);
		world_loop(w);
	}
}

#define IN_USE	80 /* streams, by one session */
#define WAITING 80 /* by another: more together than may be */

/* Whoever is served keeps it, though his session holds most. */
static void
test_unread_of_open_streams(void **state)
{
	struct world w;

	(void)state;
	assert_true(world_begin(&w, WORLD_URL, 2));
	w.sndbuf = 1; /* the least that the system has */
	bring_up(&w, 2);
	for (uint32_t id = 2; id <= 2 * IN_USE; id += 2) {
		world_request(&w, 0, W_SYN, id, 22);
		world_serve(&w);
		assert_int_equal(
		    write(w.other[w.nothers - 1], ANSWER, sizeof(ANSWER) - 1),
		    sizeof(ANSWER) - 1);
		world_serve(&w);
		fill_stream(&w, 0, id);
	}
	for (uint32_t id = 2; id <= 2 * WAITING; id += 2) {
		world_request(&w, 1, W_SYN, id, 22);
		world_serve(&w);
		fill_stream(&w, 1, id);
		assert_true(dmsg_session_buffered(session(&w, 0)->dmsg) +
			dmsg_session_buffered(session(&w, 1)->dmsg) <=
		    DMSG_UNREAD);
	}
	assert_true(
	    dmsg_session_buffered(session(&w, 0)->dmsg) > DMSG_UNREAD / 2);
	assert_int_equal(dmsg_session_streams(session(&w, 0)->dmsg), IN_USE);
	assert_true(dmsg_session_streams(session(&w, 1)->dmsg) < WAITING);
	world_end(&w);
}

/* --- others come by it, or do not --- */

static void
begin_probe(struct world *w)
{
	session(w, SLOT)->probe.due_ms = 0;
	world_fire(w->d->probe_ev);
	event_base_loop(w->d->base, EVLOOP_NONBLOCK);
	world_serve(w);
}

static void
probe_came(struct world *w, uint32_t id)
{
	struct dmsg_request q = { .timestamp = 1,
		.src = { w->d->own, 50000 },
		.dst = { w->d->own, 1 } };
	struct buf gob;

	/* Its hash is that of what the monitor has signed, see below. */
	buf_view(&q.noise, "noise", 5);
	buf_init(&gob, WORLD_ROOM);
	assert_int_equal(dmsg_put_request(&gob, &q), 0);
	world_object(w, SLOT, W_SYN, id, &gob);
	buf_free(&gob);
	world_serve(w);
}

/* A world of one server, and a session with it. */
static struct server_session *
begin_up(struct world *w)
{
	assert_true(world_begin(w, WORLD_URL, 1));
	server_connect_more(w->d);
	world_come_up(w);
	return session(w, SLOT);
}

static void
test_proven_by_its_own_request(void **state)
{
	struct server_session *s;
	struct world w;

	(void)state;
	s = begin_up(&w);
	begin_probe(&w);
	assert_int_equal(w.asked[PM_DMSG_PROBE], 1);
	assert_non_null(s->probe.stream);
	/* One of ours, but not this one: it proves nothing. */
	probe_came(&w, 2);
	assert_true(s->probe.proven_ms == 0);
	/* Whoever else comes does. */
	world_request(&w, SLOT, W_SYN, 4, 22);
	world_serve(&w);
	assert_true(s->probe.proven_ms != 0);
	assert_int_equal(w.asked[PM_DMSG_STREAM], 1);
	world_end(&w);
}

/* Twice in vain, and the session ends; a later answer finds nobody. */
static void
test_unproven_ends(void **state)
{
	struct server_session *s;
	struct world w;

	(void)state;
	s = begin_up(&w);
	begin_probe(&w);
	world_frame(&w, SLOT, W_WINDOW, W_RST, 1, 0, NULL, 0);
	world_serve(&w);
	assert_int_equal(s->state, SESSION_UP);
	assert_int_equal(s->probe.failures, 1);
	begin_probe(&w);
	begin_probe(&w); /* its time is over */
	assert_int_equal(s->state, SESSION_FREE);
	assert_int_equal(w.d->servers[0].unproven, 1);
	assert_true(w.d->servers[0].not_before > 0);
	world_answer(&w, PM_DMSG_PROBE, w.d->probe_id, "a signed request", 16,
	    -1);
	world_serve(&w);
	/* The next one is given more time. */
	w.d->servers[0].not_before = 0;
	server_connect_more(w.d);
	world_come_up(&w);
	assert_int_equal(s->state, SESSION_UP);
	for (int i = 0; i < 2; i++) {
		begin_probe(&w);
		begin_probe(&w);
	}
	assert_int_equal(s->probe.failures, 2);
	assert_int_equal(s->state, SESSION_UP);
	world_end(&w);
}

/* A server that says nothing to a ping, not one that is only slow with it. */
static void
test_stands_still(void **state)
{
	struct server_session *s;
	struct world w;

	(void)state;
	s = begin_up(&w);
	world_fire(s->timer);
	world_serve(&w);
	world_frame(&w, SLOT, W_PING, W_SYN, 0, 7, NULL, 0);
	world_serve(&w);
	world_fire(s->timer);
	world_serve(&w);
	assert_int_equal(s->state, SESSION_UP);
	world_frame(&w, SLOT, W_PING, W_ACK, 0, 1, NULL, 0);
	world_serve(&w);
	world_fire(s->timer);
	world_serve(&w);
	assert_int_equal(s->state, SESSION_UP);
	world_fire(s->timer);
	world_serve(&w);
	assert_int_equal(s->state, SESSION_FREE);
	world_end(&w);
}

/* Where a server is, and in which order that is tried. */
static void
test_addresses(void **state)
{
	struct dmsg_entry e = { .is_server = true, .address = "192.0.2.9:1" };
	struct server *sv;
	struct world w;

	(void)state;
	assert_true(world_begin(&w, WORLD_URL, 0));
	e.pk = world_key(1);
	server_add(w.d, &e, true);
	sv = &w.d->servers[0];
	assert_string_equal(sv->address[sv->at], "192.0.2.9:1");
	strlcpy(e.address, "192.0.2.9:2", sizeof(e.address));
	server_add(w.d, &e, false);
	assert_int_equal(w.d->nservers, 1);
	assert_string_equal(sv->address[sv->at], "192.0.2.9:2");
	w.refuses = refuses_connect;
	server_connect_more(w.d);
	world_serve(&w);
	assert_string_equal(sv->address[sv->at], "192.0.2.9:1");
	/* The same again changes nothing, another one is tried at once. */
	server_add(w.d, &e, false);
	assert_string_equal(sv->address[sv->at], "192.0.2.9:1");
	assert_true(sv->not_before != 0);
	strlcpy(e.address, "192.0.2.9:3", sizeof(e.address));
	server_add(w.d, &e, false);
	assert_string_equal(sv->address[sv->at], "192.0.2.9:3");
	assert_true(sv->not_before == 0);
	world_end(&w);
}

/* --- ends in the middle --- */

/*
 * The question goes over the one session that has no other use, its stream is
 * reset, and the place of that session is wanted for the next server: the
 * session ends by what it was just told.
 */
static void
test_session_ends_by_its_own_input(void **state)
{
	uint8_t on[] = { 0x55, MANY };
	struct world w;
	char json[2048];
	int fd;

	(void)state;
	assert_true(world_begin(&w, WORLD_URL, MANY));
	bring_up(&w, DMSG_SESSIONS_MAX);
	for (size_t i = 1; i < DMSG_SESSIONS_MAX; i++)
		world_frame(&w, i, W_WINDOW, W_SYN, 2, 0, NULL, 0);
	world_loop(&w);
	for (size_t i = 0; i < DMSG_SESSIONS_MAX; i++)
		assert_int_equal(session(&w, i)->state, SESSION_UP);
	fd = world_out(&w, 1, world_key(PEER));
	world_serve(&w);
	assert_ptr_equal(w.d->ask.session, session(&w, SLOT));
	accept_question(&w, SLOT, 1);
	w.d->ask.turn = SLOT; /* the next question takes the same way */
	world_entry(json, sizeof(json), world_key(PEER), on, sizeof(on));
	world_http(&w, SLOT, W_FIN, 1, 200, json);
	world_serve(&w);
	assert_int_equal(first_out(&w)->state, OUT_ADDRESS);
	assert_ptr_equal(w.d->ask.session, session(&w, SLOT));
	world_frame(&w, SLOT, W_WINDOW, W_RST, 3, 0, NULL, 0);
	world_serve(&w);
	world_come_up(&w);
	assert_int_equal(session(&w, SLOT)->state, SESSION_UP);
	assert_int_equal(session(&w, SLOT)->server->pk.b[1], MANY);
	assert_int_equal(first_out(&w)->state, OUT_DIALED);
	close(fd);
	world_end(&w);
}

/* What a server can do to a stream, or to all of them. */
static void
harm(struct world *w, unsigned how, uint32_t id)
{
	static const unsigned flags[] = { W_RST, W_FIN, W_FIN | W_RST,
		W_ACK | W_FIN };

	switch (how) {
	case 0:
	case 1:
	case 2:
	case 3:
		world_frame(w, SLOT, W_WINDOW, flags[how], id, 0, NULL, 0);
		break;
	case 4: /* in the middle of its own data */
		world_frame(w, SLOT, W_DATA, 0, id, 100, "half", 4);
		world_loop(w);
		close(w->server[SLOT]);
		w->server[SLOT] = -1;
		break;
	case 5:
		world_frame(w, SLOT, W_DATA, W_RST, id, 4, "data", 4);
		break;
	case 6:
		world_frame(w, SLOT, W_GOAWAY, 0, 0, 0, NULL, 0);
		break;
	case 7:
		world_frame(w, SLOT, W_GOAWAY, 0, 0, 1, NULL, 0);
		break;
	case 8:
		world_frame(w, SLOT, 9, 0xff, 77, 0, NULL, 0);
		break;
	case 9:
		if (w->server[SLOT] != -1)
			shutdown(w->server[SLOT], SHUT_WR);
		break;
	default:
		world_request(w, SLOT, 0, id, 22);
		world_frame(w, SLOT, W_WINDOW, W_RST, id, 0, NULL, 0);
	}
	world_serve(w);
}

#define HARMS	11
#define PHASES	6
#define STREAMS 3 /* the newest one of ours, the one before, the peer's */

/* How far it comes before; the newest stream of ours. */
static uint32_t
come_to(struct world *w, unsigned phase, int *fd)
{
	uint8_t on[] = { 1 };
	char json[2048];

	if (phase == 0)
		return 1;
	*fd = world_out(w, 1, world_key(PEER));
	world_serve(w);
	if (phase == 1)
		return 1;
	accept_question(w, SLOT, 1);
	if (phase == 2)
		return 1;
	world_entry(json, sizeof(json), world_key(PEER), on, sizeof(on));
	world_http(w, SLOT, W_FIN, 1, 200, json);
	world_serve(w);
	if (phase == 3)
		return 3;
	if (first_out(w) == NULL)
		fail_msg("it is given up in phase %u", phase);
	world_response(w, SLOT, W_ACK, 3, first_out(w)->hash, true);
	if (phase == 4)
		return 3;
	world_serve(w);
	return 3;
}

static void
try_harm(unsigned phase, unsigned how, unsigned stream)
{
	struct world w;
	uint32_t id;
	int fd = -1;

	assert_true(world_begin(&w, WORLD_URL, 2));
	bring_up(&w, 1);
	world_frame(&w, SLOT, W_WINDOW, W_SYN, 2, 0, NULL, 0);
	world_request(&w, SLOT, 0, 2, 22);
	world_serve(&w);
	assert_int_equal(w.d->npipes, 1);
	id = come_to(&w, phase, &fd);
	harm(&w, how, stream == 0 ? id : stream == 1 ? id - 2 : 2);
	/* Another server serves. */
	bring_up(&w, 2);
	for (size_t i = 0; i < DMSG_SESSIONS_MAX; i++)
		if (session(&w, i)->state == SESSION_UP &&
		    session(&w, i)->server->pk.b[1] == 2)
			id = 0;
	assert_int_equal(id, 0);
	if (fd != -1)
		close(fd);
	world_end(&w);
}

static void
test_ends_at_each_phase(void **state)
{
	(void)state;
	for (unsigned phase = 0; phase < PHASES; phase++)
		for (unsigned how = 0; how < HARMS; how++)
			for (unsigned stream = 0; stream < STREAMS; stream++)
				try_harm(phase, how, stream);
}

/* A handshake that ends in each of its states. */
static void
test_ends_in_handshake(void **state)
{
	static const unsigned until[] = { PM_DMSG_CONNECT, PM_DMSG_HANDSHAKE,
		PM_DMSG_MESSAGE_2 };
	struct world w;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		for (unsigned how = 4; how < 10; how++) {
			const char *why;
			struct key_public pk = world_key(1);

			assert_true(world_begin(&w, WORLD_URL, 1));
			(void)server_session(w.d, &pk, &why);
			for (unsigned k = 0; k <= i; k++) {
				world_do(&w, until[k], SLOT);
				world_loop(&w);
			}
			world_fire(session(&w, SLOT)->timer);
			harm(&w, how, 1);
			world_fire(session(&w, SLOT)->timer);
			harm(&w, how, 1);
			world_end(&w);
		}
}

/* Old servers lose what comes behind message 3: nothing does, for a while. */
static void
test_silence_behind_handshake(void **state)
{
	struct key_public pk = world_key(1);
	const char *why;
	struct world w;
	uint64_t said;

	(void)state;
	assert_true(world_begin(&w, WORLD_URL, 1));
	(void)server_session(w.d, &pk, &why);
	world_serve(&w);
	assert_int_equal(session(&w, SLOT)->state, SESSION_SILENT);
	assert_true(event_pending(session(&w, SLOT)->timer, EV_TIMEOUT, NULL));
	said = w.said[SLOT];
	/* Somebody who comes and somebody who goes wait as well. */
	(void)world_out(&w, 1, world_key(PEER));
	world_request(&w, SLOT, W_SYN, 2, 22);
	world_fire(w.d->publish_ev);
	world_serve(&w);
	assert_int_equal(session(&w, SLOT)->state, SESSION_SILENT);
	assert_int_equal(w.said[SLOT], said);
	world_fire(session(&w, SLOT)->timer);
	world_serve(&w);
	assert_int_equal(session(&w, SLOT)->state, SESSION_UP);
	assert_true(w.said[SLOT] > said);
	world_end(&w);
}

/* An answer that comes for a question that was given up is not the next's. */
static void
test_late_answers(void **state)
{
	struct world w;
	uint16_t id;

	(void)state;
	assert_true(world_begin(&w, "http://192.0.2.1:9090", 1));
	ask_begin(w.d, ASK_SERVERS, NULL);
	id = w.d->ask.id;
	world_fire(w.d->ask.timer);
	event_base_loop(w.d->base, EVLOOP_NONBLOCK);
	assert_false(ask_busy(w.d));
	ask_begin(w.d, ASK_SERVERS, NULL);
	assert_int_not_equal(w.d->ask.id, id);
	world_answer(&w, PM_DMSG_CONNECT, id, "\0\0\0\2no", 6, -1);
	event_base_loop(w.d->base, EVLOOP_NONBLOCK);
	assert_true(ask_busy(w.d));
	world_do(&w, PM_DMSG_CONNECT, w.d->ask.id);
	event_base_loop(w.d->base, EVLOOP_NONBLOCK);
	assert_int_not_equal(w.d->ask.fd, -1);
	world_end(&w);
}

/* --- without memory --- */

/* Status 0: it lived on, 1: it gave up by itself, 2: no life was so long. */
static void
live_without(unsigned long n)
{
	unsigned long used;
	struct world w;

	allocations = 0;
	refused_at = n;
	if (!world_begin(&w, WORLD_URL, 1))
		_exit(1);
	live(&w);
	used = allocations;
	world_end(&w);
#if SKYPTY_SANITIZE
	if (__lsan_do_recoverable_leak_check() != 0)
		abort();
#endif
	_exit(used < n ? 2 : 0);
}

static int
status_without(unsigned long n)
{
	int status;
	pid_t pid;

	if ((pid = fork()) == 0)
		live_without(n);
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status))
		fail_msg("killed by signal %d without allocation %lu",
		    WTERMSIG(status), n);
	return WEXITSTATUS(status);
}

static void
test_without_memory(void **state)
{
	unsigned long n = 1, gave_up = 0;
	int status;

	(void)state;
	for (; (status = status_without(n)) != 2; n++) {
		assert_true(n < LAST_MAX);
		gave_up += status == 1;
	}
	assert_true(n > 100);
	print_message("%lu allocations, %lu without which it gives up\n", n - 1,
	    gave_up);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_session_ends_by_its_own_input),
		cmocka_unit_test(test_unread_of_all_sessions),
		cmocka_unit_test(test_unread_of_open_streams),
		cmocka_unit_test(test_proven_by_its_own_request),
		cmocka_unit_test(test_unproven_ends),
		cmocka_unit_test(test_stands_still),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_ends_at_each_phase),
		cmocka_unit_test(test_ends_in_handshake),
		cmocka_unit_test(test_silence_behind_handshake),
		cmocka_unit_test(test_late_answers),
		cmocka_unit_test(test_without_memory),
	};

	event_set_mem_functions(__wrap_malloc, __wrap_realloc, free);
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
