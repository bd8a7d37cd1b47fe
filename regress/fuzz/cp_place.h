/* SPDX-License-Identifier: ISC */
/*
 * A folder in which files are copied, emptied for each copy: out/, the current
 * directory meanwhile, with the target t in it; src/, what is uploaded;
 * canary/, which links below the target lead to.  Every file has the same
 * bytes.
 */
#ifndef REGRESS_FUZZ_CP_PLACE_H
#define REGRESS_FUZZ_CP_PLACE_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLACE_BYTES (8U * 1024 * 1024)
#define PLACE_BIG   300000
/* A descriptor of our own as the target; few are open. */
#define PLACE_FD 90

static struct place {
	char root[64], canary[80];
	int out, fixed[2]; /* src and canary */
	int back;	   /* where we were */
	uint64_t sums[2];
	int lowest; /* free descriptor, before a copy */
	uint8_t *bytes;
	struct stat root_stat;
	bool into; /* the target is a folder */
} place;

/* Tells what was not so: a crash's backtrace does not. */
#define place_require(ok) \
	((ok) ? (void)0 : place_fault(__FILE__, __LINE__, #ok))

static inline void
place_fault(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	abort();
}

/* --- bytes --- */

/* None of them is 0, which is what a gap reads as. */
static inline uint8_t
place_byte(uint64_t at)
{
	return (uint8_t)(1 + (at * 31 + (at >> 8) * 7 + (at >> 16)) % 255);
}

static inline void
place_fill(uint8_t *p, uint64_t at, size_t n)
{
	if (at < PLACE_BYTES && n <= PLACE_BYTES - at)
		memcpy(p, place.bytes + at, n);
	else
		for (size_t i = 0; i < n; i++)
			p[i] = place_byte(at + i);
}

static inline bool
place_is(const uint8_t *p, uint64_t at, size_t n)
{
	if (at < PLACE_BYTES && n <= PLACE_BYTES - at)
		return n == 0 || memcmp(p, place.bytes + at, n) == 0;
	for (size_t i = 0; i < n; i++)
		if (p[i] != place_byte(at + i))
			return false;
	return true;
}

static inline void
place_check_file(int fd)
{
	static uint8_t chunk[256 * 1024];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(fd, chunk, sizeof(chunk), at)) > 0) {
		place_require(place_is(chunk, (uint64_t)at, (size_t)n));
		at += n;
	}
	place_require(n == 0);
}

static inline void
place_put(int at, const char *name, size_t n)
{
	int fd = openat(at, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	place_require(fd != -1 && write(fd, place.bytes, n) == (ssize_t)n &&
	    close(fd) == 0);
}

/* --- trees, whose paths may be longer than any call takes --- */

static inline DIR *
place_list(int at, const char *name)
{
	int fd =
	    openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd != -1 ? fdopendir(fd) : NULL;

	place_require(d != NULL);
	return d;
}

static inline struct dirent *
place_next(DIR *d)
{
	struct dirent *e;

	while ((e = readdir(d)) != NULL && e->d_name[0] == '.' &&
	    (e->d_name[1] == '\0' || strcmp(e->d_name, "..") == 0))
		;
	return e;
}

static inline void
place_empty(int at, const char *name)
{
	struct dirent *e;
	DIR *d;

	(void)fchmodat(at, name, 0700, 0);
	d = place_list(at, name);
	while ((e = place_next(d)) != NULL) {
		if (unlinkat(dirfd(d), e->d_name, 0) == 0)
			continue;
		place_empty(dirfd(d), e->d_name);
		place_require(unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR) == 0);
	}
	closedir(d);
}

/* What must not change of a tree: names, types, sizes, times and modes. */
static inline uint64_t
place_sum(int at, const char *name)
{
	DIR *d = place_list(at, name);
	struct dirent *e;
	struct stat st;
	uint64_t sum = 0, one;

	while ((e = place_next(d)) != NULL) {
		place_require(fstatat(dirfd(d), e->d_name, &st,
				  AT_SYMLINK_NOFOLLOW) == 0);
		one = st.st_mode;
		for (const char *p = e->d_name; *p != '\0'; p++)
			one = one * 1000003 + (uint8_t)*p;
		one = one * 1000003 + st.st_ino;
		one = one * 1000003 + (uint64_t)st.st_size;
		one = one * 1000003 + (uint64_t)st.st_ctim.tv_sec;
		one = one * 1000003 + (uint64_t)st.st_ctim.tv_nsec;
		if (S_ISDIR(st.st_mode))
			one += place_sum(dirfd(d), e->d_name);
		sum += one * one;
	}
	closedir(d);
	return sum;
}

/* Files have their bytes; copies make nothing but files and directories. */
static inline void
place_check_tree(int at, const char *name)
{
	DIR *d = place_list(at, name);
	struct dirent *e;
	struct stat st;
	int fd;

	while ((e = place_next(d)) != NULL) {
		place_require(fstatat(dirfd(d), e->d_name, &st,
				  AT_SYMLINK_NOFOLLOW) == 0);
		if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
			(void)fchmodat(dirfd(d), e->d_name, 0700, 0);
		if (S_ISDIR(st.st_mode))
			place_check_tree(dirfd(d), e->d_name);
		if (!S_ISREG(st.st_mode))
			continue;
		fd = openat(dirfd(d), e->d_name, O_RDONLY | O_CLOEXEC);
		place_require(fd != -1);
		place_check_file(fd);
		close(fd);
	}
	closedir(d);
}

/* --- the place --- */

static inline int
place_folder(int at, const char *name)
{
	int fd;

	place_require(mkdirat(at, name, 0755) == 0);
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	place_require(fd != -1);
	return fd;
}

