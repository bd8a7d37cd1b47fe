/* SPDX-License-Identifier: ISC */
/* Flags of the commands that connect. */
#ifndef CLIENT_OPTIONS_H
#define CLIENT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/dest.h"
#include "client/dial.h"
#include "client/fleet/fleet_flags.h"
#include "client/flags.h"
#include "client/forward/forward_flags.h"
#include "client/hosts.h"
#include "client/hub/hub_conn.h"
#include "client/offer.h"
#include "common/pty/exec_stream.h"
#include "common/pty/keys.h"
#include "common/pty/mux.h"

#define ENV_MAX 1024

struct forward_held;

struct client_options {
	const char *sk;
	const char *identity;
	struct offers *offer; /* several, in place of it; or NULL */
	struct offers agents; /* where nothing says which key */
	bool visor_key;
	bool identities_only; /* no key of the agent's that no file names */
	const char *env[ENV_MAX];
	size_t nenv;
	int64_t timeout_ms;
	bool no_pty;
	bool no_stdin;
	bool terminal;	  /* the command gets one */
	bool shell;	  /* and is a shell, not a command of one's choice */
	int status_fd;	  /* how far it is, for who runs us; or -1 */
	bool keep;	  /* it goes on when we are gone */
	bool login;	  /* in place of it the account's login shell */
	bool line;	  /* it is sh -c SCRIPT LINE, and LINE is meant */
	const char *user; /* the account there, or NULL: the key's own */
	char word_user[MUX_USER_MAX + 1]; /* that of user@destination */
	bool user_optional; /* a host that knows of none is no failure */
	const char *port;
	const char *via, *addr;
	const char *clinet, *cliaddr, *confpath;
	const char *dmsgdisc;	  /* NULL: the public one */
	const char *dmsg_servers; /* to begin with; NULL: built in */
	const char *rpc;	  /* of the visor; NULL: where it always is */
	bool standalone;	  /* neither it nor skyptyd here */
	bool require_pq;	  /* no handshake without ML-KEM */
	enum {
		TRANSPORT_AUTO,
		TRANSPORT_TCP,
		TRANSPORT_DMSG,
		TRANSPORT_SKYNET
	} transport;
	const char *hosts; /* file of aliases, NULL: the own one */
	struct host alias; /* what it says; texts above may point into it */
	bool timeout_given, escape_given, obscure_given, visor_key_given,
	    require_pq_given;
	bool duplex; /* input cannot be gathered before the command runs */
	const char *cmd, *args;
	int escape;	    /* character, or -1 */
	int64_t obscure_ms; /* between frames of what is typed; 0: as it is */
	bool quiet, verbose;
	bool recursive, preserve, resume;  /* cp */
	bool background, read_only, debug; /* fs mount */
	int64_t attr_ms, entry_ms;	   /* the same */
	const char *remote_root;	   /* the same */
	bool json;			   /* dmsg status, job list */
	bool follow;			   /* job run, job log */
	bool detach_ok;			   /* shell: it outlives us */
	const char *session_name;	   /* the same, by that name; NULL */
	const char *kill_session;	   /* sessions: that one; NULL */
	bool share, view;		   /* attach */
	const char *word;		   /* destination, as it was written */
	const char *signal;		   /* job kill; NULL: TERM */
	bool force, change, public_only;   /* keygen */
	const char *pass_file;		   /* the same; NULL: ask */
	const char *new_pass_file;	   /* the same */
	struct fleet_flags fleet;
	const char *socket;		/* agent */
	bool sh, csh, foreground, kill; /* the same */
	uint32_t life;			/* agent and add: seconds, 0: ever */
	bool confirm, delete_key, delete_all, list, list_keys, lock,
	    unlock; /* add */
	struct dial_how how;
	struct hub_flags control; /* whether it is shared */
	struct forward_flags forward;
	struct forward_held *held; /* what stands of it, or NULL */
	/* When the command runs, or NULL; an exit status ends it. */
	int (*started)(void *);
	void *started_arg;
	/*
	 * For who watches, or NULL: the host has taken us, and the command
	 * leaves next, unless that gives an exit status; how it has ended.
	 */
	int (*leaving)(void *);
	void (*ended)(void *, enum xs_how, int64_t status);
	void *watch_arg;
	struct dest dest;
	char **command; /* NULL-terminated, at least empty */
};

/*
 * Flags and destination of a command, which help knows by that name.  0, or
 * EXIT_USAGE with the reason told.
 */
int options_parse(struct client_options *, struct keyctx *, enum flags_style,
    const char *command, int argc, char **argv);

/*
 * What the table of flags calls for those that say more than a text: 0, or
 * EXIT_USAGE, told by the flag's name.
 */
int options_env(struct client_options *, const char *flag, const char *);
int options_timeout(struct client_options *, const char *flag, const char *);
int options_transport(struct client_options *, const char *flag, const char *);
int options_visor_key(struct client_options *, const char *flag, const char *);
int options_require_pq(struct client_options *, const char *flag, const char *);
int
options_no_visor_key(struct client_options *, const char *flag, const char *);
int options_connect_timeout(struct client_options *, const char *flag,
    const char *);
int options_life(struct client_options *, const char *flag, const char *);
int options_escape(struct client_options *, const char *flag, const char *);
int options_obscure(struct client_options *, const char *flag, const char *);
int options_standalone(struct client_options *, const char *flag, const char *);
int options_attr_ttl(struct client_options *, const char *flag, const char *);
int options_entry_ttl(struct client_options *, const char *flag, const char *);
int options_master(struct client_options *, const char *flag, const char *);
int options_persist(struct client_options *, const char *flag, const char *);
int options_user(struct client_options *, const char *flag, const char *);
int
options_session_name(struct client_options *, const char *flag, const char *);
int options_port(struct client_options *, const char *flag, const char *text);
/* What stands before any flag; exec has a time limit, unless told. */
void options_init(struct client_options *);
/* A destination or an alias.  0, EXIT_USAGE, EXIT_FAILED, told. */
int options_dest(struct client_options *, struct keyctx *, const char *word);
/* The same; *found: whether the word is either of them, which is not told. */
int options_find_dest(struct client_options *, struct keyctx *,
    const char *word, bool *found);

#endif
