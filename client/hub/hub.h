/* SPDX-License-Identifier: ISC */
/*
 * A hub: a process of the user's that holds one connection with
 * skypty/1/channels and relays others of his to channels of it.  A caller comes
 * by a socket that only his user reaches and speaks as on a host's control
 * socket: u8 length, URI, and what follows is the channel's as it stands.  What
 * the hub does itself is asked for by URIs of its own.  See PROTOCOL.
 *
 * One loop; whatever happens costs what it is about, however many there are.
 *
 * Memory: a peer, which is a caller or whatever else is relayed, at most 400
 * KiB, HUB_PEERS_MAX of them; what has come for one that does not read, 256 KiB
 * of it, is in that.  The host can bring about no more.
 */
#ifndef CLIENT_HUB_HUB_H
#define CLIENT_HUB_HUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

struct conn;
struct hub;
struct hub_peer;
struct place;

#define HUB_PEERS_MAX 1500
#define HUB_WHY_MAX   1024 /* bytes of a reason */
#define HUB_ID_LEN    32   /* of a destination: a hash of what makes it one */

/* --- what a hub serves --- */

/* What a caller asks of the hub itself begins with this. */
#define HUB_URI	      "skypty/1/hub/"
#define HUB_URI_FOR   HUB_URI "for" /* ?ID: whether it is that connection */
#define HUB_URI_CHECK HUB_URI "check"
#define HUB_URI_STOP  HUB_URI "stop"
#define HUB_URI_EXIT  HUB_URI "exit"
#define HUB_URI_WAIT  HUB_URI "wait" /* as long as who asks stays */

/*
 * A row for each URI; the last one has none.  An order of a caller's ends with
 * hub_reply() or hub_keep(), a channel that the host has opened with hub_take()
 * or hub_refuse(), at once or later: the peer is valid until then.
 */
struct hub_row {
	const char *uri;
	void (*serve)(struct hub *, struct hub_peer *, struct buf *query);
};

struct hub_tables {
	const struct hub_row *orders;
	const struct hub_row *arrivals; /* every other one is refused */
};

/* Those of our own. */
extern const struct hub_tables hub_tables;

/* Says how it went, and ends the call. */
void hub_reply(struct hub_peer *, bool ok, const char *text);
/*
 * Says that it went well, with a text; the hub stays until the caller has gone,
 * of which gone, unless it is NULL, is told once.
 */
void hub_keep(struct hub_peer *, const char *text, void (*gone)(void *arg),
    void *arg);
/* For one that is kept: what it does not take at once is dropped. */
void hub_say(struct hub_peer *, const char *text);
/* Ends one that is kept; nobody is told. */
void hub_drop(struct hub_peer *);

/* Accepts, and relays the descriptor, which is the hub's from now on. */
void hub_take(struct hub_peer *, int fd);
void hub_refuse(struct hub_peer *);

/* --- channels --- */

/*
 * How it went, once: why is NULL when the host has accepted, and what is
 * written into fd now goes in front of the channel's bytes; else fd is closed
 * behind the call, and why may be the host's words as it has sent them.
 */
typedef void hub_told(void *arg, int fd, const char *why);
/*
 * Opens a channel with that URI and relays fd, a stream, with it once it is
 * accepted, half-close both ways.  told may be NULL.  0, or SKY_ERR_LIMIT,
 * SKY_ERR_NOMEM, SKY_ERR_STATE (the connection is over), SKY_ERR_SYS: then the
 * descriptor is still the caller's and nobody is told.
 */
int hub_open(struct hub *, const char *uri, int fd, hub_told *told, void *arg);

/* --- the loop --- */

/*
 * A descriptor that is waited for; events are those of epoll(7).  Whoever has
 * removed one may free it at once.
 */
struct hub_watch {
	int fd;
	void (*on)(struct hub *, struct hub_watch *, uint32_t events);
};

/* 0 or SKY_ERR_SYS. */
int hub_watch(struct hub *, struct hub_watch *, uint32_t events);
int hub_watch_change(struct hub *, struct hub_watch *, uint32_t events);
void hub_unwatch(struct hub *, struct hub_watch *);
/* What its users have for it, by their own hand; NULL at first. */
void hub_set_arg(struct hub *, void *);
void *hub_arg(const struct hub *);

/* Which connection that is, and when the hub ends. */
struct hub_way {
	uint8_t id[HUB_ID_LEN];
	/* Milliseconds without anybody; HUB_FOREVER. */
	int64_t persist_ms;
	struct place *place; /* left when no more callers are taken, or NULL */
	int listener;	     /* or -1 */
	int guest;	     /* the first caller, or -1 */
};

#define HUB_FOREVER (-1)

/*
 * A hub on a connection whose host has accepted channels.  The connection stays
 * the caller's, and must outlive it; the descriptors of the way become the
 * hub's.  NULL with errno.
 */
struct hub *
hub_new(struct conn *, const struct hub_way *, const struct hub_tables *);
/* Takes in a caller who is connected: the descriptor is the hub's. */
void hub_seat(struct hub *, int fd);
/* One round, which waits so long at most (-1: as it has to); false: over. */
bool hub_round(struct hub *, int ms);
/* No more callers; those that are here go on. */
void hub_stop(struct hub *);
/* Ends with the round. */
void hub_exit(struct hub *);
/* How many are served, those among them that hub_keep() keeps. */
size_t hub_count(const struct hub *);
void hub_free(struct hub *);

#endif
