/* SPDX-License-Identifier: ISC */
/*
 * skypty/1/channels: behind it the connection is yamux, and each stream of that
 * is a channel with a service of its own.  A stream is read as far as its
 * service goes on with its input, and no further: what stands still, stands
 * still alone.
 */
#include "daemon/net/net_channels.h"

#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/pty/mux.h"
#include "common/pty/yamux.h"
#include "daemon/net/net_mon.h"
#include "daemon/net/net_opened.h"
#include "daemon/net/net_request.h"
#include "daemon/net/net_service.h"

#define AGE_S	 30 /* between looks for streams that nobody ends */
#define INFLIGHT 256
#define UNREAD	 (64U * 1024 * 1024) /* of all streams, in yamux */

struct net_stream {
	struct channel ch;
	struct buf in, out;
	bool opened; /* yamux has it, or had it */
	bool ended;  /* the service has heard of the peer's end */
	bool gone;   /* reset, by the peer or for what it holds */
	bool moved;  /* in this turn */
	bool shut;   /* our own end is told */
	size_t held; /* bytes of it that wait here */
	TAILQ_ENTRY(net_stream) all;
};

struct net_channels {
	struct channel *ch; /* the connection's own */
	struct yamux *y;
	TAILQ_HEAD(, net_stream) all;
	size_t n;
	size_t held;   /* by all of them */
	uint16_t last; /* number that was given */
	struct event *age;
};

/* --- begin and end of one --- */

static struct net_stream *
net_channels_find(const struct net_channels *c, uint16_t number)
{
	struct net_stream *s;

	for (s = TAILQ_FIRST(&c->all); s != NULL; s = TAILQ_NEXT(s, all))
		if (s->ch.number == number)
			return s;
	return NULL;
}

/* The monitor may owe an answer to a number that was used before. */
static uint16_t
net_channels_number(struct net_channels *c)
{
	do
		c->last++;
	while (c->last == 0 || net_channels_find(c, c->last) != NULL);
	return c->last;
}

static struct net_stream *
net_stream_new(struct net_channels *c)
{
	struct net_stream *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	net_link_buffers(&s->in, &s->out);
	if (channel_init(&s->ch, c->ch->peer, &s->in, &s->out) != 0) {
		free(s);
		return NULL;
	}
	s->ch.number = net_channels_number(c);
	TAILQ_INSERT_TAIL(&c->all, s, all);
	c->n++;
	return s;
}

static void
net_stream_free(struct net_channels *c, struct net_stream *s)
{
	channel_free(&s->ch);
	if (s->ch.stream != NULL)
		yamux_close(s->ch.stream);
	buf_free(&s->in);
	buf_free(&s->out);
	TAILQ_REMOVE(&c->all, s, all);
	c->held -= s->held;
	c->n--;
	free(s);
}

static void
net_channels_accept(struct net_channels *c, struct yamux_stream *y)
{
	struct net_stream *s;

	if (c->n >= NET_CHANNELS_MAX) {
		yamux_kill(y);
		yamux_close(y);
		return;
	}
	if ((s = net_stream_new(c)) == NULL)
		channel_fatal(c->ch, "out of memory");
	s->ch.stream = y;
	s->opened = true;
	yamux_set_arg(y, s);
	channel_timer(&s->ch, NET_MUX_TIMEOUT);
}

/* --- a turn of one --- */

static void
net_stream_request(struct net_stream *s)
{
	struct channel *ch = &s->ch;
	struct buf uri, name;

	if (mux_get_request(ch->in, &uri) == 0)
		return;
	channel_timer(ch, 0);
	if (mux_get_user(&uri, &name) == 0)
		net_request_open(ch, &uri);
	else
		channel_reject(ch,
		    "a user is asked for in front of " MUX_URI_CHANNELS);
}

/* What has come, if the service goes on with it. */
static void
net_stream_take(struct net_stream *s)
{
	struct channel *ch = &s->ch;
	const struct buf *in;
	size_t n;

	if (ch->stream == NULL || (ch->service != NULL && !channel_ready(ch)))
		return;
	in = yamux_in(ch->stream);
	if ((n = buf_len(in)) > buf_room(ch->in))
		n = buf_room(ch->in);
	if (n == 0)
		return;
	if (buf_put(ch->in, buf_ptr(in), n) != 0)
		channel_fatal(ch, "out of memory");
	yamux_consume(ch->stream, n);
	s->moved = true;
}

/* Behind its last bytes; who is not listened to has left all the same. */
static void
net_stream_eof(struct net_stream *s)
{
	struct channel *ch = &s->ch;
	bool hears = ch->service != NULL && ch->service->ops->eof != NULL;

	if (s->ended || ch->stream == NULL || ch->stage == CHANNEL_ENDED ||
	    !yamux_is_whole(ch->stream))
		return;
	if (!hears && (yamux_eof(ch->stream) || !channel_ready(ch))) {
		s->ended = true;
		channel_end(ch);
	} else if (hears && channel_ready(ch) && yamux_eof(ch->stream) &&
	    buf_len(ch->in) == 0) {
		s->ended = true;
		ch->service->ops->eof(ch);
	}
}

