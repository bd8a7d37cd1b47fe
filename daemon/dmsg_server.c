/* SPDX-License-Identifier: ISC */
/* Sessions to dmsg servers: choosing, shaking hands, coming back.  spec:
 * dmsg.md 2, 6.8. */
#include "daemon/dmsg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/addr.h"
#include "common/err.h"

#define PAUSE_MS     1000 /* before a server is tried once more; doubled */
#define PAUSE_MAX_MS 60000
#define QUIET_MS     200 /* between failures that are told */

static void on_readable(evutil_socket_t, short, void *);
static void on_writable(evutil_socket_t, short, void *);
static void on_timer(evutil_socket_t, short, void *);

/* --- which --- */

static struct server *
find(struct ov *o, const struct key_public *pk)
{
	for (size_t i = 0; i < o->nservers; i++)
		if (memcmp(o->servers[i].pk.b, pk->b, KEY_PUBLIC_LEN) == 0)
			return &o->servers[i];
	return NULL;
}

/* When there are too many, one that failed makes room for a new one. */
static struct server *
room(struct ov *o)
{
	if (o->nservers < OV_SERVERS_MAX)
		return &o->servers[o->nservers++];
	for (size_t i = 0; i < o->nservers; i++)
		if (!o->servers[i].used && !o->servers[i].configured &&
		    o->servers[i].failures > 0)
			return &o->servers[i];
	return NULL;
}

void
server_add(struct ov *o, const struct dmsg_entry *e, bool configured)
{
	struct server *sv = find(o, &e->pk);

	if ((*e->address == '\0' && *e->address_v6 == '\0') ||
	    memcmp(e->pk.b, o->own.b, KEY_PUBLIC_LEN) == 0)
		return;
	if (sv == NULL) {
		if ((sv = room(o)) == NULL)
			return;
		*sv = (struct server){ .pk = e->pk, .configured = configured };
	} else if (sv->configured)
		return;
	if (strcmp(sv->address, e->address_v6) == 0 &&
	    strcmp(sv->other, e->address) == 0)
		return; /* the same, the other way round */
	strlcpy(sv->address, *e->address != '\0' ? e->address : e->address_v6,
	    sizeof(sv->address));
	strlcpy(sv->other, *e->address != '\0' ? e->address_v6 : "",
	    sizeof(sv->other));
}

/* The one that did not work is for later. */
static void
change_address(struct server *sv)
{
	char old[ADDR_TEXT_MAX];

	if (*sv->other == '\0')
		return;
	memcpy(old, sv->address, sizeof(old));
	memcpy(sv->address, sv->other, sizeof(old));
	memcpy(sv->other, old, sizeof(old));
}

size_t
server_live(const struct ov *o)
{
	size_t n = 0;

	for (size_t i = 0; i < OV_SESSIONS_MAX; i++)
		n +=
		    o->sessions[i].state == SESSION_UP && !o->sessions[i].extra;
	return n;
}

/* One at random of those that may be tried now. */
static struct server *
choose(struct ov *o)
{
	struct server *chosen = NULL;
	int64_t now = now_ms();
	uint64_t seen = 0;

	for (size_t i = 0; i < o->nservers; i++) {
		if (o->servers[i].used || o->servers[i].not_before > now)
			continue;
		if (ov_random(o) % ++seen == 0)
			chosen = &o->servers[i];
	}
	return chosen;
}

/* --- beginning and end --- */

