/* SPDX-License-Identifier: ISC */
/*
 * The process that holds a session with a dmsg server.  A key has one session
 * with a server and no more, so whoever uses the key on this machine comes here
 * for his streams, by a socket that only his user can reach.  It has no secret
 * key: requests come signed, and what a stream carries is sealed.
 */
#include "client/dmsg/dmsg.h"
#include "client/place.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/unix.h"
#include "common/dmsg/dmsg_session.h"

#define GUESTS_MAX 64		    /* with a stream */
#define PLACES_MAX (GUESTS_MAX + 8) /* and who asks, or is refused */
#define OBJECT_MAX 4096		    /* a request, signed */
#define CHUNK	   (64U * 1024)
#define PING_MS	   30000
#define ASK_MS	   10000 /* for a guest's request */
#define ANSWER_MS  15000 /* for anything to be heard behind a ping */
#define LOST_MS	   30000 /* without progress for somebody who has gone */
#define TICK_MS	   1000

/* Who wants a stream, or has one. */
struct holder_guest {
	int sock; /* -1 is a free place */
	struct dmsg_stream *stream;
	struct buf in;	/* u16 length and request */
	struct buf out; /* u16 length and answer, or a reason */
	bool answered;
	bool over; /* nothing more comes from the stream */
	bool gone; /* whoever had the other end; what it said still leaves */
	int64_t progress_ms;
};

struct holder {
	struct dmsg_link *l;
	struct place *place;
	int listener;
	int lingers_ms;
	bool lost;	      /* the session is over */
	bool heard;	      /* something, since the last ping */
	int64_t heard_by;     /* or the session is over; 0: no ping is out */
	uint64_t before_ping; /* bytes of the session in front of it */
	uint64_t taken;	      /* by the server, when that was looked at */
	int64_t next_ping, idle_since;
	size_t owed; /* to the server, by nobody who is still here: the least */
	int64_t owed_since;
	struct holder_guest guest[PLACES_MAX];
};

/* --- coming and going --- */

static void
holder_leave(struct holder_guest *g)
{
	if (g->stream != NULL)
		dmsg_stream_close(g->stream);
	close(g->sock);
	buf_free(&g->in);
	buf_free(&g->out);
	memset(g, 0, sizeof(*g));
	g->sock = -1;
}

static struct holder_guest *
holder_free_place(struct holder *h)
{
	for (size_t i = 0; i < PLACES_MAX; i++)
		if (h->guest[i].sock == -1)
			return &h->guest[i];
	return NULL;
}

static bool
holder_is_empty(const struct holder *h)
{
	for (size_t i = 0; i < PLACES_MAX; i++)
		if (h->guest[i].sock != -1)
			return false;
	return true;
}

static void
holder_seat(struct holder_guest *g, int fd)
{
	g->sock = fd;
	g->progress_ms = now_ms();
	buf_init(&g->in, 2 + OBJECT_MAX);
	buf_init(&g->out, 2 + UINT16_MAX);
}

/* False when there is nobody in line, or no place. */
static bool
holder_accept(struct holder *h)
{
	struct holder_guest *g = holder_free_place(h);
	int fd;

	if (g == NULL)
		return false;
	fd = accept4(h->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd == -1)
		return false;
	if (!unix_is_ours(fd)) {
		close(fd);
		return true;
	}
	holder_seat(g, fd);
	return true;
}

/* --- its stream --- */

/* A length of 0 and why there is no stream. */
static void
holder_refuse(struct holder_guest *g, enum holder_reason why)
{
	g->answered = g->over = true;
	(void)buf_put_u16(&g->out, 0);
	(void)buf_put_u8(&g->out, (uint8_t)why);
}

/* The request, all of it at first; false when there cannot be one. */
static bool
holder_ask(struct holder *h, struct holder_guest *g)
{
	struct buf object;
	size_t streams = 0;
	uint16_t len;
	ssize_t r = buf_read(&g->in, g->sock, OBJECT_MAX);

	if (r == SKY_ERR_AGAIN)
		return true;
	if (r < 0 || buf_len(&g->in) < 2)
		return r > 0;
	len = (uint16_t)(buf_ptr(&g->in)[0] << 8 | buf_ptr(&g->in)[1]);
	if (len > OBJECT_MAX || buf_len(&g->in) > 2U + len)
		return false;
	if (buf_len(&g->in) < 2U + len)
		return true;
	buf_view(&object, buf_ptr(&g->in) + 2, len);
	for (size_t i = 0; i < PLACES_MAX; i++)
		streams += h->guest[i].sock != -1 && h->guest[i].stream != NULL;
	if (!h->lost && streams < GUESTS_MAX)
		g->stream =
		    dmsg_session_dial(h->l->dmsg, now_ms() / 1000, &object);
	if (g->stream != NULL)
		dmsg_stream_set_arg(g->stream, g);
	else
		holder_refuse(g, h->lost ? HOLDER_LOST : HOLDER_BUSY);
	buf_free(&g->in);
	return true;
}

