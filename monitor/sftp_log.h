/* SPDX-License-Identifier: ISC */
/* What the SFTP server tells of the files that it serves, for the log. */
#ifndef MONITOR_SFTP_LOG_H
#define MONITOR_SFTP_LOG_H

#include <stddef.h>

#define SFTP_LOG_LINE 900 /* bytes of one line; a longer one is several */

struct event;
struct event_base;

struct sftp_log {
	int fd; /* our end of its standard error; only while ev is there */
	struct event *ev;
	char line[SFTP_LOG_LINE + 1];
	size_t n;
};

/*
 * A pipe for a server's standard error; its end is returned, and the caller's.
 * -1 with errno.
 */
int sftp_log_open(struct sftp_log *, struct event_base *);
/* Reads what there is, and no more. */
void sftp_log_drain(struct sftp_log *);
/* Also one that is not open. */
void sftp_log_close(struct sftp_log *);

#endif
