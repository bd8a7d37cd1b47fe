/* SPDX-License-Identifier: ISC */
/*
 * skypty cp, downloads.  READs of many pieces and of many files are under way;
 * answers may be short and come in any order, so what lies behind the first
 * gap is cut off when a copy ends early.
 */
#include "client/cp/cp.h"
#include "client/sftp/sftp.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/err.h"

/* A READ behind the size that was told, to see that the file ends there. */
#define PROBE 16384
/* Pieces never get smaller than any host must be able to answer. */
#define PIECE_MIN 32768

/* --- the target --- */

static int
cp_get_begin(struct cp *cp)
{
	struct stat st;
	bool there = stat(cp->target, &st) == 0;

	if (!there && errno != ENOENT) {
		cp_fail(cp, cp->target, strerror(errno));
		return 1;
	}
	cp->known = true;
	cp->into = there && S_ISDIR(st.st_mode);
	if (cp->many && !cp->into) {
		cp_fail(cp, cp->target, "is no directory");
		return 1;
	}
	return 0;
}

/* --- the local file --- */

static mode_t
cp_get_mode_of(const struct cp_file *f)
{
	return f->attrs.has & SFTP_ATTR_MODE ? f->attrs.mode & 0777 : 0666;
}

/* Whether the host has had its say in the name. */
static bool
cp_get_is_chosen(const struct cp *cp)
{
	return cp->globbed && cp->into;
}

/*
 * Our own descriptors, under the names that they have: a process that may not
 * be dumped cannot open them anew.  -1 for other names.
 */
static int
cp_get_own_descriptor(const char *path)
{
	static const char *const folders[] = { "/dev/fd/", "/proc/self/fd/" };
	const char *problem;
	int fd;

	if (strcmp(path, "/dev/stdout") == 0)
		return STDOUT_FILENO;
	if (strcmp(path, "/dev/stderr") == 0)
		return STDERR_FILENO;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (strncmp(path, folders[i], strlen(folders[i])) == 0) {
			fd = (int)strtonum(path + strlen(folders[i]), 0,
			    INT_MAX, &problem);
			return problem == NULL ? fd : -1;
		}
	return -1;
}

/* As with cp(1), who writes to a pipe waits for somebody to read it. */
static int
cp_get_open_pipe(const char *path, int flags)
{
	const struct timespec pause = { .tv_nsec = 50L * 1000 * 1000 };
	struct stat st;
	sigset_t open;
	int fd;

	if (stat(path, &st) == -1 || !S_ISFIFO(st.st_mode)) {
		errno = ENXIO;
		return -1;
	}
	sigprocmask(SIG_SETMASK, NULL, &open);
	sigdelset(&open, SIGINT);
	sigdelset(&open, SIGTERM);
	sigdelset(&open, SIGHUP);
	while ((fd = openat(AT_FDCWD, path, flags)) == -1 && errno == ENXIO)
		if (ppoll(NULL, 0, &pause, &open) == -1)
			break;
	return fd;
}

/*
 * The user's own target may be a link; below it the host chooses the names and
 * links are not followed.
 */
static int
cp_get_open_local(struct cp_file *f)
{
	int flags = O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	int at = f->dir != NULL ? f->dir->fd : AT_FDCWD;
	const char *path = f->dir != NULL ? f->name : f->local;
	int own = f->dir != NULL ? -1 : cp_get_own_descriptor(path);

	if (own != -1) {
		f->stream = true;
		return f->fd = fcntl(own, F_DUPFD_CLOEXEC, 0);
	}
	if (f->dir != NULL || cp_get_is_chosen(f->cp))
		flags |= O_NOFOLLOW;
	f->fd = openat(at, path, flags);
	if (f->fd == -1 && errno == ENXIO && f->dir == NULL &&
	    !cp_get_is_chosen(f->cp))
		f->fd = cp_get_open_pipe(path, flags);
	if (f->fd == -1 && errno == ENOENT) {
		f->fd = openat(at, path, flags | O_CREAT,
		    cp_get_mode_of(f) | S_IWUSR);
		f->created = f->fd != -1;
	}
	return f->fd;
}

/* /dev/null, /dev/stdout, a pipe, a disk, if the user has named it. */
static const char *
cp_get_prepare_stream(struct cp_file *f, mode_t mode)
{
	if (!f->stream &&
	    (f->dir != NULL || cp_get_is_chosen(f->cp) ||
		!(S_ISCHR(mode) || S_ISBLK(mode) || S_ISFIFO(mode))))
		return "is no regular file";
	if (f->cp->resume)
		return "is no regular file: there is nothing to resume";
	if (f->stream)
		return NULL;
	f->stream = true;
	return fcntl(f->fd, F_SETFL, 0) == -1 ? strerror(errno) : NULL;
}

