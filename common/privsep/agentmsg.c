/* SPDX-License-Identifier: ISC */
/* The packets of an agent.  PROTOCOL 11. */
#include "common/privsep/agentmsg.h"

#include <string.h>

#include "common/base/err.h"
#include "common/pty/noise.h"

/* Any error of a getter is one of form. */
static int
agent_form(int r)
{
	return r == 0 ? 0 : SKY_ERR_FORMAT;
}

static int
agent_get_pk(struct buf *b, struct key_public *pk)
{
	return agent_form(buf_get(b, pk->b, sizeof(pk->b)));
}

/* n bytes that stay where they are. */
static int
agent_get_borrowed(struct buf *b, size_t n, const uint8_t **p)
{
	*p = buf_ptr(b);
	return agent_form(buf_skip(b, n));
}

static int
agent_get_rest(struct buf *b, struct buf *rest)
{
	return agent_form(buf_get_view(b, buf_len(b), rest));
}

/* flags, life, comment: printable or not is for who shows it to know. */
static int
agent_get_key(struct buf *b, struct agent_key *k)
{
	uint8_t n;

	if (buf_get_u8(b, &k->flags) != 0 || buf_get_u32(b, &k->life) != 0 ||
	    buf_get_u8(b, &n) != 0 || n > AGENT_COMMENT_MAX ||
	    (k->flags & ~AGENT_FLAGS) != 0 || buf_get(b, k->comment, n) != 0)
		return SKY_ERR_FORMAT;
	k->comment[n] = '\0';
	return strlen(k->comment) == n ? 0 : SKY_ERR_FORMAT;
}

static int
agent_put_key(struct buf *b, const struct agent_key *k)
{
	size_t n = strlen(k->comment);
	int r;

	if ((r = buf_put_u8(b, k->flags)) != 0 ||
	    (r = buf_put_u32(b, k->life)) != 0 ||
	    (r = buf_put_u8(b, (uint8_t)n)) != 0)
		return r;
	return buf_put(b, k->comment, n);
}

/* --- requests --- */

static int
agent_get_begin(struct buf *b, struct agent_request *q)
{
	int r;

	if (buf_get_u8(b, &q->way) != 0 || q->way >= AGENT_WAYS)
		return SKY_ERR_FORMAT;
	if ((r = agent_get_pk(b, &q->pk)) != 0 ||
	    (r = agent_get_pk(b, &q->peer)) != 0 || q->way == AGENT_XK)
		return r;
	if (buf_get_u16(b, &q->from) != 0 || buf_get_u16(b, &q->to) != 0)
		return SKY_ERR_FORMAT;
	return q->from != 0 && q->to != 0 ? 0 : SKY_ERR_FORMAT;
}

static int
agent_get_body(struct buf *b, struct agent_request *q)
{
	int r;

	switch (q->type) {
	case AGENT_LIST:
	case AGENT_REMOVE_ALL:
	case AGENT_SALT:
	case AGENT_QUIT:
		return 0;
	case AGENT_ADD:
		if ((r = agent_get_borrowed(b, KEY_SECRET_LEN, &q->secret)) !=
		    0)
			return r;
		return agent_get_key(b, &q->add);
	case AGENT_REMOVE:
		return agent_get_pk(b, &q->pk);
	case AGENT_LOCK:
	case AGENT_UNLOCK:
		return agent_get_borrowed(b, AGENT_HASH_LEN, &q->secret);
	case AGENT_BEGIN:
		return agent_get_begin(b, q);
	case AGENT_FINISH:
		return agent_get_rest(b, &q->message);
	default:
		return SKY_ERR_FORMAT;
	}
}

int
agent_get_request(struct buf *b, struct agent_request *q)
{
	int r;

	memset(q, 0, sizeof(*q));
	if (buf_len(b) > AGENT_MSG_MAX || buf_get_u8(b, &q->type) != 0)
		return SKY_ERR_FORMAT;
	if ((r = agent_get_body(b, q)) != 0)
		return r;
	return agent_form(buf_at_end(b));
}

static int
agent_put_begin(struct buf *b, const struct agent_request *q)
{
	int r;

	if ((r = buf_put_u8(b, q->way)) != 0 ||
	    (r = buf_put(b, q->pk.b, sizeof(q->pk.b))) != 0 ||
	    (r = buf_put(b, q->peer.b, sizeof(q->peer.b))) != 0 ||
	    q->way == AGENT_XK || (r = buf_put_u16(b, q->from)) != 0)
		return r;
	return buf_put_u16(b, q->to);
}

int
agent_put_request(struct buf *b, const struct agent_request *q)
{
	int r;

	if ((r = buf_put_u8(b, q->type)) != 0)
		return r;
	switch (q->type) {
	case AGENT_ADD:
		if ((r = buf_put(b, q->secret, KEY_SECRET_LEN)) != 0)
			return r;
		return agent_put_key(b, &q->add);
	case AGENT_REMOVE:
		return buf_put(b, q->pk.b, sizeof(q->pk.b));
	case AGENT_LOCK:
	case AGENT_UNLOCK:
		return buf_put(b, q->secret, AGENT_HASH_LEN);
	case AGENT_BEGIN:
		return agent_put_begin(b, q);
	case AGENT_FINISH:
		return buf_put(b, buf_ptr(&q->message), buf_len(&q->message));
	default:
		return 0;
	}
}

