/* SPDX-License-Identifier: ISC */
/*
 * A host's process.  It is the client as it is, on pipes: every way to a host,
 * and every way to fail there, is that of "skypty exec" and "skypty cp".  What
 * it is forked from it shares, and it says on a socket how far it is.  Before
 * the command leaves it waits for a word: the journal comes first.
 */
#include "client/complain.h"
#include "client/cp/cp.h"
#include "client/exec.h"
#include "client/exits.h"
#include "client/fleet/fleet.h"
#include "client/hosts.h"
#include "client/job.h"
#include "client/passphrase.h"
#include "client/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/process.h"

#define CTL	 3 /* in the new process */
#define SAID_MAX 65536
#define CHECK_MS 30000 /* of one attempt, where no flag says otherwise */

struct fleet_talk {
	FILE *to;
	bool left;
};

/* --- in the new process --- */

static void
child_fail(const char *what)
{
	complain("%s: %s", what, strerror(errno));
	_exit(EXIT_FAILED);
}

/* Whoever does not answer has gone, and nothing is to be begun. */
static int
child_leaving(void *arg)
{
	struct fleet_talk *t = arg;
	char go;

	if (t->left)
		return 0;
	fputs("ready\n", t->to);
	if (fflush(t->to) != 0 || read(CTL, &go, 1) != 1)
		_exit(EXIT_FAILED);
	t->left = true;
	return 0;
}

static void
child_ended(void *arg, enum xs_how how, int64_t status)
{
	struct fleet_talk *t = arg;

	fprintf(t->to, "ended %d %lld\n", (int)how, (long long)status);
	fflush(t->to);
}

/* The standard descriptors, and the socket, are all that it has. */
static void
child_descriptors(const struct fleet *f, bool checking, int ctl, int out,
    int err)
{
	bool script = f->shell != NULL && !checking;
	int in = open(script ? f->o->fleet.script : "/dev/null",
	    O_RDONLY | O_CLOEXEC);
	struct stat st;

	/* Each reads the script from its beginning. */
	if (script &&
	    (in == -1 || fstat(in, &st) == -1 ||
		memcmp(&st.st_mtim, &f->script.st_mtim, sizeof(st.st_mtim)) !=
		    0 ||
		st.st_ino != f->script.st_ino ||
		st.st_dev != f->script.st_dev ||
		st.st_size != f->script.st_size)) {
		dprintf(ctl, "skypty: %s has changed since the run began\n",
		    f->o->fleet.script);
		_exit(EXIT_FAILED);
	}
	sink_release();
	if (in == -1 || dup2(in, STDIN_FILENO) == -1 ||
	    dup2(out, STDOUT_FILENO) == -1 || dup2(err, STDERR_FILENO) == -1 ||
	    (ctl != CTL && dup3(ctl, CTL, O_CLOEXEC) == -1))
		_exit(EXIT_FAILED);
	closefrom(CTL + 1);
	sink_prepare();
}

/* A folder for each host, whose name is not the host's to choose. */
static char *
child_folder(const struct fleet *f, const struct fleet_host *h)
{
	char *path, *name = fleet_file_name(h, "");

	if (name == NULL ||
	    asprintf(&path, "%s/%s", f->o->fleet.target, name) == -1)
		return NULL;
	free(name);
	if (mkdir(path, 0777) == -1 && errno != EEXIST)
		child_fail(path);
	return path;
}

static int
child_copy(const struct fleet *f, const struct fleet_host *h,
    const struct client_options *o, struct keyctx *ctx)
{
	const char *target = o->fleet.target;

	if (o->fleet.get && (target = child_folder(f, h)) == NULL)
		return EXIT_FAILED;
	return cp_one(o, ctx, o->fleet.put, o->fleet.source, target);
}

static _Noreturn void
child_main(const struct fleet *f, const struct fleet_child *c, int ctl, int out,
    int err)
{
	static char sh[] = "sh", dash_c[] = "-c";
	char *check[] = { sh, dash_c, NULL, NULL };
	/* Ours now: a copy would be so many pages more. */
	struct client_options *o = f->o;
	struct fleet_talk talk;
	int r;

	/* Nothing goes on here that nobody sees to. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != f->pid)
		_exit(EXIT_FAILED);
	setsid();
	process_reset_signals();
	signal(SIGPIPE, SIG_IGN);
	child_descriptors(f, c->checking, ctl, out, err);
	if ((talk.to = fdopen(CTL, "w")) == NULL)
		_exit(EXIT_FAILED);
	setvbuf(talk.to, NULL, _IOLBF, BUFSIZ);
	talk.left = false;
	complain_to(COMPLAIN_FILE, talk.to);
	passphrase_never_ask();
	o->how.timeout_ms = o->fleet.connect_ms;
	o->how.attempts = 0;
	o->leaving = child_leaving;
	o->ended = child_ended;
	o->watch_arg = &talk;
	o->command = f->shell != NULL ? f->shell : f->command;
	if (c->checking) {
		check[2] = (char *)(uintptr_t)o->fleet.check;
		o->command = check;
		o->no_stdin = true;
		o->timeout_ms = CHECK_MS;
		o->timeout_given = true;
	}
	r = options_dest(o, f->ctx, c->host->dest);
	/* Nobody wants a hub on each host of a fleet. */
	o->control = (struct hub_flags){ .master = HUB_NO };
	if (r == 0)
		r = o->fleet.source != NULL && !c->checking ?
		    child_copy(f, c->host, o, f->ctx) :
		    o->fleet.detach && !c->checking ? job_run(f->ctx, o) :
						      exec_command(f->ctx, o);
	fflush(NULL);
	_exit(r < 0 ? EXIT_FAILED : r);
}

/* --- in ours --- */

static void
child_close(int fd[2])
{
	for (int i = 0; i < 2; i++) {
		if (fd[i] != -1)
			close(fd[i]);
		fd[i] = -1;
	}
}

static int
child_pair(int fd[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd);
}

static int
child_open(int ctl[2], int out[2], int err[2])
{
	ctl[0] = ctl[1] = out[0] = out[1] = err[0] = err[1] = -1;
	/* Sockets take it as a flag of each call that it is not to block. */
	if (child_pair(ctl) == 0 && child_pair(out) == 0 &&
	    child_pair(err) == 0 && fcntl(ctl[0], F_SETFL, O_NONBLOCK) != -1 &&
	    fcntl(out[0], F_SETFL, O_NONBLOCK) != -1 &&
	    fcntl(err[0], F_SETFL, O_NONBLOCK) != -1)
		return 0;
	return -1;
}

int
fleet_child_start(struct fleet *f, struct fleet_child *c)
{
	int ctl[2], out[2], err[2], forked, error;

	fflush(NULL);
	forked = child_open(ctl, out, err);
	if (forked == 0)
		forked = process_fork(&c->pid);
	if (forked == 0)
		child_main(f, c, ctl[1], out[1], err[1]);
	error = errno;
	if (forked == -1) {
		child_close(ctl);
		child_close(out);
		child_close(err);
		errno = error;
		return -1;
	}
	close(ctl[1]);
	close(out[1]);
	close(err[1]);
	c->ctl = ctl[0];
	c->fd[0] = out[0];
	c->fd[1] = err[0];
	buf_init(&c->said, SAID_MAX);
	return 0;
}
