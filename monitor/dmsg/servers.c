/* SPDX-License-Identifier: ISC */
/*
 * Sessions to dmsg servers, as far as they need rights: connected sockets, and
 * handshakes in our name.  The child gets the keys of a session, never ours.
 */
#include "monitor/dmsg/servers.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/addr.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/dmsg/dmsg_disc.h"
#include "common/pty/noise.h"
#include "monitor/dmsg/connect.h"
#include "monitor/dmsg/dmsg_monitor.h"

struct servers_seed {
	struct key_public pk;
	char text[ADDR_TEXT_MAX]; /* "host:port" */
	char host[ADDR_HOST_MAX], port[ADDR_PORT_MAX];
};

struct servers {
	struct servers_seed seed[PRIV_SERVERS_MAX]; /* as configured */
	size_t nseeds;
	struct dmsg_url discovery;
	struct noise *slot[PRIV_SLOTS_MAX]; /* with a server each */
	enum reach reach;		    /* where servers may be */
};

/* --- the beginning --- */

/* "<pk>@host:port" each; what makes no sense is left out. */
static int
servers_read(struct dmsg_monitor *m)
{
	struct servers *s = m->servers;
	char *copy, *rest, *word, *at;
	struct servers_seed *sv;

	if ((copy = rest = strdup(m->half.start.dmsg_servers)) == NULL)
		return SKY_ERR_NOMEM;
	while ((word = strsep(&rest, " ")) != NULL &&
	    s->nseeds < PRIV_SERVERS_MAX) {
		sv = &s->seed[s->nseeds];
		if ((at = strchr(word, '@')) == NULL)
			continue;
		*at++ = '\0';
		if (key_parse_public(m->half.keyctx, word, &sv->pk) == 0 &&
		    strlcpy(sv->text, at, sizeof(sv->text)) <
			sizeof(sv->text) &&
		    addr_split(at, NULL, sv->host, sv->port) == 0)
			s->nseeds++;
	}
	free(copy);
	return 0;
}

/* Whoever configures such an address runs an overlay of such addresses. */
static void
servers_widen(struct servers *s, const char *host)
{
	enum reach reach = reach_host(host);

	if (reach > s->reach)
		s->reach = reach;
}

static void
servers_find_reach(struct servers *s)
{
	if (s->discovery.scheme != DMSG_URL_DMSG)
		servers_widen(s, s->discovery.host);
	for (size_t i = 0; i < s->nseeds; i++)
		servers_widen(s, s->seed[i].host);
}

/* What the configuration names may be anywhere. */
static bool
servers_is_seed(const struct servers *s, const struct connect_to *to)
{
	const struct dmsg_url *disc = &s->discovery;
	const struct servers_seed *sv;

	if (disc->scheme != DMSG_URL_DMSG && to->port == disc->port &&
	    strcmp(to->host, disc->host) == 0)
		return true;
	for (size_t i = 0; i < s->nseeds; i++) {
		sv = &s->seed[i];
		if (strcmp(to->host, sv->host) == 0 &&
		    strtoul(sv->port, NULL, 10) == to->port)
			return true;
	}
	return false;
}

int
servers_put(const struct dmsg_monitor *m, struct buf *b)
{
	const struct servers *s = m->servers;
	int r = buf_put_u32(b, (uint32_t)s->nseeds);

	for (size_t i = 0; r == 0 && i < s->nseeds; i++)
		if ((r = buf_put(b, s->seed[i].pk.b, KEY_PUBLIC_LEN)) == 0)
			r = buf_put_cstring(b, s->seed[i].text);
	return r;
}

int
servers_begin(struct dmsg_monitor *m)
{
	struct servers *s = calloc(1, sizeof(*s));
	int r;

	if ((m->servers = s) == NULL)
		return SKY_ERR_NOMEM;
	if ((r = dmsg_disc_url(m->half.start.dmsgdisc, &s->discovery)) != 0 ||
	    (r = servers_read(m)) != 0)
		return r;
	servers_find_reach(s);
	return 0;
}

void
servers_forget(struct dmsg_monitor *m)
{
	struct servers *s = m->servers;

	if (s == NULL)
		return;
	for (size_t i = 0; i < PRIV_SLOTS_MAX; i++)
		noise_free(s->slot[i]);
	memset(s, 0, sizeof(*s));
}

