/* SPDX-License-Identifier: ISC */
/* The request for a service. */
#ifndef DAEMON_NET_NET_REQUEST_H
#define DAEMON_NET_NET_REQUEST_H

#include "common/base/buf.h"
#include "daemon/net/net_channel.h"

/*
 * Seconds for the request to be there: for a connection from when its peer is
 * let in, for a channel from when it was opened.
 */
#define NET_MUX_TIMEOUT 30

/* Begins the service of that URI, or rejects what asks for it. */
void net_request_open(struct channel *, struct buf *uri);

#endif
