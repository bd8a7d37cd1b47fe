/* SPDX-License-Identifier: ISC */
/*
 * The one byte buffer.  Every parser reads through its checked getters and
 * every encoder writes through its putters; nothing can be read past the end
 * or grown past the maximum given at birth.  Integers are big-endian.
 *
 * A buffer either owns its memory (buf_init) or is a read-only view of
 * somebody else's (buf_view).  Owned memory is zeroed before it is freed, so a
 * buffer may hold secrets for as long as it lives, but prefer sodium_malloc
 * for what is kept.
 *
 * Unless said otherwise functions return 0 or one of: SKY_ERR_SHORT (getter
 * without enough bytes; nothing is consumed), SKY_ERR_LIMIT (over the maximum),
 * SKY_ERR_NOMEM, SKY_ERR_RDONLY (writing to a view).
 */
#ifndef COMMON_BASE_BUF_H
#define COMMON_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Fields belong to buf.c; zero-initialised it is an empty read-only view. */
struct buf {
	uint8_t *mem;	     /* owned memory, NULL in a view */
	const uint8_t *base; /* first byte: mem, or what is viewed */
	size_t off;	     /* of the first unread byte */
	size_t end;	     /* behind the last byte */
	size_t cap;	     /* size of mem */
	size_t max;	     /* most unread bytes it may hold */
};

/* An empty buffer that may come to hold max bytes.  Allocates nothing yet. */
void buf_init(struct buf *, size_t max);
/* A read-only view; the bytes stay the caller's and must outlive it. */
void buf_view(struct buf *, const void *, size_t);
/* Zeroes and frees what it owns; it may be used again, with the same max. */
void buf_free(struct buf *);
/* Forgets the content, keeps the memory (zeroed). */
void buf_reset(struct buf *);

/* Bytes that are there to be read. */
size_t buf_len(const struct buf *);
/* How many bytes may still be put. */
size_t buf_room(const struct buf *);
/* First unread byte, borrowed until the next call that is not a getter. */
const uint8_t *buf_ptr(const struct buf *);

/* Getters consume what they return. */
int buf_get(struct buf *, void *, size_t);
int buf_get_u8(struct buf *, uint8_t *);
int buf_get_u16(struct buf *, uint16_t *);
int buf_get_u32(struct buf *, uint32_t *);
int buf_get_u64(struct buf *, uint64_t *);
int buf_skip(struct buf *, size_t);
/* The next n bytes as a view, borrowed like buf_ptr's. */
int buf_get_view(struct buf *, size_t, struct buf *);
/* u32 length, bytes: as a view borrowed like buf_ptr's. */
int buf_get_string(struct buf *, struct buf *);
/*
 * u32 length, bytes, as a malloc'ed C string that the caller frees.
 * SKY_ERR_FORMAT for a NUL inside, SKY_ERR_LIMIT for more than max bytes.
 */
int buf_get_cstring(struct buf *, char **, size_t max);
/* 0 when everything has been read, else SKY_ERR_TRAILING. */
int buf_at_end(const struct buf *);

/*
 * Append: big-endian integers, and strings as u32 length and bytes.  0, or
 * nothing is appended: SKY_ERR_LIMIT over max, SKY_ERR_NOMEM, SKY_ERR_RDONLY
 * for a view.
 */
int buf_put(struct buf *, const void *, size_t);
int buf_put_u8(struct buf *, uint8_t);
int buf_put_u16(struct buf *, uint16_t);
int buf_put_u32(struct buf *, uint32_t);
int buf_put_u64(struct buf *, uint64_t);
int buf_put_string(struct buf *, const void *, size_t);
int buf_put_cstring(struct buf *, const char *);
/* Adds n bytes of undefined content, to be written through the pointer. */
int buf_extend(struct buf *, size_t, uint8_t **);
/* Drops the last n bytes again. */
int buf_trim(struct buf *, size_t);
/* Overwrites n bytes at an offset from the first unread one. */
int buf_poke(struct buf *, size_t, const void *, size_t);

/*
 * One read(2) of at most n bytes, appended.  Returns the count (> 0),
 * SKY_ERR_EOF, SKY_ERR_AGAIN (also after EINTR), SKY_ERR_LIMIT when there is no
 * room, or SKY_ERR_SYS.
 */
ssize_t buf_read(struct buf *, int, size_t);
/*
 * One write(2) of what is unread; what went is consumed.  Returns the count,
 * 0 for an empty buffer, SKY_ERR_AGAIN or SKY_ERR_SYS.
 */
ssize_t buf_write(struct buf *, int);

#endif
