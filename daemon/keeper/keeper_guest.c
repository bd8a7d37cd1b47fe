/* SPDX-License-Identifier: ISC */
/* Who is attached to a session.  See PROTOCOL. */
#include "daemon/keeper/keeper_guest.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/pty/exec_stream.h"
#include "daemon/keeper/keeper_session.h"

#define IN_FRAME_MAX JOB_OUTPUT_MAX
#define IN_MAX	     (XS_HEAD_LEN + IN_FRAME_MAX)
#define OUT_HIGH     (256U * 1024) /* that one may be behind */
/* A screen, its frames' heads, what was there before, and last words. */
#define OUT_MAX	   (2 * KSCREEN_DRAW_MAX + OUT_HIGH)
#define KEEP_MS	   (XS_KEEPALIVE_S * 1000)
#define HOLD_MS	   10000 /* for one that takes nothing */
#define TAKEN_OVER "another terminal has taken it over"

void
guest_init(struct guest *g, int fd)
{
	memset(g, 0, sizeof(*g));
	g->fd = fd;
	g->sent_ms = g->moved_ms = now_ms();
	buf_init(&g->in, IN_MAX);
	buf_init(&g->out, OUT_MAX);
}

void
guest_close(struct guest *g)
{
	if (g->fd != -1)
		close(g->fd);
	g->fd = -1;
	g->attached = false;
	buf_free(&g->in);
	buf_free(&g->out);
}

/* --- what it is told --- */

/* One that cannot be told is left alone. */
static void
guest_put(struct guest *g, int tag, const void *text, size_t n)
{
	if (xs_put_frame(&g->out, (enum xs_tag)tag, text, n) != 0)
		g->closing = true;
	g->sent_ms = now_ms();
}

static void
guest_leave(struct guest *g, int tag, const char *why)
{
	guest_put(g, tag, why, strlen(why));
	g->closing = true;
	g->attached = false;
}

void
guest_fail(struct guest *g, const char *why)
{
	guest_leave(g, XS_FAILED, why);
}

static void
guest_put_entry(struct session *s, struct guest *g, bool made)
{
	struct sess_entry e;
	struct buf b;

	session_describe(s, &e);
	e.flags = made ? SESS_MADE : 0;
	buf_init(&b, SESS_ENTRY_MAX);
	if (sessmsg_put_entry(&b, &e) == 0)
		guest_put(g, SESS_ENTRY, buf_ptr(&b), buf_len(&b));
	else
		g->closing = true;
	buf_free(&b);
}

static void
guest_put_frames(struct guest *g, const uint8_t *p, size_t n)
{
	size_t len;

	for (; n > 0; p += len, n -= len) {
		len = n < JOB_OUTPUT_MAX ? n : JOB_OUTPUT_MAX;
		guest_put(g, XS_STDOUT, p, len);
	}
}

void
guest_put_output(struct guest *g, const uint8_t *p, size_t n)
{
	if (!g->attached || g->stale || g->behind)
		return;
	if (buf_len(&g->out) + n > OUT_HIGH + JOB_OUTPUT_MAX)
		g->behind = true;
	else
		guest_put_frames(g, p, n);
}

bool
guest_holds_back(struct guest *g, int64_t now)
{
	if (!g->attached || g->behind || buf_len(&g->out) < OUT_HIGH)
		return false;
	if (g->types && now - g->moved_ms < HOLD_MS)
		return true;
	g->behind = true;
	return false;
}

/* What is not whole is made so by who runs there, if told of another size. */
static void
guest_draw(struct session *s, struct guest *g)
{
	struct buf b;

	buf_init(&b, 2 * KSCREEN_DRAW_MAX);
	if (kscreen_draw(s->screen, &b) == 0)
		guest_put_frames(g, buf_ptr(&b), buf_len(&b));
	else
		guest_fail(g, "no memory for its screen");
	buf_free(&b);
	g->stale = g->behind = false;
	g->late = kscreen_is_other(s->screen);
	if (!kscreen_is_whole())
		session_resize(s, &s->size, true);
}

void
guest_tell(struct session *s, struct guest *g, int64_t now)
{
	if (g->closing)
		return;
	if (g->behind && buf_len(&g->out) == 0)
		g->stale = true;
	if (g->attached && g->stale && buf_len(&g->out) < OUT_HIGH)
		guest_draw(s, g);
	if (!g->closing && now - g->sent_ms >= KEEP_MS)
		guest_put(g, XS_KEEPALIVE, NULL, 0);
}

