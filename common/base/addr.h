/* SPDX-License-Identifier: ISC */
/* Network addresses as text, in Go's "host:port" manner. */
#ifndef COMMON_BASE_ADDR_H
#define COMMON_BASE_ADDR_H

#include <stddef.h>
#include <sys/socket.h>

#define ADDR_HOST_MAX 256 /* with NUL */
#define ADDR_PORT_MAX 32
#define ADDR_TEXT_MAX (ADDR_HOST_MAX + ADDR_PORT_MAX + 3)

/*
 * Splits "host:port", "[v6]:port", ":port", and, with a default port that is
 * not NULL, "host", "v6" and "[v6]".  Brackets are taken off.  SKY_ERR_FORMAT
 * for a missing or bad port, SKY_ERR_LIMIT for text that is too long.  Port may
 * be a number from 0 to 65535 or a service's name.
 */
int addr_split(const char *text, const char *port, char host[ADDR_HOST_MAX],
    char portname[ADDR_PORT_MAX]);
/*
 * "192.0.2.1 port 22", "2001:db8::1 port 22", "local"; for log lines.  One of
 * IPv4 is written so on a socket of IPv6, too.
 */
void addr_text(const struct sockaddr *, socklen_t, char text[ADDR_TEXT_MAX]);
/* "192.0.2.1:22", "[2001:db8::1]:22": what addr_split reads back. */
void
addr_hostport(const struct sockaddr *, socklen_t, char text[ADDR_TEXT_MAX]);

#endif
