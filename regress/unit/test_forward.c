/* SPDX-License-Identifier: ISC */
/* client/forward: a hub's forwards, between programs here and a host. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/conn.h"
#include "client/forward/forward.h"
#include "client/hub/hub.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/pty/mux.h"
#include "common/pty/yamux.h"

#define MANY	 1000
#define WIRE_MAX (4U * 1024 * 1024)
#define LONG_MS	 20000

static struct world {
	struct conn conn;
	struct hub *hub;
	int host; /* the other end of its connection */
	struct yamux *yamux;
	struct buf in, out;
	bool over;
	char folder[32];
} w;

/* --- the world --- */

static int
begin(void **state)
{
	const struct sockaddr any = { .sa_family = AF_UNIX };
	struct hub_way way = { .persist_ms = HUB_FOREVER,
		.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
		.guest = -1 };
	struct rlimit rl;
	int sv[2];

	(void)state;
	memset(&w, 0, sizeof(w));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &rl), 0);
	rl.rlim_cur = rl.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &rl);
	assert_int_equal(socketpair(AF_UNIX,
			     SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sv),
	    0);
	/* Nobody comes by it. */
	assert_int_equal(bind(way.listener, &any, sizeof(any.sa_family)), 0);
	assert_int_equal(listen(way.listener, 1), 0);
	conn_init(&w.conn);
	w.conn.fd = sv[0];
	w.conn.link.plain = w.conn.accepted = true;
	w.host = sv[1];
	buf_init(&w.in, WIRE_MAX);
	buf_init(&w.out, WIRE_MAX);
	strcpy(w.folder, "/tmp/forward.XXXXXX");
	assert_non_null(mkdtemp(w.folder));
	assert_non_null(w.yamux = yamux_new(false, NULL));
	assert_non_null(w.hub = hub_new(&w.conn, &way, &hub_tables));
	return 0;
}

static int
end(void **state)
{
	(void)state;
	forward_end(w.hub);
	hub_free(w.hub);
	conn_close(&w.conn);
	close(w.host);
	yamux_free(w.yamux);
	buf_free(&w.in);
	buf_free(&w.out);
	/* No socket is left in it. */
	assert_int_equal(rmdir(w.folder), 0);
	return 0;
}

static void
step(int ms)
{
	if (!w.over)
		w.over = !hub_round(w.hub, ms);
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
		step(0);
}

/* --- callers of the hub --- */

static int
call(const char *uri)
{
	struct buf b;
	int sv[2];

	assert_int_equal(socketpair(AF_UNIX,
			     SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sv),
	    0);
	hub_seat(w.hub, sv[1]);
	buf_init(&b, MUX_URI_MAX + 1);
	assert_int_equal(mux_put_request(&b, uri), 0);
	assert_true(buf_write(&b, sv[0]) > 0);
	buf_free(&b);
	run();
	return sv[0];
}

/* All that there is to be read now, as a text; its length. */
static size_t
text_of(int fd, char *text, size_t len)
{
	ssize_t n = 0;
	size_t all = 0;

	while (all < len - 1 && (n = read(fd, text + all, len - 1 - all)) > 0)
		all += (size_t)n;
	text[all] = '\0';
	return all;
}

