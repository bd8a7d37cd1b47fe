/* SPDX-License-Identifier: ISC */
/*
 * skyptyd-net, the confined child of one connection: its states, and the wheel
 * that takes input down to the service and output to the peer.  Nothing else
 * turns it, and it is turned between rounds of the loop, never in the midst of
 * one.
 */
#include "daemon/net/net.h"

#include <errno.h>
#include <malloc.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/privsep/welcome.h"
#include "common/pty/mux.h"
#include "daemon/net/net_channels.h"
#include "daemon/net/net_mon.h"
#include "daemon/net/net_request.h"
#include "daemon/net/net_service.h"

#define NET_LINGER 2 /* seconds for the peer to see our end */
#define NET_MEMORY (384U * 1024 * 1024) /* more than all limits allow */
/* Descriptors: three a command, one of what else a channel may carry. */
#define NET_NOFILE (3 * PRIV_EXECS_MAX + NET_CHANNELS_MAX + 64)
#define NET_STEPS  16 /* of a turn, before others may say something again */

/*
 * Ends the process.  What it is called at the end, behind the service's own end
 * always PRIV_END_SERVED or PRIV_END_REFUSED.
 */
__attribute__((noreturn)) static void
net_leave(struct net *n, enum priv_end how)
{
	/* What its service runs still is told of by its end. */
	channel_free(&n->channel);
	net_peer_tell_all(&n->peer);
	if (n->state == NET_FINISHING || n->state == NET_LINGERING)
		how = n->channel.refused ? PRIV_END_REFUSED : PRIV_END_SERVED;
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
	mon_log(n->monitor, LOG_LEVEL_INFO, "%s", text);
	net_peer_tell_all(&n->peer);
	_exit(PRIV_END_FAULT);
}

/* --- time --- */

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
net_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct net *n = arg;

	if (n->state == NET_MUX)
		mon_log(n->monitor, LOG_LEVEL_INFO,
		    "no service was asked for within %d seconds",
		    NET_MUX_TIMEOUT);
	net_leave(n, PRIV_END_IDLE);
}

/* --- the request for a service --- */

/* A user is the monitor's matter; what follows the name waits for its word. */
static void
net_ask_user(struct net *n, struct buf *name, const struct buf *rest)
{
	n->asked = true;
	n->nrest = buf_len(rest);
	memcpy(n->rest, buf_ptr(rest), n->nrest);
	mon_user(n->monitor, name);
}

static void
net_take_request(struct net *n)
{
	struct channel *ch = &n->channel;
	struct buf uri, name;
	int r;

	if (n->asked || ch->service != NULL || ch->stage == CHANNEL_ENDED ||
	    mux_get_request(ch->in, &uri) == 0)
		return;
	net_timer(n, 0);
	if ((r = mux_get_user(&uri, &name)) == 1)
		net_ask_user(n, &name, &uri);
	else if (r == 0)
		net_request_open(&n->channel, &uri);
	else
		channel_reject(ch, "that is no name of a user");
}

static int
net_told_user(struct net *n, struct privmsg *m)
{
	struct buf rest;
	char *why;
	int r;

	if (n->state != NET_MUX || !n->asked)
		return SKY_ERR_STATE;
	if ((r = buf_get_cstring(&m->body, &why, PRIVMSG_TEXT_MAX)) != 0)
		return r;
	n->asked = false;
	buf_view(&rest, n->rest, n->nrest);
	if (*why == '\0')
		net_request_open(&n->channel, &rest);
	else
		channel_reject(&n->channel, why);
	free(why);
	return 0;
}

/* --- the wheel --- */

/* errno is that of SKY_ERR_SYS. */
__attribute__((noreturn)) static void
net_lost(struct net *n, int r)
{
	if (r == SKY_ERR_EOF)
		net_leave(n, PRIV_END_LEFT);
	if (r != SKY_ERR_SYS)
		net_end(n, "%s", err_text(r));
	if (errno == ECONNRESET || errno == EPIPE)
		net_leave(n, PRIV_END_RESET);
	mon_log(n->monitor, LOG_LEVEL_INFO, "%s", err_text(r));
	net_leave(n, PRIV_END_LOST);
}

