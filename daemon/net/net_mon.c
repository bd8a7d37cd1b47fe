/* SPDX-License-Identifier: ISC */
/* Requests of the confined child to its monitor: one function an act. */
#include "daemon/net/net_mon.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/privsep/privmsg.h"

#define BODY_MAX (PRIVMSG_MAX - PRIVMSG_HEAD_LEN)

/* The monitor is gone, or what it says is malformed: this connection ends. */
static void
mon_request(int mon, enum privmsg_type type, uint16_t id, struct buf *body)
{
	if (privmsg_send(mon, type, id, body, NULL, 0) != 0)
		_exit(1);
}

/* The same for one of few bytes, which is freed, if all of it is there. */
static void
mon_small(int mon, enum privmsg_type type, struct buf *body, bool whole)
{
	if (!whole)
		_exit(1);
	mon_request(mon, type, 0, body);
	buf_free(body);
}

/* One that is answered. */
static void
mon_ask(struct channel *ch, enum privmsg_type type, struct buf *body)
{
	ch->owed++;
	mon_request(ch->mon, type, ch->number, body);
}

static void
mon_ask_small(struct channel *ch, enum privmsg_type type, struct buf *body,
    bool whole)
{
	if (!whole)
		_exit(1);
	mon_ask(ch, type, body);
	buf_free(body);
}

void
mon_log(int mon, enum log_level level, const char *fmt, ...)
{
	char text[LOG_LINE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)privmsg_send_log(mon, level, text);
}

void
mon_handshake(int mon, struct buf *body)
{
	mon_request(mon, PM_HANDSHAKE, 0, body);
}

void
mon_kk_request(int mon, struct buf *body)
{
	mon_request(mon, PM_KK_REQUEST, 0, body);
}

void
mon_first_frame(int mon, struct buf *body)
{
	mon_request(mon, PM_FIRST_FRAME, 0, body);
}

static void
mon_handle(int mon, enum privmsg_type type, uint32_t handle)
{
	struct buf b;

	buf_init(&b, 4);
	mon_small(mon, type, &b, buf_put_u32(&b, handle) == 0);
}

void
mon_pty_stop(struct channel *ch, uint32_t handle)
{
	struct buf b;

	buf_init(&b, 4);
	mon_ask_small(ch, PM_PTY_STOP, &b, buf_put_u32(&b, handle) == 0);
}

void
mon_exec_end(int mon, uint32_t handle)
{
	mon_handle(mon, PM_EXEC_END, handle);
}

void
mon_exec_leave(int mon, uint32_t handle)
{
	mon_handle(mon, PM_EXEC_LEAVE, handle);
}

void
mon_exec_signal(int mon, uint32_t handle, int number)
{
	struct buf b;

	buf_init(&b, 8);
	mon_small(mon, PM_EXEC_SIGNAL, &b,
	    buf_put_u32(&b, handle) == 0 &&
		buf_put_u8(&b, (uint8_t)number) == 0);
}

void
mon_sftp_start(struct channel *ch)
{
	mon_ask(ch, PM_SFTP_START, NULL);
}

void
mon_user(int mon, struct buf *name)
{
	struct buf b;

	buf_init(&b, 4 + PRIV_USER_MAX);
	mon_small(mon, PM_USER, &b,
	    buf_put_string(&b, buf_ptr(name), buf_len(name)) == 0);
}

void
mon_active(int mon, uint64_t in, uint64_t out)
{
	struct buf b;

	buf_init(&b, 16);
	mon_small(mon, PM_ACTIVE, &b,
	    buf_put_u64(&b, in) == 0 && buf_put_u64(&b, out) == 0);
}

void
mon_bytes(int mon, uint32_t handle, uint64_t in, uint64_t out)
{
	struct buf b;

	/* For the log alone, and what is said last: nobody depends on it. */
	buf_init(&b, 20);
	if (buf_put_u32(&b, handle) == 0 && buf_put_u64(&b, in) == 0 &&
	    buf_put_u64(&b, out) == 0)
		(void)privmsg_send(mon, PM_BYTES, 0, &b, NULL, 0);
	buf_free(&b);
}

