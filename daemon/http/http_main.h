/* SPDX-License-Identifier: ISC */
/*
 * skyptyd-http, the confined process of the terminal for browsers: it speaks
 * HTTP and WebSocket with them, and on control connections, which skyptyd
 * makes, the protocol of a host.
 *
 * Memory of one browser: what libwebsockets takes, and below HTTP_INPUT_MAX
 * bytes of what is typed, HTTP_OUTPUT_MAX of output; a reply of an older host
 * up to HTTP_REPLY_MAX.
 */
#ifndef DAEMON_HTTP_HTTP_MAIN_H
#define DAEMON_HTTP_HTTP_MAIN_H

#include <libwebsockets.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/base/clock.h"
#include "common/privsep/http_conf.h"
#include "common/privsep/privmsg.h"
#include "daemon/http/http_visitor.h"

#define HTTP_FRAME_MAX	 65536 /* bytes of one frame of a browser */
#define HTTP_TEXT_MAX	 4096  /* of one text message */
#define HTTP_WS_CHUNK	 16384 /* of output, in one frame or one read */
#define HTTP_INPUT_MAX	 (256U * 1024)
#define HTTP_OUTPUT_HIGH (64U * 1024) /* unsent: no more is read */
#define HTTP_OUTPUT_MAX	 (2 * HTTP_OUTPUT_HIGH + 4096)
#define HTTP_UNACKED_MAX (384U * 1024) /* sent, and not shown yet */
#define HTTP_NOTES_MAX	 (32U * 1024)  /* messages that wait */
#define HTTP_REPLY_MAX	 (128U * 1024)
#define HTTP_SIZE_MS	 16 /* between two sizes that are told the host */
#define HTTP_GATHER_MS	 16 /* output of a flood to the original's page */
#define HTTP_PING_S	 10
#define HTTP_PONG_S	 8
#define HTTP_FAREWELL_S	 120 /* for a browser to read what is left */
#define HTTP_HOST_PING_S 30
#define HTTP_HOST_WAIT_S 15 /* for the host to answer at all */
#define HTTP_DIGITS	 (2 * HTTP_TOKEN_LEN + 1) /* of a cookie, with NUL */

struct http {
	struct lws_context *ctx;
	struct lws_vhost *vhost;  /* of browsers */
	struct lws_vhost *inside; /* of everything else */
	struct http_conf conf;
	int monitor;
	int door; /* that browsers come through */
	struct privmsg msg;
	LIST_HEAD(, client) clients;
	size_t nterminals, nfiles;
	struct visitors visitors[VISITOR_PLACES];
	size_t nvisitors[VISITOR_PLACES];
	uint16_t last_id, last_ask;
	struct http_cert *cert; /* NULL: the one that it began with */
};

/* The process's state, of any connection of it. */
struct http *http_of(struct lws *);
/* --once: the terminal has ended, and so do we. */
void http_once_done(struct http *);

#endif
