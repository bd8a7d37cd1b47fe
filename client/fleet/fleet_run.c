/* SPDX-License-Identifier: ISC */
/*
 * The run: one loop over the processes of the hosts that have their turn.  Who
 * is ready, i.e. connected, waits until the journal says that its command has
 * begun; what has begun is never begun again, unless the user says that it may.
 */
#include "client/complain.h"
#include "client/exits.h"
#include "client/fleet/fleet.h"
#include "client/signals.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/process.h"

#define CHUNK	    65536
#define GRACE_MS    20000 /* that a host has to end a command in time */
#define RETRY_MS    1000  /* doubled each time */
#define RETRY_MOST  60000
#define CHECK_LEAST 1000
#define CHECK_MOST  10000
#define FORK_MS	    1000 /* until another process is tried */
#define WAIT_MS	    60000
#define SIGNAL_MOST 127 /* of any system's */

static struct {
	volatile sig_atomic_t interrupts, hangups;
} caught;

static void
run_on_signal(int sig)
{
	if (sig == SIGINT)
		caught.interrupts++;
	else if (sig != SIGCHLD)
		caught.hangups++;
}

void
fleet_stop(struct fleet *f, const char *why)
{
	if (f->stop == STOP_NO)
		f->stop = STOP_SOFT;
	if (f->stopped == NULL)
		f->stopped = why;
}

static size_t
run_index(const struct fleet *f, const struct fleet_host *h)
{
	return (size_t)(h - f->hosts.host);
}

/* What is not in the journal is not begun. */
static int
run_write_down(struct fleet *f)
{
	fleet_clear(f);
	if (fleet_journal_sync(&f->journal) == 0)
		return 0;
	fleet_stop(f, "the journal cannot be written");
	return -1;
}

/* --- a host's end --- */

static void
run_settle(struct fleet *f, struct fleet_host *h)
{
	char how[64];

	h->settled = true;
	f->open--;
	f->done++;
	if (!fleet_host_failed(h))
		return;
	f->failed++;
	fleet_outcome_text(h, how, sizeof(how));
	fleet_say(f, "%s: %s%s%s", h->label, how, h->why != NULL ? ": " : "",
	    h->why != NULL ? h->why : "");
	if (f->has_max_fail && f->failed > f->max_fail)
		fleet_stop(f, "more hosts failed than --max-fail allows");
}

static void
run_wait(struct fleet *f, struct fleet_host *h, int64_t ms)
{
	h->due = now_ms() + ms;
	h->next_waiting = f->waiting;
	f->waiting = h;
}

static int64_t
run_back_off(unsigned attempts, int64_t least, int64_t most)
{
	int64_t ms = least;

	while (--attempts > 0 && ms < most)
		ms *= 2;
	return ms < most ? ms : most;
}

static void
run_note_end(struct fleet *f, const struct fleet_host *h)
{
	size_t i = run_index(f, h);

	(void)fleet_journal_add(&f->journal, NULL, "ended %zu %s %d %lld", i,
	    fleet_outcome_word(h->outcome), h->status, (long long)h->ms);
	if (h->why != NULL)
		(void)fleet_journal_add(&f->journal, h->why, "why %zu", i);
}

/*
 * Whether there is another attempt.  Where the command may have begun there is
 * none, unless it may run more than once; a copy may.
 */
static bool
run_tries_again(const struct fleet *f, const struct fleet_host *h)
{
	const struct fleet_flags *flags = &f->o->fleet;

	if (f->stop != STOP_NO || h->attempts > flags->retry)
		return false;
	return h->outcome == OUTCOME_UNREACHED ||
	    (h->outcome == OUTCOME_LOST &&
		(flags->idempotent || flags->source != NULL));
}

/* The command is over, and well: the check may have to follow. */
static void
run_after(struct fleet *f, struct fleet_host *h)
{
	const struct fleet_flags *flags = &f->o->fleet;

	if (h->outcome == OUTCOME_OK && flags->check != NULL && !h->passed) {
		h->check_ends = now_ms() + flags->check_ms;
		h->attempts = 0;
		run_wait(f, h, 0);
	} else if (run_tries_again(f, h))
		run_wait(f, h, run_back_off(h->attempts, RETRY_MS, RETRY_MOST));
	else
		run_settle(f, h);
}

