/* SPDX-License-Identifier: ISC */
/*
 * Streams that dmsg dials: to the discovery, for itself, and to whom
 * somebody on the control socket has asked for.  Requests are signed and
 * handshakes made here; of the second kind dmsg gets no key, it goes
 * straight to the monitor of whoever asked.
 */
#include "monitor/dmsg/dials.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/dmsg/dmsg_disc.h"
#include "common/dmsg/dmsg_object.h"
#include "common/dmsg/dmsg_sign.h"
#include "common/pty/noise.h"
#include "monitor/dmsg/dmsg_monitor.h"

#define DISCOVERY 0  /* the slot that is dmsg's own */
#define SLOTS	  64 /* an id is a slot and, times this, whose turn it is */
#define TURNS_MAX (UINT16_MAX / SLOTS)

_Static_assert(PRIV_DIALS_MAX < SLOTS, "slots do not fit into an id");

struct dial {
	uint16_t id; /* 0: has never been somebody's */
	bool open;   /* may be dialed */
	bool signing_done;
	struct dmsg_addr to;
	struct noise *noise;
	int result;   /* where it is told; -1 for the discovery */
	time_t until; /* when somebody else may have the slot */
};

struct dials {
	struct event *parent_ev;
	struct dial slot[1 + PRIV_DIALS_MAX];
};

static time_t
dials_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void
dials_close_slot(struct dial *d)
{
	noise_free(d->noise);
	if (d->result != -1)
		close(d->result);
	*d = (struct dial){ .id = d->id, .result = -1 };
}

void
dials_forget(struct dmsg_monitor *m)
{
	if (m->dials == NULL)
		return;
	for (size_t i = 0; i <= PRIV_DIALS_MAX; i++)
		dials_close_slot(&m->dials->slot[i]);
}

/* --- requests of dmsg --- */

static struct dial *
dials_slot(struct dmsg_monitor *m, const struct privmsg *msg)
{
	struct dial *d;

	if (msg->id % SLOTS > PRIV_DIALS_MAX)
		return NULL;
	d = &m->dials->slot[msg->id % SLOTS];
	return d->open && d->id == msg->id ? d : NULL;
}

/* The slot was taken away, for taking too long: the child was not told. */
static bool
dials_is_late(struct dmsg_monitor *m, const struct privmsg *msg)
{
	const struct dial *d = &m->dials->slot[msg->id % SLOTS];

	return msg->id % SLOTS <= PRIV_DIALS_MAX && d->id != 0 &&
	    d->id != msg->id;
}

static int
dials_put_request(struct dmsg_monitor *m, const struct dial *d, uint16_t port,
    const struct buf *noise, struct buf *out)
{
	struct dmsg_request q = { .src = { .pk = m->own, .port = port },
		.dst = d->to,
		.noise = *noise };

	return dmsg_sign_request(m->half.keyctx, m->half.start.sk, &q, out);
}

/* A dial of the discovery that was given up is forgotten with the next one. */
int
dials_request(struct half *h, struct privmsg *msg)
{
	struct dmsg_monitor *m = dmsg_monitor_of(h);
	struct dial *d = dials_slot(m, msg);
	struct buf noise, b;
	uint16_t port;
	int r;

	if ((r = buf_get_u16(&msg->body, &port)) != 0)
		return r;
	if (d == NULL && port != 0 && dials_is_late(m, msg))
		return 0;
	if (d == NULL || port == 0 || (msg->id != DISCOVERY && d->signing_done))
		return SKY_ERR_STATE;
	d->signing_done = true;
	noise_free(d->noise);
	d->noise = NULL;
	buf_init(&noise, NOISE_MSG_MAX);
	buf_init(&b, DMSG_SIG_LEN + NOISE_MSG_MAX);
	if ((r = noise_new(&d->noise, m->half.keyctx, NOISE_KK, NOISE_INITIATOR,
		 m->half.start.sk, &d->to.pk)) == 0 &&
	    (r = noise_write(d->noise, NULL, &noise)) == 0 &&
	    (r = dials_put_request(m, d, port, &noise, &b)) == 0)
		half_answer(&m->half, msg, &b);
	buf_free(&noise);
	buf_free(&b);
	return r;
}

