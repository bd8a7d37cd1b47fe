/* SPDX-License-Identifier: ISC */
/* What skyptyd knows, and ends, for who asks on the control socket. */
#ifndef MONITOR_STATUS_H
#define MONITOR_STATUS_H

#include "monitor/half/request.h"

request_handler status_get, status_kill, status_conns, status_counts;

#endif