static void
arm(struct session *s, int64_t ms)
{
	struct timeval tv = { .tv_sec = ms / 1000,
		.tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	event_add(s->timer, &tv);
}

static void
free_session(struct session *s)
{
	struct ov *o = s->ov;
	struct pipe *p, *next;
	bool slot = s->state == SESSION_BEGUN || s->state == SESSION_SENT;
	struct dmsg_session *dmsg = s->dmsg;

	s->state = SESSION_ENDING;
	if (slot)
		ov_mon_drop(o, s->slot);
	ask_session_gone(o, s);
	out_session_gone(o, s);
	for (p = LIST_FIRST(&o->pipes); p != NULL; p = next) {
		next = LIST_NEXT(p, entry);
		if (p->session == s)
			pipe_handle(s, p->stream, DMSG_END, NULL);
	}
	dmsg_session_free(dmsg);
	s->dmsg = NULL;
	if (s->rd != NULL)
		event_free(s->rd);
	if (s->wr != NULL)
		event_free(s->wr);
	s->rd = s->wr = NULL;
	if (s->timer != NULL)
		event_del(s->timer);
	if (s->fd != -1)
		close(s->fd);
	s->fd = -1;
	buf_free(&s->in);
	buf_free(&s->out);
	explicit_bzero(s->keys, sizeof(s->keys));
	s->state = SESSION_FREE;
}

/* Of many failures at once some are told: they drive out nothing else. */
static void
log_end(struct ov *o, const struct server *sv, bool was_up, const char *why)
{
	int64_t now = now_ms();

	if (!was_up && now < o->quiet_ms)
		return;
	if (!was_up)
		o->quiet_ms = now + QUIET_MS;
	ov_log(o, LOG_LEVEL_INFO, "dmsg server %s: %s%s", sv->address,
	    was_up ? "session lost: " : "", why);
}

static void
end_session(struct session *s, const char *why)
{
	struct ov *o = s->ov;
	struct server *sv = s->server;
	bool was_up = s->state == SESSION_UP;
	int shift = sv->failures < 6 ? sv->failures : 6;
	int64_t pause = (int64_t)PAUSE_MS << shift;

	log_end(o, sv, was_up, why);
	free_session(s);
	if (!was_up)
		change_address(sv);
	sv->used = false;
	sv->failures = was_up ? 1 : sv->failures + 1;
	sv->not_before =
	    now_ms() + (pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS);
	if (was_up)
		ov_sessions_changed(o);
	else
		ov_connect_soon(o);
	out_server_failed(o, sv, why);
}

static void
start(struct ov *o, struct session *s, struct server *sv)
{
	char host[ADDR_HOST_MAX], port[ADDR_PORT_MAX];
	long number;

	sv->used = true;
	s->server = sv;
	s->state = SESSION_CONNECTING;
	s->fd = -1;
	if (addr_split(sv->address, NULL, host, port) != 0 ||
	    (number = strtol(port, NULL, 10)) < 1 || number > UINT16_MAX) {
		end_session(s, "its address makes no sense");
		return;
	}
	ov_mon_connect(o, s->slot, host, (uint16_t)number);
}

static void
begin(struct ov *o, size_t slot, struct server *sv, bool extra)
{
	o->sessions[slot].ov = o;
	o->sessions[slot].slot = (uint8_t)slot;
	o->sessions[slot].extra = extra;
	o->sessions[slot].idle = 0;
	start(o, &o->sessions[slot], sv);
}

void
server_connect_more(struct ov *o)
{
	size_t wanted = o->wanted == 0 || o->wanted > OV_SESSIONS_MAX ?
	    OV_SESSIONS_MAX :
	    o->wanted;
	struct server *sv;
	struct session *s;
	size_t have = 0;

	if (o->stopping)
		return;
	for (size_t i = 0; i < OV_SESSIONS_MAX; i++) {
		s = &o->sessions[i];
		/* One that was made for a stream serves as well. */
		if (s->state == SESSION_UP && s->extra && have < wanted) {
			s->extra = false;
			ov_sessions_changed(o);
		}
		have += s->state != SESSION_FREE && !s->extra;
	}
	for (size_t i = 0; i < OV_SESSIONS_MAX && have < wanted; i++) {
		if (o->sessions[i].state != SESSION_FREE)
			continue;
		if ((sv = choose(o)) == NULL)
			return;
		begin(o, i, sv, false);
		have++;
	}
}

static bool
is_idle(const struct session *s)
{
	return s->state == SESSION_UP && s->extra &&
	    dmsg_session_streams(s->dmsg) == 0;
}

/* It has served its purpose; that is no failure of its server. */
static void
retire(struct session *s)
{
	ov_log(s->ov, LOG_LEVEL_DEBUG, "dmsg server %s: session of no use",
	    s->server->address);
	s->server->used = false;
	free_session(s);
}

uint16_t
server_port(struct ov *o)
{
	return (uint16_t)(OV_PORTS + ov_random(o) % (65536 - OV_PORTS));
}

/* Somebody waits for this one: it is tried whatever it did before. */
struct session *
server_session(struct ov *o, const struct key_public *pk, const char **why)
{
	struct server *sv = find(o, pk);
	struct session *s;

	*why = NULL;
	if (sv == NULL) {
		*why = "its address is not known";
		return NULL;
	}
	for (size_t i = 0; i < OV_SESSIONS_MAX; i++) {
		s = &o->sessions[i];
		if (s->state == SESSION_UP && s->server == sv)
			return s;
	}
	for (size_t i = 0; i < OV_SESSIONS_MAX && !sv->used; i++) {
		s = &o->sessions[i];
		if (is_idle(s))
			retire(s);
		if (s->state == SESSION_FREE)
			begin(o, i, sv, true);
	}
	if (!sv->used)
		*why = "there are too many sessions";
	return NULL;
}

/* --- the handshake --- */

static struct session *
in_state(struct ov *o, uint16_t slot, int state)
{
	if (slot >= OV_SESSIONS_MAX || (int)o->sessions[slot].state != state)
		return NULL;
	return &o->sessions[slot];
}

void
server_connected(struct ov *o, uint16_t slot, int fd, const char *why)
{
	struct session *s = in_state(o, slot, SESSION_CONNECTING);

	if (s == NULL || fd == -1) {
		if (fd != -1)
			close(fd);
		if (s != NULL)
			end_session(s, why);
		return;
	}
	s->fd = fd;
	buf_init(&s->in, OV_BUFFER);
	buf_init(&s->out, OV_BUFFER);
	s->rd = event_new(o->base, fd, EV_READ | EV_PERSIST, on_readable, s);
	s->wr = event_new(o->base, fd, EV_WRITE, on_writable, s);
	if (s->timer == NULL)
		s->timer = evtimer_new(o->base, on_timer, s);
	if (s->rd == NULL || s->wr == NULL || s->timer == NULL ||
	    event_add(s->rd, NULL) == -1)
		_exit(1);
	arm(s, OV_HANDSHAKE_S * 1000);
	s->state = SESSION_BEGUN;
	ov_mon_begin(o, s->slot, &s->server->pk);
}

void
server_begun(struct ov *o, uint16_t slot, struct buf *message)
{
	struct session *s = in_state(o, slot, SESSION_BEGUN);

	if (s == NULL)
		return;
	if (buf_len(message) == 0) {
		s->state = SESSION_PROVEN; /* nothing to drop over there */
		end_session(s, "its key is none");
		return;
	}
	s->state = SESSION_SENT;
	s->sent_ms = now_ms();
	if (frame_put(&s->out, buf_ptr(message), buf_len(message)) != 0)
		_exit(1);
	session_flush(s);
}

static void
take_message(struct session *s)
{
	struct buf body;
	int r;

	if ((r = frame_get(&s->in, &body)) == 0)
		return;
	if (r < 0) {
		end_session(s, err_text(r));
		return;
	}
	s->rtt_ms = now_ms() - s->sent_ms;
	s->state = SESSION_PROVEN;
	ov_mon_read(s->ov, s->slot, &body);
}

void
server_proven(struct ov *o, uint16_t slot, struct buf *answer)
{
	struct session *s = in_state(o, slot, SESSION_PROVEN);
	int64_t silence;

	if (s == NULL)
		return;
	if (buf_get(answer, s->keys, sizeof(s->keys)) != 0) {
		end_session(s, "it does not prove its key");
		return;
	}
	if (frame_put(&s->out, buf_ptr(answer), buf_len(answer)) != 0)
		_exit(1);
	session_flush(s);
	s->state = SESSION_SILENT;
	silence = 2 * s->rtt_ms;
	arm(s, silence > OV_SILENCE_MS ? silence : OV_SILENCE_MS);
}

/* --- up --- */

static void
handle(void *arg, struct dmsg_stream *st, enum dmsg_event what,
    struct buf *object)
{
	struct session *s = arg;

	if (st == s->ov->ask.stream)
		ask_handle(s->ov, st, what, object);
	else if (!out_handle(s->ov, st, what, object))
		pipe_handle(s, st, what, object);
}

static void
come_up(struct session *s)
{
	struct ov *o = s->ov;

	s->dmsg =
	    dmsg_session_new(s->keys, s->keys + 32, ov_random(o), handle, s);
	explicit_bzero(s->keys, sizeof(s->keys));
	if (s->dmsg == NULL)
		_exit(1);
	s->state = SESSION_UP;
	s->server->failures = 0;
	ov_log(o, LOG_LEVEL_INFO, "dmsg server %s: session is up",
	    s->server->address);
	arm(s, OV_PING_S * 1000);
	ov_sessions_changed(o);
	out_server_up(o, s);
	if (buf_len(&s->in) != 0)
		event_active(s->rd, EV_READ, 0);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct session *s = arg;

	(void)fd, (void)what;
	if (s->state == SESSION_SILENT) {
		come_up(s);
		return;
	}
	if (s->state != SESSION_UP) {
		end_session(s, "the handshake takes too long");
		return;
	}
	if (dmsg_session_tick(s->dmsg, now_ms() / 1000) == ERR_AGAIN) {
		end_session(s, "it does not answer");
		return;
	}
	s->idle = is_idle(s) ? s->idle + 1 : 0;
	if (s->idle == OV_IDLE_TICKS) {
		retire(s);
		return;
	}
	s->sent_ms = now_ms();
	session_flush(s);
	arm(s, OV_PING_S * 1000);
}

/* What is to be sent leaves from the loop: nobody is in the middle then. */
void
session_flush(struct session *s)
{
	if (s->state != SESSION_FREE && s->wr != NULL)
		event_add(s->wr, NULL);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct session *s = arg;
	ssize_t r = 1;

	(void)what;
	while (r > 0) {
		if (s->state == SESSION_UP && buf_len(&s->out) < OV_CHUNK &&
		    dmsg_session_output(s->dmsg, &s->out) != 0)
			_exit(1);
		r = buf_write(&s->out, fd);
	}
	if (r == ERR_AGAIN)
		event_add(s->wr, NULL);
	else if (r < 0)
		end_session(s, strerror(errno));
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct session *s = arg;
	ssize_t r;
	int e;

	(void)what;
	r = buf_read(&s->in, fd, OV_CHUNK);
	if (r < 0 && r != ERR_AGAIN && buf_len(&s->in) == 0) {
		end_session(s, r == ERR_EOF ? "closed by it" : strerror(errno));
		return;
	}
	if (s->state == SESSION_SENT)
		take_message(s);
	if (s->state != SESSION_UP) {
		if (r == ERR_EOF || r == ERR_SYS || r == ERR_LIMIT)
			end_session(s, "it does not keep to the handshake");
		return;
	}
	if ((e = dmsg_session_input(s->dmsg, &s->in)) != 0) {
		end_session(s, err_text(e));
		return;
	}
	if (dmsg_session_answered(s->dmsg))
		s->rtt_ms = now_ms() - s->sent_ms;
	session_flush(s);
	if (r == ERR_EOF)
		end_session(s, "closed by it");
}
