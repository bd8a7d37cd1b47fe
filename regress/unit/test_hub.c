/* SPDX-License-Identifier: ISC */
/* client/hub: a hub between callers and a host that speaks yamux. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/conn.h"
#include "client/hub/hub.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/hex.h"
#include "common/pty/mux.h"
#include "common/pty/yamux.h"
#include "regress/unit/clock.h"

#define MANY	 1000
#define BIG	 (1024U * 1024)
#define WIRE_MAX (4U * 1024 * 1024)

static struct world {
	struct conn conn;
	struct hub *hub;
	int host; /* the other end of its connection */
	struct yamux *yamux;
	struct buf in, out;
	bool over;
	/* What the rows of the tests were called for. */
	struct hub_peer *arrived, *ordered;
	char query[MUX_URI_MAX + 1];
	/* What hub_open() has told. */
	int told;
	char why[HUB_WHY_MAX];
} w;

/* --- time --- */

static int64_t clock_ms;

int
wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
	if (id != CLOCK_MONOTONIC)
		return real_clock_gettime(id, ts);
	*ts = (struct timespec){ .tv_sec = clock_ms / 1000,
		.tv_nsec = clock_ms % 1000 * 1000000 };
	return 0;
}

static void
clock_pass(int64_t ms)
{
	clock_ms += ms;
}

/* --- the world --- */

static void
on_arrival(struct hub *h, struct hub_peer *p, struct buf *query)
{
	assert_ptr_equal(h, w.hub);
	assert_null(w.arrived);
	w.arrived = p;
	snprintf(w.query, sizeof(w.query), "%.*s", (int)buf_len(query),
	    (const char *)buf_ptr(query));
}

static void
on_order(struct hub *h, struct hub_peer *p, struct buf *query)
{
	on_arrival(h, p, query);
	w.ordered = w.arrived;
	w.arrived = NULL;
}

static const struct hub_row arrivals[] = {
	{ "skypty/1/accepted", on_arrival },
	{ NULL, NULL },
};
static const struct hub_row orders[] = {
	{ HUB_URI "test", on_order },
	{ NULL, NULL },
};
static const struct hub_tables with_rows = { orders, arrivals };

static void
begin_with(const struct hub_tables *tables, int64_t persist_ms, int listener)
{
	struct hub_way way = { .persist_ms = persist_ms,
		.listener = listener,
		.guest = -1 };
	int sv[2];

	memset(&w, 0, sizeof(w));
	memset(way.id, 0x5a, sizeof(way.id));
	clock_ms = 1000;
	assert_int_equal(socketpair(AF_UNIX,
			     SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sv),
	    0);
	conn_init(&w.conn);
	w.conn.fd = sv[0];
	w.conn.link.plain = w.conn.accepted = true;
	w.host = sv[1];
	buf_init(&w.in, WIRE_MAX);
	buf_init(&w.out, WIRE_MAX);
	assert_non_null(w.yamux = yamux_new(false, NULL));
	assert_non_null(w.hub = hub_new(&w.conn, &way, tables));
}

/* Nobody comes by it. */
static int
a_listener(void)
{
	const struct sockaddr any = { .sa_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, &any, sizeof(any.sa_family)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static int
begin(void **state)
{
	struct rlimit rl;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &rl), 0);
	rl.rlim_cur = rl.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &rl);
	begin_with(&hub_tables, HUB_FOREVER, a_listener());
	return 0;
}

static int
end(void **state)
{
	(void)state;
	hub_free(w.hub);
	conn_close(&w.conn);
	if (w.host != -1)
		close(w.host);
	yamux_free(w.yamux);
	buf_free(&w.in);
	buf_free(&w.out);
	return 0;
}

/* What the hub has for the host, and the other way round. */
static void
step(void)
{
	if (!w.over)
		w.over = !hub_round(w.hub, 0);
	if (w.host == -1)
		return;
	while (buf_read(&w.in, w.host, 65536) > 0)
		;
	assert_int_equal(yamux_input(w.yamux, &w.in), 0);
	assert_int_equal(yamux_output(w.yamux, &w.out), 0);
	while (buf_write(&w.out, w.host) > 0)
		;
}

static void
run(void)
{
	for (int i = 0; i < 40; i++)
		step();
}

