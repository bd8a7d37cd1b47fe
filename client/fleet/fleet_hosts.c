/* SPDX-License-Identifier: ISC */
/*
 * Which hosts: names and patterns of the file of names, destinations, files
 * with a destination and its tags a line, standard input.
 */
#include "client/complain.h"
#include "client/dest.h"
#include "client/exits.h"
#include "client/fleet/fleet.h"
#include "client/hosts.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/visible.h"
#include "common/pty/keys.h"

#define HOSTS_MAX 1000000
#define TAGS_MAX  64 /* of a host */
#define KEY_SHOWN 8  /* digits of a key, in what is shown */

/* The names in the file of names, sorted. */
struct hosts_names {
	char **name;
	size_t n, room;
	bool failed;
};

struct hosts_finder {
	struct fleet_hosts *hosts;
	struct keyctx *ctx;
	const struct client_options *o;
	struct hosts_names names;
	const char *file; /* NULL: the command line */
	size_t line;
	bool input; /* standard input has been read */
};

/* --- the list --- */

/* "tcp://02ab...@host:port" as "02ab34cd..@host:port". */
static char *
fleet_hosts_short(const char *dest)
{
	const char *scheme = strstr(dest, "://"), *at;
	char *label;

	if (!dest_like(dest))
		return strdup(dest);
	if (scheme != NULL)
		dest = scheme + 3;
	at = dest + strcspn(dest, "@:");
	if (at - dest <= KEY_SHOWN)
		return strdup(dest);
	return asprintf(&label, "%.*s..%s", KEY_SHOWN, dest, at) != -1 ? label :
									 NULL;
}

/* A list of hosts may be somebody else's: nothing in it drives the terminal. */
static char *
fleet_hosts_label(const char *dest)
{
	char *text = fleet_hosts_short(dest), *label = NULL;
	size_t size = text != NULL ? VISIBLE_GROWTH * strlen(text) + 1 : 0;

	if (text != NULL && (label = malloc(size)) != NULL)
		visible_text(label, size, text, strlen(text), 0);
	free(text);
	return label;
}

int
fleet_hosts_add(struct fleet_hosts *hosts, const char *dest, const char *canon)
{
	struct fleet_host *more, *h;
	size_t room;

	if (hosts->n == HOSTS_MAX) {
		complain("more than %d hosts", HOSTS_MAX);
		return EXIT_FAILED;
	}
	if (hosts->n == hosts->room) {
		room = hosts->room == 0 ? 64 : 2 * hosts->room;
		more = reallocarray(hosts->host, room, sizeof(*more));
		if (more == NULL) {
			complain("out of memory");
			return EXIT_FAILED;
		}
		hosts->host = more;
		hosts->room = room;
	}
	h = &hosts->host[hosts->n];
	*h = (struct fleet_host){ .dest = strdup(dest),
		.canon = strdup(canon),
		.label = fleet_hosts_label(dest) };
	hosts->n++;
	if (h->dest != NULL && h->canon != NULL && h->label != NULL)
		return 0;
	complain("out of memory");
	return EXIT_FAILED;
}

static void
fleet_hosts_free_one(struct fleet_host *h)
{
	free(h->dest);
	free(h->canon);
	free(h->leads);
	free(h->label);
	free(h->why);
	for (size_t i = 0; h->tag != NULL && h->tag[i] != NULL; i++)
		free(h->tag[i]);
	free(h->tag);
}

void
fleet_hosts_free(struct fleet_hosts *hosts)
{
	for (size_t i = 0; i < hosts->n; i++)
		fleet_hosts_free_one(&hosts->host[i]);
	free(hosts->host);
	*hosts = (struct fleet_hosts){ .n = 0 };
}

/* --- what a word names --- */

__attribute__((format(printf, 2, 3))) static int
fleet_hosts_mistake(const struct hosts_finder *f, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n == -1)
		return EXIT_FAILED;
	if (f->file != NULL)
		complain("%s line %zu: %s", f->file, f->line, text);
	else
		complain("%s", text);
	free(text);
	return EXIT_USAGE;
}

