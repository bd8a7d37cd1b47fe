/* SPDX-License-Identifier: ISC */
/* term: signals and descriptors that are waited for together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "client/term.h"

static volatile sig_atomic_t heard;

static void
on_signal(int sig)
{
	heard = sig;
}

/* Blocked but for a call that lets it in; *open is the mask for that. */
static void
catch_signal(int sig, sigset_t *open)
{
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t set;

	assert_int_equal(sigaction(sig, &sa, NULL), 0);
	sigemptyset(&set);
	sigaddset(&set, sig);
	assert_int_equal(sigprocmask(SIG_BLOCK, &set, open), 0);
	sigdelset(open, sig);
	heard = 0;
}

/* A descriptor that is always ready keeps no signal out. */
static void
test_signal_and_input(void **state)
{
	const struct timespec long_time = { .tv_sec = 600 };
	struct pollfd p = { .events = POLLIN };
	sigset_t open, now;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	p.fd = fds[0];
	catch_signal(SIGWINCH, &open);
	assert_int_equal(raise(SIGWINCH), 0);
	assert_int_equal(heard, 0);
	assert_int_equal(term_poll(&p, 1, &long_time, &open), 0);
	assert_int_equal(heard, SIGWINCH);
	/* If the input was not told of, it is the next time. */
	if (p.revents == 0)
		assert_int_equal(term_poll(&p, 1, &long_time, &open), 0);
	assert_int_equal(p.revents, POLLIN);
	/* And outside it is as blocked as before. */
	assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &now), 0);
	assert_true(sigismember(&now, SIGWINCH));
	close(fds[0]);
	close(fds[1]);
}

/* Alone it interrupts, and nothing is ready then. */
static void
test_signal_alone(void **state)
{
	const struct timespec long_time = { .tv_sec = 600 };
	struct pollfd p = { .events = POLLIN, .revents = POLLIN };
	sigset_t open;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	p.fd = fds[0];
	catch_signal(SIGWINCH, &open);
	assert_int_equal(raise(SIGWINCH), 0);
	assert_int_equal(term_poll(&p, 1, &long_time, &open), 0);
	assert_int_equal(heard, SIGWINCH);
	assert_int_equal(p.revents, 0);
	close(fds[0]);
	close(fds[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signal_and_input),
		cmocka_unit_test(test_signal_alone),
	};

	return cmocka_run_group_tests_name("term", tests, NULL, NULL);
}
