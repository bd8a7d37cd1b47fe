/* SPDX-License-Identifier: ISC */
/* Files that change as a whole or not at all, and locks for it. */
#include "common/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "common/base/err.h"

#define LOCK_WAIT_MS  10000
#define LOCK_PAUSE_MS 20
/* ".NAME.skypty-1234abcd"; so much of a long name is kept. */
#define TEMP_NAME   200
#define TEMP_MARK   ".skypty-"
#define TEMP_DIGITS 8
#define ATTR_MAX    65536 /* the kernel's own limit, of a list and of a value */
#define ATTR_ACL    "system.posix_acl_access"

/* --- names --- */

/* The folder, opened, and the name in it. */
static int
file_split(const char *path, int *dir, char name[NAME_MAX + 1])
{
	const char *slash = strrchr(path, '/');
	const char *base = slash != NULL ? slash + 1 : path;
	char *folder;

	if (*base == '\0' || strcmp(base, ".") == 0 || strcmp(base, "..") == 0)
		return SKY_ERR_FORMAT;
	if (strlen(base) > NAME_MAX) {
		errno = ENAMETOOLONG;
		return SKY_ERR_SYS;
	}
	strcpy(name, base);
	if (slash == NULL)
		folder = strdup(".");
	else
		folder = strndup(path, (size_t)(slash - path) + 1);
	if (folder == NULL)
		return SKY_ERR_SYS;
	*dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	return *dir != -1 ? 0 : SKY_ERR_SYS;
}

static void
file_temp_name(struct file_new *f)
{
	snprintf(f->temp, sizeof(f->temp), ".%.*s" TEMP_MARK "%0*x", TEMP_NAME,
	    f->name, TEMP_DIGITS, (unsigned)randombytes_random());
}

static bool
file_is_temp(const char *entry, const char *name)
{
	char prefix[TEMP_NAME + 16];
	size_t n;

	n = (size_t)snprintf(prefix, sizeof(prefix), ".%.*s" TEMP_MARK,
	    TEMP_NAME, name);
	return strncmp(entry, prefix, n) == 0 &&
	    strspn(entry + n, "0123456789abcdef") == TEMP_DIGITS &&
	    entry[n + TEMP_DIGITS] == '\0';
}

/* --- a new file --- */

static void
file_fd_path(int fd, char path[64])
{
	snprintf(path, 64, "/proc/self/fd/%d", fd);
}

