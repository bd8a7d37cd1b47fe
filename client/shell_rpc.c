/* SPDX-License-Identifier: ISC */
/*
 * An interactive session.  One Read and one Write are under way at any time:
 * the next Read leaves before the last one's output is written, and what is
 * typed while a Write is under way goes with the next.  PROTOCOL.pty 6.
 */
#include "client/shell_rpc.h"
#include "client/complain.h"
#include "client/conn.h"
#include "client/exec.h"
#include "client/exits.h"
#include "client/options.h"
#include "client/patience.h"
#include "client/signals.h"
#include "client/term.h"
#include "client/term_loop.h"
#include "client/typed.h"
#include "client/wishes.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/pty/mux.h"
#include "common/pty/rpc.h"

#define READ_SIZE   65536
#define WRITE_MAX   65536
#define OUTPUT_HIGH (256U * 1024) /* unwritten output that stops Reads */
#define OUTPUT_MAX  (OUTPUT_HIGH + 8 * READ_SIZE)
#define ECHO_MAX    1024
#define WRITE_CHUNK 16384 /* one write to standard output */
#define PING_MS	    30000
#define DEAD_MS	    90000 /* without a byte while an answer is due */
#define STOP_MS	    1000  /* for the host to end a shell that is left */

struct shell_rpc {
	const struct client_options *opts;
	struct term_loop loop;
	struct conn conn;
	struct rpc_client *rpc;
	struct buf output; /* for standard output */
	struct buf input;  /* for the host, escapes taken out */
	bool tty;	   /* standard input is a terminal, in raw mode */
	bool started;
	bool reading, writing; /* a call is under way */
	bool input_end;
	bool over; /* the host has said so; output is still to be written */
	bool left; /* it is we who go, and what runs there is to end */
	bool stopping;
	bool no_ping;
	int64_t next_ping; /* by the connection's clock */
	bool pinging;
	int killed; /* by that signal */
	int status;
};

/* --- calls --- */

static int
shell_rpc_make_call(struct shell_rpc *s, enum rpc_method method,
    const union rpc_value *v)
{
	int r;

	if ((r = rpc_client_call(s->rpc, &s->conn.out, method, v, NULL)) != 0) {
		complain("a call does not fit: %s", err_text(r));
		return EXIT_FAILED;
	}
	return 0;
}

/* A Read unless there is enough to be written out, a Write for what is typed.
 */
static int
shell_rpc_read_and_write(struct shell_rpc *s)
{
	union rpc_value v = { .number = READ_SIZE };
	size_t n = buf_len(&s->input);

	if (!s->reading && !s->over && buf_len(&s->output) < OUTPUT_HIGH) {
		s->reading = true;
		if (shell_rpc_make_call(s, RPC_PTY_READ, &v) != 0)
			return EXIT_FAILED;
	}
	if (s->writing || n == 0)
		return 0;
	if (buf_get_view(&s->input, n < WRITE_MAX ? n : WRITE_MAX, &v.bytes) !=
	    0)
		return EXIT_FAILED;
	s->writing = true;
	return shell_rpc_make_call(s, RPC_PTY_WRITE, &v);
}

static int
shell_rpc_resize(void *arg, const struct rpc_winsize *size)
{
	union rpc_value v = { .size = *size };
	struct shell_rpc *s = arg;

	return shell_rpc_make_call(s, RPC_PTY_SETSIZE, &v);
}

/* --- start --- */

static int
shell_rpc_start(struct shell_rpc *s)
{
	union rpc_value v = { .command = { .has_size = false } };
	struct rpc_command *c = &v.command;
	struct rpc_exec e;
	int r;

	if ((r = exec_describe(&e, s->opts)) == 0) {
		c->name = e.name;
		c->arg = e.arg;
		c->env = e.env;
		c->has_size = term_size(&c->size);
		r = shell_rpc_make_call(s, RPC_PTY_START, &v);
	}
	exec_describe_free(&e);
	return r;
}

/* --- replies --- */

/* How hosts say that the shell has ended: PROTOCOL.pty 6.3. */
static int
shell_rpc_take_failure(struct shell_rpc *s, const struct rpc_reply *reply)
{
	static const char *const ends[] = { "EOF",
		"read /dev/ptmx: input/output error",
		"read /dev/ptmx: file already closed" };
	const struct buf *text = &reply->error;

	switch (reply->method) {
	case RPC_PTY_START:
		complain("cannot start %s: %s", *s->opts->command,
		    complain_printable(text));
		return exec_not_started(text);
	case RPC_PTY_READ:
		s->over = true;
		for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
			if (buf_len(text) == strlen(ends[i]) &&
			    memcmp(buf_ptr(text), ends[i], buf_len(text)) == 0)
				return 0;
		complain("the session failed: %s", complain_printable(text));
		s->status = EXIT_FAILED;
		return 0;
	case RPC_PTY_PING:
		s->no_ping = true; /* an older host does not know it */
		return 0;
	default:
		/* Input for a shell that is gone: Read will tell. */
		return 0;
	}
}

