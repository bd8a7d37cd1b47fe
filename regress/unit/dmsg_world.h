/* SPDX-License-Identifier: ISC */
/*
 * What stands around the one process of skyptyd-dmsg, for tests that have all
 * of it in theirs: a monitor that does what it is asked, and servers that say
 * what they are told to say.  Each test says how: every key is zero, so that
 * what comes is opened and what goes can be made here.
 */
#ifndef REGRESS_UNIT_DMSG_WORLD_H
#define REGRESS_UNIT_DMSG_WORLD_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/dmsg/dmsg_object.h"
#include "daemon/dmsg/dmsg_life.h"
#include "daemon/dmsg/dmsg_choose.h"
#include "daemon/dmsg/dmsg_out.h"
#include "daemon/dmsg/dmsg_pipe.h"

#define WORLD_ROOM   (128U * 1024)
#define WORLD_OTHERS 256
#define WORLD_URL                                                       \
	"dmsg://022e607e0914d6e7ccda7587f95790c09e126bbd506cc476a1eda8" \
	"52325aadd1aa:80"

enum { W_DATA, W_WINDOW, W_PING, W_GOAWAY };
enum { W_SYN = 1, W_ACK = 2, W_FIN = 4, W_RST = 8 };

struct world {
	struct dmsg *d;
	int monitor;		       /* the monitor's end */
	int server[DMSG_SESSIONS_MAX]; /* the servers' ends, -1 */
	struct dmsg_seal seal[DMSG_SESSIONS_MAX];
	uint64_t said[DMSG_SESSIONS_MAX]; /* bytes that each was told */
	int other[WORLD_OTHERS]; /* ends of streams and of the discovery */
	size_t nothers;
	int sndbuf; /* of the process's ends; 0: the system's */
	unsigned asked[PM_DMSG_PROBE + 1]; /* how often, by type */
	/* What the monitor does with a request; NULL: as asked. */
	bool (*refuses)(struct world *, unsigned type, uint16_t id);
};

static inline void
world_require(bool ok)
{
	if (!ok)
		abort();
}

static inline struct key_public
world_key(uint8_t n)
{
	return (struct key_public){ .b = { 2, n } };
}

/* An end for the process; the other one is kept. */
static inline int
world_socket(struct world *w, int *other)
{
	int sv[2];

	world_require(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv) == 0);
	world_require(w->sndbuf == 0 ||
	    setsockopt(sv[0], SOL_SOCKET, SO_SNDBUF, &w->sndbuf, sizeof(int)) ==
		0);
	if (other != NULL)
		*other = sv[1];
	else if (w->nothers < WORLD_OTHERS)
		w->other[w->nothers++] = sv[1];
	else
		close(sv[1]);
	return sv[0];
}

/* Servers of the keys 1 to n are known. */
static inline bool
world_begin(struct world *w, const char *url, unsigned servers)
{
	static const uint8_t seed[32];
	struct dmsg_entry e = { .is_server = true };
	int sv[2];

	memset(w, 0, sizeof(*w));
	memset(w->server, -1, sizeof(w->server));
	world_require(privmsg_pair(sv) == 0);
	world_require(fcntl(sv[0], F_SETFL, O_NONBLOCK) == 0);
	w->monitor = sv[1];
	if ((w->d = dmsg_new(sv[0], seed)) == NULL) {
		close(sv[0]);
		return false;
	}
	world_require(dmsg_disc_url(url, &w->d->discovery) == 0);
	w->d->own = world_key(0xee);
	w->d->port = 22;
	w->d->wanted = 1;
	w->d->publish_ms = w->d->servers_ms = 1000;
	for (unsigned i = 1; i <= servers; i++) {
		e.pk = world_key((uint8_t)i);
		snprintf(e.address, sizeof(e.address), "192.0.2.%u:80", i);
		server_add(w->d, &e, false);
	}
	return true;
}

/* --- the loop, the servers and the monitor --- */

static inline void
world_hear(struct world *w)
{
	static uint8_t bytes[64 * 1024];
	ssize_t n;

	for (size_t i = 0; i < DMSG_SESSIONS_MAX; i++)
		while (w->server[i] != -1 &&
		    (n = read(w->server[i], bytes, sizeof(bytes))) > 0)
			w->said[i] += (uint64_t)n;
}

static inline void
world_loop(struct world *w)
{
	/* Probes take ids of streams: they begin when a test says so. */
	event_del(w->d->probe_ev);
	for (int i = 0; i < 4; i++)
		event_base_loop(w->d->base, EVLOOP_NONBLOCK);
	world_hear(w);
}

static inline void
world_answer(struct world *w, unsigned type, uint16_t id, const void *p,
    size_t n, int fd)
{
	struct buf b;

	buf_view(&b, p, n);
	world_require(
	    privmsg_send(w->monitor, type + 1, id, &b, &fd, fd != -1) == 0);
	if (fd != -1)
		close(fd);
}

/* Message 2 is any frame: the monitor reads it. */
static inline void
world_shake(struct world *w, uint16_t slot)
{
	static const uint8_t message[] = { 0, 4, 1, 2, 3, 4 };

	if (slot < DMSG_SESSIONS_MAX && w->server[slot] != -1)
		(void)!write(w->server[slot], message, sizeof(message));
}

