/* SPDX-License-Identifier: ISC */
/* Flags of the commands that connect. */
#ifndef CLIENT_OPTIONS_H
#define CLIENT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/dest.h"
#include "client/dial.h"
#include "client/hosts.h"
#include "common/pty/keys.h"

struct offers;
struct option;

#define ENV_MAX 1024

struct client_options {
	const char *sk;
	const char *identity;
	struct offers *offer; /* several, in place of it; or NULL */
	bool visor_key;
	const char *env[ENV_MAX];
	size_t nenv;
	int64_t timeout_ms;
	bool no_pty;
	bool no_stdin;
	bool terminal; /* the command gets one */
	bool keep;     /* it goes on when we are gone */
	bool login;    /* in place of it the account's login shell */
	const char *port;
	const char *via, *addr;
	const char *clinet, *cliaddr, *confpath;
	const char *dmsgdisc;	  /* NULL: the public one */
	const char *dmsg_servers; /* to begin with; NULL: built in */
	const char *rpc;	  /* of the visor; NULL: where it always is */
	bool standalone;	  /* neither it nor skyptyd here */
	enum {
		TRANSPORT_AUTO,
		TRANSPORT_TCP,
		TRANSPORT_DMSG,
		TRANSPORT_SKYNET
	} transport;
	const char *hosts; /* file of aliases, NULL: the own one */
	struct host alias; /* what it says; texts above may point into it */
	bool timeout_given, escape_given, visor_key_given;
	bool duplex; /* input cannot be gathered before the command runs */
	const char *cmd, *args;
	int escape; /* character, or -1 */
	bool quiet, verbose;
	struct dial_how how;
	int (*started)(void); /* when the command runs; EXIT_* ends it */
	struct dest dest;
	char **command; /* NULL-terminated, at least empty */
};

enum command_style {
	STYLE_SHELL,
	STYLE_EXEC,  /* a first word may begin a command for this machine */
	STYLE_FILES, /* sftp, fs mount: no command */
	STYLE_KEY,   /* pk: no destination either */
	STYLE_SOCKET /* of the host here, and no more */
};

/* Tells what is wrong with an option, as usage_explain() does: EXIT_USAGE. */
int options_unknown(const char *command, int opt, const char *word,
    const struct option *);
/* 0, EXIT_USAGE with the reason told, or -1 when help was printed. */
int options_parse(struct client_options *, struct keyctx *, enum command_style,
    int argc, char **argv);
/*
 * As options_parse, with more flags: take gets those that are not known here
 * and says 1 if it knows them.
 */
typedef int options_taker(int opt, int *result);
struct options_command {
	const char *name; /* as help knows it */
	enum command_style style;
	const struct option *flags;
	options_taker *take;
};
int options_parse_more(struct client_options *, struct keyctx *,
    const struct options_command *, int argc, char **argv);
/* A port given by a flag: 0, or EXIT_USAGE, told. */
int options_port(struct client_options *, const char *flag, const char *text);
/* What stands before any flag; exec has a time limit, unless told. */
void options_init(struct client_options *);
/* A destination or an alias.  0, EXIT_USAGE, EXIT_FAILED, told. */
int options_dest(struct client_options *, struct keyctx *, const char *word);

#endif
