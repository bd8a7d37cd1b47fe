/* SPDX-License-Identifier: ISC */
/*
 * What a program may print into a session, and the drawing of what has come of
 * it: at a second terminal it makes the same screen, and a third drawing says
 * the same as the second.  Of marks that combine libvterm keeps as many as it
 * sees at once; so the screens are compared where all is ASCII.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/screen.h"
#include "daemon/keeper/keeper_screen.h"

#define ROWS	 6
#define COLS	 13
#define DRAW_MAX (64U * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

static bool
is_ascii(const uint8_t *p, size_t n)
{
	while (n > 0 && *p < 0x80) {
		p++;
		n--;
	}
	return n == 0;
}

static void
show(const struct buf *b)
{
	for (size_t i = 0; i < buf_len(b); i++)
		fprintf(stderr, isprint(buf_ptr(b)[i]) ? "%c" : "\\%03o",
		    buf_ptr(b)[i]);
	fprintf(stderr, "\n\n");
}

static void
require_same(const struct buf *a, const struct buf *b)
{
	if ((buf_len(a) == buf_len(b) &&
		memcmp(buf_ptr(a), buf_ptr(b), buf_len(a)) == 0))
		return;
	show(a);
	show(b);
	abort();
}

static void
ignore(void *arg, const char *p, size_t n)
{
	(void)arg;
	(void)p;
	(void)n;
}

/* A size now and then, and pieces of any length. */
static void
feed(struct kscreen *k, unsigned *rows, unsigned *cols, const uint8_t *p,
    size_t n)
{
	while (n > 0) {
		size_t len = *p & 0x3f;

		if (*p % 16 == 15) {
			*rows = 1 + (*p >> 4);
			*cols = n > 1 ? p[1] % 20 : 1;
			kscreen_resize(k, *rows, *cols);
			len = 0;
		}
		p++;
		n--;
		if (len > n)
			len = n;
		kscreen_watch(k, p, len);
		p += len;
		n -= len;
	}
}

/* What is drawn is in sequences that end, and in the end holds no reply. */
static void
draw(const struct kscreen *k, struct buf *b)
{
	buf_init(b, DRAW_MAX);
	require(kscreen_draw(k, b) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct kscreen *first, *second, *third;
	bool strict = kscreen_is_whole() && is_ascii(p, n);
	unsigned rows = ROWS, cols = COLS;
	struct buf a, b, c;

	first = kscreen_new(ROWS, COLS, ignore, NULL);
	require(first != NULL);
	feed(first, &rows, &cols, p, n);
	kscreen_watch(first, (const uint8_t *)"\030", 1);
	draw(first, &a);
	second = kscreen_new(rows, cols, ignore, NULL);
	kscreen_watch(second, buf_ptr(&a), buf_len(&a));
	draw(second, &b);
	if (strict)
		require_same(&a, &b);
	third = kscreen_new(rows, cols, ignore, NULL);
	kscreen_watch(third, buf_ptr(&b), buf_len(&b));
	draw(third, &c);
	if (strict)
		require_same(&b, &c);
	kscreen_free(first);
	kscreen_free(second);
	kscreen_free(third);
	buf_free(&a);
	buf_free(&b);
	buf_free(&c);
	return 0;
}
