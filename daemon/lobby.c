/* SPDX-License-Identifier: ISC */
/*
 * TCP connections that have no monitor yet.  Here they cost a descriptor and
 * nothing else: whoever says nothing never costs more, and what comes faster
 * than the limits allow waits a little for its turn, so that a burst of honest
 * connections is spread and not turned away.  No byte is read: that there are
 * as many as a handshake begins with is asked of the kernel.
 */
#include "daemon/listener.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/base/addr.h"
#include "common/base/clock.h"

#define LOBBY_TICK_MS 50
#define DISCARD_MAX   (64 * 1024)
#define GUEST_SAY_MS  1000 /* what anybody needs to say something */
/*
 * From so many on, in all and of one address, who may not be served is not let
 * wait for it: there is no time for so many.
 */
#define CROWDED	  (LOBBY_MAX / 2)
#define ALIKE_MAX (LOBBY_MAX / 8)
/*
 * Bytes of the shortest first message of the handshake, with its length: who
 * has sent less cannot be served.  PROTOCOL.pty 2.
 */
#define FIRST_MESSAGE (2 + 33 + 16)

#define SAMPLE 16 /* guests that are looked at for the worst */

struct lobby_guest {
	TAILQ_ENTRY(lobby_guest) entry;
	TAILQ_ENTRY(lobby_guest) alike; /* in one list of alike[] */
	size_t place;			/* in all[] */
	struct listener *server;
	int fd;
	struct event *ev;
	struct sockaddr_storage addr;
	socklen_t len;
	struct origin origin;
	int64_t since_ms; /* when it came */
	int64_t ready_ms; /* when it said something; 0: not yet */
};

/* Those of one address, and of a few others. */
static struct guest_list *
lobby_alike(struct lobby *l, const struct origin *o)
{
	return &l->alike[o->self % LOBBY_LISTS];
}

static void
guest_leave(struct lobby_guest *g)
{
	struct lobby *l = &g->server->lobby;

	TAILQ_REMOVE(&l->guests, g, entry);
	TAILQ_REMOVE(lobby_alike(l, &g->origin), g, alike);
	l->all[g->place] = l->all[--l->n];
	l->all[g->place]->place = g->place;
	if (g->ev != NULL)
		event_free(g->ev);
	close(g->fd);
	free(g);
}

/* What nobody has read would make a reset of the end. */
static void
end_guest(struct lobby_guest *g)
{
	(void)recv(g->fd, NULL, DISCARD_MAX, MSG_TRUNC | MSG_DONTWAIT);
	guest_leave(g);
}

static void
tell_guest(const struct lobby_guest *g, const char *what, const char *why)
{
	struct log_fields f = { .event = "turned-away" };
	char peer[ADDR_TEXT_MAX];

	if (!limits_may_tell(&g->server->conns, now_ms())) {
		listener_untold(g->server);
		return;
	}
	addr_text((const struct sockaddr *)&g->addr, g->len, peer);
	log_put(&f, "from", peer);
	log_put(&f, "reason", why);
	log_event(LOG_LEVEL_INFO, &f, "%s%s: %s", what, peer, why);
}

static void
guest_penalise(const struct lobby_guest *g, enum penalty what)
{
	char peer[ADDR_TEXT_MAX];

	g->server->count[PRIV_COUNT_NOAUTH + (int)what]++;
	addr_text((const struct sockaddr *)&g->addr, g->len, peer);
	limits_penalise(&g->server->conns, &g->server->set->conf, &g->origin,
	    what, peer, now_ms());
}

/* With fewer bytes than that there is nothing to be woken for. */
static void
lobby_want(int fd, int bytes)
{
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof(bytes));
}

static void
serve_guest(struct lobby_guest *g)
{
	char peer[ADDR_TEXT_MAX];

	addr_text((const struct sockaddr *)&g->addr, g->len, peer);
	lobby_want(g->fd, 1);
	monitor_prepare(&g->server->set->conf, g->fd);
	(void)listener_serve(g->server, g->fd, &g->origin, peer, PRIV_XK);
	guest_leave(g);
}

static void
lobby_arm(struct listener *s)
{
	struct timeval tv = { .tv_usec = LOBBY_TICK_MS * 1000 };

	if (!event_pending(s->lobby.tick, EV_TIMEOUT, NULL))
		event_add(s->lobby.tick, &tv);
}

