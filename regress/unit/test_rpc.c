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

#include "common/base/err.h"
#include "common/pty/gob.h"
#include "common/pty/rpc.h"
#include "gobvec.h"

#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))
#define SESSIONS   (1U << RPC_PTY_STARTSESSION | 1U << RPC_PTY_ATTACH)
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

/* --- values as text --- */

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

/* --- the captures --- */

#define KEY1 \
	"034f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa"
#define KEY2 \
	"02466d7fcae563e5cb09a0d1870bb580344804617879a14949cf22285f1bae3f27"
#define TEN_A	"AAAAAAAAAA"
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
	{ "pty-gob-whitelist-empty.txt", "0 Whitelist \n", "0 Whitelist 0\n" },
};

/* Captures with calls that this client would not make. */
static const char handmade_calls[] = "77 Start \"sh\"[]0,0,24,80[\"A=b\"]\n"
				     "78 Ping \n"
				     "79 Read 4096\n"
				     "82 Ping \n";

/* --- running them --- */

/* What a side said of its input: text of show_*, and how it ended. */
struct told {
	char *text;
	size_t len;
	int end; /* 0: more is needed; or an error */
};

/* Calls next with the input up to each multiple of piece. */
static struct told
feed(const struct blob *b, size_t piece,
    int (*next)(void *, struct buf *, FILE *), void *side)
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

