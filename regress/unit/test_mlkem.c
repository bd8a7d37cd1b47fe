/* SPDX-License-Identifier: ISC */
/* mlkem and keccak: NIST's vectors, accumulated ones, keys that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>

#include "common/base/err.h"
#include "common/pty/keccak.h"
#include "common/pty/mlkem.h"
#include "vectors.h"

#define HASH_LEN crypto_hash_sha256_BYTES

static void
check_sha256(const struct vectors *v, size_t from, const char *name,
    const uint8_t *p, size_t n)
{
	uint8_t want[HASH_LEN], got[HASH_LEN];

	vec_bytes(v, from, name, want, sizeof(want));
	crypto_hash_sha256(got, p, n);
	assert_memory_equal(got, want, sizeof(got));
}

static void
test_keys(void **state)
{
	struct vectors *v = vec_load("mlkem-acvp.txt");
	const char *name = "keygen.seed(d||z)";
	uint8_t seed[MLKEM_SEED_LEN];
	uint8_t ek[MLKEM_PUBLIC_LEN], dk[MLKEM_SECRET_LEN];
	size_t n = 0;

	(void)state;
	for (size_t i = vec_find(v, 0, name); i < v->n;
	     i = vec_find(v, i + 1, name), n++) {
		vec_bytes(v, i, name, seed, sizeof(seed));
		mlkem_keys(seed, ek, dk);
		check_sha256(v, i, "sha256(ek)", ek, sizeof(ek));
		check_sha256(v, i, "sha256(dk)", dk, sizeof(dk));
	}
	assert_int_equal(n, 25);
	vec_free(v);
}

static void
test_encapsulate(void **state)
{
	struct vectors *v = vec_load("mlkem-acvp.txt");
	uint8_t ek[MLKEM_PUBLIC_LEN], m[MLKEM_RANDOM_LEN];
	uint8_t ct[MLKEM_CIPHER_LEN];
	uint8_t shared[MLKEM_SHARED_LEN], want[MLKEM_SHARED_LEN];
	size_t n = 0;

	(void)state;
	for (size_t i = vec_find(v, 0, "encap.ek"); i < v->n;
	     i = vec_find(v, i + 1, "encap.ek"), n++) {
		vec_bytes(v, i, "encap.ek", ek, sizeof(ek));
		vec_bytes(v, i, "m", m, sizeof(m));
		vec_bytes(v, i, "k", want, sizeof(want));
		assert_int_equal(mlkem_encapsulate(ek, m, ct, shared), 0);
		check_sha256(v, i, "sha256(c)", ct, sizeof(ct));
		assert_memory_equal(shared, want, sizeof(want));
	}
	assert_int_equal(n, 25);
	vec_free(v);
}

/* Half of them are ciphertexts that somebody has changed. */
static void
test_decapsulate(void **state)
{
	struct vectors *v = vec_load("mlkem-acvp.txt");
	uint8_t dk[MLKEM_SECRET_LEN], ct[MLKEM_CIPHER_LEN];
	uint8_t shared[MLKEM_SHARED_LEN], want[MLKEM_SHARED_LEN];
	size_t n = 0;

	(void)state;
	vec_bytes(v, 0, "decap.dk", dk, sizeof(dk));
	for (size_t i = vec_find(v, 0, "decap.c"); i < v->n;
	     i = vec_find(v, i + 1, "decap.c"), n++) {
		vec_bytes(v, i, "decap.c", ct, sizeof(ct));
		vec_bytes(v, i, "k", want, sizeof(want));
		mlkem_decapsulate(dk, ct, shared);
		assert_memory_equal(shared, want, sizeof(want));
	}
	assert_int_equal(n, 10);
	vec_free(v);
}

/*
 * The accumulated vectors of C2SP's CCTV, 100 of them: keys, a ciphertext, and
 * one of random bytes, all of a SHAKE128; a hash of what comes out.
 */
