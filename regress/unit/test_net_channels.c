/* SPDX-License-Identifier: ISC */
/*
 * skypty/1/channels of the whole process of skyptyd-net: a peer that has yamux,
 * and a monitor that does what it is asked.  What may end the process is tried
 * in another one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "common/pty/yamux.h"
#include "daemon/net/net_channels.h"
#include "daemon/net/net_request.h"
#include "regress/unit/net_world.h"

#define GOES_ON 7 /* status of a process that has not ended */
#define MANY	1000

static struct net_world w;
static struct yamux *y;

static const uint8_t some[65536];

static int
status_of(pid_t pid)
{
	int status;

	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* --- the peer --- */

/* What it has to say goes, and what it is told is taken. */
static void
turn(void)
{
	struct buf out;

	buf_init(&out, 32768);
	do {
		buf_reset(&out);
		assert_int_equal(yamux_output(y, &out), 0);
		if (buf_len(&out) != 0)
			nw_say(&w, buf_ptr(&out), buf_len(&out));
		nw_serve(&w);
		assert_int_equal(yamux_input(y, &w.heard), 0);
	} while (buf_len(&out) != 0 || yamux_pending(y));
	buf_free(&out);
}

static void
begin(void)
{
	uint8_t answer = 0xff;

	assert_true(nw_begin(&w, PRIV_XK));
	nw_authenticate(&w);
	nw_ask(&w, MUX_URI_CHANNELS);
	assert_int_equal(buf_get_u8(&w.heard, &answer), 0);
	assert_int_equal(answer, MUX_ACCEPT);
	assert_non_null(y = yamux_new(true, NULL));
}

static void
end(void)
{
	yamux_free(y);
	nw_over(&w);
}

static void
say(struct yamux_stream *st, const void *p, size_t n)
{
	assert_int_equal(yamux_write(st, p, n), n);
}

static struct yamux_stream *
ask(const char *uri)
{
	struct yamux_stream *st;
	struct buf b;

	assert_int_equal(yamux_open(y, &st), 0);
	buf_init(&b, MUX_URI_MAX + 1);
	assert_int_equal(mux_put_request(&b, uri), 0);
	say(st, buf_ptr(&b), buf_len(&b));
	buf_free(&b);
	return st;
}

/* The next byte that a channel says; -1: none. */
static int
heard(struct yamux_stream *st)
{
	const struct buf *in = yamux_in(st);
	int byte;

	if (buf_len(in) == 0)
		return -1;
	byte = *buf_ptr(in);
	assert_int_equal(yamux_consume(st, 1), 0);
	return byte;
}

static size_t
hear_all(struct yamux_stream *st)
{
	size_t n, all = 0;

	do {
		n = buf_len(yamux_in(st));
		all += n;
		assert_int_equal(yamux_consume(st, n), 0);
		turn();
	} while (n != 0);
	return all;
}

static struct yamux_stream *
open_files(void)
{
	struct yamux_stream *st = ask(MUX_URI_FILES);

	turn();
	assert_int_equal(heard(st), MUX_ACCEPT);
	return st;
}

static bool
was_reset(const struct yamux_stream *st)
{
	struct yamux_event ev;
	bool found = false;

	while (yamux_event(y, &ev))
		found |= ev.stream == st && (ev.what & YAMUX_RESET);
	return found;
}

/* --- requests --- */

static void
test_several(void **state)
{
	struct yamux_stream *a, *b, *c;

	(void)state;
	begin();
	a = open_files();
	b = open_files();
	c = ask(MUX_URI_PTY);
	turn();
	assert_int_equal(heard(c), MUX_ACCEPT);
	assert_int_equal(w.asked[PM_SFTP_START], 2);
	say(a, "one", 3);
	say(b, "second", 6);
	turn();
	assert_int_equal(nw_end_take(&w, 0), 3);
	assert_int_equal(nw_end_take(&w, 1), 6);
	nw_end_say(&w, 1, "back", 4);
	turn();
	assert_int_equal(hear_all(b), 4);
	assert_int_equal(hear_all(a), 0);
	end();
}

static void
test_refused(void **state)
{
	static const char *const uris[] = { MUX_URI_CHANNELS, MUX_URI_WHITELIST,
		MUX_URI_STATUS, "skypty/1/nothing", "",
		MUX_AS "root/" MUX_URI_PTY };
	struct yamux_stream *st;

	(void)state;
	begin();
	for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
		st = ask(uris[i]);
		turn();
		assert_int_equal(heard(st), MUX_REJECT);
		(void)hear_all(st);
		assert_true(yamux_eof(st));
		yamux_close(st);
		turn();
	}
	assert_int_equal(w.asked[PM_USER], 0);
	assert_int_equal(yamux_count(y), 0);
	(void)open_files();
	end();
}

