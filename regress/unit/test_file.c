/* SPDX-License-Identifier: ISC */
/* file: new ones that are whole or not there, what was left, locks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "common/base/file.h"
#include "conf_util.h"
#include "lock_util.h"

#define NOBODY	 65534
#define ACL	 "system.posix_acl_access"
#define ACL_DOWN "system.posix_acl_default"

/* Everything in the folder, hidden files as well. */
static size_t
count_all(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	size_t n = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		n +=
		    strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	closedir(d);
	return n;
}

static bool
is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static const char *
make_dir(const char *name, mode_t mode)
{
	const char *dir = in_dir(name);

	assert_int_equal(mkdir(dir, 0755), 0);
	assert_int_equal(chmod(dir, mode), 0);
	return dir;
}

static int
write_new(const char *path, const char *text, bool replace)
{
	struct file_new f;
	int r;

	if ((r = file_new_open(&f, path)) != 0)
		return r;
	assert_int_equal(write(f.fd, text, strlen(text)), strlen(text));
	return file_new_commit(&f, replace);
}

/* --- new files -------------------------------------------------------- */

static void
test_new(void **state)
{
	const char *dir = make_dir("new", 0755), *path = in_dir("new/a");
	mode_t mask = umask(0);

	(void)state;
	assert_int_equal(write_new(path, "one", false), 0);
	umask(mask);
	expect_file(path, "one");
	assert_int_equal(mode_of(path), 0600);
	assert_int_equal(write_new(path, "two", false), SKY_ERR_SYS);
	assert_int_equal(errno, EEXIST);
	expect_file(path, "one");
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(write_new(path, "three", true), 0);
	expect_file(path, "three");
	assert_int_equal(mode_of(path), 0600);
	assert_int_equal(write_new(in_dir("new/b"), "four", true), 0);
	expect_file(in_dir("new/b"), "four");
	assert_int_equal(count_all(dir), 2);
	/* A link is replaced, and nothing is written through it. */
	assert_int_equal(symlink("a", in_dir("new/c")), 0);
	assert_int_equal(write_new(in_dir("new/c"), "five", false),
	    SKY_ERR_SYS);
	assert_int_equal(write_new(in_dir("new/c"), "five", true), 0);
	expect_file(path, "three");
	expect_file(in_dir("new/c"), "five");
	assert_int_equal(count_all(dir), 3);
	/* Not over a folder. */
	assert_int_equal(write_new(dir, "six", true), SKY_ERR_SYS);
	assert_int_equal(errno, EISDIR);
	assert_int_equal(count_all(dir), 3);
}

/* Without a folder in its path it is in the one that we are in. */
static void
test_new_here(void **state)
{
	const char *dir = make_dir("here", 0755);

	(void)state;
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(write_new("a", "x", false), 0);
	assert_int_equal(write_new("./a", "y", true), 0);
	assert_int_equal(write_new("../here/a", "z", true), 0);
	expect_file(in_dir("here/a"), "z");
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(count_all(dir), 1);
}

static void
test_new_names(void **state)
{
	char name[NAME_MAX + 2] = "";
	char path[sizeof(test.dir) + sizeof(name) + 8];
	const char *dir = make_dir("names", 0755);

	(void)state;
	assert_int_equal(write_new("", "x", true), SKY_ERR_FORMAT);
	assert_int_equal(write_new("/", "x", true), SKY_ERR_FORMAT);
	assert_int_equal(write_new(in_dir("names/"), "x", true),
	    SKY_ERR_FORMAT);
	assert_int_equal(write_new(in_dir("names/."), "x", true),
	    SKY_ERR_FORMAT);
	assert_int_equal(write_new(in_dir("names/.."), "x", true),
	    SKY_ERR_FORMAT);
	assert_int_equal(write_new(in_dir("none/x"), "x", true), SKY_ERR_SYS);
	assert_int_equal(errno, ENOENT);
	memset(name, 'n', NAME_MAX);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(write_new(path, "x", true), 0);
	assert_int_equal(write_new(path, "y", true), 0);
	assert_int_equal(count_all(dir), 1);
	strcat(name, "n");
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(write_new(path, "x", true), SKY_ERR_SYS);
	assert_int_equal(errno, ENAMETOOLONG);
	assert_int_equal(count_all(dir), 1);
}

