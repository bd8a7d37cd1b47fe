/* SPDX-License-Identifier: ISC */
/*
 * The confined child of one connection: its parts and what they may call of
 * each other.  It reads what the network says, asks the monitor for whatever
 * needs a right, and moves bytes between the network and the descriptors that
 * the monitor hands down.
 *
 * Memory of one connection is bounded by the limits below: 13 MiB for parsing
 * and queues, one answer of at most 33 MiB, plus NET_CAPTURE_MAX for output of
 * commands, held only while commands run:
 * 210 MiB at the very worst, with buffers half full.
 */
#ifndef DAEMON_NET_NET_H
#define DAEMON_NET_NET_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "common/base/buf.h"
#include "common/base/http.h"
#include "common/base/log.h"
#include "common/privsep/privmsg.h"
#include "common/pty/exec_stream.h"
#include "common/pty/frame.h"
#include "common/pty/keys.h"
#include "common/pty/mux.h"
#include "common/pty/rpc.h"

#define NET_CHUNK      (64U * 1024)  /* one read or write of a descriptor */
#define NET_OUT_HIGH   (256U * 1024) /* unsent output that stops new answers */
#define NET_TTY_HIGH   (32U * 1024)  /* a terminal's: it is printed after ^C */
#define NET_TTY_UNSENT (64 * 1024)   /* and what the kernel holds of that */
#define NET_AHEAD_MAX                                           \
	(128U * 1024) /* pty output held before it is asked for \
		       */
#define NET_WRITES_MAX	(8U * 1024 * 1024) /* waiting input, its Writes */
#define NET_BATCH	(32U * 1024) /* pty output worth an answer in a flood */
#define NET_BATCH_MS	1	     /* and how long it may be waited for */
#define NET_READS_MAX	256	     /* pty.Read calls waiting at once */
#define NET_STREAM_MAX	(16U * 1024 * 1024)  /* kept of stdout, of stderr */
#define NET_CAPTURE_MAX (128U * 1024 * 1024) /* kept of all commands */
#define NET_STDIN_MAX	(1024U * 1024)
#define NET_READ_CUT	65536 /* most that one pty.Read gives */
#define NET_MUX_TIMEOUT 30    /* seconds */
#define NET_LINGER	2     /* seconds for the peer to see our end */
/*
 * More than a terminal holds (Linux: 640 KiB at most).  Whoever goes on writing
 * when the shell has ended is not listened to any longer.
 */
#define NET_REST_MAX (1024U * 1024)
#define NET_MEMORY   (384U * 1024 * 1024) /* more than all limits allow */
#define NET_NOFILE   256 /* descriptors: 3 a command and a few */

/* --- net_link.c: the connection --- */

struct link {
	int fd;
	bool sealed; /* frames are transport frames */
	bool plain;  /* control socket: no frames at all */
	bool reading;
	struct frame_key rx, tx;
	struct buf wire_in;  /* as it came */
	struct buf in;	     /* plaintext, to be parsed */
	struct buf out;	     /* plaintext, to be sent */
	struct buf wire_out; /* sealed */
	struct event *rd, *wr, *hup;
	int seconds;	     /* of silence until TCP asks the peer; 0: none */
	struct event *watch; /* pending: something waits to be sent */
};

struct net;
int link_init(struct net *, int fd);
/* From now on frames carry transport bodies sealed with these keys. */
void link_keys(struct link *, const uint8_t *send, const uint8_t *recv);
/* The next handshake body: 1, 0 or SKY_ERR_LIMIT. */
int link_handshake_body(struct link *, struct buf *body);
int link_put_handshake(struct link *, struct buf *body);
/* Opens what has arrived as far as in has room. */
void link_open(struct net *);
/* A whole frame waits that link_open could open. */
bool link_has_more(const struct link *);
/* Sends what can be sent now; the rest follows by itself. */
void link_flush(struct net *);
/* Bytes that still wait to leave. */
size_t link_backlog(const struct link *);
/* Whether to read on; while not, only the peer's end is noticed. */
void link_read_on(struct net *, bool);
/* No more output: tells the peer and waits for its end. */
void link_finish(struct net *);

/* --- net_mon.c: requests to the monitor --- */

int mon_init(struct net *, int fd);
/* Waits for the monitor's first message and confines the process. */
void mon_welcome(struct net *);
void mon_handshake(struct net *, struct buf *body);
/* A stream over dmsg: dmsg's word of the request, the first frame. */
void mon_kk_request(struct net *, struct buf *body);
void mon_first_frame(struct net *, struct buf *body);
/* SKY_ERR_LIMIT for a command that does not fit into a message. */
int mon_pty_start(struct net *, struct rpc_command *);
void mon_pty_stop(struct net *);
/* slot comes back with the answer.  SKY_ERR_LIMIT as above. */
int mon_exec_start(struct net *, uint16_t slot, struct rpc_exec *,
    uint32_t timeout_ms, bool has_stdin);
