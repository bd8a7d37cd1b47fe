/* SPDX-License-Identifier: ISC */
/*
 * Asciicast, version 2: what has been on a terminal, and when.  A line of JSON
 * that describes it, then one for each event:
 *
 *	[seconds, code, text]
 *
 * What a terminal is sent may be anything; the text is UTF-8.  A byte that is
 * no part of a character, or the longest beginning of one that does not go on,
 * becomes U+FFFD, as the decoder of asciinema does it.
 */
#ifndef COMMON_BASE_CAST_H
#define COMMON_BASE_CAST_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

/* Bytes of an event at most: this much for each byte, and this for the rest. */
#define CAST_GROWTH 6
#define CAST_EVENT  64

enum cast_code {
	CAST_OUTPUT = 'o',
	CAST_INPUT = 'i',
	CAST_RESIZE = 'r' /* the text is "COLUMNSxROWS" */
};

/*
 * A character that has begun, and whose rest comes with the next bytes.
 * Zero-initialise.
 */
struct cast_text {
	uint8_t part[3];
	uint8_t npart;
	uint8_t left;	   /* bytes that are still to come; 0: none has begun */
	uint8_t low, high; /* what the next one may be */
};

/* What stands in the first line.  Texts may be NULL. */
struct cast_head {
	unsigned columns, rows;
	int64_t time; /* time(2) */
	const char *term, *shell;
	const char *command;
	const char *title;
};

/* All of these return what buf_put() returns. */
int cast_put_head(struct buf *, const struct cast_head *);
/*
 * A line, or nothing if there is no whole character yet; microseconds since the
 * beginning.
 */
int cast_put_event(struct buf *, int64_t us, enum cast_code, struct cast_text *,
    const void *, size_t);
/* The end of a text: what has begun does not go on.  As above. */
int cast_put_end(struct buf *, int64_t us, enum cast_code, struct cast_text *);

#endif
