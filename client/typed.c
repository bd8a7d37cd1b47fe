/* SPDX-License-Identifier: ISC */
/* What is typed at our terminal: escape sequences are taken out of it. */
#include "client/typed.h"

#include <stdio.h>

#include "common/base/buf.h"

#define CTRL_Z 0x1a

/* As it is typed; static. */
static const char *
typed_name_of(int c)
{
	static char text[3];

	snprintf(text, sizeof(text), c < ' ' || c == 127 ? "^%c" : "%c",
	    c < ' '	 ? c + '@' :
		c == 127 ? '?' :
			   c);
	return text;
}

static void
typed_help(int escape)
{
	const char *c = typed_name_of(escape);

	fprintf(stderr,
	    "%s?\r\nSupported escape sequences:\r\n"
	    " %s.   - end the connection\r\n"
	    " %s^Z  - suspend skypty\r\n"
	    " %s?   - this message\r\n"
	    " %s%s   - send the escape character\r\n"
	    "(Note that escapes are only recognized immediately after "
	    "newline.)\r\n",
	    c, c, c, c, c, c);
}

/* What follows the escape character. */
static enum typed_what
typed_after_escape(struct typed *t, uint8_t c, struct buf *out)
{
	t->place = TYPED_NEWLINE;
	switch (c) {
	case '.':
		fprintf(stderr, "%s.\r\n", typed_name_of(t->escape));
		return TYPED_END;
	case CTRL_Z:
		return TYPED_SUSPEND;
	case '?':
		typed_help(t->escape);
		return TYPED_KEY;
	}
	t->place = c == '\r' || c == '\n' ? TYPED_NEWLINE : TYPED_IN_LINE;
	if (c != t->escape && buf_put_u8(out, (uint8_t)t->escape) != 0)
		return TYPED_FULL;
	return buf_put_u8(out, c) == 0 ? TYPED_KEY : TYPED_FULL;
}

enum typed_what
typed_key(struct typed *t, uint8_t c, struct buf *out)
{
	if (t->place == TYPED_ESCAPE)
		return typed_after_escape(t, c, out);
	if (t->place == TYPED_NEWLINE && t->escape != -1 && c == t->escape) {
		t->place = TYPED_ESCAPE;
		return TYPED_KEY;
	}
	t->place = c == '\r' || c == '\n' ? TYPED_NEWLINE : TYPED_IN_LINE;
	return buf_put_u8(out, c) == 0 ? TYPED_KEY : TYPED_FULL;
}
