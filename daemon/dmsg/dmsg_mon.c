/* SPDX-License-Identifier: ISC */
/* dmsg's half of the talk with its monitor: one function an act. */
#include "daemon/dmsg/dmsg_life.h"
#include "daemon/dmsg/dmsg_mon.h"
#include "daemon/dmsg/dmsg_out.h"
#include "daemon/dmsg/dmsg_pipe.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/privsep/welcome.h"

#define BODY_MAX (PRIVMSG_MAX - PRIVMSG_HEAD_LEN)
#define NOFILE	 (DMSG_STREAMS_MAX + 64)

/* The monitor is gone, or what it says is malformed: we end. */
static void
dmsg_mon_tell(struct dmsg *d, enum privmsg_type type, uint16_t id,
    struct buf *body)
{
	if (privmsg_send(d->monitor, type, id, body, NULL, 0) != 0)
		_exit(1);
}

static void
dmsg_mon_must(int r)
{
	if (r != 0)
		_exit(1);
}

void
dmsg_log(struct dmsg *d, enum log_level level, const char *fmt, ...)
{
	char text[LOG_LINE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (level <= LOG_LEVEL_WARN)
		strlcpy(d->last_error, text, sizeof(d->last_error));
	dmsg_mon_must(privmsg_send_log(d->monitor, level, text));
}

void
dmsg_mon_connect(struct dmsg *d, uint16_t id, const char *host, uint16_t port)
{
	struct buf b;

	buf_init(&b, BODY_MAX);
	dmsg_mon_must(buf_put_cstring(&b, host));
	dmsg_mon_must(buf_put_u16(&b, port));
	dmsg_mon_tell(d, PM_DMSG_CONNECT, id, &b);
	buf_free(&b);
}

void
dmsg_mon_begin(struct dmsg *d, uint8_t slot, const struct key_public *server)
{
	struct buf b;

	buf_init(&b, 64);
	dmsg_mon_must(buf_put_u8(&b, slot));
	dmsg_mon_must(buf_put(&b, server->b, sizeof(server->b)));
	dmsg_mon_tell(d, PM_DMSG_HANDSHAKE, slot, &b);
	buf_free(&b);
}

void
dmsg_mon_read(struct dmsg *d, uint8_t slot, struct buf *message)
{
	struct buf b;

	buf_init(&b, BODY_MAX);
	dmsg_mon_must(buf_put_u8(&b, slot));
	dmsg_mon_must(buf_put(&b, buf_ptr(message), buf_len(message)));
	dmsg_mon_tell(d, PM_DMSG_MESSAGE_2, slot, &b);
	buf_free(&b);
}

void
dmsg_mon_drop(struct dmsg *d, uint8_t slot)
{
	struct buf b;

	buf_init(&b, 1);
	dmsg_mon_must(buf_put_u8(&b, slot));
	dmsg_mon_tell(d, PM_DMSG_HANDSHAKE_DROP, slot, &b);
	buf_free(&b);
}

void
dmsg_mon_entry(struct dmsg *d, const struct dmsg_entry *e)
{
	struct buf b;

	buf_init(&b, BODY_MAX);
	dmsg_mon_must(buf_put_u64(&b, e->sequence));
	dmsg_mon_must(buf_put_u64(&b, (uint64_t)e->timestamp));
	dmsg_mon_must(buf_put_u32(&b, (uint32_t)e->ndelegated));
	for (size_t i = 0; i < e->ndelegated; i++)
		dmsg_mon_must(buf_put(&b, e->delegated[i].b, KEY_PUBLIC_LEN));
	dmsg_mon_tell(d, PM_DMSG_ENTRY, 0, &b);
	buf_free(&b);
}

void
dmsg_mon_stream(struct dmsg *d, uint16_t id, const struct key_public *peer,
    const struct key_public *server)
{
	struct buf b;

	buf_init(&b, 2 * KEY_PUBLIC_LEN);
	dmsg_mon_must(buf_put(&b, peer->b, sizeof(peer->b)));
	dmsg_mon_must(buf_put(&b, server->b, sizeof(server->b)));
	dmsg_mon_tell(d, PM_DMSG_STREAM, id, &b);
	buf_free(&b);
}

static void
tell_port(struct dmsg *d, enum privmsg_type type, uint16_t id, uint16_t port)
{
	struct buf b;

	buf_init(&b, 2);
	dmsg_mon_must(buf_put_u16(&b, port));
	dmsg_mon_tell(d, type, id, &b);
	buf_free(&b);
}

void
dmsg_mon_dial(struct dmsg *d, uint16_t id, uint16_t port)
{
	tell_port(d, PM_DMSG_DIAL_REQUEST, id, port);
}

void
dmsg_mon_dialed(struct dmsg *d, uint16_t id, struct buf *noise)
{
	dmsg_mon_tell(d, PM_DMSG_DIAL_RESPONSE, id, noise);
}

void
dmsg_mon_probe(struct dmsg *d, uint16_t id, uint16_t port)
{
	tell_port(d, PM_DMSG_PROBE, id, port);
}

void
dmsg_mon_give_up(struct dmsg *d, uint16_t id, const char *why)
{
	struct buf b;

	buf_init(&b, PRIVMSG_TEXT_MAX + 4);
	dmsg_mon_must(buf_put_cstring(&b, why));
	dmsg_mon_tell(d, PM_DMSG_DIAL_FAILED, id, &b);
	buf_free(&b);
}

void
dmsg_mon_status(struct dmsg *d, struct buf *json)
{
	dmsg_mon_tell(d, PM_DMSG_STATUS, 0, json);
}

/* --- what the monitor says --- */

static int
dmsg_mon_connected(struct dmsg *d, struct privmsg *m)
{
	char *why = NULL;
	int fd, r;

	if ((r = buf_get_cstring(&m->body, &why, PRIVMSG_TEXT_MAX)) != 0)
		return r;
	fd = privmsg_take_fd(m, 0);
	if (m->id < DMSG_SESSIONS_MAX)
		server_connected(d, m->id, fd, why);
	else
		ask_connected(d, m->id, fd, why);
	free(why);
	return 0;
}

static int
dmsg_mon_dispatch(struct dmsg *d, struct privmsg *m)
{
	switch (m->type) {
	case PM_DMSG_CONFIG:
		dmsg_configured(d, &m->body);
		return 0;
	case PM_DMSG_STOP:
		dmsg_stop(d);
		return 0;
	case PM_DMSG_CONNECT + 1:
		return dmsg_mon_connected(d, m);
	case PM_DMSG_HANDSHAKE + 1:
		server_begun(d, m->id, &m->body);
		return 0;
	case PM_DMSG_MESSAGE_2 + 1:
		server_proven(d, m->id, &m->body);
		return 0;
	case PM_DMSG_ENTRY + 1:
		dmsg_entry_signed(d, &m->body);
		return 0;
	case PM_DMSG_STREAM + 1:
		pipe_socket(d, m->id, privmsg_take_fd(m, 0));
		return 0;
	case PM_DMSG_PROBE + 1:
		probe_signed(d, m->id, &m->body);
		return 0;
	case PM_DMSG_DIAL:
		out_begin(d, m->id, privmsg_take_fd(m, 0), &m->body);
		return 0;
	case PM_DMSG_DIAL_REQUEST + 1:
		if (m->id != 0)
			out_signed(d, m->id, &m->body);
		else
			ask_dialing(d, &m->body);
		return 0;
	case PM_DMSG_DIAL_RESPONSE + 1:
		if (m->id != 0)
			out_proven(d, m->id, &m->body);
		else
			ask_dialed(d, &m->body);
		return 0;
	}
	return SKY_ERR_FORMAT;
}

static void
dmsg_mon_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct dmsg *d = arg;
	int r;

	if ((r = privmsg_recv(fd, &d->msg, true)) == SKY_ERR_AGAIN)
		return;
	if (r < 0)
		_exit(0);
	if ((r = dmsg_mon_dispatch(d, &d->msg)) != 0)
		_exit(1);
	privmsg_clear(&d->msg);
}

