/* SPDX-License-Identifier: ISC */
/* The counters on a port of this machine ("metrics"). */
#ifndef DAEMON_METRICS_H
#define DAEMON_METRICS_H

#include <stdint.h>
#include <sys/queue.h>

#include "common/base/buf.h"

#define METRICS_MAX 8 /* readers at once; the oldest has to go */

struct event;
struct listener;

struct metrics {
	int fd; /* -1: nothing is listened on */
	struct event *ev;
	TAILQ_HEAD(, metrics_reader) readers; /* the oldest first */
	unsigned n;
	struct buf text;  /* what is said, with its head */
	int64_t text_ms;  /* when that was so; 0: never */
	uint64_t start_s; /* since 1970 */
};

/* Where nothing is configured it does nothing.  0, or an exit status. */
int metrics_open(struct listener *);
/* 0, or -1: no memory. */
int metrics_begin(struct listener *);
void metrics_resume(struct listener *);
void metrics_close(struct listener *);

#endif
