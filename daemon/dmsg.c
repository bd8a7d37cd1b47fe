/* SPDX-License-Identifier: ISC */
/*
 * skyptyd-dmsg: its life.  Servers come from the configuration or the
 * discovery, sessions are kept with some of them, and which these are is
 * published, again and again.  spec: dmsg.md 6.6, 6.8, 7.
 */
#include "daemon/dmsg.h"

#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/aead.h"
#include "common/err.h"

#define SETTLE_MS      1000 /* changes of sessions are gathered so long */
#define PUBLISH_MIN_MS 1000
#define PUBLISH_MAX_MS 30000
#define SERVERS_MIN_MS 1000
#define SERVERS_MAX_MS 20000
#define CONNECT_MS     2000 /* looking for a server that may be tried again */
#define SOON_MS	       100  /* before the next one is tried */
#define TRIES_MAX      5    /* for a sequence that somebody else took */
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

static void
arm(struct event *ev, int64_t ms)
{
	struct timeval tv = { .tv_sec = ms / 1000,
		.tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	event_add(ev, &tv);
}

/* --- servers --- */

static void
on_servers(evutil_socket_t fd, short what, void *arg)
{
	struct ov *o = arg;

	(void)fd, (void)what;
	if (ask_busy(o))
		arm(o->servers_ev, SETTLE_MS);
	else
		ask(o, ASK_SERVERS, NULL);
}

static int
add_server(void *arg, const struct dmsg_entry *e)
{
	server_add(arg, e, false);
	return 0;
}

static void
servers_answered(struct ov *o, int status, struct buf *body)
{
	size_t before = o->nservers;

	if (status == HTTP_OK)
		(void)dmsg_get_servers(body, add_server, o);
	if (server_live(o) != 0 || o->nservers != before)
		o->servers_ms = SERVERS_MIN_MS;
	else if ((o->servers_ms = o->servers_ms * 13 / 10) > SERVERS_MAX_MS)
		o->servers_ms = SERVERS_MAX_MS;
	if (o->nservers == 0) {
		ov_log(o, LOG_LEVEL_WARN, "Discovery names no dmsg server");
		arm(o->servers_ev, o->servers_ms);
		return;
	}
	if (o->nservers != before)
		ov_log(o, LOG_LEVEL_INFO, "%zu dmsg servers are known",
		    o->nservers);
	server_connect_more(o);
}

static void
on_connect(evutil_socket_t fd, short what, void *arg)
{
	struct ov *o = arg;

	(void)fd, (void)what;
	arm(o->connect_ev, CONNECT_MS);
	server_connect_more(o);
	status_tell(o);
	/* When all that are known fail, there may be others by now. */
	if (server_live(o) == 0 && o->discovery.scheme != DMSG_URL_DMSG &&
	    !ask_busy(o) && !event_pending(o->servers_ev, EV_TIMEOUT, NULL))
		arm(o->servers_ev, o->servers_ms);
}

void
ov_connect_soon(struct ov *o)
{
	arm(o->connect_ev, SOON_MS);
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
		arm(o->publish_ev, SETTLE_MS);
	/* A discovery on dmsg can be asked now. */
	if (o->discovery.scheme == DMSG_URL_DMSG && server_live(o) == 1 &&
	    !event_pending(o->servers_ev, EV_TIMEOUT, NULL))
		arm(o->servers_ev, SETTLE_MS / 10);
}

/* --- our entry --- */

static void
publish_later(struct ov *o, bool failed)
{
	int64_t jitter = (int64_t)(ov_random(o) % 5000);

	if (!failed) {
		o->publish_ms = PUBLISH_MIN_MS;
		arm(o->publish_ev, OV_PUBLISH_S * 1000 + jitter);
		return;
	}
	arm(o->publish_ev, o->publish_ms);
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
		arm(o->publish_ev, SETTLE_MS);
	else if ((pause = sign_pause(o)) > 0)
		arm(o->publish_ev, pause);
	else
		ask(o, ASK_OWN, NULL);
}

static void
sign_entry(struct ov *o)
{
	struct dmsg_entry e = { .sequence = o->known ? o->sequence + 1 : 0 };
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	e.timestamp = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	if (o->known && e.timestamp < o->stamp)
		e.timestamp = o->stamp;
	for (size_t i = 0; i < OV_SESSIONS_MAX; i++)
		if (o->sessions[i].state == SESSION_UP && !o->sessions[i].extra)
			e.delegated[e.ndelegated++] = o->sessions[i].server->pk;
	o->dirty = false;
	ov_mon_entry(o, &e);
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

static void
own_answered(struct ov *o, int status, struct buf *body)
{
	struct dmsg_entry e;

	if (status == HTTP_OK && dmsg_get_entry(body, &e) == 0) {
		if (is_future(&e)) {
			ov_log(o, LOG_LEVEL_WARN,
			    "Our entry in the discovery is of the future: the "
			    "clock is wrong, or somebody has our key");
			publish_later(o, true);
			return;
		}
		o->known = true;
		o->sequence = e.sequence;
		o->stamp = e.timestamp;
	} else if (status == HTTP_NOT_FOUND &&
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
	if (buf_put(&o->posted, buf_ptr(json), buf_len(json)) != 0)
		_exit(1);
	if (o->stopping)
		return;
	if (ask_busy(o))
		publish_later(o, true);
	else
		ask(o, ASK_PUBLISH, &o->posted);
}

static void
published(struct ov *o, int status, struct buf *body)
{
	char why[128];
	int error;

	if (status == HTTP_OK) {
		if (!o->ready)
			ov_log(o, LOG_LEVEL_INFO,
			    "Reachable over dmsg, port %u", o->port);
		o->ready = true;
		o->published_ms = now_ms();
		o->tries = 0;
		publish_later(o, false);
		if (o->dirty)
			arm(o->publish_ev, SETTLE_MS);
		return;
	}
	error = dmsg_get_error(body, why, sizeof(why));
	if (status == HTTP_UNPROCESSABLE && error == DMSG_ERROR_SEQUENCE &&
	    ++o->tries < TRIES_MAX) {
		arm(o->publish_ev, 100 << o->tries);
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
leave(struct ov *o)
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
	if (ev == NULL || buf_len(&o->posted) == 0 || server_live(o) == 0)
		_exit(0);
	arm(ev, OV_LEAVE_S * 1000);
	leave(o);
}

void
ov_answered(struct ov *o, enum ask_what what, int status, struct buf *body)
{
	if (what == ASK_DELETE)
		_exit(0);
	if (o->stopping) {
		leave(o);
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
	default:
		published(o, status, body);
	}
	out_ask(o);
}

/* --- the beginning --- */

static int
read_servers(struct ov *o, struct buf *b)
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
	return r == 0 ? read_servers(o, b) : r;
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
	arm(o->connect_ev, CONNECT_MS);
	if (o->discovery.scheme == DMSG_URL_DMSG)
		server_connect_more(o);
	else
		on_servers(-1, 0, o);
}

/* Everything that the filter would forbid later. */
static int
set_up(struct ov *o)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	closefrom(PRIV_FD_COUNT);
	close(PRIV_FD_CONN);
	if (sodium_init() == -1 || (o->base = event_base_new()) == NULL)
		return -1;
	aead_bulk_prepare();
	randombytes_buf(o->random, sizeof(o->random));
	LIST_INIT(&o->pipes);
	LIST_INIT(&o->outs);
	o->ask.fd = -1;
	o->publish_ev = evtimer_new(o->base, on_publish, o);
	o->servers_ev = evtimer_new(o->base, on_servers, o);
	o->connect_ev = evtimer_new(o->base, on_connect, o);
	o->outs_ev = evtimer_new(o->base, out_retry, o);
	if (o->outs_ev == NULL || o->publish_ev == NULL ||
	    o->servers_ev == NULL || o->connect_ev == NULL)
		return -1;
	for (size_t i = 0; i < OV_SESSIONS_MAX; i++)
		o->sessions[i].fd = -1;
	return ov_mon_init(o, PRIV_FD_PEER);
}

int
main(void)
{
	struct ov *o;

	if ((o = calloc(1, sizeof(*o))) == NULL || set_up(o) == -1)
		_exit(1);
	ov_mon_welcome(o);
	event_base_dispatch(o->base);
	_exit(1);
}
