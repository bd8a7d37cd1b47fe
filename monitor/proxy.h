/* SPDX-License-Identifier: ISC */
/* A stream over dmsg for somebody on the control socket. */
#ifndef MONITOR_PROXY_H
#define MONITOR_PROXY_H

#include <stdint.h>

#include "monitor/half/request.h"

struct event;

/* The one dial of a connection. */
struct proxy {
	uint16_t id; /* of the request that waits */
	int stream, result;
	struct event *ev;
};

request_handler proxy_dial;

#endif
