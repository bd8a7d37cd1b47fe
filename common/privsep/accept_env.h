/* SPDX-License-Identifier: ISC */
/*
 * Which variables of a client pass where its key has not every right, as
 * AcceptEnv of sshd_config(5) says it.
 */
#ifndef COMMON_PRIVSEP_ACCEPT_ENV_H
#define COMMON_PRIVSEP_ACCEPT_ENV_H

#include <stdbool.h>
#include <stddef.h>

#define ACCEPT_ENV_DEFAULT \
	"LANG LANGUAGE LC_* COLORTERM TERM TZ NO_COLOR FORCE_COLOR"

/* Whether it is a list of names with * and ?, divided by blanks. */
bool accept_env_is_list(const char *patterns);
/* Whether that variable never passes: it can change which program runs. */
bool accept_env_never(const char *name, size_t len);
/*
 * Whether NAME=value passes: by a pattern, with a name of that kind, and with a
 * value that names no file where a program would look for one.
 */
bool accept_env(const char *patterns, const char *entry);

#endif
