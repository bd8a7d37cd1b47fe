/* SPDX-License-Identifier: ISC */
/* skypty cp: the loop over the connection, and what is shown meanwhile. */
#include "client/complain.h"
#include "client/conn.h"
#include "client/cp/cp.h"
#include "client/exits.h"
#include "client/patience.h"
#include "client/signals.h"
#include "client/progress.h"
#include "client/sftp/sftp.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/pty/mux.h"

#define TICK_MS 100
#define BIG	(8U * 1024 * 1024) /* files that get a line of their own */

static struct {
	volatile sig_atomic_t signal;
} caught;

/* --- the progress meter --- */

static bool
cp_run_is_big(const struct cp_file *f)
{
	const struct cp *cp = f->cp;

	return f->size >= BIG || (!cp->recursive && !cp->many);
}

static struct progress_item
cp_run_item_of(const struct cp_file *f)
{
	return (struct progress_item){ .name = f->name,
		.done = f->done,
		.size = f->size > f->done ? f->size : f->done };
}

static void
cp_run_show(struct cp *cp)
{
	struct progress_item item = { .name = NULL };

	if (!progress_due(&cp->progress))
		return;
	for (const struct cp_file *f = cp->files; f != NULL; f = f->next)
		if (f->state >= FILE_COPY && !f->failed && cp_run_is_big(f)) {
			item = cp_run_item_of(f);
			break;
		}
	if (item.name != NULL || cp->recursive || cp->many)
		progress_draw(&cp->progress, &item);
}

void
cp_done(struct cp_file *f)
{
	struct progress_item item = cp_run_item_of(f);

	f->cp->progress.files++;
	if (cp_run_is_big(f))
		progress_end(&f->cp->progress, &item);
}

/* --- the loop --- */

static void
cp_run_on_signal(int sig)
{
	caught.signal = sig;
}

/* What there is to do goes out until the way or the window is full. */
static int
cp_run_work(struct cp *cp)
{
	struct buf *out = &cp->conn.out;
	bool put;
	int r;

	if (!sftp_ready(&cp->sftp))
		return conn_flush(&cp->conn);
	if (!cp->named && (r = cp_names_work(cp)) != 0)
		return r;
	if (cp->named && !cp->begun) {
		cp->begun = true;
		if ((r = cp->way->begin(cp)) != 0)
			return r;
	}
	do {
		if (cp->known && (r = cp->way->work(cp)) != 0)
			return r;
		put = buf_len(out) != 0;
		if ((r = conn_flush(&cp->conn)) != 0)
			return r;
	} while (put && buf_len(out) == 0);
	return 0;
}

static int
cp_run_receive(struct cp *cp, short revents)
{
	struct conn *c = &cp->conn;
	int r;

	if (revents != 0 && (r = conn_pump(c, revents)) != 0)
		return r;
	if (!c->accepted || (r = sftp_take(&cp->sftp)) >= 0)
		return c->accepted ? r : 0;
	if (!sftp_ready(&cp->sftp))
		complain("the host's SFTP server does not greet us as version "
			 "%d does: %s",
		    SFTP_VERSION, err_text(r));
	else if (r == SKY_ERR_NOTFOUND)
		complain("the host's SFTP server answers what was not asked");
	else
		complain("a malformed message of the host's SFTP server: %s",
		    err_text(r));
	return EXIT_FAILED;
}

/* Without anything under way there is nothing to wait for. */
static int
cp_run_wait_for_host(struct cp *cp, const sigset_t *open, short *revents)
{
	struct pollfd p = { .fd = cp->conn.fd,
		.events = conn_events(&cp->conn) };
	bool idle = cp->known && sftp_busy(&cp->sftp) == 0;
	int r;

	*revents = 0;
	if ((r = conn_wait(&cp->conn, &p, 1,
		 idle		     ? 0 :
		     cp->progress.on ? TICK_MS :
				       -1,
		 open)) != 0)
		return r;
	*revents = p.revents;
	return conn_check_silence(&cp->conn, QUIET_MS);
}

static int
cp_run_loop(struct cp *cp)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, 0 };
	sigset_t open;
	short revents;
	int r;

	/* Let in while poll waits only, when nothing is half done. */
	signals_catch(signals, cp_run_on_signal, &open);
	for (;;) {
		if ((r = cp_run_work(cp)) != 0)
			return r;
		if (cp->begun && cp->known && cp->way->over(cp))
			return 0;
		if (cp->conn.eof)
			return conn_ended(&cp->conn);
		if ((r = cp_run_wait_for_host(cp, &open, &revents)) != 0)
			return r;
		if (caught.signal != 0)
			return EXIT_FAILED;
		if ((r = cp_run_receive(cp, revents)) != 0)
			return r;
		cp_run_show(cp);
	}
}

/* --- the whole --- */

int
cp_run(struct cp *cp, struct keyctx *ctx)
{
	struct progress_item all = { .name = NULL };
	int r;

	cp->since = time(NULL) - 1; /* files have a coarser clock */
	r = conn_open(&cp->conn, ctx, cp->opts, MUX_URI_SFTP);
	if (r == 0 && cp->opts->leaving != NULL &&
	    (r = conn_await(&cp->conn)) == 0)
		r = cp->opts->leaving(cp->opts->watch_arg);
	if (r == 0) {
		progress_init(&cp->progress, cp->opts->quiet);
		r = sftp_init(&cp->sftp, &cp->conn.in, &cp->conn.out);
		r = r == 0 ? cp_run_loop(cp) : cp_fatal(r);
		progress_clear(&cp->progress);
		for (struct cp_file *f = cp->files; f != NULL; f = f->next)
			cp->way->abandon(f);
		if (caught.signal != 0)
			signals_die(caught.signal);
		if (r == 0 && (cp->recursive || cp->many))
			progress_end(&cp->progress, &all);
		if (r == 0 && cp->failed)
			r = EXIT_LOCAL;
	}
	cp_free_all(cp);
	conn_close(&cp->conn);
	return r;
}