/* One that has gone in the meantime needs no monitor. */
static bool
has_gone(const struct lobby_guest *g)
{
	struct pollfd p = { .fd = g->fd, .events = POLLRDHUP };

	return poll(&p, 1, 0) == 1 &&
	    (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

/*
 * Of those whose own limits allow it: known ones, then who has the lesser debt,
 * then whom the lot falls on.  Whoever has enough networks to owe nothing
 * anywhere could have his come at the time that an order prefers.
 */
static struct lobby_guest *
next_guest(struct listener *s, bool known, int64_t now)
{
	struct lobby_guest *g, *best = NULL;
	int64_t debt, least = INT64_MAX;
	uint32_t equals = 0;

	TAILQ_FOREACH (g, &s->lobby.guests, entry) {
		if (g->ready_ms == 0 ||
		    limits_known(&s->conns, &g->origin, now) != known ||
		    (debt = limits_debt(&s->conns, &g->origin, now)) > least ||
		    limits_own(&s->conns, &s->set->conf, &g->origin, now) !=
			NULL)
			continue;
		if (debt < least)
			equals = 0;
		least = debt;
		if (arc4random_uniform(++equals) == 0)
			best = g;
	}
	return best;
}

static void
admit_guests(struct listener *s, bool known, int64_t now)
{
	struct lobby_guest *g;

	if (!known && limits_spent(&s->conns, &s->set->conf, POOL_TCP, now))
		return;
	while ((g = next_guest(s, known, now)) != NULL)
		if (has_gone(g))
			end_guest(g);
		else if (limits_all(&s->conns, &s->set->conf, &g->origin,
			     now) == NULL)
			serve_guest(g);
		else
			return;
}

static const char *
lobby_objection(const struct listener *s, const struct lobby_guest *g,
    int64_t now)
{
	const char *why;

	why = limits_own(&s->conns, &s->set->conf, &g->origin, now);
	if (why == NULL)
		why = limits_all(&s->conns, &s->set->conf, &g->origin, now);
	return why != NULL ? why : "others came first";
}

static void
lobby_on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct listener *s = arg;
	struct lobby_guest *g, *next;
	/* The rest is for the handshake. */
	int64_t now = now_ms(),
		wait_ms = s->set->conf.handshake_timeout * INT64_C(500);
	bool waiting = false;

	admit_guests(s, true, now);
	admit_guests(s, false, now);
	for (g = TAILQ_FIRST(&s->lobby.guests); g != NULL; g = next) {
		next = TAILQ_NEXT(g, entry);
		if (g->ready_ms == 0)
			continue;
		if (now - g->ready_ms < wait_ms &&
		    limits_penalty(&s->conns, &s->set->conf, &g->origin, now) ==
			NULL) {
			waiting = true;
			continue;
		}
		s->count[PRIV_COUNT_TURNED_AWAY]++;
		tell_guest(g, "Turned away ", lobby_objection(s, g, now));
		end_guest(g);
	}
	if (waiting)
		lobby_arm(s);
}

void
lobby_pump(struct listener *s)
{
	if (!TAILQ_EMPTY(&s->lobby.guests))
		event_active(s->lobby.tick, EV_TIMEOUT, 0);
}

/* How much is there, not what it says. */
static bool
said_enough(int fd)
{
	int n;

	return ioctl(fd, FIONREAD, &n) == 0 && n >= FIRST_MESSAGE;
}

/* Who cannot be served now is looked at with the others, at the next tick. */
static void
lobby_ready(struct lobby_guest *g)
{
	struct listener *s = g->server;

	event_del(g->ev);
	g->ready_ms = now_ms();
	if (!limits_spent(&s->conns, &s->set->conf, POOL_TCP, g->ready_ms) ||
	    limits_known(&s->conns, &g->origin, g->ready_ms))
		lobby_pump(s);
	else
		lobby_arm(s);
}

static void
on_guest(evutil_socket_t fd, short what, void *arg)
{
	struct lobby_guest *g = arg;
	struct listener *s = g->server;
	char why[64];

	if (what & EV_TIMEOUT) {
		snprintf(why, sizeof(why),
		    "Handshake not finished within %u seconds",
		    s->set->conf.handshake_timeout);
		tell_guest(g, "", why);
		guest_penalise(g, PENALTY_GRACE);
		end_guest(g);
	} else if (!said_enough(fd) && has_gone(g))
		end_guest(g);
	else
		lobby_ready(g);
}

/* Who has come first of those of an address that have said nothing. */
static struct lobby_guest *
oldest_of(struct listener *s, const struct origin *o)
{
	struct lobby_guest *g, *oldest = NULL;
	size_t n = 0;

	TAILQ_FOREACH (g, lobby_alike(&s->lobby, o), alike)
		if (g->origin.self == o->self && g->ready_ms == 0) {
			if (n++ == 0)
				oldest = g;
		}
	return n >= s->set->conf.maxperaddr ? oldest : NULL;
}

/* Guests that are compared, and who is the worst of them so far. */
struct lobby_worst {
	struct lobby_guest *silent, *debtor, *fresh;
	int64_t debt; /* of the debtor */
};

static void
lobby_compare(struct listener *s, struct lobby_worst *w, struct lobby_guest *g,
    int64_t now)
{
	int64_t debt;

	if (g->ready_ms == 0 && now - g->since_ms >= GUEST_SAY_MS) {
		if (w->silent == NULL || g->since_ms < w->silent->since_ms)
			w->silent = g;
		return;
	}
	if (g->ready_ms == 0) {
		if (w->fresh == NULL || g->since_ms < w->fresh->since_ms)
			w->fresh = g;
		return;
	}
	debt = limits_debt(&s->conns, &g->origin, now);
	if (w->debtor == NULL || debt > w->debt ||
	    (debt == w->debt && g->since_ms < w->debtor->since_ms)) {
		w->debtor = g;
		w->debt = debt;
	}
}

/*
 * A full lobby: who has said nothing though there was time for it goes, as
 * whoever means to log in says something at once; else who waits longest of
 * those with the greatest debt; of those who have just come the first, only
 * where there are no others.  Of many a part is looked at, by lot: a flood is
 * nearly all of them.  Who is known is not looked at as long as there are
 * others.
 */
static struct lobby_guest *
worst_guest(struct listener *s, bool known)
{
	struct lobby_worst w = { 0 };
	int64_t now = now_ms();
	struct lobby_guest *g;
	size_t n = s->lobby.n;
	bool some = !known && n > SAMPLE;

	for (size_t i = 0; i < (some ? SAMPLE : n); i++) {
		g = s->lobby.all[some ? arc4random_uniform((uint32_t)n) : i];
		if (known || !limits_known(&s->conns, &g->origin, now))
			lobby_compare(s, &w, g, now);
	}
	if (w.silent != NULL)
		return w.silent;
	return w.debtor != NULL ? w.debtor : w.fresh;
}

static void
turn_away(struct lobby_guest *g)
{
	g->server->count[PRIV_COUNT_TURNED_AWAY]++;
	tell_guest(g, "Turned away ", "too many wait");
	end_guest(g);
}

static bool
lobby_has_many(struct listener *s, const struct origin *o)
{
	const struct lobby_guest *g;
	size_t n = 0;

	TAILQ_FOREACH (g, lobby_alike(&s->lobby, o), alike)
		if (g->origin.self == o->self && ++n == ALIKE_MAX)
			return true;
	return false;
}

const char *
lobby_refuses(struct listener *s, const struct origin *o)
{
	const struct config *conf = &s->set->conf;
	int64_t now = now_ms();
	const char *why = limits_penalty(&s->conns, conf, o, now);

	if (why == NULL && s->lobby.n >= ALIKE_MAX &&
	    !limits_known(&s->conns, o, now) &&
	    (s->lobby.n >= CROWDED || lobby_has_many(s, o)))
		why = limits_own(&s->conns, conf, o, now);
	return why;
}

bool
lobby_make_room(struct listener *s)
{
	struct lobby_guest *g;

	if ((g = worst_guest(s, false)) == NULL &&
	    (g = worst_guest(s, true)) == NULL)
		return false;
	turn_away(g);
	return true;
}

void
lobby_enter(struct listener *s, int fd, const struct sockaddr_storage *addr,
    socklen_t len, const struct origin *from)
{
	struct timeval tv = { .tv_sec = s->set->conf.handshake_timeout };
	struct lobby *l = &s->lobby;
	struct lobby_guest *g, *other;

	if ((g = calloc(1, sizeof(*g))) == NULL) {
		close(fd);
		return;
	}
	g->server = s;
	g->fd = fd;
	g->addr = *addr;
	g->len = len;
	g->since_ms = now_ms();
	g->origin = *from;
	if ((other = oldest_of(s, from)) != NULL)
		turn_away(other);
	else if (l->n >= LOBBY_MAX)
		(void)lobby_make_room(s);
	TAILQ_INSERT_TAIL(&l->guests, g, entry);
	TAILQ_INSERT_TAIL(lobby_alike(l, from), g, alike);
	g->place = l->n;
	l->all[l->n++] = g;
	lobby_want(fd, FIRST_MESSAGE);
	g->ev = event_new(s->base, fd, EV_READ, on_guest, g);
	if (g->ev == NULL || event_add(g->ev, &tv) == -1)
		guest_leave(g);
}

void
lobby_empty(struct listener *s)
{
	struct lobby_guest *g;

	while ((g = TAILQ_FIRST(&s->lobby.guests)) != NULL)
		guest_leave(g);
	event_del(s->lobby.tick);
}

int
lobby_init(struct listener *s)
{
	TAILQ_INIT(&s->lobby.guests);
	for (size_t i = 0; i < LOBBY_LISTS; i++)
		TAILQ_INIT(&s->lobby.alike[i]);
	s->lobby.tick = evtimer_new(s->base, lobby_on_tick, s);
	return s->lobby.tick != NULL ? 0 : -1;
}
