/* SPDX-License-Identifier: ISC */
/* What is kept of a job, in files of the session's user. */
#include "daemon/keeper/keeper_store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/file.h"
#include "common/base/hex.h"

#define STORE_VERSION 1
#define FILE_MAX      (1 + JOB_ENTRY_MAX)
#define SESSION_MAX   (1 + SESS_ENTRY_MAX)
#define ENTRY	      "job"
#define ENTRY_NEW     "job.new"
#define SESSION	      "session"
#define SESSION_NEW   "session.new"
#define LOCK	      "lock"
#define OUT	      "out."
#define OUT_LEN	      (sizeof(OUT) - 1 + 16)
#define HIDDEN	      ".new-" /* in front of the id, until it is shown */
#define UNBEGUN_S     600     /* a folder that was never shown is swept then */
#define NAME_ROOM     64
#define GAP_LEN	      (XS_HEAD_LEN + 8)

static void
store_init(struct store *s, int all)
{
	memset(s, 0, sizeof(*s));
	s->all = all;
	s->dir = s->lock = -1;
}

bool
store_is_name(const char *name)
{
	return strlen(name) == JOB_ID_HEX - 1 && jobmsg_is_id(name);
}

/* A job's folder.  -1 with errno. */
static int
store_open_dir(int all, const char *name)
{
	return openat(all, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

DIR *
store_list(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd != -1 ? fdopendir(fd) : NULL;

	if (d == NULL && fd != -1)
		close(fd);
	return d;
}

/* --- the folder of all --- */

int
store_open_all(const char *path, bool make, char why[STORE_TEXT])
{
	struct stat st;
	char *below;
	int fd;

	/* Those on the way are made for the last one, which is ours alone. */
	if (make && asprintf(&below, "%s/x", path) != -1) {
		(void)file_make_folders(below, 0700);
		free(below);
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1) {
		(void)snprintf(why, STORE_TEXT, "%s: %s", path,
		    strerror(errno));
		return -1;
	}
	if (fstat(fd, &st) == 0 && st.st_uid == geteuid() &&
	    (st.st_mode & 077) == 0)
		return fd;
	(void)snprintf(why, STORE_TEXT,
	    "%s: it must belong to the session's user, with mode 0700", path);
	close(fd);
	return -1;
}

/* --- a new one --- */

/* Its keeper has it for as long as it lives. */
static bool
store_is_locked(const struct store *s)
{
	int fd = openat(s->dir, LOCK,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool locked;

	if (fd == -1)
		return false;
	locked = flock(fd, LOCK_SH | LOCK_NB) == -1 && errno == EWOULDBLOCK;
	close(fd);
	return locked;
}

/* One that is hidden, and about to be shown. */
static bool
store_begins(int all, const char *name)
{
	struct store s;
	bool begins;

	if (strncmp(name, HIDDEN, strlen(HIDDEN)) != 0)
		return false;
	store_init(&s, all);
	s.dir = store_open_dir(all, name);
	begins = s.dir != -1 && store_is_locked(&s);
	store_close(&s);
	return begins;
}

/* How many there are, those of other keys among them. */
static unsigned
store_count(int all)
{
	unsigned n = 0;
	struct dirent *e;
	DIR *d = store_list(all);

	if (d == NULL)
		return 0;
	while ((e = readdir(d)) != NULL)
		n += store_is_name(e->d_name) || store_begins(all, e->d_name);
	closedir(d);
	return n;
}

static void
store_hidden_name(const struct store *s, char name[NAME_ROOM])
{
	char id[JOB_ID_HEX];

	hex_encode(s->entry.id, JOB_ID_LEN, id);
	(void)snprintf(name, NAME_ROOM, HIDDEN "%s", id);
}

static int
store_make(struct store *s)
{
	char name[NAME_ROOM];

	if (getrandom(s->entry.id, JOB_ID_LEN, 0) != JOB_ID_LEN)
		return -1;
	store_hidden_name(s, name);
	if (mkdirat(s->all, name, 0700) == -1)
		return -1;
	if ((s->dir = store_open_dir(s->all, name)) == -1)
		return -1;
	s->lock =
	    openat(s->dir, LOCK, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	/* Who looks whether it is locked has it for a moment. */
	return s->lock != -1 ? flock(s->lock, LOCK_EX) : -1;
}

int
store_new(struct store *s, int all, const struct store_limits *l,
    char why[STORE_TEXT])
{
	int r = -1;

	store_init(s, all);
	s->limit = l->output;
	/* Two that begin at once are one too many after each other. */
	if (flock(all, LOCK_EX) == -1) {
		(void)snprintf(why, STORE_TEXT, "lock: %s", strerror(errno));
		return -1;
	}
	store_sweep(all, l);
	if (store_count(all) >= l->jobs)
		(void)snprintf(why, STORE_TEXT,
		    "%u jobs are kept already, and that is the limit "
		    "(max_jobs); 'skypty job forget' those that have ended",
		    l->jobs);
	else if ((r = store_make(s)) == -1) {
		(void)snprintf(why, STORE_TEXT, "folder of the job: %s",
		    strerror(errno));
		store_undo(s);
	}
	flock(all, LOCK_UN);
	return r;
}

/* A file gets what is in b, all of it or nothing.  0, or -1 with errno. */
static int
store_replace(const struct store *s, struct buf *b, const char *new,
    const char *name, bool sync)
{
	int fd, r = -1;

	fd = openat(s->dir, new,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	while (buf_write(b, fd) > 0)
		;
	if (buf_len(b) == 0 && (!sync || fsync(fd) == 0))
		r = renameat(s->dir, new, s->dir, name);
	close(fd);
	return r;
}

int
store_write_entry(struct store *s)
{
	struct buf b;
	int r;

	buf_init(&b, FILE_MAX);
	s->entry.output = store_end(s);
	s->entry.kept = store_end(s) - store_start(s);
	buf_view(&s->entry.command, s->command, strlen(s->command));
	if (buf_put_u8(&b, STORE_VERSION) != 0 ||
	    jobmsg_put_entry(&b, &s->entry) != 0) {
		buf_free(&b);
		errno = ENOMEM;
		return -1;
	}
	r = store_replace(s, &b, ENTRY_NEW, ENTRY, true);
	buf_free(&b);
	return r;
}

/* It changes often, and nothing is lost with it. */
int
store_write_session(struct store *s, const struct sess_entry *e)
{
	struct buf b;
	int r;

	buf_init(&b, SESSION_MAX);
	if (buf_put_u8(&b, STORE_VERSION) != 0 ||
	    sessmsg_put_entry(&b, e) != 0) {
		buf_free(&b);
		errno = ENOMEM;
		return -1;
	}
	r = store_replace(s, &b, SESSION_NEW, SESSION, false);
	buf_free(&b);
	return r;
}

int
store_show(struct store *s)
{
	char hidden[NAME_ROOM], id[JOB_ID_HEX];
	int r;

	if (store_write_entry(s) == -1 || fsync(s->dir) == -1)
		return -1;
	store_hidden_name(s, hidden);
	hex_encode(s->entry.id, JOB_ID_LEN, id);
	/* Who counts meanwhile would find neither name. */
	if (flock(s->all, LOCK_EX) == -1)
		return -1;
	r = renameat(s->all, hidden, s->all, id);
	flock(s->all, LOCK_UN);
	return r == 0 ? fsync(s->all) : -1;
}

/* --- output --- */

uint64_t
store_start(const struct store *s)
{
	return s->nparts != 0 ? s->part[0].start : 0;
}

uint64_t
store_end(const struct store *s)
{
	const struct store_part *p;

	if (s->nparts == 0)
		return 0;
	p = &s->part[s->nparts - 1];
	return p->start + p->len;
}

static void
store_part_name(char name[NAME_ROOM], uint64_t start)
{
	(void)snprintf(name, NAME_ROOM, OUT "%016" PRIx64, start);
}

static void
store_drop_oldest(struct store *s)
{
	char name[NAME_ROOM];

	store_part_name(name, s->part[0].start);
	(void)unlinkat(s->dir, name, 0);
	close(s->part[0].fd);
	s->nparts--;
	memmove(&s->part[0], &s->part[1], s->nparts * sizeof(s->part[0]));
}

/* The one to write to: another when the last is full. */
static struct store_part *
store_last(struct store *s)
{
	struct store_part *p;
	char name[NAME_ROOM];
	uint64_t start = store_end(s);
	int fd;

	if (s->nparts != 0) {
		p = &s->part[s->nparts - 1];
		if (p->len < s->limit / STORE_PARTS)
			return p;
	}
	store_part_name(name, start);
	fd = openat(s->dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1)
		return NULL;
	if (s->nparts == STORE_PARTS)
		store_drop_oldest(s);
	p = &s->part[s->nparts++];
	*p = (struct store_part){ .start = start, .fd = fd };
	return p;
}

/* All of it or, cut off again, nothing. */
static bool
store_write(struct store *s, struct buf *frame)
{
	struct store_part *p = store_last(s);
	size_t n = buf_len(frame);

	if (p == NULL)
		return false;
	while (buf_write(frame, p->fd) > 0)
		;
	if (buf_len(frame) == 0) {
		p->len += n;
		return true;
	}
	(void)!ftruncate(p->fd, (off_t)p->len);
	(void)lseek(p->fd, (off_t)p->len, SEEK_SET);
	return false;
}

static int
store_put_gap(struct buf *b, uint64_t bytes)
{
	struct buf n;
	int r;

	buf_init(&n, 8);
	if ((r = buf_put_u64(&n, bytes)) == 0)
		r = xs_put_frame(b, (enum xs_tag)JOB_GAP, buf_ptr(&n),
		    buf_len(&n));
	buf_free(&n);
	return r;
}

/* What was lost is told by what is written next, in one piece with it. */
void
store_put(struct store *s, enum xs_tag tag, const uint8_t *p, size_t n)
{
	struct buf b;

	buf_init(&b, GAP_LEN + XS_HEAD_LEN + JOB_OUTPUT_MAX);
	if ((s->lost == 0 || store_put_gap(&b, s->lost) == 0) &&
	    xs_put_frame(&b, tag, p, n) == 0 && store_write(s, &b))
		s->lost = 0;
	else
		s->lost += n;
	buf_free(&b);
}

/* --- reading --- */

static int
store_compare_parts(const void *a, const void *b)
{
	const struct store_part *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* Whether the name is a part's. */
static bool
store_open_part(struct store *s, const char *name)
{
	struct store_part *p = &s->part[s->nparts];
	struct stat st;
	char *end;

	if (strncmp(name, OUT, strlen(OUT)) != 0 || strlen(name) != OUT_LEN ||
	    strspn(name + strlen(OUT), "0123456789abcdef") != 16)
		return false;
	p->start = strtoull(name + strlen(OUT), &end, 16);
	p->fd = openat(s->dir, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (p->fd == -1)
		return false;
	if (fstat(p->fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= 0 &&
	    p->start <= UINT64_MAX - (uint64_t)st.st_size) {
		p->len = (uint64_t)st.st_size;
		return true;
	}
	close(p->fd);
	return false;
}

/* In order. */
static void
store_read_parts(struct store *s)
{
	struct dirent *e;
	DIR *d = store_list(s->dir);

	if (d == NULL)
		return;
	while (s->nparts < STORE_PARTS + 1 && (e = readdir(d)) != NULL)
		s->nparts += store_open_part(s, e->d_name);
	closedir(d);
	qsort(s->part, s->nparts, sizeof(s->part[0]), store_compare_parts);
}

static int
store_get_frame(const struct store_part *p, uint64_t *at, struct buf *b)
{
	uint64_t left = p->len - (*at - p->start);
	uint8_t head[XS_HEAD_LEN], *to;
	struct buf v;
	uint32_t len;
	uint8_t tag;
	int r;

	if (left < sizeof(head) ||
	    pread(p->fd, head, sizeof(head), (off_t)(*at - p->start)) !=
		(ssize_t)sizeof(head))
		return SKY_ERR_FORMAT;
	buf_view(&v, head, sizeof(head));
	if (buf_get_u8(&v, &tag) != 0 || buf_get_u32(&v, &len) != 0 ||
	    (tag != XS_STDOUT && tag != XS_STDERR && tag != JOB_GAP) ||
	    len > JOB_OUTPUT_MAX || len + sizeof(head) > left)
		return SKY_ERR_FORMAT;
	len += sizeof(head);
	if ((r = buf_extend(b, len, &to)) != 0)
		return r;
	if (pread(p->fd, to, len, (off_t)(*at - p->start)) != (ssize_t)len) {
		(void)buf_trim(b, len);
		return SKY_ERR_FORMAT;
	}
	*at += len;
	return 1;
}

int
store_get(const struct store *s, uint64_t *at, struct buf *b)
{
	int r;

	for (size_t i = 0; i < s->nparts; i++) {
		const struct store_part *p = &s->part[i];

		if (*at < p->start) {
			if ((r = store_put_gap(b, p->start - *at)) != 0)
				return r;
			*at = p->start;
		}
		if (*at - p->start < p->len)
			return store_get_frame(p, at, b);
	}
	return 0;
}

/* What is in a file behind its version, which is ours; b is empty. */
static int
store_read_file(const struct store *s, const char *name, size_t max,
    struct buf *b)
{
	uint8_t version;
	ssize_t n;
	int fd, r;

	fd = openat(s->dir, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return SKY_ERR_SYS;
	while ((n = buf_read(b, fd, max)) > 0)
		;
	close(fd);
	r = n == SKY_ERR_EOF ? buf_get_u8(b, &version) : SKY_ERR_FORMAT;
	return r == 0 && version != STORE_VERSION ? SKY_ERR_FORMAT : r;
}

static int
store_read_entry(struct store *s)
{
	struct buf b;
	int r;

	buf_init(&b, FILE_MAX);
	r = store_read_file(s, ENTRY, FILE_MAX, &b);
	if (r == 0 && (r = jobmsg_get_entry(&b, &s->entry)) == 0) {
		size_t len = buf_len(&s->entry.command);

		memcpy(s->command, buf_ptr(&s->entry.command), len);
		s->command[len] = '\0';
		buf_view(&s->entry.command, s->command, len);
	}
	buf_free(&b);
	return r;
}

int
store_read_session(const struct store *s, struct buf *raw, struct sess_entry *e)
{
	int r;

	buf_init(raw, SESSION_MAX);
	if ((r = store_read_file(s, SESSION, SESSION_MAX, raw)) == 0 &&
	    (r = sessmsg_get_entry(raw, e)) == 0 &&
	    memcmp(e->id, s->entry.id, sizeof(e->id)) != 0)
		r = SKY_ERR_FORMAT;
	if (r != 0)
		buf_free(raw);
	return r;
}

int
store_open(struct store *s, int all, const char *name, bool *runs)
{
	char id[JOB_ID_HEX];
	int r;

	store_init(s, all);
	if (!store_is_name(name))
		return SKY_ERR_NOTFOUND;
	if ((s->dir = store_open_dir(all, name)) == -1)
		return SKY_ERR_SYS;
	/* Before the entry: one that ends meanwhile has said so there. */
	*runs = store_is_locked(s);
	if ((r = store_read_entry(s)) == 0) {
		hex_encode(s->entry.id, JOB_ID_LEN, id);
		r = strcmp(id, name) == 0 ? 0 : SKY_ERR_FORMAT;
	}
	if (r != 0) {
		store_close(s);
		return r;
	}
	if (!*runs && s->entry.state == JOB_RUNS)
		s->entry.state = JOB_IS_LOST;
	s->session = faccessat(s->dir, SESSION, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	store_read_parts(s);
	s->entry.output = store_end(s);
	s->entry.kept = store_end(s) - store_start(s);
	return 0;
}

void
store_close(struct store *s)
{
	for (size_t i = 0; i < s->nparts; i++)
		close(s->part[i].fd);
	s->nparts = 0;
	if (s->dir != -1)
		close(s->dir);
	if (s->lock != -1)
		close(s->lock);
	s->dir = s->lock = -1;
}

/* --- removing --- */

/* The entry first: what there is besides is nothing without it. */
int
store_remove(int all, const char *name)
{
	struct dirent *e;
	int dir;
	DIR *d;

	if ((dir = store_open_dir(all, name)) == -1)
		return -1;
	if (unlinkat(dir, ENTRY, 0) == -1 && errno != ENOENT) {
		close(dir);
		return -1;
	}
	if ((d = store_list(dir)) != NULL) {
		while ((e = readdir(d)) != NULL)
			if (strcmp(e->d_name, ".") != 0 &&
			    strcmp(e->d_name, "..") != 0)
				(void)unlinkat(dir, e->d_name, 0);
		closedir(d);
	}
	close(dir);
	return unlinkat(all, name, AT_REMOVEDIR);
}

void
store_undo(struct store *s)
{
	char name[NAME_ROOM], id[JOB_ID_HEX];

	hex_encode(s->entry.id, JOB_ID_LEN, id);
	store_hidden_name(s, name);
	if (store_remove(s->all, name) == -1)
		(void)store_remove(s->all, id);
	store_close(s);
}

/* A folder that has no name yet, or no entry, and that nobody is at. */
static bool
store_is_unbegun(int all, const char *name, bool hidden, time_t now)
{
	struct stat st;
	struct store s;
	bool locked;

	store_init(&s, all);
	s.dir = store_open_dir(all, name);
	if (s.dir == -1)
		return false;
	locked = store_is_locked(&s) || fstat(s.dir, &st) == -1 ||
	    now - st.st_mtime < UNBEGUN_S ||
	    (!hidden &&
		faccessat(s.dir, ENTRY, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
	store_close(&s);
	return !locked;
}

/* Since its end, or its begin where that is not known. */
static bool
store_is_old(int all, const char *name, uint64_t age, time_t now)
{
	struct store s;
	uint64_t since;
	bool runs;

	if (age == 0 || store_open(&s, all, name, &runs) != 0)
		return false;
	since = s.entry.ended != 0 ? s.entry.ended : s.entry.begun;
	store_close(&s);
	return !runs && now > 0 && (uint64_t)now > since &&
	    (uint64_t)now - since > age;
}

/* A session is nothing without its keeper. */
static bool
store_is_dead_session(int all, const char *name)
{
	struct store s;
	bool dead, runs;

	if (store_open(&s, all, name, &runs) != 0)
		return false;
	dead = s.session && !runs;
	store_close(&s);
	return dead;
}

void
store_sweep(int all, const struct store_limits *l)
{
	time_t now = time(NULL);
	struct dirent *e;
	DIR *d = store_list(all);

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		bool hidden = strncmp(e->d_name, HIDDEN, strlen(HIDDEN)) == 0;

		if (!hidden && !store_is_name(e->d_name))
			continue;
		if (store_is_unbegun(all, e->d_name, hidden, now) ||
		    (!hidden &&
			(store_is_old(all, e->d_name, l->age, now) ||
			    store_is_dead_session(all, e->d_name))))
			(void)store_remove(all, e->d_name);
	}
	closedir(d);
}
