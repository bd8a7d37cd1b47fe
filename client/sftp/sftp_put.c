/* SPDX-License-Identifier: ISC */
/* SFTP, what we ask.  A packet that does not fit leaves no trace. */
#include "client/sftp/sftp.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/base/err.h"

/* File bytes take no more than these, so that the rest finds a place. */
#define DATA_REQUESTS (SFTP_REQUESTS - 32)
/* What waits to be sent is kept short: appending to it may move it. */
#define BACKLOG_MAX (192U * 1024)

/* A packet in the making; the first error stays. */
struct sftp_packet {
	struct sftp *s;
	struct sftp_request *q;
	size_t start;
	int error;
};

bool
sftp_room(const struct sftp *s)
{
	return s->ready && s->busy < SFTP_REQUESTS &&
	    buf_len(s->out) < BACKLOG_MAX;
}

bool
sftp_data_room(const struct sftp *s, size_t n)
{
	return sftp_room(s) && s->busy < DATA_REQUESTS &&
	    s->under_way + n <= SFTP_WINDOW;
}

/* --- pieces --- */

static void
sftp_put_u32(struct sftp_packet *p, uint32_t v)
{
	if (p->error == 0)
		p->error = buf_put_u32(p->s->out, v);
}

static void
sftp_put_u64(struct sftp_packet *p, uint64_t v)
{
	if (p->error == 0)
		p->error = buf_put_u64(p->s->out, v);
}

static void
sftp_put_string(struct sftp_packet *p, const void *text, size_t n)
{
	if (p->error == 0)
		p->error = buf_put_string(p->s->out, text, n);
}

static void
sftp_put_handle(struct sftp_packet *p, const struct sftp_handle *h)
{
	sftp_put_string(p, h->b, h->len);
}

/* Sizes and owners are never set. */
static void
sftp_put_attrs(struct sftp_packet *p, const struct sftp_attrs *a)
{
	uint32_t has = a->has & (SFTP_ATTR_MODE | SFTP_ATTR_TIMES);

	sftp_put_u32(p, has);
	if (has & SFTP_ATTR_MODE)
		sftp_put_u32(p, a->mode);
	if (has & SFTP_ATTR_TIMES) {
		sftp_put_u32(p, a->atime);
		sftp_put_u32(p, a->mtime);
	}
}

/* --- packets --- */

static struct sftp_request *
sftp_find_free(struct sftp *s)
{
	struct sftp_request *q;

	for (size_t i = 0; i < SFTP_REQUESTS; i++) {
		q = &s->requests[s->serial++ % SFTP_REQUESTS];
		if (q->type == 0) {
			q->id = s->serial - 1;
			return q;
		}
	}
	return NULL;
}

static struct sftp_packet
sftp_put_begin(struct sftp *s, enum sftp_type type)
{
	struct sftp_packet p = { .s = s, .start = buf_len(s->out) };

	if ((p.q = sftp_find_free(s)) == NULL) {
		p.error = SKY_ERR_LIMIT;
		return p;
	}
	p.q->offset = 0;
	p.q->length = 0;
	sftp_put_u32(&p, 0); /* its length, in the end */
	if (p.error == 0)
		p.error = buf_put_u8(s->out, (uint8_t)type);
	sftp_put_u32(&p, p.q->id);
	return p;
}

static int
sftp_finish(struct sftp_packet *p, enum sftp_type type, sftp_fn *fn,
    void *owner)
{
	struct buf *out = p->s->out;
	size_t n = buf_len(out) - p->start;
	uint8_t raw[4];

	if (p->error == 0) {
		n -= sizeof(raw);
		for (size_t i = 0; i < sizeof(raw); i++)
			raw[i] = (uint8_t)(n >> (24 - 8 * i));
		p->error = buf_poke(out, p->start, raw, sizeof(raw));
	}
	if (p->error != 0) {
		buf_trim(out, buf_len(out) - p->start);
		return p->error;
	}
	p->q->type = (uint8_t)type;
	p->q->fn = fn;
	p->q->owner = owner;
	p->s->busy++;
	p->s->under_way += p->q->length;
	return 0;
}

static int
sftp_put_path(struct sftp *s, enum sftp_type type, const char *path,
    sftp_fn *fn, void *owner)
{
	struct sftp_packet p = sftp_put_begin(s, type);

	sftp_put_string(&p, path, strlen(path));
	return sftp_finish(&p, type, fn, owner);
}

