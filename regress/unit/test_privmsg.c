/* SPDX-License-Identifier: ISC */
/* privmsg: round trips, limits, and no descriptor that is left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/privsep/privmsg.h"

#define BODY_MAX (PRIVMSG_MAX - PRIVMSG_HEAD_LEN)

/* A pair, and a message to receive into. */
struct two {
	int sv[2];
	struct privmsg m;
	size_t fds; /* open before */
};

static size_t
count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static int
open_two(void **state)
{
	struct two *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return -1;
	t->fds = count_fds();
	*state = t;
	return privmsg_pair(t->sv);
}

/* Every test ends here: all that was opened is closed again. */
static int
close_two(void **state)
{
	struct two *t = *state;
	int r;

	privmsg_free(&t->m);
	for (int i = 0; i < 2; i++)
		if (t->sv[i] != -1)
			close(t->sv[i]);
	r = count_fds() == t->fds ? 0 : -1;
	free(t);
	return r;
}

static void
close_side(struct two *t, int i)
{
	assert_int_equal(close(t->sv[i]), 0);
	t->sv[i] = -1;
}

static void
fill(struct buf *b, size_t n)
{
	uint8_t *p;

	buf_init(b, PRIVMSG_MAX + 1);
	if (n == 0)
		return;
	assert_int_equal(buf_extend(b, n, &p), 0);
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(i * 7 + i / 253 + 1);
}

static int
send_n(struct two *t, size_t n)
{
	struct buf b;
	int r;

	fill(&b, n);
	r = privmsg_send(t->sv[0], PM_LOG, 0x1234, &b, NULL, 0);
	buf_free(&b);
	return r;
}

/* The next message is PM_LOG with that body. */
static void
expect_n(struct two *t, size_t n, bool fds)
{
	struct buf b;

	assert_int_equal(privmsg_recv(t->sv[1], &t->m, fds), 1);
	assert_int_equal(t->m.type, PM_LOG);
	assert_int_equal(t->m.id, 0x1234);
	fill(&b, n);
	assert_int_equal(buf_len(&t->m.body), n);
	if (n != 0)
		assert_memory_equal(buf_ptr(&t->m.body), buf_ptr(&b), n);
	buf_free(&b);
}

/* --- messages --------------------------------------------------------- */

static void
test_pair(void **state)
{
	struct two *t = *state;
	int type;
	socklen_t len = sizeof(type);

	for (int i = 0; i < 2; i++) {
		assert_int_equal(fcntl(t->sv[i], F_GETFD), FD_CLOEXEC);
		assert_int_equal(
		    getsockopt(t->sv[i], SOL_SOCKET, SO_TYPE, &type, &len), 0);
		assert_int_equal(type, SOCK_SEQPACKET);
	}
}

static void
test_round_trip(void **state)
{
	static const size_t sizes[] = { 0, 1, 2, 3, 4, 5, 1000, 65536,
		BODY_MAX - 1, BODY_MAX };
	struct two *t = *state;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (int fds = 0; fds < 2; fds++) {
			assert_int_equal(send_n(t, sizes[i]), 0);
			expect_n(t, sizes[i], fds != 0);
			assert_int_equal(t->m.nfd, 0);
		}
	/* Without a body at all. */
	assert_int_equal(privmsg_send(t->sv[0], PM_LOG, 0x1234, NULL, NULL, 0),
	    0);
	expect_n(t, 0, false);
}

/* Borders of messages stay. */
static void
test_several(void **state)
{
	struct two *t = *state;

	for (size_t n = 0; n < 20; n++)
		assert_int_equal(send_n(t, n), 0);
	for (size_t n = 0; n < 20; n++)
		expect_n(t, n, true);
}

static void
test_wire(void **state)
{
	static const uint8_t want[] = { 0x01, 0x2d, 0xab, 0xcd, 'h', 'i' };
	struct two *t = *state;
	uint8_t got[32];
	struct buf b;

	buf_view(&b, "hi", 2);
	assert_int_equal(privmsg_send(t->sv[0], PM_START, 0xabcd, &b, NULL, 0),
	    0);
	assert_int_equal(recv(t->sv[1], got, sizeof(got), 0), sizeof(want));
	assert_memory_equal(got, want, sizeof(want));
	/* The caller's buffer is only read. */
	assert_int_equal(buf_len(&b), 2);
}

