/* SPDX-License-Identifier: ISC */
/*
 * A strict wrapper around yajl's streaming parser: one value, no comments, no
 * trailing bytes, UTF-8 (as well-formed as yajl wants it: overlong forms and
 * surrogates pass), bounded nesting, no duplicate keys.
 */
#ifndef COMMON_BASE_JSON_H
#define COMMON_BASE_JSON_H

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

#define JSON_DEPTH_MAX 16

enum json_type {
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_OBJECT, /* begins; its members follow, then JSON_END */
	JSON_ARRAY,  /* begins; its elements follow, then JSON_END */
	JSON_END
};

struct json_event {
	enum json_type type;
	int depth;	  /* 0 for the outermost value */
	const char *key;  /* of the member this is, NULL in an array */
	size_t index;	  /* of the element this is */
	const char *path; /* "a.b[3]", for messages */
	const char *text; /* string's or number's text, NUL-terminated */
	size_t len;	  /* of text */
	bool truth;
	size_t start; /* first byte of a JSON_NULL, _OBJECT or _ARRAY */
	size_t end;   /* behind the last byte of this value or JSON_END */
};

/* Returns 0 to go on, or a SKY_ERR_* that json_parse returns. */
typedef int json_handler(void *arg, const struct json_event *);

/*
 * SKY_ERR_FORMAT with a line in why (if not NULL) such as "line 3: duplicate
 * key \"wl\""; or what the handler returned.
 */
int json_parse(const char *text, size_t n, json_handler *, void *arg, char *why,
    size_t whylen);
/* Appends s quoted and escaped as a JSON string; returns 0 or SKY_ERR_*. */
struct buf;
int json_put_string(struct buf *, const char *s, size_t n);

#endif
