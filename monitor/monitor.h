/* SPDX-License-Identifier: ISC */
/*
 * The monitor of one connection: the privileged half, which holds the secret
 * key and the whitelist, spawns shells and commands, and believes nothing that
 * its child says.  It never sees a byte of the session's data.
 */
#ifndef MONITOR_MONITOR_H
#define MONITOR_MONITOR_H

#include <pwd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/base/reach.h"
#include "common/privsep/privmsg.h"
#include "common/privsep/start.h"
#include "common/pty/keys.h"
#include "common/pty/noise.h"

struct connector;
struct dials;
struct event;
struct event_base;
struct overlay;

#define MON_HANGUP_GRACE  2 /* seconds for a process of ours, then SIGKILL */
#define MON_LEAVE	  6 /* seconds for dmsg to take leave */
#define MON_ABANDONED_MAX 8
#define MON_LINGER	  4 /* seconds for a refused peer's last bytes */
#define MON_ORIGIN_MAX	  160
#define MON_NAME_MAX	  64

/*
 * Where a connection stands; each request is legal in some of them.  The
 * control socket begins in the session.
 */
enum mon_phase {
	MON_HANDSHAKE = 1 << 0, /* XK under way */
	MON_SESSION = 1 << 1,	/* the peer is known and allowed */
	MON_REFUSED = 1 << 2,	/* the child may only say good-bye */
	MON_DYING = 1 << 3,	/* the child is being ended, then we leave */
	MON_KK = 1 << 4,	/* a stream's request is due */
	MON_FIRST = 1 << 5,	/* its first frame is due */
	MON_DMSG = 1 << 6	/* no connection at all: overlay.c */
};

/* What a connection was used for, as the log tells it at the end. */
enum mon_use {
	USE_TERMINAL,
	USE_COMMAND,
	USE_FILES,
	USE_WHITELIST,
	USE_STATUS,
	USE_DIAL,
	USE_COUNT
};

/* A process that we spawned, from its start until it is reaped. */
struct job {
	struct monitor *mon;
	pid_t pid; /* its own session and process group; 0 is a free slot */
	uint32_t handle;
	bool exited; /* a zombie until its end is asked for */
	bool ended;  /* its end has been asked for */
	bool timed_out;
	bool keep;	  /* not hung up when the connection ends */
	int64_t deadline; /* of now_ms, 0 for none */
	struct event *timer;
	/* For the log: "Command", ..., what of, since when. */
	const char *kind;
	char name[MON_NAME_MAX]; /* cut to that */
	int64_t begun;		 /* of now_ms */
};

/* As sshd tells sessions; empty for somebody on this machine. */
struct session_origin {
	char client[MON_ORIGIN_MAX];	 /* address, port, our port */
	char connection[MON_ORIGIN_MAX]; /* address, port, ours */
};

struct monitor {
	struct event_base *base;
	struct start start;
	int child; /* socket to the confined child, -1 when gone */
	pid_t child_pid;
	int parent; /* socket to skyptyd, -1 when gone */
	enum mon_phase phase;
	uint32_t grants;
	struct key_public peer;
	uid_t caller; /* on the control socket */
	struct session_origin origin;
	struct keyctx *keyctx;
	struct noise *noise;
	struct noise_keys *kk; /* sodium_malloc'ed; until the first frame */
	struct overlay *overlay;
	struct connector *connectors;
	pid_t *relays; /* of TLS; connect.c */
	struct dials *dials;
	struct proxy {
		bool used;
		uint16_t id; /* of the request that waits */
		int stream, result;
		struct event *ev;
	} proxy;
	struct privmsg msg;
	struct job pty;
	struct job exec[PRIV_EXECS_MAX];
	pid_t abandoned[MON_ABANDONED_MAX]; /* spawn.c; 0 is a free slot */
	pid_t guard_pid;		    /* 0: not needed yet */
	int guard;			    /* pipe to it */
	struct job sftp;
	bool sftp_used;
	uint32_t last_handle;
	bool stopping; /* PTY_STOP waits for the shell to be reaped */
	uint16_t stop_id;
	bool killed;	      /* SIGKILL has been sent, only reaping is left */
	time_t report_second; /* of the last status passed on */
	unsigned log_count;   /* lines of the child in this second */
	time_t log_second;
	int64_t begun; /* of now_ms */
	unsigned used[USE_COUNT];
	int term_fd; /* signalfd(2): who sends SIGTERM */
	struct event *child_ev, *chld_ev, *term_ev, *timer;
};

/* --- monitor.c --- */

/*
 * Ends the connection: the child at once, and what it ran is hung up.  Who
 * does not want to end then goes on, within its time limit.  The log is told
 * why.
 */
