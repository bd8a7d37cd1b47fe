/* SPDX-License-Identifier: ISC */
/*
 * skypty/1/session: terminals that outlive their connection.  Frames are those
 * of exec_stream.h, and so are the tags below 32; LIST, KILL and DONE are those
 * of jobmsg.h.  See PROTOCOL.
 */
#ifndef COMMON_PTY_SESSMSG_H
#define COMMON_PTY_SESSMSG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/pty/jobmsg.h"
#include "common/pty/mux.h"
#include "common/pty/rpc.h"

#define SESS_WHICH_MAX 32 /* digits of an id, or bytes of a name */
#define SESS_TITLE_MAX 1024
#define SESS_ENTRY_MAX (JOB_COMMAND_MAX + SESS_TITLE_MAX + 256)

enum sess_tag {
	/* Client to host: the first frame, or XS_START, JOB_LIST, JOB_KILL. */
	SESS_JOIN = 36, /* struct sess_join */
	/* Host to client. */
	SESS_ENTRY = 51, /* struct sess_entry */
	SESS_LEFT = 52	 /* why, text: it is attached no longer; the last */
};

enum sess_join_flag {
	SESS_SHARE = 1 << 0, /* who types already goes on */
	SESS_VIEW = 1 << 1   /* types nothing */
};

struct sess_join {
	/* The first digits of its id, or its name, or "": the only one. */
	char which[SESS_WHICH_MAX + 1];
	uint8_t flags;
	struct rpc_winsize size;
};

enum sess_entry_flag {
	SESS_MADE = 1 << 0 /* for the one who asks, now */
};

/* What there is to be told of a session. */
struct sess_entry {
	uint8_t id[JOB_ID_LEN];
	struct key_public pk; /* whose it is; null: the control socket's */
	uint8_t flags;	      /* enum sess_entry_flag */
	uint16_t attached, rows, cols;
	uint64_t begun; /* Unix time in seconds */
	uint32_t pid;	/* of its command */
	struct buf name, title, command;
};

/* Reads all of a payload; texts are views.  SKY_ERR_FORMAT, _RANGE. */
int sessmsg_get_entry(struct buf *, struct sess_entry *);
int sessmsg_put_entry(struct buf *, const struct sess_entry *);
int sessmsg_get_join(struct buf *, struct sess_join *);
int sessmsg_put_join(struct buf *, const struct sess_join *);
/* Which one, and the signal's number. */
int sessmsg_get_kill(struct buf *, char which[SESS_WHICH_MAX + 1], int *);
int sessmsg_put_kill(struct buf *, const char *which, const char *signal);

#endif
