/* SPDX-License-Identifier: ISC */
/*
 * A peer of a hub: bytes between a descriptor and a channel, half-close both
 * ways.  Descriptors are looked at by edges: what can be read or written is
 * known until the system says that it cannot any more.
 */
#include "client/hub/hub.h"
#include "client/hub/hub_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/pty/yamux.h"
#include "common/pty/mux.h"

#define CHUNK	(64U * 1024) /* one read, and then others have their turn */
#define ASK_MAX 4096	     /* a request, and what came right behind it */

static const char peer_lost[] = "the shared connection has ended";
static const char peer_unwaited[] = "nobody waits for it any more";

/* --- coming and going --- */

void
peer_wake(struct hub_peer *p)
{
	if (p->is_ready || p->state == PEER_OVER)
		return;
	p->is_ready = true;
	TAILQ_INSERT_TAIL(&p->hub->ready, p, ready);
}

static void
peer_on_fd(struct hub *h, struct hub_watch *w, uint32_t events)
{
	struct hub_peer *p =
	    (struct hub_peer *)((char *)w - offsetof(struct hub_peer, watch));

	(void)h;
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		p->readable = true;
	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		p->writable = true;
	/* Both ways: whoever had the other end has gone. */
	if (events & EPOLLHUP)
		p->fd_gone = true;
	peer_wake(p);
}

int
peer_attach(struct hub_peer *p, int fd)
{
	p->watch = (struct hub_watch){ .fd = fd, .on = peer_on_fd };
	if (fcntl(fd, F_SETFL, O_NONBLOCK) != -1 &&
	    hub_watch(p->hub, &p->watch,
		EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET) == 0)
		return 0;
	p->watch.fd = -1;
	return SKY_ERR_SYS;
}

struct hub_peer *
peer_new(struct hub *h, enum peer_state state, int fd)
{
	struct hub_peer *p;

	if (h->count >= HUB_PEERS_MAX || (p = calloc(1, sizeof(*p))) == NULL)
		return NULL;
	p->hub = h;
	p->state = state;
	p->watch.fd = -1;
	buf_init(&p->in, ASK_MAX);
	if (fd != -1 && peer_attach(p, fd) != 0) {
		free(p);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&h->all, p, all);
	h->count++;
	return p;
}

/* Once: how it went with its channel. */
static void
peer_tell(struct hub_peer *p, const char *why)
{
	hub_told *told = p->told;

	p->told = NULL;
	if (told != NULL)
		told(p->told_arg, p->watch.fd, why);
}

void
peer_end(struct hub_peer *p)
{
	struct hub *h = p->hub;

	if (p->state == PEER_OVER)
		return;
	if (p->state == PEER_OPENING)
		peer_tell(p, peer_lost);
	if (p->state == PEER_ASKING)
		TAILQ_REMOVE(&h->asking, p, asking);
	if (p->state == PEER_ARRIVING || p->state == PEER_ARRIVED)
		h->arriving--;
	if (p->waits)
		TAILQ_REMOVE(&h->waiting, p, waiting);
	if (p->watch.fd != -1) {
		hub_unwatch(h, &p->watch);
		close(p->watch.fd);
	}
	if (p->st != NULL) {
		yamux_set_arg(p->st, NULL);
		yamux_close(p->st);
	}
	p->state = PEER_OVER;
	TAILQ_REMOVE(&h->all, p, all);
	h->count--;
	TAILQ_INSERT_TAIL(&h->dead, p, all);
	if (p->gone != NULL)
		p->gone(p->gone_arg);
}

/* Whoever reads there is to see that it was cut off, where TCP can say so. */
static void
peer_cut(struct hub_peer *p)
{
	const struct linger now = { .l_onoff = 1 };

	if (p->watch.fd != -1)
		(void)setsockopt(p->watch.fd, SOL_SOCKET, SO_LINGER, &now,
		    sizeof(now));
	peer_end(p);
}

/* --- its channel --- */

/* For who waits for it: a caller, or whoever has called hub_open(). */
static void
peer_no_channel(struct hub_peer *p, const char *why)
{
	if (p->state == PEER_OPENING) {
		peer_tell(p, why);
		peer_end(p);
	} else
		caller_refuse(p, why);
}

static void
peer_write_request(struct hub_peer *p)
{
	/* A new channel has room for all of it. */
	if (yamux_write(p->st, buf_ptr(&p->in), buf_len(&p->in)) < 0)
		p->st_reset = true;
	buf_free(&p->in);
	peer_wake(p);
}

void
peer_open(struct hub_peer *p)
{
	struct hub *h = p->hub;
	int r = h->lost ? SKY_ERR_STATE : yamux_open(h->yamux, &p->st);

	if (r == 0) {
		yamux_set_arg(p->st, p);
		peer_write_request(p);
	} else if (r == SKY_ERR_AGAIN) {
		p->waits = true;
		TAILQ_INSERT_HEAD(&h->waiting, p, waiting);
	} else
		peer_no_channel(p,
		    r == SKY_ERR_LIMIT ?
			"the shared connection has no room for more channels" :
			peer_lost);
}

int
hub_open(struct hub *h, const char *uri, int fd, hub_told *told, void *arg)
{
	struct hub_peer *p;

	if (h->lost)
		return SKY_ERR_STATE;
	if ((p = peer_new(h, PEER_OPENING, -1)) == NULL)
		return SKY_ERR_LIMIT;
	if (mux_put_request(&p->in, uri) != 0 || peer_attach(p, fd) != 0) {
		peer_end(p);
		return SKY_ERR_SYS;
	}
	p->told = told;
	p->told_arg = arg;
	/* Behind those that wait; nobody is told before we return. */
	p->waits = true;
	TAILQ_INSERT_TAIL(&h->waiting, p, waiting);
	return 0;
}