static void
run_command_ended(struct fleet *f, struct fleet_child *c)
{
	struct fleet_host *h = c->host;
	int status = WIFEXITED(c->wait_status) ? WEXITSTATUS(c->wait_status) :
						 EXIT_FAILED;
	bool copy = f->o->fleet.source != NULL;

	h->ms = c->gone ? now_ms() - c->begun : 0;
	h->status = 0;
	if (!c->gone)
		h->outcome = OUTCOME_UNREACHED;
	else if (c->ended && c->how == XS_EXITED) {
		h->outcome = c->status == 0 ? OUTCOME_OK : OUTCOME_EXIT;
		h->status = (int)(c->status & 0xff);
		if (c->status != 0 && h->status == 0)
			h->status = EXIT_FAILED;
	} else if (c->ended && c->how == XS_SIGNALED) {
		h->outcome = OUTCOME_SIGNAL;
		/* It is the host's word; the journal has no other number. */
		if (c->status > 0 && c->status <= SIGNAL_MOST)
			h->status = (int)c->status;
	} else if (c->late || status == EXIT_TIMEOUT)
		h->outcome = OUTCOME_TIMEOUT;
	else if (copy && WIFEXITED(c->wait_status) && status != EXIT_FAILED) {
		h->outcome = status == 0 ? OUTCOME_OK : OUTCOME_EXIT;
		h->status = status;
	} else if (status == EXIT_NOT_FOUND || status == EXIT_NOT_EXECUTABLE) {
		h->outcome = OUTCOME_EXIT;
		h->status = status;
	} else
		h->outcome = OUTCOME_LOST;
	if (h->outcome == OUTCOME_OK) {
		free(h->why);
		h->why = NULL;
	}
	run_note_end(f, h);
	if (run_tries_again(f, h))
		fleet_output_drop(&c->output);
	else
		fleet_output_end(&c->output, f, h);
	run_after(f, h);
}

static void
run_check_ended(struct fleet *f, struct fleet_child *c)
{
	struct fleet_host *h = c->host;
	int64_t left = h->check_ends - now_ms(), ms;

	fleet_output_drop(&c->output);
	if (c->ended && c->how == XS_EXITED && c->status == 0) {
		h->passed = true;
		free(h->why);
		h->why = NULL;
		(void)fleet_journal_add(&f->journal, NULL, "passed %zu",
		    run_index(f, h));
		run_settle(f, h);
		return;
	}
	ms = run_back_off(h->attempts, CHECK_LEAST, CHECK_MOST);
	if (left > 0 && f->stop != STOP_HARD) {
		run_wait(f, h, ms < left ? ms : left);
		return;
	}
	h->outcome = OUTCOME_CHECK;
	run_note_end(f, h);
	run_settle(f, h);
}

/* --- what a process says --- */

/* The client's last words tell best what was wrong. */
static void
run_take_words(struct fleet_child *c, const char *line)
{
	static const char us[] = "skypty: ";
	long long status;
	int how;

	if (strcmp(line, "ready") == 0)
		c->ready = true;
	else if (sscanf(line, "ended %d %lld", &how, &status) == 2) {
		c->ended = true;
		c->how = (enum xs_how)how;
		c->status = status;
	} else if (strncmp(line, us, sizeof(us) - 1) == 0) {
		free(c->host->why);
		c->host->why = strdup(line + sizeof(us) - 1);
	}
}

static void
run_hear(struct fleet_child *c)
{
	char line[4096];
	const uint8_t *p, *end;
	size_t n;

	while (buf_read(&c->said, c->ctl, CHUNK) > 0)
		;
	while ((n = buf_len(&c->said)) != 0) {
		p = buf_ptr(&c->said);
		if ((end = memchr(p, '\n', n)) == NULL && buf_room(&c->said))
			return;
		n = end != NULL ? (size_t)(end - p) : n;
		snprintf(line, sizeof(line), "%.*s",
		    (int)(n < sizeof(line) ? n : sizeof(line) - 1), p);
		(void)buf_skip(&c->said, n + (end != NULL));
		run_take_words(c, line);
	}
}

