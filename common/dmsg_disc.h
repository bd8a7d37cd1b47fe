/* SPDX-License-Identifier: ISC */
/*
 * Questions to the dmsg discovery and its answers, HTTP/1.1 with one question a
 * connection.  spec: dmsg.md 6.1 to 6.3, 6.7.
 */
#ifndef COMMON_DMSG_DISC_H
#define COMMON_DMSG_DISC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "buf.h"
#include "http.h"
#include "keys.h"

#define DMSG_BODY_MAX (1024U * 1024) /* of an answer */
#define DMSG_PATH_MAX 256

struct dmsg_url {
	enum { DMSG_URL_HTTP, DMSG_URL_HTTPS, DMSG_URL_DMSG } scheme;
	char host[ADDR_HOST_MAX]; /* of http and https */
	struct key_public pk;	  /* of dmsg; 33 bytes, no more is checked */
	uint16_t port;		  /* 80, 443 unless given */
	char authority[ADDR_TEXT_MAX]; /* for the Host field */
	char base[DMSG_PATH_MAX];      /* path in front of all others, or "" */
};

/* ERR_FORMAT, ERR_LIMIT. */
int dmsg_disc_url(const char *, struct dmsg_url *);

/* Append a request. */
int dmsg_disc_available_servers(struct buf *, const struct dmsg_url *);
int dmsg_disc_get_entry(struct buf *, const struct dmsg_url *,
    const struct key_public *);
int dmsg_disc_put_entry(struct buf *, const struct dmsg_url *,
    const struct buf *json);
int dmsg_disc_delete_entry(struct buf *, const struct dmsg_url *,
    const struct buf *json);

struct dmsg_answer {
	int status;
	bool head_done;
	struct http_body framing;
	struct buf body; /* owned */
};

void dmsg_answer_init(struct dmsg_answer *);
void dmsg_answer_free(struct dmsg_answer *);
/*
 * Takes what has come: 1 when it is whole, 0 when more must come (at eof: it
 * never will).  ERR_FORMAT; ERR_LIMIT for a body over DMSG_BODY_MAX.
 */
int dmsg_answer_read(struct dmsg_answer *, struct buf *in, bool eof);

#endif
