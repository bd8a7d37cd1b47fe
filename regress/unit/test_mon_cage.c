/* SPDX-License-Identifier: ISC */
/*
 * cage: which folders may be a server's world, what a process can still do in
 * one, and servers that do not begin as they should.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "monitor/cage.h"

#define OTHER 61234 /* uid and gid of nobody in particular */

static const char top[] = "/run/top", dir[] = "/run/top/world";
static char why[512];
static bool ours;

/* A folder of root's within folders of root's, which only we see. */
static int
set_up(void **state)
{
	(void)state;
	if (geteuid() != 0 || unshare(CLONE_NEWNS) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("none", "/run", "tmpfs", 0, "mode=755") == -1)
		return 0;
	ours = true;
	return mkdir(top, 0755) == 0 && mkdir(dir, 0755) == 0 &&
		close(open("/run/top/world/file", O_CREAT | O_WRONLY, 0644)) ==
		    0 ?
	    0 :
	    -1;
}

static void
need_root(void)
{
	if (!ours)
		skip();
}

static int
begin(struct cage *c, const char *root)
{
	*why = '\0';
	return cage_begin(c, root, false, why, sizeof(why));
}

static void
refused(const char *root, const char *part)
{
	struct cage c;

	assert_int_equal(begin(&c, root), -1);
	assert_int_equal(c.ours, -1);
	assert_int_equal(c.theirs, -1);
	assert_non_null(strstr(why, root));
	if (strstr(why, part) == NULL)
		fail_msg("wanted \"%s\" in: %s", part, why);
}

static void
allowed(const char *root)
{
	struct cage c;

	if (begin(&c, root) != 0)
		fail_msg("%s", why);
	cage_free(&c);
	assert_int_equal(c.ours, -1);
	cage_free(&c); /* twice is no harm */
}

/* --- the folder --- */

static void
test_folder(void **state)
{
	char path[600], name[300];

	(void)state;
	need_root();
	allowed(dir);
	allowed("/");
	(void)snprintf(path, sizeof(path), "//%s//", dir);
	allowed(path);
	refused("", "no absolute path");
	refused("srv", "no absolute path");
	(void)snprintf(path, sizeof(path), "%s/../world", dir);
	refused(path, "Invalid argument");
	(void)snprintf(path, sizeof(path), "%s/none", dir);
	refused(path, "No such file or directory");
	(void)snprintf(path, sizeof(path), "%s/file", dir);
	refused(path, "Not a directory");
	memset(name, 'x', sizeof(name));
	name[256] = '\0';
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	refused(path, "File name too long");
	name[255] = '\0';
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	refused(path, "No such file or directory");
}

static void
test_symbolic_link(void **state)
{
	char link[300], within[320];

	(void)state;
	need_root();
	(void)snprintf(link, sizeof(link), "%s/link", top);
	assert_int_equal(symlink(dir, link), 0);
	refused(link, "Not a directory");
	assert_int_equal(unlink(link), 0);
	assert_int_equal(symlink(top, link), 0);
	(void)snprintf(within, sizeof(within), "%s/world", link);
	refused(within, "Not a directory");
	assert_int_equal(unlink(link), 0);
}

/* Whoever could change what it is, at any step of the way. */
static void
test_modes(void **state)
{
	static const char bad[] = "bad ownership or modes";
	const char *each[] = { top, dir };

	(void)state;
	need_root();
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(chmod(each[i], 0775), 0);
		refused(dir, bad);
		assert_int_equal(chmod(each[i], 0757), 0);
		refused(dir, bad);
		assert_int_equal(chmod(each[i], 01777), 0);
		refused(dir, bad);
		assert_int_equal(chmod(each[i], 0755), 0);
		assert_int_equal(chown(each[i], OTHER, 0), 0);
		refused(dir, bad);
		assert_int_equal(chown(each[i], 0, OTHER), 0);
		allowed(dir);
		assert_int_equal(chown(each[i], 0, 0), 0);
	}
	assert_int_equal(chmod(top, 0700), 0);
	allowed(dir);
}

/* Runs it in a process of its own, which has to end with 0. */
static void
in_process(void (*run)(void))
{
	int status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		run();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
run_without_root(void)
{
	struct cage c;

	if (setgid(OTHER) == -1 || setuid(OTHER) == -1)
		_exit(2);
	if (begin(&c, "/") != -1 ||
	    strstr(why, "skyptyd has to run as root for it") == NULL)
		_exit(1);
}

static void
test_without_root(void **state)
{
	(void)state;
	need_root();
	in_process(run_without_root);
}

/* --- in it --- */

static void
expect(bool good, int status)
{
	if (!good)
		_exit(status);
}

/* Which line of /proc/self/status. */
static unsigned long long
status_of(const char *name)
{
	unsigned long long v = 0;
	char line[256];
	FILE *f = fopen("/proc/self/status", "r");

	expect(f != NULL, 90);
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, name, strlen(name)) == 0)
			v = strtoull(line + strlen(name) + 1, NULL, 16);
	(void)fclose(f);
	return v;
}

static void
run_forgo(void)
{
	/* CHOWN, DAC_OVERRIDE, FOWNER. */
	const unsigned long long kept = 1 << 0 | 1 << 1 | 1 << 3;

	expect(cage_forgo() == 0, 10);
	expect((status_of("CapBnd") & ~kept) == 0, 11);
	expect(status_of("CapPrm") == (status_of("CapBnd") & kept), 12);
	expect(status_of("CapEff") == status_of("CapPrm"), 13);
	expect(status_of("CapInh") == 0, 14);
	/* There is no way back, and none by who is somebody else. */
	expect(setuid(OTHER) == -1 && errno == EPERM, 15);
	expect(chroot("/") == -1 && errno == EPERM, 16);
}

