/* SPDX-License-Identifier: ISC */
/*
 * Callers of a hub: what they ask for, and what is answered by the hub itself.
 * A request is u8 length and URI.
 */
#include "client/forward/forward.h"
#include "client/hub/hub.h"
#include "client/hub/hub_int.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/hex.h"
#include "common/base/unix.h"
#include "common/pty/mux.h"

#define ASK_MS 10000 /* for a request */

/* --- coming --- */

void
hub_seat(struct hub *h, int fd)
{
	struct hub_peer *p = peer_new(h, PEER_ASKING, fd);

	if (p == NULL) {
		close(fd);
		return;
	}
	p->begun = now_ms();
	TAILQ_INSERT_TAIL(&h->asking, p, asking);
}

/* They wait in line until somebody goes. */
static void
caller_pause(struct hub *h)
{
	h->is_full = true;
	(void)hub_watch_change(h, &h->listener, 0);
}

void
caller_on_listener(struct hub *h, struct hub_watch *w, uint32_t events)
{
	int fd;

	(void)events;
	if (h->count >= HUB_PEERS_MAX) {
		caller_pause(h);
		return;
	}
	fd = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd != -1 && unix_is_ours(fd))
		hub_seat(h, fd);
	else if (fd != -1)
		close(fd);
	else if (h->count != 0 && errno != EAGAIN && errno != EINTR)
		caller_pause(h);
}

void
caller_age(struct hub *h, int64_t now)
{
	struct hub_peer *p;

	while ((p = TAILQ_FIRST(&h->asking)) != NULL && now - p->begun > ASK_MS)
		peer_end(p);
}

/* --- answers --- */

/* So little that a socket which has got nothing else takes it. */
static void
caller_say(struct hub_peer *p, uint8_t answer, const char *text)
{
	char said[1 + HUB_WHY_MAX];
	size_t n = strlen(text);

	if (n > HUB_WHY_MAX)
		n = HUB_WHY_MAX;
	said[0] = (char)answer;
	memcpy(said + 1, text, n);
	if (p->watch.fd != -1)
		(void)!send(p->watch.fd, said, 1 + n, MSG_NOSIGNAL);
}

void
caller_refuse(struct hub_peer *p, const char *why)
{
	caller_say(p, MUX_REJECT, why);
	peer_end(p);
}

void
hub_reply(struct hub_peer *p, bool ok, const char *text)
{
	caller_say(p, ok ? MUX_ACCEPT : MUX_REJECT, text);
	peer_end(p);
}

void
hub_keep(struct hub_peer *p, const char *text, void (*gone)(void *arg),
    void *arg)
{
	caller_say(p, MUX_ACCEPT, text);
	p->state = PEER_KEPT;
	p->gone = gone;
	p->gone_arg = arg;
	p->readable = true;
	peer_wake(p);
}

void
hub_say(struct hub_peer *p, const char *text)
{
	if (p->state == PEER_KEPT)
		(void)!send(p->watch.fd, text, strlen(text),
		    MSG_NOSIGNAL | MSG_DONTWAIT);
}

void
hub_drop(struct hub_peer *p)
{
	p->gone = NULL;
	peer_end(p);
}

/* --- requests --- */

static void
caller_becomes(struct hub_peer *p, enum peer_state state)
{
	TAILQ_REMOVE(&p->hub->asking, p, asking);
	p->state = state;
}

/* "skypty/1/hub/for?ID": goes on if this is the connection that is meant. */
static void
caller_check_id(struct hub_peer *p, struct buf *query)
{
	char id[2 * HUB_ID_LEN + 1];

	hex_encode(p->hub->way.id, HUB_ID_LEN, id);
	if (p->hub->lost || p->hub->listener.fd == -1)
		caller_refuse(p, "no more callers are taken");
	else if (buf_len(query) != strlen(id) ||
	    memcmp(buf_ptr(query), id, strlen(id)) != 0)
		caller_refuse(p, "it is another destination's");
	else {
		caller_say(p, MUX_ACCEPT, "");
		peer_wake(p);
	}
}

/* What is not the hub's own is the channel's, as it stands. */
static void
caller_wants_channel(struct hub_peer *p)
{
	caller_becomes(p, PEER_RELAY);
	p->waits = true;
	TAILQ_INSERT_TAIL(&p->hub->waiting, p, waiting);
}

static void
caller_take_request(struct hub_peer *p, const struct buf *uri)
{
	const struct hub_row *row = p->hub->tables->orders;
	struct buf whole = *uri, query;

	for (; row->uri != NULL; row++)
		if (mux_match(&whole, row->uri, &query)) {
			caller_becomes(p, PEER_ORDER);
			row->serve(p->hub, p, &query);
			return;
		}
	caller_refuse(p, "the hub does not know this order");
}

static bool
caller_is_ours(const struct buf *uri)
{
	size_t n = strlen(HUB_URI);

	return buf_len(uri) >= n && memcmp(buf_ptr(uri), HUB_URI, n) == 0;
}

void
caller_turn(struct hub_peer *p)
{
	struct buf peek, uri, query;
	ssize_t r;

	if (p->readable) {
		r = buf_read(&p->in, p->watch.fd, buf_room(&p->in));
		if (r == SKY_ERR_AGAIN)
			p->readable = false;
		else if (r < 0 && r != SKY_ERR_LIMIT) {
			peer_end(p);
			return;
		}
		if (r > 0)
			peer_wake(p);
	}
	buf_view(&peek, buf_ptr(&p->in), buf_len(&p->in));
	if (mux_get_request(&peek, &uri) != 1)
		return;
	if (!caller_is_ours(&uri))
		caller_wants_channel(p);
	else if (mux_match(&uri, HUB_URI_FOR, &query)) {
		(void)buf_skip(&p->in, 1 + buf_len(&uri));
		caller_check_id(p, &query);
	} else
		caller_take_request(p, &uri);
}

/* --- orders --- */

static void
order_check(struct hub *h, struct hub_peer *p, struct buf *query)
{
	char text[64];

	(void)query;
	/* Who asks is none of them. */
	snprintf(text, sizeof(text), "%ld %zu", (long)getpid(),
	    hub_count(h) - 1);
	hub_reply(p, true, text);
}

static void
order_stop(struct hub *h, struct hub_peer *p, struct buf *query)
{
	(void)query;
	hub_stop(h);
	hub_reply(p, true, "");
}

static void
order_exit(struct hub *h, struct hub_peer *p, struct buf *query)
{
	(void)query;
	hub_stop(h);
	hub_reply(p, true, "");
	hub_exit(h);
}

static void
order_wait(struct hub *h, struct hub_peer *p, struct buf *query)
{
	(void)h, (void)query;
	hub_keep(p, "\n", NULL, NULL);
}

static const struct hub_row orders[] = {
	{ HUB_URI_CHECK, order_check },
	{ HUB_URI_STOP, order_stop },
	{ HUB_URI_EXIT, order_exit },
	{ HUB_URI_WAIT, order_wait },
	{ HUB_URI_FORWARD, forward_on_add },
	{ HUB_URI_CANCEL, forward_on_cancel },
	{ HUB_URI_FORWARDS, forward_on_list },
	{ NULL, NULL },
};

static const struct hub_row arrivals[] = {
	{ MUX_URI_ACCEPTED, forward_on_arrival },
	{ NULL, NULL },
};

const struct hub_tables hub_tables = { orders, arrivals };
