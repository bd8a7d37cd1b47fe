/* SPDX-License-Identifier: ISC */
/*
 * What a session runs, whatever its client asks for: command= of the key in
 * place of any command, by the account's shell as with sshd, and variables
 * that the client cannot change.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/privsep/accept_env.h"
#include "monitor/account.h"
#include "monitor/command.h"
#include "monitor/env.h"
#include "monitor/monitor.h"
#include "monitor/session.h"

#define LINE_AT	  3			 /* of the words sh -c SCRIPT LINE */
#define ASKED_MAX (4 * PRIVMSG_MAX + 64) /* a quote becomes four bytes */
#define PLAIN                                                  \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789@%+=:,./-_"

/* --- what was asked for --- */

/* A word as a shell takes it. */
static int
forced_put_word(struct buf *b, const char *word)
{
	size_t n = strlen(word);
	int r;

	if (n != 0 && strspn(word, PLAIN) == n)
		return buf_put(b, word, n);
	r = buf_put(b, "'", 1);
	for (; r == 0 && *word != '\0'; word += n) {
		if ((n = strcspn(word, "'")) != 0)
			r = buf_put(b, word, n);
		else {
			r = buf_put(b, "'\\''", 4);
			n = 1;
		}
	}
	return r == 0 ? buf_put(b, "'", 1) : r;
}

static int
forced_put_words(struct buf *b, char *const *words)
{
	int r = 0;

	for (size_t i = 0; r == 0 && words[i] != NULL; i++) {
		if (i != 0)
			r = buf_put(b, " ", 1);
		if (r == 0)
			r = forced_put_word(b, words[i]);
	}
	return r;
}

static bool
forced_has_line(char *const *words)
{
	for (size_t i = 0; i <= LINE_AT; i++)
		if (words[i] == NULL)
			return false;
	return true;
}

/* Nothing where a shell was asked for, as with sshd. */
static int
forced_put_asked(struct buf *b, const struct command *c,
    enum session_asked asked)
{
	switch (asked) {
	case SESSION_LOGIN:
		return 0;
	case SESSION_LINE:
		if (forced_has_line(c->argv))
			return buf_put(b, c->argv[LINE_AT],
			    strlen(c->argv[LINE_AT]));
		break;
	case SESSION_WORDS:
	case SESSION_FILES:
		break;
	}
	return forced_put_words(b, c->argv);
}

/* --- variables --- */

static int
forced_add(struct command *c, const char *name, const char *value)
{
	size_t n = env_count(c->env);
	char **env;

	if ((env = reallocarray(c->env, n + 2, sizeof(*env))) == NULL)
		return SKY_ERR_NOMEM;
	c->env = env;
	env[n + 1] = NULL;
	if (asprintf(&env[n], "%s%s%s", name, *name != '\0' ? "=" : "",
		value) != -1)
		return 0;
	env[n] = NULL;
	return SKY_ERR_NOMEM;
}

/* The original's way is for who could run anything as that user anyway. */
static bool
forced_is_free(const struct monitor *m)
{
	return m->rights.full && m->account.pw_uid == geteuid();
}

static void
forced_filter(const char *patterns, char **env)
{
	size_t n = 0;

	for (size_t i = 0; env[i] != NULL; i++)
		if (patterns != NULL && accept_env(patterns, env[i]))
			env[n++] = env[i];
		else
			free(env[i]);
	env[n] = NULL;
}

/* What the line of the key says stands behind the client's, and counts. */
static int
forced_set_variables(const struct monitor *m, struct command *c)
{
	int r = 0;

	if (!forced_is_free(m))
		forced_filter(m->half.start.accept_env, c->env);
	for (size_t i = 0; r == 0 && i < m->rights.nenv; i++)
		r = forced_add(c, "", m->rights.env[i]);
	return r;
}

/* --- the command --- */

static int
forced_replace(const struct monitor *m, struct command *c)
{
	const char *words[] = { account_shell(&m->account), "-c",
		m->rights.command };
	char **argv;

	if ((argv = calloc(4, sizeof(*argv))) == NULL)
		return SKY_ERR_NOMEM;
	for (size_t i = 0; i < 3; i++)
		if ((argv[i] = strdup(words[i])) == NULL) {
			while (i-- > 0)
				free(argv[i]);
			free(argv);
			return SKY_ERR_NOMEM;
		}
	for (size_t i = 1; c->argv[i] != NULL; i++)
		free(c->argv[i]);
	free(c->argv);
	free(c->name);
	c->name = argv[0];
	c->argv = argv;
	return 0;
}

static int
forced_take(const struct monitor *m, struct command *c,
    enum session_asked asked)
{
	struct buf text;
	int r;

	buf_init(&text, ASKED_MAX);
	if ((r = forced_put_asked(&text, c, asked)) == 0 &&
	    buf_len(&text) != 0 && (r = buf_put(&text, "", 1)) == 0) {
		const char *line = (const char *)buf_ptr(&text);

		log_debug("asked for: %s", line);
		if ((r = forced_add(c, "SKYPTY_ORIGINAL_COMMAND", line)) == 0)
			r = forced_add(c, "SSH_ORIGINAL_COMMAND", line);
	}
	buf_free(&text);
	return r == 0 ? forced_replace(m, c) : r;
}

int
session_command(const struct monitor *m, struct command *c,
    enum session_asked asked, bool *login)
{
	const struct rights *r = &m->rights;
	int error;

	*login = asked == SESSION_LOGIN;
	if ((error = forced_set_variables(m, c)) != 0)
		return error;
	if (r->command != NULL &&
	    (asked != SESSION_FILES || session_forces_files(m))) {
		*login = false;
		return forced_take(m, c, asked);
	}
	/* A terminal alone is the account's shell, not one of one's choice. */
	if (asked == SESSION_WORDS || asked == SESSION_LINE)
		*login = (m->half.grants & PRIV_GRANT_EXEC) == 0;
	return 0;
}
