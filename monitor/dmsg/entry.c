/* SPDX-License-Identifier: ISC */
/*
 * Our entry in the discovery: put together from its fields and signed, never
 * signed as it comes.
 */
#include "monitor/dmsg/entry.h"

#include <string.h>
#include <time.h>

#include "common/base/err.h"
#include "common/dmsg/dmsg_entry.h"
#include "monitor/dmsg/dmsg_monitor.h"

/*
 * An entry of the farthest future would be good for ever, whoever has it: one
 * that is published no more than once a second since 1970 is behind this.
 */
static bool
entry_is_plausible(uint64_t sequence, uint64_t timestamp)
{
	struct timespec now;
	uint64_t s;

	clock_gettime(CLOCK_REALTIME, &now);
	s = (uint64_t)now.tv_sec;
	return sequence <= s &&
	    timestamp / UINT64_C(1000000000) <= s + DMSG_AHEAD_S;
}

static int
entry_read(struct dmsg_monitor *m, struct buf *b, struct dmsg_entry *e)
{
	uint32_t count;
	uint64_t when;
	int r;

	memset(e, 0, sizeof(*e));
	if ((r = buf_get_u64(b, &e->sequence)) != 0 ||
	    (r = buf_get_u64(b, &when)) != 0 ||
	    (r = buf_get_u32(b, &count)) != 0)
		return r;
	if (!entry_is_plausible(e->sequence, when) ||
	    count > PRIV_SERVERS_MAX || count > DMSG_DELEGATED_MAX)
		return SKY_ERR_RANGE;
	e->pk = m->own;
	e->is_client = true;
	e->timestamp = (int64_t)when;
	for (e->ndelegated = 0; e->ndelegated < count; e->ndelegated++)
		if ((r = buf_get(b, e->delegated[e->ndelegated].b,
			 KEY_PUBLIC_LEN)) != 0)
			return r;
	return buf_at_end(b);
}

int
entry_sign(struct half *h, struct privmsg *msg)
{
	struct dmsg_monitor *m = dmsg_monitor_of(h);
	uint8_t sig[KEY_SIGNATURE_LEN];
	struct dmsg_entry e;
	struct buf json;
	int r;

	if ((r = entry_read(m, &msg->body, &e)) != 0)
		return r;
	buf_init(&json, 64 * 1024);
	if ((r = dmsg_put_entry(&json, &e, NULL)) == 0 &&
	    (r = key_sign(m->half.keyctx, m->half.start.sk, buf_ptr(&json),
		 buf_len(&json), sig)) == 0) {
		buf_reset(&json);
		if ((r = dmsg_put_entry(&json, &e, sig)) == 0)
			half_answer(&m->half, msg, &json);
	}
	buf_free(&json);
	return r;
}
