/* SPDX-License-Identifier: ISC */
/*
 * Who looks at a job: a client, whose bytes the confined child of its
 * connection passes on.  What there is of a job is in its files, whether it
 * runs or not; so nothing is kept for a peer but where it is in them.
 */
#ifndef DAEMON_KEEPER_KEEPER_PEER_H
#define DAEMON_KEEPER_KEEPER_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/pty/jobmsg.h"
#include "daemon/keeper/keeper_store.h"

#define PEER_KEEP_MS	 (XS_KEEPALIVE_S * 1000)
#define PEER_PATIENCE_MS 60000 /* for one that begins to say, or is told */
#define PEER_NO_LIMIT	 (-1)

/* The job that is looked at. */
struct peer_job {
	struct store store;
	bool runs;    /* its state may change, and more output come */
	bool drained; /* it has ended, and what it had written is there */
	/* Sends a signal: NULL, or why not.  NULL itself: there is nobody. */
	const char *(*signal)(struct peer_job *, int number);
	void *arg;
};

struct peer {
	int fd; /* does not block; -1: none */
	struct buf in, out;
	bool attached;
	bool closing; /* once out is empty */
	bool more;    /* there is, once it has taken what is in out */
	struct job_attach how;
	uint64_t at;	 /* in the output */
	int64_t sent_ms; /* now_ms() when something was put */
};

void peer_init(struct peer *, int fd);
void peer_close(struct peer *);
/* What it says, which is in in. */
void peer_hear(struct peer *, struct peer_job *);
/* Reads: false if there is nobody any more. */
bool peer_read(struct peer *, struct peer_job *);
/* Puts what there is for it, up to a limit. */
void peer_tell(struct peer *, struct peer_job *, int64_t now);
/* Writes: false if there is nobody any more, or nothing is left to be said. */
bool peer_write(struct peer *);
/* What poll(2) is to wait for. */
short peer_events(const struct peer *);
/* Waits for that, or for as long.  Whether there is anything. */
bool peer_wait(const struct peer *, short events, int ms);
/* Writes what there is for it, as long as it goes on taking some. */
void peer_flush(struct peer *);
/* A last word: why not.  An entry; all was told. */
void peer_fail(struct peer *, const char *why);
void peer_put_entry(struct peer *, const struct job_entry *);
void peer_put_session(struct peer *, const struct sess_entry *);
void peer_put_done(struct peer *);

#endif
