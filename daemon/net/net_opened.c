/* SPDX-License-Identifier: ISC */
/*
 * A channel that we have opened: the other way round, we ask and the peer
 * answers with a byte.  Then bytes go between it and a socket.
 */
#include "daemon/net/net_opened.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/pty/mux.h"
#include "daemon/net/net_relay.h"
#include "daemon/net/net_request.h"
#include "daemon/net/net_service.h"

struct net_opened {
	int fd; /* until it is accepted; -1 */
	struct net_relay relay;
};

static void
net_opened_answered(struct channel *ch)
{
	struct net_opened *o = ch->state;
	uint8_t answer;
	int fd = o->fd;

	if (buf_get_u8(ch->in, &answer) != 0)
		return;
	channel_timer(ch, 0);
	if (answer != MUX_ACCEPT) {
		channel_end(ch);
		return;
	}
	o->fd = -1;
	if (net_relay_open(&o->relay, fd) != 0)
		channel_fatal(ch, "out of memory");
}

static void
net_opened_input(struct channel *ch)
{
	struct net_opened *o = ch->state;

	if (o->fd != -1)
		net_opened_answered(ch);
	if (o->fd == -1 && ch->stage == CHANNEL_OPEN)
		(void)net_relay_input(&o->relay);
}

static void
net_opened_eof(struct channel *ch)
{
	struct net_opened *o = ch->state;

	if (o->fd != -1)
		channel_end(ch);
	else
		net_relay_eof(&o->relay);
}

static void
net_opened_room(struct channel *ch)
{
	struct net_opened *o = ch->state;

	if (o->fd == -1)
		net_relay_room(&o->relay);
}

/* The monitor has nothing to do with it: commands of others end. */
static int
net_opened_told(struct channel *ch, struct privmsg *m)
{
	return m->type == PM_EXITED ? 0 : SKY_ERR_STATE;
}

static void
net_opened_end(struct channel *ch)
{
	struct net_opened *o = ch->state;

	if (o->fd != -1)
		close(o->fd);
	net_relay_close(&o->relay);
	free(o);
}

static const struct service_ops net_opened_ops = {
	.input = net_opened_input,
	.room = net_opened_room,
	.told = net_opened_told,
	.eof = net_opened_eof,
	.end = net_opened_end,
};

static const struct service net_opened = { .uri = "of ours",
	.ops = &net_opened_ops };

int
net_opened_begin(struct channel *ch, const char *uri, int fd)
{
	struct net_opened *o;
	int r;

	if ((r = mux_put_request(ch->out, uri)) != 0)
		return r;
	if ((o = calloc(1, sizeof(*o))) == NULL)
		return SKY_ERR_NOMEM;
	o->fd = fd;
	net_relay_init(&o->relay, ch);
	o->relay.half = true;
	ch->state = o;
	ch->service = &net_opened;
	ch->stage = CHANNEL_OPEN;
	channel_timer(ch, NET_MUX_TIMEOUT);
	return 0;
}
