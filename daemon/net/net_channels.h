/* SPDX-License-Identifier: ISC */
/* skypty/1/channels: many channels on one connection.  See PROTOCOL. */
#ifndef DAEMON_NET_NET_CHANNELS_H
#define DAEMON_NET_NET_CHANNELS_H

#include "daemon/net/net_channel.h"

#define NET_CHANNELS_MAX 1280 /* at a time, of both sides */
/* Bytes of all of them that wait here; over it the one with most is reset. */
#define NET_CHANNELS_HELD (160U * 1024 * 1024)

/*
 * Opens a channel to the peer of one of its own, asks for uri there, and, once
 * that is accepted, moves bytes between it and the socket fd, each direction
 * until its end.  The socket does not block, and is closed here in any case,
 * also when it is refused, or not answered within NET_MUX_TIMEOUT.  0,
 * SKY_ERR_STATE on a connection without channels, SKY_ERR_LIMIT for too many
 * or a uri that is too long, SKY_ERR_NOMEM.
 */
int net_channels_open(struct channel *, const char *uri, int fd);

#endif
