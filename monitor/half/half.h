/* SPDX-License-Identifier: ISC */
/*
 * The privileged half of a confined process, whatever that serves: it starts
 * the child, carries out what the child may ask for (request.h), and ends with
 * it.  A program has this as the first member of its own state, and says in a
 * role what else there is.
 */
#ifndef MONITOR_HALF_HALF_H
#define MONITOR_HALF_HALF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/buf.h"
#include "common/privsep/privmsg.h"
#include "common/privsep/start.h"
#include "common/pty/keys.h"
#include "monitor/half/request.h"

struct event;
struct event_base;
struct half;

#define HALF_GRACE 2 /* seconds for a process of ours, then SIGKILL */

/* The phase of the end: no request is legal in it. */
#define HALF_DYING 1

/* What differs between the programs; what is NULL there is nothing to do. */
struct half_role {
	const char *child;   /* in the log: "net" */
	const char *program; /* that it is: "skyptyd-net" */
	const char *title;   /* of the monitor, for ps; the peer follows */
	const struct requests *requests;
	/* The time limit of the phase is over: a line for the log. */
	void (*late)(struct half *);
	/* SIGTERM.  Whether the child is let take its leave before it ends. */
	bool (*term)(struct half *);
	/* The child is gone: what it had started ends.  The phase was that. */
	void (*leave)(struct half *, int was, const char *why);
	/* A process may have ended that is not the child. */
	void (*reap)(struct half *);
	/* Whether one is waited for that was told to end; it is killed. */
	bool (*waits)(const struct half *);
	void (*kill_left)(struct half *);
	/* Wipes what is secret.  May be called twice. */
	void (*forget)(struct half *);
};

struct half {
	const struct half_role *role;
	struct start start;
	struct event_base *base;
	int parent;	 /* socket to skyptyd, -1 when gone */
	int child;	 /* socket to the confined child, -1 when gone */
	pid_t child_pid; /* 0 when reaped */
	int phase;	 /* HALF_DYING, or one of the program's */
	uint32_t grants;
	struct request_count count[REQUESTS_MAX];
	struct keyctx *keyctx;
	struct privmsg msg;
	bool crashed; /* the child, or it asked for what it may not */
	bool killed;  /* SIGKILL has been sent, only reaping is left */
	int term_fd;  /* signalfd(2): who sends SIGTERM */
	struct event *child_ev, *chld_ev, *term_ev, *timer;
};

/* --- half.c: its life --- */

/* Nothing of who has started us, no core, no signal but those we want. */
void half_leave_behind(char **argv, char **envp);
/*
 * Hears skyptyd's first word, on PRIV_FD_PEER, and sets up the log, the title
 * and the loop.  0, or -1, logged.
 */
int half_begin(struct half *, const struct half_role *);
/*
 * Starts the child on PRIV_FD_CONN, which is its alone then, or on no
 * connection at all.  0, or -1, logged.
 */
int half_start_child(struct half *, bool with_conn);
/* Tells a confined process of ours whom to become.  As privmsg_send(). */
int half_welcome(const struct half *, int sock);
/*
 * Ends the child at once, and then us; the log is told why.  Who does not want
 * to end then goes on, within its time limit.
 */
void half_die(struct half *, const char *why);
/* Sets the one timer of the phase; 0 seconds stops it. */
void half_timer(struct half *, int seconds);
/* Wipes and frees the secret key and what computes with it. */
void half_forget_keys(struct half *);

/* --- half_child.c: the confined child, and what is said to it --- */

/* Executes the program on the descriptor, -1 for none.  SKY_ERR_SYS. */
int half_spawn(struct half *, int conn);
/* Answers a request.  Failing to reach the child ends it. */
void half_answer(struct half *, const struct privmsg *request, struct buf *);
/* As above, with descriptors, which are closed here. */
void half_answer_fds(struct half *, const struct privmsg *request, struct buf *,
    int *fds, size_t nfd);
/* The answer of requests that can fail: why, and nothing else. */
void
half_answer_why(struct half *, const struct privmsg *request, const char *why);
/* The same of success: what else there is, or NULL, and descriptors. */
void half_answer_ok(struct half *, const struct privmsg *request,
    const struct buf *, int *fds, size_t nfd);
/* An event.  One that takes no message is as good as dead, and ended. */
void half_tell(struct half *, enum privmsg_type, struct buf *);
/* What the exit status of a confined child means. */
const char *half_child_end(int status);

/* LOG, the one request of every child: a line, marked with its name. */
request_handler half_log;

#endif
