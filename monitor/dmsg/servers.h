/* SPDX-License-Identifier: ISC */
/* The dmsg servers of the configuration, and handshakes with any of them. */
#ifndef MONITOR_DMSG_SERVERS_H
#define MONITOR_DMSG_SERVERS_H

#include "common/base/buf.h"
#include "monitor/half/request.h"

struct dmsg_monitor;

/* Reads the configuration.  SKY_ERR_*: it names no discovery. */
int servers_begin(struct dmsg_monitor *);
/* count u32 and the configured ones: key, address string. */
int servers_put(const struct dmsg_monitor *, struct buf *);
void servers_forget(struct dmsg_monitor *);

request_handler servers_connect;
request_handler servers_handshake, servers_message_2, servers_handshake_drop;

#endif
