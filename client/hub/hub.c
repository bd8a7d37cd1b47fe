/* SPDX-License-Identifier: ISC */
/* A hub's loop: the connection, its channels, and when it is over. */
#include "client/hub/hub.h"
#include "client/hub/hub_int.h"
#include "client/conn.h"
#include "client/place.h"

#include <poll.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/tcp.h"
#include "common/pty/yamux.h"

#define OUT_MAX	  (64U * 1024) /* frames that wait for the socket */
#define UNSENT	  (64 * 1024)  /* and bytes in it: a key waits behind them */
#define STREAMS	  (HUB_PEERS_MAX + 500) /* some wait for the host to close */
#define BUFFERED  ((size_t)STREAMS * YAMUX_WINDOW) /* nothing is ever shed */
#define ARRIVALS  64				   /* not taken yet */
#define PING_MS	  30000
#define SILENT_MS 90000 /* behind it; servers of dmsg want something, too */
#define AGE_MS	  30000
#define TICK_MS	  1000
#define SLEPT_MS  10000 /* a longer round was none of ours: we were stopped */
#define LOST_MS	  30000 /* without progress for somebody who does not read */

/* --- descriptors --- */

static int
hub_ctl(struct hub *h, int op, struct hub_watch *w, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = w };

	return epoll_ctl(h->epoll, op, w->fd, &ev) == 0 ? 0 : SKY_ERR_SYS;
}

int
hub_watch(struct hub *h, struct hub_watch *w, uint32_t events)
{
	return hub_ctl(h, EPOLL_CTL_ADD, w, events);
}

int
hub_watch_change(struct hub *h, struct hub_watch *w, uint32_t events)
{
	return hub_ctl(h, EPOLL_CTL_MOD, w, events);
}

void
hub_unwatch(struct hub *h, struct hub_watch *w)
{
	(void)hub_ctl(h, EPOLL_CTL_DEL, w, 0);
	for (int i = 0; i < h->nevents; i++)
		if (h->events[i].data.ptr == w)
			h->events[i].data.ptr = NULL;
}

void
hub_set_arg(struct hub *h, void *arg)
{
	h->arg = arg;
}

void *
hub_arg(const struct hub *h)
{
	return h->arg;
}

/* --- the connection --- */

/* What has come may still leave, to those who read. */
static void
hub_lose(struct hub *h)
{
	struct hub_peer *p;

	if (h->lost)
		return;
	h->lost = true;
	h->lost_since = now_ms();
	hub_unwatch(h, &h->link);
	hub_stop(h);
	/* Each in its turn: who is told may end others. */
	TAILQ_FOREACH (p, &h->all, all)
		peer_wake(p);
}

static void
hub_on_link(struct hub *h, struct hub_watch *w, uint32_t events)
{
	uint64_t before = h->conn->received;

	(void)w;
	if (conn_pump(h->conn, (short)events) != 0) {
		hub_lose(h);
		return;
	}
	if (h->conn->received != before)
		h->heard = now_ms();
}

static void
hub_take_events(struct hub *h)
{
	struct yamux_event ev;
	struct hub_peer *p;

	while (yamux_event(h->yamux, &ev)) {
		if (ev.stream == NULL || (p = yamux_arg(ev.stream)) == NULL)
			continue;
		p->st_reset = p->st_reset || (ev.what & YAMUX_RESET) != 0;
		peer_wake(p);
	}
}

static void
hub_receive(struct hub *h)
{
	struct yamux_stream *st;

	if (h->lost)
		return;
	if (yamux_input(h->yamux, &h->conn->in) != 0) {
		hub_take_events(h);
		hub_lose(h);
		return;
	}
	while ((st = yamux_accept(h->yamux)) != NULL)
		if (h->arriving < ARRIVALS)
			arrive_new(h, st);
		else
			yamux_close(st);
	hub_take_events(h);
	if (h->conn->eof)
		hub_lose(h);
}

