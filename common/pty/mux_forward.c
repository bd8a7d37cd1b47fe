/* SPDX-License-Identifier: ISC */
/*
 * The requests of forwarded connections: host=H&port=N, path=P and the like,
 * with all but letters, digits and "-._~" escaped.
 */
#include "common/pty/mux_forward.h"

#include <stdio.h>
#include <string.h>

#include "common/base/err.h"
#include "common/pty/mux_text.h"

/* --- writing --- */

static int
forward_put(struct buf *b, const char *text)
{
	return buf_put(b, text, strlen(text));
}

/* "name=value", the value escaped. */
static int
forward_put_text(struct buf *b, const char *name, const char *value)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~";
	char escape[4];
	int r;

	if ((r = forward_put(b, name)) == 0)
		r = forward_put(b, "=");
	for (; r == 0 && *value != '\0'; value++) {
		if (strchr(plain, *value) != NULL) {
			r = buf_put(b, value, 1);
			continue;
		}
		snprintf(escape, sizeof(escape), "%%%02X",
		    (unsigned)(uint8_t)*value);
		r = forward_put(b, escape);
	}
	return r;
}

static int
forward_put_number(struct buf *b, const char *name, uint32_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%s=%u", name, value);
	return forward_put(b, text);
}

static int
forward_put_place(struct buf *b, const char *name, const struct mux_place *p)
{
	int r;

	if (p->is_path)
		return forward_put_text(b, "path", p->name);
	if ((r = forward_put_text(b, name, p->name)) != 0)
		return r;
	return forward_put_number(b, "&port", p->port);
}

static int
forward_finish(struct buf *b, int r, char uri[MUX_URI_MAX + 1])
{
	size_t n = buf_len(b);

	if (r == 0)
		r = buf_get(b, uri, n);
	if (r == 0)
		uri[n] = '\0';
	buf_free(b);
	return r;
}

int
mux_forward_uri(char uri[MUX_URI_MAX + 1], const struct mux_place *p)
{
	struct buf b;
	int r;

	buf_init(&b, MUX_URI_MAX);
	if ((r = forward_put(&b, MUX_URI_FORWARD "?")) == 0)
		r = forward_put_place(&b, "host", p);
	return forward_finish(&b, r, uri);
}

int
mux_listen_uri(char uri[MUX_URI_MAX + 1], uint32_t id,
    const struct mux_place *p)
{
	struct buf b;
	int r;

	buf_init(&b, MUX_URI_MAX);
	if ((r = forward_put_number(&b, MUX_URI_LISTEN "?id", id)) == 0 &&
	    (r = forward_put(&b, "&")) == 0)
		r = forward_put_place(&b, "address", p);
	return forward_finish(&b, r, uri);
}

int
mux_accepted_uri(char uri[MUX_URI_MAX + 1], const struct mux_accepted *a)
{
	struct buf b;
	int r;

	buf_init(&b, MUX_URI_MAX);
	if ((r = forward_put_number(&b, MUX_URI_ACCEPTED "?id", a->id)) == 0 &&
	    (r = forward_put_text(&b, "&from", a->from)) == 0)
		r = forward_put_number(&b, "&port", a->port);
	return forward_finish(&b, r, uri);
}

/* --- reading --- */

static int
forward_number(const char *text, uint32_t max, uint32_t *value)
{
	uint64_t n = 0;

	if (*text == '\0')
		return SKY_ERR_FORMAT;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return SKY_ERR_FORMAT;
		if ((n = n * 10 + (uint64_t)(*text - '0')) > max)
			return SKY_ERR_FORMAT;
	}
	*value = (uint32_t)n;
	return 0;
}

static int
forward_get_number(const struct buf *query, const char *name, uint32_t max,
    uint32_t *value)
{
	char text[MUX_TEXT_MAX];

	if (mux_setting(*query, name, text) != 0)
		return SKY_ERR_FORMAT;
	return forward_number(text, max, value);
}

static int
forward_get_port(const struct buf *query, uint16_t *port)
{
	uint32_t n;
	int r;

	if ((r = forward_get_number(query, "port", UINT16_MAX, &n)) == 0)
		*port = (uint16_t)n;
	return r;
}

static int
forward_get_place(const struct buf *query, const char *name,
    struct mux_place *p)
{
	memset(p, 0, sizeof(*p));
	p->is_path = mux_setting(*query, "path", p->name) == 0;
	if (p->is_path)
		return *p->name != '\0' ? 0 : SKY_ERR_FORMAT;
	if (mux_setting(*query, name, p->name) != 0)
		return SKY_ERR_FORMAT;
	return forward_get_port(query, &p->port);
}

int
mux_forward_query(struct buf *query, struct mux_place *p)
{
	int r = forward_get_place(query, "host", p);

	if (r == 0 && !p->is_path && (*p->name == '\0' || p->port == 0))
		r = SKY_ERR_FORMAT;
	return r;
}

int
mux_listen_query(struct buf *query, uint32_t *id, struct mux_place *p)
{
	int r;

	if ((r = forward_get_number(query, "id", UINT32_MAX, id)) != 0)
		return r;
	return forward_get_place(query, "address", p);
}

int
mux_accepted_query(struct buf *query, struct mux_accepted *a)
{
	int r;

	memset(a, 0, sizeof(*a));
	if ((r = forward_get_number(query, "id", UINT32_MAX, &a->id)) != 0)
		return r;
	if (mux_setting(*query, "from", a->from) != 0)
		return SKY_ERR_FORMAT;
	return forward_get_port(query, &a->port);
}
