/* SPDX-License-Identifier: ISC */
/* Streams that go. */
#ifndef DAEMON_DMSG_DMSG_OUT_H
#define DAEMON_DMSG_DMSG_OUT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/dmsg/dmsg_object.h"
#include "common/dmsg/dmsg_session.h"
#include "common/pty/keys.h"

struct dmsg;
struct server_session;
struct server;
struct event;
struct buf;

#define OUT_SERVERS_MAX 16

struct out {
	LIST_ENTRY(out) entry;
	enum {
		OUT_PEER,    /* its entry is asked for, or will be */
		OUT_ADDRESS, /* the next server's is */
		OUT_SESSION, /* a session with it is awaited */
		OUT_SIGNING, /* the monitor's request is */
		OUT_DIALED,  /* the peer's response is */
		OUT_PROVING, /* the monitor's word about it is */
		OUT_ENDED
	} state;
	bool asking; /* the discovery, this moment */
	bool retry;  /* its server has failed, or there is a place */
	uint16_t id;
	int fd;
	struct key_public peer;
	struct key_public server[OUT_SERVERS_MAX]; /* where it is */
	size_t nservers, tried;
	struct server_session *session;
	struct dmsg_stream *stream;
	uint8_t hash[DMSG_HASH_LEN];
	char why[160]; /* the last server's failure */
	struct event *timer;
	struct dmsg *d;
};

/* Dials what DMSG_DIAL asks for, for the connection behind fd. */
void out_begin(struct dmsg *, uint16_t id, int fd, struct buf *);
/* The discovery is free: the next question. */
void out_ask(struct dmsg *);
void out_answered(struct dmsg *, int status, struct buf *body);
void out_signed(struct dmsg *, uint16_t id, struct buf *object);
void out_proven(struct dmsg *, uint16_t id, struct buf *answer);
/* Whether the stream is one of these. */
bool out_handle(struct dmsg *, struct dmsg_event *);
void out_server_up(struct dmsg *);
/* They are tried again by the next outs_reap_retry. */
void out_server_failed(struct dmsg *, const struct server *, const char *why);
void out_place_free(struct dmsg *);
void out_session_gone(struct dmsg *, const struct server_session *);
void out_end(struct out *);
void outs_reap(struct dmsg *);
void outs_reap_retry(struct dmsg *);

#endif
