/* SPDX-License-Identifier: ISC */
/*
 * SFTP, what the host says.  A packet is u32 length, u8 type, u32 id, content;
 * nothing in it is believed before a getter has checked it, and an answer that
 * was not asked for ends everything.  draft-ietf-secsh-filexfer-02.
 */
#include "client/sftp/sftp.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/base/err.h"

int
sftp_init(struct sftp *s, struct buf *in, struct buf *out)
{
	int r;

	*s = (struct sftp){ .in = in, .out = out };
	if ((r = buf_put_u32(out, 1 + 4)) != 0 ||
	    (r = buf_put_u8(out, SFTP_INIT)) != 0)
		return r;
	return buf_put_u32(out, SFTP_VERSION);
}

bool
sftp_ready(const struct sftp *s)
{
	return s->ready;
}

unsigned
sftp_busy(const struct sftp *s)
{
	return s->busy;
}

uint64_t
sftp_lowest(const struct sftp *s, const void *owner, uint64_t none)
{
	const struct sftp_request *q;

	for (size_t i = 0; i < SFTP_REQUESTS; i++) {
		q = &s->requests[i];
		if ((q->type == SFTP_READ || q->type == SFTP_WRITE) &&
		    q->owner == owner && q->offset < none)
			none = q->offset;
	}
	return none;
}

const char *
sftp_text(uint32_t status)
{
	static const char *const texts[] = { "success", "end of file",
		"No such file or directory", "Permission denied", "failure",
		"bad message", "no connection", "connection lost",
		"not supported by the host" };

	if (status >= sizeof(texts) / sizeof(texts[0]))
		return "unknown error";
	return texts[status];
}

/* --- content --- */

/* flags, [u64 size], [u32 uid, gid], [u32 mode], [u32 atime, mtime], [more] */
static int
sftp_get_extended(struct buf *p)
{
	struct buf text;
	uint32_t n;
	int r;

	if ((r = buf_get_u32(p, &n)) != 0)
		return r;
	/* Each takes bytes off the packet or ends this. */
	for (; n > 0; n--)
		if ((r = buf_get_string(p, &text)) != 0 ||
		    (r = buf_get_string(p, &text)) != 0)
			return r;
	return 0;
}

static int
sftp_get_attrs(struct buf *p, struct sftp_attrs *a)
{
	int r;

	*a = (struct sftp_attrs){ .has = 0 };
	if ((r = buf_get_u32(p, &a->has)) != 0)
		return r;
	if ((a->has & SFTP_ATTR_SIZE) && (r = buf_get_u64(p, &a->size)) != 0)
		return r;
	if ((a->has & SFTP_ATTR_OWNER) && (r = buf_skip(p, 2 * 4)) != 0)
		return r;
	if ((a->has & SFTP_ATTR_MODE) && (r = buf_get_u32(p, &a->mode)) != 0)
		return r;
	if ((a->has & SFTP_ATTR_TIMES) &&
	    ((r = buf_get_u32(p, &a->atime)) != 0 ||
		(r = buf_get_u32(p, &a->mtime)) != 0))
		return r;
	return a->has & SFTP_ATTR_EXTENDED ? sftp_get_extended(p) : 0;
}

/* string name, string as "ls -l" shows it, attributes */
int
sftp_next_name(struct buf *names, struct buf *name, struct sftp_attrs *a)
{
	struct buf line;
	int r;

	if ((r = buf_get_string(names, name)) != 0 ||
	    (r = buf_get_string(names, &line)) != 0)
		return r;
	return sftp_get_attrs(names, a);
}

/* u32 status, string message, string language; old hosts send no texts. */
static int
sftp_get_status(struct buf *p, struct sftp_reply *reply)
{
	int r;

	if ((r = buf_get_u32(p, &reply->status)) != 0)
		return r;
	if (buf_len(p) == 0)
		return 0;
	if ((r = buf_get_string(p, &reply->message)) != 0)
		return r;
	return buf_skip(p, buf_len(p));
}

static int
sftp_get_handle(struct buf *p, struct sftp_handle *h)
{
	struct buf text;
	int r;

	if ((r = buf_get_string(p, &text)) != 0)
		return r;
	if (buf_len(&text) > sizeof(h->b))
		return SKY_ERR_LIMIT;
	h->len = buf_len(&text);
	return buf_get(&text, h->b, h->len);
}

/* More than was asked for is an error, nothing at all would be for ever. */
static int
sftp_get_data(struct buf *p, struct sftp_reply *reply)
{
	int r;

	if ((r = buf_get_string(p, &reply->data)) != 0)
		return r;
	if (buf_len(&reply->data) == 0 || buf_len(&reply->data) > reply->length)
		return SKY_ERR_RANGE;
	return 0;
}

