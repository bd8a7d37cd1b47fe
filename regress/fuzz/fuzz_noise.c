/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes the handshakes: after some honest messages, one that is either all
 * the fuzzer's or an honest one with its bytes laid over it.  All keys are
 * fixed, so a run can be repeated.
 *
 * Byte 0: pattern, bit 0; raw message or overlay, bit 1; a payload in the
 * honest messages, bit 2; the message it is about, four bits; a hybrid's
 * messages in place of payloads, bit 7.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/pty/mlkem.h"
#include "common/pty/noise.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct two {
	struct noise *side[2]; /* by role */
	struct buf payload, msg, got;
};

static void
require(bool ok)
{
	if (!ok)
		abort();
}

static struct keyctx *
the_keyctx(void)
{
	static struct keyctx *kc;

	if (kc == NULL)
		kc = keyctx_new();
	require(kc != NULL);
	return kc;
}

static struct noise *
open_side(enum noise_pattern pattern, enum noise_role role)
{
	struct keyctx *kc = the_keyctx();
	static const uint8_t kem[MLKEM_SEED_LEN] = { 0x55 };
	uint8_t sk[2][KEY_SECRET_LEN], eph[KEY_SECRET_LEN];
	struct key_public pk;
	struct noise *ns;
	bool known = pattern == NOISE_KK || role == NOISE_INITIATOR;

	memset(sk[0], 0x11, sizeof(sk[0]));
	memset(sk[1], 0x33, sizeof(sk[1]));
	memset(eph, role == NOISE_INITIATOR ? 0x22 : 0x44, sizeof(eph));
	require(key_public(kc, sk[!role], &pk) == 0);
	require(noise_new(&ns, kc, pattern, role, sk[role],
		    known ? &pk : NULL) == 0);
	require(noise_set_ephemeral(ns, eph, kem) == 0);
	return ns;
}

static void
two_open(struct two *t, enum noise_pattern pattern)
{
	for (int i = 0; i < 2; i++)
		t->side[i] = open_side(pattern, (enum noise_role)i);
	buf_init(&t->payload, NOISE_MSG_MAX);
	buf_init(&t->msg, NOISE_MSG_MAX);
	buf_init(&t->got, NOISE_MSG_MAX);
}

static void
two_free(struct two *t)
{
	noise_free(t->side[0]);
	noise_free(t->side[1]);
	buf_free(&t->payload);
	buf_free(&t->msg);
	buf_free(&t->got);
}

/* The next honest message into t->msg. */
static void
write_honest(struct two *t, size_t i, uint8_t how)
{
	buf_reset(&t->msg);
	buf_reset(&t->got);
	require(buf_put(&t->payload, "payload", how & 4 ? 7 : 0) == 0);
	require(noise_write(t->side[i % 2], how & 128 ? NULL : &t->payload,
		    &t->msg) == 0);
	buf_reset(&t->payload);
}

/* Whatever failed is dead, has nothing to say and gave nothing out. */
static void
check_dead(struct noise *ns, struct buf *got)
{
	struct noise_keys keys;
	struct buf out;

	require(buf_len(got) == 0);
	buf_init(&out, NOISE_MSG_MAX);
	require(!noise_done(ns));
	require(noise_write(ns, NULL, &out) == SKY_ERR_STATE);
	require(noise_read(ns, &out, &out) == SKY_ERR_STATE);
	require(noise_split(ns, &keys) == SKY_ERR_STATE);
	require(buf_len(&out) == 0);
	buf_free(&out);
}

/* Lays bytes over the message; what is longer than it is appended. */
static bool
overlay(struct buf *msg, const uint8_t *p, size_t n)
{
	bool changed = false;
	uint8_t b;

	for (size_t i = 0; i < n; i++) {
		if (i >= buf_len(msg)) {
			if (buf_put_u8(msg, p[i]) == 0)
				changed = true;
			continue;
		}
		b = buf_ptr(msg)[i] ^ p[i];
		changed = changed || p[i] != 0;
		require(buf_poke(msg, i, &b, 1) == 0);
	}
	return changed;
}

static void
read_overlaid(struct two *t, size_t i, const uint8_t *p, size_t n)
{
	struct noise *ns = t->side[!(i % 2)];
	bool changed = overlay(&t->msg, p, n);
	int r = noise_read(ns, &t->msg, &t->got);

	require((r == 0) == !changed);
	if (r != 0)
		check_dead(ns, &t->got);
}

static void
read_raw(struct two *t, size_t i, const uint8_t *p, size_t n)
{
	struct noise *ns = t->side[!(i % 2)];
	struct buf msg;

	buf_view(&msg, p, n);
	if (noise_read(ns, &msg, &t->got) != 0)
		check_dead(ns, &t->got);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	enum noise_pattern pattern;
	struct two t;
	size_t target, i;

	if (n == 0)
		return 0;
	pattern = p[0] & 1 ? NOISE_KK : NOISE_XK;
	target = (p[0] >> 3 & 15) % (pattern == NOISE_XK ? 3 : 2);
	two_open(&t, pattern);
	for (i = 0; i < target; i++) {
		write_honest(&t, i, p[0]);
		require(noise_read(t.side[!(i % 2)], &t.msg, &t.got) == 0);
	}
	write_honest(&t, i, p[0]);
	if (p[0] & 2)
		read_overlaid(&t, i, p + 1, n - 1);
	else
		read_raw(&t, i, p + 1, n - 1);
	two_free(&t);
	return 0;
}
