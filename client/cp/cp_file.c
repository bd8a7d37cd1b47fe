/* SPDX-License-Identifier: ISC */
/* skypty cp: files and directories under way, and what is told of them. */
#include "client/cp/cp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/visible.h"

/* --- telling --- */

/* Any name can be somebody else's: what is not printable is escaped. */
static void
tell(struct cp *cp, const char *path, const char *where, const char *why)
{
	size_t size = VISIBLE_GROWTH * strlen(path) + 1;
	char *text;

	cp->failed = true;
	progress_clear(&cp->progress);
	if ((text = malloc(size)) != NULL)
		visible_text(text, size, path, strlen(path), VISIBLE_SLASH);
	complain("%s%s: %s", text != NULL ? text : "?", where, why);
	free(text);
}

void
cp_fail(struct cp *cp, const char *path, const char *why)
{
	tell(cp, path, "", why);
}

/* OpenSSH's "Failure" tells no more than its number does. */
void
cp_fail_remote(struct cp *cp, const char *path, const struct sftp_reply *reply)
{
	const struct buf *m = &reply->message;

	if (reply->status != SFTP_FAILURE || buf_len(m) == 0)
		tell(cp, path, " on the host", sftp_text(reply->status));
	else if (buf_len(m) == 7 && memcmp(buf_ptr(m), "Failure", 7) == 0)
		tell(cp, path, " on the host",
		    "failure; the host does not say why");
	else
		tell(cp, path, " on the host", printable(m));
}

int
cp_fatal(int error)
{
	complain("cannot go on: %s", err_text(error));
	return EXIT_FAILED;
}

/* --- paths --- */

char *
cp_join(const char *dir, const char *name)
{
	size_t n = strlen(dir);
	bool slash = n == 0 || dir[n - 1] == '/';
	char *path;

	if (strcmp(dir, ".") == 0)
		return strdup(name);
	if (asprintf(&path, "%s%s%s", dir, slash ? "" : "/", name) == -1)
		return NULL;
	return path;
}

char *
cp_last(const char *path)
{
	size_t end = strlen(path), start;

	while (end > 0 && path[end - 1] == '/')
		end--;
	for (start = end; start > 0 && path[start - 1] != '/';)
		start--;
	path += start;
	end -= start;
	if ((end == 1 && path[0] == '.') ||
	    (end == 2 && path[0] == '.' && path[1] == '.'))
		end = 0;
	return strndup(path, end);
}

/* --- files --- */

/* Behind the others: the oldest is served first. */
static void
append(struct cp *cp, struct file *f)
{
	struct file **p = &cp->files;

	while (*p != NULL)
		p = &(*p)->next;
	*p = f;
	cp->nfiles++;
}

struct file *
file_new(struct cp *cp, struct dir *dir, char *local, char *remote)
{
	struct file *f = NULL;
	const char *slash;

	if (local == NULL || remote == NULL ||
	    (f = calloc(1, sizeof(*f))) == NULL) {
		free(local);
		free(remote);
		return NULL;
	}
	f->cp = cp;
	f->local = local;
	f->remote = remote;
	slash = strrchr(local, '/');
	f->name = slash != NULL && slash[1] != '\0' ? slash + 1 : local;
	f->fd = -1;
	f->bad = f->eof = UINT64_MAX;
	if ((f->dir = dir) != NULL)
		dir_hold(dir);
	append(cp, f);
	return f;
}

void
file_free(struct file *f)
{
	struct file **p = &f->cp->files;

	while (*p != f)
		p = &(*p)->next;
	*p = f->next;
	f->cp->nfiles--;
	if (f->dir != NULL)
		dir_release(f->dir);
	if (f->fd != -1)
		close(f->fd);
	free(f->local);
	free(f->remote);
	free(f->real);
	free(f->rest);
	free(f);
}

bool
file_waits(const struct file *f)
{
	bool up = f->cp->way == put_way();

	for (const struct file *g = f->cp->files; g != f; g = g->next)
		if (strcmp(up ? g->remote : g->local,
			up ? f->remote : f->local) == 0)
			return true;
	return false;
}