static int
shell_rpc_take_reply(struct shell_rpc *s, struct rpc_reply *reply)
{
	struct buf *b = &reply->value.bytes;

	if (reply->method == RPC_PTY_READ)
		s->reading = false;
	else if (reply->method == RPC_PTY_WRITE)
		s->writing = false;
	else if (reply->method == RPC_PTY_PING)
		s->pinging = false;
	else if (reply->method == RPC_PTY_STOP)
		s->stopping = false;
	if (reply->failed)
		return shell_rpc_take_failure(s, reply);
	if (reply->method == RPC_PTY_START) {
		s->started = true;
		if (s->tty && term_loop_raw(&s->loop) != 0)
			complain("cannot set the terminal to raw mode");
		/* A proxy of the original loses the size on the way. */
		return term_loop_sized(&s->loop);
	}
	if (reply->method == RPC_PTY_READ &&
	    buf_put(&s->output, buf_ptr(b), buf_len(b)) != 0)
		return conn_bad(&s->conn, SKY_ERR_LIMIT);
	return 0;
}

/* Replies, and what they make possible, before anything is written out. */
static int
shell_rpc_take_replies(struct shell_rpc *s)
{
	struct rpc_reply reply;
	int r;

	while (s->conn.accepted &&
	    (r = rpc_client_next(s->rpc, &s->conn.in, &reply)) != 0) {
		if (r < 0)
			return conn_bad(&s->conn, r);
		if ((r = shell_rpc_take_reply(s, &reply)) != 0)
			return r;
	}
	return s->started ? shell_rpc_read_and_write(s) : 0;
}

/* --- what is typed --- */

static int
shell_rpc_end_input(struct shell_rpc *s)
{
	s->input_end = true;
	if (s->tty)
		return 0;
	s->loop.wait_ms = TYPED_EOF_MS;
	typed_end(&s->loop.typed);
	return 0;
}

/* Once the last one has been taken. */
static int
shell_rpc_type_eof(struct shell_rpc *s)
{
	int r;

	if (s->over || s->writing ||
	    (r = typed_eof(&s->loop.typed, now_ms(), &s->input)) == 0)
		return 0;
	if (r < 0 || (r = shell_rpc_read_and_write(s)) != 0)
		return EXIT_FAILED;
	return conn_flush(&s->conn);
}

static size_t
shell_rpc_room(void *arg)
{
	struct shell_rpc *s = arg;

	return s->started && !s->input_end && !s->over &&
		buf_len(&s->input) < WRITE_MAX ?
	    WRITE_MAX :
	    0;
}

static int
shell_rpc_keys(void *arg, struct buf *keys)
{
	struct shell_rpc *s = arg;

	if (buf_len(keys) == 0)
		return shell_rpc_end_input(s);
	return buf_put(&s->input, buf_ptr(keys), buf_len(keys)) == 0 ?
	    0 :
	    EXIT_FAILED;
}

static int
shell_rpc_read(void *arg)
{
	struct shell_rpc *s = arg;
	uint8_t chunk[4096];
	ssize_t n;

	n = read(STDIN_FILENO, chunk, sizeof(chunk));
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return shell_rpc_end_input(s);
	typed_read(&s->loop.typed, chunk[n - 1]);
	return buf_put(&s->input, chunk, (size_t)n) == 0 ? 0 : EXIT_FAILED;
}

static void
shell_rpc_leave(void *arg)
{
	struct shell_rpc *s = arg;

	s->over = s->left = true;
}

/* SIGTERM and SIGHUP: we go, and die of it. */
static int
shell_rpc_signal(void *arg, int sig)
{
	struct shell_rpc *s = arg;

	s->killed = sig;
	s->left = true;
	return EXIT_FAILED;
}

/* --- output --- */

static int
shell_rpc_write_output(struct shell_rpc *s)
{
	size_t n = buf_len(&s->output) < WRITE_CHUNK ? buf_len(&s->output) :
						       WRITE_CHUNK;
	ssize_t r;

	if (n == 0)
		return 0;
	r = write(STDOUT_FILENO, buf_ptr(&s->output), n);
	if (r > 0) {
		term_watch(buf_ptr(&s->output), (size_t)r);
		buf_skip(&s->output, (size_t)r);
	}
	if (r >= 0 || errno == EAGAIN || errno == EINTR)
		return 0;
	if (errno != EPIPE)
		complain("output: %s", strerror(errno));
	return EXIT_FAILED;
}

/* --- the loop --- */

