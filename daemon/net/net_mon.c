/* SPDX-License-Identifier: ISC */
/*
 * The confined child's half of the talk with its monitor: one function an act;
 * answers and events are handed to the part that waits for them.
 */
#include "daemon/net/net.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/privsep/welcome.h"

#define BODY_MAX (PRIVMSG_MAX - PRIVMSG_HEAD_LEN)

/* The monitor is gone or makes no sense: so does this connection. */
static void
ask(struct net *n, enum privmsg_type type, uint16_t id, struct buf *body)
{
	if (privmsg_send(n->monitor, type, id, body, NULL, 0) != 0)
		_exit(1);
}

void
mon_log(struct net *n, enum log_level level, const char *fmt, ...)
{
	char text[LOG_LINE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)privmsg_send_log(n->monitor, level, text);
}

void
mon_handshake(struct net *n, struct buf *body)
{
	ask(n, PM_HANDSHAKE, 0, body);
}

void
mon_kk_request(struct net *n, struct buf *body)
{
	ask(n, PM_KK_REQUEST, 0, body);
}

void
mon_first_frame(struct net *n, struct buf *body)
{
	ask(n, PM_FIRST_FRAME, 0, body);
}

void
mon_pty_stop(struct net *n)
{
	ask(n, PM_PTY_STOP, 0, NULL);
}

void
mon_exec_end(struct net *n, uint32_t handle)
{
	struct buf b;

	buf_init(&b, 4);
	if (buf_put_u32(&b, handle) != 0)
		_exit(1);
	ask(n, PM_EXEC_END, 0, &b);
	buf_free(&b);
}

void
mon_exec_signal(struct net *n, uint32_t handle, int number)
{
	struct buf b;

	buf_init(&b, 8);
	if (buf_put_u32(&b, handle) != 0 ||
	    buf_put_u8(&b, (uint8_t)number) != 0)
		_exit(1);
	ask(n, PM_EXEC_SIGNAL, 0, &b);
	buf_free(&b);
}

void
mon_sftp_start(struct net *n)
{
	ask(n, PM_SFTP_START, 0, NULL);
}

void
mon_status(struct net *n)
{
	ask(n, PM_STATUS, 0, NULL);
}

void
mon_proxy_dial(struct net *n, const struct key_public *pk, uint16_t port)
{
	struct buf b;

	buf_init(&b, KEY_PUBLIC_LEN + 2);
	if (buf_put(&b, pk->b, KEY_PUBLIC_LEN) != 0 ||
	    buf_put_u16(&b, port) != 0)
		_exit(1);
	ask(n, PM_PROXY_DIAL, 0, &b);
	buf_free(&b);
}

void
mon_wl_list(struct net *n)
{
	ask(n, PM_WL_LIST, 0, NULL);
}

/* u32 count, strings. */
static int
put_list(struct buf *b, struct gob_list list)
{
	struct buf s;
	int r;

	if (list.count > PRIV_ARGS_MAX)
		return SKY_ERR_LIMIT;
	if ((r = buf_put_u32(b, (uint32_t)list.count)) != 0)
		return r;
	while ((r = gob_list_next(&list, &s)) == 1) {
		if (buf_len(&s) > PRIV_ARG_MAX)
			return SKY_ERR_LIMIT;
		if ((r = buf_put_string(b, buf_ptr(&s), buf_len(&s))) != 0)
			return r;
	}
	return r;
}

static int
put_command(struct buf *b, struct buf *name, const struct gob_list *arg,
    const struct gob_list *env)
{
	int r;

	if (buf_len(name) > PRIV_ARG_MAX)
		return SKY_ERR_LIMIT;
	if ((r = buf_put_string(b, buf_ptr(name), buf_len(name))) != 0 ||
	    (r = put_list(b, *arg)) != 0)
		return r;
	return put_list(b, *env);
}

static int
put_size(struct buf *b, const struct rpc_winsize *ws)
{
	int r;

	if ((r = buf_put_u16(b, (uint16_t)ws->rows)) != 0 ||
	    (r = buf_put_u16(b, (uint16_t)ws->cols)) != 0 ||
	    (r = buf_put_u16(b, (uint16_t)ws->x)) != 0)
		return r;
	return buf_put_u16(b, (uint16_t)ws->y);
}

