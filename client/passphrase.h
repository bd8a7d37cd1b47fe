/* SPDX-License-Identifier: ISC */
/*
 * Passphrases: from the terminal, from a program that asks in a window, from a
 * file; never from an argument or a variable.
 */
#ifndef CLIENT_PASSPHRASE_H
#define CLIENT_PASSPHRASE_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/pty/key_file.h"

/* One, in memory of its own that is locked and wiped; NULL without memory. */
char *passphrase_new(void);
/* NULL is fine. */
void passphrase_free(char *);

/*
 * Asks for one: on the terminal, else by SKYPTY_ASKPASS or SSH_ASKPASS, as
 * SSH_ASKPASS_REQUIRE has it.  0; EXIT_LOCAL, told unless it was an interrupt.
 */
int passphrase_ask(char *pass, const char *prompt);
/* The first line of a file, "-" is standard input.  0, or EXIT_LOCAL, told. */
int passphrase_from_file(char *pass, const char *path);
/* Twice, until both are the same; empty is allowed, and said.  The same. */
int passphrase_ask_new(char *pass);

/* Nobody is asked from now on, as BatchMode has it. */
void passphrase_never_ask(void);
/* Whether a person sits there. */
bool passphrase_has_terminal(void);
/*
 * The program that asks in a window, or NULL; started with the question, and
 * with hint as SSH_ASKPASS_PROMPT if that is not NULL, and then as a process
 * group of its own; what it prints is read from *out.  0, or -1 with errno.
 */
const char *passphrase_program(void);
int passphrase_start(const char *program, const char *question,
    const char *hint, pid_t *, int *out);

#endif
