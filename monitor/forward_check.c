/* SPDX-License-Identifier: ISC */
/*
 * Sockets that skypty-forward says it has made.  It has its user's rights and
 * no others, so that it can only give what that user could have; what its key
 * may have of that, it is not asked.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/base/tcp.h"
#include "common/privsep/permits.h"
#include "monitor/forward.h"

union forward_name {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un un;
	struct sockaddr_storage any;
};

static int
forward_option(int fd, int name)
{
	socklen_t len = sizeof(int);
	int value = -1;

	if (getsockopt(fd, SOL_SOCKET, name, &value, &len) == -1)
		return -1;
	return value;
}

static bool
forward_is_family(const struct forward_wish *w, int fd)
{
	int domain = forward_option(fd, SO_DOMAIN);

	if (forward_option(fd, SO_TYPE) != SOCK_STREAM || !tcp_is_stream(fd))
		return false;
	return w->kind == PRIV_FORWARD_UNIX ?
	    domain == AF_UNIX :
	    domain == AF_INET || domain == AF_INET6;
}

static uint16_t
forward_port(const union forward_name *n)
{
	return ntohs(
	    n->sa.sa_family == AF_INET ? n->v4.sin_port : n->v6.sin6_port);
}

static const void *
forward_bytes(const union forward_name *n, size_t *len)
{
	bool v4 = n->sa.sa_family == AF_INET;

	*len = v4 ? sizeof(n->v4.sin_addr) : sizeof(n->v6.sin6_addr);
	return v4 ? (const void *)&n->v4.sin_addr :
		    (const void *)&n->v6.sin6_addr;
}

/* Whether it is that address; true for what is no address, but a name. */
static bool
forward_is_at(const union forward_name *n, const char *text)
{
	struct in6_addr addr;
	int family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
	const void *its;
	size_t len;

	if (inet_pton(family, text, &addr) != 1)
		return true;
	its = forward_bytes(n, &len);
	return n->sa.sa_family == family && memcmp(its, &addr, len) == 0;
}

/* --- connected --- */

static bool
forward_is_connected(const struct forward_wish *w, int fd)
{
	union forward_name peer = { 0 };
	socklen_t len = sizeof(peer);

	if (!forward_is_family(w, fd) ||
	    forward_option(fd, SO_ACCEPTCONN) != 0 ||
	    getpeername(fd, &peer.sa, &len) == -1)
		return false;
	if (w->kind == PRIV_FORWARD_TCP &&
	    (forward_port(&peer) != w->port || !forward_is_at(&peer, w->name)))
		return false;
	return fcntl(fd, F_SETFL, O_NONBLOCK) == 0 && tcp_settle(fd) == 0;
}

/* --- listening --- */

static bool
forward_is_where(const union forward_name *n, const char *address)
{
	size_t len;
	char text[INET6_ADDRSTRLEN] = "";

	(void)inet_ntop(n->sa.sa_family, forward_bytes(n, &len), text,
	    sizeof(text));
	switch (permits_where(address)) {
	case PERMITS_LOOPBACK:
		return permits_where(text) == PERMITS_LOOPBACK &&
		    forward_is_at(n, address);
	case PERMITS_EVERYWHERE:
		return permits_where(text) == PERMITS_EVERYWHERE ||
		    strcmp(text, "0.0.0.0") == 0;
	case PERMITS_BEYOND:
		return forward_is_at(n, address);
	case PERMITS_NOWHERE:
		break;
	}
	return false;
}

static bool
forward_is_listening(const struct forward_wish *w, uint16_t port, int fd)
{
	union forward_name own = { 0 };
	socklen_t len = sizeof(own);

	if (!forward_is_family(w, fd) ||
	    forward_option(fd, SO_ACCEPTCONN) != 1 ||
	    getsockname(fd, &own.sa, &len) == -1 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
		return false;
	if (w->kind == PRIV_FORWARD_UNIX)
		return strncmp(own.un.sun_path, w->name,
			   sizeof(own.un.sun_path)) == 0;
	return forward_port(&own) == port && port != 0 &&
	    (w->port == 0 ? port >= IPPORT_RESERVED : port == w->port) &&
	    forward_is_where(&own, w->name);
}

bool
forward_is_good(const struct forward_wish *w, uint16_t port, const int *fds,
    size_t n)
{
	if (w->type == PM_FORWARD_OPEN)
		return n == 1 && forward_is_connected(w, fds[0]);
	if (n == 0 || n > (w->kind == PRIV_FORWARD_UNIX ? 1 : 2))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!forward_is_listening(w, port, fds[i]))
			return false;
	return true;
}