static void
holder_take_events(struct holder *h)
{
	struct dmsg_event ev;
	struct holder_guest *g;

	while (dmsg_session_event(h->l->dmsg, &ev)) {
		if ((g = dmsg_stream_arg(ev.stream)) == NULL)
			dmsg_stream_close(ev.stream); /* nobody is served */
		else if (ev.what == DMSG_ANSWER) {
			g->answered = true;
			if (buf_put_u16(&g->out,
				(uint16_t)buf_len(&ev.object)) != 0 ||
			    buf_put(&g->out, buf_ptr(&ev.object),
				buf_len(&ev.object)) != 0)
				g->over = true;
		} else if (ev.what == DMSG_END && !g->answered)
			holder_refuse(g, HOLDER_UNREACHABLE);
		else if (ev.what == DMSG_END)
			g->over = true;
	}
}

/* From the stream to the socket; false at the end. */
static bool
holder_push(struct holder_guest *g)
{
	const struct buf *in;
	ssize_t n;

	while (buf_len(&g->out) != 0) {
		n = buf_write(&g->out, g->sock);
		if (n == SKY_ERR_AGAIN)
			return true;
		if (n <= 0)
			return false;
	}
	if (g->stream == NULL)
		return !g->over;
	while (buf_len(in = dmsg_stream_in(g->stream)) > 0) {
		n = write(g->sock, buf_ptr(in), buf_len(in));
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (n <= 0 || dmsg_stream_consume(g->stream, (size_t)n) != 0)
			return false;
		g->progress_ms = now_ms();
	}
	return !g->over && !dmsg_stream_eof(g->stream);
}

/* From the socket to the stream, as much as it takes. */
static bool
holder_pull(struct holder_guest *g)
{
	uint8_t chunk[CHUNK];
	size_t room = dmsg_stream_room(g->stream);
	ssize_t n;

	if (room == 0)
		return true;
	n = read(g->sock, chunk, room < sizeof(chunk) ? room : sizeof(chunk));
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return true;
	g->progress_ms = now_ms();
	return n > 0 && dmsg_stream_write(g->stream, chunk, (size_t)n) == n;
}

/* --- the loop --- */

static bool
holder_wants(const struct holder_guest *g)
{
	if (g->stream == NULL)
		return !g->over;
	return g->answered && !g->over && dmsg_stream_room(g->stream) > 0;
}

static bool
holder_is_late(const struct holder_guest *g, int64_t now)
{
	if (g->stream == NULL && !g->answered)
		return now - g->progress_ms > ASK_MS;
	/* One that is there and stands still gets the rest when it goes on. */
	return g->gone && now - g->progress_ms > LOST_MS;
}

/* False when the guest has to go. */
static bool
holder_serve(struct holder *h, struct holder_guest *g, short revents)
{
	if ((revents & POLLHUP) && !g->gone) {
		g->gone = true;
		g->progress_ms = now_ms();
	}
	if (holder_is_late(g, now_ms()))
		return false;
	if (!(revents & (POLLIN | POLLHUP)))
		return true;
	if (g->stream == NULL)
		return !g->answered && holder_ask(h, g);
	return !holder_wants(g) ? !(revents & POLLHUP) || g->answered :
				  holder_pull(g);
}

/*
 * What is on the way to a guest still arrives.  Others do not wait for that:
 * they begin another session, and whoever is in line here is told.
 */
static void
holder_lose(struct holder *h)
{
	h->lost = true;
	for (size_t i = 0; i < PLACES_MAX; i++) {
		struct holder_guest *g = &h->guest[i];

		if (g->sock == -1)
			continue;
		if (!g->answered)
			holder_refuse(g, HOLDER_LOST);
		g->over = true;
	}
	place_leave(h->place);
	while (holder_accept(h))
		;
	close(h->listener);
	h->listener = -1;
	close(h->l->fd);
	h->l->fd = -1;
}

/*
 * Behind what has come: after a stop, an answer that lies there is heard before
 * its time is found to be over.  A ping cannot be answered before it is there:
 * for as long as the server takes what lies in front of it, more time is given.
 */
static void
holder_ping(struct holder *h)
{
	int64_t now = now_ms();
	uint64_t before;

	if (h->heard)
		h->heard_by = 0;
	if (h->lost || (h->heard_by == 0 && now < h->next_ping))
		return;
	if (h->heard_by != 0 && now < h->heard_by)
		return;
	before = h->taken;
	h->taken = dmsg_link_taken(h->l);
	if (h->heard_by == 0 &&
	    dmsg_session_tick(h->l->dmsg, now / 1000) != SKY_ERR_AGAIN)
		h->before_ping = h->l->sent + buf_len(&h->l->out);
	else if (before >= h->before_ping || before >= h->taken) {
		holder_lose(h);
		return;
	}
	h->heard = false;
	h->heard_by = now + ANSWER_MS;
	h->next_ping = now + PING_MS;
}

