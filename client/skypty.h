/* SPDX-License-Identifier: ISC */
/* skypty, the client: its parts and what they share. */
#ifndef CLIENT_SKYPTY_H
#define CLIENT_SKYPTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/buf.h"
#include "common/frame.h"
#include "common/keys.h"
#include "common/rpc.h"

#define EXIT_USAGE   64
#define EXIT_TIMEOUT 124
#define EXIT_FAILED  255 /* connection or call, not the command */

#define DEFAULT_PORT   "2022"
#define DEFAULT_SHELL  "/bin/bash"
#define DEFAULT_SOCKET "/tmp/pty.sock"
#define SYSTEM_SOCKET  RUNSTATEDIR "/skyptyd/pty.sock"
#define VISOR_CONF     "/opt/skywire/skywire.json"

/* --- skypty.c --- */

/* "skypty: ..." on standard error. */
void complain(const char *, ...) __attribute__((format(printf, 1, 2)));
/* Text of a host, with what is not printable escaped; static memory. */
const char *printable(const struct buf *);

/* --- dest.c: where to --- */

enum dest_kind { DEST_LOCAL, DEST_TCP, DEST_DMSG };

struct dest {
	enum dest_kind kind;
	struct key_public pk;
	char host[ADDR_HOST_MAX];
	char port[ADDR_PORT_MAX];
	/* DEST_LOCAL: */
	const char *socket;
};

/* Whether a word looks like a destination rather than a command. */
bool dest_like(const char *);
/* 0, or EXIT_USAGE with the reason told. */
int
dest_parse(struct dest *, struct keyctx *, const char *text, const char *port);

/* --- options.c: flags of the commands that connect --- */

#define ENV_MAX 64

struct options {
	const char *sk;
	const char *identity;
	bool visor_key;
	const char *env[ENV_MAX];
	size_t nenv;
	int64_t timeout_ms;
	bool no_pty;
	bool no_stdin;
	const char *port;
	const char *via;
	const char *clinet, *cliaddr, *confpath;
	const char *cmd, *args;
	int escape; /* character, or -1 */
	bool quiet, verbose;
	struct dest dest;
	char **command; /* NULL-terminated, at least empty */
};

/* For exec a first word that is no destination begins a local command. */
enum command_style { STYLE_SHELL, STYLE_EXEC, STYLE_NONE };

/* 0, EXIT_USAGE with the reason told, or -1 when help was printed. */
int options_parse(struct options *, struct keyctx *, enum command_style,
    int argc, char **argv);
int64_t duration_ms(const char *); /* Go's "1m30s"; -1 */

/* --- identity.c: who we are --- */

struct identity {
	uint8_t *sk; /* sodium_malloc'ed */
	struct key_public pk;
	const char *source;
};

int identity_find(struct identity *, struct keyctx *, const struct options *);
void identity_free(struct identity *);
/* ~/.config/skypty/identity, malloc'ed; NULL without a home. */
char *identity_default_path(void);

/* --- conn.c: a connection with a service open on it --- */

struct conn {
	int fd;
	bool plain;    /* control socket: no Noise, no frames */
	bool accepted; /* the mux has answered */
	bool eof;
	struct frame_key rx, tx;
	struct buf wire_in, in; /* in: plaintext behind the mux's answer */
	struct buf out, wire_out;
	uint64_t received; /* bytes off the wire, for messages */
	const struct dest *dest;
	char us[KEY_PUBLIC_HEX];
};

/*
 * Connects, shakes hands and queues the request for uri; what is put into out
 * leaves right behind it.  0, or EXIT_FAILED with the reason told.
 */
int conn_open(struct conn *, struct keyctx *, const struct options *,
    const char *uri);
/* What poll(2) is to wait for on fd. */
short conn_events(const struct conn *);
/* Reads and writes what is possible.  0, or EXIT_FAILED, told. */
int conn_pump(struct conn *, short revents);
/* Sends what can be sent now.  0, or EXIT_FAILED, told. */
int conn_flush(struct conn *);
/* The host's end where more was due: tells why. */
int conn_ended(const struct conn *);
/* A message that makes no sense. */
int conn_bad(const struct conn *, int error);
void conn_close(struct conn *);

/* --- term.c: our terminal --- */

/* Raw mode on standard input, undone at exit and by deadly signals. */
int term_raw(void);
void term_restore(void);
bool term_is_raw(void);
/* Size of the terminal on standard input or output; false: none. */
bool term_size(struct rpc_winsize *);
/* Restores, stops the process, and is raw again when it continues. */
void term_suspend(void);

/* --- call.c: one call --- */

/*
 * Sends what has been put and waits for the next reply, at most that long (-1:
 * for ever).  0, or EXIT_FAILED, told.
 */
int call_await(struct conn *, struct rpc_client *, int64_t timeout_ms,
    struct rpc_reply *);
int64_t now_ms(void); /* of the monotonic clock */

/* --- session.c, exec.c --- */

/* An interactive session.  An exit status. */
int session_run(struct keyctx *, const struct options *);
/* A command by pty.Exec.  An exit status. */
int exec_run(struct keyctx *, const struct options *);

/* --- subcommands --- */

int shell_main(int argc, char **argv);
int exec_main(int argc, char **argv);
int whitelist_main(int argc, char **argv);
int host_main(int argc, char **argv);
int keygen_main(int argc, char **argv);
int pk_main(int argc, char **argv);

#endif
