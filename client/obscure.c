/* SPDX-License-Identifier: ISC */
/* When what is typed leaves. */
#include "client/obscure.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/pty/exec_stream.h"

#define LINGER_MS   1000 /* behind the last key, and up to as much again */
#define WAITING_MAX (4 * XS_KEYS_MAX)

bool
obscure_parse(const char *text, int64_t *ms)
{
	static const char interval[] = "interval:";
	const char *problem = NULL;

	if (strcmp(text, "yes") == 0)
		*ms = OBSCURE_MS;
	else if (strcmp(text, "no") == 0)
		*ms = 0;
	else if (strncmp(text, interval, strlen(interval)) == 0)
		*ms = strtonum(text + strlen(interval), 1, OBSCURE_MS_MAX,
		    &problem);
	else
		return false;
	return problem == NULL;
}

void
obscure_init(struct obscure *o, int64_t ms)
{
	*o = (struct obscure){ .interval = ms };
	buf_init(&o->keys, WAITING_MAX);
}

void
obscure_free(struct obscure *o)
{
	buf_free(&o->keys);
}

/* The first key after a pause leaves at once, and is the first beat. */
bool
obscure_keys(struct obscure *o, int64_t now, const struct buf *keys)
{
	if (o->interval == 0 || buf_len(keys) > XS_KEYS_MAX ||
	    buf_put(&o->keys, buf_ptr(keys), buf_len(keys)) != 0)
		return false;
	o->until = now + LINGER_MS + randombytes_uniform(LINGER_MS + 1);
	if (!o->active)
		o->next = now;
	o->active = true;
	return true;
}

bool
obscure_due(const struct obscure *o, int64_t now)
{
	return o->active && now >= o->next;
}

void
obscure_take(struct obscure *o, int64_t now, struct buf *out)
{
	size_t n = buf_len(&o->keys);

	(void)buf_get_view(&o->keys, n < XS_KEYS_MAX ? n : XS_KEYS_MAX, out);
	o->next += o->interval;
	/* Beats that were missed are not made up for. */
	if (o->next <= now)
		o->next = now + o->interval;
	o->active = o->next < o->until || buf_len(&o->keys) != 0;
}

int64_t
obscure_wait(const struct obscure *o, int64_t now)
{
	if (!o->active)
		return -1;
	return o->next > now ? o->next - now : 0;
}
