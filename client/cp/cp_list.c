/* SPDX-License-Identifier: ISC */
/*
 * skypty cp, downloads: lists trees of the host, several directories at once,
 * and makes them here.  Their names are the host's and not to be trusted.
 */
#include "client/complain.h"
#include "client/cp/cp.h"
#include "client/sftp/sftp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/err.h"

/* Names that are waiting, in bytes, above which no more are asked for. */
#define NAMES_ENOUGH 8192
/* Names that cannot be a file's, each of which is told. */
#define REFUSED_MAX 1000

/* --- beginning --- */

static bool
cp_list_is_circle(const struct cp_dir *parent, const char *real)
{
	for (; real != NULL && parent != NULL; parent = parent->parent)
		if (parent->real != NULL && strcmp(parent->real, real) == 0)
			return true;
	return false;
}

/*
 * Below the directory that the user has named nothing is written through
 * symbolic links: the host chooses the names there.
 */
static int
cp_list_make_local(struct cp_dir *d)
{
	mode_t mode = d->attrs.has & SFTP_ATTR_MODE ? d->attrs.mode : 0777;
	const char *name = d->local;
	int at = AT_FDCWD, flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

	if (d->parent != NULL) {
		at = d->parent->fd;
		name =
		    strrchr(name, '/') != NULL ? strrchr(name, '/') + 1 : name;
		flags |= O_NOFOLLOW;
	} else if (d->cp->globbed && d->cp->into)
		flags |= O_NOFOLLOW;
	d->created = mkdirat(at, name, (mode & 0777) | 0700) == 0;
	if (!d->created && errno != EEXIST)
		return -1;
	d->fd = openat(at, name, flags);
	return d->fd == -1 ? -1 : 0;
}

static int
cp_list_refuse(struct cp *cp, struct cp_dir *d, const char *why)
{
	cp_fail(cp, d->local, why);
	d->failed = true;
	cp_dir_release(d);
	return 0;
}

int
cp_list_dir(struct cp *cp, struct cp_dir *parent, char *local, char *remote,
    const struct sftp_attrs *a, char *real)
{
	struct cp_dir *d = cp_dir_new(cp, parent, local, remote);

	if (d == NULL) {
		free(real);
		return cp_fatal(SKY_ERR_NOMEM);
	}
	d->attrs = *a;
	d->real = real;
	if (d->depth == CP_DEPTH_MAX)
		return cp_list_refuse(cp, d, "is too deep: not copied");
	if (cp_list_is_circle(parent, real))
		return cp_list_refuse(cp, d,
		    "leads back to a directory above it: not copied");
	if (cp_list_make_local(d) == -1)
		return cp_list_refuse(cp, d,
		    errno == ENOTDIR || errno == ELOOP ?
			"is here, but is no directory" :
			strerror(errno));
	d->next = cp->dir;
	cp->dir = d;
	cp->nlists++;
	return 0;
}

/* --- answers --- */

static int
cp_list_ended(struct cp_dir *d, const struct sftp_reply *reply)
{
	d->ended = true;
	if (reply->status == SFTP_EOF && d->opened)
		return 0;
	d->failed = true;
	cp_fail_remote(d->cp, d->remote, reply);
	return 0;
}

static int
cp_list_on_opendir(void *owner, struct sftp_reply *reply)
{
	struct cp_dir *d = owner;

	d->asked = false;
	if (reply->status != SFTP_OK)
		return cp_list_ended(d, reply);
	d->opened = true;
	d->handle = reply->handle;
	return 0;
}

/* What has been listed is copied. */
static void
cp_list_give_up(struct cp_dir *d)
{
	d->ended = d->failed = true;
	cp_fail(d->cp, d->remote,
	    "the host lists names without end: the rest is not copied");
}

static int
cp_list_on_readdir(void *owner, struct sftp_reply *reply)
{
	struct cp_dir *d = owner;

	d->asked = false;
	if (d->ended)
		return 0;
	if (reply->status != SFTP_OK)
		return cp_list_ended(d, reply);
	if ((d->listed += reply->count) > CP_NAMES_MAX) {
		cp_list_give_up(d);
		return 0;
	}
	return buf_put(&d->names, buf_ptr(&reply->names),
	    buf_len(&reply->names));
}

static int
cp_list_on_closedir(void *owner, struct sftp_reply *reply)
{
	(void)reply;
	cp_dir_release(owner);
	return 0;
}

/* --- entries --- */

/* Whatever might leave the directory, or be seen as something else. */
static bool
cp_list_good_name(const struct buf *name)
{
	const uint8_t *p = buf_ptr(name);
	size_t n = buf_len(name);

	return n != 0 && n <= SFTP_NAME_MAX && memchr(p, '/', n) == NULL &&
	    memchr(p, '\0', n) == NULL;
}

