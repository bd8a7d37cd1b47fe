/* SPDX-License-Identifier: ISC */
/* Text messages of a page: sizes, how much has been shown, are you there. */
#include "daemon/http/http_text.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/json.h"

struct text_reader {
	struct http_said said;
	char type[16];
	double cols, rows, bytes, id;
};

static int
text_on_event(void *arg, const struct json_event *e)
{
	struct text_reader *r = arg;

	if (e->depth == 0 && e->type != JSON_OBJECT && e->type != JSON_END)
		return SKY_ERR_TYPE;
	if (e->depth != 1 || e->key == NULL)
		return 0;
	if (strcmp(e->key, "type") == 0 && e->type == JSON_STRING)
		strlcpy(r->type, e->text, sizeof(r->type));
	else if (e->type != JSON_NUMBER)
		return 0;
	else if (strcmp(e->key, "cols") == 0)
		r->cols = strtod(e->text, NULL);
	else if (strcmp(e->key, "rows") == 0)
		r->rows = strtod(e->text, NULL);
	else if (strcmp(e->key, "bytes") == 0)
		r->bytes = strtod(e->text, NULL);
	else if (strcmp(e->key, "id") == 0)
		r->id = strtod(e->text, NULL);
	return 0;
}

static bool
is_size(double v)
{
	return v >= 1 && v <= UINT16_MAX && v == (uint16_t)v;
}

/* Beyond it not every number is one that a page can say. */
static bool
is_count(double v)
{
	return v >= 0 && v < 9e15;
}

/* A message of an unknown type is as good as none; other text is typed. */
bool
text_read(const char *text, size_t n, struct http_said *said)
{
	struct text_reader r = { .id = -1 };

	*said = (struct http_said){ .what = SAID_NOTHING };
	if (n == 0 || *text != '{' ||
	    json_parse(text, n, text_on_event, &r, NULL, 0) != 0)
		return false;
	if (strcmp(r.type, "resize") == 0) {
		if (is_size(r.cols) && is_size(r.rows)) {
			said->what = SAID_RESIZE;
			said->cols = (uint16_t)r.cols;
			said->rows = (uint16_t)r.rows;
		}
		return true; /* out of range: ignored, never typed */
	}
	if (strcmp(r.type, "ack") == 0) {
		if (is_count(r.bytes)) {
			said->what = SAID_ACK;
			said->bytes = (uint64_t)r.bytes;
		}
		return true;
	}
	if (strcmp(r.type, "ping") == 0) {
		if (is_count(r.id)) {
			said->what = SAID_PING;
			said->id = (uint64_t)r.id;
		}
		return true;
	}
	return false;
}

static const char *
find_command(const struct http_list *l, const char *name, size_t n)
{
	for (size_t i = 0; i < l->n; i++)
		if (strncmp(l->word[i], name, n) == 0 && l->word[i][n] == '=')
			return l->word[i] + n + 1;
	return NULL;
}

bool
text_commands(const struct http_list *l, const char *names, struct buf *out)
{
	const char *text;
	size_t n;

	for (; *names != '\0'; names += n + (names[n] == ',')) {
		n = strcspn(names, ",");
		if ((text = find_command(l, names, n)) == NULL)
			return false;
		if ((buf_len(out) != 0 && buf_put(out, " && ", 4) != 0) ||
		    buf_put(out, text, strlen(text)) != 0)
			return false;
	}
	return buf_len(out) == 0 || buf_put_u8(out, '\n') == 0;
}
