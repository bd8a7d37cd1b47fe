/* SPDX-License-Identifier: ISC */
/* What a shell is started with. */
#include "client/shell_words.h"
#include "client/complain.h"
#include "client/exits.h"
#include "client/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As the original has it, and the parts of a locale. */
static const char *const forwarded[SHELL_VARIABLES] = { "TERM", "COLORTERM",
	"LANG", "LC_ALL", "LC_CTYPE", "LC_NUMERIC", "LC_TIME", "LC_COLLATE",
	"LC_MONETARY", "LC_MESSAGES", "LC_PAPER", "LC_NAME", "LC_ADDRESS",
	"LC_TELEPHONE", "LC_MEASUREMENT", "LC_IDENTIFICATION" };

static int
shell_words_no_memory(void)
{
	complain("out of memory");
	return EXIT_FAILED;
}

int
shell_words_env(struct shell_words *w, struct client_options *o)
{
	const char *value;
	size_t n = 0;

	for (size_t i = 0; i < SHELL_VARIABLES; i++) {
		value = getenv(forwarded[i]);
		if ((value == NULL || *value == '\0') && i == 0)
			value = "xterm-256color";
		if (value == NULL || *value == '\0')
			continue;
		if (asprintf(&w->env[n], "%s=%s", forwarded[i], value) == -1) {
			w->env[n] = NULL;
			return shell_words_no_memory();
		}
		n++;
	}
	if (o->nenv + n > ENV_MAX) {
		complain("--env: more than %zu variables", ENV_MAX - n);
		return EXIT_FAILED;
	}
	memmove(o->env + n, o->env, o->nenv * sizeof(*o->env));
	memcpy(o->env, w->env, n * sizeof(*o->env));
	o->nenv += n;
	return 0;
}

/* The original's list of arguments is divided by commas. */
int
shell_words_set(struct shell_words *w, struct client_options *o)
{
	static char shell[] = DEFAULT_SHELL;
	size_t n = 3; /* the shell, one argument, the end */
	char *rest;

	for (const char *p = o->args; p != NULL && *p != '\0'; p++)
		n += *p == ',';
	if ((w->words = calloc(n, sizeof(*w->words))) == NULL ||
	    (o->args != NULL && (w->args = strdup(o->args)) == NULL))
		return shell_words_no_memory();
	w->words[0] = o->cmd != NULL ? (char *)(uintptr_t)o->cmd : shell;
	n = 1;
	for (rest = w->args; rest != NULL;)
		w->words[n++] = strsep(&rest, ",");
	o->command = w->words;
	o->shell = o->terminal = true;
	return shell_words_env(w, o);
}

void
shell_words_free(struct shell_words *w)
{
	for (size_t i = 0; i < SHELL_VARIABLES; i++)
		free(w->env[i]);
	free(w->args);
	free(w->words);
}
