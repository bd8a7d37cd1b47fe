/* SPDX-License-Identifier: ISC */
/*
 * Forwarding in the monitor: what is permitted is asked of skypty-forward, and
 * what that says it has made is looked at.  The test is skypty-forward.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>
#include <cmocka.h>

#include "common/privsep/permits.h"
#include "monitor/forward.h"
#include "regress/unit/mon_world.h"

static struct buf req;
static struct privmsg asked;
static int helper;

static void
begin(const char *open, const char *listen)
{
	struct forward *f = &mon.forward;

	mw_begin(PRIV_CONTROL);
	buf_init(&req, 1024);
	assert_int_equal(permits_read(&mon.rights.open, &mon.rights.nopen,
			     PERMITS_OPEN, open),
	    0);
	assert_int_equal(permits_read(&mon.rights.listen, &mon.rights.nlisten,
			     PERMITS_LISTEN, listen),
	    0);
	f->mon = &mon;
	f->fd = mw_pair(&helper);
	assert_int_equal(fcntl(f->fd, F_SETFL, O_NONBLOCK), 0);
	f->rd = event_new(mon.half.base, f->fd, EV_READ | EV_PERSIST,
	    forward_on_answer, f);
	f->wr = event_new(mon.half.base, f->fd, EV_WRITE, forward_on_room, f);
	assert_int_equal(event_add(f->rd, NULL), 0);
}

static void
end(void)
{
	forward_leave(&mon);
	close(helper);
	privmsg_free(&asked);
	memset(&asked, 0, sizeof(asked));
	buf_free(&req);
	mw_end();
}

static void
put(enum priv_forward kind, const char *name, uint16_t port)
{
	buf_reset(&req);
	assert_int_equal(buf_put_u8(&req, kind), 0);
	assert_int_equal(buf_put_cstring(&req, name), 0);
	assert_int_equal(buf_put_u16(&req, port), 0);
}

static void
put_listen(enum priv_forward kind, const char *name, uint16_t port)
{
	put(kind, name, port);
	assert_int_equal(buf_put_u8(&req, 0), 0);
}

/* It is passed on; its id. */
static uint16_t
passes(unsigned type)
{
	assert_int_equal(mw_ask(type, buf_ptr(&req), buf_len(&req)), 0);
	assert_int_equal(mw_hear(), 0);
	assert_int_equal(privmsg_recv(helper, &asked, true), 1);
	assert_int_equal(asked.type, type);
	assert_int_equal(buf_len(&asked.body), buf_len(&req));
	assert_memory_equal(buf_ptr(&asked.body), buf_ptr(&req), buf_len(&req));
	return asked.id;
}

/* It is not: why. */
static void
fails(unsigned type, const char *why)
{
	assert_int_equal(mw_ask(type, buf_ptr(&req), buf_len(&req)), 0);
	assert_int_equal(mw_hear(), type + 1);
	mw_text_part(&mw.got.body, why);
	assert_int_equal(mw.got.nfd, 0);
	assert_int_equal(privmsg_recv(helper, &asked, true), SKY_ERR_AGAIN);
	assert_int_equal(mon.forward.making, 0);
}

static void
say(unsigned type, uint16_t id, const char *why, int port, const int *fds,
    size_t n)
{
	struct buf b;

	buf_init(&b, 1024);
	assert_int_equal(buf_put_cstring(&b, why), 0);
	if (port != -1)
		assert_int_equal(buf_put_u16(&b, (uint16_t)port), 0);
	assert_int_equal(privmsg_send(helper, type + 1, id, &b, fds, n), 0);
	buf_free(&b);
	event_base_loop(mon.half.base, EVLOOP_ONCE);
}

static void
told(unsigned type, const char *why, size_t nfd)
{
	assert_int_equal(mw_hear(), type + 1);
	assert_int_equal(mw.got.id, 7);
	mw_text(&mw.got.body, why);
	assert_int_equal(mw.got.nfd, nfd);
}

/* skypty-forward is dropped, and whatever waits is told. */
static void
dropped(unsigned type)
{
	told(type, "skypty-forward has failed", 0);
	assert_null(mon.forward.rd);
	assert_int_equal(mon.forward.making, 0);
	assert_int_equal(mw_hear(), 0);
	assert_false(mw.died);
}

