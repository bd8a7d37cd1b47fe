/* SPDX-License-Identifier: ISC */
/* Connections over TCP to a host, for the terminal for browsers. */
#ifndef MONITOR_HTTP_HTTP_DIAL_H
#define MONITOR_HTTP_HTTP_DIAL_H

#include "monitor/http/http_monitor.h"

struct event;
struct event_base;

#define WEB_DIALING_MAX 8 /* at once */

/* fd is the callee's, not blocking; -1: why says it. */
typedef void web_dialed(void *arg, uint16_t id, int fd, const char *why);

#define WEB_DIAL_FAILED (-1) /* why says it */
#define WEB_DIAL_LATER	(-2) /* done is called, once */

/*
 * Those that are being made, each by a process.  A slot is free when both the
 * process and the event are gone.  All zero there is none.
 */
struct web_dials {
	struct event_base *base;
	struct web_dial {
		pid_t pid; /* 0: reaped */
		int sock;
		struct event *ev;
		uint16_t id;
		web_dialed *done;
		void *arg;
	} each[WEB_DIALING_MAX];
};

/* A socket to the host, not blocking, or one of the two above. */
int web_dial(struct web_dials *, const struct web_options *, uint16_t id,
    web_dialed *done, void *arg, char why[WEB_TEXT]);
/* Begins one over TCP.  0: done is called later; -1: why says it. */
int web_dial_tcp(struct web_dials *, const struct web_options *, uint16_t id,
    web_dialed *done, void *arg, char why[WEB_TEXT]);
/* At SIGCHLD. */
void web_dial_reap(struct web_dials *);
/* Who has asked is no more: nobody is called. */
void web_dial_drop(struct web_dials *);

#endif
