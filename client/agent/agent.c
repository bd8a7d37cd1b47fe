/* SPDX-License-Identifier: ISC */
/* The keys of an agent.  PROTOCOL 11. */
#include "client/agent/agent.h"

#include <sodium.h>
#include <string.h>

#include "common/base/err.h"
#include "common/dmsg/dmsg_sign.h"
#include "common/pty/noise.h"

#define PAUSE_MS     250   /* behind the first wrong passphrase, then doubled */
#define PAUSE_MAX_MS 16000 /* but no longer than that */

#define NONCE_LEN crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_LEN	  crypto_aead_xchacha20poly1305_ietf_ABYTES

_Static_assert(AGENT_HASH_LEN == crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
    "what locks the agent is the key that its keys are sealed by");

struct agent_slot {
	bool used;
	bool over; /* its time is, but it is sealed: wiped when it is open */
	struct key_public pk;
	int64_t ends; /* 0: never */
	uint8_t flags;
	char comment[AGENT_COMMENT_MAX + 1];
};

enum agent_state { CALLER_NONE, CALLER_IDLE, CALLER_ASKING, CALLER_SHAKING };

struct agent_caller {
	enum agent_state state;
	int64_t until; /* for this state */
	/* What is asked for, or goes on. */
	uint32_t number;
	uint8_t way;
	struct key_public pk, peer;
	uint16_t from, to;
	struct noise *noise;
};

/* All of it is one piece of locked memory, with pages around it that fault. */
struct agent {
	struct keyctx *keyctx;
	uint32_t life;
	uint32_t questions;
	struct agent_slot slot[AGENT_KEYS_MAX];
	struct agent_caller caller[AGENT_CONNS_MAX];
	/* Sealed as a whole while the agent is locked. */
	uint8_t sk[AGENT_KEYS_MAX][KEY_SECRET_LEN];
	uint8_t open[AGENT_KEYS_MAX][KEY_SECRET_LEN]; /* while one tries */
	bool locked;
	uint8_t salt[AGENT_SALT_LEN];
	uint8_t nonce[NONCE_LEN];
	uint8_t tag[TAG_LEN];
	unsigned wrong;		/* passphrases since the last right one */
	int64_t pause;		/* no other one is tried before */
	struct agent_list list; /* while an answer is made of it */
	uint8_t packet[AGENT_MSG_MAX + 1];
};

struct agent *
agent_new(struct keyctx *keyctx, uint32_t life)
{
	struct agent *a = sodium_malloc(sizeof(*a));

	/* Once more, for sodium_malloc() does not say that it could not. */
	if (a == NULL || sodium_mlock(a, sizeof(*a)) != 0) {
		sodium_free(a);
		return NULL;
	}
	memset(a, 0, sizeof(*a));
	a->keyctx = keyctx;
	a->life = life;
	randombytes_buf(a->salt, sizeof(a->salt));
	return a;
}

void
agent_free(struct agent *a)
{
	for (size_t i = 0; a != NULL && i < AGENT_CONNS_MAX; i++)
		noise_free(a->caller[i].noise);
	sodium_free(a);
}

uint8_t *
agent_packet(struct agent *a)
{
	return a->packet;
}

/* --- callers --- */

static void
agent_rest(struct agent_caller *c, int64_t now)
{
	noise_free(c->noise);
	*c = (struct agent_caller){ .state = CALLER_IDLE,
		.until = now + AGENT_IDLE_MS };
}

bool
agent_join(struct agent *a, int64_t now, size_t *conn)
{
	for (size_t i = 0; i < AGENT_CONNS_MAX; i++)
		if (a->caller[i].state == CALLER_NONE) {
			agent_rest(&a->caller[i], now);
			*conn = i;
			return true;
		}
	return false;
}

void
agent_leave(struct agent *a, size_t conn)
{
	agent_rest(&a->caller[conn], 0);
	a->caller[conn].state = CALLER_NONE;
}

