/* SPDX-License-Identifier: ISC */
/* A session with a dmsg server, from socket to end.  PROTOCOL.dmsg 2. */
#include "daemon/dmsg/dmsg_life.h"
#include "daemon/dmsg/dmsg_choose.h"
#include "daemon/dmsg/dmsg_mon.h"
#include "daemon/dmsg/dmsg_out.h"
#include "daemon/dmsg/dmsg_pipe.h"
#include "daemon/dmsg/dmsg_reap.h"
#include "daemon/dmsg/dmsg_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/addr.h"
#include "common/base/err.h"

#define QUIET_MS 200 /* between failures that are logged */

static void server_on_readable(evutil_socket_t, short, void *);
static void server_on_writable(evutil_socket_t, short, void *);
static void server_on_timer(evutil_socket_t, short, void *);

/* --- the end --- */

void
session_end(struct server_session *s, const char *why)
{
	if (s->state == SESSION_FREE || s->state == SESSION_ENDING)
		return;
	if (s->state == SESSION_BEGUN || s->state == SESSION_SENT)
		dmsg_mon_drop(s->d, s->slot);
	s->was_up = s->state == SESSION_UP;
	s->state = SESSION_ENDING;
	s->left = false;
	strlcpy(s->why, why != NULL ? why : "", sizeof(s->why));
	if (s->rd != NULL)
		event_del(s->rd);
	if (s->wr != NULL)
		event_del(s->wr);
	if (s->timer != NULL)
		event_del(s->timer);
	dmsg_reap_soon(s->d);
}

void
sessions_reap_users(struct dmsg *d)
{
	struct pipe *p, *next;
	struct server_session *s;

	for (size_t i = 0; i < DMSG_SESSIONS_MAX; i++) {
		s = &d->sessions[i];
		if (s->state != SESSION_ENDING)
			continue;
		s->left = true;
		ask_session_gone(d, s);
		out_session_gone(d, s);
		for (p = LIST_FIRST(&d->pipes); p != NULL; p = next) {
			next = LIST_NEXT(p, entry);
			if (p->session == s)
				pipe_end(p);
		}
	}
}

static void
free_session(struct server_session *s)
{
	dmsg_session_free(s->dmsg);
	s->dmsg = NULL;
	if (s->rd != NULL)
		event_free(s->rd);
	if (s->wr != NULL)
		event_free(s->wr);
	s->rd = s->wr = NULL;
	if (s->fd != -1)
		close(s->fd);
	s->fd = -1;
	buf_free(&s->in);
	buf_free(&s->out);
	explicit_bzero(s->keys, sizeof(s->keys));
	s->probe = (struct probe){ .signing = false };
	s->server->used = false;
	s->state = SESSION_FREE;
}

/* Of many failures at once some are logged: they drive out nothing else. */
static void
log_end(struct dmsg *d, const struct server_session *s)
{
	int64_t now = now_ms();

	if (*s->why == '\0') {
		dmsg_log(d, LOG_LEVEL_DEBUG,
		    "dmsg server %s: session of no use", s->address);
		return;
	}
	if (!s->was_up && now < d->quiet_ms)
		return;
	if (!s->was_up)
		d->quiet_ms = now + QUIET_MS;
	dmsg_log(d, LOG_LEVEL_INFO, "dmsg server %s: %s%s", s->address,
	    s->was_up ? "session lost: " : "", s->why);
}

/* One that has ended since sessions_reap_users waits for the next round. */
void
sessions_reap(struct dmsg *d)
{
	struct server_session *s;

	for (size_t i = 0; i < DMSG_SESSIONS_MAX; i++) {
		s = &d->sessions[i];
		if (s->state != SESSION_ENDING || !s->left)
			continue;
		log_end(d, s);
		free_session(s);
		if (*s->why != '\0') {
			server_failed(d, s);
			if (s->was_up)
				dmsg_sessions_changed(d);
			else
				dmsg_connect_soon(d);
			out_server_failed(d, s->server, s->why);
		}
		out_place_free(d);
	}
}

/* --- the beginning --- */

