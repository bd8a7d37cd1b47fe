/* SPDX-License-Identifier: ISC */
/*
 * What skyptyd knows, and ends, for whoever asks on the control socket.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "monitor/ending.h"
#include "monitor/monitor.h"
#include "monitor/status.h"

/* Puts a question to skyptyd.  *there: whether that has been answered. */
static int
status_ask(struct monitor *m, unsigned type, struct buf *body,
    struct privmsg *answer, bool *there)
{
	int r;

	if (m->half.parent == -1 ||
	    privmsg_send(m->half.parent, type, 0, body, NULL, 0) != 0)
		return SKY_ERR_STATE;
	do
		r = privmsg_recv(m->half.parent, answer, false);
	while (r == SKY_ERR_AGAIN && errno == EINTR);
	*there = r == 1 && answer->type == type + 1;
	return 0;
}

static int
status_pass(struct monitor *m, struct privmsg *msg, unsigned type)
{
	struct privmsg answer = { 0 };
	bool there;
	int r;

	if ((r = status_ask(m, type, &msg->body, &answer, &there)) == 0)
		half_answer(&m->half, msg, there ? &answer.body : NULL);
	privmsg_free(&answer);
	return r;
}

/* skyptyd keeps the last one; nobody here looks into it. */
int
status_get(struct half *h, struct privmsg *msg)
{
	ending_used(monitor_of(h), USE_STATUS);
	return status_pass(monitor_of(h), msg, PM_GET_STATUS);
}

int
status_conns(struct half *h, struct privmsg *msg)
{
	ending_used(monitor_of(h), USE_CONNS);
	return status_pass(monitor_of(h), msg, PM_GET_CONNS);
}

int
status_counts(struct half *h, struct privmsg *msg)
{
	ending_used(monitor_of(h), USE_CONNS);
	return status_pass(monitor_of(h), msg, PM_GET_COUNTS);
}

/* --- ending connections --- */

/* What is asked for, once more and for the log. */
static int
status_read_kill(struct buf body, char who[KEY_PUBLIC_HEX + 8])
{
	struct key_public pk;
	uint8_t what;
	uint64_t id;
	int r;

	if ((r = buf_get_u8(&body, &what)) != 0)
		return r;
	if (what == PRIV_KILL_ID) {
		if ((r = buf_get_u64(&body, &id)) != 0)
			return r;
		(void)snprintf(who, KEY_PUBLIC_HEX + 8, "id %016" PRIx64, id);
	} else if (what == PRIV_KILL_KEY) {
		char text[KEY_PUBLIC_HEX];

		if ((r = buf_get(&body, pk.b, sizeof(pk.b))) != 0)
			return r;
		key_text(&pk, text);
		(void)snprintf(who, KEY_PUBLIC_HEX + 8, "key %s", text);
	} else
		return SKY_ERR_RANGE;
	return buf_at_end(&body);
}

int
status_kill(struct half *h, struct privmsg *msg)
{
	struct monitor *m = monitor_of(h);
	struct privmsg answer = { 0 };
	struct log_fields f = { .event = "kill" };
	char who[KEY_PUBLIC_HEX + 8];
	struct buf view;
	bool there;
	uint32_t n;
	int r;

	if ((r = status_read_kill(msg->body, who)) != 0)
		return r;
	ending_used(m, USE_KILL);
	if ((r = status_ask(m, PM_END_CONNS, &msg->body, &answer, &there)) != 0)
		return r;
	view = answer.body;
	if (there && buf_get_u32(&view, &n) == 0) {
		log_put_number(&f, "uid", m->caller);
		log_put_number(&f, "ended", n);
		log_event(LOG_LEVEL_INFO, &f,
		    "Kill of %s: connections ended: %lu", who,
		    (unsigned long)n);
		half_answer_ok(&m->half, msg, &answer.body, NULL, 0);
	} else
		half_answer_why(&m->half, msg, "skyptyd does not answer");
	privmsg_free(&answer);
	return 0;
}