void mon_die(struct monitor *, const char *why);
/* Sets the one timer of the phase; 0 seconds stops it. */
void mon_timer(struct monitor *, int seconds);

/* --- child.c: the confined child --- */

/* Executes it on the connection's descriptor, -1 for dmsg.  SKY_ERR_SYS. */
int child_start(struct monitor *, int conn);
int child_welcome(struct monitor *);
/* Answers a request.  Failing to reach the child ends the connection. */
void
child_answer(struct monitor *, const struct privmsg *request, struct buf *);
/* As above, with descriptors, which are closed here. */
void child_answer_fds(struct monitor *, const struct privmsg *request,
    struct buf *, int *fds, size_t nfd);
/* The answer of requests that can fail: a text, empty for success. */
void child_answer_text(struct monitor *, const struct privmsg *request,
    const char *text);
/* An event.  SKY_ERR_*: the child is not there. */
int child_tell(struct monitor *, enum privmsg_type, struct buf *);
void child_tell_exit(struct monitor *, uint32_t handle, enum priv_exit,
    uint32_t status);
void child_tell_control(struct monitor *);

/* --- dispatch.c: the security policy, as a table --- */

/* Carries out one request, or logs why not and returns SKY_ERR_DENIED. */
int dispatch(struct monitor *, struct privmsg *);

/* --- handshake.c --- */

int handshake_begin(struct monitor *);
int handshake_frame(struct monitor *, struct privmsg *);
/* Wipes what only a handshake needs. */
void handshake_end(struct monitor *);

/* For streams of dmsg, too: */
/*
 * Tells skyptyd that the peer is to say something now: what passed until then
 * was our own time.
 */
void handshake_turn(const struct monitor *);
int handshake_refuse(struct monitor *, struct privmsg *);
/* The mux's refusal and why, under that key of NOISE_KEY_LEN bytes. */
int handshake_turn_away(struct monitor *, struct privmsg *, const uint8_t *send,
    const char *why);
/*
 * Whether the peer is listed and has room; told in the log.  What a listed one
 * may know of the reason is in why, static, else "".
 */
bool handshake_allowed(struct monitor *, const char **why);
/* From now on it is a session. */
void handshake_session(struct monitor *);
/* What code, the peer's key, grants and transport keys. */
int handshake_put_keys(struct buf *, const struct monitor *,
    enum priv_handshake, const struct noise_keys *);

/* --- kk.c: streams of dmsg --- */

int kk_begin(struct monitor *);
int kk_request(struct monitor *, struct privmsg *);
int kk_first_frame(struct monitor *, struct privmsg *);

/* --- overlay.c: the sessions to dmsg servers --- */

int overlay_begin(struct monitor *);
int overlay_connect(struct monitor *, struct privmsg *);
int overlay_handshake(struct monitor *, struct privmsg *);
int overlay_read(struct monitor *, struct privmsg *);
int overlay_drop(struct monitor *, struct privmsg *);
int overlay_entry(struct monitor *, struct privmsg *);
int overlay_stream(struct monitor *, struct privmsg *);
/* Wipes every secret of dmsg's. */
void overlay_forget(struct monitor *);

/* --- dial.c: streams that dmsg dials --- */

/* SKY_ERR_KEY, SKY_ERR_RANGE: the configured discovery makes no sense. */
int dial_begin(struct monitor *, const struct key_public *own);
int dial_request(struct monitor *, struct privmsg *);
int dial_response(struct monitor *, struct privmsg *);
int dial_give_up(struct monitor *, struct privmsg *);
int dial_probe(struct monitor *, struct privmsg *);
/* skyptyd's word that somebody on the control socket wants one. */
void dial_out(struct monitor *, struct privmsg *);
void dial_forget(struct monitor *);

/* --- proxy.c: and whoever asked for it --- */

int proxy_dial(struct monitor *, struct privmsg *);

/* --- status.c: what dmsg says of itself --- */

int status_report(struct monitor *, struct privmsg *);
int status_get(struct monitor *, struct privmsg *);

/* --- connect.c: sockets for dmsg --- */

/*
 * Resolves and connects in a process of its own, as the confined user; done is
 * called once, with a descriptor or -1 and why.
 */
typedef void
connect_done(struct monitor *, uint16_t id, int fd, const char *why);
int connect_init(struct monitor *);
/* A process has ended that no job is. */
void connect_reap(struct monitor *);
/* SKY_ERR_LIMIT, SKY_ERR_SYS. */
struct connect_to {
	const char *host;
	uint16_t port;
	enum reach reach; /* no farther in than this */
	bool tls;
};
int connect_start(struct monitor *, uint16_t id, const struct connect_to *,
    connect_done *);