/* --- answers --- */

static int
agent_get_list(struct buf *b, struct agent_list *list)
{
	uint8_t locked, n;
	int r = 0;

	if (list == NULL || buf_get_u8(b, &locked) != 0 || locked > 1 ||
	    buf_get_u8(b, &n) != 0 || n > AGENT_KEYS_MAX)
		return SKY_ERR_FORMAT;
	list->locked = locked != 0;
	list->n = 0;
	for (; r == 0 && list->n < n; list->n++)
		if ((r = agent_get_pk(b, &list->key[list->n].pk)) == 0)
			r = agent_get_key(b, &list->key[list->n]);
	return r;
}

static int
agent_get_done(struct buf *b, struct agent_answer *a)
{
	uint8_t hybrid = 0;
	int r;

	if ((r = agent_get_borrowed(b, NOISE_KEY_LEN, &a->send)) != 0 ||
	    (r = agent_get_borrowed(b, NOISE_KEY_LEN, &a->recv)) != 0)
		return r;
	if (buf_get_u8(b, &hybrid) != 0 || hybrid > 1)
		return SKY_ERR_FORMAT;
	a->hybrid = hybrid;
	return agent_get_rest(b, &a->message);
}

static int
agent_get_answer_body(struct buf *b, struct agent_answer *a)
{
	switch (a->type) {
	case AGENT_OK:
	case AGENT_ASKING:
		return 0;
	case AGENT_FAIL:
		return agent_form(buf_get_u8(b, &a->why));
	case AGENT_KEYS:
		return agent_get_list(b, a->list);
	case AGENT_SALT_IS:
		return agent_get_borrowed(b, AGENT_SALT_LEN, &a->salt);
	case AGENT_FIRST:
		return agent_get_rest(b, &a->message);
	case AGENT_DONE:
		return agent_get_done(b, a);
	default:
		return SKY_ERR_FORMAT;
	}
}

int
agent_get_answer(struct buf *b, struct agent_answer *a)
{
	struct agent_list *list = a->list;
	int r;

	*a = (struct agent_answer){ .list = list };
	if (buf_len(b) > AGENT_MSG_MAX || buf_get_u8(b, &a->type) != 0)
		return SKY_ERR_FORMAT;
	if ((r = agent_get_answer_body(b, a)) != 0)
		return r;
	return agent_form(buf_at_end(b));
}

static int
agent_put_list(struct buf *b, const struct agent_list *list)
{
	int r;

	if ((r = buf_put_u8(b, list->locked)) != 0 ||
	    (r = buf_put_u8(b, (uint8_t)list->n)) != 0)
		return r;
	for (size_t i = 0; r == 0 && i < list->n; i++)
		if ((r = buf_put(b, list->key[i].pk.b, KEY_PUBLIC_LEN)) == 0)
			r = agent_put_key(b, &list->key[i]);
	return r;
}

int
agent_put_answer(struct buf *b, const struct agent_answer *a)
{
	int r;

	if ((r = buf_put_u8(b, a->type)) != 0)
		return r;
	switch (a->type) {
	case AGENT_FAIL:
		return buf_put_u8(b, a->why);
	case AGENT_KEYS:
		return agent_put_list(b, a->list);
	case AGENT_SALT_IS:
		return buf_put(b, a->salt, AGENT_SALT_LEN);
	case AGENT_DONE:
		if ((r = buf_put(b, a->send, NOISE_KEY_LEN)) != 0 ||
		    (r = buf_put(b, a->recv, NOISE_KEY_LEN)) != 0 ||
		    (r = buf_put_u8(b, a->hybrid)) != 0)
			return r;
		/* FALLTHROUGH */
	case AGENT_FIRST:
		return buf_put(b, buf_ptr(&a->message), buf_len(&a->message));
	default:
		return 0;
	}
}

const char *
agent_why_text(unsigned why)
{
	static const char *const texts[] = {
		[AGENT_WHY_MALFORMED] = "it does not understand the request",
		[AGENT_WHY_NO_KEY] = "it has no such key",
		[AGENT_WHY_LOCKED] = "it is locked; 'skypty add -X' unlocks it",
		[AGENT_WHY_REFUSED] = "the use of the key was not confirmed",
		[AGENT_WHY_FULL] = "it has no room for more",
		[AGENT_WHY_STATE] = "there is nothing to go on with",
		[AGENT_WHY_PROOF] = "the other side does not prove its key",
		[AGENT_WHY_PASS] = "the passphrase is wrong",
		[AGENT_WHY_SOON] = "it is too soon for another try",
	};

	return why < sizeof(texts) / sizeof(texts[0]) && texts[why] != NULL ?
	    texts[why] :
	    "it gives no reason that we know";
}
