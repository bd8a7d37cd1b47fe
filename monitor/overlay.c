/* SPDX-License-Identifier: ISC */
/*
 * The privileged half of dmsg: what the confined process that holds the
 * sessions to dmsg servers may ask for.  It never gets the secret key, and
 * nothing is signed here that was not put together here from its fields.
 */
#include "monitor/monitor.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/addr.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/dmsg/dmsg_disc.h"
#include "common/dmsg/dmsg_entry.h"

struct ov_server {
	struct key_public pk;
	char text[ADDR_TEXT_MAX]; /* "host:port" */
	char host[ADDR_HOST_MAX], port[ADDR_PORT_MAX];
};

struct overlay {
	struct key_public own;
	struct ov_server server[PRIV_SERVERS_MAX]; /* as configured */
	size_t nservers;
	struct dmsg_url discovery;
	struct noise *slot[PRIV_SLOTS_MAX]; /* with a server each */
	enum reach reach;		    /* where servers may be */
	uint16_t stream_id;		    /* of the last PM_STREAM */
	time_t minute;			    /* of signed entries */
	unsigned entries;
};

/* --- the beginning --- */

/* "<pk>@host:port" each; what makes no sense is left out. */
static int
read_servers(struct monitor *m)
{
	struct overlay *o = m->overlay;
	char *copy, *rest, *word, *at;
	struct ov_server *sv;

	if ((copy = rest = strdup(m->start.dmsg_servers)) == NULL)
		return SKY_ERR_NOMEM;
	while ((word = strsep(&rest, " ")) != NULL &&
	    o->nservers < PRIV_SERVERS_MAX) {
		sv = &o->server[o->nservers];
		if ((at = strchr(word, '@')) == NULL)
			continue;
		*at++ = '\0';
		if (key_parse_public(m->keyctx, word, &sv->pk) == 0 &&
		    strlcpy(sv->text, at, sizeof(sv->text)) <
			sizeof(sv->text) &&
		    addr_split(at, NULL, sv->host, sv->port) == 0)
			o->nservers++;
	}
	free(copy);
	return 0;
}

/* Whoever configures such an address runs an overlay of such addresses. */
static void
widen(struct overlay *o, const char *host)
{
	enum reach reach = reach_host(host);

	if (reach > o->reach)
		o->reach = reach;
}

static void
find_reach(struct overlay *o)
{
	if (o->discovery.scheme != DMSG_URL_DMSG)
		widen(o, o->discovery.host);
	for (size_t i = 0; i < o->nservers; i++)
		widen(o, o->server[i].host);
}

/* What the configuration names may be anywhere. */
static bool
is_configured(const struct overlay *o, const struct connect_to *to)
{
	const struct dmsg_url *disc = &o->discovery;
	const struct ov_server *sv;

	if (disc->scheme != DMSG_URL_DMSG && to->port == disc->port &&
	    strcmp(to->host, disc->host) == 0)
		return true;
	for (size_t i = 0; i < o->nservers; i++) {
		sv = &o->server[i];
		if (strcmp(to->host, sv->host) == 0 &&
		    strtoul(sv->port, NULL, 10) == to->port)
			return true;
	}
	return false;
}

static int
put_servers(const struct overlay *o, struct buf *b)
{
	int r = buf_put_u32(b, (uint32_t)o->nservers);

	for (size_t i = 0; r == 0 && i < o->nservers; i++)
		if ((r = buf_put(b, o->server[i].pk.b, KEY_PUBLIC_LEN)) == 0)
			r = buf_put_cstring(b, o->server[i].text);
	return r;
}

static int
tell_config(struct monitor *m)
{
	struct buf b;
	int r;

	buf_init(&b, PRIVMSG_MAX - PRIVMSG_HEAD_LEN);
	if ((r = buf_put(&b, m->overlay->own.b, KEY_PUBLIC_LEN)) == 0 &&
	    (r = buf_put_u16(&b, m->start.dmsgport)) == 0 &&
	    (r = buf_put_u32(&b, m->start.dmsgsessions)) == 0 &&
	    (r = buf_put_cstring(&b, m->start.dmsgdisc)) == 0 &&
	    (r = put_servers(m->overlay, &b)) == 0)
		r = child_tell(m, PM_DMSG_CONFIG, &b);
	buf_free(&b);
	return r;
}

