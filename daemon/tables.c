/* SPDX-License-Identifier: ISC */
/* authorized_pks and revoked_pks as an admin sees them, line by line. */
#include "daemon/tables.h"

#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/privsep/config_file.h"

#define LOG_MAX	 20 /* lines of the log, of tables that have mistakes */
#define NO_POINT "not a public key: no point of the curve"

/* A walk through the files. */
struct tables_walk {
	struct keyctx *keyctx;
	const struct tables_reader *reader;
	const struct key_public *only; /* or NULL: all */
	bool revoked;
};

struct rights_files
tables_files(const struct settings *s, const struct config_report *report)
{
	return (struct rights_files){ .conf = s->conf_path,
		.authorized = s->authorized,
		.authorized_given = s->conf.given & CONFIG_AUTHORIZED,
		.revoked = s->revoked,
		.revoked_given = s->conf.given & CONFIG_REVOKED,
		.own = &s->pk,
		.allow = s->wl,
		.nallow = s->nwl,
		.permitopen = s->conf.permitopen,
		.permitlisten = s->conf.permitlisten,
		.report = report };
}

/* --- reading --- */

static int
tables_on_revoked(struct tables_walk *w, struct table_entry *e,
    const char *text, size_t n)
{
	int r = e->why != NULL ? SKY_ERR_FORMAT :
				 pks_parse_revoked(text, n, &e->pk);

	if (r == 0)
		return 0;
	if (r == 1) {
		text += strspn(text, " \t");
		(void)pks_parse_key(text, &e->pk, &e->comment);
	} else if (e->why == NULL)
		e->why = PKS_NO_KEY;
	return w->reader->on_entry(w->reader->arg, e);
}

/* The options as they are written, malloc'ed. */
static char *
tables_options(const char *text)
{
	const char *end;

	text += strspn(text, " \t");
	end = pks_skip_options(text);
	return end != NULL ? strndup(text, (size_t)(end - text)) : strdup(text);
}

static bool
tables_has_options(const struct key_public *pk, const char *options)
{
	char hex[KEY_PUBLIC_HEX];

	key_text(pk, hex);
	return strcasecmp(options, hex) != 0;
}

static int
tables_on_authorized(struct tables_walk *w, struct table_entry *e,
    const char *text, size_t n)
{
	char why[RIGHTS_WHY_MAX], *options = NULL;
	struct pks_line l = { 0 };
	int r = 1;

	if (e->why == NULL) {
		if ((r = pks_parse(&l, text, n, why, sizeof(why))) == 0)
			return 0;
		if (r == SKY_ERR_NOMEM ||
		    (options = tables_options(text)) == NULL) {
			pks_free(&l);
			return SKY_ERR_NOMEM;
		}
		e->pk = l.pk;
		if (tables_has_options(&l.pk, options))
			e->options = options;
		if (r == 1) {
			e->comment = l.rights.comment;
			if (w->keyctx != NULL && !key_valid(w->keyctx, &l.pk))
				e->why = NO_POINT;
			else if (!rights_may_become(&l.rights, why,
				     sizeof(why)))
				e->why = why;
		} else
			e->why = why;
	}
	if (e->why == NULL)
		e->line = &l;
	r = w->reader->on_entry(w->reader->arg, e);
	free(options);
	pks_free(&l);
	return r;
}

static int
tables_on_line(void *arg, const struct pks_at *at, const char *text, size_t n,
    const char *why)
{
	struct tables_walk *w = arg;
	struct table_entry e = { .at = at,
		.revoked = w->revoked,
		.options = "",
		.comment = "",
		.why = why };

	return w->revoked ? tables_on_revoked(w, &e, text, n) :
			    tables_on_authorized(w, &e, text, n);
}

static void
tables_on_skipped(void *arg, const char *path, const char *why)
{
	struct tables_walk *w = arg;

	if (w->reader->on_skipped != NULL && w->only == NULL)
		w->reader->on_skipped(w->reader->arg, path, why);
}