/* Why it cannot be written, or NULL. */
static const char *
cp_get_prepare(struct cp_file *f)
{
	struct stat st;

	if (cp_get_open_local(f) == -1)
		return errno == ELOOP ?
		    "is a symbolic link here: not written through" :
		    strerror(errno);
	if (fstat(f->fd, &st) == -1)
		return strerror(errno);
	if (!S_ISREG(st.st_mode) || f->stream)
		return cp_get_prepare_stream(f, st.st_mode);
	f->twin = cp_file_is_twin(f, &st, &f->attrs);
	if (!f->cp->resume && !f->twin)
		return st.st_size != 0 && ftruncate(f->fd, 0) == -1 ?
		    strerror(errno) :
		    NULL;
	f->had = (uint64_t)st.st_size;
	if (!f->cp->resume)
		return NULL;
	if (f->had > f->size)
		return "is longer than what the host has";
	f->at = f->had > SFTP_WINDOW ? f->had - SFTP_WINDOW : 0;
	f->done = f->at;
	return NULL;
}

static int
cp_get_write_all(const struct cp_file *f, const struct buf *b, uint64_t at)
{
	const uint8_t *p = buf_ptr(b);
	size_t left = buf_len(b);
	ssize_t n;

	while (left > 0) {
		n = f->stream ? write(f->fd, p, left) :
				pwrite(f->fd, p, left, (off_t)at);
		if (n == -1 && errno == EAGAIN)
			(void)poll(
			    &(struct pollfd){ .fd = f->fd, .events = POLLOUT },
			    1, -1);
		else if (n == -1 && errno != EINTR)
			return -1;
		if (n > 0) {
			p += n;
			left -= (size_t)n;
			at += (uint64_t)n;
		}
	}
	return 0;
}

static void
cp_get_fail(struct cp_file *f, const char *why)
{
	if (!f->failed)
		cp_fail(f->cp, f->local, why);
	f->failed = true;
}

/* Nothing behind a gap stays, but what a former copy left is not lost. */
static void
cp_get_abandon(struct cp_file *f)
{
	uint64_t end = cp_file_prefix(f);

	if (f->fd == -1 || f->stream)
		return;
	if (end < f->had)
		end = f->had;
	if (ftruncate(f->fd, (off_t)end) == -1)
		cp_get_fail(f, strerror(errno));
}

static int
cp_get_set_attrs(const struct cp_file *f)
{
	const struct sftp_attrs *a = &f->attrs;
	struct timespec ts[2] = { { .tv_sec = cp_time_in(a->atime) },
		{ .tv_sec = cp_time_in(a->mtime) } };
	bool mode = (a->has & SFTP_ATTR_MODE) != 0;

	if (f->stream)
		return 0;
	if (f->cp->preserve) {
		if (mode && fchmod(f->fd, cp_get_mode_of(f)) == -1)
			return -1;
		return a->has & SFTP_ATTR_TIMES ? futimens(f->fd, ts) : 0;
	}
	if (f->created && !(cp_get_mode_of(f) & S_IWUSR))
		return fchmod(f->fd, cp_get_mode_of(f) & ~f->cp->mask);
	return 0;
}

static void
cp_get_finish_local(struct cp_file *f)
{
	int fd = f->fd;

	if (fd == -1)
		return;
	if (!f->failed && (f->attrs.has & SFTP_ATTR_SIZE) && f->eof < f->size)
		cp_file_is_short(f, f->remote, " on the host", f->eof);
	if (f->failed)
		cp_get_abandon(f);
	else if ((f->high > f->eof && !f->stream &&
		     ftruncate(f->fd, (off_t)f->eof) == -1) ||
	    cp_get_set_attrs(f) == -1)
		cp_get_fail(f, strerror(errno));
	f->fd = -1;
	if (close(fd) == -1)
		cp_get_fail(f, strerror(errno));
}

/* --- answers --- */

static int
cp_get_drop(struct cp_file *f, const struct sftp_reply *reply)
{
	cp_fail_remote(f->cp, f->remote, reply);
	cp_file_free(f);
	return 0;
}

static int
cp_get_refuse(struct cp_file *f, const char *why)
{
	cp_fail(f->cp, f->remote, why);
	cp_file_free(f);
	return 0;
}

