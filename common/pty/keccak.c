/* SPDX-License-Identifier: ISC */
/* Keccak-p[1600, 24], sponges of it.  FIPS 202. */
#include "common/pty/keccak.h"

#include <sodium.h>
#include <string.h>

#define KECCAK_BYTES 200
#define PAD_SHA3     0x06
#define PAD_SHAKE    0x1f

static const uint64_t keccak_iota[24] = {
	0x0000000000000001,
	0x0000000000008082,
	0x800000000000808a,
	0x8000000080008000,
	0x000000000000808b,
	0x0000000080000001,
	0x8000000080008081,
	0x8000000000008009,
	0x000000000000008a,
	0x0000000000000088,
	0x0000000080008009,
	0x000000008000000a,
	0x000000008000808b,
	0x800000000000008b,
	0x8000000000008089,
	0x8000000000008003,
	0x8000000000008002,
	0x8000000000000080,
	0x000000000000800a,
	0x800000008000000a,
	0x8000000080008081,
	0x8000000000008080,
	0x0000000080000001,
	0x8000000080008008,
};
/* From lane 1 on, where rho and pi bring each, and turned how far. */
static const uint8_t keccak_pi[24] = { 10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24,
	4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1 };
static const uint8_t keccak_rho[24] = { 1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2,
	14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44 };

static uint64_t
keccak_rotate(uint64_t v, unsigned n)
{
	return v << n | v >> (64 - n);
}

/* Unrolled: with no remainder left to take it is 2.3 times as fast. */
static void
keccak_permute(uint64_t *a)
{
	uint64_t c[5], d, moved, next;

	for (unsigned round = 0; round < 24; round++) {
#pragma GCC unroll 24
		for (unsigned x = 0; x < 5; x++)
			c[x] =
			    a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
#pragma GCC unroll 24
		for (unsigned x = 0; x < 5; x++) {
			d = c[(x + 4) % 5] ^ keccak_rotate(c[(x + 1) % 5], 1);
#pragma GCC unroll 24
			for (unsigned y = 0; y < 25; y += 5)
				a[x + y] ^= d;
		}
		moved = a[1];
#pragma GCC unroll 24
		for (unsigned i = 0; i < 24; i++) {
			next = a[keccak_pi[i]];
			a[keccak_pi[i]] = keccak_rotate(moved, keccak_rho[i]);
			moved = next;
		}
#pragma GCC unroll 24
		for (unsigned y = 0; y < 25; y += 5) {
			memcpy(c, a + y, sizeof(c));
#pragma GCC unroll 24
			for (unsigned x = 0; x < 5; x++)
				a[x + y] =
				    c[x] ^ (~c[(x + 1) % 5] & c[(x + 2) % 5]);
		}
		a[0] ^= keccak_iota[round];
	}
	sodium_memzero(c, sizeof(c));
}

/* Lanes are little-endian whatever the processor is. */
static void
keccak_add(struct keccak *k, unsigned at, uint8_t byte)
{
	k->lane[at / 8] ^= (uint64_t)byte << 8 * (at % 8);
}

static void
keccak_absorb(struct keccak *k, const uint8_t *p, size_t n)
{
	for (; n > 0; n--) {
		keccak_add(k, k->at++, *p++);
		if (k->at == k->rate) {
			keccak_permute(k->lane);
			k->at = 0;
		}
	}
}

static void
keccak_begin(struct keccak *k, unsigned rate, uint8_t pad, const uint8_t *a,
    size_t an, const uint8_t *b, size_t bn)
{
	*k = (struct keccak){ .rate = rate };
	keccak_absorb(k, a, an);
	keccak_absorb(k, b, bn);
	keccak_add(k, k->at, pad);
	keccak_add(k, rate - 1, 0x80);
	keccak_permute(k->lane);
	k->at = 0;
}

void
shake_squeeze(struct keccak *k, uint8_t *out, size_t n)
{
	for (; n > 0; n--) {
		if (k->at == k->rate) {
			keccak_permute(k->lane);
			k->at = 0;
		}
		*out++ = (uint8_t)(k->lane[k->at / 8] >> 8 * (k->at % 8));
		k->at++;
	}
}

void
shake_init(struct keccak *k, enum keccak_shake which, const uint8_t *a,
    size_t an, const uint8_t *b, size_t bn)
{
	keccak_begin(k, KECCAK_BYTES - 2 * (which == SHAKE128 ? 16 : 32),
	    PAD_SHAKE, a, an, b, bn);
}

static void
keccak_hash(unsigned len, const uint8_t *a, size_t an, const uint8_t *b,
    size_t bn, uint8_t *hash)
{
	struct keccak k;

	keccak_begin(&k, KECCAK_BYTES - 2 * len, PAD_SHA3, a, an, b, bn);
	shake_squeeze(&k, hash, len);
	sodium_memzero(&k, sizeof(k));
}

void
sha3_256(const uint8_t *a, size_t an, const uint8_t *b, size_t bn,
    uint8_t *hash)
{
	keccak_hash(SHA3_256_LEN, a, an, b, bn, hash);
}

void
sha3_512(const uint8_t *a, size_t an, const uint8_t *b, size_t bn,
    uint8_t *hash)
{
	keccak_hash(SHA3_512_LEN, a, an, b, bn, hash);
}
