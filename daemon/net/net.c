/* SPDX-License-Identifier: ISC */
/* skyptyd-net, the confined child of one connection: its life and states. */
#include "daemon/net/net.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/err.h"

void
net_leave(const struct net *n, enum priv_end how)
{
	if (n->state == NET_FINISHING || n->state == NET_LINGERING)
		how = n->rejected ? PRIV_END_REFUSED : PRIV_END_SERVED;
	_exit((int)how);
}

void
net_end(struct net *n, const char *reason, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, reason);
	vsnprintf(text, sizeof(text), reason, ap);
	va_end(ap);
	mon_log(n, LOG_LEVEL_INFO, "%s", text);
	_exit(PRIV_END_FAULT);
}

void
net_timer(struct net *n, int seconds)
{
	struct timeval tv = { .tv_sec = seconds };

	if (seconds == 0)
		event_del(n->timer);
	else
		event_add(n->timer, &tv);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct net *n = arg;

	(void)fd, (void)what;
	if (n->state == NET_MUX)
		mon_log(n, LOG_LEVEL_INFO,
		    "no service was asked for within %d seconds",
		    NET_MUX_TIMEOUT);
	if (n->state == NET_SERVICE)
		http_timeout(n);
	net_leave(n, PRIV_END_IDLE);
}

void
net_finish(struct net *n)
{
	n->state = NET_FINISHING;
	link_flush(n);
}

/* The last byte has left. */
void
link_finish(struct net *n)
{
	n->state = NET_LINGERING;
	net_timer(n, NET_LINGER);
}

void
net_authenticated(struct net *n, uint32_t grants)
{
	n->grants = grants;
	n->state = NET_MUX;
	net_timer(n, NET_MUX_TIMEOUT);
	net_process(n);
}

static void
process_handshake(struct net *n)
{
	struct buf body;
	int r;

	if (n->asked)
		return;
	if ((r = link_handshake_body(&n->link, &body)) < 0)
		net_end(n, "bad handshake: %s", err_text(r));
	if (r == 0)
		return;
	n->asked = true;
	/* Over dmsg: what dmsg says of the request, then a frame. */
	if (n->carrier != PRIV_KK)
		mon_handshake(n, &body);
	else if (!n->requested)
		mon_kk_request(n, &body);
	else
		mon_first_frame(n, &body);
	n->requested = true;
}

/* What each service needs, and where it is offered. */
static const struct offer {
	enum mux_service service;
	uint32_t grant;
	bool remote, control;
} offers[] = {
	{ MUX_PTY, 0, true, true },
	{ MUX_WHITELIST, PRIV_GRANT_WHITELIST, false, true },
	{ MUX_SFTP, PRIV_GRANT_SFTP, true, false },
	{ MUX_EXEC_STREAM, PRIV_GRANT_EXEC, true, false },
	{ MUX_EXEC, PRIV_GRANT_EXEC, true, true },
	{ MUX_STATUS, PRIV_GRANT_WHITELIST, false, true },
	{ MUX_FILES, PRIV_GRANT_SFTP, true, true },
	{ MUX_PROXY, PRIV_GRANT_DIAL, false, true },
	{ MUX_DIAL, PRIV_GRANT_DIAL, false, true },
};

static bool
offered(const struct net *n, enum mux_service service)
{
	for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++)
		if (offers[i].service == service)
			return (n->grants & offers[i].grant) ==
			    offers[i].grant &&
			    (n->carrier == PRIV_CONTROL ? offers[i].control :
							  offers[i].remote);
	return false;
}

void
net_reject(struct net *n)
{
	n->rejected = true;
	buf_put_u8(&n->link.out, MUX_REJECT);
	net_finish(n);
}

void
net_accept(struct net *n)
{
	if (buf_put_u8(&n->link.out, MUX_ACCEPT) != 0)
		net_end(n, "out of memory");
	n->state = NET_SERVICE;
	link_flush(n);
}

static void
read_wishes(struct net *n, struct buf *query)
{
	if (mux_session_query(query, &n->wishes) != 0)
		net_end(n, "bad request: its wishes make no sense");
}

