/* SPDX-License-Identifier: ISC */
/*
 * How far in an address lies: the internet's, a network of one's own, this
 * machine.  Addresses that strangers name are judged by this, in the host and
 * in the client.
 */
#ifndef COMMON_BASE_REACH_H
#define COMMON_BASE_REACH_H

#include <stdbool.h>
#include <sys/socket.h>

enum reach {
	REACH_PUBLIC,
	REACH_PRIVATE, /* networks of one's own, and what nobody is on */
	REACH_LOCAL    /* this machine, its link */
};

/* Of a family that is not IP's: REACH_LOCAL. */
enum reach reach_of(const struct sockaddr *);
/* Of an address as text; a name, but for localhost, is public. */
enum reach reach_host(const char *host);
/*
 * Whether a stranger's address may be connected to: it lies no farther in than
 * that, and is none of this machine's own, however public, unless that may be.
 */
bool reach_allows(enum reach, const struct sockaddr *);

#endif
