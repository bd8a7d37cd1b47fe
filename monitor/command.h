/* SPDX-License-Identifier: ISC */
/* What a child asks to run. */
#ifndef MONITOR_COMMAND_H
#define MONITOR_COMMAND_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/base/buf.h"

struct command {
	char *name;
	char **argv; /* name first, NULL last */
	char **env;  /* client's K=V, NULL last */
};

/* SKY_ERR_*; then there is nothing to free. */
int command_read(struct buf *, struct command *);
/* Tells the log that it has been started, and with which arguments. */
void command_tell(const struct command *, const char *kind, bool login, pid_t,
    const char *user);
void command_free(struct command *);

#endif
