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

struct net_sftp {
	uint32_t handle;
	struct net_relay server;
};

/* Accepted when there is a server. */
static int
net_sftp_begin(struct channel *ch, struct buf *query)
{
	struct net_sftp *s;

	if ((ch->state = s = calloc(1, sizeof(*s))) == NULL)
		return SKY_ERR_NOMEM;
	net_relay_init(&s->server, ch);
	ch->busy = true;
	mon_sftp_start(ch);
	return 0;
}

static void
net_sftp_end(struct channel *ch)
{
	struct net_sftp *s = ch->state;

	if (s->handle != 0)
		channel_tell_job(ch, s->handle, &s->server.bytes);
	net_relay_close(&s->server);
	free(s);
}

static void
net_sftp_input(struct channel *ch)
{
	struct net_sftp *s = ch->state;

	if (net_relay_input(&s->server) < 0)
		channel_end(ch);
}

static void
net_sftp_room(struct channel *ch)
{
	struct net_sftp *s = ch->state;

	net_relay_room(&s->server);
}

static int
net_sftp_told(struct channel *ch, struct privmsg *m)
{
	struct net_sftp *s = ch->state;
	char *why = NULL;
	int r;

	if (m->type == PM_EXITED) /* another channel's command */
		return 0;
	if (m->type != PM_SFTP_START + 1 || ch->stage != CHANNEL_ASKED)
		return SKY_ERR_STATE;
	if ((r = buf_get_cstring(&m->body, &why, PRIVMSG_TEXT_MAX)) != 0)
		return r;
	ch->busy = false;
	if (*why != '\0')
		channel_reject(ch, why);
	else if ((r = buf_get_u32(&m->body, &s->handle)) == 0 &&
	    (r = net_relay_open(&s->server, privmsg_take_fd(m, 0))) == 0)
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
