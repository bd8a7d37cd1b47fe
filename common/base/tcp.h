/* SPDX-License-Identifier: ISC */
/* A connection over TCP to one address. */
#ifndef COMMON_BASE_TCP_H
#define COMMON_BASE_TCP_H

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>

/* Waits for events of poll(2) until now_ms() has come to deadline: false. */
bool tcp_await(int fd, short events, int64_t deadline);
/*
 * A socket that is connected and does not block, or -1 with errno; ETIMEDOUT
 * when now_ms() has come to deadline first.
 */
int tcp_open(const struct addrinfo *, int64_t deadline);
/* The same from an address of ours, unless its length is 0. */
int tcp_open_from(const struct addrinfo *, const struct sockaddr *from,
    socklen_t len, int64_t deadline);
/*
 * Whether a socket that somebody else has made is a stream which cannot be sent
 * to another peer than its own: TCP's, where the family is IP.
 */
bool tcp_is_stream(int fd);
/*
 * Connects a connected socket of IP once more, so that it stays with its peer
 * whoever gets it.  0, or -1 with errno when it is not connected.
 */
int tcp_settle(int fd);

/* Lets nothing wait for more to come, and has a silent peer asked at all. */
void tcp_set_options(int fd);
/*
 * The same, and has TCP ask a silent peer after so
 * many seconds, and again; four questions without an answer are its death.
 * While something waits to be sent TCP does not: see tcp_ask_peer.
 */
void tcp_keep_alive(int fd, int seconds);
/* What was said there; 0 for nothing and for what is no socket of TCP. */
int tcp_keep_alive_seconds(int fd);

/*
 * What a terminal prints after ^C is what was under way then.  How many bytes
 * may wait here for the network, and about how many may be under way to us: so
 * many, and more where the round takes long, as one round's are the most that a
 * network carries in it.
 */
void tcp_bound_unsent(int fd, int bytes);
void tcp_bound_window(int fd, int bytes);

enum tcp_peer {
	TCP_PEER_IDLE, /* nothing waits: TCP itself looks after it */
	TCP_PEER_OWES, /* something does, and it answers */
	TCP_PEER_DEAD  /* no answer for five times those seconds */
};
/*
 * How the peer of a socket is that tcp_keep_alive was called for.  One that
 * reads nothing lives as long as its machine answers.  A closed window is
 * probed less and less often, before Linux 6.15 each two minutes in the end:
 * that peer's death is noticed after four probes.  IDLE, too, for what is no
 * socket of TCP.
 */
enum tcp_peer tcp_ask_peer(int fd, int seconds);

#endif
