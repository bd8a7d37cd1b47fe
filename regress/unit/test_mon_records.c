/* SPDX-License-Identifier: ISC */
/*
 * records: what is written of a login and of its end, into files that stand in
 * place of the machine's own.
 */
#include <fcntl.h>
#include <lastlog.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utmp.h>
#include <arpa/inet.h>
#include <cmocka.h>

#include "monitor/origin.h"
#include "monitor/records.h"

#define UTMP	"/run/utmp"
#define WTMP	"/var/log/wtmp"
#define LASTLOG "/var/log/lastlog"
#define UID	61234
#define TTY	"/dev/pts/1234567"

static char name[] = "bob";
static const struct passwd bob = { .pw_name = name, .pw_uid = UID };
static struct session_origin from;
static struct login_record rec;
static struct record_last last;
static char warning[256];
static bool ours;

static void
make(const char *path)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0644);

	assert_int_not_equal(fd, -1);
	close(fd);
}

static int
set_up(void **state)
{
	(void)state;
	ours = geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("none", "/run", "tmpfs", 0, "mode=755") == 0 &&
	    mount("none", "/var/log", "tmpfs", 0, "mode=755,size=16k") == 0;
	return 0;
}

/* All three are there, and empty. */
static int
each(void **state)
{
	(void)state;
	if (!ours)
		return 0;
	make(UTMP);
	make(WTMP);
	make(LASTLOG);
	strlcpy(from.host, "192.0.2.7", sizeof(from.host));
	return 0;
}

static void
need_files(void)
{
	if (!ours)
		skip();
}

static void
log_in(void)
{
	records_login(&rec, &last, &bob, &from, TTY, warning, sizeof(warning));
}

static off_t
size_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

static void
get(const char *path, off_t at, void *p, size_t n)
{
	int fd = open(path, O_RDONLY);

	assert_int_not_equal(fd, -1);
	assert_int_equal(pread(fd, p, n, at), (ssize_t)n);
	close(fd);
}

/* A field that has no NUL where it is full. */
#define assert_field(field, text)                                  \
	do {                                                       \
		char want[sizeof(field) + 1] = text;               \
		assert_memory_equal((field), want, sizeof(field)); \
	} while (0)

static void
test_login(void **state)
{
	struct utmpx u, w;
	struct lastlog l;
	struct in_addr in;

	(void)state;
	need_files();
	log_in();
	assert_string_equal(warning, "");
	assert_true(rec.written);
	assert_int_equal(size_of(UTMP), sizeof(u));
	get(UTMP, 0, &u, sizeof(u));
	assert_int_equal(u.ut_type, USER_PROCESS);
	assert_int_equal(u.ut_pid, getpid());
	assert_field(u.ut_line, "pts/1234567");
	assert_field(u.ut_id, "4567");
	assert_field(u.ut_user, "bob");
	assert_field(u.ut_host, "192.0.2.7");
	assert_int_equal(inet_pton(AF_INET, "192.0.2.7", &in), 1);
	assert_memory_equal(u.ut_addr_v6, &in, sizeof(in));
	assert_int_not_equal(u.ut_tv.tv_sec, 0);
	assert_int_equal(size_of(WTMP), sizeof(w));
	get(WTMP, 0, &w, sizeof(w));
	assert_memory_equal(&w, &u, sizeof(w));
	/* A place for each uid. */
	assert_int_equal(size_of(LASTLOG), (off_t)sizeof(l) * (UID + 1));
	get(LASTLOG, (off_t)sizeof(l) * UID, &l, sizeof(l));
	assert_int_equal(l.ll_time, u.ut_tv.tv_sec);
	assert_field(l.ll_line, "pts/1234567");
	assert_field(l.ll_host, "192.0.2.7");
	/* The first one there has been. */
	assert_int_equal(last.when, 0);
	assert_string_equal(last.host, "");
}

static void
test_ipv6(void **state)
{
	struct in6_addr in6;
	struct utmpx u;

	(void)state;
	need_files();
	strlcpy(from.host, "2001:db8::7", sizeof(from.host));
	log_in();
	get(UTMP, 0, &u, sizeof(u));
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::7", &in6), 1);
	assert_memory_equal(u.ut_addr_v6, &in6, sizeof(in6));
	/* A key's digits are no address. */
	strlcpy(from.host, "02abcdef01234567", sizeof(from.host));
	log_in();
	memset(&in6, 0, sizeof(in6));
	get(UTMP, 0, &u, sizeof(u));
	assert_memory_equal(u.ut_addr_v6, &in6, sizeof(in6));
}

