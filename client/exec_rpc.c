/* SPDX-License-Identifier: ISC */
/* A command by pty.Exec: all of its input first, all of its output after. */
#include "client/call.h"
#include "client/complain.h"
#include "client/conn.h"
#include "client/exec.h"
#include "client/exits.h"
#include "client/options.h"
#include "client/patience.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/pty/exec_stream.h"
#include "common/pty/mux.h"
#include "common/pty/rpc.h"

#define TIMEOUT_MAX 300000 /* what a host cuts a longer one to */

static int
exec_rpc_write_all(int fd, struct buf *b)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	ssize_t r;

	while ((r = buf_write(b, fd)) > 0 || r == SKY_ERR_AGAIN)
		if (r == SKY_ERR_AGAIN)
			(void)poll(&p, 1, -1);
	if (r == 0)
		return 0;
	/* Whoever read it has heard enough. */
	if (errno != EPIPE)
		complain("output: %s", strerror(errno));
	return EXIT_FAILED;
}

static int64_t
exec_rpc_limit(const struct client_options *o)
{
	return o->timeout_ms == 0 || o->timeout_ms > TIMEOUT_MAX ?
	    TIMEOUT_MAX :
	    o->timeout_ms;
}

static int
exec_rpc_put_call(struct conn *c, struct rpc_client *rpc,
    const struct client_options *o, const struct buf *in)
{
	union rpc_value v = { .exec = { .timeout_ms = 0 } };
	struct rpc_exec *x = &v.exec;
	int r;

	if ((r = exec_describe(x, o)) == 0) {
		buf_view(&x->in, buf_ptr(in), buf_len(in));
		x->timeout_ms = exec_rpc_limit(o);
		r = rpc_client_call(rpc, &c->out, RPC_PTY_EXEC, &v, NULL);
		if (r != 0)
			complain("the command does not fit into a call: %s",
			    err_text(r));
	}
	exec_describe_free(x);
	return r == 0 ? 0 : EXIT_FAILED;
}

/*
 * "dmsgpty: exec NAME: REASON", the last line of standard error of a command
 * that has no status: it could not be started.
 */
static bool
exec_rpc_is_refusal(const struct rpc_exec_result *res)
{
	static const char begin[] = "dmsgpty: exec ";
	const char *text = (const char *)buf_ptr(&res->err);
	size_t n = buf_len(&res->err), at;

	if (res->timed_out || res->exit_code != -1 || n == 0)
		return false;
	for (at = n - 1; at > 0 && text[at - 1] != '\n'; at--)
		;
	return n - at > sizeof(begin) - 1 &&
	    memcmp(text + at, begin, sizeof(begin) - 1) == 0;
}

static int
exec_rpc_deliver(struct rpc_exec_result *res, const struct client_options *o)
{
	enum xs_how how = res->timed_out ? XS_TIMEDOUT : XS_EXITED;
	int refused =
		exec_rpc_is_refusal(res) ? exec_not_started(&res->err) : 0,
	    r;

	if ((r = exec_rpc_write_all(STDOUT_FILENO, &res->out)) != 0 ||
	    (r = exec_rpc_write_all(STDERR_FILENO, &res->err)) != 0)
		return r;
	if (res->out_cut)
		fputs("[stdout truncated at 16MiB]\n", stderr);
	if (res->err_cut)
		fputs("[stderr truncated at 16MiB]\n", stderr);
	return refused != 0 ?
	    refused :
	    exec_ended(o, how, res->exit_code, res->duration_ms);
}

static int
exec_rpc_call(struct conn *c, const struct client_options *o,
    const struct buf *in)
{
	struct limit limit = { .ms = exec_rpc_limit(o) };
	struct rpc_client *rpc;
	struct rpc_reply reply;
	int r;

	if ((rpc = rpc_client_new()) == NULL)
		return EXIT_FAILED;
	if ((r = exec_rpc_put_call(c, rpc, o, in)) == 0)
		r = call_await(c, rpc, &limit, &reply);
	if (r == 0 && reply.failed) {
		complain("the host refused the command: %s",
		    complain_printable(&reply.error));
		r = EXIT_FAILED;
	} else if (r == 0)
		r = exec_rpc_deliver(&reply.value.result, o);
	rpc_client_free(rpc);
	return r;
}

int
exec_rpc_run(struct keyctx *ctx, const struct client_options *o,
    const struct buf *in)
{
	struct conn c;
	int r;

	if (o->terminal) {
		complain("this host gives a terminal to shells only, not to "
			 "commands");
		return EXIT_FAILED;
	}
	if ((r = conn_open(&c, ctx, o, MUX_URI_PTY)) == 0)
		r = exec_rpc_call(&c, o, in);
	conn_close(&c);
	return r;
}
