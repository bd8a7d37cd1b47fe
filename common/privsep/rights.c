/* SPDX-License-Identifier: ISC */
/* What a key may do here: the rules, one after the other. */
#include "common/privsep/rights.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/privsep/config_file.h"
#include "common/privsep/pks.h"

#define TRIES 5 /* at files that somebody is writing */

/* --- freeing --- */

static void
rights_free_texts(char **texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(texts[i]);
	free(texts);
}

void
rights_free(struct rights *r)
{
	rights_free_texts(r->user, r->nuser);
	rights_free_texts(r->env, r->nenv);
	permits_free(r->open, r->nopen);
	permits_free(r->listen, r->nlisten);
	free(r->command);
	free(r->sftp_root);
	free(r->comment);
	free(r->rule);
	memset(r, 0, sizeof(*r));
}

/* --- a decision --- */

enum verdict {
	VERDICT_NONE,	 /* nothing said so far */
	VERDICT_IN,	 /* by a line of the table */
	VERDICT_REFUSED, /* by a line; a later one may let in all the same */
	VERDICT_REVOKED
};

struct decision {
	const struct rights_files *files;
	const struct rights_peer *peer;
	struct rights *rights;
	enum verdict verdict;
	char *why;
	size_t whylen;
};

static int
rights_no_memory(struct decision *d)
{
	strlcpy(d->why, "out of memory", d->whylen);
	return SKY_ERR_NOMEM;
}

/* Where, for people and for the log. */
static void
rights_say_line(const struct decision *d, const struct pks_at *at,
    const char *why)
{
	char name[RIGHTS_WHY_MAX];

	snprintf(name, sizeof(name), "%s:%lu", at->path, at->line);
	config_say(d->files->report, true, name, "", "%s", why);
}

/* A file that may not be trusted says nothing, not even no. */
static int
rights_no_verdict(int r)
{
	return r == SKY_ERR_DENIED ? SKY_ERR_STATE : r;
}

/* --- revoked_pks --- */

/* Half of this list would let in whom it is to keep out. */
static int
rights_on_revoked(void *arg, const struct pks_at *at, const char *text,
    size_t n, const char *why)
{
	struct decision *d = arg;
	struct key_public pk;
	int r = SKY_ERR_FORMAT;

	if (why == NULL) {
		why = PKS_NO_KEY;
		r = pks_parse_revoked(text, n, &pk);
	}
	if (r < 0) {
		rights_say_line(d, at, why);
		return r;
	}
	if (r == 1 && key_equal(&pk, d->peer->pk)) {
		d->verdict = VERDICT_REVOKED;
		snprintf(d->why, d->whylen, "revoked (%s:%lu)", at->name,
		    at->line);
	}
	return 0;
}

static int
rights_ask_revoked(struct decision *d)
{
	const struct pks_scan scan = { .on_line = rights_on_revoked,
		.arg = d,
		.report = d->files->report };
	const char *path = d->files->revoked, *slash = strrchr(path, '/');

	return pks_read_file(&scan, path, slash != NULL ? slash + 1 : path,
	    d->files->revoked_given);
}

/* --- authorized_pks --- */

bool
rights_may_become(const struct rights *r, char *why, size_t n)
{
	const struct passwd *pw;

	if (geteuid() == 0 || r->nuser == 0)
		return true;
	pw = getpwuid(geteuid());
	for (size_t i = 0; i < r->nuser; i++)
		if (pw == NULL || strcmp(r->user[i], pw->pw_name) != 0) {
			snprintf(why, n,
			    "user=: skyptyd is not root here and cannot "
			    "become %s",
			    r->user[i]);
			return false;
		}
	return true;
}

static void
rights_refuse(struct decision *d, const struct pks_at *at, const char *why)
{
	d->verdict = VERDICT_REFUSED;
	snprintf(d->why, d->whylen, "%s:%lu: %s", at->name, at->line, why);
}

/* What nobody has said of this key in particular, the configuration says. */
static int
rights_forwards(struct decision *d)
{
	const struct rights_files *f = d->files;
	struct rights *r = d->rights;
	int e = 0;

	if (r->nopen == 0 && f->permitopen != NULL)
		e = permits_read(&r->open, &r->nopen, PERMITS_OPEN,
		    f->permitopen);
	if (e == 0 && r->nlisten == 0 && f->permitlisten != NULL)
		e = permits_read(&r->listen, &r->nlisten, PERMITS_LISTEN,
		    f->permitlisten);
	return e;
}

static int
rights_take(struct decision *d, const struct pks_at *at, struct pks_line *l)
{
	if (asprintf(&l->rights.rule, "%s:%lu", at->name, at->line) == -1) {
		l->rights.rule = NULL;
		return rights_no_memory(d);
	}
	*d->rights = l->rights;
	memset(&l->rights, 0, sizeof(l->rights));
	d->verdict = VERDICT_IN;
	return rights_forwards(d) == 0 ? 1 : rights_no_memory(d);
}