/* Byte by byte, and what is said right behind it is not lost. */
static void
test_slow_request(void **state)
{
	static const char request[] = "\x0dskypty/1/sftp"
				      "data";
	struct yamux_stream *st;

	(void)state;
	begin();
	assert_int_equal(yamux_open(y, &st), 0);
	for (size_t i = 0; i + 1 < sizeof(request); i++) {
		assert_int_equal(heard(st), i < 14 ? -1 : i == 14 ? 0 : -1);
		say(st, request + i, 1);
		turn();
	}
	assert_int_equal(nw_end_take(&w, 0), 4);
	end();
}

/* Who asks for nothing loses his channel, and no other. */
static void
test_no_request(void **state)
{
	struct yamux_stream *st, *other;
	int n = 0;

	(void)state;
	begin();
	other = open_files();
	assert_int_equal(yamux_open(y, &st), 0);
	say(st, "\x20not", 4);
	turn();
	while (!was_reset(st) && n++ < 20) {
		nw_fire(&w, (unsigned)n % 4);
		turn();
	}
	assert_true(n < 20);
	say(other, "on", 2);
	turn();
	assert_int_equal(nw_end_take(&w, 0), 2);
	end();
}

/* What wakes a channel is no byte of it: its peer may be idle too long. */
static void
test_idle(void **state)
{
	struct yamux_stream *st;

	(void)state;
	begin();
	st = open_files();
	w.n->peer.moved = false;
	nw_exited(&w, 99, PRIV_EXITED, 0);
	turn();
	assert_false(w.n->peer.moved);
	say(st, "on", 2);
	turn();
	assert_true(w.n->peer.moved);
	end();
}

/* Nor is what only keeps a connection open, either way. */
static void
test_idle_attached(void **state)
{
	struct yamux_stream *st;

	(void)state;
	begin();
	st = ask(MUX_URI_SESSION);
	turn();
	assert_int_equal(heard(st), MUX_ACCEPT);
	say(st, "\x30\0\0\0\0", 5);
	turn();
	assert_int_equal(nw_end_take(&w, 0), 5);
	w.n->peer.moved = false;
	say(st, "\0\0\0\0\0", 5);
	turn();
	assert_int_equal(nw_end_take(&w, 0), 5);
	nw_end_say(&w, 0, "\0\0\0\0\0", 5);
	turn();
	assert_int_equal(hear_all(st), 5);
	assert_false(w.n->peer.moved);
	nw_end_say(&w, 0, "\1\0\0\0\1", 5);
	turn();
	assert_true(w.n->peer.moved);
	end();
}

/* --- faults --- */

static void
test_own_fault(void **state)
{
	struct yamux_stream *bad, *other;

	(void)state;
	begin();
	other = open_files();
	bad = ask(MUX_URI_EXEC);
	turn();
	assert_int_equal(heard(bad), MUX_ACCEPT);
	say(bad, "\x77\0\0\0\1?", 6);
	turn();
	assert_true(was_reset(bad));
	yamux_close(bad);
	bad = ask(MUX_URI_PTY);
	turn();
	say(bad, "\x03\xff\xff\xff\xff", 5);
	turn();
	assert_true(was_reset(bad));
	say(other, "on", 2);
	turn();
	assert_int_equal(nw_end_take(&w, 0), 2);
	end();
}

static int
raw(const void *p, size_t n)
{
	pid_t pid;

	if ((pid = fork()) == 0) {
		begin();
		(void)open_files();
		nw_say(&w, p, n);
		nw_serve(&w);
		_exit(GOES_ON);
	}
	return status_of(pid);
}

