/* SPDX-License-Identifier: ISC */
/*
 * The messages between the processes of one daemon: skyptyd, the monitor of a
 * connection and its confined child.  A message is one packet of a
 * SOCK_SEQPACKET socketpair: type u16, id u16, payload; integers big-endian,
 * strings u32 length and bytes.
 *
 * A request's type is even, its answer's is the next odd number and repeats
 * the id.  Events have odd types of their own and id 0.  Both sides compile
 * the limits that stand here; an over-long, unknown or malformed request, or
 * one that its state does not allow, ends the connection that sent it.
 */
#ifndef COMMON_PRIVSEP_PRIVMSG_H
#define COMMON_PRIVSEP_PRIVMSG_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/log.h"

#define PRIVMSG_VERSION	 11
#define PRIVMSG_HEAD_LEN 4
#define PRIVMSG_MAX	 (192U * 1024) /* a whole message */
#define PRIVMSG_FDS_MAX	 3
#define PRIVMSG_TEXT_MAX 4096 /* an error text, a log line */

/* Descriptors that a program of ours finds open when it is executed. */
#define PRIV_FD_CONN  3 /* monitor, net: the connection */
#define PRIV_FD_PEER  4 /* monitor: skyptyd; net: its monitor */
#define PRIV_FD_COUNT 5

enum privmsg_type {
	/*
	 * Child to monitor.  [when] how often.
	 *
	 * HANDSHAKE [before authentication, in order] body of the peer's
	 * handshake frame.  Answer: what u8 of enum priv_handshake, then for
	 * FRAME the body to send; for DONE as below.
	 */
	PM_HANDSHAKE = 2,
	/*
	 * FIRST_FRAME [KK, once, after KK_REQUEST] body of a transport frame.
	 * Answer: PRIV_DONE_KK as DONE, + counter u64, plaintext; REFUSED;
	 * TURNED_AWAY.
	 */
	PM_FIRST_FRAME = 4,
	/*
	 * PTY_START [session; fails from PRIV_PTYS_MAX on] command, flags u8 of
	 * enum priv_pty, rows cols x y u16, modes (MODES_LEN bytes) if there
	 * are any.  Answer: error text; if empty, handle u32 with the pty's
	 * master.
	 */
	PM_PTY_START = 6,
	/*
	 * PTY_STOP [not asked for yet] handle u32, also of one whose end is
	 * being told just now.  Answer, once it has ended: nothing.
	 */
	PM_PTY_STOP = 8,
	/*
	 * EXEC_START [session; fails from PRIV_EXECS_MAX on] command, timeout
	 * in milliseconds u32 (0: none), flags u8 of enum priv_exec.  Answer:
	 * error text; if empty, handle u32 with the pipes' ends: stdout,
	 * stderr[, stdin].
	 */
	PM_EXEC_START = 10,
	/*
	 * EXEC_END [handle lives] handle u32: kill what still runs, reap,
	 * forget.  No answer.
	 */
	PM_EXEC_END = 12,
	/* WL_LIST [control socket].  Answer: error text, count u32, keys. */
	PM_WL_LIST = 14,
	/* WL_ADD, WL_REMOVE: count u32, keys.  Answer: error text. */
	PM_WL_ADD = 16,
	PM_WL_REMOVE = 18,
	/*
	 * EXEC_SIGNAL [handle lives] handle u32, number u8: to the command's
	 * process group.  No answer.
	 */
	PM_EXEC_SIGNAL = 22,
	/*
	 * SFTP_START [session; fails from PRIV_SFTPS_MAX on] nothing.  Answer:
	 * error text; if empty, handle u32 with a stream socket to an SFTP
	 * server, whose end is that of the socket.
	 */
	PM_SFTP_START = 24,
	/*
	 * KK_REQUEST [KK, once] claimed key of the caller, hash of its
	 * request, its handshake message.  Answer: PRIV_FRAME with the signed
	 * response; REFUSED.
	 */
	PM_KK_REQUEST = 26,
	/*
	 * USER [session, once, before anything is started] name string: whom
	 * the session is to run as.  Answer: error text.
	 */
	PM_USER = 32,
	/*
	 * ACTIVE [session, PRIV_ACTIVES_PER_S] bytes of the connection in u64,
	 * out u64, until now: one of a terminal, a command or a file has moved,
	 * either way.  No answer.
	 */
	PM_ACTIVE = 34,
	/*
	 * BYTES [session] handle u32 of a job, or one of enum priv_handle;
	 * bytes to it in u64, from it out u64: of a job when all of it has
	 * moved, of the connection once, as the child's last word.  No answer.
	 */
	PM_BYTES = 36,

