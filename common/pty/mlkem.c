/* SPDX-License-Identifier: ISC */
/* ML-KEM-768.  FIPS 203; "algorithm" in comments is its number there. */
#include "common/pty/mlkem.h"

#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#include "common/base/err.h"
#include "common/pty/keccak.h"

#define N	 256
#define Q	 3329
#define K	 3
#define DU	 10  /* bits of a coefficient of u, compressed */
#define DV	 4   /* and of v */
#define POLY_LEN 384 /* bytes of one, uncompressed: 12 bits a coefficient */
#define CBD_LEN	 128 /* bytes that a polynomial of small ones is made of */
#define U_LEN	 (K * N * DU / 8)

/* Coefficients modulo Q, always reduced. */
struct poly {
	uint16_t c[N];
};

struct vec {
	struct poly p[K];
};

/* --- modulo Q --- */

/* Below 2Q. */
static uint16_t
fq_once(uint32_t x)
{
	x -= Q;
	return (uint16_t)(x + (x >> 31) * Q);
}

/* Below 2^24: 5039 is 2^24 / Q, rounded down, so that Q may be left over. */
static uint16_t
fq_reduce(uint32_t x)
{
	return fq_once(x - (uint32_t)((uint64_t)x * 5039 >> 24) * Q);
}

static uint16_t
fq_mul(uint16_t a, uint16_t b)
{
	return fq_reduce((uint32_t)a * b);
}

static uint16_t
fq_sub(uint16_t a, uint16_t b)
{
	return fq_once((uint32_t)a + Q - b);
}

/*
 * x 2^bits / Q, rounded, modulo 2^bits, without a division: how long one takes
 * depends on x.
 */
static uint16_t
fq_compress(uint16_t x, unsigned bits)
{
	uint32_t scaled = (uint32_t)x << bits;
	uint32_t quotient = (uint32_t)((uint64_t)scaled * 5039 >> 24);
	uint32_t rest = scaled - quotient * Q;

	quotient += (Q / 2 - rest) >> 31;
	quotient += (Q + Q / 2 - rest) >> 31;
	return (uint16_t)(quotient & ((1U << bits) - 1));
}

static uint16_t
fq_decompress(uint16_t y, unsigned bits)
{
	return (uint16_t)(((uint32_t)y * Q + (1U << (bits - 1))) >> bits);
}

/* --- polynomials --- */

static void
poly_add(struct poly *a, const struct poly *b)
{
	for (unsigned i = 0; i < N; i++)
		a->c[i] = fq_once((uint32_t)a->c[i] + b->c[i]);
}

/* 17 to the power of i's seven bits, the last first. */
static const uint16_t zeta[N / 2] = {
	1,
	1729,
	2580,
	3289,
	2642,
	630,
	1897,
	848,
	1062,
	1919,
	193,
	797,
	2786,
	3260,
	569,
	1746,
	296,
	2447,
	1339,
	1476,
	3046,
	56,
	2240,
	1333,
	1426,
	2094,
	535,
	2882,
	2393,
	2879,
	1974,
	821,
	289,
	331,
	3253,
	1756,
	1197,
	2304,
	2277,
	2055,
	650,
	1977,
	2513,
	632,
	2865,
	33,
	1320,
	1915,
	2319,
	1435,
	807,
	452,
	1438,
	2868,
	1534,
	2402,
	2647,
	2617,
	1481,
	648,
	2474,
	3110,
	1227,
	910,
	17,
	2761,
	583,
	2649,
	1637,
	723,
	2288,
	1100,
	1409,
	2662,
	3281,
	233,
	756,
	2156,
	3015,
	3050,
	1703,
	1651,
	2789,
	1789,
	1847,
	952,
	1461,
	2687,
	939,
	2308,
	2437,
	2388,
	733,
	2337,
	268,
	641,
	1584,
	2298,
	2037,
	3220,
	375,
	2549,
	2090,
	1645,
	1063,
	319,
	2773,
	757,
	2099,
	561,
	2466,
	2594,
	2804,
	1092,
	403,
	1026,
	1143,
	2150,
	2775,
	886,
	1722,
	1212,
	1874,
	1029,
	2110,
	2935,
	885,
	2154,
};

