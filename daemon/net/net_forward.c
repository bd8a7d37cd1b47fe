/* SPDX-License-Identifier: ISC */
/*
 * skypty/1/forward: the monitor has a connection made, as the session's user,
 * and its bytes go between the peer and there, either way to its own end.  See
 * PROTOCOL.
 */
#include <stdlib.h>

#include "common/base/err.h"
#include "common/pty/mux_forward.h"
#include "daemon/net/net_mon.h"
#include "daemon/net/net_relay.h"
#include "daemon/net/net_service.h"

struct net_forward {
	bool open; /* the connection is there */
	struct net_relay relay;
};

static int
net_forward_begin(struct channel *ch, struct buf *query)
{
	struct net_forward *f;
	struct mux_place place;

	if ((ch->state = f = calloc(1, sizeof(*f))) == NULL)
		return SKY_ERR_NOMEM;
	net_relay_init(&f->relay, ch);
	f->relay.half = true;
	if (mux_forward_query(query, &place) != 0) {
		channel_reject(ch, "that is no host and port, and no path");
		return 0;
	}
	ch->busy = true;
	mon_forward_open(ch, &place);
	return 0;
}

static void
net_forward_end(struct channel *ch)
{
	struct net_forward *f = ch->state;

	net_relay_close(&f->relay);
	free(f);
}

static void
net_forward_input(struct channel *ch)
{
	struct net_forward *f = ch->state;

	(void)net_relay_input(&f->relay);
}

static void
net_forward_eof(struct channel *ch)
{
	struct net_forward *f = ch->state;

	net_relay_eof(&f->relay);
}

static void
net_forward_room(struct channel *ch)
{
	struct net_forward *f = ch->state;

	if (f->open)
		net_relay_room(&f->relay);
}

static int
net_forward_told(struct channel *ch, struct privmsg *m)
{
	struct net_forward *f = ch->state;
	char *why;
	int r;

	if (m->type == PM_EXITED)
		return 0;
	if (m->type != PM_FORWARD_OPEN + 1 || f->open)
		return SKY_ERR_STATE;
	if ((r = buf_get_cstring(&m->body, &why, PRIVMSG_TEXT_MAX)) != 0)
		return r;
	if (*why != '\0')
		channel_reject(ch, why);
	else if ((r = net_relay_open(&f->relay, privmsg_take_fd(m, 0))) == 0) {
		f->open = true;
		ch->busy = false;
		channel_accept(ch);
	}
	free(why);
	return r;
}

const struct service_ops net_forward_ops = {
	.begin = net_forward_begin,
	.input = net_forward_input,
	.room = net_forward_room,
	.told = net_forward_told,
	.eof = net_forward_eof,
	.end = net_forward_end,
};
