/* SPDX-License-Identifier: ISC */
/* Connections over TCP to a host, for the terminal for browsers. */
#ifndef MONITOR_HTTP_HTTP_DIAL_H
#define MONITOR_HTTP_HTTP_DIAL_H

#include "monitor/http/http_monitor.h"

struct event;
struct event_base;

#define HTTP_DIALING_MAX 8 /* at once */

/* fd is the callee's, not blocking; -1: why says it. */
typedef void http_dialed(void *arg, uint16_t id, int fd, const char *why);

#define HTTP_DIAL_FAILED (-1) /* why says it */
#define HTTP_DIAL_LATER	 (-2) /* done is called, once */

/*
 * Those that are being made, each by a process.  A slot is free when both the
 * process and the event are gone.  All zero there is none.
 */
struct http_dials {
	struct event_base *base;
	struct http_dial {
		pid_t pid; /* 0: reaped */
		int sock;
		struct event *ev;
		uint16_t id;
		http_dialed *done;
		void *arg;
	} each[HTTP_DIALING_MAX];
};

/* A socket to the host, not blocking, or one of the two above. */
int http_dial(struct http_dials *, const struct http_options *, uint16_t id,
    http_dialed *done, void *arg, char why[HTTP_TEXT]);
/* Begins one over TCP.  0: done is called later; -1: why says it. */
int http_dial_tcp(struct http_dials *, const struct http_options *, uint16_t id,
    http_dialed *done, void *arg, char why[HTTP_TEXT]);
/* At SIGCHLD. */
void http_dial_reap(struct http_dials *);
/* Who has asked is no more: nobody is called. */
void http_dial_drop(struct http_dials *);

#endif
