/* SPDX-License-Identifier: ISC */
/*
 * A small strict HTTP/1.1 (RFC 9112), for both roles, on streams that are no
 * sockets.  Nothing is allocated: heads and bodies are views of the buffer
 * that they arrived in, valid until it is read on.
 *
 * Refused, because two parsers may read it in two ways: a line feed without
 * its carriage return, or the other way round; folded lines; white space
 * before a colon; Content-Length twice, or beside Transfer-Encoding; an
 * encoding other than chunked; any version but 1.0 and 1.1.
 */
#ifndef COMMON_BASE_HTTP_H
#define COMMON_BASE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common/base/buf.h"

#define HTTP_HEAD_MAX  16384 /* bytes of a head, of a trailer section */
#define HTTP_LINE_MAX  256   /* of a chunk's size, extensions included */
#define HTTP_NO_LENGTH (-1)
#define HTTP_DATE_LEN  32

struct http_head {
	struct buf method, target; /* of a request */
	int status;		   /* of a response, 100 to 999 */
	struct buf reason;
	int minor; /* of the version: 0 or 1 */
	struct buf fields;
	int64_t length; /* Content-Length, or HTTP_NO_LENGTH */
	bool chunked;
};

/*
 * Takes a whole head off in: 1, or 0 when its end has not arrived yet.
 * SKY_ERR_FORMAT, SKY_ERR_LIMIT (over HTTP_HEAD_MAX).
 */
int http_get_request(struct buf *in, struct http_head *);
int http_get_response(struct buf *in, struct http_head *);
/* The next field of a section: 1, 0 at its end, SKY_ERR_FORMAT. */
int http_next_field(struct buf *fields, struct buf *name, struct buf *value);
/* The first field of that name, any case: 1 with its value, 0 for none. */
int http_field(const struct buf *fields, const char *name, struct buf *value);
/* Whether a piece of text is exactly this one. */
bool http_is(const struct buf *, const char *);
/* As above, letters of either case. */
bool http_is_nocase(const struct buf *, const char *);
/* A decimal number of at most 18 digits: 0 or SKY_ERR_FORMAT. */
int http_number(const struct buf *, int64_t *);

/* "Sun, 06 Nov 1994 08:49:37 GMT", without asking for a time zone. */
void http_date(time_t, char text[HTTP_DATE_LEN]);

/* A body, whichever way it is delimited. */
struct http_body {
	enum {
		HTTP_LENGTH,   /* left bytes follow */
		HTTP_SIZE,     /* a chunk's size line follows */
		HTTP_CHUNK,    /* left bytes of a chunk follow */
		HTTP_CRLF,     /* the end of a chunk follows */
		HTTP_TRAILERS, /* the trailer section follows */
		HTTP_UNTIL_EOF,
		HTTP_DONE
	} state;
	uint64_t left;
	struct buf trailers; /* at HTTP_DONE of a chunked body */
};

/* What follows a request's or (response true) a response's head. */
void
http_body_init(struct http_body *, const struct http_head *, bool response);
/*
 * Takes the next piece of the body off in: 1 with a view that is not empty, 0
 * when more must arrive or all is there (state HTTP_DONE).  SKY_ERR_FORMAT,
 * SKY_ERR_LIMIT.
 */
int http_get_body(struct http_body *, struct buf *in, struct buf *piece);

#endif
