/* SPDX-License-Identifier: ISC */
/*
 * skyptyd-dmsg, the confined process that makes us reachable by key alone: it
 * holds sessions to dmsg servers, publishes them in the discovery, and hands
 * every stream that comes over as a socket to a connection of its own.  It
 * never holds the secret key: handshakes, our entry's signature and sockets
 * are the monitor's to give.
 *
 * Memory: for each session what yamux.h and dmsg_session.h say, DMSG_BUFFER and
 * DMSG_UNSENT; but what streams hold unread, requests under way among it, is
 * DMSG_UNREAD over all sessions, 128 MiB as yamux.h counts, and 64 MiB for 4
 * KiB in each stream; for each stream DMSG_CHUNK at most; DMSG_SERVERS_MAX
 * servers; one answer of the discovery's, DMSG_BODY_MAX.
 *
 * How things end.  A session, a pipe, an out or the question to the discovery
 * may end anywhere: in the middle of its own input, of another's, of a walk
 * through a list.  So ending it (session_end, pipe_end, out_end, ask_end) only
 * takes it out of use: its events are off, nothing more is told to it, it is
 * found no more, but it stays where it is.  dmsg_reap, which the loop calls
 * when nothing else is on the stack, frees what has ended and tells whoever
 * waited for it.  Nothing else frees one of these; functions with _reap in
 * their name are called from there alone.
 */
#ifndef DAEMON_DMSG_DMSG_LIFE_H
#define DAEMON_DMSG_DMSG_LIFE_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/dmsg/dmsg_disc.h"
#include "common/dmsg/dmsg_entry.h"
#include "common/dmsg/dmsg_object.h"
#include "common/dmsg/dmsg_session.h"
#include "common/privsep/privmsg.h"
#include "daemon/dmsg/dmsg_ask.h"
#include "daemon/dmsg/dmsg_server.h"

#define DMSG_SESSIONS_MAX PRIV_SLOTS_MAX

#define DMSG_BUFFER	 (256U * 1024)
#define DMSG_CHUNK	 (64U * 1024)
#define DMSG_UNREAD	 (32U * 1024 * 1024)
#define DMSG_STREAMS_MAX 2048
#define DMSG_MEMORY	 (512U * 1024 * 1024)
#define DMSG_HANDSHAKE_S 5
#define DMSG_SILENCE_MS	 100 /* behind message 3; PROTOCOL.dmsg 2.4 */
#define DMSG_PING_S	 30
#define DMSG_PONG_S	 15 /* for a ping to be answered, or anything to come */
#define DMSG_STEADY_S	 120 /* a session that lives so long is a good one */
#define DMSG_IDLE_TICKS	 4   /* pings, until a session of no use ends */
#define DMSG_PUBLISH_S	 60
#define DMSG_REQUEST_S	 20 /* for one question to the discovery */
#define DMSG_LEAVE_S	 5
#define DMSG_REFUSAL_MS	 10000 /* between lines about refused streams */
#define DMSG_DIAL_S	 25    /* less than PRIV_DIAL_S */
#define DMSG_PROBE_S	 15    /* for one to come back */
#define DMSG_PROBE_EVERY 60    /* seconds, while they do */
#define DMSG_PROBE_EARLY 15    /* as long as an old session may still end */
#define DMSG_YOUNG_S	 300
#define DMSG_PORTS	 49152 /* from there on they are streams' own */

struct dmsg {
	struct event_base *base;
	int monitor;
	struct privmsg msg;
	struct event *monitor_ev;
	struct key_public own;
	uint16_t port;
	uint32_t wanted; /* sessions, 0: with every server */
	struct dmsg_url discovery;
	struct server servers[DMSG_SERVERS_MAX];
	size_t nservers;
	struct server_session sessions[DMSG_SESSIONS_MAX];
	LIST_HEAD(, pipe) pipes, ended_pipes;
	size_t npipes;
	size_t asked;	       /* DMSG_STREAM without an answer */
	unsigned long refused; /* and not logged */
	int64_t refusal_ms;    /* when one may again */
	LIST_HEAD(, out) outs, ended_outs;
	uint16_t last_id;
	struct ask ask;
	/* Publishing: */
	uint64_t sequence; /* of the entry in the discovery */
	int64_t stamp;	   /* and its timestamp */
	bool known;	   /* both are from there */
	uint64_t last;	   /* sequence that we have signed */
	bool removing;	   /* what is being signed takes it out */
	int64_t other_ms;  /* when another writer may be logged again */
	int64_t future_ms; /* or of an entry of the future */
	struct buf posted; /* our entry as it was posted last */
	unsigned tries;
	int64_t publish_ms, servers_ms; /* pauses after failures */
	int64_t listed_ms;		/* when the servers were asked for */
	unsigned round;			/* how often they were named */
	int64_t signed_ms;		/* when what was signed is paid for */
	int64_t quiet_ms;		/* until then no failure is logged */
	bool ready, stopping, dirty;
	struct event *publish_ev, *servers_ev, *connect_ev, *reap_ev;
	struct event *probe_ev;
	uint16_t probe_id;
	int64_t published_ms; /* when our entry was accepted last, 0 never */
	char last_error[160];
	uint8_t random[32];
};

/* For the life on monitor, which is a descriptor; NULL without memory. */
struct dmsg *dmsg_new(int monitor, const uint8_t seed[32]);
/* So soon, or the process ends: it would wait for ever. */
void dmsg_arm(struct event *, int64_t ms);

/* A number that no server can guess, from the seed. */
uint64_t dmsg_random(struct dmsg *);
/* A discovery's answer; status 0 when there was none. */
void dmsg_answered(struct dmsg *, enum ask_what, int status, struct buf *body);
/* A session came or went. */
void dmsg_sessions_changed(struct dmsg *);
/* Says so once, when we are published and somebody can come. */
void dmsg_tell_ready(struct dmsg *);
/* None came of an attempt: it is another server's turn. */
void dmsg_connect_soon(struct dmsg *);
void dmsg_configured(struct dmsg *, struct buf *);
void dmsg_entry_signed(struct dmsg *, struct buf *json);
void dmsg_stop(struct dmsg *);

#endif
