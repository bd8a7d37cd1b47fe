/* SPDX-License-Identifier: ISC */
/*
 * skyptyd-dmsg: its life.  Servers come from the configuration or the
 * discovery, sessions are kept with some of them, and which these are is
 * published, again and again.  PROTOCOL.dmsg 6.6, 6.8, 7.
 */
#include "daemon/dmsg/dmsg_life.h"
#include "daemon/dmsg/dmsg_choose.h"
#include "daemon/dmsg/dmsg_mon.h"
#include "daemon/dmsg/dmsg_out.h"
#include "daemon/dmsg/dmsg_reap.h"
#include "daemon/dmsg/dmsg_status.h"

#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/rate.h"
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
dmsg_random(struct dmsg *d)
{
	uint8_t block[40];
	uint64_t v;

	randombytes_buf_deterministic(block, sizeof(block), d->random);
	memcpy(d->random, block, sizeof(d->random));
	memcpy(&v, block + sizeof(d->random), sizeof(v));
	return v;
}

void
dmsg_arm(struct event *ev, int64_t ms)
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
	struct dmsg *d = arg;

	if (ask_busy(d)) {
		dmsg_arm(d->servers_ev, SETTLE_MS);
		return;
	}
	d->listed_ms = now_ms();
	ask_begin(d, ASK_SERVERS, NULL);
}

static int
dmsg_add_server(void *arg, const struct dmsg_entry *e)
{
	struct dmsg *d = arg;

	server_add(d, e, false);
	server_listed(d, &e->pk);
	return 0;
}

static void
servers_answered(struct dmsg *d, int status, struct buf *body)
{
	size_t before = d->nservers;

	if (status == HTTP_OK && ++d->round != 0)
		(void)dmsg_get_servers(body, dmsg_add_server, d);
	if (server_live(d) != 0 || d->nservers != before)
		d->servers_ms = SERVERS_MIN_MS;
	else if ((d->servers_ms = d->servers_ms * 13 / 10) > SERVERS_MAX_MS)
		d->servers_ms = SERVERS_MAX_MS;
	if (d->nservers == 0) {
		dmsg_log(d, LOG_LEVEL_WARN, "Discovery names no dmsg server");
		dmsg_arm(d->servers_ev, d->servers_ms);
		return;
	}
	if (d->nservers != before)
		dmsg_log(d, LOG_LEVEL_INFO, "%zu dmsg servers are known",
		    d->nservers);
	server_connect_more(d);
}

/* Servers come, go and move: when what is known fails, and now and then. */
static void
list_again(struct dmsg *d)
{
	size_t live = server_live(d);
	int64_t pause = server_missing(d) ? LIST_MISSING_MS : LIST_MS;

	if (d->stopping || ask_busy(d) ||
	    event_pending(d->servers_ev, EV_TIMEOUT, NULL))
		return;
	if (live != 0 && now_ms() - d->listed_ms >= pause)
		on_servers(-1, 0, d);
	else if (live == 0 && d->discovery.scheme != DMSG_URL_DMSG)
		dmsg_arm(d->servers_ev, d->servers_ms);
}

static void
on_connect(evutil_socket_t fd, short what, void *arg)
{
	struct dmsg *d = arg;

	dmsg_arm(d->connect_ev, CONNECT_MS);
	server_connect_more(d);
	status_tell(d);
	list_again(d);
}

void
dmsg_connect_soon(struct dmsg *d)
{
	dmsg_arm(d->connect_ev, SOON_MS);
}

void
dmsg_sessions_changed(struct dmsg *d)
{
	bool waiting =
	    d->dirty && event_pending(d->publish_ev, EV_TIMEOUT, NULL);

	if (d->stopping)
		return;
	d->dirty = true;
	/* From the first change on: ever more of them put nothing off. */
	if (!waiting)
		dmsg_arm(d->publish_ev, SETTLE_MS);
	/* A discovery on dmsg can be asked now. */
	if (d->discovery.scheme == DMSG_URL_DMSG && server_live(d) == 1 &&
	    !event_pending(d->servers_ev, EV_TIMEOUT, NULL))
		dmsg_arm(d->servers_ev, SETTLE_MS / 10);
}

/* --- our entry --- */

static void
publish_later(struct dmsg *d, bool failed)
{
	int64_t jitter = (int64_t)(dmsg_random(d) % 5000);

	if (!failed) {
		d->publish_ms = PUBLISH_MIN_MS;
		dmsg_arm(d->publish_ev, DMSG_PUBLISH_S * 1000 + jitter);
		return;
	}
	dmsg_arm(d->publish_ev, d->publish_ms);
	d->publish_ms = d->publish_ms * 2 < PUBLISH_MAX_MS ? d->publish_ms * 2 :
							     PUBLISH_MAX_MS;
}