static void
reads(int fd, const void *what, size_t n)
{
	char got[4096];

	run();
	assert_int_equal(text_of(fd, got, sizeof(got)), n);
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

static int
order(const char *what, enum forward_way way, const char *text, int how)
{
	char uri[MUX_URI_MAX + 1];
	struct forward_spec s;

	assert_null(forward_spec_parse(&s, way, text, false));
	assert_int_equal(forward_order_uri(uri, what, &s, how), 0);
	return call(uri);
}

static void
refused(int fd, const char *why)
{
	char got[4096];

	run();
	assert_true(text_of(fd, got, sizeof(got)) > 1);
	assert_int_equal(*got, 1);
	assert_non_null(strstr(got + 1, why));
	is_at_end(fd);
	close(fd);
}

/* --- the host --- */

static struct yamux_stream *
accepted(void)
{
	struct yamux_stream *st;

	run();
	assert_non_null(st = yamux_accept(w.yamux));
	return st;
}

static void
holds(struct yamux_stream *st, const void *what, size_t n)
{
	run();
	assert_int_equal(buf_len(yamux_in(st)), n);
	assert_memory_equal(buf_ptr(yamux_in(st)), what, n);
	assert_int_equal(yamux_consume(st, n), 0);
}

static void
asks(struct yamux_stream *st, const char *uri)
{
	char want[MUX_URI_MAX + 2];

	want[0] = (char)strlen(uri);
	strcpy(want + 1, uri);
	holds(st, want, strlen(uri) + 1);
}

static void
says(struct yamux_stream *st, const void *what, size_t n)
{
	assert_int_equal(yamux_write(st, what, n), n);
	run();
}

static void
no_channel(void)
{
	run();
	assert_null(yamux_accept(w.yamux));
}

/* --- programs --- */

static int
tcp_socket(struct sockaddr_in *sa, uint16_t port)
{
	*sa = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int
listens(uint16_t *port)
{
	struct sockaddr_in sa;
	socklen_t len = sizeof(sa);
	int fd = tcp_socket(&sa, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	*port = ntohs(sa.sin_port);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

/* Free a moment ago. */
static uint16_t
free_port(void)
{
	uint16_t port;

	close(listens(&port));
	return port;
}

static int
connects(uint16_t port)
{
	struct sockaddr_in sa;
	int fd = tcp_socket(&sa, port);

	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == -1) {
		close(fd);
		return -1;
	}
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static int
connects_path(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(sa.sun_path, path);
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == -1) {
		close(fd);
		return -1;
	}
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

/* --- local --- */

static uint16_t
local(int *held, const char *to, enum forward_way way)
{
	uint16_t port = free_port();
	char text[128];

	snprintf(text, sizeof(text), "%u%s%s", port, *to != '\0' ? ":" : "",
	    to);
	*held = order(HUB_URI_FORWARD, way, text, FORWARD_HOLD);
	reads(*held, "\0\n", 2);
	return port;
}

static void
test_local(void **state)
{
	struct yamux_stream *st;
	int held, fd;

	(void)state;
	fd = connects(local(&held, "a.example:443", FORWARD_LOCAL));
	assert_int_equal(write(fd, "hello", 5), 5);
	st = accepted();
	asks(st, "skypty/1/forward?host=a.example&port=443");
	/* Nothing goes in front of the answer. */
	holds(st, "", 0);
	says(st, "\0there", 6);
	reads(fd, "there", 5);
	holds(st, "hello", 5);
	/* Half of it: the other direction goes on. */
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	run();
	assert_true(yamux_eof(st));
	says(st, "more", 4);
	reads(fd, "more", 4);
	assert_int_equal(yamux_shutdown(st), 0);
	is_at_end(fd);
	close(fd);
	assert_true(is_open(held));
	close(held);
}

/* Why not is told to who has asked for the forward. */
static void
test_local_refused(void **state)
{
	struct yamux_stream *st;
	char got[512];
	int held, fd;

	(void)state;
	fd = connects(local(&held, "a.example:443", FORWARD_LOCAL));
	st = accepted();
	says(st, "\1connection refused", 19);
	yamux_close(st);
	is_at_end(fd);
	assert_true(text_of(held, got, sizeof(got)) > 0);
	assert_non_null(strstr(got, "-L localhost:"));
	assert_non_null(strstr(got, ":a.example:443: connection refused\n"));
	close(fd);
	close(held);
}

/* A forward goes with who has asked for it; what goes on by it stays. */
static void
test_holder_goes(void **state)
{
	struct yamux_stream *st;
	uint16_t port;
	int held, fd;

	(void)state;
	port = local(&held, "a:1", FORWARD_LOCAL);
	fd = connects(port);
	st = accepted();
	asks(st, "skypty/1/forward?host=a&port=1");
	says(st, "\0", 1);
	close(held);
	run();
	assert_int_equal(connects(port), -1);
	says(st, "more", 4);
	reads(fd, "more", 4);
	close(fd);
}

static void
test_port_in_use(void **state)
{
	char text[64];
	uint16_t port;
	int fd = listens(&port);

	(void)state;
	snprintf(text, sizeof(text), "%u:a:1", port);
	refused(order(HUB_URI_FORWARD, FORWARD_LOCAL, text, 0),
	    "Address already in use");
	close(fd);
	/* It holds nothing of it. */
	close(order(HUB_URI_FORWARD, FORWARD_LOCAL, text, 0));
	assert_true((fd = connects(port)) != -1);
	close(fd);
}

static void
test_paths(void **state)
{
	char text[256], path[64];
	struct yamux_stream *st;
	struct stat sb;
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/s", w.folder);
	snprintf(text, sizeof(text), "%s:/run/x", path);
	fd = order(HUB_URI_FORWARD, FORWARD_LOCAL, text, 0);
	reads(fd, "\0\n", 2);
	is_at_end(fd);
	close(fd);
	assert_int_equal(stat(path, &sb), 0);
	assert_int_equal(sb.st_mode & 0777, 0600);
	assert_true((fd = connects_path(path)) != -1);
	st = accepted();
	asks(st, "skypty/1/forward?path=%2Frun%2Fx");
	close(fd);
	fd = order(HUB_URI_CANCEL, FORWARD_LOCAL, text, 0);
	reads(fd, "\0", 1);
	close(fd);
	assert_int_equal(stat(path, &sb), -1);
}

static void
test_path_in_the_way(void **state)
{
	char text[256], path[64];
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/s", w.folder);
	snprintf(text, sizeof(text), "%s:/run/x", path);
	assert_true((fd = open(path, O_CREAT | O_WRONLY, 0600)) != -1);
	close(fd);
	refused(order(HUB_URI_FORWARD, FORWARD_LOCAL, text, 0),
	    "Address already in use");
	fd = order(HUB_URI_FORWARD, FORWARD_LOCAL, text, FORWARD_UNLINK);
	reads(fd, "\0\n", 2);
	close(fd);
	assert_true((fd = connects_path(path)) != -1);
	close(fd);
}

/* --- orders --- */

static void
test_list_and_cancel(void **state)
{
	char text[64], want[256];
	uint16_t one = free_port(), other = free_port();
	int fd;

	(void)state;
	snprintf(text, sizeof(text), "127.0.0.1:%u:a:1", one);
	close(order(HUB_URI_FORWARD, FORWARD_LOCAL, text, 0));
	snprintf(text, sizeof(text), "%u", other);
	close(order(HUB_URI_FORWARD, FORWARD_DYNAMIC, text, 0));
	snprintf(want, sizeof(want), "%cL 127.0.0.1:%u:a:1\nD localhost:%u\n",
	    0, one, other);
	fd = call(HUB_URI_FORWARDS);
	reads(fd, want, strlen(want + 1) + 1);
	close(fd);
	refused(order(HUB_URI_FORWARD, FORWARD_DYNAMIC, text, 0),
	    "forwarded already");
	/* By where it listens, whatever it leads to. */
	snprintf(text, sizeof(text), "127.0.0.1:%u:b:2", one);
	fd = order(HUB_URI_CANCEL, FORWARD_LOCAL, text, 0);
	reads(fd, "\0", 1);
	close(fd);
	assert_int_equal(connects(one), -1);
	refused(order(HUB_URI_CANCEL, FORWARD_LOCAL, text, 0),
	    "is not forwarded");
	assert_true((fd = connects(other)) != -1);
	close(fd);
}

static void
test_cancel_tells_holder(void **state)
{
	uint16_t port;
	char text[64];
	int held, fd;

	(void)state;
	port = local(&held, "a:1", FORWARD_LOCAL);
	snprintf(text, sizeof(text), "%u:a:1", port);
	fd = order(HUB_URI_CANCEL, FORWARD_LOCAL, text, 0);
	reads(fd, "\0", 1);
	close(fd);
	assert_true(text_of(held, text, sizeof(text)) > 0);
	is_at_end(held);
	close(held);
}

static void
test_bad_orders(void **state)
{
	static const char *const bad[] = { "", "?", "?L", "?L=", "?L=80",
		"?X=80:a:1", "?L=80:a:1:b:2", "?D=80:a:1", "?L=%zz",
		"?R=", "?hold", "?L=[::1" };
	char uri[MUX_URI_MAX + 1];
	int fd;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(uri, sizeof(uri), "%s%s", HUB_URI_FORWARD, bad[i]);
		refused(call(uri), "");
		snprintf(uri, sizeof(uri), "%s%s", HUB_URI_CANCEL, bad[i]);
		refused(call(uri), "");
	}
	fd = call(HUB_URI_FORWARDS);
	reads(fd, "\0", 1);
	close(fd);
	no_channel();
}

/* Two paths as long as they can be are an order still, and what is escaped. */
static void
test_long_orders(void **state)
{
	char text[512], uri[MUX_URI_MAX + 1];
	struct forward_spec s;

	(void)state;
	memset(text, 'x', 215);
	text[0] = text[108] = '/';
	text[107] = ':';
	text[215] = '\0';
	assert_null(forward_spec_parse(&s, FORWARD_LOCAL, text, false));
	assert_int_equal(forward_order_uri(uri, HUB_URI_FORWARD, &s, 0), 0);
	memset(text + 1, '&', 106);
	assert_null(forward_spec_parse(&s, FORWARD_LOCAL, text, false));
	assert_int_equal(forward_order_uri(uri, HUB_URI_FORWARD, &s, 0),
	    SKY_ERR_LIMIT);
}

/* --- dynamic --- */

static void
test_dynamic(void **state)
{
	static const char ask[] = "\5\1\0\5\1\0\3\11a.example\1\273hello";
	struct yamux_stream *st;
	int held, fd;

	(void)state;
	fd = connects(local(&held, "", FORWARD_DYNAMIC));
	no_channel();
	assert_int_equal(write(fd, ask, 3), 3);
	reads(fd, "\5\0", 2);
	assert_int_equal(write(fd, ask + 3, sizeof(ask) - 4), sizeof(ask) - 4);
	st = accepted();
	asks(st, "skypty/1/forward?host=a.example&port=443");
	assert_true(is_open(fd));
	says(st, "\0there", 6);
	reads(fd, "\5\0\0\1\0\0\0\0\0\0there", 15);
	holds(st, "hello", 5);
	close(fd);
	close(held);
}

static void
test_dynamic_refused(void **state)
{
	struct yamux_stream *st;
	char got[512];
	int held, fd;

	(void)state;
	fd = connects(local(&held, "", FORWARD_DYNAMIC));
	assert_int_equal(write(fd, "\4\1\0\120\0\0\0\1me\0b.example\0", 21),
	    21);
	st = accepted();
	asks(st, "skypty/1/forward?host=b.example&port=80");
	says(st, "\1no such host", 13);
	yamux_close(st);
	reads(fd, "\0\133\0\0\0\0\0\0", 8);
	is_at_end(fd);
	assert_true(text_of(held, got, sizeof(got)) > 0);
	assert_non_null(strstr(got, "b.example:80: no such host"));
	close(fd);
	close(held);
}

/* Who says nothing that is one goes; who says nothing goes for others. */
static void
test_dynamic_junk(void **state)
{
	int held, fd, first, more[FORWARD_GUESTS_MAX];
	uint16_t port;

	(void)state;
	port = local(&held, "", FORWARD_DYNAMIC);
	fd = connects(port);
	assert_int_equal(write(fd, "G", 1), 1);
	is_at_end(fd);
	close(fd);
	first = connects(port);
	run();
	for (int i = 0; i < FORWARD_GUESTS_MAX; i++) {
		assert_true((more[i] = connects(port)) != -1);
		if (i == FORWARD_GUESTS_MAX - 2)
			assert_true(is_open(first));
		if (i % 32 == 0)
			run();
	}
	is_at_end(first);
	assert_true(is_open(more[0]));
	for (int i = 0; i < FORWARD_GUESTS_MAX; i++)
		close(more[i]);
	close(first);
	close(held);
	no_channel();
}

/* --- remote --- */

static struct yamux_stream *
listening(int *held, const char *text, const char *want)
{
	struct yamux_stream *st;

	*held = order(HUB_URI_FORWARD, FORWARD_REMOTE, text, FORWARD_HOLD);
	asks(st = accepted(), want);
	assert_true(is_open(*held));
	return st;
}

static struct yamux_stream *
arrives(const char *uri)
{
	struct yamux_stream *st;
	char ask[MUX_URI_MAX + 2];

	assert_int_equal(yamux_open(w.yamux, &st), 0);
	ask[0] = (char)strlen(uri);
	strcpy(ask + 1, uri);
	says(st, ask, strlen(uri) + 1);
	return st;
}

static void
test_remote(void **state)
{
	struct yamux_stream *keeps, *st;
	char text[64];
	uint16_t port;
	int there = listens(&port), held, fd;

	(void)state;
	snprintf(text, sizeof(text), "*:0:127.0.0.1:%u", port);
	keeps = listening(&held, text, "skypty/1/listen?id=1&address=&port=0");
	says(keeps,
	    "\0"
	    "412",
	    4);
	assert_true(is_open(held));
	says(keeps, "34\n", 3);
	reads(held, "\00041234\n", 7);
	st = arrives("skypty/1/accepted?id=1&from=192.0.2.1&port=7");
	holds(st, "\0", 1);
	assert_true((fd = accept4(there, NULL, NULL, SOCK_NONBLOCK)) != -1);
	says(st, "hello", 5);
	reads(fd, "hello", 5);
	assert_int_equal(write(fd, "there", 5), 5);
	holds(st, "there", 5);
	assert_int_equal(yamux_shutdown(st), 0);
	is_at_end(fd);
	assert_int_equal(write(fd, "more", 4), 4);
	holds(st, "more", 4);
	close(fd);
	run();
	assert_true(yamux_eof(st));
	/* It is over with who has asked for it. */
	assert_false(yamux_eof(keeps));
	close(held);
	run();
	assert_true(yamux_eof(keeps));
	st = arrives("skypty/1/accepted?id=1&from=192.0.2.1&port=7");
	holds(st, "\1", 1);
	assert_int_equal(accept(there, NULL, NULL), -1);
	close(there);
}

static void
test_remote_is_found(void **state)
{
	struct yamux_stream *keeps;
	int held, fd;

	(void)state;
	keeps = listening(&held, "0:a:1",
	    "skypty/1/listen?id=1&address=localhost&port=0");
	says(keeps, "\00041234\n", 7);
	reads(held, "\00041234\n", 7);
	fd = call(HUB_URI_FORWARDS);
	reads(fd, "\0R localhost:41234:a:1\n", 23);
	close(fd);
	fd = order(HUB_URI_CANCEL, FORWARD_REMOTE, "41234:a:1", 0);
	reads(fd, "\0", 1);
	close(fd);
	run();
	assert_true(yamux_eof(keeps));
	close(held);
}

static void
test_remote_refused(void **state)
{
	struct yamux_stream *st;
	int held;

	(void)state;
	st = listening(&held, "22:a:1",
	    "skypty/1/listen?id=1&address=localhost&port=22");
	says(st, "\1not permitted", 14);
	yamux_close(st);
	refused(held, "not permitted");
}

/* What does not tell a port, or ends, is no forward. */
static void
test_remote_bad_port(void **state)
{
	static const char *const bad[] = { "x\n", "0\n", "65536\n", "\n",
		"-1\n", "1234567890123456", "12 \n" };
	char want[64];
	struct yamux_stream *st;
	int held;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(want, sizeof(want),
		    "skypty/1/listen?id=%zu&address=localhost&port=0", i + 1);
		st = listening(&held, "0:a:1", want);
		says(st, "\0", 1);
		says(st, bad[i], strlen(bad[i]));
		refused(held, "port");
		assert_true(yamux_eof(st));
	}
	st = listening(&held, "0:a:1",
	    "skypty/1/listen?id=8&address=localhost&port=0");
	says(st, "\00012", 3);
	assert_int_equal(yamux_shutdown(st), 0);
	refused(held, "stopped listening");
}

static void
test_host_stops_listening(void **state)
{
	struct yamux_stream *st;
	char got[512];
	int held;

	(void)state;
	st = listening(&held, "/there:/here",
	    "skypty/1/listen?id=1&"
	    "path=%2Fthere");
	says(st, "\0000\n", 3);
	reads(held, "\0\n", 2);
	yamux_close(st);
	run();
	assert_true(text_of(held, got, sizeof(got)) > 0);
	assert_non_null(strstr(got, "the host has stopped listening"));
	is_at_end(held);
	close(held);
}

/* --- what a host cannot have --- */

static void
test_hostile_host(void **state)
{
	static const char *const uris[] = { "skypty/1/accepted",
		"skypty/1/accepted?id=1", "skypty/1/accepted?id=1&from=a",
		"skypty/1/accepted?id=0&from=a&port=1",
		"skypty/1/accepted?id=1&from=a&port=1", /* that is local */
		"skypty/1/accepted?id=3&from=a&port=1",
		"skypty/1/accepted?id=4294967295&from=a&port=1",
		"skypty/1/accepted?id=-1&from=a&port=1",
		"skypty/1/accepted?id=99999999999&from=a&port=1",
		"skypty/1/forward?host=127.0.0.1&port=22",
		"skypty/1/forward?path=%2Frun%2Fx",
		"skypty/1/listen?id=1&address=&port=0", "skypty/1/hub/exit",
		"skypty/1/hub/forward?L=1234:a:1", "skypty/1/hub/forwards",
		"skypty/1/hub/cancel?L=1234:a:1", "skypty/1/exec",
		"skypty/1/channels", "dmsgpty/pty", "skypty/1/as/root/x", "",
		"/" };
	struct yamux_stream *keeps, *st;
	char text[64];
	uint16_t port;
	int there = listens(&port), held, other;

	(void)state;
	snprintf(text, sizeof(text), "127.0.0.1:%u", port);
	(void)local(&other, text, FORWARD_LOCAL);
	snprintf(text, sizeof(text), "0:127.0.0.1:%u", port);
	keeps = listening(&held, text,
	    "skypty/1/listen?id=2&address=localhost&port=0");
	says(keeps, "\00041234\n", 7);
	reads(held, "\00041234\n", 7);
	for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
		st = arrives(uris[i]);
		holds(st, "\1", 1);
		assert_true(yamux_eof(st));
		yamux_close(st);
	}
	run();
	assert_int_equal(accept(there, NULL, NULL), -1);
	assert_false(w.over);
	/* That one it has been asked for. */
	st = arrives("skypty/1/accepted?id=2&from=a&port=1");
	holds(st, "\0", 1);
	close(held);
	close(other);
	close(there);
}

/* --- where it leads to, here --- */

static void
leads_to(const char *to, bool there, const char *why)
{
	int64_t deadline = now_ms() + LONG_MS;
	struct yamux_stream *keeps, *st;
	char text[256];
	int held = order(HUB_URI_FORWARD, FORWARD_REMOTE, to, FORWARD_HOLD);
	struct buf b, query;
	const struct buf *in;
	uint32_t id;
	struct mux_place p;

	keeps = accepted();
	in = yamux_in(keeps);
	buf_view(&b, buf_ptr(in) + 1, buf_len(in) - 1);
	assert_true(mux_match(&b, MUX_URI_LISTEN, &query));
	assert_int_equal(mux_listen_query(&query, &id, &p), 0);
	says(keeps, "\00041234\n", 7);
	reads(held, "\00041234\n", 7);
	snprintf(text, sizeof(text), "skypty/1/accepted?id=%u&from=a&port=1",
	    id);
	st = arrives(text);
	/* Another process may be at it. */
	while (buf_len(yamux_in(st)) == 0 && now_ms() < deadline)
		step(50);
	holds(st, there ? "\0" : "\1", 1);
	if (!there) {
		assert_true(text_of(held, text, sizeof(text)) > 0);
		assert_non_null(strstr(text, why));
	}
	yamux_close(st);
	close(held);
	run();
}

static void
test_places(void **state)
{
	char text[256];
	uint16_t port, no = free_port();
	int there = listens(&port), fd;
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	(void)state;
	snprintf(text, sizeof(text), "0:127.0.0.1:%u", port);
	leads_to(text, true, "");
	snprintf(text, sizeof(text), "0:localhost:%u", port);
	leads_to(text, true, "");
	/* That one is looked up. */
	snprintf(text, sizeof(text), "0:LOCALHOST:%u", port);
	leads_to(text, true, "");
	snprintf(text, sizeof(text), "0:no-such.invalid:%u", port);
	leads_to(text, false, "does not answer");
	snprintf(text, sizeof(text), "0:127.0.0.1:%u", no);
	leads_to(text, false, "does not answer");
	snprintf(text, sizeof(text), "0:localhost:%u", no);
	leads_to(text, false, "does not answer");
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/s", w.folder);
	snprintf(text, sizeof(text), "0:%s", sa.sun_path);
	leads_to(text, false, "No such file");
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(fd, 1), 0);
	leads_to(text, true, "");
	close(fd);
	unlink(sa.sun_path);
	close(there);
}

