/* SPDX-License-Identifier: ISC */
/* control: where the control socket is, and who may be there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/base/paths.h"
#include "common/privsep/control.h"
#include "conf_util.h"

#define NOBODY 65534

/* As nobody where we are root: root's place is another one. */
static int
set_up_user(void **state)
{
	if (set_up(state) != 0)
		return -1;
	return geteuid() != 0 ?
	    0 :
	    chown(test.dir, NOBODY, NOBODY) | seteuid(NOBODY);
}

static int
tear_down_user(void **state)
{
	if (getuid() == 0 && seteuid(0) == -1)
		return -1;
	return tear_down(state);
}

static const char *
place(const char *folder)
{
	static char path[CONTROL_PATH_MAX];

	assert_int_equal(setenv("XDG_RUNTIME_DIR", folder, 1), 0);
	control_default(path);
	return path;
}

/* Not one of the environment's. */
static void
refuse(const char *folder)
{
	const char *path = place(folder);

	if (strcmp(path, "/tmp/pty.sock") != 0)
		assert_memory_equal(path, "/run/user/", strlen("/run/user/"));
}

static void
test_user(void **state)
{
	char want[CONTROL_PATH_MAX], longest[2 * CONTROL_PATH_MAX];
	struct stat st;

	(void)state;
	snprintf(want, sizeof(want), "%s/skyptyd/pty.sock", test.dir);
	assert_string_equal(place(test.dir), want);
	assert_int_equal(control_make_folder("/none/skyptyd/pty.sock"), 0);
	assert_int_equal(stat(in_dir("skyptyd"), &st), -1);
	assert_int_equal(control_make_folder(want), 0);
	assert_int_equal(stat(in_dir("skyptyd"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(control_make_folder(want), 0);
	refuse("");
	refuse("relative");
	refuse("/");
	refuse(in_dir("none"));
	refuse(put_file("file", ""));
	assert_int_equal(mkdir(in_dir("open"), 0700), 0);
	for (mode_t bad = 02; bad <= 020; bad <<= 3) {
		assert_int_equal(chmod(in_dir("open"), 0700 | bad), 0);
		refuse(in_dir("open"));
	}
	/* Longer than an address. */
	memset(longest, '/', sizeof(longest));
	memcpy(longest, test.dir, strlen(test.dir));
	longest[CONTROL_PATH_MAX - sizeof("/skyptyd/pty.sock")] = '\0';
	place(longest);
	assert_int_equal(strlen(place(longest)), CONTROL_PATH_MAX - 1);
	longest[CONTROL_PATH_MAX - sizeof("/skyptyd/pty.sock")] = '/';
	longest[CONTROL_PATH_MAX - sizeof("/skyptyd/pty.sock") + 1] = '\0';
	assert_string_equal(place(longest), "/tmp/pty.sock");
}

static int
listen_at(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) <
	    sizeof(sun.sun_path));
	(void)unlink(path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

/* Ours is found; another user's is not spoken with. */
static void
test_connect(void **state)
{
	char found[CONTROL_PATH_MAX], own[CONTROL_PATH_MAX];
	int fd, listener;

	(void)state;
	if (access(SYSTEM_SOCKET, F_OK) == 0 ||
	    access("/tmp/pty.sock", F_OK) == 0)
		skip();
	strcpy(own, place(test.dir));
	(void)control_make_folder(own);
	assert_int_equal(control_connect(0, found), -1);
	assert_int_equal(errno, ENOENT);
	assert_string_equal(found, own);
	listener = listen_at(own);
	assert_true((fd = control_connect(SOCK_NONBLOCK, found)) >= 0);
	assert_string_equal(found, own);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	close(listener);
	assert_int_equal(control_connect(0, found), -1);
	assert_int_equal(errno, ECONNREFUSED);
	if (getuid() != 0)
		return;
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(chown(own, 1234, 1234), 0);
	assert_int_equal(seteuid(NOBODY), 0);
	assert_int_equal(control_connect(0, found), -1);
	assert_int_equal(errno, EPERM);
	assert_string_equal(found, own);
}

static void
test_root(void **state)
{
	char path[CONTROL_PATH_MAX];

	(void)state;
	if (getuid() != 0)
		skip();
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(setenv("XDG_RUNTIME_DIR", test.dir, 1), 0);
	control_default(path);
	assert_string_equal(path, SYSTEM_SOCKET);
	assert_int_equal(seteuid(NOBODY), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_connect),
		cmocka_unit_test(test_root),
	};

	return cmocka_run_group_tests_name("control", tests, set_up_user,
	    tear_down_user);
}