static int
call(void)
{
	int sv[2];

	assert_int_equal(socketpair(AF_UNIX,
			     SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sv),
	    0);
	hub_seat(w.hub, sv[1]);
	return sv[0];
}

static void
ask(int fd, const char *uri)
{
	struct buf b;

	buf_init(&b, MUX_URI_MAX + 1);
	assert_int_equal(mux_put_request(&b, uri), 0);
	assert_true(buf_write(&b, fd) > 0);
	buf_free(&b);
}

/* What there is to be read now is that. */
static void
reads(int fd, const void *what, size_t n)
{
	char got[4096];

	run();
	assert_int_equal(read(fd, got, sizeof(got)), n);
	assert_memory_equal(got, what, n);
}

static void
is_at_end(int fd)
{
	char c;

	run();
	assert_int_equal(read(fd, &c, 1), 0);
}

static bool
is_open(int fd)
{
	char c;

	run();
	return recv(fd, &c, 1, MSG_PEEK) == -1 && errno == EAGAIN;
}

/* The channel that the hub has opened. */
static struct yamux_stream *
accepted(void)
{
	struct yamux_stream *st;

	run();
	assert_non_null(st = yamux_accept(w.yamux));
	return st;
}

static void
holds_now(struct yamux_stream *st, const void *what, size_t n)
{
	assert_int_equal(buf_len(yamux_in(st)), n);
	assert_memory_equal(buf_ptr(yamux_in(st)), what, n);
	assert_int_equal(yamux_consume(st, n), 0);
}

static void
holds(struct yamux_stream *st, const void *what, size_t n)
{
	run();
	holds_now(st, what, n);
}

static void
says(struct yamux_stream *st, const void *what, size_t n)
{
	assert_int_equal(yamux_write(st, what, n), n);
	run();
}

/* A caller with a channel that the host has accepted. */
static struct yamux_stream *
relayed(int *fd)
{
	struct yamux_stream *st;

	ask(*fd = call(), "x");
	holds(st = accepted(), "\1x", 2);
	says(st, "\0", 1);
	reads(*fd, "\0", 1);
	return st;
}

/* --- callers --- */

static void
test_bytes_both_ways(void **state)
{
	struct yamux_stream *st;
	int fd = call();

	(void)state;
	assert_int_equal(write(fd, "\3abchello", 9), 9);
	holds(st = accepted(), "\3abchello", 9);
	says(st, "\0world", 6);
	reads(fd, "\0world", 6);
	/* Half of it: the other direction goes on. */
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	run();
	assert_true(yamux_eof(st));
	says(st, "more", 4);
	reads(fd, "more", 4);
	assert_true(is_open(fd));
	assert_int_equal(hub_count(w.hub), 1);
	assert_int_equal(yamux_shutdown(st), 0);
	is_at_end(fd);
	assert_int_equal(hub_count(w.hub), 0);
	close(fd);
}

static void
test_host_half_closes_first(void **state)
{
	struct yamux_stream *st;
	int fd;

	(void)state;
	st = relayed(&fd);
	says(st, "last", 4);
	assert_int_equal(yamux_shutdown(st), 0);
	reads(fd, "last", 4);
	is_at_end(fd);
	assert_int_equal(write(fd, "still", 5), 5);
	holds(st, "still", 5);
	assert_false(yamux_eof(st));
	close(fd);
	run();
	assert_true(yamux_eof(st));
	assert_int_equal(hub_count(w.hub), 0);
}

/* What a caller has said before he went arrives. */
static void
test_caller_has_gone(void **state)
{
	struct yamux_stream *st;
	int fd;

	(void)state;
	st = relayed(&fd);
	assert_int_equal(write(fd, "bye", 3), 3);
	close(fd);
	holds(st, "bye", 3);
	assert_true(yamux_eof(st));
	assert_int_equal(hub_count(w.hub), 0);
}

static void
test_host_resets(void **state)
{
	struct yamux_stream *st;
	int fd, other;

	(void)state;
	(void)relayed(&fd);
	st = relayed(&other);
	says(st, "more", 4);
	/* What lies unread for longer than that is reset. */
	yamux_close(st);
	close(fd);
	run();
	reads(other, "more", 4);
	is_at_end(other);
	close(other);
}

