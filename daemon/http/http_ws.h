/* SPDX-License-Identifier: ISC */
/* What comes from a browser, and its life. */
#ifndef DAEMON_HTTP_HTTP_WS_H
#define DAEMON_HTTP_HTTP_WS_H

#include <libwebsockets.h>
#include <stdint.h>

struct http;
struct client;

/* On to the host: what is typed, and the last size. */
void client_push_input(struct client *);
void client_resize(struct client *);
/* Every second. */
void client_tick(struct http *, int64_t now);
int ws_callback(struct lws *, enum lws_callback_reasons, void *user, void *in,
    size_t len);

#endif
