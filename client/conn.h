/* SPDX-License-Identifier: ISC */
/* A connection with a service open on it. */
#ifndef CLIENT_CONN_H
#define CLIENT_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "client/patience.h"
#include "common/base/buf.h"
#include "common/pty/keys.h"
#include "common/pty/link.h"
#include "common/pty/mux.h"

struct client_options;
struct dest;
struct forward_held;
struct noise_keys;

struct conn {
	int fd;
	/* Who dialed it; shared: it is a channel of a hub's. */
	enum { WAY_OWN, WAY_DAEMON, WAY_VISOR, WAY_SHARED } way;
	bool accepted; /* the mux has answered */
	bool eof;
	bool optional;	/* a rejection is no failure */
	bool shell;	/* nor is one that is for commands alone */
	bool offered;	/* nor is it while there are other keys to try */
	bool unreached; /* by dmsg, if offered not told: there, or refused */
	bool is_sftp;
	bool verbose;		     /* how far we are is told */
	bool require_pq;	     /* no handshake without ML-KEM */
	const char *uri;	     /* of the service that is asked for */
	char asked[MUX_URI_MAX + 1]; /* the same as a user, or empty */
	bool as_user; /* a host that knows of none is of no use */
	int64_t begun_ms;
	int64_t kept_ms;      /* conn_keep: when something was sent last */
	uint64_t sent_frames; /* and how many there were then */
	bool rejected;	      /* optional, and the host has no such service */
	bool hold;	      /* what has arrived must go first: read no more */
	pid_t proxy;	      /* the command that has made it, or 0 */
	struct link link;
	struct buf in, out; /* in: plaintext behind the mux's answer */
	uint64_t received;  /* bytes off the wire */
	int64_t dial_ms;    /* for the handshake */
	int seconds;	    /* of silence until TCP asks the host; 0: none */
	struct patience patience;
	const struct dest *dest;
	struct forward_held *held; /* told of while we wait, or NULL */
	char us[KEY_PUBLIC_HEX];
};

/* Empty, without a socket: conn_close frees it. */
void conn_init(struct conn *);
/*
 * Connects, shakes hands and queues the request for uri; what is put into out
 * leaves right behind it.  0, or EXIT_FAILED with the reason told.
 */
int conn_open(struct conn *, struct keyctx *, const struct client_options *,
    const char *uri);
/* The same, but a host without the service sets rejected and eof only. */
int conn_try(struct conn *, struct keyctx *, const struct client_options *,
    const char *uri);
/* As conn_open or, optional, conn_try, with the one key that is in turn. */
int conn_once(struct conn *, struct keyctx *, const struct client_options *,
    const char *uri, bool optional);
/* The same by a socket that leads to a hub, and asks it for that channel. */
int conn_share(struct conn *, const struct client_options *, const char *uri,
    bool optional, int fd);
/* What poll(2) is to wait for on fd. */
short conn_events(const struct conn *);
/* Reads and writes what is possible.  0, or EXIT_FAILED, told. */
int conn_pump(struct conn *, short revents);
/* Sends what can be sent now.  0, or EXIT_FAILED, told. */
int conn_flush(struct conn *);
/*
 * For who only listens: servers of dmsg end a stream with a direction that is
 * quiet for some minutes, and a frame with nothing in it is something.  0, or
 * EXIT_FAILED, told.
 */
int conn_keep(struct conn *);
/* The host's end where more was due: tells why. */
int conn_ended(const struct conn *);
/* Waits for the mux's answer.  0, or EXIT_FAILED, told. */
int conn_await(struct conn *);
/* The same; an end without one is no failure: neither accepted nor rejected. */
int conn_hear(struct conn *);
/* Bytes that have not arrived yet, as far as we know. */
size_t conn_unsent(const struct conn *);
/* The mux has said no where that is a failure: tells why. */
int conn_rejected(const struct conn *);
/* A malformed message: tells so. */
int conn_bad(const struct conn *, int error);
/*
 * Whether these are keys that were asked for: of a hybrid, with RequirePQ.  0,
 * or EXIT_FAILED, told.
 */
int conn_check_keys(const struct conn *, const struct noise_keys *);
void conn_close(struct conn *);
/* Closes it, so that another can be opened in the same struct. */
void conn_hang_up(struct conn *);

/*
 * Connects to a control socket, the configured or default one: 0, EXIT_FAILED.
 * Quiet says nothing when there is none that can be trusted.
 */
int conn_local(struct conn *, const struct client_options *, bool quiet);

#endif
