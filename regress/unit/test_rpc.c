/* SPDX-License-Identifier: ISC */
/* net/rpc: captures of Go's both ways, refusals, limits, damaged input. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/err.h"
#include "common/gob.h"
#include "common/rpc.h"
#include "gobvec.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define SESSIONS (1U << RPC_PTY_STARTSESSION | 1U << RPC_PTY_ATTACH)
#define EVERYTHING (RPC_SERVICE_PTY | RPC_SERVICE_WHITELIST | SESSIONS)

static const char *const names[RPC_METHODS] = { [RPC_PTY_START] = "Start",
	[RPC_PTY_STOP] = "Stop",
	[RPC_PTY_READ] = "Read",
	[RPC_PTY_WRITE] = "Write",
	[RPC_PTY_SETSIZE] = "SetPtySize",
	[RPC_PTY_EXEC] = "Exec",
	[RPC_PTY_PING] = "Ping",
	[RPC_PTY_STARTSESSION] = "StartSession",
	[RPC_PTY_ATTACH] = "Attach",
	[RPC_WL_LIST] = "Whitelist",
	[RPC_WL_ADD] = "WhitelistAdd",
	[RPC_WL_REMOVE] = "WhitelistRemove" };

/* --- values as text --------------------------------------------------- */

static void
show_bytes(FILE *f, struct buf b)
{
	uint8_t c;

	fputc('"', f);
	while (buf_get_u8(&b, &c) == 0)
		fprintf(f, isprint(c) ? "%c" : "\\x%02x", c);
	fputc('"', f);
}

static void
show_list(FILE *f, struct gob_list list)
{
	struct buf item;
	int r;

	fputc('[', f);
	while ((r = gob_list_next(&list, &item)) == 1)
		show_bytes(f, item);
	assert_int_equal(r, 0);
	assert_int_equal(buf_len(&list.raw), 0);
	fputc(']', f);
}

static void
show_size(FILE *f, const struct rpc_winsize *s)
{
	fprintf(f, "%u,%u,%u,%u", (unsigned)s->x, (unsigned)s->y,
	    (unsigned)s->rows, (unsigned)s->cols);
}

static void
show_keys(FILE *f, struct gob_list list)
{
	struct buf item;
	uint8_t c;

	fprintf(f, "%u", (unsigned)list.count);
	while (gob_list_next(&list, &item) == 1)
		for (fputc(' ', f); buf_get_u8(&item, &c) == 0;)
			fprintf(f, "%02x", c);
}

static void
show_command(FILE *f, const struct rpc_command *c)
{
	show_bytes(f, c->name);
	show_list(f, c->arg);
	if (c->has_size)
		show_size(f, &c->size);
	show_list(f, c->env);
}

static void
show_exec(FILE *f, const struct rpc_exec *e)
{
	show_bytes(f, e->name);
	show_list(f, e->arg);
	show_list(f, e->env);
	show_bytes(f, e->in);
	fprintf(f, "%d", (int)e->timeout_ms);
}

static void
show_result(FILE *f, const struct rpc_exec_result *r)
{
	show_bytes(f, r->out);
	show_bytes(f, r->err);
	fprintf(f, "%d%d%d %d %d", r->out_cut, r->err_cut, r->timed_out,
	    (int)r->exit_code, (int)r->duration_ms);
}

static void
show_argument(FILE *f, enum rpc_method method, const union rpc_value *v)
{
	switch (method) {
	case RPC_PTY_START:
	case RPC_PTY_STARTSESSION:
		show_command(f, &v->command);
		break;
	case RPC_PTY_READ:
		fprintf(f, "%d", (int)v->number);
		break;
	case RPC_PTY_WRITE:
		show_bytes(f, v->bytes);
		break;
	case RPC_PTY_SETSIZE:
		show_size(f, &v->size);
		break;
	case RPC_PTY_EXEC:
		show_exec(f, &v->exec);
		break;
	case RPC_PTY_ATTACH:
		show_bytes(f, v->text);
		break;
	case RPC_WL_ADD:
	case RPC_WL_REMOVE:
		show_keys(f, v->keys);
		break;
	default:
		break;
	}
}

