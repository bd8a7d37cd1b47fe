/* SPDX-License-Identifier: ISC */
/* An older host: the terminal by calls.  PROTOCOL.pty 6. */
#include "daemon/http/http_main.h"
#include "daemon/http/http_client.h"
#include "daemon/http/http_host.h"

#include <stdio.h>
#include <string.h>

#include "common/base/err.h"

#define READ_SIZE  32768
#define WRITE_SIZE 4096

static void
calls_call(struct client *c, enum rpc_method method, const union rpc_value *v)
{
	if (rpc_client_call(c->rpc, &c->to_host, method, v, NULL) != 0)
		client_fail(c, "a call does not fit");
}

static void
calls_start(struct client *c)
{
	const struct http_conf *conf = &c->h->conf;
	union rpc_value v = {
		.command = { .has_size = true,
		    .size = { .rows = c->rows, .cols = c->cols } }
	};
	struct rpc_command *cmd = &v.command;
	bool ok = true;

	buf_view(&cmd->name, conf->cmd, strlen(conf->cmd));
	buf_init(&cmd->arg.raw, HTTP_LIST_MAX * (HTTP_WORD_MAX + 8));
	buf_init(&cmd->env.raw, 256);
	for (size_t i = 0; ok && i < conf->arg.n; i++)
		ok = gob_list_add(&cmd->arg, conf->arg.word[i],
			 strlen(conf->arg.word[i])) == 0;
	ok = ok && gob_list_add(&cmd->env, "TERM=xterm-256color", 19) == 0;
	if (ok)
		calls_call(c,
		    c->plain_start ? RPC_PTY_START : RPC_PTY_STARTSESSION, &v);
	else
		client_fail(c, "the command is too long");
	buf_free(&cmd->arg.raw);
	buf_free(&cmd->env.raw);
}

static void
calls_begin(struct client *c)
{
	union rpc_value v;

	c->window = 1;
	rpc_client_free(c->rpc);
	c->reading = c->writing = false;
	c->sizing = false;
	if ((c->rpc = rpc_client_new()) == NULL) {
		client_fail(c, "out of memory");
		return;
	}
	if (*c->sid == '\0') {
		calls_start(c);
		return;
	}
	buf_view(&v.text, c->sid, strlen(c->sid));
	calls_call(c, RPC_PTY_ATTACH, &v);
}

static void
calls_ask_read(struct client *c)
{
	union rpc_value v = { .number = READ_SIZE };

	if (c->state != CLIENT_RUNNING || c->reading || c->over ||
	    !client_wants_output(c))
		return;
	c->reading = true;
	calls_call(c, RPC_PTY_READ, &v);
}

static void calls_resize(struct client *);

static void
calls_input(struct client *c)
{
	size_t n = buf_len(&c->typed);
	union rpc_value v;

	calls_ask_read(c);
	/* A host takes calls up side by side: the size comes first. */
	if (n == 0 || c->writing || c->sizing || c->over)
		return;
	if (c->size_changed) {
		c->size_changed = false;
		calls_resize(c);
		return;
	}
	n = n < WRITE_SIZE ? n : WRITE_SIZE;
	if (buf_get_view(&c->typed, n, &v.bytes) != 0)
		return;
	c->writing = true;
	calls_call(c, RPC_PTY_WRITE, &v);
}

/* The original sets the pixels to the same numbers.  One at a time is asked. */
static void
calls_resize(struct client *c)
{
	union rpc_value v = { .size = { .rows = c->rows,
				  .cols = c->cols,
				  .x = c->cols,
				  .y = c->rows } };

	if (c->sizing) {
		c->size_changed = true; /* again, when that one is answered */
		return;
	}
	c->sizing = true;
	calls_call(c, RPC_PTY_SETSIZE, &v);
}

static void
calls_ping(struct client *c)
{
	if (!c->no_ping)
		calls_call(c, RPC_PTY_PING, NULL);
}

/* --- replies --- */

static bool
calls_equals(const struct buf *text, const char *s)
{
	return buf_len(text) == strlen(s) &&
	    memcmp(buf_ptr(text), s, strlen(s)) == 0;
}

static void
fail_with(struct client *c, const struct buf *text)
{
	char why[256];
	size_t n = buf_len(text);

	n = n < sizeof(why) - 1 ? n : sizeof(why) - 1;
	memcpy(why, buf_ptr(text), n);
	why[n] = '\0';
	client_fail(c, why);
}

/* How hosts say that the shell has ended.  PROTOCOL.pty 6.3. */
static void
calls_read_failed(struct client *c, const struct buf *text)
{
	c->over = true;
	if (calls_equals(text, "EOF") ||
	    calls_equals(text, "read /dev/ptmx: input/output error") ||
	    calls_equals(text, "read /dev/ptmx: file already closed"))
		client_exited(c, "");
	else
		fail_with(c, text);
}

static void
calls_take_failure(struct client *c, const struct rpc_reply *reply)
{
	switch (reply->method) {
	case RPC_PTY_ATTACH:
		/* It is gone: begin anew, in the best way there is. */
		*c->sid = '\0';
		rpc_client_free(c->rpc);
		c->rpc = NULL;
		c->ops = &host_stream;
		client_reconnect(c);
		return;
	case RPC_PTY_STARTSESSION:
		c->plain_start = true;
		calls_start(c);
		return;
	case RPC_PTY_READ:
		calls_read_failed(c, &reply->error);
		return;
	case RPC_PTY_PING:
		c->no_ping = true;
		return;
	case RPC_PTY_START:
		fail_with(c, &reply->error);
		return;
	default:
		return; /* the shell is gone: Read will tell */
	}
}

static void
keep_id(struct client *c, const struct buf *id)
{
	size_t n = buf_len(id);

	if (n >= sizeof(c->sid))
		return;
	memcpy(c->sid, buf_ptr(id), n);
	c->sid[n] = '\0';
	/* It stands in JSON and in an address. */
	if (strspn(c->sid, "0123456789abcdef") != n)
		*c->sid = '\0';
}

static int
calls_take_reply(struct client *c, struct rpc_reply *reply)
{
	struct buf *b = &reply->value.bytes;

	if (reply->method == RPC_PTY_READ)
		c->reading = false;
	else if (reply->method == RPC_PTY_WRITE)
		c->writing = false;
	else if (reply->method == RPC_PTY_SETSIZE)
		c->sizing = false;
	if (reply->failed) {
		calls_take_failure(c, reply);
		return 0;
	}
	switch (reply->method) {
	case RPC_PTY_ATTACH:
		c->attached = true;
		c->size_changed = true;
		client_running(c);
		return 0;
	case RPC_PTY_STARTSESSION:
		keep_id(c, &reply->value.text);
		client_running(c);
		return 0;
	case RPC_PTY_START:
		client_running(c);
		return 0;
	case RPC_PTY_READ:
		return buf_put(&c->output, buf_ptr(b), buf_len(b));
	default:
		return 0;
	}
}

static int
calls_receive(struct client *c)
{
	struct rpc_reply reply;
	int r = 0;

	while (!c->closing && c->rpc != NULL &&
	    (r = rpc_client_next(c->rpc, &c->from_host, &reply)) == 1)
		if ((r = calls_take_reply(c, &reply)) != 0)
			return r;
	if (r == 0 && c->rpc != NULL)
		calls_ask_read(c);
	return r < 0 ? r : 0;
}

const struct host_ops host_calls = { calls_begin, calls_input, calls_receive,
	calls_resize, calls_ping };
