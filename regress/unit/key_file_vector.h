/* SPDX-License-Identifier: ISC */
/* A sealed key that other implementations made; see test_key_file.c. */
#ifndef REGRESS_UNIT_KEY_FILE_VECTOR_H
#define REGRESS_UNIT_KEY_FILE_VECTOR_H

#define VECTOR_SK \
	"f3897938786992daa31adfa0cd4b9e1c346a87453b711242fa50c1193ee1c0bb"
#define VECTOR                                                                 \
	"skypty key 1\n"                                                       \
	"pk "                                                                  \
	"03d1648d44d2254f8048d054ae05e4732abbdda2256df528f615f5dd88b27b3591\n" \
	"argon2id 2 1024 000102030405060708090a0b0c0d0e0f\n"                   \
	"xchacha20poly1305 000102030405060708090a0b0c0d0e0f1011121314151617\n" \
	"be18d0d0127ba796f19e926e58eed2a86b3f3d6fa770663f2ba682c9a423d4e82294" \
	"243e5741da8b58f03184c8b82932\n"

#endif
