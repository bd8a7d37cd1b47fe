/* SPDX-License-Identifier: ISC */
/*
 * TLS, by a program of its own: nobody else has libssl in it.  skypty-tls HOST
 * [TLS_BEST_EFFORT] [TLS_CHILD] finds a connection to HOST at TLS_FD_NET and a
 * socket at TLS_FD_PLAIN, where it says "ok" or why not in a line before it
 * moves bytes. It verifies the certificate with the system's authorities, or
 * those of SSL_CERT_FILE.
 */
#ifndef COMMON_BASE_TLS_H
#define COMMON_BASE_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define TLS_FD_NET	3
#define TLS_FD_PLAIN	4
#define TLS_OK		"ok"
#define TLS_BEST_EFFORT "best-effort" /* of its confinement */
#define TLS_CHILD	"child"	      /* ends with who has started it */
#define TLS_WAIT_MS	15000	      /* for the handshake */
#define TLS_WHY_MAX	256
#define TLS_MISSING                                                          \
	"https needs the program skypty-tls, which is not here: skypty was " \
	"built without libssl"

/*
 * Opens the program, so that whoever becomes another user can start it all the
 * same.  SKY_ERR_NOTFOUND is for TLS_MISSING; SKY_ERR_SYS, SKY_ERR_LIMIT.
 */
int tls_open(void);
/*
 * Starts it on net, both the caller's to close: the plain side, where its word
 * is to come, or -1 with errno.  prepare is called in the new process first,
 * unless it is NULL, and is 0 if the program may be started.  It ends with the
 * plain side.  It is the caller's child *pid, to be waited for, and is killed
 * when the caller ends; with NULL it is nobody's, and leaves no zombie.
 */
int tls_launch(int program, int net, const char *host, bool best_effort,
    int (*prepare)(void *), void *arg, pid_t *pid);
/*
 * The same, and waits for its word:
 * the plain side, not blocking, or -1 with the reason in why, which is what a
 * confined process says.
 */
int tls_start(int program, int net, const char *host, bool best_effort,
    char why[TLS_WHY_MAX]);

#endif