/* Error text, or none and the keys. */
static void
dials_tell_result(const struct dial *d, const char *why,
    const struct noise_keys *k)
{
	struct buf b;

	buf_init(&b, PRIVMSG_TEXT_MAX + 128);
	if (buf_put_cstring(&b, why) == 0 &&
	    (k == NULL ||
		(buf_put(&b, k->send, sizeof(k->send)) == 0 &&
		    buf_put(&b, k->recv, sizeof(k->recv)) == 0)))
		(void)privmsg_send(d->result, PM_DIAL_RESULT, 0, &b, NULL, 0);
	buf_free(&b);
}

static void
dials_tell_child(struct dmsg_monitor *m, struct privmsg *msg, bool ok,
    const struct noise_keys *k)
{
	struct buf b;

	buf_init(&b, 1 + sizeof(*k));
	if (buf_put_u8(&b, ok) == 0 &&
	    (k == NULL ||
		(buf_put(&b, k->send, sizeof(k->send)) == 0 &&
		    buf_put(&b, k->recv, sizeof(k->recv)) == 0)))
		half_answer(&m->half, msg, &b);
	buf_free(&b);
}

/* The child has read the response; who made it is told by KK alone. */
int
dials_response(struct half *h, struct privmsg *msg)
{
	struct dmsg_monitor *m = dmsg_monitor_of(h);
	struct dial *d = dials_slot(m, msg);
	struct noise_keys keys = { .send = { 0 } };
	bool ok;

	if (d == NULL && dials_is_late(m, msg))
		return 0;
	if (d == NULL || d->noise == NULL)
		return SKY_ERR_STATE;
	ok = noise_read(d->noise, &msg->body, NULL) == 0 &&
	    noise_split(d->noise, &keys) == 0;
	noise_free(d->noise);
	d->noise = NULL;
	if (msg->id == DISCOVERY)
		dials_tell_child(m, msg, ok, ok ? &keys : NULL);
	else {
		dials_tell_child(m, msg, ok, NULL);
		dials_tell_result(d, ok ? "" : "it does not prove its key",
		    ok ? &keys : NULL);
		dials_close_slot(d);
	}
	explicit_bzero(&keys, sizeof(keys));
	return 0;
}

int
dials_failed(struct half *h, struct privmsg *msg)
{
	struct dmsg_monitor *m = dmsg_monitor_of(h);
	struct dial *d = dials_slot(m, msg);
	char *why;
	int r;

	if (d == NULL && dials_is_late(m, msg))
		return 0;
	if (msg->id == DISCOVERY || d == NULL)
		return SKY_ERR_STATE;
	if ((r = buf_get_cstring(&msg->body, &why, PRIVMSG_TEXT_MAX)) != 0)
		return r;
	dials_tell_result(d, *why != '\0' ? why : "failed", NULL);
	dials_close_slot(d);
	free(why);
	return buf_at_end(&msg->body);
}

/* --- to ourselves --- */

/*
 * Our own key is let in: no handshake that reaches it may ever be finished by
 * the child.  So nobody listens there, and the handshake is forgotten.
 */
int
dials_probe(struct half *h, struct privmsg *msg)
{
	struct dmsg_monitor *m = dmsg_monitor_of(h);
	struct dial d = { .result = -1,
		.to = { .pk = m->own,
		    .port = m->half.start.dmsgport == 1 ? 2 : 1 } };
	struct buf noise, b;
	uint16_t port;
	int r;

	if ((r = buf_get_u16(&msg->body, &port)) != 0)
		return r;
	if (port == 0)
		return SKY_ERR_STATE;
	buf_init(&noise, NOISE_MSG_MAX);
	buf_init(&b, DMSG_SIG_LEN + NOISE_MSG_MAX);
	if ((r = noise_new(&d.noise, m->half.keyctx, NOISE_KK, NOISE_INITIATOR,
		 m->half.start.sk, &d.to.pk)) == 0 &&
	    (r = noise_write(d.noise, NULL, &noise)) == 0 &&
	    (r = dials_put_request(m, &d, port, &noise, &b)) == 0)
		half_answer(&m->half, msg, &b);
	noise_free(d.noise);
	buf_free(&noise);
	buf_free(&b);
	return r;
}

/* --- what skyptyd passes on --- */