enum { P_LINK, P_LISTENER, P_GUESTS };

/* Somebody's time is running, or until the next ping, if there is one. */
static int
holder_timeout(const struct holder *h)
{
	int64_t next = h->heard_by != 0 ? h->heard_by : h->next_ping;
	int64_t left = next - now_ms();
	bool soon = holder_is_empty(h);

	if (h->lost)
		return TICK_MS;
	for (size_t i = 0; i < PLACES_MAX; i++) {
		const struct holder_guest *g = &h->guest[i];

		soon = soon || (g->sock != -1 && (g->gone || !g->answered));
	}
	if (soon && left > TICK_MS)
		left = TICK_MS;
	return left > 0 ? (int)left : 0;
}

static void
holder_wait(struct holder *h, struct pollfd *p)
{
	bool room = holder_free_place(h) != NULL;

	p[P_LINK] = (struct pollfd){ .fd = h->lost ? -1 : h->l->fd,
		.events = h->lost ? 0 : dmsg_link_events(h->l) };
	p[P_LISTENER] =
	    (struct pollfd){ .fd = room && !h->lost ? h->listener : -1,
		    .events = POLLIN };
	for (size_t i = 0; i < PLACES_MAX; i++) {
		const struct holder_guest *g = &h->guest[i];
		struct pollfd *its = &p[P_GUESTS + i];

		*its = (struct pollfd){ .fd = g->sock };
		if (holder_wants(g))
			its->events |= POLLIN;
		if (buf_len(&g->out) != 0 ||
		    (g->stream != NULL &&
			buf_len(dmsg_stream_in(g->stream)) > 0))
			its->events |= POLLOUT;
		/* A hang-up is always told: it would keep us busy. */
		if (g->gone && !(its->events & POLLIN))
			its->fd = -1;
	}
	if (poll(p, P_GUESTS + PLACES_MAX, holder_timeout(h)) == -1)
		for (size_t i = 0; i < P_GUESTS + PLACES_MAX; i++)
			p[i].revents = 0;
}

static void
holder_step(struct holder *h)
{
	struct pollfd p[P_GUESTS + PLACES_MAX];
	struct holder_guest *g;

	holder_wait(h, p);
	for (size_t i = 0; i < PLACES_MAX; i++) {
		g = &h->guest[i];
		if (g->sock != -1 &&
		    !holder_serve(h, g, p[P_GUESTS + i].revents))
			holder_leave(g);
	}
	if (!h->lost && dmsg_link_pump(h->l, p[P_LINK].revents) != 0)
		holder_lose(h);
	h->heard = h->heard || (p[P_LINK].revents & POLLIN) != 0;
	holder_ping(h);
	holder_take_events(h);
	for (size_t i = 0; i < PLACES_MAX; i++)
		if (h->guest[i].sock != -1 && !holder_push(&h->guest[i]))
			holder_leave(&h->guest[i]);
	if (!h->lost && (p[P_LISTENER].revents & POLLIN))
		(void)holder_accept(h);
}

/*
 * False when its time is over: not before the server has got what guests left
 * who have gone, if it gets on with that.
 */
static bool
holder_stays(struct holder *h)
{
	size_t owed;

	if (!holder_is_empty(h)) {
		h->idle_since = now_ms();
		h->owed = SIZE_MAX;
		return true;
	}
	if (h->lost)
		return false;
	if ((owed = dmsg_link_unsent(h->l)) < h->owed) {
		h->owed = owed;
		h->owed_since = now_ms();
	}
	return (owed != 0 && now_ms() - h->owed_since < LOST_MS) ||
	    now_ms() - h->idle_since < h->lingers_ms;
}

void
holder_run(struct dmsg_link *l, struct place *place, int listener, int guest,
    int lingers_ms)
{
	static struct holder h;

	h.l = l;
	h.place = place;
	h.listener = listener;
	h.lingers_ms = lingers_ms;
	h.next_ping = now_ms() + PING_MS;
	h.idle_since = now_ms();
	h.owed = SIZE_MAX;
	for (size_t i = 0; i < PLACES_MAX; i++)
		h.guest[i].sock = -1;
	if (guest != -1)
		holder_seat(&h.guest[0], guest);
	do
		holder_step(&h);
	while (holder_stays(&h));
	/* Whoever is in line comes again, and makes the next session. */
	if (h.listener != -1)
		close(h.listener);
}
