/* SPDX-License-Identifier: ISC */
/* The whitelist service of the control socket.  PROTOCOL.pty 6. */
#include <stdlib.h>

#include "common/base/err.h"
#include "daemon/net/net_mon.h"
#include "daemon/net/net_rpc.h"
#include "daemon/net/net_service.h"

/* The call under way, while the channel is busy with it. */
struct net_wl {
	struct net_rpc rpc;
	enum rpc_method method;
	uint64_t seq;
};

static int
net_wl_begin(struct channel *ch, struct buf *query)
{
	struct net_wl *w;

	if ((ch->state = w = calloc(1, sizeof(*w))) == NULL)
		return SKY_ERR_NOMEM;
	channel_accept(ch);
	return net_rpc_init(&w->rpc, ch, RPC_SERVICE_WHITELIST);
}

static void
net_wl_end(struct channel *ch)
{
	struct net_wl *w = ch->state;

	net_rpc_free(&w->rpc);
	free(w);
}

static void
net_wl_call(struct net_wl *w, struct rpc_call *c)
{
	struct channel *ch = w->rpc.ch;
	int r = 0;

	if (c->method == RPC_WL_LIST)
		mon_wl_list(ch);
	else
		r = mon_wl_change(ch, c->method == RPC_WL_ADD, &c->arg.keys);
	if (r != 0) {
		net_rpc_fail(&w->rpc, c->method, c->seq, "%s", err_text(r));
		return;
	}
	ch->busy = true;
	w->method = c->method;
	w->seq = c->seq;
}

static void
net_wl_input(struct channel *ch)
{
	struct net_wl *w = ch->state;
	struct rpc_call c;

	while (net_rpc_next(&w->rpc, &c))
		net_wl_call(w, &c);
}

/* The monitor's list as gob wants it: count and marshalled keys. */
static int
net_wl_reply_list(struct net_wl *w, struct buf *b)
{
	union rpc_value v = { .keys = { 0 } };
	struct buf key;
	uint32_t count;
	int r;

	if ((r = buf_get_u32(b, &count)) != 0)
		return r;
	buf_init(&v.keys.raw, PRIVMSG_MAX * 2);
	for (; r == 0 && count > 0; count--)
		if ((r = buf_get_view(b, KEY_PUBLIC_LEN, &key)) == 0)
			r = gob_list_add(&v.keys, buf_ptr(&key), buf_len(&key));
	if (r == 0 && (r = buf_at_end(b)) == 0)
		net_rpc_reply(&w->rpc, w->method, w->seq, &v);
	buf_free(&v.keys.raw);
	return r;
}

static int
net_wl_told(struct channel *ch, struct privmsg *m)
{
	struct net_wl *w = ch->state;
	char *text = NULL;
	int r;

	if ((m->type != PM_WL_LIST + 1 && m->type != PM_WL_ADD + 1 &&
		m->type != PM_WL_REMOVE + 1) ||
	    !ch->busy)
		return SKY_ERR_STATE;
	if ((r = buf_get_cstring(&m->body, &text, PRIVMSG_TEXT_MAX)) != 0)
		return r;
	ch->busy = false;
	if (*text != '\0')
		net_rpc_fail(&w->rpc, w->method, w->seq, "%s", text);
	else if (w->method == RPC_WL_LIST)
		r = net_wl_reply_list(w, &m->body);
	else
		net_rpc_reply(&w->rpc, w->method, w->seq, NULL);
	free(text);
	return r;
}

const struct service_ops net_wl_ops = {
	.begin = net_wl_begin,
	.input = net_wl_input,
	.told = net_wl_told,
	.end = net_wl_end,
};
