/* SPDX-License-Identifier: ISC */
/* Requests of the dmsg process to its monitor. */
#ifndef DAEMON_DMSG_DMSG_MON_H
#define DAEMON_DMSG_DMSG_MON_H

#include <stdint.h>

#include "common/base/log.h"
#include "common/dmsg/dmsg_entry.h"

struct dmsg;
struct buf;

/* Watches fd, the monitor.  -1: no memory. */
int dmsg_mon_init(struct dmsg *, int fd);
/* Waits for the first messages and confines the process. */
void dmsg_mon_welcome(struct dmsg *);
void
dmsg_mon_connect(struct dmsg *, uint16_t id, const char *host, uint16_t port);
void
dmsg_mon_begin(struct dmsg *, uint8_t slot, const struct key_public *server);
void dmsg_mon_read(struct dmsg *, uint8_t slot, struct buf *message);
void dmsg_mon_drop(struct dmsg *, uint8_t slot);
void dmsg_mon_entry(struct dmsg *, const struct dmsg_entry *);
void dmsg_mon_stream(struct dmsg *, uint16_t id, const struct key_public *peer,
    const struct key_public *server);
/* id 0 is the discovery. */
void dmsg_mon_dial(struct dmsg *, uint16_t id, uint16_t port);
void dmsg_mon_dialed(struct dmsg *, uint16_t id, struct buf *noise);
void dmsg_mon_probe(struct dmsg *, uint16_t id, uint16_t port);
void dmsg_mon_give_up(struct dmsg *, uint16_t id, const char *why);
void dmsg_mon_status(struct dmsg *, struct buf *json);
void dmsg_log(struct dmsg *, enum log_level, const char *, ...)
    __attribute__((format(printf, 3, 4)));

#endif