	/*
	 * The dmsg process to its monitor.
	 *
	 * DMSG_CONNECT host string, port u16; fails from PRIV_CONNECTS_MAX on.
	 * Answer: error text; if empty, with a connected TCP socket, or, for
	 * a discovery over https, the plain side of TLS.
	 */
	PM_DMSG_CONNECT = 40,
	/*
	 * DMSG_HANDSHAKE [no handshake in that slot] slot u8, server's key.
	 * Answer: message 1 of XK; nothing for a key that is none.
	 */
	PM_DMSG_HANDSHAKE = 42,
	/*
	 * DMSG_MESSAGE_2 [handshake begun] slot u8, message 2.  Answer: send
	 * key, receive key, message 3; nothing when the server is not who it
	 * claims.
	 */
	PM_DMSG_MESSAGE_2 = 44,
	/* DMSG_HANDSHAKE_DROP [handshake begun] slot u8.  No answer. */
	PM_DMSG_HANDSHAKE_DROP = 46,
	/*
	 * DMSG_ENTRY [PRIV_ENTRIES_PER_MIN] sequence u64, timestamp u64, count
	 * u32, keys of servers.  Answer: our signed entry, JSON.
	 */
	PM_DMSG_ENTRY = 48,
	/*
	 * DMSG_STREAM [always] claimed key of the caller, key of the server it
	 * came by.  Answer: ok u8; if 1, with a stream socket to a connection's
	 * child.
	 */
	PM_DMSG_STREAM = 50,
	/*
	 * DMSG_DIAL_REQUEST [id 0: always, else after DMSG_DIAL with that id,
	 * once] source port u16: a request for the configured discovery's key
	 * and port, or for those of DMSG_DIAL, no other.  Answer: signed
	 * request.
	 */
	PM_DMSG_DIAL_REQUEST = 52,
	/*
	 * DMSG_DIAL_RESPONSE [after DMSG_DIAL_REQUEST] message 2 of KK. Answer:
	 * ok u8; if 1 and the id is 0: send key, receive key.
	 */
	PM_DMSG_DIAL_RESPONSE = 54,
	/* DMSG_DIAL_FAILED [after DMSG_DIAL] error text.  No answer. */
	PM_DMSG_DIAL_FAILED = 58,
	/*
	 * DMSG_PROBE [PRIV_PROBES_PER_MIN] source port u16: a request to
	 * ourselves, for a port that nobody serves.  It can be refused only:
	 * the handshake in it is forgotten.  Answer: signed request.
	 */
	PM_DMSG_PROBE = 60,
	/*
	 * DMSG_STATUS [PRIV_STATUS_PER_S] what goes on, JSON of at most
	 * PRIV_STATUS_MAX bytes.  No answer.
	 */
	PM_DMSG_STATUS = 56,
	/* STATUS [control socket].  Answer: dmsg's last DMSG_STATUS. */
	PM_STATUS = 28,
	/*
	 * PROXY_DIAL [control socket, once] key, port u16: a stream to there
	 * over dmsg, in our name.  Answer: error text; if empty: send key,
	 * receive key, with a stream socket for sealed frames.
	 */
	PM_PROXY_DIAL = 30,
	/*
	 * KILL [control socket] what u8 of enum priv_kill, then the id of a
	 * connection u64 or a key: whose connections are ended.  Answer: error
	 * text; if empty: how many u32.
	 */
	PM_KILL = 62,
	/* CONNS [control socket] as GET_CONNS, and so is the answer. */
	PM_CONNS = 64,
	/* COUNTS [control socket] nothing.  Answer: as GET_COUNTS. */
	PM_COUNTS = 66,
	/*
	 * JOB_RUN [session; fails from PRIV_KEEPERS_MAX on, with JOB_DOOR's] as
	 * EXEC_START, of whose flags it has STDIN and LINE: a command under a
	 * keeper of its own.  Answer: error text; if empty, handle u32 with a
	 * stream socket to the keeper.
	 */
	PM_JOB_RUN = 68,
	/*
	 * JOB_DOOR [as JOB_RUN] nothing.  Answer: error text; if empty, handle
	 * u32 with a stream socket to who serves one request about the jobs of
	 * this key.
	 */
	PM_JOB_DOOR = 70,
	/*
	 * EXEC_LEAVE [handle lives] handle u32: who has asked for it is gone.
	 * It is hung up unless it is to be kept, and forgotten when it has
	 * ended.  No answer.
	 */
	PM_EXEC_LEAVE = 72,
	/*
	 * FORWARD_OPEN [session; fails from PRIV_FORWARDS_MAX on that are being
	 * made] kind u8 of enum priv_forward, host or path, port u16.  Answer:
	 * error text; if empty, with a connected stream socket.
	 */
	PM_FORWARD_OPEN = 76,
	/*
	 * FORWARD_LISTEN [as FORWARD_OPEN, with which it is counted] kind u8,
	 * address or path, port u16 (0: a free one), flags u8 of enum
	 * priv_listen.  Answer: error text; if empty, port u16 with a socket
	 * that listens, or two: loopback is two addresses.
	 */
	PM_FORWARD_LISTEN = 78,
	/*
	 * SESSION_RUN [as JOB_RUN, with which it counts] as PTY_START, and its
	 * name, a string, "" or as mux_is_session_name() says: a terminal under
	 * a keeper of its own, or the one of that name.  Answer: as JOB_RUN.
	 */
	PM_SESSION_RUN = 80,
	/* SESSION_DOOR [as JOB_RUN] as JOB_DOOR, about sessions. */
	PM_SESSION_DOOR = 82,
	/* LOG [always, PRIV_LOGS_PER_S] level u8, text.  No answer. */
	PM_LOG = 20,
	/*
	 * EXITED, event: handle u32 of a terminal or a command, kind u8 of enum
	 * priv_exit, status u32 (exit status or signal number).
	 */
	PM_EXITED = 101,
	/*
	 * WELCOME, event, monitor's first message: version u32, kind u8 of
	 * enum priv_carrier, uid u32, gid u32, flags u8 (enum priv_welcome),
	 * chroot directory.
	 */
	PM_WELCOME = 103,
	/* CONTROL_OK, event: the control socket's caller is allowed: grants. */
	PM_CONTROL_OK = 105,

