/* SPDX-License-Identifier: ISC */
/* A terminal's modes, as ECMA-48, DEC and xterm have them. */
#include "common/base/screen.h"

#include <string.h>

#define ESC    0x1b
#define BEL    0x07
#define SO     0x0e
#define SI     0x0f
#define CANCEL 0x18
#define SUBST  0x1a

#define PARAM_MAX  65535
#define PUSHED_MAX 8 /* that are told to another terminal */
#define FLAGS_MAX  31
#define KEYS_MAX   9
#define SHAPE_MAX  9
#define STRING	   "\033]99999;" /* what no terminal knows */

/* Private modes, in the order in which they are taken back. */
static const struct {
	unsigned number;
	bool on; /* by default */
} modes[] = {
	{ 2026, false }, /* output held back */
	{ 9, false },	 /* the mouse, six ways and their spellings */
	{ 1000, false }, { 1001, false }, { 1002, false }, { 1003, false },
	{ 1005, false }, { 1006, false }, { 1015, false }, { 1016, false },
	{ 1004, false }, /* focus */
	{ 2004, false }, /* bracketed paste */
	{ 1, false },	 /* cursor keys of applications */
	{ 5, false },	 /* inverse */
	{ 6, false },	 /* origin */
	{ 7, true },	 /* wraps at the margin */
	{ 47, false },	 /* another screen, three ways */
	{ 1047, false }, { 1049, false }, { 25, true }, /* the cursor is seen */
};

#define MODES (sizeof(modes) / sizeof(modes[0]))

/* --- sequences --- */

static void
screen_set_mode(struct screen *s, unsigned number, bool on)
{
	for (size_t i = 0; i < MODES; i++)
		if (modes[i].number == number && modes[i].on != on)
			s->modes |= UINT32_C(1) << i;
		else if (modes[i].number == number)
			s->modes &= ~(UINT32_C(1) << i);
}

static void
screen_set_modes(struct screen *s, bool on)
{
	for (unsigned i = 0; i < s->nparams; i++)
		if (s->prefix == '?')
			screen_set_mode(s, s->params[i], on);
		else if (s->prefix == '\0' && s->params[i] == 4)
			s->insert = on;
}

/* DECSTR leaves the screen, the mouse and paste as they are. */
static void
screen_soft_reset(struct screen *s)
{
	screen_set_mode(s, 1, false);
	screen_set_mode(s, 6, false);
	screen_set_mode(s, 25, true);
	s->keypad = s->insert = s->attributes = s->graphics = s->region = false;
	s->shift = 0;
	memset(s->set, 0, sizeof(s->set));
}

static bool
screen_any_param(const struct screen *s)
{
	for (unsigned i = 0; i < s->nparams; i++)
		if (s->params[i] != 0)
			return true;
	return false;
}

/* Keys by kitty's protocol, which knows a stack. */
static void
screen_key_flags(struct screen *s)
{
	unsigned n = s->params[0] != 0 ? s->params[0] : 1;

	if (s->prefix == '>') {
		s->pushed++;
		s->laid = s->params[0];
	} else if (s->prefix == '<')
		s->pushed -= n < s->pushed ? n : s->pushed;
	else if (s->prefix == '=')
		s->flags = s->params[0];
}

static void
screen_set_region(struct screen *s)
{
	s->top = s->params[0];
	s->bottom = s->params[1];
	s->region = s->top != 0 || s->bottom != 0;
}

static void
screen_control_sequence(struct screen *s, uint8_t final)
{
	if (s->between != '\0') {
		if (s->between == '!' && final == 'p')
			screen_soft_reset(s);
		else if (s->between == ' ' && final == 'q')
			s->style = (s->shape = s->params[0]) != 0;
		return;
	}
	switch (final) {
	case 'h':
	case 'l':
		screen_set_modes(s, final == 'h');
		break;
	case 'm':
		if (s->prefix == '\0')
			s->attributes = screen_any_param(s);
		else if (s->prefix == '>' && s->params[0] == 4)
			s->keys = s->nparams > 1 ? s->params[1] : 0;
		break;
	case 'r':
		if (s->prefix == '\0')
			screen_set_region(s);
		break;
	case 'u':
		screen_key_flags(s);
		break;
	}
}

