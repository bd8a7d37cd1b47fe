/* SPDX-License-Identifier: ISC */
/*
 * Against pages of others: a Host field must name us, whatever DNS says of the
 * name, and a WebSocket must be asked for by our own page.
 */
#include "daemon/http/http_origin.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

static bool
in_list(const struct http_list *l, const char *text)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcasecmp(l->word[i], text) == 0)
			return true;
	return false;
}

/* ":port", or "" where the scheme's own is left out. */
static const char *
port_of(const char *host)
{
	const char *colon = strrchr(host, ':');

	return colon != NULL && strchr(colon, ']') == NULL ? colon : "";
}

/* An address as it is, in brackets if it is of IPv6, and one of our ports. */
static bool
is_literal(const struct http_conf *c, const char *host)
{
	char address[INET6_ADDRSTRLEN + 2];
	const char *port = port_of(host);
	size_t n = strlen(host) - strlen(port);
	uint8_t raw[16];

	if (n >= sizeof(address))
		return false;
	memcpy(address, host, n);
	address[n] = '\0';
	if (*address == '[' && n > 2 && address[n - 1] == ']') {
		address[n - 1] = '\0';
		if (inet_pton(AF_INET6, address + 1, raw) != 1)
			return false;
	} else if (inet_pton(AF_INET, address, raw) != 1)
		return false;
	for (size_t i = 0; i < c->hosts.n; i++)
		if (strcmp(port_of(c->hosts.word[i]), port) == 0)
			return true;
	return false;
}

/* "https://name:port" to "name:port". */
static const char *
origin_behind_scheme(const char *origin)
{
	const char *p = strstr(origin, "://");

	return p != NULL ? p + 3 : origin;
}

bool
origin_host_ok(const struct http_conf *c, const char *host)
{
	if (in_list(&c->hosts, host))
		return true;
	for (size_t i = 0; i < c->origins.n; i++)
		if (strcasecmp(origin_behind_scheme(c->origins.word[i]),
			host) == 0)
			return true;
	return c->any_literal && is_literal(c, host);
}

bool
origin_ok(const struct http_conf *c, const char *origin, const char *host)
{
	const char *scheme = *c->cert != '\0' ? "https://" : "http://";

	if (origin == NULL || in_list(&c->origins, origin))
		return true;
	return strncmp(origin, scheme, strlen(scheme)) == 0 &&
	    strcasecmp(origin + strlen(scheme), host) == 0;
}
