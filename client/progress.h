/* SPDX-License-Identifier: ISC */
/* A line on the terminal that tells how far a copy is. */
#ifndef CLIENT_PROGRESS_H
#define CLIENT_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
	bool on;
	bool drawn; /* a line is on the terminal, unfinished */
	int64_t started, last, measured;
	uint64_t bytes, measured_bytes; /* copied, of all files */
	uint64_t files;
	double rate; /* bytes a second, smoothed */
};

/* What a line is about; name NULL: all files together. */
struct progress_item {
	const char *name;
	uint64_t done, size;
};

/* Draws on standard error if that is a terminal, unless quiet. */
void progress_init(struct progress *, bool quiet);
/* Whether it is time to draw again. */
bool progress_due(const struct progress *);
void progress_draw(struct progress *, const struct progress_item *);
/* Draws a last time and goes to the next line. */
void progress_end(struct progress *, const struct progress_item *);
/* Takes the line away, for a message. */
void progress_clear(struct progress *);
/*
 * The line itself, at most width characters and a NUL in out (of size bytes),
 * padded; seconds since the beginning.  For tests, too.
 */
void progress_line(const struct progress *, const struct progress_item *,
    int64_t seconds, int width, char *out, size_t size);

#endif
