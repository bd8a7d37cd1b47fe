/* SPDX-License-Identifier: ISC */
/* Handshakes that we begin.  PROTOCOL.pty 2, PROTOCOL.dmsg 4, PROTOCOL 11. */
#include "client/handshake.h"
#include "client/agent_call.h"
#include "client/exits.h"
#include "client/identity.h"

#include <string.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/dmsg/dmsg_sign.h"

/* --- by the agent --- */

static int
handshake_ask(struct handshake *h, struct agent_request *q,
    const struct identity *id, const struct key_public *peer, struct buf *out)
{
	struct agent_answer a = { .list = NULL };
	struct buf packet;
	int r;

	q->type = AGENT_BEGIN;
	q->pk = id->pk;
	q->peer = *peer;
	if ((h->agent = agent_open()) == -1) {
		h->agent = 0;
		return EXIT_FAILED;
	}
	if ((r = agent_call(h->agent, q, &packet, &a)) == 0)
		r = buf_put(out, buf_ptr(&a.message), buf_len(&a.message));
	buf_free(&packet);
	return r;
}

static int
handshake_finish_agent(struct handshake *h, struct buf *msg2, struct buf *msg3,
    struct noise_keys *keys)
{
	struct agent_request q = { .type = AGENT_FINISH, .message = *msg2 };
	struct agent_answer a = { .list = NULL };
	struct buf packet;
	int r;

	if ((r = agent_call(h->agent, &q, &packet, &a)) == 0) {
		memcpy(keys->send, a.send, sizeof(keys->send));
		memcpy(keys->recv, a.recv, sizeof(keys->recv));
		keys->hybrid = a.hybrid;
		r = buf_put(msg3, buf_ptr(&a.message), buf_len(&a.message));
	}
	buf_free(&packet);
	return r;
}

/* --- either --- */

int
handshake_start(struct handshake *h, struct keyctx *ctx,
    const struct identity *id, const struct key_public *peer, struct buf *msg)
{
	struct agent_request q = { .way = AGENT_XK };
	int r;

	*h = (struct handshake){ .noise = NULL };
	if (id->agent)
		return handshake_ask(h, &q, id, peer, msg);
	if ((r = noise_new(&h->noise, ctx, NOISE_XK, NOISE_INITIATOR, id->sk,
		 peer)) != 0)
		return r;
	return noise_write(h->noise, NULL, msg);
}

int
handshake_dial(struct handshake *h, struct keyctx *ctx,
    const struct identity *id, const struct key_public *peer, uint16_t from,
    uint16_t to, struct buf *object)
{
	struct agent_request q = { .way = AGENT_DIAL, .from = from, .to = to };
	struct dmsg_request request = { .src = { .pk = id->pk, .port = from },
		.dst = { .pk = *peer, .port = to } };
	struct buf msg;
	int r;

	*h = (struct handshake){ .noise = NULL };
	if (id->agent)
		return handshake_ask(h, &q, id, peer, object);
	if ((r = noise_new(&h->noise, ctx, NOISE_KK, NOISE_INITIATOR, id->sk,
		 peer)) != 0)
		return r;
	buf_init(&msg, NOISE_MSG_MAX);
	if ((r = noise_write(h->noise, NULL, &msg)) == 0) {
		request.noise = msg;
		r = dmsg_sign_request(ctx, id->sk, &request, object);
	}
	buf_free(&msg);
	return r;
}

int
handshake_finish(struct handshake *h, struct buf *msg2, struct buf *msg3,
    struct noise_keys *keys)
{
	int r;

	if (h->agent != 0)
		return handshake_finish_agent(h, msg2, msg3, keys);
	r = noise_read(h->noise, msg2, NULL);
	if (r == 0 && !noise_done(h->noise))
		r = noise_write(h->noise, NULL, msg3);
	return r == 0 ? noise_split(h->noise, keys) : r;
}

void
handshake_free(struct handshake *h)
{
	noise_free(h->noise);
	if (h->agent != 0)
		close(h->agent);
	*h = (struct handshake){ .noise = NULL };
}
