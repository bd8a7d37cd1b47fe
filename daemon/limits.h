/* SPDX-License-Identifier: ISC */
/*
 * Who may still come, before anything is known of him but where he comes from.
 * A connection costs two processes until it has authenticated, so that many of
 * one origin, of one network and of all are held to a rate: each takes a token
 * of every one of these buckets and gets it back when it authenticates, so that
 * only those that fail or never finish are paid for.  How many may be
 * unauthenticated at once is limited besides (maxstartups).
 *
 * TCP and dmsg have budgets of their own.  Memory is a fixed part of struct
 * conns, whatever comes.
 */
#ifndef DAEMON_LIMITS_H
#define DAEMON_LIMITS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "common/privsep/config.h"
#include "common/privsep/privmsg.h"
#include "common/pty/keys.h"

struct event;
struct listener;

#define LIMITS_BUCKETS	 4096 /* origins and networks that are remembered */
#define LIMITS_KNOWN	 1024 /* origins that somebody logged in from */
#define LIMITS_KNOWN_S	 (7 * 24 * 3600)
#define LIMITS_WAYS	 8     /* places that a tag may have in a table */
#define LIMITS_LIFE_MS	 1500  /* what a peer's turn is given, come what may */
#define LIMITS_OURS_MS	 10000 /* and our own, on a machine that is busy */
#define LIMITS_PENALTIES 16384 /* blocks, keys and relays that have one */
/*
 * KiB of memory that nothing else holds, of a connection before it has
 * authenticated: monitor and confined process.  regress/sys/startup-memory.sh
 * measures it.
 */
#define LIMITS_STARTUP_KIB 3072
#define LIMITS_TOLD	   100 /* strangers that are logged at once */
#define LIMITS_TOLD_MS	   200 /* and one more each time */

/* Whose budget. */
enum pool { POOL_TCP, POOL_DMSG, POOL_COUNT };

/*
 * Where a connection comes from.  Over TCP: its address (of IPv6 the /64), its
 * network ("netblocks"), a wide network (/16, /32).  Over dmsg: the key that it
 * claims, if it is listed, else whoever is not listed, by this relay; and the
 * relay twice.  A keyed hash stands for each, so that nobody can choose whose
 * bucket he shares.
 */
struct origin {
	enum pool pool;
	bool listed; /* dmsg: claims a key of the whitelist */
	uint64_t self, network, wide;
	/*
	 * Whose penalties count, 0 for nobody's.  TCP: its block of addresses
	 * ("penalty_blocks").  dmsg: the key that it claims, and the relay; but
	 * not of who claims a key that is listed, which a stranger could lock
	 * out so.
	 */
	uint64_t block, relay;
	struct key_public by; /* dmsg: the relay, for the log */
};

struct limits_conn {
	TAILQ_ENTRY(limits_conn) entry;
	TAILQ_ENTRY(limits_conn) startup; /* while it is one */
	struct listener *server;
	pid_t pid; /* of the monitor */
	int sock;  /* to the monitor */
	struct event *ev;
	struct origin origin;
	int64_t due_ms; /* from then on it may be ended for another one */
	unsigned turns; /* of the peer's, in its handshake */
	bool control;
	bool dmsg; /* the sessions to dmsg servers, no connection */
	bool authenticated;
	bool dropped;	/* told to go, not gone yet */
	bool known;	/* its origin was, when it came */
	bool preferred; /* known, or listed */
	bool quiet;	/* its monitor logs little before it authenticates */
	bool failed;	/* its monitor has said how it failed */
	char *peer;	/* for the log */
	struct key_public pk;
	uint64_t id;	     /* in each line of its log */
	unsigned long kills; /* of a key, as there had been when it came */
	uint64_t number;     /* greater than those of who came before */
	enum priv_carrier carrier;
	int64_t begun_ms, moved_ms;
	uint64_t bytes_in, bytes_out;	    /* as its child says */
	uint32_t begun[PRIV_BEGUN];	    /* as its monitor says */
	char *user, *comment, *rule, *runs; /* as its monitor says, or NULL */
};

TAILQ_HEAD(conn_list, limits_conn);

/* What a block has to its debit: over at a time, in milliseconds. */
struct penalised {
	uint64_t tag;
	int64_t until;
	enum penalty last;
	bool active; /* it has been over the least there is refused for */
};

