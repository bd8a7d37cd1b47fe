/* SPDX-License-Identifier: ISC */
/* A channel: what a service may do to it. */
#include "daemon/net/net_channel.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/tcp.h"
#include "common/pty/mux.h"
#include "common/pty/yamux.h"
#include "daemon/net/net_mon.h"
#include "daemon/net/net_service.h"

void
channel_stir(struct channel *ch)
{
	ch->stirred = true;
}

static void
channel_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct channel *ch = arg;

	ch->late = true;
	channel_stir(ch);
}

void
channel_moved(struct channel *ch)
{
	channel_stir(ch);
	net_peer_moved(ch->peer);
}

void
channel_tell_job(struct channel *ch, uint32_t handle, struct job_bytes *b)
{
	if (!b->told)
		mon_bytes(ch->mon, handle, b->in, b->out);
	b->told = true;
}

/* --- begin and end --- */

int
channel_init(struct channel *ch, struct net_peer *p, struct buf *in,
    struct buf *out)
{
	ch->peer = p;
	ch->base = p->base;
	ch->mon = p->mon;
	ch->in = in;
	ch->out = out;
	ch->stirred = true;
	ch->timer = evtimer_new(p->base, channel_on_timer, ch);
	return ch->timer != NULL ? 0 : SKY_ERR_NOMEM;
}

void
channel_free(struct channel *ch)
{
	if (ch->state != NULL)
		ch->service->ops->end(ch);
	if (ch->timer != NULL)
		event_free(ch->timer);
	ch->state = NULL;
	ch->timer = NULL;
}

void
channel_turn(struct channel *ch)
{
	const struct service_ops *ops = ch->service->ops;

	if (ops->input != NULL && channel_ready(ch))
		ops->input(ch);
	if (ops->room != NULL && ch->stage == CHANNEL_OPEN && !channel_full(ch))
		ops->room(ch);
}

void
channel_put(struct channel *ch, const void *p, size_t n)
{
	if (buf_put(ch->out, p, n) != 0)
		channel_fatal(ch, "out of memory");
}

static void
channel_answer(struct channel *ch, uint8_t answer)
{
	channel_put(ch, &answer, 1);
}

void
channel_accept(struct channel *ch)
{
	channel_answer(ch, MUX_ACCEPT);
	ch->stage = CHANNEL_OPEN;
}

void
channel_reject(struct channel *ch, const char *why)
{
	ch->refused = why == NULL;
	channel_answer(ch, MUX_REJECT);
	if (why != NULL)
		channel_put(ch, why, strlen(why));
	channel_end(ch);
}

const char *
channel_denied(const struct channel *ch, uint32_t grant)
{
	uint32_t missing = grant & ~ch->peer->grants;

	if (missing & PRIV_GRANT_PTY)
		return "this key may not open a terminal (authorized_pks)";
	if (missing & PRIV_GRANT_EXEC)
		return MUX_NO_EXEC;
	if (missing & PRIV_GRANT_SFTP)
		return "this key may not transfer files (authorized_pks)";
	if (missing & PRIV_GRANT_FORWARD)
		return "nothing may be forwarded for this key (authorized_pks)";
	if (missing & PRIV_GRANT_DETACH)
		return "this key may leave nothing behind (no-detach of "
		       "authorized_pks)";
	return missing != 0 ? "this key may not do that" : NULL;
}

void
channel_limit(const struct channel *ch, struct mux_session *wishes)
{
	if (!(ch->peer->grants & PRIV_GRANT_DETACH))
		wishes->keep = false;
}

void
channel_end(struct channel *ch)
{
	ch->stage = CHANNEL_ENDED;
	channel_stir(ch);
}

bool
channel_leaves(const struct channel *ch)
{
	return ch->number != 0 && ch->peer->channels != NULL;
}

void
channel_finish(struct channel *ch)
{
	ch->finished = true;
	channel_stir(ch);
}

size_t
channel_backlog(const struct channel *ch)
{
	if (ch->number == 0)
		return net_link_backlog(ch->peer->link);
	return buf_len(ch->out) +
	    (ch->stream != NULL ? yamux_queued(ch->stream) : 0);
}

bool
channel_full(const struct channel *ch)
{
	return channel_backlog(ch) >=
	    (ch->number == 0 ? ch->peer->link->high : NET_STREAM_HIGH);
}

bool
channel_ready(const struct channel *ch)
{
	return ch->stage == CHANNEL_OPEN && !ch->busy &&
	    (ch->service->ops->duplex || !channel_full(ch));
}

void
channel_timer(struct channel *ch, int seconds)
{
	struct timeval tv = { .tv_sec = seconds };

	ch->seconds = seconds;
	if (seconds == 0)
		event_del(ch->timer);
	else
		event_add(ch->timer, &tv);
}

void
channel_bound_unsent(struct channel *ch, int bytes)
{
	if (ch->number == 0)
		tcp_bound_unsent(ch->peer->link->fd, bytes);
}

void
channel_log(struct channel *ch, enum log_level level, const char *fmt, ...)
{
	char text[LOG_LINE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	mon_log(ch->mon, level, "%s", text);
}

__attribute__((noreturn, format(printf, 2, 0))) static void
channel_leave(struct channel *ch, const char *fmt, va_list ap)
{
	char text[LOG_LINE_MAX];

	vsnprintf(text, sizeof(text), fmt, ap);
	mon_log(ch->mon, LOG_LEVEL_INFO, "%s", text);
	net_peer_tell_all(ch->peer);
	_exit(PRIV_END_FAULT);
}

void
channel_fatal(struct channel *ch, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	channel_leave(ch, fmt, ap);
}

void
channel_fault(struct channel *ch, const char *fmt, ...)
{
	char text[LOG_LINE_MAX];
	va_list ap;

	va_start(ap, fmt);
	if (ch->number == 0)
		channel_leave(ch, fmt, ap);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	mon_log(ch->mon, LOG_LEVEL_INFO, "channel %u: %s", ch->number, text);
	ch->faulty = true;
	channel_end(ch);
}
