/* SPDX-License-Identifier: ISC */
/*
 * ML-KEM-768 (FIPS 203): by libsodium where it has it (1.0.22 and later),
 * otherwise our own.  Nothing in it branches or looks up by a secret.
 */
#ifndef COMMON_PTY_MLKEM_H
#define COMMON_PTY_MLKEM_H

#include <stdint.h>

#define MLKEM_SEED_LEN	 64   /* d and z: what a secret key is kept as */
#define MLKEM_PUBLIC_LEN 1184 /* encapsulation key */
#define MLKEM_SECRET_LEN 2400 /* decapsulation key, expanded */
#define MLKEM_RANDOM_LEN 32   /* m */
#define MLKEM_CIPHER_LEN 1088
#define MLKEM_SHARED_LEN 32

/* Both keys of a seed. */
void mlkem_keys(const uint8_t *seed, uint8_t *ek, uint8_t *dk);
/* 0, or SKY_ERR_KEY for a key that is not one: nothing is written then. */
int mlkem_encapsulate(const uint8_t *ek, const uint8_t *m, uint8_t *ct,
    uint8_t *shared);
/*
 * Of a ciphertext that nobody made for this key comes a secret that nobody
 * knows; it is no error here.  The key must be one that mlkem_keys() made.
 */
void mlkem_decapsulate(const uint8_t *dk, const uint8_t *ct, uint8_t *shared);

#endif
