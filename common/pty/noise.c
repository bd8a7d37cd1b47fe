/* SPDX-License-Identifier: ISC */
/*
 * Noise handshakes XK and KK, driven by a table of their tokens.
 * PROTOCOL.pty 2.1-2.4.
 */
#include "common/pty/noise.h"

#include <sodium.h>
#include <string.h>

#include "common/base/err.h"
#include "common/pty/aead.h"
#include "common/pty/mlkem.h"

#define HYBRID_INFO "skywire-pq-hybrid-v1"

enum token { END, E, S, EE, ES, SE, SS };

static const struct pattern {
	const char *name;
	bool initiator_known; /* its static key is a pre-message */
	unsigned nmsg;
	enum token msg[3][4];
} patterns[] = {
	[NOISE_XK] = {
		.name = "Noise_XK_Secp256k1_ChaChaPoly_SHA256",
		.nmsg = 3,
		.msg = { { E, ES }, { E, EE }, { S, SE } },
	},
	[NOISE_KK] = {
		.name = "Noise_KK_Secp256k1_ChaChaPoly_SHA256",
		.initiator_known = true,
		.nmsg = 2,
		.msg = { { E, ES, SS }, { E, EE, SE } },
	},
};

/* The hybrid: an offer is made or taken, its answer made or read. */
enum kem_state { KEM_NONE, KEM_OFFERED, KEM_SHARED };

struct noise {
	struct keyctx *kc;
	const struct pattern *pattern;
	enum noise_role role;
	unsigned step;	/* messages exchanged */
	bool dead;	/* failed, or split */
	bool ephemeral; /* e was given, and what is random of the KEM */
	bool classical; /* nothing is offered, and no offer taken */
	uint8_t h[NOISE_HASH_LEN];
	uint8_t ck[NOISE_HASH_LEN];
	uint8_t k[NOISE_KEY_LEN];
	uint64_t n;
	uint8_t s[KEY_SECRET_LEN];
	uint8_t e[KEY_SECRET_LEN];
	struct key_public spub, rs, re;
	enum kem_state kem_state;
	uint8_t kem_random[MLKEM_SEED_LEN]; /* the responder's m is shorter */
	uint8_t kem_shared[MLKEM_SHARED_LEN];
	union {
		uint8_t secret[MLKEM_SECRET_LEN]; /* the initiator's */
		uint8_t cipher[MLKEM_CIPHER_LEN]; /* the responder's answer */
	} kem;
};

/* --- symmetric state: h, ck, k, n --- */

static void
mix_hash(struct noise *ns, const uint8_t *p, size_t n)
{
	crypto_hash_sha256_state st;

	crypto_hash_sha256_init(&st);
	crypto_hash_sha256_update(&st, ns->h, sizeof(ns->h));
	crypto_hash_sha256_update(&st, p, n);
	crypto_hash_sha256_final(&st, ns->h);
}

static void
noise_hmac(const uint8_t *key, const uint8_t *p, size_t n, uint8_t *out)
{
	crypto_auth_hmacsha256(out, p, n, key);
}

/* HKDF of ck and n bytes of input; out2 may be anything but ck. */
static void
noise_hkdf(const uint8_t *ck, const uint8_t *p, size_t n, uint8_t *out1,
    uint8_t *out2)
{
	uint8_t key[32], in[33];

	noise_hmac(ck, p, n, key);
	in[0] = 1;
	noise_hmac(key, in, 1, out1);
	memcpy(in, out1, 32);
	in[32] = 2;
	noise_hmac(key, in, 33, out2);
	sodium_memzero(key, sizeof(key));
	sodium_memzero(in, sizeof(in));
}

static int
mix_key(struct noise *ns, const uint8_t *sk, const struct key_public *pk)
{
	uint8_t shared[KEY_SHARED_LEN];
	int r;

	if ((r = key_shared(ns->kc, sk, pk, shared)) == 0) {
		noise_hkdf(ns->ck, shared, sizeof(shared), ns->ck, ns->k);
		ns->n = 0;
	}
	sodium_memzero(shared, sizeof(shared));
	return r;
}

/* Appends n bytes, encrypted, to msg. */
static int
encrypt_and_hash(struct noise *ns, const uint8_t *p, size_t n, struct buf *msg)
{
	const struct aead_data ad = { ns->h, sizeof(ns->h) };
	uint8_t *out;
	int r;

	if ((r = buf_extend(msg, n + AEAD_TAG_LEN, &out)) != 0 ||
	    (r = aead_seal(ns->k, ns->n++, &ad, p, n, out)) != 0)
		return r;
	mix_hash(ns, out, n + AEAD_TAG_LEN);
	return 0;
}