static void
test_request_in_pieces(void **state)
{
	static const char text[] = "\4skypabc";
	struct yamux_stream *st;
	int fd = call();

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(write(fd, text + i, 1), 1);
		run();
		assert_null(yamux_accept(w.yamux));
	}
	assert_int_equal(write(fd, text + 4, 4), 4);
	st = accepted();
	holds(st, text, 8);
	close(fd);
}

/* Who ends in the middle of a request gets nothing, and costs nothing. */
static void
test_request_cut(void **state)
{
	static const char text[] = "\4skyp";

	(void)state;
	for (size_t n = 0; n < 5; n++) {
		int fd = call();

		assert_int_equal(write(fd, text, n), n);
		run();
		assert_int_equal(hub_count(w.hub), 1);
		close(fd);
		run();
		assert_int_equal(hub_count(w.hub), 0);
		assert_null(yamux_accept(w.yamux));
	}
}

static void
test_silent_caller(void **state)
{
	int fd = call();

	(void)state;
	assert_true(is_open(fd));
	clock_pass(10000);
	assert_true(is_open(fd));
	clock_pass(1000);
	is_at_end(fd);
	close(fd);
}

/* --- orders --- */

static void
test_check(void **state)
{
	char text[64];
	int fd = call(), other;

	(void)state;
	(void)relayed(&other);
	ask(fd, HUB_URI_CHECK);
	text[0] = '\0';
	reads(fd, text,
	    1 + (size_t)snprintf(text + 1, 63, "%ld 1", (long)getpid()));
	is_at_end(fd);
	assert_null(yamux_accept(w.yamux));
	close(fd);
	close(other);
}

static void
test_unknown_order(void **state)
{
	static const char no[] = "\1the hub does not know this order";
	int fd = call();

	(void)state;
	ask(fd, HUB_URI "dance");
	reads(fd, no, sizeof(no) - 1);
	is_at_end(fd);
	assert_null(yamux_accept(w.yamux));
	close(fd);
}

/* Those that are here go on, and the hub ends with the last. */
static void
test_stop(void **state)
{
	struct yamux_stream *st;
	int fd = call(), other;

	(void)state;
	st = relayed(&other);
	ask(fd, HUB_URI_STOP);
	reads(fd, "\0", 1);
	close(fd);
	says(st, "on", 2);
	reads(other, "on", 2);
	assert_false(w.over);
	close(other);
	run();
	assert_true(w.over);
}

static void
test_exit(void **state)
{
	int fd = call(), other;

	(void)state;
	(void)relayed(&other);
	ask(fd, HUB_URI_EXIT);
	reads(fd, "\0", 1);
	assert_true(w.over);
	close(fd);
	close(other);
}

static void
test_wait(void **state)
{
	int fd = call();

	(void)state;
	ask(fd, HUB_URI_WAIT);
	reads(fd, "\0\n", 2);
	assert_true(is_open(fd));
	assert_int_equal(hub_count(w.hub), 1);
	close(fd);
	run();
	assert_int_equal(hub_count(w.hub), 0);
}

static void
for_uri(char uri[MUX_URI_MAX + 1], uint8_t byte)
{
	uint8_t id[HUB_ID_LEN];
	char hex[2 * HUB_ID_LEN + 1];

	memset(id, byte, sizeof(id));
	hex_encode(id, sizeof(id), hex);
	snprintf(uri, MUX_URI_MAX + 1, HUB_URI_FOR "?%s", hex);
}

static void
test_for(void **state)
{
	static const char no[] = "\1it is another destination's";
	char uri[MUX_URI_MAX + 1];
	struct yamux_stream *st;
	int fd = call();

	(void)state;
	for_uri(uri, 0x5a);
	ask(fd, uri);
	reads(fd, "\0", 1);
	ask(fd, "x");
	holds(st = accepted(), "\1x", 2);
	close(fd);
	fd = call();
	for_uri(uri, 0x5b);
	ask(fd, uri);
	ask(fd, "x");
	reads(fd, no, sizeof(no) - 1);
	assert_null(yamux_accept(w.yamux));
	close(fd);
	/* Not at all. */
	fd = call();
	ask(fd, HUB_URI_FOR);
	reads(fd, no, sizeof(no) - 1);
	close(fd);
}