static void
test_too_long(void **state)
{
	struct two *t = *state;
	struct buf b;

	assert_int_equal(send_n(t, BODY_MAX + 1), SKY_ERR_LIMIT);
	assert_int_equal(send_n(t, PRIVMSG_MAX + 1), SKY_ERR_LIMIT);
	/* Somebody who does not keep to it. */
	fill(&b, PRIVMSG_MAX + 1);
	assert_int_equal(send(t->sv[0], buf_ptr(&b), PRIVMSG_MAX + 1, 0),
	    PRIVMSG_MAX + 1);
	assert_int_equal(privmsg_recv(t->sv[1], &t->m, false), SKY_ERR_FORMAT);
	assert_int_equal(buf_len(&t->m.body), 0);
	assert_int_equal(send(t->sv[0], buf_ptr(&b), PRIVMSG_MAX, 0),
	    PRIVMSG_MAX);
	assert_int_equal(privmsg_recv(t->sv[1], &t->m, false), 1);
	assert_int_equal(buf_len(&t->m.body), BODY_MAX);
	buf_free(&b);
}

static void
test_truncated(void **state)
{
	static const uint8_t raw[] = { 0, 20, 0x12, 0x34 };
	struct two *t = *state;

	for (size_t n = 1; n <= sizeof(raw); n++) {
		assert_int_equal(send(t->sv[0], raw, n, 0), n);
		if (n < sizeof(raw))
			assert_int_equal(privmsg_recv(t->sv[1], &t->m, true),
			    SKY_ERR_FORMAT);
		else
			expect_n(t, 0, true);
	}
}

/* What was in a message is gone with the next, or when it is cleared. */
static void
test_wiped(void **state)
{
	static const uint8_t zeros[1004];
	struct two *t = *state;
	uint8_t *storage;

	assert_int_equal(send_n(t, 1000), 0);
	assert_int_equal(send_n(t, 0), 0);
	expect_n(t, 1000, false);
	storage = t->m.storage;
	expect_n(t, 0, false);
	assert_ptr_equal(t->m.storage, storage);
	assert_memory_equal(storage + 4, zeros, 1000);
	assert_int_equal(send_n(t, 1000), 0);
	expect_n(t, 1000, false);
	privmsg_clear(&t->m);
	assert_ptr_equal(t->m.storage, storage);
	assert_memory_equal(storage, zeros, sizeof(zeros));
	assert_int_equal(buf_len(&t->m.body), 0);
}

/* --- descriptors ------------------------------------------------------ */

/* Opens n files, each another. */
static void
open_files(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		fds[i] = memfd_create("privmsg", MFD_CLOEXEC);
		assert_int_not_equal(fds[i], -1);
		assert_int_equal(ftruncate(fds[i], (off_t)i + 1), 0);
	}
}

static void
close_files(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(close(fds[i]), 0);
}

/* Sends n of them with a message; nothing of them stays open here. */
static int
send_fds(struct two *t, size_t n)
{
	int fds[32], r;

	open_files(fds, n);
	r = privmsg_send(t->sv[0], PM_LOG, 0x1234, NULL, fds, n);
	close_files(fds, n);
	return r;
}

/* The same by hand, with len bytes of a message. */
static void
send_fds_raw(struct two *t, size_t n, size_t len)
{
	static uint8_t raw[] = { 0, 20, 0x12, 0x34 };
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(32 * sizeof(int))];
	} ctl = { .space = { 0 } };
	struct iovec iov = { .iov_base = raw, .iov_len = len };
	struct msghdr mh = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &ctl,
		.msg_controllen = CMSG_SPACE(n * sizeof(int)) };
	struct cmsghdr *cm = CMSG_FIRSTHDR(&mh);
	int fds[32];

	open_files(fds, n);
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(cm), fds, n * sizeof(int));
	assert_int_equal(sendmsg(t->sv[0], &mh, 0), len);
	close_files(fds, n);
}

static void
expect_file(int fd, size_t i)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, i + 1);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
}

static void
test_fds(void **state)
{
	struct two *t = *state;
	size_t open = count_fds();
	int fd;

	for (size_t n = 0; n <= PRIVMSG_FDS_MAX; n++) {
		assert_int_equal(send_fds(t, n), 0);
		expect_n(t, 0, true);
		assert_int_equal(t->m.nfd, n);
		assert_int_equal(count_fds(), open + n);
		for (size_t i = 0; i < n; i++) {
			fd = privmsg_take_fd(&t->m, i);
			expect_file(fd, i);
			/* Once. */
			assert_int_equal(privmsg_take_fd(&t->m, i), -1);
			close(fd);
		}
		assert_int_equal(privmsg_take_fd(&t->m, n), -1);
		assert_int_equal(privmsg_take_fd(&t->m, PRIVMSG_FDS_MAX), -1);
	}
	assert_int_equal(count_fds(), open);
}

