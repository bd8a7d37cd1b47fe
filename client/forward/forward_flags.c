/* SPDX-License-Identifier: ISC */
/* What a command is told to forward. */
#include "client/forward/forward_flags.h"
#include "client/complain.h"
#include "client/exits.h"
#include "client/forward/forward.h"
#include "client/hosts.h"
#include "client/options.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

int
forward_wish_add(struct forward_flags *f, enum forward_way way,
    const char *text, const char *what)
{
	struct forward_spec spec;
	struct forward_wish *more;
	const char *why = forward_spec_parse(&spec, way, text, false);

	if (why == NULL && f->n == FORWARDS_MAX)
		why = "too many of them";
	if (why != NULL) {
		complain("%s %s: %s", what, text, why);
		return EXIT_USAGE;
	}
	more = reallocarray(f->wish, f->n + 1, sizeof(*more));
	if (more == NULL)
		return EXIT_FAILED;
	f->wish = more;
	more[f->n].way = way;
	if ((more[f->n].text = strdup(text)) == NULL)
		return EXIT_FAILED;
	f->n++;
	return 0;
}

int
forward_flag(struct client_options *o, const char *flag, const char *text)
{
	static const struct {
		const char *flag;
		enum forward_way way;
	} ways[] = { { "--local-forward", FORWARD_LOCAL },
		{ "--remote-forward", FORWARD_REMOTE },
		{ "--dynamic-forward", FORWARD_DYNAMIC } };
	struct mux_place target;
	const char *why;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(flag, ways[i].flag) == 0)
			return forward_wish_add(&o->forward, ways[i].way, text,
			    flag);
	if ((why = forward_target_parse(&target, text)) != NULL) {
		complain("%s %s: %s", flag, text, why);
		return EXIT_USAGE;
	}
	o->forward.target = text;
	return 0;
}

static bool
flags_yes(const char *value)
{
	return value != NULL &&
	    (strcasecmp(value, "yes") == 0 || strcasecmp(value, "true") == 0);
}

int
forward_apply(struct forward_flags *f, const struct host *h)
{
	const char *line = h->forwards;
	char *text;
	size_t n;
	int r = 0;

	f->gateway = f->gateway || flags_yes(h->gateway_ports);
	f->strict = f->strict || flags_yes(h->exit_on_failure);
	f->clear = f->clear || flags_yes(h->clear_forwards);
	f->unlink = f->unlink || flags_yes(h->unlink_sockets);
	for (; r == 0 && line != NULL && *line != '\0'; line += n + 1) {
		n = strcspn(line, "\n");
		if ((text = strndup(line + 1, n - 1)) == NULL)
			return EXIT_FAILED;
		r = forward_wish_add(f, (enum forward_way) * line, text,
		    *line == FORWARD_LOCAL	? "LocalForward" :
			*line == FORWARD_REMOTE ? "RemoteForward" :
						  "DynamicForward");
		free(text);
	}
	return r;
}

bool
forward_is_wanted(const struct forward_flags *f)
{
	return f->n != 0 && !f->clear && f->target == NULL;
}

void
forward_flags_free(struct forward_flags *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->wish[i].text);
	free(f->wish);
	f->wish = NULL;
	f->n = 0;
}
