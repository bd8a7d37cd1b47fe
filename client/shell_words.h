/* SPDX-License-Identifier: ISC */
/* What a shell is started with: its words, and variables of ours. */
#ifndef CLIENT_SHELL_WORDS_H
#define CLIENT_SHELL_WORDS_H

struct client_options;

#define DEFAULT_SHELL "/bin/bash"

/* TERM, COLORTERM, LANG and the parts of a locale. */
#define SHELL_VARIABLES 16

struct shell_words {
	char **words; /* NULL-terminated */
	char *args;   /* what all but the first point into */
	char *env[SHELL_VARIABLES];
};

/*
 * Makes a shell of the options' command, by --cmd and --args; and puts what of
 * our environment it is to have in front of --env.  It is kept until
 * shell_words_free(), also after an error: 0, or EXIT_FAILED, told.
 */
int shell_words_set(struct shell_words *, struct client_options *);
/* The variables alone. */
int shell_words_env(struct shell_words *, struct client_options *);
void shell_words_free(struct shell_words *);

#endif