/* A client that has made these calls and waits. */
static struct client
client_new(const struct blob *calls)
{
	struct client c = { .again = rpc_host_new(0) };
	struct host h = host_new(EVERYTHING);

	assert_non_null(c.again);
	buf_init(&c.again_out, 64 * 1024);
	free(feed(calls, calls->n, host_next, &h).text);
	c.rpc = h.again;
	h.again = NULL;
	host_free(&h);
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
		r = rpc_host_error(c->again, &c->again_out, p.method, p.seq,
		    text);
	} else {
		r = rpc_host_reply(c->again, &c->again_out, p.method, p.seq,
		    &p.value);
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

/* In pieces of one size: what is told, and the same bytes made again. */
static void
run_calls(const char *want, const struct blob *calls, size_t piece)
{
	struct host h = host_new(EVERYTHING);
	struct told told = feed(calls, piece, host_next, &h);

	assert_int_equal(told.end, 0);
	assert_string_equal(told.text, want);
	assert_int_equal(buf_len(&h.out), 0);
	assert_bytes(&h.again_out, calls);
	free(told.text);
	host_free(&h);
}

static void
run_replies(const char *want, const struct blob *calls,
    const struct blob *replies, size_t piece)
{
	struct client c = client_new(calls);
	struct told told = feed(replies, piece, client_next, &c);

	assert_int_equal(told.end, 0);
	assert_string_equal(told.text, want);
	assert_int_equal(rpc_client_pending(c.rpc), 0);
	assert_bytes(&c.again_out, replies);
	free(told.text);
	client_free(&c);
}

static void
test_captures(void **state)
{
	struct blob calls, replies;

	(void)state;
	for (size_t i = 0; i < COUNT(captures); i++) {
		calls = blob_vector(captures[i].file, "c>s");
		replies = blob_vector(captures[i].file, "s>c");
		for (size_t piece = 1; piece <= calls.n; piece++)
			run_calls(captures[i].calls, &calls, piece);
		for (size_t piece = 1; piece <= replies.n; piece++)
			run_replies(captures[i].replies, &calls, &replies,
			    piece);
		free(calls.p);
		free(replies.p);
	}
}

/* Cut at any byte it tells a beginning of the same and nothing is amiss. */
static void
test_captures_truncated(void **state)
{
	struct blob calls, replies, cut;
	struct client c;
	struct host h;
	struct told told;

	(void)state;
	for (size_t i = 0; i < COUNT(captures); i++) {
		calls = blob_vector(captures[i].file, "c>s");
		replies = blob_vector(captures[i].file, "s>c");
		for (size_t n = 1; n < calls.n; n++) {
			cut = blob_new(calls.p, n);
			h = host_new(EVERYTHING);
			told = feed(&cut, n, host_next, &h);
			assert_int_equal(told.end, 0);
			assert_memory_equal(told.text, captures[i].calls,
			    told.len);
			assert_true(told.len < strlen(captures[i].calls));
			free(told.text);
			free(cut.p);
			host_free(&h);
		}
		for (size_t n = 1; n < replies.n; n++) {
			cut = blob_new(replies.p, n);
			c = client_new(&calls);
			told = feed(&cut, n, client_next, &c);
			assert_int_equal(told.end, 0);
			assert_memory_equal(told.text, captures[i].replies,
			    told.len);
			assert_true(told.len < strlen(captures[i].replies));
			free(told.text);
			free(cut.p);
			client_free(&c);
		}
		free(calls.p);
		free(replies.p);
	}
}

/* Damage ends in a call that differs, a refusal or the stream's end. */
static void
assert_ends(struct told told)
{
	assert_true(told.end == 0 || told.end == SKY_ERR_FORMAT ||
	    told.end == SKY_ERR_LIMIT);
	free(told.text);
}

/* These do not make calls and replies again. */
static int
host_next_quiet(void *side, struct buf *in, FILE *f)
{
	struct host *h = side;
	struct rpc_call call;
	int r;

	if ((r = rpc_host_next(h->rpc, in, &h->out, &call)) == 1)
		show_call(f, &call);
	return r;
}

static int
client_next_quiet(void *side, struct buf *in, FILE *f)
{
	struct client *c = side;
	struct rpc_reply p;
	int r;

	if ((r = rpc_client_next(c->rpc, in, &p)) == 1)
		show_reply(f, &p);
	return r;
}

static void
test_captures_flipped(void **state)
{
	struct blob calls, replies, bad;
	struct client c;
	struct host h;

	(void)state;
	for (size_t i = 0; i < COUNT(captures); i++) {
		calls = blob_vector(captures[i].file, "c>s");
		replies = blob_vector(captures[i].file, "s>c");
		bad = blob_new(calls.p, calls.n);
		for (size_t bit = 0; bit < 8 * bad.n; bit++) {
			bad.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
			h = host_new(EVERYTHING);
			assert_ends(feed(&bad, bad.n, host_next_quiet, &h));
			bad.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
			host_free(&h);
		}
		free(bad.p);
		bad = blob_new(replies.p, replies.n);
		for (size_t bit = 0; bit < 8 * bad.n; bit++) {
			bad.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
			c = client_new(&calls);
			assert_ends(feed(&bad, bad.n, client_next_quiet, &c));
			bad.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
			client_free(&c);
		}
		free(bad.p);
		free(calls.p);
		free(replies.p);
	}
}

/* Refusals are Go's to the byte up to where our gob text differs. */
static void
test_capture_errors(void **state)
{
	struct blob calls = blob_vector("pty-gob-errors.txt", "c>s");
	struct blob replies = blob_vector("pty-gob-errors.txt", "s>c");
	static const char go_text[] = "gob: decoding into local type";
	size_t same;

	(void)state;
	same = (size_t)((uint8_t *)memmem(replies.p, replies.n, go_text,
			    strlen(go_text)) -
	    replies.p);
	same -= 18; /* that reply's own header */
	for (size_t piece = 1; piece <= calls.n; piece++) {
		struct host h = host_new(RPC_SERVICE_PTY);
		struct told told = feed(&calls, piece, host_next, &h);

		assert_int_equal(told.end, 0);
		assert_string_equal(told.text, "4 Ping \n");
		assert_true(buf_len(&h.out) > same);
		assert_memory_equal(buf_ptr(&h.out), replies.p, same);
		free(told.text);
		host_free(&h);
	}
	free(calls.p);
	free(replies.p);
}

static void
test_capture_errors_client(void **state)
{
	static const enum rpc_method made[] = { RPC_PTY_STARTSESSION,
		RPC_PTY_READ, RPC_PTY_READ, RPC_PTY_READ, RPC_PTY_PING };
	struct blob replies = blob_vector("pty-gob-errors.txt", "s>c");
	struct client c = { .rpc = rpc_client_new(), .again = rpc_host_new(0) };
	union rpc_value zero = { 0 };
	struct told told;
	uint64_t seq;

	(void)state;
	buf_init(&c.again_out, 64 * 1024);
	for (size_t i = 0; i < COUNT(made); i++) {
		assert_int_equal(
		    rpc_client_call(c.rpc, &c.again_out, made[i], &zero, &seq),
		    0);
		assert_int_equal(seq, i);
	}
	told = feed(&replies, replies.n, client_next, &c);
	assert_int_equal(told.end, 0);
	assert_string_equal(told.text,
	    "0 StartSession !\"rpc: can't find method pty.StartSession\"\n"
	    "1 Read !\"rpc: can't find service nosuch.Read\"\n"
	    "2 Read !\"rpc: service/method request ill-formed: Read\"\n"
	    "3 Read !\"gob: decoding into local type *int, received remote"
	    " type string\"\n"
	    "4 Ping \n");
	free(told.text);
	free(replies.p);
	client_free(&c);
}

/* Other ids, orders, names and fields; mismatches; at last a fatal one. */
static void
test_capture_handmade(void **state)
{
	struct blob calls = blob_vector("pty-gob-handmade.txt", "c>s");

	(void)state;
	for (size_t piece = 1; piece <= calls.n; piece++) {
		struct host h = host_new(EVERYTHING);
		struct told told = feed(&calls, piece, host_next, &h);

		assert_int_equal(told.end, SKY_ERR_FORMAT);
		assert_string_equal(told.text, handmade_calls);
		free(told.text);
		host_free(&h);
	}
	free(calls.p);
}

/* Replies to calls that were never made are dropped. */
static void
test_unknown_seq(void **state)
{
	struct blob replies = blob_vector("pty-gob-handmade.txt", "s>c");
	struct blob calls = blob_vector("pty-gob-start-min.txt", "c>s");
	struct client c = client_new(&calls);
	struct told told = feed(&replies, 3, client_next, &c);

	(void)state;
	assert_int_equal(told.end, 0);
	assert_string_equal(told.text, "");
	assert_int_equal(rpc_client_pending(c.rpc), 4);
	free(told.text);
	free(calls.p);
	free(replies.p);
	client_free(&c);
}

/* --- both sides --- */

/* Any header and value, as a peer of its own mind would send them. */
struct header {
	struct buf name;
	uint64_t seq;
	struct buf error;
};

static const struct gob_field header_fields[] = {
	{ "ServiceMethod", GOB_STRING, offsetof(struct header, name), 0, 0,
	    NULL },
	{ "Seq", GOB_UINT, offsetof(struct header, seq), 0, 0, NULL },
	{ "Error", GOB_STRING, offsetof(struct header, error), 0, 0, NULL },
};
static const struct gob_type header_type = { "", true, GOB_STRUCT,
	header_fields, COUNT(header_fields), sizeof(struct header) };
static const struct gob_type number_type = { "", false, GOB_INT, NULL, 0,
	sizeof(int64_t) };
static const struct gob_type text_type = { "", false, GOB_STRING, NULL, 0,
	sizeof(struct buf) };

/* Two sides and what lies between them. */
struct pair {
	struct rpc_host *host;
	struct rpc_client *client;
	struct gob_enc *enc; /* instead of the client or the host */
	struct buf up;	     /* to the host */
	struct buf down;
};

static struct pair
pair_new(unsigned methods)
{
	struct pair p = { .host = rpc_host_new(methods),
		.client = rpc_client_new(),
		.enc = gob_enc_new() };

	assert_non_null(p.host);
	assert_non_null(p.client);
	assert_non_null(p.enc);
	buf_init(&p.up, RPC_CLIENT_MSG_MAX + 4096);
	buf_init(&p.down, RPC_CLIENT_MSG_MAX + 4096);
	return p;
}

static void
pair_free(struct pair *p)
{
	rpc_host_free(p->host);
	rpc_client_free(p->client);
	gob_enc_free(p->enc);
	buf_free(&p->up);
	buf_free(&p->down);
}

/* A call of any name with an int as argument. */
static void
put_call(struct pair *p, const char *name, size_t n, uint64_t seq)
{
	struct header h = { .seq = seq };
	int64_t num = 5;
	struct gob_item items[] = { { &header_type, &h },
		{ &number_type, &num } };

	buf_view(&h.name, name, n);
	assert_int_equal(gob_enc_values(p->enc, &p->up, items, 2), 0);
}

/* Reads a refusal from below, as the client's decoder would. */
static void
assert_refused(struct gob_dec *dec, struct buf *down, const char *name,
    size_t name_len, uint64_t seq, const char *error)
{
	struct header h;
	struct buf value;
	int64_t id;

	assert_int_equal(gob_dec_next(dec, down, &id, &value), 1);
	assert_int_equal(gob_dec_value(dec, id, &value, &header_type, &h), 0);
	assert_int_equal(h.seq, seq);
	assert_int_equal(buf_len(&h.name), name_len);
	assert_memory_equal(buf_ptr(&h.name), name, name_len);
	assert_int_equal(buf_len(&h.error), strlen(error) + name_len);
	assert_memory_equal(buf_ptr(&h.error), error, strlen(error));
	assert_memory_equal(buf_ptr(&h.error) + strlen(error), name, name_len);
	assert_int_equal(gob_dec_next(dec, down, &id, &value), 1);
	assert_int_equal(buf_len(&value), 1); /* the empty struct */
}

static const char ill_formed[] = "rpc: service/method request ill-formed: ";
static const char no_service[] = "rpc: can't find service ";
static const char no_method[] = "rpc: can't find method ";

static const struct {
	const char *name;
	const char *error;
} unknown[] = {
	{ "Read", ill_formed },
	{ "", ill_formed },
	{ ".", no_service },
	{ ".Read", no_service },
	{ "nosuch.Read", no_service },
	{ "PTY.Read", no_service },
	{ "pt.Read", no_service },
	{ "ptyy.Read", no_service },
	{ "pty.pty.Read", no_service },
	{ "whitelist.Whitelist", no_service },
	{ "pty.", no_method },
	{ "pty.read", no_method },
	{ "pty.Readx", no_method },
	{ "pty.Rea", no_method },
	{ "pty.StartSession", no_method },
	{ "pty.Attach", no_method },
	{ "pty.\x01\xff\n", no_method },
};

static void
test_unknown_names(void **state)
{
	struct pair p = pair_new(RPC_SERVICE_PTY);
	struct gob_dec *dec = gob_dec_new(4096);
	struct rpc_call call;

	(void)state;
	for (size_t i = 0; i < COUNT(unknown); i++)
		put_call(&p, unknown[i].name, strlen(unknown[i].name), i);
	put_call(&p, "pty.\0x", 6, 90);
	put_call(&p, "pty.Read", 8, 91);
	assert_int_equal(rpc_host_next(p.host, &p.up, &p.down, &call), 1);
	assert_int_equal(call.method, RPC_PTY_READ);
	assert_int_equal(call.seq, 91);
	assert_int_equal(call.arg.number, 5);
	for (size_t i = 0; i < COUNT(unknown); i++)
		assert_refused(dec, &p.down, unknown[i].name,
		    strlen(unknown[i].name), i, unknown[i].error);
	assert_refused(dec, &p.down, "pty.\0x", 6, 90, no_method);
	assert_int_equal(buf_len(&p.down), 0);
	gob_dec_free(dec);
	pair_free(&p);
}

static void
test_services_by_bits(void **state)
{
	struct pair p = pair_new(RPC_SERVICE_WHITELIST);
	struct gob_dec *dec = gob_dec_new(4096);
	struct rpc_call call;

	(void)state;
	put_call(&p, "pty.Read", 8, 0);
	put_call(&p, "whitelist.Read", 14, 1);
	assert_int_equal(rpc_host_next(p.host, &p.up, &p.down, &call), 0);
	assert_refused(dec, &p.down, "pty.Read", 8, 0, no_service);
	assert_refused(dec, &p.down, "whitelist.Read", 14, 1, no_method);
	gob_dec_free(dec);
	pair_free(&p);
}

/* Names are repeated up to 256 bytes; the last dot still counts. */
static void
test_long_names(void **state)
{
	struct pair p = pair_new(RPC_SERVICE_PTY);
	struct gob_dec *dec = gob_dec_new(4096);
	struct rpc_call call;
	char name[2000];

	(void)state;
	memset(name, 'x', sizeof(name));
	name[1000] = '.';
	put_call(&p, name, 256, 0);
	put_call(&p, name, 257, 1);
	put_call(&p, name, sizeof(name), 2);
	memcpy(name, "pty.", 4);
	put_call(&p, name, 500, 3);
	assert_int_equal(rpc_host_next(p.host, &p.up, &p.down, &call), 0);
	memset(name, 'x', 4);
	assert_refused(dec, &p.down, name, 256, 0, ill_formed);
	assert_refused(dec, &p.down, name, 256, 1, ill_formed);
	assert_refused(dec, &p.down, name, 256, 2, no_service);
	memcpy(name, "pty.", 4);
	assert_refused(dec, &p.down, name, 256, 3, no_method);
	gob_dec_free(dec);
	pair_free(&p);
}

/* The next reply, which must be one that failed with a text like this. */
static void
assert_failed(struct pair *p, uint64_t seq, const char *start)
{
	struct rpc_reply reply;

	assert_int_equal(rpc_client_next(p->client, &p->down, &reply), 1);
	assert_int_equal(reply.seq, seq);
	assert_true(reply.failed);
	assert_true(buf_len(&reply.error) >= strlen(start));
	assert_memory_equal(buf_ptr(&reply.error), start, strlen(start));
}

static void
test_window_limit(void **state)
{
	struct pair p = pair_new(RPC_SERVICE_PTY);
	union rpc_value v = { .size = { .rows = 65536 } };
	struct rpc_call call;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
		    rpc_client_call(p.client, &p.up, RPC_PTY_SETSIZE, &v, NULL),
		    0);
		v.size = (struct rpc_winsize){ .cols = UINT64_MAX };
	}
	v.size = (struct rpc_winsize){ 65535, 65535, 65535, 65535 };
	assert_int_equal(
	    rpc_client_call(p.client, &p.up, RPC_PTY_SETSIZE, &v, NULL), 0);
	assert_int_equal(rpc_host_next(p.host, &p.up, &p.down, &call), 1);
	assert_int_equal(call.seq, 2);
	assert_int_equal(call.arg.size.x, 65535);
	assert_int_equal(call.arg.size.cols, 65535);
	assert_failed(&p, 0, "gob: ");
	assert_failed(&p, 1, "gob: ");
	pair_free(&p);
}

