/* SPDX-License-Identifier: ISC */
/* The handshake of a stream that came over dmsg. */
#ifndef MONITOR_KK_H
#define MONITOR_KK_H

#include "monitor/half/request.h"

struct monitor;

/* Waits for the request of a stream over dmsg.  SKY_ERR_NOMEM. */
int kk_begin(struct monitor *);
request_handler kk_request, kk_first_frame;

#endif
