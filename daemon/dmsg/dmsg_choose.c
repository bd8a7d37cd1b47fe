/* SPDX-License-Identifier: ISC */
/*
 * Which dmsg servers are known, which of them there are sessions with, and when
 * one that failed is tried again.  PROTOCOL.dmsg 6.8.
 */
#include "daemon/dmsg/dmsg_life.h"
#include "daemon/dmsg/dmsg_choose.h"
#include "daemon/dmsg/dmsg_mon.h"

#include <string.h>

#define PAUSE_MS     1000 /* before a server is tried once more; doubled */
#define PAUSE_MAX_MS 60000
#define PAUSE_STEPS  7
#define CLOSED_TELL  3 /* sessions of a moment, until the reason is logged */
#define CLOSED_AGAIN 20

/* --- what is known --- */

static struct server *
server_find(struct dmsg *d, const struct key_public *pk)
{
	for (size_t i = 0; i < d->nservers; i++)
		if (memcmp(d->servers[i].pk.b, pk->b, KEY_PUBLIC_LEN) == 0)
			return &d->servers[i];
	return NULL;
}

/* When there are too many, one that failed makes room for a new one. */
static struct server *
server_make_room(struct dmsg *d)
{
	if (d->nservers < DMSG_SERVERS_MAX)
		return &d->servers[d->nservers++];
	for (size_t i = 0; i < d->nservers; i++)
		if (!d->servers[i].used && !d->servers[i].configured &&
		    d->servers[i].failures > 0)
			return &d->servers[i];
	return NULL;
}

/* The one that did not work is for later. */
static void
server_turn_address(struct server *sv)
{
	for (unsigned i = 1; i <= SERVER_ADDRESSES; i++) {
		sv->at = (sv->at + 1) % SERVER_ADDRESSES;
		if (*sv->address[sv->at] != '\0')
			return;
	}
}

/* It has moved: there it has not failed yet. */
static void
server_set_addresses(struct server *sv, const struct dmsg_entry *e)
{
	if (strcmp(sv->address[SERVER_V4], e->address) == 0 &&
	    strcmp(sv->address[SERVER_V6], e->address_v6) == 0)
		return;
	memcpy(sv->address[SERVER_V4], e->address, ADDR_TEXT_MAX);
	memcpy(sv->address[SERVER_V6], e->address_v6, ADDR_TEXT_MAX);
	sv->at = *e->address != '\0' ? SERVER_V4 : SERVER_V6;
	sv->not_before = 0;
}

void
server_add(struct dmsg *d, const struct dmsg_entry *e, bool configured)
{
	struct server *sv = server_find(d, &e->pk);

	if ((*e->address == '\0' && *e->address_v6 == '\0') ||
	    memcmp(e->pk.b, d->own.b, KEY_PUBLIC_LEN) == 0)
		return;
	if (sv == NULL) {
		if ((sv = server_make_room(d)) == NULL)
			return;
		*sv = (struct server){ .pk = e->pk, .configured = configured };
		if (configured) {
			sv->at = SERVER_CONFIGURED;
			memcpy(sv->address[sv->at], e->address, ADDR_TEXT_MAX);
		}
	}
	if (!configured)
		server_set_addresses(sv, e);
}

size_t
server_live(const struct dmsg *d)
{
	size_t n = 0;

	for (size_t i = 0; i < DMSG_SESSIONS_MAX; i++)
		n +=
		    d->sessions[i].state == SESSION_UP && !d->sessions[i].extra;
	return n;
}

void
server_listed(struct dmsg *d, const struct key_public *pk)
{
	struct server *sv = server_find(d, pk);

	if (sv != NULL)
		sv->round = d->round;
}

/* --- what did not work --- */

/*
 * A server takes the newest session of a key for the true one, or throws out
 * both: two processes with one key would do nothing but end each other's.
 */
static void
server_tell_closed(struct dmsg *d, const struct server_session *s)
{
	if (s->server->closed % CLOSED_AGAIN != CLOSED_TELL)
		return;
	dmsg_log(d, LOG_LEVEL_WARN,
	    "dmsg server %s: %u sessions in a row closed by it soon after they "
	    "began: does another process use this key?",
	    s->address, s->server->closed);
}

