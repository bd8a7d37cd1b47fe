/* SPDX-License-Identifier: ISC */
/*
 * skypty cp, uploads.  OPEN of the next files leaves while earlier ones are
 * written; WRITEs and CLOSE leave without waiting for each other's answers.
 */
#include "client/cp/cp.h"
#include "client/sftp/sftp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/err.h"

/* --- the target --- */

static int
cp_put_on_target(void *owner, struct sftp_reply *reply)
{
	struct cp *cp = owner;

	cp->known = true;
	cp->into = reply->status == SFTP_OK &&
	    (reply->attrs.has & SFTP_ATTR_MODE) && S_ISDIR(reply->attrs.mode);
	if (reply->status != SFTP_OK && reply->status != SFTP_NO_SUCH_FILE) {
		cp_fail_remote(cp, cp->target, reply);
		return 1;
	}
	if (cp->many && !cp->into) {
		cp_fail(cp, cp->target, "is no directory on the host");
		return 1;
	}
	return 0;
}

static int
cp_put_begin(struct cp *cp)
{
	int r = sftp_stat(&cp->sftp, cp->target, cp_put_on_target, cp);

	return r == 0 ? 0 : cp_fatal(r);
}

/* --- a file --- */

static int
cp_put_refuse(struct cp_file *f, const char *why)
{
	cp_fail(f->cp, f->local, why);
	cp_file_free(f);
	return 0;
}

/* Nothing is in it that we have not put there. */
static bool
cp_put_dir_is_new(const struct cp_dir *d)
{
	while (d != NULL && !d->created)
		d = d->parent;
	return d != NULL;
}