/* One is free, or has been for too long: its id is new each time. */
static struct dial *
dials_free_slot(struct dials *ds)
{
	unsigned turn;

	for (unsigned i = 1; i <= PRIV_DIALS_MAX; i++) {
		if (ds->slot[i].open && ds->slot[i].until > dials_now())
			continue;
		dials_close_slot(&ds->slot[i]);
		turn = ds->slot[i].id / SLOTS % (TURNS_MAX - 1) + 1;
		ds->slot[i].id = (uint16_t)(turn * SLOTS + i);
		return &ds->slot[i];
	}
	return NULL;
}

static int
dials_tell_child_of(struct dmsg_monitor *m, uint16_t id,
    const struct dmsg_addr *to, int fd)
{
	struct buf b;
	int r;

	buf_init(&b, KEY_PUBLIC_LEN + 2);
	if ((r = buf_put(&b, to->pk.b, KEY_PUBLIC_LEN)) == 0 &&
	    (r = buf_put_u16(&b, to->port)) == 0)
		r = privmsg_send(m->half.child, PM_DMSG_DIAL, id, &b, &fd, 1);
	buf_free(&b);
	return r;
}

static void
dials_refuse(int result, const char *why)
{
	struct dial d = { .result = result };

	dials_tell_result(&d, why, NULL);
}

void
dials_wish(struct dmsg_monitor *m, struct privmsg *msg)
{
	int stream = privmsg_take_fd(msg, 0), result = privmsg_take_fd(msg, 1);
	struct dmsg_addr to;
	struct dial *d;

	if (stream == -1 || result == -1 ||
	    buf_get(&msg->body, to.pk.b, sizeof(to.pk.b)) != 0 ||
	    buf_get_u16(&msg->body, &to.port) != 0) {
		log_error("DIAL_OUT: malformed");
	} else if (to.port == 0 || !key_valid(m->half.keyctx, &to.pk)) {
		dials_refuse(result, "that is no key, or no port");
	} else if ((d = dials_free_slot(m->dials)) == NULL) {
		dials_refuse(result, "too many streams are being dialed");
	} else if (dials_tell_child_of(m, d->id, &to, stream) != 0) {
		dials_refuse(result, "dmsg does not answer");
	} else {
		*d = (struct dial){ .id = d->id,
			.open = true,
			.to = to,
			.result = result,
			.until = dials_now() + PRIV_DIAL_S };
		result = -1;
	}
	if (stream != -1)
		close(stream);
	if (result != -1)
		close(result);
}

static void
dials_on_parent(evutil_socket_t fd, short what, void *arg)
{
	struct dmsg_monitor *m = arg;
	struct privmsg msg = { 0 };
	int r;

	if ((r = privmsg_recv(fd, &msg, true)) != 1 && r != SKY_ERR_AGAIN) {
		/*
		 * Streams have nobody to go to, and the next skyptyd has a
		 * process of its own, which our taking leave would harm.
		 */
		event_del(m->dials->parent_ev);
		half_die(&m->half, "skyptyd has gone");
	} else if (r == 1 && msg.type == PM_DIAL_OUT)
		dials_wish(m, &msg); /* else an answer that came too late */
	privmsg_free(&msg);
}

/* --- the beginning --- */

/* "dmsg://<pk>:port": the one address that dmsg may dial by itself. */
static int
dials_allow_discovery(struct dmsg_monitor *m)
{
	struct dial *d = &m->dials->slot[DISCOVERY];
	struct dmsg_url url;
	int r;

	if ((r = dmsg_disc_url(m->half.start.dmsgdisc, &url)) != 0)
		return r;
	if (url.scheme != DMSG_URL_DMSG)
		return 0;
	if (!key_valid(m->half.keyctx, &url.pk))
		return SKY_ERR_KEY;
	d->to.pk = url.pk;
	d->to.port = url.port;
	d->open = true;
	return 0;
}

int
dials_begin(struct dmsg_monitor *m)
{
	struct dials *ds;

	if ((ds = m->dials = calloc(1, sizeof(*ds))) == NULL)
		return SKY_ERR_NOMEM;
	for (size_t i = 0; i <= PRIV_DIALS_MAX; i++)
		ds->slot[i].result = -1;
	ds->parent_ev = event_new(m->half.base, m->half.parent,
	    EV_READ | EV_PERSIST, dials_on_parent, m);
	if (ds->parent_ev == NULL || event_add(ds->parent_ev, NULL) == -1)
		return SKY_ERR_NOMEM;
	return dials_allow_discovery(m);
}
