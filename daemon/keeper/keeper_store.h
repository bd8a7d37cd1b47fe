/* SPDX-License-Identifier: ISC */
/*
 * What is kept of a job, in a folder of its own below its account's:
 *
 *	job		struct job_entry, as PROTOCOL has it, behind a version
 *	lock		held with flock(2) by its keeper, as long as that lives
 *	sock		where the keeper is called
 *	out.START	frames of output from that byte on; 16 digits
 *	session		struct sess_entry behind a version: a session's, which
 *			is a job with a terminal and without output
 *
 * The files belong to the session's user, who may do with them what he likes:
 * nothing that has other rights than his reads them.
 */
#ifndef DAEMON_KEEPER_KEEPER_STORE_H
#define DAEMON_KEEPER_KEEPER_STORE_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/pty/jobmsg.h"
#include "common/pty/sessmsg.h"

#define STORE_PARTS 4 /* of the output's limit; the oldest of them goes */
#define STORE_TEXT  256

/* What a folder of jobs may come to hold. */
struct store_limits {
	unsigned jobs;	 /* jobs in all */
	uint64_t output; /* bytes of output of each */
	uint64_t age;	 /* seconds after a job's end; 0: for ever */
};

struct store_part {
	uint64_t start, len;
	int fd;
};

struct store {
	int all;  /* the account's folder of jobs */
	int dir;  /* this job's */
	int lock; /* -1: not ours */
	bool session;
	struct job_entry entry;
	char command[JOB_COMMAND_MAX + 1]; /* what entry's points to */
	uint64_t limit;			   /* bytes of output */
	struct store_part part[STORE_PARTS + 1];
	size_t nparts;
	uint64_t lost; /* bytes that the disk did not take, not told yet */
};

/*
 * Opens an account's folder of jobs, and makes it if need be: nobody but its
 * owner may have anything to do with it.  A descriptor, or -1 and why.
 */
int store_open_all(const char *path, bool make, char why[STORE_TEXT]);

/* --- a keeper's --- */

/*
 * A new job's, locked, and hidden from others until store_show().  The entry's
 * id is filled in.  0, or -1 and why.
 */
int store_new(struct store *, int all, const struct store_limits *,
    char why[STORE_TEXT]);
/* It gets its name, and the entry is on the disk.  0, or -1 with errno. */
int store_show(struct store *);
/* Writes the entry anew.  0, or -1 with errno. */
int store_write_entry(struct store *);
/* What there is to be told of a session.  0, or -1 with errno. */
int store_write_session(struct store *, const struct sess_entry *);
/* Some output.  What the disk does not take is counted, and no more. */
void store_put(struct store *, enum xs_tag, const uint8_t *, size_t);
/* Takes all of it away again. */
void store_undo(struct store *);

/* --- whoever reads --- */

/*
 * The one of that name in the folder.  A job that seems to run and that no
 * keeper has locked is lost.  *runs: one has.  0, or SKY_ERR_*.
 */
int store_open(struct store *, int all, const char *name, bool *runs);
/* That of a session, whose texts are views of raw.  0, or SKY_ERR_*. */
int
store_read_session(const struct store *, struct buf *raw, struct sess_entry *);
/* Where the output that is there begins, and where it ends. */
uint64_t store_start(const struct store *);
uint64_t store_end(const struct store *);
/*
 * The frame of output that begins at *at, appended as it is, and *at behind it.
 * What is not there any more is passed over with a JOB_GAP.  1; 0 at the end;
 * SKY_ERR_FORMAT where none begins; what buf_put returns.
 */
int store_get(const struct store *, uint64_t *at, struct buf *);
void store_close(struct store *);

/* Removes all files of a job that is over.  0, or -1 with errno. */
int store_remove(int all, const char *name);
/* Whether that can be the name of a job's folder. */
bool store_is_name(const char *);
/* What is in a folder that is open, from its beginning; NULL with errno. */
DIR *store_list(int dir);
/* Removes what is older than the limits say, and what was never begun. */
void store_sweep(int all, const struct store_limits *);

#endif
