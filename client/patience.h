/* SPDX-License-Identifier: ISC */
/* How long a host is waited for. */
#ifndef CLIENT_PATIENCE_H
#define CLIENT_PATIENCE_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn;

/* Four keepalives of a command's host; nobody is waited for longer. */
#define QUIET_MS 180000

/* Of a connection; milliseconds. */
struct patience {
	int64_t seen;	   /* now_ms() when the clock was last looked at */
	int64_t time;	   /* in which we would have read */
	int64_t heard;	   /* time when the host last said or took something */
	int64_t next_look; /* now_ms() of the next look at TCP */
	bool slept;	   /* we were stopped for long */
};

/* Begins with its clock.  conn_open does so. */
void patience_begin(struct conn *);
/*
 * term_poll(), for at most so many milliseconds (-1: some seconds), with the
 * time kept and TCP asked whether the host is still there.  The signals that
 * are let in are those of the mask, or none more (NULL).  0, or EXIT_FAILED
 * when the host's machine is dead, told, or for an error of poll(2).
 */
int conn_wait(struct conn *, struct pollfd *, size_t n, int64_t ms,
    const sigset_t *open);
/* The clock, which stands while we do. */
int64_t conn_time(const struct conn *);
/* Whether we were stopped since the last call: the host is to be asked anew. */
bool conn_slept(struct conn *);
/* EXIT_FAILED, told, when the host has said nothing for longer than that. */
int conn_check_silence(const struct conn *, int64_t ms);

/*
 * The time limit of a command, which the host keeps: ours is a little longer,
 * and whatever the host says does not put it off.
 */
struct limit {
	int64_t ms, ends;
	int64_t sent_by; /* when the host has got all of it, at the latest */
	bool begun;
	uint64_t received; /* before it was over */
};

/* For what is being sent; 0 ms is none. */
void limit_begin(struct limit *, const struct conn *, int64_t ms);
bool limit_passed(struct limit *, const struct conn *);
/* EXIT_TIMEOUT, told. */
int limit_tell(void);

#endif