int
mon_pty_start(struct net *n, struct rpc_command *c)
{
	const struct mux_session *w = &n->wishes;
	unsigned flags = (c->has_size ? PRIV_PTY_SIZE : 0) |
	    (w->login ? PRIV_PTY_LOGIN : 0) |
	    (w->has_modes ? PRIV_PTY_MODES : 0);
	struct buf b;
	int r;

	buf_init(&b, BODY_MAX);
	if ((r = put_command(&b, &c->name, &c->arg, &c->env)) == 0 &&
	    (r = buf_put_u8(&b, (uint8_t)flags)) == 0 &&
	    (r = put_size(&b, &c->size)) == 0 &&
	    (r = buf_put(&b, w->modes, w->has_modes ? MODES_LEN : 0)) == 0)
		ask(n, PM_PTY_START, 0, &b);
	buf_free(&b);
	return r;
}

int
mon_exec_start(struct net *n, uint16_t slot, struct rpc_exec *e,
    uint32_t timeout_ms, bool has_stdin)
{
	unsigned flags = (has_stdin ? PRIV_EXEC_STDIN : 0) |
	    (n->wishes.keep ? PRIV_EXEC_KEEP : 0) |
	    (n->wishes.login ? PRIV_EXEC_LOGIN : 0);
	struct buf b;
	int r;

	buf_init(&b, BODY_MAX);
	if ((r = put_command(&b, &e->name, &e->arg, &e->env)) == 0 &&
	    (r = buf_put_u32(&b, timeout_ms)) == 0 &&
	    (r = buf_put_u8(&b, (uint8_t)flags)) == 0)
		ask(n, PM_EXEC_START, slot, &b);
	buf_free(&b);
	return r;
}

int
mon_wl_change(struct net *n, bool add, struct gob_list *keys)
{
	struct gob_list list = *keys;
	struct buf b, key;
	int r;

	if (list.count > PRIV_WL_MAX)
		return SKY_ERR_LIMIT;
	buf_init(&b, BODY_MAX);
	r = buf_put_u32(&b, (uint32_t)list.count);
	while (r == 0 && (r = gob_list_next(&list, &key)) == 1)
		r = buf_len(&key) != KEY_PUBLIC_LEN ?
		    SKY_ERR_KEY :
		    buf_put(&b, buf_ptr(&key), buf_len(&key));
	if (r == 0)
		ask(n, add ? PM_WL_ADD : PM_WL_REMOVE, 0, &b);
	buf_free(&b);
	return r;
}

/* --- what the monitor says --- */

/* With KK the first frame has been opened already; what it said follows. */
static int
resume(struct net *n, struct buf *b)
{
	uint64_t counter;
	int r;

	if ((r = buf_get_u64(b, &counter)) != 0)
		return r;
	n->link.rx.counter = counter;
	return buf_put(&n->link.in, buf_ptr(b), buf_len(b));
}

/* The mux's refusal, sealed, and why there is one, if that is told. */
static int
turned_away(struct net *n, struct buf *b)
{
	uint8_t send[32], none[32] = { 0 };
	int r;

	if ((r = buf_get(b, send, sizeof(send))) != 0)
		return r;
	link_keys(&n->link, send, none);
	explicit_bzero(send, sizeof(send));
	if ((r = buf_put_u8(&n->link.out, MUX_REJECT)) != 0 ||
	    (r = buf_put(&n->link.out, buf_ptr(b), buf_len(b))) != 0)
		return r;
	net_finish(n);
	return 0;
}

static int
authenticated(struct net *n, struct buf *b, bool first_frame)
{
	uint8_t peer[KEY_PUBLIC_LEN], send[32], recv[32];
	uint32_t grants;
	int r;

	if ((r = buf_get(b, peer, sizeof(peer))) != 0 ||
	    (r = buf_get_u32(b, &grants)) != 0 ||
	    (r = buf_get(b, send, sizeof(send))) != 0 ||
	    (r = buf_get(b, recv, sizeof(recv))) != 0)
		return r;
	link_keys(&n->link, send, recv);
	explicit_bzero(send, sizeof(send));
	explicit_bzero(recv, sizeof(recv));
	if (first_frame && (r = resume(n, b)) != 0)
		return r;
	net_authenticated(n, grants);
	return 0;
}

static int
handshake_answer(struct net *n, struct privmsg *m)
{
	uint8_t what;
	int r;

	if (n->state != NET_HANDSHAKE || !n->asked)
		return SKY_ERR_STATE;
	n->asked = false;
	if ((r = buf_get_u8(&m->body, &what)) != 0)
		return r;
	switch (what) {
	case PRIV_FRAME:
		if ((r = link_put_handshake(&n->link, &m->body)) != 0)
			return r;
		link_flush(n);
		net_process(n);
		return 0;
	case PRIV_DONE:
		return authenticated(n, &m->body, false);
	case PRIV_DONE_KK:
		return authenticated(n, &m->body, true);
	case PRIV_TURNED_AWAY:
		return turned_away(n, &m->body);
	case PRIV_REFUSED:
		net_finish(n);
		net_process(n);
		return 0;
	}
	return SKY_ERR_FORMAT;
}

