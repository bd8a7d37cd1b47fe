/* SPDX-License-Identifier: ISC */
/* How a connection over TCP is made: for how long, and from which address. */
#include "client/dial.h"

#include <errno.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/clock.h"
#include "common/base/reach.h"
#include "common/base/tcp.h"

#define DIAL_MS	    10000
#define PROXY_MS    120000 /* it may have to ask somebody something */
#define PROBES	    5	   /* until a connection is dead, see tcp_keep_alive */
#define PROBE_MAX   32767  /* the kernel's own limit */
#define KEEPALIVE   15	   /* seconds */
#define NOT_ALLOWED (-1)   /* in place of an errno */

int64_t
dial_ms(const struct dial_how *how)
{
	if (how != NULL && how->timeout_ms > 0)
		return how->timeout_ms;
	return how != NULL && how->proxy != NULL ? PROXY_MS : DIAL_MS;
}

static int
dial_from_name(const char *name, int family, struct sockaddr_storage *from,
    socklen_t *len)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_family = family,
		.ai_flags = AI_PASSIVE },
			*list;

	if (getaddrinfo(name, NULL, &hints, &list) != 0)
		return EADDRNOTAVAIL;
	memcpy(from, list->ai_addr, list->ai_addrlen);
	*len = list->ai_addrlen;
	freeaddrinfo(list);
	return 0;
}

/* One that only its own link knows is the last choice. */
static bool
dial_is_better(const struct sockaddr *sa, socklen_t len)
{
	const struct sockaddr_in6 *v6 = (const void *)sa;

	return len == 0 || sa->sa_family != AF_INET6 ||
	    !IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr);
}

static int
dial_from_interface(const char *name, int family, struct sockaddr_storage *from,
    socklen_t *len)
{
	struct ifaddrs *list;

	if (getifaddrs(&list) == -1)
		return errno;
	for (struct ifaddrs *a = list; a != NULL; a = a->ifa_next) {
		if (a->ifa_addr == NULL || a->ifa_addr->sa_family != family ||
		    strcmp(a->ifa_name, name) != 0 ||
		    !dial_is_better(a->ifa_addr, *len))
			continue;
		*len = family == AF_INET ? sizeof(struct sockaddr_in) :
					   sizeof(struct sockaddr_in6);
		memcpy(from, a->ifa_addr, *len);
		if (dial_is_better(a->ifa_addr, 1))
			break;
	}
	freeifaddrs(list);
	return *len != 0 ? 0 : EADDRNOTAVAIL;
}

/* As long as the user waits, with as many probes as always. */
void
dial_probe(int fd, const struct dial_how *how)
{
	int64_t seconds = (int64_t)how->alive * how->alive_count / PROBES;

	if (how->alive <= 0)
		return;
	tcp_keep_alive(fd,
	    seconds < 1		    ? 1 :
		seconds < PROBE_MAX ? (int)seconds :
				      PROBE_MAX);
}

int
dial_from(const struct dial_how *how, int family, struct sockaddr_storage *from,
    socklen_t *len)
{
	*len = 0;
	if (how->bind_address != NULL)
		return dial_from_name(how->bind_address, family, from, len);
	if (how->bind_interface != NULL)
		return dial_from_interface(how->bind_interface, family, from,
		    len);
	return 0;
}

/* --- connecting --- */

/* An address gets a share of the time while others are left to try. */
static int
dial_any(const struct addrinfo *list, enum reach reach,
    const struct dial_how *how, int *error)
{
	int64_t deadline = now_ms() + dial_ms(how), until;
	struct sockaddr_storage from;
	socklen_t len = 0;
	int fd = -1;

	for (const struct addrinfo *ai = list; ai != NULL && fd == -1;
	     ai = ai->ai_next) {
		if (!reach_allows(reach, ai->ai_addr))
			continue;
		until = ai->ai_next == NULL ?
		    deadline :
		    now_ms() + (deadline - now_ms()) / 2;
		if (how != NULL &&
		    (*error = dial_from(how, ai->ai_family, &from, &len)) != 0)
			continue;
		fd = tcp_open_from(ai, (struct sockaddr *)&from, len, until);
		if (fd == -1)
			*error = errno;
	}
	return fd;
}

int
dial_connect(const char *host, const char *port, enum reach reach,
    const struct dial_how *how, const char **why)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
	int error = NOT_ALLOWED, fd, r;

	if (how != NULL)
		hints.ai_family = how->family;
	if ((r = getaddrinfo(host, port, &hints, &list)) != 0) {
		*why = hints.ai_family == AF_INET ?
		    "it has no address of IPv4" :
		    hints.ai_family == AF_INET6 ? "it has no address of IPv6" :
						  "its name cannot be resolved";
		return -1;
	}
	fd = dial_any(list, reach, how, &error);
	freeaddrinfo(list);
	if (fd != -1)
		tcp_keep_alive(fd, KEEPALIVE);
	else if (error == NOT_ALLOWED)
		*why = "a private or local address: only a discovery that has "
		       "one itself, or --dmsg-servers, may name such";
	else if (error == ETIMEDOUT)
		*why = "connection timed out";
	else if (error == ECONNREFUSED)
		*why = "connection refused";
	else
		*why = strerror(error);
	return fd;
}