/* u32 count, entries: walked through once here, taken by the caller later. */
static int
sftp_get_names(struct buf *p, struct sftp_reply *reply)
{
	struct sftp_attrs a;
	struct buf name;
	int r;

	if ((r = buf_get_u32(p, &reply->count)) != 0)
		return r;
	if (reply->count == 0)
		return SKY_ERR_RANGE;
	buf_view(&reply->names, buf_ptr(p), buf_len(p));
	for (uint32_t i = 0; i < reply->count; i++)
		if ((r = sftp_next_name(p, &name, &a)) != 0)
			return r;
	return 0;
}

/* --- packets --- */

static int
sftp_get_content(struct buf *p, uint8_t type, struct sftp_reply *reply)
{
	switch (type) {
	case SFTP_STATUS:
		return sftp_get_status(p, reply);
	case SFTP_HANDLE:
		return sftp_get_handle(p, &reply->handle);
	case SFTP_DATA:
		return sftp_get_data(p, reply);
	case SFTP_NAME:
		return sftp_get_names(p, reply);
	case SFTP_ATTRS:
		return sftp_get_attrs(p, &reply->attrs);
	}
	return SKY_ERR_TYPE;
}

/* What answers a request when it succeeds, or a status that it does not. */
static int
sftp_check_answer(uint8_t request, uint8_t answer,
    const struct sftp_reply *reply)
{
	uint8_t wanted = SFTP_STATUS;

	switch (request) {
	case SFTP_OPEN:
	case SFTP_OPENDIR:
		wanted = SFTP_HANDLE;
		break;
	case SFTP_READ:
		wanted = SFTP_DATA;
		break;
	case SFTP_READDIR:
	case SFTP_REALPATH:
	case SFTP_READLINK:
	case SFTP_EXTENDED:
		wanted = SFTP_NAME;
		break;
	case SFTP_STAT:
		wanted = SFTP_ATTRS;
		break;
	}
	if (answer == SFTP_STATUS)
		return wanted != SFTP_STATUS && reply->status == SFTP_OK ?
		    SKY_ERR_TYPE :
		    0;
	if (answer != wanted)
		return SKY_ERR_TYPE;
	return request != SFTP_READDIR && reply->count > 1 ? SKY_ERR_RANGE : 0;
}

/* The request is over before its owner is called: it may put the next. */
static int
sftp_answer(struct sftp *s, struct sftp_request *q, uint8_t type, struct buf *p)
{
	struct sftp_request was = *q;
	struct sftp_reply reply;
	int r;

	reply.status = SFTP_OK;
	reply.handle.len = 0;
	reply.count = 0;
	buf_view(&reply.message, NULL, 0);
	reply.offset = was.offset;
	reply.length = was.length;
	if ((r = sftp_get_content(p, type, &reply)) != 0 ||
	    (r = sftp_check_answer(was.type, type, &reply)) != 0 ||
	    (r = buf_at_end(p)) != 0)
		return r;
	q->type = 0;
	s->busy--;
	s->under_way -= was.length;
	return was.fn(was.owner, &reply);
}

static int
sftp_take_packet(struct sftp *s, struct buf *p)
{
	struct sftp_request *q;
	uint8_t type;
	uint32_t id, version;
	int r;

	if ((r = buf_get_u8(p, &type)) != 0)
		return r;
	/* The greeting: u32 version, then pairs that name extensions. */
	if (!s->ready) {
		if (type != SFTP_VERSION_ANSWER)
			return SKY_ERR_TYPE;
		if ((r = buf_get_u32(p, &version)) != 0)
			return r;
		s->ready = version == SFTP_VERSION;
		return s->ready ? 0 : SKY_ERR_RANGE;
	}
	if ((r = buf_get_u32(p, &id)) != 0)
		return r;
	q = &s->requests[id % SFTP_REQUESTS];
	if (q->type == 0 || q->id != id)
		return SKY_ERR_NOTFOUND;
	return sftp_answer(s, q, type, p);
}

/* The next packet as a view of the input: 1, 0 while it is not whole. */
static int
sftp_next_packet(struct sftp *s, struct buf *p)
{
	struct buf peek = *s->in;
	uint32_t n;

	if (buf_get_u32(&peek, &n) != 0)
		return 0;
	if (n > SFTP_PACKET_MAX)
		return SKY_ERR_LIMIT;
	if (buf_get_view(&peek, n, p) != 0)
		return 0;
	return buf_skip(s->in, 4 + (size_t)n) == 0 ? 1 : SKY_ERR_SHORT;
}

int
sftp_take(struct sftp *s)
{
	struct buf p;
	int r;

	while ((r = sftp_next_packet(s, &p)) == 1)
		if ((r = sftp_take_packet(s, &p)) != 0)
			return r;
	return r;
}