/* Something remembered until a time: a bucket's debt, a known origin. */
struct cell {
	uint64_t tag;
	int64_t until; /* microseconds */
};

struct conns {
	struct conn_list all; /* oldest first */
	/* Neither authenticated nor dropped: */
	struct conn_list startups[POOL_COUNT];
	size_t n, nstartups[POOL_COUNT];
	uint8_t secret[16];
	struct cell bucket[LIMITS_BUCKETS], known[LIMITS_KNOWN];
	int64_t all_paid[POOL_COUNT]; /* the bucket of all */
	struct penalised penalised[LIMITS_PENALTIES];
	uint64_t dropped, penalties; /* that there have been */
	/* Of the log: */
	int64_t told_paid; /* milliseconds, a bucket as the others */
	unsigned long untold;
	int64_t untold_first, untold_last; /* milliseconds */
};

/* Nobody there; with a new key for the tags of origins. */
void limits_init(struct conns *);
/* Whom a connection over TCP counts for: its address and network. */
void limits_tcp(const struct conns *, const struct config *, struct origin *,
    const struct sockaddr_storage *);
/*
 * Whom a stream counts for: its server, and, if listed, the key it claims.
 */
void limits_dmsg(const struct conns *, struct origin *,
    const struct key_public *claimed, const struct key_public *relay,
    bool listed);

/* Whether somebody has logged in from there lately. */
bool limits_known(const struct conns *, const struct origin *, int64_t now_ms);
/* Of two unknown origins the one with the lesser debt goes first. */
int64_t
limits_debt(const struct conns *, const struct origin *, int64_t now_ms);
/* Why nobody of that origin can be admitted now, or NULL. */
const char *limits_own(const struct conns *, const struct config *,
    const struct origin *, int64_t now_ms);
/* Whether nobody unknown can be, whoever he is. */
bool limits_spent(const struct conns *, const struct config *, enum pool,
    int64_t now_ms);
/* How many of a pool may be unauthenticated: also startup_memory allows it. */
unsigned limits_full(const struct config *);
/* Why nobody like it can. */
const char *limits_all(const struct conns *, const struct config *,
    const struct origin *, int64_t now_ms);
/*
 * Admits the connection, behind both of the above: it pays, and if need be
 * another one, that has not authenticated, is ended for it.
 */
void limits_admit(struct conns *, const struct config *, struct limits_conn *,
    int64_t now_ms);
/*
 * It is the peer's turn in its handshake; false if that cannot be.  Until it
 * has been told first, it is us who take the time.
 */
bool limits_turn(struct limits_conn *, int64_t now_ms);
/* It has proved who it is: what it has paid is given back. */
void limits_authenticated(struct conns *, const struct config *,
    struct limits_conn *, int64_t now_ms);
/* For every connection, control's, too. */
void limits_link(struct conns *, struct limits_conn *);
void limits_unlink(struct conns *, struct limits_conn *);
/* Ends it: it counts no longer, and does not authenticate any more. */
void limits_end(struct conns *, struct limits_conn *);

/* Whether the key, which may have so many, has room for one more connection. */
bool limits_key(const struct conns *, const struct key_public *, unsigned max);

/* Whether a line about one more stranger is not too much; it is counted. */
bool limits_may_tell(struct conns *, int64_t now_ms);
/* One that was not logged. */
void limits_untold(struct conns *, int64_t now_ms);
/* Tells how many these were when they have become fewer; at the end anyway. */
void limits_tell_rest(struct conns *, int64_t now_ms, bool end);

/* Asks a connection's monitor to end; it may be gone already. */
void conn_end(const struct limits_conn *);

/* --- limits_penalties.c --- */

/*
 * Why it is refused for what others of its block did before, or NULL.  An
 * origin that somebody has logged in from lately is not: whoever shares his
 * address with a stranger is not kept out by him.
 */
const char *limits_penalty(const struct conns *, const struct config *,
    const struct origin *, int64_t now_ms);
/*
 * One of that origin has not authenticated, in this way.  peer is for the log,
 * which is told when it makes its block, key or relay refused.
 */
void limits_penalise(struct conns *, const struct config *,
    const struct origin *, enum penalty, const char *peer, int64_t now_ms);

#endif