static void
test_fault_of_yamux(void **state)
{
	(void)state;
	assert_int_equal(raw("\1\0\0\0\0\0\0\1\0\0\0\0", 12), PRIV_END_FAULT);
	assert_int_equal(raw("\0\7\0\0\0\0\0\1\0\0\0\0", 12), PRIV_END_FAULT);
	/* Over the window, and an even id of the peer's. */
	assert_int_equal(raw("\0\0\0\0\0\0\0\1\0\4\0\1", 12), PRIV_END_FAULT);
	assert_int_equal(raw("\0\0\0\1\0\0\0\2\0\0\0\0", 12), PRIV_END_FAULT);
	/* Pings, and a stream that is known to nobody. */
	assert_int_equal(raw("\0\2\0\1\0\0\0\0\0\0\0\5", 12), GOES_ON);
	assert_int_equal(raw("\0\0\0\0\0\0\0\x63\0\0\0\1?", 13), GOES_ON);
}

/* --- ends --- */

static int open_ours(void);

/* The client has left a channel: what it ran is ended, and its number free. */
static void
test_left(void **state)
{
	struct yamux_stream *st;

	(void)state;
	begin();
	st = open_files();
	yamux_close(st);
	turn();
	assert_int_equal(recv(w.end[0], (char[1]){ 0 }, 1, MSG_DONTWAIT), 0);
	assert_int_equal(yamux_count(y), 0);
	st = open_files();
	yamux_kill(st);
	yamux_close(st);
	turn();
	assert_int_equal(recv(w.end[1], (char[1]){ 0 }, 1, MSG_DONTWAIT), 0);
	assert_int_equal(yamux_count(y), 0);
	end();
}

static void
start(struct yamux_stream *st, uint8_t flags)
{
	struct xs_start s = { .flags = flags };
	struct buf b, out;

	buf_init(&b, 1000);
	buf_init(&out, 1000);
	buf_view(&s.name, "ls", 2);
	assert_int_equal(xs_put_start(&b, &s), 0);
	assert_int_equal(xs_put_frame(&out, XS_START, buf_ptr(&b), buf_len(&b)),
	    0);
	say(st, buf_ptr(&out), buf_len(&out));
	buf_free(&b);
	buf_free(&out);
}

static void
test_left_running(void **state)
{
	struct yamux_stream *st;

	(void)state;
	begin();
	st = ask(MUX_URI_EXEC);
	start(st, 0);
	turn();
	assert_int_equal(w.asked[PM_EXEC_START], 1);
	assert_int_equal(w.asked[PM_EXEC_LEAVE], 0);
	yamux_close(st);
	turn();
	assert_int_equal(w.asked[PM_EXEC_LEAVE], 1);
	st = ask(MUX_URI_EXEC);
	start(st, XS_TERMINAL);
	turn();
	assert_int_equal(w.asked[PM_PTY_START], 1);
	yamux_close(st);
	turn();
	assert_int_equal(w.asked[PM_PTY_STOP], 1);
	end();
}

static enum nw_how
late(struct net_world *world, unsigned type, uint16_t id)
{
	(void)world, (void)id;
	return type == PM_EXEC_START || type == PM_PTY_START ? NW_SILENT :
							       NW_DO;
}

/* What was begun for one that has left before is ended, too. */
static void
test_left_starting(void **state)
{
	struct yamux_stream *st;

	(void)state;
	begin();
	w.how = late;
	for (uint16_t i = 1; i <= 2; i++) {
		st = ask(MUX_URI_EXEC);
		start(st, i == 1 ? 0 : XS_TERMINAL);
		turn();
		yamux_close(st);
		turn();
	}
	assert_int_equal(w.asked[PM_EXEC_LEAVE] + w.asked[PM_PTY_STOP], 0);
	nw_do(&w, PM_EXEC_START, 1, NW_DO);
	turn();
	assert_int_equal(w.asked[PM_EXEC_LEAVE], 1);
	nw_do(&w, PM_PTY_START, 2, NW_DO);
	turn();
	assert_int_equal(w.asked[PM_PTY_STOP], 1);
	end();
}

