/* SPDX-License-Identifier: ISC */
/*
 * The screen of a session by libvterm, which keeps characters, their looks, the
 * cursor and the title; modes are read by screen.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vterm.h>

#include "common/base/screen.h"
#include "common/base/visible.h"
#include "daemon/keeper/keeper_screen.h"

#define INVERSE	     5 /* DECSCNM */
#define ORIGIN	     6
#define SGR_MAX	     128
#define DIGITS_MAX   4
#define SEQUENCE_MAX 128
#define REPEAT	     'b'
#define INNER	     ((uint32_t)-1) /* the right half of a wide character */
#define COLORS_LOW   8
#define COLORS_ALL   16

struct kscreen {
	VTerm *vt;
	VTermScreen *screen;
	struct screen modes;
	unsigned rows, cols;
	/* The sequence that is not at its end, behind its begin, as it is to be
	 * passed on; and the character before it, if it is one of ASCII. */
	uint8_t sequence[SEQUENCE_MAX], last;
	size_t nsequence;
	unsigned digits; /* of a number in it */
	bool other, came_back;
	char title[KSCREEN_TITLE];
	void (*reply)(void *, const char *, size_t);
	void *arg;
};

/* --- what libvterm calls --- */

static void
kscreen_on_reply(const char *p, size_t n, void *arg)
{
	struct kscreen *k = arg;

	k->reply(k->arg, p, n);
}

static int
kscreen_on_prop(VTermProp prop, VTermValue *v, void *arg)
{
	struct kscreen *k = arg;

	if (prop == VTERM_PROP_ALTSCREEN) {
		k->came_back = k->came_back || (k->other && !v->boolean);
		k->other = v->boolean != 0;
	}
	return 1;
}

static const VTermScreenCallbacks kscreen_callbacks = { .settermprop =
							    kscreen_on_prop };

/* --- its life --- */

static unsigned
kscreen_bound(unsigned n, unsigned max)
{
	return n < KSCREEN_MIN ? KSCREEN_MIN : n > max ? max : n;
}

struct kscreen *
kscreen_new(unsigned rows, unsigned cols,
    void (*reply)(void *, const char *, size_t), void *arg)
{
	struct kscreen *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return NULL;
	k->rows = kscreen_bound(rows, KSCREEN_ROWS_MAX);
	k->cols = kscreen_bound(cols, KSCREEN_COLS_MAX);
	k->reply = reply;
	k->arg = arg;
	if ((k->vt = vterm_new((int)k->rows, (int)k->cols)) == NULL) {
		free(k);
		return NULL;
	}
	vterm_set_utf8(k->vt, 1);
	vterm_output_set_callback(k->vt, kscreen_on_reply, k);
	k->screen = vterm_obtain_screen(k->vt);
	vterm_screen_set_callbacks(k->screen, &kscreen_callbacks, k);
	vterm_screen_enable_altscreen(k->screen, 1);
	vterm_screen_reset(k->screen, 1);
	return k;
}

void
kscreen_free(struct kscreen *k)
{
	if (k == NULL)
		return;
	vterm_free(k->vt);
	free(k);
}

/*
 * libvterm does as often as a sequence says what it says: four digits are
 * enough for anybody.  And it never ends to repeat a character where there was
 * none before; so that is done here, for those that programs repeat.
 */
static void
kscreen_pass(struct kscreen *k, const void *p, size_t n)
{
	(void)vterm_input_write(k->vt, p, n);
}

/* Whatever libvterm has made of it, no sequence goes on. */
static void
kscreen_cancel(struct kscreen *k)
{
	kscreen_pass(k, "\030", 1);
}

static void
kscreen_end_sequence(struct kscreen *k, uint8_t final)
{
	unsigned n = k->modes.params[0] != 0 ? k->modes.params[0] : 1;

	if (final != REPEAT) {
		kscreen_pass(k, k->sequence, k->nsequence);
		kscreen_pass(k, &final, 1);
		return;
	}
	kscreen_cancel(k);
	for (; k->last != 0 && n > 0 && n <= KSCREEN_COLS_MAX; n--)
		kscreen_pass(k, &k->last, 1);
}