static void
cp_get_count_stat(struct cp_file *f, unsigned by)
{
	if (f->dir == NULL)
		return;
	f->dir->stats += by;
	f->cp->nstats += by;
}

static int
cp_get_on_stat(void *owner, struct sftp_reply *reply)
{
	struct cp_file *f = owner;
	mode_t type;

	cp_get_count_stat(f, -1U);
	if (reply->status != SFTP_OK)
		return cp_get_drop(f, reply);
	f->attrs = reply->attrs;
	f->size = f->attrs.has & SFTP_ATTR_SIZE ? f->attrs.size : 0;
	f->state = FILE_OPEN;
	type = f->attrs.has & SFTP_ATTR_MODE ? f->attrs.mode & S_IFMT : 0;
	if (type == S_IFDIR) {
		f->state = FILE_WAIT;
		if (f->cp->recursive)
			return cp_real_find(f);
		return cp_get_refuse(f,
		    "is a directory: not copied without -r");
	}
	if (type == S_IFREG || type == 0)
		return 0;
	return cp_get_refuse(f,
	    "is neither a file nor a directory: not copied");
}

static int
cp_get_on_open(void *owner, struct sftp_reply *reply)
{
	struct cp_file *f = owner;
	const char *why;

	if (reply->status != SFTP_OK)
		return cp_get_drop(f, reply);
	f->handle = reply->handle;
	f->state = FILE_COPY;
	if ((why = cp_get_prepare(f)) == NULL)
		return 0;
	cp_get_fail(f, why);
	if (f->fd != -1)
		close(f->fd); /* as it was */
	f->fd = -1;
	return 0;
}

static void
cp_get_lost(struct cp_file *f, uint64_t at)
{
	if (f->bad > at)
		f->bad = at;
}

static int cp_get_on_read(void *, struct sftp_reply *);

/* The rest of a piece; hosts that give less than asked are asked for less. */
static int
cp_get_ask_rest(struct cp_file *f, const struct sftp_reply *reply, uint32_t n)
{
	struct cp *cp = f->cp;
	int r;

	if (reply->offset + n < f->size && n < cp->read_size)
		cp->read_size = n > PIECE_MIN ? n : PIECE_MIN;
	r = sftp_read(&cp->sftp, &f->handle, reply->offset + n,
	    reply->length - n, cp_get_on_read, f);
	if (r == 0)
		f->asked++;
	return r == 0 ? 0 : cp_fatal(r);
}

static int
cp_get_take_data(struct cp_file *f, const struct sftp_reply *reply)
{
	uint32_t n = (uint32_t)buf_len(&reply->data);

	if (f->failed) {
		cp_get_lost(f, reply->offset);
		return 0;
	}
	if (cp_get_write_all(f, &reply->data, reply->offset) == -1) {
		cp_get_lost(f, reply->offset);
		cp_get_fail(f, strerror(errno));
		return 0;
	}
	if (f->high < reply->offset + n)
		f->high = reply->offset + n;
	f->done += n;
	f->cp->progress.bytes += n;
	return n < reply->length ? cp_get_ask_rest(f, reply, n) : 0;
}

static int
cp_get_on_read(void *owner, struct sftp_reply *reply)
{
	struct cp_file *f = owner;

	f->asked--;
	if (reply->status == SFTP_OK)
		return cp_get_take_data(f, reply);
	if (reply->status == SFTP_EOF) {
		if (f->eof > reply->offset)
			f->eof = reply->offset;
		return 0;
	}
	cp_get_lost(f, reply->offset);
	if (!f->failed)
		cp_fail_remote(f->cp, f->remote, reply);
	f->failed = true;
	return 0;
}

static int
cp_get_on_close(void *owner, struct sftp_reply *reply)
{
	struct cp_file *f = owner;

	(void)reply; /* nothing was written there */
	if (!f->failed)
		cp_done(f);
	cp_file_free(f);
	return 0;
}

/* --- requests --- */

/* How much to ask for next, or 0. */
static uint32_t
cp_get_piece(const struct cp_file *f)
{
	uint64_t left;
	uint32_t n = f->cp->read_size;

	if (f->failed || f->eof != UINT64_MAX || (f->stream && f->asked != 0))
		return 0;
	if (f->at == f->size)
		n = PROBE;
	else if (f->at > f->size) /* it has grown: one by one */
		return f->asked == 0 ? n : 0;
	left = f->size - f->at;
	return left != 0 && left < n ? (uint32_t)left : n;
}

