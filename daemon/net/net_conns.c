/* SPDX-License-Identifier: ISC */
/*
 * skypty/1/connections and skypty/1/metrics: what skyptyd knows of its
 * connections, as JSON, a part at a time, and its counters as text for
 * Prometheus.  PROTOCOL 9.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/hex.h"
#include "common/base/json.h"
#include "common/privsep/metrics.h"
#include "daemon/net/net_mon.h"
#include "daemon/net/net_service.h"

/* --- connections --- */

struct net_conns {
	uint64_t after; /* the last one's number */
	bool asked;	/* for a part that has not come yet */
	bool any;	/* has come */
};

/* What the monitor says of one. */
struct net_conn {
	uint64_t id, age, idle, in, out;
	uint8_t carrier, known, pk[KEY_PUBLIC_LEN];
	struct buf peer, user, comment, rule, runs;
};

static int
net_conn_get(struct buf *b, uint64_t *number, struct net_conn *c)
{
	struct buf *texts[] = { &c->peer, &c->user, &c->comment, &c->rule,
		&c->runs };
	int r;

	if ((r = buf_get_u64(b, number)) != 0 ||
	    (r = buf_get_u64(b, &c->id)) != 0 ||
	    (r = buf_get_u8(b, &c->carrier)) != 0 ||
	    (r = buf_get_u8(b, &c->known)) != 0 ||
	    (r = buf_get(b, c->pk, sizeof(c->pk))) != 0 ||
	    (r = buf_get_u64(b, &c->age)) != 0 ||
	    (r = buf_get_u64(b, &c->idle)) != 0 ||
	    (r = buf_get_u64(b, &c->in)) != 0 ||
	    (r = buf_get_u64(b, &c->out)) != 0)
		return r;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if ((r = buf_get_string(b, texts[i])) != 0)
			return r;
	return 0;
}

/* What is no printable ASCII as in the log, so that it is JSON whatever it is.
 */
static void
net_conns_put_text(struct channel *ch, const char *name, struct buf text)
{
	char ascii[4 * PRIV_ABOUT_MAX + 1];
	struct buf b;
	size_t n = 0;
	uint8_t c;

	while (n + 5 <= sizeof(ascii) && buf_get_u8(&text, &c) == 0)
		if (c >= ' ' && c <= '~')
			ascii[n++] = (char)c;
		else
			n += (size_t)snprintf(ascii + n, sizeof(ascii) - n,
			    "\\%03o", c);
	buf_init(&b, 2 * sizeof(ascii) + 32);
	if (buf_put(&b, ",\"", 2) != 0 ||
	    buf_put(&b, name, strlen(name)) != 0 ||
	    buf_put(&b, "\":", 2) != 0 || json_put_string(&b, ascii, n) != 0)
		channel_fatal(ch, "out of memory");
	channel_put(ch, buf_ptr(&b), buf_len(&b));
	buf_free(&b);
}

static void net_conns_put(struct channel *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

static void
net_conns_put(struct channel *ch, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	channel_put(ch, text, (size_t)n);
}

static void
net_conns_put_one(struct channel *ch, const struct net_conn *c, bool first)
{
	static const char *const carriers[] = { "tcp", "dmsg", "control" };
	char key[KEY_PUBLIC_HEX] = "";

	/* key_text() would bring secp256k1 into this process. */
	if (c->known && c->carrier != PRIV_CONTROL)
		hex_encode(c->pk, sizeof(c->pk), key);
	net_conns_put(ch,
	    "%s\n{\"id\":\"%016" PRIx64 "\",\"carrier\":\"%s\","
	    "\"authenticated\":%s,\"key\":\"%s\",\"age_s\":%" PRIu64
	    ",\"idle_s\":%" PRIu64 ",\"bytes_in\":%" PRIu64
	    ",\"bytes_out\":%" PRIu64,
	    first ? "" : ",", c->id,
	    c->carrier < 3 ? carriers[c->carrier] : "other",
	    c->known ? "true" : "false", key, c->age, c->idle, c->in, c->out);
	net_conns_put_text(ch, "address", c->peer);
	net_conns_put_text(ch, "user", c->user);
	net_conns_put_text(ch, "comment", c->comment);
	net_conns_put_text(ch, "rule", c->rule);
	net_conns_put_text(ch, "runs", c->runs);
	channel_put(ch, "}", 1);
}

static int
net_conns_begin(struct channel *ch, struct buf *query)
{
	struct net_conns *s;

	if ((ch->state = s = calloc(1, sizeof(*s))) == NULL)
		return SKY_ERR_NOMEM;
	channel_accept(ch);
	net_conns_put(ch, "{\"connections\":[");
	s->asked = true;
	mon_conns(ch, 0);
	return 0;
}

static int
net_conns_told(struct channel *ch, struct privmsg *m)
{
	struct net_conns *s = ch->state;
	bool last = buf_len(&m->body) == 0;
	struct net_conn c;
	int r;

	if (m->type != PM_CONNS + 1 || !s->asked)
		return SKY_ERR_STATE;
	s->asked = false;
	while (buf_len(&m->body) != 0) {
		if ((r = net_conn_get(&m->body, &s->after, &c)) != 0)
			return r;
		net_conns_put_one(ch, &c, !s->any);
		s->any = true;
	}
	if (last) {
		net_conns_put(ch, "\n]}\n");
		channel_end(ch);
	}
	return 0;
}

/* The next part when what there is has left. */
static void
net_conns_room(struct channel *ch)
{
	struct net_conns *s = ch->state;

	if (s->asked)
		return;
	s->asked = true;
	mon_conns(ch, s->after);
}

static void
net_conns_end(struct channel *ch)
{
	free(ch->state);
}

const struct service_ops net_conns_ops = {
	.begin = net_conns_begin,
	.room = net_conns_room,
	.told = net_conns_told,
	.end = net_conns_end,
};

/* --- counters --- */

static int
net_metrics_begin(struct channel *ch, struct buf *query)
{
	mon_counts(ch);
	channel_accept(ch);
	return 0;
}

static int
net_metrics_told(struct channel *ch, struct privmsg *m)
{
	uint64_t n[PRIV_COUNTS];
	struct buf text;
	int r;

	if (m->type != PM_COUNTS + 1)
		return SKY_ERR_STATE;
	for (size_t i = 0; i < PRIV_COUNTS; i++)
		if ((r = buf_get_u64(&m->body, &n[i])) != 0)
			return r;
	buf_init(&text, METRICS_TEXT_MAX);
	if (metrics_put(&text, n) != 0)
		channel_fatal(ch, "out of memory");
	channel_put(ch, buf_ptr(&text), buf_len(&text));
	buf_free(&text);
	channel_end(ch);
	return 0;
}

const struct service_ops net_metrics_ops = {
	.begin = net_metrics_begin,
	.told = net_metrics_told,
};
