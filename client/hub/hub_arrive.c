/* SPDX-License-Identifier: ISC */
/*
 * Channels that the host opens.  It gets none that nobody here has asked for:
 * what each leads to is settled by the rows of a table, and there is no other
 * way in.
 */
#include "client/hub/hub.h"
#include "client/hub/hub_int.h"

#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/pty/yamux.h"
#include "common/pty/mux.h"

void
arrive_new(struct hub *h, struct yamux_stream *st)
{
	struct hub_peer *p = peer_new(h, PEER_ARRIVING, -1);

	if (p == NULL) {
		yamux_close(st);
		return;
	}
	h->arriving++;
	p->st = st;
	yamux_set_arg(st, p);
	peer_wake(p);
}

void
hub_refuse(struct hub_peer *p)
{
	const uint8_t no = MUX_REJECT;

	if (!p->st_reset)
		(void)yamux_write(p->st, &no, 1);
	peer_end(p);
}

void
hub_take(struct hub_peer *p, int fd)
{
	struct hub *h = p->hub;
	const uint8_t yes = MUX_ACCEPT;

	if (h->lost || p->st_reset || peer_attach(p, fd) != 0) {
		close(fd);
		hub_refuse(p);
		return;
	}
	h->arriving--;
	p->state = PEER_RELAY;
	(void)yamux_write(p->st, &yes, 1);
	peer_wake(p);
}

void
arrive_turn(struct hub_peer *p)
{
	const struct hub_row *row = p->hub->tables->arrivals;
	const struct buf *in = yamux_in(p->st);
	struct buf peek, uri, query;

	buf_view(&peek, buf_ptr(in), buf_len(in));
	if (mux_get_request(&peek, &uri) != 1) {
		if (p->st_reset || yamux_is_whole(p->st))
			peer_end(p);
		return;
	}
	for (; row->uri != NULL; row++)
		if (mux_match(&uri, row->uri, &query)) {
			/* Before it is taken off: the query lies in it. */
			p->state = PEER_ARRIVED;
			buf_init(&p->in, MUX_URI_MAX);
			if (buf_put(&p->in, buf_ptr(&query), buf_len(&query)) !=
			    0)
				break;
			(void)yamux_consume(p->st, 1 + buf_len(&uri));
			row->serve(p->hub, p, &p->in);
			return;
		}
	hub_refuse(p);
}
