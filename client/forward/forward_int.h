/* SPDX-License-Identifier: ISC */
/* What the files of a hub's forwards share. */
#ifndef CLIENT_FORWARD_FORWARD_INT_H
#define CLIENT_FORWARD_FORWARD_INT_H

#include <sys/epoll.h>
#include <sys/queue.h>

#include "client/forward/forward.h"
#include "client/forward/forward_spec.h"
#include "client/forward/socks.h"
#include "client/hub/hub.h"
#include "common/base/buf.h"

#define FORWARD_DOORS	2	    /* one for each family */
#define FORWARD_WHY_MAX HUB_WHY_MAX /* of what is told about one */

struct forward;

/* Where one of our own listens. */
struct forward_door {
	struct hub_watch watch; /* its fd is -1 without one */
	struct forward *forward;
};

struct forward {
	struct forwards *all;
	struct forward_spec spec;
	uint32_t id;
	int how; /* FORWARD_HOLD, FORWARD_UNLINK */
	struct forward_door door[FORWARD_DOORS];
	/* Of one there: the other end of the channel that keeps it. */
	struct hub_watch line;
	int there;		/* what the hub relays, until it is open */
	struct buf said;	/* in front of the port's end */
	struct hub_peer *order; /* who waits for it, or NULL */
	struct hub_peer *owner; /* who holds it, or NULL */
	TAILQ_ENTRY(forward) entry;
};

/* Somebody who says by SOCKS where to. */
struct forward_guest {
	struct hub_watch watch;
	struct hub *hub;
	struct forwards *all;
	uint32_t id; /* of the forward */
	struct socks socks;
	struct buf in;
	size_t want; /* bytes, and no more than that */
	TAILQ_ENTRY(forward_guest) entry;
};

/* A connection to be made here, for one that the host has accepted. */
struct forward_back {
	struct hub_watch watch;
	struct forwards *all;
	struct hub_peer *peer;
	uint32_t id; /* of the forward */
	struct mux_place to;
	size_t tried;	/* addresses of this machine */
	bool is_helper; /* a process looks for it */
	bool waits;	/* for one */
	TAILQ_ENTRY(forward_back) entry;
};

TAILQ_HEAD(forward_backs, forward_back);

struct forwards {
	struct hub *hub;
	TAILQ_HEAD(, forward) list;
	TAILQ_HEAD(, forward_guest) guests;  /* the oldest first */
	struct forward_backs backs, waiting; /* for a helper */
	size_t count, nguests, nhelpers;
	uint32_t last_id;
	int spare; /* is given up where there is no other, to say no */
};

/* --- forward.c --- */

/* The forward is over: told to who waits for it, and freed. */
void forward_drop(struct forward *, const char *why);
/* It stands: told to who waits for it. */
void forward_stands(struct forward *);
/* By its number, or NULL: it may be gone. */
struct forward *forward_by_id(struct hub *, uint32_t id);
/* There is no connection for somebody: told to who holds it. */
void forward_tell(const struct forward *, const char *why);

/* --- forward_near.c --- */

/* Listens: true, or false with the reason in why. */
bool near_open(struct forward *, char why[FORWARD_WHY_MAX]);
void near_close(struct forward *);

/* --- forward_guest.c --- */

/* A descriptor, which is the caller's from now on. */
void guest_new(struct forward *, int fd);
void guest_end(struct forward_guest *);

/* --- forward_far.c --- */

/* Has the host listen: 0, or one of SKY_ERR_*. */
int far_open(struct forward *);
void far_close(struct forward *);

/* --- forward_back.c --- */

/* Connects for one that has arrived, and then takes or refuses it. */
void back_begin(struct forward *, struct hub_peer *);
void back_end(struct forward_back *);

#endif