/* --- keys --- */

static struct agent_slot *
agent_find(struct agent *a, const struct key_public *pk)
{
	for (size_t i = 0; i < AGENT_KEYS_MAX; i++)
		if (a->slot[i].used && !a->slot[i].over &&
		    key_equal(&a->slot[i].pk, pk))
			return &a->slot[i];
	return NULL;
}

static uint8_t *
agent_secret(struct agent *a, const struct agent_slot *s)
{
	return a->sk[s - a->slot];
}

/* With what it is being used for.  Of a sealed one only the name goes. */
static void
agent_forget(struct agent *a, struct agent_slot *s, int64_t now)
{
	for (size_t i = 0; i < AGENT_CONNS_MAX; i++)
		if (a->caller[i].state == CALLER_SHAKING &&
		    key_equal(&a->caller[i].pk, &s->pk))
			agent_rest(&a->caller[i], now);
	s->over = true;
	if (a->locked)
		return;
	sodium_memzero(agent_secret(a, s), KEY_SECRET_LEN);
	sodium_memzero(s, sizeof(*s));
}

static int
agent_add(struct agent *a, const struct agent_request *q, int64_t now)
{
	uint32_t life = q->add.life != 0 ? q->add.life : a->life;
	struct agent_slot *s;
	struct key_public pk;

	if (key_public(a->keyctx, q->secret, &pk) != 0)
		return AGENT_WHY_MALFORMED;
	s = agent_find(a, &pk);
	for (size_t i = 0; s == NULL && i < AGENT_KEYS_MAX; i++)
		if (!a->slot[i].used)
			s = &a->slot[i];
	if (s == NULL)
		return AGENT_WHY_FULL;
	*s = (struct agent_slot){ .used = true,
		.pk = pk,
		.ends = life != 0 ? now + (int64_t)life * 1000 : 0,
		.flags = q->add.flags };
	memcpy(s->comment, q->add.comment, sizeof(s->comment));
	memcpy(agent_secret(a, s), q->secret, KEY_SECRET_LEN);
	return 0;
}

static int
agent_remove(struct agent *a, const struct key_public *pk, int64_t now)
{
	struct agent_slot *s = agent_find(a, pk);

	if (s == NULL)
		return AGENT_WHY_NO_KEY;
	agent_forget(a, s, now);
	return 0;
}

static int
agent_remove_all(struct agent *a, int64_t now)
{
	for (size_t i = 0; i < AGENT_KEYS_MAX; i++)
		if (a->slot[i].used)
			agent_forget(a, &a->slot[i], now);
	sodium_memzero(a->sk, sizeof(a->sk));
	return 0;
}

static void
agent_fill_list(struct agent *a, int64_t now)
{
	struct agent_list *list = &a->list;

	list->locked = a->locked;
	list->n = 0;
	for (size_t i = 0; !a->locked && i < AGENT_KEYS_MAX; i++) {
		const struct agent_slot *s = &a->slot[i];
		struct agent_key *k = &list->key[list->n];

		if (!s->used || s->over)
			continue;
		*k = (struct agent_key){ .pk = s->pk, .flags = s->flags };
		memcpy(k->comment, s->comment, sizeof(k->comment));
		if (s->ends != 0)
			k->life = (uint32_t)((s->ends - now + 999) / 1000);
		list->n++;
	}
}

/* --- the lock --- */

/* Handshakes that go on have a copy of their key: they end. */
static int
agent_lock(struct agent *a, const uint8_t *hash, int64_t now)
{
	if (a->locked)
		return AGENT_WHY_LOCKED;
	for (size_t i = 0; i < AGENT_CONNS_MAX; i++)
		if (a->caller[i].state == CALLER_SHAKING)
			agent_rest(&a->caller[i], now);
	randombytes_buf(a->nonce, sizeof(a->nonce));
	crypto_aead_xchacha20poly1305_ietf_encrypt_detached(a->sk[0], a->tag,
	    NULL, a->sk[0], sizeof(a->sk), a->salt, sizeof(a->salt), NULL,
	    a->nonce, hash);
	a->locked = true;
	a->wrong = 0;
	return 0;
}

