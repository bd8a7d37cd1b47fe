/* SPDX-License-Identifier: ISC */
/* Making a call and waiting for its reply. */
#include "client/skypty.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>

/* What poll(2) is to be told; 0 when the time is over. */
static int
left(int64_t timeout_ms, int64_t begun)
{
	int64_t ms = begun + timeout_ms - now_ms();

	if (timeout_ms < 0)
		return -1;
	return ms <= 0 ? 0 : ms > INT_MAX ? INT_MAX : (int)ms;
}

int
call_await(struct conn *c, struct rpc_client *rpc, int64_t timeout_ms,
    struct rpc_reply *reply)
{
	struct pollfd p = { .fd = c->fd };
	int64_t begun = now_ms();
	int r, wait;

	if ((r = conn_flush(c)) != 0)
		return r;
	for (;;) {
		if (c->accepted &&
		    (r = rpc_client_next(rpc, &c->in, reply)) != 0)
			return r == 1 ? 0 : conn_bad(c, r);
		if (c->eof)
			return conn_ended(c);
		if ((wait = left(timeout_ms, begun)) == 0) {
			complain("the host does not answer");
			return EXIT_FAILED;
		}
		p.events = conn_events(c);
		p.revents = 0;
		if (poll(&p, 1, wait) == -1 && errno != EINTR)
			return EXIT_FAILED;
		if ((r = conn_pump(c, p.revents)) != 0)
			return r;
	}
}