static void
run_read(struct fleet *f, struct fleet_child *c, int which)
{
	static uint8_t chunk[CHUNK];
	ssize_t n;

	n = read(c->fd[which], chunk, sizeof(chunk));
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		close(c->fd[which]);
		c->fd[which] = -1;
	} else if (!c->checking)
		fleet_output_take(&c->output, f, c->host, which, chunk,
		    (size_t)n);
}

/* What a process has left when it ended is read to its end. */
static void
run_drain(struct fleet *f, struct fleet_child *c)
{
	struct pollfd p = { .events = POLLIN };

	run_hear(c);
	for (int i = 0; i < 2; i++)
		while ((p.fd = c->fd[i]) != -1 && poll(&p, 1, 0) == 1)
			run_read(f, c, i);
}

static void
run_free(struct fleet_child *c)
{
	for (int i = 0; i < 2; i++)
		if (c->fd[i] != -1)
			close(c->fd[i]);
	close(c->ctl);
	buf_free(&c->said);
	*c = (struct fleet_child){ .host = NULL };
}

static void
run_reap(struct fleet *f)
{
	for (size_t i = 0; i < f->o->fleet.jobs; i++) {
		struct fleet_child *c = &f->child[i];

		if (c->host == NULL ||
		    waitpid(c->pid, &c->wait_status, WNOHANG) != c->pid)
			continue;
		run_drain(f, c);
		f->running--;
		if (c->cut && !c->gone && !c->checking) {
			free(c->host->why);
			c->host->why = NULL;
			fleet_output_drop(&c->output);
			c->host->outcome = OUTCOME_LEFT;
			c->host->settled = true;
			f->open--;
		} else if (c->checking)
			run_check_ended(f, c);
		else
			run_command_ended(f, c);
		run_free(c);
	}
}

/* --- whose turn it is --- */

/* -1: there can be no process more, for now. */
static int
run_start(struct fleet *f, struct fleet_host *h, bool checking)
{
	struct fleet_child *c = f->child;

	while (c->host != NULL)
		c++;
	*c = (struct fleet_child){ .host = h,
		.checking = checking,
		.begun = now_ms() };
	c->deadline = c->begun + f->o->fleet.connect_ms;
	if (f->o->fleet.connect_ms == 0)
		c->deadline = INT64_MAX;
	if (fleet_output_begin(&c->output, f, checking ? NULL : h) == -1) {
		c->host = NULL;
		fleet_stop(f, "output cannot be written");
		return -1;
	}
	if (fleet_child_start(f, c) == -1) {
		fleet_say(f, "no process for %s: %s", h->label,
		    strerror(errno));
		fleet_output_drop(&c->output);
		c->host = NULL;
		return -1;
	}
	h->attempts++;
	f->running++;
	return 0;
}

/* Those that waited for another attempt, or for their check. */
static int
run_start_waiting(struct fleet *f, int64_t now)
{
	struct fleet_host **at = &f->waiting, *h;

	while ((h = *at) != NULL && f->running < f->o->fleet.jobs) {
		bool checking = h->check_ends != 0;

		if (h->due > now || (f->stop != STOP_NO && !checking)) {
			at = &h->next_waiting;
			continue;
		}
		if (run_start(f, h, checking) == -1)
			return -1;
		h->due = 0;
		*at = h->next_waiting;
	}
	return 0;
}

static int
run_start_next(struct fleet *f)
{
	size_t end = f->plan.end[f->batch];
	struct fleet_host *h;

	while (f->stop == STOP_NO && f->running < f->o->fleet.jobs &&
	    f->next < end) {
		h = &f->hosts.host[f->next];
		if (!h->settled && h->due == 0 && run_start(f, h, false) == -1)
			return -1;
		f->next++;
	}
	return 0;
}

/* Hosts that were to get another attempt do not, once the run stops. */
static void
run_give_up(struct fleet *f)
{
	struct fleet_host **at = &f->waiting, *h;

	while ((h = *at) != NULL) {
		if (h->check_ends != 0 && f->stop != STOP_HARD) {
			at = &h->next_waiting;
			continue;
		}
		*at = h->next_waiting;
		if (h->check_ends != 0)
			h->outcome = OUTCOME_CHECK;
		run_settle(f, h);
	}
}