static inline void
world_connected(struct world *w, uint16_t id)
{
	int fd;

	if (id >= DMSG_SESSIONS_MAX)
		fd = world_socket(w, NULL);
	else {
		if (w->server[id] != -1)
			close(w->server[id]);
		fd = world_socket(w, &w->server[id]);
		dmsg_seal_init(&w->seal[id], (const uint8_t[32]){ 0 },
		    (const uint8_t[32]){ 0 });
		w->said[id] = 0;
	}
	world_answer(w, PM_DMSG_CONNECT, id, "\0\0\0\0", 4, fd);
}

/* Answers one request; what is refused gets the answer of a refusal. */
static inline void
world_do(struct world *w, unsigned type, uint16_t id)
{
	static const uint8_t keys[81];
	static const uint8_t proven[65] = { 1 };
	static const char no[] = "\0\0\0\2no";
	bool bad = w->refuses != NULL && w->refuses(w, type, id);

	switch (type) {
	case PM_DMSG_CONNECT:
		if (bad)
			world_answer(w, type, id, no, 6, -1);
		else
			world_connected(w, id);
		break;
	case PM_DMSG_HANDSHAKE:
		world_answer(w, type, id, "message1", bad ? 0 : 8, -1);
		world_shake(w, id);
		break;
	case PM_DMSG_MESSAGE_2:
		world_answer(w, type, id, keys, bad ? 10 : sizeof(keys), -1);
		break;
	case PM_DMSG_DIAL_REQUEST:
	case PM_DMSG_PROBE:
		world_answer(w, type, id, "a signed request", 16, -1);
		break;
	case PM_DMSG_DIAL_RESPONSE:
		world_answer(w, type, id, bad ? keys : proven, sizeof(proven),
		    -1);
		break;
	case PM_DMSG_STREAM:
		world_answer(w, type, id, bad ? "\0" : "\1", 1,
		    bad ? -1 : world_socket(w, NULL));
		break;
	case PM_DMSG_ENTRY:
		world_answer(w, type, id, "{}", 2, -1);
		break;
	}
}

static inline void
world_serve(struct world *w)
{
	static uint8_t m[PRIVMSG_MAX];
	unsigned type;
	ssize_t n;

	world_loop(w);
	while ((n = recv(w->monitor, m, sizeof(m), MSG_DONTWAIT)) >= 4) {
		type = (unsigned)m[0] << 8 | m[1];
		if (type <= PM_DMSG_PROBE)
			w->asked[type]++;
		world_do(w, type, (uint16_t)(m[2] << 8 | m[3]));
		world_loop(w);
	}
}

static inline void
world_fire(struct event *ev)
{
	if (ev != NULL)
		event_active(ev, EV_TIMEOUT, 0);
}

/* The silence behind message 3 is over. */
static inline void
world_come_up(struct world *w)
{
	world_serve(w);
	for (size_t i = 0; i < DMSG_SESSIONS_MAX; i++)
		if (w->d->sessions[i].state == SESSION_SILENT)
			world_fire(w->d->sessions[i].timer);
	world_serve(w);
}

/* --- what a server says --- */

static inline void
world_frame(struct world *w, size_t slot, unsigned type, unsigned flags,
    uint32_t id, uint32_t length, const void *p, size_t n)
{
	uint8_t head[12] = { 0, (uint8_t)type, (uint8_t)(flags >> 8),
		(uint8_t)flags, (uint8_t)(id >> 24), (uint8_t)(id >> 16),
		(uint8_t)(id >> 8), (uint8_t)id, (uint8_t)(length >> 24),
		(uint8_t)(length >> 16), (uint8_t)(length >> 8),
		(uint8_t)length };

	if (w->server[slot] == -1)
		return;
	(void)!send(w->server[slot], head, sizeof(head), MSG_NOSIGNAL);
	if (n != 0)
		(void)!send(w->server[slot], p, n, MSG_NOSIGNAL);
}

static inline void
world_data(struct world *w, size_t slot, unsigned flags, uint32_t id,
    const struct buf *b)
{
	world_frame(w, slot, W_DATA, flags, id, (uint32_t)buf_len(b),
	    buf_ptr(b), buf_len(b));
}

/* "signed" and sealed; the signature is nobody's. */
static inline void
world_object(struct world *w, size_t slot, unsigned flags, uint32_t id,
    const struct buf *gob)
{
	static const uint8_t sig[DMSG_SIG_LEN];
	struct buf object, wire;

	buf_init(&object, WORLD_ROOM);
	buf_init(&wire, WORLD_ROOM);
	if (buf_put(&object, sig, sizeof(sig)) == 0 &&
	    buf_put(&object, buf_ptr(gob), buf_len(gob)) == 0 &&
	    dmsg_put_sealed(&w->seal[slot], &object, &wire) == 0)
		world_data(w, slot, flags, id, &wire);
	buf_free(&object);
	buf_free(&wire);
}

