/* SPDX-License-Identifier: ISC */
/* The dmsg process as the listener starts it: what cannot be watched ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/process.h"

static int fail_new, fail_add; /* of those that read */

static struct event *
try_event_new(struct event_base *base, evutil_socket_t fd, short what,
    event_callback_fn cb, void *arg)
{
	return fail_new ? NULL : event_new(base, fd, what, cb, arg);
}

static int
try_event_add(struct event *ev, const struct timeval *tv)
{
	return fail_add && tv == NULL ? -1 : event_add(ev, tv);
}

#define event_new try_event_new
#define event_add try_event_add
#include "daemon/dmsg_monitor.c"
#undef event_new
#undef event_add

static pid_t child; /* that was started last */
static unsigned started;

/* A process that ends only when it is told to. */
int
monitor_spawn(const struct settings *set, const struct skyptyd_options *o,
    int conn, const struct monitor_for *what, pid_t *pid, int *sock)
{
	int sv[2];

	(void)set, (void)o, (void)conn;
	assert_int_equal(what->carrier, PRIV_DMSG);
	assert_int_equal(privmsg_pair(sv), 0);
	if (process_fork(pid) == 0)
		for (;;)
			pause();
	close(sv[1]);
	*sock = sv[0];
	child = *pid;
	started++;
	return 0;
}

int
listener_serve(struct listener *s, int fd, const struct origin *from,
    const char *peer, enum priv_carrier carrier)
{
	(void)s, (void)fd, (void)from, (void)peer, (void)carrier;
	return -1;
}

bool
listener_has_room(struct listener *s)
{
	(void)s;
	return true;
}

void
listener_untold(struct listener *s)
{
	(void)s;
}

void
listener_leave_if_done(struct listener *s)
{
	(void)s;
}

bool
listed_has(struct listed *l, const struct listener *s,
    const struct key_public *pk)
{
	(void)l, (void)s, (void)pk;
	return false;
}

static struct listener server;
static struct settings settings = { .dmsg = true };

static int
set_up(void **state)
{
	(void)state;
	memset(&server, 0, sizeof(server));
	server.set = &settings;
	log_set_level(LOG_LEVEL_ERROR);
	if ((server.base = event_base_new()) == NULL)
		return -1;
	server.again = evtimer_new(server.base, dmsg_monitor_start, &server);
	fail_new = fail_add = 0;
	started = 0;
	return server.again != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	event_free(server.again);
	event_base_free(server.base);
	return 0;
}

static size_t
descriptors(void)
{
	size_t n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

/* Without our doing anything more about it. */
static void
ended(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

static void
not_watched(int *fail)
{
	size_t before = descriptors();

	*fail = 1;
	dmsg_monitor_start(-1, 0, &server);
	assert_int_equal(started, 1);
	ended(child);
	assert_int_equal(server.dmsg.pid, 0);
	assert_null(server.dmsg.ev);
	assert_int_equal(descriptors(), before);
	assert_true(evtimer_pending(server.again, NULL));
	*fail = 0;
	dmsg_monitor_start(-1, 0, &server);
	assert_int_equal(started, 2);
	assert_int_equal(server.dmsg.pid, child);
	dmsg_monitor_gone(&server);
	ended(child);
	assert_int_equal(descriptors(), before);
}

static void
test_no_event(void **state)
{
	(void)state;
	not_watched(&fail_new);
}

static void
test_event_not_added(void **state)
{
	(void)state;
	not_watched(&fail_add);
}

/* What is gone for us is told to end, if it has not; it is started again. */
static void
test_gone(void **state)
{
	(void)state;
	dmsg_monitor_start(-1, 0, &server);
	assert_int_equal(started, 1);
	dmsg_monitor_gone(&server);
	ended(child);
	assert_int_equal(server.dmsg.pid, 0);
	assert_true(evtimer_pending(server.again, NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_no_event),
		TEST(test_event_not_added),
		TEST(test_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