static void
show_value(FILE *f, enum rpc_method method, const union rpc_value *v)
{
	switch (method) {
	case RPC_PTY_READ:
		show_bytes(f, v->bytes);
		break;
	case RPC_PTY_WRITE:
		fprintf(f, "%d", (int)v->number);
		break;
	case RPC_PTY_EXEC:
		show_result(f, &v->result);
		break;
	case RPC_PTY_STARTSESSION:
		show_bytes(f, v->text);
		break;
	case RPC_WL_LIST:
		show_keys(f, v->keys);
		break;
	default:
		break;
	}
}

static void
show_call(FILE *f, const struct rpc_call *call)
{
	fprintf(f, "%u %s ", (unsigned)call->seq, names[call->method]);
	show_argument(f, call->method, &call->arg);
	fputc('\n', f);
}

static void
show_reply(FILE *f, const struct rpc_reply *reply)
{
	fprintf(f, "%u %s ", (unsigned)reply->seq, names[reply->method]);
	if (reply->failed) {
		fputc('!', f);
		show_bytes(f, reply->error);
	} else {
		show_value(f, reply->method, &reply->value);
	}
	fputc('\n', f);
}

/* --- the captures ----------------------------------------------------- */

#define KEY1 "034f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa"
#define KEY2 "02466d7fcae563e5cb09a0d1870bb580344804617879a14949cf22285f1bae3f27"
#define TEN_A "AAAAAAAAAA"
#define FIFTY_A TEN_A TEN_A TEN_A TEN_A TEN_A
#define RUNNING "!\"a pty session is already running\"\n"

/* What the comments of a vector file say, in the words of show_*. */
struct capture {
	const char *file;
	const char *calls;
	const char *replies;
};

static const struct capture captures[] = {
	{ "pty-gob-session.txt",
	    "0 Start \"/bin/bash\"[\"-l\"]0,0,30,100[\"TERM=xterm-256color\"]\n"
	    "1 Read 32768\n"
	    "2 Write \"ls\\x0a\"\n"
	    "3 Write \"\"\n"
	    "4 SetPtySize 0,0,40,132\n"
	    "5 SetPtySize 640,65535,255,256\n"
	    "6 Ping \n"
	    "7 Read 200\n"
	    "8 Read 3\n"
	    "9 Read 4\n"
	    "10 Read 0\n"
	    "11 Read -1\n"
	    "12 Stop \n"
	    "13 Stop \n",
	    "0 Start \n"
	    "1 Read \"out1\\x0d\\x0a\"\n"
	    "2 Write 3\n"
	    "3 Write 0\n"
	    "4 SetPtySize \n"
	    "5 SetPtySize \n"
	    "6 Ping \n"
	    "7 Read \"" FIFTY_A FIFTY_A FIFTY_A FIFTY_A "\"\n"
	    "8 Read !\"EOF\"\n"
	    "9 Read !\"read /dev/ptmx: input/output error\"\n"
	    "10 Read !\"invalid read size: 0\"\n"
	    "11 Read !\"invalid read size: -1\"\n"
	    "12 Stop \n"
	    "13 Stop !\"no active pty session\"\n" },
	{ "pty-gob-start-min.txt",
	    "0 Start \"/bin/bash\"[][]\n"
	    "1 Start \"/bin/bash\"[][]\n"
	    "2 Start \"sh\"[]0,0,0,0[]\n"
	    "3 Start \"sh\"[\"\"\"x\"][]\n",
	    "0 Start \n"
	    "1 Start " RUNNING "2 Start " RUNNING "3 Start " RUNNING },
	{ "pty-gob-pipelined.txt",
	    "0 Start \"/bin/bash\"[][]\n"
	    "1 Read 7\n"
	    "2 Ping \n"
	    "3 Write \"ls\\x0a\"\n",
	    "0 Start \n"
	    "2 Ping \n"
	    "3 Write 3\n"
	    "1 Read \"after\\x0a\"\n" },
	{ "pty-gob-exec.txt",
	    "0 Exec \"sh\"[\"-c\"\"id\"][\"A=1\"]\"in\"30000\n"
	    "1 Exec \"true\"[][]\"\"0\n"
	    "2 Exec \"\"[][]\"\"0\n",
	    "0 Exec \"out\\x0a\"\"err\\x0a\"101 -1 300\n"
	    "1 Exec \"\"\"\"000 0 0\n"
	    "2 Exec !\"dmsgpty: Exec: empty command name\"\n" },
	{ "pty-gob-persist.txt",
	    "0 StartSession \"/bin/bash\"[][\"TERM=xterm-256color\"]\n"
	    "1 Attach \"00112233aabbccdd\"\n"
	    "2 Attach \"ffffffffffffffff\"\n",
	    "0 StartSession \"00112233aabbccdd\"\n"
	    "1 Attach \n"
	    "2 Attach !\"dmsgpty: session not found\"\n" },
	{ "pty-gob-whitelist.txt",
	    "0 Whitelist \n"
	    "1 WhitelistAdd 2 " KEY1 " " KEY2 "\n"
	    "2 WhitelistRemove 1 " KEY2 "\n",
	    "0 Whitelist 2 " KEY1 " " KEY2 "\n"
	    "1 WhitelistAdd \n"
	    "2 WhitelistRemove \n" },
	{ "pty-gob-whitelist-empty.txt", "0 Whitelist \n",
	    "0 Whitelist 0\n" },
};

