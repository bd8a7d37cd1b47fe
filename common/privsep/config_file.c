/* SPDX-License-Identifier: ISC */
/* Reading configurations from files and descriptors. */
#include "common/privsep/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/err.h"

#define CHUNK	  16384
#define LINKS_MAX 40 /* the kernel's own limit */

static int
config_read_all(int fd, size_t max, struct buf *text)
{
	ssize_t r;

	buf_init(text, max + 1);
	do
		r = buf_read(text, fd, CHUNK);
	while (r > 0 || (r == SKY_ERR_AGAIN && errno == EINTR));
	if (r == SKY_ERR_EOF && buf_len(text) <= max)
		return 0;
	buf_free(text);
	return r == SKY_ERR_EOF ? SKY_ERR_LIMIT : (int)r;
}

/* Without waiting for somebody at the other end of a fifo. */
int
config_open(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

int
config_slurp_fd(int fd, size_t max, struct buf *text, struct stat *st)
{
	if (fstat(fd, st) == -1)
		return SKY_ERR_SYS;
	if (!S_ISREG(st->st_mode))
		return SKY_ERR_TYPE;
	if (st->st_size > (off_t)max)
		return SKY_ERR_LIMIT;
	return config_read_all(fd, max, text);
}

int
config_slurp(const char *path, struct buf *text, struct stat *st)
{
	int fd, r;

	if ((fd = config_open(path)) == -1)
		return SKY_ERR_SYS;
	r = config_slurp_fd(fd, CONFIG_FILE_MAX, text, st);
	close(fd);
	return r;
}

int
config_cannot_read(const struct config_report *report, const char *path, int r)
{
	if (r == SKY_ERR_TYPE)
		config_say(report, true, path, "", "not a regular file");
	else if (r == SKY_ERR_LIMIT)
		config_say(report, true, path, "", "larger than %u bytes",
		    CONFIG_FILE_MAX);
	else
		config_say(report, true, path, "", "%s", err_text(r));
	return r;
}

/* Whoever may write to it decides who comes in: as sshd's StrictModes. */
static int
config_check_owner(const struct config_report *report, const char *path,
    const struct stat *st)
{
	if (st->st_uid != 0 && st->st_uid != geteuid()) {
		config_say(report, true, path, "",
		    "belongs to uid %lu, neither root nor the one that reads "
		    "it",
		    (unsigned long)st->st_uid);
		return SKY_ERR_DENIED;
	}
	if (st->st_mode & 022) {
		config_say(report, true, path, "",
		    "others may write to it (mode %04o); run: chmod go-w %s",
		    (unsigned)(st->st_mode & 07777), path);
		return SKY_ERR_DENIED;
	}
	return 0;
}

/* A walk to a file, name by name. */
struct walk {
	const struct config_report *report;
	const char *path;    /* as it was given */
	char at[PATH_MAX];   /* the folder that we are in, "" is the root */
	char todo[PATH_MAX]; /* what is to be walked from there */
	bool shared;	     /* others may make names there as well */
	unsigned links;
};

static int
walk_fail(const struct walk *w, int error)
{
	errno = error;
	config_say(w->report, true, w->path, "", "%s", err_text(SKY_ERR_SYS));
	return SKY_ERR_SYS;
}

/*
 * Whoever may rename there can put another file in the place of ours.  A
 * folder like /tmp keeps others' hands off what is not theirs.
 */
static int
walk_enter(struct walk *w, const char *folder)
{
	struct stat st;

	if (stat(folder, &st) == -1)
		return walk_fail(w, errno);
	w->shared = (st.st_mode & 022) != 0;
	if ((st.st_uid == 0 || st.st_uid == geteuid()) &&
	    (!w->shared || (st.st_mode & S_ISVTX)))
		return 0;
	config_say(w->report, true, w->path, "",
	    "others may rename files in %s", folder);
	return SKY_ERR_DENIED;
}

/* Its target in place of its name. */
static int
walk_link(struct walk *w, const char *link, const struct stat *st)
{
	char text[PATH_MAX];
	ssize_t n;

	if (w->shared && st->st_uid != 0 && st->st_uid != geteuid()) {
		config_say(w->report, true, w->path, "",
		    "the symbolic link %s belongs to uid %lu", link,
		    (unsigned long)st->st_uid);
		return SKY_ERR_DENIED;
	}
	if (++w->links > LINKS_MAX)
		return walk_fail(w, ELOOP);
	if ((n = readlink(link, text, sizeof(text) - 1)) == -1)
		return walk_fail(w, errno);
	text[n] = '\0';
	if (strlcat(text, "/", sizeof(text)) >= sizeof(text) ||
	    strlcat(text, w->todo, sizeof(text)) >= sizeof(text))
		return walk_fail(w, ENAMETOOLONG);
	strlcpy(w->todo, text, sizeof(w->todo));
	if (*text != '/')
		return 0;
	*w->at = '\0';
	return walk_enter(w, "/");
}

/* Takes the first name off todo; false at the end. */
static bool
walk_name(struct walk *w, char name[PATH_MAX])
{
	size_t skip = strspn(w->todo, "/");
	size_t n = strcspn(w->todo + skip, "/");

	memcpy(name, w->todo + skip, n);
	name[n] = '\0';
	memmove(w->todo, w->todo + skip + n, strlen(w->todo + skip + n) + 1);
	return n != 0;
}

/* 1: on to the next name.  0: the end, or nothing is there. */
static int
config_walk_step(struct walk *w, const char *name)
{
	char next[PATH_MAX], *slash;
	struct stat st;
	int n, r;

	if (strcmp(name, ".") == 0)
		return 1;
	if (strcmp(name, "..") == 0) {
		if ((slash = strrchr(w->at, '/')) != NULL)
			*slash = '\0';
		r = walk_enter(w, *w->at != '\0' ? w->at : "/");
		return r == 0 ? 1 : r;
	}
	n = snprintf(next, sizeof(next), "%s/%s", w->at, name);
	if (n < 0 || (size_t)n >= sizeof(next))
		return walk_fail(w, ENAMETOOLONG);
	if (lstat(next, &st) == -1)
		return errno == ENOENT ? 0 : walk_fail(w, errno);
	if (S_ISLNK(st.st_mode))
		return (r = walk_link(w, next, &st)) == 0 ? 1 : r;
	if (!S_ISDIR(st.st_mode))
		return 0;
	if ((r = walk_enter(w, next)) != 0)
		return r;
	strlcpy(w->at, next, sizeof(w->at));
	return 1;
}

/* Every folder that a name is looked up in, and every link on the way. */
int
config_check_place(const struct config_report *report, const char *path)
{
	struct walk w = { .report = report, .path = path };
	char name[PATH_MAX];
	int r;

	if (*path != '/' && getcwd(w.todo, sizeof(w.todo)) == NULL)
		return walk_fail(&w, errno);
	if (strlcat(w.todo, "/", sizeof(w.todo)) >= sizeof(w.todo) ||
	    strlcat(w.todo, path, sizeof(w.todo)) >= sizeof(w.todo))
		return walk_fail(&w, ENAMETOOLONG);
	for (r = walk_enter(&w, "/") == 0 ? 1 : SKY_ERR_DENIED;
	     r == 1 && walk_name(&w, name);)
		r = config_walk_step(&w, name);
	return r < 0 ? r : 0;
}

void
config_warn_readable(const struct config_report *report, const char *path,
    const struct stat *st)
{
	if (st->st_mode & 044)
		config_say(report, false, path, "sk",
		    "others may read it (mode %04o); run: chmod 600 %s",
		    (unsigned)(st->st_mode & 07777), path);
}

/* StrictModes, then. */
int
config_check_safety(const struct config_report *report, const char *path,
    const struct stat *st)
{
	int r = config_check_owner(report, path, st);

	return r == 0 ? config_check_place(report, path) : r;
}

int
config_read_file(struct config *c, struct keyctx *ctx, const char *path,
    const struct config_report *report)
{
	const uint64_t before = c->given;
	struct stat st;
	struct buf text;
	int r;

	if ((r = config_slurp(path, &text, &st)) != 0)
		return config_cannot_read(report, path, r);
	/* An sk from elsewhere, as standard input, is not in this file. */
	c->given &= ~CONFIG_SK;
	if ((r = config_check_safety(report, path, &st)) == 0)
		r = config_parse(c, ctx, (const char *)buf_ptr(&text),
		    buf_len(&text), path, report);
	buf_free(&text);
	if (r == 0 && (c->given & CONFIG_SK))
		config_warn_readable(report, path, &st);
	c->given |= before;
	return r;
}

int
config_read_fd(struct config *c, struct keyctx *ctx, int fd, const char *name,
    const struct config_report *report)
{
	struct buf text;
	int r;

	if ((r = config_read_all(fd, CONFIG_FILE_MAX, &text)) != 0)
		return config_cannot_read(report, name, r);
	r = config_parse(c, ctx, (const char *)buf_ptr(&text), buf_len(&text),
	    name, report);
	buf_free(&text);
	return r;
}
