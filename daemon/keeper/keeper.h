/* SPDX-License-Identifier: ISC */
/*
 * skypty-keeper, which runs as a session's user: the keeper of one job or one
 * session, or the door to all jobs or all sessions of a key.  Its monitor has
 * executed it with a socket on standard input, whose other end the confined
 * child of the connection has; a session's with the two ends of its terminal on
 * standard output and error.
 */
#ifndef DAEMON_KEEPER_KEEPER_H
#define DAEMON_KEEPER_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/pty/keys.h"
#include "daemon/keeper/keeper_store.h"

/* What the monitor says, in words of the command line. */
struct keeper_orders {
	const char *folder; /* of the account's jobs */
	bool any;	    /* whoever's they are: the control socket */
	bool sessions;	    /* it is about them, not about jobs */
	struct key_public pk;
	struct store_limits limits;
	/* A new session: */
	const char *name; /* "" for none */
	struct rpc_winsize size;
	/* A new job; of these a session has the last four. */
	bool has_input;
	bool forced;	     /* whose client is not to read its words */
	uint32_t timeout_ms; /* 0: none */
	char *program;	     /* its file */
	char **line;	     /* all of these words, for the title */
	char **argv;
};

/* Keeps a new job until that is over.  An exit status. */
int keeper_run(const struct keeper_orders *, int client);
/* The same of a new session, whose terminal that is. */
int
keeper_session(const struct keeper_orders *, int client, int slave, int master);
/* Serves one request about those that there are. */
int keeper_door(const struct keeper_orders *, int client);
/* Whether the session of that name is there, and its keeper has the client. */
bool keeper_pass_to(const struct keeper_orders *, int all, const char *name,
    int client, const struct buf *asked);

#endif