/* Takes a ciphertext of n bytes off msg; n - AEAD_TAG_LEN come out. */
static int
decrypt_and_hash(struct noise *ns, struct buf *msg, size_t n, uint8_t *out)
{
	const struct aead_data ad = { ns->h, sizeof(ns->h) };
	struct buf ct;
	int r;

	if ((r = buf_get_view(msg, n, &ct)) != 0 ||
	    (r = aead_open(ns->k, ns->n++, &ad, buf_ptr(&ct), n, out)) != 0)
		return r;
	mix_hash(ns, buf_ptr(&ct), n);
	return 0;
}

/* --- tokens --- */

static int
write_e(struct noise *ns, struct buf *msg)
{
	struct key_public pk;
	int r;

	if (!ns->ephemeral && (r = key_generate(ns->kc, ns->e)) != 0)
		return r;
	if ((r = key_public(ns->kc, ns->e, &pk)) != 0)
		return r;
	mix_hash(ns, pk.b, sizeof(pk.b));
	return buf_put(msg, pk.b, sizeof(pk.b));
}

static int
read_e(struct noise *ns, struct buf *msg)
{
	int r;

	if ((r = buf_get(msg, ns->re.b, sizeof(ns->re.b))) != 0)
		return r;
	mix_hash(ns, ns->re.b, sizeof(ns->re.b));
	return 0;
}

static int
write_s(struct noise *ns, struct buf *msg)
{
	return encrypt_and_hash(ns, ns->spub.b, sizeof(ns->spub.b), msg);
}

static int
read_s(struct noise *ns, struct buf *msg)
{
	return decrypt_and_hash(ns, msg, sizeof(ns->rs.b) + AEAD_TAG_LEN,
	    ns->rs.b);
}

/* In ES and SE the first letter names the initiator's key. */
static int
mix_dh(struct noise *ns, enum token t)
{
	bool initiator = ns->role == NOISE_INITIATOR;
	bool mine_e = t == EE || t == (initiator ? ES : SE);
	bool theirs_e = t == EE || t == (initiator ? SE : ES);

	return mix_key(ns, mine_e ? ns->e : ns->s,
	    theirs_e ? &ns->re : &ns->rs);
}

static int
write_token(struct noise *ns, enum token t, struct buf *msg)
{
	if (t == E)
		return write_e(ns, msg);
	if (t == S)
		return write_s(ns, msg);
	return mix_dh(ns, t);
}

static int
read_token(struct noise *ns, enum token t, struct buf *msg)
{
	if (t == E)
		return read_e(ns, msg);
	if (t == S)
		return read_s(ns, msg);
	return mix_dh(ns, t);
}

/* --- what messages 1 and 2 carry: PROTOCOL.pty 2.4 --- */

static int
kem_offer(struct noise *ns, struct buf *payload)
{
	uint8_t *ek;
	int r;

	if ((r = buf_extend(payload, MLKEM_PUBLIC_LEN, &ek)) != 0)
		return r;
	if (!ns->ephemeral)
		randombytes_buf(ns->kem_random, sizeof(ns->kem_random));
	mlkem_keys(ns->kem_random, ek, ns->kem.secret);
	sodium_memzero(ns->kem_random, sizeof(ns->kem_random));
	ns->kem_state = KEM_OFFERED;
	return 0;
}

/* An offer that is no key is none. */
static void
kem_take_offer(struct noise *ns, const uint8_t *ek)
{
	if (!ns->ephemeral)
		randombytes_buf(ns->kem_random, MLKEM_RANDOM_LEN);
	if (mlkem_encapsulate(ek, ns->kem_random, ns->kem.cipher,
		ns->kem_shared) == 0)
		ns->kem_state = KEM_OFFERED;
	sodium_memzero(ns->kem_random, sizeof(ns->kem_random));
}

static int
kem_put(struct noise *ns, struct buf *payload)
{
	if (ns->step == 0 && !ns->classical)
		return kem_offer(ns, payload);
	if (ns->step != 1 || ns->kem_state != KEM_OFFERED)
		return 0;
	ns->kem_state = KEM_SHARED;
	return buf_put(payload, ns->kem.cipher, MLKEM_CIPHER_LEN);
}

/* Whatever else a peer may say there: it is not held against it. */
static void
kem_take(struct noise *ns, const uint8_t *payload, size_t n)
{
	if (ns->step == 0 && n == MLKEM_PUBLIC_LEN && !ns->classical)
		kem_take_offer(ns, payload);
	else if (ns->step == 1 && n == MLKEM_CIPHER_LEN &&
	    ns->kem_state == KEM_OFFERED) {
		mlkem_decapsulate(ns->kem.secret, payload, ns->kem_shared);
		ns->kem_state = KEM_SHARED;
	}
}

