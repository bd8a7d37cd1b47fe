/* SPDX-License-Identifier: ISC */
/*
 * skypty cp, downloads: under what name a directory behind a link really
 * stands, to see whether a tree leads back into itself.  OpenSSH's REALPATH
 * tells; others only tidy the path up, and then each link is read here.
 */
#include "client/cp/cp.h"
#include "client/sftp/sftp.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/err.h"

#define LINKS_MAX 40 /* in one path, as the kernel has it */
#define REAL_MAX  (16U * 1024)

/* The directory begins; without a known name only its depth is watched. */
static int
cp_real_is_known(struct cp_file *f)
{
	char *real = f->real;
	int r;

	f->real = NULL;
	r = cp_list_dir(f->cp, f->dir, strdup(f->local), strdup(f->remote),
	    &f->attrs, real);
	cp_file_free(f);
	return r;
}

static int
cp_real_give_up(struct cp_file *f)
{
	free(f->real);
	f->real = NULL;
	return cp_real_is_known(f);
}

/* "/a/b" becomes "/a", and that "/". */
static void
cp_real_drop_last(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash != NULL)
		slash[slash == path ? 1 : 0] = '\0';
}

static int cp_real_on_link(void *, struct sftp_reply *);

/* Takes parts off the rest up to one that may be a link. */
static int
cp_real_next_part(struct cp_file *f)
{
	char *rest = f->rest, *part, *path;
	int r = 0;

	while ((part = strsep(&rest, "/")) != NULL) {
		if (strcmp(part, "..") == 0)
			cp_real_drop_last(f->real);
		if (*part != '\0' && strcmp(part, ".") != 0 &&
		    strcmp(part, "..") != 0)
			break;
	}
	if (part == NULL)
		return cp_real_is_known(f);
	path = cp_join(f->real, part);
	rest = strdup(rest != NULL ? rest : "");
	free(f->real);
	free(f->rest);
	f->real = path;
	f->rest = rest;
	if (path == NULL || rest == NULL || strlen(path) > REAL_MAX)
		return cp_real_give_up(f);
	r = sftp_readlink(&f->cp->sftp, path, cp_real_on_link, f);
	return r == 0 ? 0 : cp_fatal(r);
}

/* What the link says comes in its place. */
static int
cp_real_on_link(void *owner, struct sftp_reply *reply)
{
	struct cp_file *f = owner;
	char *text = NULL, *rest = NULL;

	if (reply->status != SFTP_OK)
		return cp_real_next_part(f);
	if (++f->links > LINKS_MAX ||
	    buf_get_cstring(&reply->names, &text, REAL_MAX) != 0 ||
	    strlen(text) + strlen(f->rest) > REAL_MAX ||
	    (rest = cp_join(text, f->rest)) == NULL) {
		free(text);
		return cp_real_give_up(f);
	}
	if (*text == '/')
		f->real[1] = '\0';
	else
		cp_real_drop_last(f->real);
	free(text);
	free(f->rest);
	f->rest = rest;
	return cp_real_next_part(f);
}

/* A link below a name that has none was not followed if it is still there. */
static int
cp_real_on_realpath(void *owner, struct sftp_reply *reply)
{
	struct cp_file *f = owner;
	struct cp_dir *d = f->dir;
	char *same;
	bool followed;

	if (reply->status != SFTP_OK ||
	    buf_get_cstring(&reply->names, &f->real, REAL_MAX) != 0 ||
	    *f->real != '/')
		return cp_real_give_up(f);
	if (d == NULL || d->real == NULL)
		return cp_real_is_known(f);
	if ((same = cp_join(d->real, f->name)) == NULL)
		return cp_fatal(SKY_ERR_NOMEM);
	followed = strcmp(same, f->real) != 0;
	free(same);
	if (followed)
		return cp_real_is_known(f);
	cp_real_drop_last(f->real);
	if ((f->rest = strdup(f->name)) == NULL)
		return cp_fatal(SKY_ERR_NOMEM);
	return cp_real_next_part(f);
}

int
cp_real_find(struct cp_file *f)
{
	int r = 0;
	char *path;

	if (f->dir == NULL || f->dir->real == NULL)
		return (r = sftp_realpath(&f->cp->sftp, f->remote,
			    cp_real_on_realpath, f)) == 0 ?
		    0 :
		    cp_fatal(r);
	/* By the parent's real name: tidying up is right only there. */
	if ((path = cp_join(f->dir->real, f->name)) == NULL)
		return cp_fatal(SKY_ERR_NOMEM);
	r = sftp_realpath(&f->cp->sftp, path, cp_real_on_realpath, f);
	free(path);
	return r == 0 ? 0 : cp_fatal(r);
}