/* One that is answered later, also when nobody waits any more. */
static void
test_order_answered_later(void **state)
{
	int fd;

	(void)state;
	end(NULL);
	begin_with(&with_rows, HUB_FOREVER, a_listener());
	fd = call();
	ask(fd, HUB_URI "test?a=b");
	run();
	assert_non_null(w.ordered);
	assert_string_equal(w.query, "a=b");
	assert_true(is_open(fd));
	hub_reply(w.ordered, true, "done");
	reads(fd, "\0done", 5);
	is_at_end(fd);
	close(fd);
	ask(fd = call(), HUB_URI "test");
	run();
	close(fd);
	run();
	assert_int_equal(hub_count(w.hub), 1);
	hub_reply(w.ordered, false, "too late");
	run();
	assert_int_equal(hub_count(w.hub), 0);
}

/* --- hub_open() --- */

static void
on_told(void *arg, int fd, const char *why)
{
	assert_ptr_equal(arg, &w);
	w.told++;
	strlcpy(w.why, why != NULL ? why : "", sizeof(w.why));
	if (why == NULL)
		assert_int_equal(write(fd, "hi ", 3), 3);
}

static int
opened(void)
{
	int sv[2];

	w.told = 0;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv),
	    0);
	assert_int_equal(hub_open(w.hub, "uri", sv[1], on_told, &w), 0);
	assert_int_equal(w.told, 0);
	assert_int_equal(fcntl(sv[0], F_SETFL, O_NONBLOCK), 0);
	return sv[0];
}

static void
test_open(void **state)
{
	struct yamux_stream *st;
	int fd = opened();

	(void)state;
	assert_int_equal(write(fd, "early", 5), 5);
	holds(st = accepted(), "\3uri", 4);
	assert_int_equal(w.told, 0);
	says(st, "\0there", 6);
	assert_int_equal(w.told, 1);
	assert_string_equal(w.why, "");
	reads(fd, "hi there", 8);
	holds(st, "early", 5);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	run();
	assert_true(yamux_eof(st));
	says(st, "rest", 4);
	reads(fd, "rest", 4);
	yamux_close(st);
	is_at_end(fd);
	assert_int_equal(hub_count(w.hub), 0);
	close(fd);
}

static void
test_open_refused(void **state)
{
	struct yamux_stream *st;
	int fd = opened();

	(void)state;
	holds(st = accepted(), "\3uri", 4);
	says(st, "\1connection", 11);
	assert_int_equal(w.told, 0);
	says(st, " refused", 8);
	yamux_close(st);
	is_at_end(fd);
	assert_int_equal(w.told, 1);
	assert_string_equal(w.why, "connection refused");
	close(fd);
	/* Without a reason. */
	fd = opened();
	holds(st = accepted(), "\3uri", 4);
	says(st, "\1", 1);
	yamux_close(st);
	is_at_end(fd);
	assert_string_equal(w.why, "the host refuses it");
	close(fd);
}

/* A reason without an end is cut. */
static void
test_open_refused_at_length(void **state)
{
	char text[HUB_WHY_MAX + 100];
	struct yamux_stream *st;
	int fd = opened();

	(void)state;
	memset(text, 'a', sizeof(text));
	text[0] = MUX_REJECT;
	holds(st = accepted(), "\3uri", 4);
	says(st, text, sizeof(text));
	is_at_end(fd);
	assert_int_equal(w.told, 1);
	assert_int_equal(strlen(w.why), HUB_WHY_MAX - 1);
	close(fd);
}

static void
test_open_not_answered(void **state)
{
	struct yamux_stream *st;
	int fd = opened();

	(void)state;
	holds(st = accepted(), "\3uri", 4);
	yamux_close(st);
	is_at_end(fd);
	assert_string_equal(w.why, "the host has not answered");
	close(fd);
	/* Nor waited for. */
	fd = opened();
	st = accepted();
	close(fd);
	run();
	assert_int_equal(w.told, 1);
	assert_int_equal(hub_count(w.hub), 0);
	/* And at the connection's end. */
	fd = opened();
	st = accepted();
	close(w.host);
	w.host = -1;
	is_at_end(fd);
	assert_int_equal(w.told, 1);
	assert_string_equal(w.why, "the shared connection has ended");
	close(fd);
	assert_int_equal(hub_open(w.hub, "uri", 0, on_told, &w), SKY_ERR_STATE);
}

