/* SPDX-License-Identifier: ISC */
/* Escape sequences in what is typed. */
#ifndef CLIENT_TYPED_H
#define CLIENT_TYPED_H

#include <stdint.h>

#include "common/base/buf.h"

struct typed {
	int escape; /* character, or -1 */
	enum { TYPED_NEWLINE, TYPED_IN_LINE, TYPED_ESCAPE } place;
};

/* What a key has turned out to be. */
enum typed_what {
	TYPED_KEY,     /* for the host, as far as it is in out; or held back */
	TYPED_END,     /* ~. */
	TYPED_SUSPEND, /* ~^Z */
	TYPED_FULL     /* out takes no more */
};

/* One key; what is meant for the host goes to out. */
enum typed_what typed_key(struct typed *, uint8_t c, struct buf *out);

#endif