/* How long to wait until something may be signed again. */
static int64_t
sign_pause(struct dmsg *d)
{
	int64_t now = now_ms();
	int64_t pause =
	    rate_owed(d->signed_ms, now) - (SIGN_BURST - 1) * SIGN_MS;

	if (pause <= 0)
		rate_owe(&d->signed_ms, now, SIGN_MS);
	return pause;
}

static void
on_publish(evutil_socket_t fd, short what, void *arg)
{
	struct dmsg *d = arg;
	int64_t pause;

	if (server_live(d) == 0)
		return; /* the next session comes back here */
	if (ask_busy(d))
		dmsg_arm(d->publish_ev, SETTLE_MS);
	else if ((pause = sign_pause(d)) > 0)
		dmsg_arm(d->publish_ev, pause);
	else
		ask_begin(d, ASK_OWN, NULL);
}

static void
sign_entry(struct dmsg *d)
{
	struct dmsg_entry e = { .sequence = d->known ? d->sequence + 1 : 0 };
	const struct server_session *s;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	e.timestamp = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	if (d->known && e.timestamp < d->stamp)
		e.timestamp = d->stamp;
	for (size_t i = 0; i < DMSG_SESSIONS_MAX; i++) {
		s = &d->sessions[i];
		if (s->state == SESSION_UP && !s->extra && !s->probe.lost)
			e.delegated[e.ndelegated++] = s->server->pk;
	}
	d->dirty = false;
	d->last = e.sequence;
	dmsg_mon_entry(d, &e);
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
dmsg_outgrow(struct dmsg *d, const struct dmsg_entry *e)
{
	if (d->published_ms != 0 && e->sequence > d->last &&
	    may_tell(&d->other_ms))
		dmsg_log(d, LOG_LEVEL_WARN,
		    "Our entry in the discovery was written by somebody else: "
		    "does another process use this key?");
	d->known = true;
	d->sequence = e->sequence;
	d->stamp = e->timestamp;
	sign_entry(d);
}

/* It can be taken out by whoever has the key, whatever its number is. */
static void
remove_entry(struct dmsg *d)
{
	if (may_tell(&d->future_ms))
		dmsg_log(d, LOG_LEVEL_WARN,
		    "Our entry in the discovery is of the future: a clock is "
		    "or was wrong, or somebody has our key; it is taken out");
	d->known = false;
	d->removing = true;
	sign_entry(d);
}

static void
dmsg_removed(struct dmsg *d, int status, struct buf *body)
{
	char why[128];

	if (status == HTTP_OK && ++d->tries < TRIES_MAX) {
		dmsg_arm(d->publish_ev, 100);
		return;
	}
	d->tries = 0;
	if (status != HTTP_OK) {
		(void)dmsg_get_error(body, why, sizeof(why));
		dmsg_log(d, LOG_LEVEL_WARN, "Our entry cannot be taken out: %s",
		    status == 0 ? "no answer of the discovery" : why);
	}
	publish_later(d, true);
}

static void
own_answered(struct dmsg *d, int status, struct buf *body)
{
	struct dmsg_entry e;

	if (status == HTTP_OK && dmsg_get_entry(body, &e) == 0) {
		if (memcmp(e.pk.b, d->own.b, KEY_PUBLIC_LEN) != 0) {
			dmsg_log(d, LOG_LEVEL_WARN,
			    "Discovery: it answers for another key than ours");
			publish_later(d, true);
		} else if (is_future(&e))
			remove_entry(d);
		else
			dmsg_outgrow(d, &e);
		return;
	}
	if (status == HTTP_NOT_FOUND &&
	    dmsg_get_error(body, NULL, 0) == DMSG_ERROR_NOT_FOUND)
		d->known = false;
	else {
		publish_later(d, true);
		return;
	}
	sign_entry(d);
}

void
dmsg_entry_signed(struct dmsg *d, struct buf *json)
{
	buf_free(&d->posted);
	buf_init(&d->posted, 64 * 1024);
	if (d->stopping)
		return;
	if (buf_put(&d->posted, buf_ptr(json), buf_len(json)) != 0 ||
	    ask_busy(d))
		publish_later(d, true);
	else
		ask_begin(d, d->removing ? ASK_REMOVE : ASK_PUBLISH,
		    &d->posted);
	d->removing = false;
}

void
dmsg_tell_ready(struct dmsg *d)
{
	if (d->ready || d->published_ms == 0 || probe_count(d) == 0)
		return;
	d->ready = true;
	dmsg_log(d, LOG_LEVEL_INFO, "Reachable over dmsg, port %u", d->port);
}

static void
dmsg_published(struct dmsg *d, int status, struct buf *body)
{
	char why[128];
	int error;

	if (status == HTTP_OK) {
		d->published_ms = now_ms();
		dmsg_tell_ready(d);
		d->tries = 0;
		publish_later(d, false);
		if (d->dirty)
			dmsg_arm(d->publish_ev, SETTLE_MS);
		return;
	}
	error = dmsg_get_error(body, why, sizeof(why));
	if (status == HTTP_UNPROCESSABLE && error == DMSG_ERROR_SEQUENCE &&
	    ++d->tries < TRIES_MAX) {
		dmsg_arm(d->publish_ev, 100 << d->tries);
		return;
	}
	d->tries = 0;
	dmsg_log(d, LOG_LEVEL_WARN, "Our entry is not published: %s",
	    status == 0 ? "no answer of the discovery" : why);
	publish_later(d, true);
}

/* --- the end --- */

static void
on_leave(evutil_socket_t fd, short what, void *arg)
{
	_exit(0);
}

static void
dmsg_leave(struct dmsg *d)
{
	if (buf_len(&d->posted) != 0 && !ask_busy(d))
		ask_begin(d, ASK_DELETE, &d->posted);
}

/* Without it peers would go on dialing servers that know us no more. */
void
dmsg_stop(struct dmsg *d)
{
	struct event *ev = evtimer_new(d->base, on_leave, d);

	d->stopping = true;
	event_del(d->publish_ev);
	event_del(d->servers_ev);
	event_del(d->probe_ev);
	if (ev == NULL || buf_len(&d->posted) == 0 || server_live(d) == 0)
		_exit(0);
	dmsg_arm(ev, DMSG_LEAVE_S * 1000);
	dmsg_leave(d);
}

void
dmsg_answered(struct dmsg *d, enum ask_what what, int status, struct buf *body)
{
	if (what == ASK_DELETE)
		_exit(0);
	if (d->stopping) {
		dmsg_leave(d);
		return;
	}
	switch (what) {
	case ASK_SERVERS:
		servers_answered(d, status, body);
		break;
	case ASK_OWN:
		own_answered(d, status, body);
		break;
	case ASK_PEER:
		out_answered(d, status, body);
		break;
	case ASK_REMOVE:
		dmsg_removed(d, status, body);
		break;
	default:
		dmsg_published(d, status, body);
	}
	out_ask(d);
}

/* --- the beginning --- */

static int
dmsg_read_servers(struct dmsg *d, struct buf *b)
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
		server_add(d, &e, true);
	}
	return buf_at_end(b);
}

