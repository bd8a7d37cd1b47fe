/* SPDX-License-Identifier: ISC */
/* A command by pty.Exec: all of its input first, all of its output after. */
#include "client/skypty.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "common/mux.h"

#define STDIN_MAX   (1024U * 1024) /* spec: pty.md 7.1 */
#define TIMEOUT_MAX 300000	   /* what a host cuts a longer one to */
#define EXTRA_MS    10000	   /* for the way, beyond the command's time */
#define LIST_MAX    (1024U * 1024)

static int
write_all(int fd, struct buf *b)
{
	ssize_t r;

	while ((r = buf_write(b, fd)) > 0 || r == ERR_AGAIN)
		;
	if (r == 0)
		return 0;
	/* Whoever read it has heard enough. */
	if (errno != EPIPE)
		complain("output: %s", strerror(errno));
	return EXIT_FAILED;
}

/* A terminal or /dev/null gives nothing; anything else is read to its end. */
static bool
has_input(const struct options *o)
{
	struct stat st;

	return !o->no_stdin && fstat(STDIN_FILENO, &st) == 0 &&
	    !S_ISCHR(st.st_mode);
}

static int
read_input(const struct options *o, struct buf *in)
{
	ssize_t r;

	buf_init(in, STDIN_MAX + 1);
	if (!has_input(o))
		return 0;
	do
		r = buf_read(in, STDIN_FILENO, 65536);
	while (r > 0 || (r == ERR_AGAIN && errno == EINTR));
	if (r == ERR_LIMIT || buf_len(in) > STDIN_MAX) {
		complain("standard input is over 1 MiB, which pty.Exec cannot "
			 "carry; copy it into a file of the host first");
		return EXIT_USAGE;
	}
	if (r != ERR_EOF) {
		complain("standard input: %s", err_text((int)r));
		return EXIT_FAILED;
	}
	return 0;
}

/* --- the call --- */

static int
put_list(struct gob_list *list, const char *const *words, size_t n)
{
	int r = 0;

	buf_init(&list->raw, LIST_MAX);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = gob_list_add(list, words[i], strlen(words[i]));
	return r;
}

static size_t
count(char **words)
{
	size_t n = 0;

	while (words[n] != NULL)
		n++;
	return n;
}

static int
put_call(struct conn *c, struct rpc_client *rpc, const struct options *o,
    const struct buf *in)
{
	union rpc_value v = { .exec = { .in = *in } };
	struct rpc_exec *x = &v.exec;
	int r;

	x->timeout_ms =
	    o->timeout_ms > TIMEOUT_MAX ? TIMEOUT_MAX : o->timeout_ms;
	buf_view(&x->name, o->command[0], strlen(o->command[0]));
	if ((r = put_list(&x->arg, (const char *const *)(o->command + 1),
		 count(o->command) - 1)) == 0 &&
	    (r = put_list(&x->env, o->env, o->nenv)) == 0)
		r = rpc_client_call(rpc, &c->out, RPC_PTY_EXEC, &v, NULL);
	buf_free(&x->arg.raw);
	buf_free(&x->env.raw);
	if (r == 0)
		return 0;
	complain("the command does not fit into a call: %s", err_text(r));
	return EXIT_FAILED;
}

/* A command's own status; what is none (a signal, nonsense) is a failure. */
static int
status_of(int64_t code)
{
	return code >= 0 && code <= 255 ? (int)code : EXIT_FAILED;
}

static int
deliver(struct rpc_exec_result *res, const struct options *o)
{
	int r;

	if ((r = write_all(STDOUT_FILENO, &res->out)) != 0 ||
	    (r = write_all(STDERR_FILENO, &res->err)) != 0)
		return r;
	if (res->out_cut)
		fputs("[stdout truncated at 16MiB]\n", stderr);
	if (res->err_cut)
		fputs("[stderr truncated at 16MiB]\n", stderr);
	if (res->timed_out) {
		fprintf(stderr, "[timed out after %lldms]\n",
		    (long long)res->duration_ms);
		return EXIT_TIMEOUT;
	}
	if (o->verbose)
		complain("the command took %lld ms",
		    (long long)res->duration_ms);
	return status_of(res->exit_code);
}

static int
call(struct conn *c, const struct options *o, const struct buf *in)
{
	struct rpc_client *rpc;
	struct rpc_reply reply;
	int r;

	if ((rpc = rpc_client_new()) == NULL)
		return EXIT_FAILED;
	if ((r = put_call(c, rpc, o, in)) == 0)
		r = call_await(c, rpc, o->timeout_ms + EXTRA_MS, &reply);
	if (r == 0 && reply.failed) {
		complain("the host refused the command: %s",
		    printable(&reply.error));
		r = EXIT_FAILED;
	} else if (r == 0)
		r = deliver(&reply.value.result, o);
	rpc_client_free(rpc);
	return r;
}

static void
on_interrupt(int sig)
{
	(void)sig;
	_exit(130);
}

int
exec_run(struct keyctx *ctx, const struct options *o)
{
	struct conn c;
	struct buf in;
	int r;

	signal(SIGINT, on_interrupt);
	if ((r = read_input(o, &in)) == 0) {
		if ((r = conn_open(&c, ctx, o, MUX_URI_PTY)) == 0)
			r = call(&c, o, &in);
		conn_close(&c);
	}
	buf_free(&in);
	return r;
}
