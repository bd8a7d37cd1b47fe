/* SPDX-License-Identifier: ISC */
/* A terminal's modes, as ECMA-48, DEC and xterm have them. */
#include "client/screen.h"

#include <string.h>

#define ESC    0x1b
#define BEL    0x07
#define SO     0x0e
#define SI     0x0f
#define CANCEL 0x18
#define SUBST  0x1a

#define PARAM_MAX 65535

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

	if (s->prefix == '>')
		s->pushed++;
	else if (s->prefix == '<')
		s->pushed -= n < s->pushed ? n : s->pushed;
	else if (s->prefix == '=')
		s->flags = s->params[0] != 0;
}

static void
screen_control_sequence(struct screen *s, uint8_t final)
{
	if (s->between != '\0') {
		if (s->between == '!' && final == 'p')
			screen_soft_reset(s);
		else if (s->between == ' ' && final == 'q')
			s->style = screen_any_param(s);
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
			s->keys = s->nparams > 1 && s->params[1] != 0;
		break;
	case 'r':
		if (s->prefix == '\0')
			s->region = screen_any_param(s);
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
		break;
	case '(':
	case ')':
	case '#':
	case '%':
		s->state = SCREEN_SHIFT;
		s->first = (char)c;
		break;
	case '=':
	case '>':
		s->keypad = c == '=';
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
	}
}

static void
screen_byte(struct screen *s, uint8_t c)
{
	if (c == ESC)
		s->state = SCREEN_ESCAPE;
	else if (c == CANCEL || c == SUBST)
		s->state = SCREEN_GROUND;
	else if (s->state == SCREEN_STRING)
		s->state = c == BEL ? SCREEN_GROUND : SCREEN_STRING;
	else if (c == SO || c == SI)
		s->graphics = c == SO;
	else if (c < ' ')
		return;
	else if (s->state == SCREEN_ESCAPE)
		screen_after_escape(s, c);
	else if (s->state == SCREEN_CSI)
		screen_in_sequence(s, c);
	else if (s->state == SCREEN_SHIFT) {
		if (s->first == '(')
			s->graphics = c != 'B';
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

void
screen_watch(struct screen *s, const uint8_t *p, size_t n)
{
	const uint8_t *end = p + n;

	while (p < end) {
		if (s->state == SCREEN_GROUND)
			p = screen_skip_text(p, end);
		if (p < end)
			screen_byte(s, *p++);
	}
}

/* --- taking it back --- */

struct screen_text {
	char *p;
	size_t n;
};

static void
screen_put(struct screen_text *t, const char *what)
{
	size_t n = strlen(what);

	if (t->n + n > SCREEN_UNDO_MAX)
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
	struct screen_text t = { .p = undo };

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
