/* SPDX-License-Identifier: ISC */
/* That a stream of dmsg is not ended for being quiet. */
#ifndef CLIENT_SFTP_SFTP_ASKER_H
#define CLIENT_SFTP_SFTP_ASKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

struct conn;

struct sftp_asker {
	bool on;
	bool begun;	   /* the host has answered something */
	bool asked;	   /* and is to answer us */
	int64_t at;	   /* when to ask */
	uint32_t sending;  /* bytes that are due of the program's packet */
	uint8_t length[4]; /* of the next one, as far as it is known */
	size_t nlength;
	uint64_t passing;  /* bytes of the host's packet for the program */
	uint64_t dropping; /* or for us */
};

/* Off, but for files over dmsg. */
void sftp_asker_init(struct sftp_asker *, const struct conn *);
/* What the program has said. */
void sftp_asker_sent(struct sftp_asker *, const uint8_t *, size_t);
/* How long to wait at most, where it would have been ms (-1: for ever). */
int sftp_asker_wait(const struct sftp_asker *, int ms);
/* Puts the question where it is due.  0 or one of SKY_ERR_*. */
int sftp_asker_ask(struct sftp_asker *, struct buf *out);
/* How many bytes from the front on are the program's; the answer is skipped. */
size_t sftp_asker_filter(struct sftp_asker *, struct buf *in, bool eof);
/* So many of them have gone. */
void sftp_asker_passed(struct sftp_asker *, size_t);

#endif