static void
net_stream_give(struct net_stream *s)
{
	struct channel *ch = &s->ch;
	ssize_t n;

	if (ch->stream == NULL)
		return;
	while (buf_len(ch->out) != 0 &&
	    (n = yamux_write(ch->stream, buf_ptr(ch->out), buf_len(ch->out))) !=
		SKY_ERR_AGAIN) {
		if (n == SKY_ERR_NOMEM)
			channel_fatal(ch, "out of memory");
		if (n < 0) {
			buf_reset(ch->out);
			return;
		}
		buf_skip(ch->out, (size_t)n);
		s->moved = true;
	}
	if (ch->finished && !s->shut && buf_len(ch->out) == 0) {
		s->shut = true;
		(void)yamux_shutdown(ch->stream);
	}
}

/* Whether it is over, and was freed. */
static bool
net_stream_over(struct net_channels *c, struct net_stream *s)
{
	struct channel *ch = &s->ch;

	if (ch->stage != CHANNEL_ENDED)
		return false;
	channel_free(ch);
	if (ch->stream != NULL && (s->gone || ch->faulty)) {
		yamux_kill(ch->stream);
		buf_free(ch->out);
	}
	if (ch->stream != NULL && buf_len(ch->out) == 0) {
		yamux_close(ch->stream);
		ch->stream = NULL;
	}
	if (ch->stream != NULL || ch->owed != 0)
		return false;
	net_stream_free(c, s);
	return true;
}

/* A stream of ours waits for its turn: the peer takes a few at a time. */
static void
net_stream_open(struct net_channels *c, struct net_stream *s)
{
	int r;

	if ((r = yamux_open(c->y, &s->ch.stream)) == SKY_ERR_AGAIN ||
	    r == SKY_ERR_LIMIT)
		return;
	if (r != 0) {
		channel_end(&s->ch);
		return;
	}
	s->opened = true;
	yamux_set_arg(s->ch.stream, s);
}

/* Bytes of it that wait here. */
static size_t
net_stream_count(const struct net_stream *s)
{
	const struct channel *ch = &s->ch;
	size_t n = buf_len(&s->in) + buf_len(&s->out);

	if (ch->state != NULL && ch->service->ops->held != NULL)
		n += ch->service->ops->held(ch);
	return n;
}

/* Who is idle stays small, and is not looked at. */
static void
net_stream_rest(struct net_channels *c, struct net_stream *s)
{
	struct channel *ch = &s->ch;

	if (!s->moved && buf_len(ch->in) == 0)
		buf_free(ch->in);
	if (!s->moved && buf_len(ch->out) == 0)
		buf_free(ch->out);
	ch->stirred |= s->moved || !s->opened || channel_backlog(ch) != 0;
	c->held -= s->held;
	s->held = net_stream_count(s);
	c->held += s->held;
}

/* Its channel has not ended. */
static void
net_stream_serve(struct net_stream *s)
{
	net_stream_take(s);
	if (s->ch.service == NULL)
		net_stream_request(s);
	if (s->ch.stage == CHANNEL_OPEN)
		channel_turn(&s->ch);
	net_stream_eof(s);
}

static void
net_stream_turn(struct net_channels *c, struct net_stream *s)
{
	struct channel *ch = &s->ch;

	s->moved = ch->stirred = false;
	if (!s->opened)
		net_stream_open(c, s);
	if (ch->late && ch->stage != CHANNEL_ENDED)
		channel_fault(ch, "the request did not come within %d seconds",
		    ch->seconds);
	if (s->gone)
		channel_end(ch);
	if (ch->stage != CHANNEL_ENDED)
		net_stream_serve(s);
	net_stream_give(s);
	if (!net_stream_over(c, s))
		net_stream_rest(c, s);
}

/* --- all of them --- */

/* Who lets too much lie here goes, and nobody else. */
static void
net_channels_shed(struct net_channels *c)
{
	struct net_stream *s, *worst = NULL;

	if (c->held + yamux_buffered(c->y) <= NET_CHANNELS_HELD)
		return;
	for (s = TAILQ_FIRST(&c->all); s != NULL; s = TAILQ_NEXT(s, all))
		if (s->ch.stage != CHANNEL_ENDED &&
		    (worst == NULL || s->held > worst->held))
			worst = s;
	if (worst == NULL)
		return;
	channel_log(&worst->ch, LOG_LEVEL_INFO,
	    "channel %u: too much of it waits", worst->ch.number);
	worst->gone = true;
	net_stream_turn(c, worst);
}

