/* SPDX-License-Identifier: ISC */
/* Signatures from which the key can be recovered.  PROTOCOL.dmsg 1.3. */
#include "common/pty/keys_secp.h"

#include <secp256k1_recovery.h>
#include <sodium.h>
#include <string.h>

#include "common/base/err.h"

#define COMPACT_LEN 64 /* r and s */

int
key_sign(struct keyctx *kc, const uint8_t *sk, const void *msg, size_t n,
    uint8_t *sig)
{
	secp256k1_ecdsa_recoverable_signature s;
	uint8_t digest[crypto_hash_sha256_BYTES];
	int v;

	crypto_hash_sha256(digest, msg, n);
	/* Its nonces are those of RFC 6979, its s is low. */
	if (!secp256k1_ecdsa_sign_recoverable(kc->secp, &s, digest, sk, NULL,
		NULL))
		return SKY_ERR_KEY;
	(void)secp256k1_ecdsa_recoverable_signature_serialize_compact(kc->secp,
	    sig, &v, &s);
	sig[COMPACT_LEN] = (uint8_t)v;
	return 0;
}

/* The reference looks at the top bit of s alone; so do we. */
int
key_verify(struct keyctx *kc, const struct key_public *pk, const void *msg,
    size_t n, const uint8_t *sig)
{
	secp256k1_ecdsa_recoverable_signature s;
	uint8_t digest[crypto_hash_sha256_BYTES], got[KEY_PUBLIC_LEN];
	secp256k1_pubkey point;
	size_t len = sizeof(got);

	if ((sig[32] & 0x80) != 0 || sig[COMPACT_LEN] > 3)
		return SKY_ERR_AUTH;
	crypto_hash_sha256(digest, msg, n);
	if (!secp256k1_ecdsa_recoverable_signature_parse_compact(kc->secp, &s,
		sig, sig[COMPACT_LEN]) ||
	    !secp256k1_ecdsa_recover(kc->secp, &point, &s, digest))
		return SKY_ERR_AUTH;
	(void)secp256k1_ec_pubkey_serialize(kc->secp, got, &len, &point,
	    SECP256K1_EC_COMPRESSED);
	return memcmp(got, pk->b, sizeof(got)) == 0 ? 0 : SKY_ERR_AUTH;
}