/* --- whitelist.c: who may come in --- */

/* Reads the lists anew and decides.  0, SKY_ERR_DENIED, or what went wrong. */
int whitelist_check(struct monitor *, const struct key_public *);
int whitelist_list(struct monitor *, struct privmsg *);
int whitelist_add(struct monitor *, struct privmsg *);
int whitelist_remove(struct monitor *, struct privmsg *);
/* Whether the process behind the control socket may use it. */
bool whitelist_control(struct monitor *, int conn);

/* --- pty.c, exec.c, sftp.c: what is run --- */

int pty_start(struct monitor *, struct privmsg *);
int pty_stop(struct monitor *, struct privmsg *);
/* A zombie has been seen; tells the child. */
void pty_reap(struct monitor *);

int exec_start(struct monitor *, struct privmsg *);
int exec_end(struct monitor *, struct privmsg *);
int exec_signal(struct monitor *, struct privmsg *);
void exec_reap(struct monitor *);
/* The connection ends. */
void exec_leave(struct monitor *);

int sftp_start(struct monitor *, struct privmsg *);
void sftp_reap(struct monitor *);

/* --- ending.c: what the log tells of the end of a connection --- */

void ending_used(struct monitor *, enum mon_use);
/* What the exit status of a confined child means. */
const char *ending_of_child(int status);
/* The line of the end; the phase is that of before. */
void ending_tell(const struct monitor *, enum mon_phase, const char *why);
/* "0.3 s", "2m05s", "25h00m00s", since that time of now_ms. */
#define ENDING_TIME_MAX 32
void ending_time(char text[ENDING_TIME_MAX], int64_t begun);

/* --- job.c --- */

/* Notes for the log what it is that has been started. */
void job_begin(struct job *, const char *kind, const char *name);
/* Tells the log of its end, once it has exited. */
void
job_tell(const struct job *, enum log_level, enum priv_exit, uint32_t status);
/* Tells it that it runs still as its connection ends. */
void job_tell_left(const struct job *, const char *fate);
/* Whether the job's process is a zombie now; it stays one. */
bool job_exited(struct job *, enum priv_exit *, uint32_t *status);
/* Signals the job's process group. */
void job_signal(const struct job *, int signal);
/* As the kernel does with a terminal's: also one that is stopped hears it. */
void job_hang_up(const struct job *);
/* Reaps the zombie, which must be one, and frees the slot. */
void job_free(struct job *);

/* --- guard.c: who keeps time limits when the monitor is not there --- */

/*
 * A command has been started with a time limit in milliseconds, 0 for none, or
 * is about to be waited for.  That a guard could not be made is told in the log
 * alone.
 */
void guard_begin(struct monitor *, struct job *, uint32_t limit_ms);
void guard_end(const struct monitor *, const struct job *);
/*
 * The monitor hangs up itself: only limits are left to be kept.  Whether there
 * is a guard that does.
 */
bool guard_leave(struct monitor *);

/* --- command.c: what a child asks to run --- */

struct command {
	char *name;
	char **argv; /* name first, NULL last */
	char **env;  /* client's K=V, NULL last */
};

int command_read(struct buf *, struct command *);
/* Tells the log that it has been started, and with which arguments. */
void command_tell(const struct command *, const char *kind, bool login, pid_t);
void command_free(struct command *);

/* --- origin.c: where a session comes from --- */

/* Of the connection, before it is the child's alone. */
void origin_of_socket(struct session_origin *, int conn);
/* Of one that has no addresses, or none that mean a thing. */
void origin_of_keys(struct session_origin *, const struct key_public *peer,
    const struct key_public *own);

/* --- env.c --- */

/*
 * The environment of a login of this account with the client's entries on
 * top, malloc'ed, NULL last.  tty is the terminal's name or NULL.  NULL: no
 * memory.
 */
char **env_login(const struct passwd *, const struct session_origin *,
    const char *tty, char *const *client);
/* The value of that name, NULL if it is not there. */
const char *env_get(char *const *, const char *name);
void env_free(char **);
/* Where commands without a slash are looked for. */
const char *env_path(const struct passwd *);

/* --- spawn.c --- */

struct spawn {
	const struct command *cmd;
	int in, out, err; /* -1 is /dev/null */
	const char *tty;  /* name of in, the controlling terminal to be */
	bool login; /* the session's SHELL in place of cmd, as a login shell */
};

/*
 * Starts the command as the session's user in a session of its own.  1, or 0
 * with the reason in why, in the words of the original.
 */
int
spawn(struct monitor *, const struct spawn *, pid_t *, char *why, size_t len);
/* Reaps those that could not become their command. */
void spawn_reap(struct monitor *);

#endif
