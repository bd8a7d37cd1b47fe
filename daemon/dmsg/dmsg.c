/* SPDX-License-Identifier: ISC */
/*
 * skyptyd-dmsg: its life.  Servers come from the configuration or the
 * discovery, sessions are kept with some of them, and which these are is
 * published, again and again.  PROTOCOL.dmsg 6.6, 6.8, 7.
 */
#include "daemon/dmsg/dmsg.h"

#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/pty/aead.h"

#define SETTLE_MS	1000 /* changes of sessions are gathered so long */
#define PUBLISH_MIN_MS	1000
#define PUBLISH_MAX_MS	30000
#define SERVERS_MIN_MS	1000
#define SERVERS_MAX_MS	20000
#define CONNECT_MS	2000  /* looking for a server that may be tried again */
#define LIST_MISSING_MS 60000 /* their list, while a session is missing */
#define LIST_MS		900000 /* and anyway */
#define TELL_MS		600000 /* between warnings about our entry */
#define SOON_MS		100    /* before the next one is tried */
#define TRIES_MAX	5      /* for a sequence that somebody else took */
/* PRIV_ENTRIES_PER_MIN is never reached: so many at once, then one a while. */
#define SIGN_BURST	   8
#define SIGN_MS		   3000
#define HTTP_OK		   200
#define HTTP_NOT_FOUND	   404
#define HTTP_UNPROCESSABLE 422

/* The system cannot be asked any more; a seed of it serves. */
uint64_t
ov_random(struct ov *o)
{
	uint8_t block[40];
	uint64_t v;

	randombytes_buf_deterministic(block, sizeof(block), o->random);
	memcpy(o->random, block, sizeof(o->random));
	memcpy(&v, block + sizeof(o->random), sizeof(v));
	return v;
}

