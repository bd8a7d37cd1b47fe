/* SPDX-License-Identifier: ISC */
/*
 * Forwarding: what the key's permitopen and permitlisten permit is made by
 * skypty-forward, a process of the session's user, and looked at here before
 * the child gets it.
 */
#ifndef MONITOR_FORWARD_H
#define MONITOR_FORWARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "common/base/rate.h"
#include "common/privsep/privmsg.h"
#include "monitor/half/request.h"

struct event;
struct monitor;

/* One that is being made. */
struct forward_wish {
	TAILQ_ENTRY(forward_wish) next;
	uint16_t id;	   /* to skypty-forward; not 0 */
	uint16_t child_id; /* of the child's request */
	enum privmsg_type type;
	bool sent;
	int64_t begun; /* of now_ms */
	uint8_t kind;  /* enum priv_forward */
	uint8_t flags; /* enum priv_listen */
	uint16_t port;
	char *name;
};
TAILQ_HEAD(forward_wishes, forward_wish);

/* All zero: nothing was forwarded yet. */
struct forward {
	struct monitor *mon;
	pid_t pid; /* of skypty-forward; 0: reaped, or none yet */
	int fd;	   /* to it, if there is rd */
	struct event *rd, *wr, *timer;
	struct forward_wishes wishes;
	unsigned making; /* of them */
	uint16_t last_id;
	struct rate_span opened, refused; /* lines of the log */
};

request_handler forward_open, forward_listen;
/* For the table: how many are being made. */
unsigned forward_making(const struct half *);

void forward_reap(struct monitor *);
/* The connection ends, and so does it. */
void forward_leave(struct monitor *);
void forward_kill(struct monitor *);

/* --- forwarder.c: the process --- */

/* Starts it, with rd and wr to be added.  Else why not. */
bool forwarder_start(struct monitor *, char *why, size_t len);
/* What it is said, and says, comes to these of forward.c. */
void forward_on_answer(int fd, short what, void *);
void forward_on_room(int fd, short what, void *);
/* Drops our end of it; it ends by that.  At once, if it lies. */
void forwarder_drop(struct forward *, bool lies);

/* --- forward_check.c: what comes from it --- */

/* Whether the sockets are what was wished for, and stay that. */
bool forward_is_good(const struct forward_wish *, uint16_t port, const int *fds,
    size_t n);

#endif
