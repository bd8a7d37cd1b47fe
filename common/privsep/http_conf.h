/* SPDX-License-Identifier: ISC */
/*
 * What skyptyd http tells its confined process, skyptyd-http, and what the two
 * say to each other afterwards, on a socketpair as in privmsg.h.
 */
#ifndef COMMON_PRIVSEP_HTTP_CONF_H
#define COMMON_PRIVSEP_HTTP_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/buf.h"

#define HTTP_TOKEN_LEN	 32 /* bytes; twice as many digits in a URL */
#define HTTP_LIST_MAX	 64 /* words of one list */
#define HTTP_WORD_MAX	 4096
#define HTTP_LISTENERS	 4
#define HTTP_CLIENTS_MAX 256

#define HTTP_DIALS_MAX	    3	  /* connections to the host for one terminal */
#define HTTP_EXIT_START	    78	  /* of a child that cannot begin: EX_CONFIG */
#define HTTP_DIAL_S	    60	  /* in which they are made */
#define HTTP_ADMITS_PER_S   20	  /* terminals that begin */
#define HTTP_PEM_MAX	    65536 /* bytes of a file of certificates, or a key */
#define HTTP_ADDRESS_MAX    64 /* bytes of a browser's address, for the log */
#define HTTP_STRANGERS	    128 /* connections; as many of those who are let in */
#define HTTP_STRANGERS_EACH 32 /* of one address */

/*
 * The http monitor's requests, which its table knows, and its events.  A
 * cookie or token is HTTP_TOKEN_LEN bytes, not their digits.
 */
enum http_type {
	/* HTTP_CONFIG, event, the monitor's first message: struct http_conf. */
	HTTP_CONFIG = 401,
	/* HTTP_BROWSER, event, on PRIV_FD_CONN: with a browser's connection. */
	HTTP_BROWSER = 403,
	/* HTTP_CERTIFICATE, event: certificates, key; strings of PEM. */
	HTTP_CERTIFICATE = 407,
	/* HTTP_ENDED, event [--once]: it has been served. */
	HTTP_ENDED = 405,
	/*
	 * HTTP_CONNECT [HTTP_DIALS_MAX of a ticket] ticket u32.  Answer: error
	 * text; if empty, with a stream socket to the host.
	 */
	HTTP_CONNECT = 60,
	/*
	 * HTTP_ENTER [links let in] token; has_cookie u8, 1: cookie; address
	 * string, for the log.  Answer: u8 of enum http_entry, for ENTERED with
	 * a cookie.
	 */
	HTTP_ENTER = 62,
	/* HTTP_CHECK [links let in] cookie.  Answer: good u8. */
	HTTP_CHECK = 64,
	/*
	 * HTTP_ADMIT [HTTP_ADMITS_PER_S] kind u8 of enum http_kind; where links
	 * let in, cookie. Answer: u8 of enum http_admission, ticket u32: of one
	 * terminal, 0 is none.
	 */
	HTTP_ADMIT = 66,
	/* HTTP_LEAVE ticket u32: it is no more.  No answer. */
	HTTP_LEAVE = 68
};

enum http_entry {
	HTTP_REFUSED = 0,
	HTTP_ENTERED = 1, /* the token is void, here is a cookie */
	HTTP_KNOWN = 2	  /* not by the token, but by the cookie */
};

enum http_kind { HTTP_TERMINAL = 0, HTTP_FILES = 1 };

enum http_admission { HTTP_DENIED = 0, HTTP_ADMITTED = 1, HTTP_FULL = 2 };

struct http_list {
	char *word[HTTP_LIST_MAX];
	size_t n;
};

struct http_conf {
	/* Confinement, as WELCOME has it. */
	uid_t uid;
	gid_t gid;
	bool drop, best_effort;
	char *root;
	/* What is served, and how. */
	char *base;		   /* "/" or "/.../" */
	char *title;		   /* of the page */
	char *cert, *key;	   /* files; "" without TLS */
	char *auth_header;	   /* name, or "" */
	char *cmd;		   /* shell to start */
	char *cookie;		   /* name: browsers do not tell ports apart */
	struct http_list arg;	   /* its arguments */
	struct http_list commands; /* "name=expansion" */
	struct http_list hosts;	   /* "host:port" that a Host field may say */
	struct http_list origins;  /* and other origins that may ask */
	bool any_literal; /* Host may be any address, with one of the ports */
	bool secure;	  /* browsers come by https, here or at a proxy */
	bool no_auth, readonly, once;
	uint32_t max_clients, idle_s, session_s;
};

/* Adds a copy.  SKY_ERR_LIMIT, SKY_ERR_NOMEM. */
int http_list_add(struct http_list *, const char *);
/* Appends it.  SKY_ERR_LIMIT, SKY_ERR_NOMEM. */
int http_conf_put(struct buf *, const struct http_conf *);
/* Strings are malloc'ed; http_conf_free also after an error. */
int http_conf_get(struct buf *, struct http_conf *);
/* Frees what is in it; also one that is all zero. */
void http_conf_free(struct http_conf *);

#endif
