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

#define WEB_TOKEN_LEN	32 /* bytes; twice as many digits in a URL */
#define WEB_LIST_MAX	64 /* words of one list */
#define WEB_WORD_MAX	4096
#define WEB_LISTENERS	4
#define WEB_CLIENTS_MAX 256

#define WEB_DIALS_MAX	   3	 /* connections to the host for one terminal */
#define WEB_EXIT_START	   78	 /* of a child that cannot begin: EX_CONFIG */
#define WEB_DIAL_S	   60	 /* in which they are made */
#define WEB_ADMITS_PER_S   20	 /* terminals that begin */
#define WEB_PEM_MAX	   65536 /* bytes of a file of certificates, or a key */
#define WEB_ADDRESS_MAX	   64	 /* bytes of a browser's address, for the log */
#define WEB_STRANGERS	   128 /* connections; as many of those who are let in */
#define WEB_STRANGERS_EACH 32  /* of one address */

/*
 * The http monitor's requests, which its table knows, and its events.  A
 * cookie or token is WEB_TOKEN_LEN bytes, not their digits.
 */
enum web_type {
	/* WEB_CONFIG, event, the monitor's first message: struct web_conf. */
	WEB_CONFIG = 401,
	/* WEB_BROWSER, event, on PRIV_FD_CONN: with a browser's connection. */
	WEB_BROWSER = 403,
	/* WEB_CERTIFICATE, event: certificates, key; strings of PEM. */
	WEB_CERTIFICATE = 407,
	/* WEB_ENDED, event [--once]: it has been served. */
	WEB_ENDED = 405,
	/*
	 * WEB_CONNECT [WEB_DIALS_MAX of a ticket] ticket u32.  Answer: error
	 * text; if empty, with a stream socket to the host.
	 */
	WEB_CONNECT = 60,
	/*
	 * WEB_ENTER [links let in] token; has_cookie u8, 1: cookie; address
	 * string, for the log.  Answer: u8 of enum web_entry, for ENTERED with
	 * a cookie.
	 */
	WEB_ENTER = 62,
	/* WEB_CHECK [links let in] cookie.  Answer: good u8. */
	WEB_CHECK = 64,
	/*
	 * WEB_ADMIT [WEB_ADMITS_PER_S] kind u8 of enum web_kind; where links
	 * let in, cookie. Answer: u8 of enum web_admission, ticket u32: of one
	 * terminal, 0 is none.
	 */
	WEB_ADMIT = 66,
	/* WEB_LEAVE ticket u32: it is no more.  No answer. */
	WEB_LEAVE = 68
};

enum web_entry {
	WEB_REFUSED = 0,
	WEB_ENTERED = 1, /* the token is void, here is a cookie */
	WEB_KNOWN = 2	 /* not by the token, but by the cookie */
};

enum web_kind { WEB_TERMINAL = 0, WEB_FILES = 1 };

enum web_admission { WEB_DENIED = 0, WEB_ADMITTED = 1, WEB_FULL = 2 };

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
};

int web_list_add(struct web_list *, const char *);
/* Appends it.  ERR_LIMIT, ERR_NOMEM. */
int web_conf_put(struct buf *, const struct web_conf *);
/* Strings are malloc'ed; web_conf_free also after an error. */
int web_conf_get(struct buf *, struct web_conf *);
void web_conf_free(struct web_conf *);

#endif