static inline void
world_request(struct world *w, size_t slot, unsigned flags, uint32_t id,
    uint16_t port)
{
	struct dmsg_request q = { .timestamp = 1,
		.src = { world_key(0x77), 50000 },
		.dst = { w->d->own, port } };
	struct buf gob;

	buf_view(&q.noise, "noise", 5);
	buf_init(&gob, WORLD_ROOM);
	if (dmsg_put_request(&gob, &q) == 0)
		world_object(w, slot, flags, id, &gob);
	buf_free(&gob);
}

static inline void
world_response(struct world *w, size_t slot, unsigned flags, uint32_t id,
    const uint8_t *hash, bool accepted)
{
	struct dmsg_response r = { .accepted = accepted, .code = 200 };
	struct buf gob;

	memcpy(r.req_hash, hash, sizeof(r.req_hash));
	buf_view(&r.noise, "noise", 5);
	buf_init(&gob, WORLD_ROOM);
	if (dmsg_put_response(&gob, &r) == 0)
		world_object(w, slot, flags, id, &gob);
	buf_free(&gob);
}

/* The discovery's answer to the question that is asked over dmsg. */
static inline void
world_http(struct world *w, size_t slot, unsigned flags, uint32_t id,
    int status, const char *json)
{
	static const uint8_t key[32];
	struct frame_key k;
	struct buf plain, wire;
	char head[128];

	snprintf(head, sizeof(head),
	    "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n\r\n", status,
	    strlen(json));
	buf_init(&plain, WORLD_ROOM);
	buf_init(&wire, WORLD_ROOM);
	frame_key_init(&k, key);
	k.counter = w->d->ask.link.rx.counter;
	if (buf_put(&plain, head, strlen(head)) == 0 &&
	    buf_put(&plain, json, strlen(json)) == 0 &&
	    frame_seal(&k, &plain, &wire) == 0)
		world_data(w, slot, flags, id, &wire);
	frame_key_wipe(&k);
	buf_free(&plain);
	buf_free(&wire);
}

/* {"static":...}: of a client on these servers; "" without memory. */
static inline void
world_entry(char *json, size_t len, struct key_public pk, const uint8_t *on,
    size_t n)
{
	static const uint8_t sig[KEY_SIGNATURE_LEN] = { 1 };
	struct dmsg_entry e = { .pk = pk,
		.is_client = true,
		.sequence = 1,
		.timestamp = 1 };
	struct buf b;

	*json = '\0';
	buf_init(&b, len - 1);
	for (; e.ndelegated < n; e.ndelegated++)
		e.delegated[e.ndelegated] = world_key(on[e.ndelegated]);
	if (dmsg_put_entry(&b, &e, sig) == 0) {
		memcpy(json, buf_ptr(&b), buf_len(&b));
		json[buf_len(&b)] = '\0';
	}
	buf_free(&b);
}

/* Somebody on the control socket wants a stream; his end is returned. */
static inline int
world_out(struct world *w, uint16_t id, struct key_public pk)
{
	struct buf b;
	int fd, other;

	fd = world_socket(w, &other);
	buf_view(&b, pk.b, sizeof(pk.b));
	world_require(
	    privmsg_send(w->monitor, PM_DMSG_DIAL, id, &b, &fd, 1) == 0);
	close(fd);
	return other;
}

/* --- the end: whatever state it is in, nothing leaks --- */

static inline void
world_free_rest(struct dmsg *d)
{
	struct event *own[] = { d->publish_ev, d->servers_ev, d->connect_ev,
		d->probe_ev, d->reap_ev, d->monitor_ev, d->ask.timer };

	for (size_t i = 0; i < DMSG_SESSIONS_MAX; i++)
		if (d->sessions[i].timer != NULL)
			event_free(d->sessions[i].timer);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (own[i] != NULL)
			event_free(own[i]);
	dmsg_answer_free(&d->ask.answer);
	buf_free(&d->posted);
	privmsg_free(&d->msg);
	event_base_free(d->base);
	close(d->monitor);
	free(d);
}

static inline void
world_end(struct world *w)
{
	struct dmsg *d = w->d;
	struct pipe *p;
	struct out *t;

	for (size_t i = 0; i < w->nothers; i++)
		close(w->other[i]);
	for (size_t i = 0; i < DMSG_SESSIONS_MAX; i++)
		if (w->server[i] != -1)
			close(w->server[i]);
	close(w->monitor);
	if (d == NULL)
		return;
	/* As its own reaping does, but nobody is told any more. */
	while ((p = LIST_FIRST(&d->pipes)) != NULL)
		pipe_end(p);
	while ((t = LIST_FIRST(&d->outs)) != NULL)
		out_end(t);
	ask_end(d, 0);
	pipes_reap(d);
	outs_reap(d);
	ask_reap(d);
	for (size_t i = 0; i < DMSG_SESSIONS_MAX; i++) {
		struct server_session *s = &d->sessions[i];

		dmsg_session_free(s->dmsg);
		if (s->rd != NULL)
			event_free(s->rd);
		if (s->wr != NULL)
			event_free(s->wr);
		if (s->fd != -1)
			close(s->fd);
		buf_free(&s->in);
		buf_free(&s->out);
	}
	world_free_rest(d);
}

#endif