static int
agent_unlock(struct agent *a, const uint8_t *hash, int64_t now)
{
	int64_t pause;

	if (!a->locked)
		return AGENT_WHY_STATE;
	if (now < a->pause)
		return AGENT_WHY_SOON;
	/* Not in place: what does not open is overwritten. */
	if (crypto_aead_xchacha20poly1305_ietf_decrypt_detached(a->open[0],
		NULL, a->sk[0], sizeof(a->sk), a->tag, a->salt, sizeof(a->salt),
		a->nonce, hash) != 0) {
		pause = PAUSE_MS << (a->wrong < 6 ? a->wrong : 6);
		a->wrong++;
		a->pause = now + (pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS);
		return AGENT_WHY_PASS;
	}
	memcpy(a->sk, a->open, sizeof(a->sk));
	sodium_memzero(a->open, sizeof(a->open));
	a->locked = false;
	a->wrong = 0;
	randombytes_buf(a->salt, sizeof(a->salt));
	for (size_t i = 0; i < AGENT_KEYS_MAX; i++)
		if (a->slot[i].over)
			agent_forget(a, &a->slot[i], now);
	return 0;
}

/* --- answers --- */

/* out is empty and holds any answer that is made here. */
static void
agent_say(struct buf *out, const struct agent_answer *answer)
{
	static const uint8_t sorry[] = { AGENT_FAIL, AGENT_WHY_STATE };

	buf_reset(out);
	if (agent_put_answer(out, answer) == 0)
		return;
	buf_reset(out);
	(void)buf_put(out, sorry, sizeof(sorry));
}

static void
agent_say_why(struct buf *out, int why)
{
	agent_say(out,
	    &(struct agent_answer){ .type = why == 0 ? AGENT_OK : AGENT_FAIL,
		.why = (uint8_t)why });
}

/* --- a handshake --- */

/*
 * A request of dmsg is made here of its parts, with the time of now and the
 * message of this handshake: no other text is ever signed.
 */
static int
agent_first(struct agent *a, struct agent_caller *c, const uint8_t *sk,
    struct buf *message)
{
	struct dmsg_request q = { .src = { .pk = c->pk, .port = c->from },
		.dst = { .pk = c->peer, .port = c->to } };
	struct buf noise;
	int r;

	if (c->way == AGENT_XK)
		return noise_write(c->noise, NULL, message);
	buf_init(&noise, NOISE_MSG_MAX);
	if ((r = noise_write(c->noise, NULL, &noise)) == 0) {
		q.noise = noise;
		r = dmsg_sign_request(a->keyctx, sk, &q, message);
	}
	buf_free(&noise);
	return r;
}

/* No key is where it could be written to a disk: rather no handshake. */
static int
agent_shake(struct agent *a, struct agent_caller *c, const uint8_t *sk,
    struct buf *message)
{
	enum noise_pattern pattern = c->way == AGENT_XK ? NOISE_XK : NOISE_KK;

	if (noise_new(&c->noise, a->keyctx, pattern, NOISE_INITIATOR, sk,
		&c->peer) != 0)
		return AGENT_WHY_MALFORMED;
	if (noise_lock(c->noise) != 0)
		return AGENT_WHY_FULL;
	return agent_first(a, c, sk, message) == 0 ? 0 : AGENT_WHY_MALFORMED;
}

static void
agent_start(struct agent *a, struct agent_caller *c, int64_t now,
    struct buf *out)
{
	const struct agent_slot *s = agent_find(a, &c->pk);
	struct agent_answer answer = { .type = AGENT_FIRST };
	int why = s == NULL ? AGENT_WHY_NO_KEY : 0;

