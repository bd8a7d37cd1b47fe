/* SPDX-License-Identifier: ISC */
/*
 * Who is attached to a session: a client, whose bytes the confined child of its
 * connection passes on.  One that does not read is let fall behind, and gets
 * the screen as it is then.
 */
#ifndef DAEMON_KEEPER_KEEPER_GUEST_H
#define DAEMON_KEEPER_KEEPER_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

#define GUESTS_MAX 16

struct session;

struct guest {
	int fd; /* does not block; -1: none */
	struct buf in, out;
	bool attached, types;
	bool stale;   /* it is to get the whole screen */
	bool late;    /* it knows nothing of the first screen */
	bool behind;  /* it has missed some */
	bool waits;   /* for the end of it */
	bool closing; /* once out is empty */
	int64_t sent_ms, moved_ms;
};

void guest_init(struct guest *, int fd);
void guest_close(struct guest *);
/* It is attached and types, from the begin on; made: the session is for it. */
void guest_welcome(struct session *, struct guest *, bool made);
/* What it says, which is in in. */
void guest_hear(struct session *, struct guest *);
/* Reads: false if there is nobody any more. */
bool guest_read(struct session *, struct guest *);
/* Output of the terminal, for one that has got all before. */
void guest_put_output(struct guest *, const uint8_t *, size_t);
/* Whether the terminal is to wait for it: not for long. */
bool guest_holds_back(struct guest *, int64_t now);
/* What there is for it besides: a screen, a sign of life. */
void guest_tell(struct session *, struct guest *, int64_t now);
/* Writes: false if there is nobody any more, or nothing is left to be said. */
bool guest_write(struct guest *, int64_t now);
/* What poll(2) is to wait for. */
short guest_events(const struct session *, const struct guest *);
/* The session is over: a last word. */
void guest_end(struct session *, struct guest *);
/* A last word: why not. */
void guest_fail(struct guest *, const char *why);

#endif