static void
test_accumulated(void **state)
{
	static const char want[] = "1114b1b6699ed191734fa339376afa7e"
				   "285c9e6acf6ff0177d346696ce564415";
	uint8_t seed[MLKEM_SEED_LEN], m[MLKEM_RANDOM_LEN];
	uint8_t ek[MLKEM_PUBLIC_LEN], dk[MLKEM_SECRET_LEN];
	uint8_t ct[MLKEM_CIPHER_LEN], junk[MLKEM_CIPHER_LEN];
	uint8_t shared[MLKEM_SHARED_LEN], again[MLKEM_SHARED_LEN], hash[32];
	char text[2 * sizeof(hash) + 1];
	struct keccak in, out;
	struct buf all;

	(void)state;
	buf_init(&all, 1024U * 1024);
	shake_init(&in, SHAKE128, NULL, 0, NULL, 0);
	for (size_t i = 0; i < 100; i++) {
		shake_squeeze(&in, seed, sizeof(seed));
		mlkem_keys(seed, ek, dk);
		assert_int_equal(buf_put(&all, ek, sizeof(ek)), 0);
		shake_squeeze(&in, m, sizeof(m));
		assert_int_equal(mlkem_encapsulate(ek, m, ct, shared), 0);
		assert_int_equal(buf_put(&all, ct, sizeof(ct)), 0);
		assert_int_equal(buf_put(&all, shared, sizeof(shared)), 0);
		mlkem_decapsulate(dk, ct, again);
		assert_memory_equal(again, shared, sizeof(shared));
		shake_squeeze(&in, junk, sizeof(junk));
		mlkem_decapsulate(dk, junk, shared);
		assert_int_equal(buf_put(&all, shared, sizeof(shared)), 0);
	}
	shake_init(&out, SHAKE128, buf_ptr(&all), buf_len(&all), NULL, 0);
	shake_squeeze(&out, hash, sizeof(hash));
	hex_encode(hash, sizeof(hash), text);
	assert_string_equal(text, want);
	buf_free(&all);
}

/* A coefficient of q or more, at each place; what it costs is the key alone. */
static void
test_bad_keys(void **state)
{
	const uint8_t seed[MLKEM_SEED_LEN] = { 1 };
	const uint8_t m[MLKEM_RANDOM_LEN] = { 2 };
	uint8_t good[MLKEM_PUBLIC_LEN], ek[MLKEM_PUBLIC_LEN];
	uint8_t dk[MLKEM_SECRET_LEN], ct[MLKEM_CIPHER_LEN];
	uint8_t shared[MLKEM_SHARED_LEN], ones[MLKEM_CIPHER_LEN];

	(void)state;
	mlkem_keys(seed, good, dk);
	memset(ones, 0xff, sizeof(ones));
	for (unsigned q = 3328; q <= 4095; q += q < 3330 ? 1 : 51)
		for (size_t i = 0; i < 768; i += 1 + (q > 3330) * 37) {
			uint8_t *p = ek + i / 2 * 3;

			memcpy(ek, good, sizeof(ek));
			if (i % 2 == 0) {
				p[0] = (uint8_t)q;
				p[1] = (uint8_t)((p[1] & 0xf0) | q >> 8);
			} else {
				p[1] = (uint8_t)((p[1] & 0x0f) | (q & 15) << 4);
				p[2] = (uint8_t)(q >> 4);
			}
			memset(ct, 0xff, sizeof(ct));
			assert_int_equal(mlkem_encapsulate(ek, m, ct, shared),
			    q < 3329 ? 0 : SKY_ERR_KEY);
			assert_int_equal(memcmp(ct, ones, sizeof(ct)) != 0,
			    q < 3329);
		}
}

