/* SPDX-License-Identifier: ISC */
/* The options that stand before a key, in authorized_keys' grammar. */
#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/err.h"
#include "common/base/usage.h"
#include "common/privsep/pks.h"

#define NAME_MAX_LEN 64 /* of an option or an account */
#define SESSIONS_MAX 1000000
#define LETTERS	     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS	     "0123456789"

/* The state of one line. */
struct options {
	struct pks_line *line;
	uint32_t on, off; /* grants that the line names itself */
	uint64_t seen;	  /* rows of options[] */
	const struct option_row *row;
	char *why;
	size_t whylen;
};

enum option_kind { OPTION_FLAG, OPTION_ONE, OPTION_MANY };

struct option_row {
	const char *name;
	enum option_kind kind;
	/* Of a flag the value is NULL; 0 or SKY_ERR_*, told. */
	int (*set)(struct options *, char *value);
	uint32_t grants;
	size_t offset; /* of a number or a bool in struct rights */
};

static int option_bad(struct options *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static int
option_bad(struct options *o, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(o->why, o->whylen, fmt, ap);
	va_end(ap);
	return SKY_ERR_FORMAT;
}

static int
option_no_memory(struct options *o)
{
	strlcpy(o->why, "out of memory", o->whylen);
	return SKY_ERR_NOMEM;
}

/* --- flags --- */

static int
option_grant(struct options *o, char *value)
{
	(void)value;
	o->line->rights.grants |= o->row->grants;
	o->on |= o->row->grants;
	o->off &= ~o->row->grants;
	return 0;
}

static int
option_take(struct options *o, char *value)
{
	(void)value;
	o->line->rights.grants &= ~o->row->grants;
	o->off |= o->row->grants;
	o->on &= ~o->row->grants;
	return 0;
}

static int
option_restrict(struct options *o, char *value)
{
	(void)value;
	o->line->rights.grants = 0;
	o->on = 0;
	return 0;
}

/* What nobody has here in the first place. */
static int
option_holds_anyway(struct options *o, char *value)
{
	(void)o, (void)value;
	return 0;
}

static int
option_bool(struct options *o, char *value)
{
	(void)value;
	*(bool *)((char *)&o->line->rights + o->row->offset) = true;
	return 0;
}

/* --- values --- */

static int
option_keep(struct options *o, char **where, const char *value)
{
	return (*where = strdup(value)) != NULL ? 0 : option_no_memory(o);
}

/* One more text in a list. */
static int
option_add(struct options *o, char ***list, size_t *n, const char *value)
{
	char **grown;

	if (*n == PKS_LIST_MAX)
		return option_bad(o, "%s=: more than %d values", o->row->name,
		    PKS_LIST_MAX);
	if ((grown = reallocarray(*list, *n + 1, sizeof(*grown))) == NULL)
		return option_no_memory(o);
	*list = grown;
	if ((grown[*n] = strdup(value)) == NULL)
		return option_no_memory(o);
	++*n;
	return 0;
}

/* What no account can be called, or what would be taken for something else. */
static bool
option_is_user(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n < NAME_MAX_LEN && *name != '-' &&
	    strspn(name, LETTERS DIGITS "._-@\\$") == n;
}

static int
option_user(struct options *o, char *value)
{
	struct rights *r = &o->line->rights;
	char *name;
	int e = 0;

	while (e == 0 && (name = strsep(&value, ",")) != NULL) {
		if (!option_is_user(name))
			return option_bad(o,
			    "user=: \"%.64s\" is no account's name", name);
		e = option_add(o, &r->user, &r->nuser, name);
	}
	return e;
}

static int
option_command(struct options *o, char *value)
{
	return option_keep(o, &o->line->rights.command, value);
}

static int
option_environment(struct options *o, char *value)
{
	struct rights *r = &o->line->rights;
	size_t n = strspn(value, LETTERS DIGITS "_");

	if (n == 0 || value[n] != '=' || isdigit((unsigned char)*value))
		return option_bad(o,
		    "environment=: \"%.64s\" is not NAME=value", value);
	return option_add(o, &r->env, &r->nenv, value);
}

static int
option_from(struct options *o, char *value)
{
	int r = pks_from_check(value, o->why, o->whylen);

	return r == 0 ? option_keep(o, &o->line->from, value) : r;
}

static int
option_time(struct options *o, const char *value, bool *has, int64_t *t)
{
	*has = true;
	if (pks_time(value, t) == 0)
		return 0;
	return option_bad(o,
	    "%s=: \"%.64s\" is not a time: YYYYMMDD, YYYYMMDDHHMM or "
	    "YYYYMMDDHHMMSS, with a Z behind it if it is UTC",
	    o->row->name, value);
}

static int
option_begin(struct options *o, char *value)
{
	return option_time(o, value, &o->line->has_begin, &o->line->begin);
}

static int
option_end(struct options *o, char *value)
{
	return option_time(o, value, &o->line->has_end, &o->line->end);
}

static int
option_sftp_root(struct options *o, char *value)
{
	if (*value != '/')
		return option_bad(o, "sftp-root=: not an absolute path");
	return option_keep(o, &o->line->rights.sftp_root, value);
}

static int
option_count(struct options *o, char *value)
{
	const char *problem;
	unsigned *n =
	    (unsigned *)(void *)((char *)&o->line->rights + o->row->offset);

	*n = (unsigned)strtonum(value, 1, SESSIONS_MAX, &problem);
	if (problem == NULL && strspn(value, DIGITS) == strlen(value))
		return 0;
	return option_bad(o, "%s=: \"%.64s\" is not a number from 1 to %d",
	    o->row->name, value, SESSIONS_MAX);
}

static int
option_interval(struct options *o, char *value)
{
	unsigned *n =
	    (unsigned *)(void *)((char *)&o->line->rights + o->row->offset);

	if (pks_interval(value, n) == 0 && *n != 0)
		return 0;
	return option_bad(o,
	    "%s=: \"%.64s\" is not a time such as 600, 10m or 1h30m",
	    o->row->name, value);
}

static int
option_permit(struct options *o, struct rights_permit **list, size_t *n,
    enum permits_kind kind, const char *value)
{
	switch (permits_add(list, n, kind, value)) {
	case 0:
		return 0;
	case SKY_ERR_LIMIT:
		return option_bad(o, "%s=: more than %d values", o->row->name,
		    PERMITS_MAX);
	case SKY_ERR_NOMEM:
		return option_no_memory(o);
	}
	return option_bad(o,
	    "%s=: \"%.64s\" is not host:port, and no absolute path either",
	    o->row->name, value);
}

static int
option_permitopen(struct options *o, char *value)
{
	return option_permit(o, &o->line->rights.open, &o->line->rights.nopen,
	    PERMITS_OPEN, value);
}

static int
option_permitlisten(struct options *o, char *value)
{
	return option_permit(o, &o->line->rights.listen,
	    &o->line->rights.nlisten, PERMITS_LISTEN, value);
}

#define FIELD(name) offsetof(struct rights, name)

static const struct option_row options[] = {
	{ "restrict", OPTION_FLAG, option_restrict, 0, 0 },
	{ "pty", OPTION_FLAG, option_grant, PRIV_GRANT_PTY, 0 },
	{ "no-pty", OPTION_FLAG, option_take, PRIV_GRANT_PTY, 0 },
	{ "exec", OPTION_FLAG, option_grant, PRIV_GRANT_EXEC, 0 },
	{ "no-exec", OPTION_FLAG, option_take, PRIV_GRANT_EXEC, 0 },
	{ "sftp", OPTION_FLAG, option_grant, PRIV_GRANT_SFTP, 0 },
	{ "no-sftp", OPTION_FLAG, option_take, PRIV_GRANT_SFTP, 0 },
	{ "forwarding", OPTION_FLAG, option_grant, PRIV_GRANT_FORWARD, 0 },
	{ "no-forwarding", OPTION_FLAG, option_take, PRIV_GRANT_FORWARD, 0 },
	{ "detach", OPTION_FLAG, option_grant, PRIV_GRANT_DETACH, 0 },
	{ "no-detach", OPTION_FLAG, option_take, PRIV_GRANT_DETACH, 0 },
	{ "user", OPTION_ONE, option_user, 0, 0 },
	{ "command", OPTION_ONE, option_command, 0, 0 },
	{ "from", OPTION_ONE, option_from, 0, 0 },
	{ "not-before", OPTION_ONE, option_begin, 0, 0 },
	{ "expiry-time", OPTION_ONE, option_end, 0, 0 },
	{ "environment", OPTION_MANY, option_environment, 0, 0 },
	{ "sftp-readonly", OPTION_FLAG, option_bool, 0, FIELD(sftp_readonly) },
	{ "sftp-root", OPTION_ONE, option_sftp_root, 0, 0 },
	{ "permitopen", OPTION_MANY, option_permitopen, 0, 0 },
	{ "permitlisten", OPTION_MANY, option_permitlisten, 0, 0 },
	{ "max-sessions", OPTION_ONE, option_count, 0, FIELD(max_sessions) },
	{ "idle-timeout", OPTION_ONE, option_interval, 0, FIELD(idle_timeout) },
	{ "record", OPTION_FLAG, option_bool, 0, FIELD(record) },
	{ "record-input", OPTION_FLAG, option_bool, 0, FIELD(record_input) },
	{ "verbose", OPTION_FLAG, option_bool, 0, FIELD(verbose) },
	/* As authorized_keys calls it, for lines that come from there. */
	{ "port-forwarding", OPTION_FLAG, option_grant, PRIV_GRANT_FORWARD, 0 },
	{ "no-port-forwarding", OPTION_FLAG, option_take, PRIV_GRANT_FORWARD,
	    0 },
	{ "no-agent-forwarding", OPTION_FLAG, option_holds_anyway, 0, 0 },
	{ "no-x11-forwarding", OPTION_FLAG, option_holds_anyway, 0, 0 },
	{ "no-user-rc", OPTION_FLAG, option_holds_anyway, 0, 0 },
};

#define OPTIONS (sizeof(options) / sizeof(options[0]))

_Static_assert(OPTIONS <= 64, "a bit of seen for each row");

/* --- the list --- */

static int
option_unknown(struct options *o, const char *name)
{
	struct usage_near near = { .word = name };

	for (size_t i = 0; i < OPTIONS; i++)
		usage_try(&near, options[i].name);
	return option_bad(o, "unknown option \"%.64s\"%s%s%s", name,
	    near.best != NULL ? "; did you mean \"" : "",
	    near.best != NULL ? near.best : "",
	    near.best != NULL ? "\"?" :
				" (a list as a value is put in quotes)");
}

static int
option_find(struct options *o, const char *name)
{
	for (size_t i = 0; i < OPTIONS; i++)
		if (strcasecmp(options[i].name, name) == 0) {
			o->row = &options[i];
			if (o->row->kind == OPTION_ONE &&
			    (o->seen & UINT64_C(1) << i))
				return option_bad(o, "%s= is there twice",
				    o->row->name);
			o->seen |= UINT64_C(1) << i;
			return 0;
		}
	return option_unknown(o, name);
}

/*
 * Takes the value that begins here off *rest: quoted, where \" is a quote and
 * any other backslash is itself, or as it is up to the next comma.  NULL if a
 * quote stands where none may; *more for a comma behind it.
 */
static char *
option_value(char **rest, bool *more)
{
	char *value = *rest, *from = value, *to = value;

	if (*from != '"') {
		from = to = value + strcspn(value, ",");
		if (memchr(value, '"', (size_t)(from - value)) != NULL)
			return NULL;
	} else {
		for (from++; *from != '"'; *to++ = *from++) {
			if (from[0] == '\\' && from[1] == '"')
				from++;
			if (*from == '\0')
				return NULL;
		}
		from++;
		if (*from != '\0' && *from != ',')
			return NULL;
	}
	*more = *from == ',';
	*rest = from + *more;
	*to = '\0';
	return value;
}

static int
option_set(struct options *o, const char *name, char *value)
{
	int r;

	if ((r = option_find(o, name)) != 0)
		return r;
	if (o->row->kind == OPTION_FLAG && value != NULL)
		return option_bad(o, "%s takes no value", o->row->name);
	if (o->row->kind != OPTION_FLAG && (value == NULL || *value == '\0'))
		return option_bad(o, "%s= has no value", o->row->name);
	return o->row->set(o, value);
}

static int
options_read(struct options *o, char *rest)
{
	char *name, *value, end;
	bool more;
	int r;

	do {
		name = rest;
		rest += strcspn(rest, "=,\"");
		end = *rest;
		if (name == rest || end == '"')
			return option_bad(o, "%s",
			    end == '"' ? "a quote where an option's name is "
					 "due" :
					 "an option is missing at a comma");
		value = NULL;
		more = end == ',';
		if (end != '\0')
			*rest++ = '\0';
		if (end == '=' && (value = option_value(&rest, &more)) == NULL)
			return option_bad(o,
			    "%.64s=: a quote is not where it may be", name);
		if ((r = option_set(o, name, value)) != 0)
			return r;
	} while (more);
	return 0;
}

/* The command is what such a key is for. */
static int
options_force(struct options *o)
{
	uint32_t *grants = &o->line->rights.grants;

	if (o->off & PRIV_GRANT_EXEC)
		return option_bad(o, "command= and no-exec exclude each other");
	*grants |= PRIV_GRANT_EXEC;
	if (!(o->on & PRIV_GRANT_SFTP))
		*grants &= ~(uint32_t)PRIV_GRANT_SFTP;
	return 0;
}

int
pks_options(struct pks_line *l, char *text, char *why, size_t n)
{
	struct options o = { .line = l, .why = why, .whylen = n };
	int r = 0;

	l->rights.grants = PRIV_GRANTS_KEY;
	if (text != NULL)
		r = options_read(&o, text);
	if (r == 0 && l->rights.command != NULL)
		r = options_force(&o);
	return r;
}