/* That a command has ended is told to all, and known by its own. */
static void
test_ended_among_others(void **state)
{
	static const char *const uris[] = { MUX_URI_PTY, MUX_URI_FILES,
		MUX_URI_JOB, MUX_URI_EXEC_STREAM, MUX_URI_EXEC,
		"skypty/1/forward?path=%2Fx" };
	struct yamux_stream *st;

	(void)state;
	begin();
	for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++)
		(void)ask(uris[i]);
	(void)yamux_open(y, &st); /* and one that asks for nothing */
	turn();
	close(open_ours());
	st = ask(MUX_URI_EXEC);
	start(st, 0);
	turn();
	assert_int_equal(w.asked[PM_EXEC_START], 1);
	for (size_t i = 0; i < w.nends; i++)
		nw_end_close(&w, i);
	nw_exited(&w, w.handle, PRIV_EXITED, 0);
	turn();
	assert_int_equal(w.asked[PM_EXEC_END], 1);
	(void)hear_all(st);
	assert_true(yamux_eof(st));
	end();
}

/* An answer that nobody waits for ends the connection. */
static void
test_unasked(void **state)
{
	pid_t pid;

	(void)state;
	for (uint16_t id = 0; id < 3; id++) {
		if ((pid = fork()) == 0) {
			begin();
			(void)open_files();
			nw_do(&w, PM_SFTP_START, id, NW_DO);
			nw_loop(&w);
			_exit(GOES_ON);
		}
		assert_int_equal(status_of(pid), PRIV_END_FAULT);
	}
}

/* The server's end is the channel's, behind what it has said. */
static void
test_served(void **state)
{
	struct yamux_stream *st;

	(void)state;
	begin();
	st = open_files();
	nw_end_say(&w, 0, some, 60000);
	nw_end_close(&w, 0);
	turn();
	assert_int_equal(hear_all(st), 60000);
	assert_true(yamux_eof(st));
	assert_int_equal(w.n->state, NET_SERVICE);
	end();
}

/* --- one that stands still --- */

/* Until nothing of what is said is taken any more. */
static void
stall(struct yamux_stream *st)
{
	for (int i = 0; i < 64; i++) {
		(void)yamux_write(st, some, sizeof(some));
		turn();
	}
	assert_int_equal(yamux_room(st), 0);
}

static void
test_stalled(void **state)
{
	struct yamux_stream *in, *out, *other;
	size_t end_of_out, all = 0;

	(void)state;
	begin();
	in = open_files(); /* its server reads nothing */
	stall(in);
	out = open_files(); /* and this one's client */
	end_of_out = w.nends - 1;
	for (int i = 0; i < 64; i++) {
		nw_end_say(&w, end_of_out, some, sizeof(some));
		turn();
	}
	other = open_files();
	say(other, "on", 2);
	turn();
	assert_int_equal(nw_end_take(&w, w.nends - 1), 2);
	nw_end_say(&w, w.nends - 1, "back", 4);
	turn();
	assert_int_equal(hear_all(other), 4);
	/* Both go on. */
	assert_true(hear_all(out) > YAMUX_WINDOW);
	for (int i = 0; i < 64; i++) {
		all += nw_end_take(&w, 0);
		turn();
	}
	assert_true(all > YAMUX_WINDOW);
	assert_true(yamux_room(in) > 0);
	end();
}

/* As turn, where nothing is asked of the monitor, and for bytes alone. */
static void
push(void)
{
	struct buf out;

	buf_init(&out, 2 * sizeof(some));
	assert_int_equal(yamux_output(y, &out), 0);
	nw_say(&w, buf_ptr(&out), buf_len(&out));
	buf_free(&out);
	for (int i = 0; i < 2; i++)
		assert_int_not_equal(
		    net_round(w.n, EVLOOP_ONCE | EVLOOP_NONBLOCK), -1);
	nw_hear(&w);
	assert_int_equal(yamux_input(y, &w.heard), 0);
}

#define HOLDERS 100
#define HELD                                                            \
	34 /* frames of 60000 bytes, just under what a command may hold \
	    */