	if (a->locked)
		why = AGENT_WHY_LOCKED;
	buf_init(&answer.message, AGENT_MSG_MAX - 1);
	if (why == 0)
		why = agent_shake(a, c, agent_secret(a, s), &answer.message);
	if (why == 0) {
		c->state = CALLER_SHAKING;
		c->until = now + AGENT_SHAKE_MS;
		agent_say(out, &answer);
	} else {
		agent_rest(c, now);
		agent_say_why(out, why);
	}
	buf_free(&answer.message);
}

static enum agent_then
agent_begin(struct agent *a, struct agent_caller *c,
    const struct agent_request *q, int64_t now, struct buf *out,
    struct agent_question *ask)
{
	const struct agent_slot *s = agent_find(a, &q->pk);

	agent_rest(c, now);
	c->way = q->way;
	c->pk = q->pk;
	c->peer = q->peer;
	c->from = q->from;
	c->to = q->to;
	if (s == NULL || (s->flags & AGENT_CONFIRM) == 0) {
		agent_start(a, c, now, out);
		return AGENT_THEN_ANSWER;
	}
	c->state = CALLER_ASKING;
	c->until = now + AGENT_ASK_MS;
	c->number = ++a->questions;
	*ask = (struct agent_question){ .number = c->number,
		.pk = q->pk,
		.peer = q->peer,
		.way = q->way };
	memcpy(ask->comment, s->comment, sizeof(ask->comment));
	agent_say(out, &(struct agent_answer){ .type = AGENT_ASKING });
	return AGENT_THEN_ASK;
}

/* Whether a yes would lead to anything. */
static bool
agent_may_start(struct agent *a, const struct agent_caller *c)
{
	return !a->locked && agent_find(a, &c->pk) != NULL;
}

uint32_t
agent_asks(struct agent *a, size_t conn)
{
	const struct agent_caller *c = &a->caller[conn];

	return c->state == CALLER_ASKING && agent_may_start(a, c) ? c->number :
								    0;
}

bool
agent_decide(struct agent *a, uint32_t number, bool yes, int64_t now,
    size_t *conn, struct buf *out)
{
	for (size_t i = 0; i < AGENT_CONNS_MAX; i++) {
		struct agent_caller *c = &a->caller[i];

		if (c->state != CALLER_ASKING || c->number != number)
			continue;
		*conn = i;
		if (yes || !agent_may_start(a, c))
			agent_start(a, c, now, out);
		else {
			agent_rest(c, now);
			agent_say_why(out, AGENT_WHY_REFUSED);
		}
		return true;
	}
	return false;
}

static void
agent_finish(struct agent_caller *c, struct buf *message2, int64_t now,
    struct buf *out)
{
	struct agent_answer answer = { .type = AGENT_DONE };
	struct noise_keys keys;
	int r = SKY_ERR_STATE;

	buf_init(&answer.message, NOISE_MSG_MAX);
	if (c->state == CALLER_SHAKING &&
	    (r = noise_read(c->noise, message2, NULL)) == 0 &&
	    (noise_done(c->noise) ||
		(r = noise_write(c->noise, NULL, &answer.message)) == 0) &&
	    (r = noise_split(c->noise, &keys)) == 0) {
		answer.send = keys.send;
		answer.recv = keys.recv;
		answer.hybrid = keys.hybrid;
		agent_say(out, &answer);
		sodium_memzero(&keys, sizeof(keys));
	} else
		agent_say_why(out,
		    r == SKY_ERR_STATE ? AGENT_WHY_STATE : AGENT_WHY_PROOF);
	agent_rest(c, now);
	buf_free(&answer.message);
}

/* --- requests --- */

/* What may be asked of a locked one. */
static bool
agent_answers_locked(uint8_t type)
{
	return type == AGENT_LIST || type == AGENT_SALT ||
	    type == AGENT_UNLOCK || type == AGENT_QUIT;
}

