/* SPDX-License-Identifier: ISC */
/*
 * The screen of a session: what its output has made of a terminal, to be drawn
 * at one that has seen nothing of it.  With libvterm, keeper_vterm.c; without,
 * keeper_replay.c, which plays the newest output again.
 */
#ifndef DAEMON_KEEPER_KEEPER_SCREEN_H
#define DAEMON_KEEPER_KEEPER_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

#define KSCREEN_MIN	 2 /* rows, columns */
#define KSCREEN_ROWS_MAX 300
#define KSCREEN_COLS_MAX 500
#define KSCREEN_DRAW_MAX                                    \
	(1024U * 1024) /* bytes; what is beyond stays blank \
			*/
#define KSCREEN_TITLE 256

struct kscreen;

/*
 * Blank, of at most the size above, as all that are told.  What a terminal
 * would answer a program goes to reply; NULL without memory.
 */
struct kscreen *kscreen_new(unsigned rows, unsigned cols,
    void (*reply)(void *, const char *, size_t), void *arg);
void kscreen_free(struct kscreen *);
/* Output, cut anywhere. */
void kscreen_watch(struct kscreen *, const uint8_t *, size_t);
void kscreen_resize(struct kscreen *, unsigned rows, unsigned cols);
/*
 * Appends what makes any terminal of that size one that has seen it all, but
 * for what has scrolled away.  What buf_put returns.
 */
int kscreen_draw(const struct kscreen *, struct buf *);
/* Whether that is all, and no program need draw anything itself. */
bool kscreen_is_whole(void);
/* Whether it is another screen than the first one. */
bool kscreen_is_other(const struct kscreen *);
/*
 * Whether another screen was left for the first one, of which a terminal that
 * came between knows nothing.  Says so once.
 */
bool kscreen_came_back(struct kscreen *);
/* Of the window, without controls, cut; "" for none. */
const char *kscreen_title(const struct kscreen *);

#endif