static int
tables_walk(const struct settings *s, struct tables_walk *w)
{
	const struct pks_scan scan = { .pk = w->only,
		.on_line = tables_on_line,
		.on_skipped = tables_on_skipped,
		.arg = w,
		.report = w->reader->report };
	const char *slash = strrchr(s->revoked, '/');
	int r = 0;

	w->revoked = true;
	if (*s->revoked != '\0')
		r = pks_read_file(&scan, s->revoked,
		    slash != NULL ? slash + 1 : s->revoked,
		    s->conf.given & CONFIG_REVOKED);
	w->revoked = false;
	if (r == 0 && *s->authorized != '\0')
		r = pks_read_table(&scan, s->authorized,
		    s->conf.given & CONFIG_AUTHORIZED);
	if (r == SKY_ERR_AGAIN)
		config_say(w->reader->report, true, s->authorized, "",
		    "is being changed; try again");
	return r;
}

int
tables_read(const struct settings *s, struct keyctx *ctx,
    const struct tables_reader *reader)
{
	struct tables_walk w = { .keyctx = ctx, .reader = reader };

	return tables_walk(s, &w);
}

int
tables_read_key(const struct settings *s, struct keyctx *ctx,
    const struct key_public *pk, const struct tables_reader *reader)
{
	struct tables_walk w = { .keyctx = ctx, .reader = reader, .only = pk };

	return tables_walk(s, &w);
}

/* --- checking --- */

struct tables_checker {
	const struct settings *set;
	const struct config_report *report;
	struct tables_sum *sum;
	size_t said, max, unsaid;
	bool thorough;
};

static void
tables_say(struct tables_checker *c, bool fatal, const char *where,
    const char *why)
{
	if (c->said == c->max) {
		c->unsaid++;
		return;
	}
	c->said++;
	config_say(c->report, fatal, where, "", "%s", why);
}

static void
tables_say_line(struct tables_checker *c, bool fatal, const struct pks_at *at,
    const char *why)
{
	char where[PATH_MAX + 32];

	snprintf(where, sizeof(where), "%s:%lu", at->path, at->line);
	tables_say(c, fatal, where, why);
}

static void
tables_check_users(struct tables_checker *c, const struct table_entry *e)
{
	const struct rights *r = &e->line->rights;
	char why[RIGHTS_WHY_MAX];

	for (size_t i = 0; i < r->nuser; i++) {
		if (getpwnam(r->user[i]) != NULL)
			continue;
		snprintf(why, sizeof(why), "user=: there is no account %s",
		    r->user[i]);
		tables_say_line(c, false, e->at, why);
	}
}

static int
tables_check_entry(void *arg, const struct table_entry *e)
{
	struct tables_checker *c = arg;
	char why[RIGHTS_WHY_MAX];

	if (e->why != NULL) {
		c->sum->useless++;
		if (e->revoked)
			c->sum->unreadable = true;
		snprintf(why, sizeof(why), "%s; %s", e->why,
		    e->revoked ? "nobody is let in while this line is there" :
				 "the line is of no use");
		tables_say_line(c, true, e->at, why);
	} else if (e->revoked)
		c->sum->revoked++;
	else {
		c->sum->keys++;
		if (c->thorough)
			tables_check_users(c, e);
		if (key_listed(c->set->conf.wl, c->set->conf.nwl, &e->pk))
			tables_say_line(c, false, e->at,
			    "the key stands in \"wl\", too; what this line "
			    "says decides");
	}
	return 0;
}

static void
tables_check_skipped(void *arg, const char *path, const char *why)
{
	tables_say(arg, false, path, why);
}

void
tables_check(const struct settings *s, struct keyctx *ctx,
    const struct config_report *report, size_t max, struct tables_sum *sum)
{
	struct tables_checker c = { .set = s,
		.report = report,
		.sum = sum,
		.max = max,
		.thorough = ctx != NULL };
	const struct tables_reader reader = { .on_entry = tables_check_entry,
		.on_skipped = tables_check_skipped,
		.arg = &c,
		.report = report };

	memset(sum, 0, sizeof(*sum));
	if (tables_read(s, ctx, &reader) != 0)
		sum->unreadable = true;
	if (c.unsaid != 0)
		config_say(report, false, s->authorized, "",
		    "%zu more of the kind; 'skyptyd check' tells them all",
		    c.unsaid);
}

/* --- the log --- */

static void
tables_log_line(void *arg, bool fatal, const char *text)
{
	(void)arg;
	log_at(fatal ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, "%s", text);
}

void
tables_log(const struct settings *s)
{
	const struct config_report report = { .say = tables_log_line };
	struct tables_sum sum;

	tables_check(s, NULL, &report, LOG_MAX, &sum);
	if (sum.unreadable)
		log_error("nobody is let in before that is mended");
}