int
overlay_begin(struct monitor *m)
{
	struct overlay *o = calloc(1, sizeof(*o));
	int r;

	if ((m->overlay = o) == NULL)
		return SKY_ERR_NOMEM;
	m->phase = MON_DMSG;
	if ((r = dmsg_disc_url(m->start.dmsgdisc, &o->discovery)) != 0 ||
	    (r = read_servers(m)) != 0 ||
	    (r = key_public(m->keyctx, m->start.sk, &o->own)) != 0 ||
	    (r = dial_begin(m, &o->own)) != 0 || (r = connect_init(m)) != 0)
		return r;
	find_reach(o);
	return tell_config(m);
}

void
overlay_forget(struct monitor *m)
{
	struct overlay *o = m->overlay;

	for (size_t i = 0; i < PRIV_SLOTS_MAX; i++)
		noise_free(o->slot[i]);
	dial_forget(m);
	memset(o, 0, sizeof(*o));
	handshake_end(m);
}

/* --- connecting --- */

static void
on_connected(struct monitor *m, uint16_t id, int fd, const char *why)
{
	struct privmsg req = { .type = PM_DMSG_CONNECT, .id = id };
	struct buf b;

	if (fd == -1) {
		child_answer_text(m, &req, *why != '\0' ? why : "failed");
		return;
	}
	buf_init(&b, 4);
	if (buf_put_u32(&b, 0) == 0)
		child_answer_fds(m, &req, &b, &fd, 1);
	buf_free(&b);
}

int
overlay_connect(struct monitor *m, struct privmsg *msg)
{
	const struct dmsg_url *disc = &m->overlay->discovery;
	struct connect_to to = { .reach = m->overlay->reach };
	char *host = NULL;
	int r;

	if ((r = buf_get_cstring(&msg->body, &host, ADDR_HOST_MAX)) == 0 &&
	    (r = buf_get_u16(&msg->body, &to.port)) == 0 &&
	    (r = buf_at_end(&msg->body)) == 0) {
		to.host = host;
		/* The configuration says so, not the child. */
		to.tls = disc->scheme == DMSG_URL_HTTPS &&
		    strcmp(host, disc->host) == 0 && to.port == disc->port;
		if (is_configured(m->overlay, &to))
			to.reach = REACH_LOCAL;
		r = connect_start(m, msg->id, &to, on_connected);
	}
	free(host);
	return r;
}

/* --- handshakes with servers --- */

static struct noise **
get_slot(struct monitor *m, struct privmsg *msg)
{
	uint8_t n;

	if (buf_get_u8(&msg->body, &n) != 0 || n >= PRIV_SLOTS_MAX)
		return NULL;
	return &m->overlay->slot[n];
}

int
overlay_handshake(struct monitor *m, struct privmsg *msg)
{
	struct noise **slot = get_slot(m, msg);
	struct key_public server;
	struct buf b;
	int r;

	if (slot == NULL || *slot != NULL)
		return SKY_ERR_STATE;
	if ((r = buf_get(&msg->body, server.b, sizeof(server.b))) != 0)
		return r;
	buf_init(&b, NOISE_MSG_MAX);
	if (noise_new(slot, m->keyctx, NOISE_XK, NOISE_INITIATOR, m->start.sk,
		&server) != 0 ||
	    noise_write(*slot, NULL, &b) != 0) {
		noise_free(*slot);
		*slot = NULL;
		buf_reset(&b);
	}
	child_answer(m, msg, &b);
	buf_free(&b);
	return 0;
}

static int
finish_handshake(struct noise *n, struct buf *msg2, struct buf *b)
{
	struct noise_keys keys;
	struct buf msg3, payload;
	int r;

	buf_init(&msg3, NOISE_MSG_MAX);
	buf_init(&payload, NOISE_MSG_MAX);
	if ((r = noise_read(n, msg2, &payload)) == 0 &&
	    (r = noise_write(n, NULL, &msg3)) == 0 &&
	    (r = noise_split(n, &keys)) == 0 &&
	    (r = buf_put(b, keys.send, sizeof(keys.send))) == 0 &&
	    (r = buf_put(b, keys.recv, sizeof(keys.recv))) == 0)
		r = buf_put(b, buf_ptr(&msg3), buf_len(&msg3));
	explicit_bzero(&keys, sizeof(keys));
	buf_free(&msg3);
	buf_free(&payload);
	return r;
}

int
overlay_read(struct monitor *m, struct privmsg *msg)
{
	struct noise **slot = get_slot(m, msg);
	struct buf b;

	if (slot == NULL || *slot == NULL)
		return SKY_ERR_STATE;
	buf_init(&b, 2 * NOISE_MSG_MAX);
	if (finish_handshake(*slot, &msg->body, &b) != 0)
		buf_reset(&b);
	noise_free(*slot);
	*slot = NULL;
	child_answer(m, msg, &b);
	buf_free(&b);
	return 0;
}

