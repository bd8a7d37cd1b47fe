/* SPDX-License-Identifier: ISC */
/*
 * skypty/1/job: commands that outlive their connection.  Frames are those of
 * exec_stream.h, and so are the tags below 32.  See PROTOCOL.
 */
#ifndef COMMON_PTY_JOBMSG_H
#define COMMON_PTY_JOBMSG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/pty/exec_stream.h"
#include "common/pty/keys.h"

#define JOB_ID_LEN	16
#define JOB_ID_HEX	(2 * JOB_ID_LEN + 1)
#define JOB_PREFIX_MIN	4	       /* digits that may stand for an id */
#define JOB_ASK_MAX	64	       /* payload of a request but START */
#define JOB_COMMAND_MAX 1024	       /* bytes of the command's words, told */
#define JOB_INPUT_MAX	(1024U * 1024) /* standard input, as a whole */
#define JOB_OUTPUT_MAX	32768	       /* payload of a frame of output */
#define JOB_ENTRY_MAX	(JOB_COMMAND_MAX + 256)

enum job_tag {
	/* Client to host: the first frame, or XS_START is. */
	JOB_LIST = 32,	 /* nothing */
	JOB_ATTACH = 33, /* struct job_attach */
	JOB_KILL = 34,	 /* id, signal's name: strings */
	JOB_FORGET = 35, /* id: string */
	/* Host to client. */
	JOB_ENTRY = 48, /* struct job_entry */
	JOB_GAP = 49,	/* u64: bytes of output that are not there any more */
	JOB_DONE = 50	/* nothing: all was told, or done */
};

enum job_state {
	JOB_RUNS = 0,
	JOB_ENDED = 1,
	JOB_IS_LOST = 2, /* its keeper has been killed, or the machine was */
	JOB_STATES
};

/* What there is to be told of a job. */
struct job_entry {
	uint8_t id[JOB_ID_LEN];
	struct key_public pk; /* whose it is; null: the control socket's */
	uint8_t state;	      /* enum job_state */
	uint8_t how;	      /* enum xs_how, once it has ended */
	uint32_t status;
	uint64_t duration_ms;
	uint64_t begun, ended; /* Unix time in seconds; 0: not yet */
	uint64_t output, kept; /* bytes of frames of it; those still there */
	uint32_t pid;	       /* of the command */
	struct buf command;    /* its words, cut */
};

/* Reads all of a payload; the command is a view.  SKY_ERR_FORMAT, _RANGE. */
int jobmsg_get_entry(struct buf *, struct job_entry *);
int jobmsg_put_entry(struct buf *, const struct job_entry *);

enum job_attach_flag {
	JOB_OUTPUT = 1 << 0, /* what it has written, from there on */
	JOB_FOLLOW = 1 << 1  /* until it has ended */
};

struct job_attach {
	char id[JOB_ID_HEX]; /* its first digits, lower-case */
	uint64_t from;	     /* bytes of frames that are not wanted */
	uint8_t flags;
};

int jobmsg_get_attach(struct buf *, struct job_attach *);
int jobmsg_put_attach(struct buf *, const struct job_attach *);
/* id, and the signal's number. */
int jobmsg_get_kill(struct buf *, char id[JOB_ID_HEX], int *number);
int jobmsg_put_kill(struct buf *, const char *id, const char *signal);
int jobmsg_get_forget(struct buf *, char id[JOB_ID_HEX]);

/* Whether the first digits of an id stand there, enough of them. */
bool jobmsg_is_id(const char *);

#endif