static void
screen_after_escape(struct screen *s, uint8_t c)
{
	s->state = SCREEN_GROUND;
	switch (c) {
	case '[':
		s->state = SCREEN_CSI;
		s->prefix = s->between = '\0';
		s->nparams = 0;
		memset(s->params, 0, sizeof(s->params));
		break;
	case ']':
	case 'P':
	case 'X':
	case '^':
	case '_':
		s->state = SCREEN_STRING;
		s->first = (char)c;
		s->nstring = 0;
		break;
	case '(':
	case ')':
	case '*':
	case '+':
	case '#':
	case '%':
		s->state = SCREEN_SHIFT;
		s->first = (char)c;
		break;
	case '=':
	case '>':
		s->keypad = c == '=';
		break;
	case 'n':
	case 'o':
		s->shift = c == 'n' ? 2 : 3;
		break;
	case 'c': /* all of it */
		*s = (struct screen){ .state = SCREEN_GROUND };
		break;
	}
}

static void
screen_in_sequence(struct screen *s, uint8_t c)
{
	unsigned *p = &s->params[s->nparams != 0 ? s->nparams - 1 : 0];

	if (c >= '0' && c <= '9') {
		if (s->nparams == 0)
			s->nparams = 1;
		if (s->nparams <= SCREEN_PARAMS && *p < PARAM_MAX)
			*p = *p * 10 + (c - '0');
	} else if (c == ';' || c == ':') {
		if (s->nparams == 0)
			s->nparams = 1;
		/* Those behind the last are read over it. */
		if (s->nparams < SCREEN_PARAMS)
			s->nparams++;
		s->params[s->nparams - 1] = 0;
	} else if (c >= '<' && c <= '?')
		s->prefix = (char)c;
	else if (c >= ' ' && c <= '/')
		s->between = (char)c;
	else if (c >= '@' && c <= '~') {
		s->state = SCREEN_GROUND;
		screen_control_sequence(s, c);
	} else if (c >= 0x80)
		s->state = SCREEN_GROUND; /* it is none */
}

/* "0;" or "2;" and the title is that of the window. */
static void
screen_end_string(struct screen *s)
{
	if (s->state != SCREEN_STRING || s->first != ']' || s->nstring < 2 ||
	    (s->string[0] != '0' && s->string[0] != '2') || s->string[1] != ';')
		return;
	s->ntitle = s->nstring - 2;
	memcpy(s->title, s->string + 2, s->ntitle);
	s->titled = true;
}

static void
screen_in_string(struct screen *s, uint8_t c)
{
	if (c == BEL) {
		screen_end_string(s);
		s->state = SCREEN_GROUND;
	} else if (s->nstring < SCREEN_TITLE_MAX)
		s->string[s->nstring++] = c;
}

static void
screen_byte(struct screen *s, uint8_t c)
{
	if (c == ESC) {
		screen_end_string(s);
		s->state = SCREEN_ESCAPE;
	} else if (c == CANCEL || c == SUBST)
		s->state = SCREEN_GROUND;
	else if (s->state == SCREEN_STRING)
		screen_in_string(s, c);
	else if (c == SO || c == SI) {
		s->graphics = c == SO;
		s->shift = c == SO;
	} else if (c < ' ')
		return;
	else if (s->state == SCREEN_ESCAPE)
		screen_after_escape(s, c);
	else if (s->state == SCREEN_CSI)
		screen_in_sequence(s, c);
	else if (s->state == SCREEN_SHIFT) {
		if (s->first == '(')
			s->graphics = c != 'B';
		if (s->first >= '(' && s->first <= '+')
			s->set[s->first - '('] = c != 'B' ? (char)c : '\0';
		s->state = SCREEN_GROUND;
	}
}

/* Plain text, which most of it is, is only looked through. */
static const uint8_t *
screen_skip_text(const uint8_t *p, const uint8_t *end)
{
	while (p < end && *p >= ' ')
		p++;
	return p;
}