/* A line of this key that can be read. */
static int
rights_weigh(struct decision *d, const struct pks_at *at, struct pks_line *l)
{
	char why[RIGHTS_WHY_MAX];

	if (!rights_may_become(&l->rights, why, sizeof(why))) {
		rights_say_line(d, at, why);
		rights_refuse(d, at, why);
		return 0;
	}
	if (!pks_holds(l, d->peer, why, sizeof(why))) {
		rights_refuse(d, at, why);
		return 0;
	}
	return rights_take(d, at, l);
}

/*
 * A line that is of no use, but about this key, takes it from the lists behind
 * the table: it was to restrict it, perhaps.  Where the key could not be made
 * out its digits are enough; a line that is nowhere as a whole may be about
 * any key.
 */
static int
rights_on_line(void *arg, const struct pks_at *at, const char *text, size_t n,
    const char *why)
{
	static const struct key_public none = { 0 };
	struct decision *d = arg;
	char reason[RIGHTS_WHY_MAX];
	struct pks_line l = { 0 };
	int r = SKY_ERR_FORMAT;

	if (why == NULL) {
		why = reason;
		r = pks_parse(&l, text, n, reason, sizeof(reason));
	}
	if (r == SKY_ERR_NOMEM)
		return rights_no_memory(d);
	if (r < 0) {
		rights_say_line(d, at, why);
		if (key_equal(&l.pk, d->peer->pk) || key_equal(&l.pk, &none))
			rights_refuse(d, at, why);
		return 0;
	}
	if (r == 1)
		r = key_equal(&l.pk, d->peer->pk) ? rights_weigh(d, at, &l) : 0;
	pks_free(&l);
	return r;
}

static int
rights_ask_table(struct decision *d)
{
	const struct pks_scan scan = { .pk = d->peer->pk,
		.on_line = rights_on_line,
		.arg = d,
		.report = d->files->report };

	return pks_read_table(&scan, d->files->authorized,
	    d->files->authorized_given);
}

/* --- wl, --allow, the host's own key --- */

static int
rights_full(struct decision *d, const char *rule)
{
	struct rights *r = d->rights;

	r->rule = strdup(rule);
	r->comment = strdup("");
	if (r->rule == NULL || r->comment == NULL)
		return rights_no_memory(d);
	r->grants = PRIV_GRANTS_KEY;
	r->full = true;
	return rights_forwards(d) == 0 ? 0 : rights_no_memory(d);
}

static int
rights_ask_lists(struct decision *d, struct keyctx *ctx)
{
	const struct rights_files *f = d->files;
	struct key_public *wl = NULL;
	size_t n = 0;
	bool listed;
	int r;

	if (*f->conf != '\0' &&
	    (r = config_read_wl(ctx, f->conf, &wl, &n, f->report)) != 0) {
		strlcpy(d->why, "the whitelist cannot be read", d->whylen);
		return rights_no_verdict(r);
	}
	listed = key_listed(wl, n, d->peer->pk);
	free(wl);
	if (listed)
		return rights_full(d, "wl");
	if (key_listed(f->allow, f->nallow, d->peer->pk))
		return rights_full(d, "--allow");
	if (key_equal(f->own, d->peer->pk))
		return rights_full(d, "the host's own key");
	strlcpy(d->why, "not on the whitelist", d->whylen);
	return SKY_ERR_DENIED;
}

/* --- all of them --- */

/* Again, from the beginning, while somebody writes. */
static int
rights_ask(struct decision *d, int (*ask)(struct decision *))
{
	int r = SKY_ERR_AGAIN;

	for (int i = 0; r == SKY_ERR_AGAIN && i < TRIES; i++) {
		rights_free(d->rights);
		d->verdict = VERDICT_NONE;
		r = ask(d);
	}
	return r;
}

static int
rights_unreadable(struct decision *d, const char *name, int r)
{
	if (r == SKY_ERR_AGAIN)
		config_say(d->files->report, true, name, "",
		    "is being changed all the time");
	snprintf(d->why, d->whylen, "%s cannot be read", name);
	return rights_no_verdict(r);
}

static int
rights_decide(struct decision *d, struct keyctx *ctx)
{
	const struct rights_files *f = d->files;
	int r;

	if (*f->revoked != '\0' && (r = rights_ask(d, rights_ask_revoked)) < 0)
		return rights_unreadable(d, f->revoked, r);
	if (d->verdict == VERDICT_REVOKED)
		return SKY_ERR_DENIED;
	if (*f->authorized != '\0' && (r = rights_ask(d, rights_ask_table)) < 0)
		return rights_unreadable(d, f->authorized, r);
	if (d->verdict == VERDICT_NONE)
		return rights_ask_lists(d, ctx);
	return d->verdict == VERDICT_IN ? 0 : SKY_ERR_DENIED;
}

int
rights_find(struct keyctx *ctx, const struct rights_files *files,
    const struct rights_peer *peer, struct rights *rights, char *why, size_t n)
{
	struct decision d = { .files = files,
		.peer = peer,
		.rights = rights,
		.why = why,
		.whylen = n };
	int r;

	memset(rights, 0, sizeof(*rights));
	*why = '\0';
	if ((r = rights_decide(&d, ctx)) != 0)
		rights_free(rights);
	return r;
}