static void
server_arm(struct server_session *s, int64_t ms)
{
	struct timeval tv = { .tv_sec = ms / 1000,
		.tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	if (event_add(s->timer, &tv) == -1)
		session_end(s, err_text(SKY_ERR_NOMEM));
}

void
session_connect(struct dmsg *d, struct server_session *s, struct server *sv,
    bool extra)
{
	char host[ADDR_HOST_MAX], port[ADDR_PORT_MAX];
	long number;

	sv->used = true;
	s->d = d;
	s->slot = (uint8_t)(s - d->sessions);
	s->extra = extra;
	s->idle = 0;
	s->server = sv;
	s->state = SESSION_CONNECTING;
	s->fd = -1;
	s->closed = s->checking = false;
	memcpy(s->address, sv->address[sv->at], sizeof(s->address));
	if (addr_split(s->address, NULL, host, port) != 0 ||
	    (number = strtol(port, NULL, 10)) < 1 || number > UINT16_MAX) {
		session_end(s, "its address is not HOST:PORT");
		return;
	}
	dmsg_mon_connect(d, s->slot, host, (uint16_t)number);
}

bool
session_is_idle(const struct server_session *s)
{
	return s->state == SESSION_UP && s->extra &&
	    dmsg_session_streams(s->dmsg) == 0;
}

/* --- the handshake --- */

static struct server_session *
in_state(struct dmsg *d, uint16_t slot, int state)
{
	if (slot >= DMSG_SESSIONS_MAX || (int)d->sessions[slot].state != state)
		return NULL;
	return &d->sessions[slot];
}

void
server_connected(struct dmsg *d, uint16_t slot, int fd, const char *why)
{
	struct server_session *s = in_state(d, slot, SESSION_CONNECTING);

	if (s == NULL || fd == -1) {
		if (fd != -1)
			close(fd);
		if (s != NULL)
			session_end(s, *why != '\0' ? why : "failed");
		return;
	}
	s->fd = fd;
	s->state = SESSION_BEGUN;
	dmsg_mon_begin(d, s->slot, &s->server->pk);
	buf_init(&s->in, DMSG_BUFFER);
	buf_init(&s->out, DMSG_UNSENT);
	s->rd =
	    event_new(d->base, fd, EV_READ | EV_PERSIST, server_on_readable, s);
	s->wr = event_new(d->base, fd, EV_WRITE, server_on_writable, s);
	if (s->timer == NULL)
		s->timer = evtimer_new(d->base, server_on_timer, s);
	if (s->rd == NULL || s->wr == NULL || s->timer == NULL ||
	    event_add(s->rd, NULL) == -1)
		session_end(s, err_text(SKY_ERR_NOMEM));
	else
		server_arm(s, DMSG_HANDSHAKE_S * 1000);
}

void
server_begun(struct dmsg *d, uint16_t slot, struct buf *message)
{
	struct server_session *s = in_state(d, slot, SESSION_BEGUN);

	if (s == NULL)
		return;
	if (buf_len(message) == 0) {
		s->state = SESSION_PROVEN; /* nothing to drop over there */
		session_end(s, "its public key is invalid");
		return;
	}
	s->state = SESSION_SENT;
	s->sent_ms = now_ms();
	if (frame_put(&s->out, buf_ptr(message), buf_len(message)) != 0)
		session_end(s, err_text(SKY_ERR_NOMEM));
	else
		session_flush(s);
}

static void
take_message(struct server_session *s)
{
	struct buf body;
	int r;

	if ((r = frame_get(&s->in, &body)) == 0)
		return;
	if (r < 0) {
		session_end(s, err_text(r));
		return;
	}
	s->rtt_ms = now_ms() - s->sent_ms;
	s->state = SESSION_PROVEN;
	dmsg_mon_read(s->d, s->slot, &body);
}

void
server_proven(struct dmsg *d, uint16_t slot, struct buf *answer)
{
	struct server_session *s = in_state(d, slot, SESSION_PROVEN);
	int64_t silence;

	if (s == NULL)
		return;
	if (buf_get(answer, s->keys, sizeof(s->keys)) != 0) {
		session_end(s, "it does not prove its key");
		return;
	}
	if (frame_put(&s->out, buf_ptr(answer), buf_len(answer)) != 0) {
		session_end(s, err_text(SKY_ERR_NOMEM));
		return;
	}
	s->state = SESSION_SILENT;
	session_flush(s);
	silence = 2 * s->rtt_ms;
	server_arm(s, silence > DMSG_SILENCE_MS ? silence : DMSG_SILENCE_MS);
}

/* --- up --- */

static void
take_events(struct server_session *s)
{
	struct dmsg *d = s->d;
	struct dmsg_event ev;

	while (s->state == SESSION_UP && dmsg_session_event(s->dmsg, &ev)) {
		if (ev.stream == d->ask.stream)
			ask_handle(d, &ev);
		else if (!probe_handle(s, &ev) && !out_handle(d, &ev))
			pipe_handle(s, &ev);
	}
}

static void
come_up(struct server_session *s)
{
	struct dmsg *d = s->d;

	s->dmsg = dmsg_session_new(s->keys, s->keys + 32, dmsg_random(d));
	explicit_bzero(s->keys, sizeof(s->keys));
	if (s->dmsg == NULL) {
		session_end(s, err_text(SKY_ERR_NOMEM));
		return;
	}
	s->state = SESSION_UP;
	s->up_ms = now_ms();
	dmsg_log(d, LOG_LEVEL_INFO, "dmsg server %s: session is up",
	    s->address);
	probe_begin(s);
	if (buf_len(&s->in) != 0)
		event_active(s->rd, EV_READ, 0);
	dmsg_sessions_changed(d);
	out_server_up(d);
	server_arm(s, DMSG_PING_S * 1000);
}

static void
server_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct server_session *s = arg;

	if (s->state == SESSION_SILENT) {
		come_up(s);
		return;
	}
	if (s->state != SESSION_UP) {
		session_end(s, "the handshake takes too long");
		return;
	}
	if (s->checking) {
		s->checking = false;
		if (!s->heard)
			session_end(s, "it does not answer");
		else
			server_arm(s, (DMSG_PING_S - DMSG_PONG_S) * 1000);
		return;
	}
	if (dmsg_session_tick(s->dmsg, now_ms() / 1000) == SKY_ERR_AGAIN) {
		session_end(s, "it does not answer");
		return;
	}
	take_events(s);
	s->idle = session_is_idle(s) ? s->idle + 1 : 0;
	if (s->idle == DMSG_IDLE_TICKS) {
		session_end(s, NULL);
		return;
	}
	s->sent_ms = now_ms();
	s->checking = true;
	s->heard = false;
	session_flush(s);
	server_arm(s, DMSG_PONG_S * 1000);
}

