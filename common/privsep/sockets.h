/* SPDX-License-Identifier: ISC */
/* Sockets that connections are accepted from. */
#ifndef COMMON_PRIVSEP_SOCKETS_H
#define COMMON_PRIVSEP_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/base/log.h"

#define SOCKETS_MAX  32
#define SOCKETS_PORT "2022" /* where an address names none */

struct event;

struct sockets_one {
	int fd;
	bool control; /* of AF_UNIX */
	bool inherited;
	char *path; /* of the one that we made, else NULL */
	dev_t dev;
	ino_t ino;
	void *owner; /* both for who accepts */
	struct event *ev;
};

/* Where complaints go, and what is listened on: as log_at(). */
typedef void sockets_say(enum log_level, const char *, ...)
    __attribute__((format(printf, 2, 3)));

struct sockets {
	struct sockets_one each[SOCKETS_MAX];
	size_t n;
	sockets_say *say;
};

/*
 * What fails gives SKY_ERR_* and has been said.
 *
 * LISTEN_FDS of a service manager.  How many were taken.
 */
int sockets_inherit(struct sockets *);
/* What is wrong with an address to listen on, static; NULL: nothing. */
const char *sockets_problem(const char *addr);
/*
 * Whether its names are known, as far as a resolver answers: fails when
 * listening would fail for it.
 */
int sockets_check(const char *addrs, sockets_say *);
/* Every address of a list divided by commas. */
int sockets_tcp(struct sockets *, const char *addrs);
/*
 * A socket of mode 0600 (0660 for a group, unless that is -1).  What stands at
 * path is removed only if it is a dead socket of our own.
 */
int sockets_unix(struct sockets *, const char *path, gid_t group);
/* Closes all; removes what was made by us if it still is ours. */
void sockets_close(struct sockets *);

#endif
