/* SPDX-License-Identifier: ISC */
/* Network addresses as text. */
#include "common/base/addr.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base/err.h"

static int
addr_copy(char *dst, size_t size, const char *src, size_t n)
{
	if (n >= size)
		return SKY_ERR_LIMIT;
	memcpy(dst, src, n);
	dst[n] = '\0';
	return 0;
}

/* A number up to 65535, or a service's name. */
static int
check_port(const char *port)
{
	size_t digits = strspn(port, "0123456789");
	unsigned value = 0;

	/* With a hyphen first it would be a negative number elsewhere. */
	if (*port == '\0' || *port == '-' || digits > 5)
		return SKY_ERR_FORMAT;
	if (digits < strlen(port))
		return strspn(port, "abcdefghijklmnopqrstuvwxyz0123456789-") ==
			strlen(port) ?
		    0 :
		    SKY_ERR_FORMAT;
	return sscanf(port, "%u", &value) == 1 && value <= 65535 ?
	    0 :
	    SKY_ERR_FORMAT;
}

/* Where the host ends; *rest is what follows it and its bracket. */
static int
find_host(const char *text, bool may_be_bare, const char **host, size_t *n,
    const char **rest)
{
	const char *end, *colon = strchr(text, ':');

	*host = text;
	if (*text == '[') {
		if ((end = strchr(text, ']')) == NULL)
			return SKY_ERR_FORMAT;
		*host = text + 1;
		*n = (size_t)(end - *host);
		*rest = end + 1;
		return *n == 0 ? SKY_ERR_FORMAT : 0;
	}
	/* More than one colon and no brackets: all of it is a v6 address. */
	if (colon != NULL && strchr(colon + 1, ':') != NULL)
		colon = NULL;
	if (colon == NULL && !may_be_bare)
		return SKY_ERR_FORMAT;
	*n = colon != NULL ? (size_t)(colon - text) : strlen(text);
	*rest = text + *n;
	return 0;
}

int
addr_split(const char *text, const char *port, char host[ADDR_HOST_MAX],
    char portname[ADDR_PORT_MAX])
{
	const char *start, *rest;
	size_t n;
	int r;

	if ((r = find_host(text, port != NULL, &start, &n, &rest)) != 0 ||
	    (r = addr_copy(host, ADDR_HOST_MAX, start, n)) != 0)
		return r;
	if (*rest == ':')
		port = rest + 1;
	else if (*rest != '\0' || port == NULL)
		return SKY_ERR_FORMAT;
	if ((r = addr_copy(portname, ADDR_PORT_MAX, port, strlen(port))) != 0)
		return r;
	return check_port(portname);
}

/* Host and port in numbers. */
static int
addr_numbers(const struct sockaddr *sa, socklen_t len, char *host, char *port)
{
	return getnameinfo(sa, len, host, ADDR_HOST_MAX, port, ADDR_PORT_MAX,
	    NI_NUMERICHOST | NI_NUMERICSERV);
}

/* The address of IPv4 that one of IPv6 stands for. */
static bool
addr_mapped(const struct sockaddr *sa, socklen_t len, struct sockaddr_in *sin)
{
	struct sockaddr_in6 sin6;

	if (sa->sa_family != AF_INET6 || len < sizeof(sin6))
		return false;
	memcpy(&sin6, sa, sizeof(sin6));
	if (!IN6_IS_ADDR_V4MAPPED(&sin6.sin6_addr))
		return false;
	*sin = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = sin6.sin6_port };
	memcpy(&sin->sin_addr, &sin6.sin6_addr.s6_addr[12],
	    sizeof(sin->sin_addr));
	return true;
}

void
addr_text(const struct sockaddr *sa, socklen_t len, char text[ADDR_TEXT_MAX])
{
	char host[ADDR_HOST_MAX], port[ADDR_PORT_MAX];
	struct sockaddr_in sin;

	if (addr_mapped(sa, len, &sin)) {
		sa = (struct sockaddr *)&sin;
		len = sizeof(sin);
	}
	if (sa->sa_family == AF_UNIX)
		snprintf(text, ADDR_TEXT_MAX, "local");
	else if (addr_numbers(sa, len, host, port) != 0)
		snprintf(text, ADDR_TEXT_MAX, "unknown");
	else
		snprintf(text, ADDR_TEXT_MAX, "%.200s port %.31s", host, port);
}

void
addr_hostport(const struct sockaddr *sa, socklen_t len,
    char text[ADDR_TEXT_MAX])
{
	char host[ADDR_HOST_MAX], port[ADDR_PORT_MAX];
	bool v6;

	if (sa->sa_family == AF_UNIX ||
	    addr_numbers(sa, len, host, port) != 0) {
		addr_text(sa, len, text);
		return;
	}
	v6 = strchr(host, ':') != NULL;
	snprintf(text, ADDR_TEXT_MAX, "%s%.200s%s:%.31s", v6 ? "[" : "", host,
	    v6 ? "]" : "", port);
}
