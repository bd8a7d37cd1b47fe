/* SPDX-License-Identifier: ISC */
/* What the rights of a key make of its session. */
#ifndef MONITOR_SESSION_H
#define MONITOR_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "monitor/half/request.h"

struct command;
struct half;
struct monitor;

/* The peer is known and m->rights are its: grants, log, idle time. */
void session_begin(struct monitor *);
/* Somebody on the control socket: all of it, as the daemon's user. */
void session_begin_control(struct monitor *);
/*
 * Something is to be started: whom the session is, is settled by now.  False:
 * it may not be, why for the peer.
 */
bool session_ready(struct monitor *, char *why, size_t);

request_handler session_user, session_active;
/* For the table: 1 once something was to be started. */
unsigned session_started(const struct half *);

/* --- forced.c: what runs, whatever is asked for --- */

/* How a command was asked for. */
enum session_asked {
	SESSION_LOGIN, /* a login shell */
	SESSION_WORDS, /* name and arguments */
	SESSION_LINE,  /* sh -c SCRIPT LINE: a line for the account's shell */
	SESSION_FILES  /* the SFTP server */
};

/*
 * Once it is ready: makes of what the child asks for what the rights permit:
 * the forced command in place of any, a login shell in place of a command that
 * is not granted; the client's variables as far as they pass, and the key's
 * own.  0, and login is whether the account's shell is to run and not the
 * command; SKY_ERR_NOMEM.
 */
int session_command(const struct monitor *, struct command *,
    enum session_asked, bool *login);
/* Whether the command is forced also where files are asked for. */
bool session_forces_files(const struct monitor *);

#endif