/* Captures with calls that this client would not make. */
static const char handmade_calls[] =
    "77 Start \"sh\"[]0,0,24,80[\"A=b\"]\n"
    "78 Ping \n"
    "79 Read 4096\n"
    "82 Ping \n";

/* --- running them ----------------------------------------------------- */

/* What a side said of its input: text of show_*, and how it ended. */
struct told {
	char *text;
	size_t len;
	int end; /* 0: more is needed; or an error */
};

/* Calls next with the input up to each multiple of piece. */
static struct told
feed(const struct blob *b, size_t piece, int (*next)(void *, struct buf *, FILE *),
    void *side)
{
	struct told told = { 0 };
	FILE *f = open_memstream(&told.text, &told.len);
	struct buf in;
	size_t n;

	buf_init(&in, RPC_CLIENT_MSG_MAX + 9);
	for (size_t at = 0; at < b->n && told.end == 0; at += n) {
		n = b->n - at < piece ? b->n - at : piece;
		assert_int_equal(buf_put(&in, b->p + at, n), 0);
		while ((told.end = next(side, &in, f)) == 1)
			;
	}
	buf_free(&in);
	fclose(f);
	return told;
}

/* A host, and a client that makes the same calls again. */
struct host {
	struct rpc_host *rpc;
	struct buf out;
	struct rpc_client *again;
	struct buf again_out;
};

static struct host
host_new(unsigned methods)
{
	struct host h = { .rpc = rpc_host_new(methods),
		.again = rpc_client_new() };

	assert_non_null(h.rpc);
	assert_non_null(h.again);
	buf_init(&h.out, 64 * 1024);
	buf_init(&h.again_out, 64 * 1024);
	return h;
}

static void
host_free(struct host *h)
{
	rpc_host_free(h->rpc);
	rpc_client_free(h->again);
	buf_free(&h->out);
	buf_free(&h->again_out);
}

static int
host_next(void *side, struct buf *in, FILE *f)
{
	struct host *h = side;
	struct rpc_call call;
	int r;

	if ((r = rpc_host_next(h->rpc, in, &h->out, &call)) != 1)
		return r;
	show_call(f, &call);
	assert_int_equal(rpc_client_call(h->again, &h->again_out, call.method,
			     &call.arg, NULL),
	    0);
	return 1;
}

