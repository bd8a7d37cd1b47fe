/* SPDX-License-Identifier: ISC */
/*
 * The process that holds the sessions to dmsg servers, as the listener sees it:
 * it is started, and started again; its streams become connections, and streams
 * to others are passed on to it.
 */
#include "daemon/server.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/err.h"
#include "common/mux.h"

#define OVERLAY_PAUSE 5 /* seconds before it is started again */

/* Streams that have not authenticated are one address to the limits. */
static int
open_stream(struct server *s, const struct key_public *pk)
{
	struct sockaddr_storage none = { .ss_family = AF_UNSPEC };
	char text[KEY_PUBLIC_HEX], peer[KEY_PUBLIC_HEX + 16];
	const char *why = NULL;
	int sv[2];

	key_text(pk, text);
	snprintf(peer, sizeof(peer), "dmsg %s", text);
	if (s->stopping)
		return -1;
	if (!limits_admit(&s->conns, &s->set->conf, &none, &why)) {
		if (limits_may_tell())
			log_info("Turned away %s: %s", peer, why);
		return -1;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		sv) == -1)
		return -1;
	if (server_serve(s, sv[1], &none, peer, PRIV_KK) == -1) {
		close(sv[0]);
		sv[0] = -1;
	}
	close(sv[1]);
	return sv[0];
}

static int
keep_status(struct server *s, struct privmsg *m)
{
	buf_free(&s->status);
	buf_init(&s->status, PRIV_STATUS_MAX);
	return buf_put(&s->status, buf_ptr(&m->body), buf_len(&m->body));
}

static int
answer_stream(struct server *s, struct privmsg *m)
{
	struct key_public pk;
	struct buf b;
	int fd, r;

	if (m->type == PM_OV_REPORT)
		return keep_status(s, m);
	if (m->type != PM_STREAM)
		return ERR_STATE;
	if ((r = buf_get(&m->body, pk.b, sizeof(pk.b))) != 0)
		return r;
	fd = open_stream(s, &pk);
	buf_init(&b, 1);
	if ((r = buf_put_u8(&b, fd != -1)) == 0)
		r = privmsg_send(s->overlay.sock, PM_STREAM + 1, m->id, &b, &fd,
		    fd != -1 ? 1 : 0);
	buf_free(&b);
	if (fd != -1)
		close(fd);
	return r;
}

static void
overlay_gone(struct server *s)
{
	struct timeval tv = { .tv_sec = OVERLAY_PAUSE };

	event_free(s->overlay.ev);
	close(s->overlay.sock);
	memset(&s->overlay, 0, sizeof(s->overlay));
	buf_free(&s->status);
	if (s->stopping) {
		server_leave_if_done(s);
		return;
	}
	log_error("dmsg ended; it is started again in %d seconds",
	    OVERLAY_PAUSE);
	event_add(s->again, &tv);
}

static void
on_overlay(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;
	struct privmsg m = { 0 };
	int r;

	(void)what;
	if ((r = privmsg_recv(fd, &m, false)) == 1)
		r = answer_stream(s, &m);
	privmsg_free(&m);
	if (r != 0 && r != ERR_AGAIN)
		overlay_gone(s);
}

static int
spawn_overlay(struct server *s)
{
	struct conn *c = &s->overlay;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), r;

	if (null == -1)
		return -1;
	r = session_spawn(s->set, s->opts, null, PRIV_OVERLAY, "dmsg", &c->pid,
	    &c->sock);
	close(null);
	if (r == -1)
		return -1;
	c->overlay = true;
	c->ev =
	    event_new(s->base, c->sock, EV_READ | EV_PERSIST, on_overlay, s);
	return c->ev != NULL ? event_add(c->ev, NULL) : -1;
}

void
overlay_start(evutil_socket_t unused, short what, void *arg)
{
	struct timeval tv = { .tv_sec = OVERLAY_PAUSE };
	struct server *s = arg;

	(void)unused, (void)what;
	if (!s->set->dmsg || s->stopping || spawn_overlay(s) == 0)
		return;
	log_error("dmsg cannot be started: %s; it is tried again in %d seconds",
	    strerror(errno), OVERLAY_PAUSE);
	event_add(s->again, &tv);
}

/* --- streams to others --- */

/* Two pairs: for the stream's sealed bytes, and for how it came out. */
static const char *
pass_on(struct server *s, struct buf *to, int ours[2])
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
	if (privmsg_send(s->overlay.sock, PM_DIAL_OUT, 0, to, theirs, 2) != 0)
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
overlay_dial(struct server *s, struct conn *c, struct privmsg *m)
{
	const char *why = MUX_NO_DMSG;
	int ours[2], r;
	struct buf b;

	if (s->overlay.pid != 0 && s->overlay.ev != NULL)
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
