/* SPDX-License-Identifier: ISC */
/*
 * cage_filter: no call gives a file the set-user-ID or set-group-ID bit, by
 * whatever name it goes; everything else about modes stays as it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "monitor/cage.h"

#define CALL_FCHMODAT2 452
#define CALL_OPENAT2   437

static char dir[] = "/tmp/test_mon_cage.XXXXXX";

/* The file's mode where a call has been let through, or minus its errno. */
static int
mode_of(long r, const char *name)
{
	struct stat st;

	if (r == -1)
		return -errno;
	if (r > 2)
		close((int)r);
	return stat(name, &st) == 0 ? (int)(st.st_mode & 07777) : -errno;
}

static int
change(int how, mode_t mode)
{
	int fd;
	long r = -1;

	switch (how) {
	case 0:
#ifdef SYS_chmod
		r = syscall(SYS_chmod, "file", mode);
		break;
#else
		/* FALLTHROUGH */
#endif
	case 1:
		r = syscall(SYS_fchmodat, AT_FDCWD, "file", mode);
		break;
	case 2:
		if ((fd = open("file", O_RDONLY)) == -1)
			return -errno;
		r = syscall(SYS_fchmod, fd, mode);
		close(fd);
		break;
	default:
		r = syscall(CALL_FCHMODAT2, AT_FDCWD, "file", mode, 0);
		break;
	}
	return mode_of(r, "file");
}

static int
make(int how, mode_t mode)
{
	struct {
		uint64_t flags, mode, resolve;
	} in_memory = { O_CREAT | O_WRONLY, mode, 0 };
	long r = -1;

	(void)unlink("new");
	switch (how) {
	case 0:
#ifdef SYS_open
		r = syscall(SYS_open, "new", O_CREAT | O_WRONLY, mode);
		break;
#else
		/* FALLTHROUGH */
#endif
	case 1:
		r = syscall(SYS_openat, AT_FDCWD, "new", O_CREAT | O_WRONLY,
		    mode);
		break;
	case 2:
#ifdef SYS_creat
		r = syscall(SYS_creat, "new", mode);
		break;
#else
		/* FALLTHROUGH */
#endif
	case 3:
		r = syscall(SYS_mknodat, AT_FDCWD, "new", S_IFREG | mode, 0);
		break;
	default:
		r = syscall(CALL_OPENAT2, AT_FDCWD, "new", &in_memory,
		    sizeof(in_memory));
		break;
	}
	return mode_of(r, "new");
}

/* In a process of its own, which has the filter; its status is what failed. */
static int
try(int (*what)(int, mode_t), int how, mode_t mode, bool caged)
{
	int status, r;
	pid_t pid;

	if ((pid = fork()) == 0) {
		umask(0);
		if (caged &&
		    (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
			cage_filter() == -1))
			_exit(200);
		r = what(how, mode);
		_exit(r == (int)mode ? 0 : r < 0 ? -r : 201);
	}
	assert_int_not_equal(pid, -1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
test_changed(void **state)
{
	static const mode_t bits[] = { 04755, 02755, 06777, 04000 };

	(void)state;
	for (int how = 0; how < 4; how++) {
		/* A kernel without the call needs no rule for it. */
		if (try(change, how, 0644, false) == ENOSYS)
			continue;
		assert_int_equal(try(change, how, 0640, true), 0);
		assert_int_equal(try(change, how, 01777, true), 0);
		for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
			assert_int_equal(try(change, how, bits[i], true),
			    EPERM);
			assert_int_equal(try(change, how, bits[i], false), 0);
		}
	}
}

static void
test_made(void **state)
{
	(void)state;
	for (int how = 0; how < 4; how++) {
		assert_int_equal(try(make, how, 0640, true), 0);
		assert_int_equal(try(make, how, 04755, true), EPERM);
		assert_int_equal(try(make, how, 02755, true), EPERM);
		assert_int_equal(try(make, how, 04755, false), 0);
	}
	/* Its mode is where no filter looks. */
	assert_int_equal(try(make, 4, 04755, true), ENOSYS);
}

static int
unnamed(int how, mode_t mode)
{
	int fd = open(".", O_TMPFILE | O_WRONLY, mode);
	struct stat st;

	(void)how;
	if (fd == -1 || fstat(fd, &st) == -1)
		return -errno;
	close(fd);
	return (int)(st.st_mode & 07777);
}

/* A mode that is not looked at is none: libc leaves there what it likes. */
static int
opened(int how, mode_t mode)
{
	long r = syscall(SYS_openat, AT_FDCWD, "file", O_RDONLY | how,
	    (mode_t)04755);

	return r == -1 ? -errno : (int)mode;
}

static void
test_opened(void **state)
{
	(void)state;
	assert_int_equal(try(opened, 0, 0, true), 0);
	assert_int_equal(try(opened, O_DIRECTORY, 0, true), ENOTDIR);
	if (try(unnamed, 0, 0600, false) != 0)
		return; /* not on this file system */
	assert_int_equal(try(unnamed, 0, 0600, true), 0);
	assert_int_equal(try(unnamed, 0, 04755, true), EPERM);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_made),
		cmocka_unit_test(test_opened),
	};
	int failed, fd;

	if (mkdtemp(dir) == NULL || chdir(dir) == -1 ||
	    (fd = open("file", O_CREAT | O_WRONLY, 0644)) == -1)
		return 1;
	close(fd);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink("file");
	(void)unlink("new");
	(void)rmdir(dir);
	return failed;
}
