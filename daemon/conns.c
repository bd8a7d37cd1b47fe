/* SPDX-License-Identifier: ISC */
/* The connections, for whoever looks after the host on the control socket. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "daemon/listener.h"

#define PART_MAX (32 * 1024) /* bytes of a part of the list */

/* --- what is known of them --- */

void
conns_begin(struct listener *s, struct limits_conn *c,
    enum priv_carrier carrier)
{
	c->carrier = carrier;
	c->number = ++s->numbers;
	c->begun_ms = c->moved_ms = now_ms();
	s->count[carrier == PRIV_CONTROL ? PRIV_COUNT_CONTROL :
		carrier == PRIV_KK	 ? PRIV_COUNT_DMSG :
					   PRIV_COUNT_TCP]++;
}

void
conns_authenticated(struct listener *s, const struct limits_conn *c)
{
	s->count[c->carrier == PRIV_KK ? PRIV_COUNT_AUTH_DMSG :
					 PRIV_COUNT_AUTH_TCP]++;
	s->count[PRIV_COUNT_HANDSHAKES]++;
	s->count[PRIV_COUNT_HANDSHAKE_MS] += (uint64_t)(now_ms() - c->begun_ms);
}

void
conns_free_about(struct limits_conn *c)
{
	free(c->user);
	free(c->comment);
	free(c->rule);
	free(c->runs);
	c->user = c->comment = c->rule = c->runs = NULL;
}

int
conns_about(struct listener *s, struct limits_conn *c, struct privmsg *m)
{
	char **texts[] = { &c->user, &c->comment, &c->rule, &c->runs };
	int r;

	conns_free_about(c);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if ((r = buf_get_cstring(&m->body, texts[i], PRIV_ABOUT_MAX)) !=
		    0)
			return r;
	for (int i = 0; i < PRIV_BEGUN; i++) {
		uint32_t begun;

		if ((r = buf_get_u32(&m->body, &begun)) != 0)
			return r;
		/* Of what it says less of than before there is no more. */
		if (begun > c->begun[i])
			s->count[PRIV_COUNT_TERMINALS + i] +=
			    begun - c->begun[i];
		c->begun[i] = begun;
	}
	return buf_at_end(&m->body);
}

static void
conns_add_bytes(uint64_t *sum, uint64_t *known, uint64_t now)
{
	if (now > *known)
		*sum += now - *known;
	*known = now;
}

int
conns_moved(struct listener *s, struct limits_conn *c, struct privmsg *m)
{
	uint64_t in, out;
	int r;

	if ((r = buf_get_u64(&m->body, &in)) != 0 ||
	    (r = buf_get_u64(&m->body, &out)) != 0)
		return r;
	conns_add_bytes(&s->count[PRIV_COUNT_BYTES_IN], &c->bytes_in, in);
	conns_add_bytes(&s->count[PRIV_COUNT_BYTES_OUT], &c->bytes_out, out);
	c->moved_ms = now_ms();
	return buf_at_end(&m->body);
}

static int
conns_put_text(struct buf *b, const char *text)
{
	if (text == NULL)
		text = "";
	return buf_put_string(b, text, strnlen(text, PRIV_ABOUT_MAX));
}

static int
conns_put(struct buf *b, const struct limits_conn *c, int64_t now)
{
	const char *texts[] = { c->peer, c->user, c->comment, c->rule,
		c->runs };
	int r;

	if ((r = buf_put_u64(b, c->number)) != 0 ||
	    (r = buf_put_u64(b, c->id)) != 0 ||
	    (r = buf_put_u8(b, (uint8_t)c->carrier)) != 0 ||
	    (r = buf_put_u8(b, c->authenticated || c->control)) != 0 ||
	    (r = buf_put(b, c->pk.b, sizeof(c->pk.b))) != 0 ||
	    (r = buf_put_u64(b, (uint64_t)(now - c->begun_ms) / 1000)) != 0 ||
	    (r = buf_put_u64(b, (uint64_t)(now - c->moved_ms) / 1000)) != 0 ||
	    (r = buf_put_u64(b, c->bytes_in)) != 0 ||
	    (r = buf_put_u64(b, c->bytes_out)) != 0)
		return r;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if ((r = conns_put_text(b, texts[i])) != 0)
			return r;
	return 0;
}

