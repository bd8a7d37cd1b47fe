/* SPDX-License-Identifier: ISC */
/*
 * Where a session comes from, as sshd tells it in SSH_CLIENT and
 * SSH_CONNECTION.  Who came by another way than TCP has a key and no address;
 * one that nobody has (RFC 6666: packets to 100::/64 are discarded) stands for
 * it, so that whoever parses it finds one, and the same each time.
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "monitor/origin.h"

#define ADDRESS_MAX  64
#define PORT_MAX     8
#define UNKNOWN_PORT "65535" /* as sshd says it */

struct endpoint {
	char address[ADDRESS_MAX], port[PORT_MAX];
};

static void
origin_join(struct session_origin *o, const struct endpoint *peer,
    const struct endpoint *own)
{
	snprintf(o->client, sizeof(o->client), "%s %s %s", peer->address,
	    peer->port, own->port);
	snprintf(o->connection, sizeof(o->connection), "%s %s %s %s",
	    peer->address, peer->port, own->address, own->port);
}

/* An IPv4 address that a socket of both kinds has wrapped. */
static socklen_t
origin_unwrap(struct sockaddr_storage *ss, socklen_t len)
{
	const struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in in = { .sin_family = AF_INET };

	if (ss->ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		return len;
	in.sin_port = in6->sin6_port;
	memcpy(&in.sin_addr, in6->sin6_addr.s6_addr + 12, sizeof(in.sin_addr));
	memcpy(ss, &in, sizeof(in));
	return sizeof(in);
}

static bool
origin_endpoint(struct endpoint *e, int fd, bool peer)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);

	if ((peer ? getpeername(fd, (struct sockaddr *)&ss, &len) :
		    getsockname(fd, (struct sockaddr *)&ss, &len)) == -1 ||
	    (ss.ss_family != AF_INET && ss.ss_family != AF_INET6))
		return false;
	len = origin_unwrap(&ss, len);
	return getnameinfo((struct sockaddr *)&ss, len, e->address,
		   sizeof(e->address), e->port, sizeof(e->port),
		   NI_NUMERICHOST | NI_NUMERICSERV) == 0;
}

void
origin_address(struct sockaddr_storage *ss, int conn)
{
	socklen_t len = sizeof(*ss);

	memset(ss, 0, sizeof(*ss));
	if (getpeername(conn, (struct sockaddr *)ss, &len) == -1 ||
	    (ss->ss_family != AF_INET && ss->ss_family != AF_INET6))
		memset(ss, 0, sizeof(*ss));
}

void
origin_of_socket(struct session_origin *o, int conn)
{
	struct endpoint peer, own;

	if (origin_endpoint(&peer, conn, true) &&
	    origin_endpoint(&own, conn, false)) {
		origin_join(o, &peer, &own);
		snprintf(o->host, sizeof(o->host), "%s", peer.address);
	}
}

void
origin_set_key(struct session_origin *o, const struct key_public *peer)
{
	key_text(peer, o->pk);
}

/* The second half of the address is the beginning of the key's coordinate. */
static void
origin_stand_in(struct endpoint *e, const struct key_public *pk)
{
	struct in6_addr in6 = { 0 };

	in6.s6_addr[0] = 1;
	memcpy(in6.s6_addr + 8, pk->b + 1, 8);
	(void)inet_ntop(AF_INET6, &in6, e->address, sizeof(e->address));
	snprintf(e->port, sizeof(e->port), "%s", UNKNOWN_PORT);
}

void
origin_of_keys(struct session_origin *o, const struct key_public *peer,
    const struct key_public *own)
{
	struct endpoint a, b;

	origin_stand_in(&a, peer);
	origin_stand_in(&b, own);
	origin_join(o, &a, &b);
	origin_set_key(o, peer);
	snprintf(o->host, sizeof(o->host), "%.*s", ORIGIN_DIGITS, o->pk);
}