/* --- what the host opens --- */

static struct yamux_stream *
host_opens(const void *request, size_t n)
{
	struct yamux_stream *st;

	assert_int_equal(yamux_open(w.yamux, &st), 0);
	says(st, request, n);
	return st;
}

/* What nobody has asked for leads nowhere. */
static void
test_arrivals_refused(void **state)
{
	static const char *const uris[] = { "skypty/1/accepted?id=1",
		"skypty/1/exec", "dmsgpty/pty", "", "skypty/1/hub/exit",
		"skypty/1/channels" };
	struct yamux_stream *st;

	(void)state;
	for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
		char text[MUX_URI_MAX + 1];

		text[0] = (char)strlen(uris[i]);
		memcpy(text + 1, uris[i], strlen(uris[i]));
		st = host_opens(text, 1 + strlen(uris[i]));
		holds(st, "\1", 1);
		assert_true(yamux_eof(st));
		yamux_close(st);
		run();
		assert_int_equal(hub_count(w.hub), 0);
		assert_false(w.over);
	}
}

/* A host that opens and says nothing gets no more of it. */
static void
test_arrivals_flood(void **state)
{
	struct yamux_stream *st;
	int fd;

	(void)state;
	for (int i = 0; i < 200; i++) {
		assert_int_equal(yamux_open(w.yamux, &st), 0);
		step();
	}
	run();
	assert_true(hub_count(w.hub) <= 64);
	(void)relayed(&fd);
	close(fd);
}

static void
test_arrival_taken(void **state)
{
	struct yamux_stream *st;
	int sv[2];

	(void)state;
	end(NULL);
	begin_with(&with_rows, HUB_FOREVER, a_listener());
	st = host_opens("\25skypty/1/accepted?a=bfirst", 27);
	assert_non_null(w.arrived);
	assert_string_equal(w.query, "a=b");
	assert_int_equal(buf_len(yamux_in(st)), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv),
	    0);
	assert_int_equal(fcntl(sv[0], F_SETFL, O_NONBLOCK), 0);
	hub_take(w.arrived, sv[1]);
	holds(st, "\0", 1);
	reads(sv[0], "first", 5);
	assert_int_equal(write(sv[0], "back", 4), 4);
	holds(st, "back", 4);
	close(sv[0]);
	run();
	assert_true(yamux_eof(st));
}

/* The host has gone away from it before anybody has taken it. */
static void
test_arrival_taken_late(void **state)
{
	struct yamux_stream *st;
	int sv[2];

	(void)state;
	end(NULL);
	begin_with(&with_rows, HUB_FOREVER, a_listener());
	st = host_opens("\21skypty/1/accepted", 18);
	assert_non_null(w.arrived);
	yamux_close(st);
	close(w.host);
	w.host = -1;
	run();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv),
	    0);
	hub_take(w.arrived, sv[1]);
	is_at_end(sv[0]);
	assert_int_equal(hub_count(w.hub), 0);
	close(sv[0]);
}

/* --- many, and slow ones --- */

static void
test_slow_caller_stalls_no_other(void **state)
{
	static uint8_t big[65536];
	struct yamux_stream *st, *other;
	size_t sent = 0;
	int fd, quick;
	ssize_t r = 1;

	(void)state;
	st = relayed(&fd);
	other = relayed(&quick);
	for (int i = 0; i < 100 && r > 0; i++) {
		if ((r = yamux_write(st, big, sizeof(big))) > 0)
			sent += (size_t)r;
		run();
	}
	assert_int_equal(r, SKY_ERR_AGAIN);
	assert_true(sent < 2 * BIG);
	says(other, "quick", 5);
	reads(quick, "quick", 5);
	/* It gets all of it. */
	for (size_t got = 0; got < sent;) {
		run();
		if ((r = read(fd, big, sizeof(big))) > 0)
			got += (size_t)r;
	}
	assert_true(is_open(fd));
	close(fd);
	close(quick);
}

