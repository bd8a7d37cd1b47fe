/* SPDX-License-Identifier: ISC */
/* Frames of a command and of a job.  See PROTOCOL. */
#include "client/frames.h"
#include "client/complain.h"
#include "client/conn.h"
#include "client/exec.h"
#include "client/exits.h"
#include "client/options.h"
#include "client/sink.h"

#include "common/base/err.h"
#include "common/pty/exec_stream.h"

int
frames_put(struct conn *c, int tag, const void *p, size_t n)
{
	if (xs_put_frame(&c->out, (enum xs_tag)tag, p, n) == 0)
		return 0;
	complain("out of memory");
	return EXIT_FAILED;
}

int
frames_put_start(struct conn *c, const struct client_options *o, uint8_t flags,
    const struct rpc_winsize *size)
{
	struct xs_start st = { .flags = flags, .size = *size };
	struct rpc_exec e;
	struct buf b;
	int r;

	if ((r = exec_describe(&e, o)) == 0) {
		st.name = e.name;
		st.arg = e.arg;
		st.env = e.env;
		st.timeout_ms = o->timeout_ms > UINT32_MAX ?
		    UINT32_MAX :
		    (uint32_t)o->timeout_ms;
		buf_init(&b, XS_START_MAX);
		if (xs_put_start(&b, &st) == 0)
			r = frames_put(c, XS_START, buf_ptr(&b), buf_len(&b));
		else {
			complain("the command is too long");
			r = EXIT_USAGE;
		}
		buf_free(&b);
	}
	exec_describe_free(&e);
	return r;
}

int
frames_take(struct conn *c, struct sink *sink, const bool *over,
    int (*take)(void *, uint8_t, struct buf *), void *arg)
{
	enum sink_result found = SINK_MORE;
	struct buf payload;
	uint8_t tag;
	int r;

	while (!*over &&
	    (found = sink_next(sink, &c->in, &tag, &payload)) == SINK_FRAME)
		if ((r = take(arg, tag, &payload)) != 0)
			return r;
	c->hold = sink->blocked != NULL;
	if (found == SINK_BAD)
		return conn_bad(c, SKY_ERR_LIMIT);
	return found == SINK_FAILED ? EXIT_FAILED : 0;
}
