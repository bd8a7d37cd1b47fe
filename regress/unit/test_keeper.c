/* SPDX-License-Identifier: ISC */
/*
 * What a keeper keeps: files of a job, with limits, as whoever reads them finds
 * them; a client that is handed over, and what is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <cmocka.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/hex.h"
#include "daemon/keeper/keeper_hand.h"
#include "daemon/keeper/keeper_peer.h"

#define LIMIT 4096

static char folder[] = "/tmp/test_keeper.XXXXXX";
static char kept[64];

static int
set_up(void **state)
{
	(void)state;
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(kept, sizeof(kept), "%s/a/jobs", folder);
	return 0;
}

static int
tear_down(void **state)
{
	pid_t pid;

	(void)state;
	assert_int_equal(chdir("/"), 0);
	if ((pid = fork()) == 0) {
		execlp("rm", "rm", "-rf", folder, (char *)NULL);
		_exit(1);
	}
	return waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

static int
open_all(void)
{
	char why[STORE_TEXT];
	int all = store_open_all(kept, true, why);

	assert_true(all >= 0);
	return all;
}

static void
begin(struct store *s, int all, const struct store_limits *l, char id[])
{
	char why[STORE_TEXT];

	assert_int_equal(store_new(s, all, l, why), 0);
	strcpy(s->command, "sh -c true");
	s->entry.begun = (uint64_t)time(NULL);
	assert_int_equal(store_show(s), 0);
	hex_encode(s->entry.id, JOB_ID_LEN, id);
}

static const struct store_limits limits = { .jobs = 2, .output = LIMIT };

static void
test_life(void **state)
{
	char id[JOB_ID_HEX], why[STORE_TEXT];
	struct store s, r;
	int all = open_all();
	bool runs;

	(void)state;
	begin(&s, all, &limits, id);
	assert_int_equal(store_open(&r, all, id, &runs), 0);
	assert_true(runs);
	assert_int_equal(r.entry.state, JOB_RUNS);
	assert_string_equal(r.command, "sh -c true");
	store_close(&r);
	/* How it has ended counts, whether its keeper is there or not. */
	s.entry.state = JOB_ENDED;
	s.entry.status = 3;
	assert_int_equal(store_write_entry(&s), 0);
	store_close(&s);
	assert_int_equal(store_open(&r, all, id, &runs), 0);
	assert_false(runs);
	assert_int_equal(r.entry.state, JOB_ENDED);
	assert_int_equal(r.entry.status, 3);
	store_close(&r);
	/* One that was killed is lost, and no more are begun than may be. */
	begin(&s, all, &limits, id);
	store_close(&s);
	assert_int_equal(store_open(&r, all, id, &runs), 0);
	assert_false(runs);
	assert_int_equal(r.entry.state, JOB_IS_LOST);
	store_close(&r);
	assert_int_equal(store_new(&s, all, &limits, why), -1);
	assert_non_null(strstr(why, "max_jobs"));
	assert_int_equal(store_remove(all, id), 0);
	assert_int_not_equal(store_open(&r, all, id, &runs), 0);
	begin(&s, all, &limits, id);
	store_undo(&s);
	assert_int_not_equal(store_open(&r, all, id, &runs), 0);
	close(all);
}

static void
test_age(void **state)
{
	const struct store_limits aged = { .jobs = 9,
		.output = LIMIT,
		.age = 3600 };
	char old[JOB_ID_HEX], young[JOB_ID_HEX], running[JOB_ID_HEX];
	struct store s, r, live;
	int all = open_all();
	bool runs;

	(void)state;
	begin(&s, all, &aged, old);
	s.entry.state = JOB_ENDED;
	s.entry.ended = (uint64_t)time(NULL) - 4000;
	assert_int_equal(store_write_entry(&s), 0);
	store_close(&s);
	begin(&s, all, &limits, young);
	s.entry.state = JOB_ENDED;
	s.entry.ended = (uint64_t)time(NULL) - 3000;
	assert_int_equal(store_write_entry(&s), 0);
	store_close(&s);
	begin(&live, all, &aged, running);
	live.entry.begun = 1;
	assert_int_equal(store_write_entry(&live), 0);
	store_sweep(all, &aged);
	assert_int_not_equal(store_open(&r, all, old, &runs), 0);
	assert_int_equal(store_open(&r, all, young, &runs), 0);
	store_close(&r);
	assert_int_equal(store_open(&r, all, running, &runs), 0);
	store_close(&r);
	store_close(&live);
	close(all);
}