/* What nobody took is closed: by clear, by free, by the next message. */
static void
test_fds_not_taken(void **state)
{
	struct two *t = *state;
	size_t open = count_fds();
	int fd;

	assert_int_equal(send_fds(t, 3), 0);
	expect_n(t, 0, true);
	assert_int_equal(count_fds(), open + 3);
	privmsg_clear(&t->m);
	assert_int_equal(count_fds(), open);
	assert_int_equal(send_fds(t, 3), 0);
	expect_n(t, 0, true);
	privmsg_free(&t->m);
	assert_int_equal(count_fds(), open);
	assert_int_equal(send_fds(t, 3), 0);
	assert_int_equal(send_n(t, 5), 0);
	expect_n(t, 0, true);
	fd = privmsg_take_fd(&t->m, 1);
	expect_n(t, 5, true);
	assert_int_equal(t->m.nfd, 0);
	assert_int_equal(count_fds(), open + 1);
	expect_file(fd, 1);
	close(fd);
}

static void
test_too_many_fds(void **state)
{
	struct two *t = *state;
	size_t open = count_fds();

	assert_int_equal(send_fds(t, PRIVMSG_FDS_MAX + 1), SKY_ERR_LIMIT);
	for (size_t n = PRIVMSG_FDS_MAX + 1; n <= 32; n++) {
		send_fds_raw(t, n, PRIVMSG_HEAD_LEN);
		assert_int_equal(privmsg_recv(t->sv[1], &t->m, true),
		    SKY_ERR_FORMAT);
		assert_int_equal(t->m.nfd, 0);
		assert_int_equal(count_fds(), open);
	}
	send_fds_raw(t, PRIVMSG_FDS_MAX, PRIVMSG_HEAD_LEN);
	expect_n(t, 0, true);
	assert_int_equal(t->m.nfd, PRIVMSG_FDS_MAX);
}

/* Where none may arrive none does, and the message is refused. */
static void
test_fds_refused(void **state)
{
	struct two *t = *state;
	size_t open = count_fds();

	for (size_t n = 1; n <= 32; n++) {
		send_fds_raw(t, n, PRIVMSG_HEAD_LEN);
		assert_int_equal(privmsg_recv(t->sv[1], &t->m, false),
		    SKY_ERR_FORMAT);
		assert_int_equal(t->m.nfd, 0);
		assert_int_equal(privmsg_take_fd(&t->m, 0), -1);
		assert_int_equal(count_fds(), open);
	}
	assert_int_equal(send_n(t, 7), 0);
	expect_n(t, 7, false);
}

/* With a message too short, or none at all. */
static void
test_fds_of_bad_messages(void **state)
{
	struct two *t = *state;
	size_t open = count_fds();

	send_fds_raw(t, 2, 3);
	assert_int_equal(privmsg_recv(t->sv[1], &t->m, true), SKY_ERR_FORMAT);
	privmsg_clear(&t->m);
	assert_int_equal(count_fds(), open);
	send_fds_raw(t, 2, 0);
	assert_int_equal(privmsg_recv(t->sv[1], &t->m, true), SKY_ERR_EOF);
	assert_int_equal(count_fds(), open);
	send_fds_raw(t, 2, 0);
	assert_int_equal(privmsg_recv(t->sv[1], &t->m, false), SKY_ERR_EOF);
	assert_int_equal(count_fds(), open);
}

/* Never received: they go with the socket. */
static void
test_fds_in_flight(void **state)
{
	struct two *t = *state;
	size_t open = count_fds();

	for (size_t i = 0; i < 10; i++)
		assert_int_equal(send_fds(t, 3), 0);
	close_side(t, 0);
	close_side(t, 1);
	assert_int_equal(count_fds(), open - 2);
}

/* --- the end ---------------------------------------------------------- */

static void
test_eof(void **state)
{
	struct two *t = *state;

	assert_int_equal(send_n(t, 3), 0);
	close_side(t, 0);
	expect_n(t, 3, true);
	for (int i = 0; i < 3; i++)
		assert_int_equal(privmsg_recv(t->sv[1], &t->m, i != 0),
		    SKY_ERR_EOF);
	assert_int_equal(buf_len(&t->m.body), 0);
}

/* Not before it has been said in both directions. */
static void
test_half_closed(void **state)
{
	struct two *t = *state;
	struct privmsg m = { 0 };

	assert_int_equal(shutdown(t->sv[0], SHUT_WR), 0);
	assert_int_equal(privmsg_recv(t->sv[1], &t->m, true), SKY_ERR_EOF);
	assert_int_equal(privmsg_send(t->sv[1], PM_LOG, 1, NULL, NULL, 0), 0);
	assert_int_equal(privmsg_recv(t->sv[0], &m, true), 1);
	assert_int_equal(send_n(t, 1), SKY_ERR_SYS);
	assert_int_equal(errno, EPIPE);
	privmsg_free(&m);
}