void
ov_arm(struct event *ev, int64_t ms)
{
	struct timeval tv = { .tv_sec = ms / 1000,
		.tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	if (event_add(ev, &tv) == -1)
		_exit(1);
}

/* --- servers --- */

static void
on_servers(evutil_socket_t fd, short what, void *arg)
{
	struct ov *o = arg;

	(void)fd, (void)what;
	if (ask_busy(o)) {
		ov_arm(o->servers_ev, SETTLE_MS);
		return;
	}
	o->listed_ms = now_ms();
	ask(o, ASK_SERVERS, NULL);
}

static int
dmsg_add_server(void *arg, const struct dmsg_entry *e)
{
	struct ov *o = arg;

	server_add(o, e, false);
	server_listed(o, &e->pk);
	return 0;
}

static void
servers_answered(struct ov *o, int status, struct buf *body)
{
	size_t before = o->nservers;

	if (status == HTTP_OK && ++o->round != 0)
		(void)dmsg_get_servers(body, dmsg_add_server, o);
	if (server_live(o) != 0 || o->nservers != before)
		o->servers_ms = SERVERS_MIN_MS;
	else if ((o->servers_ms = o->servers_ms * 13 / 10) > SERVERS_MAX_MS)
		o->servers_ms = SERVERS_MAX_MS;
	if (o->nservers == 0) {
		ov_log(o, LOG_LEVEL_WARN, "Discovery names no dmsg server");
		ov_arm(o->servers_ev, o->servers_ms);
		return;
	}
	if (o->nservers != before)
		ov_log(o, LOG_LEVEL_INFO, "%zu dmsg servers are known",
		    o->nservers);
	server_connect_more(o);
}

/* Servers come, go and move: when what is known fails, and now and then. */
static void
list_again(struct ov *o)
{
	size_t live = server_live(o);
	int64_t pause = server_missing(o) ? LIST_MISSING_MS : LIST_MS;

	if (o->stopping || ask_busy(o) ||
	    event_pending(o->servers_ev, EV_TIMEOUT, NULL))
		return;
	if (live != 0 && now_ms() - o->listed_ms >= pause)
		on_servers(-1, 0, o);
	else if (live == 0 && o->discovery.scheme != DMSG_URL_DMSG)
		ov_arm(o->servers_ev, o->servers_ms);
}

static void
on_connect(evutil_socket_t fd, short what, void *arg)
{
	struct ov *o = arg;

	(void)fd, (void)what;
	ov_arm(o->connect_ev, CONNECT_MS);
	server_connect_more(o);
	status_tell(o);
	list_again(o);
}

void
ov_connect_soon(struct ov *o)
{
	ov_arm(o->connect_ev, SOON_MS);
}

void
ov_sessions_changed(struct ov *o)
{
	bool waiting =
	    o->dirty && event_pending(o->publish_ev, EV_TIMEOUT, NULL);

	if (o->stopping)
		return;
	o->dirty = true;
	/* From the first change on: ever more of them put nothing off. */
	if (!waiting)
		ov_arm(o->publish_ev, SETTLE_MS);
	/* A discovery on dmsg can be asked now. */
	if (o->discovery.scheme == DMSG_URL_DMSG && server_live(o) == 1 &&
	    !event_pending(o->servers_ev, EV_TIMEOUT, NULL))
		ov_arm(o->servers_ev, SETTLE_MS / 10);
}

/* --- our entry --- */

static void
publish_later(struct ov *o, bool failed)
{
	int64_t jitter = (int64_t)(ov_random(o) % 5000);

	if (!failed) {
		o->publish_ms = PUBLISH_MIN_MS;
		ov_arm(o->publish_ev, DMSG_PUBLISH_S * 1000 + jitter);
		return;
	}
	ov_arm(o->publish_ev, o->publish_ms);
	o->publish_ms = o->publish_ms * 2 < PUBLISH_MAX_MS ? o->publish_ms * 2 :
							     PUBLISH_MAX_MS;
}

/* How long to wait until something may be signed again. */
static int64_t
sign_pause(struct ov *o)
{
	int64_t now = now_ms(), pause;

	if (o->signed_ms < now)
		o->signed_ms = now;
	pause = o->signed_ms - now - (SIGN_BURST - 1) * SIGN_MS;
	if (pause <= 0)
		o->signed_ms += SIGN_MS;
	return pause;
}

static void
on_publish(evutil_socket_t fd, short what, void *arg)
{
	struct ov *o = arg;
	int64_t pause;

	(void)fd, (void)what;
	if (server_live(o) == 0)
		return; /* the next session comes back here */
	if (ask_busy(o))
		ov_arm(o->publish_ev, SETTLE_MS);
	else if ((pause = sign_pause(o)) > 0)
		ov_arm(o->publish_ev, pause);
	else
		ask(o, ASK_OWN, NULL);
}

static void
sign_entry(struct ov *o)
{
	struct dmsg_entry e = { .sequence = o->known ? o->sequence + 1 : 0 };
	const struct session *s;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	e.timestamp = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	if (o->known && e.timestamp < o->stamp)
		e.timestamp = o->stamp;
	for (size_t i = 0; i < DMSG_SESSIONS_MAX; i++) {
		s = &o->sessions[i];
		if (s->state == SESSION_UP && !s->extra && !s->probe.lost)
			e.delegated[e.ndelegated++] = s->server->pk;
	}
	o->dirty = false;
	o->last = e.sequence;
	ov_mon_entry(o, &e);
}

static bool
may_tell(int64_t *next)
{
	int64_t now = now_ms();

	if (now < *next)
		return false;
	*next = now + TELL_MS;
	return true;
}

/* What nobody may outgrow: the monitor would not sign what comes after it. */
static bool
is_future(const struct dmsg_entry *e)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return e->sequence >= (uint64_t)now.tv_sec ||
	    e->timestamp / 1000000000 >= now.tv_sec + DMSG_AHEAD_S;
}

/* An entry that is there: what is written next has to come after it. */
static void
dmsg_outgrow(struct ov *o, const struct dmsg_entry *e)
{
	if (o->published_ms != 0 && e->sequence > o->last &&
	    may_tell(&o->other_ms))
		ov_log(o, LOG_LEVEL_WARN,
		    "Our entry in the discovery was written by somebody else: "
		    "does another process use this key?");
	o->known = true;
	o->sequence = e->sequence;
	o->stamp = e->timestamp;
	sign_entry(o);
}