static void
test_drop(void **state)
{
	const char *dir = make_dir("drop", 0755);
	struct file_new f;
	int before = dup(0), after;

	(void)state;
	assert_int_equal(file_new_open(&f, in_dir("drop/a")), 0);
	assert_int_equal(fcntl(f.fd, F_GETFD), FD_CLOEXEC);
	errno = ENOTTY;
	file_new_drop(&f);
	assert_int_equal(errno, ENOTTY);
	assert_int_equal(count_all(dir), 0);
	/* No descriptor stays. */
	after = dup(0);
	assert_int_equal(after, before + 1);
	close(before);
	close(after);
}

/* Killed before it has a name it leaves nothing that could be read. */
static void
test_killed(void **state)
{
	const char *dir = make_dir("killed", 0755);
	struct file_new f;
	int status;
	pid_t pid;

	(void)state;
	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		if (file_new_open(&f, in_dir("killed/a")) == 0 &&
		    write(f.fd, "secret", 6) == 6)
			raise(SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	file_sweep(in_dir("killed/a"));
	assert_int_equal(count_all(dir), 0);
}

static void
test_foreign_folder(void **state)
{
	const char *dir;

	(void)state;
	if (geteuid() != 0)
		skip();
	dir = make_dir("foreign", 0755);
	assert_int_equal(chown(dir, NOBODY, NOBODY), 0);
	assert_int_equal(write_new(in_dir("foreign/a"), "x", true),
	    SKY_ERR_DENIED);
	assert_int_equal(count_all(dir), 0);
	/* Root's is everybody's. */
	assert_int_equal(chown(dir, 0, 0), 0);
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(seteuid(NOBODY), 0);
	assert_int_equal(write_new(in_dir("foreign/a"), "x", true), 0);
	assert_int_equal(seteuid(0), 0);
}

/* --- attributes ------------------------------------------------------- */

/* user::rw-, user:NOBODY:r--, group::---, mask::r--, other::--- */
static const uint8_t acl[] = { 2, 0, 0, 0, /* version */
	1, 0, 6, 0, 0xff, 0xff, 0xff, 0xff, 2, 0, 4, 0, 0xfe, 0xff, 0, 0, 4, 0,
	0, 0, 0xff, 0xff, 0xff, 0xff, 0x10, 0, 4, 0, 0xff, 0xff, 0xff, 0xff,
	0x20, 0, 0, 0, 0xff, 0xff, 0xff, 0xff };

static void
set_attr(const char *path, const char *attr, const void *value, size_t n)
{
	if (setxattr(path, attr, value, n, 0) == 0)
		return;
	assert_int_equal(errno, ENOTSUP);
	print_message("no %s here\n", attr);
	skip();
}

static int
write_like(const char *path, const char *text)
{
	struct file_new f;
	int old = open(path, O_RDONLY | O_CLOEXEC);

	assert_int_not_equal(old, -1);
	assert_int_equal(file_new_open(&f, path), 0);
	assert_int_equal(write(f.fd, text, strlen(text)), strlen(text));
	assert_int_equal(file_new_like(&f, old), 0);
	close(old);
	return file_new_commit(&f, true);
}

static void
test_like(void **state)
{
	const char *path;
	uint8_t got[256];

	(void)state;
	make_dir("like", 0755);
	path = put_file("like/a", "old");
	set_attr(path, "user.note", "keep", 4);
	set_attr(path, "user.empty", "", 0);
	set_attr(path, ACL, acl, sizeof(acl));
	assert_int_equal(mode_of(path), 0640);
	assert_int_equal(write_like(path, "new"), 0);
	expect_file(path, "new");
	assert_int_equal(mode_of(path), 0640);
	assert_int_equal(getxattr(path, "user.note", got, sizeof(got)), 4);
	assert_memory_equal(got, "keep", 4);
	assert_int_equal(getxattr(path, "user.empty", got, sizeof(got)), 0);
	assert_int_equal(getxattr(path, ACL, got, sizeof(got)), sizeof(acl));
	assert_memory_equal(got, acl, sizeof(acl));
}

/* What the folder hands down to new files opens neither a secret nor ours. */
static void
test_folder_acl(void **state)
{
	const char *dir = make_dir("down", 0755), *path;
	uint8_t got[256];

	(void)state;
	path = put_file("down/a", "old");
	assert_int_equal(chmod(path, 0640), 0);
	set_attr(dir, ACL_DOWN, acl, sizeof(acl));
	assert_int_equal(write_like(path, "new"), 0);
	assert_int_equal(mode_of(path), 0640);
	assert_int_equal(getxattr(path, ACL, got, sizeof(got)), -1);
	assert_int_equal(errno, ENODATA);
	assert_int_equal(write_new(path, "newer", true), 0);
	assert_int_equal(mode_of(path), 0600);
	assert_int_equal(getxattr(path, ACL, got, sizeof(got)), -1);
}

/* --- what was left ---------------------------------------------------- */

static void
test_sweep(void **state)
{
	static const char *const ours[] = { ".a.skypty-01234567",
		".a.skypty-89abcdef" };
	static const char *const others[] = { "a", ".a", ".a.skypty-",
		".a.skypty-0123456", ".a.skypty-012345678",
		".a.skypty-0123456g", ".a.skypty-01234567~",
		".ab.skypty-01234567", "a.skypty-01234567", ".a.lock",
		"a.backup" };
	char path[64];

	(void)state;
	make_dir("swept", 0755);
	for (size_t i = 0; i < COUNT(ours); i++) {
		snprintf(path, sizeof(path), "swept/%s", ours[i]);
		put_file(path, "secret");
	}
	for (size_t i = 0; i < COUNT(others); i++) {
		snprintf(path, sizeof(path), "swept/%s", others[i]);
		put_file(path, "mine");
	}
	assert_int_equal(mkdir(in_dir("swept/.a.skypty-00000000"), 0700), 0);
	assert_int_equal(symlink("a", in_dir("swept/.a.skypty-00000001")), 0);
	file_sweep(in_dir("swept/a"));
	for (size_t i = 0; i < COUNT(ours); i++) {
		snprintf(path, sizeof(path), "swept/%s", ours[i]);
		assert_false(is_there(in_dir(path)));
	}
	assert_int_equal(count_all(in_dir("swept")), COUNT(others) + 2);
	/* A folder that is not there is no matter. */
	file_sweep(in_dir("none/a"));
	file_sweep("");
}

static void
test_sweep_foreign(void **state)
{
	const char *path;

	(void)state;
	if (geteuid() != 0)
		skip();
	make_dir("sticky", 01777);
	path = put_file("sticky/.a.skypty-01234567", "theirs");
	assert_int_equal(chown(path, NOBODY, NOBODY), 0);
	file_sweep(in_dir("sticky/a"));
	assert_true(is_there(in_dir("sticky/.a.skypty-01234567")));
}

/* --- locks ------------------------------------------------------------ */

static void
expect_child(pid_t pid, int told)
{
	int status;

	assert_true(has_told(told, 10000));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(told);
}

static void
test_lock(void **state)
{
	const char *path = in_dir("locked/a");
	int lock, told;
	pid_t pid;

	(void)state;
	make_dir("locked", 0755);
	assert_true((lock = file_lock(path)) >= 0);
	assert_int_equal(fcntl(lock, F_GETFD), FD_CLOEXEC);
	assert_int_equal(mode_of(in_dir("locked/.a.lock")), 0600);
	pid = lock_in_child(file_lock, path, lock, &told);
	assert_false(has_told(told, 200));
	close(lock);
	expect_child(pid, told);
	/* Whoever waited for one that was removed takes the new one. */
	assert_true((lock = file_lock(path)) >= 0);
	pid = lock_in_child(file_lock, path, lock, &told);
	assert_false(has_told(told, 200));
	assert_int_equal(unlink(in_dir("locked/.a.lock")), 0);
	close(lock);
	expect_child(pid, told);
	assert_true(is_there(in_dir("locked/.a.lock")));
	assert_int_equal(file_lock(in_dir("none/a")), SKY_ERR_SYS);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(file_lock("/"), SKY_ERR_FORMAT);
}

/* Opens and locks what it can as somebody else; its descriptors stay. */
static int
lock_as_nobody(const char *path, int flags, int how)
{
	int fd;

	assert_int_equal(seteuid(NOBODY), 0);
	if ((fd = open(path, flags, 0666)) != -1)
		assert_int_equal(flock(fd, how | LOCK_NB), 0);
	assert_int_equal(seteuid(0), 0);
	return fd;
}

static void
expect_lock(const char *path)
{
	int64_t lock = file_lock(path);

	assert_true(lock >= 0);
	close((int)lock);
}

/* Who may read the file, or make files beside it, cannot keep us away. */
static void
test_lock_of_strangers(void **state)
{
	const char *path, *lock;
	int fd, squat;

	(void)state;
	if (geteuid() != 0)
		skip();
	make_dir("public", 0755);
	path = put_file("public/a", "x");
	assert_int_equal(chmod(path, 0644), 0);
	expect_lock(path);
	assert_true((fd = lock_as_nobody(path, O_RDONLY, LOCK_EX)) != -1);
	lock = in_dir("public/.a.lock");
	assert_int_equal(lock_as_nobody(lock, O_RDONLY, LOCK_EX), -1);
	assert_int_equal(lock_as_nobody(lock, O_WRONLY, LOCK_EX), -1);
	expect_lock(path);
	close(fd);

	make_dir("shared", 01777);
	path = put_file("shared/a", "x");
	lock = in_dir("shared/.a.lock");
	squat = lock_as_nobody(lock, O_RDWR | O_CREAT, LOCK_EX);
	assert_int_not_equal(squat, -1);
	assert_int_equal(chmod(lock, 0666), 0);
	expect_lock(path);
	/* Held twice, it takes longer, and not for ever. */
	assert_int_equal(chmod(path, 0644), 0);
	assert_true((fd = lock_as_nobody(path, O_RDONLY, LOCK_EX)) != -1);
	expect_lock(path);
	close(fd);
	close(squat);
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(mkfifo(lock, 0666), 0);
	expect_lock(path);
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(symlink("b", lock), 0);
	expect_lock(path);
	assert_false(is_there(in_dir("shared/b")));
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(mkdir(lock, 0777), 0);
	expect_lock(path);
}

/* --- folders ---------------------------------------------------------- */

static void
test_folders(void **state)
{
	mode_t mask = umask(022);

	(void)state;
	assert_int_equal(file_make_folders(in_dir("x/y/z"), 0755), 0);
	umask(mask);
	assert_int_equal(mode_of(in_dir("x/y")), 0755);
	assert_false(is_there(in_dir("x/y/z")));
	assert_int_equal(file_make_folders(in_dir("x/y/z"), 0755), 0);
	assert_int_equal(file_make_folders("name", 0755), 0);
	put_file("x/file", "");
	assert_int_equal(file_make_folders(in_dir("x/file/a/b"), 0755), -1);
	assert_int_equal(errno, ENOTDIR);
	/* Why, and not that it is not there. */
	assert_int_equal(mkdir(in_dir("x/kept"), 0555), 0);
	assert_int_equal(chmod(in_dir("x/kept"), 0555), 0);
	assert_true(geteuid() != 0 || seteuid(65534) == 0);
	assert_int_equal(file_make_folders(in_dir("x/kept/a/b"), 0755), -1);
	assert_int_equal(errno, EACCES);
	assert_true(getuid() != 0 || seteuid(0) == 0);
	assert_int_equal(chdir(in_dir("x")), 0);
	assert_int_equal(file_make_folders("p/q/r", 0700), 0);
	assert_int_equal(mode_of(in_dir("x/p/q")), 0700);
	assert_int_equal(chdir("/"), 0);
}

static int
set_up_all(void **state)
{
	if (sodium_init() == -1 || set_up(state) != 0)
		return -1;
	return chmod(test.dir, 0755);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new),
		cmocka_unit_test(test_new_here),
		cmocka_unit_test(test_new_names),
		cmocka_unit_test(test_drop),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_foreign_folder),
		cmocka_unit_test(test_like),
		cmocka_unit_test(test_folder_acl),
		cmocka_unit_test(test_sweep),
		cmocka_unit_test(test_sweep_foreign),
		cmocka_unit_test(test_lock),
		cmocka_unit_test(test_lock_of_strangers),
		cmocka_unit_test(test_folders),
	};

	return cmocka_run_group_tests_name("file", tests, set_up_all,
	    tear_down);
}
