/* SPDX-License-Identifier: ISC */
/*
 * What a program has made of the terminal that shows its output: read off the
 * output as it passes, to be undone when the program can no longer do so, or
 * done again at another terminal.
 */
#ifndef COMMON_BASE_SCREEN_H
#define COMMON_BASE_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCREEN_PARAMS	 8
#define SCREEN_UNDO_MAX	 256
#define SCREEN_REDO_MAX	 512
#define SCREEN_TAIL_MAX	 64 /* of a sequence that is not at its end */
#define SCREEN_GSETS	 4
#define SCREEN_TITLE_MAX 256

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
	unsigned top, bottom, shape; /* of region, style; bottom 0: the last */
	/* Other ways to report keys; 0: not. */
	unsigned keys, flags;
	/* And how often such a way was laid over another, which at last. */
	unsigned pushed, laid;
	char set[SCREEN_GSETS]; /* character sets, 0 as they are by default */
	uint8_t shift;		/* which of them is in force */

	/* Text of the window's title, cut; in string what comes of one. */
	uint8_t title[SCREEN_TITLE_MAX], string[SCREEN_TITLE_MAX];
	size_t ntitle, nstring;
	bool titled; /* another than when this was false */

	/* What a terminal must have got to be where this one is. */
	uint8_t tail[SCREEN_TAIL_MAX];
	size_t ntail;	 /* of it, more than the room if it is longer */
	uint8_t last[3]; /* bytes, of a character perhaps */
};

/* Output as it comes, cut anywhere. */
void screen_watch(struct screen *, const uint8_t *, size_t);
/*
 * What takes back all that was done, and nothing else: its length, 0 for
 * nothing.  A signal handler may call it.
 */
size_t screen_undo(const struct screen *, char undo[SCREEN_UNDO_MAX]);

/*
 * For another terminal, in any state: what stands before its screen is drawn
 * anew by sequences in their default sense, and what stands behind that, where
 * the cursor is put last: screen_undo() of it, as far as it matters, and what
 * this one has been told.  Lengths.
 */
size_t screen_redo_begin(const struct screen *, char redo[SCREEN_REDO_MAX]);
size_t screen_redo_end(const struct screen *, char redo[SCREEN_REDO_MAX]);
/*
 * What has come of a sequence or a character that is not at its end, to be sent
 * last.  A string that is too long for that is one that says nothing.
 */
size_t screen_tail(const struct screen *, char tail[SCREEN_TAIL_MAX]);
/* Whether a private mode is set. */
bool screen_has(const struct screen *, unsigned mode);

#endif