void
guest_end(struct session *s, struct guest *g)
{
	const struct job_entry *e = &s->store.entry;
	struct buf b;

	if (g->fd == -1 || g->closing)
		return;
	if (!g->attached) {
		guest_put(g, JOB_DONE, NULL, 0);
	} else {
		buf_init(&b, 16);
		if (xs_put_exit(&b,
			&(struct xs_exit){ .how = (enum xs_how)e->how,
			    .status = e->status,
			    .duration_ms = e->duration_ms }) == 0)
			guest_put(g, XS_EXIT, buf_ptr(&b), buf_len(&b));
		buf_free(&b);
	}
	g->closing = true;
}

/* --- what it says --- */

/* Those who have typed so far type no more. */
static void
guest_take_over(struct session *s, const struct guest *g)
{
	for (size_t i = 0; i < GUESTS_MAX; i++) {
		struct guest *other = &s->guest[i];

		if (other == g || !other->attached || !other->types)
			continue;
		/* What it has not read is for nobody now. */
		buf_reset(&other->out);
		guest_leave(other, SESS_LEFT, TAKEN_OVER);
	}
}

void
guest_welcome(struct session *s, struct guest *g, bool made)
{
	g->attached = g->types = true;
	s->told = false;
	guest_put_entry(s, g, made);
}

static void
guest_join(struct session *s, struct guest *g, struct buf *payload)
{
	struct sess_join j;
	int r;

	if (g->attached || (r = sessmsg_get_join(payload, &j)) != 0) {
		guest_fail(g, "a malformed request");
		return;
	}
	if (s->exited) {
		guest_fail(g, "it has just ended");
		return;
	}
	g->attached = g->stale = true;
	g->types = (j.flags & SESS_VIEW) == 0;
	s->told = false;
	if (j.flags == 0)
		guest_take_over(s, g);
	if (g->types)
		session_resize(s, &j.size, false);
	guest_put_entry(s, g, false);
}

static void
guest_kill(struct session *s, struct guest *g, struct buf *payload)
{
	char which[SESS_WHICH_MAX + 1];
	const char *why;
	int number;

	if (sessmsg_get_kill(payload, which, &number) != 0)
		why = "no signal of that name can be sent";
	else
		why = session_signal(s, number);
	if (why != NULL)
		guest_fail(g, why);
	else
		g->waits = true;
}

static void
guest_size(struct session *s, struct guest *g, struct buf *payload)
{
	uint16_t v[4];

	for (size_t i = 0; i < 4; i++)
		if (buf_get_u16(payload, &v[i]) != 0) {
			guest_fail(g, "a malformed size");
			return;
		}
	if (g->types)
		session_resize(s,
		    &(struct rpc_winsize){ .rows = v[0],
			.cols = v[1],
			.x = v[2],
			.y = v[3] },
		    false);
}

static void
guest_take(struct session *s, struct guest *g, uint8_t tag, struct buf *payload)
{
	switch (tag) {
	case XS_KEEPALIVE:
		return;
	case SESS_JOIN:
		guest_join(s, g, payload);
		return;
	case JOB_KILL:
		guest_kill(s, g, payload);
		return;
	}
	if (!g->attached)
		guest_fail(g, "that cannot be asked of a session");
	else if (tag == XS_STDIN && g->types)
		(void)buf_put(&s->typed, buf_ptr(payload), buf_len(payload));
	else if (tag == XS_RESIZE)
		guest_size(s, g, payload);
	else if (tag != XS_STDIN)
		guest_fail(g, "that cannot be asked of a session");
}

/* A frame that the terminal has no room for stays. */
static bool
guest_has_room(const struct session *s, const struct guest *g)
{
	return !g->types || buf_room(&s->typed) >= IN_FRAME_MAX;
}

void
guest_hear(struct session *s, struct guest *g)
{
	struct buf payload;
	uint8_t tag;
	int r = 0;

	while (!g->closing && guest_has_room(s, g) &&
	    (r = xs_get_frame(&g->in, IN_FRAME_MAX, &tag, &payload)) == 1)
		guest_take(s, g, tag, &payload);
	if (r < 0)
		guest_fail(g, "a request that is too long");
}

bool
guest_read(struct session *s, struct guest *g)
{
	ssize_t r = buf_read(&g->in, g->fd, IN_MAX);

	if (r > 0)
		guest_hear(s, g);
	if (g->closing)
		buf_reset(&g->in);
	return r > 0 || r == SKY_ERR_AGAIN || r == SKY_ERR_LIMIT;
}

bool
guest_write(struct guest *g, int64_t now)
{
	ssize_t r;

	while ((r = buf_write(&g->out, g->fd)) > 0)
		g->moved_ms = now;
	if (r < 0 && r != SKY_ERR_AGAIN)
		return false;
	return !g->closing || buf_len(&g->out) != 0;
}

short
guest_events(const struct session *s, const struct guest *g)
{
	bool hears = buf_room(&g->in) != 0 && guest_has_room(s, g);

	return (short)((hears ? POLLIN : 0) |
	    (buf_len(&g->out) != 0 ? POLLOUT : 0));
}
