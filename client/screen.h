/* SPDX-License-Identifier: ISC */
/*
 * What a program has made of the terminal that shows its output: read off the
 * output as it passes, to be undone when the program can no longer do so.
 */
#ifndef CLIENT_SCREEN_H
#define CLIENT_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCREEN_PARAMS	8
#define SCREEN_UNDO_MAX 256

struct screen {
	enum {
		SCREEN_GROUND,
		SCREEN_ESCAPE,
		SCREEN_SHIFT, /* behind ESC and what selects a character set */
		SCREEN_CSI,
		SCREEN_STRING /* of OSC, DCS and the like */
	} state;
	char first, prefix, between; /* of the sequence, or 0 */
	unsigned params[SCREEN_PARAMS], nparams;

	uint32_t modes; /* bits of a table: not as they are by default */
	bool keypad, insert, attributes, graphics, region, style;
	bool keys, flags; /* other ways to report keys */
	unsigned pushed;  /* and how often such a way was laid over another */
};

/* Output as it comes, cut anywhere. */
void screen_watch(struct screen *, const uint8_t *, size_t);
/*
 * What takes back all that was done, and nothing else: its length, 0 for
 * nothing.  A signal handler may call it.
 */
size_t screen_undo(const struct screen *, char undo[SCREEN_UNDO_MAX]);

#endif