/* Algorithm 9. */
static void
poly_ntt(struct poly *f)
{
	unsigned i = 1;
	uint16_t t;

	for (unsigned len = N / 2; len >= 2; len /= 2)
		for (unsigned start = 0; start < N; start += 2 * len, i++)
			for (unsigned j = start; j < start + len; j++) {
				t = fq_mul(zeta[i], f->c[j + len]);
				f->c[j + len] = fq_sub(f->c[j], t);
				f->c[j] = fq_once((uint32_t)f->c[j] + t);
			}
}

/* Algorithm 10. */
static void
poly_ntt_back(struct poly *f)
{
	unsigned i = N / 2 - 1;
	uint16_t t;

	for (unsigned len = 2; len <= N / 2; len *= 2)
		for (unsigned start = 0; start < N; start += 2 * len, i--)
			for (unsigned j = start; j < start + len; j++) {
				t = f->c[j];
				f->c[j] = fq_once((uint32_t)t + f->c[j + len]);
				f->c[j + len] =
				    fq_mul(zeta[i], fq_sub(f->c[j + len], t));
			}
	for (unsigned j = 0; j < N; j++)
		f->c[j] = fq_mul(f->c[j], 3303); /* 1 / 128 */
}

/* sum += a b, all in the NTT's form: algorithms 11 and 12. */
static void
poly_add_product(struct poly *sum, const struct poly *a, const struct poly *b)
{
	uint16_t even, odd, gamma;

	for (unsigned i = 0; i < N; i += 2) {
		gamma = zeta[N / 4 + i / 4];
		even = fq_mul(a->c[i + 1], b->c[i + 1]);
		even = fq_mul(even, i % 4 == 0 ? gamma : Q - gamma);
		even = fq_once((uint32_t)even + fq_mul(a->c[i], b->c[i]));
		odd = fq_once((uint32_t)fq_mul(a->c[i], b->c[i + 1]) +
		    fq_mul(a->c[i + 1], b->c[i]));
		sum->c[i] = fq_once((uint32_t)sum->c[i] + even);
		sum->c[i + 1] = fq_once((uint32_t)sum->c[i + 1] + odd);
	}
}

/* Algorithms 5 and 6, a byte at a time; bits of it compressed below 12. */
static void
poly_encode(const struct poly *f, unsigned bits, uint8_t *out)
{
	uint32_t have = 0;
	unsigned n = 0;

	for (unsigned i = 0; i < N; i++) {
		have |=
		    (uint32_t)(bits < 12 ? fq_compress(f->c[i], bits) : f->c[i])
		    << n;
		for (n += bits; n >= 8; n -= 8, have >>= 8)
			*out++ = (uint8_t)have;
	}
}

/* With 12 bits what is no number modulo Q stays so, for its reader to see. */
static void
poly_decode(struct poly *f, unsigned bits, const uint8_t *in)
{
	uint32_t have = 0;
	unsigned n = 0;

	for (unsigned i = 0; i < N; i++) {
		for (; n < bits; n += 8)
			have |= (uint32_t)*in++ << n;
		f->c[i] = (uint16_t)(have & ((1U << bits) - 1));
		if (bits < 12)
			f->c[i] = fq_decompress(f->c[i], bits);
		have >>= bits;
		n -= bits;
	}
}

/*
 * Algorithm 7: of a public seed, so that it may take as long as it likes.
 * The first index names the column.
 */
static void
poly_sample_ntt(struct poly *f, const uint8_t *rho, uint8_t j, uint8_t i)
{
	const uint8_t where[2] = { j, i };
	struct keccak xof;
	uint8_t b[3];
	uint16_t d[2];

	shake_init(&xof, SHAKE128, rho, 32, where, sizeof(where));
	for (unsigned n = 0; n < N;) {
		shake_squeeze(&xof, b, sizeof(b));
		d[0] = (uint16_t)(b[0] | (b[1] & 0x0f) << 8);
		d[1] = (uint16_t)(b[1] >> 4 | b[2] << 4);
		for (unsigned k = 0; k < 2 && n < N; k++)
			if (d[k] < Q)
				f->c[n++] = d[k];
	}
}