static void
run_begin_batch(struct fleet *f)
{
	size_t begin = f->batch == 0 ? 0 : f->plan.end[f->batch - 1];

	f->next = begin;
	f->open = 0;
	for (size_t i = begin; i < f->plan.end[f->batch]; i++) {
		struct fleet_host *h = &f->hosts.host[i];

		if (h->settled)
			continue;
		f->open++;
		/* Its command is done, from an earlier run: the check is due.
		 */
		if (h->outcome == OUTCOME_OK)
			run_after(f, h);
	}
}

/* Whether there is nothing more to do. */
static bool
run_is_over(struct fleet *f)
{
	if (f->running != 0)
		return false;
	if (f->stop != STOP_NO)
		return f->stop == STOP_HARD || f->waiting == NULL;
	return f->open == 0 && f->batch + 1 == f->plan.nbatch;
}

static void
run_next_batch(struct fleet *f, int64_t now)
{
	if (f->open != 0 || f->stop != STOP_NO ||
	    f->batch + 1 == f->plan.nbatch)
		return;
	if (f->pause_until == 0 && f->o->fleet.pause_ms != 0 && f->done != 0)
		f->pause_until = now + f->o->fleet.pause_ms;
	if (f->pause_until > now)
		return;
	f->pause_until = 0;
	f->batch++;
	run_begin_batch(f);
	if (f->open != 0)
		fleet_say(f, "batch %zu of %zu: %zu hosts", f->batch + 1,
		    f->plan.nbatch, f->open);
}

static int64_t
run_fill(struct fleet *f)
{
	int64_t now = now_ms();

	do
		run_next_batch(f, now);
	while (f->open == 0 && f->pause_until == 0 && f->stop == STOP_NO &&
	    f->batch + 1 < f->plan.nbatch);
	if (run_start_waiting(f, now) == 0 && run_start_next(f) == 0)
		return WAIT_MS;
	/* One that ends makes room; without any there will be none. */
	if (f->running == 0)
		fleet_stop(f, "no process can be started here");
	return FORK_MS;
}

/* --- before a command leaves --- */

/* Who was killed begins nothing, even if it was ready just then. */
static bool
run_may_begin(const struct fleet_child *c)
{
	return c->host != NULL && c->ready && !c->gone && !c->cut && !c->late;
}

static void
run_commit(struct fleet *f)
{
	bool any = false, hold;

	for (size_t i = 0; i < f->o->fleet.jobs; i++) {
		struct fleet_child *c = &f->child[i];

		if (!run_may_begin(c))
			continue;
		any = true;
		if (!c->checking)
			(void)fleet_journal_add(&f->journal, NULL, "began %zu",
			    run_index(f, c->host));
	}
	hold = run_write_down(f) == -1;
	for (size_t i = 0; any && i < f->o->fleet.jobs; i++) {
		struct fleet_child *c = &f->child[i];

		if (!run_may_begin(c))
			continue;
		if (hold) {
			c->cut = true;
			(void)process_signal(c->pid, SIGKILL);
			continue;
		}
		c->gone = true;
		c->begun = now_ms();
		c->deadline = INT64_MAX;
		if (f->o->timeout_ms != 0 && !c->checking)
			c->deadline = c->begun + f->o->timeout_ms + GRACE_MS;
		if (c->checking)
			c->deadline = c->begun + WAIT_MS;
		else
			c->host->began = true;
		if (write(c->ctl, "g", 1) != 1)
			(void)process_signal(c->pid, SIGKILL);
	}
}

/* --- time and signals --- */

static int64_t
run_deadlines(struct fleet *f, int64_t wait)
{
	int64_t now = now_ms(), next = now + wait;

	for (size_t i = 0; i < f->o->fleet.jobs; i++) {
		struct fleet_child *c = &f->child[i];

		if (c->host == NULL)
			continue;
		/* It may have been in time, and we slow to hear of it. */
		if (c->deadline <= now && !c->gone)
			run_hear(c);
		if (run_may_begin(c))
			next = now;
		else if (c->deadline <= now && !c->late) {
			c->late = true;
			if (c->host->why == NULL && !c->gone)
				c->host->why = strdup("no connection in time "
						      "(--connect-timeout)");
			(void)process_signal(c->pid, SIGKILL);
		} else if (c->deadline < next && !c->late)
			next = c->deadline;
	}
	for (struct fleet_host *h = f->waiting; h != NULL; h = h->next_waiting)
		if (h->due < next && f->running < f->o->fleet.jobs)
			next = h->due;
	if (f->pause_until != 0 && f->pause_until < next)
		next = f->pause_until;
	if (f->terminal && next > now + 1000)
		next = now + 1000;
	return next > now ? next - now : 0;
}