void
mon_conns(struct channel *ch, uint64_t after)
{
	struct buf b;

	buf_init(&b, 8);
	mon_ask_small(ch, PM_CONNS, &b, buf_put_u64(&b, after) == 0);
}

void
mon_counts(struct channel *ch)
{
	mon_ask(ch, PM_COUNTS, NULL);
}

void
mon_status(struct channel *ch)
{
	mon_ask(ch, PM_STATUS, NULL);
}

void
mon_kill(struct channel *ch, const struct mux_kill *k)
{
	struct buf b;

	buf_init(&b, PRIV_KILL_MAX);
	mon_ask_small(ch, PM_KILL, &b,
	    buf_put_u8(&b, k->by_key ? PRIV_KILL_KEY : PRIV_KILL_ID) == 0 &&
		(k->by_key ? buf_put(&b, k->pk.b, KEY_PUBLIC_LEN) :
			     buf_put(&b, k->id, sizeof(k->id))) == 0);
}

void
mon_dial(struct channel *ch, const struct key_public *pk, uint16_t port)
{
	struct buf b;

	buf_init(&b, KEY_PUBLIC_LEN + 2);
	mon_ask_small(ch, PM_PROXY_DIAL, &b,
	    buf_put(&b, pk->b, KEY_PUBLIC_LEN) == 0 &&
		buf_put_u16(&b, port) == 0);
}

static bool
mon_put_place(struct buf *b, const struct mux_place *p)
{
	uint8_t kind = p->is_path ? PRIV_FORWARD_UNIX : PRIV_FORWARD_TCP;

	buf_init(b, PRIVMSG_TEXT_MAX);
	return buf_put_u8(b, kind) == 0 && buf_put_cstring(b, p->name) == 0 &&
	    buf_put_u16(b, p->port) == 0;
}

void
mon_forward_open(struct channel *ch, const struct mux_place *p)
{
	struct buf b;

	mon_ask_small(ch, PM_FORWARD_OPEN, &b, mon_put_place(&b, p));
}

void
mon_forward_listen(struct channel *ch, const struct mux_place *p)
{
	struct buf b;

	mon_ask_small(ch, PM_FORWARD_LISTEN, &b,
	    mon_put_place(&b, p) && buf_put_u8(&b, 0) == 0);
}

void
mon_wl_list(struct channel *ch)
{
	mon_ask(ch, PM_WL_LIST, NULL);
}

/* u32 count, strings. */
static int
mon_put_list(struct buf *b, struct gob_list list)
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
mon_put_command(struct buf *b, struct buf *name, const struct gob_list *arg,
    const struct gob_list *env)
{
	int r;

	if (buf_len(name) > PRIV_ARG_MAX)
		return SKY_ERR_LIMIT;
	if ((r = buf_put_string(b, buf_ptr(name), buf_len(name))) != 0 ||
	    (r = mon_put_list(b, *arg)) != 0)
		return r;
	return mon_put_list(b, *env);
}

static int
mon_put_size(struct buf *b, const struct rpc_winsize *ws)
{
	int r;

	if ((r = buf_put_u16(b, (uint16_t)ws->rows)) != 0 ||
	    (r = buf_put_u16(b, (uint16_t)ws->cols)) != 0 ||
	    (r = buf_put_u16(b, (uint16_t)ws->x)) != 0)
		return r;
	return buf_put_u16(b, (uint16_t)ws->y);
}

static int
mon_put_pty(struct buf *b, struct rpc_command *c, const struct mux_session *w)
{
	unsigned flags = (c->has_size ? PRIV_PTY_SIZE : 0) |
	    (w->login ? PRIV_PTY_LOGIN : 0) |
	    (w->has_modes ? PRIV_PTY_MODES : 0) | (w->line ? PRIV_PTY_LINE : 0);
	int r;

	if ((r = mon_put_command(b, &c->name, &c->arg, &c->env)) != 0 ||
	    (r = buf_put_u8(b, (uint8_t)flags)) != 0 ||
	    (r = mon_put_size(b, &c->size)) != 0)
		return r;
	return buf_put(b, w->modes, w->has_modes ? MODES_LEN : 0);
}