static void
fleet_hosts_names_add(void *arg, const char *name)
{
	struct hosts_names *n = arg;
	size_t room;
	char **more;

	if (n->n == n->room) {
		room = n->room == 0 ? 64 : 2 * n->room;
		more = reallocarray(n->name, room, sizeof(*more));
		if (more == NULL) {
			n->failed = true;
			return;
		}
		n->name = more;
		n->room = room;
	}
	if ((n->name[n->n] = strdup(name)) == NULL)
		n->failed = true;
	else
		n->n++;
}

static int
fleet_hosts_names_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Another tag, unless it has that. */
static int
fleet_hosts_tag(struct fleet_host *h, const char *tag)
{
	char **more;
	size_t n = 0;

	for (; h->tag != NULL && h->tag[n] != NULL; n++)
		if (strcmp(h->tag[n], tag) == 0)
			return 0;
	if ((more = reallocarray(h->tag, n + 2, sizeof(*more))) == NULL)
		return EXIT_FAILED;
	h->tag = more;
	more[n + 1] = NULL;
	return (more[n] = strdup(tag)) != NULL ? 0 : EXIT_FAILED;
}

/* A destination, in the one way to write it, and whose account it is. */
static char *
fleet_hosts_canon(const struct hosts_finder *f, const struct client_options *o)
{
	const struct dest *d = &o->dest;
	/* That of -l is everybody's. */
	bool account = o->user != NULL && o->user != f->o->user;
	char pk[KEY_PUBLIC_HEX], *canon;
	int r;

	key_text(&d->pk, pk);
	if (d->kind == DEST_TCP)
		r = asprintf(&canon, "%s%s%s@%s:%s%s%s", account ? o->user : "",
		    account ? "@" : "", pk, d->host, d->port,
		    o->how.proxy != NULL ? " " : "",
		    o->how.proxy != NULL ? o->how.proxy : "");
	else
		r = asprintf(&canon, "%s%s%s:%u", account ? o->user : "",
		    account ? "@" : "", pk, d->dmsg_port);
	return r != -1 ? canon : NULL;
}

/* What the file of names says of it. */
static int
fleet_hosts_know(struct hosts_finder *f, const struct client_options *o,
    struct fleet_host *h)
{
	char *tags = o->alias.tags, *tag;
	int r;

	if ((h->leads = fleet_hosts_canon(f, o)) == NULL)
		return EXIT_FAILED;
	while ((tag = strsep(&tags, " ,#")) != NULL)
		if (*tag != '\0' && (r = fleet_hosts_tag(h, tag)) != 0)
			return r;
	return 0;
}

/* A name that leads nowhere is no mistake where a pattern has found it. */
static int
fleet_hosts_look_up(struct hosts_finder *f, struct client_options *o,
    const char *word, bool pattern, bool *found)
{
	int r;

	if ((r = options_find_dest(o, f->ctx, word, found)) != 0)
		return f->file != NULL ? fleet_hosts_mistake(f, "this line") :
					 r;
	if (*found || pattern)
		return 0;
	return fleet_hosts_mistake(f,
	    "'%s' is neither a destination (<pk>@host[:port]) nor a name in %s",
	    word,
	    f->o->hosts != NULL ? f->o->hosts : "~/.config/skypty/config");
}

static int
fleet_hosts_add_one(struct hosts_finder *f, const char *word, bool pattern)
{
	struct client_options o = *f->o;
	bool found, name;
	char *canon;
	int r;

	if ((r = fleet_hosts_look_up(f, &o, word, pattern, &found)) == 0) {
		name = !found || o.alias.key != NULL || o.alias.via != NULL;
		canon = name ? strdup(word) : fleet_hosts_canon(f, &o);
		r = canon != NULL ? fleet_hosts_add(f->hosts, word, canon) :
				    EXIT_FAILED;
		free(canon);
		if (r == 0 && found && name)
			r = fleet_hosts_know(f, &o,
			    &f->hosts->host[f->hosts->n - 1]);
	}
	hosts_free(&o.alias);
	return r;
}

static bool
fleet_hosts_is_pattern(const char *word)
{
	return !dest_like(word) && strpbrk(word, "*?[") != NULL;
}

static int
fleet_hosts_add_pattern(struct hosts_finder *f, const char *word)
{
	bool found = false;
	int r;

	for (size_t i = 0; i < f->names.n; i++) {
		if (fnmatch(word, f->names.name[i], 0) != 0)
			continue;
		found = true;
		if ((r = fleet_hosts_add_one(f, f->names.name[i], true)) != 0)
			return r;
	}
	return found ?
	    0 :
	    fleet_hosts_mistake(f, "'%s': no name in %s is like that", word,
		f->o->hosts != NULL ? f->o->hosts : "~/.config/skypty/config");
}

