/* SPDX-License-Identifier: ISC */
/* Everything over HTTP that is no WebSocket. */
#ifndef DAEMON_HTTP_HTTP_PAGE_H
#define DAEMON_HTTP_HTTP_PAGE_H

#include <libwebsockets.h>
#include <stddef.h>

/* libwebsockets' callback for what is HTTP. */
int page_callback(struct lws *, enum lws_callback_reasons, void *user, void *in,
    size_t len);
/*
 * A connection is to be something else.  0 for a WebSocket that may be one:
 * of our page, and of a browser that is let in.  Everything else is answered
 * here, with -1.
 */
int page_upgrade(struct lws *, const char *to);
/*
 * What stands behind "NAME=" in the query, wherever that is, kept in text.
 * NULL: nothing, or more than max bytes with the name.
 */
const char *page_arg(struct lws *, const char *name, char *text, int max);
/* Answers such a request with a status; the caller ends the connection. */
void page_refuse(struct lws *, int status);

#endif
