/* SPDX-License-Identifier: ISC */
/* Text of strangers, made fit to be shown. */
#include "common/base/visible.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Characters without looks, or with an effect on others; in order. */
static const struct {
	uint32_t first, last;
} hidden[] = {
	{ 0x00, 0x1f },		 /* C0 */
	{ 0x7f, 0xa0 },		 /* DEL, C1, a space that is none */
	{ 0xad, 0xad },		 /* soft hyphen */
	{ 0x34f, 0x34f },	 /* joiner */
	{ 0x61c, 0x61c },	 /* direction */
	{ 0x115f, 0x1160 },	 /* fillers */
	{ 0x1680, 0x1680 },	 /* space */
	{ 0x17b4, 0x17b5 },	 /* vowels that are not seen */
	{ 0x180b, 0x180f },	 /* selectors */
	{ 0x2000, 0x200f },	 /* spaces, without width, direction */
	{ 0x2028, 0x202f },	 /* ends of lines, direction, space */
	{ 0x205f, 0x206f },	 /* space, operators, direction */
	{ 0x2800, 0x2800 },	 /* no dots */
	{ 0x3164, 0x3164 },	 /* filler */
	{ 0xd800, 0xf8ff },	 /* surrogates, private use */
	{ 0xfdd0, 0xfdef },	 /* none */
	{ 0xfe00, 0xfe0f },	 /* selectors */
	{ 0xfeff, 0xfeff },	 /* byte order */
	{ 0xffa0, 0xffa0 },	 /* filler */
	{ 0xfff0, 0xffff },	 /* annotations, replacement, none */
	{ 0x1bca0, 0x1bca3 },	 /* of shorthand */
	{ 0x1d173, 0x1d17a },	 /* of music */
	{ 0xe0000, UINT32_MAX }, /* tags, private use, none */
};

static bool
visible_shows(uint32_t code)
{
	if ((code & 0xfffe) == 0xfffe)
		return false;
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (code <= hidden[i].last)
			return code < hidden[i].first;
	return true;
}

/*
 * Bytes of the character at p, which n bytes follow: 0 for none that is
 * well-formed (RFC 3629).
 */
static size_t
visible_decode(const uint8_t *p, size_t n, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len;

	if (p[0] < 0x80) {
		*code = p[0];
		return 1;
	}
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (n < len)
		return 0;
	*code = p[0] & (0x7fU >> len);
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (p[i] & 0x3f);
	}
	if (*code < least[len] || *code > 0x10ffff ||
	    (*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return len;
}

/*
 * Where nothing is said, a terminal of today is meant.  In other character sets
 * parts of characters are controls.
 */
static bool
visible_is_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	const char *value;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if ((value = getenv(names[i])) != NULL && *value != '\0')
			return strcasestr(value, "utf-8") != NULL ||
			    strcasestr(value, "utf8") != NULL;
	return true;
}

/* One escape; its length. */
static size_t
visible_escape(char out[16], uint32_t code, bool is_byte)
{
	static const char plain[] = "\a\b\t\n\v\f\r";
	const char *at;

	if (code == '\\')
		return (size_t)snprintf(out, 16, "\\\\");
	if (code != 0 && code < ' ' && (at = strchr(plain, (int)code)) != NULL)
		return (size_t)snprintf(out, 16, "\\%c", "abtnvfr"[at - plain]);
	if (is_byte || code < 0x80)
		return (size_t)snprintf(out, 16, "\\%03o", code);
	if (code <= 0xffff)
		return (size_t)snprintf(out, 16, "\\u%04x", code);
	return (size_t)snprintf(out, 16, "\\U%08x", code);
}

size_t
visible_text(char *dst, size_t size, const void *src, size_t n, int flags)
{
	const uint8_t *p = src, *end = p + n;
	bool utf8 = visible_is_utf8();
	char escape[16];
	size_t out = 0, len, put;
	uint32_t code;

	if (size == 0)
		return 0;
	for (; p < end; p += len) {
		len = visible_decode(p, (size_t)(end - p), &code);
		if (len > 1 && !utf8)
			len = 0;
		if (len != 0 && visible_shows(code) &&
		    (code != '\\' || !(flags & VISIBLE_SLASH))) {
			if (size - out <= len)
				break;
			memcpy(dst + out, p, len);
			out += len;
			continue;
		}
		put = visible_escape(escape, len != 0 ? code : *p, len == 0);
		if (size - out <= put)
			break;
		memcpy(dst + out, escape, put);
		out += put;
		if (len == 0)
			len = 1;
	}
	dst[out] = '\0';
	return out;
}

void
visible_vline(FILE *f, const char *end, const char *fmt, va_list ap)
{
	char *raw, *text;
	size_t n;
	int len;

	if ((len = vasprintf(&raw, fmt, ap)) < 0)
		return;
	n = VISIBLE_GROWTH * (size_t)len + 1;
	if ((text = malloc(n)) != NULL) {
		visible_text(text, n, raw, (size_t)len, 0);
		fprintf(f, "%s%s", text, end);
	}
	free(text);
	free(raw);
}

void
visible_line(FILE *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	visible_vline(f, "\n", fmt, ap);
	va_end(ap);
}

int
visible_json(struct buf *b, const void *src, size_t n)
{
	const uint8_t *p = src, *end = p + n;
	bool utf8 = visible_is_utf8();
	char text[16];
	uint32_t code;
	size_t len;
	int r = 0;

	for (; r == 0 && p < end; p += len) {
		len = visible_decode(p, (size_t)(end - p), &code);
		if (len != 0 && (code == '\t' || code == '\r')) {
			r = buf_put(b, " ", 1);
			continue;
		}
		if ((len == 1 && (visible_shows(code) || code == '\n')) ||
		    (len > 1 && utf8 && visible_shows(code))) {
			r = buf_put(b, p, len);
			continue;
		}
		if (len == 0) {
			len = 1;
			code = 0xfffd;
		}
		if (code <= 0xffff)
			snprintf(text, sizeof(text), "\\u%04x", code);
		else
			snprintf(text, sizeof(text), "\\u%04x\\u%04x",
			    0xd800 + ((code - 0x10000) >> 10),
			    0xdc00 + ((code - 0x10000) & 0x3ff));
		r = buf_put(b, text, strlen(text));
	}
	return r;
}

int
visible_columns(const char *text, int max, size_t *cut)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t left = strlen(text), len;
	int columns = 0, width;
	uint32_t code;

	for (; left > 0; p += len, left -= len) {
		if ((len = visible_decode(p, left, &code)) == 0)
			break;
		/* The first of the wide ones are Hangul's. */
		width = code < 0x1100 ? 1 : 2;
		if (columns + width > max)
			break;
		columns += width;
	}
	*cut = (size_t)((const char *)p - text);
	return columns;
}