	/*
	 * DMSG_CONFIG, event: our key, dmsg port u16, sessions u32, discovery
	 * string, count u32 and servers: key, address string.
	 */
	PM_DMSG_CONFIG = 107,
	/* DMSG_STOP, event: take leave of the discovery and end. */
	PM_DMSG_STOP = 109,
	/*
	 * DMSG_DIAL, event with an id that is not 0: key, port u16, with a
	 * stream socket: dial there and move its bytes.
	 */
	PM_DMSG_DIAL = 111,
	/*
	 * RECORDING, event, of a recorder, whose first message WELCOME was:
	 * error text; if empty, it is confined and at work.
	 */
	PM_RECORDING = 113,

	/*
	 * Monitor to skyptyd.
	 * AUTH [once] key of the peer, connections that it may have u32 (0:
	 * maxperkey).  Answer: ok u8; 0 is one too many.
	 */
	PM_AUTH = 200,
	/* STREAM [dmsg's monitor only]: as DMSG_STREAM. */
	PM_STREAM = 202,
	/* DMSG_REPORT [dmsg's monitor only]: as DMSG_STATUS. */
	PM_DMSG_REPORT = 204,
	/* GET_STATUS [control socket only].  Answer: as STATUS. */
	PM_GET_STATUS = 206,
	/*
	 * DIAL [control socket only]: as PROXY_DIAL.  Answer: error text; if
	 * empty, with the stream socket and one that the result comes by.
	 */
	PM_DIAL = 208,
	/*
	 * TURN [before AUTH, PRIV_TURNS_MAX times] nothing: it is the peer's
	 * turn from now on.  No answer.
	 */
	PM_TURN = 210,
	/*
	 * FAILED [before AUTH was answered with 1, once] how u8 of enum
	 * penalty of config.h: the connection ends and has not authenticated.
	 * The monitor's own word, never its child's.  No answer.
	 */
	PM_FAILED = 220,
	/* END_CONNS [control socket only]: as KILL.  Answer: how many u32. */
	PM_END_CONNS = 212,
	/*
	 * GET_CONNS [control socket only]: number u64.  Answer: connections
	 * with greater numbers, as many as there is room for, none at the end:
	 * number u64, id u64, carrier u8, authenticated u8, key, age and idle
	 * in seconds u64, bytes in and out u64 as its child says, peer, user,
	 * comment, rule, what runs: strings.
	 */
	PM_GET_CONNS = 214,
	/*
	 * ABOUT [authenticated, or control]: user, comment, rule, what runs:
	 * strings of at most PRIV_ABOUT_MAX bytes; how many of each of enum
	 * priv_begun there have been, u32 each.  No answer.
	 */
	PM_ABOUT = 216,
	/* MOVED [as ABOUT]: as ACTIVE.  No answer. */
	PM_MOVED = 218,
	/* GET_COUNTS [control socket only]: u64 each of enum priv_count. */
	PM_GET_COUNTS = 222,
	/* START, event, skyptyd's first message to a monitor: start.h */
	PM_START = 301,
	/* DIAL_OUT, event: key, port u16, with the two other ends. */
	PM_DIAL_OUT = 303,
	/*
	 * DIAL_RESULT, event, from dmsg's monitor to the one that
	 * asked: error text; if empty: send key, receive key.
	 */
	PM_DIAL_RESULT = 305
};

