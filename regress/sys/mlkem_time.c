/* SPDX-License-Identifier: ISC */
/*
 * ML-KEM with everything secret marked as undefined, for valgrind: where a
 * branch or an address depends on a secret it says so.  What is public of it,
 * the seed of the matrix, may be branched by: mlkem-time.supp.
 */
#include <stdio.h>
#include <string.h>
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#else
#define RUNNING_ON_VALGRIND		  0
#define VALGRIND_MAKE_MEM_UNDEFINED(p, n) (void)0
#define VALGRIND_MAKE_MEM_DEFINED(p, n)	  (void)0
#endif

#include "common/pty/mlkem.h"

#define DK_PUBLIC 1152 /* where the copy of ek is */
#define DK_Z	  (MLKEM_SECRET_LEN - 32)

static uint8_t ek[MLKEM_PUBLIC_LEN], dk[MLKEM_SECRET_LEN];

static void
make_keys(void)
{
	uint8_t seed[MLKEM_SEED_LEN] = { 1 };

	VALGRIND_MAKE_MEM_UNDEFINED(seed, sizeof(seed));
	mlkem_keys(seed, ek, dk);
	VALGRIND_MAKE_MEM_DEFINED(ek, sizeof(ek));
	VALGRIND_MAKE_MEM_DEFINED(dk, sizeof(dk));
}

/* An honest ciphertext, and one that is none. */
static int
use_keys(uint8_t change)
{
	uint8_t m[MLKEM_RANDOM_LEN] = { 2 }, ct[MLKEM_CIPHER_LEN];
	uint8_t ours[MLKEM_SHARED_LEN], theirs[MLKEM_SHARED_LEN];
	int r;

	VALGRIND_MAKE_MEM_UNDEFINED(m, sizeof(m));
	r = mlkem_encapsulate(ek, m, ct, ours);
	VALGRIND_MAKE_MEM_DEFINED(ct, sizeof(ct));
	ct[0] ^= change;
	VALGRIND_MAKE_MEM_UNDEFINED(dk, DK_PUBLIC);
	VALGRIND_MAKE_MEM_UNDEFINED(dk + DK_Z, 32);
	mlkem_decapsulate(dk, ct, theirs);
	VALGRIND_MAKE_MEM_DEFINED(dk, sizeof(dk));
	VALGRIND_MAKE_MEM_DEFINED(ours, sizeof(ours));
	VALGRIND_MAKE_MEM_DEFINED(theirs, sizeof(theirs));
	return r == 0 &&
	    (memcmp(ours, theirs, sizeof(ours)) == 0) == (change == 0);
}

/* With "leak" it does what is to be found. */
int
main(int argc, char **argv)
{
	make_keys();
	if (!use_keys(0) || !use_keys(1))
		return 1;
	if (argc > 1 && strcmp(argv[1], "leak") == 0) {
		VALGRIND_MAKE_MEM_UNDEFINED(dk, DK_PUBLIC);
		if (dk[0] & 1)
			puts("odd");
	}
	puts(RUNNING_ON_VALGRIND ? "under valgrind" : "alone");
	return 0;
}
