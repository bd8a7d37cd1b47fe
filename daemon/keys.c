/* SPDX-License-Identifier: ISC */
/* skyptyd keys: who is let in, line by line, and what each may do. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/visible.h"
#include "daemon/tables.h"

#define LINE_JSON_MAX (8 * PKS_LINE_MAX)

/* --- what the commands on lists have in common --- */

int
lists_begin(struct lists_command *c, int argc, char **argv)
{
	struct skyptyd_options o = { .mode = MODE_ANY, .listen_fd = -1 };
	int opt, r, before = 1;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, "+:c:h", c->own, NULL)) != -1) {
		if (opt == 'h') {
			fputs(c->usage, stdout);
			return -1;
		}
		if (opt == '?' || opt == ':')
			return skyptyd_options_unknown(opt, argv[before],
			    c->own, c->mode);
		if (opt == 'c')
			o.conf = optarg;
		else
			c->flags |= 1U << opt;
		before = optind;
	}
	c->argc = argc - optind;
	c->argv = argv + optind;
	log_init("skyptyd", LOG_LEVEL_WARN, false);
	if ((c->keyctx = keyctx_new()) == NULL)
		return EXIT_OS;
	if ((r = settings_load_lists(&c->set, &o, c->keyctx)) != 0)
		lists_end(c);
	return r;
}

/* The kernel's word on who logged in, whoever he has become since; or -1. */
static long long
lists_login_uid(void)
{
	FILE *f = fopen("/proc/self/loginuid", "re");
	unsigned uid;
	int n;

	if (f == NULL)
		return -1;
	n = fscanf(f, "%u", &uid);
	fclose(f);
	return n == 1 && uid != UINT_MAX ? (long long)uid : -1;
}

void
lists_tell(struct lists_command *c, const char *event,
    const struct key_public *pk, const char *path)
{
	struct log_fields f = { .event = event };
	long long login = lists_login_uid();
	char hex[KEY_PUBLIC_HEX], by[64];

	key_text(pk, hex);
	if (login != -1)
		(void)snprintf(by, sizeof(by), "uid %lu, logged in as uid %lld",
		    (unsigned long)getuid(), login);
	else
		(void)snprintf(by, sizeof(by), "uid %lu",
		    (unsigned long)getuid());
	log_put(&f, "changed_key", hex);
	log_put(&f, "file", path);
	log_put_number(&f, "uid", getuid());
	if (login != -1)
		log_put_number(&f, "login_uid", (uint64_t)login);
	log_set_format(c->set.conf.log_format);
	log_init("skyptyd", LOG_LEVEL_INFO, true);
	log_event(LOG_LEVEL_INFO, &f, "%s %s in %s, by %s",
	    strcmp(event, "revoke") == 0 ? "Revoked" : "Authorized", hex, path,
	    by);
	log_set_format(LOG_FORMAT_TEXT);
	log_init("skyptyd", LOG_LEVEL_WARN, false);
}

void
lists_end(struct lists_command *c)
{
	settings_free(&c->set);
	keyctx_free(c->keyctx);
	c->keyctx = NULL;
}

/* --- the list --- */

enum { KEYS_JSON = 1 };

static const struct option longopts[] = {
	{ "conf", required_argument, NULL, 'c' },
	{ "confpath", required_argument, NULL, 'c' },
	{ "json", no_argument, NULL, KEYS_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static const char usage[] =
    "usage: skyptyd keys [-c FILE] [--json]\n"
    "\n"
    "Each line of authorized_pks and revoked_pks, and each key of \"wl\".\n"
    "  -c, --conf FILE  configuration (also --confpath)\n"
    "      --json       for programs\n";

/* A listing on its way. */
struct keys_list {
	struct lists_command *c;
	bool json;
	size_t n;
	struct key_public *revoked; /* nrevoked of them, room for more */
	size_t nrevoked, room;
	bool sorted;
	int64_t now;
};

static int
keys_order(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct key_public));
}

static bool
keys_is_revoked(struct keys_list *l, const struct key_public *pk)
{
	if (l->nrevoked == 0)
		return false;
	if (!l->sorted)
		qsort(l->revoked, l->nrevoked, sizeof(*pk), keys_order);
	l->sorted = true;
	return bsearch(pk, l->revoked, l->nrevoked, sizeof(*pk), keys_order) !=
	    NULL;
}

/* Revoked ones come first, and are looked up by those behind. */
static int
keys_note_revoked(struct keys_list *l, const struct key_public *pk)
{
	size_t room = l->room != 0 ? 2 * l->room : 64;
	struct key_public *grown;

	if (l->nrevoked == l->room) {
		grown = reallocarray(l->revoked, room, sizeof(*grown));
		if (grown == NULL)
			return SKY_ERR_NOMEM;
		l->revoked = grown;
		l->room = room;
	}
	l->revoked[l->nrevoked++] = *pk;
	return 0;
}

static const char *
keys_state(struct keys_list *l, const struct table_entry *e)
{
	if (e->why != NULL)
		return "useless";
	if (e->revoked || keys_is_revoked(l, &e->pk))
		return "revoked";
	if (e->line != NULL && e->line->has_end && l->now >= e->line->end)
		return "expired";
	if (e->line != NULL && e->line->has_begin && l->now < e->line->begin)
		return "not yet";
	return "valid";
}