/* A peer that left without reading what it was told. */
static void
test_reset(void **state)
{
	struct two *t = *state;

	assert_int_equal(privmsg_send(t->sv[1], PM_LOG, 1, NULL, NULL, 0), 0);
	close_side(t, 0);
	assert_int_equal(privmsg_recv(t->sv[1], &t->m, true), SKY_ERR_SYS);
	assert_int_equal(errno, ECONNRESET);
	assert_int_equal(privmsg_recv(t->sv[1], &t->m, true), SKY_ERR_EOF);
}

/* As an error and not as a signal. */
static void
test_send_to_nobody(void **state)
{
	struct two *t = *state;

	signal(SIGPIPE, SIG_DFL);
	close_side(t, 1);
	assert_int_equal(send_n(t, 3), SKY_ERR_SYS);
	assert_int_equal(errno, EPIPE);
	assert_int_equal(send_fds(t, 1), SKY_ERR_SYS);
	assert_int_equal(privmsg_send(-1, PM_LOG, 0, NULL, NULL, 0),
	    SKY_ERR_SYS);
	assert_int_equal(errno, EBADF);
	assert_int_equal(privmsg_recv(-1, &t->m, true), SKY_ERR_SYS);
}

/* --- waiting ---------------------------------------------------------- */

static void
on_alarm(int sig)
{
	(void)sig;
}

static void
test_again(void **state)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct itimerval soon = { .it_value.tv_usec = 50000 };
	struct two *t = *state;

	sigaction(SIGALRM, &sa, NULL);
	assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
	assert_int_equal(privmsg_recv(t->sv[1], &t->m, true), SKY_ERR_AGAIN);
	assert_int_equal(fcntl(t->sv[1], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(privmsg_recv(t->sv[1], &t->m, true), SKY_ERR_AGAIN);
	assert_int_equal(send_n(t, 2), 0);
	expect_n(t, 2, true);
	assert_int_equal(privmsg_recv(t->sv[1], &t->m, true), SKY_ERR_AGAIN);
}

/* A peer that never reads holds us up no longer than we let it. */
static void
test_send_timeout(void **state)
{
	struct timeval tv = { .tv_usec = 50000 };
	struct two *t = *state;
	size_t n = 0;
	int r;

	assert_int_equal(
	    setsockopt(t->sv[0], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)), 0);
	while ((r = send_n(t, 10000)) == 0)
		assert_true(++n < 10000);
	assert_int_equal(r, SKY_ERR_SYS);
	assert_int_equal(errno, EAGAIN);
	for (size_t i = 0; i < n; i++)
		expect_n(t, 10000, false);
	assert_int_equal(send_n(t, 1), 0);
	expect_n(t, 1, false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pair, open_two, close_two),
		cmocka_unit_test_setup_teardown(test_round_trip, open_two,
		    close_two),
		cmocka_unit_test_setup_teardown(test_several, open_two,
		    close_two),
		cmocka_unit_test_setup_teardown(test_wire, open_two, close_two),
		cmocka_unit_test_setup_teardown(test_too_long, open_two,
		    close_two),
		cmocka_unit_test_setup_teardown(test_truncated, open_two,
		    close_two),
		cmocka_unit_test_setup_teardown(test_wiped, open_two,
		    close_two),
		cmocka_unit_test_setup_teardown(test_fds, open_two, close_two),
		cmocka_unit_test_setup_teardown(test_fds_not_taken, open_two,
		    close_two),
		cmocka_unit_test_setup_teardown(test_too_many_fds, open_two,
		    close_two),
		cmocka_unit_test_setup_teardown(test_fds_refused, open_two,
		    close_two),
		cmocka_unit_test_setup_teardown(test_fds_of_bad_messages,
		    open_two, close_two),
		cmocka_unit_test_setup_teardown(test_fds_in_flight, open_two,
		    close_two),
		cmocka_unit_test_setup_teardown(test_eof, open_two, close_two),
		cmocka_unit_test_setup_teardown(test_half_closed, open_two,
		    close_two),
		cmocka_unit_test_setup_teardown(test_reset, open_two,
		    close_two),
		cmocka_unit_test_setup_teardown(test_send_to_nobody, open_two,
		    close_two),
		cmocka_unit_test_setup_teardown(test_again, open_two,
		    close_two),
		cmocka_unit_test_setup_teardown(test_send_timeout, open_two,
		    close_two),
	};

	return cmocka_run_group_tests_name("privmsg", tests, NULL, NULL);
}