/* Without a name as long as possible: a process that is killed leaves none. */
static int
file_create(struct file_new *f)
{
	char path[64];

	f->fd = openat(f->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (f->fd != -1) {
		file_fd_path(f->fd, path);
		if (access(path, F_OK) == 0)
			return 0;
		close(f->fd);
	}
	do {
		file_temp_name(f);
		f->fd = openat(f->dir, f->temp,
		    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	} while (f->fd == -1 && errno == EEXIST);
	if (f->fd != -1)
		return 0;
	*f->temp = '\0';
	return SKY_ERR_SYS;
}

int
file_new_open(struct file_new *f, const char *path)
{
	struct stat st;
	int r;

	*f = (struct file_new){ .dir = -1, .fd = -1 };
	if ((r = file_split(path, &f->dir, f->name)) != 0)
		return r;
	if (fstat(f->dir, &st) == -1)
		r = SKY_ERR_SYS;
	else if (st.st_uid != 0 && st.st_uid != geteuid())
		r = SKY_ERR_DENIED;
	else
		r = file_create(f);
	/* Whatever the umask, and whatever list the folder hands down. */
	if (r == 0) {
		(void)fremovexattr(f->fd, ATTR_ACL);
		r = fchmod(f->fd, 0600) == 0 ? 0 : SKY_ERR_SYS;
	}
	if (r != 0)
		file_new_drop(f);
	return r;
}

/* Of the content that was, not of the one that will be. */
static bool
file_attr_is_sum(const char *attr)
{
	return strcmp(attr, "security.ima") == 0 ||
	    strcmp(attr, "security.evm") == 0;
}

/* Labels are the system's to give; the rest is kept, or told. */
static int
file_copy_attr(int to, int from, const char *attr, void *value)
{
	ssize_t n;

	if (file_attr_is_sum(attr))
		return 0;
	if ((n = fgetxattr(from, attr, value, ATTR_MAX)) == -1 ||
	    fsetxattr(to, attr, value, (size_t)n, 0) == -1)
		return strncmp(attr, "security.", 9) == 0 ||
			strncmp(attr, "trusted.", 8) == 0 ?
		    0 :
		    SKY_ERR_SYS;
	return 0;
}

static int
file_copy_attrs(int to, int from)
{
	char *list = malloc(ATTR_MAX), *value = malloc(ATTR_MAX);
	ssize_t n = -1;
	int r = SKY_ERR_SYS;

	if (list != NULL && value != NULL) {
		n = flistxattr(from, list, ATTR_MAX);
		r = n != -1 || errno == ENOTSUP ? 0 : SKY_ERR_SYS;
	}
	for (const char *a = list; r == 0 && n > 0 && a < list + n;
	     a += strlen(a) + 1)
		r = file_copy_attr(to, from, a, value);
	free(list);
	free(value);
	return r;
}

/*
 * Owner first: changing it may take mode bits away.  The list last: it decides
 * what the mode's middle bits mean.
 */
int
file_new_like(struct file_new *f, int old)
{
	struct stat st;

	if (fstat(old, &st) == -1 || fchown(f->fd, st.st_uid, st.st_gid) == -1)
		return SKY_ERR_SYS;
	if (fchmod(f->fd, st.st_mode & 07777) == -1)
		return SKY_ERR_SYS;
	return file_copy_attrs(f->fd, old);
}

/* Where a file system can neither of both, the other name goes at once. */
static int
file_name_once(struct file_new *f)
{
	if (renameat2(f->dir, f->temp, f->dir, f->name, RENAME_NOREPLACE) == 0)
		return 0;
	if ((errno != EINVAL && errno != ENOSYS) ||
	    linkat(f->dir, f->temp, f->dir, f->name, 0) == -1)
		return -1;
	return unlinkat(f->dir, f->temp, 0);
}

static int
file_name(struct file_new *f, bool replace)
{
	bool nameless = *f->temp == '\0';
	const char *target = f->name;
	char path[64];

	if (nameless && replace) {
		file_temp_name(f);
		target = f->temp;
	}
	if (nameless) {
		file_fd_path(f->fd, path);
		if (linkat(AT_FDCWD, path, f->dir, target, AT_SYMLINK_FOLLOW) ==
		    -1) {
			*f->temp = '\0'; /* somebody else's, if there is one */
			return -1;
		}
	}
	if (replace)
		return renameat(f->dir, f->temp, f->dir, f->name);
	return nameless ? 0 : file_name_once(f);
}

static void
file_new_close(struct file_new *f)
{
	if (f->fd != -1)
		close(f->fd);
	if (f->dir != -1)
		close(f->dir);
	f->fd = f->dir = -1;
}

int
file_new_commit(struct file_new *f, bool replace)
{
	if (fsync(f->fd) == -1 || file_name(f, replace) == -1) {
		file_new_drop(f);
		return SKY_ERR_SYS;
	}
	/* It is there whatever becomes of this. */
	(void)fsync(f->dir);
	file_new_close(f);
	return 0;
}

void
file_new_drop(struct file_new *f)
{
	int error = errno;

	if (*f->temp != '\0')
		(void)unlinkat(f->dir, f->temp, 0);
	file_new_close(f);
	errno = error;
}

/* --- what was left --- */

/* In a folder like /tmp anybody can make such a name. */
static bool
file_is_left(int dir, const char *entry)
{
	struct stat st;

	return fstatat(dir, entry, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode) && st.st_uid == geteuid();
}

static size_t
file_count_left(const char *path, bool sweep)
{
	char name[NAME_MAX + 1];
	struct dirent *e;
	size_t n = 0;
	DIR *d;
	int dir;

	if (file_split(path, &dir, name) != 0)
		return 0;
	if ((d = fdopendir(dir)) == NULL) {
		close(dir);
		return 0;
	}
	while ((e = readdir(d)) != NULL)
		if (file_is_temp(e->d_name, name) &&
		    file_is_left(dir, e->d_name)) {
			n++;
			if (sweep)
				(void)unlinkat(dir, e->d_name, 0);
		}
	closedir(d);
	return n;
}

void
file_sweep(const char *path)
{
	(void)file_count_left(path, true);
}

bool
file_left(const char *path)
{
	return file_count_left(path, false) != 0;
}

/* --- the lock --- */

/* Nobody else can have opened it, nor put it there. */
static bool
file_lock_is_ours(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_uid == geteuid() && st.st_nlink == 1 &&
	    (st.st_mode & 077) == 0;
}

/*
 * In a folder like /tmp somebody else may have taken the name.  The file itself
 * is second best, and as good if only its owner can read it.
 */
static int
file_lock_open(int dir, const char *lock, const char *name, const char **which)
{
	const int flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	int fd = openat(dir, lock, O_RDWR | O_CREAT | flags, 0600);

	*which = lock;
	if (fd != -1 && file_lock_is_ours(fd))
		return fd;
	if (fd == -1 && errno != EACCES && errno != ELOOP && errno != ENXIO &&
	    errno != EISDIR)
		return -1;
	if (fd != -1)
		close(fd);
	*which = name;
	return openat(dir, name, O_RDONLY | flags);
}

static int
file_lock_wait(int fd)
{
	struct timespec pause = { .tv_nsec = LOCK_PAUSE_MS * 1000000L };

	for (int i = 0; i < LOCK_WAIT_MS / LOCK_PAUSE_MS; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return SKY_ERR_SYS;
		nanosleep(&pause, NULL);
	}
	return SKY_ERR_AGAIN;
}

/* Whether the name still means the file that is open. */
static bool
file_is_current(int fd, int dir, const char *name)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 &&
	    fstatat(dir, name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static int
file_lock_at(int dir, const char *lock, const char *name)
{
	const char *which;
	int fd, r;

	for (;;) {
		if ((fd = file_lock_open(dir, lock, name, &which)) == -1)
			return SKY_ERR_SYS;
		r = file_lock_wait(fd);
		/* Who can hold this one for ever is not waited for so long. */
		if (r == SKY_ERR_AGAIN && which == name)
			return fd;
		if (r != 0) {
			close(fd);
			return r;
		}
		if (file_is_current(fd, dir, which))
			return fd;
		close(fd);
	}
}

int
file_lock(const char *path)
{
	char name[NAME_MAX + 1], lock[NAME_MAX + 1];
	int dir, error, r;

	if ((r = file_split(path, &dir, name)) != 0)
		return r;
	snprintf(lock, sizeof(lock), ".%.*s.lock", TEMP_NAME, name);
	r = file_lock_at(dir, lock, name);
	error = errno;
	close(dir);
	errno = error;
	return r;
}

/* --- folders --- */

int
file_make_folders(const char *path, mode_t mode)
{
	char *copy = strdup(path), *slash;
	int r = 0, why = 0;

	if (copy == NULL)
		return -1;
	for (slash = strchr(copy, '/'); slash != NULL && r == 0;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (*copy != '\0' && mkdir(copy, mode) == -1 &&
		    (why = errno) != EEXIST && access(copy, F_OK) == -1)
			r = -1;
		*slash = '/';
	}
	free(copy);
	if (r == -1)
		errno = why;
	return r;
}

bool
file_is_stdout(const char *path)
{
	struct stat st, out;

	return stat(path, &st) == 0 && fstat(STDOUT_FILENO, &out) == 0 &&
	    S_ISREG(out.st_mode) && st.st_dev == out.st_dev &&
	    st.st_ino == out.st_ino;
}
