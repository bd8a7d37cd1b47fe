/* SPDX-License-Identifier: ISC */
/*
 * Whether others can reach us.  A server may know a session of ours and pass
 * nothing on to it: because the one before, whose end it has not noticed, is
 * still the one that counts, or because that one's end has taken ours off its
 * list.  Pings tell nothing of that.  So a stream to ourselves is opened by
 * each session now and then; one that it does not come by is begun anew.
 * PROTOCOL.dmsg 2.8, 2.9.
 */
#include "daemon/dmsg/dmsg.h"

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
probe_init(struct ov *o)
{
	o->probe_ev = evtimer_new(o->base, on_probe, o);
	return o->probe_ev != NULL ? 0 : -1;
}

void
probe_begin(struct session *s)
{
	s->probe = (struct probe){ .due_ms = now_ms() };
	ov_arm(s->ov->probe_ev, TICK_MS);
}

size_t
probe_count(const struct ov *o)
{
	size_t n = 0;

	for (size_t i = 0; i < DMSG_SESSIONS_MAX; i++)
		n += o->sessions[i].state == SESSION_UP &&
		    !o->sessions[i].extra && !o->sessions[i].probe.lost &&
		    o->sessions[i].probe.proven_ms != 0;
	return n;
}

void
probe_proven(struct session *s)
{
	struct probe *p = &s->probe;
	bool changed = p->lost;

	p->proven_ms = now_ms();
	p->failures = 0;
	p->lost = false;
	s->server->unproven = 0;
	if (changed) {
		ov_log(s->ov, LOG_LEVEL_INFO,
		    "dmsg server %s: others come by it again", s->address);
		ov_sessions_changed(s->ov);
	}
	ov_tell_ready(s->ov);
}

static void
end_stream(struct session *s)
{
	if (s->probe.stream != NULL) {
		dmsg_stream_close(s->probe.stream);
		session_flush(s);
	}
	s->probe.stream = NULL;
}

static bool
is_used(const struct session *s)
{
	const struct pipe *p;

	LIST_FOREACH (p, &s->ov->pipes, entry)
		if (p->session == s && p->state == PIPE_OPEN)
			return true;
	return false;
}

/*
 * A server that never passes such a stream on, if there is one, costs a new
 * session less and less often.
 */
static void
probe_fail(struct session *s)
{
	struct server *sv = s->server;
	struct probe *p = &s->probe;
	unsigned shift = sv->unproven < DOUBLE_MAX ? sv->unproven : DOUBLE_MAX;
	unsigned most = FAILURES << shift;

	end_stream(s);
	p->due_ms = now_ms() + AGAIN_MS;
	ov_arm(s->ov->probe_ev, TICK_MS);
	if (++p->failures < most)
		return;
	if (p->failures < most + PATIENCE && is_used(s)) {
		p->due_ms = now_ms() + LOST_MS;
		if (p->lost)
			return;
		p->lost = true;
		ov_log(s->ov, LOG_LEVEL_WARN,
		    "dmsg server %s: nobody comes by it any more; it is kept "
		    "for who is still there",
		    s->address);
		ov_sessions_changed(s->ov);
		return;
	}
	sv->unproven++;
	session_end(s, "it lets nobody through to us");
}

void
probe_signed(struct ov *o, uint16_t id, struct buf *object)
{
	struct session *s = NULL;
	struct probe *p;

	for (size_t i = 0; i < DMSG_SESSIONS_MAX; i++)
		if (o->sessions[i].state == SESSION_UP &&
		    o->sessions[i].probe.signing &&
		    o->sessions[i].probe.id == id)
			s = &o->sessions[i];
	if (s == NULL)
		return; /* it has gone */
	p = &s->probe;
	p->signing = false;
	dmsg_hash(buf_ptr(object), buf_len(object), p->hash);
	p->stream = dmsg_session_dial(s->dmsg, now_ms() / 1000, object);
	/* Too many streams: then others come by it. */
	p->due_ms =
	    now_ms() + (p->stream != NULL ? DMSG_PROBE_S * 1000 : LOST_MS);
	ov_arm(o->probe_ev, TICK_MS);
	session_flush(s);
}

bool
probe_handle(struct session *s, struct dmsg_event *ev)
{
	if (s->probe.stream == NULL || ev->stream != s->probe.stream)
		return false;
	if (ev->what == DMSG_END)
		probe_fail(s);
	return true;
}

void
probe_arrived(struct session *s, const uint8_t *hash)
{
	struct probe *p = &s->probe;
	int64_t now = now_ms(), pause = DMSG_PROBE_EVERY * 1000;

	if (now - s->up_ms < DMSG_YOUNG_S * 1000)
		pause = DMSG_PROBE_EARLY * 1000;

	/* Another session's says nothing of this one. */
	if (p->stream == NULL || memcmp(p->hash, hash, DMSG_HASH_LEN) != 0)
		return;
	end_stream(s);
	p->due_ms = now + pause + (int64_t)(ov_random(s->ov) % JITTER_MS);
	probe_proven(s);
}

static void
probe_sign(struct session *s)
{
	struct ov *o = s->ov;

	s->probe.signing = true;
	s->probe.id = ++o->probe_id;
	ov_mon_probe(o, s->probe.id, server_port(o));
}

/* The session whose probe is the next to begin or to fail; NULL without one. */
static struct session *
find_next(struct ov *o)
{
	struct session *s, *next = NULL;

	for (size_t i = 0; i < DMSG_SESSIONS_MAX; i++) {
		s = &o->sessions[i];
		if (s->state == SESSION_UP && !s->extra && !s->probe.signing &&
		    (next == NULL || s->probe.due_ms < next->probe.due_ms))
			next = s;
	}
	return next;
}

static void
on_probe(evutil_socket_t fd, short what, void *arg)
{
	struct ov *o = arg;
	struct session *s = find_next(o);
	int64_t now = now_ms(), pause = TICK_MS;

	(void)fd, (void)what;
	if (o->stopping)
		return;
	if (s != NULL && s->probe.due_ms <= now) {
		if (s->probe.stream != NULL)
			probe_fail(s);
		else
			probe_sign(s);
		s = find_next(o);
	}
	if (s != NULL && s->probe.due_ms > now + pause)
		pause = s->probe.due_ms - now;
	if (server_live(o) != 0)
		ov_arm(o->probe_ev, pause);
}