/* The reason comes behind a refusal, up to the end. */
static void
peer_take_refusal(struct hub_peer *p)
{
	const struct buf *in = yamux_in(p->st);
	char why[HUB_WHY_MAX];
	size_t n = buf_len(in) - 1;

	if (!p->st_reset && !yamux_is_whole(p->st) && n < sizeof(why) - 1)
		return;
	if (n > sizeof(why) - 1)
		n = sizeof(why) - 1;
	memcpy(why, buf_ptr(in) + 1, n);
	why[n] = '\0';
	peer_tell(p, *why != '\0' ? why : "the host refuses it");
	peer_end(p);
}

static void
peer_take_answer(struct hub_peer *p)
{
	const struct buf *in;

	if (p->st == NULL) {
		if (p->fd_gone) {
			peer_tell(p, peer_unwaited);
			peer_end(p);
		}
		return;
	}
	in = yamux_in(p->st);
	if (buf_len(in) == 0) {
		if (p->st_reset || yamux_eof(p->st) || p->fd_gone) {
			peer_tell(p,
			    p->fd_gone ? peer_unwaited :
					 "the host has not answered");
			peer_end(p);
		}
		return;
	}
	if (*buf_ptr(in) != MUX_ACCEPT) {
		peer_take_refusal(p);
		return;
	}
	(void)yamux_consume(p->st, 1);
	p->state = PEER_RELAY;
	peer_tell(p, NULL);
	peer_wake(p);
}

/* --- bytes --- */

/* From the channel to the descriptor. */
static void
peer_push(struct hub_peer *p)
{
	const struct buf *in;
	ssize_t n;

	in = yamux_in(p->st);
	if (p->fd_gone)
		(void)yamux_consume(p->st, buf_len(in));
	while (p->writable && buf_len(in) != 0) {
		n = write(p->watch.fd, buf_ptr(in), buf_len(in));
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EAGAIN)
			p->writable = false;
		else if (n <= 0)
			p->fd_gone = true; /* what it has said counts */
		if (n <= 0)
			return;
		(void)yamux_consume(p->st, (size_t)n);
		if (p->hub->lost)
			p->hub->lost_since = now_ms();
	}
	if (!p->fd_end && yamux_eof(p->st)) {
		p->fd_end = true;
		(void)shutdown(p->watch.fd, SHUT_WR);
	}
}

/* From the descriptor to the channel, as much as that takes. */
static void
peer_pull(struct hub_peer *p)
{
	uint8_t chunk[CHUNK];
	size_t room;
	ssize_t n;

	if (!p->readable || p->fd_eof || p->hub->lost)
		return;
	if ((room = yamux_room(p->st)) == 0) {
		/* Tells us when there is some. */
		(void)yamux_write(p->st, "", 1);
		return;
	}
	n = read(p->watch.fd, chunk,
	    room < sizeof(chunk) ? room : sizeof(chunk));
	if (n == -1 && errno == EAGAIN)
		p->readable = false;
	else if (n == -1 && errno != EINTR)
		p->fd_gone = p->fd_eof = true;
	else if (n == 0)
		p->fd_eof = true;
	else if (n > 0)
		(void)yamux_write(p->st, chunk, (size_t)n);
	if (p->readable && !p->fd_eof)
		peer_wake(p);
}

static void
peer_relay(struct hub_peer *p)
{
	if (p->st == NULL) {
		/* It waits for one, unless it has gone: the host may never
		 * acknowledge. */
		if (p->fd_gone)
			peer_end(p);
		return;
	}
	peer_push(p);
	peer_pull(p);
	if (p->fd_eof && !p->st_end) {
		p->st_end = true;
		(void)yamux_shutdown(p->st);
	}
	if (p->st_reset)
		peer_cut(p);
	else if ((p->fd_gone && p->fd_eof) || (p->fd_end && p->st_end))
		peer_end(p);
	else if (p->hub->lost && buf_len(yamux_in(p->st)) == 0)
		peer_cut(p);
}

/*
 * The hub's connection is over: what has come for it still leaves, and somebody
 * has those that are to be answered.  False: it is none of these, and ends.
 */
static bool
peer_outlives(struct hub_peer *p)
{
	if (p->state == PEER_RELAY && p->st == NULL)
		caller_refuse(p, peer_lost);
	return p->state == PEER_RELAY || p->state == PEER_ORDER ||
	    p->state == PEER_ARRIVED;
}

void
peer_turn(struct hub_peer *p)
{
	if (p->hub->lost && !peer_outlives(p)) {
		peer_end(p);
		return;
	}
	switch (p->state) {
	case PEER_ASKING:
		caller_turn(p);
		break;
	case PEER_KEPT:
		if (p->fd_gone || recv(p->watch.fd, &(char){ 0 }, 1, 0) == 0)
			peer_end(p);
		break;
	case PEER_OPENING:
		peer_take_answer(p);
		break;
	case PEER_RELAY:
		peer_relay(p);
		break;
	case PEER_ARRIVING:
		arrive_turn(p);
		break;
	case PEER_ORDER:
	case PEER_ARRIVED:
	case PEER_OVER:
		break;
	}
}
