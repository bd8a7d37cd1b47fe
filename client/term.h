/* SPDX-License-Identifier: ISC */
/* Our terminal. */
#ifndef CLIENT_TERM_H
#define CLIENT_TERM_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common/pty/modes.h"
#include "common/pty/rpc.h"

/* Raw mode on standard input, undone at exit and by deadly signals. */
int term_raw(void);
void term_restore(void);
/* Output that is shown on it. */
void term_watch(const uint8_t *, size_t);
/*
 * Takes back what the output has made of it, as another screen or reports of
 * the mouse: whoever would have done so cannot be heard any more.  While it is
 * raw; complain() does so, too.
 */
void term_lost(void);
bool term_is_raw(void);
/* Size of the terminal on standard input or output; false: none. */
bool term_size(struct rpc_winsize *);
/* Modes of the one on standard input, as the user has set them. */
bool term_modes(uint8_t modes[MODES_LEN]);
/* Restores, stops the process, and is raw again when it continues. */
void term_suspend(void);
/*
 * ppoll(2), which also lets in signals that wait while a descriptor is ready: a
 * new size of the window comes before what was typed in it.  0, interrupted or
 * not, or -1.
 */
int term_poll(struct pollfd *, size_t n, const struct timespec *,
    const sigset_t *open);

#endif
