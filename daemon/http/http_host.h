/* SPDX-License-Identifier: ISC */
/* The control connection of a browser. */
#ifndef DAEMON_HTTP_HTTP_HOST_H
#define DAEMON_HTTP_HTTP_HOST_H

#include <libwebsockets.h>
#include <stdint.h>

struct http;
struct client;

/* Asks for a new one: what was said on an old one is void. */
void client_reconnect(struct client *);
/* The monitor's answer: a control connection, or why there is none. */
void client_connected(struct http *, uint16_t id, int fd, const char *why);
/* The browser has made room. */
void host_resume(struct client *);
void host_drop(struct client *);
int host_callback(struct lws *, enum lws_callback_reasons, void *user, void *in,
    size_t len);

#endif