/* First byte of HANDSHAKE's answer. */
enum priv_handshake {
	PRIV_FRAME = 0, /* body of the frame to send */
	PRIV_DONE = 1, /* peer's key, grants u32, idle u32, send, receive key */
	PRIV_REFUSED = 2,     /* close without a byte */
	PRIV_TURNED_AWAY = 3, /* send key, why: mux 01, why, then close */
	PRIV_DONE_KK = 4
};

enum priv_carrier {
	PRIV_XK = 0,
	PRIV_KK = 1,
	PRIV_CONTROL = 2,
	PRIV_DMSG = 3 /* no connection: the sessions to dmsg servers */
};

enum priv_welcome {
	PRIV_DROP = 1 << 0,	  /* change root and user: we are root */
	PRIV_BEST_EFFORT = 1 << 1 /* go on when a step of it fails */
};

/* What an authenticated peer may do. */
enum priv_grant {
	PRIV_GRANT_PTY = 1 << 0,
	PRIV_GRANT_EXEC = 1 << 1,
	PRIV_GRANT_WHITELIST = 1 << 2,
	PRIV_GRANT_SFTP = 1 << 3,
	PRIV_GRANT_DIAL = 1 << 4,
	PRIV_GRANT_FORWARD = 1 << 5,
	PRIV_GRANT_DETACH = 1 << 6 /* PRIV_EXEC_KEEP, jobs */
};
/* What jobs need, all of it. */
#define PRIV_GRANTS_JOB (PRIV_GRANT_EXEC | PRIV_GRANT_DETACH)
/* What sessions that are kept need. */
#define PRIV_GRANTS_SESSION (PRIV_GRANT_PTY | PRIV_GRANT_DETACH)
/* All that a key can have; the others are the control socket's. */
#define PRIV_GRANTS_KEY                                       \
	(PRIV_GRANT_PTY | PRIV_GRANT_EXEC | PRIV_GRANT_SFTP | \
	    PRIV_GRANT_FORWARD | PRIV_GRANT_DETACH)