static void
test_slow_host_stalls_callers_only(void **state)
{
	static uint8_t big[65536];
	struct yamux_stream *st, *other;
	size_t sent = 0, got = 0;
	int fd, quick;
	ssize_t r;

	(void)state;
	st = relayed(&fd);
	other = relayed(&quick);
	while ((r = write(fd, big, sizeof(big))) > 0 && sent < 4 * BIG) {
		sent += (size_t)r;
		run();
	}
	assert_true(sent < 4 * BIG);
	assert_int_equal(write(quick, "quick", 5), 5);
	holds(other, "quick", 5);
	while (got < sent) {
		size_t n = buf_len(yamux_in(st));

		got += n;
		assert_int_equal(yamux_consume(st, n), 0);
		run();
	}
	close(fd);
	close(quick);
}

static void
test_many(void **state)
{
	struct yamux_stream *st;
	static int fd[MANY];
	char answer[1 + 16];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		fd[i] = call();
		ask(fd[i], "many");
	}
	for (int i = 0; i < MANY; i++) {
		while ((st = yamux_accept(w.yamux)) == NULL)
			step();
		holds_now(st, "\4many", 5);
		snprintf(answer, sizeof(answer), "%c%d", 0, i);
		assert_int_equal(yamux_write(st, answer, 6), 6);
	}
	for (int i = 0; i < 4; i++)
		run();
	for (int i = 0; i < MANY; i++) {
		snprintf(answer, sizeof(answer), "%c%d", 0, i);
		assert_int_equal(read(fd[i], answer + 8, 8), 6);
		assert_memory_equal(answer, answer + 8, 3);
		close(fd[i]);
	}
	for (int i = 0; i < 4; i++)
		run();
	assert_int_equal(hub_count(w.hub), 0);
}

static void
test_too_many(void **state)
{
	static int fd[HUB_PEERS_MAX];
	int more;

	(void)state;
	for (int i = 0; i < HUB_PEERS_MAX; i++)
		fd[i] = call();
	run();
	assert_int_equal(hub_count(w.hub), HUB_PEERS_MAX);
	more = call();
	is_at_end(more);
	close(more);
	assert_int_equal(hub_open(w.hub, "uri", 0, NULL, NULL), SKY_ERR_LIMIT);
	for (int i = 0; i < HUB_PEERS_MAX; i++)
		close(fd[i]);
	run();
	assert_int_equal(hub_count(w.hub), 0);
}

/* Nobody who has gone is kept by a host that acknowledges no channels. */
static void
test_never_acknowledged(void **state)
{
	static int fd[MANY], sv[2];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		fd[i] = call();
		ask(fd[i], "many");
	}
	assert_int_equal(socketpair(AF_UNIX,
			     SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sv),
	    0);
	run();
	assert_int_equal(hub_open(w.hub, "uri", sv[1], NULL, NULL), 0);
	run();
	assert_int_equal(hub_count(w.hub), MANY + 1);
	for (int i = 0; i < MANY; i++)
		close(fd[i]);
	close(sv[0]);
	for (int i = 0; i < 4; i++)
		run();
	assert_int_equal(hub_count(w.hub), 0);
}

/* --- the connection's end --- */

static void
test_connection_lost(void **state)
{
	struct yamux_stream *st;
	int fd, other = call();

	(void)state;
	st = relayed(&fd);
	says(st, "last words", 10);
	close(w.host);
	w.host = -1;
	reads(fd, "last words", 10);
	is_at_end(fd);
	is_at_end(other);
	assert_true(w.over);
	close(fd);
	close(other);
}

static void
on_told_reply(void *arg, int fd, const char *why)
{
	(void)arg, (void)fd;
	assert_string_equal(why, "the shared connection has ended");
	hub_reply(w.ordered, false, why);
}

/* Who is told of it may end others: nobody is passed over for that. */
static void
test_lost_in_a_row(void **state)
{
	static const char no[] = "\1the shared connection has ended";
	int sv[2], ordered, fd;

	(void)state;
	end(NULL);
	begin_with(&with_rows, HUB_FOREVER, a_listener());
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv),
	    0);
	assert_int_equal(hub_open(w.hub, "uri", sv[1], on_told_reply, NULL), 0);
	(void)accepted();
	ask(ordered = call(), HUB_URI "test");
	run();
	(void)relayed(&fd);
	run();
	close(w.host);
	w.host = -1;
	is_at_end(fd);
	reads(ordered, no, sizeof(no) - 1);
	assert_true(w.over);
	close(sv[0]);
	close(ordered);
	close(fd);
}