static void
run_interrupts(struct fleet *f)
{
	if (caught.interrupts == 0 && caught.hangups == 0)
		return;
	if (caught.interrupts >= 2 || caught.hangups != 0) {
		if (f->stop != STOP_HARD)
			fleet_say(f, "ended at once");
		f->stop = STOP_HARD;
		f->stopped = "interrupted";
		for (size_t i = 0; i < f->o->fleet.jobs; i++)
			if (f->child[i].host != NULL && !f->child[i].cut) {
				f->child[i].cut = true;
				(void)process_signal(f->child[i].pid, SIGKILL);
			}
	} else if (f->stopped == NULL || f->stop == STOP_NO) {
		fleet_stop(f, "interrupted");
		fleet_say(f,
		    "no new hosts; %zu are running: once more ends them at "
		    "once",
		    f->running);
	}
}

/* --- the loop --- */

static void
run_poll(struct fleet *f, struct pollfd *p, int64_t wait, const sigset_t *open)
{
	struct timespec ts = { .tv_sec = wait / 1000,
		.tv_nsec = wait % 1000 * 1000000 };
	size_t n = 0, at = 0;

	for (size_t i = 0; i < f->o->fleet.jobs; i++) {
		const struct fleet_child *c = &f->child[i];
		bool in = c->host != NULL;

		p[n++] = (struct pollfd){ in ? c->ctl : -1, POLLIN, 0 };
		p[n++] = (struct pollfd){ in ? c->fd[0] : -1, POLLIN, 0 };
		p[n++] = (struct pollfd){ in ? c->fd[1] : -1, POLLIN, 0 };
	}
	if (ppoll(p, n, &ts, open) <= 0)
		return;
	for (size_t i = 0; i < f->o->fleet.jobs; i++, at += 3) {
		struct fleet_child *c = &f->child[i];

		if (p[at].revents & POLLIN)
			run_hear(c);
		for (int k = 0; k < 2; k++)
			if (p[at + 1 + (size_t)k].revents != 0)
				run_read(f, c, k);
	}
}

static int
run_status(const struct fleet *f)
{
	bool failed = false;

	for (size_t i = 0; i < f->hosts.n; i++) {
		if (f->hosts.host[i].outcome == OUTCOME_LEFT)
			return FLEET_STOPPED;
		failed = failed || fleet_host_failed(&f->hosts.host[i]);
	}
	return f->stop == STOP_HARD ? FLEET_STOPPED : failed ? EXIT_LOCAL : 0;
}

static void
run_loop(struct fleet *f, struct pollfd *p, const sigset_t *open)
{
	int64_t wait;

	run_begin_batch(f);
	while (!run_is_over(f)) {
		wait = run_fill(f);
		if (f->stop != STOP_NO)
			run_give_up(f);
		fleet_draw(f, false);
		if (!run_is_over(f))
			run_poll(f, p, run_deadlines(f, wait), open);
		run_interrupts(f);
		run_commit(f);
		run_reap(f);
	}
}

int
fleet_run(struct fleet *f)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGCHLD, 0 };
	struct pollfd *p = calloc(3 * (size_t)f->o->fleet.jobs, sizeof(*p));
	sigset_t open;
	int status;

	f->child = calloc((size_t)f->o->fleet.jobs + 1, sizeof(*f->child));
	if (p == NULL || f->child == NULL) {
		complain("out of memory");
		return EXIT_FAILED;
	}
	f->started = now_ms();
	signal(SIGCHLD, SIG_DFL);
	signals_catch(signals, run_on_signal, &open);
	run_loop(f, p, &open);
	fleet_clear(f);
	status = run_status(f);
	(void)fleet_journal_add(&f->journal, NULL, "over %s",
	    status == FLEET_STOPPED ? "stopped" : "done");
	(void)run_write_down(f);
	free(f->child);
	free(p);
	return status;
}
