/* SPDX-License-Identifier: ISC */
/* Questions to the discovery. */
#ifndef DAEMON_DMSG_DMSG_ASK_H
#define DAEMON_DMSG_DMSG_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/dmsg/dmsg_disc.h"
#include "common/dmsg/dmsg_object.h"
#include "common/dmsg/dmsg_session.h"
#include "common/pty/link.h"

struct dmsg;
struct server_session;
struct event;
struct buf;

enum ask_what {
	ASK_SERVERS,
	ASK_OWN,
	ASK_PUBLISH,
	ASK_REMOVE, /* our entry, to write it anew */
	ASK_DELETE, /* our entry, and then we end */
	ASK_PEER
};

/* One at a time; the answer goes to dmsg_answered, from the loop. */
bool ask_busy(const struct dmsg *);
void ask_begin(struct dmsg *, enum ask_what, const struct buf *json);
void ask_peer(struct dmsg *, const struct key_public *);
void ask_connected(struct dmsg *, uint16_t id, int fd, const char *why);
void ask_dialing(struct dmsg *, struct buf *object);
void ask_dialed(struct dmsg *, struct buf *keys);
void ask_handle(struct dmsg *, struct dmsg_event *);
/* A session has gone, and our stream with it. */
void ask_session_gone(struct dmsg *, const struct server_session *);
/* status 0: there is no answer. */
void ask_end(struct dmsg *, int status);
void ask_reap(struct dmsg *);
void ask_reap_tell(struct dmsg *);

struct ask {
	enum {
		ASK_NONE,
		ASK_OPEN,
		ASK_ENDED, /* not told yet */
		ASK_LEFT   /* and nothing is left of it but the answer */
	} state;
	int status;
	enum ask_what what;
	struct key_public peer; /* whose entry */
	struct buf request;	/* plain HTTP */
	struct dmsg_answer answer;
	struct buf in; /* plain */
	/* Over TCP: */
	uint16_t id; /* of its connection, for the monitor */
	int fd;
	struct event *rd, *wr, *timer;
	/* Over dmsg: */
	unsigned signing; /* DMSG_DIAL_REQUEST without an answer, in order */
	struct server_session *session;
	struct dmsg_stream *stream;
	uint8_t hash[DMSG_HASH_LEN];
	struct link link;
	unsigned turn; /* which session is tried */
};

#endif
