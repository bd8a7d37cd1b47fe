/* SPDX-License-Identifier: ISC */
/*
 * The host's configuration: JSON with the original's keys and some of our own.
 * PROTOCOL.pty 11.1; PROTOCOL 6.6.
 */
#ifndef COMMON_PRIVSEP_CONFIG_H
#define COMMON_PRIVSEP_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/cidr.h"
#include "common/base/log.h"
#include "common/pty/keys.h"

#define CONFIG_FILE_MAX (1024U * 1024) /* bytes of a configuration file */
#define CONFIG_WL_MAX	8192	       /* keys in one whitelist */
#define CONFIG_CIDR_MAX 256	       /* blocks in penalty_exempt */

/* The public deployment.  PROTOCOL.dmsg 6.9. */
#define CONFIG_DISCOVERY                                                     \
	"dmsg://"                                                            \
	"022e607e0914d6e7ccda7587f95790c09e126bbd506cc476a1eda852325aadd1aa" \
	":80"

/* Where jobs are kept: of each account. */
#define CONFIG_JOB_DIR "~/.local/state/skypty/jobs"

/* The keys, as bits that tell which were given. */
#define CONFIG_SK	     (UINT64_C(1) << 0)
#define CONFIG_PK	     (UINT64_C(1) << 1)
#define CONFIG_WL	     (UINT64_C(1) << 2)
#define CONFIG_DMSGDISC	     (UINT64_C(1) << 3)
#define CONFIG_DMSGSESSIONS  (UINT64_C(1) << 4)
#define CONFIG_DMSGPORT	     (UINT64_C(1) << 5)
#define CONFIG_CLINET	     (UINT64_C(1) << 6)
#define CONFIG_CLIADDR	     (UINT64_C(1) << 7)
#define CONFIG_SSH_LISTEN    (UINT64_C(1) << 8)
#define CONFIG_CLIGROUP	     (UINT64_C(1) << 9)
#define CONFIG_SANDBOX	     (UINT64_C(1) << 10)
#define CONFIG_PRIVSEP_USER  (UINT64_C(1) << 11)
#define CONFIG_MAXSTARTUPS   (UINT64_C(1) << 12)
#define CONFIG_MAXPERKEY     (UINT64_C(1) << 13)
#define CONFIG_MAXPERADDR    (UINT64_C(1) << 14)
#define CONFIG_HANDSHAKE     (UINT64_C(1) << 15)
#define CONFIG_KEEPALIVE     (UINT64_C(1) << 16)
#define CONFIG_SFTP_SERVER   (UINT64_C(1) << 17)
#define CONFIG_SFTP_READONLY (UINT64_C(1) << 18)
#define CONFIG_SERVERS	     (UINT64_C(1) << 19)
#define CONFIG_STARTUPRATE   (UINT64_C(1) << 20)
#define CONFIG_NETBLOCKS     (UINT64_C(1) << 21)
#define CONFIG_AUTHORIZED    (UINT64_C(1) << 22)
#define CONFIG_REVOKED	     (UINT64_C(1) << 23)
#define CONFIG_ACCEPT_ENV    (UINT64_C(1) << 24)
#define CONFIG_PAM	     (UINT64_C(1) << 25)
#define CONFIG_SK_FILE	     (UINT64_C(1) << 26)
#define CONFIG_LOG_FORMAT    (UINT64_C(1) << 27)
#define CONFIG_RECORD	     (UINT64_C(1) << 28)
#define CONFIG_SFTP_LOG	     (UINT64_C(1) << 29)
#define CONFIG_METRICS	     (UINT64_C(1) << 30)

