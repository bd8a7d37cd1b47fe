/* SPDX-License-Identifier: ISC */
/*
 * ChaCha20-Poly1305 (IETF) with a counter for a nonce: four zero bytes and the
 * counter, little-endian.  The one place that names the cipher's library.
 */
#ifndef COMMON_AEAD_H
#define COMMON_AEAD_H

#include <stddef.h>
#include <stdint.h>

#define AEAD_KEY_LEN 32
#define AEAD_TAG_LEN 16

/* Associated data, authenticated but not sent; NULL for none. */
struct aead_data {
	const uint8_t *p;
	size_t n;
};

/*
 * Writes n + AEAD_TAG_LEN bytes to out, which is in itself or does not overlap
 * it.  ERR_NOMEM.
 */
int aead_seal(const uint8_t *key, uint64_t nonce, const struct aead_data *,
    const uint8_t *in, size_t n, uint8_t *out);
/*
 * Takes n bytes, the tag at their end, and writes n - AEAD_TAG_LEN to out,
 * which are zero after an error.  ERR_SHORT when there is not even a tag,
 * ERR_AUTH, ERR_NOMEM.
 */
int aead_open(const uint8_t *key, uint64_t nonce, const struct aead_data *,
    const uint8_t *in, size_t n, uint8_t *out);

#endif
