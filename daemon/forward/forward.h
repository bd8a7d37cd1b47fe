/* SPDX-License-Identifier: ISC */
/*
 * skypty-forward: connects and listens for one connection, as its session's
 * user.  Two processes, either confined: one asks name servers, and the other
 * makes sockets and never reads what a stranger says.
 */
#ifndef DAEMON_FORWARD_FORWARD_H
#define DAEMON_FORWARD_FORWARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/privsep/forwarder.h"
#include "common/privsep/privmsg.h"

#define FORWARD_WHY_MAX 384

struct sandbox;

/* One address, without a port where a name server said it. */
struct forward_address {
	struct sockaddr_storage sa;
	socklen_t len;
};

/* Confines this process for good; if it cannot it ends, told to the monitor. */
void forward_confine(struct sandbox *);

/* --- forward_names.c: the process that asks name servers --- */

#define NAMES_AT_ONCE 32 /* that are looked up */

struct forward_names {
	uint32_t serial; /* of the question */
	uint32_t n;	 /* addresses; 0: why there is none */
	char why[FORWARD_WHY_MAX];
	struct forward_address at[FORWARDER_ADDRESSES];
};

/*
 * Starts it, before this one is confined; it ends with this one.  A socket that
 * does not block, or -1 with errno.
 */
int forward_names_start(struct sandbox *);
/* Whether it has taken the question. */
bool forward_names_ask(int names, uint32_t serial, const char *host);
/* 1, 0 if there is nothing, -1 when it is gone. */
int forward_names_hear(int names, struct forward_names *);
/*
 * Address of a host that needs no asking, or both of "localhost": how many, 0
 * if it is a name.
 */
size_t forward_names_known(const char *host, uint16_t port,
    struct forward_address at[FORWARDER_ADDRESSES]);
/* Gives it a port. */
void forward_address_port(struct forward_address *, uint16_t port);
/* The address of a Unix socket.  0, or -1 with errno: the path is too long. */
int forward_address_path(struct forward_address *, const char *path);

/* --- forward_listen.c --- */

#define LISTEN_SOCKETS 2

struct forward_listeners {
	int fd[LISTEN_SOCKETS];
	size_t n;
	uint16_t port;
};

/* 0, or -1 with errno and nothing listens. */
int forward_listen_tcp(struct forward_listeners *, const char *address,
    uint16_t port);
/* The same; the socket is removed by forward_listen_end(). */
int forward_listen_path(struct forward_listeners *, const char *path,
    bool unlink_old);
/* Removes what was made in the file system, where it still is. */
void forward_listen_end(void);

#endif
