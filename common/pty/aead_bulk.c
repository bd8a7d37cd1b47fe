/* SPDX-License-Identifier: ISC */
/* ChaCha20-Poly1305 (IETF) for bulk, by libgcrypt. */
#include "common/pty/aead.h"

#include "common/base/err.h"

#if SKYPTY_GCRYPT

#include <gcrypt.h>
#include <stdlib.h>
#include <string.h>

#define NONCE_LEN 12

struct aead_bulk {
	gcry_cipher_hd_t h;
};

/* No secure memory: it would be a pool of its own, limited and mlocked. */
void
aead_bulk_prepare(void)
{
	if (gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P))
		return;
	(void)gcry_check_version(NULL);
	(void)gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
	(void)gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
}

struct aead_bulk *
aead_bulk_new(const uint8_t *key)
{
	struct aead_bulk *b = calloc(1, sizeof(*b));

	aead_bulk_prepare();
	if (b != NULL &&
	    gcry_cipher_open(&b->h, GCRY_CIPHER_CHACHA20,
		GCRY_CIPHER_MODE_POLY1305, 0) == 0 &&
	    gcry_cipher_setkey(b->h, key, AEAD_KEY_LEN) == 0)
		return b;
	aead_bulk_free(b);
	return NULL;
}

/* Closing wipes the key. */
void
aead_bulk_free(struct aead_bulk *b)
{
	if (b != NULL && b->h != NULL)
		gcry_cipher_close(b->h);
	free(b);
}

static int
bulk_begin(struct aead_bulk *b, uint64_t nonce)
{
	uint8_t npub[NONCE_LEN] = { 0 };

	for (size_t i = 4; i < NONCE_LEN; i++, nonce >>= 8)
		npub[i] = (uint8_t)nonce;
	return gcry_cipher_setiv(b->h, npub, sizeof(npub)) == 0 ? 0 :
								  SKY_ERR_STATE;
}

int
aead_bulk_seal(struct aead_bulk *b, uint64_t nonce, const uint8_t *in, size_t n,
    uint8_t *out)
{
	if (bulk_begin(b, nonce) != 0 ||
	    gcry_cipher_encrypt(b->h, out, n, in, n) != 0 ||
	    gcry_cipher_gettag(b->h, out + n, AEAD_TAG_LEN) != 0)
		return SKY_ERR_STATE;
	return 0;
}

int
aead_bulk_open(struct aead_bulk *b, uint64_t nonce, const uint8_t *in, size_t n,
    uint8_t *out)
{
	if (n < AEAD_TAG_LEN)
		return SKY_ERR_SHORT;
	n -= AEAD_TAG_LEN;
	if (bulk_begin(b, nonce) == 0 &&
	    gcry_cipher_decrypt(b->h, out, n, in, n) == 0 &&
	    gcry_cipher_checktag(b->h, in + n, AEAD_TAG_LEN) == 0)
		return 0;
	explicit_bzero(out, n);
	return SKY_ERR_AUTH;
}

#else

void
aead_bulk_prepare(void)
{
}

struct aead_bulk *
aead_bulk_new(const uint8_t *key)
{
	return NULL;
}

void
aead_bulk_free(struct aead_bulk *b)
{
}

int
aead_bulk_seal(struct aead_bulk *b, uint64_t nonce, const uint8_t *in, size_t n,
    uint8_t *out)
{
	return SKY_ERR_STATE;
}

int
aead_bulk_open(struct aead_bulk *b, uint64_t nonce, const uint8_t *in, size_t n,
    uint8_t *out)
{
	return SKY_ERR_STATE;
}

#endif
