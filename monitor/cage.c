/* SPDX-License-Identifier: ISC */
/*
 * A folder that is an SFTP server's whole world.  The server is a program of
 * its own, with libraries: in an empty folder it could not be executed.  So it
 * starts in a mount namespace of its own that is still the machine's, and says
 * that it serves, to us and before anybody can ask it for anything; then
 * pivot_root(2) makes the folder its root and the rest goes away.
 *
 * What that gives over chroot(2): a folder that is moved out of the tree by
 * somebody else is not a way out of it, devices and programs in the tree are
 * none, and nothing has to lie in it.  A step that fails leaves a server that
 * nobody talks to, and which is killed.
 */
#include "monitor/cage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/process.h"

#define CAGE_MS	     10000 /* for the server to begin, and for each step */
#define GREETING     9	   /* bytes of INIT */
#define VERSION_MAX  65536 /* more than any server says of itself */
#define NAME_LONGEST 255

/* --- the folder --- */

static int
cage_refuse(char *why, size_t len, const char *root, const char *what)
{
	(void)snprintf(why, len, "sftp-root=\"%s\": %s", root, what);
	return -1;
}

static bool
cage_is_safe(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == 0 &&
	    (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* The folder in dir of that name, which is no symbolic link; closes dir. */
static int
cage_step(int dir, const char *name, size_t n)
{
	char text[NAME_LONGEST + 1];
	int fd = -1, error;

	errno = ENAMETOOLONG;
	if (n < sizeof(text)) {
		(void)snprintf(text, sizeof(text), "%.*s", (int)n, name);
		fd = openat(dir, text,
		    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	}
	error = errno;
	close(dir);
	errno = error;
	return fd;
}

/* -1 and errno: EPERM where somebody but root could change what it is. */
static int
cage_open(const char *root)
{
	int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	size_t n;

	while (fd != -1) {
		if (!cage_is_safe(fd)) {
			close(fd);
			errno = EPERM;
			return -1;
		}
		root += strspn(root, "/");
		if ((n = strcspn(root, "/")) == 0)
			break;
		if (strncmp(root, "..", n) == 0) {
			close(fd);
			errno = EINVAL;
			return -1;
		}
		fd = cage_step(fd, root, n);
		root += n;
	}
	return fd;
}

int
cage_begin(struct cage *c, const char *root, bool readonly, char *why,
    size_t len)
{
	int sv[2], fd;

	*c = (struct cage){ .root = root,
		.readonly = readonly,
		.ours = -1,
		.theirs = -1 };
	if (geteuid() != 0)
		return cage_refuse(why, len, root,
		    "skyptyd has to run as root for it");
	if (mount_setattr(-1, "", 0, NULL, 0) == -1 && errno == ENOSYS)
		return cage_refuse(why, len, root,
		    "the kernel is too old for it: Linux 5.12 is needed");
	if (*root != '/')
		return cage_refuse(why, len, root, "no absolute path");
	if ((fd = cage_open(root)) == -1)
		return cage_refuse(why, len, root,
		    errno == EPERM ?
			"bad ownership or modes: it and every folder on the "
			"way must be root's, and nobody else may write to it" :
			strerror(errno));
	close(fd);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1)
		return cage_refuse(why, len, root, strerror(errno));
	c->ours = sv[0];
	c->theirs = sv[1];
	return 0;
}

void
cage_free(struct cage *c)
{
	if (c->ours != -1)
		close(c->ours);
	if (c->theirs != -1)
		close(c->theirs);
	c->ours = c->theirs = -1;
}

/* --- in the new process --- */

/* The folder as a mount of its own, on top of itself; its descriptor. */
static int
cage_mount(const struct cage *c)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_NOSUID |
		    MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
		    (c->readonly ? (uint64_t)MOUNT_ATTR_RDONLY : 0) };
	int dir, tree;

	if (unshare(CLONE_NEWNS) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    (dir = cage_open(c->root)) == -1)
		return -1;
	tree = open_tree(dir, "",
	    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
	if (tree != -1 &&
	    (mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr,
		 sizeof(attr)) == -1 ||
		move_mount(tree, "", dir, "",
		    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) == -1)) {
		close(tree);
		tree = -1;
	}
	close(dir);
	return tree;
}

static bool
cage_is_at(int proc, pid_t pid, const char *what, const struct stat *root)
{
	char name[64];
	struct stat st;

	(void)snprintf(name, sizeof(name), "%ld/%s", (long)pid, what);
	return fstatat(proc, name, &st, 0) == 0 && st.st_dev == root->st_dev &&
	    st.st_ino == root->st_ino;
}

