/* SPDX-License-Identifier: ISC */
/* What a command is told to forward, by flags and by the file of names. */
#ifndef CLIENT_FORWARD_FORWARD_FLAGS_H
#define CLIENT_FORWARD_FORWARD_FLAGS_H

#include <stdbool.h>
#include <stddef.h>

#include "client/forward/forward_spec.h"

#define JUMP_NONE "none"

struct client_options;
struct host;

/* A specification as it was given. */
struct forward_wish {
	enum forward_way way;
	char *text; /* malloc'ed */
};

struct forward_flags {
	struct forward_wish *wish; /* malloc'ed, n of them */
	size_t n;
	const char *target; /* -W, or NULL */
	const char *jump;   /* -J: destinations to go by, or NULL */
	bool nothing;	    /* -N: no command is run */
	bool background;    /* -f: once they stand */
	bool gateway;	    /* those without an address: for all of them */
	bool unlink;	    /* a socket that is in the way */
	bool strict;	    /* one that fails ends the command */
	bool clear;	    /* none, whoever has asked for them */
};

/*
 * What the table of flags calls: 0, or EXIT_USAGE, told by the flag's name.
 * Specifications are checked at once.
 */
int forward_flag(struct client_options *, const char *flag, const char *);
/* Adds one: 0, or EXIT_FAILED, or EXIT_USAGE, told, by what has asked for it.
 */
int forward_wish_add(struct forward_flags *, enum forward_way, const char *text,
    const char *what);
/* What the file says, where no flag has said otherwise.  The same. */
int forward_apply(struct forward_flags *, const struct host *);
void forward_flags_free(struct forward_flags *);
/* Whether there is anything to be forwarded. */
bool forward_is_wanted(const struct forward_flags *);

/*
 * The command that leads to host and port by the last of the destinations of a
 * list, which goes by those before it; word is the subcommand that knows their
 * form.  malloc'ed; NULL, told.
 */
char *forward_jump(const struct client_options *, const char *word,
    const char *list, const char *host, const char *port);

#endif
