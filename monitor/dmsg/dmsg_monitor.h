/* SPDX-License-Identifier: ISC */
/*
 * The dmsg monitor, the privileged half of the process that keeps the sessions
 * to dmsg servers.  That never gets the secret key, and nothing is signed here
 * that was not put together here from its fields.
 */
#ifndef MONITOR_DMSG_DMSG_MONITOR_H
#define MONITOR_DMSG_DMSG_MONITOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/pty/keys.h"
#include "monitor/half/half.h"

struct connector;
struct dials;
struct servers;

/* There is one phase beside the end. */
#define DMSG_SERVING (HALF_DYING << 1)

struct dmsg_monitor {
	struct half half; /* the first member: dmsg_monitor_of() */
	struct key_public own;
	struct servers *servers;
	struct connector *connectors;
	pid_t *relays; /* of TLS; connect.c */
	struct dials *dials;
	uint16_t stream_id; /* of the last PM_STREAM */
	bool leaving;	    /* the child was told to take its leave */
};

static inline struct dmsg_monitor *
dmsg_monitor_of(struct half *h)
{
	return (struct dmsg_monitor *)h;
}

/* The security policy, as a table: dmsg_requests.c. */
extern const struct requests dmsg_requests;

/* Wipes every secret. */
void dmsg_monitor_forget(struct half *);

#endif
