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

#define TYPED_END     1000 /* ~. */
#define TYPED_SUSPEND 1001 /* ~^Z */

/* One key; what is meant for the host goes to out.  0, EXIT_FAILED, TYPED_*. */
int typed_key(struct typed *, uint8_t c, struct buf *out);

#endif
