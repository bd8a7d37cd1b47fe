/* SPDX-License-Identifier: ISC */
/*
 * A session that is kept: a terminal whose master its keeper has, the screen of
 * it, and who is attached.
 */
#ifndef DAEMON_KEEPER_KEEPER_SESSION_H
#define DAEMON_KEEPER_KEEPER_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/buf.h"
#include "common/pty/sessmsg.h"
#include "daemon/keeper/keeper_guest.h"
#include "daemon/keeper/keeper_screen.h"
#include "daemon/keeper/keeper_store.h"

#define SESSION_TYPED_MAX (64U * 1024) /* that the terminal has not taken */

struct session {
	struct store store;
	char name[SESS_WHICH_MAX + 1]; /* "" for none */
	struct guest guest[GUESTS_MAX];
	struct kscreen *screen;
	struct rpc_winsize size;
	struct buf typed;
	pid_t pid;
	int master; /* -1: it is over */
	int signals, call;
	bool exited;
	bool told;	 /* what is told of it is in its file */
	int64_t told_ms; /* since when it is not */
	int64_t kill_ms; /* when what does not go is killed; 0: never */
};

/* The terminal gets a size, within limits; *nudge: one that is none before. */
void session_resize(struct session *, const struct rpc_winsize *, bool nudge);
/* Sends a signal to what runs there: NULL, or why not. */
const char *session_signal(struct session *, int number);
/* An entry, whose texts are views of what the session has. */
void session_describe(const struct session *, struct sess_entry *);

#endif
