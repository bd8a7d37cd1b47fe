/* SPDX-License-Identifier: ISC */
/*
 * A command on a host, by the best way that the host knows: our own stream,
 * the original's over HTTP, pty.Exec.  An older host rejects what it does not
 * know, and the next way is tried on a new connection.
 */
#include "client/exec.h"
#include "client/complain.h"
#include "client/conn.h"
#include "client/dest.h"
#include "client/exits.h"
#include "client/options.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/pty/exec_stream.h"
#include "common/pty/gob.h"
#include "common/pty/mux.h"

#define LIST_MAX (1024U * 1024)

/* /dev/null gives nothing. */
bool
exec_has_input(const struct client_options *o)
{
	struct stat st;

	if (o->no_stdin || fstat(STDIN_FILENO, &st) == -1)
		return false;
	return !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3);
}

int
exec_put_list(struct gob_list *list, const char *const *words, size_t n)
{
	int r = 0;

	list->count = 0;
	buf_init(&list->raw, LIST_MAX);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = gob_list_add(list, words[i], strlen(words[i]));
	return r;
}

int
exec_describe(struct rpc_exec *e, const struct client_options *o)
{
	const char *const *words = (const char *const *)o->command;
	size_t n = 0;
	int r;

	memset(e, 0, sizeof(*e));
	e->timeout_ms = o->timeout_ms;
	buf_view(&e->name, words[0], strlen(words[0]));
	while (words[n + 1] != NULL)
		n++;
	if ((r = exec_put_list(&e->arg, words + 1, n)) == 0)
		r = exec_put_list(&e->env, o->env, o->nenv);
	if (r == 0)
		return 0;
	complain("the command is too long: %s", err_text(r));
	return EXIT_USAGE;
}

void
exec_describe_free(struct rpc_exec *e)
{
	buf_free(&e->arg.raw);
	buf_free(&e->env.raw);
}

int
exec_ended(const struct client_options *o, enum xs_how how, int64_t status,
    int64_t duration_ms)
{
	if (o->ended != NULL)
		o->ended(o->watch_arg, how, status);
	if (how == XS_TIMEDOUT) {
		fprintf(stderr, "[timed out after %lldms]\n",
		    (long long)duration_ms);
		return EXIT_TIMEOUT;
	}
	if (o->verbose)
		complain("the command took %lld ms", (long long)duration_ms);
	if (how == XS_SIGNALED && !o->quiet)
		complain("the %s was killed by signal %s",
		    o->shell ? "shell" : "command",
		    xs_signal_name((int)status));
	if (how == XS_EXITED && status >= 0 && status <= 255)
		return (int)status;
	if (how == XS_EXITED && status != -1)
		complain("the host reports the exit status %lld; 0 to 255 were "
			 "due",
		    (long long)status);
	return EXIT_FAILED;
}

/* How hosts say it, the original in the words of Go's libraries. */
static const struct {
	const char *end;
	int status;
} refusals[] = {
	{ "executable file not found in $PATH", EXIT_NOT_FOUND },
	{ "executable file not found in %PATH%", EXIT_NOT_FOUND },
	{ "no such file or directory", EXIT_NOT_FOUND },
	{ "permission denied", EXIT_NOT_EXECUTABLE },
	{ "exec format error", EXIT_NOT_EXECUTABLE },
	{ "is a directory", EXIT_NOT_EXECUTABLE },
	{ "not a directory", EXIT_NOT_EXECUTABLE },
	{ "text file busy", EXIT_NOT_EXECUTABLE },
	{ "argument list too long", EXIT_NOT_EXECUTABLE },
	{ "file name too long", EXIT_NOT_EXECUTABLE },
	{ "too many levels of symbolic links", EXIT_NOT_EXECUTABLE },
};

/* By its end: the name of the command, which may be any, stands before. */
int
exec_not_started(const struct buf *why)
{
	const char *text = (const char *)buf_ptr(why);
	size_t n = buf_len(why), len;

	while (n > 0 && text[n - 1] == '\n')
		n--;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		len = strlen(refusals[i].end);
		if (n > len && text[n - len - 1] == ' ' &&
		    memcmp(text + n - len, refusals[i].end, len) == 0)
			return refusals[i].status;
	}
	return EXIT_FAILED;
}

/* --- input as a whole, for hosts that take it no other way --- */

static int
exec_read_input(const struct client_options *o, struct buf *in)
{
	ssize_t r;

	if (!exec_has_input(o) || isatty(STDIN_FILENO))
		return 0;
	do
		r = buf_read(in, STDIN_FILENO, 65536);
	while (r > 0 || (r == SKY_ERR_AGAIN && errno == EINTR));
	if (r == SKY_ERR_LIMIT || buf_len(in) > XS_STDIN_MAX) {
		complain("this host takes at most 1 MiB of standard input; "
			 "copy it into a file there first ('skypty cp')");
		return EXIT_USAGE;
	}
	if (r != SKY_ERR_EOF) {
		complain("standard input: %s", err_text((int)r));
		return EXIT_FAILED;
	}
	return 0;
}

static void
exec_on_interrupt(int sig)
{
	(void)sig;
	_exit(130);
}

/* A program at our other end may wait for output before it says more. */
static bool
exec_is_conversation(const struct client_options *o)
{
	struct stat st;

	return o->duplex && exec_has_input(o) &&
	    fstat(STDIN_FILENO, &st) == 0 &&
	    (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

/*
 * Over dmsg a host rejects every service to a key that is not listed.  What all
 * hosts have tells that, before somebody's input is taken for nothing.
 */
static int
exec_is_let_in(struct keyctx *ctx, const struct client_options *o)
{
	struct conn c;
	int r;

	if (o->dest.kind != DEST_DMSG || !exec_has_input(o))
		return 0;
	if ((r = conn_open(&c, ctx, o, MUX_URI_PTY)) == 0)
		r = conn_await(&c);
	conn_close(&c);
	return r;
}

int
exec_older(struct keyctx *ctx, const struct client_options *o)
{
	struct buf in;
	int r;

	if ((r = exec_is_let_in(ctx, o)) != 0)
		return r;
	if (o->leaving != NULL && (r = o->leaving(o->watch_arg)) != 0)
		return r;
	if (exec_is_conversation(o)) {
		complain("this host takes a command's input only as a whole, "
			 "before it runs (it lacks " MUX_URI_EXEC
			 "); -n gives it none");
		return EXIT_FAILED;
	}
	signal(SIGINT, exec_on_interrupt);
	buf_init(&in, XS_STDIN_MAX + 1);
	if ((r = exec_read_input(o, &in)) == 0 &&
	    !exec_http_run(ctx, o, &in, &r))
		r = exec_rpc_run(ctx, o, &in);
	buf_free(&in);
	return r;
}

int
exec_command(struct keyctx *ctx, const struct client_options *o)
{
	int status;

	if (exec_frames_run(ctx, o, &status))
		return status;
	return exec_older(ctx, o);
}