/* An argument of another type fails its call only. */
static void
test_wrong_argument(void **state)
{
	struct pair p = pair_new(RPC_SERVICE_PTY);
	struct rpc_call call;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(rpc_client_call(p.client, &p.down,
				     RPC_PTY_PING, NULL, NULL),
		    0);
	buf_reset(&p.down);
	put_call(&p, "pty.Write", 9, 0);
	put_call(&p, "pty.Start", 9, 1);
	put_call(&p, "pty.Ping", 8, 2);
	put_call(&p, "pty.Read", 8, 3);
	assert_int_equal(rpc_host_next(p.host, &p.up, &p.down, &call), 1);
	assert_int_equal(call.seq, 3);
	for (uint64_t seq = 0; seq < 3; seq++)
		assert_failed(&p, seq, "gob: ");
	pair_free(&p);
}

/* Anything but Request where one is due ends the connection. */
static void
test_bad_header(void **state)
{
	static const char *const bad[] = { "03040006", "0a7f03010002ff80000000",
		"03ff8000", "fc40000000", "fd200001", "00" };
	struct rpc_call call;
	struct rpc_reply reply;
	struct pair p;
	struct blob b;
	int r;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		p = pair_new(RPC_SERVICE_PTY);
		b = blob_hex(bad[i]);
		assert_int_equal(buf_put(&p.up, b.p, b.n), 0);
		assert_int_equal(buf_put(&p.down, b.p, b.n), 0);
		r = rpc_host_next(p.host, &p.up, &p.down, &call);
		assert_true(r == SKY_ERR_FORMAT || r == SKY_ERR_LIMIT);
		r = rpc_client_next(p.client, &p.down, &reply);
		if (i != 4)
			assert_true(r == SKY_ERR_FORMAT || r == SKY_ERR_LIMIT);
		else /* 2 MiB and 1: the client takes more than the host */
			assert_int_equal(r, 0);
		free(b.p);
		pair_free(&p);
	}
}

