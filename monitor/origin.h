/* SPDX-License-Identifier: ISC */
/* Where a session comes from, as sshd tells it to sessions. */
#ifndef MONITOR_ORIGIN_H
#define MONITOR_ORIGIN_H

#include <sys/socket.h>

#include "common/pty/keys.h"

#define ORIGIN_MAX 160

#define ORIGIN_HOST_MAX 64
#define ORIGIN_DIGITS	16 /* of a key, where there is no address */

/* Empty for somebody on this machine. */
struct session_origin {
	char client[ORIGIN_MAX];     /* address, port, our port */
	char connection[ORIGIN_MAX]; /* address, port, ours */
	char host[ORIGIN_HOST_MAX];  /* address, or the key's first digits */
	char pk[KEY_PUBLIC_HEX];
};

/* The address at its other end, if it has one: else AF_UNSPEC. */
void origin_address(struct sockaddr_storage *, int conn);
/* Of the connection, before it is the child's alone. */
void origin_of_socket(struct session_origin *, int conn);
/* Whose it is, once that is proven. */
void origin_set_key(struct session_origin *, const struct key_public *peer);
/* Of one that has no addresses, or none that mean a thing. */
void origin_of_keys(struct session_origin *, const struct key_public *peer,
    const struct key_public *own);

#endif
