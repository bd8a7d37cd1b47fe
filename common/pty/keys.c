/* SPDX-License-Identifier: ISC */
/* Identities: secp256k1 keys, by libsecp256k1. */
#include "common/pty/keys_secp.h"

#include <secp256k1_ecdh.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/hex.h"

struct keyctx *
keyctx_new(void)
{
	struct keyctx *kc;
	uint8_t seed[32];
	int ok;

	if (sodium_init() == -1 || (kc = calloc(1, sizeof(*kc))) == NULL)
		return NULL;
	kc->secp = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
	randombytes_buf(seed, sizeof(seed));
	ok = kc->secp != NULL && secp256k1_context_randomize(kc->secp, seed);
	sodium_memzero(seed, sizeof(seed));
	if (ok)
		return kc;
	keyctx_free(kc);
	return NULL;
}

void
keyctx_free(struct keyctx *kc)
{
	if (kc == NULL)
		return;
	if (kc->secp != NULL)
		secp256k1_context_destroy(kc->secp);
	free(kc);
}

int
key_generate(struct keyctx *kc, uint8_t *sk)
{
	do
		randombytes_buf(sk, KEY_SECRET_LEN);
	while (!secp256k1_ec_seckey_verify(kc->secp, sk));
	return 0;
}

int
key_public(struct keyctx *kc, const uint8_t *sk, struct key_public *pk)
{
	secp256k1_pubkey point;
	size_t n = sizeof(pk->b);

	if (!secp256k1_ec_pubkey_create(kc->secp, &point, sk))
		return SKY_ERR_KEY;
	secp256k1_ec_pubkey_serialize(kc->secp, pk->b, &n, &point,
	    SECP256K1_EC_COMPRESSED);
	return 0;
}

static bool
parse_point(struct keyctx *kc, const struct key_public *pk,
    secp256k1_pubkey *point)
{
	return secp256k1_ec_pubkey_parse(kc->secp, point, pk->b, sizeof(pk->b));
}

bool
key_valid(struct keyctx *kc, const struct key_public *pk)
{
	secp256k1_pubkey point;

	return parse_point(kc, pk, &point);
}

/* SHA-256 of the compressed point, and a zero byte.  PROTOCOL.pty 1. */
static int
hash_point(uint8_t *out, const uint8_t *x, const uint8_t *y, void *arg)
{
	uint8_t point[KEY_PUBLIC_LEN];

	point[0] = 2 | (y[31] & 1);
	memcpy(point + 1, x, 32);
	crypto_hash_sha256(out, point, sizeof(point));
	out[KEY_SHARED_LEN - 1] = 0;
	sodium_memzero(point, sizeof(point));
	return 1;
}

int
key_shared(struct keyctx *kc, const uint8_t *sk, const struct key_public *pk,
    uint8_t *shared)
{
	secp256k1_pubkey point;

	if (parse_point(kc, pk, &point) &&
	    secp256k1_ecdh(kc->secp, shared, &point, sk, hash_point, NULL))
		return 0;
	sodium_memzero(shared, KEY_SHARED_LEN);
	return SKY_ERR_KEY;
}

int
key_parse_public(struct keyctx *kc, const char *text, struct key_public *pk)
{
	int r;

	if ((r = hex_decode(text, pk->b, sizeof(pk->b))) != 0)
		return r;
	return key_valid(kc, pk) ? 0 : SKY_ERR_KEY;
}

int
key_parse_secret(struct keyctx *kc, const char *text, uint8_t *sk)
{
	int r;

	if ((r = hex_decode(text, sk, KEY_SECRET_LEN)) != 0)
		return r;
	if (secp256k1_ec_seckey_verify(kc->secp, sk))
		return 0;
	sodium_memzero(sk, KEY_SECRET_LEN);
	return SKY_ERR_KEY;
}

void
key_text(const struct key_public *pk, char *text)
{
	hex_encode(pk->b, sizeof(pk->b), text);
}

bool
key_equal(const struct key_public *a, const struct key_public *b)
{
	return sodium_memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

bool
key_listed(const struct key_public *list, size_t n, const struct key_public *pk)
{
	for (size_t i = 0; i < n; i++)
		if (key_equal(&list[i], pk))
			return true;
	return false;
}
