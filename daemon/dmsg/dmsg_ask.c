/* SPDX-License-Identifier: ISC */
/*
 * Questions to the discovery, one at a time: over TCP, or over a stream of one
 * of our sessions to the discovery's key.  PROTOCOL.dmsg 6.
 */
#include "daemon/dmsg/dmsg_life.h"
#include "daemon/dmsg/dmsg_ask.h"
#include "daemon/dmsg/dmsg_choose.h"
#include "daemon/dmsg/dmsg_mon.h"
#include "daemon/dmsg/dmsg_reap.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/base/err.h"

#define ASK_ID	    PRIV_SLOTS_MAX /* first of its sockets', behind sessions' */
#define ASK_IDS	    1024
#define REQUEST_MAX LINK_CHUNK

bool
ask_busy(const struct dmsg *d)
{
	return d->ask.state != ASK_NONE;
}

void
ask_end(struct dmsg *d, int status)
{
	struct ask *a = &d->ask;

	if (a->state != ASK_OPEN)
		return;
	a->state = ASK_ENDED;
	a->status = status;
	if (a->rd != NULL)
		event_del(a->rd);
	if (a->wr != NULL)
		event_del(a->wr);
	if (a->timer != NULL)
		event_del(a->timer);
	dmsg_reap_soon(d);
}

void
ask_reap(struct dmsg *d)
{
	struct ask *a = &d->ask;

	if (a->state != ASK_ENDED)
		return;
	a->state = ASK_LEFT;
	if (a->rd != NULL)
		event_free(a->rd);
	if (a->wr != NULL)
		event_free(a->wr);
	a->rd = a->wr = NULL;
	if (a->fd != -1)
		close(a->fd);
	a->fd = -1;
	if (a->stream != NULL) {
		dmsg_stream_close(a->stream);
		session_flush(a->session);
	}
	a->stream = NULL;
	a->session = NULL;
	link_free(&a->link);
	buf_free(&a->request);
	buf_free(&a->in);
}

/* Whoever is told may ask the next question at once. */
void
ask_reap_tell(struct dmsg *d)
{
	struct ask *a = &d->ask;
	struct dmsg_answer answer = a->answer;
	struct buf none, body;

	if (a->state != ASK_LEFT)
		return;
	buf_view(&none, "", 0);
	body = a->status != 0 ? answer.body : none;
	dmsg_answer_init(&a->answer);
	a->state = ASK_NONE;
	dmsg_answered(d, a->what, a->status, &body);
	dmsg_answer_free(&answer);
}

static void
ask_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct dmsg *d = arg;

	dmsg_log(d, LOG_LEVEL_WARN, "Discovery: no answer within %d seconds",
	    DMSG_REQUEST_S);
	ask_end(d, 0);
}

static int
ask_put_request(struct dmsg *d, const struct buf *json)
{
	struct ask *a = &d->ask;
	const struct dmsg_url *u = &d->discovery;

	switch (a->what) {
	case ASK_SERVERS:
		return dmsg_disc_available_servers(&a->request, u);
	case ASK_OWN:
		return dmsg_disc_get_entry(&a->request, u, &d->own);
	case ASK_PEER:
		return dmsg_disc_get_entry(&a->request, u, &a->peer);
	case ASK_PUBLISH:
		return dmsg_disc_put_entry(&a->request, u, json);
	case ASK_REMOVE:
	case ASK_DELETE:
		return dmsg_disc_delete_entry(&a->request, u, json);
	}
	return SKY_ERR_STATE;
}

/* Sessions in turn: one that cannot reach the discovery is not asked twice. */
static struct server_session *
next_session(struct dmsg *d)
{
	struct server_session *s;

	for (unsigned i = 0; i < DMSG_SESSIONS_MAX; i++) {
		s = &d->sessions[d->ask.turn++ % DMSG_SESSIONS_MAX];
		if (s->state == SESSION_UP)
			return s;
	}
	return NULL;
}

void
ask_begin(struct dmsg *d, enum ask_what what, const struct buf *json)
{
	struct timeval tv = { .tv_sec = DMSG_REQUEST_S };
	struct ask *a = &d->ask;

	a->state = ASK_OPEN;
	a->what = what;
	buf_init(&a->request, REQUEST_MAX);
	buf_init(&a->in, DMSG_CHUNK + 2 * FRAME_BODY_MAX);
	link_init(&a->link);
	dmsg_answer_init(&a->answer);
	if (a->timer == NULL)
		a->timer = evtimer_new(d->base, ask_on_timer, d);
	if (a->timer == NULL || event_add(a->timer, &tv) == -1 ||
	    ask_put_request(d, json) != 0) {
		ask_end(d, 0);
	} else if (d->discovery.scheme != DMSG_URL_DMSG) {
		a->id = (uint16_t)(ASK_ID + (a->id + 1) % ASK_IDS);
		dmsg_mon_connect(d, a->id, d->discovery.host,
		    d->discovery.port);
	} else if ((a->session = next_session(d)) != NULL) {
		a->signing++;
		dmsg_mon_dial(d, 0, server_port(d));
	} else
		ask_end(d, 0);
}

void
ask_peer(struct dmsg *d, const struct key_public *pk)
{
	d->ask.peer = *pk;
	ask_begin(d, ASK_PEER, NULL);
}

