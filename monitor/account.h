/* SPDX-License-Identifier: ISC */
/* Whom a session runs as. */
#ifndef MONITOR_ACCOUNT_H
#define MONITOR_ACCOUNT_H

#include <pwd.h>
#include <stddef.h>

struct monitor;

/*
 * Makes that account the session's, or the one that skyptyd runs as for NULL.
 * Whether the peer's key may have it is the caller's matter; here it is whether
 * anybody may log in to it, as sshd decides that.  0; SKY_ERR_NOTFOUND,
 * SKY_ERR_DENIED or SKY_ERR_NOMEM with the reason in why, a sentence for the
 * peer, and the session's account is what it was.
 */
int account_set(struct monitor *, const char *name, char *why, size_t len);
/* Its shell by passwd(5). */
const char *account_shell(const struct passwd *);
void account_free(struct passwd *);

/*
 * In a new process, as root: takes the groups that the system's files give the
 * account.  A module of PAM may add others before the next step.  -1 and errno.
 */
int account_join(const struct passwd *);
/*
 * After that: takes the account's own group, user and folder for good, and no
 * step back is left.  -1 and errno.
 */
int account_become(const struct passwd *);

#endif
