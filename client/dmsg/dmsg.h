/* SPDX-License-Identifier: ISC */
/* Our own dmsg client: sessions with servers, and streams by them. */
#ifndef CLIENT_DMSG_DMSG_H
#define CLIENT_DMSG_DMSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/conn.h"
#include "client/identity.h"
#include "client/options.h"
#include "common/base/addr.h"
#include "common/base/buf.h"
#include "common/base/reach.h"
#include "common/dmsg/dmsg_disc.h"
#include "common/dmsg/dmsg_entry.h"
#include "common/dmsg/dmsg_session.h"
#include "common/pty/noise.h"

#define DMSG_WAIT_MS 10000 /* for each step */
#define DMSG_ALL_MS  60000 /* no more steps are begun then */

/* One session with one server. */
struct dmsg_link {
	int fd;
	struct key_public server;
	struct buf in, out;
	uint64_t sent; /* bytes, to our own system */
	struct dmsg_session *dmsg;
};

/* Who dials: a key of our own or a fresh one. */
struct dmsg_dialer {
	struct keyctx *ctx;
	struct identity id;
	bool quiet, verbose;
	int64_t deadline; /* for finding and dialing, all together */
};

/* How to a server: its address may be no farther in than reach. */
struct dmsg_way {
	struct key_public server;
	char address[ADDR_TEXT_MAX];
	enum reach reach;
};

/* --- dmsg_link.c --- */

/*
 * TCP to an address no farther in than reach, handshake, silence.  0, or what
 * went wrong, in words (static).
 */
const char *dmsg_link_open(struct dmsg_link *, const struct dmsg_dialer *,
    const struct key_public *server, const char *address, enum reach);
void dmsg_link_close(struct dmsg_link *);
/*
 * Says that no more is sent, and waits, for a moment, for the server to end as
 * well: it has everything then.  Only link_close may follow.
 */
void dmsg_link_end(struct dmsg_link *);
/* Bytes that the server's system has not got yet, in streams or behind them. */
size_t dmsg_link_unsent(const struct dmsg_link *);
/* How many it has got. */
uint64_t dmsg_link_taken(const struct dmsg_link *);
/* What poll(2) is to wait for. */
short dmsg_link_events(const struct dmsg_link *);
/*
 * Reads and writes what is possible; events are to be asked for behind it.
 * SKY_ERR_*: the session is over.
 */
int dmsg_link_pump(struct dmsg_link *, short revents);

/* --- dmsg_holder.c: the process that holds a session --- */

/* Why there is no stream, behind a length of 0. */
enum holder_reason { HOLDER_UNREACHABLE = 1, HOLDER_LOST, HOLDER_BUSY };

/*
 * Serves the guest, and whoever comes to the listening socket and is of our own
 * user; each is -1 where there is none: u16 length and signed request, then u16
 * length and signed response, then the stream's bytes.  Returns when there has
 * been no stream for so long, or the session is over and each guest has what
 * came for it; in the first case not before the server has got what guests have
 * left, unless it takes nothing.  The listener is closed then; the place is
 * left as soon as the session is over.
 */
struct place;
void holder_run(struct dmsg_link *, struct place *, int listener, int guest,
    int lingers_ms);

/* --- dmsg_share.c: one session for all of a user's processes --- */

/*
 * Connects to the holder of that server's session, and makes both if there are
 * none; where there is no folder for its socket, to one for us alone.  NULL, or
 * what went wrong (static).
 */
const char *
share_connect(int *fd, struct dmsg_dialer *, const struct dmsg_way *);

/* --- dmsg_dial.c --- */

/*
 * What the server says of a host that is not there, or that will not hear of
 * this key at present; it cannot tell which.
 */
extern const char dmsg_unreached[];

/*
 * Opens a stream to a port of a key and proves who answers: NULL with a socket
 * that is the stream and its keys, or what went wrong (static).
 */
const char *dmsg_dial(int *fd, struct dmsg_dialer *, const struct dmsg_way *,
    const struct key_public *peer, uint16_t port, struct noise_keys *);

/* --- dmsg.c: a connection by such a stream --- */

/* As conn_open, for an initialised conn; the service is open already. */
int dmsg_open(struct conn *, struct keyctx *, const struct client_options *,
    const char *uri);

/* Gives it the stream, whose keys are wiped. */
void dmsg_begin(struct conn *, int fd, struct noise_keys *);
/*
 * Waits for something to happen, and reads and writes what is possible; late
 * when it is later than deadline.  0, or EXIT_FAILED, told.
 */
int dmsg_pump(struct conn *, int64_t deadline, bool *late);

/* --- dmsg_find.c: the discovery --- */

#define FOUND_MAX 64

/* By which servers a key may be reached. */
struct dmsg_found {
	struct dmsg_way way[FOUND_MAX];
	size_t n;
};

/*
 * Asks the discovery where a key is.  0, or EXIT_FAILED, told; none found is
 * told, too.
 */
int dmsg_find(struct dmsg_found *, struct dmsg_dialer *,
    const struct client_options *, const struct key_public *);

#endif