/* Which connections are to be ended. */
enum priv_kill {
	PRIV_KILL_ID = 0, /* the one with that id */
	PRIV_KILL_KEY = 1 /* all of that key */
};
#define PRIV_KILL_MIN (1 + 8)
#define PRIV_KILL_MAX (1 + 33) /* KEY_PUBLIC_LEN */

enum priv_exec {
	PRIV_EXEC_STDIN = 1 << 0, /* a pipe, not /dev/null */
	PRIV_EXEC_KEEP = 1 << 1,  /* not hung up when the connection ends */
	PRIV_EXEC_LOGIN = 1 << 2, /* the account's shell, as a login shell */
	PRIV_EXEC_LINE = 1 << 3	  /* sh -c SCRIPT LINE, and LINE is asked for */
};
#define PRIV_EXEC_FLAGS \
	(PRIV_EXEC_STDIN | PRIV_EXEC_KEEP | PRIV_EXEC_LOGIN | PRIV_EXEC_LINE)

/*
 * Terminals, commands, SFTP servers and keepers have handles from 1 on, none of
 * which is used again.  BYTES knows one that is none of them.
 */
enum priv_handle { PRIV_CONN_HANDLE = 0x7fffffff };

/* What is connected to, or listened at. */
enum priv_forward { PRIV_FORWARD_TCP = 0, PRIV_FORWARD_UNIX = 1 };
enum priv_listen {
	PRIV_LISTEN_UNLINK = 1 << 0 /* a socket that is there goes */
};
#define PRIV_FORWARD_NAME 255 /* bytes of a host, an address or a path */

enum priv_pty {
	PRIV_PTY_SIZE = 1 << 0,
	PRIV_PTY_LOGIN = 1 << 1, /* as above */
	PRIV_PTY_MODES = 1 << 2,
	PRIV_PTY_LINE = 1 << 3 /* as above */
};
#define PRIV_PTY_FLAGS \
	(PRIV_PTY_SIZE | PRIV_PTY_LOGIN | PRIV_PTY_MODES | PRIV_PTY_LINE)

/*
 * Why the confined child of a connection has ended: its exit status, which the
 * log tells.  Any other is a failure.
 */
enum priv_end {
	PRIV_END_LEFT = 0, /* the peer has closed the connection */
	PRIV_END_SERVED = 40,
	PRIV_END_REFUSED, /* a service that is not offered */
	PRIV_END_RESET,	  /* by the peer, with something unsaid */
	PRIV_END_LOST,	  /* the peer does not answer any more */
	PRIV_END_IDLE,	  /* the peer did not say what it wants */
	PRIV_END_FAULT	  /* the peer's or ours, in a line of the child's */
};

/* What skyptyd counts of what a connection has run. */
enum priv_begun {
	PRIV_BEGUN_TERMINALS,
	PRIV_BEGUN_COMMANDS,
	PRIV_BEGUN_FILES,
	PRIV_BEGUN
};

enum priv_exit { PRIV_EXITED = 0, PRIV_SIGNALED = 1, PRIV_TIMEDOUT = 2 };

/* What skyptyd has counted since it was started, and what there is now. */
enum priv_count {
	PRIV_COUNT_TCP, /* connections that were given a monitor */
	PRIV_COUNT_DMSG,
	PRIV_COUNT_CONTROL,
	PRIV_COUNT_AUTH_TCP, /* that authenticated */
	PRIV_COUNT_AUTH_DMSG,
	PRIV_COUNT_NOAUTH, /* that did not, in the order of enum penalty */
	PRIV_COUNT_HANDSHAKE,
	PRIV_COUNT_AUTHFAIL,
	PRIV_COUNT_GRACE,
	PRIV_COUNT_CRASH,
	PRIV_COUNT_TURNED_AWAY, /* before they had a monitor */
	PRIV_COUNT_DROPPED,	/* for others */
	PRIV_COUNT_PENALTIES,
	PRIV_COUNT_KILLED,    /* by skyptyd kill */
	PRIV_COUNT_TERMINALS, /* in the order of enum priv_begun */
	PRIV_COUNT_COMMANDS,
	PRIV_COUNT_FILES,
	PRIV_COUNT_BYTES_IN,
	PRIV_COUNT_BYTES_OUT,
	PRIV_COUNT_HANDSHAKE_MS, /* of all together */
	PRIV_COUNT_HANDSHAKES,
	PRIV_COUNT_NOW,		/* authenticated ones, now */
	PRIV_COUNT_NOW_UNKNOWN, /* not authenticated ones */
	PRIV_COUNT_NOW_CONTROL,
	PRIV_COUNT_START, /* seconds since 1970 */
	PRIV_COUNTS
};

