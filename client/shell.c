/* SPDX-License-Identifier: ISC */
/* skypty shell, start and exec: where to, and then the session or command. */
#include "client/background.h"
#include "client/commands.h"
#include "client/complain.h"
#include "client/dest.h"
#include "client/exec.h"
#include "client/exits.h"
#include "client/forward/forward_cmd.h"
#include "client/forward/forward_flags.h"
#include "client/hosts.h"
#include "client/hub/hub_conn.h"
#include "client/options.h"
#include "client/session.h"
#include "client/shell_rpc.h"
#include "client/shell_words.h"
#include "client/status_fd.h"

#include "common/pty/keys.h"

/* False: as one that ends with its connection. */
static bool
shell_keep(struct keyctx *ctx, const struct client_options *o, int *status)
{
	if (!o->detach_ok || session_run(ctx, o, status))
		return o->detach_ok;
	if (o->session_name != NULL) {
		complain("--name %s: this host keeps no sessions",
		    o->session_name);
		*status = EXIT_FAILED;
		return true;
	}
	if (!o->quiet)
		complain("this host keeps no sessions: the shell ends with the "
			 "connection");
	return false;
}

/* By the original's calls where the host has nothing better. */
static int
shell_run(struct keyctx *ctx, struct client_options *o)
{
	struct shell_words words = { .words = NULL };
	int r;

	if ((r = shell_words_set(&words, o)) == 0 && !shell_keep(ctx, o, &r) &&
	    !exec_frames_run(ctx, o, &r))
		r = shell_rpc_run(ctx, o);
	shell_words_free(&words);
	return r;
}

static int
shell_session(enum flags_style style, struct keyctx *ctx,
    struct client_options *o)
{
	if (o->detach_ok && *o->command != NULL) {
		complain("--detach-ok, --name: they keep a shell; a command "
			 "that outlives its connection is 'skypty job run'");
		return EXIT_USAGE;
	}
	if (*o->command != NULL)
		return exec_command(ctx, o);
	if (style != STYLE_EXEC)
		return shell_run(ctx, o);
	complain("exec needs a command: skypty exec %s-- cmd [args]",
	    o->dest.kind == DEST_TCP ? "... " : "");
	return EXIT_USAGE;
}

static int
shell_background(void *arg)
{
	(void)arg;
	return background();
}

/* What is forwarded stands before anything is run. */
static int
shell_forwards(enum flags_style style, struct keyctx *ctx,
    struct client_options *o)
{
	struct forward_held held;
	int r;

	if (o->forward.target != NULL)
		return forward_stdio(ctx, o);
	if (o->forward.nothing && *o->command != NULL) {
		complain("-N runs nothing, and there is '%s'", *o->command);
		return EXIT_USAGE;
	}
	if (o->forward.background && !o->forward.nothing &&
	    *o->command == NULL) {
		complain("-f goes to the background with a command, or with "
			 "-N");
		return EXIT_USAGE;
	}
	if ((r = forward_begin(&held, ctx, o)) == 0 && o->forward.nothing) {
		if (!o->forward.background || (r = background()) == 0)
			r = forward_wait(&held);
	} else if (r == 0) {
		if (o->forward.background) {
			o->no_stdin = true;
			o->started = shell_background;
		}
		r = shell_session(style, ctx, o);
	}
	forward_leave(&held);
	return r;
}

static int
shell_or_command(enum flags_style style, int argc, char **argv)
{
	struct client_options o;
	struct keyctx *ctx;
	int r;

	if ((ctx = keyctx_new()) == NULL)
		return EXIT_FAILED;
	if ((r = options_parse(&o, ctx, style, argv[0], argc, argv)) != 0 ||
	    (r = status_fd_begin(&o)) != 0)
		;
	else if (o.control.order != NULL)
		r = hub_order(ctx, &o, false);
	else
		r = shell_forwards(style, ctx, &o);
	forward_flags_free(&o.forward);
	hosts_free(&o.alias);
	offer_free(&o.agents);
	keyctx_free(ctx);
	return r;
}

int
shell_main(int argc, char **argv)
{
	return shell_or_command(STYLE_SHELL, argc, argv);
}

int
exec_main(int argc, char **argv)
{
	return shell_or_command(STYLE_EXEC, argc, argv);
}
