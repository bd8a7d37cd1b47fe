/* SPDX-License-Identifier: ISC */
/* Making a call and waiting for its reply. */
#include "client/call.h"
#include "client/conn.h"
#include "client/patience.h"

#include <poll.h>

#include "common/pty/rpc.h"

int
call_await(struct conn *c, struct rpc_client *rpc, struct limit *limit,
    struct rpc_reply *reply)
{
	struct pollfd p = { .fd = c->fd };
	int r;

	if ((r = conn_flush(c)) != 0)
		return r;
	if (limit != NULL)
		limit_begin(limit, c, limit->ms);
	for (;;) {
		if (c->accepted &&
		    (r = rpc_client_next(rpc, &c->in, reply)) != 0)
			return r == 1 ? 0 : conn_bad(c, r);
		if (c->eof)
			return conn_ended(c);
		if (limit != NULL && limit_passed(limit, c))
			return limit_tell();
		if (limit == NULL && (r = conn_check_silence(c, QUIET_MS)) != 0)
			return r;
		p.events = conn_events(c);
		if ((r = conn_wait(c, &p, 1, -1, NULL)) != 0 ||
		    (r = conn_pump(c, p.revents)) != 0)
			return r;
	}
}