static int
fleet_hosts_add_word(struct hosts_finder *f, const char *word)
{
	return fleet_hosts_is_pattern(word) ?
	    fleet_hosts_add_pattern(f, word) :
	    fleet_hosts_add_one(f, word, false);
}

/* --- files --- */

/* To all hosts from the first one on. */
static int
fleet_hosts_set_tags(struct hosts_finder *f, size_t first, char *const *tag,
    size_t n)
{
	int r;

	for (size_t i = first; i < f->hosts->n; i++)
		for (size_t j = 0; j < n; j++)
			if ((r = fleet_hosts_tag(&f->hosts->host[i], tag[j])) !=
			    0)
				return r;
	return 0;
}

/* "destination #tag tag": a line that begins with # is a comment. */
static int
fleet_hosts_read_line(struct hosts_finder *f, char *line)
{
	char *tag[TAGS_MAX], *rest, *word, *more;
	size_t n = 0, first = f->hosts->n;
	int r;

	line[strcspn(line, "\r\n")] = '\0';
	line += strspn(line, " \t");
	if (*line == '\0' || *line == '#')
		return 0;
	rest = line + strcspn(line, " \t");
	if (*rest != '\0')
		*rest++ = '\0';
	rest += strspn(rest, " \t");
	if (*rest != '\0' && *rest != '#')
		return fleet_hosts_mistake(f,
		    "one destination a line, and tags behind a #: %s", rest);
	while ((word = strsep(&rest, " \t#,")) != NULL) {
		if (*word == '\0')
			continue;
		if (n == TAGS_MAX)
			return fleet_hosts_mistake(f, "more than %d tags",
			    TAGS_MAX);
		tag[n++] = word;
	}
	if (*line == '@' || strcmp(line, "-") == 0)
		return fleet_hosts_mistake(f,
		    "a file of hosts names no other: %s", line);
	for (more = line; (word = strsep(&more, ",")) != NULL;)
		if (*word != '\0' && (r = fleet_hosts_add_word(f, word)) != 0)
			return r;
	return fleet_hosts_set_tags(f, first, tag, n);
}

static int
fleet_hosts_read(struct hosts_finder *f, FILE *from, const char *name)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	int r = 0;

	f->file = name;
	f->line = 0;
	errno = 0;
	while (r == 0 && (len = getline(&line, &size, from)) != -1) {
		f->line++;
		r = strlen(line) == (size_t)len ?
		    fleet_hosts_read_line(f, line) :
		    fleet_hosts_mistake(f, "this is no text");
	}
	if (r == 0 && ferror(from)) {
		complain("%s: %s", name, strerror(errno));
		r = EXIT_USAGE;
	}
	free(line);
	f->file = NULL;
	return r;
}

static int
fleet_hosts_read_file(struct hosts_finder *f, const char *path)
{
	FILE *from = fopen(path, "re");
	int r;

	if (from == NULL) {
		complain("%s: %s", path, strerror(errno));
		return EXIT_USAGE;
	}
	r = fleet_hosts_read(f, from, path);
	fclose(from);
	return r;
}

static int
fleet_hosts_take_word(struct hosts_finder *f, char *word)
{
	char *one;
	int r;

	if (*word == '@')
		return fleet_hosts_read_file(f, word + 1);
	if (strcmp(word, "-") == 0) {
		if (f->input)
			return fleet_hosts_mistake(f,
			    "'-': standard input can be read once");
		f->input = true;
		return fleet_hosts_read(f, stdin, "standard input");
	}
	while ((one = strsep(&word, ",")) != NULL)
		if (*one != '\0' && (r = fleet_hosts_add_word(f, one)) != 0)
			return r;
	return 0;
}

/* --- which of them --- */

/* "a,b" is one of the two, and each --tag has to hold. */
static bool
fleet_hosts_has_tag(const struct fleet_host *h, const char *list)
{
	size_t n;

	for (; *list != '\0'; list += n + (list[n] == ',')) {
		n = strcspn(list, ",");
		for (size_t i = 0; h->tag != NULL && h->tag[i] != NULL; i++)
			if (strlen(h->tag[i]) == n &&
			    memcmp(h->tag[i], list, n) == 0)
				return true;
	}
	return false;
}

