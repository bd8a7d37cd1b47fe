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

#include "common/addr.h"
#include "common/config.h"
#include "common/keys.h"
#include "common/log.h"
#include "common/privmsg.h"

#define EXIT_USAGE  64 /* sysexits.h: EX_USAGE */
#define EXIT_OS	    71 /* EX_OSERR */
#define EXIT_CONFIG 78 /* EX_CONFIG */

#define VISOR_CONF   "/opt/skywire/skywire.json"
#define DEFAULT_PORT "2022"

/* What a public key has to be, for messages. */
#define KEY_WANTED "not a public key (66 hexadecimal digits)"

enum mode { MODE_TCP, MODE_HOST, MODE_DMSG, MODE_ANY };

/* --- options.c: the command line --- */

struct options {
	enum mode mode;	  /* MODE_ANY: check, for none of them */
	bool check;	  /* tell what would be served, as that mode */
	const char *conf; /* NULL: the default places */
	bool conf_stdin;
	bool no_dmsg;
	const char *sk_from_visor;
	const char *envprefix;
	char *listen;		/* addresses divided by commas, or NULL */
	const char *check_peer; /* check --peer */
	struct rlimit nofile;	/* as it was when we were started */
	int listen_fd;		/* -1 */
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
int options_parse(struct options *, struct keyctx *, int argc, char **argv);
void options_free(struct options *);
void options_usage(FILE *);
/*
 * Tells what is wrong with an option, as usage_explain() does, and where they
 * are listed: mode is empty, or a mode and a blank.  EXIT_USAGE.
 */
struct option;
int options_unknown(int opt, const char *word, const struct option *,
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
	char *dmsg_servers; /* as in the configuration, or built in */
	char *sftp_server;  /* absolute path, or "" for none */
	bool control;	    /* whether there is a control socket */
	gid_t cligroup;
	uid_t uid; /* of confined processes */
	gid_t gid;
	bool drop; /* we are root and confined processes are not */
};

/*
 * Reads and checks everything: defaults, files, environment, flags, identity.
 * 0, or EXIT_CONFIG with every problem logged.
 */
int settings_load(struct settings *, const struct options *, struct keyctx *);
void settings_free(struct settings *);
/* Makes the empty directory that confined processes are locked into. */
int settings_chroot_dir(void);

/* --- listener.c: sockets to accept from --- */

#define LISTENERS_MAX 32

struct listener {
	int fd;
	bool control;
	bool inherited;
	char *path; /* of the control socket that we made, else NULL */
	dev_t dev;
	ino_t ino;
	struct server *server;
	struct event *ev;
};

struct listeners {
	struct listener l[LISTENERS_MAX];
	size_t n;
};

/* LISTEN_FDS of a service manager.  How many were taken, or -1. */
int listeners_inherit(struct listeners *);
/* What is wrong with an address to listen on, static; NULL: nothing. */
const char *listeners_problem(const char *addr);
/*
 * Whether its names are known, as far as a resolver answers; -1 when listening
 * would fail for it, which is told.
 */
int listeners_check(const char *addrs);
/* Every address of a list divided by commas; -1 with a message logged. */
int listeners_tcp(struct listeners *, const char *addrs);
/*
 * A socket of mode 0600 (0660 for a group).  What stands at path is removed
 * only if it is a dead socket of our own.
 */
int listeners_unix(struct listeners *, const char *path, gid_t group);
/* Closes all; removes our control socket if it still is ours. */
void listeners_close(struct listeners *);

/* --- server.c: the loop --- */

/* Serves until SIGTERM; an exit status. */
int server_run(const struct options *, struct settings *, struct keyctx *);

/* --- session.c: a monitor for a connection --- */

struct session_for {
	enum priv_carrier carrier;
	const char *peer; /* for its log lines */
	bool quiet; /* no line below a warning before the peer is proven */
};

/*
 * Starts a monitor on conn, which stays the caller's.  *sock is the socket to
 * it.  -1 with a message logged.
 */
int session_spawn(const struct settings *, const struct options *, int conn,
    const struct session_for *, pid_t *, int *sock);
/* Socket options of a TCP connection; on another socket nothing happens. */
void session_prepare(const struct config *, int fd);
/*
 * Becomes the monitor of conn.  Returns only on failure, and 0 if the peer has
 * gone in the meantime.
 */
int session_become(const struct settings *, const struct options *, int conn);

/* --- notify.c --- */

/* Tells a service manager, if there is one: "READY=1". */
void notify(const char *);
bool notify_managed(void);

/* --- confgen.c, check.c: what does not serve --- */

int confgen_main(int argc, char **argv);
/*
 * Tries every step of confinement in a process of its own, with a line in out
 * for those that fail, or for all.  How many failed; -1 if it cannot be tried.
 */
int check_confinement(const struct settings *, FILE *out, bool verbose);
int check_main(const struct options *, struct settings *, struct keyctx *);

#endif
