/* SPDX-License-Identifier: ISC */
/*
 * What skyptyd http tells its confined process, skyptyd-http, and what the two
 * say to each other afterwards, on a socketpair as in privmsg.h.
 */
#ifndef COMMON_WEB_H
#define COMMON_WEB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "buf.h"

#define WEB_TOKEN_LEN	32 /* bytes; twice as many digits in a URL */
#define WEB_LIST_MAX	64 /* words of one list */
#define WEB_WORD_MAX	4096
#define WEB_LISTENERS	4
#define WEB_CLIENTS_MAX 256

enum web_type {
	/*
	 * WEB_CONFIG, event, the first message: struct web_conf, with the
	 * listening sockets.
	 */
	WEB_CONFIG = 401,
	/* WEB_TOKEN, event: SHA-256 of a new token; the old one is void. */
	WEB_TOKEN = 403,
	/*
	 * WEB_CONNECT nothing: a connection to the host's control socket.
	 * Answer: error text; if empty, with a stream socket.
	 */
	WEB_CONNECT = 60,
	/* WEB_ENDED, event: --once has been served. */
	WEB_ENDED = 405
};

struct web_list {
	char *word[WEB_LIST_MAX];
	size_t n;
};

struct web_conf {
	/* Confinement, as WELCOME has it. */
	uid_t uid;
	gid_t gid;
	bool drop, best_effort;
	char *root;
	/* What is served, and how. */
	char *base;		  /* "/" or "/.../" */
	char *title;		  /* of the page */
	char *cert, *key;	  /* files; "" without TLS */
	char *auth_header;	  /* name, or "" */
	char *cmd;		  /* shell to start */
	char *cookie;		  /* name: browsers do not tell ports apart */
	struct web_list arg;	  /* its arguments */
	struct web_list commands; /* "name=expansion" */
	struct web_list hosts;	  /* "host:port" that a Host field may say */
	struct web_list origins;  /* and other origins that may ask */
	bool any_literal; /* Host may be any address, with one of the ports */
	bool secure;	  /* browsers come by https, here or at a proxy */
	bool no_auth, readonly, once;
	uint32_t max_clients, idle_s, session_s;
	uint8_t token[32]; /* SHA-256 of the first one */
};

int web_list_add(struct web_list *, const char *);
/* Appends it.  ERR_LIMIT, ERR_NOMEM. */
int web_conf_put(struct buf *, const struct web_conf *);
/* Strings are malloc'ed; web_conf_free also after an error. */
int web_conf_get(struct buf *, struct web_conf *);
void web_conf_free(struct web_conf *);

#endif