static void
begin_service(struct net *n, struct buf *query)
{
	switch (n->service) {
	case MUX_PROXY:
	case MUX_DIAL:
		proxy_begin(n, query); /* accepted when there is a stream */
		return;
	case MUX_FILES:
		n->service = MUX_SFTP;
		/* FALLTHROUGH */
	case MUX_SFTP:
		sftp_begin(n); /* accepted when there is a server */
		return;
	case MUX_EXEC_STREAM:
		http_begin(n);
		break;
	case MUX_EXEC:
		read_wishes(n, query);
		stream_begin(n);
		break;
	case MUX_STATUS:
		mon_status(n);
		break;
	default:
		if (n->service == MUX_PTY)
			read_wishes(n, query);
		if (rpc_begin(n,
			n->service == MUX_PTY ? RPC_SERVICE_PTY :
						RPC_SERVICE_WHITELIST) != 0)
			net_end(n, "out of memory");
	}
	net_accept(n);
}

static void
process_mux(struct net *n)
{
	struct buf uri, query;
	char asked[128];

	if (n->service != MUX_NONE || mux_get_request(&n->link.in, &uri) == 0)
		return;
	snprintf(asked, sizeof(asked), "%.*s", (int)buf_len(&uri),
	    (const char *)buf_ptr(&uri));
	n->service = mux_match(&uri, &query);
	net_timer(n, 0);
	if (offered(n, n->service)) {
		mon_log(n, LOG_LEVEL_DEBUG, "asked for %s", asked);
		begin_service(n, &query);
	} else {
		mon_log(n, LOG_LEVEL_INFO, "asked for %s, which is not offered",
		    asked);
		net_reject(n);
	}
}

static void
process_service(struct net *n)
{
	switch (n->service) {
	case MUX_SFTP:
		sftp_process(n);
		break;
	case MUX_PROXY:
	case MUX_DIAL:
		proxy_process(n);
		break;
	case MUX_EXEC_STREAM:
		http_process(n);
		break;
	case MUX_EXEC:
		stream_process(n);
		break;
	case MUX_STATUS:
		break;
	default:
		rpc_process(n);
	}
}

void
net_pump(struct net *n)
{
	switch (n->service) {
	case MUX_SFTP:
		sftp_pump(n);
		break;
	case MUX_PROXY:
	case MUX_DIAL:
		proxy_pump(n);
		break;
	case MUX_EXEC_STREAM:
	case MUX_EXEC:
		flow_pump(n);
		break;
	case MUX_STATUS:
		break;
	default:
		pty_pump(n);
		exec_pump(n);
	}
}

/*
 * A command's input goes on while its output waits: there may be a signal in
 * it, and what it may hold is bounded otherwise.
 */
bool
net_busy(const struct net *n)
{
	if (n->service == MUX_EXEC_STREAM || n->service == MUX_EXEC)
		return false;
	return n->asked || n->pty.state == PTY_STARTING ||
	    n->pty.state == PTY_STOPPING || n->wl_asked || sftp_busy(n) ||
	    proxy_busy(n) || link_backlog(&n->link) >= NET_OUT_HIGH;
}

static void
step(struct net *n)
{
	if (n->state == NET_HANDSHAKE)
		process_handshake(n);
	if (n->state == NET_MUX)
		process_mux(n);
	if (n->state == NET_SERVICE)
		process_service(n);
	if (n->state == NET_FINISHING || n->state == NET_LINGERING) {
		buf_reset(&n->link.in);
		if (!n->link.sealed)
			buf_reset(&n->link.wire_in);
	}
}

void
net_process(struct net *n)
{
	do {
		link_open(n);
		step(n);
	} while (!net_busy(n) && link_has_more(&n->link));
	link_read_on(n, !net_busy(n));
}

struct net *
net_new(int conn, int monitor)
{
	struct net *n;

	if ((n = calloc(1, sizeof(*n))) == NULL)
		return NULL;
	if ((n->base = event_base_new()) != NULL &&
	    (n->timer = evtimer_new(n->base, on_timer, n)) != NULL &&
	    pty_init(n) == 0 && flow_init(n) == 0 && link_init(n, conn) == 0 &&
	    mon_init(n, monitor) == 0)
		return n;
	/* The process ends: what there is of it goes with it. */
	return NULL;
}
