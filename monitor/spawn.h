/* SPDX-License-Identifier: ISC */
/* Starting shells and commands as the session's user. */
#ifndef MONITOR_SPAWN_H
#define MONITOR_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct cage;
struct command;
struct monitor;

struct spawn {
	const struct command *cmd;
	int in, out, err; /* -1 is /dev/null */
	const char *tty;  /* name of in, the controlling terminal to be; of a
			   * keeper's out, which is to give it to another */
	const struct cage *cage; /* what it is to be shut into, or NULL */
	/* The file and words of a keeper that is to run it, or NULL. */
	const char *const *keeper;
	bool login; /* the session's SHELL in place of cmd, as a login shell */
};

/*
 * Starts the command as the session's user, who is settled by session_ready(),
 * in a session of its own.  1, or 0
 * with the reason in why, in the words of the original.
 */
int
spawn(struct monitor *, const struct spawn *, pid_t *, char *why, size_t len);
/* Reaps those that could not become their command. */
void spawn_reap(struct monitor *);

#endif