static void
test_logout(void **state)
{
	struct utmpx u, w;

	(void)state;
	need_files();
	log_in();
	get(UTMP, 0, &u, sizeof(u));
	records_logout(&rec);
	/* Its place is free for the next one, and wtmp has both. */
	assert_int_equal(size_of(UTMP), sizeof(u));
	get(UTMP, 0, &u, sizeof(u));
	assert_int_equal(u.ut_type, DEAD_PROCESS);
	assert_int_equal(u.ut_pid, getpid());
	assert_field(u.ut_line, "pts/1234567");
	assert_field(u.ut_id, "4567");
	assert_field(u.ut_user, "");
	assert_field(u.ut_host, "");
	assert_int_equal(size_of(WTMP), 2 * sizeof(w));
	get(WTMP, sizeof(w), &w, sizeof(w));
	assert_int_equal(w.ut_type, DEAD_PROCESS);
}

/* What the account's last visitor was called is shown to the next one. */
static void
test_last(void **state)
{
	struct lastlog l = { .ll_time = 12345 };
	int fd;

	(void)state;
	need_files();
	memset(l.ll_line, 'y', sizeof(l.ll_line));
	memset(l.ll_host, 'x', sizeof(l.ll_host));
	memcpy(l.ll_host, "a\033[2J\n\x9b b", 9);
	fd = open(LASTLOG, O_WRONLY);
	assert_int_equal(pwrite(fd, &l, sizeof(l), (off_t)sizeof(l) * UID),
	    sizeof(l));
	close(fd);
	log_in();
	assert_int_equal(last.when, 12345);
	assert_int_equal(strlen(last.tty), sizeof(l.ll_line));
	assert_int_equal(strlen(last.host), sizeof(l.ll_host));
	assert_memory_equal(last.host, "a?[2J???b", 9);
	log_in();
	assert_string_equal(last.host, "192.0.2.7");
	assert_string_equal(last.tty, "pts/1234567");
}

static void
test_long_names(void **state)
{
	char user[100];
	struct passwd pw = { .pw_name = user, .pw_uid = 1 };
	struct utmpx u;

	(void)state;
	need_files();
	memset(user, 'u', sizeof(user) - 1);
	user[sizeof(user) - 1] = '\0';
	records_login(&rec, &last, &pw, &from, "/dev/pts/0", warning,
	    sizeof(warning));
	get(UTMP, 0, &u, sizeof(u));
	assert_memory_equal(u.ut_user, user, sizeof(u.ut_user));
	/* Shorter than four. */
	records_login(&rec, &last, &pw, &from, "/dev/a", warning,
	    sizeof(warning));
	get(UTMP, sizeof(u), &u, sizeof(u));
	assert_field(u.ut_id, "a");
}

/* Where no records are kept none are begun. */
static void
test_no_files(void **state)
{
	struct utmpx u;

	(void)state;
	need_files();
	assert_int_equal(unlink(WTMP), 0);
	assert_int_equal(unlink(LASTLOG), 0);
	log_in();
	assert_string_equal(warning, "");
	assert_true(rec.written);
	assert_int_equal(size_of(UTMP), sizeof(u));
	assert_int_equal(access(WTMP, F_OK), -1);
	assert_int_equal(access(LASTLOG, F_OK), -1);
	each(state);
	assert_int_equal(unlink(UTMP), 0);
	log_in();
	assert_string_equal(warning, "");
	assert_false(rec.written);
	assert_int_equal(access(UTMP, F_OK), -1);
	assert_int_equal(size_of(WTMP), 0);
	assert_int_equal(size_of(LASTLOG), 0);
	records_logout(&rec);
	assert_int_equal(size_of(WTMP), 0);
}

/* Told, and no half of a record is left. */
static void
test_full_disk(void **state)
{
	static const char zero[4096];
	struct utmpx u;
	off_t had;
	int fd;

	(void)state;
	need_files();
	fd = open(WTMP, O_WRONLY | O_APPEND);
	/* Whole ones, up to the middle of the last that would fit. */
	while (write(fd, zero, sizeof(u)) == sizeof(u))
		;
	had = size_of(WTMP) / (off_t)sizeof(u) * (off_t)sizeof(u);
	assert_int_equal(ftruncate(fd, had), 0);
	close(fd);
	log_in();
	assert_non_null(strstr(warning, WTMP));
	assert_non_null(strstr(warning, "No space left on device"));
	assert_int_equal(size_of(WTMP), had);
	assert_true(rec.written);
	get(UTMP, 0, &u, sizeof(u));
	assert_field(u.ut_user, "bob");
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, each)
	const struct CMUnitTest tests[] = {
		TEST(test_login),
		TEST(test_ipv6),
		TEST(test_logout),
		TEST(test_last),
		TEST(test_long_names),
		TEST(test_no_files),
		TEST(test_full_disk),
	};

	return cmocka_run_group_tests_name("mon_records", tests, set_up, NULL);
}