#define CONFIG_PENALTIES      (UINT64_C(1) << 32)
#define CONFIG_PENALTY_EXEMPT (UINT64_C(1) << 33)
#define CONFIG_PENALTY_BLOCKS (UINT64_C(1) << 34)
#define CONFIG_MAXPERRELAY    (UINT64_C(1) << 35)
#define CONFIG_STARTUPMEMORY  (UINT64_C(1) << 36)
#define CONFIG_REQUIRE_PQ     (UINT64_C(1) << 44)
#define CONFIG_MAXJOBS	      (UINT64_C(1) << 40)
#define CONFIG_JOBOUTPUT      (UINT64_C(1) << 41)
#define CONFIG_JOBAGE	      (UINT64_C(1) << 42)
#define CONFIG_JOBDIR	      (UINT64_C(1) << 43)
#define CONFIG_PERMITOPEN     (UINT64_C(1) << 45)
#define CONFIG_PERMITLISTEN   (UINT64_C(1) << 46)

/* "begin:rate:full" of sshd_config's MaxStartups. */
struct config_startups {
	unsigned begin;
	unsigned rate; /* percent */
	unsigned full;
};

/* "origin:network:all", connections a second that do not authenticate. */
struct config_rates {
	unsigned origin, network, all;
};

/* "v4:v6", bits of what counts as one network. */
struct config_blocks {
	unsigned v4, v6;
};

/* What a connection did that has not authenticated. */
enum penalty {
	PENALTY_NOAUTH,	   /* it left before */
	PENALTY_HANDSHAKE, /* its handshake was wrong */
	PENALTY_AUTHFAIL,  /* its key may not come in */
	PENALTY_GRACE,	   /* it did not finish in time */
	PENALTY_CRASH,	   /* its process crashed, or lied to the monitor */
	PENALTY_COUNT
};
#define CONFIG_PENALTY_MAX (7 * 24 * 3600U) /* seconds */

/* In the manner of sshd_config's PerSourcePenalties; seconds. */
struct config_penalties {
	bool off;
	unsigned each[PENALTY_COUNT]; /* what it adds; 0: nothing */
	unsigned min;		      /* nobody is refused for less */
	unsigned max;		      /* and nobody for longer */
};

/* What sftp-server(8) tells of files, by its own levels. */
enum sftp_logs {
	SFTP_LOG_OFF,
	SFTP_LOG_INFO,
	SFTP_LOG_VERBOSE,
	SFTP_LOG_DEBUG,
	SFTP_LOGS
};

/* Zero-initialise, then config_defaults(). */
struct config {
	uint64_t given;	       /* CONFIG_* bits met in files */
	uint8_t *sk;	       /* sodium_malloc'ed, NULL if none */
	struct key_public pk;  /* null unless given */
	struct key_public *wl; /* nwl of them */
	size_t nwl;
	char *dmsgdisc;	       /* discovery, http(s):// or dmsg:// */
	unsigned dmsgsessions; /* servers to hold a session with */
	uint16_t dmsgport;
	char *clinet;	  /* "unix" or "tcp" */
	char *cliaddr;	  /* control socket's path or address; "" is none */
	char *ssh_listen; /* direct TCP, addresses divided by commas; or "" */
	/* Ours: */
	char *cligroup;	    /* group that may use the control socket, or "" */
	bool best_effort;   /* "sandbox": "best-effort" (else "strict") */
	char *privsep_user; /* account of confined processes: "_skypty" */
	struct config_startups maxstartups; /* "maxstartups": "10:30:100" */
	struct config_rates startuprate;    /* "startuprate": "10:40:100" */
	struct config_blocks netblocks;	    /* "netblocks": "24:48" */
	struct config_penalties penalties;
	struct config_blocks penalty_blocks; /* "penalty_blocks": "32:64" */
	struct cidr *penalty_exempt; /* npenalty_exempt of them: loopback */
	size_t npenalty_exempt;
	unsigned maxperkey;	 /* connections of one key at once: 64 */
	unsigned maxperaddr;	 /* connections of one address at once: 64 */
	unsigned maxperrelay;	 /* not authenticated, of one server; 0: any */
	unsigned startup_memory; /* MiB of who has not; 0: an eighth of all */
	unsigned handshake_timeout; /* "handshake_timeout", seconds: 10 */
	char *dmsg_servers; /* "<pk>@host:port" each, divided by spaces */
	char *sftp_server;  /* path; "" finds it, "none" is none */
	bool sftp_readonly;
	enum sftp_logs sftp_log; /* "sftp_log": "off" */
	char *accept_env;	 /* patterns, accept_env.h */
	/* Paths; "" is the default place, "none" is none. */
	char *authorized_pks, *revoked_pks;
	char *sk_file;	 /* where sk is, or "" */
	char *record;	 /* folder that all terminals are recorded in, or "" */
	bool require_pq; /* no handshake without ML-KEM */
	bool
	    pam; /* counts if CONFIG_PAM is given; else where there is a file */
	char *metrics; /* "metrics", "127.0.0.1:9100"; "" is none */
	enum log_format log_format; /* "log_format": "text" or "json" */
	unsigned max_jobs;   /* jobs that an account may have; 0: none: 64 */
	unsigned job_output; /* MiB that are kept of the output of each: 16 */
	unsigned job_age;    /* days behind its end; 0: until forgotten: 7 */
	char *job_dir;	     /* absolute, or "~/..." of the account */
	/* Of keys that have none, values with newlines between: permits.h. */
	char *permitopen, *permitlisten;
	unsigned tcp_keepalive; /* "tcp_keepalive", seconds of silence: 15 */
};