#define PRIV_ABOUT_MAX	     256 /* bytes of a text about a connection */
#define PRIV_CONNECTS_MAX    16	 /* connections that are being made */
#define PRIV_TURNS_MAX	     2	 /* of a handshake: at its begin, answered */
#define PRIV_DIALS_MAX	     32	 /* streams that are being dialed */
#define PRIV_DIAL_S	     30	 /* seconds for one of them */
#define PRIV_SLOTS_MAX	     8	 /* handshakes with servers at once */
#define PRIV_STATUS_MAX	     16384
#define PRIV_ENTRIES_PER_MIN 30 /* signatures for our entry */
#define PRIV_PROBES_PER_MIN  90 /* signatures for requests to ourselves */
#define PRIV_SERVERS_MAX     64 /* in our entry, in the configuration */
#define PRIV_EXECS_MAX	     64 /* running at once on one connection */
#define PRIV_PTYS_MAX	     16 /* as well, and so are these */
#define PRIV_SFTPS_MAX	     16
#define PRIV_KEEPERS_MAX     16
#define PRIV_FORWARDS_MAX    1024 /* connections being made, and listeners */
#define PRIV_STATUS_PER_S    1
#define PRIV_ACTIVES_PER_S   2
#define PRIV_USER_MAX	     256    /* bytes of a user's name */
#define PRIV_LOGS_PER_S	     20	    /* lines of a child that are written down */
#define PRIV_ARGS_MAX	     16384  /* arguments, and as many of environment */
#define PRIV_ARG_MAX	     131072 /* bytes of one; the kernel's own limit */
#define PRIV_WL_MAX	     5000   /* keys in one whitelist message */

/* A received message.  Descriptors that nobody took are closed by _free. */
struct privmsg {
	uint16_t type;
	uint16_t id;
	struct buf body; /* view into storage */
	int fd[PRIVMSG_FDS_MAX];
	size_t nfd;
	uint8_t *storage; /* PRIVMSG_MAX bytes, kept for the next message */
	size_t len;	  /* used of it */
};

/* A connected pair, close-on-exec.  SKY_ERR_SYS. */
int privmsg_pair(int sv[2]);
/*
 * Sends one message; body may be NULL.  Blocks, but no longer than the
 * socket's send timeout.  SKY_ERR_LIMIT for an over-long one, SKY_ERR_SYS.
 */
int privmsg_send(int, unsigned type, uint16_t id, struct buf *body,
    const int *fds, size_t nfd);
/* A PM_LOG of text, cut where it is too long.  As privmsg_send. */
int privmsg_send_log(int, enum log_level, const char *text);
/*
 * Receives one message.  With fds false no descriptor can arrive: that is for
 * the privileged side.  Returns 1, SKY_ERR_EOF, SKY_ERR_AGAIN, SKY_ERR_FORMAT
 * (shorter than its head or cut off) or SKY_ERR_SYS.
 */
int privmsg_recv(int, struct privmsg *, bool fds);
/* Takes descriptor n out of the message; -1 if it has none. */
int privmsg_take_fd(struct privmsg *, size_t n);
/* Drops the content, closes descriptors, wipes; storage is kept. */
void privmsg_clear(struct privmsg *);
void privmsg_free(struct privmsg *);

#endif