/* The host acknowledges channels that were opened before, if there are many. */
static void
hub_open_waiting(struct hub *h)
{
	struct hub_peer *p;

	while ((p = TAILQ_FIRST(&h->waiting)) != NULL && !h->lost) {
		TAILQ_REMOVE(&h->waiting, p, waiting);
		p->waits = false;
		peer_open(p);
		if (p->waits)
			break;
	}
}

static void
hub_send(struct hub *h)
{
	uint32_t events;
	int r = 0;

	if (h->lost)
		return;
	do
		if ((r = yamux_output(h->yamux, &h->conn->out)) == 0)
			r = conn_flush(h->conn);
	while (r == 0 && yamux_pending(h->yamux) &&
	    !(conn_events(h->conn) & POLLOUT));
	if (r != 0 && r != SKY_ERR_NOMEM) {
		hub_lose(h);
		return;
	}
	events = (uint32_t)conn_events(h->conn);
	if (events != h->link_events)
		(void)hub_watch_change(h, &h->link, events);
	h->link_events = events;
	hub_take_events(h);
}

/* --- time --- */

/*
 * Whether the other machine takes what we send: an answer of the host's may lie
 * behind much that is slow.
 */
static bool
hub_moves(struct hub *h)
{
	uint64_t frames = h->conn->link.tx.counter;
	int unsent;
	bool moves;

	if (ioctl(h->conn->fd, TIOCOUTQ, &unsent) == -1)
		unsent = 0;
	moves = frames != h->frames || unsent != h->unsent;
	h->frames = frames;
	h->unsent = unsent;
	return moves;
}

static void
hub_ping(struct hub *h, int64_t now)
{
	if (h->lost)
		return;
	if (now - h->seen > SLEPT_MS)
		h->heard = now; /* nobody has been asked */
	if (now - h->pinged >= PING_MS) {
		(void)yamux_ping(h->yamux);
		h->pinged = now;
	}
	if (now - h->aged >= AGE_MS) {
		yamux_age(h->yamux);
		h->aged = now;
	}
	if (now - h->heard <= SILENT_MS)
		return;
	if (hub_moves(h))
		h->heard = now;
	else
		hub_lose(h);
}

/* Whether there is still somebody to serve, or may be. */
static bool
hub_stays(struct hub *h, int64_t now)
{
	if (h->lost)
		return h->count != 0 && now - h->lost_since < LOST_MS;
	if (h->count != 0) {
		h->idle_since = 0;
		return true;
	}
	if (h->idle_since == 0)
		h->idle_since = now;
	if (h->listener.fd == -1)
		return false;
	return h->way.persist_ms == HUB_FOREVER ||
	    now - h->idle_since < h->way.persist_ms;
}

static int
hub_timeout(const struct hub *h, int ms)
{
	int64_t left = TICK_MS;

	if (!TAILQ_EMPTY(&h->ready) || h->over)
		return 0;
	if (h->count == 0 && h->idle_since != 0 &&
	    h->way.persist_ms != HUB_FOREVER)
		left = h->idle_since + h->way.persist_ms - h->seen;
	else if (TAILQ_EMPTY(&h->asking) && !h->lost)
		left = PING_MS / 3;
	if (left < 0)
		left = 0;
	if (left > PING_MS / 3)
		left = PING_MS / 3;
	return ms >= 0 && ms < left ? ms : (int)left;
}

/* --- rounds --- */

static void
hub_turns(struct hub *h)
{
	struct hub_peers now;
	struct hub_peer *p;

	/* Who wants another turn has it in the next round. */
	TAILQ_INIT(&now);
	TAILQ_CONCAT(&now, &h->ready, ready);
	while ((p = TAILQ_FIRST(&now)) != NULL) {
		TAILQ_REMOVE(&now, p, ready);
		p->is_ready = false;
		if (p->state != PEER_OVER)
			peer_turn(p);
	}
}

