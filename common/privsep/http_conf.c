/* SPDX-License-Identifier: ISC */
/* The configuration of the browser terminal, as a message. */
#include "common/privsep/http_conf.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"

int
http_list_add(struct http_list *l, const char *word)
{
	if (l->n == HTTP_LIST_MAX || strlen(word) > HTTP_WORD_MAX)
		return SKY_ERR_LIMIT;
	if ((l->word[l->n] = strdup(word)) == NULL)
		return SKY_ERR_NOMEM;
	l->n++;
	return 0;
}

static int
http_list_put(struct buf *b, const struct http_list *l)
{
	int r = buf_put_u32(b, (uint32_t)l->n);

	for (size_t i = 0; r == 0 && i < l->n; i++)
		r = buf_put_cstring(b, l->word[i]);
	return r;
}

static int
http_list_get(struct buf *b, struct http_list *l)
{
	uint32_t n;
	int r;

	if ((r = buf_get_u32(b, &n)) != 0)
		return r;
	if (n > HTTP_LIST_MAX)
		return SKY_ERR_LIMIT;
	for (; r == 0 && l->n < n; l->n += r == 0)
		r = buf_get_cstring(b, &l->word[l->n], HTTP_WORD_MAX);
	return r;
}

/* Each member that is a string, a list, a flag or a number, in this order. */
#define STRINGS(c)                                                  \
	&(c)->root, &(c)->base, &(c)->title, &(c)->cert, &(c)->key, \
	    &(c)->auth_header, &(c)->cmd, &(c)->cookie
#define LISTS(c) &(c)->arg, &(c)->commands, &(c)->hosts, &(c)->origins
#define FLAGS(c)                                                        \
	&(c)->drop, &(c)->best_effort, &(c)->any_literal, &(c)->secure, \
	    &(c)->no_auth, &(c)->readonly, &(c)->once
#define NUMBERS(c) &(c)->max_clients, &(c)->idle_s, &(c)->session_s
#define LENGTH(a)  (sizeof(a) / sizeof((a)[0]))

int
http_conf_put(struct buf *b, const struct http_conf *c)
{
	char *const *const strings[] = { STRINGS(c) };
	const struct http_list *const lists[] = { LISTS(c) };
	const bool *const flags[] = { FLAGS(c) };
	const uint32_t *const numbers[] = { NUMBERS(c) };
	int r;

	if ((r = buf_put_u32(b, c->uid)) != 0 ||
	    (r = buf_put_u32(b, c->gid)) != 0)
		return r;
	for (size_t i = 0; r == 0 && i < LENGTH(strings); i++)
		r = buf_put_cstring(b, *strings[i]);
	for (size_t i = 0; r == 0 && i < LENGTH(lists); i++)
		r = http_list_put(b, lists[i]);
	for (size_t i = 0; r == 0 && i < LENGTH(flags); i++)
		r = buf_put_u8(b, *flags[i]);
	for (size_t i = 0; r == 0 && i < LENGTH(numbers); i++)
		r = buf_put_u32(b, *numbers[i]);
	return r;
}

int
http_conf_get(struct buf *b, struct http_conf *c)
{
	char **const strings[] = { STRINGS(c) };
	struct http_list *const lists[] = { LISTS(c) };
	bool *const flags[] = { FLAGS(c) };
	uint32_t *const numbers[] = { NUMBERS(c) };
	uint32_t uid, gid;
	uint8_t v = 0;
	int r;

	memset(c, 0, sizeof(*c));
	if ((r = buf_get_u32(b, &uid)) != 0 || (r = buf_get_u32(b, &gid)) != 0)
		return r;
	c->uid = uid;
	c->gid = gid;
	for (size_t i = 0; r == 0 && i < LENGTH(strings); i++)
		r = buf_get_cstring(b, strings[i], HTTP_WORD_MAX);
	for (size_t i = 0; r == 0 && i < LENGTH(lists); i++)
		r = http_list_get(b, lists[i]);
	for (size_t i = 0; r == 0 && i < LENGTH(flags); i++) {
		r = buf_get_u8(b, &v);
		*flags[i] = r == 0 && v != 0;
	}
	for (size_t i = 0; r == 0 && i < LENGTH(numbers); i++)
		r = buf_get_u32(b, numbers[i]);
	return r == 0 ? buf_at_end(b) : r;
}

void
http_conf_free(struct http_conf *c)
{
	char **const strings[] = { STRINGS(c) };
	struct http_list *const lists[] = { LISTS(c) };

	for (size_t i = 0; i < LENGTH(strings); i++)
		free(*strings[i]);
	for (size_t i = 0; i < LENGTH(lists); i++)
		for (size_t j = 0; j < lists[i]->n; j++)
			free(lists[i]->word[j]);
	memset(c, 0, sizeof(*c));
}