static int
cp_get_ask_pieces(struct cp_file *f)
{
	struct sftp *s = &f->cp->sftp;
	uint32_t n;
	int r;

	if (!f->failed && f->eof == UINT64_MAX)
		cp_file_check_growth(f, f->remote, " on the host");
	while ((n = cp_get_piece(f)) != 0 && sftp_data_room(s, n) &&
	    f->at + n <= cp_file_prefix(f) + SFTP_WINDOW) {
		if ((r = sftp_read(s, &f->handle, f->at, n, cp_get_on_read,
			 f)) != 0)
			return r;
		f->asked++;
		f->at += n;
	}
	if (f->asked == 0 && (f->failed || f->eof != UINT64_MAX)) {
		cp_get_finish_local(f);
		f->state = FILE_CLOSE;
	}
	return 0;
}

static int
cp_get_serve(struct cp_file *f)
{
	struct sftp *s = &f->cp->sftp;
	int r = 0;

	if (f->state == FILE_STAT && sftp_room(s)) {
		f->state = FILE_WAIT;
		r = sftp_stat(s, f->remote, cp_get_on_stat, f);
	} else if (f->state == FILE_OPEN && sftp_room(s) && !cp_file_waits(f)) {
		static const struct sftp_attrs none;

		f->state = FILE_WAIT;
		r = sftp_open(s, f->remote, SFTP_OPEN_READ, &none,
		    cp_get_on_open, f);
	} else if (f->state == FILE_COPY)
		r = cp_get_ask_pieces(f);
	if (r == 0 && f->state == FILE_CLOSE && sftp_room(s)) {
		f->state = FILE_CLOSING;
		r = sftp_close(s, &f->handle, cp_get_on_close, f);
	}
	return r == 0 ? 0 : cp_fatal(r);
}

/* --- beginning with files --- */

int
cp_get_file(struct cp *cp, struct cp_dir *dir, char *local, char *remote,
    const struct sftp_attrs *a)
{
	struct cp_file *f = cp_file_new(cp, dir, local, remote);

	if (f == NULL)
		return cp_fatal(SKY_ERR_NOMEM);
	if (a != NULL && (a->has & SFTP_ATTR_MODE) &&
	    (a->has & SFTP_ATTR_SIZE) && S_ISREG(a->mode)) {
		f->attrs = *a;
		f->size = a->size;
		f->state = FILE_OPEN;
	} else {
		f->state = FILE_STAT;
		cp_get_count_stat(f, 1);
	}
	return 0;
}

/* --- all of it --- */

/* What was written into a directory has changed its time. */
static void
cp_get_finish_dir(struct cp_dir *d)
{
	const struct sftp_attrs *a = &d->attrs;
	struct timespec ts[2] = { { .tv_sec = cp_time_in(a->atime) },
		{ .tv_sec = cp_time_in(a->mtime) } };
	mode_t mode = a->mode & 0777;
	int r = 0;

	if (d->failed || !(a->has & SFTP_ATTR_MODE))
		return;
	if (d->cp->preserve) {
		r = fchmod(d->fd, mode);
		if (r == 0 && (a->has & SFTP_ATTR_TIMES))
			r = futimens(d->fd, ts);
	} else if (d->created && (mode & 0700) != 0700)
		r = fchmod(d->fd, mode & ~d->cp->mask);
	if (r == -1)
		cp_fail(d->cp, d->local, strerror(errno));
}

static int
cp_get_work(struct cp *cp)
{
	const struct cp_source *source;
	struct cp_file *next;
	struct cp_dir *d;
	int r = 0;

	for (struct cp_file *f = cp->files; r == 0 && f != NULL; f = next) {
		next = f->next;
		r = cp_get_serve(f);
	}
	while (r == 0 && cp->found->path != NULL && cp->nfiles < CP_FILES) {
		source = cp->found++;
		r = cp_get_file(cp, NULL,
		    cp->into && *source->name != '\0' ?
			cp_join(cp->target, source->name) :
			strdup(cp->target),
		    strdup(source->path), NULL);
	}
	if (r == 0)
		r = cp_list_work(cp);
	while ((d = cp->finished) != NULL) {
		cp->finished = d->next;
		cp_get_finish_dir(d);
		cp_dir_free(d);
	}
	return r;
}

static bool
cp_get_is_over(const struct cp *cp)
{
	return cp->found->path == NULL && cp->dir == NULL &&
	    cp->files == NULL && cp->finished == NULL &&
	    sftp_busy(&cp->sftp) == 0;
}

const struct cp_way *
cp_get_way(void)
{
	static const struct cp_way way = { cp_get_begin, cp_get_work,
		cp_get_is_over, cp_get_abandon };

	return &way;
}