/* The end of it is there, in whole frames, and the rest is told. */
static void
test_output(void **state)
{
	char id[JOB_ID_HEX];
	struct store s, r;
	uint64_t at = 0, gap = 0;
	int all = open_all(), n = 0, last = -1, first = -1;
	struct buf b, payload;
	uint8_t tag, text[100];
	bool runs;

	(void)state;
	begin(&s, all, &limits, id);
	for (int i = 0; i < 1000; i++) {
		memset(text, 0, sizeof(text));
		snprintf((char *)text, sizeof(text), "%d", i);
		store_put(&s, XS_STDOUT, text, sizeof(text));
	}
	assert_int_equal(store_end(&s), 1000 * (sizeof(text) + XS_HEAD_LEN));
	assert_int_equal(store_open(&r, all, id, &runs), 0);
	assert_int_equal(store_end(&r), store_end(&s));
	assert_int_equal(store_start(&r), store_start(&s));
	assert_true(store_end(&r) - store_start(&r) >= LIMIT * 3 / 4);
	assert_true(store_end(&r) - store_start(&r) <=
	    LIMIT + STORE_PARTS * (sizeof(text) + XS_HEAD_LEN));
	buf_init(&b, 10000);
	while (store_get(&r, &at, &b) == 1)
		;
	assert_int_equal(at, store_end(&r));
	while (xs_get_frame(&b, 1000, &tag, &payload) == 1) {
		if (tag == JOB_GAP) {
			assert_int_equal(n, 0);
			assert_int_equal(buf_get_u64(&payload, &gap), 0);
			continue;
		}
		last = atoi((const char *)buf_ptr(&payload));
		if (n++ == 0)
			first = last;
	}
	assert_int_equal(buf_len(&b), 0);
	assert_int_equal(last, 999);
	assert_int_equal(n, 1000 - first);
	assert_int_equal(gap, store_start(&r));
	/* In the midst of one there is none. */
	at = store_start(&r) + 1;
	assert_int_equal(store_get(&r, &at, &b), SKY_ERR_FORMAT);
	buf_free(&b);
	store_close(&r);
	store_close(&s);
	close(all);
}

/* Those that begin at once are counted before they have a name. */
static void
test_begin(void **state)
{
	const struct store_limits one = { .jobs = 1, .output = LIMIT };
	char why[STORE_TEXT];
	struct store s, other;
	int all = open_all(), here = open_all();

	(void)state;
	assert_int_equal(store_new(&s, all, &one, why), 0);
	assert_int_equal(store_new(&other, here, &one, why), -1);
	assert_non_null(strstr(why, "max_jobs"));
	/* One that was killed before it had one is in nobody's way. */
	store_close(&s);
	assert_int_equal(store_new(&other, here, &one, why), 0);
	assert_int_equal(store_show(&other), 0);
	store_undo(&other);
	close(here);
	close(all);
}

/* An entry that was cut, or is another's, is no job. */
static void
test_bad_files(void **state)
{
	char id[JOB_ID_HEX], why[STORE_TEXT];
	struct store s, r;
	int all = open_all(), fd;
	uint8_t text[2000];
	ssize_t n;
	bool runs;

	(void)state;
	begin(&s, all, &limits, id);
	fd = openat(s.dir, "job", O_RDWR);
	assert_true((n = read(fd, text, sizeof(text))) > 0);
	for (ssize_t i = 0; i < n; i++) {
		assert_int_equal(ftruncate(fd, i), 0);
		assert_int_not_equal(store_open(&r, all, id, &runs), 0);
	}
	text[1] ^= 1; /* the id */
	assert_int_equal(pwrite(fd, text, (size_t)n, 0), n);
	assert_int_equal(store_open(&r, all, id, &runs), SKY_ERR_FORMAT);
	text[1] ^= 1;
	assert_int_equal(pwrite(fd, text, (size_t)n, 0), n);
	assert_int_equal(store_open(&r, all, id, &runs), 0);
	store_close(&r);
	assert_int_equal(store_open(&r, all, "..", &runs), SKY_ERR_NOTFOUND);
	close(fd);
	/* Nobody is waited for at a pipe in the lock's place. */
	assert_int_equal(unlinkat(s.dir, "lock", 0), 0);
	assert_int_equal(mkfifoat(s.dir, "lock", 0600), 0);
	alarm(10);
	assert_int_equal(store_open(&r, all, id, &runs), 0);
	alarm(0);
	assert_false(runs);
	store_close(&r);
	store_close(&s);
	assert_int_equal(fchmod(all, 0750), 0);
	assert_int_equal(store_open_all(kept, true, why), -1);
	assert_non_null(strstr(why, "0700"));
	close(all);
}

static void
test_hand_over(void **state)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX,
		.sun_path = HAND_SOCK };
	int sv[2], sock, fd, other, status;
	struct buf asked, got;
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(chdir(folder), 0);
	buf_view(&asked, "what is asked", 13);
	assert_false(hand_over(0, &asked)); /* nobody listens */
	assert_true((sock = hand_listen()) != -1);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	buf_init(&got, HAND_MAX);
	assert_int_equal(hand_take(sock, &got), -1);
	assert_true((pid = fork()) != -1);
	if (pid == 0)
		_exit(hand_over(sv[0], &asked) ? 0 : 1);
	while ((fd = hand_take(sock, &got)) == -1)
		usleep(1000);
	assert_int_equal(buf_len(&got), 13);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(write(sv[1], "x", 1), 1);
	assert_int_equal(read(fd, &byte, 1), 1);
	close(fd);
	/* A datagram alone, and a descriptor that is no stream. */
	assert_true((other = socket(AF_UNIX, SOCK_DGRAM, 0)) != -1);
	assert_int_equal(
	    sendto(other, "garbage", 7, 0, (void *)&sa, sizeof(sa)), 7);
	assert_int_equal(hand_take(sock, &got), -1);
	assert_true((pid = fork()) != -1);
	if (pid == 0)
		_exit(hand_over(other, &asked) ? 1 : 0);
	buf_reset(&got);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		assert_int_equal(hand_take(sock, &got), -1);
		usleep(1000);
	}
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(buf_len(&got), 0);
	close(other);
	close(sock);
	close(sv[0]);
	close(sv[1]);
	buf_free(&got);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_life, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_age, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_output, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_begin, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bad_files, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_hand_over, set_up,
		    tear_down),
	};

	return cmocka_run_group_tests_name("keeper", tests, NULL, NULL);
}
