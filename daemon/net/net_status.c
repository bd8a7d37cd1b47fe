/* SPDX-License-Identifier: ISC */
/*
 * What there is on the control socket for whoever looks after the host, as it
 * comes from the monitor, then the end.  PROTOCOL 9.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "daemon/net/net_mon.h"
#include "daemon/net/net_service.h"

/* --- skypty/1/status: what dmsg has last said of itself --- */

static int
net_status_begin(struct channel *ch, struct buf *query)
{
	mon_status(ch);
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

/* --- skypty/1/kill: ends connections, and says how many --- */

static int
net_kill_begin(struct channel *ch, struct buf *query)
{
	struct mux_kill k;

	if (mux_kill_query(query, &k) != 0) {
		channel_reject(ch, "neither an id of 16 digits nor a key");
		return 0;
	}
	ch->busy = true;
	mon_kill(ch, &k);
	return 0;
}

static int
net_kill_told(struct channel *ch, struct privmsg *m)
{
	char *why = NULL, text[16];
	uint32_t n;
	int r;

	if (m->type != PM_KILL + 1 || !ch->busy)
		return SKY_ERR_STATE;
	if ((r = buf_get_cstring(&m->body, &why, PRIVMSG_TEXT_MAX)) != 0)
		return r;
	if (*why != '\0') {
		channel_reject(ch, why);
	} else if ((r = buf_get_u32(&m->body, &n)) == 0) {
		snprintf(text, sizeof(text), "%lu\n", (unsigned long)n);
		channel_accept(ch);
		channel_put(ch, text, strlen(text));
		channel_end(ch);
	}
	ch->busy = false;
	free(why);
	return r;
}

const struct service_ops net_kill_ops = {
	.begin = net_kill_begin,
	.told = net_kill_told,
};
