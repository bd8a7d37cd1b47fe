/* SPDX-License-Identifier: ISC */
/*
 * A link: the frames of one carrier, sealed and opened.  What it opens and
 * seals is its user's, as is whatever waits for the descriptor.  PROTOCOL.pty
 * 2.5.
 */
#ifndef COMMON_PTY_LINK_H
#define COMMON_PTY_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/buf.h"
#include "common/pty/frame.h"

#define LINK_CHUNK (64U * 1024) /* one read or write */

struct link {
	struct frame_key rx, tx;
	bool sealed;	     /* there are keys: frames are transport frames */
	bool plain;	     /* no frames at all, as on the control socket */
	struct buf wire_in;  /* as it came */
	struct buf wire_out; /* as it leaves */
};

/* Neither sealed nor plain yet: frames of the handshake come and go. */
void link_init(struct link *);
/* Wipes the keys and frees the buffers; also one that is all zero. */
void link_free(struct link *);
/* From now on all is frames, sealed with these keys of 32 bytes each. */
void link_keys(struct link *, const uint8_t *send, const uint8_t *recv);

/*
 * Opens the frames that have come, appending to in, as long as in has room for
 * the longest.  0, or an error of frame_get or frame_open: the link is dead.
 */
int link_open(struct link *, struct buf *in);
/* Whether link_open would open a frame, or give an error. */
bool link_waits(const struct link *, const struct buf *in);
/* Seals of out what wire_out has room for.  0, SKY_ERR_NOMEM or SKY_ERR_NONCE.
 */
int link_seal(struct link *, struct buf *out);

/* One read(2), as buf_read: of frames, or of a plain link into in itself. */
ssize_t link_read(struct link *, int fd, struct buf *in);
/*
 * Seals of out what one write(2) takes, and writes once.  How many bytes, 0
 * when nothing may be sent; SKY_ERR_AGAIN, SKY_ERR_SYS or an error of
 * link_seal.
 */
ssize_t link_write(struct link *, int fd, struct buf *out);

#endif