/*
 * Where complaints go.  text is one line without a newline that names file and
 * key, e.g. "conf.json: wl[2]: not a public key"; fatal ones make the call
 * that raised them fail, others (an unknown key) are warnings.
 */
struct config_report {
	void (*say)(void *arg, bool fatal, const char *text);
	void *arg;
};

/* SKY_ERR_NOMEM. */
int config_defaults(struct config *);
/* Wipes the secret key. */
void config_free(struct config *);

/*
 * Reads one JSON object over what is there; keys that are absent stay as they
 * are, except that wl is replaced whenever given.  name is used in messages.
 * Refused: trailing garbage, duplicate keys, wrong types, bad keys, numbers
 * out of range, nesting over 16, a pk that is not sk's.  Every problem is
 * reported, not only the first.  SKY_ERR_FORMAT, SKY_ERR_NOMEM.
 */
int config_parse(struct config *, struct keyctx *, const char *text, size_t n,
    const char *name, const struct config_report *);
/*
 * Whole file.  Refused: no regular file, over CONFIG_FILE_MAX, belonging to
 * somebody else than root and us (SKY_ERR_DENIED), writable for others
 * (SKY_ERR_DENIED).  Readable for others with sk in it: a warning.
 */
int config_read_file(struct config *, struct keyctx *, const char *path,
    const struct config_report *);
/* Until end of file, e.g. standard input. */
int config_read_fd(struct config *, struct keyctx *, int fd, const char *name,
    const struct config_report *);
/*
 * PREFIX_DMSGDISC, _DMSGSESSIONS, _DMSGPORT, _CLINET, _CLIADDR.  Call between
 * files and flags.
 */
int config_read_env(struct config *, const char *prefix,
    const struct config_report *);

/*
 * The secret key at the top level of a visor's (or any other) JSON file, whose
 * other keys are ignored.  *sk is sodium_malloc'ed.
 */
int config_visor_sk(struct keyctx *, const char *path, uint8_t **sk,
    const struct config_report *);
/*
 * The secret key of "sk_file" in the configuration conf: a file of mode 0600
 * that is safe where it lies, relative to conf's folder, or "credential:NAME",
 * which systemd has put into $CREDENTIALS_DIRECTORY.  *sk is sodium_malloc'ed.
 * SKY_ERR_DENIED also for one with a passphrase; all of it is reported.
 */
int config_read_sk(struct keyctx *, const char *sk_file, const char *conf,
    uint8_t **sk, const struct config_report *);
bool config_sk_is_credential(const char *sk_file);
/*
 * The dmsg servers that a visor begins with, in the form of dmsg_servers,
 * malloc'ed; none from a file that is not there or not to be trusted.  NULL
 * without memory.
 */