static void
hub_bury(struct hub *h)
{
	bool some = !TAILQ_EMPTY(&h->dead);
	struct hub_peer *p;

	while ((p = TAILQ_FIRST(&h->dead)) != NULL) {
		TAILQ_REMOVE(&h->dead, p, all);
		if (p->is_ready)
			TAILQ_REMOVE(&h->ready, p, ready);
		buf_free(&p->in);
		free(p);
	}
	if (some && h->is_full && h->listener.fd != -1) {
		h->is_full = false;
		(void)hub_watch_change(h, &h->listener, EPOLLIN);
	}
}

bool
hub_round(struct hub *h, int ms)
{
	struct hub_watch *w;
	int64_t now;

	h->nevents =
	    epoll_wait(h->epoll, h->events, HUB_EVENTS, hub_timeout(h, ms));
	for (int i = 0; i < h->nevents; i++)
		if ((w = h->events[i].data.ptr) != NULL)
			w->on(h, w, h->events[i].events);
	h->nevents = 0;
	hub_receive(h);
	hub_turns(h);
	hub_open_waiting(h);
	hub_send(h);
	now = now_ms();
	hub_ping(h, now);
	caller_age(h, now);
	hub_bury(h);
	h->seen = now;
	if (!hub_stays(h, now))
		h->over = true;
	return !h->over;
}

/* --- beginning and end --- */

static bool
hub_begin(struct hub *h, const struct hub_way *way)
{
	struct yamux_limits limits = yamux_default_limits();

	limits.streams = STREAMS;
	limits.backlog = ARRIVALS;
	limits.buffered = BUFFERED;
	randombytes_buf(&limits.seed, sizeof(limits.seed));
	h->epoll = epoll_create1(EPOLL_CLOEXEC);
	h->yamux = yamux_new(true, &limits);
	h->link_events = EPOLLIN;
	if (h->epoll == -1 || h->yamux == NULL ||
	    hub_watch(h, &h->link, EPOLLIN) != 0)
		return false;
	h->listener.fd = way->listener;
	return way->listener == -1 || hub_watch(h, &h->listener, EPOLLIN) == 0;
}

struct hub *
hub_new(struct conn *c, const struct hub_way *way,
    const struct hub_tables *tables)
{
	struct hub *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->conn = c;
	h->way = *way;
	h->tables = tables;
	h->link = (struct hub_watch){ .fd = c->fd, .on = hub_on_link };
	h->listener = (struct hub_watch){ .fd = -1, .on = caller_on_listener };
	TAILQ_INIT(&h->all);
	TAILQ_INIT(&h->ready);
	TAILQ_INIT(&h->waiting);
	TAILQ_INIT(&h->asking);
	TAILQ_INIT(&h->dead);
	h->heard = h->pinged = h->aged = h->seen = now_ms();
	/* The request has left: no more is to lie in front of a key. */
	buf_free(&c->out);
	buf_init(&c->out, OUT_MAX);
	tcp_bound_unsent(c->fd, UNSENT);
	if (!hub_begin(h, way)) {
		hub_free(h);
		return NULL;
	}
	if (way->guest != -1)
		hub_seat(h, way->guest);
	return h;
}

void
hub_stop(struct hub *h)
{
	if (h->listener.fd == -1)
		return;
	if (h->way.place != NULL)
		place_leave(h->way.place);
	hub_unwatch(h, &h->listener);
	close(h->listener.fd);
	h->listener.fd = -1;
}

void
hub_exit(struct hub *h)
{
	h->over = true;
}

size_t
hub_count(const struct hub *h)
{
	return h->count;
}

void
hub_free(struct hub *h)
{
	struct hub_peer *p;

	hub_stop(h);
	while ((p = TAILQ_FIRST(&h->all)) != NULL)
		peer_end(p);
	hub_bury(h);
	yamux_free(h->yamux);
	if (h->epoll != -1)
		close(h->epoll);
	free(h);
}
