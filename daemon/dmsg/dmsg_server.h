/* SPDX-License-Identifier: ISC */
/* A session with a dmsg server. */
#ifndef DAEMON_DMSG_DMSG_SERVER_H
#define DAEMON_DMSG_DMSG_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/dmsg/dmsg_session.h"
#include "common/pty/keys.h"
#include "daemon/dmsg/dmsg_probe.h"

struct dmsg;
struct event;
struct buf;

/* The discovery's, by either IP, and the configuration's. */
enum { SERVER_V4, SERVER_V6, SERVER_CONFIGURED, SERVER_ADDRESSES };

/* A server that is known; of some only that a session failed. */
struct server {
	struct key_public pk;
	char address[SERVER_ADDRESSES][ADDR_TEXT_MAX]; /* "": none */
	unsigned at;	    /* the one whose turn it is */
	int64_t not_before; /* of the next attempt */
	unsigned failures;  /* in a row, with sessions of a moment */
	unsigned closed;    /* of these, those that it has ended itself */
	unsigned unproven;  /* sessions in a row that nobody came through */
	unsigned round;	    /* in which the discovery named it last */
	bool used;	    /* there is a session */
	bool configured;
};

struct server_session {
	enum {
		SESSION_FREE,
		SESSION_CONNECTING, /* the monitor's socket is awaited */
		SESSION_BEGUN,	    /* message 1 is */
		SESSION_SENT,	    /* message 2 is, of the server */
		SESSION_PROVEN,	    /* message 3 is */
		SESSION_SILENT,
		SESSION_UP,
		SESSION_ENDING
	} state;
	struct dmsg *d;
	uint8_t slot;
	bool extra;    /* for streams of ours only, and not published */
	unsigned idle; /* ticks without one */
	struct server *server;
	bool was_up, left; /* once it has ended */
	char why[128];	   /* it has ended; "" for being of no use */
	bool closed;	   /* by the server, which knew us by then */
	char address[ADDR_TEXT_MAX];
	int fd;
	int64_t up_ms;
	int64_t sent_ms; /* of message 1, later of the last ping */
	int64_t rtt_ms;
	bool checking, heard; /* a ping is under way; bytes came since */
	struct probe probe;
	struct buf in, out;
	uint8_t keys[64];
	struct dmsg_session *dmsg;
	struct event *rd, *wr, *timer;
};

/* Begins one; extra is for a stream of ours. */
void session_connect(struct dmsg *, struct server_session *, struct server *,
    bool extra);
/* Made for a stream of ours, and there is none any more. */
bool session_is_idle(const struct server_session *);
void server_connected(struct dmsg *, uint16_t slot, int fd, const char *why);
void server_begun(struct dmsg *, uint16_t slot, struct buf *message);
void server_proven(struct dmsg *, uint16_t slot, struct buf *answer);
void session_flush(struct server_session *);
/* why NULL: it has served its purpose, that is no failure of its server. */
void session_end(struct server_session *, const char *why);
/* Takes those along that hang on sessions that have ended. */
void sessions_reap_users(struct dmsg *);
void sessions_reap(struct dmsg *);

#endif
