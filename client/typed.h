/* SPDX-License-Identifier: ISC */
/* Escape sequences in what is typed. */
#ifndef CLIENT_TYPED_H
#define CLIENT_TYPED_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"

struct typed {
	int escape;    /* character, or -1 */
	bool detaches; /* there is ~d */
	enum { TYPED_NEWLINE, TYPED_IN_LINE, TYPED_ESCAPE } place;
	bool ended; /* and its end is typed, again and again */
	int64_t next_eof, eof_ms;
};

/* What a key has turned out to be. */
enum typed_what {
	TYPED_KEY,     /* for the host, as far as it is in out; or held back */
	TYPED_END,     /* ~. */
	TYPED_SUSPEND, /* ~^Z */
	TYPED_DETACH,  /* ~d */
	TYPED_LINE,    /* ~C */
	TYPED_LIST,    /* ~# */
	TYPED_FULL     /* out takes no more */
};

/* One key; what is meant for the host goes to out. */
enum typed_what typed_key(struct typed *, uint8_t c, struct buf *out);

#define TYPED_EOF_MS 250 /* typed_eof() is called as often */

/*
 * Input without a terminal of ours: what it ends with so far, and its end,
 * which typed_eof() types to the terminal over there: 1 when it was due and is
 * in out, 0 when not.  SKY_ERR_*.
 */
void typed_read(struct typed *, uint8_t last);
void typed_end(struct typed *);
int typed_eof(struct typed *, int64_t now, struct buf *out);

#endif
