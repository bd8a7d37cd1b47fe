/* SPDX-License-Identifier: ISC */
/* Readiness for a service manager.  Source: sd_notify(3). */
#ifndef COMMON_PRIVSEP_NOTIFY_H
#define COMMON_PRIVSEP_NOTIFY_H

#include <stdbool.h>

/* Tells a service manager, if there is one: "READY=1". */
void notify(const char *);
bool notify_managed(void);

#endif
