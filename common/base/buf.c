/* SPDX-License-Identifier: ISC */
/* The one byte buffer: bounded, zeroing, checked. */
#include "common/base/buf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/err.h"

#define BUF_MIN_ALLOC 256

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void
buf_view(struct buf *b, const void *p, size_t n)
{
	*b = (struct buf){ .base = p, .end = n };
}

void
buf_free(struct buf *b)
{
	if (b->mem != NULL) {
		explicit_bzero(b->mem, b->cap);
		free(b->mem);
	}
	buf_init(b, b->max);
}

void
buf_reset(struct buf *b)
{
	if (b->mem != NULL)
		explicit_bzero(b->mem, b->cap);
	b->off = b->end = 0;
}

/* A buffer that may never hold a byte is the empty view. */
static bool
is_view(const struct buf *b)
{
	return b->mem == NULL && (b->base != NULL || b->max == 0);
}

size_t
buf_len(const struct buf *b)
{
	return b->end - b->off;
}

size_t
buf_room(const struct buf *b)
{
	return b->max > buf_len(b) ? b->max - buf_len(b) : 0;
}

const uint8_t *
buf_ptr(const struct buf *b)
{
	static const uint8_t none[1];

	return b->base != NULL ? b->base + b->off : none;
}

int
buf_skip(struct buf *b, size_t n)
{
	if (n > buf_len(b))
		return SKY_ERR_SHORT;
	b->off += n;
	if (b->off == b->end)
		b->off = b->end = 0;
	return 0;
}

int
buf_get(struct buf *b, void *p, size_t n)
{
	if (n > buf_len(b))
		return SKY_ERR_SHORT;
	if (n != 0)
		memcpy(p, buf_ptr(b), n);
	return buf_skip(b, n);
}

int
buf_get_u8(struct buf *b, uint8_t *v)
{
	return buf_get(b, v, 1);
}

static int
get_int(struct buf *b, size_t n, uint64_t *v)
{
	uint8_t raw[8];
	int r;

	if ((r = buf_get(b, raw, n)) != 0)
		return r;
	*v = 0;
	for (size_t i = 0; i < n; i++)
		*v = *v << 8 | raw[i];
	return 0;
}

int
buf_get_u16(struct buf *b, uint16_t *v)
{
	uint64_t x;
	int r;

	if ((r = get_int(b, 2, &x)) == 0)
		*v = (uint16_t)x;
	return r;
}

int
buf_get_u32(struct buf *b, uint32_t *v)
{
	uint64_t x;
	int r;

	if ((r = get_int(b, 4, &x)) == 0)
		*v = (uint32_t)x;
	return r;
}

int
buf_get_u64(struct buf *b, uint64_t *v)
{
	return get_int(b, 8, v);
}

int
buf_get_view(struct buf *b, size_t n, struct buf *view)
{
	if (n > buf_len(b))
		return SKY_ERR_SHORT;
	buf_view(view, buf_ptr(b), n);
	return buf_skip(b, n);
}

int
buf_get_string(struct buf *b, struct buf *view)
{
	const uint8_t *p = buf_ptr(b);
	uint32_t n;

	if (buf_len(b) < 4)
		return SKY_ERR_SHORT;
	n = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
	    p[3];
	if (n > buf_len(b) - 4)
		return SKY_ERR_SHORT;
	buf_view(view, p + 4, n);
	return buf_skip(b, 4 + (size_t)n);
}

int
buf_get_cstring(struct buf *b, char **s, size_t max)
{
	struct buf v;
	int r;

	if ((r = buf_get_string(b, &v)) != 0)
		return r;
	if (buf_len(&v) > max)
		return SKY_ERR_LIMIT;
	if (memchr(buf_ptr(&v), '\0', buf_len(&v)) != NULL)
		return SKY_ERR_FORMAT;
	if ((*s = malloc(buf_len(&v) + 1)) == NULL)
		return SKY_ERR_NOMEM;
	memcpy(*s, buf_ptr(&v), buf_len(&v));
	(*s)[buf_len(&v)] = '\0';
	return 0;
}

int
buf_at_end(const struct buf *b)
{
	return buf_len(b) == 0 ? 0 : SKY_ERR_TRAILING;
}