/* The oldest of those that have not been told; they are in order. */
int
conns_list(struct listener *s, struct limits_conn *asks, struct privmsg *m)
{
	const struct limits_conn *c;
	int64_t now = now_ms();
	uint64_t after;
	struct buf b;
	int r;

	if ((r = buf_get_u64(&m->body, &after)) != 0 ||
	    (r = buf_at_end(&m->body)) != 0)
		return r;
	buf_init(&b, PRIVMSG_MAX - PRIVMSG_HEAD_LEN);
	TAILQ_FOREACH (c, &s->conns.all, entry) {
		if (c->number <= after)
			continue;
		if ((r = conns_put(&b, c, now)) != 0 || buf_len(&b) >= PART_MAX)
			break;
	}
	if (r == 0)
		r = privmsg_send(asks->sock, PM_GET_CONNS + 1, m->id, &b, NULL,
		    0);
	buf_free(&b);
	return r;
}

void
conns_counts(const struct listener *s, uint64_t n[PRIV_COUNTS])
{
	const struct limits_conn *c;

	memcpy(n, s->count, PRIV_COUNTS * sizeof(n[0]));
	n[PRIV_COUNT_DROPPED] = s->conns.dropped;
	n[PRIV_COUNT_PENALTIES] = s->conns.penalties;
	n[PRIV_COUNT_START] = s->metrics.start_s;
	TAILQ_FOREACH (c, &s->conns.all, entry)
		n[c->control		 ? PRIV_COUNT_NOW_CONTROL :
			c->authenticated ? PRIV_COUNT_NOW :
					   PRIV_COUNT_NOW_UNKNOWN]++;
}

int
conns_count(struct listener *s, struct limits_conn *asks, struct privmsg *m)
{
	uint64_t n[PRIV_COUNTS];
	struct buf b;
	int r;

	conns_counts(s, n);
	buf_init(&b, sizeof(n));
	r = buf_at_end(&m->body);
	for (size_t i = 0; r == 0 && i < PRIV_COUNTS; i++)
		r = buf_put_u64(&b, n[i]);
	if (r == 0)
		r = privmsg_send(asks->sock, PM_GET_COUNTS + 1, m->id, &b, NULL,
		    0);
	buf_free(&b);
	return r;
}

/* --- ending them --- */

static bool
conns_is_of(const struct limits_conn *c, const struct key_public *pk)
{
	return c->authenticated && key_equal(&c->pk, pk);
}

/*
 * A key that is about to authenticate was let in by a list that was read
 * before: those who hear of it later are refused.
 */
static void
conns_note_kill(struct kills *k, const struct key_public *pk)
{
	k->pk[k->n++ % KILLS_KEPT] = *pk;
}

bool
conns_is_killed(const struct listener *s, const struct limits_conn *c)
{
	unsigned long n = s->kills.n - c->kills;

	/* What is not known any more is not to be let in by that. */
	if (n > KILLS_KEPT)
		return true;
	for (unsigned long i = c->kills; i != s->kills.n; i++)
		if (key_equal(&s->kills.pk[i % KILLS_KEPT], &c->pk))
			return true;
	return false;
}

static int
conns_read_kill(struct buf *b, uint64_t *id, struct key_public *pk,
    bool *by_key)
{
	uint8_t what;
	int r;

	if ((r = buf_get_u8(b, &what)) != 0)
		return r;
	*by_key = what == PRIV_KILL_KEY;
	if (what > PRIV_KILL_KEY)
		return SKY_ERR_RANGE;
	if ((r = *by_key ? buf_get(b, pk->b, sizeof(pk->b)) :
			   buf_get_u64(b, id)) != 0)
		return r;
	return buf_at_end(b);
}

int
conns_kill(struct listener *s, struct limits_conn *asks, struct privmsg *m)
{
	struct limits_conn *c;
	struct key_public pk;
	uint64_t id = 0;
	uint32_t n = 0;
	struct buf b;
	bool by_key;
	int r;

	if ((r = conns_read_kill(&m->body, &id, &pk, &by_key)) != 0)
		return r;
	if (by_key)
		conns_note_kill(&s->kills, &pk);
	TAILQ_FOREACH (c, &s->conns.all, entry)
		if (by_key ? conns_is_of(c, &pk) : c->id == id) {
			log_set_id(c->id);
			log_event(LOG_LEVEL_INFO, LOG_EVENT("killed"),
			    "Ended: skyptyd kill, by %016" PRIx64, asks->id);
			limits_end(&s->conns, c);
			s->count[PRIV_COUNT_KILLED]++;
			n++;
		}
	log_set_id(0);
	buf_init(&b, sizeof(n));
	if ((r = buf_put_u32(&b, n)) == 0)
		r = privmsg_send(asks->sock, PM_END_CONNS + 1, m->id, &b, NULL,
		    0);
	buf_free(&b);
	return r;
}
