/* SPDX-License-Identifier: ISC */
/* Asciicast, version 2. */
#include "common/base/cast.h"

#include <stdio.h>
#include <string.h>

#include "common/base/err.h"

#define REPLACEMENT "\xef\xbf\xbd"

/* --- text --- */

/* What a JSON string has as it is. */
static bool
cast_is_plain(uint8_t c)
{
	return c >= ' ' && c < 0x80 && c != '"' && c != '\\';
}

static int
cast_put_ascii(struct buf *b, uint8_t c)
{
	char text[8];

	switch (c) {
	case '\r':
		return buf_put(b, "\\r", 2);
	case '\n':
		return buf_put(b, "\\n", 2);
	case '"':
	case '\\':
		text[0] = '\\';
		text[1] = (char)c;
		return buf_put(b, text, 2);
	}
	(void)snprintf(text, sizeof(text), "\\u%04x", c);
	return buf_put(b, text, 6);
}

/*
 * The first byte of a character says how many follow, and the second is not
 * any: no overlong form, no surrogate, nothing behind U+10FFFF.  Unicode,
 * table 3-7.
 */
static bool
cast_begin(struct cast_text *t, uint8_t c)
{
	if (c < 0xc2 || c > 0xf4)
		return false;
	t->left = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
	t->low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
	t->high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
	t->part[0] = c;
	t->npart = 1;
	return true;
}

/* A byte of one that has begun. */
static int
cast_go_on(struct buf *b, struct cast_text *t, uint8_t c)
{
	uint8_t whole[4];

	if (--t->left != 0) {
		t->part[t->npart++] = c;
		t->low = 0x80;
		t->high = 0xbf;
		return 0;
	}
	memcpy(whole, t->part, t->npart);
	whole[t->npart] = c;
	return buf_put(b, whole, t->npart + 1U);
}

static int
cast_give_up(struct buf *b, struct cast_text *t)
{
	t->left = 0;
	return buf_put(b, REPLACEMENT, strlen(REPLACEMENT));
}

static int
cast_put_byte(struct buf *b, struct cast_text *t, uint8_t c)
{
	int r;

	if (t->left != 0) {
		if (c >= t->low && c <= t->high)
			return cast_go_on(b, t, c);
		if ((r = cast_give_up(b, t)) != 0)
			return r;
	}
	if (c < 0x80)
		return cast_is_plain(c) ? buf_put_u8(b, c) :
					  cast_put_ascii(b, c);
	return cast_begin(t, c) ? 0 : cast_give_up(b, t);
}

static int
cast_put_text(struct buf *b, struct cast_text *t, const uint8_t *p, size_t n)
{
	size_t run;
	int r;

	for (; n > 0; p += run, n -= run) {
		for (run = 0; t->left == 0 && run < n && cast_is_plain(p[run]);)
			run++;
		if (run > 0)
			r = buf_put(b, p, run);
		else {
			r = cast_put_byte(b, t, *p);
			run = 1;
		}
		if (r != 0)
			return r;
	}
	return 0;
}

/* --- events --- */

static int
cast_open_event(struct buf *b, int64_t us, enum cast_code code)
{
	char text[CAST_EVENT];

	(void)snprintf(text, sizeof(text), "[%lld.%06d, \"%c\", \"",
	    (long long)(us / 1000000), (int)(us % 1000000), (char)code);
	return buf_put(b, text, strlen(text));
}

int
cast_put_event(struct buf *b, int64_t us, enum cast_code code,
    struct cast_text *t, const void *bytes, size_t n)
{
	const size_t before = buf_len(b);
	size_t opened;
	int r;

	if ((r = cast_open_event(b, us, code)) != 0)
		return r;
	opened = buf_len(b);
	if ((r = cast_put_text(b, t, bytes, n)) != 0)
		return r;
	if (buf_len(b) == opened)
		return buf_trim(b, opened - before);
	return buf_put(b, "\"]\n", 3);
}

int
cast_put_end(struct buf *b, int64_t us, enum cast_code code,
    struct cast_text *t)
{
	int r;

	if (t->left == 0)
		return 0;
	if ((r = cast_open_event(b, us, code)) != 0 ||
	    (r = cast_give_up(b, t)) != 0)
		return r;
	return buf_put(b, "\"]\n", 3);
}

/* --- the first line --- */

/* A member, if there is anything to say; before is what divides it. */
static int
cast_put_member(struct buf *b, const char *before, const char *name,
    const char *value)
{
	struct cast_text t = { .left = 0 };
	char text[32];
	int r;

	if (value == NULL)
		return 0;
	(void)snprintf(text, sizeof(text), "%s\"%s\": \"", before, name);
	if ((r = buf_put(b, text, strlen(text))) != 0 ||
	    (r = cast_put_text(b, &t, (const uint8_t *)value, strlen(value))) !=
		0 ||
	    (t.left != 0 && (r = cast_give_up(b, &t)) != 0))
		return r;
	return buf_put_u8(b, '"');
}

int
cast_put_head(struct buf *b, const struct cast_head *h)
{
	char text[128];
	int r;

	(void)snprintf(text, sizeof(text),
	    "{\"version\": 2, \"width\": %u, \"height\": %u, \"timestamp\": "
	    "%lld",
	    h->columns, h->rows, (long long)h->time);
	if ((r = buf_put(b, text, strlen(text))) != 0 ||
	    (r = cast_put_member(b, ", ", "title", h->title)) != 0 ||
	    (r = cast_put_member(b, ", ", "command", h->command)) != 0 ||
	    (r = buf_put(b, ", \"env\": {", 10)) != 0 ||
	    (r = cast_put_member(b, "", "TERM", h->term)) != 0 ||
	    (r = cast_put_member(b, h->term != NULL ? ", " : "", "SHELL",
		 h->shell)) != 0)
		return r;
	return buf_put(b, "}}\n", 3);
}
