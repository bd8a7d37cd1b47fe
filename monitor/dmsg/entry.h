/* SPDX-License-Identifier: ISC */
/* Our entry in the discovery. */
#ifndef MONITOR_DMSG_ENTRY_H
#define MONITOR_DMSG_ENTRY_H

#include "monitor/half/request.h"

request_handler entry_sign;

#endif