/* Whether the server has nothing but the tree now. */
static bool
cage_shut(int tree, pid_t server)
{
	struct stat root;
	int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return proc != -1 && fstat(tree, &root) == 0 && fchdir(tree) == 0 &&
	    syscall(SYS_pivot_root, ".", ".") == 0 &&
	    umount2(".", MNT_DETACH) == 0 &&
	    cage_is_at(proc, server, "root", &root) &&
	    cage_is_at(proc, server, "cwd", &root);
}

/* Waits for the monitor's word; its end is the server's, or the monitor's. */
__attribute__((noreturn)) static void
cage_keep(const struct cage *c, int tree, pid_t server)
{
	char word = 0;

	while (read(c->theirs, &word, 1) == -1 && errno == EINTR)
		;
	if (word == 'c' && cage_shut(tree, server))
		(void)!write(c->theirs, "c", 1);
	_exit(0);
}

int
cage_build(const struct cage *c)
{
	pid_t server = getpid();
	int tree = cage_mount(c), r;

	if (tree == -1)
		return -1;
	/* The keeper is nobody's child: the server would not reap it. */
	if ((r = process_fork_orphan(NULL, NULL)) == 0) {
		/* The server's input and output are not its. */
		for (int fd = 0; fd < 1024; fd++)
			if (fd != c->theirs && fd != tree)
				close(fd);
		cage_keep(c, tree, server);
	}
	close(tree);
	return r == 1 ? cage_filter() : -1;
}

/*
 * CAP_DAC_READ_SEARCH is none of them: with it files are opened by their number
 * wherever they are (open_by_handle_at(2)).  Nor is CAP_FSETID: what a server
 * of root's writes to would stay set-user-ID.
 */
int
cage_forgo(void)
{
	const uint32_t kept =
	    1U << CAP_CHOWN | 1U << CAP_DAC_OVERRIDE | 1U << CAP_FOWNER;
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3] = { 0 };
	int r;

	if (geteuid() != 0)
		return 0;
	for (int i = 0; (r = prctl(PR_CAPBSET_READ, i, 0, 0, 0)) != -1; i++)
		if (r == 1 && (i >= 32 || (kept & 1U << i) == 0) &&
		    prctl(PR_CAPBSET_DROP, i, 0, 0, 0) == -1)
			return -1;
	if (syscall(SYS_capget, &head, caps) == -1)
		return -1;
	caps[0].permitted &= kept;
	caps[0].effective = caps[0].permitted;
	caps[1].permitted = caps[1].effective = 0;
	caps[0].inheritable = caps[1].inheritable = 0;
	return (int)syscall(SYS_capset, &head, caps);
}

/* --- in the monitor --- */

static bool
cage_wait(int fd, int64_t until)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t left;
	int r = 0;

	do {
		if ((left = until - now_ms()) <= 0)
			return false;
		r = poll(&p, 1, (int)left);
	} while (r == -1 && errno == EINTR);
	return r == 1;
}

/* n bytes, which nobody looks at where to is NULL. */
static bool
cage_read(int fd, uint8_t *to, size_t n, int64_t until)
{
	uint8_t scrap[512];
	ssize_t r;

	for (size_t at = 0; at < n; at += (size_t)r) {
		size_t want = n - at;

		if (to == NULL && want > sizeof(scrap))
			want = sizeof(scrap);
		if (!cage_wait(fd, until))
			return false;
		r = read(fd, to != NULL ? to + at : scrap, want);
		if (r == -1 && (errno == EINTR || errno == EAGAIN))
			r = 0;
		else if (r <= 0)
			return false;
	}
	return true;
}

/*
 * A server that answers has its libraries and has looked up its account.  Its
 * client will say the same to it once more, which servers bear.
 */
static bool
cage_greet(int server, int64_t until)
{
	static const uint8_t init[GREETING] = { 0, 0, 0, 5, 1, 0, 0, 0, 3 };
	uint8_t head[4];
	size_t n;

	if (write(server, init, sizeof(init)) != sizeof(init) ||
	    !cage_read(server, head, sizeof(head), until))
		return false;
	n = (size_t)head[0] << 24 | (size_t)head[1] << 16 |
	    (size_t)head[2] << 8 | head[3];
	return n != 0 && n <= VERSION_MAX && cage_read(server, NULL, n, until);
}

int
cage_close(struct cage *c, int server, char *why, size_t len)
{
	int64_t until = now_ms() + CAGE_MS;
	uint8_t done = 0;

	close(c->theirs);
	c->theirs = -1;
	if (!cage_greet(server, until))
		return cage_refuse(why, len, c->root,
		    "the SFTP server has not begun");
	if (write(c->ours, "c", 1) != 1 ||
	    !cage_read(c->ours, &done, 1, until) || done != 'c')
		return cage_refuse(why, len, c->root,
		    "the server cannot be shut into it (pivot_root)");
	return 0;
}
