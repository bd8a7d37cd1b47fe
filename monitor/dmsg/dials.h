/* SPDX-License-Identifier: ISC */
/* Streams that dmsg dials. */
#ifndef MONITOR_DMSG_DIALS_H
#define MONITOR_DMSG_DIALS_H

#include "monitor/half/request.h"

struct dmsg_monitor;

/* SKY_ERR_KEY, SKY_ERR_RANGE: the configured discovery cannot be one. */
int dials_begin(struct dmsg_monitor *);
/* skyptyd's word that somebody on the control socket wants one. */
void dials_wish(struct dmsg_monitor *, struct privmsg *);
void dials_forget(struct dmsg_monitor *);

request_handler dials_request, dials_response, dials_failed, dials_probe;

#endif
