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
#ifndef DAEMON_DMSG_DMSG_H
#define DAEMON_DMSG_DMSG_H

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
#include "common/pty/frame.h"

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

struct dmsg;
struct server_session;

/* --- dmsg_mon.c: requests to the monitor --- */

int dmsg_mon_init(struct dmsg *, int fd);
/* Waits for the first messages and confines the process. */
void dmsg_mon_welcome(struct dmsg *);
void
dmsg_mon_connect(struct dmsg *, uint16_t id, const char *host, uint16_t port);
void
dmsg_mon_begin(struct dmsg *, uint8_t slot, const struct key_public *server);
void dmsg_mon_read(struct dmsg *, uint8_t slot, struct buf *message);
void dmsg_mon_drop(struct dmsg *, uint8_t slot);
void dmsg_mon_entry(struct dmsg *, const struct dmsg_entry *);
void dmsg_mon_stream(struct dmsg *, uint16_t id, const struct key_public *peer,
    const struct key_public *server);
/* id 0 is the discovery. */
void dmsg_mon_dial(struct dmsg *, uint16_t id, uint16_t port);
void dmsg_mon_dialed(struct dmsg *, uint16_t id, struct buf *noise);
void dmsg_mon_probe(struct dmsg *, uint16_t id, uint16_t port);
void dmsg_mon_give_up(struct dmsg *, uint16_t id, const char *why);
void dmsg_mon_status(struct dmsg *, struct buf *json);
void dmsg_log(struct dmsg *, enum log_level, const char *, ...)
    __attribute__((format(printf, 3, 4)));

/* --- dmsg_probe.c: whether others can reach us --- */

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

/* --- dmsg_server.c: a session with a server --- */

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
void session_begin(struct dmsg *, struct server_session *, struct server *,
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

/* --- dmsg_choose.c: which servers there are sessions with --- */

/*
 * Servers that the discovery named, or the configuration.  Where a server is
 * the discovery knows best: what is configured is for when that fails.
 */
void server_add(struct dmsg *, const struct dmsg_entry *, bool configured);
/* The discovery has named this one in its list. */
void server_listed(struct dmsg *, const struct key_public *);
/* Connects until there are as many sessions as wanted. */
void server_connect_more(struct dmsg *);
/* A session has ended that was of use, or should have been. */
void server_failed(struct dmsg *, const struct server_session *);
/* A port for a stream of our own. */
uint16_t server_port(struct dmsg *);
/*
 * The session with that server, if it is up; otherwise one is begun, or will
 * be when there is a place, and *why is NULL if there is anything to wait for.
 */
struct server_session *
server_session(struct dmsg *, const struct key_public *, const char **why);
size_t server_live(const struct dmsg *);
/* Whether there are fewer sessions than wanted. */
bool server_missing(const struct dmsg *);

/* --- dmsg_pipe.c: streams that come --- */

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

void pipe_handle(struct server_session *, struct dmsg_event *);
void pipe_socket(struct dmsg *, uint16_t id, int fd);
void pipe_end(struct pipe *);
void pipes_reap(struct dmsg *);
/* A stream that we have dialed, to be joined with fd; both are the pipe's. */
void pipe_join(struct server_session *, struct dmsg_stream *, int fd);

/* --- dmsg_out.c: streams that go --- */

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

/* --- dmsg_ask.c: questions to the discovery --- */

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
	struct buf wire; /* frames that come */
	struct frame_key tx, rx;
	bool sealed;
	unsigned turn; /* which session is tried */
};

/* --- dmsg_reap.c: where everything ends --- */

int dmsg_reap_init(struct dmsg *);
/* Something has ended, or waits to be tried again. */
void dmsg_reap_soon(struct dmsg *);

/* --- dmsg_status.c --- */

/* Tells skyptyd what goes on, for "skypty dmsg status". */
void status_tell(struct dmsg *);

/* --- dmsg.c: the life of it --- */

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
	unsigned long refused; /* streams that no line tells of */
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
	int64_t other_ms;  /* when one may be told of another writer again */
	int64_t future_ms; /* or of an entry of the future */
	struct buf posted; /* our entry as it was posted last */
	unsigned tries;
	int64_t publish_ms, servers_ms; /* pauses after failures */
	int64_t listed_ms;		/* when the servers were asked for */
	unsigned round;			/* how often they were named */
	int64_t signed_ms;		/* when what was signed is paid for */
	int64_t quiet_ms;		/* until then no failure is told */
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
