/* SPDX-License-Identifier: ISC */
/*
 * skypty cp, uploads: walks through local trees, depth first, and makes their
 * directories on the host.  A directory's files do not wait for it: hosts take
 * requests other than READ and WRITE in their order.
 */
#include "client/cp/cp.h"
#include "client/sftp/sftp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"

/* --- making directories --- */

/* It may be there already, which STAT tells. */
static int
cp_walk_on_mkdir(void *owner, struct sftp_reply *reply)
{
	struct cp_dir *d = owner;

	d->created = reply->status == SFTP_OK;
	cp_dir_release(d);
	return 0;
}

static int
cp_walk_on_stat(void *owner, struct sftp_reply *reply)
{
	struct cp_dir *d = owner;

	if (!d->created) {
		d->failed = true;
		if (reply->status == SFTP_NO_SUCH_FILE)
			cp_fail(d->cp, d->remote,
			    "the host does not let us make this directory");
		else if (reply->status != SFTP_OK)
			cp_fail_remote(d->cp, d->remote, reply);
		else if ((reply->attrs.has & SFTP_ATTR_MODE) &&
		    !S_ISDIR(reply->attrs.mode))
			cp_fail(d->cp, d->remote,
			    "is on the host, but is no directory");
		else
			d->failed = false;
	}
	cp_dir_release(d);
	return 0;
}

/* We write into it, whatever its mode is to be in the end. */
static int
cp_walk_mkdir(struct cp_dir *d)
{
	struct sftp_attrs a = { .has = SFTP_ATTR_MODE,
		.mode = (d->attrs.mode & 0777) | 0700 };
	struct sftp *s = &d->cp->sftp;
	int r;

	if ((r = sftp_mkdir(s, d->remote, &a, cp_walk_on_mkdir, d)) != 0)
		return cp_fatal(r);
	cp_dir_hold(d);
	if ((r = sftp_stat(s, d->remote, cp_walk_on_stat, d)) != 0)
		return cp_fatal(r);
	cp_dir_hold(d);
	return 0;
}

static bool
cp_walk_is_circle(const struct cp_dir *d, const struct stat *st)
{
	for (; d != NULL; d = d->parent)
		if (d->dev == st->st_dev && d->ino == st->st_ino)
			return true;
	return false;
}

static int
cp_walk_enter(struct cp *cp, char *local, char *remote, const struct stat *st)
{
	struct cp_dir *d = cp_dir_new(cp, cp->dir, local, remote);

	if (d == NULL)
		return cp_fatal(SKY_ERR_NOMEM);
	d->dev = st->st_dev;
	d->ino = st->st_ino;
	d->attrs = (struct sftp_attrs){ .has = SFTP_ATTR_MODE | SFTP_ATTR_TIMES,
		.mode = st->st_mode & 0777,
		.atime = cp_time_out(st->st_atime),
		.mtime = cp_time_out(st->st_mtime) };
	cp->dir = d;
	if ((d->stream = opendir(d->local)) != NULL)
		return cp_walk_mkdir(d);
	d->failed = true;
	cp_fail(cp, d->local, strerror(errno));
	return 0;
}

/* --- entries --- */

static const char *
cp_walk_objection(const struct cp *cp, const struct stat *st)
{
	if (S_ISREG(st->st_mode))
		return NULL;
	if (!S_ISDIR(st->st_mode))
		return "is neither a file nor a directory: not copied";
	if (!cp->recursive)
		return "is a directory: not copied without -r";
	if (cp_walk_is_circle(cp->dir, st))
		return "leads back to a directory above it: not copied";
	if (cp->dir != NULL && cp->dir->depth + 1 == CP_DEPTH_MAX)
		return "is too deep: not copied";
	return NULL;
}

static int
cp_walk_begin_with(struct cp *cp, char *local, char *remote)
{
	const char *why = NULL;
	struct stat st;

	if (local == NULL || remote == NULL) {
		free(local);
		free(remote);
		return cp_fatal(SKY_ERR_NOMEM);
	}
	if (stat(local, &st) == -1)
		why = strerror(errno);
	else
		why = cp_walk_objection(cp, &st);
	if (why != NULL) {
		cp_fail(cp, local, why);
		free(local);
		free(remote);
		return 0;
	}
	if (S_ISDIR(st.st_mode))
		return cp_walk_enter(cp, local, remote, &st);
	return cp_put_file(cp, cp->dir, local, remote);
}

static int
cp_walk_source(struct cp *cp, const char *source)
{
	char *name = cp_last(source), *remote = NULL;
	int r;

	if (name != NULL)
		remote = cp->into && *name != '\0' ? cp_join(cp->target, name) :
						     strdup(cp->target);
	r = cp_walk_begin_with(cp, strdup(source), remote);
	free(name);
	return r;
}

/* An entry, or the way out behind the last one. */
static int
cp_walk_entry(struct cp *cp)
{
	struct cp_dir *d = cp->dir;
	struct dirent *e;

	errno = 0;
	if (d->failed || (e = readdir(d->stream)) == NULL) {
		if (!d->failed && errno != 0)
			cp_fail(cp, d->local, strerror(errno));
		cp->dir = d->parent;
		if (d->stream != NULL)
			closedir(d->stream);
		d->stream = NULL;
		cp_dir_release(d);
		return 0;
	}
	if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
		return 0;
	return cp_walk_begin_with(cp, cp_join(d->local, e->d_name),
	    cp_join(d->remote, e->d_name));
}

bool
cp_walk_is_over(const struct cp *cp)
{
	return cp->dir == NULL && *cp->sources == NULL;
}

int
cp_walk_step(struct cp *cp)
{
	if (cp->dir != NULL)
		return cp_walk_entry(cp);
	return cp_walk_source(cp, *cp->sources++);
}