int
cp_put_file(struct cp *cp, struct cp_dir *dir, char *local, char *remote)
{
	struct cp_file *f = cp_file_new(cp, dir, local, remote);
	struct stat st;

	if (f == NULL)
		return cp_fatal(SKY_ERR_NOMEM);
	/* Not for ever, should a pipe have taken its place by now. */
	f->fd = open(local, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (f->fd == -1 || fstat(f->fd, &st) == -1)
		return cp_put_refuse(f, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return cp_put_refuse(f, "is no regular file");
	f->size = (uint64_t)st.st_size;
	f->attrs = (struct sftp_attrs){ .has = SFTP_ATTR_MODE | SFTP_ATTR_TIMES,
		.mode = st.st_mode & 0777,
		.atime = cp_time_out(st.st_atime),
		.mtime = cp_time_out(st.st_mtime) };
	f->state =
	    cp->resume || !cp_put_dir_is_new(dir) ? FILE_STAT : FILE_OPEN;
	return 0;
}

/* Told once a file, and not at all where its directory has been. */
static void
cp_put_fail(struct cp_file *f, const struct sftp_reply *reply)
{
	if (!f->failed && (f->dir == NULL || !f->dir->failed))
		cp_fail_remote(f->cp, f->remote, reply);
	f->failed = true;
}

/* Writes may have arrived in any order: up to a window is sent again. */
static int
cp_put_resume(struct cp_file *f, const struct sftp_reply *reply)
{
	if (reply->status == SFTP_OK && (reply->attrs.has & SFTP_ATTR_SIZE))
		f->had = reply->attrs.size;
	else if (reply->status != SFTP_OK &&
	    reply->status != SFTP_NO_SUCH_FILE) {
		cp_put_fail(f, reply);
		cp_file_free(f);
		return 0;
	}
	if (f->had > f->size)
		return cp_put_refuse(f,
		    "is shorter than what the host has of it");
	f->at = f->had > SFTP_WINDOW ? f->had - SFTP_WINDOW : 0;
	f->done = f->at;
	return 0;
}

/* What else may be wrong, OPEN tells. */
static int
cp_put_on_stat(void *owner, struct sftp_reply *reply)
{
	struct cp_file *f = owner;
	struct stat st;

	if (reply->status == SFTP_OK && fstat(f->fd, &st) == 0)
		f->twin = cp_file_is_twin(f, &st, &reply->attrs);
	f->state = FILE_OPEN;
	return f->cp->resume ? cp_put_resume(f, reply) : 0;
}

static int
cp_put_on_open(void *owner, struct sftp_reply *reply)
{
	struct cp_file *f = owner;

	if (reply->status != SFTP_OK) {
		cp_put_fail(f, reply);
		cp_file_free(f);
		return 0;
	}
	f->handle = reply->handle;
	f->state = FILE_COPY;
	return 0;
}

static int
cp_put_on_write(void *owner, struct sftp_reply *reply)
{
	struct cp_file *f = owner;

	f->asked--;
	if (reply->status != SFTP_OK) {
		cp_put_fail(f, reply);
		return 0;
	}
	f->done += reply->length;
	f->cp->progress.bytes += reply->length;
	return 0;
}

static int
cp_put_on_attrs(void *owner, struct sftp_reply *reply)
{
	struct cp_file *f = owner;

	f->asked--;
	if (reply->status != SFTP_OK)
		cp_put_fail(f, reply);
	return 0;
}

/* Hosts answer it after everything that was asked before. */
static int
cp_put_on_close(void *owner, struct sftp_reply *reply)
{
	struct cp_file *f = owner;

	f->asked--;
	if (reply->status != SFTP_OK)
		cp_put_fail(f, reply);
	f->handle.len = 0;
	return 0;
}

/* --- what is put --- */

/* The next piece; behind the last one comes what ends the file. */
static int
cp_put_piece(struct cp_file *f)
{
	struct cp *cp = f->cp;
	ssize_t n = pread(f->fd, cp->chunk, sizeof(cp->chunk), (off_t)f->at);
	int r;

	if (n > 0)
		cp_file_check_growth(f, f->local, "");
	if (f->failed)
		return 0;
	if (n <= 0) {
		if (n == -1 && errno == EINTR)
			return 0;
		if (n == -1) {
			cp_fail(cp, f->local, strerror(errno));
			f->failed = true;
		} else if (f->at < f->size)
			cp_file_is_short(f, f->local, "", f->at);
		f->state = cp->preserve ? FILE_ATTRS : FILE_CLOSE;
		return 0;
	}
	r = sftp_write(&cp->sftp, &f->handle, f->at, cp->chunk, (uint32_t)n,
	    cp_put_on_write, f);
	if (r != 0)
		return r;
	f->asked++;
	f->at += (uint64_t)n;
	return 0;
}

static int
cp_put_pieces(struct cp_file *f)
{
	struct sftp *s = &f->cp->sftp;
	int r = 0;

	if (f->failed)
		f->state = FILE_CLOSE;
	/* What --resume steps back by must not be exceeded. */
	while (r == 0 && f->state == FILE_COPY &&
	    sftp_data_room(s, SFTP_CHUNK) &&
	    f->at + SFTP_CHUNK <= cp_file_prefix(f) + SFTP_WINDOW)
		r = cp_put_piece(f);
	return r;
}

/*
 * Some hosts write in several threads: a late one would change the time again
 * that is set here.
 */
static int
cp_put_attrs(struct cp_file *f)
{
	int r;

	if (f->asked != 0)
		return 0;
	f->state = FILE_CLOSE;
	if (f->failed)
		return 0;
	r = sftp_fsetstat(&f->cp->sftp, &f->handle, &f->attrs, cp_put_on_attrs,
	    f);
	if (r == 0)
		f->asked++;
	return r;
}

/* One step or several, as far as there is room. */
static int
cp_put_serve(struct cp_file *f)
{
	struct sftp_attrs a = { .has = SFTP_ATTR_MODE, .mode = f->attrs.mode };
	uint32_t how = SFTP_OPEN_WRITE | SFTP_OPEN_CREATE;
	struct sftp *s = &f->cp->sftp;
	int r = 0;

	if (f->state == FILE_STAT && sftp_room(s) && !cp_file_waits(f)) {
		f->state = FILE_WAIT;
		r = sftp_stat(s, f->remote, cp_put_on_stat, f);
	} else if (f->state == FILE_OPEN && sftp_room(s) && !cp_file_waits(f)) {
		if (f->at == 0 && !f->twin)
			how |= SFTP_OPEN_TRUNCATE;
		f->state = FILE_WAIT;
		r = sftp_open(s, f->remote, how, &a, cp_put_on_open, f);
	}
	if (r == 0 && f->state == FILE_COPY)
		r = cp_put_pieces(f);
	if (r == 0 && f->state == FILE_ATTRS && sftp_room(s))
		r = cp_put_attrs(f);
	if (r == 0 && f->state == FILE_CLOSE && sftp_room(s) &&
	    (r = sftp_close(s, &f->handle, cp_put_on_close, f)) == 0) {
		f->state = FILE_CLOSING;
		f->asked++;
	}
	if (f->state == FILE_CLOSING && f->asked == 0) {
		if (!f->failed)
			cp_done(f);
		cp_file_free(f);
	}
	return r == 0 ? 0 : cp_fatal(r);
}

/* --- directories that have been filled --- */

static int
cp_put_on_finished(void *owner, struct sftp_reply *reply)
{
	struct cp_dir *d = owner;

	if (reply->status != SFTP_OK)
		cp_fail_remote(d->cp, d->remote, reply);
	cp_dir_free(d);
	return 0;
}

static int
cp_put_finish_dirs(struct cp *cp)
{
	struct cp_dir *d;
	int r = 0;

	while (r == 0 && (d = cp->finished) != NULL && sftp_room(&cp->sftp)) {
		cp->finished = d->next;
		/* The host's umask has done its part when it was made. */
		if (d->failed ||
		    (!cp->preserve &&
			(!d->created || (d->attrs.mode & 0700) == 0700))) {
			cp_dir_free(d);
			continue;
		}
		if (!cp->preserve)
			d->attrs.has = SFTP_ATTR_MODE;
		r = sftp_setstat(&cp->sftp, d->remote, &d->attrs,
		    cp_put_on_finished, d);
	}
	return r == 0 ? 0 : cp_fatal(r);
}

/* --- all of it --- */

static int
cp_put_work(struct cp *cp)
{
	struct cp_file *next;
	int r = 0;

	for (struct cp_file *f = cp->files; r == 0 && f != NULL; f = next) {
		next = f->next;
		r = cp_put_serve(f);
	}
	if (r != 0 || (r = cp_put_finish_dirs(cp)) != 0)
		return r;
	while (r == 0 && !cp_walk_is_over(cp) && cp->nfiles < CP_FILES &&
	    sftp_room(&cp->sftp))
		r = cp_walk_step(cp);
	return r;
}

static bool
cp_put_is_over(const struct cp *cp)
{
	return cp->known && cp_walk_is_over(cp) && cp->files == NULL &&
	    cp->finished == NULL && sftp_busy(&cp->sftp) == 0;
}

/* The host keeps what it has. */
static void
cp_put_abandon(struct cp_file *f)
{
	(void)f;
}

const struct cp_way *
cp_put_way(void)
{
	static const struct cp_way way = { cp_put_begin, cp_put_work,
		cp_put_is_over, cp_put_abandon };

	return &way;
}