int
mon_pty_start(struct channel *ch, struct rpc_command *c,
    const struct mux_session *w)
{
	struct buf b;
	int r;

	buf_init(&b, BODY_MAX);
	if ((r = mon_put_pty(&b, c, w)) == 0)
		mon_ask(ch, PM_PTY_START, &b);
	buf_free(&b);
	return r;
}

int
mon_session_run(struct channel *ch, struct rpc_command *c,
    const struct mux_session *w)
{
	struct buf b;
	int r;

	buf_init(&b, BODY_MAX);
	if ((r = mon_put_pty(&b, c, w)) == 0 &&
	    (r = buf_put_cstring(&b, w->name)) == 0)
		mon_ask(ch, PM_SESSION_RUN, &b);
	buf_free(&b);
	return r;
}

void
mon_session_door(struct channel *ch)
{
	mon_ask(ch, PM_SESSION_DOOR, NULL);
}

/* A command and what is asked besides, for EXEC_START and JOB_RUN. */
static int
mon_put_exec(struct channel *ch, enum privmsg_type type, struct rpc_exec *e,
    uint32_t timeout_ms, unsigned flags)
{
	struct buf b;
	int r;

	buf_init(&b, BODY_MAX);
	if ((r = mon_put_command(&b, &e->name, &e->arg, &e->env)) == 0 &&
	    (r = buf_put_u32(&b, timeout_ms)) == 0 &&
	    (r = buf_put_u8(&b, (uint8_t)flags)) == 0)
		mon_ask(ch, type, &b);
	buf_free(&b);
	return r;
}

int
mon_exec_start(struct channel *ch, struct rpc_exec *e, uint32_t timeout_ms,
    bool has_stdin, const struct mux_session *w)
{
	return mon_put_exec(ch, PM_EXEC_START, e, timeout_ms,
	    (has_stdin ? PRIV_EXEC_STDIN : 0) | (w->keep ? PRIV_EXEC_KEEP : 0) |
		(w->login ? PRIV_EXEC_LOGIN : 0) |
		(w->line ? PRIV_EXEC_LINE : 0));
}

int
mon_job_run(struct channel *ch, struct rpc_exec *e, uint32_t timeout_ms,
    bool has_stdin, const struct mux_session *w)
{
	return mon_put_exec(ch, PM_JOB_RUN, e, timeout_ms,
	    (has_stdin ? PRIV_EXEC_STDIN : 0) | (w->line ? PRIV_EXEC_LINE : 0));
}

void
mon_job_door(struct channel *ch)
{
	mon_ask(ch, PM_JOB_DOOR, NULL);
}

int
mon_wl_change(struct channel *ch, bool add, struct gob_list *keys)
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
		mon_ask(ch, add ? PM_WL_ADD : PM_WL_REMOVE, &b);
	buf_free(&b);
	return r;
}

int
mon_get_exited(struct buf *b, struct mon_exited *e)
{
	uint8_t how;
	int r;

	if ((r = buf_get_u32(b, &e->handle)) != 0 ||
	    (r = buf_get_u8(b, &how)) != 0)
		return r;
	e->how = (enum priv_exit)how;
	return buf_get_u32(b, &e->status);
}

/* A socket ends what is behind it by being closed. */
int
mon_undo(struct channel *ch, struct privmsg *m)
{
	uint32_t handle;
	char *why;
	int r;

	if (m->type != PM_PTY_START + 1 && m->type != PM_EXEC_START + 1)
		return 0;
	if ((r = buf_get_cstring(&m->body, &why, PRIVMSG_TEXT_MAX)) != 0)
		return r;
	if (*why == '\0' && (r = buf_get_u32(&m->body, &handle)) == 0) {
		if (m->type == PM_PTY_START + 1)
			mon_pty_stop(ch, handle);
		else
			mon_exec_leave(ch->mon, handle);
	}
	free(why);
	return r;
}