static bool
fleet_hosts_is_wanted(const struct hosts_finder *f, const struct fleet_host *h)
{
	const struct fleet_flags *flags = &f->o->fleet;

	for (size_t i = 0; i < flags->ntag; i++)
		if (!fleet_hosts_has_tag(h, flags->tag[i]))
			return false;
	for (size_t i = 0; i < flags->nexclude; i++)
		if (fnmatch(flags->exclude[i], h->dest, 0) == 0 ||
		    fnmatch(flags->exclude[i], h->canon, 0) == 0 ||
		    (flags->exclude[i][0] == '#' &&
			fleet_hosts_has_tag(h, flags->exclude[i] + 1)))
			return false;
	return true;
}

static void
fleet_hosts_choose(struct hosts_finder *f)
{
	struct fleet_hosts *hosts = f->hosts;
	size_t n = 0;

	for (size_t i = 0; i < hosts->n; i++)
		if (fleet_hosts_is_wanted(f, &hosts->host[i]))
			hosts->host[n++] = hosts->host[i];
		else
			fleet_hosts_free_one(&hosts->host[i]);
	hosts->n = n;
}

/* A name is the host that it leads to. */
struct hosts_place {
	const char *leads;
	size_t at;
};

static int
fleet_hosts_compare(const void *a, const void *b)
{
	const struct hosts_place *p = a, *q = b;
	int r = strcmp(p->leads, q->leads);

	return r != 0 ? r : p->at < q->at ? -1 : 1;
}

static void
fleet_hosts_say_twice(const struct fleet_host *first,
    const struct fleet_host *h)
{
	if (strcmp(first->label, h->label) == 0)
		complain("%s is named more than once: it gets one turn",
		    first->label);
	else
		complain("%s and %s are the same host: it gets one turn",
		    first->label, h->label);
}

/* The first of several counts. */
static int
fleet_hosts_once(struct hosts_finder *f)
{
	struct fleet_hosts *hosts = f->hosts;
	struct hosts_place *place = calloc(hosts->n + 1, sizeof(*place));
	bool *again = calloc(hosts->n + 1, sizeof(*again));
	size_t n = 0, twice = 0, first = 0;

	if (place == NULL || again == NULL) {
		free(place);
		free(again);
		complain("out of memory");
		return EXIT_FAILED;
	}
	for (size_t i = 0; i < hosts->n; i++)
		place[i] = (struct hosts_place){ hosts->host[i].leads != NULL ?
			    hosts->host[i].leads :
			    hosts->host[i].canon,
			i };
	qsort(place, hosts->n, sizeof(*place), fleet_hosts_compare);
	for (size_t i = 1; i < hosts->n; i++) {
		if (strcmp(place[i].leads, place[first].leads) != 0) {
			first = i;
			continue;
		}
		again[place[i].at] = true;
		if (++twice <= 3)
			fleet_hosts_say_twice(&hosts->host[place[first].at],
			    &hosts->host[place[i].at]);
	}
	for (size_t i = 0; i < hosts->n; i++)
		if (!again[i])
			hosts->host[n++] = hosts->host[i];
		else
			fleet_hosts_free_one(&hosts->host[i]);
	if (twice > 3)
		complain("so are %zu more", twice - 3);
	hosts->n = n;
	free(place);
	free(again);
	return 0;
}

int
fleet_hosts_find(struct fleet_hosts *hosts, struct keyctx *ctx,
    const struct client_options *o, char **words, size_t n)
{
	struct hosts_finder f = { .hosts = hosts, .ctx = ctx, .o = o };
	int r;

	if ((r = hosts_each(o->hosts, fleet_hosts_names_add, &f.names)) == 0 &&
	    f.names.failed) {
		complain("out of memory");
		r = EXIT_FAILED;
	}
	if (f.names.n != 0)
		qsort(f.names.name, f.names.n, sizeof(*f.names.name),
		    fleet_hosts_names_compare);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = fleet_hosts_take_word(&f, words[i]);
	if (r == 0) {
		fleet_hosts_choose(&f);
		r = fleet_hosts_once(&f);
	}
	for (size_t i = 0; i < f.names.n; i++)
		free(f.names.name[i]);
	free(f.names.name);
	return r;
}
