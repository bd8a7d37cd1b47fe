/* SPDX-License-Identifier: ISC */
/* Our own dmsg client: sessions with servers, and streams by them. */
#ifndef CLIENT_DMSG_H
#define CLIENT_DMSG_H

#include "client/skypty.h"
#include "common/dmsg_disc.h"
#include "common/dmsg_entry.h"
#include "common/dmsg_session.h"
#include "common/noise.h"

#define DMSG_WAIT_MS 10000 /* for each step */

/* One session with one server, and the stream that matters on it. */
struct link {
	int fd;
	struct key_public server;
	struct buf in, out;
	struct dmsg_session *dmsg;
	struct dmsg_stream *stream;
	struct buf answer; /* signed object */
	bool answered, ended;
};

/* Who dials: a key of our own or a fresh one. */
struct dialer {
	struct keyctx *ctx;
	struct identity id;
	bool quiet, verbose;
};

/* --- dmsg_link.c --- */

/* TCP, handshake, silence.  0, or what went wrong, in words (static). */
const char *link_open(struct link *, const struct dialer *,
    const struct key_public *server, const char *address);
void link_close(struct link *);
/*
 * Opens a stream to a port of a key and proves who answers: 0 with the keys, or
 * what went wrong.
 */
const char *link_dial(struct link *, const struct dialer *,
    const struct key_public *peer, uint16_t port, struct noise_keys *);
/* Gives the current stream back. */
void link_hang_up(struct link *);
/* Moves bytes until done says so (true), or the time is over or the end has
 * come (false). */
bool
link_run(struct link *, bool (*done)(void *), void *arg, int64_t timeout_ms);
/* Bytes of the stream between the session and sock, until either ends. */
__attribute__((noreturn)) void link_relay(struct link *, int sock);

/* --- dmsg_find.c: the discovery --- */

#define FOUND_MAX 16

/* Servers that a key has sessions with, as "host:port". */
struct found {
	struct {
		struct key_public pk;
		char address[ADDR_TEXT_MAX];
	} server[FOUND_MAX];
	size_t n;
};

/*
 * Asks the discovery where a key is.  0, or EXIT_FAILED, told; none found is
 * told, too.
 */
int dmsg_find(struct found *, const struct dialer *, const struct options *,
    const struct key_public *);

#endif
