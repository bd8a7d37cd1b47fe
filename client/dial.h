/* SPDX-License-Identifier: ISC */
/* How a connection over TCP is made. */
#ifndef CLIENT_DIAL_H
#define CLIENT_DIAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/base/reach.h"

/* How a connection over TCP is made; all 0: as usual. */
struct dial_how {
	int family;		    /* AF_INET, AF_INET6; AF_UNSPEC: any */
	const char *bind_address;   /* of ours */
	const char *bind_interface; /* the same, by the name of a device */
	int64_t timeout_ms;	    /* for connecting, and for the handshake */
	int attempts;		    /* one a second */
	int alive, alive_count;	    /* seconds, how often: until it is dead */
	const char *proxy;	    /* a command that makes it, or NULL */
	bool proxy_stays;	    /* and outlives us and our terminal */
};

/*
 * A TCP connection, not blocking, to addresses no farther in than reach:
 * REACH_LOCAL where the user named the host.  how may be NULL.  -1 with the
 * reason (static) in why.
 */
int dial_connect(const char *host, const char *port, enum reach,
    const struct dial_how *, const char **why);

/* Time for connecting, and again for the handshake; how may be NULL. */
int64_t dial_ms(const struct dial_how *);
/* Sets how a connection is probed, where the user has said so. */
void dial_probe(int fd, const struct dial_how *);
/*
 * Our own address for a connection of that family: len 0 for any.  0, or an
 * errno when there is none.
 */
int dial_from(const struct dial_how *, int family, struct sockaddr_storage *,
    socklen_t *len);

#endif