/* Who lets too much lie goes, and nobody else. */
static void
test_shed(void **state)
{
	struct yamux_stream *st, *other;
	struct yamux_event ev;
	struct buf frame;
	size_t reset = 0;

	(void)state;
	begin();
	other = open_files();
	buf_init(&frame, sizeof(some) + 10);
	assert_int_equal(xs_put_frame(&frame, XS_STDIN, some, 60000), 0);
	for (size_t i = 0; i < HOLDERS; i++) {
		st = ask(MUX_URI_EXEC);
		start(st, XS_HAS_STDIN);
		turn();
		for (int k = 0; k < HELD; k++) {
			say(st, buf_ptr(&frame), buf_len(&frame));
			push();
		}
		turn();
		while (yamux_event(y, &ev))
			reset += (ev.what & YAMUX_RESET) != 0;
		if (i == HOLDERS / 2)
			assert_int_equal(reset, 0);
	}
	buf_free(&frame);
	assert_true(reset > 0 && reset < HOLDERS / 2);
	say(other, "on", 2);
	turn();
	assert_int_equal(nw_end_take(&w, 0), 2);
	end();
}

/* --- many --- */

static void
test_many(void **state)
{
	static struct yamux_stream *st[MANY];

	(void)state;
	begin();
	for (size_t i = 0; i < MANY; i++) {
		st[i] = ask(MUX_URI_PTY);
		if (i % 100 == 99)
			turn();
	}
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(heard(st[i]), MUX_ACCEPT);
	for (size_t i = 0; i < MANY; i++)
		yamux_close(st[i]);
	turn();
	assert_int_equal(yamux_count(y), 0);
	(void)open_files();
	end();
}

/* More than there may be: these are refused, and the others go on. */
static void
test_too_many(void **state)
{
	struct yamux_limits limits = yamux_default_limits();
	struct yamux_stream *st[NET_CHANNELS_MAX + 20], *first;
	struct yamux_event ev;
	size_t refused = 0;

	(void)state;
	begin();
	yamux_free(y);
	limits.streams = limits.inflight = 2 * NET_CHANNELS_MAX;
	assert_non_null(y = yamux_new(true, &limits));
	first = open_files();
	for (size_t i = 0; i < NET_CHANNELS_MAX + 20; i++) {
		assert_int_equal(yamux_open(y, &st[i]), 0);
		if (i % 100 == 99)
			turn();
	}
	turn();
	while (yamux_event(y, &ev))
		refused += (ev.what & YAMUX_RESET) != 0;
	assert_int_equal(refused, 21); /* first is one, too */
	say(first, "on", 2);
	turn();
	assert_int_equal(nw_end_take(&w, 0), 2);
	for (size_t i = 0; i < NET_CHANNELS_MAX + 20; i++)
		yamux_close(st[i]);
	turn();
	assert_int_equal(yamux_count(y), 1);
	(void)open_files();
	end();
}

/* --- channels of ours --- */

/* One of ours to the peer; the other end of its socket. */
static int
open_ours(void)
{
	int sv[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv), 0);
	assert_int_equal(
	    net_channels_open(&w.n->channel, "skypty/1/accepted?id=1", sv[0]),
	    0);
	return sv[1];
}

static struct yamux_stream *
accept_ours(void)
{
	struct yamux_stream *st;
	struct buf in, uri;

	turn();
	assert_non_null(st = yamux_accept(y));
	buf_view(&in, buf_ptr(yamux_in(st)), buf_len(yamux_in(st)));
	assert_int_equal(mux_get_request(&in, &uri), 1);
	assert_memory_equal(buf_ptr(&uri), "skypty/1/accepted?id=1", 22);
	assert_int_equal(buf_len(&in), 0);
	(void)hear_all(st);
	return st;
}

static void
test_ours(void **state)
{
	struct yamux_stream *st;
	char b[16];
	int fd;

	(void)state;
	begin();
	fd = open_ours();
	assert_int_equal(write(fd, "hello", 5), 5);
	st = accept_ours();
	assert_int_equal(hear_all(st), 0); /* not before it is accepted */
	say(st, "\0first", 6);
	turn();
	assert_int_equal(recv(fd, b, sizeof(b), MSG_DONTWAIT), 5);
	assert_int_equal(hear_all(st), 5);
	/* Each direction ends by itself. */
	assert_int_equal(yamux_shutdown(st), 0);
	turn();
	assert_int_equal(recv(fd, b, sizeof(b), MSG_DONTWAIT), 0);
	assert_int_equal(write(fd, "still", 5), 5);
	turn();
	assert_int_equal(hear_all(st), 5);
	assert_false(yamux_eof(st));
	close(fd);
	turn();
	assert_true(yamux_eof(st));
	yamux_close(st);
	turn();
	assert_int_equal(yamux_count(y), 0);
	end();
}