/* --- connecting --- */

static void
servers_on_connected(struct dmsg_monitor *m, uint16_t id, int fd,
    const char *why)
{
	struct privmsg req = { .type = PM_DMSG_CONNECT, .id = id };

	if (fd == -1)
		half_answer_why(&m->half, &req, *why != '\0' ? why : "failed");
	else
		half_answer_ok(&m->half, &req, NULL, &fd, 1);
}

int
servers_connect(struct half *h, struct privmsg *msg)
{
	struct dmsg_monitor *m = dmsg_monitor_of(h);
	const struct dmsg_url *disc = &m->servers->discovery;
	struct connect_to to = { .reach = m->servers->reach };
	char *host = NULL;
	int r;

	if ((r = buf_get_cstring(&msg->body, &host, ADDR_HOST_MAX)) == 0 &&
	    (r = buf_get_u16(&msg->body, &to.port)) == 0 &&
	    (r = buf_at_end(&msg->body)) == 0) {
		to.host = host;
		/* The configuration says so, not the child. */
		to.tls = disc->scheme == DMSG_URL_HTTPS &&
		    strcmp(host, disc->host) == 0 && to.port == disc->port;
		if (servers_is_seed(m->servers, &to))
			to.reach = REACH_LOCAL;
		connect_start(m, msg->id, &to, servers_on_connected);
	}
	free(host);
	return r;
}

/* --- handshakes with servers --- */

static struct noise **
servers_slot(struct dmsg_monitor *m, struct privmsg *msg)
{
	uint8_t n;

	if (buf_get_u8(&msg->body, &n) != 0 || n >= PRIV_SLOTS_MAX)
		return NULL;
	return &m->servers->slot[n];
}

int
servers_handshake(struct half *h, struct privmsg *msg)
{
	struct dmsg_monitor *m = dmsg_monitor_of(h);
	struct noise **slot = servers_slot(m, msg);
	struct key_public server;
	struct buf b;
	int r;

	if (slot == NULL || *slot != NULL)
		return SKY_ERR_STATE;
	if ((r = buf_get(&msg->body, server.b, sizeof(server.b))) != 0)
		return r;
	buf_init(&b, NOISE_MSG_MAX);
	if (noise_new(slot, m->half.keyctx, NOISE_XK, NOISE_INITIATOR,
		m->half.start.sk, &server) != 0 ||
	    noise_write(*slot, NULL, &b) != 0) {
		noise_free(*slot);
		*slot = NULL;
		buf_reset(&b);
	}
	half_answer(&m->half, msg, &b);
	buf_free(&b);
	return 0;
}

static int
servers_finish(struct noise *n, struct buf *msg2, struct buf *b)
{
	struct noise_keys keys;
	struct buf msg3;
	int r;

	buf_init(&msg3, NOISE_MSG_MAX);
	if ((r = noise_read(n, msg2, NULL)) == 0 &&
	    (r = noise_write(n, NULL, &msg3)) == 0 &&
	    (r = noise_split(n, &keys)) == 0 &&
	    (r = buf_put(b, keys.send, sizeof(keys.send))) == 0 &&
	    (r = buf_put(b, keys.recv, sizeof(keys.recv))) == 0)
		r = buf_put(b, buf_ptr(&msg3), buf_len(&msg3));
	explicit_bzero(&keys, sizeof(keys));
	buf_free(&msg3);
	return r;
}

int
servers_message_2(struct half *h, struct privmsg *msg)
{
	struct dmsg_monitor *m = dmsg_monitor_of(h);
	struct noise **slot = servers_slot(m, msg);
	struct buf b;

	if (slot == NULL || *slot == NULL)
		return SKY_ERR_STATE;
	buf_init(&b, 2 * NOISE_MSG_MAX);
	if (servers_finish(*slot, &msg->body, &b) != 0)
		buf_reset(&b);
	noise_free(*slot);
	*slot = NULL;
	half_answer(&m->half, msg, &b);
	buf_free(&b);
	return 0;
}

int
servers_handshake_drop(struct half *h, struct privmsg *msg)
{
	struct dmsg_monitor *m = dmsg_monitor_of(h);
	struct noise **slot = servers_slot(m, msg);

	if (slot == NULL)
		return SKY_ERR_STATE;
	noise_free(*slot);
	*slot = NULL;
	return 0;
}