/* A flood of refusals waits for room instead of ending the connection. */
static void
test_no_room_for_refusals(void **state)
{
	struct pair p = pair_new(RPC_SERVICE_PTY);
	struct gob_dec *dec = gob_dec_new(4096);
	struct rpc_call call;
	uint64_t seen = 0;

	(void)state;
	buf_init(&p.down, 2 * RPC_HOST_ROOM);
	for (uint64_t i = 0; i < 100; i++)
		put_call(&p, "nosuch.Read", 11, i);
	while (buf_len(&p.up) != 0) {
		assert_int_equal(rpc_host_next(p.host, &p.up, &p.down, &call),
		    0);
		assert_true(buf_len(&p.down) != 0);
		while (buf_len(&p.down) != 0)
			assert_refused(dec, &p.down, "nosuch.Read", 11, seen++,
			    no_service);
	}
	assert_int_equal(seen, 100);
	gob_dec_free(dec);
	pair_free(&p);
}

/* The longest refusal there is, with its definitions. */
static void
test_room_suffices(void **state)
{
	struct pair p = pair_new(RPC_SERVICE_PTY);
	struct rpc_call call;
	char name[300];

	(void)state;
	memset(name, 'x', sizeof(name));
	buf_init(&p.down, RPC_HOST_ROOM);
	put_call(&p, name, sizeof(name), UINT64_MAX);
	assert_int_equal(rpc_host_next(p.host, &p.up, &p.down, &call), 0);
	assert_true(buf_len(&p.down) > 512);
	pair_free(&p);
}