static int
sftp_put_path_attrs(struct sftp *s, enum sftp_type type, const char *path,
    const struct sftp_attrs *a, sftp_fn *fn, void *owner)
{
	struct sftp_packet p = sftp_put_begin(s, type);

	sftp_put_string(&p, path, strlen(path));
	sftp_put_attrs(&p, a);
	return sftp_finish(&p, type, fn, owner);
}

static int
sftp_put_handle_only(struct sftp *s, enum sftp_type type,
    const struct sftp_handle *h, sftp_fn *fn, void *owner)
{
	struct sftp_packet p = sftp_put_begin(s, type);

	sftp_put_handle(&p, h);
	return sftp_finish(&p, type, fn, owner);
}

/* --- requests --- */

int
sftp_open(struct sftp *s, const char *path, uint32_t how,
    const struct sftp_attrs *a, sftp_fn *fn, void *owner)
{
	struct sftp_packet p = sftp_put_begin(s, SFTP_OPEN);

	sftp_put_string(&p, path, strlen(path));
	sftp_put_u32(&p, how);
	sftp_put_attrs(&p, a);
	return sftp_finish(&p, SFTP_OPEN, fn, owner);
}

int
sftp_opendir(struct sftp *s, const char *path, sftp_fn *fn, void *owner)
{
	return sftp_put_path(s, SFTP_OPENDIR, path, fn, owner);
}

int
sftp_read(struct sftp *s, const struct sftp_handle *h, uint64_t offset,
    uint32_t n, sftp_fn *fn, void *owner)
{
	struct sftp_packet p = sftp_put_begin(s, SFTP_READ);

	sftp_put_handle(&p, h);
	sftp_put_u64(&p, offset);
	sftp_put_u32(&p, n);
	if (p.error == 0) {
		p.q->offset = offset;
		p.q->length = n;
	}
	return sftp_finish(&p, SFTP_READ, fn, owner);
}

int
sftp_readdir(struct sftp *s, const struct sftp_handle *h, sftp_fn *fn,
    void *owner)
{
	return sftp_put_handle_only(s, SFTP_READDIR, h, fn, owner);
}

int
sftp_realpath(struct sftp *s, const char *path, sftp_fn *fn, void *owner)
{
	return sftp_put_path(s, SFTP_REALPATH, path, fn, owner);
}

int
sftp_readlink(struct sftp *s, const char *path, sftp_fn *fn, void *owner)
{
	return sftp_put_path(s, SFTP_READLINK, path, fn, owner);
}

int
sftp_expand(struct sftp *s, const char *path, sftp_fn *fn, void *owner)
{
	static const char name[] = "expand-path@openssh.com";
	struct sftp_packet p = sftp_put_begin(s, SFTP_EXTENDED);

	sftp_put_string(&p, name, sizeof(name) - 1);
	sftp_put_string(&p, path, strlen(path));
	return sftp_finish(&p, SFTP_EXTENDED, fn, owner);
}

int
sftp_stat(struct sftp *s, const char *path, sftp_fn *fn, void *owner)
{
	return sftp_put_path(s, SFTP_STAT, path, fn, owner);
}

int
sftp_write(struct sftp *s, const struct sftp_handle *h, uint64_t offset,
    const void *bytes, uint32_t n, sftp_fn *fn, void *owner)
{
	struct sftp_packet p = sftp_put_begin(s, SFTP_WRITE);

	sftp_put_handle(&p, h);
	sftp_put_u64(&p, offset);
	sftp_put_string(&p, bytes, n);
	if (p.error == 0) {
		p.q->offset = offset;
		p.q->length = n;
	}
	return sftp_finish(&p, SFTP_WRITE, fn, owner);
}

int
sftp_close(struct sftp *s, const struct sftp_handle *h, sftp_fn *fn,
    void *owner)
{
	return sftp_put_handle_only(s, SFTP_CLOSE, h, fn, owner);
}

int
sftp_mkdir(struct sftp *s, const char *path, const struct sftp_attrs *a,
    sftp_fn *fn, void *owner)
{
	return sftp_put_path_attrs(s, SFTP_MKDIR, path, a, fn, owner);
}

int
sftp_setstat(struct sftp *s, const char *path, const struct sftp_attrs *a,
    sftp_fn *fn, void *owner)
{
	return sftp_put_path_attrs(s, SFTP_SETSTAT, path, a, fn, owner);
}

int
sftp_fsetstat(struct sftp *s, const struct sftp_handle *h,
    const struct sftp_attrs *a, sftp_fn *fn, void *owner)
{
	struct sftp_packet p = sftp_put_begin(s, SFTP_FSETSTAT);

	sftp_put_handle(&p, h);
	sftp_put_attrs(&p, a);
	return sftp_finish(&p, SFTP_FSETSTAT, fn, owner);
}