/* A session of a moment is a failure as well. */
void
server_failed(struct dmsg *d, const struct server_session *s)
{
	struct server *sv = s->server;
	int64_t now = now_ms(), pause;

	if (s->was_up && now - s->up_ms >= DMSG_STEADY_S * 1000)
		sv->failures = sv->closed = 0;
	else if (s->closed) {
		sv->closed++;
		server_tell_closed(d, s);
	}
	if (!s->was_up && !s->closed)
		server_turn_address(sv);
	if (sv->failures < PAUSE_STEPS)
		sv->failures++;
	pause = (int64_t)PAUSE_MS << (sv->failures - 1);
	sv->not_before = now + (pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS);
}

/* --- which --- */

/*
 * Those first that people came by, then those that the discovery still names:
 * one that was only dialed for somebody is no place to be found at.
 */
static unsigned
server_rank(const struct dmsg *d, const struct server *sv)
{
	unsigned n = sv->unproven != 0 ? 2 : 0;

	return sv->configured || sv->round == d->round ? n : n + 1;
}

/* One at random of the best ones that may be tried now. */
static struct server *
server_choose(struct dmsg *d)
{
	struct server *sv, *chosen = NULL;
	int64_t now = now_ms();
	uint64_t seen = 0;

	for (size_t i = 0; i < d->nservers; i++) {
		sv = &d->servers[i];
		if (sv->used || sv->not_before > now)
			continue;
		if (chosen == NULL ||
		    server_rank(d, sv) < server_rank(d, chosen)) {
			chosen = sv;
			seen = 1;
		} else if (server_rank(d, sv) == server_rank(d, chosen) &&
		    dmsg_random(d) % ++seen == 0)
			chosen = sv;
	}
	return chosen;
}

static size_t
server_wanted(const struct dmsg *d)
{
	return d->wanted == 0 || d->wanted > DMSG_SESSIONS_MAX ?
	    DMSG_SESSIONS_MAX :
	    d->wanted;
}

bool
server_missing(const struct dmsg *d)
{
	size_t have = 0;

	for (size_t i = 0; i < DMSG_SESSIONS_MAX; i++)
		have += d->sessions[i].state == SESSION_UP &&
		    !d->sessions[i].extra && !d->sessions[i].probe.lost;
	return have < server_wanted(d);
}

void
server_connect_more(struct dmsg *d)
{
	size_t wanted = server_wanted(d);
	struct server *sv;
	struct server_session *s;
	size_t have = 0;

	if (d->stopping)
		return;
	for (size_t i = 0; i < DMSG_SESSIONS_MAX; i++) {
		s = &d->sessions[i];
		/* One that was made for a stream serves as well. */
		if (s->state == SESSION_UP && s->extra && have < wanted) {
			s->extra = false;
			dmsg_sessions_changed(d);
			probe_begin(s);
		}
		have += s->state != SESSION_FREE && !s->extra && !s->probe.lost;
	}
	for (size_t i = 0; i < DMSG_SESSIONS_MAX && have < wanted; i++) {
		if (d->sessions[i].state != SESSION_FREE)
			continue;
		if ((sv = server_choose(d)) == NULL)
			return;
		session_connect(d, &d->sessions[i], sv, false);
		have++;
	}
}

uint16_t
server_port(struct dmsg *d)
{
	return (uint16_t)(DMSG_PORTS + dmsg_random(d) % (65536 - DMSG_PORTS));
}

/* A place for a session that somebody waits for; one of no use is no harm. */
static struct server_session *
server_find_place(struct dmsg *d, bool idle)
{
	struct server_session *s;

	for (size_t i = 0; i < DMSG_SESSIONS_MAX; i++) {
		s = &d->sessions[i];
		if (idle ? session_is_idle(s) : s->state == SESSION_FREE)
			return s;
	}
	return NULL;
}

/* Somebody waits for this one: it is tried whatever it did before. */
struct server_session *
server_session(struct dmsg *d, const struct key_public *pk, const char **why)
{
	struct server *sv = server_find(d, pk);
	struct server_session *s;

	*why = NULL;
	if (sv == NULL) {
		*why = "its address is not known";
		return NULL;
	}
	for (size_t i = 0; i < DMSG_SESSIONS_MAX; i++) {
		s = &d->sessions[i];
		if (s->state == SESSION_UP && s->server == sv)
			return s;
	}
	if (sv->used)
		return NULL; /* it is tried already */
	if ((s = server_find_place(d, false)) != NULL)
		session_connect(d, s, sv, true);
	else if ((s = server_find_place(d, true)) != NULL)
		session_end(s, NULL); /* its place serves when it has gone */
	else
		*why = "there are too many sessions";
	return NULL;
}