static void
test_no_room_for_reply(void **state)
{
	struct pair p = pair_new(RPC_SERVICE_PTY);
	char data[500] = "x";
	union rpc_value v;
	struct rpc_reply reply;

	(void)state;
	assert_int_equal(rpc_client_call(p.client, &p.up, RPC_PTY_READ,
			     &(union rpc_value){ .number = 500 }, NULL),
	    0);
	buf_view(&v.bytes, data, sizeof(data));
	buf_init(&p.down, 400);
	assert_int_equal(rpc_host_reply(p.host, &p.down, RPC_PTY_READ, 0, &v),
	    SKY_ERR_LIMIT);
	assert_int_equal(buf_len(&p.down), 0);
	buf_init(&p.down, 1000);
	assert_int_equal(rpc_host_reply(p.host, &p.down, RPC_PTY_READ, 0, &v),
	    0);
	assert_int_equal(rpc_client_next(p.client, &p.down, &reply), 1);
	assert_false(reply.failed);
	assert_int_equal(buf_len(&reply.value.bytes), sizeof(data));
	assert_memory_equal(buf_ptr(&reply.value.bytes), data, sizeof(data));
	pair_free(&p);
}

static void
test_pending_limit(void **state)
{
	struct pair p = pair_new(RPC_SERVICE_PTY);
	struct rpc_reply reply;
	uint64_t seq = 0;
	size_t len;

	(void)state;
	for (uint64_t i = 0; i < RPC_PENDING_MAX; i++) {
		assert_int_equal(
		    rpc_client_call(p.client, &p.up, RPC_PTY_PING, NULL, &seq),
		    0);
		assert_int_equal(seq, i);
	}
	len = buf_len(&p.up);
	assert_int_equal(
	    rpc_client_call(p.client, &p.up, RPC_PTY_PING, NULL, NULL),
	    SKY_ERR_LIMIT);
	assert_int_equal(buf_len(&p.up), len);
	/* The same reply twice: the second answers nothing. */
	for (int i = 0; i < 2; i++)
		assert_int_equal(
		    rpc_host_reply(p.host, &p.down, RPC_PTY_PING, 77, NULL), 0);
	assert_int_equal(rpc_client_next(p.client, &p.down, &reply), 1);
	assert_int_equal(reply.seq, 77);
	assert_int_equal(rpc_client_next(p.client, &p.down, &reply), 0);
	assert_int_equal(rpc_client_pending(p.client), RPC_PENDING_MAX - 1);
	assert_int_equal(
	    rpc_client_call(p.client, &p.up, RPC_PTY_PING, NULL, &seq), 0);
	assert_int_equal(seq, RPC_PENDING_MAX);
	pair_free(&p);
}

