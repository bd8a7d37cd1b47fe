/* SPDX-License-Identifier: ISC */
/*
 * Options of ssh: what flags and keywords say, by ssh's own rules of which one
 * counts.
 */
#ifndef CLIENT_SSH_SSH_OPTS_H
#define CLIENT_SSH_SSH_OPTS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/pty/keys.h"

/*
 * What is looked at, here or in a refusal; of all other keywords only the form
 * is checked.
 */
enum ssh_name {
	SSH_NONE,
	SSH_ADDRESS_FAMILY,
	SSH_BATCH_MODE,
	SSH_BIND_ADDRESS,
	SSH_BIND_INTERFACE,
	SSH_CANONICALIZE,
	SSH_CHANNEL_TIMEOUT,
	SSH_CLEAR_FORWARDINGS,
	SSH_CONNECT_TIMEOUT,
	SSH_CONNECTION_ATTEMPTS,
	SSH_CONTROL_MASTER,
	SSH_CONTROL_PATH,
	SSH_CONTROL_PERSIST,
	SSH_DYNAMIC_FORWARD,
	SSH_ESCAPE,
	SSH_EXIT_ON_FAILURE,
	SSH_OBSCURE,
	SSH_FORK,
	SSH_FORWARD_AGENT,
	SSH_FORWARD_X11,
	SSH_GATEWAY_PORTS,
	SSH_HOSTNAME,
	SSH_HOST_KEY_ALIAS,
	SSH_IDENTITIES_ONLY,
	SSH_IDENTITY_AGENT,
	SSH_IDENTITY_FILE,
	SSH_IGNORE_UNKNOWN,
	SSH_LOCAL_COMMAND,
	SSH_LOCAL_FORWARD,
	SSH_LOG_LEVEL,
	SSH_PERMIT_LOCAL,
	SSH_PKCS11,
	SSH_PORT,
	SSH_PROXY_COMMAND,
	SSH_PROXY_FDPASS,
	SSH_PROXY_JUMP,
	SSH_PUBKEY,
	SSH_REFUSE,
	SSH_REMOTE_COMMAND,
	SSH_REMOTE_FORWARD,
	SSH_REQUEST_TTY,
	SSH_REVOKED,
	SSH_SEND_ENV,
	SSH_ALIVE_COUNT,
	SSH_ALIVE_INTERVAL,
	SSH_SESSION_TYPE,
	SSH_SET_ENV,
	SSH_STDIN_NULL,
	SSH_FACILITY,
	SSH_TAG,
	SSH_TUNNEL,
	SSH_UNLINK_SOCKETS,
	SSH_USER,
	/* Ours. */
	SSH_CONTROL_SOCKET,
	SSH_DISCOVERY,
	SSH_DMSG_SERVERS,
	SSH_KEY,
	SSH_STANDALONE,
	SSH_VISOR_KEY,
	SSH_REQUIRE_PQ,
	SSH_VISOR_RPC,
	SSH_NAMES
};

struct ssh_texts {
	char **text;
	size_t n;
};

struct ssh_opts {
	struct {
		char *text;    /* NULL: not said */
		char from[32]; /* "-p" or "Port", for messages */
	} said[SSH_NAMES];
	struct ssh_texts identities, send_env, set_env;
	struct ssh_texts forwards; /* "L8080:host:80" */
	const char *command;	   /* for Match, or NULL */
	const char *config;   /* -F; like all of these from the arguments */
	const char *log_file; /* -E */
	const char *order;    /* -O */
	const char *target;   /* -W */
	bool syslog;	      /* -y */
	bool print;	      /* -G */
	bool version;	      /* -V */
	int verbose;	      /* how many -v */
};

/*
 * Takes the flags of argv from optind on, up to the first word that is none.
 * 0, or EXIT_FAILED, told.  *dashes: "--" has ended them.
 */
int ssh_opts_flags(struct ssh_opts *, int argc, char **argv, bool *dashes);
/* One line "Keyword value", of -o or of a file.  where is for messages. */
int ssh_opts_line(struct ssh_opts *, const char *line, const char *where);
/* The same for a line that is not in force: only its form is checked. */
int ssh_opts_look(const struct ssh_opts *, const char *line, const char *where);
/*
 * Says something unless it is said already.  Of SSH_USER what is a key, alone
 * or behind an '@', is said as SSH_KEY.
 */
int ssh_opts_first(struct ssh_opts *, enum ssh_name, const char *text,
    const char *from);
/* Adds an IdentityFile. */
int ssh_opts_identity(struct ssh_opts *, const char *path);
/* Adds a specification of a letter's, -L, -R or -D, as those stand on a line.
 */
int ssh_opts_forward(struct ssh_opts *, int letter, const char *text);
/*
 * When all is read: refuses by name what is in force and not offered.  0, or
 * EXIT_FAILED, told.
 */
int ssh_opts_check(const struct ssh_opts *);
/* What was said, or NULL. */
const char *ssh_opts_text(const struct ssh_opts *, enum ssh_name);
/* A ProxyJump, or a ProxyCommand, as it was given; NULL for none. */
const char *ssh_opts_jump(const struct ssh_opts *);
const char *ssh_opts_proxy(const struct ssh_opts *);
bool ssh_opts_yes(const struct ssh_opts *, enum ssh_name);
/* A number, or a time in seconds; otherwise if none was said. */
int ssh_opts_number(const struct ssh_opts *, enum ssh_name, int otherwise);
void ssh_opts_free(struct ssh_opts *);
/* Whether that is a public key by its form. */
bool ssh_is_key(const char *);
/* Whether that is a keyword of ssh_config(5), whatever becomes of it. */
bool ssh_opts_known(const char *keyword);
void ssh_opts_usage(void);

/* --- ssh_words.c: texts as ssh reads them --- */

/*
 * The words of a value: quotes of both kinds and backslashes taken off, up to a
 * '#' that begins one.  *words and the words are malloc'ed and NULL-terminated.
 * 0, -1 for an open quote or without memory.
 */
int ssh_words(const char *, char ***words);
void ssh_words_free(char **);
/* Whether a text matches a pattern of '*' and '?'. */
bool ssh_match(const char *pattern, const char *text);
/*
 * Whether a text matches one of a list divided by commas, and none of those
 * that begin with '!'.  small: the list in small letters.
 */
bool ssh_match_list(const char *patterns, const char *text, bool small);
/* "1h30m", "10": seconds; -1 */
int ssh_time(const char *);

/* Letters that most keywords take behind a '%'. */
#define SSH_TOKENS "CdhijkLlnpru"

struct ssh_tokens {
	const char *host; /* %n: as it was given */
	const char *key_alias;
	const char *hostname;
	const char *port;
	const char *login;
};

/* A text with another character before each of some; malloc'ed, or NULL. */
char *ssh_with_each(const char *text, const char *some, char before);
/* A text as one word that ssh_words takes apart again; malloc'ed, or NULL. */
char *ssh_quoted(const char *text);

/*
 * Whether a host's name, or a login name, can stand in a command: nothing that
 * a shell takes for more.  0, or EXIT_FAILED, told.
 */
int ssh_check_host(const char *);
int ssh_check_login(const char *);

/*
 * Replaces those of the letters behind '%' that are allowed; malloc'ed, or NULL
 * with the reason told: what names the keyword.
 */
char *ssh_expand(const char *text, const char *allowed,
    const struct ssh_tokens *, const char *what);
/* The same for a path: "~" and ${NAME} before it. */
char *
ssh_expand_path(const char *text, const struct ssh_tokens *, const char *what);

#endif