/* Moves the content into memory of its own of cap bytes. */
static int
buf_regrow(struct buf *b, size_t cap)
{
	size_t len = buf_len(b);
	uint8_t *mem;

	if ((mem = malloc(cap)) == NULL)
		return SKY_ERR_NOMEM;
	if (len != 0)
		memcpy(mem, buf_ptr(b), len);
	if (b->mem != NULL) {
		explicit_bzero(b->mem, b->cap);
		free(b->mem);
	}
	b->mem = mem;
	b->base = mem;
	b->cap = cap;
	b->off = 0;
	b->end = len;
	return 0;
}

int
buf_extend(struct buf *b, size_t n, uint8_t **p)
{
	size_t len = buf_len(b), cap;
	int r;

	if (is_view(b))
		return SKY_ERR_RDONLY;
	if (n > buf_room(b))
		return SKY_ERR_LIMIT;
	if (n > SIZE_MAX / 2 - len)
		return SKY_ERR_NOMEM;
	if (b->mem == NULL || n > b->cap - b->end) {
		if (b->mem != NULL && len + n <= b->cap / 2) {
			memmove(b->mem, b->mem + b->off, len);
			b->off = 0;
			b->end = len;
		} else {
			cap = b->cap < BUF_MIN_ALLOC ? BUF_MIN_ALLOC : b->cap;
			while (cap < len + n)
				cap *= 2;
			if ((r = buf_regrow(b, cap)) != 0)
				return r;
		}
	}
	*p = b->mem + b->end;
	b->end += n;
	return 0;
}

int
buf_trim(struct buf *b, size_t n)
{
	if (n > buf_len(b))
		return SKY_ERR_SHORT;
	b->end -= n;
	return 0;
}

int
buf_put(struct buf *b, const void *p, size_t n)
{
	uint8_t *d;
	int r;

	if ((r = buf_extend(b, n, &d)) == 0 && n != 0)
		memcpy(d, p, n);
	return r;
}

int
buf_put_u8(struct buf *b, uint8_t v)
{
	return buf_put(b, &v, 1);
}

static int
put_int(struct buf *b, size_t n, uint64_t v)
{
	uint8_t raw[8];

	for (size_t i = n; i-- > 0; v >>= 8)
		raw[i] = (uint8_t)v;
	return buf_put(b, raw, n);
}

int
buf_put_u16(struct buf *b, uint16_t v)
{
	return put_int(b, 2, v);
}

int
buf_put_u32(struct buf *b, uint32_t v)
{
	return put_int(b, 4, v);
}

int
buf_put_u64(struct buf *b, uint64_t v)
{
	return put_int(b, 8, v);
}

int
buf_put_string(struct buf *b, const void *p, size_t n)
{
	int r;

	if (is_view(b))
		return SKY_ERR_RDONLY;
	if (n > UINT32_MAX || buf_room(b) < 4 || n > buf_room(b) - 4)
		return SKY_ERR_LIMIT;
	if ((r = buf_put_u32(b, (uint32_t)n)) != 0)
		return r;
	if ((r = buf_put(b, p, n)) != 0)
		b->end -= 4;
	return r;
}

int
buf_put_cstring(struct buf *b, const char *s)
{
	return buf_put_string(b, s, strlen(s));
}

int
buf_poke(struct buf *b, size_t at, const void *p, size_t n)
{
	if (b->mem == NULL)
		return SKY_ERR_RDONLY;
	if (at > buf_len(b) || n > buf_len(b) - at)
		return SKY_ERR_SHORT;
	memcpy(b->mem + b->off + at, p, n);
	return 0;
}

ssize_t
buf_read(struct buf *b, int fd, size_t n)
{
	uint8_t *p;
	ssize_t got;
	int r;

	if (n > buf_room(b))
		n = buf_room(b);
	if (n == 0)
		return SKY_ERR_LIMIT;
	if ((r = buf_extend(b, n, &p)) != 0)
		return r;
	got = read(fd, p, n);
	b->end -= n - (got > 0 ? (size_t)got : 0);
	if (got > 0)
		return got;
	if (got == 0)
		return SKY_ERR_EOF;
	return errno == EAGAIN || errno == EINTR ? SKY_ERR_AGAIN : SKY_ERR_SYS;
}

ssize_t
buf_write(struct buf *b, int fd)
{
	ssize_t n;

	if (buf_len(b) == 0)
		return 0;
	if ((n = write(fd, buf_ptr(b), buf_len(b))) == -1)
		return errno == EAGAIN || errno == EINTR ? SKY_ERR_AGAIN :
							   SKY_ERR_SYS;
	buf_skip(b, (size_t)n);
	return n;
}
