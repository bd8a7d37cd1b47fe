/* SPDX-License-Identifier: ISC */
/*
 * A process that was spawned for a session, from its start until it is reaped.
 */
#ifndef MONITOR_JOB_H
#define MONITOR_JOB_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/log.h"
#include "common/privsep/privmsg.h"

struct event;
struct half;
struct monitor;

#define JOB_NAME_MAX 64
#define JOB_ENDS_MAX 8 /* ends that wait to be told */

/* Bytes to a job and from it, as the child says. */
struct job_moved {
	uint64_t in, out;
	bool told;
};

/* What the log is told of an end, when it is known how much has moved. */
struct job_end {
	enum log_level level;
	const char *event, *kind; /* "ended" or "left", "Command"... */
	char name[JOB_NAME_MAX];
	char how[32]; /* "status 2" */
	const char *field;
	uint32_t status; /* for field */
	bool timed_out;
	pid_t pid;
	uint32_t handle;
	int64_t ms; /* how long it was */
	struct job_moved moved;
};

struct job {
	struct monitor *mon;
	pid_t pid; /* its own session and process group; 0 is a free slot */
	uint32_t handle;
	bool exited; /* a zombie until its end is asked for */
	bool ended;  /* its end has been asked for */
	bool timed_out;
	bool keep;	  /* not hung up when the connection ends */
	bool uncounted;	  /* its bytes, by the child */
	int64_t deadline; /* of now_ms, 0 for none */
	struct event *timer;
	/* For the log: "Command", ..., what of, since when. */
	const char *kind;
	char name[JOB_NAME_MAX]; /* cut to that */
	int64_t begun;		 /* of now_ms */
	struct job_moved moved;
};

/*
 * The handle of what is started next, none of which is used again: whether
 * there is one, and that one.
 */
bool job_has_handle(const struct monitor *);
uint32_t job_next_handle(struct monitor *);
/* Notes for the log what it is that has been started. */
void job_begin(struct job *, const char *kind, const char *name);
/*
 * Tells the log of its end, once it has exited, as soon as the child has said
 * how much has moved, which it is not waited for long.
 */
void job_tell(struct monitor *, const struct job *, enum log_level,
    enum priv_exit, uint32_t status);
/* None is started: tells the log, and who has asked for it. */
void job_refuse(struct monitor *, const struct privmsg *, const char *kind,
    const char *why);
/* BYTES. */
int job_bytes(struct half *, struct privmsg *);
/* Tells what waits: nothing more will be said. */
void job_tell_all(struct monitor *);
/* Tells it that it runs still as its connection ends. */
void job_tell_left(const struct job *, const char *fate);
/* Whether the job's process is a zombie now; it stays one. */
bool job_exited(struct job *, enum priv_exit *, uint32_t *status);
/* Answers that it runs: its handle, and descriptors, which are closed here. */
void job_hand_down(struct monitor *, const struct privmsg *, const struct job *,
    int *fds, size_t nfd);
/* Tells the child of the end of one of its jobs. */
void job_tell_child(struct monitor *, uint32_t handle, enum priv_exit,
    uint32_t status);
/* Signals the job's process group. */
void job_signal(const struct job *, int signal);
/* As the kernel does with a terminal's: also one that is stopped hears it. */
void job_hang_up(const struct job *);
/* Reaps the zombie, which must be one, and frees the slot. */
void job_free(struct job *);

#endif