static enum agent_then
agent_do(struct agent *a, size_t conn, struct agent_request *q, int64_t now,
    struct buf *out, struct agent_question *ask)
{
	struct agent_caller *c = &a->caller[conn];
	int why = 0;

	switch (q->type) {
	case AGENT_LIST:
		agent_fill_list(a, now);
		agent_say(out,
		    &(struct agent_answer){ .type = AGENT_KEYS,
			.list = &a->list });
		return AGENT_THEN_ANSWER;
	case AGENT_SALT:
		agent_say(out,
		    &(struct agent_answer){ .type = AGENT_SALT_IS,
			.salt = a->salt });
		return AGENT_THEN_ANSWER;
	case AGENT_BEGIN:
		return agent_begin(a, c, q, now, out, ask);
	case AGENT_FINISH:
		agent_finish(c, &q->message, now, out);
		return AGENT_THEN_ANSWER;
	case AGENT_ADD:
		why = agent_add(a, q, now);
		break;
	case AGENT_REMOVE:
		why = agent_remove(a, &q->pk, now);
		break;
	case AGENT_REMOVE_ALL:
		why = agent_remove_all(a, now);
		break;
	case AGENT_LOCK:
		why = agent_lock(a, q->secret, now);
		break;
	case AGENT_UNLOCK:
		why = agent_unlock(a, q->secret, now);
		break;
	case AGENT_QUIT:
		(void)agent_remove_all(a, now);
		break;
	}
	agent_say_why(out, why);
	return q->type == AGENT_QUIT ? AGENT_THEN_END : AGENT_THEN_ANSWER;
}

enum agent_then
agent_take(struct agent *a, size_t conn, size_t n, int64_t now, struct buf *out,
    struct agent_question *ask)
{
	struct agent_caller *c = &a->caller[conn];
	enum agent_then then = AGENT_THEN_ANSWER;
	struct agent_request q;
	bool busy = c->state == CALLER_ASKING;
	struct buf in;

	buf_view(&in, a->packet, n);
	if (c->state == CALLER_IDLE)
		c->until = now + AGENT_IDLE_MS;
	if (busy || agent_get_request(&in, &q) != 0)
		agent_say_why(out, AGENT_WHY_MALFORMED);
	else if (a->locked && !agent_answers_locked(q.type))
		agent_say_why(out, AGENT_WHY_LOCKED);
	else
		then = agent_do(a, conn, &q, now, out, ask);
	/* Who speaks before he is answered hears of nothing else. */
	if (busy)
		agent_rest(c, now);
	sodium_memzero(a->packet, n);
	return then;
}

/* --- time --- */

void
agent_expire(struct agent *a, int64_t now, bool callers[AGENT_CONNS_MAX])
{
	for (size_t i = 0; i < AGENT_KEYS_MAX; i++) {
		struct agent_slot *s = &a->slot[i];

		if (s->used && !s->over && s->ends != 0 && s->ends <= now)
			agent_forget(a, s, now);
	}
	for (size_t i = 0; i < AGENT_CONNS_MAX; i++)
		callers[i] = a->caller[i].state != CALLER_NONE &&
		    a->caller[i].until <= now;
}

static void
agent_earlier(int64_t *next, int64_t t)
{
	if (*next == -1 || t < *next)
		*next = t;
}

int64_t
agent_next(const struct agent *a)
{
	int64_t next = -1;

	for (size_t i = 0; i < AGENT_KEYS_MAX; i++)
		if (a->slot[i].used && !a->slot[i].over && a->slot[i].ends != 0)
			agent_earlier(&next, a->slot[i].ends);
	for (size_t i = 0; i < AGENT_CONNS_MAX; i++)
		if (a->caller[i].state != CALLER_NONE)
			agent_earlier(&next, a->caller[i].until);
	return next;
}
