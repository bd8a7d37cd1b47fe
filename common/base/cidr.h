/* SPDX-License-Identifier: ISC */
/* Blocks of addresses: "192.0.2.0/24", "2001:db8::/32", or one address. */
#ifndef COMMON_BASE_CIDR_H
#define COMMON_BASE_CIDR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define CIDR_TEXT_MAX 64

/* Of IPv4 as ::ffff:a.b.c.d, so that it is found on any socket. */
struct cidr {
	uint8_t addr[16];
	unsigned bits;
};

/*
 * SKY_ERR_FORMAT for what is no address, has too many bits, or has some set
 * behind its own, as sshd has it: "192.0.2.1/24" is a slip of the pen.
 */
int cidr_parse(const char *, struct cidr *);
/* What reads back as the same. */
void cidr_text(const struct cidr *, char text[CIDR_TEXT_MAX]);
/* False for what is no address of IP. */
bool cidr_has(const struct cidr *, const struct sockaddr *);

#endif
