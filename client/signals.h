/* SPDX-License-Identifier: ISC */
/* Signals that a command of the client takes into its own hands. */
#ifndef CLIENT_SIGNALS_H
#define CLIENT_SIGNALS_H

#include <signal.h>

/*
 * Has the signals of a list, which ends with 0, handled; what is ignored, as by
 * nohup(1), stays so.  But for SIGINT: a shell has its jobs in the background
 * ignore it, and whoever sends one means it.  open, unless it is NULL, is what
 * poll(2) is to let in; the signals are blocked but for that.
 */
void signals_catch(const int *, void (*handler)(int), sigset_t *open);
/* Dies of a signal as if it had not been caught: whoever sent it expects so. */
void signals_die(int);

#endif