static void
screen_remember(struct screen *s, const uint8_t *p, size_t n)
{
	size_t kept = n < sizeof(s->last) ? sizeof(s->last) - n : 0;

	memmove(s->last, s->last + sizeof(s->last) - kept, kept);
	memcpy(s->last + kept, p + n - (sizeof(s->last) - kept),
	    sizeof(s->last) - kept);
}

/* A sequence that begins in another one ends that. */
static void
screen_keep_tail(struct screen *s, uint8_t c)
{
	if (c == ESC || s->state == SCREEN_GROUND)
		s->ntail = 0;
	if (s->state == SCREEN_GROUND)
		return;
	if (s->ntail < SCREEN_TAIL_MAX)
		s->tail[s->ntail] = c;
	if (s->ntail <= SCREEN_TAIL_MAX)
		s->ntail++;
}

void
screen_watch(struct screen *s, const uint8_t *p, size_t n)
{
	const uint8_t *begin = p, *end = p + n;

	while (p < end) {
		if (s->state == SCREEN_GROUND)
			p = screen_skip_text(p, end);
		if (p < end) {
			screen_byte(s, *p);
			screen_keep_tail(s, *p++);
		}
	}
	screen_remember(s, begin, n);
}

/* --- taking it back --- */

struct screen_text {
	char *p;
	size_t n, max;
};

static void
screen_put(struct screen_text *t, const char *what)
{
	size_t n = strlen(what);

	if (t->n + n > t->max)
		return;
	memcpy(t->p + t->n, what, n);
	t->n += n;
}

static void
screen_put_number(struct screen_text *t, unsigned v)
{
	char digits[12], *p = digits + sizeof(digits) - 1;

	*p = '\0';
	do
		*--p = (char)('0' + v % 10);
	while ((v /= 10) != 0);
	screen_put(t, p);
}

size_t
screen_undo(const struct screen *s, char undo[SCREEN_UNDO_MAX])
{
	struct screen_text t = { .p = undo, .max = SCREEN_UNDO_MAX };

	if (s->state == SCREEN_STRING)
		screen_put(&t, "\033\\");
	else if (s->state != SCREEN_GROUND)
		screen_put(&t, "\030");
	if (s->keys)
		screen_put(&t, "\033[>4m");
	if (s->flags)
		screen_put(&t, "\033[=0u");
	if (s->pushed != 0) {
		screen_put(&t, "\033[<");
		screen_put_number(&t, s->pushed);
		screen_put(&t, "u");
	}
	if (s->keypad)
		screen_put(&t, "\033>");
	if (s->insert)
		screen_put(&t, "\033[4l");
	/* It would move the cursor. */
	if (s->region)
		screen_put(&t, "\0337\033[r\0338");
	if (s->graphics)
		screen_put(&t, "\017\033(B");
	if (s->attributes)
		screen_put(&t, "\033[m");
	if (s->style)
		screen_put(&t, "\033[0 q");
	for (size_t i = 0; i < MODES; i++)
		if (s->modes & UINT32_C(1) << i) {
			screen_put(&t, "\033[?");
			screen_put_number(&t, modes[i].number);
			screen_put(&t, modes[i].on ? "h" : "l");
		}
	return t.n;
}

/* --- doing it again --- */

static void
screen_put_mode(struct screen_text *t, size_t i, bool set)
{
	screen_put(t, "\033[?");
	screen_put_number(t, modes[i].number);
	screen_put(t, set ? "h" : "l");
}

bool
screen_has(const struct screen *s, unsigned mode)
{
	for (size_t i = 0; i < MODES; i++)
		if (modes[i].number == mode)
			return ((s->modes & UINT32_C(1) << i) != 0) !=
			    modes[i].on;
	return false;
}

/* What is drawn goes to that screen. */
static bool
screen_is_screen(size_t i)
{
	return modes[i].number == 47 || modes[i].number == 1047 ||
	    modes[i].number == 1049;
}