static void
net_channels_listen(struct net_channels *c)
{
	struct net_stream *s;
	struct yamux_stream *y;
	struct yamux_event ev;

	while ((y = yamux_accept(c->y)) != NULL)
		net_channels_accept(c, y);
	while (yamux_event(c->y, &ev))
		if (ev.stream != NULL && (s = yamux_arg(ev.stream)) != NULL) {
			s->gone |= (ev.what & YAMUX_RESET) != 0;
			channel_stir(&s->ch);
		}
}

static void
net_channels_input(struct channel *ch)
{
	struct net_channels *c = ch->state;
	struct net_stream *s, *next;
	int r;

	if ((r = yamux_input(c->y, ch->in)) != 0)
		channel_fault(ch, "bad frame of yamux: %s", err_text(r));
	net_channels_listen(c);
	for (s = TAILQ_FIRST(&c->all); s != NULL; s = next) {
		next = TAILQ_NEXT(s, all);
		if (s->ch.stirred || buf_len(&s->out) != 0)
			net_stream_turn(c, s);
	}
	net_channels_shed(c);
}

static void
net_channels_room(struct channel *ch)
{
	struct net_channels *c = ch->state;

	if (yamux_output(c->y, ch->out) != 0)
		channel_fatal(ch, "out of memory");
}

static void
net_channels_on_age(evutil_socket_t fd, short what, void *arg)
{
	struct net_channels *c = arg;

	yamux_age(c->y);
}

/* --- the connection's own channel --- */

static int
net_channels_begin(struct channel *ch, struct buf *query)
{
	struct yamux_limits limits = { .streams = NET_CHANNELS_MAX,
		.backlog = NET_CHANNELS_MAX,
		.inflight = INFLIGHT,
		.window = YAMUX_WINDOW,
		.buffered = UNREAD,
		.seed = ch->peer->seed };
	struct timeval tv = { .tv_sec = AGE_S };
	struct net_channels *c;

	if ((ch->state = c = calloc(1, sizeof(*c))) == NULL)
		return SKY_ERR_NOMEM;
	c->ch = ch;
	TAILQ_INIT(&c->all);
	c->age = event_new(ch->base, -1, EV_PERSIST, net_channels_on_age, c);
	if (c->age == NULL || event_add(c->age, &tv) == -1 ||
	    (c->y = yamux_new(false, &limits)) == NULL)
		return SKY_ERR_NOMEM;
	ch->peer->channels = c;
	net_link_share(ch->peer->link);
	channel_accept(ch);
	return 0;
}

static void
net_channels_end(struct channel *ch)
{
	struct net_channels *c = ch->state;

	ch->peer->channels = NULL;
	while (!TAILQ_EMPTY(&c->all))
		net_stream_free(c, TAILQ_FIRST(&c->all));
	yamux_free(c->y);
	if (c->age != NULL)
		event_free(c->age);
	free(c);
}

/* --- what the monitor says --- */

/* A command may end behind its channel. */
static int
net_channels_tell_all(struct net_channels *c, struct privmsg *m)
{
	struct buf body = m->body;
	struct net_stream *s;
	int r;

	for (s = TAILQ_FIRST(&c->all); s != NULL; s = TAILQ_NEXT(s, all)) {
		if (s->ch.service == NULL || s->ch.stage == CHANNEL_ENDED)
			continue;
		m->body = body;
		channel_stir(&s->ch);
		if ((r = s->ch.service->ops->told(&s->ch, m)) != 0)
			return r;
	}
	return 0;
}

static int
net_channels_told(struct channel *ch, struct privmsg *m)
{
	struct net_channels *c = ch->state;
	struct net_stream *s;

	if (m->type == PM_EXITED)
		return net_channels_tell_all(c, m);
	if ((s = net_channels_find(c, m->id)) == NULL || s->ch.owed == 0)
		return SKY_ERR_STATE;
	s->ch.owed--;
	channel_stir(&s->ch);
	if (s->ch.stage == CHANNEL_ENDED)
		return mon_undo(&s->ch, m);
	return s->ch.service->ops->told(&s->ch, m);
}

const struct service_ops net_channels_ops = {
	.begin = net_channels_begin,
	.input = net_channels_input,
	.room = net_channels_room,
	.told = net_channels_told,
	.end = net_channels_end,
	.duplex = true,
};

/* --- channels of ours --- */

int
net_channels_open(struct channel *of, const char *uri, int fd)
{
	struct net_channels *c = of->peer->channels;
	struct net_stream *s;
	int r = SKY_ERR_NOMEM;

	if (c == NULL)
		r = SKY_ERR_STATE;
	else if (c->n >= NET_CHANNELS_MAX)
		r = SKY_ERR_LIMIT;
	else if ((s = net_stream_new(c)) != NULL &&
	    (r = net_opened_begin(&s->ch, uri, fd)) == 0)
		return 0;
	else if (s != NULL)
		net_stream_free(c, s);
	close(fd);
	return r;
}