static void
kscreen_in_sequence(struct kscreen *k, uint8_t c)
{
	k->digits = c >= '0' && c <= '9' ? k->digits + 1 : 0;
	if (c < ' ')
		kscreen_pass(k, &c, 1);
	else if (k->digits <= DIGITS_MAX && k->nsequence < SEQUENCE_MAX)
		k->sequence[k->nsequence++] = c;
}

/* One that would not be in UTF-8 is not begun. */
static void
kscreen_byte(struct kscreen *k, uint8_t c)
{
	int was = (int)k->modes.state, is;

	screen_watch(&k->modes, &c, 1);
	is = (int)k->modes.state;
	if (was == SCREEN_CSI && is == SCREEN_CSI)
		kscreen_in_sequence(k, c);
	else if (was == SCREEN_CSI && c >= '@' && c <= '~')
		kscreen_end_sequence(k, c);
	else if (is == SCREEN_STRING)
		kscreen_cancel(k); /* it is for others */
	else if (was != SCREEN_SHIFT || k->modes.first != '%')
		kscreen_pass(k, &c, 1);
	if (was != SCREEN_GROUND && is == SCREEN_GROUND)
		kscreen_cancel(k);
	if (is == SCREEN_CSI && was != SCREEN_CSI) {
		k->digits = 0;
		k->nsequence = 0;
	} else if (is == SCREEN_GROUND && was == SCREEN_GROUND)
		k->last = c >= ' ' && c < 0x7f ? c : 0;
}

/* Controls, and what else is not for the eye, are escaped. */
static void
kscreen_note_title(struct kscreen *k)
{
	k->modes.titled = false;
	(void)visible_text(k->title, sizeof(k->title), k->modes.title,
	    k->modes.ntitle, 0);
}

/* Where nothing begins there is nothing to look at. */
static size_t
kscreen_plain(const struct kscreen *k, const uint8_t *p, size_t n)
{
	size_t len = 0;

	while (k->modes.state == SCREEN_GROUND && len < n && p[len] >= ' ')
		len++;
	return len;
}

void
kscreen_watch(struct kscreen *k, const uint8_t *p, size_t n)
{
	size_t len;

	for (; n > 0; p += len, n -= len) {
		if ((len = kscreen_plain(k, p, n)) > 1) {
			kscreen_pass(k, p, --len);
			screen_watch(&k->modes, p, len);
		} else {
			kscreen_byte(k, *p);
			len = 1;
		}
	}
	if (k->modes.titled)
		kscreen_note_title(k);
}

void
kscreen_resize(struct kscreen *k, unsigned rows, unsigned cols)
{
	rows = kscreen_bound(rows, KSCREEN_ROWS_MAX);
	cols = kscreen_bound(cols, KSCREEN_COLS_MAX);
	if (rows == k->rows && cols == k->cols)
		return;
	k->rows = rows;
	k->cols = cols;
	vterm_set_size(k->vt, (int)rows, (int)cols);
}

bool
kscreen_is_whole(void)
{
	return true;
}

bool
kscreen_is_other(const struct kscreen *k)
{
	return k->other;
}

bool
kscreen_came_back(struct kscreen *k)
{
	bool back = k->came_back;

	k->came_back = false;
	return back;
}

const char *
kscreen_title(const struct kscreen *k)
{
	return k->title;
}

/* --- drawing --- */

/* What is put last: looks of the cell before. */
struct kscreen_pen {
	VTermScreenCellAttrs attrs;
	VTermColor fg, bg;
};

