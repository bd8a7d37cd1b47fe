/* SPDX-License-Identifier: ISC */
/* The connection's SFTP servers. */
#ifndef MONITOR_SFTP_H
#define MONITOR_SFTP_H

#include "monitor/half/request.h"
#include "monitor/job.h"
#include "monitor/sftp_log.h"

struct half;
struct monitor;

struct mon_sftp {
	struct job server; /* without pid: a free slot */
	struct sftp_log log;
};

request_handler sftp_start;
/* For the table: how many have not been reaped. */
unsigned sftp_running(const struct half *);
/* One that has not been reaped, or NULL. */
struct job *sftp_find(struct monitor *, uint32_t handle);
void sftp_reap(struct monitor *);
/* The connection ends: so do the servers, which is told in the log. */
void sftp_leave(struct monitor *);
/* They have not gone by that. */
void sftp_kill(struct monitor *);

#endif
