/* SPDX-License-Identifier: ISC */
/*
 * A login by PAM, as sshd has it for who has proven a key: nobody is asked for
 * anything, but account, credentials and session modules run.  pam_login.c, or
 * pam_none.c where there is no PAM.
 */
#ifndef MONITOR_PAM_LOGIN_H
#define MONITOR_PAM_LOGIN_H

#include <stddef.h>

struct pam_login;

struct pam_wish {
	const char *user;
	const char *tty;	/* "/dev/pts/1"; NULL: none */
	const char *host;	/* where from; "" is here */
	const char *connection; /* SSH_CONNECTION and the key; or "" */
	const char *pk;
};

/*
 * Runs what "skypty" of pam.d(5) says about the account, and opens its session.
 * For a process that becomes the session's or is its parent: limits, groups,
 * context and the like are given to whoever calls.  0, or SKY_ERR_DENIED and
 * the reason in why, a sentence for the peer; then nothing is left open.
 */
int pam_login_open(struct pam_login **, const struct pam_wish *, char *why,
    size_t len);
/*
 * Runs what it says about the account alone: for a process that has no session
 * of its own.  As above.
 */
int pam_login_check(const struct pam_wish *, char *why, size_t len);
/* What modules want to be told to the user, lines, or "". */
const char *pam_login_said(const struct pam_login *);
/* What they want in the environment: NULL last, or NULL.  Ours to keep. */
char **pam_login_env(struct pam_login *);
/* Ends the session; as root, in the process that opened it or a copy of it. */
void pam_login_close(struct pam_login *);

#endif