bool
file_is_twin(const struct file *f, const struct stat *st,
    const struct sftp_attrs *a)
{
	const uint32_t wanted = SFTP_ATTR_SIZE | SFTP_ATTR_TIMES;

	return (a->has & wanted) == wanted && st->st_size > 0 &&
	    (uint64_t)st->st_size == a->size &&
	    ((uint32_t)st->st_mtime == a->mtime ||
		st->st_mtime >= f->cp->since);
}

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t
file_prefix(const struct file *f)
{
	uint64_t end = least(least(f->at, f->bad), f->eof);

	return sftp_lowest(&f->cp->sftp, f, end);
}

void
file_is_short(struct file *f, const char *path, const char *where, uint64_t end)
{
	char why[80];

	snprintf(why, sizeof(why), "ended at %llu of %llu bytes",
	    (unsigned long long)end, (unsigned long long)f->size);
	tell(f->cp, path, where, why);
	f->failed = true;
}

/* Logs grow while they are copied, files of /proc have no size at all. */
void
file_check_growth(struct file *f, const char *path, const char *where)
{
	char why[128];

	if (f->at <= f->size || f->at - f->size <= CP_GROWTH_MAX)
		return;
	snprintf(why, sizeof(why),
	    "goes on behind its end, of %llu bytes; only %llu are copied",
	    (unsigned long long)f->size, (unsigned long long)f->at);
	tell(f->cp, path, where, why);
	f->failed = true;
}

/* --- times --- */

#define FAR_AHEAD (20L * 365 * 24 * 3600)

uint32_t
cp_time_out(time_t t)
{
	return t < 0 ? 0 : (uintmax_t)t > UINT32_MAX ? UINT32_MAX : (uint32_t)t;
}

/*
 * Hosts send the low half of their own.  What is far ahead of now was before
 * 1970.
 */
time_t
cp_time_in(uint32_t t)
{
	return t > INT32_MAX && (int64_t)t > (int64_t)time(NULL) + FAR_AHEAD ?
	    (time_t)(int32_t)t :
	    (time_t)t;
}

/* --- directories --- */

struct dir *
dir_new(struct cp *cp, struct dir *parent, char *local, char *remote)
{
	struct dir *d = NULL;

	if (local == NULL || remote == NULL ||
	    (d = calloc(1, sizeof(*d))) == NULL) {
		free(local);
		free(remote);
		return NULL;
	}
	d->cp = cp;
	d->local = local;
	d->remote = remote;
	d->fd = -1;
	d->refs = 1;
	LIST_INSERT_HEAD(&cp->dirs, d, entry);
	if ((d->parent = parent) != NULL) {
		d->depth = parent->depth + 1;
		dir_hold(parent);
	}
	buf_init(&d->names, 2 * SFTP_PACKET_MAX);
	return d;
}

void
dir_hold(struct dir *d)
{
	d->refs++;
}

void
dir_release(struct dir *d)
{
	if (--d->refs != 0)
		return;
	d->next = d->cp->finished;
	d->cp->finished = d;
}

static void
discard(struct dir *d)
{
	LIST_REMOVE(d, entry);
	if (d->stream != NULL)
		closedir(d->stream);
	if (d->fd != -1)
		close(d->fd);
	buf_free(&d->names);
	free(d->local);
	free(d->remote);
	free(d->real);
	free(d);
}

void
dir_free(struct dir *d)
{
	if (d->parent != NULL)
		dir_release(d->parent);
	discard(d);
}

/* --- the end --- */

/* Whoever holds a directory goes, too. */
void
cp_free_all(struct cp *cp)
{
	while (cp->files != NULL)
		file_free(cp->files);
	while (!LIST_EMPTY(&cp->dirs))
		discard(LIST_FIRST(&cp->dirs));
	cp->dir = cp->finished = NULL;
	names_free(cp);
}