/* Reply with this error and, whatever the method, a string as value. */
static void
put_reply(struct pair *p, uint64_t seq, const char *error, size_t n)
{
	struct header h = { .seq = seq };
	struct buf text;
	struct gob_item items[] = { { &header_type, &h },
		{ &text_type, &text } };

	buf_view(&h.error, error, n);
	buf_view(&text, "text", 4);
	assert_int_equal(gob_enc_values(p->enc, &p->down, items, 2), 0);
}

static void
test_wrong_reply(void **state)
{
	struct pair p = pair_new(0);
	struct rpc_reply reply;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(
		    rpc_client_call(p.client, &p.up,
			i == 2 ? RPC_PTY_STARTSESSION : RPC_PTY_PING,
			&(union rpc_value){ 0 }, NULL),
		    0);
	put_reply(&p, 0, "", 0);
	put_reply(&p, 1, "no \x1b[2J", 7);
	put_reply(&p, 2, "", 0);
	assert_failed(&p, 0, "gob: ");
	assert_failed(&p, 1, "no \x1b[2J");
	assert_int_equal(rpc_client_next(p.client, &p.down, &reply), 1);
	assert_false(reply.failed);
	assert_int_equal(buf_len(&reply.value.text), 4);
	assert_int_equal(rpc_client_pending(p.client), 0);
	pair_free(&p);
}

