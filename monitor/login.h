/* SPDX-License-Identifier: ISC */
/*
 * What is done around a session as root: PAM, the records of logins.  All of it
 * is for the session's own process, before that becomes the user and executes
 * what is wanted.
 */
#ifndef MONITOR_LOGIN_H
#define MONITOR_LOGIN_H

#include <pwd.h>
#include <stdbool.h>
#include <stddef.h>

#include "monitor/records.h"

struct pam_login;
struct session_origin;

#define LOGIN_PAM_S    30 /* seconds for what modules do, either way */
#define LOGIN_TEXT_MAX 512

struct login {
	const struct passwd *pw;
	const struct session_origin *origin;
	const char *tty; /* "/dev/pts/1", or NULL */
	bool use_pam;
	/* What there is to be undone. */
	struct pam_login *pam;
	struct login_record record;
	/* When it was here before: 0 is never, or not known. */
	struct record_last last;
	char warning[LOGIN_TEXT_MAX]; /* for the log, or "" */
};

/*
 * Gives this process what a login of the account gets from root, its groups
 * among it, and has a process of its own undo the rest when this one ends,
 * whatever ends it.  That one closes descriptors below kept.  Who is not root
 * has nothing to give.  0, or a negative SKY_ERR_* and a sentence in why; then
 * nothing is left to undo.
 */
int login_open(struct login *, int kept, char *why, size_t len);
/*
 * Of that only what a process of the account's needs that is no session: its
 * groups, and PAM's word about the account.  As above.
 */
int login_join(const struct login *, char *why, size_t len);
/* What PAM wants in the environment: NULL last, or NULL. */
char *const *login_env(const struct login *);
/*
 * What a login shell tells at a terminal: when the account was last here, and
 * the message of the day.  As the user, on standard output.
 */
void login_greet(const struct login *);

#endif
