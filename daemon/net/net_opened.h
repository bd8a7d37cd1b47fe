/* SPDX-License-Identifier: ISC */
/* A channel that we have opened, for a socket that somebody has connected to.
 */
#ifndef DAEMON_NET_NET_OPENED_H
#define DAEMON_NET_NET_OPENED_H

#include "daemon/net/net_channel.h"

/*
 * Makes it the channel's service: see net_channels_open().  0, SKY_ERR_LIMIT or
 * SKY_ERR_NOMEM, where fd stays the caller's.
 */
int net_opened_begin(struct channel *, const char *uri, int fd);

#endif
