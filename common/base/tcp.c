/* SPDX-License-Identifier: ISC */
/* A connection over TCP to one address. */
#include "common/base/tcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"

#define MY_IPPROTO_MPTCP 262 /* newer than some headers */

bool
tcp_await(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t left;
	int r;

	do {
		left = deadline - now_ms();
		r = poll(&p, 1, left > 0 ? (int)left : 0);
	} while (r == -1 && errno == EINTR);
	return r == 1;
}

/*
 * connect(2) is called again when it is through: only then the kernel takes
 * the socket for a connected one, which cannot be connected to anything else
 * by whoever gets it, whatever the peer does.
 */
int
tcp_open_from(const struct addrinfo *ai, const struct sockaddr *from,
    socklen_t len, int64_t deadline)
{
	int fd, error;

	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (fd == -1)
		return -1;
	if (len != 0 && bind(fd, from, len) == -1) {
		error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	while (connect(fd, ai->ai_addr, ai->ai_addrlen) == -1 &&
	    errno != EISCONN) {
		error = errno;
		if ((error == EINPROGRESS || error == EALREADY) &&
		    tcp_await(fd, POLLOUT, deadline))
			continue;
		close(fd);
		errno = error == EINPROGRESS || error == EALREADY ? ETIMEDOUT :
								    error;
		return -1;
	}
	return fd;
}

int
tcp_open(const struct addrinfo *ai, int64_t deadline)
{
	return tcp_open_from(ai, NULL, 0, deadline);
}

bool
tcp_is_stream(int fd)
{
	int type = 0, domain = 0, protocol = 0;
	socklen_t len = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == -1 ||
	    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == -1 ||
	    getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) == -1 ||
	    type != SOCK_STREAM)
		return false;
	return (domain != AF_INET && domain != AF_INET6) ||
	    protocol == IPPROTO_TCP || protocol == MY_IPPROTO_MPTCP;
}

void
tcp_set_options(int fd)
{
	int on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

int
tcp_settle(int fd)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	struct sockaddr *sa = (struct sockaddr *)&peer;

	if (getpeername(fd, sa, &len) == -1)
		return -1;
	if (sa->sa_family != AF_INET && sa->sa_family != AF_INET6)
		return 0;
	return connect(fd, sa, len) == 0 || errno == EISCONN ? 0 : -1;
}
