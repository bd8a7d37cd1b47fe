/* SPDX-License-Identifier: ISC */
/*
 * cast: whatever a terminal is sent, each line is JSON, no longer than it may
 * get, and the text is the same wherever the kernel has cut it.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/cast.h"
#include "common/base/err.h"
#include "common/base/json.h"

#define PIECE_MAX 64
#define OPENED	  "[0.000000, \"o\", \""
#define CLOSED	  "\"]\n"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

/* A text, or the time and the code before it. */
static int
on_event(void *arg, const struct json_event *e)
{
	int *n = arg;

	if (e->depth == 1 && e->type != JSON_END)
		require(e->type == ((*n)++ == 0 ? JSON_NUMBER : JSON_STRING));
	return 0;
}

/* One line, or none; its text goes to text. */
static void
take_line(struct buf *line, struct buf *text, bool parse)
{
	const char *p = (const char *)buf_ptr(line);
	size_t n = buf_len(line);
	int values = 0;

	if (n == 0)
		return;
	require(n > strlen(OPENED) + strlen(CLOSED));
	require(memcmp(p, OPENED, strlen(OPENED)) == 0);
	require(memcmp(p + n - strlen(CLOSED), CLOSED, strlen(CLOSED)) == 0);
	require(memchr(p, '\n', n) == p + n - 1);
	if (parse) {
		require(json_parse(p, n - 1, on_event, &values, NULL, 0) == 0);
		require(values == 3);
	}
	require(buf_put(text, p + strlen(OPENED),
		    n - strlen(OPENED) - strlen(CLOSED)) == 0);
	buf_reset(line);
}

/* In pieces as long as the seed says, or as one. */
static void
record(const uint8_t *data, size_t len, unsigned seed, struct buf *text)
{
	/* A NUL in a string is not what our reader takes. */
	const bool parse = memchr(data, 0, len) == NULL;
	struct cast_text t = { .left = 0 };
	struct buf line;
	size_t n;

	for (size_t at = 0; at < len; at += n) {
		n = len - at;
		if (seed != 0 && n > seed % PIECE_MAX + 1)
			n = seed % PIECE_MAX + 1;
		seed = seed * 31 + (seed != 0);
		buf_init(&line, n * CAST_GROWTH + CAST_EVENT);
		require(cast_put_event(&line, 0, CAST_OUTPUT, &t, data + at,
			    n) == 0);
		take_line(&line, text, parse);
		buf_free(&line);
	}
	buf_init(&line, CAST_EVENT);
	require(cast_put_end(&line, 0, CAST_OUTPUT, &t) == 0);
	take_line(&line, text, parse);
	buf_free(&line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct buf whole, cut;

	if (len < 2)
		return 0;
	buf_init(&whole, len * CAST_GROWTH);
	buf_init(&cut, len * CAST_GROWTH);
	record(data + 1, len - 1, 0, &whole);
	record(data + 1, len - 1, data[0] + 1U, &cut);
	require(buf_len(&whole) == buf_len(&cut));
	require(memcmp(buf_ptr(&whole), buf_ptr(&cut), buf_len(&cut)) == 0);
	buf_free(&whole);
	buf_free(&cut);
	return 0;
}
