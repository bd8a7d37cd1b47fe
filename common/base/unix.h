/* SPDX-License-Identifier: ISC */
/* Connecting to a socket that has a name in the file system. */
#ifndef COMMON_BASE_UNIX_H
#define COMMON_BASE_UNIX_H

#include <stdbool.h>

/*
 * A stream socket, connected, close-on-exec; flags: 0 or SOCK_NONBLOCK.  -1
 * with errno, ENAMETOOLONG for a path that no address holds.
 */
int unix_connect(const char *path, int flags);
/* The same, of packets in order. */
int unix_connect_packets(const char *path, int flags);

/*
 * Whether root or our own user listens there: in a folder like /tmp anybody may
 * have been first to take the name.
 */
bool unix_is_trusted(int fd);
/* Whether the other end is our own user's. */
bool unix_is_ours(int fd);

#endif
