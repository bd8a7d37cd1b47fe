/* SPDX-License-Identifier: ISC */
/*
 * Identities: secp256k1 keys as the protocol names nodes by.  PROTOCOL.pty 1.
 */
#ifndef COMMON_PTY_KEYS_H
#define COMMON_PTY_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEY_SECRET_LEN 32 /* big-endian scalar, 0 < sk < n */
#define KEY_PUBLIC_LEN 33 /* compressed point */
#define KEY_PUBLIC_HEX (2 * KEY_PUBLIC_LEN + 1) /* with NUL */
#define KEY_SECRET_HEX (2 * KEY_SECRET_LEN + 1)
#define KEY_SHARED_LEN 33 /* SHA-256(compressed point) || 00 */

struct key_public {
	uint8_t b[KEY_PUBLIC_LEN];
};

/* libsecp256k1's state; one a process, randomised against side channels. */
struct keyctx;

/* NULL when memory or randomness is missing.  Calls sodium_init(). */
struct keyctx *keyctx_new(void);
void keyctx_free(struct keyctx *);

/* A fresh secret key; the 32 bytes should be sodium_malloc memory. */
int key_generate(struct keyctx *, uint8_t *sk);
/* SKY_ERR_KEY when sk is zero or not below the group's order. */
int key_public(struct keyctx *, const uint8_t *sk, struct key_public *);
/* Whether it is a point of the curve in compressed form. */
bool key_valid(struct keyctx *, const struct key_public *);
/*
 * Noise's DH: KEY_SHARED_LEN bytes.  Constant time in sk.  SKY_ERR_KEY when
 * either key is invalid.
 */
int key_shared(struct keyctx *, const uint8_t *sk, const struct key_public *,
    uint8_t *shared);

#define KEY_SIGNATURE_LEN 65 /* r, s, recovery id */

/*
 * Signs SHA-256 of msg: KEY_SIGNATURE_LEN bytes, always the same.  SKY_ERR_KEY.
 */
int key_sign(struct keyctx *, const uint8_t *sk, const void *msg, size_t,
    uint8_t *sig);
/* 0, or SKY_ERR_AUTH for whatever is wrong. */
int key_verify(struct keyctx *, const struct key_public *, const void *msg,
    size_t, const uint8_t *sig);

/* Text of either case; SKY_ERR_FORMAT for bad text, SKY_ERR_KEY for a bad key.
 */
int key_parse_public(struct keyctx *, const char *, struct key_public *);
int key_parse_secret(struct keyctx *, const char *, uint8_t *sk);
/* Lower-case text with NUL, KEY_PUBLIC_HEX bytes. */
void key_text(const struct key_public *, char *);
bool key_equal(const struct key_public *, const struct key_public *);
/* Whether it is one of n. */
bool
key_listed(const struct key_public *list, size_t n, const struct key_public *);

#endif