int
dmsg_mon_init(struct dmsg *d, int fd)
{
	d->monitor = fd;
	d->monitor_ev = event_new(d->base, fd, EV_READ | EV_PERSIST,
	    dmsg_mon_on_readable, d);
	return d->monitor_ev != NULL ? event_add(d->monitor_ev, NULL) : -1;
}

/* --- confinement --- */

static void
dmsg_mon_report_step(void *arg, const char *step, const char *detail, int error)
{
	if (error != 0)
		dmsg_log(arg, LOG_LEVEL_ERROR, "confinement: %s (%s): %s", step,
		    detail, strerror(error));
}

static unsigned
dmsg_mon_descriptors(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1 || rl.rlim_max > NOFILE)
		return NOFILE;
	return (unsigned)rl.rlim_max;
}

void
dmsg_mon_welcome(struct dmsg *d)
{
	struct welcome w;

	if (welcome_recv(d->monitor, &d->msg, &w) != 0 ||
	    w.carrier != PRIV_DMSG)
		_exit(1);
	w.sandbox.memory = DMSG_MEMORY;
	w.sandbox.nofile = dmsg_mon_descriptors();
	if (sandbox_enter(&w.sandbox, dmsg_mon_report_step, d) == -1)
		_exit(1);
	free(w.root);
	malloc_trim(0);
}