static bool
cp_list_is_dots(const struct buf *name)
{
	const uint8_t *p = buf_ptr(name);
	size_t n = buf_len(name);

	return (n == 1 && p[0] == '.') ||
	    (n == 2 && p[0] == '.' && p[1] == '.');
}

static void
cp_list_refuse_name(struct cp_dir *d, const struct buf *name)
{
	char why[2200];

	snprintf(why, sizeof(why),
	    "the host lists '%s', which cannot be a file's name: not copied",
	    complain_printable(name));
	cp_fail(d->cp, d->remote, why);
	if (++d->refused == REFUSED_MAX) {
		cp_list_give_up(d);
		buf_reset(&d->names);
	}
}

static mode_t
cp_list_type_of(const struct sftp_attrs *a)
{
	return a->has & SFTP_ATTR_MODE ? a->mode & S_IFMT : 0;
}

/*
 * Listing further directories takes memory and handles.  The deepest one may
 * always go on, so that everything ends at some time.
 */
static bool
cp_list_may_descend(const struct cp_dir *d)
{
	const struct cp *cp = d->cp;
	const struct cp_dir *deepest = cp->dir;

	for (const struct cp_dir *e = cp->dir; e != NULL; e = e->next)
		if (e->depth > deepest->depth)
			deepest = e;
	return cp->nlists + cp->nstats < CP_LISTS ||
	    (d == deepest && d->stats == 0);
}

/* What a link leads to has yet to be asked; so has what has no type. */
static int
cp_list_take_entry(struct cp_dir *d, const char *name,
    const struct sftp_attrs *a)
{
	char *local = cp_join(d->local, name);
	char *remote = cp_join(d->remote, name), *real = NULL;
	mode_t type = cp_list_type_of(a);

	if (local == NULL || remote == NULL) {
		free(local);
		free(remote);
		return cp_fatal(SKY_ERR_NOMEM);
	}
	if (type == S_IFDIR) {
		if (d->real != NULL)
			real = cp_join(d->real, name);
		return cp_list_dir(d->cp, d, local, remote, a, real);
	}
	return cp_get_file(d->cp, d, local, remote, a);
}

/* Unless it has to wait.  0 or EXIT_FAILED. */
static int
cp_list_next_entry(struct cp_dir *d, bool *waits)
{
	struct buf rest = d->names, name;
	char text[SFTP_NAME_MAX + 1];
	struct sftp_attrs a;
	int r;

	if ((r = sftp_next_name(&rest, &name, &a)) != 0)
		return cp_fatal(r);
	if (cp_list_type_of(&a) != S_IFREG && !cp_list_is_dots(&name) &&
	    !cp_list_may_descend(d)) {
		*waits = true;
		return 0;
	}
	buf_skip(&d->names, buf_len(&d->names) - buf_len(&rest));
	if (cp_list_is_dots(&name))
		return 0;
	if (!cp_list_good_name(&name)) {
		cp_list_refuse_name(d, &name);
		return 0;
	}
	memcpy(text, buf_ptr(&name), buf_len(&name));
	text[buf_len(&name)] = '\0';
	return cp_list_take_entry(d, text, &a);
}

/* --- requests --- */

static int
cp_list_ask(struct cp_dir *d)
{
	struct sftp *s = &d->cp->sftp;
	int r = 0;

	if (d->asked || d->ended || !sftp_room(s) ||
	    buf_len(&d->names) > NAMES_ENOUGH)
		return 0;
	d->asked = true;
	if (!d->opened)
		r = sftp_opendir(s, d->remote, cp_list_on_opendir, d);
	else
		r = sftp_readdir(s, &d->handle, cp_list_on_readdir, d);
	return r == 0 ? 0 : cp_fatal(r);
}

static int
cp_list_serve(struct cp_dir *d)
{
	struct cp *cp = d->cp;
	bool waits = false;
	int r = 0;

	while (r == 0 && !waits && buf_len(&d->names) != 0 &&
	    cp->nfiles < CP_FILES && sftp_room(&cp->sftp))
		r = cp_list_next_entry(d, &waits);
	if (r != 0 || (r = cp_list_ask(d)) != 0)
		return r;
	if (!d->ended || !d->opened || d->asked || !sftp_room(&cp->sftp))
		return 0;
	d->opened = false;
	cp_dir_hold(d);
	r = sftp_close(&cp->sftp, &d->handle, cp_list_on_closedir, d);
	return r == 0 ? 0 : cp_fatal(r);
}

int
cp_list_work(struct cp *cp)
{
	struct cp_dir **p = &cp->dir, *d;
	int r = 0;

	/* New ones are put in front of those that are served now. */
	for (d = cp->dir; r == 0 && d != NULL; d = d->next)
		r = cp_list_serve(d);
	/* Those with nothing left to list. */
	while ((d = *p) != NULL)
		if (d->ended && !d->opened && buf_len(&d->names) == 0) {
			*p = d->next;
			cp->nlists--;
			buf_free(&d->names);
			cp_dir_release(d);
		} else
			p = &d->next;
	return r;
}
