/* SPDX-License-Identifier: ISC */
/* What a hub forwards: the list of it, and the orders. */
#include "client/forward/forward.h"
#include "client/forward/forward_int.h"
#include "client/hub/hub.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/pty/mux_text.h"

#define LINE_MAX (FORWARD_TEXT_MAX + 4)

static const char forward_no_memory[] = "there is no memory";

/* --- the list --- */

/* Made with the first order; NULL without memory. */
static struct forwards *
forward_all(struct hub *h)
{
	struct forwards *all = hub_arg(h);

	if (all != NULL || (all = calloc(1, sizeof(*all))) == NULL)
		return all;
	all->hub = h;
	all->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	TAILQ_INIT(&all->list);
	TAILQ_INIT(&all->guests);
	TAILQ_INIT(&all->backs);
	TAILQ_INIT(&all->waiting);
	hub_set_arg(h, all);
	return all;
}

static struct forward *
forward_new(struct forwards *all, const struct forward_spec *spec)
{
	struct forward *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->all = all;
	f->spec = *spec;
	f->id = ++all->last_id;
	f->line.fd = f->there = -1;
	for (size_t i = 0; i < FORWARD_DOORS; i++) {
		f->door[i].watch.fd = -1;
		f->door[i].forward = f;
	}
	TAILQ_INSERT_TAIL(&all->list, f, entry);
	all->count++;
	return f;
}

/* Whoever has held it has gone. */
static void
forward_gone(void *arg)
{
	struct forward *f = arg;

	f->owner = NULL;
	forward_drop(f, "");
}

void
forward_stands(struct forward *f)
{
	struct hub_peer *p = f->order;
	char port[16] = "\n";

	if (p == NULL)
		return;
	if (f->spec.way == FORWARD_REMOTE && !f->spec.listen.is_path)
		snprintf(port, sizeof(port), "%u\n", f->spec.listen.port);
	f->order = NULL;
	if ((f->how & FORWARD_HOLD) == 0) {
		hub_reply(p, true, port);
		return;
	}
	f->owner = p;
	hub_keep(p, port, forward_gone, f);
}

void
forward_drop(struct forward *f, const char *why)
{
	struct forwards *all = f->all;

	near_close(f);
	far_close(f);
	if (f->order != NULL)
		hub_reply(f->order, false, why);
	if (f->owner != NULL) {
		forward_tell(f, why);
		hub_drop(f->owner);
	}
	TAILQ_REMOVE(&all->list, f, entry);
	all->count--;
	free(f);
}

void
forward_tell(const struct forward *f, const char *why)
{
	char text[FORWARD_TEXT_MAX], line[FORWARD_TEXT_MAX + FORWARD_WHY_MAX];

	if (f->owner == NULL)
		return;
	forward_spec_text(&f->spec, text);
	snprintf(line, sizeof(line), "-%c %s: %s\n", (char)f->spec.way, text,
	    why);
	hub_say(f->owner, line);
}

struct forward *
forward_by_id(struct hub *h, uint32_t id)
{
	struct forwards *all = hub_arg(h);
	struct forward *f;

	if (all != NULL)
		TAILQ_FOREACH (f, &all->list, entry)
			if (f->id == id)
				return f;
	return NULL;
}

static struct forward *
forward_find(struct forwards *all, const struct forward_spec *spec)
{
	struct forward *f;

	TAILQ_FOREACH (f, &all->list, entry)
		if (forward_spec_same(&f->spec, spec))
			return f;
	return NULL;
}

void
forward_end(struct hub *h)
{
	struct forwards *all = hub_arg(h);

	if (all == NULL)
		return;
	while (!TAILQ_EMPTY(&all->list))
		forward_drop(TAILQ_FIRST(&all->list), "the hub ends");
	while (!TAILQ_EMPTY(&all->guests))
		guest_end(TAILQ_FIRST(&all->guests));
	while (!TAILQ_EMPTY(&all->backs))
		back_end(TAILQ_FIRST(&all->backs));
	while (!TAILQ_EMPTY(&all->waiting))
		back_end(TAILQ_FIRST(&all->waiting));
	if (all->spare != -1)
		close(all->spare);
	free(all);
	hub_set_arg(h, NULL);
}

/* --- orders --- */

/*
 * "?L=SPECIFICATION", "&hold", "&unlink"; what has a meaning in a query is
 * escaped, and no more than that: two paths are to fit in.
 */
