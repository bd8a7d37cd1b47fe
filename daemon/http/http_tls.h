/* SPDX-License-Identifier: ISC */
/* The certificate that browsers are shown. */
#ifndef DAEMON_HTTP_HTTP_TLS_H
#define DAEMON_HTTP_HTTP_TLS_H

struct http;
struct buf;

/* The context that libwebsockets has made for its connections. */
void http_tls_begin(struct http *, void *ssl_ctx);
/*
 * Another certificate, with what leads to an authority, and its key, as PEM.
 * -1, logged: the one before stays.
 */
int http_tls_renew(struct http *, struct buf *cert, struct buf *key);

#endif