static void
test_forgo(void **state)
{
	(void)state;
	need_root();
	in_process(run_forgo);
}

static void
run_filter(void)
{
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/file", dir);
	expect(chmod(path, 0640) == 0, 20);
	expect(cage_filter() == 0, 21);
	expect(chmod(path, 0600) == 0, 22);
	expect(chmod(path, 04755) == -1, 23);
	expect(chmod(path, 02755) == -1, 24);
	expect(open(path, O_WRONLY | O_CREAT, 0644) != -1, 25);
}

static void
test_filter(void **state)
{
	(void)state;
	need_root();
	in_process(run_filter);
}

/* --- servers, good and bad --- */

/*
 * What a process in the cage says on its socket once it has been greeted; where
 * it then stands is looked at from within.
 */
static void
serve(struct cage *c, int sock, const void *answer, size_t n, bool at_root,
    int status)
{
	uint8_t init[9], word;
	struct statvfs vfs;
	struct stat st;

	/* One whose folder is elsewhere would have a way out. */
	if (cage_build(c) == -1 || (at_root && chdir("/") == -1))
		_exit(30);
	close(c->theirs);
	close(c->ours);
	if (recv(sock, init, sizeof(init), MSG_WAITALL) != sizeof(init))
		_exit(31);
	if (n != 0 && send(sock, answer, n, MSG_NOSIGNAL) != (ssize_t)n)
		_exit(32);
	if (n == 0)
		_exit(status);
	/* The end, or that it is shut. */
	if (recv(sock, &word, 1, 0) != 1)
		_exit(status);
	if (stat("/file", &st) == -1 || access("/proc", F_OK) == 0 ||
	    access("/etc", F_OK) == 0 || statvfs("/", &vfs) == -1)
		_exit(33);
	if (!(vfs.f_flag & ST_NOSUID) || !(vfs.f_flag & ST_NODEV) ||
	    !(vfs.f_flag & ST_NOEXEC) ||
	    !!(vfs.f_flag & ST_RDONLY) != c->readonly)
		_exit(34);
	_exit(status);
}

static int
try_server(const void *answer, size_t n, bool readonly, bool at_root,
    int *status)
{
	struct cage c;
	int sv[2], r;
	pid_t pid;

	*why = '\0';
	assert_int_equal(cage_begin(&c, dir, readonly, why, sizeof(why)), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv),
	    0);
	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		close(sv[0]);
		serve(&c, sv[1], answer, n, at_root, 7);
	}
	close(sv[1]);
	if ((r = cage_close(&c, sv[0], why, sizeof(why))) == 0)
		assert_int_equal(send(sv[0], "x", 1, MSG_NOSIGNAL), 1);
	close(sv[0]);
	cage_free(&c);
	assert_int_equal(waitpid(pid, status, 0), pid);
	assert_true(WIFEXITED(*status));
	*status = WEXITSTATUS(*status);
	return r;
}

static void
test_shut(void **state)
{
	static const uint8_t version[] = { 0, 0, 0, 5, 2, 0, 0, 0, 3 };
	int status;

	(void)state;
	need_root();
	for (int readonly = 0; readonly < 2; readonly++) {
		if (try_server(version, sizeof(version), readonly, true,
			&status) != 0)
			fail_msg("%s", why);
		assert_int_equal(status, 7);
	}
}

/* It is looked at whether the server has nothing else. */
static void
test_elsewhere(void **state)
{
	static const uint8_t version[] = { 0, 0, 0, 5, 2, 0, 0, 0, 3 };
	int status;

	(void)state;
	need_root();
	assert_int_equal(chdir("/usr"), 0);
	assert_int_equal(
	    try_server(version, sizeof(version), false, false, &status), -1);
	assert_non_null(strstr(why, "cannot be shut into it"));
	assert_int_equal(status, 7);
}

/* It ends, or what it says of itself is cut short, empty or endless. */
static void
test_bad_server(void **state)
{
	static const uint8_t none[] = { 0, 0, 0, 0 },
			     endless[] = { 0, 1, 0, 1, 2, 0, 0, 0, 3 };
	int status;

	(void)state;
	need_root();
	assert_int_equal(try_server(NULL, 0, false, true, &status), -1);
	assert_non_null(strstr(why, "the SFTP server has not begun"));
	assert_int_equal(status, 7);
	assert_int_equal(try_server(none, sizeof(none), false, true, &status),
	    -1);
	assert_non_null(strstr(why, "the SFTP server has not begun"));
	assert_int_equal(status, 7);
	assert_int_equal(
	    try_server(endless, sizeof(endless), false, true, &status), -1);
	assert_non_null(strstr(why, "the SFTP server has not begun"));
	assert_int_equal(status, 7);
}

/* Whoever changes the folder behind its back gets no server in it. */
static void
test_changed(void **state)
{
	struct cage c;
	int status;
	pid_t pid;

	(void)state;
	need_root();
	assert_int_equal(begin(&c, dir), 0);
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0)
		_exit(cage_build(&c) == -1 && errno == EPERM ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(chmod(dir, 0755), 0);
	cage_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_folder),
		cmocka_unit_test(test_symbolic_link),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_without_root),
		cmocka_unit_test(test_forgo),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_shut),
		cmocka_unit_test(test_elsewhere),
		cmocka_unit_test(test_bad_server),
		cmocka_unit_test(test_changed),
	};

	return cmocka_run_group_tests_name("mon_cage", tests, set_up, NULL);
}