/* Whether the peer's end is for the service to hear, as input is. */
static bool
net_hears_end(const struct net *n)
{
	return n->state == NET_SERVICE && n->link.lost == SKY_ERR_EOF &&
	    n->channel.service->ops->eof != NULL;
}

/* What has ended, or takes too long. */
static void
net_check(struct net *n)
{
	struct net_link *l = &n->link;

	if (l->dead) {
		mon_log(n->monitor, LOG_LEVEL_INFO,
		    "the peer does not answer any more");
		net_leave(n, PRIV_END_LOST);
	}
	if (l->lost != 0 && !net_hears_end(n)) {
		errno = l->error;
		net_lost(n, l->lost);
	}
	if (n->channel.late && n->channel.stage != CHANNEL_ENDED) {
		mon_log(n->monitor, LOG_LEVEL_INFO,
		    "the request did not come within %d seconds",
		    n->channel.seconds);
		net_leave(n, PRIV_END_IDLE);
	}
}

/* Who is refused has sealed it with keys that we were not given. */
static void
net_drop_input(struct net *n)
{
	buf_reset(&n->link.in);
	buf_reset(&n->link.link.wire_in);
}

/* Whatever has come goes to where it belongs in this state. */
static void
net_step(struct net *n)
{
	struct channel *ch = &n->channel;

	if (n->state == NET_HANDSHAKE)
		net_auth_input(n);
	if (n->state == NET_MUX) {
		net_take_request(n);
		if (ch->stage == CHANNEL_OPEN) {
			n->state = NET_SERVICE;
			n->link.half = ch->service->ops->eof != NULL;
		}
	}
	if (n->state == NET_SERVICE)
		channel_turn(ch);
	if (net_hears_end(n) && !n->ended && channel_ready(ch) &&
	    buf_len(ch->in) == 0 && !net_link_waits(&n->link)) {
		n->ended = true;
		ch->service->ops->eof(ch);
	}
	if (ch->stage == CHANNEL_ENDED && n->state < NET_FINISHING) {
		n->state = NET_FINISHING;
		channel_free(ch);
	}
	if (n->state >= NET_FINISHING)
		net_drop_input(n);
}

static void
net_flush(struct net *n)
{
	int r;

	if ((r = net_link_flush(&n->link)) != 0)
		net_lost(n, r);
	if (net_link_backlog(&n->link) != 0)
		return;
	if (n->channel.finished)
		net_link_shut(&n->link);
	if (n->state == NET_FINISHING) {
		net_link_shut(&n->link);
		n->state = NET_LINGERING;
		if (n->link.lost == SKY_ERR_EOF)
			net_leave(n, PRIV_END_LEFT);
		net_timer(n, NET_LINGER);
	}
}

/* Whether what the peer says has to wait. */
static bool
net_busy(const struct net *n)
{
	if (n->state >= NET_FINISHING)
		return false;
	if (n->asked)
		return true;
	return n->channel.service != NULL && !channel_ready(&n->channel);
}

/* Whether there is more to do, although nothing new has happened. */
static bool
net_turn_once(struct net *n)
{
	bool full;
	int r;

	if (n->state >= NET_FINISHING)
		net_drop_input(n);
	else if ((r = net_link_open(&n->link)) != 0)
		net_end(n, "bad frame: %s", err_text(r));
	net_step(n);
	full = channel_full(&n->channel);
	net_flush(n);
	return (full && !channel_full(&n->channel)) ||
	    (!net_busy(n) && net_link_waits(&n->link));
}

static void
net_turn(struct net *n)
{
	int steps = 0;

	net_check(n);
	/* What is left behind this waits for the peer, and services know. */
	net_flush(n);
	while (net_turn_once(n))
		if (++steps == NET_STEPS) {
			net_link_wake(&n->link);
			break;
		}
	net_link_read_on(&n->link, !net_busy(n));
}

