/* SPDX-License-Identifier: ISC */
/*
 * Whether others can reach us.  A server may know a session of ours and pass
 * nothing on to it: because the one before, whose end it has not noticed, is
 * still the one that counts, or because that one's end has taken ours off its
 * list.  Pings tell nothing of that.  So a stream to ourselves is opened by
 * each session now and then; one that it does not come by is begun anew.
 * PROTOCOL.dmsg 2.8, 2.9.
 */
#include "daemon/dmsg/dmsg_life.h"
#include "daemon/dmsg/dmsg_choose.h"
#include "daemon/dmsg/dmsg_mon.h"
#include "daemon/dmsg/dmsg_pipe.h"
#include "daemon/dmsg/dmsg_probe.h"

#include <string.h>

#define TICK_MS	   1000 /* one begins at a time, so often at most */
#define AGAIN_MS   3000 /* behind one that failed */
#define LOST_MS	   30000
#define JITTER_MS  5000
#define FAILURES   2 /* in a row, before something is done */
#define DOUBLE_MAX 5
#define PATIENCE   20 /* further ones, for who is still there */

static void on_probe(evutil_socket_t, short, void *);

int
probe_init(struct dmsg *d)
{
	d->probe_ev = evtimer_new(d->base, on_probe, d);
	return d->probe_ev != NULL ? 0 : -1;
}

void
probe_begin(struct server_session *s)
{
	s->probe = (struct probe){ .due_ms = now_ms() };
	dmsg_arm(s->d->probe_ev, TICK_MS);
}

size_t
probe_count(const struct dmsg *d)
{
	size_t n = 0;

	for (size_t i = 0; i < DMSG_SESSIONS_MAX; i++)
		n += d->sessions[i].state == SESSION_UP &&
		    !d->sessions[i].extra && !d->sessions[i].probe.lost &&
		    d->sessions[i].probe.proven_ms != 0;
	return n;
}

void
probe_proven(struct server_session *s)
{
	struct probe *p = &s->probe;
	bool changed = p->lost;

	p->proven_ms = now_ms();
	p->failures = 0;
	p->lost = false;
	s->server->unproven = 0;
	if (changed) {
		dmsg_log(s->d, LOG_LEVEL_INFO,
		    "dmsg server %s: others come by it again", s->address);
		dmsg_sessions_changed(s->d);
	}
	dmsg_tell_ready(s->d);
}

static void
end_stream(struct server_session *s)
{
	if (s->probe.stream != NULL) {
		dmsg_stream_close(s->probe.stream);
		session_flush(s);
	}
	s->probe.stream = NULL;
}

static bool
is_used(const struct server_session *s)
{
	const struct pipe *p;

	LIST_FOREACH (p, &s->d->pipes, entry)
		if (p->session == s && p->state == PIPE_OPEN)
			return true;
	return false;
}

/*
 * A server that never passes such a stream on, if there is one, costs a new
 * session less and less often.
 */
static void
probe_fail(struct server_session *s)
{
	struct server *sv = s->server;
	struct probe *p = &s->probe;
	unsigned shift = sv->unproven < DOUBLE_MAX ? sv->unproven : DOUBLE_MAX;
	unsigned most = FAILURES << shift;

	end_stream(s);
	p->due_ms = now_ms() + AGAIN_MS;
	dmsg_arm(s->d->probe_ev, TICK_MS);
	if (++p->failures < most)
		return;
	if (p->failures < most + PATIENCE && is_used(s)) {
		p->due_ms = now_ms() + LOST_MS;
		if (p->lost)
			return;
		p->lost = true;
		dmsg_log(s->d, LOG_LEVEL_WARN,
		    "dmsg server %s: nobody comes by it any more; it is kept "
		    "for who is still there",
		    s->address);
		dmsg_sessions_changed(s->d);
		return;
	}
	sv->unproven++;
	session_end(s, "it lets nobody through to us");
}

void
probe_signed(struct dmsg *d, uint16_t id, struct buf *object)
{
	struct server_session *s = NULL;
	struct probe *p;

	for (size_t i = 0; i < DMSG_SESSIONS_MAX; i++)
		if (d->sessions[i].state == SESSION_UP &&
		    d->sessions[i].probe.signing &&
		    d->sessions[i].probe.id == id)
			s = &d->sessions[i];
	if (s == NULL)
		return; /* it has gone */
	p = &s->probe;
	p->signing = false;
	dmsg_hash(buf_ptr(object), buf_len(object), p->hash);
	p->stream = dmsg_session_dial(s->dmsg, now_ms() / 1000, object);
	/* Too many streams: then others come by it. */
	p->due_ms =
	    now_ms() + (p->stream != NULL ? DMSG_PROBE_S * 1000 : LOST_MS);
	dmsg_arm(d->probe_ev, TICK_MS);
	session_flush(s);
}

bool
probe_handle(struct server_session *s, struct dmsg_event *ev)
{
	if (s->probe.stream == NULL || ev->stream != s->probe.stream)
		return false;
	if (ev->what == DMSG_END)
		probe_fail(s);
	return true;
}

void
probe_arrived(struct server_session *s, const uint8_t *hash)
{
	struct probe *p = &s->probe;
	int64_t now = now_ms(), pause = DMSG_PROBE_EVERY * 1000;

	if (now - s->up_ms < DMSG_YOUNG_S * 1000)
		pause = DMSG_PROBE_EARLY * 1000;

	/* Another session's says nothing of this one. */
	if (p->stream == NULL || memcmp(p->hash, hash, DMSG_HASH_LEN) != 0)
		return;
	end_stream(s);
	p->due_ms = now + pause + (int64_t)(dmsg_random(s->d) % JITTER_MS);
	probe_proven(s);
}

/* The session whose probe is the next to begin or to fail; NULL without one. */
static struct server_session *
find_next(struct dmsg *d)
{
	struct server_session *s, *next = NULL;

	for (size_t i = 0; i < DMSG_SESSIONS_MAX; i++) {
		s = &d->sessions[i];
		if (s->state == SESSION_UP && !s->extra && !s->probe.signing &&
		    (next == NULL || s->probe.due_ms < next->probe.due_ms))
			next = s;
	}
	return next;
}

static void
on_probe(evutil_socket_t fd, short what, void *arg)
{
	struct dmsg *d = arg;
	struct server_session *s = find_next(d);
	int64_t now = now_ms(), pause = TICK_MS;

	if (d->stopping)
		return;
	if (s != NULL && s->probe.due_ms <= now) {
		if (s->probe.stream != NULL)
			probe_fail(s);
		else {
			s->probe.signing = true;
			s->probe.id = ++d->probe_id;
			dmsg_mon_probe(d, s->probe.id, server_port(d));
		}
		s = find_next(d);
	}
	if (s != NULL && s->probe.due_ms > now + pause)
		pause = s->probe.due_ms - now;
	if (server_live(d) != 0)
		dmsg_arm(d->probe_ev, pause);
}
