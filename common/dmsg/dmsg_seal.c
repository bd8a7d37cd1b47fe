/* SPDX-License-Identifier: ISC */
/* Objects sealed with a session's keys.  PROTOCOL.dmsg 2.6, 4.2. */
#include <string.h>

#include "common/base/err.h"
#include "common/dmsg/dmsg_object.h"
#include "common/pty/aead.h"

#define OVERHEAD (8 + AEAD_TAG_LEN)
#define WINDOW	 1024
#define BITS	 64
#define WORDS	 (WINDOW / BITS + 1)

void
dmsg_seal_init(struct dmsg_seal *s, const uint8_t *send, const uint8_t *recv)
{
	memset(s, 0, sizeof(*s));
	memcpy(s->send, send, sizeof(s->send));
	memcpy(s->recv, recv, sizeof(s->recv));
}

void
dmsg_seal_wipe(struct dmsg_seal *s)
{
	explicit_bzero(s, sizeof(*s));
}

int
dmsg_put_sealed(struct dmsg_seal *s, const struct buf *object, struct buf *out)
{
	size_t n = buf_len(object);
	uint8_t *p;
	int r;

	if (n > DMSG_OBJECT_MAX)
		return SKY_ERR_LIMIT;
	if ((r = buf_put_u16(out, (uint16_t)(n + OVERHEAD))) != 0 ||
	    (r = buf_put_u64(out, s->counter + 1)) != 0 ||
	    (r = buf_extend(out, n + AEAD_TAG_LEN, &p)) != 0)
		return r;
	return aead_seal(s->send, ++s->counter, NULL, buf_ptr(object), n, p);
}

/* Objects travel on different streams, so their order may change. */
static bool
is_fresh(const struct dmsg_seal *s, uint64_t c)
{
	if (c == 0)
		return false;
	if (c > s->top)
		return true;
	if (s->top - c >= WINDOW)
		return false;
	return !(s->window[c / BITS % WORDS] >> c % BITS & 1);
}

/* Forgets what falls out of the window as it moves. */
static void
seal_mark(struct dmsg_seal *s, uint64_t c)
{
	uint64_t words;

	if (c > s->top) {
		words = c / BITS - s->top / BITS;
		for (uint64_t i = 1; i <= words && i <= WORDS; i++)
			s->window[(s->top / BITS + i) % WORDS] = 0;
		s->top = c;
	}
	s->window[c / BITS % WORDS] |= UINT64_C(1) << c % BITS;
}

static int
seal_open_body(struct dmsg_seal *s, struct buf *body, struct buf *object)
{
	uint64_t counter;
	uint8_t *p;
	size_t n;
	int r;

	if ((r = buf_get_u64(body, &counter)) != 0)
		return r;
	if (!is_fresh(s, counter))
		return SKY_ERR_NONCE;
	n = buf_len(body) - AEAD_TAG_LEN;
	if ((r = buf_extend(object, n, &p)) != 0)
		return r;
	if ((r = aead_open(s->recv, counter, NULL, buf_ptr(body), buf_len(body),
		 p)) != 0) {
		buf_trim(object, n);
		return r;
	}
	seal_mark(s, counter);
	return 1;
}

int
dmsg_get_sealed(struct dmsg_seal *s, struct buf *in, struct buf *object)
{
	const uint8_t *p = buf_ptr(in);
	struct buf body;
	size_t n;
	int r;

	if (buf_len(in) < 2)
		return 0;
	if ((n = (size_t)p[0] << 8 | p[1]) < OVERHEAD)
		return SKY_ERR_FORMAT;
	if (buf_len(in) < 2 + n)
		return 0;
	if ((r = buf_skip(in, 2)) != 0 || (r = buf_get_view(in, n, &body)) != 0)
		return r;
	return seal_open_body(s, &body, object);
}
