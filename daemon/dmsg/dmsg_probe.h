/* SPDX-License-Identifier: ISC */
/* Whether others can reach us. */
#ifndef DAEMON_DMSG_DMSG_PROBE_H
#define DAEMON_DMSG_DMSG_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/dmsg/dmsg_session.h"
#include "common/dmsg/dmsg_object.h"

struct dmsg;
struct server_session;
struct buf;

/* A stream to ourselves by a session: that it comes proves the session. */
struct probe {
	bool signing; /* its request is, under this id */
	uint16_t id;
	struct dmsg_stream *stream; /* it is under way */
	uint8_t hash[DMSG_HASH_LEN];
	int64_t due_ms;	   /* when the next begins, or this one has failed */
	int64_t proven_ms; /* when something came last, 0 never */
	unsigned failures; /* in a row */
	bool lost;	   /* nobody comes by it, but who came is still there */
};

/* -1: no memory. */
int probe_init(struct dmsg *);
/* For a session that has just come up. */
void probe_begin(struct server_session *);
void probe_signed(struct dmsg *, uint16_t id, struct buf *object);
/* Whether the stream is one of these. */
bool probe_handle(struct server_session *, struct dmsg_event *);
/* A request of ours to us, with that hash. */
void probe_arrived(struct server_session *, const uint8_t *hash);
/* Somebody else's request has come by it: that proves as much. */
void probe_proven(struct server_session *);
/* Sessions that somebody has come by. */
size_t probe_count(const struct dmsg *);

#endif
