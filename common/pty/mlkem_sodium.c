/* SPDX-License-Identifier: ISC */
/* ML-KEM-768 by libsodium, whose keys have FIPS 203's form, too. */
#include "common/pty/mlkem.h"

#include <sodium.h>
#include <stdlib.h>

#include "common/base/err.h"

void
mlkem_keys(const uint8_t *seed, uint8_t *ek, uint8_t *dk)
{
	if (crypto_kem_mlkem768_seed_keypair(ek, dk, seed) != 0)
		abort(); /* it has no way to fail */
}

int
mlkem_encapsulate(const uint8_t *ek, const uint8_t *m, uint8_t *ct,
    uint8_t *shared)
{
	return crypto_kem_mlkem768_enc_deterministic(ct, shared, ek, m) == 0 ?
	    0 :
	    SKY_ERR_KEY;
}

void
mlkem_decapsulate(const uint8_t *dk, const uint8_t *ct, uint8_t *shared)
{
	if (crypto_kem_mlkem768_dec(shared, ct, dk) != 0)
		abort();
}
