/* SPDX-License-Identifier: ISC */
/*
 * The loop of a session, with or without a terminal of ours: standard input and
 * what is typed, the host, output, signals and the window's size.  What all of
 * that means to the host is a table of operations.
 */
#ifndef CLIENT_TERM_LOOP_H
#define CLIENT_TERM_LOOP_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/typed.h"
#include "common/base/buf.h"
#include "common/pty/rpc.h"

struct conn;

/*
 * Each gets the loop's arg.  Those that return an int return 0, or an exit
 * status with the reason told, which ends the loop.
 */
struct term_loop_ops {
	/* How many bytes of standard input may be taken now; 0: none. */
	size_t (*room)(void *);
	/* Standard input can be read, and is not a terminal in raw mode. */
	int (*read)(void *);
	/* What was typed at one that is; nothing: its end. */
	int (*keys)(void *, struct buf *);
	/* The user wants to go, by the escape sequence for it. */
	void (*leave)(void *);
	/* The terminal has a size, which may be a new one. */
	int (*resize)(void *, const struct rpc_winsize *);
	/* A signal that is caught and is not about the terminal. */
	int (*signal)(void *, int);
	/* What poll(2) is to wait for where output goes. */
	struct pollfd (*output)(void *);
	/* The connection has been read and written, output may go on or not. */
	int (*work)(void *, bool writable);
	bool (*is_over)(void *);
};

struct term_loop {
	const struct term_loop_ops *ops;
	void *arg;
	struct conn *conn;
	struct typed typed;
	bool raw;	 /* our terminal is in raw mode, what comes is typed */
	bool sized;	 /* the host takes its sizes */
	bool resized;	 /* and has one to get */
	int64_t wait_ms; /* at most, for one wait; -1: some seconds */
};

/* Of a connection, with an escape character or -1. */
void term_loop_init(struct term_loop *, const struct term_loop_ops *, void *arg,
    struct conn *, int escape);
/*
 * Catches the signals of the list, which ends with 0 (SIGWINCH, SIGCONT and
 * SIGTSTP are known here), and lets them in while the loop waits only.
 */
void term_loop_catch(const int *);
/* Until it is over: 0, or an exit status, told. */
int term_loop_run(struct term_loop *);
/* Raw mode: what comes is typed.  As term_raw(). */
int term_loop_raw(struct term_loop *);
/* The host takes sizes from now on, and gets the one that there is. */
int term_loop_sized(struct term_loop *);

#endif
