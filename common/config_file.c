/* SPDX-License-Identifier: ISC */
/* Reading configurations from files and descriptors. */
#include "config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"

#define CHUNK 16384

static int
read_all(int fd, struct buf *text)
{
	ssize_t r;

	buf_init(text, CONFIG_FILE_MAX + 1);
	do
		r = buf_read(text, fd, CHUNK);
	while (r > 0 || (r == ERR_AGAIN && errno == EINTR));
	if (r == ERR_EOF && buf_len(text) <= CONFIG_FILE_MAX)
		return 0;
	buf_free(text);
	return r == ERR_EOF ? ERR_LIMIT : (int)r;
}

int
config_slurp(const char *path, struct buf *text, struct stat *st)
{
	int fd, r;

	/* Without waiting for somebody at the other end of a fifo. */
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) == -1)
		return ERR_SYS;
	if (fstat(fd, st) == -1)
		r = ERR_SYS;
	else if (!S_ISREG(st->st_mode))
		r = ERR_TYPE;
	else if (st->st_size > CONFIG_FILE_MAX)
		r = ERR_LIMIT;
	else
		r = read_all(fd, text);
	close(fd);
	return r;
}

int
config_cannot_read(const struct config_report *report, const char *path, int r)
{
	if (r == ERR_TYPE)
		config_say(report, true, path, "", "not a regular file");
	else if (r == ERR_LIMIT)
		config_say(report, true, path, "", "larger than %u bytes",
		    CONFIG_FILE_MAX);
	else
		config_say(report, true, path, "", "%s", err_text(r));
	return r;
}

/* Whoever may write to it decides who comes in: as sshd's StrictModes. */
static int
check_owner(const struct config_report *report, const char *path,
    const struct stat *st)
{
	if (st->st_uid != 0 && st->st_uid != geteuid()) {
		config_say(report, true, path, "",
		    "belongs to uid %lu, neither root nor the one that reads "
		    "it",
		    (unsigned long)st->st_uid);
		return ERR_DENIED;
	}
	if (st->st_mode & 022) {
		config_say(report, true, path, "",
		    "others may write to it (mode %04o); run: chmod go-w %s",
		    (unsigned)(st->st_mode & 07777), path);
		return ERR_DENIED;
	}
	return 0;
}

/*
 * The folders on the way as well: whoever may rename there can put another
 * file in its place.  One like /tmp keeps others' hands off what is not theirs.
 */
static int
check_folders(const struct config_report *report, const char *path)
{
	char *real = realpath(path, NULL), *slash;
	struct stat st;
	int r = 0;

	if (real == NULL)
		return ERR_SYS;
	while (r == 0 && (slash = strrchr(real, '/')) != NULL) {
		slash[slash == real] = '\0';
		if (stat(real, &st) == -1)
			r = ERR_SYS;
		else if ((st.st_uid != 0 && st.st_uid != geteuid()) ||
		    ((st.st_mode & 022) && !(st.st_mode & S_ISVTX))) {
			config_say(report, true, path, "",
			    "others may rename files in %s", real);
			r = ERR_DENIED;
		}
		if (slash == real)
			break;
	}
	free(real);
	return r;
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
	int r = check_owner(report, path, st);

	return r == 0 ? check_folders(report, path) : r;
}

int
config_read_file(struct config *c, struct keyctx *ctx, const char *path,
    const struct config_report *report)
{
	const unsigned before = c->given;
	struct stat st;
	struct buf text;
	int r;

	if ((r = config_slurp(path, &text, &st)) != 0)
		return config_cannot_read(report, path, r);
	/* An sk from elsewhere, as standard input, is not in this file. */
	c->given &= ~(unsigned)CONFIG_SK;
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

	if ((r = read_all(fd, &text)) != 0)
		return config_cannot_read(report, name, r);
	r = config_parse(c, ctx, (const char *)buf_ptr(&text), buf_len(&text),
	    name, report);
	buf_free(&text);
	return r;
}
