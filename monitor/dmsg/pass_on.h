/* SPDX-License-Identifier: ISC */
/* What skyptyd is told or asked for dmsg. */
#ifndef MONITOR_DMSG_PASS_ON_H
#define MONITOR_DMSG_PASS_ON_H

#include "monitor/half/request.h"

request_handler pass_on_stream, pass_on_status;

#endif