/* What has come in plain; true when nothing more is expected. */
static bool
ask_advance(struct dmsg *d, bool eof)
{
	struct ask *a = &d->ask;
	int r = dmsg_answer_read(&a->answer, &a->in, eof);

	if (r == 0 && !eof)
		return false;
	if (r == 1)
		ask_end(d, a->answer.status);
	else {
		dmsg_log(d, LOG_LEVEL_WARN, "Discovery: %s",
		    r == 0 ? "the answer ends too early" : err_text(r));
		ask_end(d, 0);
	}
	return true;
}

/* --- over TCP --- */

static void
ask_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct dmsg *d = arg;
	ssize_t r;

	r = buf_read(&d->ask.in, fd, DMSG_CHUNK);
	if (r != SKY_ERR_AGAIN)
		(void)ask_advance(d, r < 0);
}

static void
ask_on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct dmsg *d = arg;
	ssize_t r;

	while ((r = buf_write(&d->ask.request, fd)) > 0)
		;
	if ((r == SKY_ERR_AGAIN && event_add(d->ask.wr, NULL) == -1) ||
	    (r < 0 && r != SKY_ERR_AGAIN))
		ask_end(d, 0);
}

void
ask_connected(struct dmsg *d, uint16_t id, int fd, const char *why)
{
	struct ask *a = &d->ask;

	/* One that was given up may have an answer yet. */
	if (a->state != ASK_OPEN || id != a->id || a->fd != -1) {
		if (fd != -1)
			close(fd);
		return;
	}
	if (fd == -1) {
		dmsg_log(d, LOG_LEVEL_WARN, "Discovery: %s", why);
		ask_end(d, 0);
		return;
	}
	a->fd = fd;
	a->rd =
	    event_new(d->base, fd, EV_READ | EV_PERSIST, ask_on_readable, d);
	a->wr = event_new(d->base, fd, EV_WRITE, ask_on_writable, d);
	if (a->rd == NULL || a->wr == NULL || event_add(a->rd, NULL) == -1 ||
	    event_add(a->wr, NULL) == -1)
		ask_end(d, 0);
}

/* --- over dmsg --- */

void
ask_dialing(struct dmsg *d, struct buf *object)
{
	struct ask *a = &d->ask;

	if (--a->signing != 0 || a->state != ASK_OPEN || a->session == NULL ||
	    a->stream != NULL)
		return; /* an older one's */
	dmsg_hash(buf_ptr(object), buf_len(object), a->hash);
	a->stream =
	    dmsg_session_dial(a->session->dmsg, now_ms() / 1000, object);
	if (a->stream == NULL)
		ask_end(d, 0);
	else
		session_flush(a->session);
}

static void
ask_take_response(struct dmsg *d, struct buf *object)
{
	struct dmsg_response resp;
	struct buf sig, gob;

	if (dmsg_split_signed(object, &sig, &gob) != 0 ||
	    dmsg_get_response(&gob, &resp) != 0 || !resp.accepted ||
	    memcmp(resp.req_hash, d->ask.hash, DMSG_HASH_LEN) != 0)
		ask_end(d, 0);
	else
		dmsg_mon_dialed(d, 0, &resp.noise);
}

void
ask_dialed(struct dmsg *d, struct buf *answer)
{
	struct ask *a = &d->ask;
	uint8_t ok, keys[64];
	struct buf *wire;

	if (a->state != ASK_OPEN || a->stream == NULL || a->link.sealed)
		return;
	if (buf_get_u8(answer, &ok) != 0 || ok == 0 ||
	    buf_get(answer, keys, sizeof(keys)) != 0) {
		dmsg_log(d, LOG_LEVEL_WARN,
		    "Discovery: it does not prove its key");
		ask_end(d, 0);
		return;
	}
	link_keys(&a->link, keys, keys + 32);
	explicit_bzero(keys, sizeof(keys));
	wire = &a->link.wire_out; /* it has room for all of a request */
	if (link_seal(&a->link, &a->request) != 0 ||
	    dmsg_stream_write(a->stream, buf_ptr(wire), buf_len(wire)) !=
		(ssize_t)buf_len(wire))
		ask_end(d, 0);
	else
		session_flush(a->session);
	buf_free(wire);
}

static void
take_bytes(struct dmsg *d)
{
	struct ask *a = &d->ask;
	const struct buf *in;
	size_t n;

	while (a->state == ASK_OPEN) {
		in = dmsg_stream_in(a->stream);
		n = buf_len(in);
		if (n > buf_room(&a->link.wire_in))
			n = buf_room(&a->link.wire_in);
		if (buf_put(&a->link.wire_in, buf_ptr(in), n) != 0 ||
		    dmsg_stream_consume(a->stream, n) != 0 ||
		    link_open(&a->link, &a->in) != 0) {
			ask_end(d, 0);
			return;
		}
		if (ask_advance(d, dmsg_stream_eof(a->stream)) || n == 0)
			return;
	}
}

void
ask_handle(struct dmsg *d, struct dmsg_event *ev)
{
	if (d->ask.state != ASK_OPEN)
		return;
	if (ev->what == DMSG_ANSWER)
		ask_take_response(d, &ev->object);
	else if (ev->what == DMSG_END)
		ask_end(d, 0);
	else if (d->ask.link.sealed && ev->what == DMSG_READ)
		take_bytes(d);
}

void
ask_session_gone(struct dmsg *d, const struct server_session *s)
{
	if (d->ask.session == s)
		ask_end(d, 0);
}