char *config_visor_servers(struct keyctx *, const char *path);

/*
 * Only the whitelist of a file, strictly: any problem with the file or with
 * one key of it is an error, so that nobody is let in by half of a list.
 * *wl is malloc'ed.  An absent or null wl is an empty list.
 */
int config_read_wl(struct keyctx *, const char *path, struct key_public **wl,
    size_t *nwl, const struct config_report *);
/*
 * Replaces the file's wl and nothing else: every other byte stays, and so do
 * owner, group, mode, access control list and other attributes.  SKY_ERR_SYS;
 * SKY_ERR_TYPE for no regular file; SKY_ERR_FORMAT; SKY_ERR_LIMIT for over
 * CONFIG_WL_MAX keys or CONFIG_FILE_MAX bytes; SKY_ERR_EXISTS if the file has
 * more names (hard links), which would go on meaning the old content;
 * SKY_ERR_DENIED if its folder is somebody else's.
 */
int config_write_wl(const char *path, const struct key_public *wl, size_t nwl);
/*
 * Keeps other writers of the file away: hold it from before reading the list
 * that is to be changed until it is written, then close(2) it.  A descriptor,
 * SKY_ERR_AGAIN after ten seconds in vain, or SKY_ERR_SYS.  What writers that
 * were killed have left beside the file is removed.
 */
int config_lock_wl(const char *path);
/* Only removes that: 1, 0 if there was nothing, or why it could not. */
int config_clean(const char *path);

/*
 * Whether a configuration is safe at path, where no file needs to be yet:
 * nobody but root and us may rename there.  0, or SKY_ERR_DENIED and
 * SKY_ERR_SYS, reported.
 */
int config_check_place(const struct config_report *, const char *path);

/*
 * Prints a complete configuration that works by itself with this identity, in
 * the original's order, indent four.  With the servers that CONFIG_DISCOVERY is
 * reached through only if that is wished: they are built in.  With sk_file, if
 * it is not NULL, in place of the secret key.  SKY_ERR_SYS.
 */
int config_print(FILE *, struct keyctx *, const uint8_t *sk,
    const char *sk_file, bool with_seeds);

/*
 * The seed servers of CONFIG_DISCOVERY in the form of dmsg_servers, malloc'ed.
 */
char *config_seeds(void);
/*
 * The servers of that form that are none of these, malloc'ed, and how many are
 * left out: with another discovery than CONFIG_DISCOVERY nobody is found there.
 */
char *config_without_seeds(const char *servers, size_t *left_out);

/* "begin:rate:full" or "full"; SKY_ERR_FORMAT, SKY_ERR_RANGE. */
int config_parse_startups(const char *, struct config_startups *);
/* "origin:network:all", none smaller than the one before. */
int config_parse_rates(const char *, struct config_rates *);
/* "v4:v6": 8 to 32, 16 to 64. */
int config_parse_blocks(const char *, struct config_blocks *);
/* "off", "info", "verbose" or "debug"; SKY_ERR_FORMAT. */
int config_parse_sftp_log(const char *, enum sftp_logs *);
const char *config_sftp_log(enum sftp_logs);

/* --- config_penalties.c --- */

/* Those in force where the configuration says nothing. */
void config_default_penalties(struct config_penalties *);
/*
 * "off", "on" or words "name:time" over the defaults.  SKY_ERR_FORMAT,
 * SKY_ERR_RANGE.
 */
int config_parse_penalties(const char *, struct config_penalties *);
#define CONFIG_PENALTIES_TEXT 160
/* What reads back as the same. */
void config_print_penalties(const struct config_penalties *,
    char text[CONFIG_PENALTIES_TEXT]);

/* --- config_show.c --- */

/*
 * Appends all of it as the text of a configuration, but for the secret key.
 * What buf_put() returns.
 */
struct buf;
int config_show(struct buf *, const struct config *);

#endif
