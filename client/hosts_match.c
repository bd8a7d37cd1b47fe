/* SPDX-License-Identifier: ISC */
/*
 * "Match" in the file of names: whether what follows holds, by what is known so
 * far.  No command is run for it: the file is read by all that connect, and for
 * completion.
 */
#include "client/hosts_match.h"
#include "client/dest.h"
#include "client/exits.h"
#include "client/ssh/ssh_opts.h"

#include <ctype.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/base/addr.h"

/* --- what is known so far --- */

static const char *
match_said(const struct hosts_known *k, enum ssh_name name)
{
	const char *text = k->ssh != NULL ? ssh_opts_text(k->ssh, name) : NULL;

	return text != NULL ? text : "";
}

/* Without its port, and with the name in place of %h. */
static char *
match_host(const struct hosts_known *k)
{
	struct ssh_tokens t = { .hostname = k->alias };
	char host[ADDR_HOST_MAX], port[ADDR_PORT_MAX];
	const char *text = match_said(k, SSH_HOSTNAME);
	char *full;

	if (*text == '\0' && k->host->address == NULL)
		return strdup(k->alias);
	full = *text != '\0' ? ssh_expand(text, "%h", &t, "HostName") :
			       strdup(k->host->address);
	if (full == NULL || addr_split(full, DEFAULT_PORT, host, port) != 0)
		return full;
	free(full);
	return strdup(host);
}

int
hosts_tokens(const struct hosts_known *k, struct ssh_tokens *t, char **host)
{
	const char *port = match_said(k, SSH_PORT);
	const char *login = match_said(k, SSH_USER);
	const char *alias = match_said(k, SSH_HOST_KEY_ALIAS);

	*host = NULL;
	*t = (struct ssh_tokens){ .host = NULL };
	if (k->alias == NULL)
		return 0;
	if ((*host = match_host(k)) == NULL)
		return EXIT_FAILED;
	if (*port == '\0')
		port = k->host->port != NULL ? k->host->port : DEFAULT_PORT;
	*t = (struct ssh_tokens){ .host = k->alias,
		.hostname = *host,
		.key_alias = *alias != '\0' ? alias : k->alias,
		.port = port,
		.login = *login != '\0' ? login : NULL };
	return 0;
}

/* --- criteria --- */

enum match_what {
	MATCH_ALL,
	MATCH_NEVER,
	MATCH_HOST,
	MATCH_ORIGINAL,
	MATCH_USER,
	MATCH_LOCAL_USER,
	MATCH_TAG,
	MATCH_COMMAND,
	MATCH_SESSION,
	MATCH_VERSION,
	MATCH_REFUSED
};

static const struct criterion {
	const char *name;
	enum match_what what;
	const char *why; /* it is refused */
} criteria[] = {
	{ "all", MATCH_ALL, NULL },
	{ "canonical", MATCH_NEVER, NULL }, /* names are not completed */
	{ "host", MATCH_HOST, NULL },
	{ "originalhost", MATCH_ORIGINAL, NULL },
	{ "user", MATCH_USER, NULL },
	{ "localuser", MATCH_LOCAL_USER, NULL },
	{ "tagged", MATCH_TAG, NULL },
	{ "command", MATCH_COMMAND, NULL },
	{ "sessiontype", MATCH_SESSION, NULL },
	{ "version", MATCH_VERSION, NULL },
	{ "exec", MATCH_REFUSED,
	    "Match runs no command to find out where to go" },
	{ "final", MATCH_REFUSED,
	    "Match does not read the file a second time" },
	{ "localnetwork", MATCH_REFUSED, "Match does not compare networks" },
};

#define CRITERIA (sizeof(criteria) / sizeof(criteria[0]))

/* What it is compared with; malloc'ed. */
static char *
match_value(const struct hosts_known *k, enum match_what what)
{
	const struct passwd *pw;
	const char *type;

	switch (what) {
	case MATCH_HOST:
		return match_host(k);
	case MATCH_ORIGINAL:
		return strdup(k->alias);
	case MATCH_USER:
		return strdup(match_said(k, SSH_USER));
	case MATCH_LOCAL_USER:
		pw = getpwuid(getuid());
		return strdup(pw != NULL ? pw->pw_name : "");
	case MATCH_TAG:
		return strdup(match_said(k, SSH_TAG));
	case MATCH_COMMAND:
		return strdup(k->ssh != NULL && k->ssh->command != NULL ?
			k->ssh->command :
			"");
	case MATCH_SESSION:
		type = match_said(k, SSH_SESSION_TYPE);
		if (k->ssh == NULL)
			type = "";
		else if (*type == '\0' || strcmp(type, "default") == 0)
			type = k->ssh->command != NULL ? "exec" : "shell";
		return strdup(type);
	default:
		return strdup("skypty_" SKYPTY_VERSION);
	}
}

/* Names of hosts are compared in small letters. */
static bool
match_one(const struct hosts_known *k, enum match_what what,
    const char *patterns)
{
	bool small = what == MATCH_HOST || what == MATCH_ORIGINAL, found;
	char *value = match_value(k, what);

	if (value == NULL)
		return false;
	for (char *p = value; small && *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	if (*value == '\0' && *patterns == '\0')
		found = true;
	else
		found = ssh_match_list(patterns, value, small);
	free(value);
	return found;
}

/* --- the line --- */

/* "all" stands alone, or behind "canonical". */
static const char *
match_form(const struct criterion *c, size_t before, const char *next)
{
	if (c == NULL)
		return "unknown criterion of Match";
	if (c->what == MATCH_REFUSED)
		return c->why;
	if (c->what == MATCH_ALL && (before > 1 || next != NULL))
		return "'all' cannot be combined with others in Match";
	if (c->what > MATCH_NEVER && next == NULL)
		return "a value is missing in Match";
	if (c->what > MATCH_NEVER && *next == '\0' && c->what != MATCH_TAG &&
	    c->what != MATCH_COMMAND)
		return "a value is empty in Match";
	return NULL;
}

const char *
hosts_match(const struct hosts_known *k, char **words, size_t n,
    const char **word, bool *holds)
{
	const struct criterion *c;
	const char *why;
	bool negated, one;

	*holds = true;
	*word = "";
	if (n == 0)
		return "Match needs a criterion";
	for (size_t i = 0; i < n; i++) {
		*word = words[i];
		negated = words[i][0] == '!';
		c = NULL;
		for (size_t j = 0; c == NULL && j < CRITERIA; j++)
			if (strcasecmp(criteria[j].name, words[i] + negated) ==
			    0)
				c = &criteria[j];
		why = match_form(c, i, i + 1 < n ? words[i + 1] : NULL);
		if (why != NULL)
			return why;
		if (c->what > MATCH_NEVER)
			i++;
		/* A list of names asks for none. */
		if (k->alias == NULL)
			continue;
		one = c->what == MATCH_ALL ||
		    (c->what != MATCH_NEVER && match_one(k, c->what, words[i]));
		*holds = *holds && one != negated;
	}
	return NULL;
}
