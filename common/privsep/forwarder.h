/* SPDX-License-Identifier: ISC */
/*
 * What a connection's monitor and skypty-forward agree on.  The program is the
 * session's user and finds a socket at FORWARDER_FD:
 *
 *	skypty-forward [best-effort]
 *
 * It is asked FORWARD_OPEN and FORWARD_LISTEN, each with an id of the monitor's
 * that the answer repeats, in any order, and ends with that socket.
 * An answer of FORWARD_OPEN with id 0, which no question has, is the last: why
 * there is no such process.
 */
#ifndef COMMON_PRIVSEP_FORWARDER_H
#define COMMON_PRIVSEP_FORWARDER_H

#define FORWARDER_PROGRAM     "skypty-forward"
#define FORWARDER_FD	      3
#define FORWARDER_BEST_EFFORT "best-effort" /* of its confinement */
#define FORWARDER_NAME_S      20	    /* seconds for a name */
#define FORWARDER_ADDRESS_S   10	    /* and for each address of it */
#define FORWARDER_ADDRESSES   16	    /* which are tried */
/* All of that, and more: what is not answered by now never will be. */
#define FORWARDER_S \
	(FORWARDER_NAME_S + FORWARDER_ADDRESS_S * FORWARDER_ADDRESSES + 60)

#endif