static int
keys_put_member(struct buf *b, const char *name, const char *value)
{
	int r;

	if ((r = buf_put(b, buf_len(b) > 1 ? ", " : " ",
		 buf_len(b) > 1 ? 2 : 1)) != 0 ||
	    (r = json_put_string(b, name, strlen(name))) != 0 ||
	    (r = buf_put(b, ": ", 2)) != 0)
		return r;
	return json_put_string(b, value, strlen(value));
}

/* What is no UTF-8 is shown as it is shown to people. */
static int
keys_put_text(struct buf *b, const char *name, const char *value)
{
	size_t room = VISIBLE_GROWTH * strlen(value) + 1;
	char *text = malloc(room);
	int r;

	if (text == NULL)
		return SKY_ERR_NOMEM;
	visible_text(text, room, value, strlen(value), 0);
	r = keys_put_member(b, name, text);
	free(text);
	return r;
}

static int
keys_print_json(struct keys_list *l, const struct table_entry *e,
    const char *key, const char *state)
{
	char line[32];
	struct buf b;
	int r;

	snprintf(line, sizeof(line), ", \"line\": %lu }", e->at->line);
	buf_init(&b, LINE_JSON_MAX);
	if ((r = buf_put(&b, "{", 1)) == 0 &&
	    (r = keys_put_member(&b, "key", key)) == 0 &&
	    (r = keys_put_member(&b, "state", state)) == 0 &&
	    (r = keys_put_text(&b, "options", e->options)) == 0 &&
	    (r = keys_put_text(&b, "comment", e->comment)) == 0 &&
	    (e->why == NULL || (r = keys_put_text(&b, "why", e->why)) == 0) &&
	    (r = keys_put_text(&b, "file", e->at->path)) == 0)
		r = e->at->line != 0 ? buf_put(&b, line, strlen(line)) :
				       buf_put(&b, " }", 2);
	if (r == 0)
		printf("%s\n  %.*s", l->n > 0 ? "," : "", (int)buf_len(&b),
		    (const char *)buf_ptr(&b));
	buf_free(&b);
	return r;
}

static void
keys_print_text(const struct table_entry *e, const char *key, const char *state)
{
	char line[32] = "";

	if (e->at->line != 0)
		snprintf(line, sizeof(line), ":%lu", e->at->line);
	visible_line(stdout, "%s %s %s%s%s%s%s%s%s%s", *key != '\0' ? key : "-",
	    state, e->at->name, line, *e->options != '\0' ? " " : "",
	    e->options, e->why != NULL ? " " : "", e->why != NULL ? e->why : "",
	    *e->comment != '\0' ? " # " : "", e->comment);
}

static int
keys_on_entry(void *arg, const struct table_entry *e)
{
	static const struct key_public none = { 0 };
	const char *state;
	char key[KEY_PUBLIC_HEX] = "";
	struct keys_list *l = arg;
	int r = 0;

	if (e->revoked && e->why == NULL &&
	    (r = keys_note_revoked(l, &e->pk)) != 0)
		return r;
	state = keys_state(l, e);
	if (!key_equal(&e->pk, &none))
		key_text(&e->pk, key);
	if (l->json)
		r = keys_print_json(l, e, key, state);
	else
		keys_print_text(e, key, state);
	l->n++;
	return r;
}

static int
keys_list_wl(struct keys_list *l)
{
	const struct settings *s = &l->c->set;
	const struct pks_at at = { .path = s->conf_path, .name = "wl" };
	struct table_entry e = { .at = &at, .options = "", .comment = "" };
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->conf.nwl; i++) {
		e.pk = s->conf.wl[i];
		r = keys_on_entry(l, &e);
	}
	return r;
}

static void
keys_complain(void *arg, bool fatal, const char *text)
{
	(void)arg, (void)fatal;
	visible_line(stderr, "skyptyd: %s", text);
}

static int
keys_print(struct lists_command *c)
{
	const struct config_report report = { .say = keys_complain };
	struct keys_list l = { .c = c,
		.json = c->flags & (1U << KEYS_JSON),
		.now = time(NULL) };
	const struct tables_reader reader = { .on_entry = keys_on_entry,
		.arg = &l,
		.report = &report };
	int r;

	if (l.json)
		fputs("[", stdout);
	r = tables_read(&c->set, c->keyctx, &reader);
	if (r == 0)
		r = keys_list_wl(&l);
	if (l.json)
		puts(l.n > 0 ? "\n]" : "]");
	free(l.revoked);
	if (fflush(stdout) != 0)
		return EXIT_OS;
	return r == 0 ? 0 : r == SKY_ERR_NOMEM ? EXIT_OS : EXIT_CONFIG;
}

int
keys_main(int argc, char **argv)
{
	struct lists_command c = { .usage = usage,
		.mode = "keys ",
		.own = longopts };
	int r;

	if ((r = lists_begin(&c, argc, argv)) != 0)
		return r == -1 ? 0 : r;
	if (c.argc != 0) {
		visible_line(stderr, "skyptyd: keys: '%s' is not expected here",
		    c.argv[0]);
		r = EXIT_USAGE;
	} else
		r = keys_print(&c);
	lists_end(&c);
	return r;
}