/* A client, and a host that gives the same replies again. */
struct client {
	struct rpc_client *rpc;
	struct rpc_host *again;
	struct buf again_out;
};

/* The client has the calls of a host's client waiting. */
static struct client
client_new(struct host *h)
{
	struct client c = { .rpc = h->again, .again = rpc_host_new(0) };

	assert_non_null(c.again);
	h->again = NULL;
	buf_init(&c.again_out, 64 * 1024);
	return c;
}

static void
client_free(struct client *c)
{
	rpc_client_free(c->rpc);
	rpc_host_free(c->again);
	buf_free(&c->again_out);
}

static int
client_next(void *side, struct buf *in, FILE *f)
{
	struct client *c = side;
	struct rpc_reply p;
	char text[256];
	int r;

	if ((r = rpc_client_next(c->rpc, in, &p)) != 1)
		return r;
	show_reply(f, &p);
	if (p.failed) {
		snprintf(text, sizeof(text), "%.*s", (int)buf_len(&p.error),
		    (const char *)buf_ptr(&p.error));
		r = rpc_host_error(
		    c->again, &c->again_out, p.method, p.seq, text);
	} else {
		r = rpc_host_reply(
		    c->again, &c->again_out, p.method, p.seq, &p.value);
	}
	assert_int_equal(r, 0);
	return 1;
}

static void
assert_bytes(const struct buf *b, const struct blob *want)
{
	assert_int_equal(buf_len(b), want->n);
	assert_memory_equal(buf_ptr(b), want->p, want->n);
}

/*
 * One capture in pieces of one size: the calls and the replies are what the
 * file says, and made again they are the same bytes.
 */
static void
run_capture(const struct capture *cap, const struct blob *calls,
    const struct blob *replies, size_t piece)
{
	struct host h = host_new(EVERYTHING);
	struct client c;
	struct told told;

	told = feed(calls, piece, host_next, &h);
	assert_int_equal(told.end, 0);
	assert_string_equal(told.text, cap->calls);
	assert_int_equal(buf_len(&h.out), 0);
	assert_bytes(&h.again_out, calls);
	free(told.text);
	c = client_new(&h);
	told = feed(replies, piece, client_next, &c);
	assert_int_equal(told.end, 0);
	assert_string_equal(told.text, cap->replies);
	assert_int_equal(rpc_client_pending(c.rpc), 0);
	assert_bytes(&c.again_out, replies);
	free(told.text);
	client_free(&c);
	host_free(&h);
}

static void
test_captures(void **state)
{
	struct blob calls, replies;
	size_t max;

	(void)state;
	for (size_t i = 0; i < COUNT(captures); i++) {
		calls = blob_vector(captures[i].file, "c>s");
		replies = blob_vector(captures[i].file, "s>c");
		max = calls.n > replies.n ? calls.n : replies.n;
		for (size_t piece = 1; piece <= max; piece++)
			run_capture(&captures[i], &calls, &replies, piece);
		free(calls.p);
		free(replies.p);
	}
}

/* Cut at any byte it is a beginning of the same and nothing is amiss. */
static void
assert_truncated(const struct blob *b, size_t n, bool host, const char *all)
{
	struct blob cut = blob_new(b->p, n);
	struct host h = host_new(EVERYTHING);
	struct client c;
	struct told told;

	if (host) {
		told = feed(&cut, n, host_next, &h);
	} else {
		struct blob calls = blob_vector("pty-gob-session.txt", "c>s");

		free(feed(&calls, calls.n, host_next, &h).text);
		free(calls.p);
		c = client_new(&h);
		told = feed(&cut, n, client_next, &c);
		client_free(&c);
	}
	assert_int_equal(told.end, 0);
	assert_memory_equal(told.text, all, told.len);
	free(told.text);
	free(cut.p);
	host_free(&h);
}
