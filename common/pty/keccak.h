/* SPDX-License-Identifier: ISC */
/* SHA-3 and SHAKE (FIPS 202), as ML-KEM needs them; constant in time. */
#ifndef COMMON_PTY_KECCAK_H
#define COMMON_PTY_KECCAK_H

#include <stddef.h>
#include <stdint.h>

#define SHA3_256_LEN 32
#define SHA3_512_LEN 64

struct keccak {
	uint64_t lane[25];
	unsigned rate; /* bytes of the state that take input and give output */
	unsigned at;   /* of them used */
};

enum keccak_shake { SHAKE128, SHAKE256 };

/* Both: the input is a, then b; either may be NULL with its length 0. */
void sha3_256(const uint8_t *a, size_t an, const uint8_t *b, size_t bn,
    uint8_t *hash);
void sha3_512(const uint8_t *a, size_t an, const uint8_t *b, size_t bn,
    uint8_t *hash);

/* As much output as is asked for, in any number of calls. */
void shake_init(struct keccak *, enum keccak_shake, const uint8_t *a, size_t an,
    const uint8_t *b, size_t bn);
void shake_squeeze(struct keccak *, uint8_t *, size_t);

#endif