/*
 * Some of them take another one along when they are reset; and leaving the
 * other screen takes what was saved for the cursor, if ever anything was.
 */
size_t
screen_redo_begin(const struct screen *s, char redo[SCREEN_REDO_MAX])
{
	struct screen_text t = { .p = redo, .max = SCREEN_REDO_MAX };

	screen_put(&t,
	    "\030\017\033(B\033)B\033*B\033+B\033[m\033[4l\033[r\0337");
	for (size_t i = 0; i < MODES; i++)
		screen_put_mode(&t, i, modes[i].on);
	for (size_t i = 0; i < MODES; i++)
		if (screen_is_screen(i) && (s->modes & UINT32_C(1) << i))
			screen_put_mode(&t, i, true);
	return t.n;
}

static void
screen_put_sets(struct screen_text *t, const struct screen *s)
{
	static const char *const shifts[] = { "\017", "\016", "\033n",
		"\033o" };

	for (size_t i = 0; i < SCREEN_GSETS; i++)
		if (s->set[i] != '\0')
			screen_put(t,
			    (const char[]){ ESC, (char)('(' + i), s->set[i],
				'\0' });
	if (s->shift != 0)
		screen_put(t, shifts[s->shift]);
}

/* Undone by the number of them that is known. */
static void
screen_put_keys(struct screen_text *t, const struct screen *s)
{
	screen_put(t, s->keypad ? "\033=" : "\033>");
	if (s->keys != 0 && s->keys <= KEYS_MAX) {
		screen_put(t, "\033[>4;");
		screen_put_number(t, s->keys);
		screen_put(t, "m");
	}
	for (unsigned i = 0; i < s->pushed && i < PUSHED_MAX; i++) {
		screen_put(t, "\033[>");
		screen_put_number(t, s->laid & FLAGS_MAX);
		screen_put(t, "u");
	}
	if (s->flags != 0) {
		screen_put(t, "\033[=");
		screen_put_number(t, s->flags & FLAGS_MAX);
		screen_put(t, "u");
	}
}

/* Output that is held back, the first of the modes, is not again. */
size_t
screen_redo_end(const struct screen *s, char redo[SCREEN_REDO_MAX])
{
	struct screen_text t = { .p = redo, .max = SCREEN_REDO_MAX };

	screen_put_keys(&t, s);
	if (s->region) {
		screen_put(&t, "\033[");
		screen_put_number(&t, s->top);
		screen_put(&t, ";");
		if (s->bottom != 0)
			screen_put_number(&t, s->bottom);
		screen_put(&t, "r");
	}
	screen_put(&t, "\033[");
	screen_put_number(&t, s->style && s->shape <= SHAPE_MAX ? s->shape : 0);
	screen_put(&t, " q");
	screen_put_sets(&t, s);
	if (s->insert)
		screen_put(&t, "\033[4h");
	for (size_t i = 1; i < MODES; i++)
		if (!screen_is_screen(i) && (s->modes & UINT32_C(1) << i))
			screen_put_mode(&t, i, !modes[i].on);
	return t.n;
}

/* Bytes of a character in UTF-8 whose rest is to come. */
static size_t
screen_partial(const struct screen *s)
{
	for (size_t n = 1; n <= sizeof(s->last); n++) {
		uint8_t c = s->last[sizeof(s->last) - n];
		size_t all = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;

		if (c >= 0xc0)
			return c < 0xf8 && all > n ? n : 0;
		if (c < 0x80)
			return 0;
	}
	return 0;
}

size_t
screen_tail(const struct screen *s, char tail[SCREEN_TAIL_MAX])
{
	size_t n;

	if (s->state == SCREEN_GROUND) {
		n = screen_partial(s);
		memcpy(tail, s->last + sizeof(s->last) - n, n);
		return n;
	}
	if (s->ntail <= SCREEN_TAIL_MAX) {
		memcpy(tail, s->tail, s->ntail);
		return s->ntail;
	}
	memcpy(tail, STRING, sizeof(STRING) - 1);
	return s->state == SCREEN_STRING ? sizeof(STRING) - 1 : 0;
}
