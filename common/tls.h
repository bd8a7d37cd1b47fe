/* SPDX-License-Identifier: ISC */
/*
 * TLS, by a program of its own: nobody else has libssl in it.  skypty-tls HOST
 * finds a connection to HOST at TLS_FD_NET and a socket at TLS_FD_PLAIN, where
 * it says "ok" or why not in a line before it moves bytes.  It verifies the
 * certificate with the system's authorities, or those of SSL_CERT_FILE.
 */
#ifndef COMMON_TLS_H
#define COMMON_TLS_H

#include <stddef.h>

#define TLS_FD_NET   3
#define TLS_FD_PLAIN 4
#define TLS_OK	     "ok"
#define TLS_WAIT_MS  15000 /* for the handshake */
#define TLS_WHY_MAX  256

/*
 * Starts it on net, which is the caller's to close, and waits for its word:
 * the plain side, not blocking, or -1 with the reason in why.
 */
int tls_start(int net, const char *host, char why[TLS_WHY_MAX]);

#endif
