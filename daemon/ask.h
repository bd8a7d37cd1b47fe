/* SPDX-License-Identifier: ISC */
/* Asking the daemon that serves here, over its control socket. */
#ifndef DAEMON_ASK_H
#define DAEMON_ASK_H

#include <stddef.h>

#include "common/base/buf.h"
#include "common/pty/keys.h"

#define ASK_WHY_MAX 512

/*
 * Has the service of that URI say all that it has to say, appended to answer.
 * cliaddr is the control socket, NULL for the default places.  0, or -1 with
 * why, unprintables escaped.
 */
int ask(const char *cliaddr, const char *uri, struct buf *answer,
    char why[ASK_WHY_MAX]);
/* Ends all connections of a key; *n is how many those were.  As above. */
int ask_kill_key(const char *cliaddr, const struct key_public *pk,
    unsigned long *n, char why[ASK_WHY_MAX]);

/* skyptyd kill, skyptyd status.  An exit status. */
int kill_main(int argc, char **argv);
int status_main(int argc, char **argv);

#endif