void
dmsg_configured(struct dmsg *d, struct buf *b)
{
	char *url = NULL;
	int r;

	if ((r = buf_get(b, d->own.b, sizeof(d->own.b))) == 0 &&
	    (r = buf_get_u16(b, &d->port)) == 0 &&
	    (r = buf_get_u32(b, &d->wanted)) == 0 &&
	    (r = buf_get_cstring(b, &url, PRIVMSG_TEXT_MAX)) == 0 &&
	    (r = dmsg_disc_url(url, &d->discovery)) == 0)
		r = dmsg_read_servers(d, b);
	free(url);
	if (r != 0) {
		dmsg_log(d, LOG_LEVEL_ERROR,
		    "The configuration of dmsg is refused: %s", err_text(r));
		_exit(1);
	}
	d->publish_ms = PUBLISH_MIN_MS;
	d->servers_ms = SERVERS_MIN_MS;
	dmsg_arm(d->connect_ev, CONNECT_MS);
	if (d->discovery.scheme == DMSG_URL_DMSG)
		server_connect_more(d);
	else
		on_servers(-1, 0, d);
}

struct dmsg *
dmsg_new(int monitor, const uint8_t seed[32])
{
	struct dmsg *d = calloc(1, sizeof(*d));

	if (d == NULL || (d->base = event_base_new()) == NULL)
		return NULL;
	memcpy(d->random, seed, sizeof(d->random));
	LIST_INIT(&d->pipes);
	LIST_INIT(&d->ended_pipes);
	LIST_INIT(&d->outs);
	LIST_INIT(&d->ended_outs);
	d->ask.fd = -1;
	for (size_t i = 0; i < DMSG_SESSIONS_MAX; i++)
		d->sessions[i].fd = -1;
	d->publish_ev = evtimer_new(d->base, on_publish, d);
	d->servers_ev = evtimer_new(d->base, on_servers, d);
	d->connect_ev = evtimer_new(d->base, on_connect, d);
	if (dmsg_reap_init(d) == -1 || probe_init(d) == -1 ||
	    d->publish_ev == NULL || d->servers_ev == NULL ||
	    d->connect_ev == NULL || dmsg_mon_init(d, monitor) == -1)
		return NULL;
	return d;
}