static int
listener(const char *host, uint16_t *port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(inet_pton(AF_INET, host, &sin.sin_addr), 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	*port = ntohs(sin.sin_port);
	return fd;
}

static int
connected(const char *host, uint16_t port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(inet_pton(AF_INET, host, &sin.sin_addr), 1);
	assert_int_equal(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	return fd;
}

/* --- what is permitted --- */

static void
test_open(void **state)
{
	uint16_t port, first, second;
	int l, fd;

	l = listener("127.0.0.1", &port);
	begin("*:*\n/run/x", "");
	put(PRIV_FORWARD_TCP, "127.0.0.1", port);
	first = passes(PM_FORWARD_OPEN);
	put(PRIV_FORWARD_TCP, "no.such.invalid", 80);
	second = passes(PM_FORWARD_OPEN);
	assert_int_not_equal(first, second);
	assert_int_not_equal(first, 0);
	assert_int_equal(forward_making(&mon.half), 2);
	say(PM_FORWARD_OPEN, second, "no such name", -1, NULL, 0);
	told(PM_FORWARD_OPEN, "no such name", 0);
	fd = connected("127.0.0.1", port);
	say(PM_FORWARD_OPEN, first, "", -1, &fd, 1);
	told(PM_FORWARD_OPEN, "", 1);
	assert_int_equal(fcntl(mw.got.fd[0], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	assert_int_equal(forward_making(&mon.half), 0);
	assert_int_equal(mon.used[USE_FORWARD], 1);
	close(fd);
	close(l);
	end();
}

static void
test_open_denied(void **state)
{
	char too_long[PERMITS_PATH_MAX + 2] = "/";

	memset(too_long + 1, 'x', PERMITS_PATH_MAX);
	begin("db:5432\n[::1]:*\n/run/x", "*\n/run/y");
	put(PRIV_FORWARD_TCP, "db", 5433);
	fails(PM_FORWARD_OPEN, "(permitopen)");
	put(PRIV_FORWARD_TCP, "DB", 5432);
	fails(PM_FORWARD_OPEN, "(permitopen)");
	put(PRIV_FORWARD_TCP, "db.", 5432);
	fails(PM_FORWARD_OPEN, "(permitopen)");
	put(PRIV_FORWARD_TCP, "[::1]", 5432);
	fails(PM_FORWARD_OPEN, "(permitopen)");
	put(PRIV_FORWARD_TCP, "/run/x", 1);
	fails(PM_FORWARD_OPEN, "(permitopen)");
	put(PRIV_FORWARD_UNIX, "/run/y", 0);
	fails(PM_FORWARD_OPEN, "(permitopen)");
	put(PRIV_FORWARD_UNIX, "run/x", 0);
	fails(PM_FORWARD_OPEN, "slash");
	put(PRIV_FORWARD_UNIX, "", 0);
	fails(PM_FORWARD_OPEN, "slash");
	put(PRIV_FORWARD_UNIX, too_long, 0);
	fails(PM_FORWARD_OPEN, "too long");
	put(PRIV_FORWARD_TCP, "::1", 0);
	fails(PM_FORWARD_OPEN, "no host and port");
	put(PRIV_FORWARD_TCP, "", 5432);
	fails(PM_FORWARD_OPEN, "no host and port");
	put(PRIV_FORWARD_TCP, "db\n", 5432);
	fails(PM_FORWARD_OPEN, "control characters");
	end();
	begin("", "*");
	put(PRIV_FORWARD_TCP, "127.0.0.1", 80);
	fails(PM_FORWARD_OPEN, "(permitopen)");
	end();
}

static void
test_listen_denied(void **state)
{
	begin("*:*\n/*", "*:8080\n[::]:8081\n/run/y");
	put_listen(PRIV_FORWARD_TCP, "localhost", 8081);
	fails(PM_FORWARD_LISTEN, "(permitlisten)");
	put_listen(PRIV_FORWARD_TCP, "localhost", 0);
	fails(PM_FORWARD_LISTEN, "(permitlisten)");
	put_listen(PRIV_FORWARD_TCP, "", 8080);
	fails(PM_FORWARD_LISTEN, "(permitlisten)");
	put_listen(PRIV_FORWARD_TCP, "0.0.0.0", 8080);
	fails(PM_FORWARD_LISTEN, "(permitlisten)");
	put_listen(PRIV_FORWARD_TCP, "db", 8080);
	fails(PM_FORWARD_LISTEN, "an address in digits");
	put_listen(PRIV_FORWARD_UNIX, "/run/x", 0);
	fails(PM_FORWARD_LISTEN, "(permitlisten)");
	end();
	begin("", "*");
	if (getuid() != 0) {
		put_listen(PRIV_FORWARD_TCP, "localhost", 1023);
		fails(PM_FORWARD_LISTEN, "only root");
	}
	mon.account.pw_uid = 1;
	mon.account.pw_name = strdup("somebody");
	put_listen(PRIV_FORWARD_TCP, "localhost", 1023);
	fails(PM_FORWARD_LISTEN, "only root");
	put_listen(PRIV_FORWARD_TCP, "localhost", 1024);
	(void)passes(PM_FORWARD_LISTEN);
	end();
}

static void
test_bad(void **state)
{
	size_t n;

	begin("*:*", "*");
	put_listen(PRIV_FORWARD_TCP, "localhost", 8080);
	n = buf_len(&req);
	for (size_t i = 0; i < n; i++)
		mw_refused(PM_FORWARD_LISTEN, buf_ptr(&req), i);
	for (size_t i = 0; i < n - 1; i++)
		mw_refused(PM_FORWARD_OPEN, buf_ptr(&req), i);
	mw_refused(PM_FORWARD_OPEN, buf_ptr(&req), n);
	assert_int_equal(buf_put_u8(&req, 0), 0);
	mw_refused(PM_FORWARD_LISTEN, buf_ptr(&req), n + 1);
	put((enum priv_forward)2, "localhost", 8080);
	mw_refused(PM_FORWARD_OPEN, buf_ptr(&req), buf_len(&req));
	put(PRIV_FORWARD_TCP, "localhost", 8080);
	assert_int_equal(buf_put_u8(&req, 2), 0);
	mw_refused(PM_FORWARD_LISTEN, buf_ptr(&req), buf_len(&req));
	assert_int_equal(mon.forward.making, 0);
	end();
}

/* --- what comes of it --- */

static void
test_lies_of_connections(void **state)
{
	uint16_t port, other, id;
	int l, l2, sv[2];

	l = listener("127.0.0.1", &port);
	l2 = listener("127.0.0.2", &other);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	for (int lie = 0; lie < 12; lie++) {
		int fd[3] = { -1, -1, -1 }, n = 1;

		begin("*:*\n/run/x", "");
		put(PRIV_FORWARD_TCP, lie == 1 ? "127.0.0.1" : "db",
		    lie == 1 ? other : port);
		id = passes(PM_FORWARD_OPEN);
		switch (lie) {
		case 0: /* another port */
			fd[0] = connected("127.0.0.2", other);
			break;
		case 1: /* another address than the one that was asked for */
			fd[0] = connected("127.0.0.2", other);
			break;
		case 2: /* one that listens */
			fd[0] = dup(l);
			break;
		case 3: /* not connected */
			fd[0] = socket(AF_INET, SOCK_STREAM, 0);
			break;
		case 4: /* of another family */
			fd[0] = dup(sv[0]);
			break;
		case 5: /* no stream */
			fd[0] = socket(AF_INET, SOCK_DGRAM, 0);
			break;
		case 6: /* no socket */
			fd[0] = open("/dev/null", O_RDWR);
			break;
		case 7: /* none */
			n = 0;
			break;
		case 8: /* too many */
			fd[0] = connected("127.0.0.1", port);
			fd[1] = connected("127.0.0.1", port);
			n = 2;
			break;
		case 9: /* of nobody's */
			fd[0] = connected("127.0.0.1", port);
			id++;
			break;
		default:
			fd[0] = connected("127.0.0.1", port);
		}
		say(lie == 10 ? PM_FORWARD_LISTEN : PM_FORWARD_OPEN, id, "",
		    lie == 11 ? 1 : -1, fd, (size_t)n);
		dropped(PM_FORWARD_OPEN);
		for (int i = 0; i < n; i++)
			close(fd[i]);
		end();
	}
	close(l);
	close(l2);
	close(sv[0]);
	close(sv[1]);
}

static void
test_listen(void **state)
{
	uint16_t port, got, id;
	int l;

	begin("", "*\n/run/y");
	l = listener("127.0.0.1", &port);
	put_listen(PRIV_FORWARD_TCP, "localhost", port);
	id = passes(PM_FORWARD_LISTEN);
	say(PM_FORWARD_LISTEN, id, "", port, &l, 1);
	told(PM_FORWARD_LISTEN, "", 1);
	assert_int_equal(buf_get_u16(&mw.got.body, &got), 0);
	assert_int_equal(got, port);
	assert_int_equal(fcntl(mw.got.fd[0], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	assert_int_equal(mon.used[USE_LISTEN], 1);
	put_listen(PRIV_FORWARD_TCP, "127.0.0.1", 0);
	id = passes(PM_FORWARD_LISTEN);
	say(PM_FORWARD_LISTEN, id, "in use", -1, NULL, 0);
	told(PM_FORWARD_LISTEN, "in use", 0);
	close(l);
	end();
}

static void
test_lies_of_listeners(void **state)
{
	uint16_t port, beyond, id;
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int l = listener("127.0.0.1", &port);
	int everywhere = listener("0.0.0.0", &beyond);
	int local = socket(AF_UNIX, SOCK_STREAM, 0);

	/* An abstract name. */
	assert_int_equal(
	    bind(local, (struct sockaddr *)&un, sizeof(un.sun_family)), 0);
	assert_int_equal(listen(local, 1), 0);
	for (int lie = 0; lie < 7; lie++) {
		int fd[3] = { l, l, l }, said = port;
		size_t n = 1;

		begin("", "*\n/run/y");
		if (lie == 6)
			put_listen(PRIV_FORWARD_UNIX, "/run/y", 0);
		else
			put_listen(PRIV_FORWARD_TCP, "localhost",
			    lie == 1 ? beyond : port);
		id = passes(PM_FORWARD_LISTEN);
		switch (lie) {
		case 0: /* it says another port */
			said++;
			break;
		case 1: /* it listens at every address */
			fd[0] = everywhere;
			said = beyond;
			break;
		case 2:
			fd[0] = connected("127.0.0.1", port);
			break;
		case 3:
			n = 0;
			break;
		case 4:
			n = 3;
			break;
		case 5: /* it says none */
			said = -1;
			break;
		case 6: /* of another name */
			fd[0] = local;
			said = 0;
			break;
		}
		say(PM_FORWARD_LISTEN, id, "", said, fd, n);
		dropped(PM_FORWARD_LISTEN);
		if (lie == 2)
			close(fd[0]);
		end();
	}
	close(l);
	close(everywhere);
	close(local);
}

/* Its end is everybody's who waits, and nobody else's. */
static void
test_gone(void **state)
{
	begin("*:*", "");
	put(PRIV_FORWARD_TCP, "a", 1);
	(void)passes(PM_FORWARD_OPEN);
	put(PRIV_FORWARD_TCP, "b", 1);
	(void)passes(PM_FORWARD_OPEN);
	close(helper);
	event_base_loop(mon.half.base, EVLOOP_ONCE);
	told(PM_FORWARD_OPEN, "skypty-forward has ended", 0);
	told(PM_FORWARD_OPEN, "skypty-forward has ended", 0);
	assert_false(mw.died);
	assert_null(mon.forward.rd);
	helper = open("/dev/null", O_RDONLY);
	end();
}

static void
test_not_there(void **state)
{
	begin("*:*", "");
	put(PRIV_FORWARD_TCP, "a", 1);
	(void)passes(PM_FORWARD_OPEN);
	say(PM_FORWARD_OPEN, 0, "somebody may not log in by PAM", -1, NULL, 0);
	told(PM_FORWARD_OPEN, "somebody may not log in by PAM", 0);
	assert_null(mon.forward.rd);
	end();
}

/* The same, when it has not even read what it was asked. */
static void
test_last_word(void **state)
{
	struct buf b;

	begin("*:*", "");
	put(PRIV_FORWARD_TCP, "a", 1);
	assert_int_equal(mw_ask(PM_FORWARD_OPEN, buf_ptr(&req), buf_len(&req)),
	    0);
	buf_init(&b, 64);
	assert_int_equal(buf_put_cstring(&b, "a reason"), 0);
	assert_int_equal(
	    privmsg_send(helper, PM_FORWARD_OPEN + 1, 0, &b, NULL, 0), 0);
	buf_free(&b);
	close(helper);
	event_base_loop(mon.half.base, EVLOOP_ONCE);
	told(PM_FORWARD_OPEN, "a reason", 0);
	assert_null(mon.forward.rd);
	helper = open("/dev/null", O_RDONLY);
	end();
}

/* As many as may be made at once, also when it takes none for now. */
static void
test_many(void **state)
{
	unsigned n = 0;

	begin("*:*", "");
	put(PRIV_FORWARD_TCP, "a", 1);
	for (unsigned i = 0; i < PRIV_FORWARDS_MAX; i++)
		assert_int_equal(
		    mw_ask(PM_FORWARD_OPEN, buf_ptr(&req), buf_len(&req)), 0);
	assert_int_equal(forward_making(&mon.half), PRIV_FORWARDS_MAX);
	while (n < PRIV_FORWARDS_MAX) {
		if (privmsg_recv(helper, &asked, true) == 1)
			n++;
		else
			event_base_loop(mon.half.base, EVLOOP_NONBLOCK);
	}
	event_base_loop(mon.half.base, EVLOOP_NONBLOCK);
	assert_int_equal(privmsg_recv(helper, &asked, true), SKY_ERR_AGAIN);
	(void)mw_ask(PM_FORWARD_OPEN, buf_ptr(&req), buf_len(&req));
	assert_int_equal(forward_making(&mon.half), PRIV_FORWARDS_MAX);
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_open_denied),
		cmocka_unit_test(test_listen_denied),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_lies_of_connections),
		cmocka_unit_test(test_listen),
		cmocka_unit_test(test_lies_of_listeners),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_not_there),
		cmocka_unit_test(test_last_word),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