static void
test_host_breaks_the_rules(void **state)
{
	int fd;

	(void)state;
	(void)relayed(&fd);
	assert_int_equal(write(w.host, "\77\0\0\0\0\0\0\0\0\0\0\0", 12), 12);
	is_at_end(fd);
	assert_true(w.over);
	close(fd);
}

/* Who reads nothing keeps it for no longer than half a minute. */
static void
test_lost_with_a_slow_caller(void **state)
{
	static uint8_t big[65536];
	struct yamux_stream *st;
	int fd;

	(void)state;
	st = relayed(&fd);
	for (int i = 0; i < 100 && yamux_write(st, big, sizeof(big)) > 0; i++)
		run();
	close(w.host);
	w.host = -1;
	run();
	assert_false(w.over);
	clock_pass(31000);
	run();
	assert_true(w.over);
	close(fd);
}

static void
silence(int64_t ms)
{
	for (; ms > 0; ms -= 5000) {
		clock_pass(5000);
		if (!w.over)
			w.over = !hub_round(w.hub, 0);
	}
}

static void
test_silent_host(void **state)
{
	int fd;

	(void)state;
	(void)relayed(&fd);
	/* One that answers pings lives for ever. */
	for (int i = 0; i < 100; i++) {
		clock_pass(5000);
		step();
	}
	assert_false(w.over);
	assert_true(is_open(fd));
	silence(300000);
	assert_true(w.over);
	close(fd);
}

/* We were stopped: nobody has been asked. */
static void
test_stopped(void **state)
{
	int fd;

	(void)state;
	(void)relayed(&fd);
	clock_pass(3600000);
	run();
	assert_false(w.over);
	assert_true(is_open(fd));
	close(fd);
}

static void
test_persist(void **state)
{
	int fd;

	(void)state;
	end(NULL);
	begin_with(&hub_tables, 60000, a_listener());
	(void)relayed(&fd);
	for (int i = 0; i < 100; i++) {
		clock_pass(5000);
		step();
	}
	assert_false(w.over);
	close(fd);
	run();
	clock_pass(9000);
	for (int i = 0; i < 10; i++) {
		step();
		assert_false(w.over);
		clock_pass(5000);
	}
	/* Somebody comes: from the beginning. */
	(void)relayed(&fd);
	close(fd);
	run();
	for (int i = 0; i < 11; i++) {
		clock_pass(5000);
		step();
		assert_false(w.over);
	}
	clock_pass(5000);
	step();
	assert_true(w.over);
}

static void
test_without_persist(void **state)
{
	int fd, other;

	(void)state;
	end(NULL);
	begin_with(&hub_tables, 0, a_listener());
	fd = call();
	ask(fd, "x");
	holds(accepted(), "\1x", 2);
	(void)relayed(&other);
	close(fd);
	run();
	assert_false(w.over);
	close(other);
	run();
	assert_true(w.over);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_bytes_both_ways),
		TEST(test_host_half_closes_first),
		TEST(test_caller_has_gone),
		TEST(test_host_resets),
		TEST(test_request_in_pieces),
		TEST(test_request_cut),
		TEST(test_silent_caller),
		TEST(test_check),
		TEST(test_unknown_order),
		TEST(test_stop),
		TEST(test_exit),
		TEST(test_wait),
		TEST(test_for),
		TEST(test_order_answered_later),
		TEST(test_open),
		TEST(test_open_refused),
		TEST(test_open_refused_at_length),
		TEST(test_open_not_answered),
		TEST(test_arrivals_refused),
		TEST(test_arrivals_flood),
		TEST(test_arrival_taken),
		TEST(test_arrival_taken_late),
		TEST(test_slow_caller_stalls_no_other),
		TEST(test_slow_host_stalls_callers_only),
		TEST(test_many),
		TEST(test_too_many),
		TEST(test_never_acknowledged),
		TEST(test_connection_lost),
		TEST(test_lost_in_a_row),
		TEST(test_host_breaks_the_rules),
		TEST(test_lost_with_a_slow_caller),
		TEST(test_silent_host),
		TEST(test_stopped),
		TEST(test_persist),
		TEST(test_without_persist),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
