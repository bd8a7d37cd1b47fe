/* SPDX-License-Identifier: ISC */
/*
 * Questions to the dmsg discovery and its answers, HTTP/1.1 with one question a
 * connection.  PROTOCOL.dmsg 6.1 to 6.3, 6.7.
 */
#ifndef COMMON_DMSG_DMSG_DISC_H
#define COMMON_DMSG_DMSG_DISC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/base/buf.h"
#include "common/base/http.h"
#include "common/pty/keys.h"

#define DMSG_BODY_MAX	      (1024U * 1024) /* of an answer */
#define DMSG_PATH_MAX	      256
#define DMSG_REQUEST_HEAD_MAX 1024
#define DMSG_INTERIM_MAX      8

struct dmsg_url {
	enum { DMSG_URL_HTTP, DMSG_URL_HTTPS, DMSG_URL_DMSG } scheme;
	char host[ADDR_HOST_MAX];      /* of http and https, without brackets */
	struct key_public pk;	       /* of dmsg; begins with 02 or 03 */
	uint16_t port;		       /* 80, for https 443, unless given */
	char authority[ADDR_TEXT_MAX]; /* for the Host field */
	char base[DMSG_PATH_MAX];      /* path in front of all others, or "" */
};

/*
 * "http://host[:port][/base]", "https://..." or "dmsg://<pk>[:port][/base]",
 * in printable ASCII, without user, query and fragment; slashes at the end
 * are dropped.  The authority of dmsg is always "<pk>:port".  SKY_ERR_FORMAT,
 * SKY_ERR_LIMIT; the result is of no use then.
 */
int dmsg_disc_url(const char *, struct dmsg_url *);

/*
 * Append a whole request: at most DMSG_REQUEST_HEAD_MAX bytes and the JSON,
 * which is not consumed.  What buf_put returns; nothing is appended then.
 */
int dmsg_disc_available_servers(struct buf *, const struct dmsg_url *);
int dmsg_disc_get_entry(struct buf *, const struct dmsg_url *,
    const struct key_public *);
int dmsg_disc_put_entry(struct buf *, const struct dmsg_url *,
    const struct buf *json);
int dmsg_disc_delete_entry(struct buf *, const struct dmsg_url *,
    const struct buf *json);

/* Fields are for reading; status and body count once it is whole. */
struct dmsg_answer {
	int status;
	struct buf body; /* owned, at most DMSG_BODY_MAX */
	bool head_done;
	unsigned interim; /* heads of 1xx, passed over */
	struct http_body framing;
	int error; /* the first one, for good */
};

/* Empty, for an answer to come; free also after an error. */
void dmsg_answer_init(struct dmsg_answer *);
void dmsg_answer_free(struct dmsg_answer *);
/*
 * Consumes what has come, from a buffer that can hold HTTP_HEAD_MAX bytes: 1
 * when the answer is whole, 0 when more must come.  At eof, with nothing more
 * to be put behind it, never 0 but SKY_ERR_SHORT.  SKY_ERR_FORMAT;
 * SKY_ERR_LIMIT for a head over HTTP_HEAD_MAX, a body over DMSG_BODY_MAX (as
 * soon as that is known) or more than DMSG_INTERIM_MAX heads of 1xx;
 * SKY_ERR_NOMEM.
 */
int dmsg_answer_read(struct dmsg_answer *, struct buf *in, bool eof);

#endif
