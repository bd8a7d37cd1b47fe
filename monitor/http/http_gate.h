/* SPDX-License-Identifier: ISC */
/*
 * The http monitor's answers to the confined process.  Who a browser is, it
 * finds out here, by the token or the cookie that the browser showed, and only
 * then there is a connection to the host for that browser.
 */
#ifndef MONITOR_HTTP_HTTP_GATE_H
#define MONITOR_HTTP_HTTP_GATE_H

#include "common/base/rate.h"
#include "common/privsep/privmsg.h"
#include "monitor/http/http_auth.h"
#include "monitor/http/http_dial.h"
#include "monitor/http/http_monitor.h"

/* What requests are legal in; several at once. */
enum gate_state {
	GATE_LOGIN = 1 << 0, /* by link and cookie */
	GATE_OPEN = 1 << 1,  /* --no-auth, --auth-header: nothing to check */
	GATE_ONCE = 1 << 2   /* --once */
};

#define GATE_ROWS 16 /* requests at most */

/* A terminal, or files, of a browser that was let in. */
struct gate_ticket {
	uint32_t id; /* 0: free */
	bool files;
	unsigned dials;
	int64_t until; /* of dials, milliseconds */
};

struct gate {
	const struct http_options *o;
	struct http_dials dials;
	int sock; /* to the child */
	unsigned state;
	struct auth auth;
	struct gate_ticket ticket[2 * HTTP_CLIENTS_MAX];
	uint32_t last_id;
	bool served; /* a terminal has had its connection */
	bool ended;  /* by --once */
	struct rate_span count[GATE_ROWS]; /* of each request, by the second */
};

/* Keeps both pointers.  There is no child yet. */
void gate_init(struct gate *, const struct http_options *, struct event_base *);
/* A new child: no ticket of an older one is good. */
void gate_child(struct gate *, int sock);
/* One request.  0, or SKY_ERR_*, logged: the child is to be ended. */
int gate_request(struct gate *, struct privmsg *);
/* The same when the child is no more: what it wanted is of no account. */
void gate_last_words(struct gate *, struct privmsg *);

#endif
