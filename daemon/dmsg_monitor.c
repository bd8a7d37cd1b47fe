/* SPDX-License-Identifier: ISC */
/*
 * The process that holds the sessions to dmsg servers, as the listener sees it:
 * it is started, and started again; its streams become connections, and streams
 * to others are passed on to it.
 */
#include "daemon/listener.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/pty/mux.h"

#define DMSG_PAUSE 5 /* seconds before it is started again */

/* What the monitor logs is said of a claim until it is proven. */
static int
serve_stream(struct listener *s, int fd, const struct key_public *pk,
    const struct key_public *relay)
{
	char text[KEY_PUBLIC_HEX], peer[KEY_PUBLIC_HEX + 32];
	struct conns *cs = &s->conns;
	const struct config *conf = &s->set->conf;
	int64_t now = now_ms();
	struct log_fields f = { .event = "turned-away" };
	struct origin from;
	const char *why;

	limits_dmsg(cs, &from, pk, relay, listed_has(&s->listed, s, pk));
	key_text(pk, text);
	snprintf(peer, sizeof(peer), "dmsg, claims %s", text);
	if (!listener_has_room(s))
		why = "out of descriptors";
	else if ((why = limits_own(cs, conf, &from, now)) == NULL)
		why = limits_all(cs, conf, &from, now);
	if (why == NULL)
		return listener_serve(s, fd, &from, peer, PRIV_KK);
	s->count[PRIV_COUNT_TURNED_AWAY]++;
	log_put(&f, "from", peer);
	log_put(&f, "reason", why);
	if (limits_may_tell(cs, now))
		log_event(LOG_LEVEL_INFO, &f, "Turned away %s: %s", peer, why);
	else
		listener_untold(s);
	return -1;
}

static int
dmsg_monitor_open_stream(struct listener *s, const struct key_public *pk,
    const struct key_public *relay)
{
	int sv[2];

	if (s->stopping ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		sv) == -1)
		return -1;
	if (serve_stream(s, sv[1], pk, relay) == -1) {
		close(sv[0]);
		sv[0] = -1;
	}
	close(sv[1]);
	return sv[0];
}

static int
answer_stream(struct listener *s, struct privmsg *m)
{
	struct key_public pk, relay;
	struct buf b;
	int fd, r;

	if (m->type == PM_DMSG_REPORT) {
		buf_free(&s->status);
		buf_init(&s->status, PRIV_STATUS_MAX);
		return buf_put(&s->status, buf_ptr(&m->body),
		    buf_len(&m->body));
	}
	if (m->type != PM_STREAM)
		return SKY_ERR_STATE;
	if ((r = buf_get(&m->body, pk.b, sizeof(pk.b))) != 0 ||
	    (r = buf_get(&m->body, relay.b, sizeof(relay.b))) != 0)
		return r;
	fd = dmsg_monitor_open_stream(s, &pk, &relay);
	buf_init(&b, 1);
	if ((r = buf_put_u8(&b, fd != -1)) == 0)
		r = privmsg_send(s->dmsg.sock, PM_STREAM + 1, m->id, &b, &fd,
		    fd != -1 ? 1 : 0);
	buf_free(&b);
	if (fd != -1)
		close(fd);
	return r;
}

static void
dmsg_monitor_gone(struct listener *s)
{
	struct timeval tv = { .tv_sec = DMSG_PAUSE };

	/* There must never be two: one that lives on is to end as well. */
	conn_end(&s->dmsg);
	event_free(s->dmsg.ev);
	close(s->dmsg.sock);
	memset(&s->dmsg, 0, sizeof(s->dmsg));
	buf_free(&s->status);
	if (s->stopping) {
		listener_leave_if_done(s);
		return;
	}
	log_error("dmsg ended; it is started again in %d seconds", DMSG_PAUSE);
	event_add(s->again, &tv);
}

static void
on_dmsg_monitor(evutil_socket_t fd, short what, void *arg)
{
	struct listener *s = arg;
	struct privmsg m = { 0 };
	int r;

	if ((r = privmsg_recv(fd, &m, false)) == 1)
		r = answer_stream(s, &m);
	privmsg_free(&m);
	if (r != 0 && r != SKY_ERR_AGAIN)
		dmsg_monitor_gone(s);
}

/* The one that was just started ends when it has nobody to talk to. */
static int
watch_dmsg_monitor(struct listener *s, int sock)
{
	struct limits_conn *c = &s->dmsg;

	c->ev =
	    event_new(s->base, sock, EV_READ | EV_PERSIST, on_dmsg_monitor, s);
	if (c->ev != NULL && event_add(c->ev, NULL) == 0)
		return 0;
	if (c->ev != NULL)
		event_free(c->ev);
	errno = ENOMEM;
	return -1;
}

static int
spawn_dmsg_monitor(struct listener *s)
{
	struct monitor_for what = { .carrier = PRIV_DMSG,
		.peer = "dmsg monitor" };
	struct limits_conn *c = &s->dmsg;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), r;

	if (null == -1)
		return -1;
	memset(c, 0, sizeof(*c));
	r = monitor_spawn(s->set, s->opts, null, &what, &c->pid, &c->sock);
	close(null);
	if (r == 0 && (r = watch_dmsg_monitor(s, c->sock)) == -1) {
		conn_end(c);
		close(c->sock);
	}
	/* One that failed is waited for as nobody's: it is not this one. */
	if (r == -1)
		memset(c, 0, sizeof(*c));
	else
		c->dmsg = true;
	return r;
}

void
dmsg_monitor_start(evutil_socket_t unused, short what, void *arg)
{
	struct timeval tv = { .tv_sec = DMSG_PAUSE };
	struct listener *s = arg;

	if (!s->set->dmsg || s->stopping || spawn_dmsg_monitor(s) == 0)
		return;
	log_error("dmsg cannot be started: %s; it is tried again in %d seconds",
	    strerror(errno), DMSG_PAUSE);
	event_add(s->again, &tv);
}

/* --- streams to others --- */

/* Two pairs: for the stream's sealed bytes, and for how it came out. */
static const char *
pass_on(struct listener *s, struct buf *to, int ours[2])
{
	const char *why = NULL;
	int stream[2], result[2], theirs[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		stream) == -1)
		return "out of descriptors";
	if (privmsg_pair(result) != 0) {
		close(stream[0]);
		close(stream[1]);
		return "out of descriptors";
	}
	theirs[0] = stream[1];
	theirs[1] = result[1];
	if (privmsg_send(s->dmsg.sock, PM_DIAL_OUT, 0, to, theirs, 2) != 0)
		why = "dmsg does not answer";
	close(stream[1]);
	close(result[1]);
	ours[0] = stream[0];
	ours[1] = result[0];
	if (why != NULL) {
		close(ours[0]);
		close(ours[1]);
	}
	return why;
}

int
dmsg_monitor_dial(struct listener *s, struct limits_conn *c, struct privmsg *m)
{
	const char *why = MUX_NO_DMSG;
	int ours[2], r;
	struct buf b;

	if (s->dmsg.pid != 0 && s->dmsg.ev != NULL)
		why = pass_on(s, &m->body, ours);
	buf_init(&b, PRIVMSG_TEXT_MAX);
	if ((r = buf_put_cstring(&b, why != NULL ? why : "")) == 0)
		r = privmsg_send(c->sock, PM_DIAL + 1, m->id, &b, ours,
		    why == NULL ? 2 : 0);
	buf_free(&b);
	if (why == NULL) {
		close(ours[0]);
		close(ours[1]);
	}
	return r;
}
