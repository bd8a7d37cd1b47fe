/* SPDX-License-Identifier: ISC */
/* The environment of a session. */
#ifndef MONITOR_ENV_H
#define MONITOR_ENV_H

#include <pwd.h>
#include <stddef.h>

struct session_origin;

/*
 * The environment of a login of this account with PAM's entries (or NULL) and
 * on top the client's, malloc'ed, NULL last.  tty is the terminal's name or
 * NULL.  NULL: no memory.
 */
char **env_login(const struct passwd *, const struct session_origin *,
    const char *tty, char *const *pam, char *const *client);
/* The value of that name, NULL if it is not there. */
const char *env_get(char *const *, const char *name);
/* How many there are before the NULL; of NULL none. */
size_t env_count(char *const *);
void env_free(char **);
/* Where commands without a slash are looked for. */
const char *env_path(const struct passwd *);

#endif