int
net_round(struct net *n, int flags)
{
	if (event_base_loop(n->base, flags) != 0)
		return -1;
	net_turn(n);
	return 0;
}

/* --- what the monitor says --- */

static int
net_told(struct net *n, struct privmsg *m)
{
	struct channel *ch = &n->channel;

	switch (m->type) {
	case PM_HANDSHAKE + 1:
	case PM_KK_REQUEST + 1:
	case PM_FIRST_FRAME + 1:
		return net_auth_told(n, m);
	case PM_CONTROL_OK:
		return net_auth_control(n, m);
	case PM_USER + 1:
		return net_told_user(n, m);
	}
	if (m->id != ch->number && n->peer.channels == NULL)
		return SKY_ERR_STATE;
	if (ch->service != NULL && ch->stage != CHANNEL_ENDED)
		return ch->service->ops->told(ch, m);
	/* A command may end behind its service. */
	return m->type == PM_EXITED ? 0 : SKY_ERR_STATE;
}

static void
net_on_monitor(evutil_socket_t fd, short what, void *arg)
{
	struct net *n = arg;
	int r;

	if ((r = privmsg_recv(fd, &n->msg, true)) == SKY_ERR_AGAIN)
		return;
	if (r < 0)
		_exit(0);
	if ((r = net_told(n, &n->msg)) != 0)
		net_end(n, "monitor's message %u: %s", n->msg.type,
		    err_text(r));
	privmsg_clear(&n->msg);
}

/* --- begin and end --- */

static void
net_report_step(void *arg, const char *step, const char *detail, int error)
{
	struct net *n = arg;

	if (error != 0)
		mon_log(n->monitor, LOG_LEVEL_ERROR, "confinement: %s (%s): %s",
		    step, detail, strerror(error));
}

void
net_carried(struct net *n, enum priv_carrier carrier)
{
	n->carrier = carrier;
	n->peer.control = carrier == PRIV_CONTROL;
	n->asked = carrier == PRIV_CONTROL; /* for CONTROL_OK */
	net_link_read_on(&n->link, !net_busy(n));
}

void
net_welcome(struct net *n)
{
	struct welcome w;

	if (welcome_recv(n->monitor, &n->msg, &w) != 0 ||
	    w.carrier == PRIV_DMSG)
		_exit(1);
	randombytes_buf(&n->peer.seed, sizeof(n->peer.seed));
	w.sandbox.memory = NET_MEMORY;
	w.sandbox.nofile = NET_NOFILE;
	if (sandbox_enter(&w.sandbox, net_report_step, n) == -1)
		_exit(1);
	free(w.root);
	/* What the filter was made from is not needed again. */
	malloc_trim(0);
	net_carried(n, w.carrier);
}

struct net *
net_new(int conn, int monitor)
{
	struct net *n;

	if ((n = calloc(1, sizeof(*n))) == NULL)
		return NULL;
	n->monitor = monitor;
	if ((n->base = event_base_new()) != NULL &&
	    (n->timer = evtimer_new(n->base, net_on_timer, n)) != NULL &&
	    (n->monitor_ev = event_new(n->base, monitor, EV_READ | EV_PERSIST,
		 net_on_monitor, n)) != NULL &&
	    event_add(n->monitor_ev, NULL) == 0 &&
	    net_link_init(&n->link, n->base, conn) == 0 &&
	    net_peer_init(&n->peer, n->base, &n->link, monitor) == 0 &&
	    channel_init(&n->channel, &n->peer, &n->link.in, &n->link.out) == 0)
		return n;
	/* The process ends: what there is of it goes with it. */
	return NULL;
}

void
net_free(struct net *n)
{
	channel_free(&n->channel);
	net_peer_free(&n->peer);
	net_link_free(&n->link);
	event_free(n->monitor_ev);
	event_free(n->timer);
	privmsg_free(&n->msg);
	close(n->monitor);
	event_base_free(n->base);
	free(n);
}
