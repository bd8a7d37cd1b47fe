/* SPDX-License-Identifier: ISC */
/*
 * An agent that hears packets of anybody, with a key, one that is to be
 * confirmed and time that goes on; and a client that hears answers of any
 * agent.  The first byte says which of both.
 */
#include <stdlib.h>
#include <string.h>

#include "client/agent/agent.h"

#define STEP_MS 700

static void
require(bool true_it_is)
{
	if (!true_it_is)
		abort();
}

static void
answers(const uint8_t *data, size_t n)
{
	static struct agent_list list;
	struct agent_answer a = { .list = &list };
	struct buf b;

	buf_view(&b, data, n);
	if (agent_get_answer(&b, &a) != 0)
		return;
	require(n <= AGENT_MSG_MAX && list.n <= AGENT_KEYS_MAX);
	for (size_t i = 0; i < list.n; i++)
		require(strlen(list.key[i].comment) <= AGENT_COMMENT_MAX);
	require(agent_why_text(a.why) != NULL);
}

static void
give(struct agent *a, size_t conn, uint8_t secret, uint8_t flags,
    struct buf *out)
{
	uint8_t sk[KEY_SECRET_LEN] = { [31] = secret };
	const struct agent_request q = { .type = AGENT_ADD,
		.secret = sk,
		.add = { .flags = flags, .life = 100, .comment = "key" } };
	struct agent_question ask;
	struct buf b;

	buf_init(&b, AGENT_MSG_MAX);
	require(agent_put_request(&b, &q) == 0);
	memcpy(agent_packet(a), buf_ptr(&b), buf_len(&b));
	require(agent_take(a, conn, buf_len(&b), 0, out, &ask) ==
	    AGENT_THEN_ANSWER);
	buf_free(&b);
}

/* The answer to whatever it was can be read, and the first is none of ours. */
static void
check(const struct buf *out)
{
	static struct agent_list list;
	struct agent_answer a = { .list = &list };
	struct buf view;

	buf_view(&view, buf_ptr(out), buf_len(out));
	require(agent_get_answer(&view, &a) == 0);
}

/* u16 length, u8 which caller, packet; or a yes or a no, where that is odd. */
static void
packets(struct agent *a, struct buf *in, struct buf *out)
{
	bool over[AGENT_CONNS_MAX];
	struct agent_question ask = { .number = 0 };
	int64_t now = 0;
	uint16_t n;
	uint8_t who;
	size_t conn;
	struct buf p;

	while (buf_get_u16(in, &n) == 0 && buf_get_u8(in, &who) == 0 &&
	    buf_get_view(in, n % 512, &p) == 0) {
		agent_expire(a, now += STEP_MS, over);
		if (who & 1) {
			if (agent_decide(a, ask.number, who & 2, now, &conn,
				out))
				check(out);
			continue;
		}
		memcpy(agent_packet(a), buf_ptr(&p), buf_len(&p));
		if (agent_take(a, who & 2 ? 1 : 0, buf_len(&p), now, out,
			&ask) == AGENT_THEN_END)
			return;
		check(out);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct keyctx *kc;
	struct agent *a;
	struct buf in, out;
	size_t conn;

	if (n == 0)
		return 0;
	if (*data & 1) {
		answers(data + 1, n - 1);
		return 0;
	}
	if (kc == NULL)
		require((kc = keyctx_new()) != NULL);
	require((a = agent_new(kc, 0)) != NULL);
	require(agent_join(a, 0, &conn) && agent_join(a, 0, &conn));
	buf_init(&out, AGENT_MSG_MAX);
	give(a, conn, 1, 0, &out);
	give(a, conn, 2, AGENT_CONFIRM, &out);
	buf_view(&in, data + 1, n - 1);
	packets(a, &in, &out);
	buf_free(&out);
	agent_free(a);
	return 0;
}
