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

static struct cp_place {
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
#define cp_place_require(ok) \
	((ok) ? (void)0 : cp_place_fault(__FILE__, __LINE__, #ok))

static inline void
cp_place_fault(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	abort();
}

/* --- bytes --- */

/* None of them is 0, which is what a gap reads as. */
static inline uint8_t
cp_place_byte(uint64_t at)
{
	return (uint8_t)(1 + (at * 31 + (at >> 8) * 7 + (at >> 16)) % 255);
}

static inline void
cp_place_fill(uint8_t *p, uint64_t at, size_t n)
{
	if (at < PLACE_BYTES && n <= PLACE_BYTES - at)
		memcpy(p, place.bytes + at, n);
	else
		for (size_t i = 0; i < n; i++)
			p[i] = cp_place_byte(at + i);
}

static inline bool
cp_place_is(const uint8_t *p, uint64_t at, size_t n)
{
	if (at < PLACE_BYTES && n <= PLACE_BYTES - at)
		return n == 0 || memcmp(p, place.bytes + at, n) == 0;
	for (size_t i = 0; i < n; i++)
		if (p[i] != cp_place_byte(at + i))
			return false;
	return true;
}

static inline void
cp_place_check_file(int fd)
{
	static uint8_t chunk[256 * 1024];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(fd, chunk, sizeof(chunk), at)) > 0) {
		cp_place_require(cp_place_is(chunk, (uint64_t)at, (size_t)n));
		at += n;
	}
	cp_place_require(n == 0);
}

static inline void
cp_place_put(int at, const char *name, size_t n)
{
	int fd = openat(at, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	cp_place_require(fd != -1 && write(fd, place.bytes, n) == (ssize_t)n &&
	    close(fd) == 0);
}

/* --- trees, whose paths may be longer than any call takes --- */

static inline DIR *
cp_place_list(int at, const char *name)
{
	int fd =
	    openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd != -1 ? fdopendir(fd) : NULL;

	cp_place_require(d != NULL);
	return d;
}

static inline struct dirent *
cp_place_next(DIR *d)
{
	struct dirent *e;

	while ((e = readdir(d)) != NULL && e->d_name[0] == '.' &&
	    (e->d_name[1] == '\0' || strcmp(e->d_name, "..") == 0))
		;
	return e;
}

static inline void
cp_place_empty(int at, const char *name)
{
	struct dirent *e;
	DIR *d;

	(void)fchmodat(at, name, 0700, 0);
	d = cp_place_list(at, name);
	while ((e = cp_place_next(d)) != NULL) {
		if (unlinkat(dirfd(d), e->d_name, 0) == 0)
			continue;
		cp_place_empty(dirfd(d), e->d_name);
		cp_place_require(
		    unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR) == 0);
	}
	closedir(d);
}

/* What must not change of a tree: names, types, sizes, times and modes. */
static inline uint64_t
cp_place_sum(int at, const char *name)
{
	DIR *d = cp_place_list(at, name);
	struct dirent *e;
	struct stat st;
	uint64_t sum = 0, one;

	while ((e = cp_place_next(d)) != NULL) {
		cp_place_require(fstatat(dirfd(d), e->d_name, &st,
				     AT_SYMLINK_NOFOLLOW) == 0);
		one = st.st_mode;
		for (const char *p = e->d_name; *p != '\0'; p++)
			one = one * 1000003 + (uint8_t)*p;
		one = one * 1000003 + st.st_ino;
		one = one * 1000003 + (uint64_t)st.st_size;
		one = one * 1000003 + (uint64_t)st.st_ctim.tv_sec;
		one = one * 1000003 + (uint64_t)st.st_ctim.tv_nsec;
		if (S_ISDIR(st.st_mode))
			one += cp_place_sum(dirfd(d), e->d_name);
		sum += one * one;
	}
	closedir(d);
	return sum;
}

/* Files have their bytes; copies make nothing but files and directories. */
static inline void
cp_place_check_tree(int at, const char *name)
{
	DIR *d = cp_place_list(at, name);
	struct dirent *e;
	struct stat st;
	int fd;

	while ((e = cp_place_next(d)) != NULL) {
		cp_place_require(fstatat(dirfd(d), e->d_name, &st,
				     AT_SYMLINK_NOFOLLOW) == 0);
		if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
			(void)fchmodat(dirfd(d), e->d_name, 0700, 0);
		if (S_ISDIR(st.st_mode))
			cp_place_check_tree(dirfd(d), e->d_name);
		if (!S_ISREG(st.st_mode))
			continue;
		fd = openat(dirfd(d), e->d_name, O_RDONLY | O_CLOEXEC);
		cp_place_require(fd != -1);
		cp_place_check_file(fd);
		close(fd);
	}
	closedir(d);
}

/* --- the place --- */

static inline int
cp_place_folder(int at, const char *name)
{
	int fd;

	cp_place_require(mkdirat(at, name, 0755) == 0);
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cp_place_require(fd != -1);
	return fd;
}

static inline void
cp_place_remove(void)
{
	cp_place_require(chdir("/") == 0);
	cp_place_empty(AT_FDCWD, place.root);
	rmdir(place.root);
}

static inline void
cp_place_link(const char *to, int at, const char *name)
{
	cp_place_require(symlinkat(to, at, name) == 0);
}

static inline void
cp_place_make(void)
{
	const char *in = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	int src, canary, d, root;

	place.bytes = malloc(PLACE_BYTES);
	cp_place_require(place.bytes != NULL);
	for (uint64_t i = 0; i < PLACE_BYTES; i++)
		place.bytes[i] = cp_place_byte(i);
	snprintf(place.root, sizeof(place.root), "%s/fuzz_cp.XXXXXX", in);
	cp_place_require(mkdtemp(place.root) != NULL);
	snprintf(place.canary, sizeof(place.canary), "%s/canary/f", place.root);
	atexit(cp_place_remove);
	root = open(place.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	place.out = cp_place_folder(root, "out");
	place.fixed[0] = src = cp_place_folder(root, "src");
	cp_place_put(src, "big", PLACE_BIG);
	cp_place_put(src, "empty", 0);
	cp_place_put(src, "five", 5);
	d = cp_place_folder(src, "d");
	cp_place_put(d, "full", 131072);
	close(cp_place_folder(d, "e"));
	cp_place_link("..", d, "up");
	cp_place_link("../five", d, "link");
	cp_place_link("nothing", d, "lost");
	cp_place_require(mkfifoat(d, "pipe", 0644) == 0);
	close(d);
	place.fixed[1] = canary = cp_place_folder(root, "canary");
	cp_place_put(canary, "f", 9);
	d = cp_place_folder(canary, "d");
	cp_place_put(d, "f1", 9);
	close(d);
	cp_place_require(fstat(root, &place.root_stat) == 0);
	close(root);
	for (int i = 0; i < 2; i++)
		place.sums[i] = cp_place_sum(place.fixed[i], ".");
	place.back = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cp_place_require(place.back != -1);
}

static inline void
cp_place_enter(void)
{
	cp_place_require((place.lowest = dup(place.out)) != -1);
	close(place.lowest);
	cp_place_require(fchdir(place.out) == 0);
}

static inline void
cp_place_leave(void)
{
	int fd = dup(place.out);

	cp_place_require(fd == place.lowest);
	close(fd);
	cp_place_require(fchdir(place.back) == 0);
}

/* What could lead out, at names that the host may choose. */
static inline void
cp_place_trap(int at, const char *up)
{
	char to[64];

	snprintf(to, sizeof(to), "%scanary/f", up);
	cp_place_link(to, at, "f1");
	snprintf(to, sizeof(to), "%scanary/new", up);
	cp_place_link(to, at, "f2");
	snprintf(to, sizeof(to), "%scanary/d", up);
	cp_place_link(to, at, "d1");
	cp_place_require(mkfifoat(at, "l1", 0644) == 0);
}

/* Begins anew, with what is there before: the name of the target. */
static inline const char *
cp_place_prepare(uint8_t before, bool chosen)
{
	int t, d, fd;

	cp_place_empty(place.out, ".");
	place.into = false;
	if (before % 8 == 0)
		return "t";
	if (before % 8 == 1) {
		cp_place_put(place.out, "t", before * 1000U);
		return "t";
	}
	if (before % 8 == 2) {
		cp_place_put(place.out, "real", before * 1000U);
		cp_place_link("real", place.out, "t");
		return "t";
	}
	if (before % 8 == 3) {
		fd = memfd_create("stream", MFD_CLOEXEC);
		cp_place_require(fd != -1 && dup2(fd, PLACE_FD) != -1);
		close(fd);
		return "/dev/fd/90";
	}
	place.into = true;
	t = cp_place_folder(place.out, "t");
	if (before & 64)
		d = cp_place_folder(t, "d1");
	else
		d = cp_place_folder(t, before & 32 ? "bob" : "x");
	if (chosen && !(before & 64))
		cp_place_trap(t, "../../");
	else if (before & 8)
		cp_place_put(t, "f1", before * 1000U);
	if (before & 16)
		cp_place_trap(d, "../../../");
	else
		cp_place_put(d, "f1", before * 1000U);
	close(d);
	close(t);
	return "t";
}

static inline bool
cp_place_may_be(const char *name, const char *const called[2])
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
cp_place_check_names(int at, const char *name, const char *const called[2])
{
	DIR *d = cp_place_list(at, name);
	struct dirent *e;

	while ((e = cp_place_next(d)) != NULL)
		cp_place_require(cp_place_may_be(e->d_name, called));
	closedir(d);
}

/* Of an upload nothing is called anything here. */
static inline void
cp_place_check(const char *const called[2])
{
	static const char *const here[2] = { "t", "real" };
	struct stat st;

	for (int i = 0; i < 2; i++)
		cp_place_require(
		    cp_place_sum(place.fixed[i], ".") == place.sums[i]);
	cp_place_require(stat(place.root, &st) == 0 &&
	    st.st_mtim.tv_nsec == place.root_stat.st_mtim.tv_nsec &&
	    st.st_mtim.tv_sec == place.root_stat.st_mtim.tv_sec &&
	    st.st_mode == place.root_stat.st_mode);
	if (fcntl(PLACE_FD, F_GETFD) != -1) {
		cp_place_check_file(PLACE_FD);
		close(PLACE_FD);
	}
	if (called == NULL)
		return;
	cp_place_check_names(place.out, ".", here);
	if (place.into && called[0] != NULL) {
		cp_place_require(fchmodat(place.out, "t", 0700, 0) == 0);
		cp_place_check_names(place.out, "t", called);
	}
	cp_place_check_tree(place.out, ".");
}

#endif
