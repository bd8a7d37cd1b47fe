/* SPDX-License-Identifier: ISC */
/*
 * Whose connections are refused for a time, for what others of the same block,
 * key or relay did before: see limits.h.
 */
#include "daemon/limits.h"

#include "common/base/log.h"
#include "common/base/rate.h"

static const struct {
	const char *did;     /* of one, for the log */
	const char *refused; /* of who comes then */
} penalty_texts[PENALTY_COUNT] = {
	[PENALTY_NOAUTH] = { "it left before it authenticated",
	    "penalty: connections that did not authenticate (noauth)" },
	[PENALTY_HANDSHAKE] = { "its handshake was wrong",
	    "penalty: wrong handshakes (handshake)" },
	[PENALTY_AUTHFAIL] = { "its key may not come in",
	    "penalty: keys that may not come in (authfail)" },
	[PENALTY_GRACE] = { "it did not authenticate in time",
	    "penalty: handshakes not finished (grace-exceeded)" },
	[PENALTY_CRASH] = { "its process crashed", "penalty: crashes (crash)" },
};

static const struct penalised *
penalty_find(const struct conns *cs, uint64_t tag)
{
	const struct penalised *set = &cs->penalised[tag %
	    (LIMITS_PENALTIES / LIMITS_WAYS) * LIMITS_WAYS];

	for (size_t i = 0; tag != 0 && i < LIMITS_WAYS; i++)
		if (set[i].tag == tag)
			return &set[i];
	return NULL;
}

/* Where all places are taken the one that is over first makes room. */
static struct penalised *
penalty_take(struct conns *cs, uint64_t tag)
{
	struct penalised *set = &cs->penalised[tag %
	    (LIMITS_PENALTIES / LIMITS_WAYS) * LIMITS_WAYS];
	struct penalised *first = set;

	for (size_t i = 0; i < LIMITS_WAYS; i++) {
		if (set[i].tag == tag)
			return &set[i];
		if (set[i].until < first->until)
			first = &set[i];
	}
	*first = (struct penalised){ .tag = tag };
	return first;
}

static const char *
penalty_of(const struct conns *cs, uint64_t tag, int64_t now_ms)
{
	const struct penalised *p = penalty_find(cs, tag);

	return p != NULL && p->active && p->until > now_ms ?
	    penalty_texts[p->last].refused :
	    NULL;
}

const char *
limits_penalty(const struct conns *cs, const struct config *conf,
    const struct origin *o, int64_t now_ms)
{
	const char *why;

	if (conf->penalties.off || limits_known(cs, o, now_ms))
		return NULL;
	why = penalty_of(cs, o->block, now_ms);
	return why != NULL ? why : penalty_of(cs, o->relay, now_ms);
}

/* Seconds, if those of this tag are refused from now on and were not before. */
static int64_t
penalty_add(struct conns *cs, const struct config_penalties *conf, uint64_t tag,
    enum penalty what, int64_t now_ms)
{
	int64_t most = now_ms + conf->max * INT64_C(1000);
	struct penalised *p;

	if (tag == 0)
		return 0;
	p = penalty_take(cs, tag);
	if (p->until <= now_ms)
		p->active = false;
	rate_owe(&p->until, now_ms, conf->each[what] * INT64_C(1000));
	if (p->until > most)
		p->until = most;
	p->last = what;
	if (p->active || p->until - now_ms <= conf->min * INT64_C(1000))
		return 0;
	p->active = true;
	return (p->until - now_ms + 999) / 1000;
}

void
limits_penalise(struct conns *cs, const struct config *conf,
    const struct origin *o, enum penalty what, const char *peer, int64_t now_ms)
{
	const struct config_penalties *p = &conf->penalties;
	struct log_fields f = { .event = "penalty" };
	char server[KEY_PUBLIC_HEX];
	int64_t block, relay;

	if (p->off || p->each[what] == 0)
		return;
	block = penalty_add(cs, p, o->block, what, now_ms);
	relay = penalty_add(cs, p, o->relay, what, now_ms);
	if (block == 0 && relay == 0)
		return;
	cs->penalties++;
	if (!limits_may_tell(cs, now_ms))
		return;
	key_text(&o->by, server);
	log_put(&f, "from", relay != 0 ? server : peer);
	log_put(&f, "reason", penalty_texts[what].did);
	log_put_number(&f, "seconds", (uint64_t)(relay != 0 ? relay : block));
	if (o->pool == POOL_TCP)
		log_event(LOG_LEVEL_INFO, &f,
		    "Penalty of %lld s for the address of %s: %s",
		    (long long)block, peer, penalty_texts[what].did);
	else if (relay != 0)
		log_event(LOG_LEVEL_INFO, &f,
		    "Penalty of %lld s for strangers by the dmsg server "
		    "%s: %s: %s",
		    (long long)relay, server, peer, penalty_texts[what].did);
	else
		log_event(LOG_LEVEL_INFO, &f,
		    "Penalty of %lld s for that key: %s: %s", (long long)block,
		    peer, penalty_texts[what].did);
}
