/* SPDX-License-Identifier: ISC */
/*
 * The screen of a session without libvterm: the newest output, of which
 * nothing is played again that a terminal would answer, and the modes, read by
 * screen.h.  What a program has drawn long ago it draws anew when the size of
 * its terminal changes, if it does.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/screen.h"
#include "common/base/visible.h"
#include "daemon/keeper/keeper_screen.h"

#define RING	     (64U * 1024)
#define SEQUENCE_MAX 64
/* Ends of sequences that draw, or move the cursor for it. */
#define DRAWS "@ABCDEFGHIJKLMPSTXZ`abdefmr"

struct kscreen {
	struct screen modes;
	bool other;
	char sequence[SEQUENCE_MAX];
	size_t nsequence;
	char title[KSCREEN_TITLE];
	size_t at;  /* where the next byte goes */
	bool whole; /* the ring has been filled once */
	uint8_t ring[RING];
};

struct kscreen *
kscreen_new(unsigned rows, unsigned cols,
    void (*reply)(void *, const char *, size_t), void *arg)
{
	(void)rows;
	(void)cols;
	(void)reply;
	(void)arg;
	return calloc(1, sizeof(struct kscreen));
}

void
kscreen_free(struct kscreen *k)
{
	free(k);
}

static void
kscreen_keep(struct kscreen *k, const void *from, size_t n)
{
	const uint8_t *p = from;

	for (; n > 0; n--) {
		k->ring[k->at++] = *p++;
		k->whole = k->whole || k->at == RING;
		k->at %= RING;
	}
}

/* Text and what moves in it; of sequences those that draw. */
static void
kscreen_byte(struct kscreen *k, uint8_t c)
{
	bool was = k->modes.state == SCREEN_CSI, plain;

	plain = k->modes.state == SCREEN_GROUND;
	screen_watch(&k->modes, &c, 1);
	if (was && k->modes.state == SCREEN_CSI) {
		if (k->nsequence < SEQUENCE_MAX)
			k->sequence[k->nsequence++] = (char)c;
	} else if (was) {
		if (strchr(DRAWS, c) == NULL || c == '\0' ||
		    k->modes.prefix != '\0' || k->nsequence == SEQUENCE_MAX)
			return;
		kscreen_keep(k, "\033[", 2);
		kscreen_keep(k, k->sequence, k->nsequence);
		kscreen_keep(k, &c, 1);
	} else if (k->modes.state == SCREEN_CSI)
		k->nsequence = 0;
	else if (plain && k->modes.state == SCREEN_GROUND &&
	    (c >= ' ' || (c >= '\b' && c <= '\r')))
		kscreen_keep(k, &c, 1);
}

bool
kscreen_is_other(const struct kscreen *k)
{
	return screen_has(&k->modes, 47) || screen_has(&k->modes, 1047) ||
	    screen_has(&k->modes, 1049);
}

void
kscreen_watch(struct kscreen *k, const uint8_t *p, size_t n)
{
	bool other = k->other;

	for (; n > 0; n--)
		kscreen_byte(k, *p++);
	if (k->modes.titled) {
		k->modes.titled = false;
		(void)visible_text(k->title, sizeof(k->title), k->modes.title,
		    k->modes.ntitle, 0);
	}
	k->other = kscreen_is_other(k);
	/* What was drawn there is not to be played on the first one. */
	if (k->other != other) {
		k->at = 0;
		k->whole = false;
	}
}

void
kscreen_resize(struct kscreen *k, unsigned rows, unsigned cols)
{
	(void)k;
	(void)rows;
	(void)cols;
}

bool
kscreen_is_whole(void)
{
	return false;
}

bool
kscreen_came_back(struct kscreen *k)
{
	(void)k;
	return false;
}

const char *
kscreen_title(const struct kscreen *k)
{
	return k->title;
}

/* A ring that is full begins in the midst of a line. */
static size_t
kscreen_begin(const struct kscreen *k)
{
	size_t i = k->at;

	if (!k->whole)
		return 0;
	while (k->ring[i] != '\n') {
		i = (i + 1) % RING;
		if (i == k->at)
			break;
	}
	return i;
}

int
kscreen_draw(const struct kscreen *k, struct buf *b)
{
	char redo[SCREEN_REDO_MAX], tail[SCREEN_TAIL_MAX];
	size_t begin = kscreen_begin(k), n;
	int r;

	n = screen_redo_begin(&k->modes, redo);
	if ((r = buf_put(b, redo, n)) == 0)
		r = buf_put(b, "\033[H\033[2J", 7);
	if (r == 0 && begin > k->at) {
		r = buf_put(b, k->ring + begin, RING - begin);
		begin = 0;
	}
	if (r == 0)
		r = buf_put(b, k->ring + begin, k->at - begin);
	n = screen_redo_end(&k->modes, redo);
	/* A region moves the cursor. */
	if (r == 0 && (r = buf_put(b, "\0337", 2)) == 0 &&
	    (r = buf_put(b, redo, n)) == 0 && (r = buf_put(b, "\0338", 2)) == 0)
		r = buf_put(b, tail, screen_tail(&k->modes, tail));
	return r;
}
