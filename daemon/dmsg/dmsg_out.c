/* SPDX-License-Identifier: ISC */
/*
 * Streams to others, which somebody on the control socket has asked for: the
 * peer's entry, a session with one of its servers, a request that the monitor
 * signs.  The keys never come here; what is moved is sealed.
 * PROTOCOL.dmsg 4.6.
 */
#include "daemon/dmsg/dmsg_life.h"
#include "daemon/dmsg/dmsg_choose.h"
#include "daemon/dmsg/dmsg_mon.h"
#include "daemon/dmsg/dmsg_out.h"
#include "daemon/dmsg/dmsg_pipe.h"
#include "daemon/dmsg/dmsg_reap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/err.h"

#define HTTP_OK 200

static void try_next(struct out *);

void
out_end(struct out *t)
{
	struct dmsg *d = t->d;

	if (t->state == OUT_ENDED)
		return;
	t->state = OUT_ENDED;
	LIST_REMOVE(t, entry);
	LIST_INSERT_HEAD(&d->ended_outs, t, entry);
	if (t->timer != NULL)
		event_del(t->timer);
	dmsg_reap_soon(d);
}

void
outs_reap(struct dmsg *d)
{
	struct out *t;

	while ((t = LIST_FIRST(&d->ended_outs)) != NULL) {
		LIST_REMOVE(t, entry);
		if (t->timer != NULL)
			event_free(t->timer);
		if (t->stream != NULL) {
			dmsg_stream_close(t->stream);
			session_flush(t->session);
		}
		if (t->fd != -1)
			close(t->fd);
		free(t);
	}
}

static void
out_give_up(struct out *t, const char *why)
{
	/* Once the response is there the monitor has the last word. */
	if (t->state != OUT_PROVING)
		dmsg_mon_give_up(t->d, t->id, why);
	out_end(t);
}

static void
out_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct out *t = arg;

	out_give_up(t,
	    t->state < OUT_SIGNING ? "no server of its answers" :
				     "it does not answer");
}

static struct out *
out_by_id(struct dmsg *d, uint16_t id)
{
	struct out *t;

	LIST_FOREACH (t, &d->outs, entry)
		if (t->id == id)
			return t;
	return NULL;
}

/* An older one of that id has been given up over there. */
void
out_begin(struct dmsg *d, uint16_t id, int fd, struct buf *b)
{
	struct timeval tv = { .tv_sec = DMSG_DIAL_S };
	struct out *t = out_by_id(d, id);

	if (t != NULL)
		out_end(t);
	if ((t = calloc(1, sizeof(*t))) == NULL) {
		dmsg_mon_give_up(d, id, err_text(SKY_ERR_NOMEM));
		if (fd != -1)
			close(fd);
		return;
	}
	t->d = d;
	t->id = id;
	t->fd = fd;
	LIST_INSERT_HEAD(&d->outs, t, entry);
	if (fd == -1 || buf_get(b, t->peer.b, sizeof(t->peer.b)) != 0 ||
	    (t->timer = evtimer_new(d->base, out_on_timer, t)) == NULL ||
	    event_add(t->timer, &tv) == -1)
		out_give_up(t, err_text(SKY_ERR_NOMEM));
	else
		out_ask(d);
}

/* --- where it is --- */

void
out_ask(struct dmsg *d)
{
	struct out *t;

	if (ask_busy(d))
		return;
	LIST_FOREACH (t, &d->outs, entry) {
		if (t->state != OUT_PEER && t->state != OUT_ADDRESS)
			continue;
		t->asking = true;
		ask_peer(d,
		    t->state == OUT_PEER ? &t->peer : &t->server[t->tried]);
		return;
	}
}

static bool
is_known(const struct dmsg *d, const struct key_public *pk)
{
	for (size_t i = 0; i < d->nservers; i++)
		if (memcmp(d->servers[i].pk.b, pk->b, KEY_PUBLIC_LEN) == 0)
			return true;
	return false;
}

static void
take_peer(struct out *t, const struct dmsg_entry *e)
{
	if (memcmp(e->pk.b, t->peer.b, KEY_PUBLIC_LEN) != 0) {
		out_give_up(t, "the discovery answers for another key");
		return;
	}
	for (size_t i = 0; i < e->ndelegated && t->nservers < OUT_SERVERS_MAX;
	     i++)
		t->server[t->nservers++] = e->delegated[i];
	if (t->nservers == 0)
		out_give_up(t, "it is in the discovery, but on no server");
	else
		try_next(t);
}

static void
take_address(struct out *t, const struct dmsg_entry *e)
{
	if (e != NULL &&
	    memcmp(e->pk.b, t->server[t->tried].b, KEY_PUBLIC_LEN) == 0)
		server_add(t->d, e, false);
	if (e != NULL && !is_known(t->d, &t->server[t->tried]))
		e = NULL;
	t->state = OUT_SESSION;
	if (e == NULL) {
		strlcpy(t->why, "the address of its server is not known",
		    sizeof(t->why));
		t->tried++;
	}
	try_next(t);
}

void
out_answered(struct dmsg *d, int status, struct buf *body)
{
	struct dmsg_entry e, *entry = NULL;
	struct out *t;

	LIST_FOREACH (t, &d->outs, entry)
		if (t->asking)
			break;
	if (t == NULL)
		return; /* given up meanwhile */
	t->asking = false;
	if (status == HTTP_OK && dmsg_get_entry(body, &e) == 0)
		entry = &e;
	if (t->state == OUT_ADDRESS)
		take_address(t, entry);
	else if (entry != NULL)
		take_peer(t, entry);
	else if (status != 0 &&
	    dmsg_get_error(body, NULL, 0) == DMSG_ERROR_NOT_FOUND)
		out_give_up(t, "it is not in the discovery");
	else
		out_give_up(t, "no answer of the discovery");
}