/* What is to be sent leaves from the loop: nobody is in the middle then. */
void
session_flush(struct server_session *s)
{
	if (s->state != SESSION_FREE && s->state != SESSION_ENDING &&
	    s->wr != NULL && event_add(s->wr, NULL) == -1)
		session_end(s, err_text(SKY_ERR_NOMEM));
}

static void
server_on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct server_session *s = arg;
	ssize_t r = 1;
	int e = 0;

	while (r > 0 && e == 0) {
		if (s->state == SESSION_UP &&
		    buf_len(&s->out) < DMSG_UNSENT / 2)
			e = dmsg_session_output(s->dmsg, &s->out);
		r = buf_write(&s->out, fd);
	}
	if (r < 0 && r != SKY_ERR_AGAIN) {
		session_end(s, strerror(errno));
		return;
	}
	if (e != 0)
		session_end(s, err_text(e));
	else if (r == SKY_ERR_AGAIN)
		session_flush(s);
	take_events(s); /* room for writers */
}

/* The session where most of these bytes lie, and how many lie in all. */
static struct server_session *
find_most(struct dmsg *d, size_t (*bytes)(const struct dmsg_session *),
    size_t *sum)
{
	struct server_session *s, *worst = NULL;
	size_t n, most = 0;

	*sum = 0;
	for (size_t i = 0; i < DMSG_SESSIONS_MAX; i++) {
		s = &d->sessions[i];
		if (s->state != SESSION_UP)
			continue;
		n = bytes(s->dmsg);
		*sum += n;
		if (n > most) {
			most = n;
			worst = s;
		}
	}
	return worst;
}

/*
 * Servers together bring about no more than one may: of all streams the one
 * that holds most goes, in the session that holds most.  Those that are open
 * and in use go last.
 */
static void
server_shed(struct dmsg *d)
{
	struct server_session *most, *worst;
	size_t sum, unopened;

	while ((most = find_most(d, dmsg_session_buffered, &sum)) != NULL &&
	    sum > DMSG_UNREAD) {
		worst = find_most(d, dmsg_session_unopened, &unopened);
		if (worst == NULL)
			worst = most;
		if (!dmsg_session_shed(worst->dmsg))
			return;
		take_events(worst);
		session_flush(worst);
	}
}

static void
server_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct server_session *s = arg;
	struct dmsg *d = s->d;
	ssize_t r;
	int e;

	r = buf_read(&s->in, fd, DMSG_CHUNK);
	s->heard = s->heard || r > 0;
	/* It has seen our key by then. */
	s->closed = s->state >= SESSION_PROVEN &&
	    (r == SKY_ERR_EOF || (r == SKY_ERR_SYS && errno == ECONNRESET));
	if (r < 0 && r != SKY_ERR_AGAIN && buf_len(&s->in) == 0) {
		session_end(s,
		    r == SKY_ERR_EOF ? "closed by it" : strerror(errno));
		return;
	}
	if (s->state == SESSION_SENT)
		take_message(s);
	if (s->state != SESSION_UP) {
		if (s->closed)
			session_end(s, "closed by it");
		else if (r == SKY_ERR_EOF || r == SKY_ERR_SYS ||
		    r == SKY_ERR_LIMIT)
			session_end(s, "it does not keep to the handshake");
		return;
	}
	e = dmsg_session_input(s->dmsg, &s->in);
	take_events(s);
	server_shed(d);
	if (e != 0)
		session_end(s, err_text(e));
	else if (r == SKY_ERR_EOF)
		session_end(s, "closed by it");
	else if (dmsg_session_away(s->dmsg))
		session_end(s, "it takes no more streams");
	if (dmsg_session_answered(s->dmsg))
		s->rtt_ms = now_ms() - s->sent_ms;
	session_flush(s);
}