/* --- messages --- */

static int
noise_write_message(struct noise *ns, struct buf *payload, struct buf *msg)
{
	const enum token *t = ns->pattern->msg[ns->step];
	int r;

	if (buf_len(payload) > NOISE_MSG_MAX)
		return SKY_ERR_LIMIT;
	for (; *t != END; t++)
		if ((r = write_token(ns, *t, msg)) != 0)
			return r;
	if ((r = encrypt_and_hash(ns, buf_ptr(payload), buf_len(payload),
		 msg)) != 0)
		return r;
	return buf_skip(payload, buf_len(payload));
}

static int
read_payload(struct noise *ns, struct buf *msg, struct buf *payload)
{
	uint8_t text[NOISE_MSG_MAX];
	size_t n = buf_len(msg);
	int r;

	if (n < AEAD_TAG_LEN)
		return SKY_ERR_SHORT;
	if ((r = decrypt_and_hash(ns, msg, n, text)) != 0)
		return r;
	n -= AEAD_TAG_LEN;
	kem_take(ns, text, n);
	return payload != NULL ? buf_put(payload, text, n) : 0;
}

static int
noise_read_message(struct noise *ns, struct buf *msg, struct buf *payload)
{
	const enum token *t = ns->pattern->msg[ns->step];
	int r;

	if (buf_len(msg) > NOISE_MSG_MAX)
		return SKY_ERR_LIMIT;
	for (; *t != END; t++)
		if ((r = read_token(ns, *t, msg)) != 0)
			return r;
	return read_payload(ns, msg, payload);
}

static void
wipe_static_and_ephemeral(struct noise *ns)
{
	sodium_memzero(ns->s, sizeof(ns->s));
	sodium_memzero(ns->e, sizeof(ns->e));
	sodium_memzero(ns->kem_random, sizeof(ns->kem_random));
	sodium_memzero(&ns->kem, sizeof(ns->kem));
}

static void
wipe_symmetric(struct noise *ns)
{
	sodium_memzero(ns->ck, sizeof(ns->ck));
	sodium_memzero(ns->k, sizeof(ns->k));
	sodium_memzero(ns->kem_shared, sizeof(ns->kem_shared));
}

/* After a failure nothing may be learnt from the state any more. */
static int
noise_die(struct noise *ns, int r)
{
	ns->dead = true;
	wipe_static_and_ephemeral(ns);
	wipe_symmetric(ns);
	return r;
}

static int
noise_advance(struct noise *ns)
{
	if (++ns->step == ns->pattern->nmsg)
		wipe_static_and_ephemeral(ns);
	return 0;
}

/* The initiator writes messages 0 and 2, the responder message 1. */
static bool
may_write(const struct noise *ns)
{
	return !ns->dead && !noise_done(ns) && ns->step % 2 == ns->role;
}

static bool
may_read(const struct noise *ns)
{
	return !ns->dead && !noise_done(ns) && ns->step % 2 != ns->role;
}

int
noise_write(struct noise *ns, struct buf *payload, struct buf *msg)
{
	size_t start = buf_len(msg);
	struct buf own;
	int r = 0;

	if (!may_write(ns))
		return noise_die(ns, SKY_ERR_STATE);
	buf_init(&own, MLKEM_PUBLIC_LEN);
	if (payload == NULL) {
		payload = &own;
		r = kem_put(ns, payload);
	}
	if (r == 0)
		r = noise_write_message(ns, payload, msg);
	buf_free(&own);
	if (r == 0 && buf_len(msg) - start > NOISE_MSG_MAX)
		r = SKY_ERR_LIMIT;
	if (r == 0)
		return noise_advance(ns);
	buf_trim(msg, buf_len(msg) - start);
	return noise_die(ns, r);
}

int
noise_read(struct noise *ns, struct buf *msg, struct buf *payload)
{
	int r;

	if (!may_read(ns))
		return noise_die(ns, SKY_ERR_STATE);
	if ((r = noise_read_message(ns, msg, payload)) != 0)
		return noise_die(ns, r);
	return noise_advance(ns);
}

/* --- life --- */

