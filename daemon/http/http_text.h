/* SPDX-License-Identifier: ISC */
/* What a page says in text. */
#ifndef DAEMON_HTTP_HTTP_TEXT_H
#define DAEMON_HTTP_HTTP_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/privsep/http_conf.h"

struct http_said {
	enum { SAID_NOTHING, SAID_RESIZE, SAID_ACK, SAID_PING } what;
	uint16_t cols, rows;
	uint64_t bytes, id;
};

/* false: it is no message of the page's but typed. */
bool text_read(const char *, size_t, struct http_said *);
/* "a,b" to what is typed for it, each from the list; false: not in the list. */
bool text_commands(const struct http_list *, const char *names, struct buf *);

#endif