/* Algorithm 8, with eta 2: what two bits have over two others. */
static void
poly_sample_cbd(struct poly *f, const uint8_t *seed, uint8_t nonce)
{
	struct keccak prf;
	uint8_t b[CBD_LEN];

	shake_init(&prf, SHAKE256, seed, 32, &nonce, 1);
	shake_squeeze(&prf, b, sizeof(b));
	for (unsigned i = 0; i < N; i++) {
		unsigned four = b[i / 2] >> 4 * (i % 2);

		f->c[i] = fq_sub((uint16_t)((four & 1) + (four >> 1 & 1)),
		    (uint16_t)((four >> 2 & 1) + (four >> 3 & 1)));
	}
	sodium_memzero(&prf, sizeof(prf));
	sodium_memzero(b, sizeof(b));
}

/* --- vectors --- */

static void
vec_sample_cbd(struct vec *v, const uint8_t *seed, uint8_t nonce)
{
	for (uint8_t i = 0; i < K; i++)
		poly_sample_cbd(&v->p[i], seed, nonce + i);
}

static void
vec_ntt(struct vec *v)
{
	for (unsigned i = 0; i < K; i++)
		poly_ntt(&v->p[i]);
}

static void
vec_encode(const struct vec *v, unsigned bits, uint8_t *out)
{
	for (unsigned i = 0; i < K; i++)
		poly_encode(&v->p[i], bits, out + i * N * bits / 8);
}

static void
vec_decode(struct vec *v, unsigned bits, const uint8_t *in)
{
	for (unsigned i = 0; i < K; i++)
		poly_decode(&v->p[i], bits, in + i * N * bits / 8);
}

/* sum += the matrix of rho, or its transpose, times v. */
static void
vec_add_matrix(struct vec *sum, const uint8_t *rho, bool transposed,
    const struct vec *v)
{
	struct poly a;

	for (uint8_t i = 0; i < K; i++)
		for (uint8_t j = 0; j < K; j++) {
			poly_sample_ntt(&a, rho, transposed ? i : j,
			    transposed ? j : i);
			poly_add_product(&sum->p[i], &a, &v->p[j]);
		}
}

static void
vec_dot(struct poly *sum, const struct vec *a, const struct vec *b)
{
	*sum = (struct poly){ .c = { 0 } };
	for (unsigned i = 0; i < K; i++)
		poly_add_product(sum, &a->p[i], &b->p[i]);
}

/* --- K-PKE, algorithms 13 to 15 --- */

static void
pke_keys(const uint8_t *d, uint8_t *ek, uint8_t *dk)
{
	const uint8_t k = K;
	uint8_t seeds[SHA3_512_LEN], *rho = seeds, *sigma = seeds + 32;
	struct vec s, t;

	sha3_512(d, 32, &k, 1, seeds);
	vec_sample_cbd(&s, sigma, 0);
	vec_sample_cbd(&t, sigma, K);
	vec_ntt(&s);
	vec_ntt(&t);
	vec_add_matrix(&t, rho, false, &s);
	vec_encode(&t, 12, ek);
	memcpy(ek + K * POLY_LEN, rho, 32);
	vec_encode(&s, 12, dk);
	sodium_memzero(seeds, sizeof(seeds));
	sodium_memzero(&s, sizeof(s));
}

static void
pke_encrypt(const struct vec *t, const uint8_t *rho, const uint8_t *m,
    const uint8_t *r, uint8_t *ct)
{
	struct vec y, e, u = { .p = { { .c = { 0 } } } };
	struct poly v, e2, word;

	vec_sample_cbd(&y, r, 0);
	vec_sample_cbd(&e, r, K);
	poly_sample_cbd(&e2, r, 2 * K);
	vec_ntt(&y);
	vec_add_matrix(&u, rho, true, &y);
	for (unsigned i = 0; i < K; i++) {
		poly_ntt_back(&u.p[i]);
		poly_add(&u.p[i], &e.p[i]);
	}
	vec_dot(&v, t, &y);
	poly_ntt_back(&v);
	poly_add(&v, &e2);
	poly_decode(&word, 1, m);
	poly_add(&v, &word);
	vec_encode(&u, DU, ct);
	poly_encode(&v, DV, ct + U_LEN);
	sodium_memzero(&y, sizeof(y));
	sodium_memzero(&e, sizeof(e));
	sodium_memzero(&u, sizeof(u));
	sodium_memzero(&v, sizeof(v));
	sodium_memzero(&e2, sizeof(e2));
	sodium_memzero(&word, sizeof(word));
}

