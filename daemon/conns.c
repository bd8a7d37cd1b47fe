/* SPDX-License-Identifier: ISC */
/* The connections, for whoever looks after the host on the control socket. */
#include <inttypes.h>
#include <string.h>

#include "common/base/err.h"
#include "daemon/listener.h"

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
			log_info("Ended: skyptyd kill, by %016" PRIx64,
			    asks->id);
			conn_end(c);
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