static int
control_ok(struct net *n, struct privmsg *m)
{
	uint32_t grants;
	int r;

	if (n->carrier != PRIV_CONTROL || n->state != NET_HANDSHAKE)
		return SKY_ERR_STATE;
	if ((r = buf_get_u32(&m->body, &grants)) != 0)
		return r;
	n->asked = false;
	n->link.plain = true;
	net_authenticated(n, grants);
	return 0;
}

static int
exited(struct net *n, struct privmsg *m)
{
	uint32_t handle, status;
	uint8_t how;
	int r;

	if ((r = buf_get_u32(&m->body, &handle)) != 0 ||
	    (r = buf_get_u8(&m->body, &how)) != 0 ||
	    (r = buf_get_u32(&m->body, &status)) != 0)
		return r;
	if (n->service == MUX_EXEC || n->service == MUX_EXEC_STREAM)
		flow_exited(n, handle, (enum priv_exit)how, status);
	else if (handle == PRIV_PTY_HANDLE)
		pty_exited(n);
	else
		exec_exited(n, handle, (enum priv_exit)how, status);
	return 0;
}

/* A command's start, by the service that asked for it. */
static int
started(struct net *n, struct privmsg *m)
{
	if (n->service == MUX_EXEC || n->service == MUX_EXEC_STREAM)
		return flow_started(n, m);
	return m->type == PM_PTY_START + 1 ? pty_started(n, m) :
					     exec_started(n, m);
}

/* As it came, then the end. */
static int
status_answer(struct net *n, struct privmsg *m)
{
	int r;

	if (n->service != MUX_STATUS || n->state != NET_SERVICE)
		return SKY_ERR_STATE;
	r = buf_put(&n->link.out, buf_ptr(&m->body), buf_len(&m->body));
	net_finish(n);
	return r;
}

static int
dispatch(struct net *n, struct privmsg *m)
{
	switch (m->type) {
	case PM_HANDSHAKE + 1:
	case PM_KK_REQUEST + 1:
	case PM_FIRST_FRAME + 1:
		return handshake_answer(n, m);
	case PM_CONTROL_OK:
		return control_ok(n, m);
	case PM_PTY_START + 1:
	case PM_EXEC_START + 1:
		return started(n, m);
	case PM_SFTP_START + 1:
		return sftp_started(n, m);
	case PM_STATUS + 1:
		return status_answer(n, m);
	case PM_PROXY_DIAL + 1:
		return proxy_dialed(n, m);
	case PM_PTY_STOP + 1:
		return pty_stopped(n);
	case PM_EXITED:
		return exited(n, m);
	case PM_WL_LIST + 1:
	case PM_WL_ADD + 1:
	case PM_WL_REMOVE + 1:
		return wl_answer(n, m);
	}
	return SKY_ERR_FORMAT;
}

static void
on_monitor(evutil_socket_t fd, short what, void *arg)
{
	struct net *n = arg;
	int r;

	(void)what;
	if ((r = privmsg_recv(fd, &n->msg, true)) == SKY_ERR_AGAIN)
		return;
	if (r < 0)
		_exit(0);
	if ((r = dispatch(n, &n->msg)) != 0)
		net_end(n, "monitor's message %u: %s", n->msg.type,
		    err_text(r));
	privmsg_clear(&n->msg);
}

int
mon_init(struct net *n, int fd)
{
	n->monitor = fd;
	n->monitor_ev =
	    event_new(n->base, fd, EV_READ | EV_PERSIST, on_monitor, n);
	return n->monitor_ev != NULL ? event_add(n->monitor_ev, NULL) : -1;
}

/* --- confinement --- */

static void
report_step(void *arg, const char *step, const char *detail, int error)
{
	if (error != 0)
		mon_log(arg, LOG_LEVEL_ERROR, "confinement: %s (%s): %s", step,
		    detail, strerror(error));
}

void
mon_welcome(struct net *n)
{
	struct welcome w;

	if (welcome_recv(n->monitor, &n->msg, &w) != 0 ||
	    w.carrier == PRIV_DMSG)
		_exit(1);
	n->carrier = w.carrier;
	n->asked = n->carrier == PRIV_CONTROL; /* for CONTROL_OK */
	w.sandbox.memory = NET_MEMORY;
	w.sandbox.nofile = NET_NOFILE;
	if (sandbox_enter(&w.sandbox, report_step, n) == -1)
		_exit(1);
	free(w.root);
	/* What the filter was made from is not needed again. */
	malloc_trim(0);
}
