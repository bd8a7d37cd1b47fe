/* SPDX-License-Identifier: ISC */
/*
 * ChaCha20-Poly1305 (IETF) with a counter for a nonce: four zero bytes and the
 * counter, little-endian.  The one place that names the cipher's library.
 */
#ifndef COMMON_PTY_AEAD_H
#define COMMON_PTY_AEAD_H

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
 * it.  Always 0.
 */
int aead_seal(const uint8_t *key, uint64_t nonce, const struct aead_data *,
    const uint8_t *in, size_t n, uint8_t *out);
/*
 * Takes n bytes, the tag at their end, and writes n - AEAD_TAG_LEN to out,
 * which are zero after an error.  SKY_ERR_SHORT when there is not even a tag,
 * SKY_ERR_AUTH.
 */
int aead_open(const uint8_t *key, uint64_t nonce, const struct aead_data *,
    const uint8_t *in, size_t n, uint8_t *out);

/*
 * The same for many messages under one key, by libgcrypt where the build has
 * it: about twice as fast, but worth its set-up for bulk only.  SKY_ERR_STATE
 * when the library fails.
 */
struct aead_bulk;

/*
 * What must be read from the system before a process is confined; optional
 * elsewhere.
 */
void aead_bulk_prepare(void);
/* NULL: no memory, or not in this build; then there is the one above. */
struct aead_bulk *aead_bulk_new(const uint8_t *key);
void aead_bulk_free(struct aead_bulk *);
/* As aead_seal and aead_open, without associated data. */
int aead_bulk_seal(struct aead_bulk *, uint64_t nonce, const uint8_t *in,
    size_t n, uint8_t *out);
int aead_bulk_open(struct aead_bulk *, uint64_t nonce, const uint8_t *in,
    size_t n, uint8_t *out);

#endif
