/* SPDX-License-Identifier: ISC */
/* A strict wrapper around yajl's streaming parser. */
#include "common/base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "common/base/buf.h"
#include "common/base/err.h"

#define KEYS_MAX 1024 /* members of one object */
#define PATH_LEN 256

/* An object or array that is open. */
struct level {
	bool is_object;
	size_t index; /* of the next element */
	char **keys;  /* met so far; the last one is of the value to come */
	size_t nkeys;
	size_t path_len; /* of the path to this container */
};

struct parser {
	json_handler *handle;
	void *arg;
	yajl_handle yajl;
	size_t n;	/* bytes of the text */
	bool finishing; /* all of them have been consumed */
	int error;	/* the first one */
	char problem[192];
	struct level level[JSON_DEPTH_MAX + 1];
	int depth; /* open containers */
	char path[PATH_LEN];
};

static int
json_fail(struct parser *p, int error, const char *what)
{
	if (p->error == 0) {
		p->error = error;
		snprintf(p->problem, sizeof(p->problem), "%s", what);
	}
	return 0;
}

static int
fail_duplicate(struct parser *p, const char *key)
{
	char what[128];

	snprintf(what, sizeof(what), "duplicate key \"%.100s\"", key);
	return json_fail(p, SKY_ERR_FORMAT, what);
}

static struct level *
json_top(struct parser *p)
{
	return p->depth > 0 ? &p->level[p->depth - 1] : NULL;
}

static const char *
current_key(const struct level *l)
{
	return l != NULL && l->is_object && l->nkeys > 0 ?
	    l->keys[l->nkeys - 1] :
	    NULL;
}

/* Writes the path of the value to come behind that of its container. */
static void
extend_path(struct parser *p, const struct level *l)
{
	size_t at = l != NULL ? l->path_len : 0;
	char *end = p->path + at;

	if (l == NULL)
		*end = '\0';
	else if (l->is_object)
		snprintf(end, PATH_LEN - at, "%s%s", at > 0 ? "." : "",
		    current_key(l));
	else
		snprintf(end, PATH_LEN - at, "[%zu]", l->index);
}

/* How far we are.  yajl_complete_parse() begins to count anew. */
static size_t
json_consumed(const struct parser *p)
{
	return p->finishing ? p->n : yajl_get_bytes_consumed(p->yajl);
}

/* Tells the handler; 1 is yajl's word for going on. */
static int
json_tell(struct parser *p, struct json_event *e)
{
	struct level *l = json_top(p);
	int r;

	e->depth = p->depth;
	e->end = json_consumed(p);
	e->key = current_key(l);
	e->index = l != NULL ? l->index : 0;
	e->path = p->path;
	extend_path(p, l);
	if ((r = p->handle(p->arg, e)) != 0)
		return json_fail(p, r, "");
	return 1;
}

static int
tell_value(struct parser *p, struct json_event *e)
{
	struct level *l = json_top(p);
	int r = json_tell(p, e);

	if (l != NULL)
		l->index++;
	return r;
}

static int
on_null(void *arg)
{
	struct parser *p = arg;
	struct json_event e = { .type = JSON_NULL,
		.start = json_consumed(p) - 4 };

	return tell_value(p, &e);
}

static int
on_bool(void *arg, int truth)
{
	struct json_event e = { .type = JSON_BOOL, .truth = truth != 0 };

	return tell_value(arg, &e);
}

/* The text as a C string of its own for the time of the call. */
static int
json_tell_text(struct parser *p, enum json_type type, const void *s, size_t n)
{
	struct json_event e = { .type = type, .len = n };
	char *copy;
	int r;

	if (memchr(s, '\0', n) != NULL)
		return json_fail(p, SKY_ERR_FORMAT, "NUL in a string");
	if ((copy = strndup(s, n)) == NULL)
		return json_fail(p, SKY_ERR_NOMEM, "out of memory");
	e.text = copy;
	r = tell_value(p, &e);
	explicit_bzero(copy, n);
	free(copy);
	return r;
}

static int
on_number(void *arg, const char *s, size_t n)
{
	return json_tell_text(arg, JSON_NUMBER, s, n);
}

static int
on_string(void *arg, const unsigned char *s, size_t n)
{
	return json_tell_text(arg, JSON_STRING, s, n);
}

