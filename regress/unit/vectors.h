/* SPDX-License-Identifier: ISC */
/*
 * Test vectors: text files of "name = value", "name=value" and "c>s value"
 * lines.  A "#" comment is kept as a line of that name, as some of them show
 * intermediate values.  Include behind cmocka.h; what is missing or malformed
 * fails the test.
 */
#ifndef REGRESS_UNIT_VECTORS_H
#define REGRESS_UNIT_VECTORS_H

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/hex.h"

#define VEC_FILE_MAX (1024U * 1024)
#define VEC_LINE_MAX 4096 /* lines of a file */

struct vec_line {
	char *name;
	char *value;
};

struct vectors {
	char *text;
	struct vec_line line[VEC_LINE_MAX];
	size_t n;
};

static inline char *
vec_strip(char *s)
{
	char *end = s + strlen(s);

	while (end > s && isspace((unsigned char)end[-1]))
		*--end = '\0';
	while (isspace((unsigned char)*s))
		s++;
	return s;
}

/* "c>s" and "s>c" have no equals sign, everything else has. */
static inline void
vec_split(struct vec_line *l, char *s)
{
	static char comment[] = "#", cs[] = "c>s", sc[] = "s>c";
	char *eq;

	if (*s == '#') {
		*l = (struct vec_line){ comment, vec_strip(s + 1) };
	} else if (strncmp(s, cs, 3) == 0 || strncmp(s, sc, 3) == 0) {
		l->name = *s == 'c' ? cs : sc;
		l->value = vec_strip(s + 3);
	} else if (strncmp(s, "conn", 4) == 0 && strchr(s, '=') == NULL) {
		*l = (struct vec_line){ s, comment + 1 }; /* without a value */
	} else {
		if ((eq = strchr(s, '=')) == NULL)
			fail_msg("no vector line: %s", s);
		*eq = '\0';
		*l = (struct vec_line){ vec_strip(s), vec_strip(eq + 1) };
	}
}

static inline char *
vec_slurp(const char *file)
{
	const char *dir = getenv("SKYPTY_VECTORS");
	char path[1024], *text = calloc(1, VEC_FILE_MAX);
	FILE *f = NULL;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s",
	    dir != NULL ? dir : "regress/vectors", file);
	if (text == NULL || (f = fopen(path, "r")) == NULL)
		fail_msg("%s cannot be read", path);
	n = fread(text, 1, VEC_FILE_MAX - 1, f);
	if (n == 0 || !feof(f))
		fail_msg("%s is empty or too long", path);
	fclose(f);
	return text;
}

/* vec_free() it. */
static inline struct vectors *
vec_load(const char *file)
{
	struct vectors *v = calloc(1, sizeof(*v));
	char *s, *rest;

	assert_non_null(v);
	v->text = vec_slurp(file);
	for (rest = v->text; (s = strsep(&rest, "\n")) != NULL;) {
		if (*(s = vec_strip(s)) == '\0')
			continue;
		assert_true(v->n < VEC_LINE_MAX);
		vec_split(&v->line[v->n++], s);
	}
	return v;
}

static inline void
vec_free(struct vectors *v)
{
	free(v->text);
	free(v);
}

/* Index of the first line of that name at or behind from; v->n if none. */
static inline size_t
vec_find(const struct vectors *v, size_t from, const char *name)
{
	while (from < v->n && strcmp(v->line[from].name, name) != 0)
		from++;
	return from;
}

static inline const char *
vec_value(const struct vectors *v, size_t from, const char *name)
{
	size_t i = vec_find(v, from, name);

	if (i == v->n)
		fail_msg("no vector named %s", name);
	return v->line[i].value;
}

/* Appends what the text stands for: hex, or "N bytes of 0xHH". */
static inline void
vec_put(struct buf *b, const char *text)
{
	size_t n, times;
	unsigned byte;
	uint8_t *p;

	if (sscanf(text, "%zu bytes of %x", &times, &byte) == 2) {
		assert_int_equal(buf_extend(b, times, &p), 0);
		memset(p, (int)byte, times);
		return;
	}
	n = strlen(text) / 2;
	assert_int_equal(buf_extend(b, n, &p), 0);
	if (hex_decode(text, p, n) != 0)
		fail_msg("no hex: %s", text);
}

/* A value as a new buffer's content. */
static inline void
vec_buf(const struct vectors *v, size_t from, const char *name, struct buf *b)
{
	buf_init(b, VEC_FILE_MAX);
	vec_put(b, vec_value(v, from, name));
}

/* A value of exactly n bytes. */
static inline void
vec_bytes(const struct vectors *v, size_t from, const char *name, void *p,
    size_t n)
{
	if (hex_decode(vec_value(v, from, name), p, n) != 0)
		fail_msg("%s is not %zu bytes of hex", name, n);
}

/* All values of a name one behind the other, e.g. of "c>s". */
static inline void
vec_stream(const struct vectors *v, const char *name, struct buf *b)
{
	buf_init(b, VEC_FILE_MAX);
	for (size_t i = vec_find(v, 0, name); i < v->n;
	     i = vec_find(v, i + 1, name))
		vec_put(b, v->line[i].value);
}

#endif