static void
pke_decrypt(const uint8_t *dk, const uint8_t *ct, uint8_t *m)
{
	struct vec s, u;
	struct poly v, w;

	vec_decode(&s, 12, dk);
	vec_decode(&u, DU, ct);
	poly_decode(&v, DV, ct + U_LEN);
	vec_ntt(&u);
	vec_dot(&w, &s, &u);
	poly_ntt_back(&w);
	for (unsigned i = 0; i < N; i++)
		w.c[i] = fq_sub(v.c[i], w.c[i]);
	poly_encode(&w, 1, m);
	sodium_memzero(&s, sizeof(s));
	sodium_memzero(&w, sizeof(w));
}

/* --- the KEM, algorithms 16 to 21 --- */

void
mlkem_keys(const uint8_t *seed, uint8_t *ek, uint8_t *dk)
{
	uint8_t *copy = dk + K * POLY_LEN;

	pke_keys(seed, ek, dk);
	memcpy(copy, ek, MLKEM_PUBLIC_LEN);
	sha3_256(ek, MLKEM_PUBLIC_LEN, NULL, 0, copy + MLKEM_PUBLIC_LEN);
	memcpy(copy + MLKEM_PUBLIC_LEN + SHA3_256_LEN, seed + 32, 32);
}

int
mlkem_encapsulate(const uint8_t *ek, const uint8_t *m, uint8_t *ct,
    uint8_t *shared)
{
	uint8_t hash[SHA3_256_LEN], secrets[SHA3_512_LEN];
	struct vec t;

	vec_decode(&t, 12, ek);
	for (unsigned i = 0; i < K * N; i++)
		if (t.p[i / N].c[i % N] >= Q)
			return SKY_ERR_KEY;
	sha3_256(ek, MLKEM_PUBLIC_LEN, NULL, 0, hash);
	sha3_512(m, MLKEM_RANDOM_LEN, hash, sizeof(hash), secrets);
	pke_encrypt(&t, ek + K * POLY_LEN, m, secrets + 32, ct);
	memcpy(shared, secrets, MLKEM_SHARED_LEN);
	sodium_memzero(secrets, sizeof(secrets));
	return 0;
}

void
mlkem_decapsulate(const uint8_t *dk, const uint8_t *ct, uint8_t *shared)
{
	const uint8_t *ek = dk + K * POLY_LEN, *hash = ek + MLKEM_PUBLIC_LEN;
	const uint8_t *z = hash + SHA3_256_LEN;
	uint8_t m[MLKEM_RANDOM_LEN], secrets[SHA3_512_LEN], wrong;
	uint8_t again[MLKEM_CIPHER_LEN], refusal[MLKEM_SHARED_LEN];
	struct keccak j;
	struct vec t;

	pke_decrypt(dk, ct, m);
	sha3_512(m, sizeof(m), hash, SHA3_256_LEN, secrets);
	shake_init(&j, SHAKE256, z, 32, ct, MLKEM_CIPHER_LEN);
	shake_squeeze(&j, refusal, sizeof(refusal));
	vec_decode(&t, 12, ek);
	pke_encrypt(&t, ek + K * POLY_LEN, m, secrets + 32, again);
	wrong = (uint8_t)sodium_memcmp(ct, again, sizeof(again)); /* 0, 0xff */
	for (unsigned i = 0; i < MLKEM_SHARED_LEN; i++)
		shared[i] = secrets[i] ^ (wrong & (secrets[i] ^ refusal[i]));
	sodium_memzero(m, sizeof(m));
	sodium_memzero(secrets, sizeof(secrets));
	sodium_memzero(again, sizeof(again));
	sodium_memzero(refusal, sizeof(refusal));
	sodium_memzero(&j, sizeof(j));
}
