/* SPDX-License-Identifier: ISC */
/* skypty cp: files and directories under way, and what is told of them. */
#include "client/cp.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vis.h>

#include "common/err.h"

/* --- telling --- */

/* Any name can be somebody else's: what is not printable is escaped. */
static void
tell(struct cp *cp, const char *path, const char *where, const char *why)
{
	size_t size = 4 * strlen(path) + 1;
	char *text;

	cp->failed = true;
	progress_clear(&cp->progress);
	if ((text = malloc(size)) != NULL)
		strnvis(text, path, size, VIS_CSTYLE | VIS_NL | VIS_TAB);
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

void
dir_free(struct dir *d)
{
	if (d->parent != NULL)
		dir_release(d->parent);
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
