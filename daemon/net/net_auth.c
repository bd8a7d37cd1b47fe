/* SPDX-License-Identifier: ISC */
/*
 * Who the peer is: what it says in the handshake goes to the monitor, whose
 * word it is, and with whom the keys come.
 */
#include <string.h>

#include "common/base/err.h"
#include "common/pty/keys.h"
#include "common/pty/mux.h"
#include "daemon/net/net.h"
#include "daemon/net/net_mon.h"
#include "daemon/net/net_request.h"

void
net_auth_input(struct net *n)
{
	struct buf body;
	int r;

	if (n->asked)
		return;
	if ((r = frame_get(&n->link.link.wire_in, &body)) < 0)
		net_end(n, "bad handshake: %s",
		    r == SKY_ERR_LIMIT ? "not a message of Noise" :
					 err_text(r));
	if (r == 0)
		return;
	n->asked = true;
	/* Over dmsg: what dmsg says of the request, then a frame. */
	if (n->carrier != PRIV_KK)
		mon_handshake(n->monitor, &body);
	else if (!n->requested)
		mon_kk_request(n->monitor, &body);
	else
		mon_first_frame(n->monitor, &body);
	n->requested = true;
}

static void
net_auth_done(struct net *n, uint32_t grants, uint32_t idle)
{
	n->peer.session = true;
	n->peer.grants = grants;
	n->peer.idle = idle;
	n->state = NET_MUX;
	net_timer(n, NET_MUX_TIMEOUT);
}

/* With KK the first frame has been opened already; what it said follows. */
static int
net_auth_first_frame(struct net *n, struct buf *b)
{
	uint64_t counter;
	int r;

	if ((r = buf_get_u64(b, &counter)) != 0)
		return r;
	n->link.link.rx.counter = counter;
	return buf_put(&n->link.in, buf_ptr(b), buf_len(b));
}

/* The mux's refusal, sealed, and why there is one, if that is told. */
static int
net_auth_turned_away(struct net *n, struct buf *b)
{
	uint8_t send[32], none[32] = { 0 };
	int r;

	if ((r = buf_get(b, send, sizeof(send))) != 0)
		return r;
	link_keys(&n->link.link, send, none);
	explicit_bzero(send, sizeof(send));
	if ((r = buf_put_u8(&n->link.out, MUX_REJECT)) != 0 ||
	    (r = buf_put(&n->link.out, buf_ptr(b), buf_len(b))) != 0)
		return r;
	n->state = NET_FINISHING;
	return 0;
}

static int
net_auth_authenticated(struct net *n, struct buf *b, bool first_frame)
{
	uint8_t peer[KEY_PUBLIC_LEN], send[32], recv[32];
	uint32_t grants, idle;
	int r;

	if ((r = buf_get(b, peer, sizeof(peer))) != 0 ||
	    (r = buf_get_u32(b, &grants)) != 0 ||
	    (r = buf_get_u32(b, &idle)) != 0 ||
	    (r = buf_get(b, send, sizeof(send))) != 0 ||
	    (r = buf_get(b, recv, sizeof(recv))) != 0)
		return r;
	link_keys(&n->link.link, send, recv);
	explicit_bzero(send, sizeof(send));
	explicit_bzero(recv, sizeof(recv));
	if (first_frame && (r = net_auth_first_frame(n, b)) != 0)
		return r;
	net_auth_done(n, grants, idle);
	return 0;
}

int
net_auth_told(struct net *n, struct privmsg *m)
{
	uint8_t what;
	int r;

	if (n->state != NET_HANDSHAKE || !n->asked)
		return SKY_ERR_STATE;
	n->asked = false;
	if ((r = buf_get_u8(&m->body, &what)) != 0)
		return r;
	switch (what) {
	case PRIV_FRAME:
		return frame_put(&n->link.link.wire_out, buf_ptr(&m->body),
		    buf_len(&m->body));
	case PRIV_DONE:
		return net_auth_authenticated(n, &m->body, false);
	case PRIV_DONE_KK:
		return net_auth_authenticated(n, &m->body, true);
	case PRIV_TURNED_AWAY:
		return net_auth_turned_away(n, &m->body);
	case PRIV_REFUSED:
		n->state = NET_FINISHING;
		return 0;
	}
	return SKY_ERR_FORMAT;
}

int
net_auth_control(struct net *n, struct privmsg *m)
{
	uint32_t grants;
	int r;

	if (n->carrier != PRIV_CONTROL || n->state != NET_HANDSHAKE)
		return SKY_ERR_STATE;
	if ((r = buf_get_u32(&m->body, &grants)) != 0)
		return r;
	n->asked = false;
	n->link.link.plain = true;
	net_auth_done(n, grants, 0);
	return 0;
}