/* --- many --- */

static void
test_many(void **state)
{
	static struct yamux_stream *st[MANY];
	static int fd[MANY];
	uint16_t port;
	char c;
	int held;

	(void)state;
	port = local(&held, "a:1", FORWARD_LOCAL);
	for (int i = 0; i < MANY; i++) {
		assert_true((fd[i] = connects(port)) != -1);
		assert_int_equal(write(fd[i], &i, sizeof(i)), sizeof(i));
		asks(st[i] = accepted(), "skypty/1/forward?host=a&port=1");
		says(st[i], "\0", 1);
	}
	run();
	for (int i = 0; i < MANY; i++) {
		holds(st[i], &i, sizeof(i));
		c = (char)i;
		says(st[i], &c, 1);
		reads(fd[i], &c, 1);
	}
	for (int i = 0; i < MANY; i++) {
		close(fd[i]);
		yamux_close(st[i]);
	}
	run();
	close(held);
	run();
	assert_int_equal(hub_count(w.hub), 0);
}

/* The connection ends: each forward does, and who waits for one is told. */
static void
test_connection_ends(void **state)
{
	uint16_t port;
	int held, waits;

	(void)state;
	port = local(&held, "a:1", FORWARD_LOCAL);
	waits = order(HUB_URI_FORWARD, FORWARD_REMOTE, "0:a:1", FORWARD_HOLD);
	(void)accepted();
	shutdown(w.host, SHUT_RDWR);
	run();
	is_at_end(held);
	refused(waits, "");
	assert_int_equal(connects(port), -1);
	close(held);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(test_local),
		TEST(test_local_refused),
		TEST(test_holder_goes),
		TEST(test_port_in_use),
		TEST(test_paths),
		TEST(test_path_in_the_way),
		TEST(test_list_and_cancel),
		TEST(test_cancel_tells_holder),
		TEST(test_bad_orders),
		TEST(test_long_orders),
		TEST(test_dynamic),
		TEST(test_dynamic_refused),
		TEST(test_dynamic_junk),
		TEST(test_remote),
		TEST(test_remote_is_found),
		TEST(test_remote_refused),
		TEST(test_remote_bad_port),
		TEST(test_host_stops_listening),
		TEST(test_hostile_host),
		TEST(test_places),
		TEST(test_many),
		TEST(test_connection_ends),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
