/* SPDX-License-Identifier: ISC */
/*
 * Handing a client over to the keeper of its job: one packet with what the
 * client has asked for, the client's socket, and a pipe that the keeper says a
 * byte on when it has taken it.
 */
#ifndef DAEMON_KEEPER_KEEPER_HAND_H
#define DAEMON_KEEPER_KEEPER_HAND_H

#include <stdbool.h>

#include "common/base/buf.h"

#define HAND_SOCK "sock" /* in the job's folder */
#define HAND_MAX  4096	 /* bytes of a packet */

/* Where a keeper is called, in the folder that we are in.  -1 with errno. */
int hand_listen(void);
/*
 * Takes one that has come: its socket, and what it has asked for, appended; -1
 * if there is none, or what has come is none.
 */
int hand_take(int sock, struct buf *asked);
/*
 * The other side: gives fd to the keeper of the folder that we are in.  Whether
 * it has been taken; it is still ours to close.
 */
bool hand_over(int fd, const struct buf *asked);

#endif
