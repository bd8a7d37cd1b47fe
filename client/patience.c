/* SPDX-License-Identifier: ISC */
/*
 * How long a host is waited for.  The time that counts is time in which we
 * would have read: not while we were stopped, nor while whoever takes our
 * output keeps us from it.
 */
#include "client/patience.h"
#include "client/complain.h"
#include "client/conn.h"
#include "client/exits.h"
#include "client/forward/forward_cmd.h"
#include "client/term.h"

#include <poll.h>
#include <signal.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/tcp.h"

#define POLLED_MAX 8
#define WAIT_MS	   5000	 /* at most, for one wait */
#define SLEPT_MS   10000 /* a longer one was none of ours: we were stopped */
#define GRACE_MS   10000 /* for the way, beyond a command's time */

/*
 * Output that was on its way when a command's time was over may come, slowly;
 * not more of it than lies in buffers, and no slower than this.
 */
#define LATE_MAX    (8U * 1024 * 1024)
#define LATE_PER_MS 2
/* What has sent so much since then goes on sending. */
#define FLOOD (8 * LATE_MAX)

static void
patience_pass(struct conn *c)
{
	struct patience *p = &c->patience;
	int64_t now = now_ms(), gone = now - p->seen;

	p->seen = now;
	if (c->hold)
		return;
	if (gone <= SLEPT_MS) {
		p->time += gone;
		return;
	}
	p->slept = true;
	p->heard = p->time;
}

void
patience_begin(struct conn *c)
{
	c->patience = (struct patience){ .seen = now_ms() };
	c->seconds = c->link.plain ? 0 : tcp_keep_alive_seconds(c->fd);
}

/* What TCP knows of the other machine; it goes on while we are stopped. */
static int
patience_look_after(struct conn *c)
{
	struct patience *p = &c->patience;

	if (c->seconds == 0 || c->eof || p->seen < p->next_look)
		return 0;
	p->next_look = p->seen + WAIT_MS;
	if (tcp_ask_peer(c->fd, c->seconds) != TCP_PEER_DEAD)
		return 0;
	complain("the host does not answer any more");
	return EXIT_FAILED;
}

/* term_poll(), which also tells of forwards that others wait for. */
static int
patience_poll(struct conn *c, struct pollfd *p, size_t n,
    const struct timespec *ts, const sigset_t *open)
{
	struct pollfd all[POLLED_MAX];
	int r;

	if (c->held == NULL || c->held->epoll == -1 || n >= POLLED_MAX)
		return term_poll(p, n, ts, open);
	memcpy(all, p, n * sizeof(*p));
	all[n] = (struct pollfd){ .fd = c->held->epoll, .events = POLLIN };
	r = term_poll(all, n + 1, ts, open);
	memcpy(p, all, n * sizeof(*p));
	if (r != -1 && all[n].revents != 0)
		(void)forward_news(c->held);
	return r;
}

int
conn_wait(struct conn *c, struct pollfd *p, size_t n, int64_t ms,
    const sigset_t *open)
{
	struct timespec ts;
	sigset_t same;

	if (open == NULL) {
		sigprocmask(SIG_SETMASK, NULL, &same);
		open = &same;
	}
	if (ms < 0 || ms > WAIT_MS)
		ms = WAIT_MS;
	/* An end that is not to be read yet would be told again and again. */
	for (size_t i = 0; i < n; i++)
		if (p[i].fd == c->fd && p[i].events == 0)
			p[i].fd = -1;
	ts = (struct timespec){ .tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000 };
	patience_pass(c);
	if (patience_poll(c, p, n, &ts, open) == -1)
		return EXIT_FAILED;
	patience_pass(c);
	for (size_t i = 0; i < n; i++)
		if (p[i].fd != -1 && p[i].fd == c->fd && p[i].revents != 0)
			c->patience.heard = c->patience.time;
	return patience_look_after(c);
}

int64_t
conn_time(const struct conn *c)
{
	return c->patience.time;
}

bool
conn_slept(struct conn *c)
{
	bool slept = c->patience.slept;

	c->patience.slept = false;
	return slept;
}

int
conn_check_silence(const struct conn *c, int64_t ms)
{
	if (c->patience.time - c->patience.heard <= ms)
		return 0;
	complain("the host has not answered for %lld seconds",
	    (long long)ms / 1000);
	return EXIT_FAILED;
}

/* --- a command's time --- */

void
limit_begin(struct limit *l, const struct conn *c, int64_t ms)
{
	int64_t unsent = (int64_t)conn_unsent(c);

	*l = (struct limit){ .ms = ms,
		.sent_by = conn_time(c) + unsent / LATE_PER_MS };
}

bool
limit_passed(struct limit *l, const struct conn *c)
{
	int64_t now = conn_time(c);
	uint64_t late;

	if (l->ms == 0)
		return false;
	/* The host begins to count when it has got what to do. */
	if (!l->begun) {
		l->begun = conn_unsent(c) == 0 || now >= l->sent_by;
		l->ends = now + l->ms;
	}
	if (now < l->ends)
		l->received = c->received;
	late = c->received - l->received;
	if (late > FLOOD)
		late = 0;
	else if (late > LATE_MAX)
		late = LATE_MAX;
	return now > l->ends + GRACE_MS + (int64_t)(late / LATE_PER_MS);
}

int
limit_tell(void)
{
	complain("the host has not told the command's end, %lld seconds after "
		 "its time limit; it may be running still",
	    (long long)GRACE_MS / 1000);
	return EXIT_TIMEOUT;
}