/* It can be taken out by whoever has the key, whatever its number is. */
static void
remove_entry(struct ov *o)
{
	if (may_tell(&o->future_ms))
		ov_log(o, LOG_LEVEL_WARN,
		    "Our entry in the discovery is of the future: a clock is "
		    "or was wrong, or somebody has our key; it is taken out");
	o->known = false;
	o->removing = true;
	sign_entry(o);
}

static void
dmsg_removed(struct ov *o, int status, struct buf *body)
{
	char why[128];

	if (status == HTTP_OK && ++o->tries < TRIES_MAX) {
		ov_arm(o->publish_ev, 100);
		return;
	}
	o->tries = 0;
	if (status != HTTP_OK) {
		(void)dmsg_get_error(body, why, sizeof(why));
		ov_log(o, LOG_LEVEL_WARN, "Our entry cannot be taken out: %s",
		    status == 0 ? "no answer of the discovery" : why);
	}
	publish_later(o, true);
}

static void
own_answered(struct ov *o, int status, struct buf *body)
{
	struct dmsg_entry e;

	if (status == HTTP_OK && dmsg_get_entry(body, &e) == 0) {
		if (memcmp(e.pk.b, o->own.b, KEY_PUBLIC_LEN) != 0) {
			ov_log(o, LOG_LEVEL_WARN,
			    "Discovery: it answers for another key than ours");
			publish_later(o, true);
		} else if (is_future(&e))
			remove_entry(o);
		else
			dmsg_outgrow(o, &e);
		return;
	}
	if (status == HTTP_NOT_FOUND &&
	    dmsg_get_error(body, NULL, 0) == DMSG_ERROR_NOT_FOUND)
		o->known = false;
	else {
		publish_later(o, true);
		return;
	}
	sign_entry(o);
}

void
ov_entry_signed(struct ov *o, struct buf *json)
{
	buf_free(&o->posted);
	buf_init(&o->posted, 64 * 1024);
	if (o->stopping)
		return;
	if (buf_put(&o->posted, buf_ptr(json), buf_len(json)) != 0 ||
	    ask_busy(o))
		publish_later(o, true);
	else
		ask(o, o->removing ? ASK_REMOVE : ASK_PUBLISH, &o->posted);
	o->removing = false;
}

void
ov_tell_ready(struct ov *o)
{
	if (o->ready || o->published_ms == 0 || probe_count(o) == 0)
		return;
	o->ready = true;
	ov_log(o, LOG_LEVEL_INFO, "Reachable over dmsg, port %u", o->port);
}

static void
dmsg_published(struct ov *o, int status, struct buf *body)
{
	char why[128];
	int error;

	if (status == HTTP_OK) {
		o->published_ms = now_ms();
		ov_tell_ready(o);
		o->tries = 0;
		publish_later(o, false);
		if (o->dirty)
			ov_arm(o->publish_ev, SETTLE_MS);
		return;
	}
	error = dmsg_get_error(body, why, sizeof(why));
	if (status == HTTP_UNPROCESSABLE && error == DMSG_ERROR_SEQUENCE &&
	    ++o->tries < TRIES_MAX) {
		ov_arm(o->publish_ev, 100 << o->tries);
		return;
	}
	o->tries = 0;
	ov_log(o, LOG_LEVEL_WARN, "Our entry is not published: %s",
	    status == 0 ? "no answer of the discovery" : why);
	publish_later(o, true);
}

/* --- the end --- */

static void
on_leave(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	_exit(0);
}

static void
dmsg_leave(struct ov *o)
{
	if (buf_len(&o->posted) != 0 && !ask_busy(o))
		ask(o, ASK_DELETE, &o->posted);
}