static int
kscreen_color(char *text, size_t max, const VTermColor *c, bool back)
{
	unsigned low = back ? 40 : 30;

	if (back ? VTERM_COLOR_IS_DEFAULT_BG(c) : VTERM_COLOR_IS_DEFAULT_FG(c))
		return 0;
	if (VTERM_COLOR_IS_RGB(c))
		return snprintf(text, max, ";%u;2;%u;%u;%u", low + 8,
		    c->rgb.red, c->rgb.green, c->rgb.blue);
	if (c->indexed.idx < COLORS_LOW)
		return snprintf(text, max, ";%u", low + c->indexed.idx);
	if (c->indexed.idx < COLORS_ALL)
		return snprintf(text, max, ";%u",
		    low + 60 + c->indexed.idx - COLORS_LOW);
	return snprintf(text, max, ";%u;5;%u", low + 8, c->indexed.idx);
}

static int
kscreen_put_pen(struct buf *b, const struct kscreen_pen *p)
{
	const VTermScreenCellAttrs *a = &p->attrs;
	char text[SGR_MAX];
	int n;

	n = snprintf(text, sizeof(text), "\033[0%s%s%s%s%s",
	    a->bold ? ";1" : "", a->italic ? ";3" : "", a->blink ? ";5" : "",
	    a->reverse ? ";7" : "", a->strike ? ";9" : "");
	if (a->underline == VTERM_UNDERLINE_SINGLE)
		n += snprintf(text + n, sizeof(text) - (size_t)n, ";4");
	else if (a->underline != VTERM_UNDERLINE_OFF)
		n += snprintf(text + n, sizeof(text) - (size_t)n, ";4:%u",
		    a->underline);
	if (a->font != 0)
		n += snprintf(text + n, sizeof(text) - (size_t)n, ";%u",
		    10 + a->font);
	n += kscreen_color(text + n, sizeof(text) - (size_t)n, &p->fg, false);
	n += kscreen_color(text + n, sizeof(text) - (size_t)n, &p->bg, true);
	text[n++] = 'm';
	return buf_put(b, text, (size_t)n);
}

static bool
kscreen_same_attrs(const VTermScreenCellAttrs *a, const VTermScreenCellAttrs *b)
{
	return a->bold == b->bold && a->underline == b->underline &&
	    a->italic == b->italic && a->blink == b->blink &&
	    a->reverse == b->reverse && a->strike == b->strike &&
	    a->font == b->font;
}

static bool
kscreen_same_color(const VTermColor *a, const VTermColor *b)
{
	const uint8_t plain = VTERM_COLOR_DEFAULT_FG | VTERM_COLOR_DEFAULT_BG;

	return (a->type & b->type & plain) != 0 || vterm_color_is_equal(a, b);
}

static bool
kscreen_same_pen(const struct kscreen_pen *a, const struct kscreen_pen *b)
{
	return kscreen_same_attrs(&a->attrs, &b->attrs) &&
	    kscreen_same_color(&a->fg, &b->fg) &&
	    kscreen_same_color(&a->bg, &b->bg);
}