static void
test_ours_other_half(void **state)
{
	struct yamux_stream *st;
	char b[16];
	int fd;

	(void)state;
	begin();
	fd = open_ours();
	st = accept_ours();
	say(st, "\0", 1);
	turn();
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	turn();
	assert_true(yamux_eof(st));
	say(st, "late", 4);
	turn();
	assert_int_equal(recv(fd, b, sizeof(b), MSG_DONTWAIT), 4);
	yamux_close(st);
	turn();
	assert_int_equal(recv(fd, b, sizeof(b), MSG_DONTWAIT), 0);
	assert_int_equal(yamux_count(y), 0);
	close(fd);
	end();
}

static void
test_ours_refused(void **state)
{
	struct yamux_stream *st;
	int fd, n = 0;
	char b[16];

	(void)state;
	begin();
	fd = open_ours();
	st = accept_ours();
	say(st, "\1no", 3);
	yamux_close(st);
	turn();
	assert_int_equal(recv(fd, b, sizeof(b), MSG_DONTWAIT), 0);
	close(fd);
	assert_int_equal(yamux_count(y), 0);
	/* Nor is an answer waited for for ever. */
	fd = open_ours();
	st = accept_ours();
	while (!was_reset(st) && n++ < 20) {
		nw_fire(&w, (unsigned)n % 4);
		turn();
	}
	assert_true(n < 20);
	assert_int_equal(recv(fd, b, sizeof(b), MSG_DONTWAIT), 0);
	close(fd);
	end();
}

/* More at once than a peer acknowledges at first. */
static void
test_ours_many(void **state)
{
	static int fd[MANY];
	struct yamux_stream *st;
	size_t n = 0;

	(void)state;
	/* There the time that a peer has to answer is over before the last. */
	if (getenv("EMULATED") != NULL)
		skip();
	begin();
	for (size_t i = 0; i < MANY; i++)
		fd[i] = open_ours();
	for (int i = 0; i < 20; i++) {
		turn();
		while ((st = yamux_accept(y)) != NULL) {
			assert_true(hear_all(st) != 0);
			say(st, "\0x", 2);
			n++;
		}
	}
	assert_int_equal(n, MANY);
	turn();
	for (size_t i = 0; i < MANY; i++) {
		char b[2];

		assert_int_equal(recv(fd[i], b, sizeof(b), MSG_DONTWAIT), 1);
		close(fd[i]);
	}
	end();
}

static void
test_ours_without(void **state)
{
	int sv[2];

	(void)state;
	assert_true(nw_begin(&w, PRIV_XK));
	nw_authenticate(&w);
	nw_ask(&w, MUX_URI_PTY);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	assert_int_equal(net_channels_open(&w.n->channel, "x", sv[0]),
	    SKY_ERR_STATE);
	assert_int_equal(recv(sv[1], (char[1]){ 0 }, 1, 0), 0);
	close(sv[1]);
	nw_over(&w);
}

/* --- a listener of the peer's --- */

static uint16_t listen_id;

static enum nw_how
note_listen(struct net_world *world, unsigned type, uint16_t id)
{
	(void)world;
	if (type != PM_FORWARD_LISTEN)
		return NW_DO;
	listen_id = id;
	return NW_SILENT;
}

static int
listener(struct sockaddr_in *sin)
{
	socklen_t len = sizeof(*sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	memset(sin, 0, sizeof(*sin));
	sin->sin_family = AF_INET;
	sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)sin, len), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)sin, &len), 0);
	return fd;
}

static void
answer_listen(const char *why, uint16_t port, int fd)
{
	struct buf b;

	buf_init(&b, 64);
	assert_int_equal(buf_put_cstring(&b, why), 0);
	if (*why == '\0')
		assert_int_equal(buf_put_u16(&b, port), 0);
	assert_int_equal(privmsg_send(w.monitor, PM_FORWARD_LISTEN + 1,
			     listen_id, &b, &fd, fd != -1),
	    0);
	buf_free(&b);
	turn();
}