int
forward_order_uri(char uri[MUX_URI_MAX + 1], const char *order,
    const struct forward_spec *spec, int how)
{
	char text[FORWARD_TEXT_MAX], *to = uri + strlen(order) + 3;
	const char *end = uri + MUX_URI_MAX - strlen("&hold&unlink") - 3;

	if (strcmp(order, HUB_URI_CANCEL) == 0)
		forward_place_text(&spec->listen, text);
	else
		forward_spec_text(spec, text);
	snprintf(uri, MUX_URI_MAX, "%s?%c=", order, (char)spec->way);
	for (const char *p = text; *p != '\0'; p++) {
		if (to > end)
			return SKY_ERR_LIMIT;
		if (*p > ' ' && *p != 0x7f && strchr("%&;=#+", *p) == NULL)
			*to++ = *p;
		else
			to += snprintf(to, 4, "%%%02X", (unsigned)(uint8_t)*p);
	}
	snprintf(to, MUX_URI_MAX + 1 - (size_t)(to - uri), "%s%s",
	    how & FORWARD_HOLD ? "&hold" : "",
	    how & FORWARD_UNLINK ? "&unlink" : "");
	return 0;
}

typedef const char *forward_parser(struct forward_spec *, enum forward_way,
    const char *text, bool gateway);

/* NULL, or what is wrong. */
static const char *
forward_read_order(struct forward_spec *spec, int *how, struct buf query,
    forward_parser *parse)
{
	static const enum forward_way ways[] = { FORWARD_LOCAL, FORWARD_REMOTE,
		FORWARD_DYNAMIC };
	char text[MUX_TEXT_MAX], name[2] = "";

	*how = (mux_setting(query, "hold", text) == 0 ? FORWARD_HOLD : 0) |
	    (mux_setting(query, "unlink", text) == 0 ? FORWARD_UNLINK : 0);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		*name = (char)ways[i];
		if (mux_setting(query, name, text) == 0)
			return parse(spec, ways[i], text, false);
	}
	return "a specification is missing";
}

static void
forward_add(struct forwards *all, struct hub_peer *p,
    const struct forward_spec *spec, int how)
{
	struct forward *f = forward_new(all, spec);
	char why[FORWARD_WHY_MAX];
	int r;

	if (f == NULL) {
		hub_reply(p, false, forward_no_memory);
		return;
	}
	f->order = p;
	f->how = how;
	if (spec->way == FORWARD_REMOTE) {
		if ((r = far_open(f)) != 0)
			forward_drop(f, err_text(r));
	} else if (near_open(f, why))
		forward_stands(f);
	else
		forward_drop(f, why);
}

void
forward_on_add(struct hub *h, struct hub_peer *p, struct buf *query)
{
	struct forwards *all = forward_all(h);
	struct forward_spec spec;
	const char *why;
	int how;

	if (all == NULL)
		why = forward_no_memory;
	else if ((why = forward_read_order(&spec, &how, *query,
		      forward_spec_parse)) != NULL)
		;
	else if (all->count == FORWARDS_MAX)
		why = "there are too many of them";
	/* Of a port that the host chooses there can be several. */
	else if ((spec.listen.is_path || spec.listen.port != 0) &&
	    forward_find(all, &spec) != NULL)
		why = "it is forwarded already";
	if (why != NULL)
		hub_reply(p, false, why);
	else
		forward_add(all, p, &spec, how);
}

void
forward_on_cancel(struct hub *h, struct hub_peer *p, struct buf *query)
{
	struct forwards *all = forward_all(h);
	struct forward_spec spec;
	struct forward *f;
	const char *why;
	int how;

	if (all == NULL)
		why = forward_no_memory;
	else if ((why = forward_read_order(&spec, &how, *query,
		      forward_listen_parse)) != NULL)
		;
	else if ((f = forward_find(all, &spec)) == NULL)
		why = "it is not forwarded";
	else
		forward_drop(f, "it is cancelled");
	hub_reply(p, why == NULL, why != NULL ? why : "");
}

void
forward_on_list(struct hub *h, struct hub_peer *p, struct buf *query)
{
	struct forwards *all = forward_all(h);
	char text[FORWARD_WHY_MAX] = "", one[FORWARD_TEXT_MAX];
	size_t left = all != NULL ? all->count : 0, n = 0;
	struct forward *f;

	(void)query;
	if (left != 0)
		TAILQ_FOREACH (f, &all->list, entry) {
			forward_spec_text(&f->spec, one);
			if (n + strlen(one) + 64 > sizeof(text))
				break;
			n += (size_t)snprintf(text + n, sizeof(text) - n,
			    "%c %s\n", (char)f->spec.way, one);
			left--;
		}
	if (left != 0)
		snprintf(text + n, sizeof(text) - n, "and %zu more\n", left);
	hub_reply(p, true, text);
}

/* --- arrivals --- */

void
forward_on_arrival(struct hub *h, struct hub_peer *p, struct buf *query)
{
	struct mux_accepted a;
	struct forward *f = NULL;

	if (mux_accepted_query(query, &a) == 0)
		f = forward_by_id(h, a.id);
	if (f != NULL && f->spec.way == FORWARD_REMOTE)
		back_begin(f, p);
	else
		hub_refuse(p);
}
