/* SPDX-License-Identifier: ISC */
/* What is typed at our terminal: escape sequences are taken out of it. */
#include "client/typed.h"

#include <stdio.h>

#include "common/base/buf.h"

#define CTRL_D	   0x04
#define CTRL_Z	   0x1a
#define EOF_MS_MAX 2000 /* between two ends of file, in the end */

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
typed_help(const struct typed *t)
{
	const char *c = typed_name_of(t->escape);

	fprintf(stderr,
	    "%s?\r\nSupported escape sequences:\r\n"
	    " %s.   - end the connection\r\n"
	    "%s%s%s"
	    " %s^Z  - suspend skypty\r\n"
	    " %sC   - open a command line, to forward ports\r\n"
	    " %s#   - list what is forwarded\r\n"
	    " %s?   - this message\r\n"
	    " %s%s   - send the escape character\r\n"
	    "(Note that escapes are only recognized immediately after "
	    "newline.)\r\n",
	    c, c, t->detaches ? " " : "", t->detaches ? c : "",
	    t->detaches ? "d   - detach from the session, which goes on\r\n" :
			  "",
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
	case 'd':
		if (t->detaches) {
			fprintf(stderr, "%sd\r\n", typed_name_of(t->escape));
			return TYPED_DETACH;
		}
		break;
	case 'C':
		return TYPED_LINE;
	case '#':
		return TYPED_LIST;
	case '?':
		typed_help(t);
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

void
typed_read(struct typed *t, uint8_t last)
{
	t->place = last == '\n' ? TYPED_NEWLINE : TYPED_IN_LINE;
}

void
typed_end(struct typed *t)
{
	t->ended = true;
	t->next_eof = 0;
	t->eof_ms = TYPED_EOF_MS;
}

/*
 * The terminal's own end of file, twice if a line is open.  Again and again:
 * whoever reads next is to find it, and one that arrives while a shell changes
 * modes is lost.
 */
int
typed_eof(struct typed *t, int64_t now, struct buf *out)
{
	static const uint8_t eof[2] = { CTRL_D, CTRL_D };
	size_t n = t->place == TYPED_NEWLINE ? 1 : 2;
	int r;

	if (!t->ended || now < t->next_eof)
		return 0;
	t->next_eof = now + t->eof_ms;
	t->eof_ms = t->eof_ms * 2 < EOF_MS_MAX ? t->eof_ms * 2 : EOF_MS_MAX;
	t->place = TYPED_NEWLINE;
	r = buf_put(out, eof, n);
	return r == 0 ? 1 : r;
}
