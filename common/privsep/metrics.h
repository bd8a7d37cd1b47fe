/* SPDX-License-Identifier: ISC */
/* skyptyd's counters as text for Prometheus. */
#ifndef COMMON_PRIVSEP_METRICS_H
#define COMMON_PRIVSEP_METRICS_H

#include <stdint.h>
#include <sys/socket.h>

#include "common/base/buf.h"
#include "common/privsep/privmsg.h"

#define METRICS_TEXT_MAX 8192 /* bytes of all of it */

/* Appends all of it.  What buf_put() returns. */
int metrics_put(struct buf *, const uint64_t n[PRIV_COUNTS]);

/*
 * "127.0.0.1:9100", "[::1]:9100": an address of this machine alone, in digits,
 * and a port.  The length of *addr; SKY_ERR_FORMAT for what is none, and
 * SKY_ERR_DENIED for one that others can reach.
 */
int metrics_address(const char *text, struct sockaddr_storage *addr);

#endif
