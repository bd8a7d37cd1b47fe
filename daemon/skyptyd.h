/* SPDX-License-Identifier: ISC */
/* skyptyd, the listening daemon: its parts. */
#ifndef DAEMON_SKYPTYD_H
#define DAEMON_SKYPTYD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "common/base/exits.h"
#include "common/base/log.h"
#include "common/privsep/config.h"
#include "common/privsep/privmsg.h"
#include "common/pty/keys.h"

#define VISOR_CONF "/opt/skywire/skywire.json"

/* What a public key has to be, for messages. */
#define KEY_WANTED "not a public key (66 hexadecimal digits)"

enum mode { MODE_TCP, MODE_HOST, MODE_DMSG, MODE_ANY };

/* --- options.c: the command line --- */

struct skyptyd_options {
	enum mode mode;	  /* MODE_ANY: check, for none of them */
	bool check;	  /* tell what would be served, as that mode */
	const char *conf; /* NULL: the default places */
	bool conf_stdin;
	bool no_dmsg;
	const char *sk_from_visor;
	const char *envprefix;
	char *listen;		/* addresses divided by commas, or NULL */
	const char *check_peer; /* check --peer */
	const char *check_key, *check_from, *check_user; /* check --key */
	bool check_print;				 /* check -T */
	struct rlimit nofile; /* as it was when we were started */
	int oom_score;	      /* the same */
	int listen_fd;	      /* -1 */
	bool daemonise;
	bool syslog;
	enum log_level log_level;
	/* Given flags, over what the configuration says. */
	const char *dmsgdisc, *dmsgsessions, *dmsgport, *clinet, *cliaddr;
	bool sftp_readonly;
	struct key_public *allow; /* --allow, --wl */
	size_t nallow;
};

/* 0; EXIT_USAGE with a message on standard error; -1: help was printed. */
int skyptyd_options_parse(struct skyptyd_options *, struct keyctx *, int argc,
    char **argv);
void options_free(struct skyptyd_options *);
void options_usage(FILE *);
/*
 * Tells what is wrong with an option, as usage_explain() does, and where they
 * are listed: mode is empty, or a mode and a blank.  EXIT_USAGE.
 */
struct option;
int skyptyd_options_unknown(int opt, const char *word, const struct option *,
    const char *mode);

/* --- settings.c: what is in force --- */

struct settings {
	struct config conf;
	char *conf_path; /* absolute, of the whitelist's file; "" if none */
	struct key_public pk;
	struct key_public *wl; /* fixed: flags, standard input; nwl of them */
	size_t nwl;
	char *listen; /* addresses divided by commas, or "" */
	bool dmsg;
	char *dmsg_servers;	    /* as in the configuration, or built in */
	char *sftp_server;	    /* absolute path, or "" for none */
	char *authorized, *revoked; /* the same; given if the file says so */
	char *record;		    /* folder of recordings, or "" */
	bool pam;
	bool control; /* whether there is a control socket */
	gid_t cligroup;
	uid_t uid; /* of confined processes */
	gid_t gid;
	bool drop; /* we are root and confined processes are not */
};

/*
 * Reads and checks everything: defaults, files, environment, flags, identity.
 * 0, or EXIT_CONFIG with every problem logged.
 */
int settings_load(struct settings *, const struct skyptyd_options *,
    struct keyctx *);
/*
 * Only what says who may come in, of the configuration's file and of what the
 * default places are: conf, authorized and revoked.  The same.
 */
int settings_load_lists(struct settings *, const struct skyptyd_options *,
    struct keyctx *);
void settings_free(struct settings *);

/* --- listener.c: the loop --- */

/* Serves until SIGTERM; an exit status. */
int listener_run(const struct skyptyd_options *, struct settings *,
    struct keyctx *);

/* --- monitors.c: a monitor for a connection --- */

struct monitor_for {
	enum priv_carrier carrier;
	const char *peer; /* for its log lines */
	bool quiet;  /* no line below a warning before the peer is proven */
	uint64_t id; /* in each line of its log; 0: none */
};

/* For one connection, never 0. */
uint64_t monitor_new_id(void);

/*
 * Starts a monitor on conn, which stays the caller's.  *sock is the socket to
 * it.  -1 with a message logged.
 */
int monitor_spawn(const struct settings *, const struct skyptyd_options *,
    int conn, const struct monitor_for *, pid_t *, int *sock);
/* Socket options of a TCP connection; on another socket nothing happens. */
void monitor_prepare(const struct config *, int fd);
/*
 * Becomes the monitor of conn.  Returns only on failure, and 0 if the peer has
 * gone in the meantime.
 */
int monitor_become(const struct settings *, const struct skyptyd_options *,
    int conn);

/* --- confgen.c, check.c: what does not serve --- */

/* Writes a configuration to standard output or a file.  An exit status. */
int confgen_main(int argc, char **argv);
/*
 * Makes the directory that confined processes are locked into, if they are to
 * be.  0, or -1 if it cannot be had, logged.
 */
int check_chroot(const struct settings *);
/*
 * Tries every step of confinement in a process of its own, with a line in out
 * for those that fail, or for all.  How many failed; -1 if it cannot be tried.
 */
int check_confinement(const struct settings *, FILE *out, bool verbose);
/* check --key: what would become of it.  An exit status. */
int check_key(const struct skyptyd_options *, const struct settings *,
    struct keyctx *);
bool check_key_lets_in(const struct settings *, struct keyctx *,
    const struct key_public *);
int
check_main(const struct skyptyd_options *, struct settings *, struct keyctx *);

#endif
