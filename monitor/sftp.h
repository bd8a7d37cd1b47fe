/* SPDX-License-Identifier: ISC */
/* The connection's SFTP server. */
#ifndef MONITOR_SFTP_H
#define MONITOR_SFTP_H

#include "monitor/half/request.h"

struct monitor;

request_handler sftp_start;
void sftp_reap(struct monitor *);
/* The connection ends: so does the server, which is told so in the log. */
void sftp_leave(struct monitor *);

#endif
