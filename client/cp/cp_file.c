/* SPDX-License-Identifier: ISC */
/* skypty cp: files and directories under way, and what is told of them. */
#include "client/complain.h"
#include "client/cp/cp.h"
#include "client/exits.h"
#include "client/progress.h"
#include "client/sftp/sftp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/visible.h"

/* --- telling --- */

/* Any name can be somebody else's: what is not printable is escaped. */
static void
cp_tell(struct cp *cp, const char *path, const char *where, const char *why)
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
	cp_tell(cp, path, "", why);
}

/* OpenSSH's "Failure" tells no more than its number does. */
void
cp_fail_remote(struct cp *cp, const char *path, const struct sftp_reply *reply)
{
	const struct buf *m = &reply->message;

	if (reply->status != SFTP_FAILURE || buf_len(m) == 0)
		cp_tell(cp, path, " on the host", sftp_text(reply->status));
	else if (buf_len(m) == 7 && memcmp(buf_ptr(m), "Failure", 7) == 0)
		cp_tell(cp, path, " on the host",
		    "failure; the host does not say why");
	else
		cp_tell(cp, path, " on the host", complain_printable(m));
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

struct cp_file *
cp_file_new(struct cp *cp, struct cp_dir *dir, char *local, char *remote)
{
	struct cp_file *f = NULL, **last = &cp->files;
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
		cp_dir_hold(dir);
	/* Behind the others: the oldest is served first. */
	while (*last != NULL)
		last = &(*last)->next;
	*last = f;
	cp->nfiles++;
	return f;
}

void
cp_file_free(struct cp_file *f)
{
	struct cp_file **p = &f->cp->files;

	while (*p != f)
		p = &(*p)->next;
	*p = f->next;
	f->cp->nfiles--;
	if (f->dir != NULL)
		cp_dir_release(f->dir);
	if (f->fd != -1)
		close(f->fd);
	free(f->local);
	free(f->remote);
	free(f->real);
	free(f->rest);
	free(f);
}

bool
cp_file_waits(const struct cp_file *f)
{
	bool up = f->cp->way == cp_put_way();

	for (const struct cp_file *g = f->cp->files; g != f; g = g->next)
		if (strcmp(up ? g->remote : g->local,
			up ? f->remote : f->local) == 0)
			return true;
	return false;
}

bool
cp_file_is_twin(const struct cp_file *f, const struct stat *st,
    const struct sftp_attrs *a)
{
	const uint32_t wanted = SFTP_ATTR_SIZE | SFTP_ATTR_TIMES;

	return (a->has & wanted) == wanted && st->st_size > 0 &&
	    (uint64_t)st->st_size == a->size &&
	    ((uint32_t)st->st_mtime == a->mtime ||
		st->st_mtime >= f->cp->since);
}

static uint64_t
cp_file_least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t
cp_file_prefix(const struct cp_file *f)
{
	uint64_t end = cp_file_least(cp_file_least(f->at, f->bad), f->eof);

	return sftp_lowest(&f->cp->sftp, f, end);
}

void
cp_file_is_short(struct cp_file *f, const char *path, const char *where,
    uint64_t end)
{
	char why[80];

	snprintf(why, sizeof(why), "ended at %llu of %llu bytes",
	    (unsigned long long)end, (unsigned long long)f->size);
	cp_tell(f->cp, path, where, why);
	f->failed = true;
}

/* Logs grow while they are copied, files of /proc have no size at all. */
void
cp_file_check_growth(struct cp_file *f, const char *path, const char *where)
{
	char why[128];

	if (f->at <= f->size || f->at - f->size <= CP_GROWTH_MAX)
		return;
	snprintf(why, sizeof(why),
	    "goes on behind its end, of %llu bytes; only %llu are copied",
	    (unsigned long long)f->size, (unsigned long long)f->at);
	cp_tell(f->cp, path, where, why);
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

struct cp_dir *
cp_dir_new(struct cp *cp, struct cp_dir *parent, char *local, char *remote)
{
	struct cp_dir *d = NULL;

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
		cp_dir_hold(parent);
	}
	buf_init(&d->names, 2 * SFTP_PACKET_MAX);
	return d;
}

void
cp_dir_hold(struct cp_dir *d)
{
	d->refs++;
}

void
cp_dir_release(struct cp_dir *d)
{
	if (--d->refs != 0)
		return;
	d->next = d->cp->finished;
	d->cp->finished = d;
}

static void
cp_dir_discard(struct cp_dir *d)
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
cp_dir_free(struct cp_dir *d)
{
	if (d->parent != NULL)
		cp_dir_release(d->parent);
	cp_dir_discard(d);
}

/* --- the end --- */

/* Whoever holds a directory goes, too. */
void
cp_free_all(struct cp *cp)
{
	while (cp->files != NULL)
		cp_file_free(cp->files);
	while (!LIST_EMPTY(&cp->dirs))
		cp_dir_discard(LIST_FIRST(&cp->dirs));
	cp->dir = cp->finished = NULL;
	cp_names_free(cp);
}
