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
#include "daemon/net/net_mon.h"
#include "daemon/net/net_service.h"

#define TELL_MS	    600 /* more than 1/PRIV_ACTIVES_PER_S */
#define TELL_SUM_MS 5000

static void
channel_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct channel *ch = arg;

	ch->late = true;
}

/* --- what keeps it from being idle --- */

static void
channel_tell_moved(struct channel *ch)
{
	if (ch->moved)
		mon_active(ch->mon, ch->link->bytes_in, ch->link->bytes_out);
	ch->moved = false;
}

void
channel_tell_job(struct channel *ch, uint32_t handle, struct job_bytes *b)
{
	if (!b->told)
		mon_bytes(ch->mon, handle, b->in, b->out);
	b->told = true;
}

void
channel_tell_all(struct channel *ch)
{
	if (ch->session)
		mon_bytes(ch->mon, PRIV_CONN_HANDLE, ch->link->bytes_in,
		    ch->link->bytes_out);
}

/* Where idle time counts it is told at once, else when there is a sum. */
static void
channel_wait_tell(struct channel *ch)
{
	long ms = ch->idle != 0 ? TELL_MS : TELL_SUM_MS;
	struct timeval tv = { .tv_sec = ms / 1000,
		.tv_usec = ms % 1000 * 1000 };

	event_add(ch->telling, &tv);
}

static void
channel_on_told(evutil_socket_t fd, short what, void *arg)
{
	struct channel *ch = arg;

	if (!ch->moved)
		return;
	channel_tell_moved(ch);
	channel_wait_tell(ch);
}

void
channel_moved(struct channel *ch)
{
	ch->moved = true;
	if (event_pending(ch->telling, EV_TIMEOUT, NULL))
		return;
	if (ch->idle != 0)
		channel_tell_moved(ch);
	channel_wait_tell(ch);
}

/* --- begin and end --- */

int
channel_init(struct channel *ch, struct event_base *base, struct net_link *l,
    int mon)
{
	ch->base = base;
	ch->link = l;
	ch->in = &l->in;
	ch->out = &l->out;
	ch->mon = mon;
	ch->timer = evtimer_new(base, channel_on_timer, ch);
	ch->telling = evtimer_new(base, channel_on_told, ch);
	return ch->timer != NULL && ch->telling != NULL ? 0 : SKY_ERR_NOMEM;
}

void
channel_free(struct channel *ch)
{
	if (ch->state != NULL)
		ch->service->ops->end(ch);
	if (ch->timer != NULL)
		event_free(ch->timer);
	if (ch->telling != NULL)
		event_free(ch->telling);
	ch->state = NULL;
	ch->timer = ch->telling = NULL;
}

void
channel_put(struct channel *ch, const void *p, size_t n)
{
	if (buf_put(ch->out, p, n) != 0)
		channel_fault(ch, "out of memory");
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
	uint32_t missing = grant & ~ch->grants;

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
	if (!(ch->grants & PRIV_GRANT_DETACH))
		wishes->keep = false;
}

void
channel_end(struct channel *ch)
{
	ch->stage = CHANNEL_ENDED;
}

size_t
channel_backlog(const struct channel *ch)
{
	return net_link_backlog(ch->link);
}

bool
channel_full(const struct channel *ch)
{
	return channel_backlog(ch) >= NET_OUT_HIGH;
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
	tcp_bound_unsent(ch->link->fd, bytes);
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

void
channel_fault(struct channel *ch, const char *fmt, ...)
{
	char text[LOG_LINE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	mon_log(ch->mon, LOG_LEVEL_INFO, "%s", text);
	channel_tell_all(ch);
	_exit(PRIV_END_FAULT);
}