static inline void
place_remove(void)
{
	place_require(chdir("/") == 0);
	place_empty(AT_FDCWD, place.root);
	rmdir(place.root);
}

static inline void
place_link(const char *to, int at, const char *name)
{
	place_require(symlinkat(to, at, name) == 0);
}

static inline void
place_make(void)
{
	const char *in = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	int src, canary, d, root;

	place.bytes = malloc(PLACE_BYTES);
	place_require(place.bytes != NULL);
	for (uint64_t i = 0; i < PLACE_BYTES; i++)
		place.bytes[i] = place_byte(i);
	snprintf(place.root, sizeof(place.root), "%s/fuzz_cp.XXXXXX", in);
	place_require(mkdtemp(place.root) != NULL);
	snprintf(place.canary, sizeof(place.canary), "%s/canary/f", place.root);
	atexit(place_remove);
	root = open(place.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	place.out = place_folder(root, "out");
	place.fixed[0] = src = place_folder(root, "src");
	place_put(src, "big", PLACE_BIG);
	place_put(src, "empty", 0);
	place_put(src, "five", 5);
	d = place_folder(src, "d");
	place_put(d, "full", 131072);
	close(place_folder(d, "e"));
	place_link("..", d, "up");
	place_link("../five", d, "link");
	place_link("nothing", d, "lost");
	place_require(mkfifoat(d, "pipe", 0644) == 0);
	close(d);
	place.fixed[1] = canary = place_folder(root, "canary");
	place_put(canary, "f", 9);
	d = place_folder(canary, "d");
	place_put(d, "f1", 9);
	close(d);
	place_require(fstat(root, &place.root_stat) == 0);
	close(root);
	for (int i = 0; i < 2; i++)
		place.sums[i] = place_sum(place.fixed[i], ".");
	place.back = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	place_require(place.back != -1);
}

static inline void
place_enter(void)
{
	place_require((place.lowest = dup(place.out)) != -1);
	close(place.lowest);
	place_require(fchdir(place.out) == 0);
}

static inline void
place_leave(void)
{
	int fd = dup(place.out);

	place_require(fd == place.lowest);
	close(fd);
	place_require(fchdir(place.back) == 0);
}

/* What could lead out, at names that the host may choose. */
static inline void
place_trap(int at, const char *up)
{
	char to[64];

	snprintf(to, sizeof(to), "%scanary/f", up);
	place_link(to, at, "f1");
	snprintf(to, sizeof(to), "%scanary/new", up);
	place_link(to, at, "f2");
	snprintf(to, sizeof(to), "%scanary/d", up);
	place_link(to, at, "d1");
	place_require(mkfifoat(at, "l1", 0644) == 0);
}

/* Begins anew, with what is there before: the name of the target. */
static inline const char *
place_prepare(uint8_t before, bool chosen)
{
	int t, d, fd;

	place_empty(place.out, ".");
	place.into = false;
	if (before % 8 == 0)
		return "t";
	if (before % 8 == 1) {
		place_put(place.out, "t", before * 1000U);
		return "t";
	}
	if (before % 8 == 2) {
		place_put(place.out, "real", before * 1000U);
		place_link("real", place.out, "t");
		return "t";
	}
	if (before % 8 == 3) {
		fd = memfd_create("stream", MFD_CLOEXEC);
		place_require(fd != -1 && dup2(fd, PLACE_FD) != -1);
		close(fd);
		return "/dev/fd/90";
	}
	place.into = true;
	t = place_folder(place.out, "t");
	if (before & 64)
		d = place_folder(t, "d1");
	else
		d = place_folder(t, before & 32 ? "bob" : "x");
	if (chosen && !(before & 64))
		place_trap(t, "../../");
	else if (before & 8)
		place_put(t, "f1", before * 1000U);
	if (before & 16)
		place_trap(d, "../../../");
	else
		place_put(d, "f1", before * 1000U);
	close(d);
	close(t);
	return "t";
}

static inline bool
place_may_be(const char *name, const char *const called[2])
{
	/* These were there before. */
	static const char *const ours[] = { "d1", "bob", "x", "f1", "f2",
		"l1" };

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (strcmp(name, ours[i]) == 0)
			return true;
	for (size_t i = 0; i < 2 && called[i] != NULL; i++)
		if (strcmp(called[i], name) == 0 ||
		    fnmatch(called[i], name, FNM_PERIOD) == 0)
			return true;
	return false;
}

static inline void
place_check_names(int at, const char *name, const char *const called[2])
{
	DIR *d = place_list(at, name);
	struct dirent *e;

	while ((e = place_next(d)) != NULL)
		place_require(place_may_be(e->d_name, called));
	closedir(d);
}

/* Of an upload nothing is called anything here. */
static inline void
place_check(const char *const called[2])
{
	static const char *const here[2] = { "t", "real" };
	struct stat st;

	for (int i = 0; i < 2; i++)
		place_require(place_sum(place.fixed[i], ".") == place.sums[i]);
	place_require(stat(place.root, &st) == 0 &&
	    st.st_mtim.tv_nsec == place.root_stat.st_mtim.tv_nsec &&
	    st.st_mtim.tv_sec == place.root_stat.st_mtim.tv_sec &&
	    st.st_mode == place.root_stat.st_mode);
	if (fcntl(PLACE_FD, F_GETFD) != -1) {
		place_check_file(PLACE_FD);
		close(PLACE_FD);
	}
	if (called == NULL)
		return;
	place_check_names(place.out, ".", here);
	if (place.into && called[0] != NULL) {
		place_require(fchmodat(place.out, "t", 0700, 0) == 0);
		place_check_names(place.out, "t", called);
	}
	place_check_tree(place.out, ".");
}

#endif
