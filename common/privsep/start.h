/* SPDX-License-Identifier: ISC */
/*
 * What skyptyd tells a monitor that it has just executed: the first message
 * on PRIV_FD_PEER.  With it a monitor is on its own; skyptyd may go away.
 */
#ifndef COMMON_PRIVSEP_START_H
#define COMMON_PRIVSEP_START_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/privsep/privmsg.h"
#include "common/pty/keys.h"

#define START_WL_MAX 4096 /* keys given by flags or standard input */

struct start {
	enum priv_carrier carrier;
	uint8_t log_level;
	bool use_syslog;
	uint8_t log_format; /* enum log_format */
	bool quiet; /* no more than warnings before the peer is proven */
	uint16_t handshake_timeout; /* seconds */
	uint8_t welcome;	    /* enum priv_welcome */
	uid_t uid;		    /* of the confined child */
	gid_t gid;
	char *peer; /* for log lines: "192.0.2.1 port 4711" */
	char *chroot_dir;
	struct key_public pk; /* the host's own, everywhere */
	uint8_t *sk;	      /* NULL on the control socket */
	/* PRIV_DMSG only: */
	uint16_t dmsgport;
	uint32_t dmsgsessions;
	char *dmsgdisc;
	char *dmsg_servers; /* "<pk>@host:port" each, divided by spaces */
	/* The others only: */
	gid_t cligroup;	   /* may use the control socket; -1 is none */
	char *conf;	   /* absolute path of the whitelist's file, or "" */
	char *sftp_server; /* absolute path, or "" for none */
	bool sftp_readonly;
	uint8_t sftp_log;	    /* enum sftp_logs of config.h */
	char *authorized, *revoked; /* as in struct rights_files */
	bool authorized_given, revoked_given;
	char *accept_env; /* patterns, accept_env.h */
	char *record;	  /* folder of recordings, or "" */
	bool record_all;  /* terminals of every key */
	bool pam;	  /* sessions are PAM's, too */
	bool require_pq;  /* nobody comes in without ML-KEM */
	uint32_t max_jobs, job_output, job_age; /* as in struct config */
	char *job_dir;
	char *permitopen, *permitlisten; /* as in struct config */
	struct key_public *wl;		 /* nwl of them */
	size_t nwl;
	uint16_t oom_score; /* what is not ours runs with: oom_score_adj */
	uint64_t id; /* of the connection, in each line of its log; 0: none */
};

/*
 * Sends what its carrier's monitor needs, and owns nothing; sk travels in a
 * buffer that is wiped.
 */
int start_send(int sock, const struct start *);
/*
 * Waits for it.  Strings and wl are the caller's then, malloc'ed, and sk is,
 * sodium_malloc'ed; what is not for its carrier is NULL, or none.  After an
 * error there is nothing.  SKY_ERR_FORMAT also for another PRIVMSG_VERSION.
 */
int start_recv(int sock, struct start *);
/* What start_recv gave; sk is wiped. */
void start_free(struct start *);

#endif
