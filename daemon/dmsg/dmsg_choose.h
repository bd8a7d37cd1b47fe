/* SPDX-License-Identifier: ISC */
/* Which servers there are sessions with. */
#ifndef DAEMON_DMSG_DMSG_CHOOSE_H
#define DAEMON_DMSG_DMSG_CHOOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/dmsg/dmsg_entry.h"

struct dmsg;
struct server_session;

/*
 * Servers that the discovery named, or the configuration.  Where a server is
 * the discovery knows best: what is configured is for when that fails.
 */
void server_add(struct dmsg *, const struct dmsg_entry *, bool configured);
/* The discovery has named this one in its list. */
void server_listed(struct dmsg *, const struct key_public *);
/* Connects until there are as many sessions as wanted. */
void server_connect_more(struct dmsg *);
/* A session has ended that was of use, or should have been. */
void server_failed(struct dmsg *, const struct server_session *);
/* A port for a stream of our own. */
uint16_t server_port(struct dmsg *);
/*
 * The session with that server, if it is up; otherwise one is begun, or will
 * be when there is a place, and *why is NULL if there is anything to wait for.
 */
struct server_session *
server_session(struct dmsg *, const struct key_public *, const char **why);
size_t server_live(const struct dmsg *);
/* Whether there are fewer sessions than wanted. */
bool server_missing(const struct dmsg *);

#endif
