/* SPDX-License-Identifier: ISC */
/* Connections of browsers. */
#ifndef DAEMON_HTTP_HTTP_VISITOR_H
#define DAEMON_HTTP_HTTP_VISITOR_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/privsep/http_conf.h"

struct http;
struct lws;

enum visitor_place {
	VISITOR_STRANGER, /* has not shown that he is let in */
	VISITOR_KNOWN,	  /* has */
	VISITOR_ADMITTED, /* has a terminal, or files */
	VISITOR_GOING,
	VISITOR_PLACES
};

struct visitor {
	TAILQ_ENTRY(visitor) entry;
	struct http *h;
	struct lws *wsi;
	enum visitor_place place;
	uint8_t address[8];
	size_t alen;
	size_t same; /* of its place and address, with itself */
	/* When it has asked to be a WebSocket: */
	enum { ASKED_NOTHING, ASKED_ADMITTED, ASKED_FULL } asked;
	enum http_kind kind;
	uint32_t ticket; /* 0: none */
};
TAILQ_HEAD(visitors, visitor);

/* Nobody in any place. */
void visitor_init(struct http *);
/* A connection that was accepted, which is closed when it fails. */
void visitor_new(struct http *, int fd);
/* NULL for what is no browser's. */
struct visitor *visitor_of(struct lws *);
/* Once admitted it stays so. */
void visitor_move(struct visitor *, enum visitor_place);
void visitor_gone(struct lws *);
/* Every second. */
void visitor_tick(struct http *);

#endif