int
overlay_drop(struct monitor *m, struct privmsg *msg)
{
	struct noise **slot = get_slot(m, msg);

	if (slot == NULL)
		return SKY_ERR_STATE;
	noise_free(*slot);
	*slot = NULL;
	return 0;
}

/* --- our entry --- */

static bool
may_sign(struct overlay *o)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec / 60 != o->minute) {
		o->minute = now.tv_sec / 60;
		o->entries = 0;
	}
	return o->entries++ < PRIV_ENTRIES_PER_MIN;
}

/*
 * An entry of the farthest future would be good for ever, whoever has it: one
 * that is published no more than once a second since 1970 is behind this.
 */
static bool
is_plausible(uint64_t sequence, uint64_t timestamp)
{
	struct timespec now;
	uint64_t s;

	clock_gettime(CLOCK_REALTIME, &now);
	s = (uint64_t)now.tv_sec;
	return sequence <= s &&
	    timestamp / UINT64_C(1000000000) <= s + DMSG_AHEAD_S;
}

static int
read_entry(struct monitor *m, struct buf *b, struct dmsg_entry *e)
{
	uint32_t count;
	uint64_t when;
	int r;

	memset(e, 0, sizeof(*e));
	if ((r = buf_get_u64(b, &e->sequence)) != 0 ||
	    (r = buf_get_u64(b, &when)) != 0 ||
	    (r = buf_get_u32(b, &count)) != 0)
		return r;
	if (!is_plausible(e->sequence, when) || count > PRIV_SERVERS_MAX ||
	    count > DMSG_DELEGATED_MAX)
		return SKY_ERR_RANGE;
	e->pk = m->overlay->own;
	e->is_client = true;
	e->timestamp = (int64_t)when;
	for (e->ndelegated = 0; e->ndelegated < count; e->ndelegated++)
		if ((r = buf_get(b, e->delegated[e->ndelegated].b,
			 KEY_PUBLIC_LEN)) != 0)
			return r;
	return buf_at_end(b);
}

int
overlay_entry(struct monitor *m, struct privmsg *msg)
{
	uint8_t sig[KEY_SIGNATURE_LEN];
	struct dmsg_entry e;
	struct buf json;
	int r;

	if ((r = read_entry(m, &msg->body, &e)) != 0)
		return r;
	if (!may_sign(m->overlay))
		return SKY_ERR_LIMIT;
	buf_init(&json, 64 * 1024);
	if ((r = dmsg_put_entry(&json, &e, NULL)) == 0 &&
	    (r = key_sign(m->keyctx, m->start.sk, buf_ptr(&json),
		 buf_len(&json), sig)) == 0) {
		buf_reset(&json);
		if ((r = dmsg_put_entry(&json, &e, sig)) == 0)
			child_answer(m, msg, &json);
	}
	buf_free(&json);
	return r;
}

/* --- incoming streams --- */

/* A wish to dial may come in between, and an answer that came too late. */
static int
await_stream(struct monitor *m, struct privmsg *answer)
{
	int r;

	for (;;) {
		r = privmsg_recv(m->parent, answer, true);
		if (r == SKY_ERR_AGAIN && errno == EINTR)
			continue;
		if (r != 1)
			return r;
		if (answer->type == PM_STREAM + 1 &&
		    answer->id == m->overlay->stream_id)
			return 1;
		if (answer->type == PM_DIAL_OUT)
			dial_out(m, answer);
		privmsg_clear(answer);
	}
}

/* skyptyd counts and starts; its answer is a short local matter. */
int
overlay_stream(struct monitor *m, struct privmsg *msg)
{
	struct privmsg answer = { 0 };
	struct buf b;
	int fd = -1;

	if (m->parent == -1)
		return SKY_ERR_STATE;
	if (privmsg_send(m->parent, PM_STREAM, ++m->overlay->stream_id,
		&msg->body, NULL, 0) == 0 &&
	    await_stream(m, &answer) == 1)
		fd = privmsg_take_fd(&answer, 0);
	privmsg_free(&answer);
	buf_init(&b, 1);
	if (buf_put_u8(&b, fd != -1) == 0)
		child_answer_fds(m, msg, &b, &fd, fd != -1 ? 1 : 0);
	buf_free(&b);
	return 0;
}
