/* SPDX-License-Identifier: ISC */
/* Where a session comes from, as sshd tells it to sessions. */
#ifndef MONITOR_ORIGIN_H
#define MONITOR_ORIGIN_H

#include <sys/socket.h>

#include "common/pty/keys.h"

#define ORIGIN_MAX 160

/* Empty for somebody on this machine. */
struct session_origin {
	char client[ORIGIN_MAX];     /* address, port, our port */
	char connection[ORIGIN_MAX]; /* address, port, ours */
};

/* The address at its other end, if it has one: else AF_UNSPEC. */
void origin_address(struct sockaddr_storage *, int conn);
/* Of the connection, before it is the child's alone. */
void origin_of_socket(struct session_origin *, int conn);
/* Of one that has no addresses, or none that mean a thing. */
void origin_of_keys(struct session_origin *, const struct key_public *peer,
    const struct key_public *own);

#endif
