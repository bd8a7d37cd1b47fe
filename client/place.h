/* SPDX-License-Identifier: ISC */
/*
 * Where a process of the user's that serves others of his is found: a socket,
 * and a lock beside it.  Whoever has the lock may make the socket, and keeps it
 * for as long as he serves.
 */
#ifndef CLIENT_PLACE_H
#define CLIENT_PLACE_H

#include "client/runtime.h"

struct place {
	char sock[RUNTIME_MAX], lock[RUNTIME_MAX];
	int fd; /* of the lock's file, -1 before it is open */
};

/*
 * 0 with the lock.  SKY_ERR_AGAIN: another one has it; SKY_ERR_NOTFOUND: had
 * it, while we waited with the file open.  SKY_ERR_SYS.
 */
int place_lock(struct place *);
/*
 * A socket that listens there, of our user alone and in the place of one that
 * nobody serves any more; for whoever has the lock.  -1 with errno.
 */
int place_listen(const struct place *, int backlog);
/* Closes the lock's file: where it is another process's by now, that has it. */
void place_forget(struct place *);
/* Nobody finds us there any more; the second time does nothing. */
void place_leave(struct place *);

#endif
