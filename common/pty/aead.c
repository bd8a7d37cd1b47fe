/* SPDX-License-Identifier: ISC */
/* ChaCha20-Poly1305 (IETF) with a counter for a nonce, by libsodium. */
#include "common/pty/aead.h"

#include <sodium.h>
#include <string.h>

#include "common/base/err.h"

#define NONCE_LEN crypto_aead_chacha20poly1305_ietf_NPUBBYTES

static const struct aead_data no_data;

static void
put_nonce(uint8_t *out, uint64_t n)
{
	memset(out, 0, 4);
	for (size_t i = 4; i < NONCE_LEN; i++, n >>= 8)
		out[i] = (uint8_t)n;
}

int
aead_seal(const uint8_t *key, uint64_t nonce, const struct aead_data *ad,
    const uint8_t *in, size_t n, uint8_t *out)
{
	uint8_t npub[NONCE_LEN];

	if (ad == NULL)
		ad = &no_data;
	put_nonce(npub, nonce);
	crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, in, n, ad->p,
	    ad->n, NULL, npub, key);
	return 0;
}

int
aead_open(const uint8_t *key, uint64_t nonce, const struct aead_data *ad,
    const uint8_t *in, size_t n, uint8_t *out)
{
	uint8_t npub[NONCE_LEN];

	if (n < AEAD_TAG_LEN)
		return SKY_ERR_SHORT;
	if (ad == NULL)
		ad = &no_data;
	put_nonce(npub, nonce);
	if (crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, in, n,
		ad->p, ad->n, npub, key) == 0)
		return 0;
	sodium_memzero(out, n - AEAD_TAG_LEN);
	return SKY_ERR_AUTH;
}