/* Without it peers would go on dialing servers that know us no more. */
void
ov_stop(struct ov *o)
{
	struct event *ev = evtimer_new(o->base, on_leave, o);

	o->stopping = true;
	event_del(o->publish_ev);
	event_del(o->servers_ev);
	event_del(o->probe_ev);
	if (ev == NULL || buf_len(&o->posted) == 0 || server_live(o) == 0)
		_exit(0);
	ov_arm(ev, DMSG_LEAVE_S * 1000);
	dmsg_leave(o);
}

void
ov_answered(struct ov *o, enum ask_what what, int status, struct buf *body)
{
	if (what == ASK_DELETE)
		_exit(0);
	if (o->stopping) {
		dmsg_leave(o);
		return;
	}
	switch (what) {
	case ASK_SERVERS:
		servers_answered(o, status, body);
		break;
	case ASK_OWN:
		own_answered(o, status, body);
		break;
	case ASK_PEER:
		out_answered(o, status, body);
		break;
	case ASK_REMOVE:
		dmsg_removed(o, status, body);
		break;
	default:
		dmsg_published(o, status, body);
	}
	out_ask(o);
}

/* --- the beginning --- */

static int
dmsg_read_servers(struct ov *o, struct buf *b)
{
	struct dmsg_entry e;
	char *address;
	uint32_t count;
	int r;

	if ((r = buf_get_u32(b, &count)) != 0)
		return r;
	for (; count > 0; count--) {
		memset(&e, 0, sizeof(e));
		if ((r = buf_get(b, e.pk.b, sizeof(e.pk.b))) != 0 ||
		    (r = buf_get_cstring(b, &address, ADDR_TEXT_MAX)) != 0)
			return r;
		strlcpy(e.address, address, sizeof(e.address));
		free(address);
		server_add(o, &e, true);
	}
	return buf_at_end(b);
}

static int
read_config(struct ov *o, struct buf *b)
{
	char *url = NULL;
	int r;

	if ((r = buf_get(b, o->own.b, sizeof(o->own.b))) != 0 ||
	    (r = buf_get_u16(b, &o->port)) != 0 ||
	    (r = buf_get_u32(b, &o->wanted)) != 0 ||
	    (r = buf_get_cstring(b, &url, PRIVMSG_TEXT_MAX)) != 0)
		return r;
	r = dmsg_disc_url(url, &o->discovery);
	free(url);
	return r == 0 ? dmsg_read_servers(o, b) : r;
}

void
ov_configured(struct ov *o, struct buf *b)
{
	if (read_config(o, b) != 0) {
		ov_log(o, LOG_LEVEL_ERROR,
		    "dmsg: the configuration makes no "
		    "sense");
		_exit(1);
	}
	o->publish_ms = PUBLISH_MIN_MS;
	o->servers_ms = SERVERS_MIN_MS;
	ov_arm(o->connect_ev, CONNECT_MS);
	if (o->discovery.scheme == DMSG_URL_DMSG)
		server_connect_more(o);
	else
		on_servers(-1, 0, o);
}

struct ov *
ov_new(int monitor, const uint8_t seed[32])
{
	struct ov *o = calloc(1, sizeof(*o));

	if (o == NULL || (o->base = event_base_new()) == NULL)
		return NULL;
	memcpy(o->random, seed, sizeof(o->random));
	LIST_INIT(&o->pipes);
	LIST_INIT(&o->ended_pipes);
	LIST_INIT(&o->outs);
	LIST_INIT(&o->ended_outs);
	o->ask.fd = -1;
	for (size_t i = 0; i < DMSG_SESSIONS_MAX; i++)
		o->sessions[i].fd = -1;
	o->publish_ev = evtimer_new(o->base, on_publish, o);
	o->servers_ev = evtimer_new(o->base, on_servers, o);
	o->connect_ev = evtimer_new(o->base, on_connect, o);
	if (ov_reap_init(o) == -1 || probe_init(o) == -1 ||
	    o->publish_ev == NULL || o->servers_ev == NULL ||
	    o->connect_ev == NULL || ov_mon_init(o, monitor) == -1)
		return NULL;
	return o;
}