static int
on_key(void *arg, const unsigned char *s, size_t n)
{
	struct parser *p = arg;
	struct level *l = json_top(p);
	char **grown, *key;

	if (memchr(s, '\0', n) != NULL)
		return json_fail(p, SKY_ERR_FORMAT, "NUL in a key");
	if (l->nkeys == KEYS_MAX)
		return json_fail(p, SKY_ERR_LIMIT, "too many keys");
	if ((key = strndup((const char *)s, n)) == NULL ||
	    (grown = reallocarray(l->keys, l->nkeys + 1, sizeof(*grown))) ==
		NULL) {
		free(key);
		return json_fail(p, SKY_ERR_NOMEM, "out of memory");
	}
	l->keys = grown;
	for (size_t i = 0; i < l->nkeys; i++)
		if (strcmp(l->keys[i], key) == 0) {
			fail_duplicate(p, key);
			free(key);
			return 0;
		}
	l->keys[l->nkeys++] = key;
	return 1;
}

static int
open_level(struct parser *p, bool is_object)
{
	struct json_event e = { .type = is_object ? JSON_OBJECT : JSON_ARRAY,
		.start = json_consumed(p) - 1 };

	if (p->depth == JSON_DEPTH_MAX)
		return json_fail(p, SKY_ERR_LIMIT, "nested too deeply");
	if (json_tell(p, &e) == 0)
		return 0;
	p->level[p->depth++] = (struct level){ .is_object = is_object,
		.path_len = strlen(p->path) };
	return 1;
}

static int
on_open_object(void *arg)
{
	return open_level(arg, true);
}

static int
on_open_array(void *arg)
{
	return open_level(arg, false);
}

static void
close_level(struct parser *p)
{
	struct level *l = json_top(p);

	for (size_t i = 0; i < l->nkeys; i++)
		free(l->keys[i]);
	free(l->keys);
	p->depth--;
}

static int
json_on_close(void *arg)
{
	struct json_event e = { .type = JSON_END };

	close_level(arg);
	return tell_value(arg, &e);
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_bool,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_open_object,
	.yajl_map_key = on_key,
	.yajl_end_map = json_on_close,
	.yajl_start_array = on_open_array,
	.yajl_end_array = json_on_close,
};

static size_t
line_at(const char *text, size_t n)
{
	size_t line = 1;

	for (size_t i = 0; i < n; i++)
		line += text[i] == '\n';
	return line;
}

/* yajl's own words, without the excerpt of the text, which may be secret. */
static void
take_syntax_error(struct parser *p, const char *text, size_t n)
{
	unsigned char *words =
	    yajl_get_error(p->yajl, 0, (const unsigned char *)text, n);
	char line[128];

	snprintf(line, sizeof(line), "%s",
	    words != NULL ? (const char *)words : "malformed");
	line[strcspn(line, "\n")] = '\0';
	yajl_free_error(p->yajl, words);
	json_fail(p, SKY_ERR_FORMAT, line);
}

int
json_parse(const char *text, size_t n, json_handler *handle, void *arg,
    char *why, size_t whylen)
{
	struct parser p = { .handle = handle, .arg = arg, .n = n };

	if ((p.yajl = yajl_alloc(&callbacks, NULL, &p)) == NULL)
		return SKY_ERR_NOMEM;
	if (memchr(text, '\0', n) != NULL)
		json_fail(&p, SKY_ERR_FORMAT, "NUL byte");
	else if (yajl_parse(p.yajl, (const unsigned char *)text, n) !=
	    yajl_status_ok)
		take_syntax_error(&p, text, n);
	p.finishing = p.error == 0;
	if (p.finishing && yajl_complete_parse(p.yajl) != yajl_status_ok)
		take_syntax_error(&p, text, n);
	if (p.error != 0 && why != NULL)
		snprintf(why, whylen, "line %zu: %s",
		    line_at(text, json_consumed(&p)), p.problem);
	while (p.depth > 0)
		close_level(&p);
	yajl_free(p.yajl);
	return p.error;
}

static int
put_escaped(struct buf *b, unsigned char c)
{
	char text[8];

	if (c == '"' || c == '\\')
		snprintf(text, sizeof(text), "\\%c", c);
	else if (c < ' ')
		snprintf(text, sizeof(text), "\\u%04x", c);
	else
		snprintf(text, sizeof(text), "%c", c);
	return buf_put(b, text, strlen(text));
}

int
json_put_string(struct buf *b, const char *s, size_t n)
{
	int r = buf_put_u8(b, '"');

	for (size_t i = 0; r == 0 && i < n; i++)
		r = put_escaped(b, (unsigned char)s[i]);
	return r == 0 ? buf_put_u8(b, '"') : r;
}
