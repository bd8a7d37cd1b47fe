/* SPDX-License-Identifier: ISC */
/* How a connection over TCP is made: for how long, and from which address. */
#include "client/skypty.h"

#include <errno.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

#include "common/base/tcp.h"

#define DIAL_MS	  10000
#define PROXY_MS  120000 /* it may have to ask somebody something */
#define PROBES	  5	 /* until a connection is dead, see tcp_keep_alive */
#define PROBE_MAX 32767	 /* the kernel's own limit */

int64_t
dial_ms(const struct dial_how *how)
{
	if (how != NULL && how->timeout_ms > 0)
		return how->timeout_ms;
	return how != NULL && how->proxy != NULL ? PROXY_MS : DIAL_MS;
}

static socklen_t
dial_length(int family)
{
	return family == AF_INET ? sizeof(struct sockaddr_in) :
				   sizeof(struct sockaddr_in6);
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
		*len = dial_length(family);
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
