/* SPDX-License-Identifier: ISC */
/* Going on without the terminal, as -f has it. */
#ifndef CLIENT_BACKGROUND_H
#define CLIENT_BACKGROUND_H

/*
 * A new process goes on, without input; the one that called ends with 0.
 * Output is what it was.  0, or EXIT_FAILED, told.
 */
int background(void);

#endif
