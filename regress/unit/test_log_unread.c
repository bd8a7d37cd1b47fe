/* SPDX-License-Identifier: ISC */
/* log: who does not read holds nobody up, and learns what is missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

/* In a folder of our own. */
#define LOG_DEVICE "device"
#include "common/base/log.c"

#define ENOUGH 2000 /* lines that no pipe and no queue holds */

static char all[1024 * 1024];

/* What is there, as text. */
static const char *
drain(int fd)
{
	size_t n = 0;
	ssize_t r;

	while (n < sizeof(all) - 1 &&
	    (r = read(fd, all + n, sizeof(all) - 1 - n)) > 0)
		n += (size_t)r;
	all[n] = '\0';
	return all;
}

static unsigned
lines(const char *text)
{
	unsigned n = 0;

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

/* Fills what stands for standard error, then reads it. */
static void
check_stderr(int reader, int writer)
{
	int saved = dup(STDERR_FILENO), flags = fcntl(writer, F_GETFL);
	char notice[128];
	unsigned there;

	assert_false(flags & O_NONBLOCK);
	assert_int_equal(fcntl(reader, F_SETFL, O_NONBLOCK), 0);
	dup2(writer, STDERR_FILENO);
	log_init("unit", LOG_LEVEL_INFO, false);
	for (int i = 0; i < ENOUGH; i++)
		log_info("%0500d", i);
	there = lines(drain(reader));
	assert_in_range(there, 1, ENOUGH - 1);
	log_info("again");
	drain(reader);
	snprintf(notice, sizeof(notice),
	    "unit[%ld]: lines missing here, as nobody read them: %u\n"
	    "unit[%ld]: again\n",
	    (long)getpid(), ENOUGH - there, (long)getpid());
	dup2(saved, STDERR_FILENO);
	close(saved);
	assert_string_equal(all, notice);
	/* Whoever shares it finds it as it was. */
	assert_int_equal(fcntl(writer, F_GETFL), flags);
	close(reader);
	close(writer);
}

static void
test_pipe(void **nothing)
{
	int p[2];

	(void)nothing;
	assert_int_equal(pipe(p), 0);
	check_stderr(p[0], p[1]);
}

static void
test_socket(void **nothing)
{
	int p[2];

	(void)nothing;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
	check_stderr(p[0], p[1]);
}

static int
device(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX,
		.sun_path = LOG_DEVICE };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	(void)unlink(LOG_DEVICE);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	return fd;
}

/* As syslog(3) writes it: <priority>date name[pid]: text. */
static void
expect_syslog(int fd, int priority, const char *text)
{
	char line[2048], want[256];
	ssize_t n = recv(fd, line, sizeof(line) - 1, 0);
	const char *rest;

	assert_true(n > 0);
	line[n] = '\0';
	snprintf(want, sizeof(want), "<%d>", LOG_AUTH | priority);
	assert_memory_equal(line, want, strlen(want));
	rest = line + strlen(want) + strlen("Nov  6 01:02:03");
	snprintf(want, sizeof(want), " unit[%ld]: %s", (long)getpid(), text);
	assert_string_equal(rest, want);
}

static void
test_syslog(void **nothing)
{
	char folder[] = "/tmp/skypty-log.XXXXXX", scratch[2048], notice[128];
	unsigned there = 0;
	int fd;

	(void)nothing;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	log_init("unit", LOG_LEVEL_INFO, true);
	log_info("into nowhere");
	fd = device();
	log_error("first");
	expect_syslog(fd, LOG_WARNING,
	    "lines missing here, as nobody read them: 1");
	expect_syslog(fd, LOG_ERR, "first");

	for (int i = 0; i < ENOUGH; i++)
		log_info("%d", i);
	while (recv(fd, scratch, sizeof(scratch), 0) > 0)
		there++;
	assert_in_range(there, 1, ENOUGH - 1);
	log_info("again");
	snprintf(notice, sizeof(notice),
	    "lines missing here, as nobody read them: %u", ENOUGH - there);
	expect_syslog(fd, LOG_WARNING, notice);
	expect_syslog(fd, LOG_INFO, "again");

	/* Another one in its place, as after a restart. */
	close(fd);
	fd = device();
	log_info("and again");
	expect_syslog(fd, LOG_INFO, "and again");
	close(fd);
	unlink(LOG_DEVICE);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(folder), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_socket),
		cmocka_unit_test(test_syslog),
	};

	return cmocka_run_group_tests_name("log_unread", tests, NULL, NULL);
}