void mon_exec_end(struct net *, uint32_t handle);
void mon_exec_signal(struct net *, uint32_t handle, int number);
void mon_sftp_start(struct net *);
void mon_status(struct net *);
void mon_proxy_dial(struct net *, const struct key_public *, uint16_t port);
void mon_wl_list(struct net *);
/* SKY_ERR_LIMIT for too many keys, SKY_ERR_KEY for one of another length. */
int mon_wl_change(struct net *, bool add, struct gob_list *keys);
void mon_log(struct net *, enum log_level, const char *, ...)
    __attribute__((format(printf, 3, 4)));

/* --- net_rpc.c: calls and replies --- */

int rpc_begin(struct net *, unsigned methods);
/* Carries out the calls that have arrived, as long as none must wait. */
void rpc_process(struct net *);
void
rpc_reply(struct net *, enum rpc_method, uint64_t seq, const union rpc_value *);
void rpc_fail(struct net *, enum rpc_method, uint64_t seq, const char *, ...)
    __attribute__((format(printf, 4, 5)));

/* --- net_pty.c: the terminal --- */

/* A Write whose bytes wait, behind those of the Writes before it. */
struct pty_write {
	struct pty_write *next;
	uint64_t seq;
	size_t size, left;
};
#define NET_WRITE_COST 48 /* what the allocator takes for one */

struct pty_read {
	uint64_t seq;
	size_t size;
};

struct pty {
	enum { PTY_NONE, PTY_STARTING, PTY_RUNNING, PTY_STOPPING } state;
	int fd;		  /* -1 when closed */
	bool eof;	  /* nothing will follow what is in ahead */
	bool exited;	  /* the shell; what it has left is still read */
	size_t rest;	  /* and how much of that may come */
	uint64_t seq;	  /* of the Start or Stop under way */
	struct buf ahead; /* read, not asked for yet */
	struct pty_read reads[NET_READS_MAX]; /* ring */
	size_t first, nreads;
	struct pty_write *writes, **writes_tail;
	size_t nwrites;
	struct buf input; /* of all of them */
	struct event *rd, *wr;
	struct event *batch; /* pending: output is being gathered */
	bool flood;	     /* the last answer was a large one, just now */
};

int pty_init(struct net *);
void pty_start(struct net *, struct rpc_call *);
int pty_started(struct net *, struct privmsg *);
void pty_stop(struct net *, struct rpc_call *);
int pty_stopped(struct net *);
void pty_read(struct net *, struct rpc_call *);
void pty_write(struct net *, struct rpc_call *);
void pty_set_size(struct net *, struct rpc_call *);
/* The shell has ended, whoever else holds the terminal. */
void pty_exited(struct net *);
/* Answers waiting Reads as far as output and the link allow. */
void pty_pump(struct net *);

/* --- net_exec.c: commands --- */

struct stream {
	int fd;	  /* -1 when closed */
	bool cut; /* output was dropped */
	struct buf data;
	struct event *ev;
	struct event *room; /* both ways on one descriptor: for writing */
};

struct exec {
	enum { EXEC_FREE, EXEC_STARTING, EXEC_RUNNING, EXEC_OVER } state;
	struct net *net;
	uint64_t seq;
	uint32_t handle;
	char *name; /* for the text of a failed start */
	struct timespec begun;
	struct stream in, out, err;
	bool exited;
	enum priv_exit how;
	uint32_t status;
	struct event *grace; /* for who holds the pipes of a killed command */
};

void exec_call(struct net *, struct rpc_call *);
int exec_started(struct net *, struct privmsg *);
void exec_exited(struct net *, uint32_t handle, enum priv_exit, uint32_t);
/* Sends results that waited for room in the link. */
void exec_pump(struct net *);
/* A stream on a descriptor that came with a message. */
int stream_open(struct net *, struct stream *, int fd, event_callback_fn,
    short what, void *arg);
void stream_close(struct stream *);
int64_t elapsed_ms(const struct timespec *since);

/* --- net_flow.c: one command whose output flows --- */

struct flow {
	enum { FLOW_NONE, FLOW_STARTING, FLOW_RUNNING, FLOW_OVER } state;
	enum flow_format {
		FLOW_FRAMES, /* skypty/1/exec */
		FLOW_HTTP,   /* frames in chunks */
		FLOW_TEXT    /* chunks */
	} format;
	bool terminal; /* out is a pty's master, for input too */
	bool has_stdin;
	uint32_t handle;
	struct timespec begun;
	struct stream in, out, err; /* data: input that waits */
	bool in_end;		    /* nothing follows what is in in.data */
	bool in_gone;		    /* the command reads no more */
	bool paused;		    /* the peer takes no output now */
	int early_signal;	    /* asked for before it ran, 0 is none */
	bool exited;
	size_t rest; /* of a terminal whose command has ended */
	enum priv_exit how;
	uint32_t status;
	char *failure; /* why it could not be started */
	struct event *grace, *tick;
};

