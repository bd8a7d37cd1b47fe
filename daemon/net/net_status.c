/* SPDX-License-Identifier: ISC */
/*
 * skypty/1/status: what dmsg has last said of itself, as it came from the
 * monitor, then the end.
 */
#include "common/base/err.h"
#include "daemon/net/net_mon.h"
#include "daemon/net/net_service.h"

static int
net_status_begin(struct channel *ch, struct buf *query)
{
	mon_status(ch->mon);
	channel_accept(ch);
	return 0;
}

static int
net_status_told(struct channel *ch, struct privmsg *m)
{
	if (m->type != PM_STATUS + 1)
		return SKY_ERR_STATE;
	channel_put(ch, buf_ptr(&m->body), buf_len(&m->body));
	channel_end(ch);
	return 0;
}

const struct service_ops net_status_ops = {
	.begin = net_status_begin,
	.told = net_status_told,
};
