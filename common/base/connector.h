/* SPDX-License-Identifier: ISC */
/*
 * What monitors and skyptyd-connect agree on.  The program finds a socket at
 * CONNECTOR_FD, resolves HOST and connects to PORT:
 *
 *	skyptyd-connect HOST PORT REACH [best-effort]
 *
 * and sends one message, PM_DMSG_CONNECT + 1: why it did not work, or "" with
 *the connected socket.  REACH is enum reach as a number.
 */
#ifndef COMMON_BASE_CONNECTOR_H
#define COMMON_BASE_CONNECTOR_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/base/reach.h"

#define CONNECTOR_PROGRAM     "skyptyd-connect"
#define CONNECTOR_FD	      3
#define CONNECTOR_BEST_EFFORT "best-effort" /* of its confinement */
#define CONNECTOR_S	      30	    /* for all of it */

/* Whom a program that meets the network runs as: itself, where drop is not. */
struct connector_user {
	bool drop;
	uid_t uid;
	gid_t gid;
};

/*
 * In a new process, for a program that is to be confined: gives up the user, a
 * core, and new privileges.  -1 with errno.
 */
int connector_become(const struct connector_user *);
/* In a new process: becomes the program, with sock and nothing else open. */
__attribute__((noreturn)) void connector_execute(const char *path, int sock,
    const char *host, const char *port, enum reach, bool best_effort,
    const struct connector_user *);

#endif