/* Of a text that is too long the beginning is kept. */
static void
test_long_error(void **state)
{
	struct pair p = pair_new(0);
	struct blob text = blob_new(NULL, 0);
	struct rpc_reply reply;
	uint8_t a[4096];

	(void)state;
	memset(a, 'a', sizeof(a));
	for (int i = 0; i < 20; i++)
		blob_add(&text, a, sizeof(a));
	assert_int_equal(
	    rpc_client_call(p.client, &p.up, RPC_PTY_PING, NULL, NULL), 0);
	put_reply(&p, 0, (const char *)text.p, text.n);
	assert_int_equal(rpc_client_next(p.client, &p.down, &reply), 1);
	assert_true(reply.failed);
	assert_int_equal(buf_len(&reply.error), RPC_ERROR_MAX);
	assert_memory_equal(buf_ptr(&reply.error), text.p, RPC_ERROR_MAX);
	free(text.p);
	pair_free(&p);
}

/* The largest result that Exec may give: twice 16 MiB. */
static void
test_large_result(void **state)
{
	const size_t n = 16 * 1024 * 1024;
	struct pair p = pair_new(RPC_SERVICE_PTY);
	union rpc_value v = { 0 };
	struct rpc_reply reply;
	uint8_t *data = calloc(2, n);

	(void)state;
	assert_non_null(data);
	data[n - 1] = 1;
	data[2 * n - 1] = 2;
	buf_view(&v.result.out, data, n);
	buf_view(&v.result.err, data + n, n);
	v.result.out_cut = v.result.err_cut = true;
	assert_int_equal(rpc_client_call(p.client, &p.up, RPC_PTY_EXEC,
			     &(union rpc_value){ 0 }, NULL),
	    0);
	assert_int_equal(rpc_host_reply(p.host, &p.down, RPC_PTY_EXEC, 0, &v),
	    0);
	assert_int_equal(rpc_client_next(p.client, &p.down, &reply), 1);
	assert_int_equal(buf_len(&reply.value.result.out), n);
	assert_memory_equal(buf_ptr(&reply.value.result.out), data, n);
	assert_memory_equal(buf_ptr(&reply.value.result.err), data + n, n);
	assert_true(reply.value.result.err_cut);
	free(data);
	pair_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_captures),
		cmocka_unit_test(test_captures_truncated),
		cmocka_unit_test(test_captures_flipped),
		cmocka_unit_test(test_capture_errors),
		cmocka_unit_test(test_capture_errors_client),
		cmocka_unit_test(test_capture_handmade),
		cmocka_unit_test(test_unknown_seq),
		cmocka_unit_test(test_unknown_names),
		cmocka_unit_test(test_services_by_bits),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_window_limit),
		cmocka_unit_test(test_wrong_argument),
		cmocka_unit_test(test_bad_header),
		cmocka_unit_test(test_no_room_for_refusals),
		cmocka_unit_test(test_room_suffices),
		cmocka_unit_test(test_no_room_for_reply),
		cmocka_unit_test(test_pending_limit),
		cmocka_unit_test(test_wrong_reply),
		cmocka_unit_test(test_long_error),
		cmocka_unit_test(test_large_result),
	};

	return cmocka_run_group_tests_name("rpc", tests, NULL, NULL);
}