/* Every bit of a ciphertext counts, and every bit of z in what is refused. */
static void
test_ciphertext_changed(void **state)
{
	const uint8_t m[MLKEM_RANDOM_LEN] = { 3 };
	uint8_t seed[MLKEM_SEED_LEN] = { 1 };
	uint8_t ek[MLKEM_PUBLIC_LEN], dk[MLKEM_SECRET_LEN];
	uint8_t ct[MLKEM_CIPHER_LEN], shared[MLKEM_SHARED_LEN];
	uint8_t wrong[2][MLKEM_SHARED_LEN];

	(void)state;
	mlkem_keys(seed, ek, dk);
	assert_int_equal(mlkem_encapsulate(ek, m, ct, shared), 0);
	memset(wrong, 0, sizeof(wrong));
	for (size_t bit = 0; bit < 8 * sizeof(ct); bit += 31) {
		ct[bit / 8] ^= (uint8_t)(1U << bit % 8);
		mlkem_decapsulate(dk, ct, wrong[bit % 2]);
		assert_memory_not_equal(wrong[bit % 2], shared, sizeof(shared));
		assert_memory_not_equal(wrong[0], wrong[1], sizeof(wrong[0]));
		ct[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	ct[0] ^= 1;
	mlkem_decapsulate(dk, ct, wrong[0]);
	seed[MLKEM_SEED_LEN - 1] ^= 0x80;
	mlkem_keys(seed, ek, dk);
	mlkem_decapsulate(dk, ct, wrong[1]);
	assert_memory_not_equal(wrong[0], wrong[1], sizeof(wrong[0]));
	ct[0] ^= 1;
	mlkem_decapsulate(dk, ct, wrong[1]);
	assert_memory_equal(wrong[1], shared, sizeof(shared));
}

/* --- keccak --- */

#define INPUT_MAX 400 /* over two rates of the widest */

/*
 * Inputs of 0 to INPUT_MAX bytes, cut in two at each third of them; a hash of
 * all results, as Python's hashlib has it.
 */
static void
check_hashes(int which, const char *want)
{
	uint8_t in[INPUT_MAX], out[INPUT_MAX], hash[HASH_LEN];
	char text[2 * HASH_LEN + 1];
	crypto_hash_sha256_state st;
	struct keccak k;
	size_t len;

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(7 * i + 1);
	crypto_hash_sha256_init(&st);
	for (size_t n = 0; n <= INPUT_MAX; n++) {
		size_t cut = n / 3;

		if (which == 256) {
			sha3_256(in, cut, in + cut, n - cut, out);
			len = SHA3_256_LEN;
		} else if (which == 512) {
			sha3_512(in, cut, in + cut, n - cut, out);
			len = SHA3_512_LEN;
		} else {
			shake_init(&k, which ? SHAKE128 : SHAKE256, in, cut,
			    in + cut, n - cut);
			shake_squeeze(&k, out, cut);
			shake_squeeze(&k, out + cut, n - cut);
			len = n;
		}
		crypto_hash_sha256_update(&st, out, len);
	}
	crypto_hash_sha256_final(&st, hash);
	hex_encode(hash, sizeof(hash), text);
	assert_string_equal(text, want);
}

static void
test_hashes(void **state)
{
	(void)state;
	check_hashes(256,
	    "7f3287c0af14b0942c4f86027885d58991f4f186f58ad798dbc8ffce52f52820");
	check_hashes(512,
	    "f0d15dcbd469f27bfed795938e2b0574289c2a44350cb2d364cd8762aac3c4dc");
	check_hashes(1,
	    "fbbafc656b59e18507f3c8b163b4494b35dd1c936540ce25ee4a41f02fc11406");
	check_hashes(0,
	    "2acd8c413542afcd458f70fa2bdba3756243a0ea8eb846fb6833974d376074c6");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hashes),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_encapsulate),
		cmocka_unit_test(test_decapsulate),
		cmocka_unit_test(test_accumulated),
		cmocka_unit_test(test_bad_keys),
		cmocka_unit_test(test_ciphertext_changed),
	};

	return cmocka_run_group_tests_name("mlkem", tests, NULL, NULL);
}