static int
caller(const struct sockaddr_in *to, uint16_t *port)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)to, sizeof(*to)),
	    0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	*port = ntohs(sin.sin_port);
	return fd;
}

static void
test_listen(void **state)
{
	struct yamux_stream *st, *theirs;
	struct sockaddr_in sin;
	char text[64], b[16];
	struct buf in, uri;
	uint16_t port;
	int fd, l;

	(void)state;
	begin();
	w.how = note_listen;
	l = listener(&sin);
	st = ask("skypty/1/listen?id=77&address=localhost&port=0");
	turn();
	assert_int_equal(heard(st), -1);
	assert_int_equal(w.asked[PM_FORWARD_LISTEN], 1);
	answer_listen("", ntohs(sin.sin_port), l);
	assert_int_equal(heard(st), MUX_ACCEPT);
	snprintf(text, sizeof(text), "%u\n", ntohs(sin.sin_port));
	for (const char *p = text; *p != '\0'; p++)
		assert_int_equal(heard(st), *p);

	fd = caller(&sin, &port);
	turn();
	assert_non_null(theirs = yamux_accept(y));
	buf_view(&in, buf_ptr(yamux_in(theirs)), buf_len(yamux_in(theirs)));
	assert_int_equal(mux_get_request(&in, &uri), 1);
	snprintf(text, sizeof(text),
	    "skypty/1/accepted?id=77&from=127.0.0.1&port=%u", port);
	assert_int_equal(buf_len(&uri), strlen(text));
	assert_memory_equal(buf_ptr(&uri), text, strlen(text));
	(void)hear_all(theirs);
	say(theirs, "\0first", 6);
	turn();
	assert_int_equal(recv(fd, b, sizeof(b), 0), 5);
	assert_int_equal(write(fd, "back", 4), 4);
	turn();
	assert_int_equal(hear_all(theirs), 4);

	/* Its channel ends it; who is there stays. */
	yamux_close(st);
	turn();
	assert_int_equal(shutdown(l, SHUT_RDWR), 0);
	close(l);
	say(theirs, "on", 2);
	turn();
	assert_int_equal(recv(fd, b, sizeof(b), 0), 2);
	close(fd);
	end();
}

static void
test_listen_refused(void **state)
{
	static const char why[] = "Address already in use";
	struct yamux_stream *st;

	(void)state;
	begin();
	w.how = note_listen;
	st = ask("skypty/1/listen?id=1&address=localhost&port=80");
	turn();
	answer_listen(why, 0, -1);
	assert_int_equal(heard(st), MUX_REJECT);
	assert_int_equal(hear_all(st), strlen(why));
	st = ask("skypty/1/listen?id=x&address=localhost&port=80");
	turn();
	assert_int_equal(heard(st), MUX_REJECT);
	st = ask("skypty/1/listen?address=localhost&port=80");
	turn();
	assert_int_equal(heard(st), MUX_REJECT);
	assert_int_equal(w.asked[PM_FORWARD_LISTEN], 1);
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_slow_request),
		cmocka_unit_test(test_no_request),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_idle_attached),
		cmocka_unit_test(test_own_fault),
		cmocka_unit_test(test_fault_of_yamux),
		cmocka_unit_test(test_left),
		cmocka_unit_test(test_left_running),
		cmocka_unit_test(test_left_starting),
		cmocka_unit_test(test_ended_among_others),
		cmocka_unit_test(test_unasked),
		cmocka_unit_test(test_served),
		cmocka_unit_test(test_stalled),
		cmocka_unit_test(test_shed),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_ours),
		cmocka_unit_test(test_ours_other_half),
		cmocka_unit_test(test_ours_refused),
		cmocka_unit_test(test_ours_many),
		cmocka_unit_test(test_ours_without),
		cmocka_unit_test(test_listen),
		cmocka_unit_test(test_listen_refused),
	};

	return cmocka_run_group_tests_name("net_channels", tests, NULL, NULL);
}
