/* SPDX-License-Identifier: ISC */
/* The whitelist service of the control socket. */
#include "daemon/net/net.h"

#include <stdlib.h>

#include "common/base/err.h"

void
wl_call(struct net *n, struct rpc_call *c)
{
	int r = 0;

	if (!(n->grants & PRIV_GRANT_WHITELIST)) {
		rpc_fail(n, c->method, c->seq, "not permitted");
		return;
	}
	if (c->method == RPC_WL_LIST)
		mon_wl_list(n);
	else
		r = mon_wl_change(n, c->method == RPC_WL_ADD, &c->arg.keys);
	if (r != 0) {
		rpc_fail(n, c->method, c->seq, "%s", err_text(r));
		return;
	}
	n->wl_asked = true;
	n->wl_method = c->method;
	n->wl_seq = c->seq;
}

/* The monitor's list as gob wants it: count and marshalled keys. */
static int
read_keys(struct buf *b, struct gob_list *list)
{
	struct buf key;
	uint32_t count;
	int r;

	if ((r = buf_get_u32(b, &count)) != 0)
		return r;
	while (count-- > 0)
		if ((r = buf_get_view(b, KEY_PUBLIC_LEN, &key)) != 0 ||
		    (r = gob_list_add(list, buf_ptr(&key), buf_len(&key))) != 0)
			return r;
	return buf_at_end(b);
}

static int
reply_list(struct net *n, struct buf *b)
{
	union rpc_value v = { .keys = { 0 } };
	int r;

	buf_init(&v.keys.raw, PRIVMSG_MAX * 2);
	if ((r = read_keys(b, &v.keys)) == 0)
		rpc_reply(n, n->wl_method, n->wl_seq, &v);
	buf_free(&v.keys.raw);
	return r;
}

int
wl_answer(struct net *n, struct privmsg *m)
{
	char *text = NULL;
	int r;

	if (!n->wl_asked)
		return SKY_ERR_STATE;
	if ((r = buf_get_cstring(&m->body, &text, PRIVMSG_TEXT_MAX)) != 0)
		return r;
	n->wl_asked = false;
	if (*text != '\0')
		rpc_fail(n, n->wl_method, n->wl_seq, "%s", text);
	else if (n->wl_method == RPC_WL_LIST)
		r = reply_list(n, &m->body);
	else
		rpc_reply(n, n->wl_method, n->wl_seq, NULL);
	free(text);
	if (r == 0)
		net_process(n);
	return r;
}
