/* SPDX-License-Identifier: ISC */
/* Files of keys, as the client reads them. */
#ifndef CLIENT_IDENTITY_FILE_H
#define CLIENT_IDENTITY_FILE_H

#include "common/pty/key_file.h"

struct identity_file {
	const char *path; /* borrowed */
	char *text;	  /* n bytes of locked memory */
	size_t n;
	struct key_file key;
};

/*
 * Reads one; of a plain one key.pk is its public key, too.  0, or EXIT_FAILED,
 * told: a file that others can read holds no secret.
 */
int
identity_file_read(struct identity_file *, struct keyctx *, const char *path);
/*
 * Its secret key, which is asked for three times where it has a passphrase,
 * unless that comes from a file.  What was opened once is open for the rest of
 * the process.  0, or EXIT_FAILED, told.
 */
int identity_file_open(const struct identity_file *, struct keyctx *,
    const char *passphrase_file, uint8_t *sk);
/* Wipes it; one that was never read is fine. */
void identity_file_free(struct identity_file *);
/* Forgets what is open, as in a process that outlives the command. */
void identity_file_forget(void);

#endif
