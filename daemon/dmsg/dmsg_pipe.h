/* SPDX-License-Identifier: ISC */
/* Streams that come. */
#ifndef DAEMON_DMSG_DMSG_PIPE_H
#define DAEMON_DMSG_DMSG_PIPE_H

#include <stdint.h>
#include <sys/queue.h>

#include "common/base/buf.h"
#include "common/dmsg/dmsg_session.h"
#include "common/pty/keys.h"

struct dmsg;
struct server_session;
struct event;

struct pipe {
	LIST_ENTRY(pipe) entry;
	enum {
		PIPE_WAITING, /* too many others have asked */
		PIPE_ASKED,   /* the monitor's socket is awaited */
		PIPE_ANSWER,  /* the connection's response is */
		PIPE_OPEN,
		PIPE_ENDED
	} state;
	struct server_session *session;
	struct dmsg_stream *stream;
	uint16_t id;
	struct key_public peer;
	int fd;
	struct buf head; /* frame to the connection, then from it */
	struct event *rd, *wr;
};

/* An event of a stream that is a pipe, or becomes one by its request. */
void pipe_handle(struct server_session *, struct dmsg_event *);
/* The monitor's answer: the connection's socket, or -1 for a refusal. */
void pipe_socket(struct dmsg *, uint16_t id, int fd);
/* Takes it out of use; pipes_reap, called by dmsg_reap alone, frees it. */
void pipe_end(struct pipe *);
void pipes_reap(struct dmsg *);
/* A stream that we have dialed, to be joined with fd; both are the pipe's. */
void pipe_join(struct server_session *, struct dmsg_stream *, int fd);

#endif