int flow_init(struct net *);
/* Asks the monitor for it.  SKY_ERR_LIMIT for a command that is too long. */
int flow_start(struct net *, struct rpc_exec *, uint32_t timeout_ms);
int flow_start_terminal(struct net *, struct rpc_command *);
int flow_started(struct net *, struct privmsg *);
void flow_exited(struct net *, uint32_t handle, enum priv_exit, uint32_t);
/* More standard input.  How much of it the command has taken: bytes. */
int flow_input(struct net *, struct buf *);
void flow_input_end(struct net *);
void flow_signal(struct net *, int number);
/* Reads on, once the link has room. */
void flow_pump(struct net *);

/* --- net_http.c: the exec stream over HTTP --- */

struct http {
	enum { HTTP_HEAD, HTTP_BODY, HTTP_RUNNING } state;
	bool framed;
	struct http_body framing;
	struct buf body;
};

void http_begin(struct net *);
void http_process(struct net *);
void http_ended(struct net *);
void http_timeout(struct net *);

/* --- net_stream.c: skypty/1/exec --- */

struct wire_stream {
	struct xs_reader reader;
	bool started;
	uint32_t window; /* input that the peer may still send */
	uint32_t taken;	 /* by the command, not told yet */
};

void stream_begin(struct net *);
void stream_process(struct net *);
void stream_started(struct net *);
/* The command has taken that many bytes. */
void stream_taken(struct net *, size_t);
void stream_ended(struct net *);

/* --- net_sftp.c --- */

void sftp_begin(struct net *);
int sftp_started(struct net *, struct privmsg *);
void sftp_process(struct net *);
void sftp_pump(struct net *);
bool sftp_busy(const struct net *);

/* --- net_proxy.c: a stream to somebody else --- */

struct far {
	int fd;
	struct frame_key rx, tx;
	struct buf wire_in, wire_out;
	bool eof;
	struct event *rd, *wr; /* NULL: there is none */
};

void proxy_begin(struct net *, struct buf *query);
int proxy_dialed(struct net *, struct privmsg *);
void proxy_process(struct net *);
void proxy_pump(struct net *);
bool proxy_busy(const struct net *);

/* --- net_wl.c: the whitelist, on the control socket --- */

void wl_call(struct net *, struct rpc_call *);
int wl_answer(struct net *, struct privmsg *);

/* --- net.c: the states of a connection --- */

struct net {
	enum {
		NET_HANDSHAKE,
		NET_MUX,
		NET_SERVICE,
		NET_FINISHING, /* our last bytes leave, then the end */
		NET_LINGERING  /* waiting for the peer's end */
	} state;
	struct event_base *base;
	struct link link;
	int monitor;
	struct privmsg msg;
	struct event *monitor_ev, *timer;
	enum priv_carrier carrier;
	uint32_t grants;
	enum mux_service service;
	struct mux_session wishes; /* of a session's client */
	bool rejected;
	bool requested; /* KK: the first of its two questions is put */
	bool asked;	/* the monitor's word about the peer is awaited */
	struct rpc_host *rpc;
	struct pty pty;
	struct flow flow;
	struct http http;
	struct wire_stream stream;
	struct stream sftp;
	struct far far;
	struct exec exec[PRIV_EXECS_MAX];
	size_t captured; /* bytes held in exec[] */
	bool wl_asked;
	enum rpc_method wl_method;
	uint64_t wl_seq;
};

/*
 * A connection that is not read from yet.  NULL without memory: then the
 * process is of no use any more, and nothing is freed.
 */
struct net *net_new(int conn, int monitor);
/* New input, or something that input waited for. */
void net_process(struct net *);
void net_authenticated(struct net *, uint32_t grants);
/* Answers the request for a service and goes over to it. */
void net_accept(struct net *);
void net_reject(struct net *);
/* The link has room again. */
void net_pump(struct net *);
/* The one timer of the state; 0 seconds stops it. */
void net_timer(struct net *, int seconds);
/* Ends the connection with what is still to be sent. */
void net_finish(struct net *);
/*
 * Ends the process.  What it is called at the end, behind the service's own end
 * always PRIV_END_SERVED or PRIV_END_REFUSED.
 */
__attribute__((noreturn)) void net_leave(const struct net *, enum priv_end);
/* The same for an error, which is logged. */
__attribute__((noreturn)) void net_end(struct net *, const char *reason, ...)
    __attribute__((format(printf, 2, 3)));
/* What must be carried out one after the other is under way. */
bool net_busy(const struct net *);

#endif