static void
start_symmetric(struct noise *ns)
{
	const char *name = ns->pattern->name;
	const struct key_public *i = &ns->spub, *r = &ns->rs;

	if (ns->role == NOISE_RESPONDER) {
		i = &ns->rs;
		r = &ns->spub;
	}
	crypto_hash_sha256(ns->h, (const uint8_t *)name, strlen(name));
	memcpy(ns->ck, ns->h, sizeof(ns->ck));
	mix_hash(ns, NULL, 0); /* the empty prologue */
	if (ns->pattern->initiator_known)
		mix_hash(ns, i->b, sizeof(i->b));
	mix_hash(ns, r->b, sizeof(r->b));
}

/* Whether the peer's static key is there from the beginning. */
static bool
peer_known(const struct noise *ns)
{
	return ns->role == NOISE_INITIATOR || ns->pattern->initiator_known;
}

static int
set_keys(struct noise *ns, const uint8_t *sk, const struct key_public *peer)
{
	if (peer_known(ns) != (peer != NULL))
		return SKY_ERR_KEY;
	if (peer != NULL && !key_valid(ns->kc, peer))
		return SKY_ERR_KEY;
	if (peer != NULL)
		ns->rs = *peer;
	memcpy(ns->s, sk, sizeof(ns->s));
	return key_public(ns->kc, ns->s, &ns->spub);
}

int
noise_new(struct noise **nsp, struct keyctx *kc, enum noise_pattern pattern,
    enum noise_role role, const uint8_t *sk, const struct key_public *peer)
{
	struct noise *ns;
	int r;

	*nsp = NULL;
	if ((ns = sodium_malloc(sizeof(*ns))) == NULL)
		return SKY_ERR_NOMEM;
	*ns = (struct noise){
		.kc = kc,
		.pattern = &patterns[pattern],
		.role = role,
	};
	if ((r = set_keys(ns, sk, peer)) != 0) {
		noise_free(ns);
		return r;
	}
	start_symmetric(ns);
	*nsp = ns;
	return 0;
}

int
noise_lock(struct noise *ns)
{
	return sodium_mlock(ns, sizeof(*ns)) == 0 ? 0 : SKY_ERR_NOMEM;
}

void
noise_free(struct noise *ns)
{
	sodium_free(ns);
}

int
noise_set_ephemeral(struct noise *ns, const uint8_t *sk, const uint8_t *random)
{
	struct key_public pk;
	int r;

	if (ns->dead || noise_done(ns))
		return SKY_ERR_STATE;
	if ((r = key_public(ns->kc, sk, &pk)) != 0)
		return noise_die(ns, r);
	memcpy(ns->e, sk, sizeof(ns->e));
	memcpy(ns->kem_random, random, sizeof(ns->kem_random));
	ns->ephemeral = true;
	return 0;
}

void
noise_set_classical(struct noise *ns)
{
	ns->classical = true;
}

bool
noise_done(const struct noise *ns)
{
	return ns->step == ns->pattern->nmsg;
}

const struct key_public *
noise_peer(const struct noise *ns)
{
	return peer_known(ns) || noise_done(ns) ? &ns->rs : NULL;
}

/* HKDF-SHA256 of h, of the classical key and the KEM's secret. */
static void
mix_hybrid(const struct noise *ns, uint8_t *key)
{
	static const char info[] = HYBRID_INFO "\001";
	uint8_t in[NOISE_KEY_LEN + MLKEM_SHARED_LEN], prk[NOISE_HASH_LEN];

	memcpy(in, key, NOISE_KEY_LEN);
	memcpy(in + NOISE_KEY_LEN, ns->kem_shared, MLKEM_SHARED_LEN);
	noise_hmac(ns->h, in, sizeof(in), prk);
	noise_hmac(prk, (const uint8_t *)info, sizeof(info) - 1, key);
	sodium_memzero(in, sizeof(in));
	sodium_memzero(prk, sizeof(prk));
}

/* Split, with the direction of the keys that PROTOCOL.pty 2.3 tells. */
int
noise_split(struct noise *ns, struct noise_keys *keys)
{
	bool wrote_last = (ns->pattern->nmsg - 1) % 2 == ns->role;

	if (ns->dead || !noise_done(ns))
		return noise_die(ns, SKY_ERR_STATE);
	if (wrote_last)
		noise_hkdf(ns->ck, NULL, 0, keys->recv, keys->send);
	else
		noise_hkdf(ns->ck, NULL, 0, keys->send, keys->recv);
	if ((keys->hybrid = noise_hybrid(ns))) {
		mix_hybrid(ns, keys->send);
		mix_hybrid(ns, keys->recv);
	}
	noise_die(ns, 0);
	return 0;
}

bool
noise_hybrid(const struct noise *ns)
{
	return ns->kem_state == KEM_SHARED;
}

const uint8_t *
noise_hash(const struct noise *ns)
{
	return ns->h;
}
