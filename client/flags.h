/* SPDX-License-Identifier: ISC */
/*
 * The flags of all commands but ssh and host, in one table: what is parsed, and
 * what --help tells.  regress/flags.py compares the manual and the completions
 * with that.
 */
#ifndef CLIENT_FLAGS_H
#define CLIENT_FLAGS_H

#include <stdbool.h>
#include <stdio.h>

struct client_options;

/* Commands by what they take. */
enum flags_style {
	STYLE_SHELL,
	STYLE_EXEC, /* a first word may begin a command for this machine */
	STYLE_SFTP,
	STYLE_MOUNT,
	STYLE_COPY,
	STYLE_KEY,    /* pk: no destination */
	STYLE_SOCKET, /* of the host here, and no more */
	STYLE_STATUS, /* the same, of dmsg */
	STYLE_KEYGEN,
	STYLE_CONFIG,
	STYLE_FLEET,
	STYLE_JOB,
	STYLE_CONTROL,
	STYLE_AGENT,
	STYLE_ADD,
	STYLE_SESSIONS,
	STYLE_ATTACH,
	STYLE_NONE /* another program's flags */
};

/*
 * Takes the flags of argv from optind on: up to the next word that is none, or,
 * of commands that permit it, all that there are.  0, or EXIT_USAGE, told.
 * *dashes, unless it is NULL: "--" came behind them.
 */
int flags_take(struct client_options *, enum flags_style, const char *command,
    int argc, char **argv, bool *dashes);
/* What --help tells of them, a line each. */
void flags_help(enum flags_style, FILE *);

#endif
