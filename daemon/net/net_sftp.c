/* SPDX-License-Identifier: ISC */
/*
 * The SFTP subsystem: bytes between the peer and the server that the monitor
 * started.  Nothing of them is looked at.  PROTOCOL.pty 8.
 */
#include <stdlib.h>

#include "common/base/err.h"
#include "daemon/net/net_mon.h"
#include "daemon/net/net_relay.h"
#include "daemon/net/net_service.h"

/* Accepted when there is a server. */
static int
net_sftp_begin(struct channel *ch, struct buf *query)
{
	struct net_relay *r;

	if ((ch->state = r = malloc(sizeof(*r))) == NULL)
		return SKY_ERR_NOMEM;
	net_relay_init(r, ch);
	ch->busy = true;
	mon_sftp_start(ch->mon);
	return 0;
}

static void
net_sftp_end(struct channel *ch)
{
	struct net_relay *r = ch->state;

	if (r->writable != NULL)
		channel_tell_job(ch, PRIV_SFTP_HANDLE, &r->bytes);
	net_relay_close(r);
	free(r);
}

static void
net_sftp_input(struct channel *ch)
{
	if (net_relay_input(ch->state) < 0)
		channel_end(ch);
}

static void
net_sftp_room(struct channel *ch)
{
	net_relay_room(ch->state);
}

static int
net_sftp_told(struct channel *ch, struct privmsg *m)
{
	char *why = NULL;
	int r;

	if (m->type != PM_SFTP_START + 1 || ch->stage != CHANNEL_ASKED)
		return SKY_ERR_STATE;
	if ((r = buf_get_cstring(&m->body, &why, PRIVMSG_TEXT_MAX)) != 0)
		return r;
	ch->busy = false;
	if (*why != '\0')
		channel_reject(ch, why);
	else if ((r = net_relay_open(ch->state, privmsg_take_fd(m, 0))) == 0)
		channel_accept(ch);
	free(why);
	return r;
}

const struct service_ops net_sftp_ops = {
	.begin = net_sftp_begin,
	.input = net_sftp_input,
	.room = net_sftp_room,
	.told = net_sftp_told,
	.end = net_sftp_end,
};