/* Whoever was stopped asks at once, and gives the answer its time. */
static int
shell_rpc_keep_alive(struct shell_rpc *s)
{
	int64_t now = conn_time(&s->conn);
	int r;

	if (conn_slept(&s->conn))
		s->next_ping = now;
	if ((s->pinging || !s->started) &&
	    (r = conn_check_silence(&s->conn, DEAD_MS)) != 0)
		return r;
	if (now < s->next_ping)
		return 0;
	s->next_ping = now + PING_MS;
	if (s->no_ping || !s->started || s->over || s->pinging)
		return 0;
	s->pinging = true;
	if (shell_rpc_make_call(s, RPC_PTY_PING, NULL) != 0)
		return EXIT_FAILED;
	return conn_flush(&s->conn);
}

static struct pollfd
shell_rpc_output(void *arg)
{
	struct shell_rpc *s = arg;

	return (
	    struct pollfd){ .fd = buf_len(&s->output) != 0 ? STDOUT_FILENO : -1,
		.events = POLLOUT };
}

static int
shell_rpc_work(void *arg, bool writable)
{
	struct pollfd now = { .fd = STDOUT_FILENO, .events = POLLOUT };
	struct shell_rpc *s = arg;
	size_t n;
	int r;

	if ((r = shell_rpc_take_replies(s)) != 0)
		return r;
	/* An echo goes to the screen first, a flood is asked for first. */
	n = buf_len(&s->output);
	if (n != 0 && n <= ECHO_MAX && poll(&now, 1, 0) == 1 &&
	    (r = shell_rpc_write_output(s)) != 0)
		return r;
	if ((r = conn_flush(&s->conn)) != 0)
		return r;
	if (writable && (r = shell_rpc_write_output(s)) != 0)
		return r;
	if (s->conn.eof && !s->over)
		return conn_ended(&s->conn);
	if ((r = shell_rpc_keep_alive(s)) != 0)
		return r;
	return shell_rpc_type_eof(s);
}

/* What the host has said to the end is still written. */
static bool
shell_rpc_is_over(void *arg)
{
	struct shell_rpc *s = arg;

	return s->over && buf_len(&s->output) == 0;
}

/*
 * A host may keep a shell that its client has left: it is asked to end it.
 * What comes meanwhile is for nobody.
 */
static void
shell_rpc_stop_shell(struct shell_rpc *s)
{
	int64_t until = now_ms() + STOP_MS;
	struct pollfd p;
	int r;

	if (!s->left || !s->started || s->conn.eof)
		return;
	s->stopping = s->reading = true; /* no more Reads */
	r = shell_rpc_make_call(s, RPC_PTY_STOP, NULL);
	while (r == 0 && s->stopping && !s->conn.eof && now_ms() < until) {
		buf_skip(&s->output, buf_len(&s->output));
		p = (struct pollfd){ .fd = s->conn.fd,
			.events = conn_events(&s->conn) };
		if ((r = conn_flush(&s->conn)) == 0 && poll(&p, 1, 50) == 1 &&
		    (r = conn_pump(&s->conn, p.revents)) == 0)
			r = shell_rpc_take_replies(s);
	}
}

static int
shell_rpc_serve(struct shell_rpc *s)
{
	static const int caught[] = { SIGWINCH, SIGCONT, SIGTSTP, SIGTERM,
		SIGHUP, 0 };
	int r;

	if ((s->rpc = rpc_client_new()) == NULL)
		return EXIT_FAILED;
	s->tty = isatty(STDIN_FILENO) == 1;
	s->next_ping = conn_time(&s->conn) + PING_MS;
	if ((r = shell_rpc_start(s)) == 0 && (r = conn_flush(&s->conn)) == 0) {
		term_loop_catch(caught);
		r = term_loop_run(&s->loop);
		shell_rpc_stop_shell(s);
	}
	if (r != 0)
		term_lost();
	term_restore();
	rpc_client_free(s->rpc);
	if (s->killed != 0)
		signals_die(s->killed);
	return r != 0 ? r : s->status;
}

int
shell_rpc_run(struct keyctx *ctx, const struct client_options *o)
{
	static const struct term_loop_ops ops = { .room = shell_rpc_room,
		.read = shell_rpc_read,
		.keys = shell_rpc_keys,
		.leave = shell_rpc_leave,
		.resize = shell_rpc_resize,
		.signal = shell_rpc_signal,
		.output = shell_rpc_output,
		.work = shell_rpc_work,
		.is_over = shell_rpc_is_over };
	struct shell_rpc s = { .opts = o };
	char uri[MUX_URI_MAX + 1];
	int r;

	if (wishes_uri(uri, MUX_URI_PTY, o, true) != 0)
		return EXIT_FAILED;
	term_loop_init(&s.loop, &ops, &s, &s.conn, o->escape);
	buf_init(&s.output, OUTPUT_MAX);
	buf_init(&s.input, 2 * WRITE_MAX);
	if ((r = conn_open(&s.conn, ctx, o, uri)) == 0)
		r = shell_rpc_serve(&s);
	conn_close(&s.conn);
	buf_free(&s.output);
	buf_free(&s.input);
	return r;
}