/* --- by which server --- */

/*
 * One that there is a session with comes first.  A request is signed but once:
 * what fails behind it is the end.
 */
static bool
try_sessions(struct out *t)
{
	struct server_session *s;

	for (size_t i = 0; i < t->nservers; i++)
		for (size_t k = 0; k < DMSG_SESSIONS_MAX; k++) {
			s = &t->d->sessions[k];
			if (s->state != SESSION_UP ||
			    memcmp(s->server->pk.b, t->server[i].b,
				KEY_PUBLIC_LEN) != 0)
				continue;
			t->session = s;
			t->state = OUT_SIGNING;
			dmsg_mon_dial(t->d, t->id, server_port(t->d));
			return true;
		}
	return false;
}

static void
try_next(struct out *t)
{
	char text[200];
	const char *why;

	if (try_sessions(t))
		return;
	for (; t->tried < t->nservers; t->tried++) {
		if (!is_known(t->d, &t->server[t->tried])) {
			t->state = OUT_ADDRESS;
			out_ask(t->d);
			return;
		}
		t->state = OUT_SESSION;
		(void)server_session(t->d, &t->server[t->tried], &why);
		if (why == NULL)
			return;
		strlcpy(t->why, why, sizeof(t->why));
	}
	snprintf(text, sizeof(text), "no server of its can be reached: %s",
	    t->why);
	out_give_up(t, text);
}

void
out_server_up(struct dmsg *d)
{
	struct out *t;

	LIST_FOREACH (t, &d->outs, entry)
		if (t->state == OUT_SESSION)
			(void)try_sessions(t);
}

void
out_server_failed(struct dmsg *d, const struct server *sv, const char *why)
{
	struct out *t;

	LIST_FOREACH (t, &d->outs, entry) {
		if (t->state != OUT_SESSION || t->tried >= t->nservers ||
		    memcmp(t->server[t->tried].b, sv->pk.b, KEY_PUBLIC_LEN) !=
			0)
			continue;
		strlcpy(t->why, why, sizeof(t->why));
		t->tried++;
		t->retry = true;
		dmsg_reap_soon(d);
	}
}

/* Whoever waits for a session may have waited for a place. */
void
out_place_free(struct dmsg *d)
{
	struct out *t;

	LIST_FOREACH (t, &d->outs, entry)
		t->retry = t->retry || t->state == OUT_SESSION;
}

void
outs_reap_retry(struct dmsg *d)
{
	struct out *t;

	do {
		LIST_FOREACH (t, &d->outs, entry)
			if (t->retry)
				break;
		if (t != NULL) {
			t->retry = false;
			if (t->state == OUT_SESSION)
				try_next(t);
		}
	} while (t != NULL);
}

void
out_session_gone(struct dmsg *d, const struct server_session *s)
{
	struct out *t, *next;

	for (t = LIST_FIRST(&d->outs); t != NULL; t = next) {
		next = LIST_NEXT(t, entry);
		if (t->session == s && t->state >= OUT_SIGNING)
			out_give_up(t, "the session with its server was lost");
	}
}

/* --- request and response --- */

void
out_signed(struct dmsg *d, uint16_t id, struct buf *object)
{
	struct out *t = out_by_id(d, id);

	if (t == NULL || t->state != OUT_SIGNING)
		return;
	dmsg_hash(buf_ptr(object), buf_len(object), t->hash);
	t->stream =
	    dmsg_session_dial(t->session->dmsg, now_ms() / 1000, object);
	if (t->stream == NULL) {
		out_give_up(t, "its server takes no stream");
		return;
	}
	t->state = OUT_DIALED;
	session_flush(t->session);
}

static void
out_take_response(struct out *t, struct buf *object)
{
	struct dmsg_response resp;
	struct buf sig, gob;

	if (dmsg_split_signed(object, &sig, &gob) != 0 ||
	    dmsg_get_response(&gob, &resp) != 0 ||
	    memcmp(resp.req_hash, t->hash, DMSG_HASH_LEN) != 0)
		out_give_up(t, "the response is malformed");
	else if (!resp.accepted)
		out_give_up(t, dmsg_code_text(resp.code));
	else {
		t->state = OUT_PROVING;
		dmsg_mon_dialed(t->d, t->id, &resp.noise);
	}
}

void
out_proven(struct dmsg *d, uint16_t id, struct buf *answer)
{
	struct out *t = out_by_id(d, id);
	uint8_t ok;

	if (t == NULL || t->state != OUT_PROVING)
		return;
	if (buf_get_u8(answer, &ok) == 0 && ok) {
		pipe_join(t->session, t->stream, t->fd);
		t->stream = NULL;
		t->fd = -1;
	}
	out_end(t);
}

bool
out_handle(struct dmsg *d, struct dmsg_event *ev)
{
	struct out *t;

	LIST_FOREACH (t, &d->outs, entry)
		if (t->stream == ev->stream)
			break;
	if (t == NULL)
		return false;
	if (ev->what == DMSG_ANSWER && t->state == OUT_DIALED)
		out_take_response(t, &ev->object);
	else if (ev->what == DMSG_END)
		out_give_up(t, "its server cannot reach it");
	return true;
}
