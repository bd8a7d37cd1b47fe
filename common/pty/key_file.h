/* SPDX-License-Identifier: ISC */
/*
 * The file of a secret key, sealed by a passphrase or plain, and that of a
 * public one.  PROTOCOL 8.
 */
#ifndef COMMON_PTY_KEY_FILE_H
#define COMMON_PTY_KEY_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/pty/keys.h"

#define KEY_FILE_MAX   1024 /* bytes; one that is longer is none of ours */
#define KEY_PASS_MAX   1023 /* bytes of a passphrase */
#define KEY_SALT_LEN   16
#define KEY_NONCE_LEN  24
#define KEY_BOX_LEN    (KEY_SECRET_LEN + 16)
#define KEY_PASSES_MAX 16
#define KEY_MEMORY_MIN 8	  /* KiB */
#define KEY_MEMORY_MAX (1U << 20) /* KiB, so that a file asks for no more */

enum key_file_kind {
	KEY_FILE_PLAIN,	 /* 64 digits: the secret key itself */
	KEY_FILE_SEALED, /* "skypty key 1" */
	KEY_FILE_PUBLIC	 /* 66 digits, a comment may follow */
};

/* What Argon2id takes. */
struct key_cost {
	uint32_t passes;
	uint32_t memory; /* KiB */
};

/* As new files have it: 256 MiB, the better part of a second. */
extern const struct key_cost key_cost_default;

/* Of a plain file there is only the kind: key_parse_secret() reads it. */
struct key_file {
	enum key_file_kind kind;
	struct key_public pk; /* as the file says: not proven */
	struct key_cost cost;
	uint8_t salt[KEY_SALT_LEN];
	uint8_t nonce[KEY_NONCE_LEN];
	uint8_t box[KEY_BOX_LEN];
	size_t head; /* bytes before the box, which it binds */
};

/*
 * SKY_ERR_SHORT: cut off; SKY_ERR_STATE: of another version; SKY_ERR_RANGE:
 * costs out of bounds; SKY_ERR_TRAILING; SKY_ERR_KEY: no public key;
 * SKY_ERR_FORMAT: none of the three.
 */
int
key_file_parse(struct key_file *, struct keyctx *, const void *text, size_t);
/*
 * Opens a sealed one, whose text is given once more; sk should be
 * sodium_malloc memory.  SKY_ERR_AUTH: the passphrase or the file is wrong;
 * SKY_ERR_NOMEM: not that much memory; SKY_ERR_KEY: pk is another's.
 */
int key_file_open(const struct key_file *, struct keyctx *, const void *text,
    const char *pass, uint8_t *sk);
/* Appends a sealed one.  SKY_ERR_NOMEM, SKY_ERR_KEY, SKY_ERR_LIMIT. */
int key_file_seal(struct keyctx *, const uint8_t *sk, const char *pass,
    const struct key_cost *, struct buf *text);
/* Appends a plain one. */
int key_file_plain(const uint8_t *sk, struct buf *text);

#endif
