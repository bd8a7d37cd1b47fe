/* SPDX-License-Identifier: ISC */
/* What a program says by SOCKS 4, 4a and 5: where it wants to be connected to.
 */
#ifndef CLIENT_FORWARD_SOCKS_H
#define CLIENT_FORWARD_SOCKS_H

#include <stddef.h>

#include "common/base/buf.h"
#include "common/pty/mux_forward.h"

/* More than the longest request, what it begins with among it. */
#define SOCKS_MAX 1024
/* More than all that is answered to one. */
#define SOCKS_ANSWER_MAX 64

/* Zero-initialise. */
struct socks {
	int version; /* 4 or 5, once it is known */
	bool greeted;
	struct mux_place to; /* host and port, when socks_take() has given 0 */
};

/*
 * Takes what has come in, all of it, since the beginning or the last call.  0:
 * that was the request.  More: at least so many bytes are still to come, and no
 * more than that are to be read, as what follows the request is not for us.
 * SKY_ERR_FORMAT, SKY_ERR_LIMIT: it is none, or none that is served.  out gets
 * what is to be said before that is known.
 */
int socks_take(struct socks *, struct buf *in, struct buf *out);
/* What is to be said at its end: connected, or not.  0 or as buf_put(). */
int socks_answer(const struct socks *, bool connected, struct buf *out);

#endif
