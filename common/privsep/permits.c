/* SPDX-License-Identifier: ISC */
/* permitopen and permitlisten: reading the values, and asking them. */
#include "common/privsep/permits.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/addr.h"
#include "common/base/err.h"

#define ANY_HOST   "*"
#define ANY_PORT   0
#define EVERYWHERE "::"

/* --- reading --- */

static int
permits_port(const char *text, uint16_t *port)
{
	const char *problem = NULL;

	*port = ANY_PORT;
	if (strcmp(text, "*") == 0)
		return 0;
	/* strtonum(3) passes over blanks and a sign. */
	if (*text < '0' || *text > '9')
		return SKY_ERR_FORMAT;
	*port = (uint16_t)strtonum(text, 1, UINT16_MAX, &problem);
	return problem == NULL ? 0 : SKY_ERR_FORMAT;
}

/* Takes brackets off, which what has colons must have. */
static int
permits_host(char **host)
{
	size_t len = strlen(*host);

	if (**host == '[' && len > 2 && (*host)[len - 1] == ']') {
		(*host)[len - 1] = '\0';
		++*host;
	} else if (strpbrk(*host, ":[]") != NULL)
		return SKY_ERR_FORMAT;
	return **host != '\0' && strlen(*host) < ADDR_HOST_MAX ? 0 :
								 SKY_ERR_FORMAT;
}

/* *host is within text, which is written over. */
static int
permits_split(char *text, enum permits_kind kind, char **host, uint16_t *port)
{
	static char any[] = ANY_HOST;
	char *colon = strrchr(text, ':');
	int r;

	*host = text;
	*port = ANY_PORT;
	if (*text == '/')
		return strlen(text) <= PERMITS_PATH_MAX ? 0 : SKY_ERR_FORMAT;
	if (colon == NULL && kind == PERMITS_LISTEN) {
		*host = any;
		return permits_port(text, port);
	}
	if (colon == NULL)
		return SKY_ERR_FORMAT;
	*colon = '\0';
	r = permits_port(colon + 1, port);
	return r == 0 ? permits_host(host) : r;
}

static int
permits_append(struct rights_permit **list, size_t *n, const char *host,
    uint16_t port)
{
	struct rights_permit *grown;

	if (*n == PERMITS_MAX)
		return SKY_ERR_LIMIT;
	if ((grown = reallocarray(*list, *n + 1, sizeof(*grown))) == NULL)
		return SKY_ERR_NOMEM;
	*list = grown;
	if ((grown[*n].host = strdup(host)) == NULL)
		return SKY_ERR_NOMEM;
	grown[(*n)++].port = port;
	return 0;
}

int
permits_add(struct rights_permit **list, size_t *n, enum permits_kind kind,
    const char *text)
{
	char *copy = strdup(text), *host;
	uint16_t port;
	int r = SKY_ERR_NOMEM;

	if (copy != NULL && (r = permits_split(copy, kind, &host, &port)) == 0)
		r = permits_append(list, n, host, port);
	free(copy);
	return r;
}

int
permits_read(struct rights_permit **list, size_t *n, enum permits_kind kind,
    const char *text)
{
	char *copy = strdup(text), *rest = copy, *value;
	int r = copy == NULL		    ? SKY_ERR_NOMEM :
	    strlen(text) > PERMITS_TEXT_MAX ? SKY_ERR_LIMIT :
					      0;

	*list = NULL;
	*n = 0;
	while (r == 0 && (value = strsep(&rest, "\n")) != NULL)
		if (*value != '\0')
			r = permits_add(list, n, kind, value);
	free(copy);
	if (r != 0) {
		permits_free(*list, *n);
		*list = NULL;
		*n = 0;
	}
	return r;
}

void
permits_free(struct rights_permit *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i].host);
	free(list);
}

/* --- asking --- */

static bool
permits_has_port(const struct rights_permit *p, uint16_t port)
{
	return p->port == ANY_PORT || p->port == port;
}

bool
permits_open(const struct rights_permit *list, size_t n, const char *host,
    uint16_t port)
{
	if (*host == '/')
		return false;
	for (size_t i = 0; i < n; i++)
		if (permits_has_port(&list[i], port) &&
		    (strcmp(list[i].host, ANY_HOST) == 0 ||
			strcmp(list[i].host, host) == 0))
			return true;
	return false;
}

bool
permits_path(const struct rights_permit *list, size_t n, const char *path)
{
	if (*path != '/')
		return false;
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].host, PERMITS_ANY_PATH) == 0 ||
		    strcmp(list[i].host, path) == 0)
			return true;
	return false;
}

static bool
permits_number(const char *text, int *family, struct in6_addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	*family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
	return inet_pton(*family, text, addr) == 1;
}

static bool
permits_is_loopback(int family, const struct in6_addr *addr)
{
	return family == AF_INET ? addr->s6_addr[0] == IN_LOOPBACKNET :
				   IN6_IS_ADDR_LOOPBACK(addr);
}

enum permits_where
permits_where(const char *address)
{
	struct in6_addr addr;
	int family;

	if (*address == '\0' || strcmp(address, ANY_HOST) == 0)
		return PERMITS_EVERYWHERE;
	if (strcasecmp(address, "localhost") == 0)
		return PERMITS_LOOPBACK;
	if (!permits_number(address, &family, &addr))
		return PERMITS_NOWHERE;
	if (family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&addr))
		return PERMITS_EVERYWHERE;
	return permits_is_loopback(family, &addr) ? PERMITS_LOOPBACK :
						    PERMITS_BEYOND;
}

/* Word for word, or as numbers. */
static bool
permits_same_address(const char *permit, const char *asked)
{
	struct in6_addr a, b;
	int af, bf;

	if (strcasecmp(permit, asked) == 0)
		return true;
	return permits_number(permit, &af, &a) &&
	    permits_number(asked, &bf, &b) && af == bf &&
	    memcmp(&a, &b, sizeof(a)) == 0;
}

bool
permits_listen(const struct rights_permit *list, size_t n, const char *address,
    uint16_t port)
{
	enum permits_where where = permits_where(address);

	if (where == PERMITS_NOWHERE)
		return false;
	if (where == PERMITS_EVERYWHERE)
		address = EVERYWHERE;
	for (size_t i = 0; i < n; i++)
		if (permits_has_port(&list[i], port) &&
		    ((where == PERMITS_LOOPBACK &&
			 strcmp(list[i].host, ANY_HOST) == 0) ||
			permits_same_address(list[i].host, address)))
			return true;
	return false;
}