static int
kscreen_put_char(struct buf *b, uint32_t c)
{
	uint8_t u[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	if (n == 1)
		return buf_put_u8(b, (uint8_t)c);
	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		u[i] = (uint8_t)(0x80 | (c & 0x3f));
	u[0] = (uint8_t)((0xf00 >> n) | c);
	return buf_put(b, u, n);
}

static bool
kscreen_get(const struct kscreen *k, unsigned row, unsigned col,
    VTermScreenCell *c, struct kscreen_pen *pen)
{
	VTermPos pos = { .row = (int)row, .col = (int)col };

	if (!vterm_screen_get_cell(k->screen, pos, c))
		return false;
	/* The mode for all of it is set by itself. */
	if (screen_has(&k->modes, INVERSE))
		c->attrs.reverse = !c->attrs.reverse;
	*pen = (struct kscreen_pen){ c->attrs, c->fg, c->bg };
	return true;
}

/* As one that was cleared. */
static bool
kscreen_is_blank(const VTermScreenCell *c, const struct kscreen_pen *pen)
{
	static const VTermScreenCellAttrs plain;

	return c->chars[0] == 0 && kscreen_same_attrs(&pen->attrs, &plain) &&
	    VTERM_COLOR_IS_DEFAULT_BG(&pen->bg);
}

static unsigned
kscreen_row_end(const struct kscreen *k, unsigned row, unsigned cols)
{
	struct kscreen_pen pen;
	VTermScreenCell c;

	while (cols > 0 && kscreen_get(k, row, cols - 1, &c, &pen) &&
	    kscreen_is_blank(&c, &pen))
		cols--;
	return cols;
}

/* No control of either half, and what UTF-8 can say. */
static bool
kscreen_is_char(uint32_t c)
{
	return (c >= ' ' && c < 0x7f) ||
	    (c >= 0xa0 && c <= 0x10ffff && (c & ~0x7ffU) != 0xd800);
}

static int
kscreen_put_cell(struct buf *b, const VTermScreenCell *c)
{
	int r = 0;

	if (!kscreen_is_char(c->chars[0]))
		return buf_put_u8(b, ' ');
	for (size_t i = 0; r == 0 && i < VTERM_MAX_CHARS_PER_CELL &&
	     kscreen_is_char(c->chars[i]);
	     i++)
		r = kscreen_put_char(b, c->chars[i]);
	return r;
}

/* Characters of two columns, but for a few that stand among narrow ones. */
static const struct {
	uint32_t first, last;
} kscreen_wide[] = { { 0x1100, 0x115f }, { 0x2e80, 0x303e }, { 0x3040, 0xa4cf },
	{ 0xa960, 0xa97c }, { 0xac00, 0xd7a3 }, { 0xf900, 0xfaff },
	{ 0xfe10, 0xfe19 }, { 0xfe30, 0xfe6f }, { 0xff00, 0xff60 },
	{ 0xffe0, 0xffe6 }, { 0x16fe0, 0x18aff }, { 0x1b000, 0x1b2fb },
	{ 0x1f300, 0x1f64f }, { 0x1f680, 0x1f6ff }, { 0x1f900, 0x1faff },
	{ 0x20000, 0x3fffd } };

static bool
kscreen_is_wide(uint32_t c)
{
	for (size_t i = 0; i < sizeof(kscreen_wide) / sizeof(kscreen_wide[0]);
	     i++)
		if (c >= kscreen_wide[i].first && c <= kscreen_wide[i].last)
			return true;
	return false;
}

/* One of which the right half was written over is none any more. */
static void
kscreen_mend(VTermScreenCell *c)
{
	if (c->width == 2 || !kscreen_is_wide(c->chars[0]))
		return;
	c->chars[0] = ' ';
	c->chars[1] = 0;
}

/* Lines of double width are drawn in single. */
static int
kscreen_draw_row(const struct kscreen *k, unsigned row, struct kscreen_pen *pen,
    struct buf *b)
{
	struct kscreen_pen its;
	VTermScreenCell c;
	unsigned cols = kscreen_row_end(k, row, k->cols);
	char text[16];
	int n = snprintf(text, sizeof(text), "\033[%u;1H", row + 1);
	int r = buf_put(b, text, cols != 0 ? (size_t)n : 0);

	for (unsigned col = 0; r == 0 && col < cols;
	     col += c.width == 2 ? 2 : 1) {
		if (!kscreen_get(k, row, col, &c, &its))
			break;
		kscreen_mend(&c);
		if (!kscreen_same_pen(pen, &its)) {
			*pen = its;
			r = kscreen_put_pen(b, pen);
		}
		if (r == 0)
			r = kscreen_put_cell(b, &c);
	}
	return r;
}

static unsigned
kscreen_last_attr(const struct kscreen *k, VTermAttr attr)
{
	VTermValue v = { .number = 0 };

	if (!vterm_state_get_penattr(vterm_obtain_state(k->vt), attr, &v))
		return 0;
	return vterm_get_attr_type(attr) == VTERM_VALUETYPE_BOOL ?
	    v.boolean != 0 :
	    (unsigned)v.number;
}

/* What is to be written next looks like that. */
static int
kscreen_put_last_pen(const struct kscreen *k, struct buf *b)
{
	const VTermState *state = vterm_obtain_state(k->vt);
	struct kscreen_pen pen = {
		.attrs = { .bold = kscreen_last_attr(k, VTERM_ATTR_BOLD) & 1,
		    .italic = kscreen_last_attr(k, VTERM_ATTR_ITALIC) & 1,
		    .blink = kscreen_last_attr(k, VTERM_ATTR_BLINK) & 1,
		    .reverse = kscreen_last_attr(k, VTERM_ATTR_REVERSE) & 1,
		    .strike = kscreen_last_attr(k, VTERM_ATTR_STRIKE) & 1,
		    .underline = kscreen_last_attr(k, VTERM_ATTR_UNDERLINE) & 3,
		    .font = kscreen_last_attr(k, VTERM_ATTR_FONT) & 15 }
	};
	VTermValue v;

	if (vterm_state_get_penattr(state, VTERM_ATTR_FOREGROUND, &v))
		pen.fg = v.color;
	if (vterm_state_get_penattr(state, VTERM_ATTR_BACKGROUND, &v))
		pen.bg = v.color;
	return kscreen_put_pen(b, &pen);
}

/* In the mode for it the cursor's home is the region's. */
static int
kscreen_put_cursor(const struct kscreen *k, struct buf *b)
{
	VTermPos pos;
	char text[32];
	int n, top = 0;

	vterm_state_get_cursorpos(vterm_obtain_state(k->vt), &pos);
	if (screen_has(&k->modes, ORIGIN) && k->modes.region &&
	    k->modes.top > 1)
		top = (int)k->modes.top - 1;
	n = snprintf(text, sizeof(text), "\033[%d;%dH",
	    pos.row > top ? pos.row - top + 1 : 1, pos.col + 1);
	return buf_put(b, text, (size_t)n);
}

static int
kscreen_put_text(struct buf *b, const char *text)
{
	return buf_put(b, text, strlen(text));
}

static int
kscreen_draw_title(const struct kscreen *k, struct buf *b)
{
	int r;

	if (*k->title == '\0')
		return 0;
	if ((r = kscreen_put_text(b, "\033]2;")) == 0 &&
	    (r = kscreen_put_text(b, k->title)) == 0)
		r = kscreen_put_text(b, "\033\\");
	return r;
}

int
kscreen_draw(const struct kscreen *k, struct buf *b)
{
	struct kscreen_pen pen = { .attrs = { .bold = 0 },
		.fg = { .type = VTERM_COLOR_DEFAULT_FG },
		.bg = { .type = VTERM_COLOR_DEFAULT_BG } };
	char redo[SCREEN_REDO_MAX], tail[SCREEN_TAIL_MAX];
	size_t n = screen_redo_begin(&k->modes, redo), before = buf_len(b);
	int r;

	if ((r = buf_put(b, redo, n)) == 0)
		r = kscreen_put_text(b, "\033[H\033[2J");
	for (unsigned row = 0;
	     r == 0 && row < k->rows && buf_len(b) - before < KSCREEN_DRAW_MAX;
	     row++)
		r = kscreen_draw_row(k, row, &pen, b);
	n = screen_redo_end(&k->modes, redo);
	if (r == 0 && (r = kscreen_draw_title(k, b)) == 0 &&
	    (r = buf_put(b, redo, n)) == 0 &&
	    (r = kscreen_put_last_pen(k, b)) == 0 &&
	    (r = kscreen_put_cursor(k, b)) == 0)
		r = buf_put(b, tail, screen_tail(&k->modes, tail));
	return r;
}
