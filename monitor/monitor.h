/* SPDX-License-Identifier: ISC */
/*
 * The monitor of one connection: the privileged half, which holds the secret
 * key and the whitelist, spawns shells and commands, and believes nothing that
 * its child says.  Of what the peer sends it opens the messages of a handshake
 * and, on a stream of dmsg, the first frame behind it; of the session's data it
 * never sees a byte.
 */
#ifndef MONITOR_MONITOR_H
#define MONITOR_MONITOR_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "common/privsep/config.h"
#include "common/privsep/privmsg.h"
#include "common/privsep/rights.h"
#include "common/pty/keys.h"
#include "common/pty/noise.h"
#include "monitor/account.h"
#include "monitor/forward.h"
#include "monitor/half/half.h"
#include "monitor/job.h"
#include "monitor/origin.h"
#include "monitor/proxy.h"
#include "monitor/pty.h"
#include "monitor/sftp.h"

#define MON_ABANDONED_MAX 8
#define MON_LINGER	  4 /* seconds for a refused peer's last bytes */

/*
 * Where a connection stands; each request is legal in some of them.  The
 * control socket begins in the session.
 */
enum mon_phase {
	MON_HANDSHAKE = HALF_DYING << 1, /* XK under way */
	MON_SESSION = HALF_DYING << 2,	 /* the peer is known and allowed */
	MON_REFUSED = HALF_DYING << 3,	 /* the child may only say good-bye */
	MON_KK = HALF_DYING << 4,	 /* a stream's request is due */
	MON_FIRST = HALF_DYING << 5	 /* its first frame is due */
};

/* What a connection was used for, as the log tells it at the end. */
enum mon_use {
	USE_TERMINAL,
	USE_COMMAND,
	USE_FILES,
	USE_JOB,
	USE_JOBS,
	USE_SESSION,
	USE_SESSIONS,
	USE_WHITELIST,
	USE_STATUS,
	USE_CONNS,
	USE_KILL,
	USE_DIAL,
	USE_FORWARD,
	USE_LISTEN,
	USE_COUNT
};

struct event;

struct monitor {
	struct half half; /* the first member: monitor_of() */
	struct key_public peer;
	struct sockaddr_storage from; /* AF_UNSPEC: no address */
	struct rights rights;	      /* of the session; session.c */
	uid_t caller;		      /* on the control socket */
	struct session_origin origin;
	struct passwd account; /* the session's, account.h; none: no name */
	struct noise *noise;
	bool hybrid;	       /* its handshake has ML-KEM, too */
	struct noise_keys *kk; /* sodium_malloc'ed; until the first frame */
	struct proxy proxy;
	struct mon_terminal terminal[PRIV_PTYS_MAX];
	struct job exec[PRIV_EXECS_MAX];
	struct mon_sftp sftp[PRIV_SFTPS_MAX];
	struct job keeper[PRIV_KEEPERS_MAX]; /* of jobs, or doors to them */
	uint32_t last_handle;		     /* of all of these */
	pid_t abandoned[MON_ABANDONED_MAX];  /* spawn.c; 0 is a free slot */
	pid_t guard_pid;		     /* 0: not needed yet */
	int guard;			     /* pipe to it */
	int64_t begun;			     /* of now_ms */
	unsigned used[USE_COUNT];
	struct job_moved moved; /* over its carrier */
	bool last_word;		/* the child's has come */
	struct job_end ends[JOB_ENDS_MAX];
	size_t nends;
	struct event *telling; /* NULL: none has waited yet */
	bool started;	       /* something was to be */
	struct event *idle;    /* NULL: it may be idle for ever */
	bool welcome;	       /* its key may come in, if there is room */
	struct forward forward;
	enum penalty failure; /* how it did not authenticate, if it does not */
};

/* The connection whose half it is. */
static inline struct monitor *
monitor_of(struct half *h)
{
	return (struct monitor *)h;
}

static inline const struct monitor *
monitor_of_const(const struct half *h)
{
	return (const struct monitor *)h;
}

/* The security policy, as a table: requests.c. */
extern const struct requests monitor_requests;

#endif
